/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handshake SOCKET COUNT: how many times a second a front-end can connect to a back-end, negotiate with it (features, protocol features, queues, memory
 * slots, configuration, as far as the device has them, SET_FEATURES) and leave.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <vhost/vhost.h>

static double
now (void)
{
	struct timespec t;

	clock_gettime (CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Not every device has everything. */
static int
if_there (int err)
{
	return err == -EOPNOTSUPP ? 0 : err;
}

static int
handshake (const char *path)
{
	unsigned char config[8];
	struct vh_frontend *f;
	unsigned n;
	int err = vh_frontend_connect (path, 5000, NULL, &f);

	if (err < 0)
		return err;
	err = vh_frontend_handshake (f, UINT64_MAX);
	if (err == 0)
		err = if_there (vh_frontend_get_queue_num (f, &n));
	if (err == 0)
		err = if_there (vh_frontend_get_max_mem_slots (f, &n));
	if (err == 0)
		err = if_there (vh_frontend_get_config (f, 0, config, sizeof (config)));
	if (err == 0)
		err = vh_frontend_set_features (f, vh_frontend_offered_features (f) & (VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_PROTOCOL_FEATURES)));
	if (err < 0)
		fprintf (stderr, "handshake: %s\n", vh_frontend_error (f));
	vh_frontend_free (f);
	return err;
}

int
main (int argc, char **argv)
{
	long count = argc == 3 ? strtol (argv[2], NULL, 10) : 0;
	double start = now ();

	if (count < 1) {
		fprintf (stderr, "usage: handshake SOCKET COUNT\n");
		return 2;
	}
	for (long i = 0; i < count; i++) {
		int err = handshake (argv[1]);

		if (err < 0) {
			fprintf (stderr, "handshake: number %ld: %s\n", i, vh_strerror (err));
			return 1;
		}
	}
	printf ("%.0f\n", count / (now () - start));
	return 0;
}
