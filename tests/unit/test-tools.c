/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What our tools calculate: values of command lines, latencies, patterns, and which device has which features.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/suite.h"
#include "tools/arguments.h"
#include "tools/histogram.h"
#include "tools/pattern.h"
#include "tools/probe.h"

/* --- command lines --- */

static void
test_numbers (void)
{
	uint64_t n = 0;

	CU_ASSERT_TRUE (parse_number ("0", false, 0, 10, &n));
	CU_ASSERT_EQUAL (n, 0);
	CU_ASSERT_TRUE (parse_number ("4k", true, 0, 1 << 20, &n));
	CU_ASSERT_EQUAL (n, 4096);
	CU_ASSERT_TRUE (parse_number ("3G", true, 0, UINT64_MAX, &n));
	CU_ASSERT_EQUAL (n, UINT64_C (3) << 30);
	CU_ASSERT_TRUE (parse_number ("18446744073709551615", false, 0, UINT64_MAX, &n));
	CU_ASSERT_EQUAL (n, UINT64_MAX);
	CU_ASSERT_TRUE (parse_number ("10", false, 10, 10, &n));
}

static void
test_what_is_no_number (void)
{
	static const char *const bad[] = { "", "x", "-1", "+1", " 1", "1 ", "1.5", "0x10", "4kk", "4kB", "1Z", "18446744073709551616", "20000000T" };
	uint64_t n;

	for (size_t i = 0; i < sizeof (bad) / sizeof (bad[0]); i++)
		CU_ASSERT_FALSE (parse_number (bad[i], true, 0, UINT64_MAX, &n));
	CU_ASSERT_FALSE (parse_number ("4k", false, 0, UINT64_MAX, &n));
	CU_ASSERT_FALSE (parse_number ("9", false, 10, 20, &n));
	CU_ASSERT_FALSE (parse_number ("21", false, 10, 20, &n));
}

static void
test_choices (void)
{
	static const char *const choices[] = { "off", "on", NULL };

	CU_ASSERT_EQUAL (parse_choice ("off", choices), 0);
	CU_ASSERT_EQUAL (parse_choice ("on", choices), 1);
	CU_ASSERT_EQUAL (parse_choice ("o", choices), -1);
	CU_ASSERT_EQUAL (parse_choice ("", choices), -1);
}

/* --- latencies --- */

static struct histogram a, b;

static void
test_small_values_are_exact (void)
{
	memset (&a, 0, sizeof (a));
	CU_ASSERT_EQUAL (histogram_percentile (&a, 0.5), 0);
	for (unsigned i = 1; i <= 50; i++)
		histogram_add (&a, i);
	CU_ASSERT_EQUAL (a.min, 1);
	CU_ASSERT_EQUAL (a.max, 50);
	CU_ASSERT_EQUAL (a.sum, 50 * 51 / 2);
	CU_ASSERT_EQUAL (histogram_percentile (&a, 0.5), 25);
	CU_ASSERT_EQUAL (histogram_percentile (&a, 0.99), 50);
	CU_ASSERT_EQUAL (histogram_percentile (&a, 0), 1);
}

/* A percentile is never below the value, and at most a 64th above it. */
static void
test_precision (void)
{
	for (uint64_t value = 1; value < UINT64_C (1) << 62; value += value / 7 + 1) {
		uint64_t p;

		memset (&a, 0, sizeof (a));
		histogram_add (&a, value);
		histogram_add (&a, UINT64_MAX);
		p = histogram_percentile (&a, 0.5);
		CU_ASSERT_TRUE (p >= value);
		CU_ASSERT_TRUE (p - value <= value / 64);
	}
	CU_ASSERT_EQUAL (histogram_percentile (&a, 1), UINT64_MAX);
}

static void
test_merge (void)
{
	memset (&a, 0, sizeof (a));
	memset (&b, 0, sizeof (b));
	histogram_merge (&a, &b);
	CU_ASSERT_EQUAL (a.count, 0);
	histogram_add (&b, 7);
	histogram_merge (&a, &b);
	CU_ASSERT_EQUAL (a.min, 7);
	histogram_add (&b, 3);
	histogram_add (&b, 60);
	histogram_merge (&a, &b);
	CU_ASSERT_EQUAL (a.count, 4);
	CU_ASSERT_EQUAL (a.min, 3);
	CU_ASSERT_EQUAL (a.max, 60);
	CU_ASSERT_EQUAL (histogram_percentile (&a, 0.5), 7);
}

/* --- patterns --- */

