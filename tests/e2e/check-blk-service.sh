#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# vhost-user-blk as a service: clients that come, go and vanish, signals,
# statistics, and sockets of all kinds.

# "make check" may have started this with another shell.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu
. "$(dirname "$0")/../functions.sh"
. "$(dirname "$0")/blk.sh"

# How many requests a line of statistics speaks of, in all queues.
reads_told ()
{
	sed -n 's/.*: queue [0-9]*: \([0-9]*\) reads.*/\1/p' "$1" |
		awk '{ sum += $1; lines++ } END { print lines + 0, sum + 0 }'
}

check_statistics ()
{
	what=statistics
	serve --num-queues=3 --stats
	"$run" "$bench" s --queues=2 --count=1000 >out 2>&1 || fail "bench"
	kill -USR1 "$daemon"
	wait_until 5 test -s log || fail "no statistics on SIGUSR1"
	test "$(reads_told log)" = "3 1000" ||
		fail "SIGUSR1: $(cat log)"
	# Counted by the library for a connection that has ended since.
	grep -q 'queue 0:.* [1-9][0-9]* batches, [1-9][0-9]* kicks' log ||
		fail "SIGUSR1: $(cat log)"
	: >log
	finish
	test "$(reads_told log)" = "3 1000" || fail "--stats: $(cat log)"
	say "ok: statistics on SIGUSR1 and at exit"
}

open_fds ()
{
	ls "/proc/$daemon/fd" | wc -l
}

# A client is killed in the middle, again and again; the next one is served.
check_vanishing_clients ()
{
	local engine i client
	for engine in $engines; do
		what="vanishing clients, $engine"
		serve --engine=$engine --num-queues=2 $modes
		for i in 1 2 3 4 5; do
			"$run" "$bench" s --rw=randrw --depth=64 --queues=2 \
				--time=20 >out 2>&1 &
			client=$!
			sleep 0.5
			kill -KILL $client
			wait $client 2>/dev/null || :
		done
		load --queues=2 --rw=randrw --count=5000
		finish
	done
	say "ok: clients that vanish in the middle"
}

check_many_connections ()
{
	what="many connections"
	serve --num-queues=4
	local i before
	for i in 1 2 3; do
		"$run" "$bench" s --queues=4 --count=100 >out 2>&1 || fail bench
	done
	wait_until 5 no_client || fail "the daemon does not see the end"
	before=$(open_fds)
	for i in $(seq 200); do
		"$run" "$probe" s >out 2>&1 || fail "probe $i: $(cat out)"
	done
	"$run" "$bench" s --queues=4 --count=100 >out 2>&1 || fail "bench"
	wait_until 5 same_fds "$before" ||
		fail "$(open_fds) file descriptors, there were $before"
	finish
	say "ok: 200 connections, $before file descriptors before and after"
}

# An eventfd of a queue is there as long as its front-end.
no_client ()
{
	! ls -l "/proc/$daemon/fd" | grep -q memfd
}

same_fds ()
{
	test "$(open_fds)" = "$1"
}

# SIGTERM under load: the end is clean, the client is told.
check_stop_under_load ()
{
	local engine client
	for engine in $engines; do
		what="a stop under load, $engine"
		serve --engine=$engine --num-queues=2 $modes
		"$run" "$bench" s --queues=2 --rw=randrw --depth=64 --time=20 \
			>out 2>&1 &
		client=$!
		sleep 0.5
		finish
		wait $client && fail "bench did not miss the daemon"
		grep -q 'the peer is gone' out || fail "bench: $(cat out)"
	done
	say "ok: a stop under load"
}

# Sockets that are open already: listening, connected, and by the protocol of
# service managers, for two disks.
check_passed_sockets ()
{
	what="passed sockets"
	rm -f s t disk
	truncate -s 8M disk other
	cat >pass.py <<'EOF'
import os, socket, sys
how, program = sys.argv[1], sys.argv[2:]
fds = []
for path in ("s", "t"):
	l = socket.socket (socket.AF_UNIX)
	l.bind (path)
	l.listen (4)
	fds.append (l)
if how == "manager":
	for i, l in enumerate (fds):
		os.dup2 (l.fileno (), 13 + i)
	for i in range (2):
		os.dup2 (13 + i, 3 + i, inheritable = True)
	os.environ["LISTEN_PID"] = str (os.getpid ())
	os.environ["LISTEN_FDS"] = "2"
elif how == "listening":
	os.dup2 (fds[0].fileno (), 20, inheritable = True)
	program += ["--fd=20"]
else:
	c, _ = fds[0].accept ()
	os.dup2 (c.fileno (), 20, inheritable = True)
	program += ["--fd=20"]
os.execv (program[0], program)
EOF
	start_process log python3 pass.py manager "$run" "$blk" \
		--device blk-file=disk --device blk-file=other
	daemon=$started_pid
	wait_for_socket t "$daemon" log
	load --count=1000
	"$run" "$bench" t --verify --count=1000 >out 2>&1 ||
		fail "the second socket: $(cat out log)"
	stop_process "$daemon"
	test "$stopped_status" = 0 || fail "status $stopped_status"
	test -S s || fail "a socket of the service manager was removed"

	rm -f s t
	start_process log python3 pass.py listening "$run" "$blk" --blk-file=disk
	daemon=$started_pid
	wait_for_socket s "$daemon" log
	load --count=1000
	load --count=1000
	stop_process "$daemon"
	test "$stopped_status" = 0 || fail "status $stopped_status"

	rm -f s t
	start_process log python3 pass.py connected "$run" "$blk" --blk-file=disk
	daemon=$started_pid
	wait_for_socket s "$daemon" log
	load --count=1000
	wait_until 10 process_gone "$daemon" ||
		fail "a daemon stays after its only connection"
	stop_process "$daemon"
	test "$stopped_status" = 0 || fail "status $stopped_status"
	say "ok: passed sockets"
}

# A front-end that listens: the daemon comes, and comes again.
check_client ()
{
	what=--client
	rm -f s disk
	truncate -s 8M disk
	start_process log "$run" "$blk" --client --socket-path=s --blk-file=disk
	daemon=$started_pid
	timeout 60 python3 - <<'EOF' || fail "--client: $(cat log)"
import os, socket, struct
for life in range (2):
	l = socket.socket (socket.AF_UNIX)
	l.bind ("s")
	l.listen (1)
	for visit in range (2):
		c, _ = l.accept ()
		c.sendall (struct.pack ("=III", 1, 1, 0))
		request, flags, size, features = struct.unpack ("=IIIQ", c.recv (20, socket.MSG_WAITALL))
		assert (request, flags, size) == (1, 5, 8), (request, flags, size)
		assert features >> 32 & 1
		c.close ()
	l.close ()
	os.unlink ("s")
EOF
	stop_process "$daemon"
	test "$stopped_status" = 0 || fail "status $stopped_status"
	say "ok: --client connects, and connects again"
}

check_socket_mode ()
{
	what=--socket-mode
	serve --socket-mode=620
	test "$(stat -c %a s)" = 620 || fail "mode $(stat -c %a s)"
	finish
	# A socket that nobody listens on is replaced.
	serve
	kill -KILL "$daemon"
	wait "$daemon" 2>/dev/null || :
	test -S s || fail "no socket is left for the test"
	serve_as "$run" "$blk" --socket-path=s --blk-file=disk
	load --count=100
	finish
	say "ok: the socket's mode, and a stale socket"
}

requires python3 python3-minimal
for check in ${CHECK:-statistics vanishing_clients many_connections \
	stop_under_load passed_sockets client socket_mode}; do
	"check_$check"
done
