/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The input of a fuzz target as a row of numbers and bytes.  Where it ends in the middle of something, what is missing are zeroes.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

/* What is left of it. */
struct input {
	const uint8_t *data;
	size_t left;
};

uint8_t input_byte (struct input *);

/* Two bytes, the low one first. */
unsigned input_word (struct input *);

void input_bytes (struct input *, void *to, size_t size);

/* A byte that says how many bytes follow, and these.  Returns how many. */
#define INPUT_MAX_PIECE 255
unsigned input_piece (struct input *, uint8_t to[INPUT_MAX_PIECE]);

#endif
