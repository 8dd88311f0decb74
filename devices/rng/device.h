/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A source of random numbers: one virtqueue whose buffers are filled (virtio 1.2, 5.4).
 */
#ifndef RNG_DEVICE_H
#define RNG_DEVICE_H

#include "devices/common/option-row.h"
#include "devices/common/program.h"

struct rng_options {
	struct device_options common;
	const char *source;		/* NULL: the kernel's generator */
	unsigned max_bytes;		/* in a period; 0: no limit */
	unsigned period;		/* ms */
};

struct rng;

/* The hooks of struct program. */
int rng_new (const struct device_options *, const struct log *, const struct vh_device **ret);
void rng_print_stats (void *rng);
void rng_free (void *rng);

#endif
