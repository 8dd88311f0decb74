/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the back-end asks of the front-end, byte for byte, and what it makes of the answers.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend-hex.h"
#include "full-device.h"
#include "tests/suite.h"

#define REPLY_ACK (1u << 3)
#define BACKEND_REQ (1u << 5)
#define SEND_FD (1u << 10)
#define HOST_NOTIFIER (1u << 11)
#define SHARED_OBJECT (1u << 18)
#define SHMEM (1u << 22)
#define ALL (REPLY_ACK | BACKEND_REQ | SEND_FD | HOST_NOTIFIER | SHARED_OBJECT | SHMEM)

#define SOME_UUID "00112233 44556677 8899aabb ccddeeff"
static const uint8_t some_uuid[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

static struct full_device device;
static int channel;	/* the front-end's end */
static int memory;	/* any fd */

/* What the last answer was. */
static int answers, first_err, answer_err, answer_fd;

static void
answered (void *opaque, int err, int fd)
{
	CU_ASSERT_PTR_EQUAL (opaque, &device);
	if (answers++ == 0)
		first_err = err;
	answer_err = err;
	if (answer_fd >= 0)
		close (answer_fd);
	answer_fd = fd;
}

#define ANSWERED answered, &device

static void
give_channel (void)
{
	int pair[2];

	CU_ASSERT_EQUAL_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	bytes_send (far_end, "\x15\0\0\0\1\0\0\0\0\0\0\0", 12, &pair[1], 1);
	close (pair[1]);
	channel = pair[0];
	hex_run ();
}

static void
start_a_ring (void)
{
	CU_ASSERT_TRUE (exchange_hex ("0c000000 01000000 08000000 00010000 00000000", -1, ""));
}

/* A connection with these features, a channel and, so that it may speak, a ring that is started. */
static void
begin_with (uint32_t features, unsigned timeout_ms)
{
	struct vh_backend_options o = { .size = sizeof (o), .timeout_ms = timeout_ms };
	char set[128];

	full_device_init (&device);
	answers = answer_err = 0;
	answer_fd = -1;
	memory = memfd_create ("object", MFD_CLOEXEC);
	hex_open (&device.base.device, &o);
	snprintf (set, sizeof (set), "10000000 01000000 08000000 %08x 00000000", htobe32 (htole32 (features)));
	CU_ASSERT_TRUE_FATAL (exchange_hex (set, -1, ""));
	channel = -1;
	if (features & BACKEND_REQ)
		give_channel ();
	start_a_ring ();
}

static void
begin (void)
{
	begin_with (ALL, 0);
}

static void
end (void)
{
	hex_close ();
	if (answer_fd >= 0)
		close (answer_fd);
	if (channel >= 0)
		close (channel);
	close (memory);
}

/* The back-end has asked this, with so many fds? */
static bool
asked (const char *hex, unsigned n_fds)
{
	hex_run ();
	return hex_expect (channel, hex) && hex_fds == n_fds;
}

/* The front-end answers this. */
static void
answer (const char *hex, int fd)
{
	static struct bytes b;

	b.n = 0;
	bytes_hex (&b, hex);
	bytes_send (channel, b.data, b.n, &fd, fd >= 0);
	hex_run ();
}

/* Was there one answer more, and was it this? */
static bool
heard (int n, int err)
{
	return answers == n && answer_err == err;
}

/* --- shared objects --- */

static void
objects_are_added_and_removed (void)
{
	begin ();
	CU_ASSERT_EQUAL (vh_backend_add_object (backend, some_uuid, memory, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("06000000 09000000 10000000 " SOME_UUID, 0));
	CU_ASSERT_EQUAL (answers, 0);
	answer ("06000000 05000000 08000000 00000000 00000000", -1);
	CU_ASSERT_TRUE (heard (1, 0));
	/* It can be asked for, again and again. */
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_TRUE (exchange_hex ("29000000 01000000 10000000 " SOME_UUID, -1, "29000000 05000000 00000000"));
		CU_ASSERT_EQUAL (hex_fds, 1);
	}
	CU_ASSERT_EQUAL (vh_backend_add_object (backend, some_uuid, memory, ANSWERED), -EEXIST);
	CU_ASSERT_EQUAL (vh_backend_remove_object (backend, some_uuid, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("07000000 09000000 10000000 " SOME_UUID, 0));
	answer ("07000000 05000000 08000000 00000000 00000000", -1);
	CU_ASSERT_TRUE (heard (2, 0));
	CU_ASSERT_EQUAL (vh_backend_remove_object (backend, some_uuid, ANSWERED), -ENOENT);
	end ();
}

static void
an_object_that_was_refused_is_not_there (void)
{
	begin ();
	device.object = -ENOENT;
	CU_ASSERT_EQUAL (vh_backend_add_object (backend, some_uuid, memory, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("06000000 09000000 10000000 " SOME_UUID, 0));
	answer ("06000000 05000000 08000000 01000000 00000000", -1);
	CU_ASSERT_TRUE (heard (1, -EREMOTEIO));
	CU_ASSERT_TRUE (exchange_hex ("29000000 01000000 10000000 " SOME_UUID, -1, "29000000 05000000 00000000"));
	CU_ASSERT_EQUAL (hex_fds, 0);
	CU_ASSERT_EQUAL (vh_backend_remove_object (backend, some_uuid, ANSWERED), -ENOENT);
	end ();
}

static void
objects_of_the_devices_own (void)
{
	begin ();
	device.object = memory;
	CU_ASSERT_TRUE (exchange_hex ("29000000 09000000 10000000 " SOME_UUID, -1, "29000000 05000000 00000000"));
	CU_ASSERT_EQUAL (hex_fds, 1);
	CU_ASSERT_EQUAL (memcmp (device.uuid, some_uuid, 16), 0);
	/* It is still the device's. */
	CU_ASSERT_TRUE (fcntl (memory, F_GETFD) >= 0);
	/* QEMU has sent this without the name. */
	CU_ASSERT_TRUE (exchange_hex ("29000000 01000000 00000000", -1, "29000000 05000000 00000000"));
	CU_ASSERT_EQUAL (hex_fds, 0);
	/* A piece of a name is none. */
	CU_ASSERT_TRUE (exchange_hex ("29000000 01000000 04000000 00112233", -1, "29000000 05000000 00000000"));
	CU_ASSERT_EQUAL (hex_fds, 0);
	end ();
}

static void
so_many_objects_and_no_more (void)
{
	uint8_t uuid[16] = { 0 };
	int before, err = 0;

	begin ();
	before = suite_open_fds ();
	for (unsigned i = 0; i < 64 && err == 0; i++) {
		char request[128], reply[64];

		uuid[0] = (uint8_t) i;
		err = vh_backend_add_object (backend, uuid, memory, NULL, NULL);
		snprintf (request, sizeof (request), "06000000 09000000 10000000 %02x000000 00000000 00000000 00000000", i);
		snprintf (reply, sizeof (reply), "06000000 05000000 08000000 00000000 00000000");
		CU_ASSERT_TRUE (asked (request, 0));
		answer (reply, -1);
	}
	CU_ASSERT_EQUAL (err, 0);
	uuid[0] = 64;
	CU_ASSERT_EQUAL (vh_backend_add_object (backend, uuid, memory, ANSWERED), -ENOSPC);
	CU_ASSERT_EQUAL (suite_open_fds (), before + 64);
	CU_ASSERT_EQUAL (vh_backend_add_object (backend, some_uuid, -1, ANSWERED), -EINVAL);
	CU_ASSERT_EQUAL (answers, 0);
	end ();
}

static void
an_object_of_another_device (void)
{
	begin ();
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("08000000 09000000 10000000 " SOME_UUID, 0));
	answer ("08000000 05000000 08000000 00000000 00000000", memory);
	CU_ASSERT_TRUE (heard (1, 0));
	CU_ASSERT_TRUE (answer_fd >= 0);
	/* "No"; and "yes" without anything (QEMU has put the fd elsewhere). */
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("08000000 09000000 10000000 " SOME_UUID, 0));
	answer ("08000000 05000000 08000000 02000000 00000000", -1);
	CU_ASSERT_TRUE (heard (2, -EREMOTEIO));
	CU_ASSERT_EQUAL (answer_fd, -1);
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("08000000 09000000 10000000 " SOME_UUID, 0));
	answer ("08000000 05000000 08000000 00000000 00000000", -1);
	CU_ASSERT_TRUE (heard (3, -EREMOTEIO));
	/* "No", and an fd with it: closed. */
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("08000000 09000000 10000000 " SOME_UUID, 0));
	answer ("08000000 05000000 08000000 02000000 00000000", memory);
	CU_ASSERT_TRUE (heard (4, -EREMOTEIO));
	CU_ASSERT_EQUAL (answer_fd, -1);
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, NULL, NULL), -EINVAL);
	end ();
}

