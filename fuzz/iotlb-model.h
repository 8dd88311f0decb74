/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What fuzz-iotlb takes for right: the translations that a front-end has said and that are still so, in the simplest form there is.
 */
#ifndef FUZZ_IOTLB_MODEL_H
#define FUZZ_IOTLB_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "fuzz/iotlb-input.h"

#define MODEL_MAX 200	/* messages */

enum { UPDATE = 2, INVALIDATE = 3 };

struct iotlb_body {
	uint64_t iova, size, user;
	uint8_t perm, type;
	uint8_t padding[6];
};

_Static_assert (sizeof (struct iotlb_body) == IOTLB_BODY, "as on the wire");

struct model {
	struct iotlb_body entries[MODEL_MAX];
	unsigned n;
};

/* Makes of the model what a message does.  False: it is to be refused. */
bool model_apply (struct model *, const struct iotlb_body *);

/* May these user addresses be read (1), or written (2)? */
bool model_allows (const struct model *, uint64_t user, uint64_t size, unsigned perm);

#endif
