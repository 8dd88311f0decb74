/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An open vhost device: opening it, asking it, and the requests that concern the whole device.
 */
#include <errno.h>
#include <linux/ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/call.h"
#include "kernel/kernel.h"

/* The kernel's own code for "not supported", which some drivers let out (include/linux/errno.h). */
#define KERNEL_ENOTSUPP 524

/* --- asking --- */

/* A device that does not have a request says so in several ways: see struct kernel_row. */
static bool
is_missing (const struct kernel_row *row, int err)
{
	if (err == -KERNEL_ENOTSUPP)
		return true;
	if (!row->optional)
		return false;
	return err == -ENOTTY || (err == -ENOBUFS && !row->ring) || (err == -EFAULT && _IOC_SIZE (row->number) == 0);
}

int
kernel_refuse (struct vh_kernel *k, enum kernel_request request, int err, const char *why)
{
	return error_words (&k->error, err, "%s: %s", kernel_rows[request].name, why);
}

int
kernel_request (struct vh_kernel *k, enum kernel_request request, void *argument)
{
	const struct kernel_row *row = &kernel_rows[request];
	int err = kernel_ioctl (k->fd, row->number, argument);
	const char *words;

	if (err >= 0)
		return err;
	if (is_missing (row, err))
		err = -EOPNOTSUPP;
	words = kernel_words (request, err);
	return words ? kernel_refuse (k, request, err, words) : error_set (&k->error, err, "%s", row->name);
}

int
kernel_set_u64 (struct vh_kernel *k, enum kernel_request request, uint64_t value)
{
	return kernel_request (k, request, &value);
}

/* Zero first: a kernel without the request takes it for one about ring 0, and says that it does not know it. */
int
kernel_get_u64 (struct vh_kernel *k, enum kernel_request request, uint64_t *ret)
{
	uint64_t value = 0;
	int err = kernel_request (k, request, &value);

	if (err >= 0)
		*ret = value;
	return err;
}

int
kernel_set_u32 (struct vh_kernel *k, enum kernel_request request, uint32_t value)
{
	return kernel_request (k, request, &value);
}

int
kernel_get_u32 (struct vh_kernel *k, enum kernel_request request, uint32_t *ret)
{
	uint32_t value = 0;
	int err = kernel_request (k, request, &value);

	if (err >= 0)
		*ret = value;
	return err;
}

int
kernel_set_state (struct vh_kernel *k, enum kernel_request request, unsigned index, uint32_t num)
{
	struct vring_state s = { .index = index, .num = num };

	return kernel_request (k, request, &s);
}

int
kernel_get_state (struct vh_kernel *k, enum kernel_request request, unsigned index, uint32_t *ret)
{
	struct vring_state s = { .index = index };
	int err = kernel_request (k, request, &s);

	if (err >= 0)
		*ret = s.num;
	return err;
}

int
kernel_set_file (struct vh_kernel *k, enum kernel_request request, unsigned ring, int fd)
{
	struct vring_file f = { .index = ring, .fd = fd < 0 ? -1 : fd };

	return kernel_request (k, request, &f);
}

/* --- the object --- */

int
vh_kernel_new (int fd, const char *name, const struct vh_log *log, struct vh_kernel **ret)
{
	struct vh_kernel *k;

	if (fd < 0)
		return -EINVAL;
	k = calloc (1, sizeof (*k));
	if (!k)
		return -ENOMEM;
	error_init (&k->error, log, name);
	k->fd = fd;
	*ret = k;
	return 0;
}

static const char *
open_words (int err)
{
	switch (-err) {
	case ENOENT:
		return "there is no such device (is its kernel module loaded?)";
	case ENXIO:
	case ENODEV:
		return "there is no driver for this device (is its kernel module there?)";
	case EACCES:
	case EPERM:
		return "no permission to open it";
	case EBUSY:
		return "somebody else has it open";
	case ENOTTY:
		return "not a vhost device";
	default:
		return vh_strerror (err);
	}
}

/* Every vhost device answers this before it has an owner, and nothing else does. */
static int
check_device (struct vh_kernel *k)
{
	uint64_t features;
	int err = kernel_get_u64 (k, KERNEL_GET_FEATURES, &features);

	return err == -EINVAL || err == -EOPNOTSUPP ? -ENOTTY : err;
}

