/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of options, which the command line, --device and --help are read from.
 */
#ifndef BLK_OPTION_ROW_H
#define BLK_OPTION_ROW_H

#include <stdbool.h>

#include "devices/blk/options.h"

#define OPTION_MAX_THREADS 256
#define OPTION_MAX_DEVICES 256

struct parser {
	struct options *o;
	struct device_options *device;			/* whose options are read */
	const char *device_texts[OPTION_MAX_DEVICES];	/* the values of --device, for later */
	unsigned n_device_texts;
	const char *name;				/* of the option that is read */
};

struct option_row {
	const char *name;
	const char *argument;		/* NULL: takes none */
	bool (*set) (struct parser *, const char *value);	/* false: a line on stderr says what is wrong with the value */
	bool of_device;			/* may stand in --device */
	bool of_one_device;		/* cannot be shared by several */
	char letter;			/* 0: none */
	enum options_result result;	/* not OPTIONS_RUN: do this, and nothing else */
	const char *help;
};

extern const struct option_row option_rows[];
extern const unsigned n_option_rows;

/* One line on stderr; false. */
bool option_complain (const char *format, ...) __attribute__ ((format (printf, 1, 2)));

/* Memory that lives as long as the options; false, after a line, when it is NULL or there is none to note it. */
bool option_keep (struct parser *, void *memory);

#endif
