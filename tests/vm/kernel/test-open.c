/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices that cannot be had: each reason has its error and its line.  test-open VDPA-DEVICE NODE-WITHOUT-DRIVER, as root.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vhost/kernel.h>

#include "tests/vm/kernel/rig.h"

static const char *vdpa_path, *orphan;

static void
refused (const char *path, int err, const char *words)
{
	struct vh_kernel *k = NULL;
	char failed[200] = "", expected[200];

	snprintf (expected, sizeof (expected), "%s: %s", path, words);
	CU_ASSERT_EQUAL (vh_kernel_open (path, NULL, &k, failed, sizeof (failed)), err);
	if (strcmp (failed, expected) != 0)
		fprintf (stderr, "\"%s\", not \"%s\"\n", failed, expected);
	CU_ASSERT_STRING_EQUAL (failed, expected);
	vh_kernel_free (k);
}

static void
no_device (void)
{
	refused ("/dev/vhost-none", -ENOENT, "there is no such device (is its kernel module loaded?)");
}

static void
no_driver (void)
{
	refused (orphan, -ENXIO, "there is no driver for this device (is its kernel module there?)");
}

static void
not_a_vhost_device (void)
{
	refused ("/dev/null", -ENOTTY, "not a vhost device");
	refused ("/dev/console", -ENOTTY, "not a vhost device");
	refused ("/init", -ENOTTY, "not a vhost device");
	refused ("/dev", -EISDIR, "Is a directory");
}

static void
a_vdpa_device_is_one_program_s (void)
{
	struct vh_kernel *k = NULL;

	CU_ASSERT_EQUAL_FATAL (vh_kernel_open (vdpa_path, NULL, &k, NULL, 0), 0);
	refused (vdpa_path, -EBUSY, "somebody else has it open");
	vh_kernel_free (k);
	CU_ASSERT_EQUAL_FATAL (vh_kernel_open (vdpa_path, NULL, &k, NULL, 0), 0);
	vh_kernel_free (k);
}

/* In a process of its own, which cannot have what it gave away back. */
static void
no_permission (void)
{
	int status = 0;
	pid_t pid;

	fflush (stdout);
	pid = fork ();
	CU_ASSERT_FATAL (pid >= 0);
	if (pid == 0) {
		struct vh_kernel *k;
		char failed[200] = "";
		int err = setuid (65534) < 0 ? 0 : vh_kernel_open ("/dev/vhost-net", NULL, &k, failed, sizeof (failed));

		_exit (err == -EACCES && strcmp (failed, "/dev/vhost-net: no permission to open it") == 0 ? 0 : 1);
	}
	CU_ASSERT_EQUAL (waitpid (pid, &status, 0), pid);
	CU_ASSERT_EQUAL (status, 0);
}

/* A child has another memory than the owner, and is told so. */
static void
an_owner_is_a_process (void)
{
	struct vh_kernel *k = NULL;
	int status = 0;
	pid_t pid;

	CU_ASSERT_EQUAL_FATAL (vh_kernel_open ("/dev/vhost-net", NULL, &k, NULL, 0), 0);
	CU_ASSERT_EQUAL (vh_kernel_set_vring_num (k, 0, 1), -EPERM);
	CU_ASSERT_STRING_EQUAL (vh_kernel_error (k), "VHOST_SET_VRING_NUM: this process is not the owner (VHOST_SET_OWNER)");
	CU_ASSERT_EQUAL (vh_kernel_set_owner (k), 0);
	CU_ASSERT_EQUAL (vh_kernel_set_owner (k), -EBUSY);
	CU_ASSERT_STRING_EQUAL (vh_kernel_error (k), "VHOST_SET_OWNER: it has an owner already");
	fflush (stdout);
	pid = fork ();
	CU_ASSERT_FATAL (pid >= 0);
	if (pid == 0)
		_exit (vh_kernel_set_vring_num (k, 0, 1) == -EPERM ? 0 : 1);
	CU_ASSERT_EQUAL (waitpid (pid, &status, 0), pid);
	CU_ASSERT_EQUAL (status, 0);
	vh_kernel_free (k);
}

int
main (int argc, char **argv)
{
	CU_TestInfo tests[] = {
		{ "no device", no_device },
		{ "no driver", no_driver },
		{ "not a vhost device", not_a_vhost_device },
		{ "a vDPA device is one program's", a_vdpa_device_is_one_program_s },
		{ "no permission", no_permission },
		{ "an owner is a process", an_owner_is_a_process },
		CU_TEST_INFO_NULL,
	};

	if (argc != 3)
		return 2;
	vdpa_path = argv[1];
	orphan = argv[2];
	return suite_run ("devices that cannot be had", tests);
}
