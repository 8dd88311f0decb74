/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ends of a console on the host: terminals, files, sockets, and the size of a terminal.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "devices/console/size.h"
#include "tests/suite.h"

struct rig {
	struct host host;
	struct log log;
	struct vh_loop *loop;
	unsigned changes;
	char folder[64];
};

static void
changed (void *opaque)
{
	((struct rig *) opaque)->changes++;
}

static int
rig_make (struct rig *r, const char *text)
{
	const struct host_kind *kind;
	const char *argument;
	int err;

	*r = (struct rig){ .folder = "/tmp/libvhost-XXXXXX", .log = { .program = "test", .silent = true } };
	CU_ASSERT_PTR_NOT_NULL_FATAL (mkdtemp (r->folder));
	CU_ASSERT_EQUAL_FATAL (chdir (r->folder), 0);
	CU_ASSERT_EQUAL_FATAL (vh_loop_new (&r->loop), 0);
	CU_ASSERT_TRUE_FATAL (host_parse (text, &kind, &argument));
	err = host_open (&r->host, kind, argument, &r->log);
	r->host.changed = changed;
	r->host.opaque = r;
	return err;
}

static void
rig_open (struct rig *r, const char *text)
{
	CU_ASSERT_EQUAL_FATAL (rig_make (r, text), 0);
	CU_ASSERT_EQUAL_FATAL (host_attach (&r->host, r->loop), 0);
}

static void
rig_close (struct rig *r)
{
	char command[128];

	host_detach (&r->host);
	host_close (&r->host);
	vh_loop_free (r->loop);
	snprintf (command, sizeof (command), "rm -rf '%s'", r->folder);
	CU_ASSERT_EQUAL (chdir ("/"), 0);
	CU_ASSERT_EQUAL (system (command), 0);
}

static void
rig_run (struct rig *r)
{
	while (vh_loop_dispatch (r->loop, 0) > 0)
		;
	host_tick (&r->host);
}

static size_t
put (struct rig *r, const char *text)
{
	struct iovec parts[2] = { { (char *) text, 1 }, { (char *) text + 1, strlen (text) - 1 } };

	rig_run (r);
	return host_write (&r->host, parts, 2);
}

/* What the host says, in up to so many reads. */
static bool
gets_text (struct rig *r, const char *text)
{
	char buffer[256];
	size_t n = 0;

	for (unsigned i = 0; i < 100 && n < strlen (text); i++) {
		rig_run (r);
		n += host_read (&r->host, buffer + n, sizeof (buffer) - n);
		if (n == 0)
			usleep (1000);
	}
	return n == strlen (text) && !memcmp (buffer, text, n);
}

static bool
fd_reads (int fd, const char *text)
{
	char buffer[256];
	ssize_t n = read (fd, buffer, sizeof (buffer));

	return n == (ssize_t) strlen (text) && !memcmp (buffer, text, n);
}

static int
unix_socket (const char *path, struct sockaddr_un *addr)
{
	int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CU_ASSERT_FATAL (fd >= 0);
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf (addr->sun_path, sizeof (addr->sun_path), "%s", path);
	return fd;
}

static int
connect_to (const char *path)
{
	struct sockaddr_un addr;
	int fd = unix_socket (path, &addr);

	CU_ASSERT_EQUAL_FATAL (connect (fd, (struct sockaddr *) &addr, sizeof (addr)), 0);
	return fd;
}

static int
listen_at (const char *path)
{
	struct sockaddr_un addr;
	int fd = unix_socket (path, &addr);

	unlink (path);
	CU_ASSERT_EQUAL_FATAL (bind (fd, (struct sockaddr *) &addr, sizeof (addr)), 0);
	CU_ASSERT_EQUAL_FATAL (listen (fd, 8), 0);
	return fd;
}

