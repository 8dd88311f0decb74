/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line.
 */
#ifndef XVF_OPTIONS_H
#define XVF_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <vhost/log.h>

#include "regions.h"
#include "spec.h"

#define MAX_DOMAINS 64
#define MAX_DOMAIN_DEVICES 16
#define MAX_RAM_OPTIONS 8

/* A domain that the command line names, with its devices. */
struct domain_option {
	bool has_id;
	uint16_t id;
	const char *name;	/* if it has no id */
	unsigned devices;
	struct spec device[MAX_DOMAIN_DEVICES];
	unsigned n_ram;
	struct area ram[MAX_RAM_OPTIONS];
};

struct options {
	unsigned domains;
	struct domain_option *domain;
	bool xenstore;			/* serve the devices that toolstacks write to xenstore */
	const char *socket_pattern;	/* their sockets: %n name of the kind, %d domain id, %i device id, %% */
	bool foreign;			/* memory, where nothing else is said */
	uint32_t on_demand;		/* flag of regions, see regions.h */
	bool kernel_eventfds;
	unsigned wait_ms;		/* for a back-end, when the guest looks for the device; 0: for ever */
	unsigned timeout_ms;		/* for answers of back-ends */
	enum vh_log_level level;
};

/*
 * Reads the command line.  0: go on; 1: --help or --version was answered; 2: it is wrong, and stderr has one line about it.  options_free in any case.
 */
int options_parse (int argc, char **argv, struct options *);
void options_free (struct options *);

#endif
