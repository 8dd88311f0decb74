/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options of a network device: what each one takes and sets.
 */
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "devices/common/option-value.h"
#include "devices/net/options.h"

static struct net_options *
net (const struct parser *p)
{
	return (struct net_options *) p->device;
}

static bool
set_fds (struct parser *p, const char *value)
{
	unsigned *numbers, n;

	if (!value_numbers (value, INT_MAX, &numbers, &n))
		return option_complain (p, "--%s takes file descriptors, such as 3:4, not \"%s\"", p->row->name, value);
	*(const unsigned **) ((char *) p->device + p->row->offset) = numbers;
	net (p)->n_fds = n;
	if (!option_keep (p, numbers))
		return false;
	return n <= NET_MAX_PAIRS || option_complain (p, "--%s: more than %d", p->row->name, NET_MAX_PAIRS);
}

static int
hex_digit (char c)
{
	return isdigit ((unsigned char) c) ? c - '0' : isxdigit ((unsigned char) c) ? tolower ((unsigned char) c) - 'a' + 10 : -1;
}

static bool
read_mac (const char *text, uint8_t *mac)
{
	for (unsigned i = 0; i < 6; i++, text += 3) {
		int high = hex_digit (text[0]), low = high < 0 ? -1 : hex_digit (text[1]);

		if (low < 0 || text[2] != (i < 5 ? ':' : '\0'))
			return false;
		mac[i] = high << 4 | low;
	}
	return true;
}

static bool
set_mac (struct parser *p, const char *value)
{
	struct net_options *o = net (p);

	o->has_mac = read_mac (value, o->mac) && !(o->mac[0] & 1);
	return o->has_mac || option_complain (p, "--mac takes an address of one station, such as 52:54:00:12:34:56, not \"%s\"", value);
}

#define OF(member) .offset = offsetof (struct net_options, member)

static const struct option_row rows[] = {
	{ "tap", "NAME", option_set_text, OPTION_ONE_DEVICE, OF (tap), .help = "the network: a TAP interface, made if it is not there" },
	{ "tap-fd", "N[:N...]", set_fds, OPTION_ONE_DEVICE, OF (tap_fds), .help = "... open queues of one" },
	{ "link-listen", "PATH", option_set_text, OPTION_ONE_DEVICE, OF (link_listen), .help = "... another device, which comes to this Unix socket" },
	{ "link-connect", "PATH", option_set_text, OPTION_ONE_DEVICE, OF (link_connect), .help = "... another device, which listens there" },
	{ "link-fd", "N[:N...]", set_fds, OPTION_ONE_DEVICE, OF (link_fds), .help = "... another device, over connected sockets" },
	{ "queue-pairs", "N", option_set_number, OPTION_DEVICE, OF (pairs), .min = 1, .max = NET_MAX_PAIRS,
	  .help = "pairs of virtqueues, 1 to 128 [1]" },
	{ "mac", "ADDRESS", set_mac, OPTION_ONE_DEVICE, .help = "the guest's address, if the front-end asks" },
	{ "mtu", "BYTES", option_set_number, OPTION_DEVICE, OF (mtu), .min = 68, .max = 65535, .help = "the largest packet [as the interface, or 1500]" },
	{ "no-offload", NULL, option_set_flag, OPTION_DEVICE, OF (no_offload), .help = "guests make checksums and segments themselves" },
};

const struct option_table net_option_table = OPTION_TABLE (rows);

const struct net_options net_defaults = { .common = { .fd = -1 } };

unsigned
net_options_pairs (const struct net_options *o)
{
	return o->pairs ? o->pairs : o->n_fds ? o->n_fds : 1;
}

bool
net_options_check (const struct parser *p, const struct device_options *common)
{
	const struct net_options *o = (const struct net_options *) common;
	unsigned links = !!o->tap + !!o->tap_fds + !!o->link_listen + !!o->link_connect + !!o->link_fds;

	if (links == 0)
		return option_complain (p, "there is no network: give --tap, --tap-fd, --link-listen, --link-connect or --link-fd");
	if (links > 1)
		return option_complain (p, "--tap, --tap-fd, --link-listen, --link-connect and --link-fd exclude each other");
	if (o->n_fds && o->pairs && o->n_fds != o->pairs)
		return option_complain (p, "%u file descriptors for %u queue pairs", o->n_fds, o->pairs);
	return true;
}
