/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the bytes of an input of fuzz-iotlb mean: a row of steps, each a byte that says which (modulo their number) and the bytes that it takes.  Where an input
 * ends in the middle of a step, what is missing are zeroes.
 */
#ifndef FUZZ_IOTLB_INPUT_H
#define FUZZ_IOTLB_INPUT_H

enum step {
	STEP_UPDATE,		/* I/O page, pages, page of the guest's memory, permission: a translation that may well be right */
	STEP_INVALIDATE,	/* I/O page, pages */
	STEP_MESSAGE,		/* IOTLB_BODY bytes: any IOTLB message */
	STEP_MEMORY,		/* offset (two bytes, low one first), n, then n bytes for the guest's memory */
	STEP_KICK,
	STEP_HOLD,		/* the device keeps the requests that it takes from here on, or (even number) does not */
	STEP_RELEASE,		/* the device gives back so many */
	STEP_ANSWER,		/* the front-end answers what it was asked first and has not answered yet: this number */
	STEPS
};

#define IOTLB_BODY 32

/* The guest's memory: two regions of REGION_PAGES pages each, which are apart in user addresses. */
#define PAGE 0x1000u
#define REGION_PAGES 8u
#define USER_PAGE(page) (((page) / REGION_PAGES + 1) * UINT64_C (0x100000) + (page) % REGION_PAGES * PAGE)

/* The ring and where its areas are, as I/O addresses. */
#define RING_SIZE 16u
#define DESC_IOVA 0x0000u
#define AVAIL_IOVA 0x1000u
#define USED_IOVA 0x2000u

#endif
