/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the back-end asks of us, on a socket of its own.  A request that this library does not serve, or that is not in force, is answered "failed" when an
 * answer is due, and the channel goes on.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frontend/frontend.h"

/* Requests served in one turn: a back-end that sends without end must not keep us from our own work. */
#define REQUESTS_PER_TURN 32

/* What "failed" looks like; any number but 0 would do. */
#define FAILED 1

int
serve_open (struct vh_frontend *f)
{
	struct message m;
	int ends[2], err;

	if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return call_refuse (f, REQUEST_SET_BACKEND_REQ_FD, -errno);
	call_init (&m, REQUEST_SET_BACKEND_REQ_FD);
	m.fds[m.n_fds++] = ends[1];
	/* The back-end may use it before it has answered. */
	frontend_close (f, &f->backend);
	channel_init (&f->backend, ends[0], backend_request_row);
	err = call (f, &m, NULL, NULL);
	close (ends[1]);
	if (err < 0)
		frontend_close (f, &f->backend);
	return err;
}

/* --- the requests --- */

static int
serve_config_change (struct vh_frontend *f, struct message *m)
{
	if (f->config_changed)
		f->config_changed (f->config_opaque);
	return 0;
}

/* The ring of an in-band notification. */
static int
get_ring (const struct message *m, unsigned *ring)
{
	struct vring_state s;
	int err = message_get_state (m, &s);

	if (err < 0)
		return err;
	*ring = s.index;
	return s.index < VH_MAX_RINGS && s.num == 0 ? 0 : -EINVAL;
}

static int
serve_vring_call (struct vh_frontend *f, struct message *m)
{
	unsigned ring;

	return get_ring (m, &ring) ?: f->ops.vring_call (f->opaque, ring);
}

static int
serve_vring_err (struct vh_frontend *f, struct message *m)
{
	unsigned ring;

	return get_ring (m, &ring) ?: f->ops.vring_err (f->opaque, ring);
}

static uint64_t *
notifier_word (struct vh_frontend *f, unsigned ring, uint64_t *bit)
{
	*bit = UINT64_C (1) << ring % 64;
	return &f->notifiers[ring / 64];
}

void
serve_forget_notifier (struct vh_frontend *f, unsigned ring)
{
	uint64_t bit, *word = notifier_word (f, ring, &bit);

	if (*word & bit)
		f->ops.host_notifier (f->opaque, ring, -1, 0);
	*word &= ~bit;
}

static int
serve_host_notifier (struct vh_frontend *f, struct message *m)
{
	uint64_t page = (uint64_t) sysconf (_SC_PAGESIZE), bit, *word;
	struct notifier_area a;
	int err = message_get_area (m, &a);

	if (err < 0)
		return err;
	word = notifier_word (f, a.ring.index, &bit);
	if (a.ring.no_fd) {
		serve_forget_notifier (f, a.ring.index);
		return 0;
	}
	/* The page of one ring, which the guest is to see. */
	if (a.size != page || a.offset % page || a.offset > INT64_MAX - page)
		return -EINVAL;
	err = f->ops.host_notifier (f->opaque, a.ring.index, m->fds[0], a.offset);
	if (err < 0)
		return err;
	message_take_fd (m, 0);
	*word |= bit;
	return 0;
}

static int
serve_add_object (struct vh_frontend *f, struct message *m)
{
	uint8_t uuid[VH_UUID_SIZE];

	return message_get_uuid (m, uuid) ?: f->ops.add_object (f->opaque, uuid);
}

static int
serve_remove_object (struct vh_frontend *f, struct message *m)
{
	uint8_t uuid[VH_UUID_SIZE];

	return message_get_uuid (m, uuid) ?: f->ops.remove_object (f->opaque, uuid);
}

/* Returns the fd, borrowed. */
static int
serve_lookup_object (struct vh_frontend *f, struct message *m)
{
	uint8_t uuid[VH_UUID_SIZE];

	return message_get_uuid (m, uuid) ?: f->ops.lookup_object (f->opaque, uuid);
}

