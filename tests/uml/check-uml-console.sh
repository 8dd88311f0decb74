#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# vhost-user-console under User Mode Linux, whose kernel is the front-end: a
# console on a pseudo-terminal, whose size changes; then one with ports.

# "make check" may have started this with another shell.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu
. "$(dirname "$0")/../functions.sh"
. "$(dirname "$0")/../vm/console-host.sh"

uml=$abs_top_srcdir/tests/uml

start_guest ()
{
	guest_log=$1
	shift
	start_process "$guest_log" "$uml/boot" --image initramfs \
		--timeout 200 console size=$size "$@" -- "$tmpdir/s:3"
	guest_pid=$started_pid
}

# One guest after the other, on the same terminal.
check_terminal ()
{
	local i
	start_daemon --console="pty:$tmpdir/console"
	for i in 1 2; do
		exec 5<>console
		stty -F console raw -echo cols 132 rows 50
		start_guest "guest$i.log" columns=132 rows=50
		line_of_guest "a line of the guest"
		guest_says line 60
		echo "a line of the host" >&5
		guest_says resize 60
		stty -F console cols 111 rows 33
		transfer 5
		end_guest
		exec 5<&-
	done
	stop_daemon
	say "ok: two guests on a pseudo-terminal"
}

compile_peer ()
{
	# The compiler may be several words.
	${CC:-cc} -O2 -Wall -Wextra -o peer \
		"$abs_top_srcdir/tests/vm/guest-stream.c" ||
		skip "cannot compile (Debian packages: gcc libc6-dev)"
}

# A program that writes to and reads from fds of ours, joined to a socket.
join ()
{
	mkfifo to from
	start_process join.log sh -c 'exec ./peer "$1" <to >from' sh "$1"
	join_pid=$started_pid
	exec 6>to 5<from
}

check_ports ()
{
	start_daemon --console="listen:$tmpdir/console.sock" \
		--port=com.example.echo="connect:$tmpdir/echo.sock" \
		--port=com.example.file="file:$tmpdir/file"
	join "unix:$tmpdir/console.sock"
	start_guest ports.log ports=yes
	line_of_guest "a line of the guest"
	guest_says line 60
	echo "a line of the host" >&6
	transfer 6
	guest_says echo 60
	start_process echo.log ./peer "unix-listen:$tmpdir/echo.sock" \
		head -c $((size << 10))
	end_guest
	test "$(guest_sum out)" = "$(sum file)" || fail "the file is different"
	exec 5<&- 6>&-
	stop_daemon
	say "ok: a console and two ports"
}

requires_built devices/vhost-user-console
requires stty coreutils
make_tmpdir
cd "$tmpdir"
status=0
"$uml/image" --module virtio_console initramfs 2>image.log || status=$?
test $status != 77 || skip "$(tail -n 1 image.log)"
test $status = 0 || fail "no guest image: $(cat image.log)"
compile_peer
check_terminal
check_ports