/* --- shared memory --- */

static void
pieces_of_shared_memory (void)
{
	struct vh_shmem_map map = { .id = 3, .flags = VH_SHMEM_WRITABLE, .fd_offset = 0x1000, .offset = 0x20000, .size = 0x3000 };
	struct vh_shmem_map wrong = map;

	begin ();
	CU_ASSERT_EQUAL (vh_backend_map_shmem (backend, &map, memory, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("09000000 09000000 28000000 03000000 00000000 0010000000000000 0000020000000000 0030000000000000 0100000000000000", 1));
	answer ("09000000 05000000 08000000 00000000 00000000", -1);
	CU_ASSERT_TRUE (heard (1, 0));
	CU_ASSERT_EQUAL (vh_backend_unmap_shmem (backend, &map, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("0a000000 09000000 28000000 03000000 00000000 0010000000000000 0000020000000000 0030000000000000 0100000000000000", 0));
	/* rust-vmm answers with a negated errno. */
	answer ("0a000000 05000000 08000000 eaffffff ffffffff", -1);
	CU_ASSERT_TRUE (heard (2, -EREMOTEIO));
	CU_ASSERT_EQUAL (vh_backend_map_shmem (backend, &map, -1, ANSWERED), -EINVAL);
	wrong.size = 0;
	CU_ASSERT_EQUAL (vh_backend_map_shmem (backend, &wrong, memory, ANSWERED), -EINVAL);
	wrong.size = 0x800;
	CU_ASSERT_EQUAL (vh_backend_map_shmem (backend, &wrong, memory, ANSWERED), -EINVAL);
	wrong.size = UINT64_MAX - 0xfff;
	CU_ASSERT_EQUAL (vh_backend_map_shmem (backend, &wrong, memory, ANSWERED), -EINVAL);
	wrong = map;
	wrong.flags = 2;
	CU_ASSERT_EQUAL (vh_backend_unmap_shmem (backend, &wrong, ANSWERED), -EINVAL);
	end ();
}

/* --- host notifiers --- */

static void
host_notifiers (void)
{
	begin ();
	CU_ASSERT_EQUAL (vh_backend_set_host_notifier (backend, 2, memory, 0x5000, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("03000000 09000000 18000000 02000000 00000000 0010000000000000 0050000000000000", 1));
	answer ("03000000 05000000 08000000 00000000 00000000", -1);
	CU_ASSERT_TRUE (heard (1, 0));
	CU_ASSERT_EQUAL (vh_backend_set_host_notifier (backend, 2, -1, 0, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("03000000 09000000 18000000 02010000 00000000 0010000000000000 0000000000000000", 0));
	answer ("03000000 05000000 08000000 01000000 00000000", -1);
	CU_ASSERT_TRUE (heard (2, -EREMOTEIO));
	CU_ASSERT_EQUAL (vh_backend_set_host_notifier (backend, DEVICE_RINGS, memory, 0, ANSWERED), -EINVAL);
	CU_ASSERT_EQUAL (vh_backend_set_host_notifier (backend, 0, memory, 1, ANSWERED), -EINVAL);
	end ();
}

/* --- what must be in force --- */

static void
nothing_that_was_not_negotiated (void)
{
	struct vh_shmem_map map = { .id = 3, .size = 0x1000 };

	/* An fd to the front-end needs BACKEND_SEND_FD. */
	begin_with (ALL & ~SEND_FD, 0);
	CU_ASSERT_EQUAL (vh_backend_map_shmem (backend, &map, memory, ANSWERED), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_backend_set_host_notifier (backend, 0, memory, 0, ANSWERED), -EOPNOTSUPP);
	CU_ASSERT_TRUE (asked ("", 0));
	end ();
	begin_with (ALL & ~(SHMEM | HOST_NOTIFIER | SHARED_OBJECT), 0);
	CU_ASSERT_EQUAL (vh_backend_map_shmem (backend, &map, memory, ANSWERED), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_backend_unmap_shmem (backend, &map, ANSWERED), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_backend_set_host_notifier (backend, 0, memory, 0, ANSWERED), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_backend_add_object (backend, some_uuid, memory, ANSWERED), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), -EOPNOTSUPP);
	CU_ASSERT_TRUE (asked ("", 0));
	end ();
	begin_with (ALL & ~BACKEND_REQ, 0);
	CU_ASSERT_EQUAL (vh_backend_add_object (backend, some_uuid, memory, ANSWERED), -EOPNOTSUPP);
	/* ... and what was not added is not there. */
	CU_ASSERT_EQUAL (vh_backend_remove_object (backend, some_uuid, ANSWERED), -ENOENT);
	CU_ASSERT_EQUAL (answers, 0);
	end ();
}

static void
without_reply_ack_nothing_is_waited_for (void)
{
	struct vh_shmem_map map = { .id = 3, .size = 0x1000 };

	begin_with (ALL & ~REPLY_ACK, 0);
	CU_ASSERT_EQUAL (vh_backend_map_shmem (backend, &map, memory, ANSWERED), 0);
	CU_ASSERT_TRUE (heard (1, 0));
	CU_ASSERT_EQUAL (vh_backend_unmap_shmem (backend, &map, ANSWERED), 0);
	CU_ASSERT_TRUE (heard (2, 0));
	CU_ASSERT_TRUE (asked ("09000000 01000000 28000000 03000000 00000000 0000000000000000 0000000000000000 0010000000000000 0000000000000000", 1));
	CU_ASSERT_TRUE (asked ("0a000000 01000000 28000000 03000000 00000000 0000000000000000 0000000000000000 0010000000000000 0000000000000000", 0));
	/* A lookup is answered in any case. */
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("08000000 09000000 10000000 " SOME_UUID, 0));
	CU_ASSERT_TRUE (heard (2, 0));
	answer ("08000000 05000000 08000000 00000000 00000000", memory);
	CU_ASSERT_TRUE (heard (3, 0));
	CU_ASSERT_TRUE (answer_fd >= 0);
	end ();
}

/* --- order --- */

static void
one_at_a_time (void)
{
	begin ();
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), 0);
	CU_ASSERT_EQUAL (vh_backend_set_host_notifier (backend, 0, -1, 0, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("08000000 09000000 10000000 " SOME_UUID, 0));
	/* The front-end may be waiting for us, too: it is served. */
	CU_ASSERT_TRUE (exchange_hex ("0b000000 01000000 08000000 03000000 00000000", -1, "0b000000 05000000 08000000 03000000 00000000"));
	CU_ASSERT_TRUE (asked ("", 0));
	answer ("08000000 05000000 08000000 01000000 00000000", -1);
	CU_ASSERT_TRUE (asked ("03000000 09000000 18000000 00010000 00000000 0010000000000000 0000000000000000", 0));
	answer ("03000000 05000000 08000000 00000000 00000000", -1);
	CU_ASSERT_TRUE (heard (2, 0));
	end ();
}

static void
so_many_may_wait (void)
{
	begin ();
	/* One is asked, 64 wait. */
	for (unsigned i = 0; i < 65; i++)
		CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), 0);
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), -EBUSY);
	for (unsigned i = 0; i < 65; i++) {
		CU_ASSERT_TRUE (asked ("08000000 09000000 10000000 " SOME_UUID, 0));
		answer ("08000000 05000000 08000000 01000000 00000000", -1);
	}
	CU_ASSERT_TRUE (heard (65, -EREMOTEIO));
	CU_ASSERT_TRUE (asked ("", 0));
	end ();
}

