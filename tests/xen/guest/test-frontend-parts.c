/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of xen-vhost-frontend that only compute: kinds of devices, descriptions of devices, regions of guest memory.
 */
#include <errno.h>
#include <string.h>

#include "tests/suite.h"
#include "tools/xen-vhost-frontend/kinds.h"
#include "tools/xen-vhost-frontend/regions.h"
#include "tools/xen-vhost-frontend/spec.h"

#define DOMID 7
#define G(reference, offset) (GRANT_BIT | (uint64_t) (reference) << 12 | (offset))

static struct vh_region regions[VH_MAX_TABLE_REGIONS];

/* Regions lie beside each other from the first grant address to the last. */
static void
check_cover (int n)
{
	uint64_t next = GRANT_BIT;

	for (int i = 0; i < n; i++) {
		CU_ASSERT_EQUAL (regions[i].guest_addr, next);
		CU_ASSERT_EQUAL (regions[i].user_addr, next);
		CU_ASSERT_EQUAL (regions[i].xen_domid, DOMID);
		CU_ASSERT_EQUAL (regions[i].offset, 0);
		CU_ASSERT_TRUE (regions[i].xen_flags & VH_XEN_GRANT);
		CU_ASSERT_TRUE (regions[i].size > 0);
		next += regions[i].size;
	}
	CU_ASSERT_EQUAL (next, GRANT_BIT + GRANT_SPACE);
}

/* --- regions --- */

static void
test_sizes_of_areas (void)
{
	CU_ASSERT_EQUAL (ring_area_size (false, 256, RING_DESC), 4096);
	CU_ASSERT_EQUAL (ring_area_size (false, 256, RING_DRIVER), 6 + 512);
	CU_ASSERT_EQUAL (ring_area_size (false, 256, RING_DEVICE), 6 + 2048);
	CU_ASSERT_EQUAL (ring_area_size (true, 100, RING_DESC), 1600);
	CU_ASSERT_EQUAL (ring_area_size (true, 100, RING_DRIVER), 4);
	CU_ASSERT_EQUAL (ring_area_size (true, 100, RING_DEVICE), 4);
}

/* As Linux lays out a split ring of 256: three adjacent pages. */
static void
test_a_ring_is_mapped_in_advance (void)
{
	struct area areas[] = { { G (20, 0), 4096 }, { G (21, 0), 518 }, { G (22, 0), 2054 } };
	int n = regions_of_grants (DOMID, 0x100, areas, 3, regions, VH_MAX_TABLE_REGIONS);

	CU_ASSERT_EQUAL_FATAL (n, 3);
	check_cover (n);
	CU_ASSERT_EQUAL (regions[0].xen_flags, VH_XEN_GRANT | 0x100);
	CU_ASSERT_EQUAL (regions[0].size, 20 * 4096);
	CU_ASSERT_EQUAL (regions[1].xen_flags, VH_XEN_GRANT);
	CU_ASSERT_EQUAL (regions[1].size, 3 * 4096);
	CU_ASSERT_EQUAL (regions[2].xen_flags, VH_XEN_GRANT | 0x100);
}

static void
test_the_other_encoding_of_on_demand (void)
{
	struct area areas[] = { { G (1, 0x10), 64 } };
	int n = regions_of_grants (DOMID, 0x8, areas, 1, regions, VH_MAX_TABLE_REGIONS);

	CU_ASSERT_EQUAL_FATAL (n, 3);
	CU_ASSERT_EQUAL (regions[0].xen_flags, VH_XEN_GRANT | 0x8);
	CU_ASSERT_EQUAL (regions[1].xen_flags, VH_XEN_GRANT);
	CU_ASSERT_EQUAL (regions[1].guest_addr, G (1, 0));
	CU_ASSERT_EQUAL (regions[1].size, 4096);
}

static void
test_areas_in_any_order_and_in_one_page (void)
{
	struct area areas[] = { { G (9, 0xf00), 512 }, { G (3, 0), 16 }, { G (3, 0x800), 16 }, { G (9, 0), 64 } };
	int n = regions_of_grants (DOMID, 0x100, areas, 4, regions, VH_MAX_TABLE_REGIONS);

	CU_ASSERT_EQUAL_FATAL (n, 5);
	check_cover (n);
	CU_ASSERT_EQUAL (regions[1].guest_addr, G (3, 0));
	CU_ASSERT_EQUAL (regions[1].size, 4096);
	CU_ASSERT_EQUAL (regions[3].guest_addr, G (9, 0));
	CU_ASSERT_EQUAL (regions[3].size, 2 * 4096);
}

