/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In place of probe-kernel.c, where the library was built without the kernel's vhost or without vDPA.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "probe.h"

bool
probe_is_kernel (const char *path)
{
	return strncmp (path, "/dev/vhost-", strlen ("/dev/vhost-")) == 0;
}

int
probe_ask_kernel (const struct probe_options *o, struct kernel_answers *a, char *failed, size_t size)
{
	memset (a, 0, sizeof (*a));
	snprintf (failed, size, "%s: this build does not know devices of the kernel", o->socket);
	return -ENOSYS;
}

const char *
backend_feature_name (const struct answers *a, unsigned bit)
{
	(void) a;
	(void) bit;
	return NULL;
}

const char *
kernel_feature_name (const struct answers *a, unsigned bit)
{
	return vh_virtio_feature_name (a->device ? a->device->id : 0, bit);
}
