#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The memory model of Xen on a real Xen host: boots one in QEMU and runs in its
# dom0 every program that "make check-xen" built for it.  All of them must have
# said how many cases ran.

set -eu
. "$(dirname "$0")/../functions.sh"

test "${VH_MEMORY:-xen}" = xen ||
	skip "this build has no Xen memory (configure --with-memory=xen)"
test -n "${XEN_PROGRAMS:-}" ||
	skip "no test programs were built" \
		"(make check-xen; needs CUnit, Debian package: libcunit1-dev)"

# The programs that "boot" is to put into dom0, and the names of the tests.
make_tmpdir
programs=()
tests=0
for program in $XEN_PROGRAMS ${XEN_DEVICES:-}; do
	requires_built "$program"
	programs+=("$abs_top_builddir/$program")
done
for program in $XEN_PROGRAMS; do
	basename "$program"
	tests=$((tests + 1))
done >"$tmpdir/tests"

"$(dirname "$0")/boot" --memory 3072 --timeout 900 \
	--log "$abs_top_builddir/check-xen-console.log" \
	--file "$tmpdir/tests" "$(dirname "$0")/dom0-tests" "${programs[@]}" |
	tee "$tmpdir/output"
boot_status=${PIPESTATUS[0]}
test "$boot_status" != 77 || exit 77
ran=$(sed -n 's/^cases: \([0-9]*\) run, 0 failed$/\1/p' "$tmpdir/output")
test "$(echo "$ran" | wc -w)" = "$tests" ||
	fail "not every program of $tests passed"
test "$boot_status" = 0 || fail "the tests ended with $boot_status"

# What each program says of itself, and the statistics of each back-end.
live=$(sed -n 's/.* \([0-9]*\) live.*/\1/p' "$tmpdir/output")
test "$(echo "$live" | wc -w)" -gt "$tests" || fail "the grants were not counted"
grants=$(($(echo "$live" | paste -sd +)))
test "$grants" = 0 || fail "$grants grants were live in the end"
say "ok: $tests programs, $(($(echo "$ran" | paste -sd +))) cases," \
	"$grants grants live in the end, $SECONDS s"
