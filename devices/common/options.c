/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading the command line, and what goes together.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vhost/protocol.h>

#include "devices/common/option-row.h"
#include "devices/common/option-value.h"
#include "devices/common/options.h"
#include "devices/common/program.h"

#define N_TABLES 3
#define MAX_ROWS 64

/* In the order of --help. */
static const struct option_table *
table (const struct program *program, unsigned i)
{
	return i == 0 ? &option_socket_table : i == 1 ? &program->options : &option_program_table;
}

/* Row i of all tables together; NULL: there are not so many. */
static const struct option_row *
row_at (const struct program *program, unsigned i)
{
	for (unsigned t = 0; t < N_TABLES; t++) {
		if (i < table (program, t)->n)
			return &table (program, t)->rows[i];
		i -= table (program, t)->n;
	}
	return NULL;
}

static bool
set_row (struct parser *p, const struct option_row *row, const char *value)
{
	p->row = row;
	return row->set (p, value);
}

/* --- --device --- */

static const struct option_row *
find_row (const struct program *program, const char *name, size_t length)
{
	const struct option_row *row;

	for (unsigned i = 0; (row = row_at (program, i)); i++)
		if (!strncmp (row->name, name, length) && !row->name[length])
			return row;
	return NULL;
}

/* One "name" or "name=value". */
static bool
read_device_option (void *opaque, char *piece)
{
	struct parser *p = opaque;
	size_t length = strcspn (piece, "=");
	const struct option_row *row = find_row (p->program, piece, length);
	const char *value = piece[length] ? piece + length + 1 : NULL;

	if (!row || row->scope < OPTION_DEVICE)
		return option_complain (p, "--device has no option \"%.*s\"", (int) length, piece);
	if (row->argument && !value)
		return option_complain (p, "--device: %s needs a value", row->name);
	if (!row->argument && value)
		return option_complain (p, "--device: %s takes no value", row->name);
	return set_row (p, row, value);
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
fill_tables (const struct program *program, struct option *options, char *letters)
{
	const struct option_row *row;

	*letters++ = ':';
	for (unsigned i = 0; i < MAX_ROWS - 1 && (row = row_at (program, i)); i++) {
		options[i] = (struct option){ row->name, row->argument ? required_argument : no_argument, NULL, FIRST_ROW + i };
		if (row->letter)
			*letters++ = row->letter;
	}
}

static const struct option_row *
row_of (const struct program *program, int value)
{
	const struct option_row *row;

	if (value >= FIRST_ROW)
		return row_at (program, value - FIRST_ROW);
	for (unsigned i = 0; (row = row_at (program, i)); i++)
		if (row->letter == value)
			return row;
	return NULL;
}

/* getopt's ':' and '?', in our words. */
static bool
complain_option (const struct parser *p, char **argv, int value)
{
	const char *word = argv[optind - 1];

	if (value == ':')
		return option_complain (p, "%s needs a value", word);
	if (optopt >= FIRST_ROW)
		return option_complain (p, "--%s takes no value", row_of (p->program, optopt)->name);
	if (optopt)
		return option_complain (p, "there is no option -%c", optopt);
	return option_complain (p, "there is no option %s", word);
}

static bool
read_arguments (struct parser *p, int argc, char **argv, enum options_result *result)
{
	struct option options[MAX_ROWS] = { 0 };
	char letters[MAX_ROWS + 1] = "";
	int value;

	fill_tables (p->program, options, letters);
	opterr = 0;
	optind = 1;
	while ((value = getopt_long (argc, argv, letters, options, NULL)) != -1) {
		const struct option_row *row = row_of (p->program, value);

		if (value == ':' || value == '?')
			return complain_option (p, argv, value);
		if (row->result != OPTIONS_RUN) {
			*result = row->result;
			return true;
		}
		if (row->scope == OPTION_ONE_DEVICE)
			p->unshared = row->name;
		if (!set_row (p, row, optarg))
			return false;
	}
	return optind == argc || option_complain (p, "what is \"%s\" for?", argv[optind]);
}

/* --- what goes together --- */

static bool
check_device (const struct parser *p)
{
	const struct device_options *d = p->device;

	if (p->program->check && !p->program->check (p, d))
		return false;
	if (d->socket_path && d->fd >= 0)
		return option_complain (p, "--socket-path and --fd exclude each other");
	if (d->client && !d->socket_path)
		return option_complain (p, "--client needs --socket-path");
	if (d->socket_mode && (d->client || !d->socket_path))
		return option_complain (p, "--socket-mode is for a socket that is made by --socket-path");
	return true;
}

/* How many threads there must be for --queue-threads and --cpus. */
static unsigned
least_threads (const struct parser *p)
{
	const struct options *o = p->o;
	unsigned least = o->n_cpu_lists;

	for (unsigned i = 0; i < o->n_devices; i++) {
		const struct device_options *d = options_device (p->program, o, i);

		for (unsigned k = 0; k < d->n_queue_threads; k++)
			if (d->queue_threads[k] >= least)
				least = d->queue_threads[k] + 1;
	}
	return least;
}

static bool
check_threads (const struct parser *p)
{
	struct options *o = p->o;
	unsigned least = least_threads (p);

	if (o->threads && o->threads < o->n_cpu_lists)
		return option_complain (p, "--cpus has %u lists for %u threads", o->n_cpu_lists, o->threads);
	if (o->threads && o->threads < least)
		return option_complain (p, "--queue-threads: there is no thread %u, since --threads is %u", least - 1, o->threads);
	if (least > OPTION_MAX_THREADS)
		return option_complain (p, "--cpus has more than %d lists", OPTION_MAX_THREADS);
	if (!o->threads && (o->n_cpu_lists || least))
		o->threads = least;
	return true;
}

static bool
make_devices (struct parser *p)
{
	struct options *o = p->o;
	const struct device_options *shared = p->device;
	size_t size = p->program->options_size;
	unsigned n = p->n_device_texts ? p->n_device_texts : 1;

	o->devices = calloc (n, size);
	if (!option_keep (p, o->devices))
		return false;
	if (p->n_device_texts && p->unshared)
		return option_complain (p, "--%s belongs into --device when there is one", p->unshared);
	for (; o->n_devices < n; o->n_devices++) {
		p->device = options_device (p->program, o, o->n_devices);
		memcpy (p->device, shared, size);
		if (p->n_device_texts && !read_device (p, p->device_texts[o->n_devices]))
			return false;
		if (!check_device (p))
			return false;
	}
	return check_threads (p);
}

static bool
is_among (const char *word, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp (argv[i], word))
			return true;
	return false;
}

