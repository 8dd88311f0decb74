/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One program, three kinds of device: a network device in a vhost-user back-end, one of the kernel on a TAP, and one behind vDPA.  Each sends back what it is
 * sent; what drives them is the same code.
 *
 * With arguments it needs a guest kernel: test-kinds VDPA-DEVICE.  Without, it runs the back-end only.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vhost/frontend.h>
#include <vhost/kernel.h>
#include <vhost/vdpa.h>

#include "tests/vm/kernel/echo-backend.h"
#include "tests/vm/kernel/frames.h"
#include "tests/vm/kernel/tap.h"

#define ROUND 300

static const char *vdpa_path;

/* --- the same for all --- */

static void
begin (struct vh_dev *dev, struct frames *f)
{
	uint64_t offered = 0, features;

	DEV_OK (dev, vh_dev_set_owner (dev));
	DEV_OK (dev, vh_dev_get_features (dev, &offered));
	CU_ASSERT ((offered & VH_BIT (VH_F_VERSION_1)) != 0);
	features = offered & (VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_EVENT_IDX));
	frames_open (f, features);
	DEV_OK (dev, vh_dev_set_features (dev, features));
	rig_give (&f->rig, dev);
}

/* More memory while the device runs, and less again. */
static void
change_memory (struct vh_dev *dev, struct frames *f)
{
	size_t size = 16 * sysconf (_SC_PAGESIZE);
	int fd = memfd_create ("more", MFD_CLOEXEC);
	void *host;
	struct vh_region regions[2] = { rig_region (&f->rig) };

	CU_ASSERT_EQUAL_FATAL (ftruncate (fd, size), 0);
	host = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CU_ASSERT_PTR_NOT_EQUAL_FATAL (host, MAP_FAILED);
	regions[1] = (struct vh_region){ .guest_addr = GUEST_BASE * 2, .size = size, .user_addr = (uintptr_t) host, .fd = fd };
	DEV_OK (dev, vh_dev_set_memory (dev, regions, 2));
	frames_exchange (f, ROUND);
	DEV_OK (dev, vh_dev_set_memory (dev, regions, 1));
	frames_exchange (f, ROUND);
	munmap (host, size);
	close (fd);
}

static void
drive (struct vh_dev *dev)
{
	struct frames f;

	begin (dev, &f);
	CU_ASSERT_EQUAL (vh_dev_running (dev), 0);
	DEV_OK (dev, vh_dev_start (dev));
	CU_ASSERT_EQUAL (vh_dev_start (dev), -EBUSY);
	frames_exchange (&f, ROUND);
	DEV_OK (dev, vh_dev_stop (dev));
	frames_expect_bases (&f, dev);
	/* On from where it stopped; what is sent meanwhile waits. */
	frames_send (&f);
	DEV_OK (dev, vh_dev_start (dev));
	frames_exchange (&f, ROUND);
	change_memory (dev, &f);
	DEV_OK (dev, vh_dev_stop (dev));
	frames_expect_bases (&f, dev);
	printf ("%s: %u frames, checksum %016llx\n", vh_dev_kind (dev), f.next, (unsigned long long) f.received_sum);
	/* A device that runs is stopped by vh_dev_free. */
	DEV_OK (dev, vh_dev_start (dev));
	vh_dev_free (dev);
	frames_close (&f);
}

/* --- kinds --- */

/* As for the kernel's device, in test-net.c. */
static void
the_log_of_a_back_end (void)
{
	struct echo_backend e;
	struct vh_frontend *f;
	struct vh_dev *dev;
	struct frames frames;

	CU_ASSERT_EQUAL_FATAL (vh_frontend_new (echo_backend_start (&e), NULL, &f), 0);
	CU_ASSERT_EQUAL_FATAL (vh_dev_new_user (f, &dev), 0);
	begin (dev, &frames);
	DEV_OK (dev, vh_dev_start (dev));
	frames_expect_log (&frames, dev);
	vh_dev_free (dev);
	echo_backend_join (&e);
	frames_close (&frames);
}

static void
drive_back_end (uint64_t protocol_features)
{
	struct echo_backend e;
	struct vh_frontend *f;
	struct vh_dev *dev;

	CU_ASSERT_EQUAL_FATAL (vh_frontend_new (echo_backend_start (&e), NULL, &f), 0);
	/* Else the device does it. */
	if (protocol_features != UINT64_MAX)
		CU_ASSERT_EQUAL_FATAL (vh_frontend_handshake (f, protocol_features), 0);
	CU_ASSERT_EQUAL_FATAL (vh_dev_new_user (f, &dev), 0);
	drive (dev);
	echo_backend_join (&e);
}

static void
a_back_end (void)
{
	drive_back_end (UINT64_MAX);
}

static void
a_back_end_without_memory_slots (void)
{
	drive_back_end (~VH_BIT (VH_P_CONFIGURE_MEM_SLOTS));
}

