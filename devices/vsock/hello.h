/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a program says that connects to PATH: "CONNECT PORT", and the end of the line.
 */
#ifndef VSOCK_HELLO_H
#define VSOCK_HELLO_H

#include <stddef.h>
#include <stdint.h>

/* The length of the line at the beginning of text[0..n), and *port; 0: it is not complete; -EPROTO: it is none. */
int hello_parse (const char *text, size_t n, uint32_t *port);

#endif
