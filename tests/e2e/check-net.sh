#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# vhost-user-net from outside: frames by hand between two of them, what guests
# may leave to each other, headers that lie, a guest that takes nothing, a link
# that is lost; sockets and descriptors that are passed; a TAP interface in a
# network namespace of its own; and what is wrong on the command line.

# "make check" may have started this with another shell.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu
. "$(dirname "$0")/../functions.sh"

. "$abs_top_srcdir/tests/namespace.sh"
requires_built devices/vhost-user-net
requires_built tests/e2e/net-frames
requires python3 python3-minimal
make_tmpdir
cd "$tmpdir"
run=$abs_top_builddir/run
net=$abs_top_builddir/devices/vhost-user-net
frames=$abs_top_builddir/tests/e2e/net-frames

# start NAME ARGUMENT...: a device whose socket is NAME; sets $started_pid.
start ()
{
	local name=$1
	shift
	start_process "$name.log" "$run" "$net" --socket-path="$name" \
		--stats "$@"
	wait_for_socket "$name" "$started_pid" "$name.log"
}

# finish PID NAME: ends as it is told, and leaves no socket.
finish ()
{
	stop_process "$1"
	test "$stopped_status" = 0 || {
		cat "$2.log"
		fail "$2 ended with $stopped_status"
	}
	test ! -e "$2" || fail "a socket is left"
}

# link ARGUMENT...: two devices, A and B.
link ()
{
	start a --link-listen=link "$@"
	a=$started_pid
	start b --link-connect=link "$@"
	b=$started_pid
}

unlink ()
{
	finish $b b
	finish $a a
	test ! -e link || fail "the link's socket is left"
}

