/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Saving and loading; see state.h.
 */
#include <errno.h>
#include <string.h>

#include <linux/virtio_ids.h>

#include "devices/net/net.h"
#include "devices/net/state.h"

enum tag {
	DEVICE,
	MAC,			/* six bytes; only with the feature */
	RECEIVE,		/* of each pair, as in struct receive_stats */
	TRANSMIT,		/* of each pair, as in struct transmit_stats */
	RINGS,
	TAGS
};

enum { PAIRS, MTU, UP, DEVICE_NUMBERS };

#define RECEIVE_STATS (sizeof (struct receive_stats) / sizeof (uint64_t))
#define TRANSMIT_STATS (sizeof (struct transmit_stats) / sizeof (uint64_t))

static bool
has_mac (const struct net *net)
{
	return net->vh.features & VH_BIT (VIRTIO_NET_F_MAC);
}

static void
fill (void *device, struct state *s)
{
	const struct net *net = device;
	const uint64_t numbers[DEVICE_NUMBERS] = { net->n_pairs, net->mtu, net->up };

	state_put_numbers (s, DEVICE, 0, numbers, DEVICE_NUMBERS);
	if (has_mac (net))
		state_put (s, MAC, 0, net->config.fields.mac, sizeof (net->config.fields.mac));
	for (unsigned i = 0; i < net->n_pairs; i++) {
		struct receive_stats stats;

		receive_get_stats (&net->pairs[i].receive, &stats);
		state_put_numbers (s, RECEIVE, i, (const uint64_t *) &stats, RECEIVE_STATS);
	}
	for (unsigned i = 0; i < net->n_pairs; i++) {
		struct transmit_stats stats;

		transmit_get_stats (&net->pairs[i].transmit, &stats);
		state_put_numbers (s, TRANSMIT, i, (const uint64_t *) &stats, TRANSMIT_STATS);
	}
	totals_save (&net->totals, s, RINGS);
}

/* The address that the guest has; NULL: it chose one, or it cannot be said. */
static const uint8_t *
find_mac (const struct state *s)
{
	size_t size;
	const uint8_t *mac = state_find (s, MAC, 0, &size);

	return mac && size == 6 ? mac : NULL;
}

static bool
values_are_there (const struct net *net, const struct state *s)
{
	return !has_mac (net) == !find_mac (s) && state_has_numbers (s, RECEIVE, net->n_pairs, RECEIVE_STATS) &&
	       state_has_numbers (s, TRANSMIT, net->n_pairs, TRANSMIT_STATS) && totals_found (&net->totals, s, RINGS);
}

static int
apply (void *device, const struct state *s)
{
	struct net *net = device;
	uint64_t numbers[DEVICE_NUMBERS];

	if (!state_get_numbers (s, DEVICE, 0, numbers, DEVICE_NUMBERS))
		return -EBADMSG;
	if (numbers[PAIRS] != net->n_pairs || numbers[MTU] < NET_MIN_MTU || numbers[MTU] > net->max_mtu) {
		log_say (&net->log, VH_LOG_ERROR, "the state is of another device: %llu pairs, an MTU of %llu", (unsigned long long) numbers[PAIRS],
			 (unsigned long long) numbers[MTU]);
		return -EINVAL;
	}
	if (!values_are_there (net, s))
		return -EBADMSG;
	net_change_mtu (net, numbers[MTU]);
	if (has_mac (net))
		memcpy (net->config.fields.mac, find_mac (s), sizeof (net->config.fields.mac));
	for (unsigned i = 0; i < net->n_pairs; i++) {
		state_get_numbers (s, RECEIVE, i, (uint64_t *) &net->pairs[i].receive.stats, RECEIVE_STATS);
		state_get_numbers (s, TRANSMIT, i, (uint64_t *) &net->pairs[i].transmit.stats, TRANSMIT_STATS);
	}
	totals_load (&net->totals, s, RINGS);
	if (numbers[UP] != net->up && net->totals.backend)
		vh_backend_config_changed (net->totals.backend);
	return 0;
}

static const struct state_kind kind = { .id = VIRTIO_ID_NET, .tags = TAGS, .fill = fill, .apply = apply };

int
net_state_save (void *device, uint64_t offset, void *buf, size_t size)
{
	struct net *net = device;

	return state_save (&net->state, &kind, net, offset, buf, size);
}

int
net_state_load (void *device, uint64_t offset, const void *buf, size_t size)
{
	struct net *net = device;

	return state_load (&net->state, &kind, net, offset, buf, size);
}
