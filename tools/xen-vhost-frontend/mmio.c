/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Registers of a virtio-mmio device; see mmio.h.
 */
#include <string.h>

#include "mmio.h"

/* "virt", little-endian. */
#define MAGIC 0x74726976u
#define MMIO_VERSION 2u
/* Shown to the driver, which has no use for it: "LVHO". */
#define VENDOR 0x4f48564cu

enum {
	REG_MAGIC_VALUE = 0x000,
	REG_VERSION = 0x004,
	REG_DEVICE_ID = 0x008,
	REG_VENDOR_ID = 0x00c,
	REG_DEVICE_FEATURES = 0x010,
	REG_DEVICE_FEATURES_SEL = 0x014,
	REG_DRIVER_FEATURES = 0x020,
	REG_DRIVER_FEATURES_SEL = 0x024,
	REG_QUEUE_SEL = 0x030,
	REG_QUEUE_SIZE_MAX = 0x034,
	REG_QUEUE_SIZE = 0x038,
	REG_QUEUE_READY = 0x044,
	REG_QUEUE_NOTIFY = MMIO_QUEUE_NOTIFY,
	REG_INTERRUPT_STATUS = 0x060,
	REG_INTERRUPT_ACK = 0x064,
	REG_STATUS = 0x070,
	REG_QUEUE_DESC_LOW = 0x080,
	REG_QUEUE_DESC_HIGH = 0x084,
	REG_QUEUE_DRIVER_LOW = 0x090,
	REG_QUEUE_DRIVER_HIGH = 0x094,
	REG_QUEUE_DEVICE_LOW = 0x0a0,
	REG_QUEUE_DEVICE_HIGH = 0x0a4,
	REG_SHM_LEN_LOW = 0x0b0,
	REG_SHM_LEN_HIGH = 0x0b4,
	REG_SHM_BASE_LOW = 0x0b8,
	REG_SHM_BASE_HIGH = 0x0bc,
	REG_CONFIG_GENERATION = 0x0fc,
};

static const struct mmio_queue *
selected (const struct mmio *m)
{
	return m->queue_sel < m->queues ? &m->queue[m->queue_sel] : NULL;
}

static uint32_t
half (uint64_t value, uint32_t which)
{
	return which == 0 ? (uint32_t) value : which == 1 ? value >> 32 : 0;
}

static void
set_half (uint64_t *value, uint32_t which, uint32_t bits)
{
	if (which == 0)
		*value = (*value & ~UINT64_C (0xffffffff)) | bits;
	else if (which == 1)
		*value = (*value & 0xffffffff) | (uint64_t) bits << 32;
}

/* --- reading --- */

static uint64_t
read_config (const struct mmio *m, unsigned offset, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size && offset + i < m->config_size; i++)
		value |= (uint64_t) m->config[offset + i] << 8 * i;
	return value;
}

static uint32_t
read_register (const struct mmio *m, unsigned offset)
{
	const struct mmio_queue *q = selected (m);

	switch (offset) {
	case REG_MAGIC_VALUE:
		return MAGIC;
	case REG_VERSION:
		return MMIO_VERSION;
	case REG_DEVICE_ID:
		return m->device_id;
	case REG_VENDOR_ID:
		return VENDOR;
	case REG_DEVICE_FEATURES:
		return half (m->offered, m->device_features_sel);
	case REG_QUEUE_SIZE_MAX:
		return q ? m->max_size : 0;
	case REG_QUEUE_READY:
		return q && q->ready;
	case REG_INTERRUPT_STATUS:
		return m->interrupts | (m->unseen_interrupts ? INTERRUPT_RING : 0);
	case REG_STATUS:
		return m->status;
	case REG_SHM_LEN_LOW:
	case REG_SHM_LEN_HIGH:
	case REG_SHM_BASE_LOW:
	case REG_SHM_BASE_HIGH:
		return UINT32_MAX;	/* there is no such region (virtio 1.2, 4.2.2) */
	case REG_CONFIG_GENERATION:
		return m->generation;
	default:
		return 0;
	}
}

uint64_t
mmio_read (const struct mmio *m, unsigned offset, unsigned size)
{
	if (offset >= MMIO_CONFIG)
		return read_config (m, offset - MMIO_CONFIG, size);
	return size == 4 && offset % 4 == 0 ? read_register (m, offset) : 0;
}

/* --- the queue that is selected --- */

static bool
is_packed (const struct mmio *m)
{
	return m->driver_features & VH_BIT (VH_F_RING_PACKED);
}

static bool
size_valid (const struct mmio *m, uint32_t size)
{
	return size > 0 && size <= m->max_size && (is_packed (m) || (size & (size - 1)) == 0);
}

/* Alignments of virtio 1.2, 2.7 and 2.8. */
static bool
addresses_valid (const struct mmio *m, const struct mmio_queue *q)
{
	bool packed = is_packed (m);

	return q->desc % 16 == 0 && q->driver % (packed ? 4 : 2) == 0 && q->device % 4 == 0;
}

static enum mmio_effect
write_ready (struct mmio *m, struct mmio_queue *q, bool ready, unsigned *queue)
{
	bool was = q->ready;

	if (ready) {
		/* A queue that comes when the driver is ready already is against the order of initialization. */
		if (!mmio_is_running (m) && size_valid (m, q->size) && addresses_valid (m, q))
			q->ready = true;
		return MMIO_NOTHING;
	}
	q->ready = false;
	*queue = m->queue_sel;
	return was && mmio_is_running (m) ? MMIO_STOP_QUEUE : MMIO_NOTHING;
}

