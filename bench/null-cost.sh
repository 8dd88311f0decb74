#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# null-cost.sh: user-space instructions of the back-end process for each 4 KiB null request, by callgrind: null-blk under vhost-user-bench, the difference of
# two run lengths, depth 32; in split and packed rings, direct and indirect, and with more segments.

set -eu
. "$(dirname "$0")/../tests/functions.sh"
requires valgrind valgrind
requires_built bench/null-blk
requires_built tools/vhost-user-bench
make_tmpdir

short=20000
long=60000
socket=$tmpdir/socket

# instructions COUNT ARGUMENT...: of one whole run.
instructions ()
{
	local count=$1 backend
	shift
	rm -f "$socket"
	valgrind --tool=callgrind --callgrind-out-file="$tmpdir/out" "$abs_top_builddir/bench/null-blk" --socket-path="$socket" >"$tmpdir/log" 2>&1 &
	backend=$!
	wait_until 30 test -S "$socket" || fail "null-blk does not listen: $(cat "$tmpdir/log")"
	"$abs_top_builddir/run" vhost-user-bench "$socket" --depth=32 --timeout=60 --count="$count" "$@" --json >"$tmpdir/json" || fail "vhost-user-bench $*"
	kill "$backend"
	wait "$backend" || :
	awk '/Collected/ { print $NF; found = 1 } END { exit !found }' "$tmpdir/log" || fail "callgrind counted nothing: $(cat "$tmpdir/log")"
}

# cost NAME ARGUMENT...
cost ()
{
	local name=$1 a b
	shift
	a=$(instructions "$short" "$@")
	b=$(instructions "$long" "$@")
	say "$name: $(((b - a) / (long - short))) instructions"
}

cost "split" --indirect=off
cost "split, indirect" --indirect=on
cost "split, 16 segments" --indirect=off --bs=64K --segments=16
cost "packed" --indirect=off --packed=on
cost "packed, indirect" --indirect=on --packed=on
cost "packed, 16 segments" --indirect=off --bs=64K --segments=16 --packed=on
cost "split, without event index" --indirect=off --event-idx=off
