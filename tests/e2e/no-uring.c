/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * no-uring PROGRAM ARGUMENT...: runs a program that the kernel refuses io_uring, as sandboxes and careful administrators do.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

int
main (int argc, char **argv)
{
	struct sock_filter filter[] = {
		BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
		BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof (filter) / sizeof (filter[0]), filter };

	if (argc < 2)
		return 2;
	if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		fprintf (stderr, "no-uring: seccomp: %s\n", strerror (errno));
		return 77;
	}
	execvp (argv[1], argv + 1);
	fprintf (stderr, "no-uring: %s: %s\n", argv[1], strerror (errno));
	return 1;
}
