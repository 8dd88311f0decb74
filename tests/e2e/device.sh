# SPDX-License-Identifier: BSD-3-Clause
#
# What the tests of small device programs share.  Sourced after functions.sh
# by scripts that set $program (vhost-user-NAME) and are in a folder of their
# own; the front-end's socket is "s", the program's words are in "log".

run=$abs_top_builddir/run
device=$abs_top_builddir/devices/$program

# serve ARGUMENT...: starts the program, which makes the socket "s".
serve ()
{
	start_process log "$run" "$device" "$@"
	daemon=$started_pid
	wait_for_socket s "$daemon" log
}

# It ends as it is told, and leaves no socket, nor any file of those named.
finish ()
{
	stop_process "$daemon"
	test "$stopped_status" = 0 || fail "status $stopped_status: $(cat log)"
	for left in s "$@"; do
		test ! -e "$left" && test ! -L "$left" || fail "$left is left"
	done
}

# ask PROGRAM ARGUMENT...: a guest made by hand; its words are in "answers".
ask_guest ()
{
	timeout 120 "$run" "$@" >answers 2>err ||
		fail "requests: $(cat err log)"
}

# expect STATUS TEXT ARGUMENT...: this status, and one line that has the text.
expect ()
{
	expected=$1
	text=$2
	shift 2
	status=0
	timeout 20 "$run" "$device" "$@" >out 2>err </dev/null || status=$?
	test $status = "$expected" || fail "status $status: $* ($(cat err))"
	test "$(wc -l <err)" = 1 || fail "not one line: $*: $(cat err)"
	grep -q "^$program: " err || fail "who says it: $(cat err)"
	grep -qF -e "$text" err || fail "no '$text' for: $*: $(cat err)"
}

# check_words TYPE: what the program says of itself, and what its manual says.
check_words ()
{
	test ! -e s || fail "a socket is left by a start that failed"
	test "$("$run" "$device" --print-capabilities)" = \
		"{\"type\":\"$1\",\"features\":[]}" || fail "--print-capabilities"
	"$run" "$device" --help >help || fail "--help"
	for option in $(sed -n 's/^  ...\? *--\([a-z-]*\).*/\1/p' help); do
		sed 's/\\//g' "$abs_top_srcdir/docs/man/$program.1" |
			grep -q -e "--$option" ||
			fail "the manual does not have --$option"
	done
}
