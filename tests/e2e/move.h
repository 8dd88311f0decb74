/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device state, as a front-end has it moved.
 */
#ifndef E2E_MOVE_H
#define E2E_MOVE_H

#include "driver.h"

/*
 * Takes a driver from one back-end to another, as a migration does: its rings stop, the device's state goes from process to process, and the rings go on.
 * 0; a negative errno with words in d->failed.  When the state was refused, -EREMOTEIO, and the driver is where it was, stopped.
 */
int move_driver (struct driver *, const char *socket, int patience_ms);

/* The same without the state: the back-end has forgotten it, or another one has taken its place. */
int reconnect_driver (struct driver *, const char *socket, int patience_ms);

#endif