/* --- a device whose rings are all stopped is suspended --- */

static void
a_suspended_device_says_nothing (void)
{
	begin ();
	CU_ASSERT_TRUE (exchange_hex ("0b000000 01000000 08000000 00000000 00000000", -1, "0b000000 05000000 08000000 00000000 00000000"));
	CU_ASSERT_EQUAL (vh_backend_add_object (backend, some_uuid, memory, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("", 0));
	/* What the front-end asks is answered. */
	CU_ASSERT_TRUE (exchange_hex ("29000000 01000000 10000000 " SOME_UUID, -1, "29000000 05000000 00000000"));
	CU_ASSERT_EQUAL (hex_fds, 1);
	start_a_ring ();
	CU_ASSERT_TRUE (asked ("06000000 09000000 10000000 " SOME_UUID, 0));
	answer ("06000000 05000000 08000000 00000000 00000000", -1);
	CU_ASSERT_TRUE (heard (1, 0));
	end ();
}

/* --- answers that are none --- */

static void
wrong_answer (const char *hex, int fd, int err)
{
	ssize_t end_of;
	uint8_t byte;

	begin ();
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), 0);
	CU_ASSERT_EQUAL (vh_backend_add_object (backend, some_uuid, memory, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("08000000 09000000 10000000 " SOME_UUID, 0));
	answer (hex, fd);
	/* Both are told: the one that was asked and the one that waited. */
	CU_ASSERT_EQUAL (first_err, err);
	CU_ASSERT_TRUE (heard (2, -ECONNRESET));
	CU_ASSERT_TRUE (exchange_hex ("0b000000 01000000 08000000 03000000 00000000", -1, "0b000000 05000000 08000000 03000000 00000000"));
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), -EOPNOTSUPP);
	/* Closed; with something unread, it is a reset. */
	end_of = bytes_receive (channel, &byte, 1, NULL, NULL);
	CU_ASSERT_TRUE (end_of == 0 || end_of == -ECONNRESET);
	end ();
}

