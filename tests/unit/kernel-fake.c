/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kernel without devices.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/call.h"
#include "kernel/kernel.h"
#include "tests/unit/kernel-fake.h"

#define MAX_ANSWERS 64
#define MAX_SEEN 256

struct fake_call fake_calls[FAKE_MAX_CALLS];
unsigned fake_n_calls;
int fake_open_result;
long fake_read_result;
uint8_t fake_read_bytes[FAKE_MAX_BYTES];
uint8_t fake_status;
bool fake_refuses_features;

static struct {
	int result;
	size_t size;
	uint8_t bytes[FAKE_MAX_BYTES];
} answers[MAX_ANSWERS];
static unsigned first_answer, n_answers;

static struct {
	unsigned number;
	int result;
} always[16];

static unsigned fail_nth;
static int fail_result;

static unsigned long seen[MAX_SEEN];
static unsigned n_seen;

void
fake_forget (void)
{
	fake_n_calls = 0;
	first_answer = n_answers = 0;
	fail_nth = 0;
}

struct vh_kernel *
fake_device (void)
{
	struct vh_kernel *k;
	char failed[100];

	fake_forget ();
	memset (always, 0, sizeof (always));
	fake_open_result = 0;
	fake_status = 0;
	fake_refuses_features = false;
	CU_ASSERT_EQUAL_FATAL (vh_kernel_open ("fake", NULL, &k, failed, sizeof (failed)), 0);
	fake_forget ();
	return k;
}

void
fake_answer (int result, const void *bytes, size_t size)
{
	CU_ASSERT_FATAL (n_answers < MAX_ANSWERS && size <= FAKE_MAX_BYTES);
	answers[n_answers].result = result;
	answers[n_answers].size = size;
	if (size > 0)
		memcpy (answers[n_answers].bytes, bytes, size);
	n_answers++;
}

void
fake_answer_always (unsigned number, int result)
{
	unsigned i = 0;

	while (always[i].result != 0 && always[i].number != number)
		i++;
	always[i].number = number;
	always[i].result = result;
}

void
fake_fail_nth (unsigned nth, int result)
{
	fail_nth = nth;
	fail_result = result;
}

void
fake_answer_u32 (uint32_t value)
{
	fake_answer (0, &value, sizeof (value));
}

void
fake_answer_u64 (uint64_t value)
{
	fake_answer (0, &value, sizeof (value));
}

void
fake_answer_state (uint32_t index, uint32_t num)
{
	fake_answer (0, (uint32_t[]){ index, num }, 8);
}

bool
fake_was_asked (unsigned long number)
{
	for (unsigned i = 0; i < n_seen; i++)
		if (seen[i] == number)
			return true;
	return false;
}

void
fake_check_asked (unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++) {
		if (!fake_was_asked (kernel_rows[i].number))
			fprintf (stderr, "%s was not asked\n", kernel_rows[i].name);
		CU_ASSERT (fake_was_asked (kernel_rows[i].number));
	}
}

/* --- the calls --- */

int
kernel_open (const char *path)
{
	(void) path;
	return fake_open_result < 0 ? fake_open_result : open ("/dev/null", O_RDWR | O_CLOEXEC);
}

/* Arguments that end with an array say themselves how long they are. */
static size_t
argument_size (unsigned long number, const void *argument)
{
	uint64_t words;
	uint32_t n[2];

	memcpy (&words, argument, _IOC_SIZE (number) >= sizeof (words) ? sizeof (words) : 0);
	memcpy (n, argument, _IOC_SIZE (number) >= sizeof (n) ? sizeof (n) : 0);
	switch (_IOC_NR (number)) {
	case 0x03:
		return 8 + 32 * (size_t) n[0];
	case 0x73:
	case 0x74:
		return 8 + (size_t) n[1];
	case 0x83:
		return 8 + 8 * (size_t) words;
	default:
		return _IOC_SIZE (number);
	}
}

static struct fake_call *
write_down (enum fake_kind kind, unsigned long number, const void *bytes, size_t size)
{
	struct fake_call *c = &fake_calls[fake_n_calls++];

	CU_ASSERT_FATAL (fake_n_calls < FAKE_MAX_CALLS && size <= FAKE_MAX_BYTES);
	*c = (struct fake_call){ .kind = kind, .number = number, .size = size, .no_argument = !bytes };
	if (bytes)
		memcpy (c->bytes, bytes, size);
	return c;
}

static void
serve_status (unsigned long number, void *argument)
{
	uint8_t *status = argument;

	if (_IOC_NR (number) == 0x71)
		*status = fake_status;
	if (_IOC_NR (number) == 0x72)
		fake_status = fake_refuses_features ? *status & ~8 : *status;
}

/* 1: there is nothing that has to be answered. */
static int
forced_result (unsigned number)
{
	if (fail_nth > 0 && --fail_nth == 0)
		return fail_result;
	for (unsigned i = 0; i < sizeof (always) / sizeof (always[0]); i++)
		if (always[i].result < 0 && always[i].number == number)
			return always[i].result;
	return 1;
}

int
kernel_ioctl (int fd, unsigned long number, void *argument)
{
	int result;

	(void) fd;
	write_down (FAKE_IOCTL, number, argument, argument ? argument_size (number, argument) : 0);
	if (!fake_was_asked (number) && n_seen < MAX_SEEN)
		seen[n_seen++] = number;
	result = forced_result (_IOC_NR (number));
	if (result <= 0)
		return result;
	if (first_answer == n_answers) {
		if (argument)
			serve_status (number, argument);
		return 0;
	}
	if (answers[first_answer].size > 0)
		memcpy (argument, answers[first_answer].bytes, answers[first_answer].size);
	return answers[first_answer++].result;
}

long
kernel_read (int fd, void *buf, size_t size)
{
	(void) fd;
	if (fake_read_result > 0)
		memcpy (buf, fake_read_bytes, (size_t) fake_read_result < size ? (size_t) fake_read_result : size);
	return fake_read_result;
}

long
kernel_write (int fd, const void *buf, size_t size)
{
	int result;

	(void) fd;
	write_down (FAKE_WRITE, 0, buf, size);
	result = forced_result (0);
	return result < 0 ? result : (long) size;
}

/* --- looking --- */

size_t
fake_hex (const char *digits, uint8_t *bytes, size_t size)
{
	size_t n = 0;

	for (; *digits && n < size; digits++) {
		char pair[3] = { digits[0], digits[0] == ' ' ? '\0' : digits[1], '\0' };

		if (*digits == ' ')
			continue;
		bytes[n++] = strtoul (pair, NULL, 16);
		digits++;
	}
	return n;
}

void
fake_expect_at (unsigned line, unsigned i, unsigned dir, unsigned number, unsigned size, const char *digits)
{
	const struct fake_call *c = &fake_calls[i];
	uint8_t bytes[FAKE_MAX_BYTES];
	size_t n = fake_hex (digits, bytes, sizeof (bytes));
	bool right = i < fake_n_calls && c->kind == FAKE_IOCTL && c->number == _IOC (dir, 0xaf, number, size) && c->size == n &&
		     memcmp (c->bytes, bytes, n) == 0;

	if (!right) {
		fprintf (stderr, "line %u: call %u is 0x%lx, not 0x%lx, with %zu bytes, not %zu:", line, i, c->number,
			 (unsigned long) _IOC (dir, 0xaf, number, size), c->size, n);
		for (size_t k = 0; k < c->size; k++)
			fprintf (stderr, " %02x", c->bytes[k]);
		fprintf (stderr, "\n");
	}
	CU_ASSERT (right);
}
