/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the bytes of an input of fuzz-messages mean: a row of steps, each a byte that says which (modulo their number) and the bytes that it takes.
 * Where an input ends in the middle of a step, what is missing are zeroes.
 */
#ifndef FUZZ_MESSAGES_INPUT_H
#define FUZZ_MESSAGES_INPUT_H

enum step {
	STEP_MESSAGE,	/* id, flags, fds, excess, n, then n bytes of body; see below */
	STEP_BYTES,	/* n, then n bytes for the socket, as they are */
	STEP_MEMORY,	/* offset (two bytes, low one first), n, then n bytes for the guest's memory */
	STEP_KICK,	/* which eventfd */
	STEP_HOLD,	/* the device keeps the requests that it takes from here on, or (even number) does not */
	STEP_RELEASE,	/* the device gives back so many */
	STEP_CUT,	/* the guest's memory is cut off at so many pages */
	STEP_CHANGED,	/* the device says that its configuration changed */
	STEP_ASK,	/* which: the device asks the front-end for something */
	STEP_ANSWER,	/* n, fds, then n bytes: from the far end of the stream socket, which may be the channel, or the way to a device's state */
	STEPS
};

/* id: 255 stands for 0xffffffff.  flags: the lowest byte of the header's.  excess: the header's size is n and this, as a signed byte. */

/* fds: the kind in the lowest three bits; how many in the rest. */
enum fd_kind {
	FD_MEMORY,	/* the guest's memory, MEMORY_SIZE bytes */
	FD_EVENT,	/* one of EVENTS eventfds, the next one each time */
	FD_SMALL,	/* another file, of one page */
	FD_PIPE,	/* a pipe that nobody reads */
	FD_STREAM,	/* a stream socket whose other end nobody reads */
	FD_READ_ONLY,	/* the guest's memory, open for reading */
	FD_EPOLL,
	FD_SOCKET,	/* the front-end's end of the connection itself */
	FD_KINDS
};

#define MEMORY_SIZE 0x10000u
#define PAGE 0x1000u
#define EVENTS 4u

#endif
