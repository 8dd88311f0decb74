/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An open vhost device, and how its requests are made.
 */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <vhost/kernel.h>
#include <vhost/protocol.h>

#include "kernel/request.h"
#include "util/error.h"

struct vh_kernel {
	struct error error;
	int fd;
	uint64_t backend_features;	/* what was set */
};

/* Makes a request.  0 or more; a negative errno with words for it. */
int kernel_request (struct vh_kernel *, enum kernel_request, void *argument);

/* The plainest forms. */
int kernel_set_u64 (struct vh_kernel *, enum kernel_request, uint64_t value);
int kernel_get_u64 (struct vh_kernel *, enum kernel_request, uint64_t *ret);
int kernel_set_u32 (struct vh_kernel *, enum kernel_request, uint32_t value);
int kernel_get_u32 (struct vh_kernel *, enum kernel_request, uint32_t *ret);
int kernel_set_state (struct vh_kernel *, enum kernel_request, unsigned index, uint32_t num);
int kernel_get_state (struct vh_kernel *, enum kernel_request, unsigned index, uint32_t *ret);
int kernel_set_file (struct vh_kernel *, enum kernel_request, unsigned ring, int fd);

/* Keeps words for what was refused before the kernel was asked; returns err. */
int kernel_refuse (struct vh_kernel *, enum kernel_request, int err, const char *why);

/* Has this backend feature been set? */
static inline bool
kernel_has (const struct vh_kernel *k, unsigned feature)
{
	return k->backend_features & VH_BIT (feature);
}

#endif
