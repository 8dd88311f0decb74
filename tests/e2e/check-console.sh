#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# vhost-user-console: each end of the host, ports, guests that do not behave,
# hosts that do not read, and what is wrong on its command line.

set -eu
. "$(dirname "$0")/../functions.sh"

requires_built devices/vhost-user-console
requires_built tests/e2e/console-requests
requires stty coreutils
make_tmpdir
cd "$tmpdir"
program=vhost-user-console
. "$abs_top_srcdir/tests/e2e/device.sh"
requests=$abs_top_builddir/tests/e2e/console-requests

ask ()
{
	ask_guest "$requests" s "$@"
}

has ()
{
	grep -q "$1" "$2"
}

check_file ()
{
	rm -f out
	serve --socket-path=s --console=file:out --stats
	ask size say first hostile fill 100
	grep -q 'size 0 0, not offered, 1 ports' answers ||
		fail "size: $(cat answers)"
	test "$(head -c 5 out)" = first || fail "file: $(head -c 5 out)"
	test "$(stat -c %s out)" = $((5 + (100 << 10))) ||
		fail "the file has $(stat -c %s out) bytes"
	mv out old
	kill -HUP "$daemon"
	sleep 0.3
	ask say second
	test "$(cat out)" = second || fail "opened again: $(cat out)"
	finish
	grep -q 'console: 0 bytes to the guest.* 102411 from it' log ||
		fail "statistics: $(cat log)"
	say "ok: a file"
}

check_terminal ()
{
	serve --socket-path=s --console=pty:tty
	exec 3<>tty
	stty -F tty raw -echo cols 100 rows 40
	sleep 1
	printf typed >tty
	ask size say shown hear 5
	grep -q 'size 100 40, offered, 1 ports' answers ||
		fail "size: $(cat answers)"
	grep -qx typed answers || fail "typed: $(cat answers)"
	test "$(timeout 20 head -c 5 <&3)" = shown || fail "not shown"
	exec 3<&-
	finish tty
	serve --socket-path=s --console=pty --size=90x30
	grep -q 'console: is /dev/pts/[0-9]*$' log || fail "where? $(cat log)"
	ask size say "to nobody" fill 2000
	grep -q 'size 90 30, offered' answers || fail "size: $(cat answers)"
	finish
	say "ok: a pseudo-terminal"
}

# The program's own input and output, which are pipes here.
check_stdio ()
{
	mkfifo in
	"$run" "$device" --socket-path=s --console=stdio <in >out 2>log &
	daemon=$!
	at_exit "kill $daemon 2>/dev/null"
	exec 4>in
	wait_for_socket s $daemon log
	printf input >&4
	ask hear 5 say output
	grep -qx input answers || fail "input: $(cat answers)"
	wait_until 10 has output out || fail "output: $(cat out log)"
	exec 4>&-
	ask say " and more"
	test "$(cat out)" = "output and more" || fail "output: $(cat out)"
	finish
	say "ok: standard input and output"
}

# A console does not wait for a host that reads nothing; a port does.
check_hosts_that_do_not_read ()
{
	mkfifo pipe
	exec 3<>pipe
	serve --socket-path=s --console=file:pipe --stats
	ask fill 4000
	grep -qx '4000 KiB taken' answers || fail "console: $(cat answers)"
	finish
	exec 3<&-
	lost=$(sed -n 's/.* \([0-9]*\) lost,.*/\1/p' log)
	test "$lost" -gt 1000000 || fail "lost: $(cat log)"
	exec 3<>pipe
	serve --socket-path=s --console=file:out --port=com.example.port=file:pipe
	ask ports blocked 4000
	taken=$(sed -n 's/ KiB taken$//p' answers)
	test "$taken" -lt 200 || fail "port: $(tail -n 1 answers)"
	# It goes on where it stood.
	timeout 60 head -c $((taken << 10)) <&3 >drained
	test "$(wc -c <drained)" = $((taken << 10)) || fail "not drained"
	ask ports say-port hello
	finish
	exec 3<&-
	say "ok: hosts that do not read"
}

check_ports ()
{
	rm -f out port
	serve --socket-path=s --console=file:out --port=com.example.port=file:port
	ask ports size say one say-port two hostile
	sort answers >sorted
	cat >expected <<-EOF
	hostile
	port 0: event 1, 1, ''
	port 0: event 4, 1, ''
	port 0: event 6, 1, ''
	port 1: event 1, 1, ''
	port 1: event 6, 1, ''
	port 1: event 7, 1, 'com.example.port'
	size 0 0, not offered, 2 ports
	EOF
	cmp -s sorted expected || fail "ports: $(cat answers)"
	test "$(cat out)" = one && test "$(cat port)" = two ||
		fail "ports: $(cat out) $(cat port)"
	# Another guest, which was not there before.
	ask ports say three say-port four
	test "$(cat out)" = onethree && test "$(cat port)" = twofour ||
		fail "another guest: $(cat out) $(cat port)"
	finish
	say "ok: ports"
}

check_killed_frontend ()
{
	rm -f out
	serve --socket-path=s --console=file:out
	for round in 1 2 3; do
		"$run" "$requests" s fill 1000000 >killed 2>&1 &
		killed=$!
		sleep 0.2
		kill -KILL $killed
		wait $killed 2>/dev/null || :
	done
	ask say after
	test "$(tail -c 5 out)" = after || fail "after"
	finish
	say "ok: front-ends that are killed"
}

check_command_line ()
{
	expect 2 "no --console" --socket-path=s
	expect 2 "has no socket" --console=file:out
	expect 2 "an end is" --socket-path=s --console=tty
	expect 2 "an end is" --socket-path=s --console=file:
	expect 2 "an end is" --socket-path=s --port=name=stdio:x
	expect 2 "NAME=END" --socket-path=s --port=file:out
	expect 2 "NAME=END" --socket-path=s --port=a/b=file:out
	expect 2 "NAME=END" --socket-path=s --port==file:out
	expect 2 "NAME=END" --socket-path=s --port="$(printf %0128d 0)=stdio"
	expect 2 --size --socket-path=s --console=stdio --size=80
	expect 2 --size --socket-path=s --console=stdio --size=0x24
	expect 2 --size --socket-path=s --console=stdio --size=80x65536
	expect 2 --size --socket-path=s --port=a=stdio --size=80x24
	expect 2 "one thread" --socket-path=s --console=stdio \
		--queue-threads=0:1
	expect 1 "No such file" --socket-path=s --console=file:no/such/folder
	expect 1 "No such file" --socket-path=s --console=listen:no/such/folder
	check_words console
	say "ok: command lines"
}

for check in ${CHECK:-file terminal stdio hosts_that_do_not_read ports \
	killed_frontend command_line}; do
	check_$check
done
