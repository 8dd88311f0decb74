/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A Xen domain without a kernel, made by the test itself: memory and a grant table, both mapped here.  What a guest would do by itself, the test does in
 * its place: write memory, grant a page, end the grant.  So every reference, frame and flag is the test's choice.  Needs dom0, no toolstack.
 */
#ifndef TESTS_XEN_BARE_DOMAIN_H
#define TESTS_XEN_BARE_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#define BARE_PAGE 4096u

/* Memory comes in pieces of 2 MiB whose frame numbers are consecutive. */
#define BARE_PIECE_PAGES 512u

/* The first frame number of a PVH domain; a PV domain's frames are the machine's. */
#define BARE_FIRST_GFN 512u

/* References below are Xen's own (console, xenstore). */
#define BARE_FIRST_REF 8u

/* Entries of one frame of a version 1 grant table. */
#define BARE_REFS_PER_FRAME 512u

enum bare_kind { BARE_PV, BARE_PVH };

struct bare_domain;

/*
 * A paused domain with `pieces` times 2 MiB of zeroes and a grant table of `grant_frames` frames.  0, or a negative errno; what failed goes to stderr.
 * *ret is untouched on failure.
 */
int bare_domain_new (enum bare_kind, unsigned pieces, unsigned grant_frames, struct bare_domain **ret);

/* Destroys the domain if it still is, and releases every mapping of this helper.  NULL is fine. */
void bare_domain_free (struct bare_domain *);

/* Destroys the domain, and keeps this helper's own mappings of its memory and grant table: 0 or a negative errno. */
int bare_domain_destroy (struct bare_domain *);

/* Releases this helper's own mappings, so that only the code under test keeps the domain's pages. */
void bare_domain_unmap (struct bare_domain *);

/* Whether the domain is gone; waits up to two seconds, for Xen frees its pages in the background. */
bool bare_domain_is_gone (const struct bare_domain *);

uint16_t bare_domain_id (const struct bare_domain *);
unsigned bare_domain_pages (const struct bare_domain *);

/* How many references there are; the usable ones are [BARE_FIRST_REF, this). */
unsigned bare_domain_refs (const struct bare_domain *);

/* Page `page` of the memory as this process sees it; pages are adjacent. */
uint8_t *bare_domain_page (const struct bare_domain *, unsigned page);

/* The frame number of page `page`; consecutive inside a piece. */
uint64_t bare_domain_frame (const struct bare_domain *, unsigned page);

/* Grants page `page` to dom0 under `ref`. */
void bare_domain_grant (struct bare_domain *, uint32_t ref, unsigned page, bool readonly);

/* Ends the grant, as a guest does: 0, or -EBUSY while somebody has it mapped. */
int bare_domain_end_grant (struct bare_domain *, uint32_t ref);

/* Whether somebody has the grant mapped, for reading and for writing. */
bool bare_domain_is_read (const struct bare_domain *, uint32_t ref);
bool bare_domain_is_written (const struct bare_domain *, uint32_t ref);

/* How many references somebody has mapped. */
unsigned bare_domain_mapped_grants (const struct bare_domain *);

#endif