# ask TEST...
ask ()
{
	timeout 300 "$run" "$frames" a b "$@" >asked 2>&1 || {
		cat asked ./*.log
		fail "net-frames $*"
	}
	test "$(grep -c '^ok: ' asked)" = $# || fail "net-frames: $(cat asked)"
	say "ok: $*"
}

check_frames ()
{
	link
	ask sizes merged checksum segments lies pressure stop rarp
	unlink
	grep -q 'pair 0: [0-9]* received .* dropped [1-9][0-9]* bad' b.log ||
		fail "B counted no bad frame: $(cat b.log)"
	grep -q 'sent .* dropped [1-9][0-9]* bad' a.log ||
		fail "A counted no bad frame: $(cat a.log)"
}

# The same in one thread and in one process.
check_one_process ()
{
	start_process both.log "$run" "$net" --threads=1 --queue-pairs=2 \
		--device socket-path=a,link-connect=link \
		--device socket-path=b,link-listen=link,mac=52:54:00:00:00:01
	both=$started_pid
	wait_for_socket b "$both" both.log
	ask sizes pressure pairs stop
	stop_process "$both"
	test "$stopped_status" = 0 || fail "status $stopped_status"
	test ! -e link && test ! -e a && test ! -e b || fail "a socket is left"
}

check_pairs_and_mtu ()
{
	link --queue-pairs=2 --mtu=2000
	ask pairs mtu merged
	unlink
}

check_loss ()
{
	link
	mkfifo told
	timeout 300 "$run" "$frames" a b loss >told 2>err &
	local client=$!
	at_exit "kill $client 2>/dev/null"
	exec 5<told
	local word
	read -r word <&5 && test "$word" = cut || fail "loss: $(cat err)"
	finish $b b
	read -r word <&5 && test "$word" = mend || fail "loss: $(cat err)"
	start b --link-connect=link
	b=$started_pid
	wait $client || fail "loss: $(cat err a.log)"
	exec 5<&-
	unlink
	# Who listens goes and comes, too; its socket is replaced.
	link
	kill -KILL $a
	wait $a 2>/dev/null || :
	rm -f a
	start a --link-listen=link
	a=$started_pid
	ask sizes
	unlink
	say "ok: a link that is lost and comes back"
}

# A pair of sockets, made by somebody else.
check_passed_sockets ()
{
	cat >pass.py <<'EOF2'
import os, socket, subprocess, sys
ends = socket.socketpair (socket.AF_UNIX, socket.SOCK_SEQPACKET)
daemons = []
for name, end in zip ("ab", ends):
	fd = end.fileno ()
	daemons.append (subprocess.Popen (sys.argv[1:] + ["--socket-path=" + name, "--link-fd=%d" % fd], pass_fds = [fd]))
for end in ends:
	end.close ()
print (*[d.pid for d in daemons], flush = True)
for d in daemons:
	d.wait ()
EOF2
	start_process pids python3 pass.py "$run" "$net"
	local manager=$started_pid
	wait_for_socket a "$manager" pids
	wait_for_socket b "$manager" pids
	ask sizes lies
	read -r a b <pids
	kill "$a" "$b"
	wait_until 10 process_gone "$manager" || fail "a device stays"
	expect 1 "file descriptor 0" --socket-path=a --link-fd=0
	say "ok: sockets that were passed"
}

# A host behind a TAP interface, in a network namespace that ends with us: it
# sends back what it gets.  Then the interface is removed.
check_tap ()
{
	make_namespace || {
		say "no network namespace can be had: no TAP is tested"
		return 0
	}
	cat >echo.py <<'EOF2'
import socket
s = socket.socket (socket.AF_PACKET, socket.SOCK_RAW, socket.htons (0x88b5))
s.bind (("tap0", 0x88b5))
print ("ready", flush = True)
while True:
	frame, where = s.recvfrom (4096)
	if where[2] != socket.PACKET_OUTGOING:
		s.send (frame[:14] + bytes (b ^ 255 for b in frame[14:]))
EOF2
	start_process a.log "${inside[@]}" "$run" "$net" --socket-path=a --tap=tap0 \
		--queue-pairs=2
	a=$started_pid
	wait_for_socket a "$a" a.log
	"${inside[@]}" ip link set tap0 up
	start_process echo.log "${inside[@]}" python3 echo.py
	wait_for_line 20 echo.log ready "$started_pid" ||
		fail "echo: $(cat echo.log)"
	mkfifo tapped
	timeout 300 "$run" "$frames" a - tap >tapped 2>err &
	local client=$! word
	at_exit "kill $client 2>/dev/null"
	exec 5<tapped
	read -r word <&5 && test "$word" = cut || fail "tap: $(cat err a.log)"
	"${inside[@]}" ip link del tap0
	wait $client || fail "tap: $(cat err a.log)"
	exec 5<&-
	finish $a a
	grep -q 'tap0 is gone' a.log || fail "no word of it: $(cat a.log)"
	expect 1 tap0 --socket-path=a --tap=tap0/0
	say "ok: a TAP interface"
}

# expect STATUS TEXT ARGUMENT...: this status, and one line that has the text.
expect ()
{
	local expected=$1 text=$2 status=0
	shift 2
	timeout 20 "$run" "$net" "$@" >out 2>err </dev/null || status=$?
	test $status = "$expected" || fail "status $status: $* ($(cat err))"
	test "$(wc -l <err)" = 1 || fail "not one line: $*: $(cat err)"
	grep -q '^vhost-user-net: ' err || fail "who says it: $(cat err)"
	grep -qF -e "$text" err || fail "no '$text' for: $*: $(cat err)"
}

check_command_line ()
{
	local option
	expect 2 "no network" --socket-path=s
	expect 2 "exclude each other" --socket-path=s --tap=t --link-listen=l
	expect 2 "has no socket" --link-connect=l
	expect 2 "2 file descriptors for 3" --socket-path=s --link-fd=0:1 \
		--queue-pairs=3
	expect 2 --link-fd --socket-path=s --link-fd=a
	expect 2 --queue-pairs --socket-path=s --tap=t --queue-pairs=129
	expect 2 --mtu --socket-path=s --tap=t --mtu=67
	for mac in "" 1 52:54:00:00:00 52:54:00:00:00:0g 52:54:00:00:00:01:02 \
		53:54:00:00:00:01; do
		expect 2 --mac --socket-path=s --tap=t --mac=$mac
	done
	expect 1 "too long" --socket-path=s --tap=a-name-that-is-too-long
	expect 1 "too long" --socket-path=s \
		--link-listen="$(printf '%0200d' 0)"
	expect 1 "no queue of a TAP" --socket-path=s --tap-fd=0
	: >file
	expect 1 "in use" --socket-path=s --link-listen=file
	test ! -e s && test -f file || fail "files after failed starts"
	test "$("$run" "$net" --print-capabilities)" = \
		'{"type":"net","features":[]}' || fail "--print-capabilities"
	"$run" "$net" --help >help || fail "--help"
	for option in $(sed -n 's/^  ...\? *--\([a-z-]*\).*/\1/p' help); do
		sed 's/\\//g' "$abs_top_srcdir/docs/man/vhost-user-net.1" |
			grep -q -e "--$option" ||
			fail "the manual does not have --$option"
	done
	say "ok: command lines"
}

for check in ${CHECK:-frames one_process pairs_and_mtu loss passed_sockets \
	tap command_line}; do
	"check_$check"
done