static void
test_rings_at_both_ends_of_the_references (void)
{
	struct area areas[] = { { G (0, 0), 4096 }, { G (UINT32_MAX, 0), 4096 } };
	int n = regions_of_grants (DOMID, 0x100, areas, 2, regions, VH_MAX_TABLE_REGIONS);

	CU_ASSERT_EQUAL_FATAL (n, 3);
	check_cover (n);
	CU_ASSERT_EQUAL (regions[0].xen_flags, VH_XEN_GRANT);
	CU_ASSERT_EQUAL (regions[2].xen_flags, VH_XEN_GRANT);
}

/* Three rings apart and four gaps are seven regions, four rings nine. */
static void
test_too_many_rings_are_mapped_on_demand (void)
{
	struct area areas[4];
	int n;

	for (unsigned i = 0; i < 4; i++)
		areas[i] = (struct area){ G (10 * i + 5, 0), 4096 };
	n = regions_of_grants (DOMID, 0x100, areas, 3, regions, VH_MAX_TABLE_REGIONS);
	CU_ASSERT_EQUAL (n, 7);
	check_cover (n);
	for (unsigned i = 0; i < 4; i++)
		areas[i] = (struct area){ G (10 * i + 5, 0), 4096 };
	n = regions_of_grants (DOMID, 0x100, areas, 4, regions, VH_MAX_TABLE_REGIONS);
	CU_ASSERT_EQUAL_FATAL (n, 1);
	check_cover (n);
	CU_ASSERT_EQUAL (regions[0].xen_flags, VH_XEN_GRANT | 0x100);
}

static void
test_no_ring_at_all (void)
{
	int n = regions_of_grants (DOMID, 0x100, NULL, 0, regions, VH_MAX_TABLE_REGIONS);

	CU_ASSERT_EQUAL_FATAL (n, 1);
	check_cover (n);
}

static void
test_areas_that_are_not_granted (void)
{
	struct area plain = { 0x1000, 4096 };
	struct area wide = { GRANT_BIT | GRANT_SPACE, 16 };
	struct area long_one = { G (UINT32_MAX, 0x800), 4096 };
	struct area wraps = { G (1, 0), UINT64_MAX };

	CU_ASSERT_EQUAL (regions_of_grants (DOMID, 0x100, &plain, 1, regions, 8), -EINVAL);
	CU_ASSERT_EQUAL (regions_of_grants (DOMID, 0x100, &wide, 1, regions, 8), -EINVAL);
	CU_ASSERT_EQUAL (regions_of_grants (DOMID, 0x100, &long_one, 1, regions, 8), -EINVAL);
	CU_ASSERT_EQUAL (regions_of_grants (DOMID, 0x100, &wraps, 1, regions, 8), -EINVAL);
}

static void
test_ram (void)
{
	struct area ram[10];
	int n;

	for (unsigned i = 0; i < 10; i++)
		ram[i] = (struct area){ (uint64_t) i << 32, (i + 1) * 4096 };
	n = regions_of_ram (DOMID, ram, 2, regions, 8);
	CU_ASSERT_EQUAL_FATAL (n, 2);
	CU_ASSERT_EQUAL (regions[1].guest_addr, UINT64_C (1) << 32);
	CU_ASSERT_EQUAL (regions[1].size, 8192);
	CU_ASSERT_EQUAL (regions[1].xen_flags, VH_XEN_FOREIGN);
	/* The two smallest are left out. */
	n = regions_of_ram (DOMID, ram, 10, regions, 8);
	CU_ASSERT_EQUAL_FATAL (n, 8);
	for (int i = 0; i < n; i++)
		CU_ASSERT_TRUE (regions[i].size > 2 * 4096);
}

/* --- descriptions --- */

static char error[256];

static bool
parse (struct spec *s, const char *text)
{
	error[0] = '\0';
	spec_init (s, false);
	return spec_parse (s, text, error, sizeof (error));
}

