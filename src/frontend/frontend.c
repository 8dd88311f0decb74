/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The front-end's object, the handshake, and the requests that concern the whole device.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vhost/socket.h>

#include "frontend/frontend.h"

#define DEFAULT_TIMEOUT_MS 5000
#define DEFAULT_PIPELINE 16

/* --- the object --- */

/* Takes the options of a caller that may be older or newer than this library. */
static int
take_options (struct vh_frontend_options *taken, const struct vh_frontend_options *given)
{
	memset (taken, 0, sizeof (*taken));
	if (given) {
		if (given->size < sizeof (given->size))
			return -EINVAL;
		memcpy (taken, given, given->size < sizeof (*taken) ? given->size : sizeof (*taken));
	}
	if (taken->timeout_ms == 0)
		taken->timeout_ms = DEFAULT_TIMEOUT_MS;
	if (taken->pipeline == 0)
		taken->pipeline = DEFAULT_PIPELINE;
	return 0;
}

int
vh_frontend_new (int fd, const struct vh_frontend_options *options, struct vh_frontend **ret)
{
	struct vh_frontend_options taken;
	struct vh_frontend *f;
	int err = take_options (&taken, options);

	if (err < 0 || fd < 0)
		return -EINVAL;
	f = calloc (1, sizeof (*f));
	if (!f)
		return -ENOMEM;
	error_init (&f->error, &taken.log, "front-end");
	f->timeout_ms = taken.timeout_ms;
	f->pipeline = taken.pipeline;
	f->config_changed = taken.config_changed;
	f->config_opaque = f->opaque = taken.opaque;
	if (taken.ops)
		memcpy (&f->ops, taken.ops, taken.ops->size < sizeof (f->ops) ? taken.ops->size : sizeof (f->ops));
	f->iotlb_miss = f->ops.iotlb_miss;
	f->iotlb_opaque = taken.opaque;
	channel_init (&f->main, fd, NULL);
	channel_init (&f->backend, -1, NULL);
	watch_init (&f->watch);
	*ret = f;
	return 0;
}

int
vh_frontend_connect (const char *path, int connect_ms, const struct vh_frontend_options *options, struct vh_frontend **ret)
{
	int fd = vh_connect (path, connect_ms);
	int err;

	if (fd < 0)
		return fd;
	err = vh_frontend_new (fd, options, ret);
	if (err < 0)
		close (fd);
	return err;
}

void
frontend_close (struct vh_frontend *f, struct channel *c)
{
	watch_forget (f, c);
	channel_close (c);
}

void
frontend_enter (struct vh_frontend *f)
{
	f->entered++;
}

void
frontend_leave (struct vh_frontend *f)
{
	if (--f->entered > 0)
		return;
	if (!f->freed) {
		watch_update (f);
		return;
	}
	watch_close (&f->watch);
	free (f);
}

void
vh_frontend_free (struct vh_frontend *f)
{
	if (!f || f->freed)
		return;
	frontend_enter (f);
	f->freed = true;
	shmem_forget (f);
	if (f->main.fd >= 0 && f->first)
		call_end (f, -ECONNRESET, "freed");
	frontend_close (f, &f->main);
	frontend_close (f, &f->backend);
	/* Each callback may make a further call, which fails at once. */
	while (f->first)
		calls_run (f);
	frontend_leave (f);
}

const char *
vh_frontend_error (const struct vh_frontend *f)
{
	return f->error.text;
}

uint64_t
vh_frontend_offered_features (const struct vh_frontend *f)
{
	return f->offered;
}

uint64_t
vh_frontend_offered_protocol_features (const struct vh_frontend *f)
{
	return f->protocol_offered;
}

uint64_t
vh_frontend_protocol_features (const struct vh_frontend *f)
{
	return f->protocol;
}

/* --- the event loop's side --- */

void
vh_frontend_set_timeout (struct vh_frontend *f, unsigned timeout_ms)
{
	f->timeout_ms = timeout_ms ? timeout_ms : DEFAULT_TIMEOUT_MS;
}

static int
report_end (struct vh_frontend *f)
{
	f->end_told = true;
	return -ECONNRESET;
}

int
vh_frontend_dispatch (struct vh_frontend *f)
{
	int served = 0, n;

	if (f->main.fd < 0 && !f->first)
		return report_end (f);
	frontend_enter (f);
	if (f->backend.fd >= 0)
		served = serve_requests (f);
	n = calls_run (f);
	calls_expire (f);
	n += calls_deliver (f, CALLS_PER_TURN - n);
	n = served < 0 ? served : f->main.fd < 0 && !f->first ? report_end (f) : served + n;
	frontend_leave (f);
	return n;
}

/* --- the device --- */

int
vh_frontend_set_owner (struct vh_frontend *f)
{
	return call_nothing (f, REQUEST_SET_OWNER);
}

int
vh_frontend_reset_owner (struct vh_frontend *f)
{
	return call_nothing (f, REQUEST_RESET_OWNER);
}

static int
device_reset (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	shmem_forget (f);
	return 0;
}

int
vh_frontend_reset_device (struct vh_frontend *f)
{
	struct message m;

	call_init (&m, REQUEST_RESET_DEVICE);
	return call (f, &m, device_reset, NULL);
}

static int
take_queue_num (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	uint64_t n;

	if (message_get_u64 (reply, &n) < 0 || n == 0 || n > VH_MAX_RINGS)
		return call_end (f, -EBADMSG, "GET_QUEUE_NUM: not a number of queues");
	*(unsigned *) ret = n;
	return 0;
}

int
vh_frontend_get_queue_num (struct vh_frontend *f, unsigned *ret)
{
	return call_get (f, REQUEST_GET_QUEUE_NUM, take_queue_num, ret);
}

static int
take_slots (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	uint64_t n;

	if (message_get_u64 (reply, &n) < 0 || n == 0)
		return call_end (f, -EBADMSG, "GET_MAX_MEM_SLOTS: none");
	*(unsigned *) ret = n < UINT_MAX ? n : UINT_MAX;
	return 0;
}

int
vh_frontend_get_max_mem_slots (struct vh_frontend *f, unsigned *ret)
{
	return call_get (f, REQUEST_GET_MAX_MEM_SLOTS, take_slots, ret);
}
