/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a process may die between taking a request and telling the guest, as far as the guest or the in-flight records could see it: a number for each
 * place between two stores.  Tests end the process there (tests/crash/ has another queue/crash-hook.h); here nothing happens.
 */
#ifndef QUEUE_CRASH_H
#define QUEUE_CRASH_H

enum crash_point {
	CRASH_TAKEN,		/* chains were read, nothing is noted down */
	CRASH_NUMBERED,		/* a request has its number, and is not noted down as in flight */
	CRASH_NOTED,		/* it is */
	CRASH_HANDED_OUT,	/* and all of its batch are; the device gets them */
	CRASH_GIVEN,		/* before a publication */
	CRASH_LINKED,		/* one request of it is in the list of those that are published */
	CRASH_LISTED,		/* all are */
	CRASH_USED_WRITTEN,	/* the driver could not see it yet */
	CRASH_PUBLISHED,	/* the driver sees it */
	CRASH_CLEARED,		/* one request of it is not noted down any more */
	CRASH_ALL_CLEARED,
	CRASH_CONFIRMED,	/* the publication is noted down; the driver was not called */
	CRASH_CALLED,
	CRASH_RECOVERING,	/* at a ring's start: in the middle of what a crash left */
	CRASH_RECOVERED,	/* that was brought in order, nothing is taken again */
	CRASH_TAKEN_AGAIN,
	CRASH_POINTS
};

#include "queue/crash-hook.h"

#endif
