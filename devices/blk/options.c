/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading the command line, and what goes together.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/blk/log.h"
#include "devices/blk/option-row.h"
#include "devices/blk/option-value.h"
#include "devices/blk/options.h"

/* --- --device --- */

static const struct option_row *
find_row (const char *name, size_t length)
{
	for (unsigned i = 0; i < n_option_rows; i++)
		if (!strncmp (option_rows[i].name, name, length) && !option_rows[i].name[length])
			return &option_rows[i];
	return NULL;
}

/* One "name" or "name=value". */
static bool
read_device_option (void *opaque, char *piece)
{
	struct parser *p = opaque;
	size_t length = strcspn (piece, "=");
	const struct option_row *row = find_row (piece, length);
	const char *value = piece[length] ? piece + length + 1 : NULL;

	if (!row || !row->of_device)
		return option_complain ("--device has no option \"%.*s\"", (int) length, piece);
	if (row->argument && !value)
		return option_complain ("--device: %s needs a value", row->name);
	if (!row->argument && value)
		return option_complain ("--device: %s takes no value", row->name);
	p->name = row->name;
	return row->set (p, value);
}

static bool
read_device (struct parser *p, const char *text)
{
	char *copy = strdup (text);

	return option_keep (p, copy) && value_split (copy, ',', true, read_device_option, p);
}

/* --- the command line --- */

/* Tables for getopt_long; an option's value is its row's number + FIRST_ROW. */
#define FIRST_ROW 256

static void
fill_tables (struct option *options, char *letters)
{
	*letters++ = ':';
	for (unsigned i = 0; i < n_option_rows; i++) {
		const struct option_row *row = &option_rows[i];

		options[i] = (struct option){ row->name, row->argument ? required_argument : no_argument, NULL, FIRST_ROW + i };
		if (row->letter)
			*letters++ = row->letter;
	}
}

static const struct option_row *
row_of (int value)
{
	if (value >= FIRST_ROW)
		return &option_rows[value - FIRST_ROW];
	for (unsigned i = 0; i < n_option_rows; i++)
		if (option_rows[i].letter == value)
			return &option_rows[i];
	return NULL;
}

/* getopt's ':' and '?', in our words. */
static bool
complain_option (char **argv, int value)
{
	const char *word = argv[optind - 1];

	if (value == ':')
		return option_complain ("%s needs a value", word);
	if (optopt >= FIRST_ROW)
		return option_complain ("--%s takes no value", row_of (optopt)->name);
	if (optopt)
		return option_complain ("there is no option -%c", optopt);
	return option_complain ("there is no option %s", word);
}

static bool
read_arguments (struct parser *p, int argc, char **argv, enum options_result *result)
{
	struct option options[64] = { 0 };
	char letters[64] = "";
	int value;

	fill_tables (options, letters);
	opterr = 0;
	optind = 1;
	while ((value = getopt_long (argc, argv, letters, options, NULL)) != -1) {
		const struct option_row *row = row_of (value);

		if (value == ':' || value == '?')
			return complain_option (argv, value);
		if (row->result != OPTIONS_RUN) {
			*result = row->result;
			return true;
		}
		p->name = row->name;
		if (!row->set (p, optarg))
			return false;
	}
	return optind == argc || option_complain ("what is \"%s\" for?", argv[optind]);
}

/* --- what goes together --- */

static bool
check_device (const struct device_options *d)
{
	if (!d->blk_file)
		return option_complain ("there is no --blk-file");
	if (d->socket_path && d->fd >= 0)
		return option_complain ("--socket-path and --fd exclude each other");
	if (d->client && !d->socket_path)
		return option_complain ("--client needs --socket-path");
	if (d->socket_mode && (d->client || !d->socket_path))
		return option_complain ("--socket-mode is for a socket that is made by --socket-path");
	return true;
}

static bool
check_threads (struct options *o)
{
	unsigned least = o->n_cpu_lists;

	for (unsigned i = 0; i < o->n_devices; i++)
		for (unsigned k = 0; k < o->devices[i].n_queue_threads; k++)
			if (o->devices[i].queue_threads[k] >= least)
				least = o->devices[i].queue_threads[k] + 1;
	if (o->threads && o->threads < o->n_cpu_lists)
		return option_complain ("--cpus has %u lists for %u threads", o->n_cpu_lists, o->threads);
	if (o->threads && o->threads < least)
		return option_complain ("--queue-threads: there is no thread %u, since --threads is %u", least - 1, o->threads);
	if (least > OPTION_MAX_THREADS)
		return option_complain ("--cpus has more than %d lists", OPTION_MAX_THREADS);
	if (!o->threads && (o->n_cpu_lists || least))
		o->threads = least;
	return true;
}

/* With --device, what cannot be shared must not stand outside. */
static bool
check_shared (const struct device_options *d)
{
	const char *name = d->socket_path ? "socket-path" : d->fd >= 0 ? "fd" : d->blk_file ? "blk-file" : d->serial ? "serial" : NULL;

	return !name || option_complain ("--%s belongs into --device when there is one", name);
}

static bool
make_devices (struct parser *p, const struct device_options *shared)
{
	struct options *o = p->o;
	unsigned n = p->n_device_texts ? p->n_device_texts : 1;

	o->devices = calloc (n, sizeof (o->devices[0]));
	if (!option_keep (p, o->devices))
		return false;
	if (p->n_device_texts && !check_shared (shared))
		return false;
	for (; o->n_devices < n; o->n_devices++) {
		p->device = &o->devices[o->n_devices];
		*p->device = *shared;
		if (p->n_device_texts && !read_device (p, p->device_texts[o->n_devices]))
			return false;
		if (!check_device (p->device))
			return false;
	}
	return check_threads (o);
}

static bool
is_among (const char *word, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp (argv[i], word))
			return true;
	return false;
}

enum options_result
options_parse (int argc, char **argv, struct options *ret)
{
	struct device_options shared = { .fd = -1, .num_queues = 1 };
	struct parser p = { .o = ret, .device = &shared };
	enum options_result result = OPTIONS_RUN;

	*ret = (struct options){ .level = VH_LOG_WARNING };
	/* Before all others, which are ignored then, whatever they are. */
	if (is_among ("--print-capabilities", argc, argv))
		return OPTIONS_CAPABILITIES;
	if (!read_arguments (&p, argc, argv, &result))
		return OPTIONS_WRONG;
	if (result == OPTIONS_RUN && !make_devices (&p, &shared))
		return OPTIONS_WRONG;
	return result;
}

void
options_free (struct options *o)
{
	while (o->n_kept > 0)
		free (o->kept[--o->n_kept]);
	free (o->kept);
	*o = (struct options){ 0 };
}

void
options_print_help (void)
{
	printf ("Usage: " PROGRAM " --socket-path=PATH --blk-file=FILE [OPTION]...\n"
		"Serves a disk image to a vhost-user front-end, such as a virtual machine.\n\n");
	for (unsigned i = 0; i < n_option_rows; i++) {
		const struct option_row *row = &option_rows[i];
		char left[64];

		snprintf (left, sizeof (left), "%c%c%c --%s%s%s", row->letter ? '-' : ' ', row->letter ? row->letter : ' ', row->letter ? ',' : ' ',
			  row->name, row->argument ? "=" : "", row->argument ? row->argument : "");
		printf ("  %-34s %s\n", left, row->help);
	}
	printf ("\nSignals: USR1 prints statistics, HUP looks at the image's size again, TERM and INT end it.\n");
}
