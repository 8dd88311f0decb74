/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user-probe: what its parts share.
 */
#ifndef TOOLS_PROBE_H
#define TOOLS_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vhost/protocol.h>

/* --- kinds of device --- */

enum field_format {
	FIELD_NUMBER,
	FIELD_SECTORS,	/* a number of 512 bytes */
	FIELD_MAC,
	FIELD_TEXT,	/* padded with zeroes */
};

/* A field of a configuration space (virtio 1.2, 5 "Device Types"). */
struct config_field {
	const char *name;
	unsigned offset, size;
	int feature;		/* the feature that it comes with; FIELD_ALWAYS */
	enum field_format format;
};

#define FIELD_ALWAYS (-1)

struct device_kind {
	const char *name;	/* as --device takes it */
	unsigned id;		/* virtio device id */
	const struct config_field *fields;
	unsigned n_fields;
};

/* NULL: there is none with this name. */
const struct device_kind *device_by_name (const char *name);

/* NULL: none that is known here. */
const struct device_kind *device_by_id (unsigned id);

/*
 * The only kind of device that can offer these features; NULL when there are several, or none.  The protocol does not say what a device is, so this is
 * a conclusion: each feature must be one that the device defines, and none may lack another one that it needs.
 */
const struct device_kind *device_by_features (uint64_t features);

/* Names of all kinds, in one string. */
const char *device_names (void);

/* Does a device with these features have this field? */
bool field_present (const struct config_field *, uint64_t features);

/* The bytes of configuration space that hold all fields that are present. */
unsigned config_size (const struct device_kind *, uint64_t features);

/* The number in a field of up to eight bytes. */
uint64_t field_number (const struct config_field *, const uint8_t *config);

/* The text of a FIELD_MAC or FIELD_TEXT; what is not printable becomes a '?'. */
void field_text (const struct config_field *, const uint8_t *config, char *buf, size_t size);

/* --- what a back-end said --- */

struct answers {
	const char *socket;
	uint64_t features;
	uint64_t protocol_features;		/* 0 when the back-end has none */
	bool has_queues, has_slots;		/* was it asked, and did it answer? */
	unsigned queues, slots;
	const struct device_kind *device;	/* NULL: nobody knows */
	bool guessed;
	unsigned config_size;			/* bytes that were read; 0: none */
	uint8_t config[VH_MAX_CONFIG_SIZE];
	const char *config_missing;		/* why there are none */
};

struct probe_options {
	const char *socket;			/* or the node of a device of the kernel */
	const struct device_kind *device;	/* NULL: not told */
	unsigned timeout;			/* seconds */
	bool json;
};

/* Asks.  0, or a negative errno with words in `failed`. */
int probe_ask (const struct probe_options *, struct answers *, char *failed, size_t size);

void probe_print (const struct answers *);
void probe_print_json (const struct answers *);

/* --- what a device of the kernel said: in answers what is the same, and --- */

struct kernel_answers {
	struct answers common;			/* socket: the device's node */
	const char *interface;			/* "vhost-net" and the like, or "vDPA" */
	bool has_backend_features;
	uint64_t backend_features;
	/* vDPA only. */
	bool is_vdpa;
	unsigned queue_size, groups, address_spaces;
	uint64_t first_address, last_address;
};

/* Is this path that of a device node, or of what should be one? */
bool probe_is_kernel (const char *path);

/* Asks.  0, or a negative errno with words in `failed`. */
int probe_ask_kernel (const struct probe_options *, struct kernel_answers *, char *failed, size_t size);

/* The name of a feature of such a device, and of a backend feature; NULL when it has none. */
const char *kernel_feature_name (const struct answers *, unsigned bit);
const char *backend_feature_name (const struct answers *, unsigned bit);

void probe_print_kernel (const struct kernel_answers *);
void probe_print_kernel_json (const struct kernel_answers *);

#endif
