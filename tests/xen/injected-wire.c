/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptions of Xen memory as front-ends send them, to a whole back-end on fake Xen libraries: the layout follows what was negotiated, and what the
 * specification calls invalid is refused and changes nothing.  Needs no Xen.
 */
#include "fake-calls.h"
#include "model.h"
#include "tests/suite.h"
#include "tests/wire/backend-rig.h"

#define DOMAIN 7u
#define XEN_MMAP (1u << 17)		/* as a protocol feature */
#define PAGEFAULT (1u << 8)
#define FOREIGN 0x1u
#define GRANT 0x2u
#define ON_DEMAND (GRANT | 0x100u)
#define ON_DEMAND_RUST (GRANT | 0x8u)

/* A region; 32 bytes of the plain layout, 40 of the extended one. */
struct described {
	struct piece piece;
	uint32_t flags, domid;
};

static struct test_device device;
static struct rig rig;

static struct described
xen_region (uint64_t addr, uint64_t size, uint32_t flags)
{
	return (struct described){ { addr, size, addr, 0 }, flags, DOMAIN };
}

static struct described
file_region (void)
{
	return (struct described){ { GUEST_ADDR, GUEST_SIZE, GUEST_USER, 0 }, 0, 0 };
}

static void
put_region (struct bytes *b, const struct described *d, bool extended)
{
	bytes_u64 (b, d->piece.guest);
	bytes_u64 (b, d->piece.size);
	bytes_u64 (b, d->piece.user);
	bytes_u64 (b, d->piece.offset);
	if (!extended)
		return;
	bytes_u32 (b, d->flags);
	bytes_u32 (b, d->domid);
}

static enum outcome
tell_table (const struct described *d, unsigned n, bool extended)
{
	static struct bytes b;
	int fds[8];

	b.n = 0;
	bytes_u32 (&b, n);
	bytes_u32 (&b, 0);
	for (unsigned i = 0; i < n; i++) {
		put_region (&b, &d[i], extended);
		fds[i] = rig.guest.fd;
	}
	return rig_tell (&rig, FE_SET_MEM_TABLE, b.data, (uint32_t) b.n, fds, n);
}

static enum outcome
tell_one (uint32_t request, struct described d, bool extended)
{
	static struct bytes b;

	b.n = 0;
	bytes_u64 (&b, 0);
	put_region (&b, &d, extended);
	return rig_tell (&rig, request, b.data, (uint32_t) b.n, &rig.guest.fd, request == FE_ADD_MEM_REG);
}

/* Both requests that bring memory refuse it. */
static bool
is_refused (struct described d)
{
	return tell_table (&d, 1, true) == REFUSAL && tell_one (FE_ADD_MEM_REG, d, true) == REFUSAL;
}

static void
begin (uint32_t protocol)
{
	fake_begin ();
	fake.domain = DOMAIN;
	model_begin ();
	test_device_init (&device);
	rig_open (&rig, &device, 0);
	CU_ASSERT_TRUE_FATAL (rig_negotiate (&rig));
	CU_ASSERT_EQUAL_FATAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | protocol), ACK);
}

static void
end (void)
{
	CU_ASSERT_TRUE (rig_alive (&rig));
	rig_close (&rig);
	CU_ASSERT_TRUE (fake_end ());
	CU_ASSERT_TRUE (model_is_balanced ());
}

static void
the_bit_is_offered_and_no_page_faults (void)
{
	uint64_t features = 0;

	begin (0);
	CU_ASSERT_TRUE (rig_ask_u64 (&rig, FE_GET_PROTOCOL_FEATURES, &features));
	CU_ASSERT_TRUE (features & XEN_MMAP);
	CU_ASSERT_FALSE (features & PAGEFAULT);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | PAGEFAULT), REFUSAL);
	end ();
}

static void
with_the_bit_regions_are_extended (void)
{
	struct described d[] = {
		file_region (),
		xen_region (0x100000000, 4 * MODEL_PAGE, FOREIGN),
		xen_region (MODEL_GRANTS + 5 * MODEL_PAGE, 3 * MODEL_PAGE, GRANT),
		xen_region (MODEL_GRANTS + 8 * MODEL_PAGE, 100 * MODEL_PAGE, ON_DEMAND),
		xen_region (MODEL_GRANTS + 108 * MODEL_PAGE, 100 * MODEL_PAGE, ON_DEMAND_RUST),
	};

	begin (XEN_MMAP);
	CU_ASSERT_EQUAL (tell_table (d, 5, true), ACK);
	CU_ASSERT_EQUAL (fake.foreign_calls, 1);
	CU_ASSERT_EQUAL (fake.map_calls, 1);
	CU_ASSERT_EQUAL (fake.n, 3);
	CU_ASSERT_EQUAL (fake.refs[0], 5);
	CU_ASSERT_EQUAL (tell_table (d, 1, true), ACK);
	CU_ASSERT_EQUAL (fake.live_maps, 0);
	end ();
}

