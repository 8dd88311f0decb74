# SPDX-License-Identifier: BSD-3-Clause
#
# What the tests of vhost-user-blk share: a daemon in front of a disk, requests
# by hand and load.  Sourced after functions.sh.

run=$abs_top_builddir/run
blk=$abs_top_builddir/devices/vhost-user-blk
bench=$abs_top_builddir/tools/vhost-user-bench
probe=$abs_top_builddir/tools/vhost-user-probe
requests=$abs_top_builddir/tests/e2e/blk-requests
no_uring=$abs_top_builddir/tests/e2e/no-uring

# serve ARGUMENT...: starts a daemon in front of a new disk, its log in "log".
serve ()
{
	rm -f s disk
	truncate -s 8M disk
	serve_as "$run" "$blk" --socket-path=s --blk-file=disk "$@"
}

serve_as ()
{
	start_process log "$@"
	daemon=$started_pid
	wait_for_socket s "$daemon" log
}

# The daemon ends as it is told, leaves no socket, and has said nothing bad.
finish ()
{
	stop_process "$daemon"
	test "$stopped_status" = 0 || {
		cat log
		fail "the daemon ended with $stopped_status"
	}
	test ! -e s || fail "a socket is left"
}

# ask TEST...: requests by hand.
ask ()
{
	"$run" "$requests" s disk "$@" >asked 2>&1 || {
		cat asked log
		fail "blk-requests $* (daemon: $what)"
	}
	grep -q '^ok: ' asked || fail "blk-requests said nothing"
}

# load ARGUMENT...: verified requests in great number.
load ()
{
	"$run" "$bench" s --verify --json "$@" >loaded 2>&1 || {
		cat loaded log
		fail "bench $* (daemon: $what)"
	}
	grep -q '"errors": 0' loaded || {
		cat loaded
		fail "errors under load (daemon: $what)"
	}
}

# in_memory FOLDER: its files are served by the ring's thread.
in_memory ()
{
	test "$(stat -f -c %T "$1" 2>/dev/null)" = tmpfs
}

# The engines are for files on disks.
choose_tmpdir ()
{
	if in_memory "${TMPDIR:-/tmp}" && ! in_memory /var/tmp; then
		TMPDIR=/var/tmp
	fi
	make_tmpdir
	cd "$tmpdir"
	! in_memory . || say "$PWD is in memory: engines are hardly tested"
}

# Is there io_uring, and O_DIRECT here?
find_engines ()
{
	engines=pool
	if "$run" "$blk" --engine=uring --blk-file=nothing --socket-path=s \
		2>&1 | grep -q nothing; then
		engines="pool uring"
	else
		say "io_uring cannot be had here: only threads are tested"
	fi
	truncate -s 1M disk
	modes=" "
	if dd if=disk of=/dev/null iflag=direct bs=4096 count=1 2>/dev/null
	then
		modes=" --direct"
	else
		say "no O_DIRECT in $PWD"
	fi
}

requires_built devices/vhost-user-blk
requires_built tools/vhost-user-bench
requires_built tools/vhost-user-probe
requires_built tests/e2e/blk-requests
choose_tmpdir
find_engines
