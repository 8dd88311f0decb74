/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen-vhost-frontend: gives Xen guests virtio-mmio devices that vhost-user back-ends serve.  This file: domains that the command line names, signals, the
 * beginning and the end.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <vhost/error.h>

#include "device.h"
#include "toolstack.h"

/* How often to look for domains that came and went where no xenstore tells. */
#define POLL_MS 1000

/* A domain of the command line. */
struct wanted {
	const struct domain_option *option;
	bool looked;
	uint16_t domid;		/* as it was seen last; 0: not there */
};

struct program {
	struct host host;
	struct options options;
	struct wanted *wanted;
	struct toolstack *toolstack;
	struct store_watch *released, *introduced;
	struct vh_timer *poll;
	int signals;
	struct vh_source *signal_source;
	bool failed;
};

/* --- domains of the command line --- */

/* The domain's id; 0: there is none now. */
static uint16_t
find_domain (struct program *p, const struct domain_option *o)
{
	char **ids;
	uint64_t id;
	unsigned n;
	uint16_t found = 0;

	if (o->has_id)
		return host_domain_lives (&p->host, o->id) ? o->id : 0;
	ids = store_list (p->host.store, "/local/domain", &n);
	for (unsigned i = 0; i < n && !found; i++) {
		char *name = store_read (p->host.store, "/local/domain/%s/name", ids[i]);

		if (name && strcmp (name, o->name) == 0 && spec_number (ids[i], 1, DOMID_FIRST_RESERVED - 1, &id) && host_domain_lives (&p->host, id))
			found = id;
		free (name);
	}
	free (ids);
	return found;
}

static void
serve_domain (struct program *p, const struct domain_option *o, uint16_t domid)
{
	static const struct device_owner nobody;
	struct guest *guest;
	struct device *device;

	if (guest_get (&p->host, domid, o->ram, o->n_ram, &guest) < 0) {
		p->failed = true;
		return;
	}
	for (unsigned i = 0; i < o->devices; i++)
		if (device_new (guest, &o->device[i], &nobody, &device) < 0)
			p->failed = true;
	guest_settle (guest);
}

static void
look_for_domain (struct program *p, struct wanted *w)
{
	uint16_t domid = find_domain (p, w->option);

	/* A domain of the same name that came back is another one. */
	if (w->looked && domid == w->domid)
		return;
	if (!w->looked && w->option->has_id && domid == 0) {
		log_say (&p->host.log, VH_LOG_ERROR, "there is no domain %u", w->option->id);
		p->failed = true;
	}
	w->looked = true;
	w->domid = domid;
	if (domid)
		serve_domain (p, w->option, domid);
}

static void
look_for_domains (void *opaque)
{
	struct program *p = opaque;

	if (p->host.stopping)
		return;
	host_check_guests (&p->host);
	for (unsigned i = 0; i < p->options.domains; i++)
		look_for_domain (p, &p->wanted[i]);
	if (p->poll)
		vh_timer_set (p->poll, POLL_MS);
	host_settle (&p->host);
}

/* Can anything come yet?  A domain id never comes back. */
static bool
is_expecting (const struct program *p)
{
	if (p->options.xenstore)
		return true;
	for (unsigned i = 0; i < p->options.domains; i++)
		if (!p->options.domain[i].has_id)
			return true;
	return false;
}

void
host_settle (struct host *host)
{
	struct program *p = (struct program *) host;

	if (host->guests || (is_expecting (p) && !host->stopping))
		return;
	if (!host->stopping)
		log_say (&host->log, VH_LOG_INFO, "no guest is left");
	host->stopping = true;
}

/* --- signals --- */

static void
report (struct host *host)
{
	for (struct guest *g = host->guests; g; g = g->next)
		for (struct device *d = g->devices; d; d = device_next (d))
			device_report (d, LOG_ASKED);
}

static void
stop (struct program *p)
{
	struct guest *g, *next;

	p->host.stopping = true;
	for (g = p->host.guests; g; g = next) {
		next = g->next;
		guest_close (g);
	}
}

static void
on_signal (void *opaque, uint32_t events)
{
	struct program *p = opaque;
	struct signalfd_siginfo info;

	if (read (p->signals, &info, sizeof (info)) != sizeof (info))
		return;
	if (info.ssi_signo == SIGUSR1)
		report (&p->host);
	else
		stop (p);
}

static int
take_signals (struct program *p)
{
	sigset_t set;

	sigemptyset (&set);
	sigaddset (&set, SIGINT);
	sigaddset (&set, SIGTERM);
	sigaddset (&set, SIGUSR1);
	sigprocmask (SIG_BLOCK, &set, NULL);
	signal (SIGPIPE, SIG_IGN);
	p->signals = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals < 0)
		return -errno;
	return vh_loop_add_fd (p->host.loop, p->signals, EPOLLIN, on_signal, p, &p->signal_source);
}

/* --- the whole --- */

/* Xenstore tells when domains come and go; without it we look from time to time. */
static int
watch_domains (struct program *p)
{
	struct store *store = p->host.store;
	int err;

	if (!store) {
		err = vh_loop_add_timer (p->host.loop, look_for_domains, p, &p->poll);
		if (err == 0)
			look_for_domains (p);
		return err;
	}
	err = store_watch (store, "@introduceDomain", look_for_domains, p, &p->introduced);
	return err < 0 ? err : store_watch (store, "@releaseDomain", look_for_domains, p, &p->released);
}

static int
begin (struct program *p)
{
	int err = host_open (&p->host, &p->options);

	if (err == 0)
		err = take_signals (p);
	if (err < 0)
		return err;
	p->wanted = calloc (p->options.domains + 1, sizeof (p->wanted[0]));
	if (!p->wanted)
		return -ENOMEM;
	for (unsigned i = 0; i < p->options.domains; i++)
		p->wanted[i].option = &p->options.domain[i];
	if (p->options.xenstore)
		err = toolstack_new (&p->host, &p->toolstack);
	return err < 0 ? err : watch_domains (p);
}

/* Ends when it is told to, or nothing is left to do; and then when all links have closed. */
static int
run (struct program *p)
{
	int n = 0;

	while (n >= 0 && (!p->host.stopping || p->host.guests))
		n = vh_loop_dispatch (p->host.loop, -1);
	return n < 0 ? n : 0;
}

static void
end (struct program *p)
{
	toolstack_free (p->toolstack);
	store_unwatch (p->introduced);
	store_unwatch (p->released);
	vh_timer_remove (p->poll);
	vh_source_remove (p->signal_source);
	if (p->signals >= 0)
		close (p->signals);
	host_close (&p->host);
	free (p->wanted);
}

int
main (int argc, char **argv)
{
	struct program p = { .signals = -1 };
	int err = options_parse (argc, argv, &p.options);

	if (err == 0) {
		err = begin (&p);
		if (err == 0)
			err = run (&p);
		if (err < 0)
			log_say (&p.host.log, VH_LOG_ERROR, "ends: %s", vh_strerror (err));
		end (&p);
		err = err < 0 || p.failed ? EXIT_FAILURE : EXIT_SUCCESS;
	} else if (err == 1) {
		err = EXIT_SUCCESS;
	}
	options_free (&p.options);
	return err;
}
