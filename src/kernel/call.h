/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system calls that this folder makes on devices, each as it is, but with a negative errno.  They are a file of their own, which tests put another one in
 * the place of when they link.
 */
#ifndef KERNEL_CALL_H
#define KERNEL_CALL_H

#include <stddef.h>

int kernel_open (const char *path);
int kernel_ioctl (int fd, unsigned long number, void *argument);
long kernel_read (int fd, void *buf, size_t size);
long kernel_write (int fd, const void *buf, size_t size);

#endif
