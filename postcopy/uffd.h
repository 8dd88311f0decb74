/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * userfaultfd: how one is had, and what the kernel's can do.
 */
#ifndef POSTCOPY_UFFD_H
#define POSTCOPY_UFFD_H

#include <stdint.h>

/*
 * Opens a userfaultfd that also serves faults of system calls: by the system call, else by /dev/userfaultfd.  The API handshake is still to be made.
 * An fd with CLOEXEC and O_NONBLOCK, or a negative errno (-EPERM: not allowed to this user, -ENOSYS: not in this kernel).
 */
int uffd_open (void);

/* The handshake (UFFDIO_API), once per fd.  0 and the kernel's feature bits, or a negative errno. */
int uffd_handshake (int fd, uint64_t *features);

#endif
