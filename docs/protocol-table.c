/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes docs/protocol-table.md: the tables of messages that the library works by, for people.
 */
#include <stdio.h>

#include "wire/gpu-message.h"
#include "wire/message.h"

/* "8", or "20..24". */
static const char *
range (unsigned min, unsigned max)
{
	static char text[4][32];
	static unsigned next;
	char *p = text[next++ % 4];

	if (min == max)
		snprintf (p, sizeof (text[0]), "%u", min);
	else
		snprintf (p, sizeof (text[0]), "%u..%u", min, max);
	return p;
}

static void
print_answer (const struct message_row *row)
{
	switch (row->answer) {
	case ANSWER_ACK:
		printf ("acknowledgement on demand");
		break;
	case ANSWER_U64:
		printf ("acknowledgement");
		break;
	case ANSWER_PAYLOAD:
		printf ("%s bytes%s", range (row->reply_min, row->reply_max), row->reply_fds ? ", up to 1 fd" : "");
		break;
	case ANSWER_NONE:
		printf ("none");
		break;
	}
}

static void
print_needs (const struct message_row *row)
{
	const char *between = "";

	for (unsigned bit = 0; bit < 64; bit++)
		if (row->protocol & VH_BIT (bit)) {
			printf ("%s%s", between, vh_protocol_feature_name (bit));
			between = ", ";
		}
	for (unsigned bit = 0; bit < 64; bit++)
		if (row->virtio & VH_BIT (bit)) {
			printf ("%svirtio %s%s", between, vh_virtio_feature_name (0, bit), row->offered ? " (offered)" : "");
			between = ", ";
		}
}

static void
print_row (unsigned id, const struct message_row *row)
{
	printf ("| %u | %s | %s | %s | ", id, row->name, range (row->min_size, row->max_size), range (row->min_fds, row->max_fds));
	print_answer (row);
	printf (" | ");
	print_needs (row);
	printf (" |\n");
}

static void
print_head (const char *title)
{
	printf ("\n## %s\n\n| id | name | bytes | fds | answer | needs |\n|---:|---|---|---|---|---|\n", title);
}

static void
print_gpu_row (unsigned id, const struct gpu_row *row)
{
	printf ("| %u | %s | %u%s | %s | ", id, row->name, row->size, row->pixels ? " + 4 for each pixel" : "", range (0, row->max_fds));
	if (row->reply)
		printf ("%u bytes | ", row->reply_size);
	else
		printf ("none | ");
	printf ("%s |\n", row->feature == 1u << VH_GPU_P_EDID ? "EDID" : row->feature ? "DMABUF2" : "");
}

int
main (void)
{
	printf ("# Messages\n\n"
		"Generated from the tables in `src/wire` by `docs/protocol-table.c`; `tests/check-protocol.sh` sees that it is current.\n"
		"An acknowledgement is a number of 8 bytes, 0 or an error; on demand: when NEED_REPLY asks for it and REPLY_ACK is in force.\n");
	print_head ("From front-end to back-end");
	for (unsigned id = 1; id < REQUEST_END; id++)
		print_row (id, &request_rows[id]);
	print_head ("From back-end to front-end");
	for (unsigned id = 1; id < BACKEND_REQUEST_END; id++)
		print_row (id, &backend_request_rows[id]);
	print_head ("From a GPU device to its display");
	for (unsigned id = 1; id < GPU_REQUEST_END; id++)
		print_gpu_row (id, &gpu_rows[id]);
	printf ("\n## Protocol features\n\n| bit | name |\n|---:|---|\n");
	for (unsigned bit = 0; bit < 64 && vh_protocol_feature_name (bit); bit++)
		printf ("| %u | %s |\n", bit, vh_protocol_feature_name (bit));
	return 0;
}
