/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registers of a virtio-mmio device, version 2 (virtio 1.2, 4.2.2), as a driver reads and writes them: a register file in, what is to be done out.
 * It knows no hypervisor and no back-end.
 *
 *	0x000 .. 0x0ff   registers, 32 bits each
 *	0x100 .. 0x1ff   the device's configuration space
 */
#ifndef XVF_MMIO_H
#define XVF_MMIO_H

#include <stdbool.h>
#include <stdint.h>

#include <vhost/protocol.h>
#include <vhost/queue.h>

/* The window of one device: what the toolstack on Arm sets aside for each. */
#define MMIO_SIZE 0x200u
#define MMIO_QUEUE_NOTIFY 0x050u
#define MMIO_CONFIG 0x100u

/* Bits of Status (virtio 1.2, 2.1). */
#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER 2u
#define STATUS_DRIVER_OK 4u
#define STATUS_FEATURES_OK 8u
#define STATUS_NEEDS_RESET 64u
#define STATUS_FAILED 128u

/* Bits of InterruptStatus. */
#define INTERRUPT_RING 1u
#define INTERRUPT_CONFIG 2u

struct mmio_queue {
	uint32_t size;			/* descriptors */
	bool ready;
	uint64_t desc, driver, device;	/* addresses of its three areas, as the driver wrote them */
};

struct mmio {
	/* What the device is: the owner's to set, before the driver looks and while it is reset. */
	uint32_t device_id;		/* 0: there is no device here */
	uint64_t offered;		/* features */
	uint64_t required;		/* features without which FEATURES_OK is refused */
	unsigned queues;
	uint32_t max_size;		/* of a queue */
	/* Interrupts of rings are raised behind this program's back, so InterruptStatus always has to say that there may have been one. */
	bool unseen_interrupts;

	uint8_t config[VH_MAX_CONFIG_SIZE];
	unsigned config_size;
	uint32_t generation;

	/* What the driver did. */
	uint32_t status;
	uint32_t device_features_sel, driver_features_sel, queue_sel;
	uint64_t driver_features;
	uint32_t interrupts;
	struct mmio_queue queue[VH_MAX_RINGS];
};

/* What a write asks for. */
enum mmio_effect {
	MMIO_NOTHING,
	MMIO_KICK,		/* there is something in queue *queue */
	MMIO_START,		/* the driver is ready: run the queues that are */
	MMIO_RESET,		/* stop everything; the registers are reset already */
	MMIO_STOP_QUEUE,	/* stop queue *queue, of a running device */
	MMIO_WRITE_CONFIG,	/* the bytes written go to the configuration space, at offset - MMIO_CONFIG */
	MMIO_ACKNOWLEDGE,	/* interrupts were acknowledged: look whether the line is to be lowered */
};

/* A read of `size` bytes (1, 2, 4, 8) at an offset; of what is not there: 0. */
uint64_t mmio_read (const struct mmio *, unsigned offset, unsigned size);

/* A write.  What makes no sense is ignored. */
enum mmio_effect mmio_write (struct mmio *, unsigned offset, unsigned size, uint64_t value, unsigned *queue);

/* Has the driver finished setting up, with features that both agree on? */
bool mmio_is_running (const struct mmio *);

/* Notes an interrupt (INTERRUPT_*). */
void mmio_interrupt (struct mmio *, uint32_t bits);

/* Replaces the configuration space; true, and another generation, if it is not what it was. */
bool mmio_set_config (struct mmio *, const void *bytes, unsigned size);

/* The device cannot go on: the driver is to reset it.  Notes the interrupt for that.  False if there is no driver to care, or it was told already. */
bool mmio_need_reset (struct mmio *);

#endif
