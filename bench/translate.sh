#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# translate.sh: what finding a guest address costs with 509 regions, beside 1, in instructions (callgrind) and in time.  Instructions must be at most 1.3
# times as many where the regions are of one size, as memory slots are; the rest is shown.

set -eu
. "$(dirname "$0")/../tests/functions.sh"
requires valgrind valgrind
requires_built bench/translate
make_tmpdir

program=$abs_top_builddir/bench/translate
counted=40960
timed=40960000

# instructions LAYOUT REGIONS: per lookup.
instructions ()
{
	valgrind --tool=callgrind --callgrind-out-file="$tmpdir/out" --toggle-collect=translate_all "$program" "$1" "$2" "$counted" \
		>"$tmpdir/log" 2>&1 || { cat "$tmpdir/log" >&2; fail "callgrind"; }
	awk -v n="$counted" '/Collected/ && $NF > 0 { printf "%.2f\n", $NF / n; found = 1 } END { exit !found }' "$tmpdir/log" ||
		fail "callgrind counted nothing"
}

# nanoseconds LAYOUT REGIONS: per lookup, the least of three runs.
nanoseconds ()
{
	for _ in 1 2 3; do
		"$program" "$1" "$2" "$timed"
	done | awk 'NR == 1 || $3 < least { least = $3 } END { if (NR != 3) exit 1; print least }' || fail "no time was measured"
}

one=$(instructions equal 1)
one_ns=$(nanoseconds equal 1)
say "1 region: $one instructions, $one_ns ns"
for layout in equal holes unlike; do
	many=$(instructions "$layout" 509)
	many_ns=$(nanoseconds "$layout" 509)
	say "509 regions, $layout: $many instructions, $many_ns ns; ratio $(awk -v a="$many" -v b="$one" 'BEGIN { printf "%.2f", a / b }')," \
		"in time $(awk -v a="$many_ns" -v b="$one_ns" 'BEGIN { printf "%.2f", a / b }')"
	test "$layout" = unlike || awk -v a="$many" -v b="$one" 'BEGIN { exit !(a <= 1.3 * b) }' || fail "more than 1.3 times"
done
