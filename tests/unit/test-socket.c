/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Listening and connecting: stale files, permissions, a process without fds, retries, sockets that somebody else opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vhost/socket.h>

#include "tests/suite.h"
#include "util/fd.h"

static char folder[] = "/tmp/libvhost-socket-XXXXXX";
static char path[sizeof (folder) + 8];
static int fds_before;

static void
begin (void)
{
	unlink (path);
	fds_before = suite_open_fds ();
}

/* No test may leave an fd, or its file. */
static void
end (void)
{
	CU_ASSERT_EQUAL (suite_open_fds (), fds_before);
	CU_ASSERT_EQUAL (access (path, F_OK), -1);
}

static struct vh_listener *
must_listen (const struct vh_listener_options *options)
{
	struct vh_listener *l = NULL;

	CU_ASSERT_EQUAL_FATAL (vh_listener_new (path, options, &l), 0);
	return l;
}

static int
must_connect (void)
{
	int fd = vh_connect (path, 0);

	CU_ASSERT_FATAL (fd >= 0);
	return fd;
}

static void
close_all (int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		close (fds[i]);
}

/* A socket of any kind, bound to the path by hand. */
static int
bind_by_hand (int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket (AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf (address.sun_path, sizeof (address.sun_path), "%s", path);
	CU_ASSERT_EQUAL_FATAL (bind (fd, (struct sockaddr *) &address, sizeof (address)), 0);
	return fd;
}

/* --- listening --- */

static void
test_accept (void)
{
	struct vh_listener *l;
	int a, b;
	char c;

	begin ();
	l = must_listen (NULL);
	CU_ASSERT_EQUAL (vh_listener_accept (l), -EAGAIN);
	a = must_connect ();
	b = vh_listener_accept (l);
	CU_ASSERT_FATAL (b >= 0);
	CU_ASSERT_EQUAL (vh_listener_accept (l), -EAGAIN);
	CU_ASSERT_EQUAL (fcntl (a, F_GETFD), FD_CLOEXEC);
	CU_ASSERT_EQUAL (fcntl (b, F_GETFD), FD_CLOEXEC);
	CU_ASSERT_FALSE (fcntl (a, F_GETFL) & O_NONBLOCK);
	CU_ASSERT_FALSE (fcntl (b, F_GETFL) & O_NONBLOCK);
	CU_ASSERT_EQUAL (write (a, "x", 1), 1);
	CU_ASSERT_EQUAL (read (b, &c, 1), 1);
	close (a);
	close (b);
	vh_listener_free (l);
	end ();
}

static void
test_many_connections_closed_at_once (void)
{
	struct vh_listener_options options = { .size = sizeof (options), .backlog = 256 };
	struct vh_listener *l;
	int fd, accepted = 0;

	begin ();
	l = must_listen (&options);
	for (int i = 0; i < 200; i++)
		close (must_connect ());
	while ((fd = vh_listener_accept (l)) >= 0) {
		close (fd);
		accepted++;
	}
	CU_ASSERT_EQUAL (fd, -EAGAIN);
	CU_ASSERT_EQUAL (accepted, 200);
	vh_listener_free (l);
	end ();
}

static void
test_stale_socket_is_replaced (void)
{
	struct vh_listener *l;

	begin ();
	close (bind_by_hand (SOCK_STREAM));
	l = must_listen (NULL);
	close (must_connect ());
	vh_listener_free (l);
	end ();
}

static void
test_live_listener_is_left_alone (void)
{
	struct vh_listener *l, *other = NULL;

	begin ();
	l = must_listen (NULL);
	CU_ASSERT_EQUAL (vh_listener_new (path, NULL, &other), -EADDRINUSE);
	CU_ASSERT_PTR_NULL (other);
	close (must_connect ());
	vh_listener_free (l);
	end ();
}

/* Its backlog is full, so it does not take us; it lives. */
static void
test_busy_listener_is_left_alone (void)
{
	struct vh_listener_options options = { .size = sizeof (options), .backlog = 1 };
	struct vh_listener *l, *other = NULL;
	int fds[8], n = 0;

	begin ();
	l = must_listen (&options);
	while (n < 8 && (fds[n] = vh_connect (path, 0)) >= 0)
		n++;
	CU_ASSERT_FATAL (n < 8);
	CU_ASSERT_EQUAL (fds[n], -EAGAIN);
	CU_ASSERT_EQUAL (vh_listener_new (path, NULL, &other), -EADDRINUSE);
	close_all (fds, n);
	vh_listener_free (l);
	end ();
}

static void
test_other_kinds_of_socket_are_left_alone (void)
{
	struct vh_listener *l = NULL;
	struct stat before, after;
	int fd;

	begin ();
	fd = bind_by_hand (SOCK_DGRAM);
	CU_ASSERT_EQUAL (stat (path, &before), 0);
	CU_ASSERT_EQUAL (vh_listener_new (path, NULL, &l), -EADDRINUSE);
	CU_ASSERT_EQUAL (stat (path, &after), 0);
	CU_ASSERT_EQUAL (before.st_ino, after.st_ino);
	close (fd);
	unlink (path);
	end ();
}

static void
test_other_files_are_never_touched (void)
{
	struct vh_listener *l = NULL;
	char target[sizeof (path) + 8];
	struct stat st;
	int fd;

	begin ();
	fd = open (path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CU_ASSERT_EQUAL (write (fd, "data", 4), 4);
	close (fd);
	CU_ASSERT_EQUAL (vh_listener_new (path, NULL, &l), -ENOTSOCK);
	CU_ASSERT_EQUAL (stat (path, &st), 0);
	CU_ASSERT_EQUAL (st.st_size, 4);
	unlink (path);

	CU_ASSERT_EQUAL (mkdir (path, 0700), 0);
	CU_ASSERT_EQUAL (vh_listener_new (path, NULL, &l), -ENOTSOCK);
	CU_ASSERT_EQUAL (rmdir (path), 0);

	/* A symbolic link, though it leads to a stale socket. */
	close (bind_by_hand (SOCK_STREAM));
	snprintf (target, sizeof (target), "%s.real", path);
	CU_ASSERT_EQUAL (rename (path, target), 0);
	CU_ASSERT_EQUAL (symlink (target, path), 0);
	CU_ASSERT_EQUAL (vh_listener_new (path, NULL, &l), -ENOTSOCK);
	CU_ASSERT_EQUAL (lstat (path, &st), 0);
	CU_ASSERT_TRUE (S_ISLNK (st.st_mode));
	CU_ASSERT_EQUAL (unlink (target), 0);
	unlink (path);
	end ();
}

static void
test_file_of_a_successor_is_kept (void)
{
	struct vh_listener *l, *successor;

	begin ();
	l = must_listen (NULL);
	unlink (path);
	successor = must_listen (NULL);
	vh_listener_free (l);
	close (must_connect ());
	vh_listener_free (successor);
	end ();
}

static void
test_file_gone_before_free (void)
{
	struct vh_listener *l;

	begin ();
	l = must_listen (NULL);
	unlink (path);
	vh_listener_free (l);
	vh_listener_free (NULL);
	end ();
}

static void
test_mode (void)
{
	static const int modes[] = { 0600, 0660, 0666, 0777 };
	mode_t mask = umask (0027);
	struct stat st;

	for (size_t i = 0; i < sizeof (modes) / sizeof (modes[0]); i++) {
		struct vh_listener_options options = { .size = sizeof (options), .mode = modes[i] };
		struct vh_listener *l;

		begin ();
		l = must_listen (&options);
		CU_ASSERT_EQUAL (stat (path, &st), 0);
		CU_ASSERT_EQUAL (st.st_mode & 07777, (mode_t) modes[i]);
		vh_listener_free (l);
		end ();
	}
	umask (mask);
}

static void
test_bad_arguments (void)
{
	struct vh_listener_options options = { .size = sizeof (options) };
	struct vh_listener *l = NULL;
	char longest[200];

	begin ();
	CU_ASSERT_EQUAL (vh_listener_new ("", NULL, &l), -EINVAL);
	CU_ASSERT_EQUAL (vh_connect ("", 0), -EINVAL);
	memset (longest, 'x', sizeof (longest));
	memcpy (longest, folder, sizeof (folder) - 1);
	longest[sizeof (folder) - 1] = '/';
	/* sockaddr_un has room for 107 bytes and a zero. */
	longest[108] = '\0';
	CU_ASSERT_EQUAL (vh_listener_new (longest, NULL, &l), -ENAMETOOLONG);
	CU_ASSERT_EQUAL (vh_connect (longest, 0), -ENAMETOOLONG);
	CU_ASSERT_PTR_NULL (l);
	longest[107] = '\0';
	CU_ASSERT_EQUAL (vh_listener_new (longest, NULL, &l), 0);
	vh_listener_free (l);
	options.backlog = -1;
	CU_ASSERT_EQUAL (vh_listener_new (path, &options, &l), -EINVAL);
	options = (struct vh_listener_options){ .size = sizeof (options), .mode = 0100600 };
	CU_ASSERT_EQUAL (vh_listener_new (path, &options, &l), -EINVAL);
	options = (struct vh_listener_options){ .size = 0 };
	CU_ASSERT_EQUAL (vh_listener_new (path, &options, &l), -EINVAL);
	end ();
}

/* Opens fds until there are no more. */
static unsigned
exhaust_fds (int *fds, unsigned max)
{
	unsigned n = 0;

	while (n < max && (fds[n] = dup (STDERR_FILENO)) >= 0)
		n++;
	CU_ASSERT_EQUAL (errno, EMFILE);
	return n;
}

static void
test_no_free_fd (void)
{
	struct rlimit old, low;
	struct vh_listener *l;
	struct pollfd p;
	int fds[256], clients[2];
	unsigned n;
	char c;

	begin ();
	l = must_listen (NULL);
	clients[0] = must_connect ();
	clients[1] = must_connect ();
	CU_ASSERT_EQUAL (getrlimit (RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = clients[1] + 32;
	CU_ASSERT_EQUAL (setrlimit (RLIMIT_NOFILE, &low), 0);
	n = exhaust_fds (fds, 256);
	/* Both are told that there is no room, and nothing is left to accept. */
	CU_ASSERT_EQUAL (vh_listener_accept (l), -EMFILE);
	CU_ASSERT_EQUAL (vh_listener_accept (l), -EMFILE);
	p = (struct pollfd){ .fd = vh_listener_fd (l), .events = POLLIN };
	CU_ASSERT_EQUAL (poll (&p, 1, 0), 0);
	CU_ASSERT_EQUAL (read (clients[0], &c, 1), 0);
	CU_ASSERT_EQUAL (read (clients[1], &c, 1), 0);
	close_all (clients, 2);
	close_all (fds, n);
	CU_ASSERT_EQUAL (setrlimit (RLIMIT_NOFILE, &old), 0);
	/* And then it serves again. */
	clients[0] = must_connect ();
	clients[1] = vh_listener_accept (l);
	CU_ASSERT_TRUE (clients[1] >= 0);
	close_all (clients, 2);
	vh_listener_free (l);
	end ();
}

/* --- listening on somebody else's socket --- */

static void
test_listening_fd (void)
{
	struct vh_listener *l = NULL;
	struct stat st;
	int fd, a, b;

	begin ();
	fd = bind_by_hand (SOCK_STREAM);
	CU_ASSERT_EQUAL (vh_listener_new_fd (fd, &l), -EINVAL);
	CU_ASSERT_EQUAL_FATAL (listen (fd, 4), 0);
	CU_ASSERT_EQUAL_FATAL (vh_listener_new_fd (fd, &l), 0);
	CU_ASSERT_EQUAL (vh_listener_fd (l), fd);
	CU_ASSERT_EQUAL (vh_listener_accept (l), -EAGAIN);
	a = must_connect ();
	b = vh_listener_accept (l);
	CU_ASSERT_TRUE (b >= 0);
	close (a);
	close (b);
	vh_listener_free (l);
	CU_ASSERT_EQUAL (stat (path, &st), 0);	/* the file is its owner's */
	unlink (path);
	end ();
}

static void
test_fd_that_does_not_listen (void)
{
	struct vh_listener *l = NULL;
	int pair[2], udp;

	begin ();
	CU_ASSERT_EQUAL (socketpair (AF_UNIX, SOCK_STREAM, 0, pair), 0);
	CU_ASSERT_EQUAL (vh_listener_new_fd (pair[0], &l), -EINVAL);
	CU_ASSERT_EQUAL (vh_listener_new_fd (STDERR_FILENO, &l), -EINVAL);
	CU_ASSERT_EQUAL (vh_listener_new_fd (-1, &l), -EINVAL);
	udp = socket (AF_UNIX, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL (vh_listener_new_fd (udp, &l), -EINVAL);
	CU_ASSERT_PTR_NULL (l);
	close_all (pair, 2);
	close (udp);
	end ();
}

/* In a child: sets the variables, opens fds from 3 on, and tells what vh_activation_fds says. */
static int
activation_says (const char *pid, const char *fds, int n_open)
{
	pid_t child = fork ();
	char own[16];
	int status;

	if (child == 0) {
		int source = open ("/dev/null", O_RDONLY | O_CLOEXEC), n;

		snprintf (own, sizeof (own), "%d", getpid ());
		setenv ("LISTEN_PID", pid ? pid : own, 1);
		if (fds)
			setenv ("LISTEN_FDS", fds, 1);
		else
			unsetenv ("LISTEN_FDS");
		source = fcntl (source, F_DUPFD_CLOEXEC, 100);
		for (int fd = 3; fd < 100; fd++)
			close (fd);
		for (int i = 0; i < n_open; i++)
			dup2 (source, 3 + i);
		n = vh_activation_fds ();
		for (int i = 0; i < n; i++)
			if (fcntl (3 + i, F_GETFD) != FD_CLOEXEC)
				_exit (99);
		_exit (n);
	}
	waitpid (child, &status, 0);
	return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

static void
test_activation (void)
{
	CU_ASSERT_EQUAL (activation_says (NULL, "1", 1), 1);
	CU_ASSERT_EQUAL (activation_says (NULL, "3", 5), 3);
	CU_ASSERT_EQUAL (activation_says (NULL, "3", 2), 2);
	CU_ASSERT_EQUAL (activation_says (NULL, NULL, 2), 0);
	CU_ASSERT_EQUAL (activation_says (NULL, "", 2), 0);
	CU_ASSERT_EQUAL (activation_says (NULL, "0", 2), 0);
	CU_ASSERT_EQUAL (activation_says (NULL, "-1", 2), 0);
	CU_ASSERT_EQUAL (activation_says (NULL, "2x", 2), 0);
	CU_ASSERT_EQUAL (activation_says (NULL, "99999999999999999999", 2), 0);
	CU_ASSERT_EQUAL (activation_says ("1", "2", 2), 0);
	CU_ASSERT_EQUAL (activation_says ("", "2", 2), 0);
}

/* --- connecting --- */

static void
test_connect_once (void)
{
	begin ();
	CU_ASSERT_EQUAL (vh_connect (path, 0), -ENOENT);
	CU_ASSERT_EQUAL (vh_connect (path, 5), -ENOENT);
	close (bind_by_hand (SOCK_STREAM));
	CU_ASSERT_EQUAL (vh_connect (path, 0), -ECONNREFUSED);
	CU_ASSERT_EQUAL (vh_connect (path, 5), -ECONNREFUSED);
	unlink (path);
	end ();
}

/* What cannot become a listener is not waited for. */
static void
test_connect_to_what_is_no_listener (void)
{
	int fd;

	begin ();
	close (open (path, O_CREAT | O_CLOEXEC, 0600));
	CU_ASSERT_EQUAL (vh_connect (path, -1), -ENOTSOCK);
	unlink (path);
	fd = bind_by_hand (SOCK_DGRAM);
	CU_ASSERT_EQUAL (vh_connect (path, -1), -EPROTOTYPE);
	close (fd);
	unlink (path);
	end ();
}

static void *
listen_later (void *opaque)
{
	struct vh_listener **l = opaque;

	poll (NULL, 0, 50);
	CU_ASSERT_EQUAL (vh_listener_new (path, NULL, l), 0);
	return NULL;
}

static void
test_connect_retries (void)
{
	static const int patience[] = { -1, 30000 };

	for (int i = 0; i < 2; i++) {
		struct vh_listener *l = NULL;
		pthread_t thread;
		int fd;

		begin ();
		CU_ASSERT_EQUAL_FATAL (pthread_create (&thread, NULL, listen_later, &l), 0);
		fd = vh_connect (path, patience[i]);
		CU_ASSERT_TRUE (fd >= 0);
		pthread_join (thread, NULL);
		close (fd);
		vh_listener_free (l);
		end ();
	}
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "accept", test_accept },
		{ "many connections closed at once", test_many_connections_closed_at_once },
		{ "a stale socket is replaced", test_stale_socket_is_replaced },
		{ "a live listener is left alone", test_live_listener_is_left_alone },
		{ "a busy listener is left alone", test_busy_listener_is_left_alone },
		{ "other kinds of socket are left alone", test_other_kinds_of_socket_are_left_alone },
		{ "other files are never touched", test_other_files_are_never_touched },
		{ "the file of a successor is kept", test_file_of_a_successor_is_kept },
		{ "the file is gone before we are", test_file_gone_before_free },
		{ "mode of the file", test_mode },
		{ "bad arguments", test_bad_arguments },
		{ "no free fd in the process", test_no_free_fd },
		{ "an fd that listens", test_listening_fd },
		{ "an fd that does not listen", test_fd_that_does_not_listen },
		{ "sockets of a service manager", test_activation },
		{ "connecting once", test_connect_once },
		{ "connecting to what is no listener", test_connect_to_what_is_no_listener },
		{ "connecting again and again", test_connect_retries },
		CU_TEST_INFO_NULL,
	};
	int result;

	if (!mkdtemp (folder))
		return EXIT_FAILURE;
	snprintf (path, sizeof (path), "%s/s", folder);
	result = suite_run ("socket", tests);
	rmdir (folder);
	return result;
}
