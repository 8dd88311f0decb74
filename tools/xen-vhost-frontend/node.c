/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One device's node in xenstore; see node.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "node.h"

/* How libxl writes the kind: the compatible string of the device tree, with the device id in hexadecimal. */
#define TYPE_PREFIX "virtio,device"

#define BLK_ID 2

int
node_state (const struct host *host, const char *path)
{
	char *value = store_read (host->store, "%s/state", path);
	int state = value ? atoi (value) : 0;

	free (value);
	return state;
}

/* --- the socket --- */

/* Appends to a string of which *used bytes are there. */
static bool
append (char *ret, size_t size, size_t *used, const char *text)
{
	size_t n = strlen (text);

	if (*used + n >= size)
		return false;
	memcpy (ret + *used, text, n + 1);
	*used += n;
	return true;
}

bool
node_socket (const char *pattern, const struct kind *kind, unsigned domid, unsigned devid, char *ret, size_t size)
{
	char piece[16];
	size_t used = 0;

	if (!append (ret, size, &used, ""))
		return false;
	for (const char *p = pattern; *p; p++) {
		const char *text = piece;

		snprintf (piece, sizeof (piece), "%c", *p);
		if (*p == '%') {
			switch (*++p) {
			case 'n':
				text = kind->name;
				break;
			case 'd':
				snprintf (piece, sizeof (piece), "%u", domid);
				break;
			case 'i':
				snprintf (piece, sizeof (piece), "%u", devid);
				break;
			case '%':
				break;
			default:
				return false;
			}
		}
		if (!append (ret, size, &used, text))
			return false;
	}
	return true;
}

static bool
is_socket (const char *path)
{
	struct stat st;

	return stat (path, &st) == 0 && S_ISSOCK (st.st_mode);
}

/* Said by a key of ours; or what the disk's "params" name is a socket; or by the pattern. */
static bool
find_socket (const struct host *host, const char *path, unsigned domid, unsigned devid, struct spec *s)
{
	char *value = store_read (host->store, "%s/socket", path);
	bool ok;

	if (!value) {
		value = store_read (host->store, "%s/params", path);
		if (value && !is_socket (value)) {
			free (value);
			value = NULL;
		}
	}
	if (value)
		ok = snprintf (s->socket, sizeof (s->socket), "%s", value) < (int) sizeof (s->socket);
	else
		ok = node_socket (host->options->socket_pattern, s->kind, domid, devid, s->socket, sizeof (s->socket));
	free (value);
	return ok;
}

/* --- the rest --- */

static const struct kind *
read_kind (const struct host *host, const char *path)
{
	char *type = store_read (host->store, "%s/type", path);
	char *specification = store_read (host->store, "%s/specification", path);
	const struct kind *kind = NULL;

	if (specification && strcmp (specification, "virtio") == 0)
		kind = kind_by_id (BLK_ID);
	else if (type && strncmp (type, TYPE_PREFIX, strlen (TYPE_PREFIX)) == 0)
		kind = kind_by_id (strtoul (type + strlen (TYPE_PREFIX), NULL, 16));
	free (type);
	free (specification);
	return kind;
}

/* Sets a word of the spec if the node has it. */
static bool
take (const struct host *host, const char *path, const char *key, const char *word, struct spec *s, char *error, size_t size)
{
	char *value = store_read (host->store, "%s/%s", path, key);
	bool ok = !value || spec_set (s, word, value, error, size);

	free (value);
	return ok;
}

/* Where the toolstack knows of no line it writes 0; then the guest writes its event channel where drivers of Xen's own devices do. */
static bool
read_interrupt (const struct host *host, const char *path, struct spec *s, char *error, size_t size)
{
	char *frontend;

	if (!take (host, path, "irq", "irq", s, error, size))
		return false;
	if (s->has_line && s->line != 0)
		return true;
	s->has_line = false;
	frontend = store_read (host->store, "%s/frontend", path);
	if (frontend)
		snprintf (s->port_path, sizeof (s->port_path), "%s/event-channel", frontend);
	free (frontend);
	return frontend ? true : (snprintf (error, size, "neither irq nor frontend is there"), false);
}

static void
read_grant_usage (const struct host *host, const char *path, struct spec *s)
{
	char *value = store_read (host->store, "%s/grant_usage", path);

	if (value)
		s->foreign = strcmp (value, "0") == 0;
	free (value);
}

bool
node_read (const struct host *host, const char *path, unsigned domid, unsigned devid, struct spec *s, char *error, size_t size)
{
	char *transport = store_read (host->store, "%s/transport", path);
	bool mmio = !transport || strcmp (transport, "mmio") == 0;

	free (transport);
	spec_init (s, host->options->foreign);
	s->kind = read_kind (host, path);
	if (!mmio || !s->kind) {
		snprintf (error, size, "is not a virtio-mmio device of a kind that is known here");
		return false;
	}
	if (!find_socket (host, path, domid, devid, s)) {
		snprintf (error, size, "the path of its socket is too long");
		return false;
	}
	read_grant_usage (host, path, s);
	return take (host, path, "base", "base", s, error, size) && read_interrupt (host, path, s, error, size) &&
	       take (host, path, "queue-size", "queue-size", s, error, size) && take (host, path, "packed", "packed", s, error, size) &&
	       take (host, path, "mac", "mac", s, error, size) && take (host, path, "tag", "tag", s, error, size) && spec_check (s, error, size);
}