static void
wrong_answers_close_the_channel_alone (void)
{
	wrong_answer ("06000000 05000000 08000000 00000000 00000000", -1, -EPROTO);	/* to another request */
	wrong_answer ("08000000 0d000000 08000000 00000000 00000000", -1, -EPROTO);	/* NEED_REPLY in an answer */
	wrong_answer ("08000000 01000000 08000000 00000000 00000000", -1, -EPROTO);	/* no answer at all */
	wrong_answer ("08000000 05000000 00000000", -1, -EBADMSG);
	wrong_answer ("08000000 05000000 04000000 00000000", -1, -EBADMSG);
	wrong_answer ("08000000 05000000 10000000 00000000 00000000 00000000 00000000", -1, -EBADMSG);
	wrong_answer ("08000000 06000000 08000000 00000000 00000000", -1, -EBADMSG);	/* another version */
}

/* The front-end has the channel's description, too, so it is still readable when ours is closed: nobody may be watching it. */
static void
a_channel_that_the_front_end_keeps (void)
{
	int pair[2];

	begin ();
	CU_ASSERT_EQUAL_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	bytes_send (far_end, "\x15\0\0\0\1\0\0\0\0\0\0\0", 12, &pair[1], 1);
	hex_run ();
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), 0);
	hex_run ();
	CU_ASSERT_EQUAL (send (pair[0], "\6\0\0\0\5\0\0\0\0\0\0\0", 12, MSG_NOSIGNAL), 12);
	hex_run ();
	CU_ASSERT_TRUE (heard (1, -EPROTO));
	CU_ASSERT_EQUAL (send (pair[0], "more", 4, MSG_NOSIGNAL), 4);
	hex_run ();
	CU_ASSERT_TRUE (exchange_hex ("0b000000 01000000 08000000 03000000 00000000", -1, "0b000000 05000000 08000000 03000000 00000000"));
	close (pair[0]);
	close (pair[1]);
	end ();
}

