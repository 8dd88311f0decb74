/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A socket device (virtio 1.2, 5.10): three virtqueues in front of a mux.
 */
#ifndef VSOCK_DEVICE_H
#define VSOCK_DEVICE_H

#include "devices/common/option-row.h"
#include "devices/common/program.h"

struct vsock_options {
	struct device_options common;
	unsigned guest_cid;
	const char *uds_path;
	unsigned uds_mode;		/* 0: as the umask leaves it */
	unsigned max_connections;
	unsigned buffer;		/* bytes */
};

/* The hooks of struct program. */
int vsock_new (const struct device_options *, const struct log *, const struct vh_device **ret);
void vsock_print_stats (void *vsock);
void vsock_free (void *vsock);

#endif
