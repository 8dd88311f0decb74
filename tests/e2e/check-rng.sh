#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# vhost-user-rng: the kernel's generator, a source that has nothing for a
# while, a rate, and what is wrong on its command line.

set -eu
. "$(dirname "$0")/../functions.sh"

requires_built devices/vhost-user-rng
requires_built tests/e2e/rng-requests
make_tmpdir
cd "$tmpdir"
program=vhost-user-rng
. "$abs_top_srcdir/tests/e2e/device.sh"
requests=$abs_top_builddir/tests/e2e/rng-requests

# ask SIZE...: the answers are in the file "answers", a line each.
ask ()
{
	ask_guest "$requests" s "$@"
}

# bytes_of_line N: how many bytes that answer has.
bytes_of_line ()
{
	echo $((($(sed -n "$1p" answers | wc -c) - 1) / 2))
}

# A device gives up to 4096 bytes at a time, and what it had at once first.
check_sizes ()
{
	serve --socket-path=s
	ask 1 3 16 0 1000 3076 100000 2
	line=0
	for size in 1 3 16 0 1000 3076 4096 2; do
		line=$((line + 1))
		test "$(bytes_of_line $line)" = $size ||
			fail "answer $line has $(bytes_of_line $line) bytes"
	done
	finish
	say "ok: requests of many sizes"
}

# Long answers to three front-ends: none is like another, and their bytes are
# of all kinds.
check_randomness ()
{
	serve --socket-path=s --stats
	for client in 1 2 3; do
		ask 4096 4096
		cat answers >>all
	done
	test "$(sort -u all | wc -l)" = 6 || fail "the same bytes came twice"
	fold -w 2 all | sort -u >kinds
	test "$(wc -l <kinds)" = 256 || fail "$(wc -l <kinds) kinds of bytes"
	finish
	grep -q 'random: 24576 bytes, 6 requests,' log || fail "$(cat log)"
	say "ok: 24576 bytes for three front-ends, counted"
}

# What comes into the pipe goes to the guest, once and in order of requests;
# without it, requests wait, and the program can be stopped all the same.
check_slow_source ()
{
	mkfifo pipe
	serve --socket-path=s --source=pipe
	"$run" "$requests" s 3 3 >answers 2>err &
	client=$!
	at_exit "kill $client 2>/dev/null"
	sleep 0.5
	test ! -s answers || fail "bytes from nowhere: $(cat answers)"
	printf abc >pipe
	wait_until 20 test -s answers || fail "no byte from the pipe"
	test "$(head -n 1 answers)" = 616263 || fail "$(cat answers)"
	printf def >pipe
	wait $client || fail "requests: $(cat err)"
	test "$(tail -n 1 answers)" = 646566 || fail "$(cat answers)"
	"$run" "$requests" s 3 >answers 2>err &
	client=$!
	at_exit "kill $client 2>/dev/null"
	sleep 0.5
	finish
	kill $client 2>/dev/null || :
	! wait $client 2>/dev/null || fail "an answer out of an empty pipe"
	test ! -s answers || fail "bytes from nowhere: $(cat answers)"
	say "ok: a source that has nothing for a while"
}

# A period that does not end during the test: bytes are cut to what is left,
# then requests wait, for the next front-end as well.
check_rate ()
{
	serve --socket-path=s --max-bytes=100 --period=3600000
	ask 60 60
	test "$(bytes_of_line 1) $(bytes_of_line 2)" = "60 40" ||
		fail "a rate of 100: $(cat answers)"
	"$run" "$requests" s 1 >answers 2>err &
	client=$!
	at_exit "kill $client 2>/dev/null"
	sleep 0.5
	test ! -s answers || fail "more than the rate: $(cat answers)"
	kill $client
	wait $client 2>/dev/null || :
	finish
	serve --socket-path=s --max-bytes=10 --period=50
	ask 10 10 10 10
	test "$(bytes_of_line 4)" = 10 || fail "periods: $(cat answers)"
	finish
	say "ok: a rate"
}

check_command_line ()
{
	: >file
	expect 2 "has no socket"
	expect 2 --max-bytes --socket-path=s --max-bytes=0
	expect 2 --period --socket-path=s --period=3600001
	expect 2 "no option --blk-file" --socket-path=s --blk-file=x
	expect 2 --period --device socket-path=s,period=x
	expect 1 "No such file" --socket-path=s --source=nothing
	expect 1 "character device" --socket-path=s --source=file
	expect 1 "character device" --device socket-path=s --device socket-path=t,source=.
	check_words rng
	say "ok: command lines"
}

check_sizes
check_randomness
check_slow_source
check_rate
check_command_line
