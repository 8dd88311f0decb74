#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The examples do what they say: draw gets random bytes from both entropy devices, one front-end after the other; the loop of a VMM goes on when its
# entropy device is killed and another one comes; the probe sees a disk of the right size, and the benchmark verifies it.

. "$(dirname "$0")/functions.sh"
for program in random own-loop ram-disk draw vmm-loop; do
	requires_built examples/$program
done
make_tmpdir
run=$abs_top_builddir/run
tried=0

# entropy PROGRAM: two draws of sixteen bytes that differ, one front-end after the other; then the program ends by SIGTERM.
entropy ()
{
	socket=$tmpdir/$1.sock
	start_process "$tmpdir/$1.log" "$run" "$abs_top_builddir/examples/$1" "$socket"
	wait_for_socket "$socket" "$started_pid" "$tmpdir/$1.log"
	for draw in 1 2; do
		"$run" "$abs_top_builddir/examples/draw" "$socket" >"$tmpdir/drawn.$draw" || fail "draw number $draw from $1 failed"
		grep -qE '^[0-9a-f]{32}$' "$tmpdir/drawn.$draw" || fail "draw number $draw from $1 is \"$(cat "$tmpdir/drawn.$draw")\""
	done
	! cmp -s "$tmpdir/drawn.1" "$tmpdir/drawn.2" || fail "$1 gave the same bytes twice"
	stop_process "$started_pid"
	test ! -s "$tmpdir/$1.log" || fail "$1 said: $(cat "$tmpdir/$1.log")"
	tried=$((tried + 1))
}

entropy random
entropy own-loop
test ! -e "$tmpdir/own-loop.sock" || fail "own-loop left its socket behind"

# A back-end that comes late, is killed, and comes again.
lines ()
{
	test "$(wc -l <"$tmpdir/vmm.out")" -ge "$1"
}

socket=$tmpdir/vmm.sock
"$run" "$abs_top_builddir/examples/vmm-loop" "$socket" 9 >"$tmpdir/vmm.out" 2>"$tmpdir/vmm.log" &
vmm=$!
at_exit "stop_process $vmm"
for goal in 3 6 9; do
	start_process "$tmpdir/vmm-random.log" "$run" "$abs_top_builddir/examples/random" "$socket"
	wait_until 20 lines $goal || fail "vmm-loop prints $(wc -l <"$tmpdir/vmm.out") lines: $(cat "$tmpdir/vmm.log")"
	kill -9 "$started_pid"
	wait "$started_pid" 2>/dev/null || :
done
wait "$vmm" || fail "vmm-loop ended with $?: $(cat "$tmpdir/vmm.log")"
test "$(grep -cE '^[0-9a-f]{32}$' "$tmpdir/vmm.out")" -eq 9 || fail "vmm-loop printed $(cat "$tmpdir/vmm.out")"
test "$(sort -u "$tmpdir/vmm.out" | wc -l)" -eq 9 || fail "vmm-loop got the same bytes twice"
grep -q 'is gone' "$tmpdir/vmm.log" || fail "vmm-loop did not notice"
tried=$((tried + 1))

socket=$tmpdir/disk.sock
start_process "$tmpdir/disk.log" "$run" "$abs_top_builddir/examples/ram-disk" "$socket" 16
wait_for_socket "$socket" "$started_pid" "$tmpdir/disk.log"
if test -x "$abs_top_builddir/tools/vhost-user-bench"; then
	"$run" "$abs_top_builddir/tools/vhost-user-probe" "$socket" >"$tmpdir/probe" 2>&1 || fail "the probe says: $(cat "$tmpdir/probe")"
	grep -qE 'capacity.*(32768|16 MiB|16777216)' "$tmpdir/probe" || fail "the probe sees no disk of 16 MiB: $(cat "$tmpdir/probe")"
	"$run" "$abs_top_builddir/tools/vhost-user-bench" --rw=randrw --verify --size=8M --time=1 "$socket" >"$tmpdir/bench" 2>&1 ||
		fail "the benchmark says: $(cat "$tmpdir/bench")"
	tried=$((tried + 1))
fi
stop_process "$started_pid"
test "$stopped_status" -eq 0 || fail "ram-disk ended with $stopped_status: $(cat "$tmpdir/disk.log")"
test ! -e "$socket" || fail "ram-disk left its socket behind"
# Where the build and the kernel have postcopy; test-postcopy fails if they have and it does not work.
rng=$abs_top_builddir/devices/vhost-user-rng
socket=$tmpdir/rng.sock
if test -x "$rng" && "$abs_top_builddir/tests/unit/test-postcopy" >/dev/null 2>&1; then
	start_process "$tmpdir/rng.log" "$run" "$rng" --socket-path="$socket" --postcopy
	wait_for_socket "$socket" "$started_pid" "$tmpdir/rng.log"
	for time in 1 2; do
		"$run" "$abs_top_builddir/examples/postcopy" "$socket" >"$tmpdir/pages" 2>&1 || fail "postcopy: $(cat "$tmpdir/pages")"
		# The ring's descriptors and its used part, and the page with the data.
		grep -qE '^[0-9a-f]{32}  3 of 8 pages were brought$' "$tmpdir/pages" || fail "postcopy said: $(cat "$tmpdir/pages")"
	done
	! grep -q '^0\{32\}' "$tmpdir/pages" || fail "postcopy got zeroes"
	stop_process "$started_pid"
	tried=$((tried + 1))
fi
say "$tried front-ends were served"