static void
an_fd_that_nobody_asked_for (void)
{
	int before;

	begin ();
	before = suite_open_fds ();
	CU_ASSERT_EQUAL (vh_backend_set_host_notifier (backend, 0, -1, 0, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("03000000 09000000 18000000 00010000 00000000 0010000000000000 0000000000000000", 0));
	answer ("03000000 05000000 08000000 00000000 00000000", memory);
	CU_ASSERT_TRUE (heard (1, -EBADMSG));
	CU_ASSERT_EQUAL (suite_open_fds (), before - 1);	/* the channel */
	end ();
}

static void
no_answer_at_all (void)
{
	begin_with (ALL, 20);
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), 0);
	for (unsigned i = 0; i < 1000 && answers == 0; i++)
		vh_backend_dispatch (backend, 10);
	CU_ASSERT_TRUE (heard (1, -ETIMEDOUT));
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), -EOPNOTSUPP);
	/* The connection goes on, and a new channel is used. */
	close (channel);
	give_channel ();
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), 0);
	CU_ASSERT_TRUE (asked ("08000000 09000000 10000000 " SOME_UUID, 0));
	answer ("08000000 05000000 08000000 00000000 00000000", memory);
	CU_ASSERT_TRUE (heard (2, 0));
	end ();
}

static void
the_end_answers_all (void)
{
	begin ();
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), 0);
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), 0);
	shutdown (far_end, SHUT_RDWR);
	hex_run ();
	CU_ASSERT_EQUAL (result, 0);
	CU_ASSERT_TRUE (heard (2, -ECONNRESET));
	CU_ASSERT_EQUAL (vh_backend_lookup_object (backend, some_uuid, ANSWERED), -ECONNRESET);
	end ();
}

