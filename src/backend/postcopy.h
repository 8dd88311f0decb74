/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What postcopy live migration adds to the back-end. Exactly one implementation is linked: postcopy/, which knows userfaultfd, or postcopy-none.c.
 */
#ifndef BACKEND_POSTCOPY_H
#define BACKEND_POSTCOPY_H

#include <stdint.h>

/* Bits of the protocol that it adds: VH_P_PAGEFAULT where the kernel has what it takes and the messages are served, else 0. */
uint64_t postcopy_protocol_features (void);

#endif