static void
with_the_bit_plain_regions_are_refused (void)
{
	struct described d[2] = { file_region (), xen_region (0x100000000, MODEL_PAGE, FOREIGN) };

	begin (XEN_MMAP);
	CU_ASSERT_EQUAL (tell_table (d, 1, false), REFUSAL);
	CU_ASSERT_EQUAL (tell_table (d, 2, false), REFUSAL);
	CU_ASSERT_EQUAL (tell_one (FE_ADD_MEM_REG, d[0], false), REFUSAL);
	CU_ASSERT_EQUAL (tell_table (d, 1, true), ACK);
	CU_ASSERT_EQUAL (tell_one (FE_REM_MEM_REG, d[0], false), REFUSAL);
	CU_ASSERT_EQUAL (tell_one (FE_REM_MEM_REG, d[0], true), ACK);
	end ();
}

static void
without_the_bit_extended_regions_are_refused (void)
{
	struct described d[2] = { file_region (), xen_region (0x100000000, MODEL_PAGE, FOREIGN) };

	begin (0);
	CU_ASSERT_EQUAL (tell_table (d, 1, true), REFUSAL);
	CU_ASSERT_EQUAL (tell_table (d, 2, true), REFUSAL);
	CU_ASSERT_EQUAL (tell_one (FE_ADD_MEM_REG, d[0], true), REFUSAL);
	CU_ASSERT_EQUAL (tell_table (d, 1, false), ACK);
	CU_ASSERT_EQUAL (tell_one (FE_REM_MEM_REG, d[0], true), REFUSAL);
	CU_ASSERT_EQUAL (tell_one (FE_REM_MEM_REG, d[0], false), ACK);
	CU_ASSERT_EQUAL (fake.opened, 0);
	end ();
}

/* The layout of what is there must stay what it was. */
static void
the_bit_does_not_change_under_memory (void)
{
	struct described d = file_region ();

	begin (XEN_MMAP);
	CU_ASSERT_EQUAL (tell_table (&d, 1, true), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL), REFUSAL);
	CU_ASSERT_EQUAL (tell_one (FE_REM_MEM_REG, d, true), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL), ACK);
	CU_ASSERT_EQUAL (tell_table (&d, 1, false), ACK);
	end ();
}

static void
regions_come_and_go_one_by_one (void)
{
	struct described grants = xen_region (MODEL_GRANTS, MODEL_PAGE, GRANT), ram = xen_region (0, 2 * MODEL_PAGE, FOREIGN);

	begin (XEN_MMAP);
	CU_ASSERT_EQUAL (tell_one (FE_ADD_MEM_REG, grants, true), ACK);
	CU_ASSERT_EQUAL (tell_one (FE_ADD_MEM_REG, ram, true), ACK);
	CU_ASSERT_EQUAL (fake.live_maps, 1);
	CU_ASSERT_EQUAL (tell_one (FE_REM_MEM_REG, grants, true), ACK);
	CU_ASSERT_EQUAL (fake.live_maps, 0);
	CU_ASSERT_EQUAL (tell_one (FE_REM_MEM_REG, ram, true), ACK);
	CU_ASSERT_EQUAL (fake.foreign_unmaps, 1);
	CU_ASSERT_EQUAL (tell_one (FE_REM_MEM_REG, ram, true), REFUSAL);
	end ();
}

static void
flags_that_name_no_kind_are_refused (void)
{
	static const uint32_t flags[] = { 0x3, 0x4, 0x8, 0x9, 0xb, 0x10, 0x80, 0x100, 0x101, 0x103, 0x108, 0x200, 0x202, 0x80000001, 0xffffffff };

	begin (XEN_MMAP);
	for (unsigned i = 0; i < sizeof (flags) / sizeof (flags[0]); i++)
		CU_ASSERT_TRUE (is_refused (xen_region (MODEL_GRANTS, MODEL_PAGE, flags[i])));
	CU_ASSERT_EQUAL (fake.map_calls + fake.foreign_calls, 0);
	end ();
}

static void
offsets_are_refused (void)
{
	static const uint32_t flags[] = { FOREIGN, GRANT, ON_DEMAND, ON_DEMAND_RUST };

	begin (XEN_MMAP);
	for (unsigned i = 0; i < sizeof (flags) / sizeof (flags[0]); i++) {
		struct described d = xen_region (flags[i] == FOREIGN ? 0 : MODEL_GRANTS, MODEL_PAGE, flags[i]);

		d.piece.offset = 1;
		CU_ASSERT_TRUE (is_refused (d));
		d.piece.offset = MODEL_PAGE;
		CU_ASSERT_TRUE (is_refused (d));
	}
	end ();
}

