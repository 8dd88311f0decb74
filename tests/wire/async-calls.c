/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls that do not wait, by their numbers.
 */
#include <poll.h>

#include "tests/wire/async-calls.h"

unsigned ends[MAX_ENDS], n_ends;
int results[MAX_ENDS];

void
ended (void *opaque, int result)
{
	ends[n_ends] = (uintptr_t) opaque;
	results[n_ends++] = result;
}

struct vh_frontend *
number (unsigned n)
{
	return vh_frontend_async (frontend, ended, (void *) (uintptr_t) n);
}

void
begin (script_fn *script, unsigned timeout_ms)
{
	n_ends = 0;
	frontend_begin (script, timeout_ms);
}

int
loop_until (unsigned n)
{
	struct pollfd p = { .fd = vh_frontend_fd (frontend), .events = POLLIN };
	int ret = 0;

	CU_ASSERT_FATAL (p.fd >= 0);
	while (n_ends < n) {
		CU_ASSERT_EQUAL_FATAL (poll (&p, 1, PATIENCE_MS), 1);
		ret = vh_frontend_dispatch (frontend);
	}
	return ret;
}

void
expect_ends (unsigned n, int result)
{
	CU_ASSERT_EQUAL (n_ends, n);
	for (unsigned i = 0; i < n_ends; i++) {
		CU_ASSERT_EQUAL (ends[i], i);
		CU_ASSERT_EQUAL (results[i], result);
	}
}

void
expect_quiet (void)
{
	struct pollfd p = { .fd = vh_frontend_fd (frontend), .events = POLLIN };

	CU_ASSERT_EQUAL (poll (&p, 1, 0), 0);
	CU_ASSERT_EQUAL (p.revents, 0);
}

void
script_sink (void)
{
	peer_await_test ();
}
