/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Moving a driver; see move.h.
 */
#include <errno.h>
#include <unistd.h>

#include "move.h"

/* The state goes through a pipe that we do not look into. */
static int
move_state (struct vh_frontend *from, struct vh_frontend *to)
{
	int ends[2], other[2] = { -1, -1 }, err, check;

	if (pipe (ends) < 0)
		return -errno;
	err = vh_frontend_load_state (to, ends[0], &other[0]);
	if (err == 0)
		err = vh_frontend_save_state (from, ends[1], &other[1]);
	close (ends[0]);
	close (ends[1]);
	if (other[0] >= 0 || other[1] >= 0)
		return -EPROTO;
	if (err < 0)
		return err;
	check = vh_frontend_check_state (from);
	err = vh_frontend_check_state (to);
	return check < 0 ? check : err;
}

static int
start_ring (struct vh_frontend *f, unsigned i, const struct queue *q, uint32_t base)
{
	struct vh_vring_addr addr;

	queue_addresses (q, &addr);
	return vh_frontend_set_vring_num (f, i, queue_size (q)) ?: vh_frontend_set_vring_base (f, i, base) ?: vh_frontend_set_vring_addr (f, i, &addr) ?:
	       vh_frontend_set_vring_call (f, i, queue_call_fd (q)) ?: vh_frontend_set_vring_kick (f, i, queue_kick_fd (q)) ?:
	       vh_frontend_set_vring_enable (f, i, 1);
}

static int
stop_rings (struct driver *d, uint32_t *bases)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < d->n_queues; i++)
		err = vh_frontend_get_vring_base (d->frontend, i, &bases[i]);
	return err < 0 ? driver_fail (d, err, "stopping") : 0;
}

static int
connect_elsewhere (struct driver *d, const char *socket, int patience_ms, struct vh_frontend **ret)
{
	int err = vh_frontend_connect (socket, patience_ms, NULL, ret);

	if (err < 0)
		return driver_fail (d, err, "%s", socket);
	err = vh_frontend_handshake (*ret, UINT64_MAX);
	if (err < 0)
		vh_frontend_free (*ret);
	return err < 0 ? driver_fail (d, err, "%s", socket) : 0;
}

static int
go_on (struct driver *d, const uint32_t *bases)
{
	int err = vh_frontend_set_features (d->frontend, d->features) ?: guest_share (&d->guest, d->frontend);

	for (unsigned i = 0; err == 0 && i < d->n_queues; i++)
		err = start_ring (d->frontend, i, d->queues[i], bases[i]);
	return err < 0 ? driver_fail (d, err, "going on elsewhere") : 0;
}

int
move_driver (struct driver *d, const char *socket, int patience_ms)
{
	uint32_t bases[VH_MAX_RINGS];
	struct vh_frontend *to;
	int err = stop_rings (d, bases) ?: connect_elsewhere (d, socket, patience_ms, &to);

	if (err < 0)
		return err;
	err = move_state (d->frontend, to);
	if (err < 0) {
		vh_frontend_free (to);
		return driver_fail (d, err, "the state");
	}
	vh_frontend_free (d->frontend);
	d->frontend = to;
	return go_on (d, bases);
}

int
reconnect_driver (struct driver *d, const char *socket, int patience_ms)
{
	uint32_t bases[VH_MAX_RINGS];
	int err = stop_rings (d, bases);

	if (err < 0)
		return err;
	vh_frontend_free (d->frontend);
	d->frontend = NULL;
	return connect_elsewhere (d, socket, patience_ms, &d->frontend) ?: go_on (d, bases);
}
