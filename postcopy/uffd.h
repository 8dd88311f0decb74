/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * userfaultfd: how one is had, and what the kernel's can do.
 */
#ifndef POSTCOPY_UFFD_H
#define POSTCOPY_UFFD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Opens a userfaultfd that also serves faults of system calls: by the system call, else by /dev/userfaultfd.  The API handshake is still to be made.
 * An fd with CLOEXEC and O_NONBLOCK, or a negative errno (-EPERM: not allowed to this user, -ENOSYS: not in this kernel).
 */
int uffd_open (void);

/* The handshake (UFFDIO_API), once per fd.  0 and the kernel's feature bits, or a negative errno. */
int uffd_handshake (int fd, uint64_t *features);

/* Can a kernel with these features serve guest memory of every kind: memfd and tmpfs, hugetlbfs? */
bool uffd_can_serve (uint64_t features);

/*
 * Has faults on missing pages of a mapping told to the fd.  The whole mapping: whole pages, of its file's size.  0, or a negative errno (-EPERM: the file was
 * opened without leave to write; -EBUSY: another userfaultfd has it; -EOPNOTSUPP: this kind of memory cannot be served).
 */
int uffd_register (int fd, void *mapping, size_t size);

/* Undoes it: missing pages are zeroes again, and those who wait for one look again.  Also when others have copies of the fd. */
void uffd_unregister (int fd, void *mapping, size_t size);

/*
 * Puts a page, of page_size bytes, in its place and wakes who waits for it.  where: in the address space of whoever opened the fd.  0; -EEXIST: there is one;
 * -ESRCH: that process is gone; other negative errnos.
 */
int uffd_copy (int fd, void *where, const void *page, size_t page_size);

/* Those who wait for a page of the mapping look again. */
void uffd_wake (int fd, void *mapping, size_t size);

#endif
