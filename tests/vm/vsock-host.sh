# SPDX-License-Identifier: BSD-3-Clause
#
# What the tests of vhost-user-vsock with real guests share: the daemon, the
# host's side of guest/vsock, and what must hold afterwards.  Sourced by bash
# scripts, after functions.sh; those have a function start_guest LOG VARIABLE...
# that boots a guest in front of $tmpdir/s and sets $guest_pid, and kill_guest.

size=8192			# KiB, of a transfer
streams=8			# at the same time

compile_peer ()
{
	# The compiler may be several words.
	${CC:-cc} -O2 -Wall -Wextra -o peer \
		"$abs_top_srcdir/tests/vm/guest-stream.c" ||
		skip "cannot compile (Debian packages: gcc libc6-dev)"
}

start_daemon ()
{
	start_process daemon.log "$abs_top_builddir/run" \
		"$abs_top_builddir/devices/vhost-user-vsock" --stats \
		--socket-path="$tmpdir/s" --uds-path="$tmpdir/v" "$@"
	daemon_pid=$started_pid
	wait_for_socket "$tmpdir/s" "$daemon_pid" daemon.log
}

sum ()
{
	sha256sum <"$1" | cut -c 1-64
}

# listen_at PORT PROGRAM...: serves the guest's connections to that port.
listen_at ()
{
	local port=$1
	shift
	start_process "listen.$port.log" ./peer -n 1000 \
		"unix-listen:$tmpdir/v_$port" "$@"
	wait_for_line 10 "listen.$port.log" listening "$started_pid" ||
		fail "nobody listens at $port: $(cat "listen.$port.log")"
}

# What guest/vsock wants of the host.
start_services ()
{
	head -c $((size << 10)) /dev/urandom >out
	printf '#!/bin/sh\ncat >in; cat out\n' >transfer
	printf '#!/bin/sh\nuntil test -e read-now; do sleep 0.1; done; cat >slow\n' \
		>slowly
	chmod +x transfer slowly
	listen_at 1000 ./transfer
	listen_at 1001 cat
	listen_at 1002 ./slowly
}

# guest_says EVENT SECONDS: waits for that.
guest_says ()
{
	wait_for_line "$2" "$guest_log" "^guest-event: $1" "$guest_pid" &&
		return
	tail -n 30 "$guest_log" daemon.log
	fail "no '$1' from the guest"
}

guest_sum ()
{
	sed -n "s/^guest-sum: $1 //p" "$guest_log" | tail -n 1
}

# Connections to port 2001 of the guest, all at once.
echo_from_host ()
{
	local i pids= pid
	for i in $(seq $streams); do
		timeout 60 ./peer "hybrid:$tmpdir/v:2001" <out >"echo.$i" &
		pids+=" $!"
	done
	for pid in $pids; do
		wait "$pid" || fail "a connection to the guest"
	done
	for i in $(seq $streams); do
		cmp out "echo.$i" || fail "connection $i came back different"
	done
}

# A port of the guest that nobody listens at: no OK, and the end.
refused_by_guest ()
{
	local status=0
	timeout 60 ./peer "hybrid:$tmpdir/v:2002" </dev/null >/dev/null 2>refused ||
		status=$?
	test $status = 3 || fail "nobody listens in the guest: $status"
}

# run_guest LOG: a guest from its start to the event that says that its part
# is done; the host does its part.
run_guest ()
{
	guest_log=$1
	rm -f in slow read-now
	start_guest "$guest_log" size=$size streams=$streams
	guest_says connect 120
	test "$(sum in)" = "$(guest_sum out)" ||
		fail "what the guest sent came out different"
	test "$(guest_sum to-host)" = "$(sum out)" ||
		fail "what the host answered came out different"
	timeout 60 ./peer "hybrid:$tmpdir/v:2000" <out >back || fail "a transfer to the guest"
	test "$(sum back)" = "$(guest_sum out)" ||
		fail "what the guest answered came out different"
	guest_says echo 120
	test "$(guest_sum from-host)" = "$(sum out)" ||
		fail "what the host sent came out different"
	refused_by_guest
	echo_from_host
	guest_says read 120
	test ! -s slow || fail "read before its time"
	: >read-now
	guest_says refusal 120
	test "$(sum slow)" = "$(guest_sum out)" ||
		fail "what waited came out different"
	guest_says end 120
	grep '^guest: ' "$guest_log"
}

# The last words of the daemon: nothing was against the rules.
check_statistics ()
{
	local line
	kill -USR1 "$daemon_pid"
	wait_for_line 10 daemon.log "connections of the guest" "$daemon_pid" ||
		fail "no statistics"
	line=$(grep "connections of the guest" daemon.log | tail -n 1)
	echo "$line"
	echo "$line" | grep -q ' 0 bad,' || fail "bad packets from a real guest"
}

# Twice: guests that are killed in the middle of a transfer, and the same
# daemon for the next one.
check_guests ()
{
	local i
	for i in 1 2; do
		run_guest "guest$i.log"
		kill_guest
		process_runs "$daemon_pid" || {
			cat daemon.log
			fail "the daemon ended with its guest"
		}
		check_statistics
		say "ok: guest $i, killed in the middle of a transfer"
	done
	stop_process "$daemon_pid"
	test "$stopped_status" = 0 ||
		fail "the daemon ended with $stopped_status: $(cat daemon.log)"
	test ! -e s && test ! -e v || fail "a socket is left"
}
