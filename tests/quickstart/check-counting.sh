#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# "quickstart check" must not call a step good that failed, that was cut off,
# or in which no test was counted.

# "make check" may have started this with another shell.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu
. "$(dirname "$0")/../functions.sh"

# What quickstart itself sets.
builds=
logs=
for part in steps check; do
	. "$abs_top_srcdir/tests/quickstart/$part.sh"
done

# summary TOTAL PASS SKIP XFAIL FAIL XPASS ERROR: automake's, in a log.
summary ()
{
	printf '# TOTAL: %d\n# PASS:  %d\n# SKIP:  %d\n# XFAIL: %d\n' \
		"$1" "$2" "$3" "$4"
	printf '# FAIL:  %d\n# XPASS: %d\n# ERROR: %d\n' "$5" "$6" "$7"
}

# expect WORD STEP STATUS [SUMMARY...]: what is said of a step that ended
# with the status, after a log with these numbers.
expect ()
{
	local wanted=$1 step=$2 status=$3 word
	local passed failed skipped counted
	shift 3
	{
		echo "make: building"
		test $# = 0 || summary "$@"
	} >"$tmpdir/log"
	count_tests "$tmpdir/log"
	word=$(verdict "$step" "$status")
	test "$word" = "$wanted" ||
		fail "$step, status $status, counts $*: '$word'," \
			"not '$wanted'"
	checked=$((checked + 1))
}

check_steps ()
{
	local name
	for name in $(step_names); do
		declare -F "step_${name//-/_}" >/dev/null ||
			fail "step $name has no function"
		test "$(step_field "$name" 2)" -gt 0 &&
			test -n "$(step_field "$name" 4)" ||
			fail "step $name has no limit or no description"
		checked=$((checked + 1))
	done
}

checked=0
make_tmpdir
check_steps
test $checked -gt 5 || fail "read $checked steps only"
CI=
expect "ok" unix 0 5 4 0 1 0 0 0
expect "ok" unix 0 5 4 1 0 0 0 0
expect "ok" fuzz 0
expect "FAILED" unix 2 5 5 0 0 0 0 0
expect "FAILED" fuzz 2
expect "not done after 15:00" unix 124 5 5 0 0 0 0 0
expect "FAILED: 1 tests failed" unix 0 5 4 0 0 1 0 0
expect "FAILED: 2 tests failed" unix 0 5 3 0 0 0 1 1
expect "FAILED: no test was counted" unix 0
expect "FAILED: no test was counted" unix 0 0 0 0 0 0 0 0
expect "FAILED: the test counts do not add up" unix 0 5 4 0 0 0 0 0
CI=true
expect "FAILED: tests were skipped" unix 0 5 4 1 0 0 0 0
expect "ok" unix 0 5 5 0 0 0 0 0
say "ok: $checked checks"
