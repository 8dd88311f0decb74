/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Error codes.  Every call of this library that can fail returns 0 or a positive number on success and a negative errno on failure; errno itself is
 * never an output.  One code has one meaning:
 *
 *	-EINVAL		the caller's argument is wrong
 *	-ENOMEM		no memory, or a limit of the process
 *	-EBADMSG	the peer sent malformed bytes
 *	-EPROTO		the peer acted against the protocol's order
 *	-EOPNOTSUPP	a feature that was not negotiated
 *	-ENOSYS		an unknown request
 *	-ECONNRESET	the peer is gone
 *	-EREMOTEIO	the peer answered "failed"
 *	-EFAULT		outside guest memory
 *	-ETIMEDOUT	the peer was too slow
 *	-EAGAIN		would block: wait for the object's fd and try again
 *	-EBUSY		already in use
 *	-ESRCH		the guest is gone
 *
 * Failures of system calls come through with the system's own code.  The words for what went wrong live in the object: see vh_backend_error and its like.
 */
#ifndef VHOST_ERROR_H
#define VHOST_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * The meaning of an error code in a few words.
 * err: what a call returned, negative or its absolute value.  Returns a constant string, never NULL; it needs no release.  Any thread.
 */
const char *vh_strerror (int err);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