static void
fds_are_where_they_were (void)
{
	int before = suite_open_fds ();

	objects_are_added_and_removed ();
	an_object_of_another_device ();
	pieces_of_shared_memory ();
	so_many_objects_and_no_more ();
	the_end_answers_all ();
	CU_ASSERT_EQUAL (suite_open_fds (), before);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "SHARED_OBJECT_ADD, SHARED_OBJECT_REMOVE, GET_SHARED_OBJECT", objects_are_added_and_removed },
		{ "an object that was refused is not there", an_object_that_was_refused_is_not_there },
		{ "GET_SHARED_OBJECT, objects of the device's own", objects_of_the_devices_own },
		{ "so many objects and no more", so_many_objects_and_no_more },
		{ "SHARED_OBJECT_LOOKUP", an_object_of_another_device },
		{ "SHMEM_MAP, SHMEM_UNMAP", pieces_of_shared_memory },
		{ "VRING_HOST_NOTIFIER_MSG", host_notifiers },
		{ "nothing that was not negotiated", nothing_that_was_not_negotiated },
		{ "without REPLY_ACK nothing is waited for", without_reply_ack_nothing_is_waited_for },
		{ "one at a time", one_at_a_time },
		{ "so many may wait", so_many_may_wait },
		{ "a suspended device says nothing", a_suspended_device_says_nothing },
		{ "wrong answers close the channel, alone", wrong_answers_close_the_channel_alone },
		{ "a channel that the front-end keeps", a_channel_that_the_front_end_keeps },
		{ "an fd that nobody asked for", an_fd_that_nobody_asked_for },
		{ "no answer at all", no_answer_at_all },
		{ "the end answers all", the_end_answers_all },
		{ "fds are where they were", fds_are_where_they_were },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("what the back-end asks", tests);
}