static int
open_device (const char *path, const struct vh_log *log, struct vh_kernel **ret)
{
	struct vh_kernel *k;
	int fd = kernel_open (path);
	int err;

	if (fd < 0)
		return fd;
	err = vh_kernel_new (fd, path, log, &k);
	if (err < 0) {
		close (fd);
		return err;
	}
	err = check_device (k);
	if (err < 0) {
		vh_kernel_free (k);
		return err;
	}
	*ret = k;
	return 0;
}

int
vh_kernel_open (const char *path, const struct vh_log *log, struct vh_kernel **ret, char *failed, size_t size)
{
	int err = open_device (path, log, ret);

	if (err < 0 && failed)
		snprintf (failed, size, "%s: %s", path, open_words (err));
	return err;
}

void
vh_kernel_free (struct vh_kernel *k)
{
	if (!k)
		return;
	close (k->fd);
	free (k);
}

int
vh_kernel_fd (const struct vh_kernel *k)
{
	return k->fd;
}

const char *
vh_kernel_error (const struct vh_kernel *k)
{
	return k->error.text;
}

/* --- features --- */

int
vh_kernel_get_features (struct vh_kernel *k, uint64_t *ret)
{
	return kernel_get_u64 (k, KERNEL_GET_FEATURES, ret);
}

int
vh_kernel_set_features (struct vh_kernel *k, uint64_t features)
{
	return kernel_set_u64 (k, KERNEL_SET_FEATURES, features);
}

/* The argument with n words; on failure the caller's words stay. */
static int
request_array (struct vh_kernel *k, enum kernel_request request, uint64_t *words, unsigned n, bool get)
{
	union {
		struct features_array array;
		uint64_t bytes[1 + VH_FEATURE_WORDS];
	} a = { .array.count = n };
	int err;

	if (n < 1 || n > VH_FEATURE_WORDS)
		return kernel_refuse (k, request, -EINVAL, "not a number of words");
	for (unsigned i = 0; !get && i < n; i++)
		a.bytes[1 + i] = words[i];
	err = kernel_request (k, request, &a);
	for (unsigned i = 0; get && err >= 0 && i < n; i++)
		words[i] = a.bytes[1 + i];
	return err;
}

int
vh_kernel_get_features_array (struct vh_kernel *k, uint64_t *words, unsigned n)
{
	return request_array (k, KERNEL_GET_FEATURES_ARRAY, words, n, true);
}

int
vh_kernel_set_features_array (struct vh_kernel *k, const uint64_t *words, unsigned n)
{
	return request_array (k, KERNEL_SET_FEATURES_ARRAY, (uint64_t *) words, n, false);
}

int
vh_kernel_get_backend_features (struct vh_kernel *k, uint64_t *ret)
{
	return kernel_get_u64 (k, KERNEL_GET_BACKEND_FEATURES, ret);
}

int
vh_kernel_set_backend_features (struct vh_kernel *k, uint64_t features)
{
	int err = kernel_set_u64 (k, KERNEL_SET_BACKEND_FEATURES, features);

	if (err >= 0)
		k->backend_features = features;
	return err;
}

uint64_t
vh_kernel_backend_features (const struct vh_kernel *k)
{
	return k->backend_features;
}

/* --- owner --- */

int
vh_kernel_set_owner (struct vh_kernel *k)
{
	return kernel_request (k, KERNEL_SET_OWNER, NULL);
}

int
vh_kernel_reset_owner (struct vh_kernel *k)
{
	return kernel_request (k, KERNEL_RESET_OWNER, NULL);
}

int
vh_kernel_get_fork_from_owner (struct vh_kernel *k, unsigned *ret)
{
	/* A kernel without it reads a whole ring index. */
	union {
		uint8_t value;
		uint32_t index;
	} a = { .index = 0 };
	int err = kernel_request (k, KERNEL_GET_FORK_FROM_OWNER, &a);

	if (err >= 0)
		*ret = a.value;
	return err;
}

int
vh_kernel_set_fork_from_owner (struct vh_kernel *k, unsigned fork)
{
	union {
		uint8_t value;
		uint32_t index;
	} a = { .index = 0 };

	if (fork > UINT8_MAX)
		return kernel_refuse (k, KERNEL_SET_FORK_FROM_OWNER, -EINVAL, "neither 0 nor 1");
	a.value = fork;
	return kernel_request (k, KERNEL_SET_FORK_FROM_OWNER, &a);
}
