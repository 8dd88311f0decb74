/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a device is to be; see spec.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vhost/queue.h>

#include "mmio.h"
#include "spec.h"

#define DEFAULT_QUEUE_SIZE 256

/* A number of an interrupt line: more than any interrupt controller has. */
#define MAX_LINE 1023

/* Event channels of a domain (Xen's FIFO layout). */
#define MAX_PORT 131071

void
spec_init (struct spec *s, bool foreign)
{
	*s = (struct spec){ .foreign = foreign, .queue_size = DEFAULT_QUEUE_SIZE };
}

static bool
wrong (char *error, size_t size, const char *format, ...)
{
	va_list args;

	va_start (args, format);
	vsnprintf (error, size, format, args);
	va_end (args);
	return false;
}

bool
spec_number (const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned long long n;
	char *end;

	if (!isxdigit ((unsigned char) text[hex ? 2 : 0]))
		return false;
	errno = 0;
	n = strtoull (text, &end, hex ? 16 : 10);
	if (errno || *end || n < min || n > max)
		return false;
	*ret = n;
	return true;
}

static bool
set_text (char *ret, size_t room, const char *word, const char *value, char *error, size_t size)
{
	if (!*value || strlen (value) >= room)
		return wrong (error, size, "%s is empty or longer than %zu bytes", word, room - 1);
	strcpy (ret, value);
	return true;
}

static bool
set_kind (struct spec *s, const char *value, char *error, size_t size)
{
	s->kind = kind_by_name (value);
	return s->kind ? true : wrong (error, size, "there is no kind of device \"%s\" here", value);
}

static bool
set_base (struct spec *s, const char *value, char *error, size_t size)
{
	uint64_t n;

	/* Toolstacks give windows of this size, so two of them are the same or apart. */
	if (!spec_number (value, MMIO_SIZE, UINT64_C (1) << 52, &n) || n % MMIO_SIZE)
		return wrong (error, size, "base is to be an address, a multiple of 0x%x, not \"%s\"", MMIO_SIZE, value);
	s->base = n;
	return true;
}

static bool
set_line (struct spec *s, const char *value, char *error, size_t size)
{
	uint64_t n;

	if (!spec_number (value, 0, MAX_LINE, &n))
		return wrong (error, size, "irq is to be the number of an interrupt line, not \"%s\"", value);
	s->line = n;
	s->has_line = true;
	return true;
}

static bool
set_port (struct spec *s, const char *value, char *error, size_t size)
{
	uint64_t n;

	if (value[0] == '/')
		return set_text (s->port_path, sizeof (s->port_path), "evtchn", value, error, size);
	if (!spec_number (value, 1, MAX_PORT, &n))
		return wrong (error, size, "evtchn is to be a port or a path in xenstore, not \"%s\"", value);
	s->port = n;
	return true;
}

static bool
set_memory (struct spec *s, const char *value, char *error, size_t size)
{
	if (strcmp (value, "grant") != 0 && strcmp (value, "foreign") != 0)
		return wrong (error, size, "memory is to be grant or foreign, not \"%s\"", value);
	s->foreign = value[0] == 'f';
	return true;
}

static bool
set_queue_size (struct spec *s, const char *value, char *error, size_t size)
{
	uint64_t n;

	if (!spec_number (value, 2, VH_MAX_RING_SIZE, &n) || (n & (n - 1)))
		return wrong (error, size, "queue-size is to be a power of two, 2 to %u, not \"%s\"", VH_MAX_RING_SIZE, value);
	s->queue_size = n;
	return true;
}

static bool
set_packed (struct spec *s, const char *value, char *error, size_t size)
{
	if (strcmp (value, "yes") != 0 && strcmp (value, "no") != 0)
		return wrong (error, size, "packed is to be yes or no, not \"%s\"", value);
	s->packed = value[0] == 'y';
	return true;
}

static bool
set_mac (struct spec *s, const char *value, char *error, size_t size)
{
	uint8_t *m = s->settings.mac;
	int end = 0;

	if (sscanf (value, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", m, m + 1, m + 2, m + 3, m + 4, m + 5, &end) != MAC_SIZE || value[end])
		return wrong (error, size, "mac is to look like 00:16:3e:01:02:03, not \"%s\"", value);
	if (m[0] & 1)
		return wrong (error, size, "mac %s is a group address", value);
	s->settings.has_mac = true;
	return true;
}

static bool
set_socket (struct spec *s, const char *value, char *error, size_t size)
{
	return set_text (s->socket, sizeof (s->socket), "socket", value, error, size);
}

static bool
set_tag (struct spec *s, const char *value, char *error, size_t size)
{
	return set_text (s->settings.tag, sizeof (s->settings.tag), "tag", value, error, size);
}

static const struct {
	const char *word;
	bool (*set) (struct spec *, const char *value, char *error, size_t size);
} words[] = {
	{ "kind", set_kind },
	{ "socket", set_socket },
	{ "base", set_base },
	{ "irq", set_line },
	{ "evtchn", set_port },
	{ "memory", set_memory },
	{ "queue-size", set_queue_size },
	{ "packed", set_packed },
	{ "mac", set_mac },
	{ "tag", set_tag },
};

bool
spec_set (struct spec *s, const char *word, const char *value, char *error, size_t size)
{
	for (unsigned i = 0; i < sizeof (words) / sizeof (words[0]); i++)
		if (strcmp (words[i].word, word) == 0)
			return words[i].set (s, value, error, size);
	return wrong (error, size, "a device has no \"%s\"", word);
}

/* One piece of the list between commas. */
static bool
parse_piece (struct spec *s, char *piece, bool first, char *error, size_t size)
{
	char *equals = strchr (piece, '=');

	if (first && !equals)
		return set_kind (s, piece, error, size);
	if (!equals)
		return wrong (error, size, "\"%s\" is not of the form word=value", piece);
	*equals = '\0';
	return spec_set (s, piece, equals + 1, error, size);
}

bool
spec_parse (struct spec *s, const char *text, char *error, size_t size)
{
	char *copy = strdup (text), *rest = copy, *piece;
	bool ok = copy != NULL;

	for (bool first = true; ok && (piece = strsep (&rest, ",")); first = false)
		ok = parse_piece (s, piece, first, error, size);
	free (copy);
	return ok && spec_check (s, error, size);
}

bool
spec_check (const struct spec *s, char *error, size_t size)
{
	if (!s->kind)
		return wrong (error, size, "what kind of device it is is not said");
	if (!s->socket[0])
		return wrong (error, size, "the socket of its back-end is not said");
	if (!s->base)
		return wrong (error, size, "the address of its registers (base) is not said");
	if (s->has_line && (s->port || s->port_path[0]))
		return wrong (error, size, "irq and evtchn exclude each other");
	return true;
}
