/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A channel: messages over a connected stream socket, in whole, each with its own fds; it continues after partial reads and writes; it never blocks.
 * Deadlines are the user's: channel_busy says whether a message is half-way.
 */
#ifndef WIRE_CHANNEL_H
#define WIRE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/message.h"

/*
 * Bytes that are read in one go with a header.  Most bodies are as long, or there is none; and no whole message can be among them, so when a message has
 * been received nothing waits here that the socket's readiness would not tell.
 */
#define CHANNEL_AHEAD 8
_Static_assert (CHANNEL_AHEAD < MESSAGE_HEADER_SIZE, "what is read ahead is no whole message");

struct channel {
	int fd;				/* the channel's; -1: closed */
	const struct message_row *(*row) (uint32_t id);	/* of the requests that arrive; NULL: answers do */
	struct message in;		/* the message that is arriving, or was received last */
	size_t in_got;			/* bytes of header and body of the one that is arriving that are here */
	bool received;			/* these are still in `ahead`, for `in` is valid until the next call */
	struct {
		uint8_t bytes[CHANNEL_AHEAD];
		unsigned n_fds;
		int fds[MESSAGE_MAX_FDS];
	} ahead;
	struct message out;		/* the message that is leaving */
	size_t out_sent;		/* bytes of header and body that have left; out_total: idle */
	size_t out_total;
	bool ended;			/* the peer closed between two messages */
};

/* Takes the fd.  row: what looks a request up, if requests are what arrives. */
void channel_init (struct channel *, int fd, const struct message_row *(*row) (uint32_t id));

/* Closes the socket and the fds of messages on their way.  Harmless on a closed channel. */
void channel_close (struct channel *);

/*
 * Reads on.  1: *ret is a whole message, valid until the next call, and its fds are the receiver's to take (what is left is closed by the next call);
 * -EAGAIN: not yet; -ECONNRESET: the peer is gone (`ended` tells whether between messages); -EBADMSG: version, size or number of fds is out of bounds
 * (MSG_CTRUNC included), nothing more can be read.  Checks: version 1, size at most MESSAGE_MAX_BODY.
 */
int channel_receive (struct channel *, struct message **ret);

/*
 * The same for an answer: up to `most` bytes of body are read in one go with the header.  What is behind the answer among them nobody asked for: -EBADMSG.
 * So `most` is the least that the body can have when other answers may follow.
 */
int channel_receive_answer (struct channel *, size_t most, struct message **ret);

/* Nobody asked for anything, so nothing may be here.  0; -EPROTO: there is something; -ECONNRESET: the peer is gone. */
int channel_check_silence (const struct channel *);

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