static void
domains_that_cannot_be_are_refused (void)
{
	static const uint32_t domids[] = { DOMAIN - 1, DOMAIN + 1, DOMID_FIRST_RESERVED, DOMID_SELF, 0x10000 + DOMAIN, UINT32_MAX };
	struct described d = xen_region (0, MODEL_PAGE, FOREIGN);

	begin (XEN_MMAP);
	for (unsigned i = 0; i < sizeof (domids) / sizeof (domids[0]); i++) {
		d = xen_region (0, MODEL_PAGE, FOREIGN);
		d.domid = domids[i];
		CU_ASSERT_TRUE (is_refused (d));
		d = xen_region (MODEL_GRANTS, MODEL_PAGE, ON_DEMAND);
		d.domid = domids[i];
		CU_ASSERT_TRUE (is_refused (d));
	}
	fake.domain = 0;
	d = xen_region (0, MODEL_PAGE, FOREIGN);
	d.domid = 0;
	CU_ASSERT_TRUE (is_refused (d));
	CU_ASSERT_EQUAL (fake.map_calls + fake.foreign_calls, 0);
	end ();
}

static void
addresses_that_are_no_grants_are_refused (void)
{
	static const uint32_t flags[] = { GRANT, ON_DEMAND, ON_DEMAND_RUST };
	uint64_t last = MODEL_GRANTS + (UINT64_C (1) << 44);

	begin (XEN_MMAP);
	for (unsigned i = 0; i < sizeof (flags) / sizeof (flags[0]); i++) {
		/* Bits 62 to 44, each alone. */
		for (unsigned bit = 44; bit < 63; bit++)
			CU_ASSERT_TRUE (is_refused (xen_region (MODEL_GRANTS | UINT64_C (1) << bit, MODEL_PAGE, flags[i])));
		CU_ASSERT_TRUE (is_refused (xen_region (last - MODEL_PAGE, MODEL_PAGE + 1, flags[i])));
		CU_ASSERT_TRUE (is_refused (xen_region (UINT64_MAX - MODEL_PAGE, 2 * MODEL_PAGE, flags[i])));
		CU_ASSERT_TRUE (is_refused (xen_region (MODEL_GRANTS, 0, flags[i])));
	}
	CU_ASSERT_EQUAL (fake.map_calls, 0);
	end ();
}

static void
overlapping_regions_are_refused (void)
{
	struct described d[2] = { xen_region (MODEL_GRANTS, 4 * MODEL_PAGE, GRANT), xen_region (MODEL_GRANTS + 0x3fff, MODEL_PAGE, ON_DEMAND) };

	begin (XEN_MMAP);
	CU_ASSERT_EQUAL (tell_table (d, 2, true), REFUSAL);
	CU_ASSERT_EQUAL (fake.live_maps, 0);
	end ();
}

/* A table of which one region is bad: nothing of it stays, and what was in force still is. */
static void
a_refusal_changes_nothing (void)
{
	struct described good = file_region ();
	struct described d[3] = { xen_region (MODEL_GRANTS, MODEL_PAGE, GRANT), xen_region (0, MODEL_PAGE, FOREIGN), xen_region (0x10000, MODEL_PAGE, 0x3) };

	begin (XEN_MMAP);
	CU_ASSERT_EQUAL (tell_table (&good, 1, true), ACK);
	CU_ASSERT_TRUE_FATAL (rig_place_ring (&rig, 0, 8, 0) && rig_start_ring (&rig, 0));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (tell_table (d, 3, true), REFUSAL);
	CU_ASSERT_EQUAL (fake.live_maps, 0);
	CU_ASSERT_EQUAL (fake.foreign_unmaps, 1);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
	end ();
}

/* One grant of a region in advance that the guest did not make. */
static void
what_the_guest_did_not_grant_is_refused (void)
{
	struct described d = xen_region (MODEL_GRANTS, 3 * MODEL_PAGE, GRANT);

	begin (XEN_MMAP);
	fake.fail_map = 1;
	fake.fail_errno = 22;	/* EINVAL: what Linux says then */
	CU_ASSERT_EQUAL (tell_table (&d, 1, true), REFUSAL);
	CU_ASSERT_EQUAL (tell_table (&d, 1, true), ACK);
	end ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "the bit is offered, and no page faults", the_bit_is_offered_and_no_page_faults },
		{ "with the bit regions are extended", with_the_bit_regions_are_extended },
		{ "with the bit plain regions are refused", with_the_bit_plain_regions_are_refused },
		{ "without the bit extended regions are refused", without_the_bit_extended_regions_are_refused },
		{ "the bit does not change under memory", the_bit_does_not_change_under_memory },
		{ "regions come and go one by one", regions_come_and_go_one_by_one },
		{ "flags that name no kind are refused", flags_that_name_no_kind_are_refused },
		{ "offsets are refused", offsets_are_refused },
		{ "domains that cannot be are refused", domains_that_cannot_be_are_refused },
		{ "addresses that are no grants are refused", addresses_that_are_no_grants_are_refused },
		{ "overlapping regions are refused", overlapping_regions_are_refused },
		{ "a refusal changes nothing", a_refusal_changes_nothing },
		{ "what the guest did not grant is refused", what_the_guest_did_not_grant_is_refused },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("descriptions on fake calls", tests);
}
