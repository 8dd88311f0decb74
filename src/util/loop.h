/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the library's own objects may know of a loop beyond <vhost/loop.h>.
 */
#ifndef UTIL_LOOP_H
#define UTIL_LOOP_H

#include <vhost/loop.h>

/*
 * Does the loop have mail that was posted and not delivered?  For objects that are being freed.  The loop's thread only.
 */
int loop_has_mail (struct vh_loop *);

#endif
