/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-end has an answer for every request of the table: none falls through.
 */
#include "backend/connection.h"
#include "tests/suite.h"

static void
every_request_has_a_handler (void)
{
	for (uint32_t id = 1; id < REQUEST_END; id++) {
		const struct backend_handler *h = &backend_handlers[id];

		CU_ASSERT_PTR_NOT_NULL (request_row (id));
		CU_ASSERT_TRUE (h->handle || h->finish);
		/* A payload is made by `finish`; a request that is only refused has none to make. */
		if (request_row (id)->answer != ANSWER_PAYLOAD && h->refuse)
			CU_FAIL ("a refusal with a form of its own belongs to a payload");
	}
	CU_ASSERT_FALSE (backend_handlers[0].handle || backend_handlers[0].finish || backend_handlers[0].refuse);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "every request has a handler", every_request_has_a_handler },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("handlers", tests);
}
