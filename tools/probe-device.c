/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kinds of device: their configuration spaces, and how to tell one from another.
 */
#include <ctype.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "probe.h"

#define LENGTH(array) (sizeof (array) / sizeof ((array)[0]))
#define ALWAYS FIELD_ALWAYS

/* Device ids that features may belong to: as many as could be defined in a while. */
#define DEVICE_IDS 64

static const struct config_field net_fields[] = {
	{ "mac", 0, 6, 5, FIELD_MAC },
	{ "status", 6, 2, 16, FIELD_NUMBER },
	{ "max_virtqueue_pairs", 8, 2, 22, FIELD_NUMBER },
	{ "mtu", 10, 2, 3, FIELD_NUMBER },
	{ "speed", 12, 4, 63, FIELD_NUMBER },
	{ "duplex", 16, 1, 63, FIELD_NUMBER },
	{ "rss_max_key_size", 17, 1, 60, FIELD_NUMBER },
	{ "rss_max_indirection_table_length", 18, 2, 60, FIELD_NUMBER },
	{ "supported_hash_types", 20, 4, 60, FIELD_NUMBER },
};

static const struct config_field blk_fields[] = {
	{ "capacity", 0, 8, ALWAYS, FIELD_SECTORS },
	{ "size_max", 8, 4, 1, FIELD_NUMBER },
	{ "seg_max", 12, 4, 2, FIELD_NUMBER },
	{ "cylinders", 16, 2, 4, FIELD_NUMBER },
	{ "heads", 18, 1, 4, FIELD_NUMBER },
	{ "sectors", 19, 1, 4, FIELD_NUMBER },
	{ "blk_size", 20, 4, 6, FIELD_NUMBER },
	{ "physical_block_exp", 24, 1, 10, FIELD_NUMBER },
	{ "alignment_offset", 25, 1, 10, FIELD_NUMBER },
	{ "min_io_size", 26, 2, 10, FIELD_NUMBER },
	{ "opt_io_size", 28, 4, 10, FIELD_NUMBER },
	{ "writeback", 32, 1, 11, FIELD_NUMBER },
	{ "num_queues", 34, 2, 12, FIELD_NUMBER },
	{ "max_discard_sectors", 36, 4, 13, FIELD_NUMBER },
	{ "max_discard_seg", 40, 4, 13, FIELD_NUMBER },
	{ "discard_sector_alignment", 44, 4, 13, FIELD_NUMBER },
	{ "max_write_zeroes_sectors", 48, 4, 14, FIELD_NUMBER },
	{ "max_write_zeroes_seg", 52, 4, 14, FIELD_NUMBER },
	{ "write_zeroes_may_unmap", 56, 1, 14, FIELD_NUMBER },
	{ "max_secure_erase_sectors", 60, 4, 16, FIELD_NUMBER },
	{ "max_secure_erase_seg", 64, 4, 16, FIELD_NUMBER },
	{ "secure_erase_sector_alignment", 68, 4, 16, FIELD_NUMBER },
	{ "zone_sectors", 72, 4, 17, FIELD_NUMBER },
	{ "max_open_zones", 76, 4, 17, FIELD_NUMBER },
	{ "max_active_zones", 80, 4, 17, FIELD_NUMBER },
	{ "max_append_sectors", 84, 4, 17, FIELD_NUMBER },
	{ "write_granularity", 88, 4, 17, FIELD_NUMBER },
	{ "zone_model", 92, 1, 17, FIELD_NUMBER },
};

static const struct config_field console_fields[] = {
	{ "cols", 0, 2, 0, FIELD_NUMBER },
	{ "rows", 2, 2, 0, FIELD_NUMBER },
	{ "max_nr_ports", 4, 4, 1, FIELD_NUMBER },
};

static const struct config_field scsi_fields[] = {
	{ "num_queues", 0, 4, ALWAYS, FIELD_NUMBER },
	{ "seg_max", 4, 4, ALWAYS, FIELD_NUMBER },
	{ "max_sectors", 8, 4, ALWAYS, FIELD_NUMBER },
	{ "cmd_per_lun", 12, 4, ALWAYS, FIELD_NUMBER },
	{ "event_info_size", 16, 4, ALWAYS, FIELD_NUMBER },
	{ "sense_size", 20, 4, ALWAYS, FIELD_NUMBER },
	{ "cdb_size", 24, 4, ALWAYS, FIELD_NUMBER },
	{ "max_channel", 28, 2, ALWAYS, FIELD_NUMBER },
	{ "max_target", 30, 2, ALWAYS, FIELD_NUMBER },
	{ "max_lun", 32, 4, ALWAYS, FIELD_NUMBER },
};

static const struct config_field gpu_fields[] = {
	{ "events_read", 0, 4, ALWAYS, FIELD_NUMBER },
	{ "num_scanouts", 8, 4, ALWAYS, FIELD_NUMBER },
	{ "num_capsets", 12, 4, ALWAYS, FIELD_NUMBER },
};

/* The rest is a window that shows what `select` asks for; a probe does not write. */
static const struct config_field input_fields[] = {
	{ "select", 0, 1, ALWAYS, FIELD_NUMBER },
	{ "subsel", 1, 1, ALWAYS, FIELD_NUMBER },
	{ "size", 2, 1, ALWAYS, FIELD_NUMBER },
};

static const struct config_field vsock_fields[] = {
	{ "guest_cid", 0, 8, ALWAYS, FIELD_NUMBER },
};

