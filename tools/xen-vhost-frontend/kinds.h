/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kinds of virtio device that this program can give to a guest, and what is particular about each: how many queues there are, what the configuration
 * space is, and which part of it the back-end does not have.
 */
#ifndef XVF_KINDS_H
#define XVF_KINDS_H

#include <stdbool.h>
#include <stdint.h>

#include <vhost/protocol.h>

#define MAC_SIZE 6
#define FS_TAG_SIZE 36	/* bytes, padded with zeroes (virtio 1.2, 5.11.4) */

/* What the user says about a device that otherwise its back-end would say. */
struct kind_settings {
	bool has_mac;
	uint8_t mac[MAC_SIZE];
	char tag[FS_TAG_SIZE + 1];	/* "": none */
};

struct kind {
	const char *name;
	unsigned id;			/* virtio device id */
	unsigned queues;		/* as many as a driver of this kind looks for */
	bool more_queues;		/* ... or as many as the back-end says */
	/* Sizes that the configuration space may have at the back-end, the largest first; 0 ends the list. */
	unsigned config_sizes[5];
	bool needs_config;		/* nobody but the back-end can say what is in it */
	uint64_t hidden;		/* features of the kind that need more than a back-end's queues */
	/*
	 * Fills in what the user said, and what a back-end without a configuration space leaves open; may add features.  NULL: nothing is to be done.
	 * Returns NULL, or what is missing, in words.
	 */
	const char *(*complete) (const struct kind_settings *, bool from_backend, uint8_t *config, unsigned *size, uint64_t *features);
};

/* By name; by virtio device id.  NULL: there is none. */
const struct kind *kind_by_name (const char *name);
const struct kind *kind_by_id (unsigned id);

/* All of them: kind_at (0), kind_at (1), ... NULL. */
const struct kind *kind_at (unsigned index);

/* The features, out of what a back-end offers, that may be shown to a driver. */
uint64_t kind_features (const struct kind *, uint64_t offered);

#endif
