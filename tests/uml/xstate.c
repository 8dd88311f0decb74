/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loaded before the C library into User Mode Linux 6.1, whose buffer for the extended state of a processor is smaller than what newer ones have: it reads as
 * much as fits, and writes that back; but the kernel takes the whole state or nothing.  Here the rest is added: what the process has now.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_STATE 65536

long ptrace (enum __ptrace_request request, ...);

static long
set_state (pid_t pid, const struct iovec *wanted)
{
	static char bytes[MAX_STATE] __attribute__ ((aligned (64)));
	struct iovec whole = { bytes, sizeof (bytes) };

	if (syscall (SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, &whole) < 0)
		return -1;
	memcpy (bytes, wanted->iov_base, wanted->iov_len < whole.iov_len ? wanted->iov_len : whole.iov_len);
	return syscall (SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, &whole);
}

/* The C library's returns what was read; the kernel's stores it. */
static long
peek (enum __ptrace_request request, pid_t pid, void *addr)
{
	long word;

	if (syscall (SYS_ptrace, request, pid, addr, &word) < 0)
		return -1;
	errno = 0;
	return word;
}

long
ptrace (enum __ptrace_request request, ...)
{
	va_list args;
	void *addr, *data;
	pid_t pid;

	va_start (args, request);
	pid = va_arg (args, pid_t);
	addr = va_arg (args, void *);
	data = va_arg (args, void *);
	va_end (args);
	if (request == PTRACE_SETREGSET && addr == (void *) NT_X86_XSTATE)
		return set_state (pid, data);
	if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER)
		return peek (request, pid, addr);
	return syscall (SYS_ptrace, request, pid, addr, data);
}
