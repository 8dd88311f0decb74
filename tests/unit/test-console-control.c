/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control messages of a console with several ports, and the names of what ports are joined to.
 */
#include <endian.h>
#include <string.h>

#include "devices/console/control.h"
#include "devices/console/host.h"
#include "tests/suite.h"

#define EV(name) VIRTIO_CONSOLE_##name

/* Two consoles and a port with a name. */
static void
control_open (struct control *c)
{
	*c = (struct control){ .n_ports = 3 };
	c->ports[2].name = "com.example.agent";
}

static int
say (struct control *c, unsigned id, unsigned event, unsigned value)
{
	struct virtio_console_control m = { .id = htole32 (id), .event = htole16 (event), .value = htole16 (value) };
	struct iovec parts[2] = { { &m, 3 }, { (char *) &m + 3, sizeof (m) - 3 } };

	return control_receive (c, parts, 2);
}

/* The next message is this one; text: what follows it, without a zero. */
static void
expect (struct control *c, unsigned id, unsigned event, unsigned value, const char *text)
{
	uint8_t buffer[CONTROL_MAX_MESSAGE];
	struct virtio_console_control m;
	size_t n = control_produce (c, buffer);

	CU_ASSERT_EQUAL_FATAL (n, sizeof (m) + strlen (text));
	memcpy (&m, buffer, sizeof (m));
	CU_ASSERT_EQUAL (le32toh (m.id), id);
	CU_ASSERT_EQUAL (le16toh (m.event), event);
	CU_ASSERT_EQUAL (le16toh (m.value), value);
	CU_ASSERT_EQUAL (memcmp (buffer + sizeof (m), text, strlen (text)), 0);
}

static void
expect_nothing (struct control *c)
{
	uint8_t buffer[CONTROL_MAX_MESSAGE];

	CU_ASSERT_FALSE (control_has_message (c));
	CU_ASSERT_EQUAL (control_produce (c, buffer), 0);
}

static void
test_driver_begins (void)
{
	struct control c;

	control_open (&c);
	control_set_host (&c, 0, true);
	control_set_host (&c, 2, true);
	expect_nothing (&c);
	CU_ASSERT_EQUAL (say (&c, 0, EV (DEVICE_READY), 1), -1);
	for (unsigned i = 0; i < 3; i++)
		expect (&c, i, EV (PORT_ADD), 1, "");
	expect_nothing (&c);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL (say (&c, i, EV (PORT_READY), 1), -1);
	/* Each port's messages come together, whichever port is first. */
	expect (&c, 2, EV (PORT_OPEN), 1, "");
	expect (&c, 2, EV (PORT_NAME), 1, "com.example.agent");
	expect (&c, 0, EV (CONSOLE_PORT), 1, "");
	expect (&c, 0, EV (PORT_OPEN), 1, "");
	expect (&c, 1, EV (CONSOLE_PORT), 1, "");
	expect_nothing (&c);
	CU_ASSERT_EQUAL (say (&c, 2, EV (PORT_OPEN), 1), 2);
	CU_ASSERT_TRUE (c.ports[2].guest_open);
	CU_ASSERT_EQUAL (say (&c, 2, EV (PORT_OPEN), 0), 2);
	CU_ASSERT_FALSE (c.ports[2].guest_open);
	CU_ASSERT_EQUAL (c.bad, 0);
}

static void
test_host_comes_and_goes (void)
{
	struct control c;

	control_open (&c);
	say (&c, 0, EV (DEVICE_READY), 1);
	for (unsigned i = 0; i < 3; i++)
		expect (&c, i, EV (PORT_ADD), 1, "");
	say (&c, 1, EV (PORT_READY), 1);
	expect (&c, 1, EV (CONSOLE_PORT), 1, "");
	control_set_host (&c, 1, true);
	control_set_host (&c, 1, true);
	expect (&c, 1, EV (PORT_OPEN), 1, "");
	/* Only how it is now is told. */
	control_set_host (&c, 1, false);
	control_set_host (&c, 1, true);
	control_set_host (&c, 1, false);
	expect (&c, 1, EV (PORT_OPEN), 0, "");
	expect_nothing (&c);
	/* A port that the guest does not have yet. */
	control_set_host (&c, 2, true);
	expect_nothing (&c);
}

