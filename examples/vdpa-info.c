/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a vDPA device is: vdpa-info /dev/vhost-vdpa-0 prints its kind, features, rings, address spaces and configuration.  Opening it resets it, and nobody else
 * can have it open.
 */
#include <inttypes.h>
#include <stdio.h>

#include <vhost/vhost.h>

static int
print_features (struct vh_kernel *k, unsigned id)
{
	uint64_t features, backend;
	int err = vh_kernel_get_features (k, &features);

	if (err < 0 || (err = vh_kernel_get_backend_features (k, &backend)) < 0)
		return err;
	printf ("features: 0x%" PRIx64 ", backend features: 0x%" PRIx64 "\n", features, backend);
	for (unsigned bit = 0; bit < 64; bit++)
		if (features & VH_BIT (bit))
			printf ("  %2u %s\n", bit, vh_virtio_feature_name (id, bit) ? vh_virtio_feature_name (id, bit) : "(unknown)");
	return 0;
}

static int
print_rings (struct vh_kernel *k)
{
	unsigned rings, size, groups, spaces, group;
	int err;

	if ((err = vh_vdpa_get_vqs_count (k, &rings)) < 0 || (err = vh_vdpa_get_vring_num (k, &size)) < 0 ||
	    (err = vh_vdpa_get_group_num (k, &groups)) < 0 || (err = vh_vdpa_get_as_num (k, &spaces)) < 0)
		return err;
	printf ("rings: %u, of at most %u descriptors, in %u groups and %u address spaces\n", rings, size, groups, spaces);
	for (unsigned i = 0; i < rings; i++) {
		if ((err = vh_vdpa_get_vring_group (k, i, &group)) < 0)
			return err;
		printf ("  ring %u: group %u\n", i, group);
	}
	return 0;
}

static int
print_config (struct vh_kernel *k)
{
	unsigned char bytes[VH_MAX_CONFIG_SIZE];
	uint32_t size;
	int err = vh_vdpa_get_config_size (k, &size);

	if (err < 0)
		return err;
	if (size > sizeof (bytes))
		size = sizeof (bytes);
	if (size > 0 && (err = vh_vdpa_get_config (k, 0, bytes, size)) < 0)
		return err;
	printf ("configuration:");
	for (uint32_t i = 0; i < size; i++)
		printf ("%s%02x", i % 4 ? "" : " ", bytes[i]);
	printf ("\n");
	return 0;
}

static int
print_device (struct vh_kernel *k)
{
	uint64_t first, last;
	uint32_t id;
	int err;

	/* Rings are an owner's business. */
	if ((err = vh_kernel_set_owner (k)) < 0 || (err = vh_vdpa_get_device_id (k, &id)) < 0 ||
	    (err = vh_vdpa_get_iova_range (k, &first, &last)) < 0)
		return err;
	printf ("device: %u\n", id);
	if ((err = print_features (k, id)) < 0 || (err = print_rings (k)) < 0)
		return err;
	printf ("addresses: 0x%" PRIx64 " to 0x%" PRIx64 "\n", first, last);
	return print_config (k);
}

int
main (int argc, char **argv)
{
	struct vh_kernel *k;
	char failed[200];
	int err;

	if (argc != 2)
		return fprintf (stderr, "usage: vdpa-info DEVICE\n"), 2;
	if (vh_kernel_open (argv[1], NULL, &k, failed, sizeof (failed)) < 0)
		return fprintf (stderr, "vdpa-info: %s\n", failed), 1;
	err = print_device (k);
	if (err < 0)
		fprintf (stderr, "vdpa-info: %s\n", vh_kernel_error (k));
	vh_kernel_free (k);
	return err < 0;
}
