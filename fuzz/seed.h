/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the programs have in common that make a corpus: "seed-... FOLDER" fills a folder that exists.  They are run by hand, when the form of an input changes.
 */
#ifndef FUZZ_SEED_H
#define FUZZ_SEED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Each program's own: makes all inputs of its target. */
void seed_all (void);

/* An input begins, with this name; then it is put; then it ends. */
void seed_begin (const char *name);
void seed_end (void);

/* An input of these parts, one behind the other. */
void seed_parts (const char *name, const struct iovec *parts, unsigned n);

/* Inputs that are put by functions. */
struct seed {
	const char *name;
	void (*put) (void);
};
void seed_table (const struct seed *, unsigned n);

/* A number of n bytes, the low one first. */
void put (uint64_t value, unsigned n);
void put_bytes (const void *bytes, size_t size);

/* The same in memory. */
void store (uint8_t *to, uint64_t value, unsigned n);

#endif
