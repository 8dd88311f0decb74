/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables of options, which the command line, --device and --help are read from.  A program has one of its own, between two that all programs have.
 */
#ifndef COMMON_OPTION_ROW_H
#define COMMON_OPTION_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "devices/common/options.h"

#define OPTION_MAX_THREADS 256
#define OPTION_MAX_POLL_US 100000	/* a tenth of a second is as good as for ever */
#define OPTION_MAX_DEVICES 256

struct option_row;

struct parser {
	const struct program *program;
	struct options *o;
	struct device_options *device;			/* whose options are read; a program's own row has its own struct here */
	const char *device_texts[OPTION_MAX_DEVICES];	/* the values of --device, for later */
	unsigned n_device_texts;
	const struct option_row *row;			/* of the option that is read */
	const char *unshared;				/* an option of one device that stands outside --device; NULL: there is none */
};

/* Whose an option is. */
enum option_scope {
	OPTION_PROGRAM,		/* the program's: `offset` is in struct options */
	OPTION_DEVICE,		/* of a device: may stand in --device, too; `offset` is in its options, here and below */
	OPTION_ONE_DEVICE,	/* of a device, and cannot be shared by several */
};

struct option_row {
	const char *name;
	const char *argument;		/* NULL: takes none */
	bool (*set) (struct parser *, const char *value);	/* false: a line on stderr says what is wrong with the value */
	enum option_scope scope;
	size_t offset;			/* for the setters below: the member that they set */
	unsigned min, max;		/* for option_set_number */
	char letter;			/* 0: none */
	enum options_result result;	/* not OPTIONS_RUN: do this, and nothing else */
	const char *help;
};

struct option_table {
	const struct option_row *rows;
	unsigned n;
};

#define OPTION_TABLE(rows) { rows, sizeof (rows) / sizeof ((rows)[0]) }

/* Setters that do for most options.  The member is a bool, a const char * (of text that is not empty), an unsigned. */
bool option_set_flag (struct parser *, const char *value);
bool option_set_text (struct parser *, const char *value);
bool option_set_number (struct parser *, const char *value);

/* What all programs have: how a device is reached, and the rest. */
extern const struct option_table option_socket_table, option_program_table;

/* One line on stderr; false. */
bool option_complain (const struct parser *, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

/* Memory that lives as long as the options; false, after a line, when it is NULL or there is none to note it. */
bool option_keep (struct parser *, void *memory);

#endif
