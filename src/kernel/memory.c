/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest's memory and its dirty log, told to the kernel.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/kernel.h"

/* What the module's parameter is if nobody set it (drivers/vhost/vhost.c). */
#define DEFAULT_MAX_REGIONS 64

unsigned
vh_kernel_max_regions (void)
{
	FILE *file = fopen ("/sys/module/vhost/parameters/max_mem_regions", "re");
	unsigned max = 0;

	if (file) {
		if (fscanf (file, "%u", &max) != 1)
			max = 0;
		fclose (file);
	}
	if (max == 0)
		return DEFAULT_MAX_REGIONS;
	return max < VH_MAX_REGIONS ? max : VH_MAX_REGIONS;
}

int
vh_kernel_set_mem_table (struct vh_kernel *k, const struct vh_region *regions, unsigned n)
{
	struct memory_table *table;
	int err;

	if (n > VH_MAX_REGIONS)
		return kernel_refuse (k, KERNEL_SET_MEM_TABLE, -E2BIG, "too many regions");
	table = calloc (1, sizeof (*table) + n * sizeof (table->regions[0]));
	if (!table)
		return error_set (&k->error, -ENOMEM, "%s", kernel_rows[KERNEL_SET_MEM_TABLE].name);
	table->n = n;
	for (unsigned i = 0; i < n; i++)
		table->regions[i] = (struct memory_region){
			.guest_addr = regions[i].guest_addr, .size = regions[i].size, .user_addr = regions[i].user_addr,
		};
	err = kernel_request (k, KERNEL_SET_MEM_TABLE, table);
	free (table);
	return err;
}

/* The argument is the address of the log's address. */
int
vh_kernel_set_log_base (struct vh_kernel *k, void *base)
{
	return kernel_set_u64 (k, KERNEL_SET_LOG_BASE, (uintptr_t) base);
}

int
vh_kernel_set_log_fd (struct vh_kernel *k, int fd)
{
	return kernel_set_u32 (k, KERNEL_SET_LOG_FD, fd < 0 ? -1 : fd);
}
