/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One message: checked against its row, handed to its handler, answered as the row says.
 *
 *	form and gate (row) -> handle -> rings settle (may take a while) -> finish -> answer
 */
#include <errno.h>

#include "backend/connection.h"

const struct backend_handler backend_handlers[REQUEST_END] = {
	[REQUEST_GET_FEATURES] = { .finish = negotiate_get_features },
	[REQUEST_SET_FEATURES] = { .handle = negotiate_set_features },
	[REQUEST_SET_OWNER] = { .handle = negotiate_set_owner },
	[REQUEST_RESET_OWNER] = { .handle = negotiate_reset },
	[REQUEST_SET_MEM_TABLE] = { .handle = memory_table_set, .finish = memory_table_answer },
	[REQUEST_SET_LOG_BASE] = { .handle = log_set_base, .finish = log_answer_base },
	[REQUEST_SET_LOG_FD] = { .handle = log_set_fd },
	[REQUEST_SET_VRING_NUM] = { .handle = vrings_set_num },
	[REQUEST_SET_VRING_ADDR] = { .handle = vrings_set_addr },
	[REQUEST_SET_VRING_BASE] = { .handle = vrings_set_base },
	[REQUEST_GET_VRING_BASE] = { .handle = vrings_stop, .finish = vrings_get_base },
	[REQUEST_SET_VRING_KICK] = { .handle = vrings_set_kick },
	[REQUEST_SET_VRING_CALL] = { .handle = vrings_set_call },
	[REQUEST_SET_VRING_ERR] = { .handle = vrings_set_err },
	[REQUEST_GET_PROTOCOL_FEATURES] = { .finish = negotiate_get_protocol_features },
	[REQUEST_SET_PROTOCOL_FEATURES] = { .handle = negotiate_set_protocol_features },
	[REQUEST_GET_QUEUE_NUM] = { .finish = negotiate_get_queue_num },
	[REQUEST_SET_VRING_ENABLE] = { .handle = vrings_set_enable },
	[REQUEST_SEND_RARP] = { .handle = net_send_rarp },
	[REQUEST_NET_SET_MTU] = { .handle = net_set_mtu },
	[REQUEST_SET_BACKEND_REQ_FD] = { .handle = notify_set_channel },
	[REQUEST_IOTLB_MSG] = { .handle = iotlb_handle },
	[REQUEST_SET_VRING_ENDIAN] = { .handle = vrings_set_endian },
	[REQUEST_GET_CONFIG] = { .handle = config_check, .finish = config_get, .refuse = config_refuse },
	[REQUEST_SET_CONFIG] = { .handle = config_set },
	[REQUEST_CREATE_CRYPTO_SESSION] = { .finish = crypto_create_session, .refuse = crypto_refuse_session },
	[REQUEST_CLOSE_CRYPTO_SESSION] = { .handle = crypto_close_session },
	[REQUEST_POSTCOPY_ADVISE] = { .handle = postcopy_advise, .finish = postcopy_send_fd, .refuse = postcopy_refuse },
	[REQUEST_POSTCOPY_LISTEN] = { .handle = postcopy_listen },
	[REQUEST_POSTCOPY_END] = { .handle = postcopy_end },
	[REQUEST_GET_INFLIGHT_FD] = { .finish = inflight_area_get, .refuse = inflight_area_refuse },
	[REQUEST_SET_INFLIGHT_FD] = { .handle = inflight_area_set },
	[REQUEST_GPU_SET_SOCKET] = { .handle = gpu_set_socket },
	[REQUEST_RESET_DEVICE] = { .handle = negotiate_reset, .finish = negotiate_reset_device },
	[REQUEST_VRING_KICK] = { .handle = vrings_kick },
	[REQUEST_GET_MAX_MEM_SLOTS] = { .finish = memory_table_get_max_slots },
	[REQUEST_ADD_MEM_REG] = { .handle = memory_table_add },
	[REQUEST_REM_MEM_REG] = { .handle = memory_table_remove },
	[REQUEST_SET_STATUS] = { .handle = status_set, .finish = status_is_set },
	[REQUEST_GET_STATUS] = { .finish = status_get },
	[REQUEST_GET_SHARED_OBJECT] = { .finish = objects_get, .refuse = objects_refuse },
	[REQUEST_SET_DEVICE_STATE_FD] = { .finish = device_state_begin, .refuse = device_state_refuse_begin },
	[REQUEST_CHECK_DEVICE_STATE] = { .handle = device_state_check, .finish = device_state_checked, .refuse = device_state_refuse_check },
	[REQUEST_GET_SHMEM_CONFIG] = { .finish = shmem_get_config },
	[REQUEST_GET_VRING_BASE_SKIP_DRAIN] = { .handle = vrings_abandon, .finish = vrings_get_base },
};

