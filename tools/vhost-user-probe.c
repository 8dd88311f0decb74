/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user-probe: connects to a back-end as a front-end would, or opens a device of the kernel, and shows what it is and offers.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include <vhost/version.h>

#include "arguments.h"
#include "probe.h"

#define PROGRAM "vhost-user-probe"

#define DEFAULT_TIMEOUT 5
#define MAX_TIMEOUT 3600

static void
print_help (void)
{
	printf ("usage: " PROGRAM " [OPTION...] SOCKET|DEVICE\n"
		"Shows what the vhost-user back-end that listens at SOCKET offers, or what\n"
		"a device of the kernel does, such as /dev/vhost-net or /dev/vhost-vdpa-0.\n"
		"\n"
		"  --device=NAME      what kind of device it is: %s\n"
		"                     [what its features allow no doubt about]\n"
		"  --timeout=SECONDS  for each answer [5]\n"
		"  --json             the answers as JSON\n"
		"  --help, --version\n",
		device_names ());
}

enum option_id {
	OPTION_DEVICE,
	OPTION_TIMEOUT,
	OPTION_JSON,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "device", required_argument, NULL, OPTION_DEVICE },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

static bool
set_option (struct probe_options *o, int id, const char *text)
{
	uint64_t n;

	switch (id) {
	case OPTION_DEVICE:
		o->device = device_by_name (text);
		return o->device;
	case OPTION_TIMEOUT:
		if (!parse_number (text, false, 1, MAX_TIMEOUT, &n))
			return false;
		o->timeout = n;
		return true;
	default:
		return o->json = true;
	}
}

/* 0: go on; 1: there is no more to do; 2: it was wrong, and that has been said. */
static int
parse (int argc, char **argv, struct probe_options *o)
{
	int id, which = 0;

	*o = (struct probe_options){ .timeout = DEFAULT_TIMEOUT };
	opterr = 0;
	while ((id = getopt_long (argc, argv, ":", long_options, &which)) != -1) {
		if (id == '?')
			return usage_error (PROGRAM, "unknown option %s", argv[optind - 1]);
		if (id == ':')
			return usage_error (PROGRAM, "%s needs a value", argv[optind - 1]);
		if (id == OPTION_HELP || id == OPTION_VERSION) {
			id == OPTION_HELP ? print_help () : (void) puts (PROGRAM " (libvhost) " VH_VERSION_STRING);
			return 1;
		}
		if (!set_option (o, id, optarg))
			return usage_error (PROGRAM, "--%s does not take \"%s\"", long_options[which].name, optarg);
	}
	if (optind + 1 != argc)
		return usage_error (PROGRAM, "one socket or device is needed, not %d", argc - optind);
	o->socket = argv[optind];
	return 0;
}

static int
probe_socket (const struct probe_options *o, char *failed, size_t size)
{
	struct answers answers;
	int err = probe_ask (o, &answers, failed, size);

	if (err < 0)
		return err;
	o->json ? probe_print_json (&answers) : probe_print (&answers);
	return 0;
}

static int
probe_kernel (const struct probe_options *o, char *failed, size_t size)
{
	struct kernel_answers answers;
	int err = probe_ask_kernel (o, &answers, failed, size);

	if (err < 0)
		return err;
	o->json ? probe_print_kernel_json (&answers) : probe_print_kernel (&answers);
	return 0;
}

int
main (int argc, char **argv)
{
	struct probe_options options;
	char failed[256];
	int result = parse (argc, argv, &options);

	if (result != 0)
		return result == 1 ? EXIT_SUCCESS : result;
	if ((probe_is_kernel (options.socket) ? probe_kernel : probe_socket) (&options, failed, sizeof (failed)) < 0) {
		fprintf (stderr, PROGRAM ": %s\n", failed);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