static void
test_pattern (void)
{
	uint64_t buf[512];
	size_t where = 42;

	pattern_fill (buf, sizeof (buf), 4096, 3);
	CU_ASSERT_TRUE (pattern_check (buf, sizeof (buf), 4096, 3, &where));
	CU_ASSERT_EQUAL (where, 42);
	CU_ASSERT_FALSE (pattern_check (buf, sizeof (buf), 4096, 4, &where));
	CU_ASSERT_EQUAL (where, 0);
	CU_ASSERT_FALSE (pattern_check (buf, sizeof (buf), 4104, 3, &where));
	CU_ASSERT_FALSE (pattern_check (buf, sizeof (buf), 8192, 3, &where));
	((uint8_t *) buf)[4095] ^= 1;
	CU_ASSERT_FALSE (pattern_check (buf, sizeof (buf), 4096, 3, &where));
	CU_ASSERT_EQUAL (where, 4088);
}

/* No two places, and no two generations, look the same: not a single one of their words. */
static void
test_patterns_differ (void)
{
	uint64_t words[64 * 64], *p = words;

	for (unsigned generation = 0; generation < 64; generation++, p += 64)
		pattern_fill (p, 64 * 8, 1 << 20, generation);
	for (unsigned i = 0; i < 64 * 64; i++)
		for (unsigned k = 0; k < i; k++)
			if (words[i] == words[k])
				CU_FAIL ("two words are the same");
}

/* --- devices --- */

static void
expect_device (const char *name, uint64_t features)
{
	const struct device_kind *kind = device_by_features (features);

	if (name) {
		CU_ASSERT_PTR_NOT_NULL_FATAL (kind);
		CU_ASSERT_STRING_EQUAL (kind->name, name);
	} else
		CU_ASSERT_PTR_NULL (kind);
}

static void
test_device_by_features (void)
{
	/* As qemu-storage-daemon offers for a disk, and DPDK for a network card. */
	expect_device ("blk", 0x175007e46);
	expect_device ("net", 0x17066ddcb);
	/* Rings alone; nothing at all. */
	expect_device (NULL, 0x170000000);
	expect_device (NULL, 0);
	/* SEG_MAX and BLK_SIZE, or CTRL_GUEST_OFFLOADS and GSO. */
	expect_device (NULL, 0x170000044);
	/* Half a dozen devices have a bit 0. */
	expect_device (NULL, 0x170000001);
	/* HOST_TSO6 without CSUM, GUEST_ECN without GUEST_TSO: no network card may. */
	expect_device ("blk", 0x170001000);
	expect_device ("blk", 0x170000200);
	expect_device (NULL, 0x170001001);
	/* A bit that no device defines. */
	expect_device (NULL, 0x175007e46 | UINT64_C (1) << 49);
}

static void
test_fields (void)
{
	const struct device_kind *blk = device_by_name ("blk"), *fs = device_by_name ("fs"), *net = device_by_name ("net");
	uint8_t config[64] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0 };
	char text[64];

	CU_ASSERT_PTR_NULL (device_by_name ("toaster"));
	CU_ASSERT_EQUAL (config_size (blk, 0), 8);
	CU_ASSERT_EQUAL (config_size (blk, VH_BIT (12)), 36);
	CU_ASSERT_EQUAL (config_size (blk, VH_BIT (14)), 57);
	CU_ASSERT_EQUAL (config_size (blk, VH_BIT (17)), 93);
	CU_ASSERT_EQUAL (config_size (net, 0), 0);
	CU_ASSERT_EQUAL (field_number (&blk->fields[0], config), 0xf0debc9a78563412);
	field_text (&net->fields[0], config, text, sizeof (text));
	CU_ASSERT_STRING_EQUAL (text, "12:34:56:78:9a:bc");
	memcpy (config, "my\n\377fs", 7);
	field_text (&fs->fields[0], config, text, sizeof (text));
	CU_ASSERT_STRING_EQUAL (text, "my??fs");
	memset (config, 'x', sizeof (config));
	field_text (&fs->fields[0], config, text, sizeof (text));
	CU_ASSERT_EQUAL (strlen (text), 36);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "numbers", test_numbers },
		{ "what is no number", test_what_is_no_number },
		{ "choices", test_choices },
		{ "small latencies are exact", test_small_values_are_exact },
		{ "precision of latencies", test_precision },
		{ "latencies merged", test_merge },
		{ "a pattern", test_pattern },
		{ "patterns differ", test_patterns_differ },
		{ "a device by its features", test_device_by_features },
		{ "fields of a configuration", test_fields },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("tools", tests);
}
