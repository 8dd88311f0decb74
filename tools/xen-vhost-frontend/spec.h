/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a device is to be, as the command line or a toolstack says it: words with values, turned into this by one function for both.
 */
#ifndef XVF_SPEC_H
#define XVF_SPEC_H

#include <stddef.h>

#include "kinds.h"

#define SPEC_PATH 256

struct spec {
	const struct kind *kind;
	char socket[108];		/* sun_path's size */
	uint64_t base;			/* guest physical address of its registers */
	bool has_line;
	unsigned line;			/* interrupt line */
	uint32_t port;			/* the guest's event channel; 0: it writes the number to `port_path` */
	char port_path[SPEC_PATH];	/* in xenstore; "": the default place */
	bool foreign;			/* memory by foreign mapping, not by grants */
	unsigned queue_size;
	bool packed;			/* packed rings are offered */
	struct kind_settings settings;
};

/* A spec with the defaults. */
void spec_init (struct spec *, bool foreign);

/*
 * Sets one word: kind, socket, base, irq, evtchn, memory, queue-size, packed, mac, tag.  False, and one line in error[], when it makes no sense.
 */
bool spec_set (struct spec *, const char *word, const char *value, char *error, size_t size);

/* Reads KIND,word=value,...  False, and one line in error[]. */
bool spec_parse (struct spec *, const char *text, char *error, size_t size);

/* Is what must be said said?  False, and one line in error[]. */
bool spec_check (const struct spec *, char *error, size_t size);

/* A whole number, decimal or 0x..., in [min, max]. */
bool spec_number (const char *text, uint64_t min, uint64_t max, uint64_t *ret);

#endif