static enum mmio_effect
write_queue (struct mmio *m, unsigned offset, uint32_t value, unsigned *queue)
{
	struct mmio_queue *q = &m->queue[m->queue_sel % VH_MAX_RINGS];

	if (m->queue_sel >= m->queues)
		return MMIO_NOTHING;
	if (offset == REG_QUEUE_READY)
		return write_ready (m, q, value & 1, queue);
	if (q->ready)
		return MMIO_NOTHING;
	switch (offset) {
	case REG_QUEUE_SIZE:
		q->size = value;
		break;
	case REG_QUEUE_DESC_LOW:
	case REG_QUEUE_DESC_HIGH:
		set_half (&q->desc, offset == REG_QUEUE_DESC_HIGH, value);
		break;
	case REG_QUEUE_DRIVER_LOW:
	case REG_QUEUE_DRIVER_HIGH:
		set_half (&q->driver, offset == REG_QUEUE_DRIVER_HIGH, value);
		break;
	case REG_QUEUE_DEVICE_LOW:
	case REG_QUEUE_DEVICE_HIGH:
		set_half (&q->device, offset == REG_QUEUE_DEVICE_HIGH, value);
		break;
	}
	return MMIO_NOTHING;
}

/* --- status --- */

bool
mmio_is_running (const struct mmio *m)
{
	const uint32_t both = STATUS_FEATURES_OK | STATUS_DRIVER_OK;

	return (m->status & both) == both && !(m->status & STATUS_FAILED);
}

static bool
features_acceptable (const struct mmio *m)
{
	return (m->driver_features & ~m->offered) == 0 && (m->driver_features & m->required) == m->required;
}

static enum mmio_effect
reset (struct mmio *m)
{
	m->status = 0;
	m->device_features_sel = m->driver_features_sel = m->queue_sel = 0;
	m->driver_features = 0;
	m->interrupts = 0;
	memset (m->queue, 0, sizeof (m->queue));
	return MMIO_RESET;
}

static enum mmio_effect
write_status (struct mmio *m, uint32_t value)
{
	uint32_t old = m->status;
	bool was_running = mmio_is_running (m);

	if (value == 0)
		return reset (m);
	/* The driver only ever adds bits (virtio 1.2, 2.1.1), and does not know of NEEDS_RESET when it writes. */
	m->status = old | (value & 0xff & ~STATUS_NEEDS_RESET);
	if (!(old & STATUS_FEATURES_OK) && (value & STATUS_FEATURES_OK) && !features_acceptable (m))
		m->status &= ~STATUS_FEATURES_OK;
	return mmio_is_running (m) && !was_running ? MMIO_START : MMIO_NOTHING;
}

/* --- writing --- */

static enum mmio_effect
write_notify (struct mmio *m, uint32_t value, unsigned *queue)
{
	*queue = value & 0xffff;
	return mmio_is_running (m) && *queue < m->queues && m->queue[*queue].ready ? MMIO_KICK : MMIO_NOTHING;
}

static enum mmio_effect
write_register (struct mmio *m, unsigned offset, uint32_t value, unsigned *queue)
{
	switch (offset) {
	case REG_DEVICE_FEATURES_SEL:
		m->device_features_sel = value;
		return MMIO_NOTHING;
	case REG_DRIVER_FEATURES:
		if (!(m->status & STATUS_FEATURES_OK))
			set_half (&m->driver_features, m->driver_features_sel, value);
		return MMIO_NOTHING;
	case REG_DRIVER_FEATURES_SEL:
		m->driver_features_sel = value;
		return MMIO_NOTHING;
	case REG_QUEUE_SEL:
		m->queue_sel = value;
		return MMIO_NOTHING;
	case REG_QUEUE_NOTIFY:
		return write_notify (m, value, queue);
	case REG_INTERRUPT_ACK:
		m->interrupts &= ~value;
		return MMIO_ACKNOWLEDGE;
	case REG_STATUS:
		return write_status (m, value);
	default:
		return write_queue (m, offset, value, queue);
	}
}

enum mmio_effect
mmio_write (struct mmio *m, unsigned offset, unsigned size, uint64_t value, unsigned *queue)
{
	if (m->device_id == 0)
		return MMIO_NOTHING;
	if (offset >= MMIO_CONFIG)
		return offset - MMIO_CONFIG + size <= m->config_size ? MMIO_WRITE_CONFIG : MMIO_NOTHING;
	return size == 4 && offset % 4 == 0 ? write_register (m, offset, value, queue) : MMIO_NOTHING;
}

/* --- the device's side --- */

void
mmio_interrupt (struct mmio *m, uint32_t bits)
{
	m->interrupts |= bits;
}

bool
mmio_set_config (struct mmio *m, const void *bytes, unsigned size)
{
	if (size == m->config_size && memcmp (m->config, bytes, size) == 0)
		return false;
	memcpy (m->config, bytes, size);
	m->config_size = size;
	m->generation++;
	return true;
}

bool
mmio_need_reset (struct mmio *m)
{
	if (!(m->status & STATUS_DRIVER) || (m->status & STATUS_NEEDS_RESET))
		return false;
	m->status |= STATUS_NEEDS_RESET;
	/* Only a driver that is ready gets the interrupt (virtio 1.2, 2.1.2). */
	if (mmio_is_running (m))
		mmio_interrupt (m, INTERRUPT_CONFIG);
	return true;
}
