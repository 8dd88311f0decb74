/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Setting up a ring of a struct vh_dev by requests: the same for the kernel's vhost and for vDPA.
 */
#ifndef KERNEL_VRING_SETUP_H
#define KERNEL_VRING_SETUP_H

#include "device/device.h"
#include "kernel/kernel.h"

/* Sends size, base, addresses and eventfds.  0 or a negative errno. */
int vring_setup (struct vh_kernel *, unsigned ring, const struct dev_ring *, const struct vh_vring_addr *addr);

/* Sends one eventfd, or that there is none. */
int vring_send_fd (struct vh_kernel *, unsigned ring, enum dev_fd which, int fd);

/* Asks where each ready ring is.  The first error is the result. */
int vrings_get_bases (struct vh_dev *, struct vh_kernel *);

#endif
