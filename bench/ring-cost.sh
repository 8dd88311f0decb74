#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# ring-cost.sh: instructions of a request in the ring, from vh_ring_take to vh_ring_flush, by callgrind: chains of 3 and of 16 descriptors, direct and in
# indirect tables, one at a time and 32 at a time; and the time without callgrind.

set -eu
. "$(dirname "$0")/../tests/functions.sh"
requires valgrind valgrind
requires_built bench/ring-cost
make_tmpdir

program=$abs_top_builddir/bench/ring-cost
counted=32000
timed=3200000

for kind in direct indirect; do
	for descriptors in 3 16; do
		for batch in 1 32; do
			valgrind --tool=callgrind --callgrind-out-file="$tmpdir/out" --toggle-collect=serve_batch \
				"$program" "$kind" "$descriptors" "$batch" "$counted" >"$tmpdir/log" 2>&1 || { cat "$tmpdir/log" >&2; fail "callgrind"; }
			instructions=$(awk -v n="$counted" '/Collected/ && $NF > 0 { printf "%.0f\n", $NF / n }' "$tmpdir/log")
			test -n "$instructions" || fail "callgrind counted nothing"
			ns=$("$program" "$kind" "$descriptors" "$batch" "$timed" | awk '/ns each/ { print $3 }')
			say "$kind, $descriptors descriptors, batches of $batch: $instructions instructions, $ns ns"
		done
	done
done
