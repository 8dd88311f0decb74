/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of the program share; see host.h.
 */
#include <errno.h>
#include <unistd.h>

#include <vhost/error.h>

#include "guest.h"
#include "host.h"
#include "privcmd.h"

static int
missing (struct host *host, const char *what)
{
	int err = errno ? -errno : -EIO;

	log_say (&host->log, VH_LOG_ERROR, "%s: %s (this program runs in dom0, as root)", what, vh_strerror (err));
	return err;
}

/* Does anything need xenstore?  Domains by their names, ports that guests write, devices of toolstacks. */
static bool
needs_store (const struct options *o)
{
	if (o->xenstore)
		return true;
	for (unsigned i = 0; i < o->domains; i++) {
		const struct domain_option *d = &o->domain[i];

		if (!d->has_id)
			return true;
		for (unsigned k = 0; k < d->devices; k++)
			if (!d->device[k].has_line && !d->device[k].port)
				return true;
	}
	return false;
}

int
host_open (struct host *host, const struct options *options)
{
	int err;

	*host = (struct host){ .options = options, .log = { .level = options->level }, .privcmd = -1 };
	err = vh_loop_new (&host->loop);
	if (err < 0)
		return err;
	host->model = xendevicemodel_open (NULL, 0);
	if (!host->model)
		return missing (host, "the device model interface of Xen");
	host->control = xc_interface_open (NULL, NULL, 0);
	if (!host->control)
		return missing (host, "the control interface of Xen");
	if (options->kernel_eventfds)
		host->privcmd = privcmd_open ();
	err = store_new (host->loop, &host->store);
	if (err < 0 && needs_store (options)) {
		log_say (&host->log, VH_LOG_ERROR, "xenstore: %s", vh_strerror (err));
		return err;
	}
	return 0;
}

void
host_close (struct host *host)
{
	store_free (host->store);
	if (host->privcmd >= 0)
		close (host->privcmd);
	if (host->control)
		xc_interface_close (host->control);
	if (host->model)
		xendevicemodel_close (host->model);
	vh_loop_free (host->loop);
}

bool
host_domain_lives (const struct host *host, uint16_t domid)
{
	xc_domaininfo_t info;

	/* Xen answers with the next domain that there is. */
	return xc_domain_getinfolist (host->control, domid, 1, &info) == 1 && info.domain == domid && !(info.flags & XEN_DOMINF_dying);
}

void
host_check_guests (struct host *host)
{
	struct guest *g, *next;

	for (g = host->guests; g; g = next) {
		next = g->next;
		if (g->closing || host_domain_lives (host, g->domid))
			continue;
		log_say (&g->log, VH_LOG_INFO, "is gone");
		guest_close (g);
	}
}
