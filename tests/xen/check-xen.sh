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

make_tmpdir
programs=()
for program in $XEN_PROGRAMS; do
	requires_built "$program"
	programs+=("$abs_top_builddir/$program")
done
: >"$tmpdir/output"
boot_status=0
"$(dirname "$0")/boot" --memory 3072 --timeout 600 \
	--log "$abs_top_builddir/check-xen-console.log" \
	"$(dirname "$0")/dom0-tests" "${programs[@]}" |
	tee "$tmpdir/output" || boot_status=${PIPESTATUS[0]}
test "$boot_status" != 77 || exit 77
ran=$(sed -n 's/^cases: \([0-9]*\) run, 0 failed$/\1/p' "$tmpdir/output")
test "$(echo "$ran" | wc -w)" = ${#programs[@]} ||
	fail "not every program of ${#programs[@]} passed"
test "$boot_status" = 0 || fail "the tests ended with $boot_status"
say "ok: ${#programs[@]} programs, $(($(echo "$ran" | paste -sd +))) cases"
