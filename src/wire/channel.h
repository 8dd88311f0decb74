/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A channel: messages over a connected stream socket.  It reads exactly a header, with its fds, and then exactly its body, so that the fds of the next
 * message stay with that message; it continues after partial reads and writes; it never blocks.  Deadlines are the user's: channel_busy says whether a
 * message is half-way.
 */
#ifndef WIRE_CHANNEL_H
#define WIRE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/message.h"

struct channel {
	int fd;				/* the channel's; -1: closed */
	struct message in;		/* the message that is arriving */
	size_t in_got;			/* bytes of header and body that are here */
	uint8_t in_header[MESSAGE_HEADER_SIZE];
	struct message out;		/* the message that is leaving, header included below */
	size_t out_sent;		/* bytes of header and body that have left; out_total: idle */
	size_t out_total;
	bool ended;			/* the peer closed between two messages */
};

/* Takes the fd. */
void channel_init (struct channel *, int fd);

/* Closes the socket and the fds of messages on their way.  Harmless on a closed channel. */
void channel_close (struct channel *);

/*
 * Reads on.  1: *ret is a whole message, valid until the next call, and its fds are the receiver's to take (what is left is closed by the next call);
 * -EAGAIN: not yet; -ECONNRESET: the peer is gone (`ended` tells whether between messages); -EBADMSG: version, size or number of fds is out of bounds
 * (MSG_CTRUNC included), nothing more can be read.  Checks: version 1, size at most MESSAGE_MAX_BODY.
 */
int channel_receive (struct channel *, struct message **ret);

/*
 * The same for a message whose body is known to have at least `least` bytes: these are read in one go with the header.  -EBADMSG also for a smaller one.
 */
int channel_receive_answer (struct channel *, size_t least, struct message **ret);

/*
 * Sends a message; fds are borrowed (duplicated when the message cannot leave at once).  0: it left, or it waits in the channel and channel_flush is due when
 * the socket is writable (channel_sending).  -EBUSY: one waits already.  -ECONNRESET.  Never raises SIGPIPE.
 */
int channel_send (struct channel *, const struct message *);

/* Goes on sending.  0: all left; -EAGAIN; -ECONNRESET. */
int channel_flush (struct channel *);

/* Is a message waiting to leave? */
static inline bool
channel_sending (const struct channel *c)
{
	return c->out_sent < c->out_total;
}

/* Has a message arrived in part, or not left in whole? */
static inline bool
channel_busy (const struct channel *c)
{
	return c->in_got > 0 || channel_sending (c);
}

/* Waits for poll(2) events until `deadline` (clock_ms; -1: no limit).  0, -ETIMEDOUT, or a negative errno. */
int channel_wait (const struct channel *, short events, int64_t deadline);

#endif
