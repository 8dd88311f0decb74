/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a guest's RAM is; see ram.h.
 *
 * An area of LEAST_PAGES pages or more has a frame whose number is a multiple of LEAST_PAGES.  So only those are tried first, and then all frames of the
 * windows around the ones that are there:
 *
 *	frames     |  window  |  window  |  window  |  window  |
 *	tried      x          x          o          o              x: not there, o: there
 *	then all              oooooooooooooooooooooooooooooooooo
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xenctrl.h>
#include <xenforeignmemory.h>

#include "ram.h"

/* An area of fewer pages is one of the toolstack's (rings of console and xenstore, start info), not RAM. */
#define LEAST_PAGES 64u

/* Frames tried with one call. */
#define BATCH 16384u

struct ram {
	uint32_t domid;
	pthread_mutex_t lock;
	bool known;
	int n;
	struct area areas[RAM_MAX_AREAS];
};

/* A search in progress. */
struct search {
	xenforeignmemory_handle *foreign;
	uint32_t domid;
	uint64_t end;		/* no frame from here on */
	uint64_t left;		/* pages of the guest that were not seen yet */
	uint64_t run;		/* frames of the run that ends where the search is */
	struct area *areas;
	int n;
	xen_pfn_t gfns[BATCH];
	int errors[BATCH];
	bool window[BATCH];	/* is its first frame there? */
};

/* The run of frames before `gfn` is over. */
static void
end_run (struct search *s, uint64_t gfn)
{
	if (s->run >= LEAST_PAGES && s->n < RAM_MAX_AREAS)
		s->areas[s->n++] = (struct area){ (gfn - s->run) * GRANT_PAGE, s->run * GRANT_PAGE };
	s->run = 0;
}

/* A paged-out frame is RAM, too. */
static bool
is_there (int error)
{
	return error == 0 || abs (error) == ENOENT;
}

/* Tries n frames, `step` apart; the answers are in errors[]. */
static int
try_frames (struct search *s, uint64_t first, unsigned n, unsigned step)
{
	void *mapped;

	for (unsigned i = 0; i < n; i++) {
		s->gfns[i] = first + (uint64_t) i * step;
		s->errors[i] = 0;
	}
	errno = 0;
	mapped = xenforeignmemory_map (s->foreign, s->domid, PROT_READ, n, s->gfns, s->errors);
	if (!mapped)
		return errno ? -errno : -EIO;
	xenforeignmemory_unmap (s->foreign, mapped, n);
	return 0;
}

static int
search_frames (struct search *s, uint64_t first, uint64_t end)
{
	for (uint64_t gfn = first; gfn < end;) {
		unsigned n = end - gfn < BATCH ? end - gfn : BATCH;
		int err = try_frames (s, gfn, n, 1);

		if (err < 0)
			return err;
		for (unsigned i = 0; i < n; i++, gfn++) {
			if (is_there (s->errors[i])) {
				s->run++;
				s->left -= s->left > 0;
			} else {
				end_run (s, gfn);
			}
		}
	}
	return 0;
}

/* Is something in window i of n, or does something end there?  What follows the last one is not known yet. */
static bool
is_worth_a_look (const struct search *s, unsigned i, unsigned n)
{
	return s->window[i] || i + 1 == n || s->window[i + 1];
}

static int
search_windows (struct search *s, uint64_t first, unsigned n)
{
	for (unsigned i = 0, next; i < n; i = next) {
		uint64_t gfn = first + (uint64_t) i * LEAST_PAGES, end;
		int err;

		for (next = i; next < n && is_worth_a_look (s, next, n); next++)
			;
		if (next == i) {
			end_run (s, gfn);
			next++;
			continue;
		}
		end = first + (uint64_t) next * LEAST_PAGES;
		err = search_frames (s, gfn, end < s->end ? end : s->end);
		if (err < 0)
			return err;
	}
	return 0;
}

static int
search (struct search *s)
{
	uint64_t gfn = 0, next;

	/* What is left may end an area that was begun, or else has to be one. */
	for (; gfn < s->end && s->left >= (s->run ? 1 : LEAST_PAGES); gfn = next) {
		uint64_t windows = (s->end - gfn + LEAST_PAGES - 1) / LEAST_PAGES;
		unsigned n = windows < BATCH ? windows : BATCH;
		int err = try_frames (s, gfn, n, LEAST_PAGES);

		for (unsigned i = 0; err == 0 && i < n; i++)
			s->window[i] = is_there (s->errors[i]);
		if (err == 0)
			err = search_windows (s, gfn, n);
		if (err < 0)
			return err;
		next = gfn + (uint64_t) n * LEAST_PAGES;
		if (next > s->end)
			next = s->end;
	}
	end_run (s, gfn);
	return s->n;
}

/* How many pages the guest has, and the highest frame number, plus one. */
static int
ask_xen (uint32_t domid, uint64_t *pages, uint64_t *end)
{
	xc_interface *control = xc_interface_open (NULL, NULL, 0);
	xc_domaininfo_t info;
	xen_pfn_t last = 0;
	int err = 0;

	if (!control)
		return errno ? -errno : -EIO;
	if (xc_domain_getinfolist (control, domid, 1, &info) != 1 || info.domain != domid)
		err = -ESRCH;
	else if (xc_domain_maximum_gpfn (control, domid, &last) < 0)
		err = -errno;
	xc_interface_close (control);
	*pages = info.tot_pages;
	*end = (uint64_t) last + 1;
	return err;
}

static int
find (struct ram *r)
{
	struct search *s = calloc (1, sizeof (*s));
	int ret;

	if (!s)
		return -ENOMEM;
	s->domid = r->domid;
	s->areas = r->areas;
	ret = ask_xen (r->domid, &s->left, &s->end);
	if (ret == 0) {
		s->foreign = xenforeignmemory_open (NULL, 0);
		ret = s->foreign ? search (s) : errno ? -errno : -EIO;
	}
	if (s->foreign)
		xenforeignmemory_close (s->foreign);
	free (s);
	return ret;
}

int
ram_areas (struct ram *r, struct area ret[RAM_MAX_AREAS])
{
	int n;

	pthread_mutex_lock (&r->lock);
	if (!r->known) {
		r->n = find (r);
		r->known = r->n > 0;
	}
	n = r->n;
	if (n > 0)
		memcpy (ret, r->areas, n * sizeof (ret[0]));
	pthread_mutex_unlock (&r->lock);
	return n;
}

int
ram_new (uint32_t domid, const struct area *given, unsigned n_given, struct ram **ret)
{
	struct ram *r = calloc (1, sizeof (*r));

	if (!r)
		return -ENOMEM;
	r->domid = domid;
	pthread_mutex_init (&r->lock, NULL);
	if (n_given > 0) {
		r->known = true;
		r->n = n_given < RAM_MAX_AREAS ? n_given : RAM_MAX_AREAS;
		memcpy (r->areas, given, r->n * sizeof (r->areas[0]));
	}
	*ret = r;
	return 0;
}

void
ram_free (struct ram *r)
{
	if (!r)
		return;
	pthread_mutex_destroy (&r->lock);
	free (r);
}
