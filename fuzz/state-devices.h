/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The devices whose streams fuzz-state loads: those of the device programs, small, and with nobody behind them.
 */
#ifndef FUZZ_STATE_DEVICES_H
#define FUZZ_STATE_DEVICES_H

#include <stddef.h>
#include <stdint.h>

#include <vhost/backend.h>

struct state_device {
	const char *name;
	const struct vh_device *(*make) (void);
	/* Gives it values that it has not when it is made.  If NULL, then nobody can but a guest. */
	void (*use) (const struct vh_device *);
	/* Is what it has taken over something that it can go on with?  wrong () otherwise.  If NULL, then anything is. */
	void (*check) (const struct vh_device *);
};

extern const struct state_device state_disk, state_read_only_disk, state_net, state_net_with_mac, state_vsock, state_console, state_ports;

/* All of them. */
#define STATE_DEVICES 7u
extern const struct state_device *const state_devices[STATE_DEVICES];

/* Made when it is first asked for; it stays until the program ends. */
const struct vh_device *state_device_get (unsigned which);

/* Its stream, as it is saved in one piece.  Returns the size. */
size_t state_of (const struct vh_device *, uint8_t *ret, size_t room);

/*
 * An input begins with three bytes: which device; how many bytes of the stream come at once, STATE_PIECES times, before all that is left does (0: all comes at
 * once); and what the front-end does.  The rest is the stream.
 */
#define STATE_PIECES 64
enum ending {
	ENDING_CHECK,		/* it ends it, and asks how it went */
	ENDING_EARLY_CHECK,	/* it asks at once, and ends it then */
	ENDING_AGAIN,		/* it hands over half of it, and then another one that is whole */
	ENDING_HANG_UP,		/* it goes away before the end */
	ENDINGS
};

#endif
