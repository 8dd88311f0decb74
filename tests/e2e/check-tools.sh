#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# vhost-user-probe and vhost-user-bench from outside: their command lines,
# what they say when nothing answers, and both against vhost-user-blk, with
# memory in up to 509 regions and data across their edges.

. "$(dirname "$0")/../functions.sh"
requires_built tools/vhost-user-probe
requires_built tools/vhost-user-bench
make_tmpdir

run=$abs_top_builddir/run
socket=$tmpdir/s
cases=0

# ends STATUS WORDS PROGRAM ARGUMENT...: it ends with this status, and says
# these words in one line on the standard error.
ends ()
{
	wanted=$1
	words=$2
	shift 2
	status=0
	timeout 60 "$run" "$@" >"$tmpdir/out" 2>"$tmpdir/err" </dev/null ||
		status=$?
	test "$status" = "$wanted" ||
		fail "$* ended with $status: $(cat "$tmpdir/err")"
	grep -q "$words" "$tmpdir/err" || fail "$*: $(cat "$tmpdir/err")"
	test "$(wc -l <"$tmpdir/err")" = 1 || fail "$*: more than one line"
	test ! -s "$tmpdir/out" || fail "$*: says $(cat "$tmpdir/out")"
	cases=$((cases + 1))
}

# shows WORDS PROGRAM ARGUMENT...: it succeeds and prints these words.
shows ()
{
	words=$1
	shift
	timeout 120 "$run" "$@" >"$tmpdir/out" 2>"$tmpdir/err" </dev/null ||
		fail "$*: $(cat "$tmpdir/err")"
	grep -q -e "$words" "$tmpdir/out" || fail "$*: $(cat "$tmpdir/out")"
	test ! -s "$tmpdir/err" || fail "$*: $(cat "$tmpdir/err")"
	cases=$((cases + 1))
}

for program in vhost-user-probe vhost-user-bench; do
	shows "usage: $program" $program --help
	shows "$program (libvhost) [0-9]" $program --version
	ends 2 "one socket .*is needed, not 0" $program
	ends 2 "one socket .*is needed, not 2" $program a b
	ends 2 "unknown option --nonsense" $program --nonsense a
	ends 2 "unknown option -x" $program -x a
	ends 2 "timeout needs a value" $program a --timeout
	ends 2 "timeout does not take \"0\"" $program --timeout=0 a
	ends 1 "cannot connect to $tmpdir/none" $program --timeout=1 "$tmpdir/none"
	ends 1 "cannot connect to $tmpdir" $program --timeout=1 "$tmpdir"
done
# Devices of the kernel; more of them in tests/vm.
if test -x "$abs_top_builddir/examples/vdpa-info"; then
	ends 1 "/dev/vhost-none: there is no such device" \
		vhost-user-probe /dev/vhost-none
	ends 1 "/dev/null: not a vhost device" vhost-user-probe /dev/null
	ends 1 "/dev/null: not a vhost device" \
		"$abs_top_builddir/examples/vdpa-info" /dev/null
else
	ends 1 "/dev/vhost-none: this build does not know" \
		vhost-user-probe /dev/vhost-none
fi
ends 2 "device does not take \"toaster\"" vhost-user-probe --device=toaster a
bench=vhost-user-bench
ends 2 "rw does not take \"up\"" $bench --rw=up a
ends 2 "bs does not take \"100\"" $bench --bs=100 a
ends 2 "cannot be cut into 2 parts" $bench --bs=512 --segments=2 a
ends 2 "exclude each other" $bench --time=1 --count=1 a
ends 2 "regions does not take \"510\"" $bench --regions=510 a
ends 2 "regions does not take \"0\"" $bench --regions=0 a
ends 2 "event-idx does not take \"yes\"" $bench --event-idx=yes a
ends 2 "mode does not take \"wait\"" $bench --mode=wait a
ends 2 "log does not take \"yes\"" $bench --log=yes a
ends 2 "no power of two" $bench --queue-size=100 a
ends 2 "more than the queues" $bench --threads=2 a

test -x "$abs_top_builddir/devices/vhost-user-blk" || {
	say "$cases cases; vhost-user-blk is not in this build"
	exit 0
}
truncate -s 64M "$tmpdir/disk"
start_process "$tmpdir/log" "$run" vhost-user-blk --socket-path="$socket" \
	--blk-file="$tmpdir/disk" --num-queues=4
daemon=$started_pid
wait_for_socket "$socket" "$daemon" "$tmpdir/log"

shows "capacity  *131072 (64.0 MiB)" vhost-user-probe "$socket"
shows "memory slots: 509" vhost-user-probe "$socket"
shows '"name": "blk"' vhost-user-probe --json "$socket"
shows 'configuration: not shown: this device has none' \
	vhost-user-probe --device=rng "$socket"

none='"mismatches": 0'
some="--verify --rw=randrw --size=16M --json"
# shellcheck disable=SC2086
{
	shows "$none" $bench $some --count=10000 --queues=4 "$socket"
	shows "$none" $bench $some --count=5000 --regions=509 "$socket"
	shows "$none" $bench $some --count=5000 --regions=100 --across \
		--bs=64K --segments=5 "$socket"
	shows "$none" $bench $some --count=5000 --regions=509 --across \
		--bs=32K --segments=3 --indirect=off --queues=2 "$socket"
	shows "\"log\": true" $bench $some --count=5000 --log=on --queues=2 \
		"$socket"
	shows "$none" $bench $some --count=5000 --mode=poll --event-idx=off \
		"$socket"
	shows "$none" $bench $some --count=5000 --queues=4 --threads=1 \
		--event-idx=off --indirect=off "$socket"
}
ends 1 "has 4 queues, not 5" $bench --queues=5 "$socket"
process_runs "$daemon" || fail "vhost-user-blk ended: $(cat "$tmpdir/log")"

# A back-end that stops in the middle is noticed.
start_process "$tmpdir/bench" "$run" $bench --time=60 --timeout=1 "$socket"
running=$started_pid
sleep 0.5
kill -STOP "$daemon"
status=0
wait "$running" || status=$?
kill -CONT "$daemon"
test "$status" = 1 || fail "a bench without a back-end ended with $status"
grep -q "too slow" "$tmpdir/bench" || fail "$(cat "$tmpdir/bench")"

say "$((cases + 1)) cases"