static const struct config_field fs_fields[] = {
	{ "tag", 0, 36, ALWAYS, FIELD_TEXT },
	{ "num_request_queues", 36, 4, ALWAYS, FIELD_NUMBER },
	{ "notify_buf_size", 40, 4, 0, FIELD_NUMBER },
};

static const struct config_field gpio_fields[] = {
	{ "ngpio", 0, 2, ALWAYS, FIELD_NUMBER },
	{ "gpio_names_size", 4, 4, ALWAYS, FIELD_NUMBER },
};

static const struct device_kind kinds[] = {
	{ "net", 1, net_fields, LENGTH (net_fields) },
	{ "blk", 2, blk_fields, LENGTH (blk_fields) },
	{ "console", 3, console_fields, LENGTH (console_fields) },
	{ "rng", 4, NULL, 0 },
	{ "scsi", 8, scsi_fields, LENGTH (scsi_fields) },
	{ "gpu", 16, gpu_fields, LENGTH (gpu_fields) },
	{ "input", 18, input_fields, LENGTH (input_fields) },
	{ "vsock", 19, vsock_fields, LENGTH (vsock_fields) },
	{ "fs", 26, fs_fields, LENGTH (fs_fields) },
	{ "i2c", 34, NULL, 0 },
	{ "gpio", 41, gpio_fields, LENGTH (gpio_fields) },
};

/* --- finding a kind --- */

const char *
device_names (void)
{
	static char names[LENGTH (kinds) * 10];

	if (!names[0])
		for (size_t i = 0; i < LENGTH (kinds); i++)
			strcat (strcat (names, i ? ", " : ""), kinds[i].name);
	return names;
}

const struct device_kind *
device_by_name (const char *name)
{
	for (size_t i = 0; i < LENGTH (kinds); i++)
		if (strcmp (kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

const struct device_kind *
device_by_id (unsigned id)
{
	for (size_t i = 0; i < LENGTH (kinds); i++)
		if (kinds[i].id == id)
			return &kinds[i];
	return NULL;
}

/* Features of network devices that need one of others (virtio 1.2, 5.1.3.1); no device may offer them without (2.2.2). */
static bool
net_complete (uint64_t features)
{
	static const struct {
		unsigned feature;
		uint64_t one_of;
	} needs[] = {
		{ 7, VH_BIT (1) },
		{ 8, VH_BIT (1) },
		{ 9, VH_BIT (7) | VH_BIT (8) },
		{ 10, VH_BIT (1) },
		{ 11, VH_BIT (0) },
		{ 12, VH_BIT (0) },
		{ 13, VH_BIT (11) | VH_BIT (12) },
		{ 14, VH_BIT (0) },
		{ 18, VH_BIT (17) },
		{ 19, VH_BIT (17) },
		{ 21, VH_BIT (17) },
		{ 22, VH_BIT (17) },
		{ 23, VH_BIT (17) },
	};

	for (size_t i = 0; i < LENGTH (needs); i++)
		if (features & VH_BIT (needs[i].feature) && !(features & needs[i].one_of))
			return false;
	return true;
}

/* Features of rings and transport say nothing about the device. */
static bool
is_ring_feature (unsigned bit)
{
	return vh_virtio_feature_name (0, bit) != NULL;
}

static bool
could_be (unsigned id, uint64_t features)
{
	for (unsigned bit = 0; bit < 64; bit++)
		if (features & VH_BIT (bit) && !vh_virtio_feature_name (id, bit))
			return false;
	return id != 1 || net_complete (features);
}

static uint64_t
device_features (uint64_t features)
{
	for (unsigned bit = 0; bit < 64; bit++)
		if (is_ring_feature (bit))
			features &= ~VH_BIT (bit);
	return features;
}

const struct device_kind *
device_by_features (uint64_t features)
{
	unsigned found = 0;

	features = device_features (features);
	for (unsigned id = 1; features && id < DEVICE_IDS; id++) {
		if (!could_be (id, features))
			continue;
		if (found)
			return NULL;
		found = id;
	}
	return found ? device_by_id (found) : NULL;
}

/* --- fields --- */

bool
field_present (const struct config_field *f, uint64_t features)
{
	return f->feature == FIELD_ALWAYS || features & VH_BIT (f->feature);
}

unsigned
config_size (const struct device_kind *kind, uint64_t features)
{
	unsigned size = 0;

	for (unsigned i = 0; i < kind->n_fields; i++) {
		const struct config_field *f = &kind->fields[i];

		if (field_present (f, features) && f->offset + f->size > size)
			size = f->offset + f->size;
	}
	return size;
}

uint64_t
field_number (const struct config_field *f, const uint8_t *config)
{
	uint64_t n = 0;

	memcpy (&n, config + f->offset, f->size);
	return le64toh (n);
}

void
field_text (const struct config_field *f, const uint8_t *config, char *buf, size_t size)
{
	const uint8_t *p = config + f->offset;
	size_t n = 0;

	if (f->format == FIELD_MAC) {
		snprintf (buf, size, "%02x:%02x:%02x:%02x:%02x:%02x", p[0], p[1], p[2], p[3], p[4], p[5]);
		return;
	}
	for (; n < f->size && n + 1 < size && p[n]; n++)
		buf[n] = p[n] < 0x80 && isprint (p[n]) ? p[n] : '?';
	buf[n] = '\0';
}