static void
test_pty (void)
{
	struct rig r;
	struct stat st;
	int fd;

	rig_open (&r, "pty:console");
	CU_ASSERT_EQUAL (lstat ("console", &st), 0);
	CU_ASSERT_TRUE (S_ISLNK (st.st_mode));
	/* Nobody looks at it. */
	rig_run (&r);
	CU_ASSERT_FALSE (r.host.connected);
	CU_ASSERT_EQUAL (put (&r, "to nobody"), 9);
	fd = open ("console", O_RDWR | O_NOCTTY | O_NONBLOCK);
	CU_ASSERT_FATAL (fd >= 0);
	rig_run (&r);
	CU_ASSERT_TRUE (r.host.connected);
	CU_ASSERT_EQUAL (put (&r, "login:\n"), 7);
	CU_ASSERT_TRUE (fd_reads (fd, "login:\n"));	/* raw: no \r */
	CU_ASSERT_EQUAL (write (fd, "root\r\003", 6), 6);
	CU_ASSERT_TRUE (gets_text (&r, "root\r\003"));
	/* The last words come before the end. */
	CU_ASSERT_EQUAL (write (fd, "exit", 4), 4);
	close (fd);
	CU_ASSERT_TRUE (gets_text (&r, "exit"));
	CU_ASSERT_TRUE (gets_text (&r, ""));
	rig_run (&r);
	host_read (&r.host, (char[8]){ 0 }, 8);
	CU_ASSERT_FALSE (r.host.connected);
	/* And again. */
	fd = open ("console", O_RDWR | O_NOCTTY | O_NONBLOCK);
	rig_run (&r);
	CU_ASSERT_TRUE (r.host.connected);
	CU_ASSERT_EQUAL (put (&r, "again"), 5);
	CU_ASSERT_TRUE (fd_reads (fd, "again"));
	close (fd);
	rig_close (&r);
}

/* A guest that does not read its input does not keep others from the terminal. */
static void
test_pty_with_input_that_nobody_reads (void)
{
	struct rig r;
	int fd;

	rig_open (&r, "pty:console");
	fd = open ("console", O_RDWR | O_NOCTTY);
	rig_run (&r);
	CU_ASSERT_EQUAL (write (fd, "unread", 6), 6);
	close (fd);
	rig_run (&r);
	CU_ASSERT_EQUAL (put (&r, "to nobody"), 9);
	fd = open ("console", O_RDWR | O_NOCTTY | O_NONBLOCK);
	rig_run (&r);
	CU_ASSERT_EQUAL (put (&r, "hello"), 5);
	CU_ASSERT_TRUE (fd_reads (fd, "hello"));
	CU_ASSERT_TRUE (gets_text (&r, "unread"));
	close (fd);
	rig_close (&r);
}

/* Somebody looks and does not read: the writer has to wait, and goes on when there is room. */
static void
test_pty_is_full (void)
{
	struct rig r;
	char buffer[1000];
	unsigned written = 0, got = 0;
	size_t n;
	int fd;

	rig_open (&r, "pty:console");
	fd = open ("console", O_RDWR | O_NOCTTY | O_NONBLOCK);
	rig_run (&r);
	while ((n = host_write (&r.host, &(struct iovec){ "0123456789", 10 }, 1)) > 0) {
		written += n;
		CU_ASSERT_FATAL (written < (1u << 20));
	}
	CU_ASSERT_FALSE (r.host.writable);
	for (unsigned i = 0; i < 1000 && got < written; i++) {
		ssize_t more = read (fd, buffer, sizeof (buffer));

		if (more > 0)
			got += more;
		else
			usleep (1000);
	}
	CU_ASSERT_EQUAL (got, written);
	rig_run (&r);
	CU_ASSERT_EQUAL (put (&r, "more"), 4);
	CU_ASSERT_TRUE (fd_reads (fd, "more"));
	close (fd);
	rig_close (&r);
}

