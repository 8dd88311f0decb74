/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kernel without devices: it stands in the place of src/kernel/call.c when a test is linked, writes down what was asked, and answers what the test said.
 */
#ifndef TESTS_UNIT_KERNEL_FAKE_H
#define TESTS_UNIT_KERNEL_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/ioctl.h>

#include <vhost/kernel.h>

#include "tests/suite.h"

#define FAKE_MAX_BYTES 400
#define FAKE_MAX_CALLS 256

enum fake_kind {
	FAKE_IOCTL,
	FAKE_WRITE,
};

struct fake_call {
	enum fake_kind kind;
	unsigned long number;		/* of an ioctl */
	size_t size;			/* bytes of the argument, or that were written */
	bool no_argument;
	uint8_t bytes[FAKE_MAX_BYTES];	/* as they were given */
};

extern struct fake_call fake_calls[FAKE_MAX_CALLS];
extern unsigned fake_n_calls;

/* Opens the device "fake", as if it were the first. */
struct vh_kernel *fake_device (void);

/* Forgets all calls and answers, but for fake_answer_always. */
void fake_forget (void);

/* What the next requests answer, one after the other: a result (0 or a negative errno) and bytes to put into the argument. */
void fake_answer (int result, const void *bytes, size_t size);

/* The same for success with a number, and with a ring's number and another one. */
void fake_answer_u32 (uint32_t value);
void fake_answer_u64 (uint64_t value);
void fake_answer_state (uint32_t index, uint32_t num);

/* This request fails so until the next fake_device, whatever else was said. */
void fake_answer_always (unsigned number, int result);

/* Request number `nth` from now on fails like this, counted from 1, writes too; 0: none. */
void fake_fail_nth (unsigned nth, int result);

/* The same for kernel_open and for kernel_read, with its bytes. */
extern int fake_open_result;
extern long fake_read_result;
extern uint8_t fake_read_bytes[FAKE_MAX_BYTES];

/* The device's status, for requests 0x71 and 0x72 of vDPA: they work as if there were a device, unless it refuses FEATURES_OK. */
extern uint8_t fake_status;
extern bool fake_refuses_features;

/* Was this request made since the program began? */
bool fake_was_asked (unsigned long number);

/* Fails the test for each row of kernel_rows from `first` to before `end` whose request was not. */
void fake_check_asked (unsigned first, unsigned end);

/* The bytes of a string of hexadecimal digits and spaces. */
size_t fake_hex (const char *digits, uint8_t *bytes, size_t size);

/* Fails the test unless call number `i` is the ioctl `number` of direction `dir` (_IOC_*), declared with `size` bytes, with these bytes. */
void fake_expect_at (unsigned line, unsigned i, unsigned dir, unsigned number, unsigned size, const char *digits);

/* Directions. */
#define NONE _IOC_NONE
#define GETS _IOC_READ
#define SETS _IOC_WRITE
#define BOTH (_IOC_READ | _IOC_WRITE)

/* Calls what must succeed. */
#define OK(call) CU_ASSERT_EQUAL (call, 0)

/* The same as fake_expect_at for the only call. */
#define EXPECT(dir, number, size, digits)                                                                                                              \
	do {                                                                                                                                           \
		CU_ASSERT_EQUAL (fake_n_calls, 1);                                                                                                     \
		fake_expect_at (__LINE__, 0, dir, number, size, digits);                                                                               \
		fake_forget ();                                                                                                                        \
	} while (0)

/* A call that succeeds, and makes just this one. */
#define ASKS(call, dir, number, size, digits)                                                                                                          \
	do {                                                                                                                                           \
		OK (call);                                                                                                                             \
		EXPECT (dir, number, size, digits);                                                                                                    \
	} while (0)

#endif
