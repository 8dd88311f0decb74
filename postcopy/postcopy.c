/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Postcopy in the back-end.  This version can open userfaultfds (uffd.c) but does not serve the messages POSTCOPY_ADVISE, LISTEN and END yet, so it does
 * not offer them: a front-end that wants to migrate by postcopy is told so at negotiation, not in the middle of a migration.
 */
#include "backend/postcopy.h"

uint64_t
postcopy_protocol_features (void)
{
	return 0;
}