static void
test_a_description (void)
{
	struct spec s;

	CU_ASSERT_TRUE_FATAL (parse (&s, "blk,socket=/run/b.sock,base=0xfea00000"));
	CU_ASSERT_STRING_EQUAL (s.kind->name, "blk");
	CU_ASSERT_STRING_EQUAL (s.socket, "/run/b.sock");
	CU_ASSERT_EQUAL (s.base, 0xfea00000);
	CU_ASSERT_FALSE (s.has_line);
	CU_ASSERT_FALSE (s.foreign);
	CU_ASSERT_EQUAL (s.queue_size, 256);
	CU_ASSERT_FALSE (s.packed);
	CU_ASSERT_TRUE_FATAL (parse (&s, "net,socket=a,base=33554432,irq=33,memory=foreign,queue-size=1024,packed=yes,mac=00:16:3e:0a:0B:0c"));
	CU_ASSERT_TRUE (s.packed);
	CU_ASSERT_TRUE (s.has_line && s.line == 33 && s.foreign && s.queue_size == 1024 && s.base == 0x2000000);
	CU_ASSERT_TRUE (s.settings.has_mac && memcmp (s.settings.mac, "\0\x16\x3e\x0a\x0b\x0c", 6) == 0);
	CU_ASSERT_TRUE_FATAL (parse (&s, "fs,socket=a,base=0x2000000,tag=shared,evtchn=12"));
	CU_ASSERT_STRING_EQUAL (s.settings.tag, "shared");
	CU_ASSERT_EQUAL (s.port, 12);
	CU_ASSERT_TRUE_FATAL (parse (&s, "rng,socket=a,base=0x2000000,evtchn=/local/domain/3/data/x"));
	CU_ASSERT_STRING_EQUAL (s.port_path, "/local/domain/3/data/x");
}

static void
test_descriptions_that_are_wrong (void)
{
	static const char *const wrong[] = {
		"",
		"disk,socket=a,base=0x2000000",
		"blk,socket=a",
		"blk,base=0x2000000",
		"blk,socket=,base=0x2000000",
		"blk,socket=a,base=",
		"blk,socket=a,base=0x",
		"blk,socket=a,base=0x2000100",
		"blk,socket=a,base=0",
		"blk,socket=a,base=-512",
		"blk,socket=a,base=0x20000000000000",
		"blk,socket=a,base=0x2000000,",
		"blk,socket=a,base=0x2000000,irq",
		"blk,socket=a,base=0x2000000,irq=x",
		"blk,socket=a,base=0x2000000,irq=5000",
		"blk,socket=a,base=0x2000000,irq=5,evtchn=7",
		"blk,socket=a,base=0x2000000,evtchn=0",
		"blk,socket=a,base=0x2000000,evtchn=data/x",
		"blk,socket=a,base=0x2000000,memory=shared",
		"blk,socket=a,base=0x2000000,queue-size=100",
		"blk,socket=a,base=0x2000000,queue-size=65536",
		"blk,socket=a,base=0x2000000,packed=on",
		"net,socket=a,base=0x2000000,mac=00:16:3e:0a:0b",
		"net,socket=a,base=0x2000000,mac=01:16:3e:0a:0b:0c",
		"net,socket=a,base=0x2000000,mac=00:16:3e:0a:0b:0c:0d",
		"fs,socket=a,base=0x2000000,tag=abcdefghijklmnopqrstuvwxyz01234567890",
		"blk,socket=a,base=0x2000000,speed=9",
	};
	struct spec s;

	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
		CU_ASSERT_FALSE (parse (&s, wrong[i]));
		CU_ASSERT_TRUE (error[0] != '\0' && !strchr (error, '\n'));
	}
}

/* --- kinds --- */

static void
test_the_kinds_that_there_are_to_be (void)
{
	static const struct {
		const char *name;
		unsigned id;
	} known[] = { { "net", 1 }, { "blk", 2 }, { "console", 3 }, { "rng", 4 }, { "vsock", 19 }, { "fs", 26 }, { "i2c", 34 }, { "gpio", 41 } };

	for (unsigned i = 0; i < sizeof (known) / sizeof (known[0]); i++) {
		const struct kind *k = kind_by_name (known[i].name);

		CU_ASSERT_PTR_NOT_NULL_FATAL (k);
		CU_ASSERT_EQUAL (k->id, known[i].id);
		CU_ASSERT_PTR_EQUAL (kind_by_id (known[i].id), k);
		CU_ASSERT_TRUE (k->queues > 0);
		for (unsigned c = 0; k->config_sizes[c]; c++)
			CU_ASSERT_TRUE (k->config_sizes[c] <= VH_MAX_CONFIG_SIZE && k->config_sizes[c] > k->config_sizes[c + 1]);
	}
	CU_ASSERT_PTR_NULL (kind_by_name ("floppy"));
	CU_ASSERT_PTR_NULL (kind_by_id (0));
}

