/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options of a disk.
 */
#ifndef BLK_OPTIONS_H
#define BLK_OPTIONS_H

#include "devices/common/option-row.h"

enum engine_choice {
	ENGINE_BEST,
	ENGINE_URING,
	ENGINE_POOL,
};

struct blk_options {
	struct device_options common;
	const char *blk_file;
	bool read_only;
	bool direct;
	bool write_through;
	unsigned block_size;		/* 0: what the image needs */
	unsigned num_queues;
	const char *serial;		/* NULL: none */
	enum engine_choice engine;
};

/* Their table, and what they are when they are not given. */
extern const struct option_row blk_option_rows[];
extern const unsigned n_blk_option_rows;
extern const struct blk_options blk_defaults;

/* Is there all that a disk needs? */
bool blk_options_check (const struct parser *, const struct device_options *);

#endif