/* Options outside --device, which hold for all devices, have their defaults and a place. */
static bool
make_shared (struct parser *p)
{
	p->device = malloc (p->program->options_size);
	if (!option_keep (p, p->device))
		return false;
	memcpy (p->device, p->program->defaults, p->program->options_size);
	return true;
}

enum options_result
options_parse (const struct program *program, int argc, char **argv, struct options *ret)
{
	struct parser p = { .program = program, .o = ret };
	enum options_result result = OPTIONS_RUN;

	*ret = (struct options){ .level = VH_LOG_WARNING };
	/* Before all others, which are ignored then, whatever they are. */
	if (is_among ("--print-capabilities", argc, argv))
		return OPTIONS_CAPABILITIES;
	if (!make_shared (&p) || !read_arguments (&p, argc, argv, &result))
		return OPTIONS_WRONG;
	if (result == OPTIONS_RUN && !make_devices (&p))
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

uint64_t
options_protocol_features (const struct device_options *o)
{
	return o->postcopy ? VH_BIT (VH_P_PAGEFAULT) : 0;
}

uint64_t
options_ring_features (const struct device_options *o)
{
	return vh_backend_supported_ring_features () | (o->iommu ? VH_BIT (VH_F_ACCESS_PLATFORM) : 0);
}

struct device_options *
options_device (const struct program *program, const struct options *o, unsigned i)
{
	return (struct device_options *) ((char *) o->devices + i * program->options_size);
}

void
options_print_help (const struct program *program)
{
	const struct option_row *row;

	printf ("Usage: %s %s [OPTION]...\n%s\n\n", program->name, program->arguments, program->purpose);
	for (unsigned i = 0; (row = row_at (program, i)); i++) {
		char left[64];

		snprintf (left, sizeof (left), "%c%c%c --%s%s%s", row->letter ? '-' : ' ', row->letter ? row->letter : ' ', row->letter ? ',' : ' ',
			  row->name, row->argument ? "=" : "", row->argument ? row->argument : "");
		printf ("  %-34s %s\n", left, row->help);
	}
	printf ("\nSignals: USR1 prints statistics, %sTERM and INT end it.\n", program->signals ? program->signals : "");
}
