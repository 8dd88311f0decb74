/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line; see options.h.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vhost/version.h>

#include <xen/xen.h>

#include "log.h"
#include "options.h"

#define DEFAULT_PATTERN "/run/xen-vhost-frontend/%n-%d-%i.sock"
#define DEFAULT_WAIT 10
/* Long enough for a disk to finish what it has begun: a back-end that is left alone while it still writes would write to memory that is in use again. */
#define DEFAULT_TIMEOUT 30
#define MAX_SECONDS 3600

/* What rust-vmm's vm-memory takes for VH_XEN_NO_ADVANCE_MAP. */
#define RUST_VMM_NO_ADVANCE_MAP 0x8u

enum {
	OPTION_DOMAIN = 256,
	OPTION_DEVICE,
	OPTION_RAM,
	OPTION_XENSTORE,
	OPTION_SOCKETS,
	OPTION_MEMORY,
	OPTION_NO_ADVANCE_MAP,
	OPTION_NO_KERNEL_EVENTFDS,
	OPTION_WAIT,
	OPTION_TIMEOUT,
	OPTION_VERBOSE,
	OPTION_QUIET,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "domain", required_argument, NULL, OPTION_DOMAIN },
	{ "device", required_argument, NULL, OPTION_DEVICE },
	{ "ram", required_argument, NULL, OPTION_RAM },
	{ "xenstore", no_argument, NULL, OPTION_XENSTORE },
	{ "sockets", required_argument, NULL, OPTION_SOCKETS },
	{ "memory", required_argument, NULL, OPTION_MEMORY },
	{ "no-advance-map", required_argument, NULL, OPTION_NO_ADVANCE_MAP },
	{ "no-kernel-eventfds", no_argument, NULL, OPTION_NO_KERNEL_EVENTFDS },
	{ "wait", required_argument, NULL, OPTION_WAIT },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "verbose", no_argument, NULL, OPTION_VERBOSE },
	{ "quiet", no_argument, NULL, OPTION_QUIET },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] =
	"usage: xen-vhost-frontend [OPTION]... [--domain=ID|NAME [--ram=...] --device=KIND,...]...\n"
	"Gives Xen guests virtio-mmio devices that vhost-user back-ends serve.\n"
	"\n"
	"  --domain=ID|NAME        the guest that the next devices are for; a name is waited for\n"
	"  --device=KIND,word=value,...\n"
	"                          a device (net, blk, console, rng, vsock, fs, i2c, gpio):\n"
	"                            socket=PATH            where its back-end listens\n"
	"                            base=ADDRESS           guest physical address of its registers\n"
	"                            irq=LINE               interrupt line, or else:\n"
	"                            evtchn=PORT|PATH       event channel, or where in xenstore the guest writes it\n"
	"                            memory=grant|foreign   instead of --memory\n"
	"                            queue-size=N           (256)\n"
	"                            packed=yes|no          offer packed rings, which do not outlive a back-end (no)\n"
	"                            mac=ADDRESS            net: hardware address\n"
	"                            tag=NAME               fs: its tag\n"
	"  --ram=ADDRESS+SIZE,...  where the guest's RAM is (found out), for memory=foreign\n"
	"  --xenstore              serve the devices that toolstacks write to xenstore; the default without --domain\n"
	"  --sockets=PATTERN       their sockets: %n kind, %d domain, %i device (" DEFAULT_PATTERN ")\n"
	"  --memory=grant|foreign  how back-ends get at guest memory (grant)\n"
	"  --no-advance-map=0x100|0x8\n"
	"                          the flag of regions that are mapped on demand; 0x8 for rust-vmm's back-ends (0x100)\n"
	"  --no-kernel-eventfds    do not have the kernel pass on kicks and interrupts\n"
	"  --wait=SECONDS          how long a guest that looks for a device waits for its back-end; 0: for ever (10)\n"
	"  --timeout=SECONDS       how long a back-end may take for an answer (30)\n"
	"  --verbose, --quiet      say more, say less\n"
	"  --help, --version\n"
	"\n"
	"SIGUSR1: say what each device did.  See xen-vhost-frontend(1).\n";

static int
wrong (const char *format, ...)
{
	va_list args;

	fprintf (stderr, PROGRAM ": ");
	va_start (args, format);
	vfprintf (stderr, format, args);
	va_end (args);
	fprintf (stderr, " (see " PROGRAM " --help)\n");
	return 2;
}

/* --- domains and devices --- */

static int
add_domain (struct options *o, const char *value)
{
	struct domain_option *d;
	uint64_t id;

	if (o->domains == MAX_DOMAINS)
		return wrong ("more than %d domains", MAX_DOMAINS);
	if (!*value)
		return wrong ("--domain is empty");
	d = &o->domain[o->domains++];
	*d = (struct domain_option){ .name = value };
	if (spec_number (value, 1, DOMID_FIRST_RESERVED - 1, &id)) {
		d->has_id = true;
		d->id = id;
	}
	return 0;
}

static int
add_device (struct options *o, const char *value)
{
	struct domain_option *d = o->domains ? &o->domain[o->domains - 1] : NULL;
	char error[256];

	if (!d)
		return wrong ("--device comes after the --domain that it is for");
	if (d->devices == MAX_DOMAIN_DEVICES)
		return wrong ("more than %d devices for a domain", MAX_DOMAIN_DEVICES);
	spec_init (&d->device[d->devices], o->foreign);
	if (!spec_parse (&d->device[d->devices], value, error, sizeof (error)))
		return wrong ("--device=%s: %s", value, error);
	d->devices++;
	return 0;
}

