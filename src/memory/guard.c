/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SIGBUS guard.  The handler runs in the thread that touched the hole, at any instruction, so it takes no lock: mappings are entered in slots that are
 * never freed, and each slot has a sequence number that is odd while the slot is being changed.  A slot that changes under the reader is not the one that it
 * looks for, because the mapping that it looks for is in use.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <vhost/memory.h>

#include "memory/guard.h"

#define SLOTS_PER_CHUNK 64

/* All fields are atomic. */
struct guard_slot {
	unsigned sequence;	/* odd: being changed */
	uintptr_t base;		/* 0: free */
	size_t size;
	int *lost;
};

struct guard_chunk {
	struct guard_chunk *next;	/* atomic */
	struct guard_slot slots[SLOTS_PER_CHUNK];
};

unsigned guard_hits;
static struct guard_chunk guard_chunks;		/* the first one; the others behind it come from the heap and stay */
static struct sigaction guard_previous;		/* written before the handler is installed */
static int guard_installed;			/* atomic */

/* --- slots --- */

static struct guard_chunk *
chunk_next (struct guard_chunk *c)
{
	return __atomic_load_n (&c->next, __ATOMIC_ACQUIRE);
}

/* Takes the slot for changing, if its base is still `base`. */
static bool
slot_lock (struct guard_slot *s, uintptr_t base)
{
	unsigned sequence = __atomic_load_n (&s->sequence, __ATOMIC_ACQUIRE);

	return !(sequence & 1) && __atomic_load_n (&s->base, __ATOMIC_ACQUIRE) == base &&
	       __atomic_compare_exchange_n (&s->sequence, &sequence, sequence + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static void
slot_set (struct guard_slot *s, uintptr_t base, size_t size, int *lost)
{
	/* Release: who sees one of these sees the odd number too (slot_get). */
	__atomic_store_n (&s->base, base, __ATOMIC_RELEASE);
	__atomic_store_n (&s->size, size, __ATOMIC_RELEASE);
	__atomic_store_n (&s->lost, lost, __ATOMIC_RELEASE);
	__atomic_add_fetch (&s->sequence, 1, __ATOMIC_RELEASE);
}

/* A copy of the slot; false when it is free or being changed. */
static bool
slot_get (struct guard_slot *s, struct guard_slot *ret)
{
	unsigned sequence = __atomic_load_n (&s->sequence, __ATOMIC_ACQUIRE);

	/* Acquire: the sequence is read again after these (slot_set). */
	ret->base = __atomic_load_n (&s->base, __ATOMIC_ACQUIRE);
	ret->size = __atomic_load_n (&s->size, __ATOMIC_ACQUIRE);
	ret->lost = __atomic_load_n (&s->lost, __ATOMIC_ACQUIRE);
	return !(sequence & 1) && ret->base && __atomic_load_n (&s->sequence, __ATOMIC_RELAXED) == sequence;
}

/* The first slot that could be locked with this base, which has no other user then; NULL when there is none. */
static struct guard_slot *
guard_lock (uintptr_t base)
{
	for (struct guard_chunk *c = &guard_chunks; c; c = chunk_next (c))
		for (unsigned i = 0; i < SLOTS_PER_CHUNK; i++)
			if (slot_lock (&c->slots[i], base))
				return &c->slots[i];
	return NULL;
}

/* Puts one more chunk behind the first. */
static int
guard_grow (void)
{
	struct guard_chunk *c = calloc (1, sizeof (*c));

	if (!c)
		return -ENOMEM;
	c->next = chunk_next (&guard_chunks);
	while (!__atomic_compare_exchange_n (&guard_chunks.next, &c->next, c, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		;
	return 0;
}

int
guard_add (void *base, size_t size, int *lost)
{
	struct guard_slot *s;

	while (!(s = guard_lock (0))) {
		int err = guard_grow ();

		if (err < 0)
			return err;
	}
	slot_set (s, (uintptr_t) base, size, lost);
	return 0;
}

void
guard_remove (void *base)
{
	struct guard_slot *s = guard_lock ((uintptr_t) base);

	if (s)
		slot_set (s, 0, 0, NULL);
}

void
guard_lose (int *lost)
{
	if (!__atomic_exchange_n (lost, 1, __ATOMIC_ACQ_REL))
		__atomic_add_fetch (&guard_hits, 1, __ATOMIC_ACQ_REL);
}

/* --- the signal --- */

static bool
guard_find (uintptr_t addr, struct guard_slot *ret)
{
	for (struct guard_chunk *c = &guard_chunks; c; c = chunk_next (c))
		for (unsigned i = 0; i < SLOTS_PER_CHUNK; i++)
			if (slot_get (&c->slots[i], ret) && addr - ret->base < ret->size)
				return true;
	return false;
}

/*
 * Puts zeroes in place of the whole mapping: all of it, because a mapping of huge pages cannot be replaced in part, and because nothing that is left of the
 * file is worth anything.  Two threads may do it at once: the memory is lost anyway.
 */
static bool
guard_replace (const struct guard_slot *s)
{
	if (mmap ((void *) s->base, s->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		return false;
	guard_lose (s->lost);
	return true;
}

/* A page of a mapping that is not there any more, or that the hardware lost; not a signal that was sent, and not an unaligned access. */
static bool
guard_strike (const siginfo_t *info)
{
	struct guard_slot s;

	if (info->si_code != BUS_ADRERR && info->si_code != BUS_MCEERR_AR)
		return false;
	return guard_find ((uintptr_t) info->si_addr, &s) && guard_replace (&s);
}

/* What would have happened without us. */
static void
guard_chain (int number, siginfo_t *info, void *context)
{
	bool sent = info->si_code <= 0;

	if (guard_previous.sa_flags & SA_SIGINFO) {
		guard_previous.sa_sigaction (number, info, context);
	} else if (guard_previous.sa_handler != SIG_DFL && guard_previous.sa_handler != SIG_IGN) {
		guard_previous.sa_handler (number);
	} else if (guard_previous.sa_handler == SIG_DFL || !sent) {
		/* The kernel lets nobody ignore a fault.  The signal is blocked here, so it strikes on return. */
		signal (number, SIG_DFL);
		raise (number);
	}
}

static void
guard_handler (int number, siginfo_t *info, void *context)
{
	int saved = errno;

	if (!guard_strike (info))
		guard_chain (number, info, context);
	errno = saved;
}

bool
guard_is_installed (void)
{
	return __atomic_load_n (&guard_installed, __ATOMIC_ACQUIRE);
}

int
vh_memory_guard (void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };

	if (__atomic_exchange_n (&guard_installed, 1, __ATOMIC_ACQ_REL))
		return 0;
	if (sigaction (SIGBUS, NULL, &guard_previous) == 0) {
		action.sa_sigaction = guard_handler;
		action.sa_mask = guard_previous.sa_mask;
		if (sigaction (SIGBUS, &action, NULL) == 0)
			return 0;
	}
	__atomic_store_n (&guard_installed, 0, __ATOMIC_RELEASE);
	return -errno;
}
