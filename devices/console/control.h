/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control queues of a console with several ports (virtio 1.2, 5.3.6.2): which ports there are, what they are called, who has opened them.
 *
 * What the guest is to be told is noted by port, not in a list: so a guest that does not read it costs nothing.
 */
#ifndef CONSOLE_CONTROL_H
#define CONSOLE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/virtio_console.h>
#include <sys/uio.h>

/* Ports of a device: each has two queues and there are two more. */
#define CONTROL_MAX_PORTS 64

/* Longest name of a port. */
#define CONTROL_MAX_NAME 128

struct control_port {
	const char *name;	/* NULL: it is a console */
	unsigned owes;		/* what the guest is to be told: a bit for each event */
	bool added;		/* the guest has it */
	bool host_open;		/* somebody of the host is there */
	bool guest_open;
};

struct control {
	struct control_port ports[CONTROL_MAX_PORTS];
	unsigned n_ports;
	unsigned next;		/* whose turn it is to be told of */
	uint64_t bad;		/* messages of the guest that are against the rules */
};

/* The driver begins: it has no ports yet, and says when it wants to hear of them. */
void control_reset (struct control *);

/* It goes on with ports that it had from an earlier back-end: as if all of them had been opened. */
void control_resume (struct control *);

/* Somebody of the host came or went. */
void control_set_host (struct control *, unsigned port, bool open);

/* A message of the guest, in parts.  Returns the port that it opened or closed; -1: none. */
int control_receive (struct control *, const struct iovec *parts, unsigned n);

/* Is there a message for the guest? */
bool control_has_message (const struct control *);

/* Writes the next message into `buffer`, which has room for the longest.  Returns its size; 0: there is none. */
#define CONTROL_MAX_MESSAGE (sizeof (struct virtio_console_control) + CONTROL_MAX_NAME)
size_t control_produce (struct control *, uint8_t *buffer);

#endif
