/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Xenstore: reading, writing and watching, in the program's loop.
 */
#ifndef XVF_STORE_H
#define XVF_STORE_H

#include <stdbool.h>

#include <vhost/loop.h>

#define STORE_PATH 256

struct store;
struct store_watch;

/* 0 and *ret, or a negative errno: there is no xenstore. */
int store_new (struct vh_loop *loop, struct store **ret);
void store_free (struct store *);

/* The value at a path, to be freed; NULL when there is none.  The path is made as by printf. */
char *store_read (struct store *, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

/* Does it exist? */
bool store_has (struct store *, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

/* Writes a value; false, when that was not possible. */
bool store_write (struct store *, const char *path, const char *value);

/* The names below a path: an array, to be freed, of *n; NULL when there are none. */
char **store_list (struct store *, const char *path, unsigned *n);

/* Calls fn when something at or below the path changes, and once soon.  0 and *ret, or a negative errno. */
int store_watch (struct store *, const char *path, void (*fn) (void *opaque), void *opaque, struct store_watch **ret);

/* NULL is fine. */
void store_unwatch (struct store_watch *);

#endif
