/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One region of guest memory as a back-end holds it.  Regions are shared by the tables that contain them: the next table after ADD_MEM_REG refers to the
 * same regions as the one before, and a region is unmapped when the last table lets go.
 */
#ifndef MEMORY_REGION_H
#define MEMORY_REGION_H

#include <stdbool.h>

#include <vhost/memory.h>

struct region {
	struct vh_region spec;	/* as the front-end described it; spec.fd is -1 */
	unsigned char *host;	/* where its first byte is mapped; NULL: nothing is mapped in advance, accesses go through map_ranges */
	void *mapping;		/* of a file: the whole mapping that host is in, mapping_size bytes of whole pages; NULL: it is no file's */
	size_t mapping_size;
	void *model;		/* the memory model's own: domain, grants, ... */
	int lost;		/* atomic; set by the SIGBUS guard: the file shrank, what is mapped now are zeroes */
	bool filling;		/* atomic; pages are still to come, where it is mapped now (postcopy): elsewhere they would be zeroes, and stay so */
	unsigned refs;		/* atomic */
	unsigned repeats;	/* how many times more ADD_MEM_REG brought it; the back-end's own */
};

/*
 * Checks the description (size, sums that wrap) and maps it by the memory model.  fd is borrowed.  0 and *ret with one reference; -EINVAL, or what map_region
 * returns.
 */
int region_new (const struct vh_region *spec, int fd, struct region **ret);

struct region *region_ref (struct region *);
void region_unref (struct region *);

#endif
