#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# vhost-user-vsock: guests that behave and guests that do not, in front of one
# daemon; two devices in one process; and what is wrong on its command line.

set -eu
. "$(dirname "$0")/../functions.sh"

requires_built devices/vhost-user-vsock
requires_built tests/e2e/vsock-requests
make_tmpdir
cd "$tmpdir"
program=vhost-user-vsock
. "$abs_top_srcdir/tests/e2e/device.sh"
requests=$abs_top_builddir/tests/e2e/vsock-requests

ask ()
{
	ask_guest "$requests" "$@"
}

# The ring that has a packet outside guest memory says nothing of it: that is
# an error of the request.
check_guests ()
{
	serve --socket-path=s --uds-path=v --stats
	ask s v 3 connections hostile flood pause reboot another-backend \
		connections
	kill -USR1 "$daemon"
	wait_until 10 grep -q 'connections of the guest' log ||
		fail "no statistics"
	finish v
	# All but one test connect from each side, two of them twice.
	grep -q 'v: 9 connections of the guest, 7 of the host, 0 refused,' \
		log || fail "statistics: $(cat log)"
	grep -q ' [1-9][0-9]* bad,' log || fail "nothing was bad: $(cat log)"
	say "ok: guests that behave, and others"
}

check_options ()
{
	serve --socket-path=s --uds-path=v --guest-cid=4294967294 \
		--uds-mode=600 --buffer=4096 --max-connections=2
	test "$(stat -c %a v)" = 600 || fail "permissions $(stat -c %a v)"
	ask s v 4294967294 connections pause
	finish v
	say "ok: options"
}

# Each guest has its own sockets.
check_two_devices ()
{
	serve --threads=2 --device socket-path=s,uds-path=v \
		--device socket-path=t,uds-path=w,guest-cid=7,queue-threads=1
	"$run" "$requests" t w 7 connections pause >other 2>&1 &
	other=$!
	ask s v 3 connections pause
	wait $other || fail "the second device: $(cat other log)"
	finish v t w
	say "ok: two devices in one process"
}

# A front-end that is killed, while a program is connected and another waits.
check_killed_frontend ()
{
	serve --socket-path=s --uds-path=v
	for round in 1 2 3; do
		"$run" "$requests" s v 3 pause flood >killed 2>&1 &
		killed=$!
		sleep 0.2
		kill -KILL $killed 2>/dev/null || :
		wait $killed 2>/dev/null || :
	done
	ask s v 3 connections
	finish v
	say "ok: front-ends that are killed"
}

check_command_line ()
{
	: >file
	expect 2 "no --uds-path" --socket-path=s
	expect 2 "has no socket" --uds-path=v
	expect 2 --guest-cid --socket-path=s --uds-path=v --guest-cid=2
	expect 2 --guest-cid --socket-path=s --uds-path=v --guest-cid=4294967295
	expect 2 --buffer --socket-path=s --uds-path=v --buffer=5000
	expect 2 --buffer --socket-path=s --uds-path=v --buffer=2048
	expect 2 --max-connections --socket-path=s --uds-path=v \
		--max-connections=0
	expect 2 --uds-mode --socket-path=s --uds-path=v --uds-mode=9
	expect 2 "one thread" --socket-path=s --uds-path=v --queue-threads=0:1
	expect 1 file --socket-path=s --uds-path=file
	expect 1 "No such file" --socket-path=s --uds-path=no/such/folder
	expect 1 "too long" --socket-path=s --uds-path="$(printf %0100d 0)"
	check_words vsock
	say "ok: command lines"
}

check_guests
check_options
check_two_devices
check_killed_frontend
check_command_line