static void
send_reply (struct vh_backend *b)
{
	int err = channel_send (&b->channel, &b->reply);

	b->answered = true;
	message_close_fds (&b->reply);	/* the channel has its own, if it still has to send them */
	if (err < 0)
		backend_fail (b, error_set (&b->error, err, "cannot answer"));
}

static bool
wants_ack (const struct vh_backend *b, const struct message *m, const struct message_row *row)
{
	if (row && row->answer == ANSWER_U64)
		return true;
	if (!(m->flags & MESSAGE_NEED_REPLY))
		return false;
	/* Asked after the request was served, so that SET_PROTOCOL_FEATURES itself can be acknowledged.  QEMU waits for LISTEN's even without the feature. */
	return (b->protocol & VH_BIT (VH_P_REPLY_ACK)) || m->request == REQUEST_POSTCOPY_LISTEN;
}

/* The refusal that this request has; a front-end that would not see any is told by closing. */
static void
refuse (struct vh_backend *b, struct message *m, const struct message_row *row, int err)
{
	const struct backend_handler *h = row ? &backend_handlers[m->request] : NULL;

	if (b->state != BACKEND_OPEN)
		return;	/* the handler has ended it */
	error_set (&b->error, err, "%s (%u) refused", row ? row->name : "request", m->request);
	message_init_reply (&b->reply, m);
	if (h && h->refuse)
		h->refuse (b, m, &b->reply);
	else if ((!row || row->answer != ANSWER_PAYLOAD) && wants_ack (b, m, row))
		message_put_u64 (&b->reply, (uint64_t) -err);
	else {
		backend_fail (b, err);
		return;
	}
	send_reply (b);
}

static void
answer (struct vh_backend *b, struct message *m, const struct message_row *row, const struct backend_handler *h)
{
	int err = 0;

	backend_close_retired (b);
	message_init_reply (&b->reply, m);
	if (h->finish)
		err = h->finish (b, m, &b->reply);
	if (err < 0) {
		refuse (b, m, row, err);
		return;
	}
	/* SET_MEM_TABLE has a payload in postcopy and none else. */
	if (row->answer == ANSWER_PAYLOAD || b->reply.size > 0)
		send_reply (b);
	else if (wants_ack (b, m, row)) {
		message_put_u64 (&b->reply, 0);
		send_reply (b);
	}
}

static int
check (const struct vh_backend *b, const struct message *m, const struct message_row *row)
{
	uint64_t features = b->features;

	if ((m->flags & MESSAGE_REPLY))
		return -EPROTO;
	/* Our addresses are under way to whoever resolves faults; until they are there, nothing else may happen. */
	if (postcopy_is_announced (b) && m->request != REQUEST_SET_MEM_TABLE)
		return -EPROTO;
	/* QEMU enables the rings of a network device with several queues before SET_FEATURES.  Who uses protocol features will accept their bit. */
	if (b->protocol_spoken)
		features |= VH_BIT (VH_F_PROTOCOL_FEATURES);
	return message_check_form (m, row) ?: message_check_gate (row, b->offered, features, b->protocol);
}

bool
backend_serve (struct vh_backend *b, struct message *m)
{
	const struct message_row *row = request_row (m->request);
	const struct backend_handler *h = row ? &backend_handlers[m->request] : NULL;
	int err = check (b, m, row);

	error_log (&b->error, VH_LOG_DEBUG, "%s (%u), %u bytes, %u fds%s", row ? row->name : "unknown request", m->request, m->size, m->n_fds,
		   m->flags & MESSAGE_NEED_REPLY ? ", answer wanted" : "");
	if (err == -EPROTO) {
		backend_fail (b, error_set (&b->error, err, m->flags & MESSAGE_REPLY ? "the front-end sent a reply" :
					    "a request before our addresses were acknowledged"));
		return true;
	}
	b->memory_goes = false;
	if (err == 0 && h->handle)
		err = h->handle (b, m);
	if (err < 0) {
		refuse (b, m, row, err);
		return true;
	}
	if (vrings_settle (b) > 0) {
		b->waiting_handler = h;
		return false;
	}
	answer (b, m, row, h);
	notify_go_on (b);	/* a ring may have started, and the device has something to say */
	return true;
}

void
backend_serve_finish (struct vh_backend *b)
{
	const struct backend_handler *h = b->waiting_handler;
	struct message *m = &b->channel.in;

	b->waiting_handler = NULL;
	answer (b, m, request_row (m->request), h);
	message_close_fds (m);
	notify_go_on (b);
}
