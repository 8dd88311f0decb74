/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fault [ROUNDS]: how long a thread of a back-end waits for a page in postcopy, when vh_page_server brings it, beside a bare handler of userfaultfd: a poll, a
 * read and an ioctl, and nothing else.  Fresh memory in each round, in turns; the medians, and the median of the rounds' ratios.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <vhost/postcopy.h>

#define PAGE 4096
#define PAGES 4096
#define SIZE ((size_t) PAGE * PAGES)
#define MAX_ROUNDS 99

static char page[PAGE] __attribute__ ((aligned (PAGE)));

struct memory {
	int fd, uffd, end[2];
	char *host;
	struct vh_page_server *server;	/* NULL: the bare handler */
};

static void
must (int ok, const char *what)
{
	if (ok)
		return;
	perror (what);
	exit (1);
}

static double
now (void)
{
	struct timespec t;

	clock_gettime (CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* --- the two handlers --- */

static void
bare (struct memory *m)
{
	struct uffd_msg msg;
	struct uffdio_copy c = { .src = (uintptr_t) page, .len = PAGE };

	must (read (m->uffd, &msg, sizeof (msg)) == sizeof (msg), "read");
	c.dst = msg.arg.pagefault.address & ~(uint64_t) (PAGE - 1);
	must (ioctl (m->uffd, UFFDIO_COPY, &c) == 0, "UFFDIO_COPY");
}

static void
wanted (void *opaque, uint64_t guest_addr, uint64_t page_size)
{
	struct memory *m = opaque;

	must (vh_page_server_put (m->server, guest_addr, page) == 0, "vh_page_server_put");
}

static void *
handle (void *opaque)
{
	struct memory *m = opaque;
	struct pollfd watch[2] = { { .fd = m->uffd, .events = POLLIN }, { .fd = m->end[0], .events = POLLIN } };

	while (poll (watch, 2, -1) > 0 && !watch[1].revents)
		if (m->server)
			vh_page_server_dispatch (m->server);
		else
			bare (m);
	return NULL;
}

/* --- a round --- */

static void
memory_open (struct memory *m, int ours)
{
	struct vh_page_server_options o = { .size = sizeof (o), .wanted = wanted, .opaque = m };
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register r = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct vh_region region = { .size = SIZE };
	uint64_t addr;

	m->server = NULL;
	m->fd = region.fd = memfd_create ("fault", MFD_CLOEXEC);
	must (m->fd >= 0 && ftruncate (m->fd, SIZE) == 0 && pipe (m->end) == 0, "memory");
	m->host = mmap (NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
	must (m->host != MAP_FAILED, "mmap");
	m->uffd = syscall (SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	must (m->uffd >= 0 && ioctl (m->uffd, UFFDIO_API, &api) == 0, "userfaultfd");
	addr = r.range.start = (uintptr_t) m->host;
	r.range.len = SIZE;
	must (ioctl (m->uffd, UFFDIO_REGISTER, &r) == 0, "UFFDIO_REGISTER");
	if (ours)
		must (vh_page_server_new (m->uffd, &o, &m->server) == 0 && vh_page_server_set_regions (m->server, &region, &addr, 1) == 0,
		      "vh_page_server_new");
}

/* Seconds for a page. */
static double
measure (int ours)
{
	struct memory m;
	volatile char *bytes;
	pthread_t thread;
	double begin, end;

	memory_open (&m, ours);
	bytes = m.host;
	must (pthread_create (&thread, NULL, handle, &m) == 0, "pthread_create");
	begin = now ();
	for (size_t i = 0; i < PAGES; i++)
		(void) bytes[i * PAGE];
	end = now ();
	must (write (m.end[1], "", 1) == 1, "write");
	pthread_join (thread, NULL);
	if (m.server)
		vh_page_server_free (m.server);
	else
		close (m.uffd);
	munmap (m.host, SIZE);
	close (m.fd);
	close (m.end[0]);
	close (m.end[1]);
	return (end - begin) / PAGES;
}

static int
compare (const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return x < y ? -1 : x > y;
}

static double
median (double *values, int n)
{
	qsort (values, n, sizeof (values[0]), compare);
	return values[n / 2];
}

int
main (int argc, char **argv)
{
	double bare_times[MAX_ROUNDS], our_times[MAX_ROUNDS], ratios[MAX_ROUNDS];
	int rounds = argc > 1 ? atoi (argv[1]) : 21;

	if (rounds < 1 || rounds > MAX_ROUNDS)
		return fprintf (stderr, "usage: fault [ROUNDS], up to %d\n", MAX_ROUNDS), 2;
	measure (0);
	for (int i = 0; i < rounds; i++) {
		/* Who goes first alternates, too. */
		if (i % 2)
			our_times[i] = measure (1);
		bare_times[i] = measure (0);
		if (i % 2 == 0)
			our_times[i] = measure (1);
		ratios[i] = our_times[i] / bare_times[i];
	}
	printf ("bare handler: %.2f us a page\n", median (bare_times, rounds) * 1e6);
	printf ("vh_page_server: %.2f us a page\n", median (our_times, rounds) * 1e6);
	printf ("median of the ratios: %.3f\n", median (ratios, rounds));
	return 0;
}