/* Features whose callbacks the caller has. */
static uint64_t
callback_features (const struct vh_frontend *f)
{
	const struct vh_frontend_ops *o = &f->ops;
	uint64_t bits = 0;

	if (o->vring_call && o->vring_err)
		bits |= VH_BIT (VH_P_INBAND_NOTIFICATIONS);
	if (o->add_object && o->remove_object && o->lookup_object)
		bits |= VH_BIT (VH_P_SHARED_OBJECT);
	if (o->host_notifier)
		bits |= VH_BIT (VH_P_HOST_NOTIFIER) | VH_BIT (VH_P_BACKEND_SEND_FD);
	if (o->map_shmem && o->unmap_shmem)
		bits |= VH_BIT (VH_P_SHMEM) | VH_BIT (VH_P_BACKEND_SEND_FD);
	return bits;
}

#define CALLBACK_FEATURES                                                                                                                               \
	(VH_BIT (VH_P_INBAND_NOTIFICATIONS) | VH_BIT (VH_P_SHARED_OBJECT) | VH_BIT (VH_P_HOST_NOTIFIER) | VH_BIT (VH_P_SHMEM) | VH_BIT (VH_P_BACKEND_SEND_FD))

/* What each needs beside itself (vhost-user, "Protocol features"): without its company it is not set. */
static const struct {
	uint64_t feature, needs;
} company[] = {
	{ VH_BIT (VH_P_INBAND_NOTIFICATIONS), VH_BIT (VH_P_BACKEND_REQ) | VH_BIT (VH_P_REPLY_ACK) },
	{ VH_BIT (VH_P_HOST_NOTIFIER), VH_BIT (VH_P_BACKEND_REQ) | VH_BIT (VH_P_BACKEND_SEND_FD) },
	{ VH_BIT (VH_P_SHMEM), VH_BIT (VH_P_BACKEND_REQ) | VH_BIT (VH_P_BACKEND_SEND_FD) },
	{ VH_BIT (VH_P_SHARED_OBJECT), VH_BIT (VH_P_BACKEND_REQ) },
	{ VH_BIT (VH_P_GET_VRING_BASE_INFLIGHT), VH_BIT (VH_P_INFLIGHT_SHMFD) },
	{ VH_BIT (VH_P_GET_VRING_BASE_SKIP_DRAIN), VH_BIT (VH_P_GET_VRING_BASE_INFLIGHT) | VH_BIT (VH_P_INFLIGHT_SHMFD) },
};

uint64_t
serve_choose (const struct vh_frontend *f, uint64_t features)
{
	features &= ~CALLBACK_FEATURES | callback_features (f);
	for (unsigned i = 0; i < sizeof (company) / sizeof (company[0]); i++)
		if ((features & company[i].needs) != company[i].needs)
			features &= ~company[i].feature;
	/* Who names postcopy does without memory slots: nobody may use both. */
	if (features & VH_BIT (VH_P_PAGEFAULT))
		features &= ~VH_BIT (VH_P_CONFIGURE_MEM_SLOTS);
	return features;
}

/* Misses only: that an access failed is for a log. */
static int
serve_iotlb (struct vh_frontend *f, struct message *m)
{
	struct iotlb_message t;
	int err = message_get_iotlb (m, &t);

	if (err < 0)
		return err;
	if (t.type == IOTLB_ACCESS_FAIL) {
		error_log (&f->error, VH_LOG_WARNING, "the back-end could not use the I/O address 0x%llx", (unsigned long long) t.iova);
		return 0;
	}
	if (t.type != IOTLB_MISS || t.perm < 1 || t.perm > 3)
		return -EINVAL;
	return f->iotlb_miss ? f->iotlb_miss (f->iotlb_opaque, t.iova, t.perm) : -ENOSYS;
}

typedef int serve_fn (struct vh_frontend *, struct message *);

