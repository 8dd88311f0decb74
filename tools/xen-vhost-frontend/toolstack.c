/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices that a toolstack describes; see toolstack.h.
 *
 * On every change the whole of both folders is read and compared with what is known: changes are rare, and events do not say what changed.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vhost/error.h>

#include "device.h"
#include "node.h"
#include "toolstack.h"

static const char *const folders[] = { "virtio", "virtio_disk" };
#define FOLDERS (sizeof (folders) / sizeof (folders[0]))

/* A node of xenstore that describes a device. */
struct entry {
	struct entry *next;
	struct toolstack *toolstack;
	char path[STORE_PATH];
	struct device *device;	/* NULL: it could not be made, or is closed */
	bool seen;		/* in this round */
	bool gone;		/* it was not, once: what is there now is another device, made when this one has closed */
};

struct toolstack {
	struct host *host;
	unsigned domid;		/* ours */
	struct store_watch *watch[FOLDERS];
	struct entry *entries;
};

static void look (void *opaque);

static void backend_path (const struct toolstack *, char path[STORE_PATH], const char *format, ...) __attribute__ ((format (printf, 3, 4)));

/* A path below our folder for back-ends; what is too long is cut, and then not found. */
static void
backend_path (const struct toolstack *t, char path[STORE_PATH], const char *format, ...)
{
	int n = snprintf (path, STORE_PATH, "/local/domain/%u/backend/", t->domid);
	va_list args;

	va_start (args, format);
	vsnprintf (path + n, STORE_PATH - n, format, args);
	va_end (args);
}

/* --- one device --- */

static void
write_state (void *opaque, enum device_state state)
{
	struct entry *e = opaque;
	char path[STORE_PATH + 8], value[8];

	snprintf (path, sizeof (path), "%s/state", e->path);
	snprintf (value, sizeof (value), "%d", state);
	/* Not into a node that was removed: that would make it again. */
	if (store_has (e->toolstack->host->store, "%s", path) && !store_write (e->toolstack->host->store, path, value))
		log_say (&e->toolstack->host->log, VH_LOG_WARNING, "cannot write %s", path);
}

static void
free_entry (struct entry *e)
{
	struct entry **link;

	for (link = &e->toolstack->entries; *link != e; link = &(*link)->next)
		;
	*link = e->next;
	free (e);
}

static void
device_closed (void *opaque)
{
	struct entry *e = opaque;
	struct toolstack *t = e->toolstack;

	e->device = NULL;
	if (!e->gone) {
		write_state (e, DEVICE_CLOSED);
		return;
	}
	free_entry (e);
	look (t);
}

static void
make_device (struct entry *e, unsigned domid, unsigned devid)
{
	struct host *host = e->toolstack->host;
	const struct device_owner owner = { .opaque = e, .state = write_state, .closed = device_closed };
	struct guest *guest;
	struct spec spec;
	char error[256];

	if (!node_read (host, e->path, domid, devid, &spec, error, sizeof (error))) {
		log_say (&host->log, VH_LOG_ERROR, "%s: %s", e->path, error);
		return;
	}
	if (!host_domain_lives (host, domid) || guest_get (host, domid, NULL, 0, &guest) < 0)
		return;
	if (device_new (guest, &spec, &owner, &e->device) < 0)
		guest_settle (guest);
}

/* --- rounds --- */

static struct entry *
find_entry (struct toolstack *t, const char *path)
{
	struct entry *e;

	for (e = t->entries; e; e = e->next)
		if (strcmp (e->path, path) == 0)
			return e;
	return NULL;
}

static void
see_device (struct toolstack *t, const char *path, unsigned domid, unsigned devid)
{
	struct entry *e = find_entry (t, path);
	int state = node_state (t->host, path);

	if (!e) {
		/* Until the toolstack wrote the state it is not done; and an old node is nothing to begin with. */
		if (state != NODE_INITIALISING && state != DEVICE_WAITING && state != DEVICE_RUNS)
			return;
		e = calloc (1, sizeof (*e));
		if (!e)
			return;
		e->toolstack = t;
		snprintf (e->path, sizeof (e->path), "%s", path);
		e->next = t->entries;
		t->entries = e;
		make_device (e, domid, devid);
	}
	e->seen = true;
	if (state == NODE_CLOSING && !e->gone) {
		if (e->device)
			device_close (e->device);
		else
			write_state (e, DEVICE_CLOSED);
	}
}

static void
see_domain (struct toolstack *t, const char *folder, const char *domain)
{
	char path[STORE_PATH];
	uint64_t domid, devid;
	char **names;
	unsigned n;

	if (!spec_number (domain, 0, DOMID_FIRST_RESERVED - 1, &domid))
		return;
	backend_path (t, path, "%s/%s", folder, domain);
	names = store_list (t->host->store, path, &n);
	for (unsigned i = 0; i < n; i++) {
		if (!spec_number (names[i], 0, INT32_MAX, &devid))
			continue;
		backend_path (t, path, "%s/%s/%s", folder, domain, names[i]);
		see_device (t, path, domid, devid);
	}
	free (names);
}

static void
see_folder (struct toolstack *t, const char *folder)
{
	char path[STORE_PATH];
	char **domains;
	unsigned n;

	backend_path (t, path, "%s", folder);
	domains = store_list (t->host->store, path, &n);
	for (unsigned i = 0; i < n; i++)
		see_domain (t, folder, domains[i]);
	free (domains);
}

/* A node that is gone takes its device with it. */
static void
forget_unseen (struct toolstack *t)
{
	struct entry *e, *next;

	for (e = t->entries; e; e = next) {
		next = e->next;
		if (e->seen)
			continue;
		e->gone = true;
		if (e->device)
			device_close (e->device);
		else
			free_entry (e);
	}
}

static void
look (void *opaque)
{
	struct toolstack *t = opaque;

	if (t->host->stopping)
		return;
	for (struct entry *e = t->entries; e; e = e->next)
		e->seen = false;
	for (unsigned i = 0; i < FOLDERS; i++)
		see_folder (t, folders[i]);
	forget_unseen (t);
}

/* --- the whole --- */

int
toolstack_new (struct host *host, struct toolstack **ret)
{
	struct toolstack *t = calloc (1, sizeof (*t));
	char path[STORE_PATH];
	uint64_t domid;
	char *own;
	int err = 0;

	if (!t)
		return -ENOMEM;
	t->host = host;
	own = store_read (host->store, "domid");
	if (own && spec_number (own, 0, DOMID_FIRST_RESERVED - 1, &domid))
		t->domid = domid;
	free (own);
	for (unsigned i = 0; err == 0 && i < FOLDERS; i++) {
		backend_path (t, path, "%s", folders[i]);
		err = store_watch (host->store, path, look, t, &t->watch[i]);
	}
	if (err < 0) {
		toolstack_free (t);
		return err;
	}
	*ret = t;
	return 0;
}

void
toolstack_free (struct toolstack *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < FOLDERS; i++)
		store_unwatch (t->watch[i]);
	while (t->entries)
		free_entry (t->entries);
	free (t);
}
