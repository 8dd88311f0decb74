/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kinds of memory of the unix model.
 */
#include "request-cost.h"

const struct guest_kind *const guest_kinds[] = { &guest_file, NULL };
