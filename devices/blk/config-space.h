/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration space of a disk (virtio 1.2, 5.2.4), and the features that go with it.  Control thread only.
 */
#ifndef BLK_CONFIG_SPACE_H
#define BLK_CONFIG_SPACE_H

#include <stdbool.h>
#include <stdint.h>

struct device;

/* The features of a disk (VIRTIO_BLK_F_*) for this image. */
uint64_t config_features (const struct device *);

/* Fills it in; queue_size: the longest ring, 0 for the default. */
void config_init (struct device *, unsigned queue_size);

/* The image has another size. */
void config_set_capacity (struct device *);

/* Write-back or write-through. */
void config_set_wce (struct device *, bool write_back);

/* set_config of struct vh_device_ops. */
int config_write (void *device, uint32_t offset, const void *buf, uint32_t size, uint32_t flags);

#endif