/* ADDRESS+SIZE of whole pages. */
static bool
parse_area (char *text, struct area *ret)
{
	char *plus = strchr (text, '+');

	if (!plus)
		return false;
	*plus = '\0';
	return spec_number (text, 0, UINT64_C (1) << 52, &ret->addr) && spec_number (plus + 1, GRANT_PAGE, UINT64_C (1) << 52, &ret->size) &&
	       ret->addr % GRANT_PAGE == 0 && ret->size % GRANT_PAGE == 0;
}

static int
set_ram (struct options *o, const char *value)
{
	struct domain_option *d = o->domains ? &o->domain[o->domains - 1] : NULL;
	char *copy, *rest, *piece;
	bool ok = true;

	if (!d)
		return wrong ("--ram comes after the --domain that it is for");
	copy = rest = strdup (value);
	while (ok && (piece = strsep (&rest, ","))) {
		ok = d->n_ram < MAX_RAM_OPTIONS && parse_area (piece, &d->ram[d->n_ram]);
		d->n_ram += ok;
	}
	free (copy);
	return ok ? 0 : wrong ("--ram is to be ADDRESS+SIZE of whole pages, up to %d times, not \"%s\"", MAX_RAM_OPTIONS, value);
}

/* --- the rest --- */

static int
set_memory (struct options *o, const char *value)
{
	if (strcmp (value, "grant") != 0 && strcmp (value, "foreign") != 0)
		return wrong ("--memory is grant or foreign, not \"%s\"", value);
	o->foreign = value[0] == 'f';
	return 0;
}

static int
set_no_advance_map (struct options *o, const char *value)
{
	uint64_t flag;

	if (!spec_number (value, 1, UINT32_MAX, &flag) || (flag != VH_XEN_NO_ADVANCE_MAP && flag != RUST_VMM_NO_ADVANCE_MAP))
		return wrong ("--no-advance-map is 0x100 or 0x8, not \"%s\"", value);
	o->on_demand = flag;
	return 0;
}

static int
set_seconds (const char *name, const char *value, unsigned min, unsigned *ret)
{
	uint64_t n;

	if (!spec_number (value, min, MAX_SECONDS, &n))
		return wrong ("--%s is a number of seconds, %u to %u, not \"%s\"", name, min, MAX_SECONDS, value);
	*ret = n * 1000;
	return 0;
}

static int
set_sockets (struct options *o, const char *value)
{
	o->socket_pattern = value;
	return *value ? 0 : wrong ("--sockets is empty");
}

static int
take (struct options *o, int option, const char *value)
{
	switch (option) {
	case OPTION_DOMAIN:
		return add_domain (o, value);
	case OPTION_DEVICE:
		return add_device (o, value);
	case OPTION_RAM:
		return set_ram (o, value);
	case OPTION_XENSTORE:
		o->xenstore = true;
		return 0;
	case OPTION_SOCKETS:
		return set_sockets (o, value);
	case OPTION_MEMORY:
		return set_memory (o, value);
	case OPTION_NO_ADVANCE_MAP:
		return set_no_advance_map (o, value);
	case OPTION_NO_KERNEL_EVENTFDS:
		o->kernel_eventfds = false;
		return 0;
	case OPTION_WAIT:
		return set_seconds ("wait", value, 0, &o->wait_ms);
	case OPTION_TIMEOUT:
		return set_seconds ("timeout", value, 1, &o->timeout_ms);
	case OPTION_VERBOSE:
		o->level = VH_LOG_DEBUG;
		return 0;
	case OPTION_QUIET:
		o->level = VH_LOG_WARNING;
		return 0;
	case OPTION_HELP:
		fputs (usage, stdout);
		return 1;
	case OPTION_VERSION:
		printf (PROGRAM " %s\n", vh_version ());
		return 1;
	default:
		/* getopt_long has named it. */
		return wrong ("wrong option");
	}
}

static int
check (const struct options *o)
{
	for (unsigned i = 0; i < o->domains; i++)
		if (o->domain[i].devices == 0)
			return wrong ("--domain=%s has no --device", o->domain[i].name);
	return 0;
}

int
options_parse (int argc, char **argv, struct options *o)
{
	int option, ret = 0;

	*o = (struct options){ .socket_pattern = DEFAULT_PATTERN,
			       .on_demand = VH_XEN_NO_ADVANCE_MAP,
			       .kernel_eventfds = true,
			       .wait_ms = DEFAULT_WAIT * 1000,
			       .timeout_ms = DEFAULT_TIMEOUT * 1000,
			       .level = VH_LOG_INFO };
	o->domain = calloc (MAX_DOMAINS, sizeof (o->domain[0]));
	if (!o->domain)
		return wrong ("no memory");
	opterr = 0;
	while (ret == 0 && (option = getopt_long (argc, argv, "", long_options, NULL)) != -1)
		ret = option == '?' ? wrong ("%s is no option here, or lacks its value", argv[optind - 1]) : take (o, option, optarg);
	if (ret == 0 && optind < argc)
		ret = wrong ("\"%s\" is too much", argv[optind]);
	if (ret == 0)
		ret = check (o);
	o->xenstore |= o->domains == 0;
	return ret;
}

void
options_free (struct options *o)
{
	free (o->domain);
}