static void
test_pty_link_is_a_file (void)
{
	struct rig r;
	int fd = open ("/tmp/libvhost-not-a-link", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	close (fd);
	CU_ASSERT_EQUAL (rig_make (&r, "pty:/tmp/libvhost-not-a-link"), -EEXIST);
	rig_close (&r);
	CU_ASSERT_EQUAL (unlink ("/tmp/libvhost-not-a-link"), 0);
}

static void
test_file (void)
{
	struct rig r;
	int fd;

	rig_open (&r, "file:log");
	CU_ASSERT_TRUE (r.host.connected);
	CU_ASSERT_EQUAL (put (&r, "first\n"), 6);
	CU_ASSERT_EQUAL (rename ("log", "log.1"), 0);
	CU_ASSERT_EQUAL (put (&r, "second\n"), 7);
	host_reopen (&r.host);
	CU_ASSERT_EQUAL (put (&r, "third\n"), 6);
	fd = open ("log.1", O_RDONLY);
	CU_ASSERT_TRUE (fd_reads (fd, "first\nsecond\n"));
	close (fd);
	fd = open ("log", O_RDONLY);
	CU_ASSERT_TRUE (fd_reads (fd, "third\n"));
	close (fd);
	rig_close (&r);
}

/* What cannot be written is lost, and does not stop anybody. */
static void
test_file_without_room (void)
{
	struct rig r;

	rig_open (&r, "file:/dev/full");
	CU_ASSERT_EQUAL (put (&r, "lost"), 4);
	CU_ASSERT_TRUE (r.host.failed);
	CU_ASSERT_EQUAL (put (&r, "lost"), 4);
	CU_ASSERT_TRUE (r.host.connected);
	rig_close (&r);
	CU_ASSERT (rig_make (&r, "file:no/such/folder") == -ENOENT);
	rig_close (&r);
}

static void
test_listen (void)
{
	struct rig r;
	int fd, next;

	rig_open (&r, "listen:s");
	CU_ASSERT_EQUAL (put (&r, "to nobody"), 9);
	fd = connect_to ("s");
	next = connect_to ("s");
	rig_run (&r);
	CU_ASSERT_TRUE (r.host.connected);
	CU_ASSERT_EQUAL (put (&r, "hello"), 5);
	CU_ASSERT_TRUE (fd_reads (fd, "hello"));
	CU_ASSERT (read (next, &(char){ 0 }, 1) < 0 && errno == EAGAIN);
	/* One that has said all still reads. */
	CU_ASSERT_EQUAL (write (fd, "question", 8), 8);
	shutdown (fd, SHUT_WR);
	CU_ASSERT_TRUE (gets_text (&r, "question"));
	rig_run (&r);
	host_read (&r.host, (char[8]){ 0 }, 8);
	CU_ASSERT_TRUE (r.host.connected);
	CU_ASSERT_EQUAL (put (&r, "answer"), 6);
	CU_ASSERT_TRUE (fd_reads (fd, "answer"));
	close (fd);
	CU_ASSERT_EQUAL (put (&r, "too late"), 8);
	host_read (&r.host, (char[8]){ 0 }, 8);
	CU_ASSERT_FALSE (r.host.connected);
	/* The next one's turn. */
	rig_run (&r);
	CU_ASSERT_TRUE (r.host.connected);
	CU_ASSERT_EQUAL (write (next, "last words", 10), 10);
	close (next);
	CU_ASSERT_TRUE (gets_text (&r, "last words"));
	host_read (&r.host, (char[8]){ 0 }, 8);
	CU_ASSERT_FALSE (r.host.connected);
	rig_close (&r);
	CU_ASSERT_NOT_EQUAL (access ("s", F_OK), 0);
}

/* The guest pauses while somebody is there. */
static void
test_pause (void)
{
	struct rig r;
	int fd, next;

	rig_open (&r, "listen:s");
	fd = connect_to ("s");
	rig_run (&r);
	host_detach (&r.host);
	CU_ASSERT_EQUAL (write (fd, "meanwhile", 9), 9);
	next = connect_to ("s");
	CU_ASSERT_EQUAL_FATAL (host_attach (&r.host, r.loop), 0);
	CU_ASSERT_TRUE (gets_text (&r, "meanwhile"));
	close (fd);
	rig_run (&r);
	host_read (&r.host, (char[8]){ 0 }, 8);
	rig_run (&r);
	CU_ASSERT_TRUE (r.host.connected);
	close (next);
	rig_close (&r);
}

static void
test_connect (void)
{
	struct rig r;
	int listener, fd;

	rig_open (&r, "connect:s");
	CU_ASSERT_FALSE (r.host.connected);
	CU_ASSERT_TRUE (host_wants_tick (&r.host));
	rig_run (&r);
	CU_ASSERT_EQUAL (put (&r, "to nobody"), 9);
	listener = listen_at ("s");
	rig_run (&r);
	CU_ASSERT_TRUE (r.host.connected);
	CU_ASSERT_FALSE (host_wants_tick (&r.host));
	fd = accept (listener, NULL, NULL);
	CU_ASSERT_EQUAL (put (&r, "hello"), 5);
	CU_ASSERT_TRUE (fd_reads (fd, "hello"));
	close (fd);
	rig_run (&r);
	host_read (&r.host, (char[8]){ 0 }, 8);
	CU_ASSERT_FALSE (r.host.connected);
	/* Again and again. */
	rig_run (&r);
	CU_ASSERT_TRUE (r.host.connected);
	close (listener);
	rig_close (&r);
}

static void
test_socket_is_full (void)
{
	struct rig r;
	static char bytes[65536];
	size_t n, written = 0, got = 0;
	int fd;

	rig_open (&r, "listen:s");
	fd = connect_to ("s");
	rig_run (&r);
	while ((n = host_write (&r.host, &(struct iovec){ bytes, sizeof (bytes) }, 1)) > 0)
		written += n;
	CU_ASSERT (written > 0);
	r.changes = 0;
	while (got < written)
		got += read (fd, bytes, sizeof (bytes));
	rig_run (&r);
	CU_ASSERT (r.changes > 0);
	CU_ASSERT_TRUE (r.host.writable);
	close (fd);
	rig_close (&r);
}

/* --- the size --- */

static void
test_size (void)
{
	const struct winsize wide = { .ws_col = 132, .ws_row = 50 };
	struct size s = { 0 };
	unsigned changes = 0;
	struct rig r;
	int fd;

	CU_ASSERT_FALSE (size_is_known (&s));
	rig_open (&r, "pty:console");
	size_init (&s, &r.host, 0, 0);
	CU_ASSERT_TRUE (size_is_known (&s));
	CU_ASSERT_EQUAL (s.config.cols, htole16 (80));
	r.changes = 0;
	CU_ASSERT_EQUAL (size_attach (&s, r.loop, changed, &r), 0);
	fd = open ("console", O_RDWR | O_NOCTTY);
	CU_ASSERT_EQUAL (ioctl (fd, TIOCSWINSZ, &wide), 0);
	for (unsigned i = 0; i < 100 && s.config.cols != htole16 (132); i++)
		vh_loop_dispatch (r.loop, 100);
	changes = r.changes;
	CU_ASSERT_EQUAL (s.config.cols, htole16 (132));
	CU_ASSERT_EQUAL (s.config.rows, htole16 (50));
	CU_ASSERT (changes >= 1);
	size_detach (&s);
	close (fd);
	rig_close (&r);
	/* A fixed one; and what is no terminal. */
	rig_open (&r, "file:log");
	s = (struct size){ 0 };
	size_init (&s, &r.host, 0, 0);
	CU_ASSERT_FALSE (size_is_known (&s));
	size_init (&s, &r.host, 100, 30);
	CU_ASSERT_TRUE (size_is_known (&s));
	CU_ASSERT_EQUAL (s.config.rows, htole16 (30));
	CU_ASSERT_EQUAL (size_attach (&s, r.loop, changed, &r), 0);
	CU_ASSERT_PTR_NULL (s.timer);
	size_detach (&s);
	rig_close (&r);
}

static void
test_nothing_is_left (void)
{
	static const char *const ends[] = { "pty", "pty:link", "file:log", "listen:s", "connect:s" };
	int fds = suite_open_fds ();

	for (unsigned i = 0; i < sizeof (ends) / sizeof (ends[0]); i++) {
		struct rig r;

		rig_open (&r, ends[i]);
		rig_run (&r);
		rig_close (&r);
		CU_ASSERT_EQUAL (suite_open_fds (), fds);
	}
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a terminal", test_pty },
		{ "a terminal with input that nobody reads", test_pty_with_input_that_nobody_reads },
		{ "a terminal that is full", test_pty_is_full },
		{ "a file in the place of the link", test_pty_link_is_a_file },
		{ "a file", test_file },
		{ "a file without room", test_file_without_room },
		{ "a socket that listens", test_listen },
		{ "pause", test_pause },
		{ "a socket that connects", test_connect },
		{ "a socket that is full", test_socket_is_full },
		{ "the size", test_size },
		{ "nothing is left", test_nothing_is_left },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("console, ends", tests);
}
