/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user-blk as a process of its own, with an image in memory, for tests in dom0.
 */
#ifndef TESTS_XEN_BACKEND_PROCESS_H
#define TESTS_XEN_BACKEND_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BACKEND_SOCKET "/tmp/blk.sock"
#define BACKEND_IMAGE "/tmp/blk.image"
#define BACKEND_LOG "/tmp/blk.log"

/* Makes an image of `size` zeroes.  0 or a negative errno. */
int backend_make_image (uint64_t size);

/* Starts the program on the image, with a log that is empty; engine: its option of that name.  The process id, or a negative errno. */
pid_t backend_start (const char *engine);

/* Asks it to end; prints its log.  Its exit status; -1: a signal ended it, or it did not end within ten seconds and was killed. */
int backend_stop (pid_t);

/* Kills it and waits for its end. */
void backend_kill (pid_t);

/* Are these words in its log? */
int backend_said (const char *words);

/* Is it still there? */
int backend_lives (pid_t);

#endif
