/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device with every callback; see full-device.h.
 */
#include "full-device.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int
full_send_rarp (void *opaque, const uint8_t mac[6])
{
	struct full_device *d = opaque;

	memcpy (d->mac, mac, sizeof (d->mac));
	return d->answer;
}

static int
full_set_mtu (void *opaque, unsigned mtu)
{
	struct full_device *d = opaque;

	d->mtu = mtu;
	return d->answer;
}

static int
full_set_status (void *opaque, uint8_t status)
{
	struct full_device *d = opaque;

	d->status = status;
	return d->answer < 0 ? d->answer : d->status_answer < 0 ? status : d->status_answer;
}

static int
full_create_crypto_session (void *opaque, const struct vh_crypto_session *session, int64_t *id)
{
	struct full_device *d = opaque;

	d->session = *session;
	*id = d->session_id;
	return d->answer;
}

static int
full_close_crypto_session (void *opaque, int64_t id)
{
	struct full_device *d = opaque;

	d->closed_session = id;
	return d->answer;
}

static int
full_get_shmem_config (void *opaque, uint64_t sizes[VH_MAX_SHMEM])
{
	struct full_device *d = opaque;

	sizes[3] = d->shmem_size;
	sizes[255] = 0x1000;
	return d->answer;
}

static int
full_get_object (void *opaque, const uint8_t uuid[VH_UUID_SIZE])
{
	struct full_device *d = opaque;

	memcpy (d->uuid, uuid, VH_UUID_SIZE);
	return d->answer < 0 ? d->answer : d->object;
}

static int
full_set_gpu_socket (void *opaque, int fd)
{
	struct full_device *d = opaque;

	if (d->answer < 0)
		return d->answer;
	full_device_close (d);
	d->gpu_socket = fd;
	return 0;
}

static int
full_state_save (void *opaque, uint64_t offset, void *buf, size_t size)
{
	struct full_device *d = opaque;
	size_t n = d->state_size - offset < size ? d->state_size - offset : size;

	d->save_calls++;
	memcpy (buf, d->state + offset, n);
	return d->answer < 0 ? d->answer : (int) n;
}

static int
full_state_load (void *opaque, uint64_t offset, const void *buf, size_t size)
{
	struct full_device *d = opaque;

	if (d->answer < 0 && size == 0)
		return d->answer;
	if (offset == 0)
		d->loaded = 0;
	if (offset != d->loaded || size > sizeof (d->loading) - d->loaded)
		return -EINVAL;
	memcpy (d->loading + offset, buf, size);
	d->loaded += size;
	if (size > 0)
		return 0;
	memcpy (d->state, d->loading, d->loaded);
	d->state_size = d->loaded;
	d->loads++;
	return 0;
}

void
full_device_init (struct full_device *d)
{
	memset (d, 0, sizeof (*d));
	test_device_init (&d->base);
	d->gpu_socket = d->status_answer = -1;
	d->shmem_size = 0x200000;
	d->base.device.protocol_features = UINT64_MAX;
	d->base.ops.send_rarp = full_send_rarp;
	d->base.ops.set_mtu = full_set_mtu;
	d->base.ops.set_status = full_set_status;
	d->base.ops.create_crypto_session = full_create_crypto_session;
	d->base.ops.close_crypto_session = full_close_crypto_session;
	d->base.ops.get_shmem_config = full_get_shmem_config;
	d->base.ops.get_object = full_get_object;
	d->base.ops.set_gpu_socket = full_set_gpu_socket;
	d->base.ops.state_save = full_state_save;
	d->base.ops.state_load = full_state_load;
}

void
full_device_close (struct full_device *d)
{
	if (d->gpu_socket >= 0)
		close (d->gpu_socket);
	d->gpu_socket = -1;
}