static void
test_driver_begins_anew (void)
{
	struct control c;

	control_open (&c);
	say (&c, 0, EV (DEVICE_READY), 1);
	expect (&c, 0, EV (PORT_ADD), 1, "");
	say (&c, 0, EV (PORT_READY), 1);
	say (&c, 0, EV (PORT_OPEN), 1);
	/* In the middle of it. */
	say (&c, 0, EV (DEVICE_READY), 1);
	CU_ASSERT_FALSE (c.ports[0].guest_open);
	for (unsigned i = 0; i < 3; i++)
		expect (&c, i, EV (PORT_ADD), 1, "");
	expect_nothing (&c);
	/* It cannot make a port; nor use the device at all. */
	say (&c, 1, EV (PORT_READY), 0);
	control_set_host (&c, 1, true);
	expect_nothing (&c);
	say (&c, 0, EV (DEVICE_READY), 0);
	expect_nothing (&c);
	CU_ASSERT_EQUAL (c.bad, 0);
}

/* A driver that had another back-end goes on. */
static void
test_driver_goes_on (void)
{
	struct control c;

	control_open (&c);
	control_set_host (&c, 1, true);
	control_resume (&c);
	CU_ASSERT_TRUE (c.ports[2].guest_open);
	expect (&c, 0, EV (PORT_OPEN), 0, "");
	expect (&c, 1, EV (PORT_OPEN), 1, "");
	expect (&c, 2, EV (PORT_OPEN), 0, "");
	expect_nothing (&c);
	control_reset (&c);
	CU_ASSERT_FALSE (c.ports[2].guest_open);
}

static void
test_bad_messages (void)
{
	static const unsigned events[] = { EV (PORT_ADD), EV (PORT_REMOVE), EV (CONSOLE_PORT), EV (RESIZE), EV (PORT_NAME), 8, 0xffff };
	struct control c;
	struct iovec part = { (char[7]){ 0 }, 7 };

	control_open (&c);
	for (unsigned i = 0; i < sizeof (events) / sizeof (events[0]); i++)
		CU_ASSERT_EQUAL (say (&c, 0, events[i], 1), -1);
	CU_ASSERT_EQUAL (c.bad, 7);
	CU_ASSERT_EQUAL (say (&c, 3, EV (PORT_OPEN), 1), -1);
	CU_ASSERT_EQUAL (say (&c, CONTROL_MAX_PORTS, EV (PORT_READY), 1), -1);
	CU_ASSERT_EQUAL (say (&c, UINT32_MAX, EV (PORT_OPEN), 1), -1);
	CU_ASSERT_EQUAL (say (&c, 0, EV (PORT_OPEN), 2), -1);
	CU_ASSERT_EQUAL (control_receive (&c, &part, 1), -1);
	CU_ASSERT_EQUAL (control_receive (&c, &part, 0), -1);
	CU_ASSERT_EQUAL (c.bad, 13);
	expect_nothing (&c);
	CU_ASSERT_FALSE (c.ports[0].guest_open);
}

/* --- names of ends --- */

static void
test_names (void)
{
	static const char *const wrong[] = { "", ":", "pt", "ptyy", "pty:", "file", "file:", "listen", "connect", "stdio:x", "socket:x", "PTY" };
	const struct host_kind *kind;
	const char *argument;

	CU_ASSERT_TRUE (host_parse ("pty", &kind, &argument));
	CU_ASSERT_PTR_EQUAL (kind, &host_pty);
	CU_ASSERT_PTR_NULL (argument);
	CU_ASSERT_TRUE (host_parse ("pty:/dev/x", &kind, &argument));
	CU_ASSERT_STRING_EQUAL (argument, "/dev/x");
	CU_ASSERT_TRUE (host_parse ("file:a:b", &kind, &argument));
	CU_ASSERT_PTR_EQUAL (kind, &host_file);
	CU_ASSERT_STRING_EQUAL (argument, "a:b");
	CU_ASSERT_TRUE (host_parse ("stdio", &kind, &argument));
	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++)
		CU_ASSERT_FALSE (host_parse (wrong[i], &kind, &argument));
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a driver begins", test_driver_begins },
		{ "the host comes and goes", test_host_comes_and_goes },
		{ "a driver begins anew", test_driver_begins_anew },
		{ "a driver goes on", test_driver_goes_on },
		{ "bad messages", test_bad_messages },
		{ "names of ends", test_names },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("console, control", tests);
}