static void
test_features_that_drivers_must_not_see (void)
{
	static const unsigned hidden[] = { 24, 26, 27, 30, 33, 37, 38, 39, 40, 41 };
	uint64_t shown = kind_features (kind_by_name ("rng"), UINT64_MAX);

	for (unsigned i = 0; i < sizeof (hidden) / sizeof (hidden[0]); i++)
		CU_ASSERT_EQUAL (shown & VH_BIT (hidden[i]), 0);
	CU_ASSERT_NOT_EQUAL (shown & VH_BIT (VH_F_EVENT_IDX), 0);
	CU_ASSERT_NOT_EQUAL (shown & VH_BIT (VH_F_INDIRECT_DESC), 0);
	CU_ASSERT_NOT_EQUAL (shown & VH_BIT (VH_F_VERSION_1), 0);
	CU_ASSERT_NOT_EQUAL (shown & VH_BIT (VH_F_RING_PACKED), 0);
	/* Whoever offers a control queue must be sent one. */
	CU_ASSERT_EQUAL (kind_features (kind_by_name ("net"), UINT64_MAX) & (VH_BIT (17) | VH_BIT (22) | VH_BIT (57)), 0);
}

static void
test_net_without_a_configuration_space (void)
{
	const struct kind *net = kind_by_name ("net");
	struct kind_settings settings = { 0 };
	uint8_t config[VH_MAX_CONFIG_SIZE] = { 0 };
	uint64_t features = VH_BIT (3) | VH_BIT (5) | VH_BIT (15);
	unsigned size = 0;

	CU_ASSERT_PTR_NULL (net->complete (&settings, false, config, &size, &features));
	CU_ASSERT_EQUAL (features, VH_BIT (15) | VH_BIT (16));
	CU_ASSERT_EQUAL (size, 12);
	CU_ASSERT_EQUAL (config[6], 1);
	settings = (struct kind_settings){ .has_mac = true, .mac = { 2, 3, 4, 5, 6, 7 } };
	CU_ASSERT_PTR_NULL (net->complete (&settings, false, config, &size, &features));
	CU_ASSERT_NOT_EQUAL (features & VH_BIT (5), 0);
	CU_ASSERT_EQUAL (memcmp (config, settings.mac, 6), 0);
}

static void
test_fs_needs_a_tag_from_somebody (void)
{
	const struct kind *fs = kind_by_name ("fs");
	struct kind_settings settings = { 0 };
	uint8_t config[VH_MAX_CONFIG_SIZE] = "from the back-end";
	uint64_t features = 0;
	unsigned size = 40;

	CU_ASSERT_PTR_NULL (fs->complete (&settings, true, config, &size, &features));
	CU_ASSERT_STRING_EQUAL (config, "from the back-end");
	memset (config, 0, sizeof (config));
	CU_ASSERT_PTR_NOT_NULL (fs->complete (&settings, false, config, &size, &features));
	strcpy (settings.tag, "mine");
	CU_ASSERT_PTR_NULL (fs->complete (&settings, false, config, &size, &features));
	CU_ASSERT_STRING_EQUAL (config, "mine");
	CU_ASSERT_EQUAL (config[36], 1);
	CU_ASSERT_EQUAL (size, 40);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "sizes of a ring's areas", test_sizes_of_areas },
		{ "a ring is mapped in advance", test_a_ring_is_mapped_in_advance },
		{ "the other encoding of \"on demand\"", test_the_other_encoding_of_on_demand },
		{ "areas in any order and in one page", test_areas_in_any_order_and_in_one_page },
		{ "rings at both ends of the references", test_rings_at_both_ends_of_the_references },
		{ "too many rings are mapped on demand", test_too_many_rings_are_mapped_on_demand },
		{ "no ring at all", test_no_ring_at_all },
		{ "areas that are not granted", test_areas_that_are_not_granted },
		{ "RAM", test_ram },
		{ "a description", test_a_description },
		{ "descriptions that are wrong", test_descriptions_that_are_wrong },
		{ "the kinds that there are to be", test_the_kinds_that_there_are_to_be },
		{ "features that drivers must not see", test_features_that_drivers_must_not_see },
		{ "net without a configuration space", test_net_without_a_configuration_space },
		{ "fs needs a tag from somebody", test_fs_needs_a_tag_from_somebody },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("parts of xen-vhost-frontend", tests);
}
