/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What runs a fuzz target where the compiler has no libFuzzer:
 *
 *	TARGET [-seconds=N] [-seed=N] FILE|FOLDER...
 *
 * runs the target on each file, and on each file of each folder; then, for N seconds, on what mutations make of them. There is no feedback from the target:
 * it finds less than libFuzzer, but it runs everywhere. An input that crashes, or that takes more than MAX_RUN seconds, is in
 * ./crash-input.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MAX_SIZE 65536
#define MAX_INPUTS 1000
#define MAX_RUN 20

struct input {
	uint8_t *data;
	size_t size;
};

static struct input inputs[MAX_INPUTS];
static size_t n_inputs;
static uint64_t state = 1;

static uint64_t
random_next (void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Keeps the input where it is found after a crash, then runs it. */
static void
run (const uint8_t *data, size_t size, int keep_fd)
{
	if (keep_fd >= 0 && (ftruncate (keep_fd, 0) < 0 || pwrite (keep_fd, data, size, 0) != (ssize_t) size))
		perror ("crash-input");
	alarm (MAX_RUN);
	LLVMFuzzerTestOneInput (data, size);
	alarm (0);
}

static int
input_read (const char *path)
{
	FILE *file = fopen (path, "rb");
	struct input *in = &inputs[n_inputs];

	if (!file || n_inputs == MAX_INPUTS) {
		fprintf (stderr, "%s: cannot be read, or is one too many\n", path);
		return -1;
	}
	in->data = malloc (MAX_SIZE);
	in->size = in->data ? fread (in->data, 1, MAX_SIZE, file) : 0;
	fclose (file);
	n_inputs++;
	return in->data ? 0 : -1;
}

static int
folder_read (const char *path)
{
	DIR *folder = opendir (path);
	struct dirent *entry;
	int err = 0;

	while (folder && err == 0 && (entry = readdir (folder))) {
		char name[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf (name, sizeof (name), "%s/%s", path, entry->d_name);
		err = input_read (name);
	}
	if (folder)
		closedir (folder);
	return folder ? err : -1;
}

static size_t
mutate (uint8_t *buf)
{
	const struct input *a = &inputs[random_next () % n_inputs], *b = &inputs[random_next () % n_inputs];
	size_t size = a->size, cut;

	memcpy (buf, a->data, size);
	if (random_next () % 4 == 0) {	/* the head of one, the tail of another */
		cut = random_next () % (size + 1);
		size = b->size > cut ? b->size : cut;
		if (b->size > cut)
			memcpy (buf + cut, b->data + cut, b->size - cut);
	}
	for (uint64_t n = 1 + random_next () % 8; n > 0 && size > 0; n--) {
		static const uint8_t edges[] = { 0, 1, 2, 0x7f, 0x80, 0xff };
		size_t at = random_next () % size;

		if (random_next () % 2)
			buf[at] ^= 1u << random_next () % 8;
		else
			buf[at] = edges[random_next () % sizeof (edges)];
	}
	return random_next () % 8 == 0 ? random_next () % (size + 1) : size;
}

static uint64_t
mutate_for (long seconds)
{
	static uint8_t buf[MAX_SIZE];
	time_t end = time (NULL) + seconds;
	int keep_fd = open ("crash-input", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	uint64_t runs;

	for (runs = 0; time (NULL) < end; runs++)
		run (buf, mutate (buf), keep_fd);
	close (keep_fd);
	unlink ("crash-input");
	return runs;
}

int
main (int argc, char **argv)
{
	long seconds = 0;
	uint64_t runs;

	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (strncmp (argv[i], "-seconds=", 9) == 0)
			seconds = strtol (argv[i] + 9, NULL, 10);
		else if (strncmp (argv[i], "-seed=", 6) == 0)
			state = strtoul (argv[i] + 6, NULL, 10) | 1;
		else if (stat (argv[i], &st) < 0 || (S_ISDIR (st.st_mode) ? folder_read (argv[i]) : input_read (argv[i])) < 0) {
			fprintf (stderr, "%s: cannot be read\n", argv[i]);
			return 1;
		}
	}
	if (n_inputs == 0) {
		fprintf (stderr, "usage: %s [-seconds=N] [-seed=N] FILE|FOLDER...\n", argv[0]);
		return 2;
	}
	for (size_t i = 0; i < n_inputs; i++)
		run (inputs[i].data, inputs[i].size, -1);
	runs = seconds > 0 ? mutate_for (seconds) : 0;
	printf ("%zu inputs, %llu mutations\n", n_inputs, (unsigned long long) runs);
	for (size_t i = 0; i < n_inputs; i++)
		free (inputs[i].data);
	return 0;
}