/* By id, with the features whose callbacks they call; the others are refused. */
static const struct server {
	serve_fn *serve;	/* a negative errno refuses; what a request with an fd in its answer returns is the fd, borrowed */
	uint64_t features;
} servers[BACKEND_REQUEST_END] = {
	[BACKEND_REQUEST_IOTLB_MSG] = { serve_iotlb, 0 },
	[BACKEND_REQUEST_CONFIG_CHANGE_MSG] = { serve_config_change, 0 },
	[BACKEND_REQUEST_VRING_HOST_NOTIFIER_MSG] = { serve_host_notifier, VH_BIT (VH_P_HOST_NOTIFIER) },
	[BACKEND_REQUEST_VRING_CALL] = { serve_vring_call, VH_BIT (VH_P_INBAND_NOTIFICATIONS) },
	[BACKEND_REQUEST_VRING_ERR] = { serve_vring_err, VH_BIT (VH_P_INBAND_NOTIFICATIONS) },
	[BACKEND_REQUEST_SHARED_OBJECT_ADD] = { serve_add_object, VH_BIT (VH_P_SHARED_OBJECT) },
	[BACKEND_REQUEST_SHARED_OBJECT_REMOVE] = { serve_remove_object, VH_BIT (VH_P_SHARED_OBJECT) },
	[BACKEND_REQUEST_SHARED_OBJECT_LOOKUP] = { serve_lookup_object, VH_BIT (VH_P_SHARED_OBJECT) },
	[BACKEND_REQUEST_SHMEM_MAP] = { shmem_map, VH_BIT (VH_P_SHMEM) },
	[BACKEND_REQUEST_SHMEM_UNMAP] = { shmem_unmap, VH_BIT (VH_P_SHMEM) },
};

static int
serve_request (struct vh_frontend *f, struct message *m, const struct message_row *row)
{
	int err = message_check_form (m, row);

	if (err == 0)
		err = message_check_gate (row, f->offered, f->features, f->protocol);
	if (err < 0)
		return err;
	/* A feature can be set without the handshake, and without the callbacks that it is for. */
	if (!servers[m->request].serve || servers[m->request].features & ~callback_features (f))
		return -ENOSYS;
	f->in_callback++;
	err = servers[m->request].serve (f, m);
	f->in_callback--;
	return err;
}

static bool
answer_is_due (const struct vh_frontend *f, const struct message *m, const struct message_row *row)
{
	if (row && row->answer != ANSWER_ACK)
		return true;
	return m->flags & MESSAGE_NEED_REPLY && f->protocol & VH_BIT (VH_P_REPLY_ACK);
}

static int
serve_and_answer (struct vh_frontend *f, struct message *m)
{
	const struct message_row *row = backend_request_row (m->request);
	struct message reply;
	int err;

	if (m->flags & ~(MESSAGE_VERSION | MESSAGE_NEED_REPLY))
		return -EPROTO;
	err = serve_request (f, m, row);
	if (err < 0)
		error_log (&f->error, VH_LOG_WARNING, "refused the back-end's request %s (%u): %s", row ? row->name : "unknown", m->request, vh_strerror (err));
	if (!answer_is_due (f, m, row))
		return 0;
	message_init_reply (&reply, m);
	message_put_u64 (&reply, err < 0 ? FAILED : 0);
	if (err >= 0 && row->reply_fds > 0)
		reply.fds[reply.n_fds++] = err;
	err = channel_send (&f->backend, &reply);
	/* Hundreds of answers fit: this back-end does not read them. */
	return err == 0 && channel_sending (&f->backend) ? -ETIMEDOUT : err;
}

/* --- the channel --- */

static int
serve_next (struct vh_frontend *f)
{
	struct message *m;
	int err = channel_receive (&f->backend, &m);

	if (err == 1) {
		err = serve_and_answer (f, m);
		message_close_fds (m);
	}
	return err;
}

int
serve_requests (struct vh_frontend *f)
{
	for (int n = 0; n < REQUESTS_PER_TURN; n++) {
		int err = serve_next (f);

		if (err == -EAGAIN)
			return n;
		if (err < 0) {
			frontend_close (f, &f->backend);
			return error_set (&f->error, err, "channel of the back-end");
		}
	}
	return REQUESTS_PER_TURN;
}