static void
a_back_end_without_acknowledgements (void)
{
	drive_back_end (0);
}

/* A region without a file cannot be shared: the memory stays as it was, and the rings run on. */
static void
memory_that_a_back_end_cannot_have (void)
{
	struct echo_backend e;
	struct vh_frontend *f;
	struct vh_dev *dev;
	struct frames frames;
	struct vh_region regions[2];

	CU_ASSERT_EQUAL_FATAL (vh_frontend_new (echo_backend_start (&e), NULL, &f), 0);
	CU_ASSERT_EQUAL_FATAL (vh_dev_new_user (f, &dev), 0);
	begin (dev, &frames);
	DEV_OK (dev, vh_dev_start (dev));
	frames_exchange (&frames, 20);
	regions[0] = rig_region (&frames.rig);
	regions[1] = (struct vh_region){ .guest_addr = GUEST_BASE * 2, .size = 4096, .user_addr = 4096, .fd = -1 };
	CU_ASSERT_EQUAL (vh_dev_set_memory (dev, regions, 2), -EINVAL);
	CU_ASSERT (strlen (vh_dev_error (dev)) > 0);
	frames_exchange (&frames, 20);
	/* And no second change is pending. */
	DEV_OK (dev, vh_dev_set_memory (dev, regions, 1));
	frames_exchange (&frames, 20);
	vh_dev_free (dev);
	echo_backend_join (&e);
	frames_close (&frames);
}

/* The connection goes while the device runs: it does not run any more, and says so. */
static void
a_back_end_that_goes_away (void)
{
	struct echo_backend e;
	struct vh_frontend *f;
	struct vh_dev *dev;
	struct frames frames;
	int fd = echo_backend_start (&e), copy = dup (fd);

	CU_ASSERT_EQUAL_FATAL (vh_frontend_new (fd, NULL, &f), 0);
	CU_ASSERT_EQUAL_FATAL (vh_dev_new_user (f, &dev), 0);
	begin (dev, &frames);
	DEV_OK (dev, vh_dev_start (dev));
	frames_exchange (&frames, 20);
	CU_ASSERT_EQUAL (shutdown (copy, SHUT_RDWR), 0);
	CU_ASSERT_EQUAL (vh_dev_stop (dev), -ECONNRESET);
	CU_ASSERT_EQUAL (vh_dev_running (dev), 0);
	CU_ASSERT_EQUAL (vh_dev_start (dev), -ECONNRESET);
	CU_ASSERT_EQUAL (vh_dev_running (dev), 0);
	vh_dev_free (dev);
	close (copy);
	echo_backend_join (&e);
	frames_close (&frames);
}

static void
the_kernel (void)
{
	int tap = tap_open ("kinds");
	struct tap_echo echo;
	struct vh_dev *dev;

	tap_echo_start (&echo, "kinds");
	CU_ASSERT_EQUAL_FATAL (vh_dev_new_net (rig_open_kernel ("/dev/vhost-net"), tap, tap, &dev), 0);
	drive (dev);
	tap_echo_stop (&echo);
	CU_ASSERT (echo.frames >= 4 * ROUND);
	close (tap);
}

static void
vdpa (void)
{
	struct vh_dev *dev;

	CU_ASSERT_EQUAL_FATAL (vh_dev_new_vdpa (rig_open_kernel (vdpa_path), &dev), 0);
	drive (dev);
}

int
main (int argc, char **argv)
{
	CU_TestInfo all[] = {
		{ "a vhost-user back-end", a_back_end },
		{ "a vhost-user back-end without memory slots", a_back_end_without_memory_slots },
		{ "a vhost-user back-end without acknowledgements", a_back_end_without_acknowledgements },
		{ "the log of a vhost-user back-end", the_log_of_a_back_end },
		{ "memory that a back-end cannot have", memory_that_a_back_end_cannot_have },
		{ "a back-end that goes away", a_back_end_that_goes_away },
		{ "a device of the kernel", the_kernel },
		{ "a vDPA device", vdpa },
		CU_TEST_INFO_NULL,
	};
	CU_TestInfo here[] = {
		{ "a vhost-user back-end", a_back_end },
		{ "a vhost-user back-end without memory slots", a_back_end_without_memory_slots },
		{ "a vhost-user back-end without acknowledgements", a_back_end_without_acknowledgements },
		{ "the log of a vhost-user back-end", the_log_of_a_back_end },
		{ "memory that a back-end cannot have", memory_that_a_back_end_cannot_have },
		{ "a back-end that goes away", a_back_end_that_goes_away },
		CU_TEST_INFO_NULL,
	};

	if (argc < 2)
		return suite_run ("kinds of device", here);
	vdpa_path = argv[1];
	return recorder_report (suite_run ("kinds of device", all));
}
