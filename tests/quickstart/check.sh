# SPDX-License-Identifier: BSD-3-Clause
#
# "quickstart check": runs the steps one after the other, each with a time
# limit, counts what automake says of the tests, and tells why one failed.

minutes ()
{
	printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}

total_passed=0
total_failed=0
total_skipped=0
failed_steps=

# summary_count LOG NAME...: automake's own count, summed over its summaries.
summary_count ()
{
	local log=$1
	shift
	awk -v names="$*" 'BEGIN {
		n = split (names, list, " ")
		for (i = 1; i <= n; i++)
			wanted["# " list[i] ":"]
	} ($1 " " $2) in wanted { sum += $3 } END { print sum + 0 }' "$log"
}

# count_tests LOG: sets passed, failed, skipped and counted.
count_tests ()
{
	passed=$(summary_count "$1" PASS XFAIL)
	failed=$(summary_count "$1" FAIL XPASS ERROR)
	skipped=$(summary_count "$1" SKIP)
	counted=$(summary_count "$1" TOTAL)
	total_passed=$((total_passed + passed))
	total_failed=$((total_failed + failed))
	total_skipped=$((total_skipped + skipped))
}

# Why a test was skipped or failed: from its log, when that is still there.
test_reason ()
{
	local log
	log=$(find "$builds" -path "*/${1%.sh}.log" -newer "$logs/$2.start" \
		2>/dev/null | head -n 1)
	test -n "$log" || return 0
	grep -v '^SKIP \|^FAIL \|^ERROR \|^$' "$log" | tail -n 1
}

list_tests ()
{
	local kind name reason
	grep -E '^(SKIP|FAIL|XPASS|ERROR): ' "$logs/$1" |
		while read -r kind name; do
			reason=$(test_reason "$name" "$1")
			echo "    $kind $name${reason:+ - $reason}"
		done
}

# What a person needs to see of a failed step.
show_failure ()
{
	local suite_log
	echo "---- the end of build/logs/$1"
	tail -n 30 "$logs/$1"
	find "$builds" -name test-suite.log -newer "$logs/$1.start" |
		while read -r suite_log; do
			echo "---- the end of $suite_log"
			tail -n 100 "$suite_log"
		done
	echo "----"
}

# verdict NAME STATUS: prints ok, or why this step failed.
verdict ()
{
	local kind
	kind=$(step_field "$1" 3)
	if test "$2" = 124 || test "$2" = 137; then
		echo "not done after $(minutes "$(step_field "$1" 2)")"
	elif test "$2" != 0; then
		echo "FAILED"
	elif test "$failed" != 0; then
		echo "FAILED: $failed tests failed"
	elif test "$counted" != $((passed + failed + skipped)); then
		echo "FAILED: the test counts do not add up"
	elif test "$kind" = tests && test "$counted" = 0; then
		echo "FAILED: no test was counted"
	elif test "${CI:-}" = true && test "$skipped" != 0; then
		echo "FAILED: tests were skipped"
	else
		echo "ok"
	fi
}

run_step ()
{
	local status=0 start=$SECONDS passed failed skipped counted word
	mkdir -p "$logs"
	: >"$logs/$1.start"
	printf '%-10s %s ... ' "$1" "$(step_field "$1" 4)"
	attended timeout -k 20 "$(step_field "$1" 2)" "$quickstart" run-step "$1" \
		>"$logs/$1" 2>&1 || status=$?
	count_tests "$logs/$1"
	word=$(verdict "$1" $status)
	printf '%s, %s' "$word" "$(minutes $((SECONDS - start)))"
	test "$counted" = 0 ||
		printf ' (%d passed, %d failed, %d skipped)' \
			"$passed" "$failed" "$skipped"
	echo
	list_tests "$1"
	test "$word" != ok || return 0
	failed_steps+=" $1"
	# A step can fail without a test that did: a build, say.
	test "$failed" != 0 || total_failed=$((total_failed + 1))
	show_failure "$1"
}

summarize ()
{
	echo "logs are in build/logs; $(minutes $SECONDS) in all"
	test -z "$failed_steps" || echo "failed steps:$failed_steps"
	echo "$total_passed passed, $total_failed failed," \
		"$total_skipped skipped"
	test -z "$failed_steps"
}

check ()
{
	local name all=no
	for name; do
		step_names | grep -qx -- "$name" ||
			fail "no step is called $name:" "$(step_names | xargs)"
	done
	# shellcheck disable=SC2046 # a list of names
	test $# -gt 0 || { all=yes; set -- $(step_names); }
	install_packages check
	for name; do
		run_step "$name"
	done
	summarize
	test $all = no || test $total_passed -gt 0
}
