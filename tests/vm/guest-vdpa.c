/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest-vdpa NAME MANAGER: makes a vDPA device, as "vdpa dev add name NAME mgmtdev MANAGER" does; over generic netlink, so that nothing else is needed in a
 * guest.
 */
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/vdpa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct message {
	struct nlmsghdr header;
	struct genlmsghdr generic;
	char attributes[256];
};

static void
die (const char *what)
{
	perror (what);
	exit (1);
}

static void
begin (struct message *m, unsigned family, unsigned command, unsigned version, unsigned flags)
{
	memset (m, 0, sizeof (*m));
	m->header.nlmsg_len = NLMSG_LENGTH (GENL_HDRLEN);
	m->header.nlmsg_type = family;
	m->header.nlmsg_flags = NLM_F_REQUEST | flags;
	m->generic.cmd = command;
	m->generic.version = version;
}

static void
add_text (struct message *m, unsigned type, const char *text)
{
	struct nlattr *a = (struct nlattr *) ((char *) m + NLMSG_ALIGN (m->header.nlmsg_len));
	size_t size = strlen (text) + 1;

	if (size > 64)
		exit (2);
	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + size;
	memcpy ((char *) a + NLA_HDRLEN, text, size);
	m->header.nlmsg_len = NLMSG_ALIGN (m->header.nlmsg_len) + NLA_ALIGN (a->nla_len);
}

/* Sends, and takes the first answer. */
static void
talk (int fd, const struct message *m, char *answer, size_t size)
{
	struct nlmsghdr *h = (struct nlmsghdr *) answer;

	if (send (fd, m, m->header.nlmsg_len, 0) < 0)
		die ("netlink");
	if (recv (fd, answer, size, 0) < (ssize_t) sizeof (*h))
		die ("netlink");
	if (h->nlmsg_type == NLMSG_ERROR) {
		int error = ((struct nlmsgerr *) NLMSG_DATA (h))->error;

		if (error == 0)
			return;
		fprintf (stderr, "netlink: %s\n", strerror (-error));
		exit (1);
	}
}

/* The number of the family, which is its name's. */
static unsigned
find_family (int fd, const char *name)
{
	char answer[4096];
	struct nlmsghdr *h = (struct nlmsghdr *) answer;
	struct message m;
	size_t offset = NLMSG_LENGTH (GENL_HDRLEN);

	begin (&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, 0);
	add_text (&m, CTRL_ATTR_FAMILY_NAME, name);
	talk (fd, &m, answer, sizeof (answer));
	while (offset + NLA_HDRLEN <= h->nlmsg_len) {
		struct nlattr *a = (struct nlattr *) (answer + offset);

		if (a->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(unsigned short *) ((char *) a + NLA_HDRLEN);
		if (a->nla_len == 0)
			break;
		offset += NLA_ALIGN (a->nla_len);
	}
	fprintf (stderr, "there is no %s\n", name);
	exit (1);
}

int
main (int argc, char **argv)
{
	int fd = socket (AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	char answer[4096];
	struct message m;

	if (argc != 3)
		return 2;
	if (fd < 0)
		die ("netlink");
	begin (&m, find_family (fd, VDPA_GENL_NAME), VDPA_CMD_DEV_NEW, VDPA_GENL_VERSION, NLM_F_ACK);
	add_text (&m, VDPA_ATTR_MGMTDEV_DEV_NAME, argv[2]);
	add_text (&m, VDPA_ATTR_DEV_NAME, argv[1]);
	talk (fd, &m, answer, sizeof (answer));
	return 0;
}
