/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a back-end said, for people and as JSON.  A bit without a name is shown as a bit without a name.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "probe.h"

/* Room for the text of any field. */
#define TEXT_SIZE 64

static const char *
virtio_name (const struct answers *a, unsigned bit)
{
	return vh_virtio_feature_name (a->device ? a->device->id : 0, bit);
}

static const char *
protocol_name (const struct answers *a, unsigned bit)
{
	return vh_protocol_feature_name (bit);
}

typedef const char *name_fn (const struct answers *, unsigned bit);

/* --- for people --- */

static void
print_bits (const struct answers *a, const char *title, uint64_t bits, name_fn *name)
{
	printf ("%s: 0x%" PRIx64 "\n", title, bits);
	for (unsigned bit = 0; bit < 64; bit++)
		if (bits & VH_BIT (bit))
			printf ("  %2u %s\n", bit, name (a, bit) ? name (a, bit) : "(unknown)");
}

static void
print_number (const char *title, bool known, unsigned number)
{
	if (known)
		printf ("%s: %u\n", title, number);
	else
		printf ("%s: not told\n", title);
}

static void
print_field (const struct config_field *f, const uint8_t *config)
{
	char text[TEXT_SIZE];

	printf ("  %-33s", f->name);
	if (f->format == FIELD_MAC || f->format == FIELD_TEXT) {
		field_text (f, config, text, sizeof (text));
		printf ("%s\n", text);
		return;
	}
	printf ("%" PRIu64, field_number (f, config));
	if (f->format == FIELD_SECTORS)
		printf (" (%.1f MiB)", field_number (f, config) / 2048.0);
	printf ("\n");
}

static void
print_config (const struct answers *a)
{
	if (a->config_missing) {
		printf ("configuration: not shown: %s\n", a->config_missing);
		return;
	}
	printf ("configuration:\n");
	for (unsigned i = 0; i < a->device->n_fields; i++)
		if (field_present (&a->device->fields[i], a->features))
			print_field (&a->device->fields[i], a->config);
}

void
probe_print (const struct answers *a)
{
	printf ("socket: %s\n", a->socket);
	if (a->device)
		printf ("device: %s%s\n", a->device->name, a->guessed ? " (no other known device can offer these features)" : "");
	else
		printf ("device: unknown (the protocol does not tell)\n");
	print_bits (a, "features", a->features, virtio_name);
	if (a->features & VH_BIT (VH_F_PROTOCOL_FEATURES))
		print_bits (a, "protocol features", a->protocol_features, protocol_name);
	else
		printf ("protocol features: none\n");
	print_number ("queues", a->has_queues, a->queues);
	print_number ("memory slots", a->has_slots, a->slots);
	print_config (a);
}

void
probe_print_kernel (const struct kernel_answers *k)
{
	const struct answers *a = &k->common;

	printf ("node: %s\n", a->socket);
	printf ("interface: %s\n", k->interface);
	printf ("device: %s\n", a->device ? a->device->name : "unknown");
	print_bits (a, "features", a->features, kernel_feature_name);
	if (k->has_backend_features)
		print_bits (a, "backend features", k->backend_features, backend_feature_name);
	else
		printf ("backend features: none\n");
	if (k->is_vdpa) {
		print_number ("queues", a->has_queues, a->queues);
		printf ("queue size: %u\n", k->queue_size);
		printf ("groups: %u\n", k->groups);
		printf ("address spaces: %u\n", k->address_spaces);
		printf ("addresses: 0x%" PRIx64 " to 0x%" PRIx64 "\n", k->first_address, k->last_address);
	} else
		print_number ("memory slots", a->has_slots, a->slots);
	print_config (a);
}

/* --- as JSON --- */

static json_t *
bits_json (const struct answers *a, uint64_t bits, name_fn *name)
{
	json_t *list = json_array ();
	char value[sizeof ("0x") + 16];

	for (unsigned bit = 0; bit < 64; bit++)
		if (bits & VH_BIT (bit))
			json_array_append_new (list, json_pack ("{s:i, s:s?}", "bit", (int) bit, "name", name (a, bit)));
	snprintf (value, sizeof (value), "0x%" PRIx64, bits);
	return json_pack ("{s:s, s:o}", "value", value, "bits", list);
}

static json_t *
number_json (bool known, unsigned number)
{
	return known ? json_integer (number) : json_null ();
}

static json_t *
device_json (const struct answers *a)
{
	return a->device ? json_pack ("{s:s, s:i, s:b}", "name", a->device->name, "id", (int) a->device->id, "guessed", (int) a->guessed) : json_null ();
}

static json_t *
field_json (const struct config_field *f, const uint8_t *config)
{
	char text[TEXT_SIZE];

	if (f->format == FIELD_MAC || f->format == FIELD_TEXT)
		field_text (f, config, text, sizeof (text));
	else if (field_number (f, config) <= INT64_MAX)
		return json_integer ((json_int_t) field_number (f, config));
	else	/* more than JSON's readers can be trusted with */
		snprintf (text, sizeof (text), "0x%" PRIx64, field_number (f, config));
	return json_string (text);
}

static json_t *
config_json (const struct answers *a)
{
	json_t *config;

	if (a->config_missing)
		return json_null ();
	config = json_object ();
	for (unsigned i = 0; i < a->device->n_fields; i++)
		if (field_present (&a->device->fields[i], a->features))
			json_object_set_new (config, a->device->fields[i].name, field_json (&a->device->fields[i], a->config));
	return config;
}

void
probe_print_json (const struct answers *a)
{
	bool protocol = a->features & VH_BIT (VH_F_PROTOCOL_FEATURES);
	json_t *all = json_pack ("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "socket", a->socket, "device", device_json (a), "features",
				 bits_json (a, a->features, virtio_name), "protocol_features",
				 protocol ? bits_json (a, a->protocol_features, protocol_name) : json_null (), "queues",
				 number_json (a->has_queues, a->queues), "memory_slots", number_json (a->has_slots, a->slots), "config", config_json (a));

	json_dumpf (all, stdout, JSON_INDENT (2));
	putchar ('\n');
	json_decref (all);
}

/* A number that may be more than JSON's readers can be trusted with. */
static json_t *
address_json (uint64_t address)
{
	char text[sizeof ("0x") + 16];

	snprintf (text, sizeof (text), "0x%" PRIx64, address);
	return json_string (text);
}

void
probe_print_kernel_json (const struct kernel_answers *k)
{
	const struct answers *a = &k->common;
	json_t *all = json_pack ("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "node", a->socket, "interface", k->interface, "device",
				 device_json (a), "features", bits_json (a, a->features, kernel_feature_name), "backend_features",
				 k->has_backend_features ? bits_json (a, k->backend_features, backend_feature_name) : json_null (), "queues",
				 number_json (a->has_queues, a->queues), "memory_slots", number_json (a->has_slots, a->slots), "queue_size",
				 number_json (k->is_vdpa, k->queue_size), "groups", number_json (k->is_vdpa, k->groups), "address_spaces",
				 number_json (k->is_vdpa, k->address_spaces), "first_address", k->is_vdpa ? address_json (k->first_address) : json_null (),
				 "last_address", k->is_vdpa ? address_json (k->last_address) : json_null (), "config", config_json (a));

	json_dumpf (all, stdout, JSON_INDENT (2));
	putchar ('\n');
	json_decref (all);
}
