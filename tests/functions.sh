# SPDX-License-Identifier: BSD-3-Clause
#
# What the test scripts share: how to skip and to fail, where the built
# programs are, a temporary folder and background programs that are gone when
# the script ends, however it ends.  Sourced by sh and bash scripts alike:
#
#	. "$(dirname "$0")/../functions.sh"
#
# A script exits 0 (passed), 1 (failed) or 77 (cannot run here, and says why).

PATH=$PATH:/usr/sbin:/sbin
export PATH

# Where things are.  Under "make check" automake hands down abs_top_builddir
# and abs_top_srcdir; by hand, from the build folder or the source tree, they
# are found from the script's place.
test_name=$(basename "$0")
if test -z "${abs_top_srcdir:-}"; then
	abs_top_srcdir=$(cd "$(dirname "$0")" && pwd)
	while test ! -e "$abs_top_srcdir/tests/functions.sh"; do
		abs_top_srcdir=$(dirname "$abs_top_srcdir")
	done
fi
if test -z "${abs_top_builddir:-}"; then
	abs_top_builddir=$(pwd)
	while test ! -e "$abs_top_builddir/config.status" &&
		test "$abs_top_builddir" != /; do
		abs_top_builddir=$(dirname "$abs_top_builddir")
	done
	test "$abs_top_builddir" != / || abs_top_builddir=$abs_top_srcdir
fi
export abs_top_srcdir abs_top_builddir

say ()
{
	echo "$test_name: $*"
}

skip ()
{
	say "skipped: $*"
	exit 77
}

fail ()
{
	say "FAILED: $*" >&2
	exit 1
}

# requires PROGRAM PACKAGE: skip unless the program is there.
requires ()
{
	command -v "$1" >/dev/null 2>&1 ||
		skip "$1 is not installed (Debian package: $2)"
}

# requires_built PATH: skip unless this program is in the build folder.
requires_built ()
{
	test -x "$abs_top_builddir/$1" ||
		skip "$1 is not built in $abs_top_builddir"
}

# Clean-up: commands that run, last first, when the script ends.
cleanup_commands=

at_exit ()
{
	cleanup_commands="$1
$cleanup_commands"
}

run_cleanup ()
{
	cleanup_status=$?
	set +e
	trap - EXIT
	trap '' HUP INT TERM
	eval "$cleanup_commands"
	exit "$cleanup_status"
}

trap run_cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# make_tmpdir: sets $tmpdir.  Short, because a socket's path has 108 bytes.
make_tmpdir ()
{
	tmpdir=$(mktemp -d "${TMPDIR:-/tmp}/libvhost-XXXXXX")
	at_exit 'rm -rf "$tmpdir"'
}

# stop_process PID: TERM, then KILL after five seconds.  Waits for it when it
# is a child of this shell; its status is left in $stopped_status.
stop_process ()
{
	stopped_status=0
	kill -TERM "$1" 2>/dev/null || :
	wait_until 5 process_gone "$1" || kill -KILL "$1" 2>/dev/null || :
	wait "$1" 2>/dev/null || stopped_status=$?
}

# A process that ended and that nobody waited for yet is gone, too.
process_gone ()
{
	! kill -0 "$1" 2>/dev/null ||
		grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

process_runs ()
{
	! process_gone "$1"
}

# start_process LOG PROGRAM ARGS...: runs it in the background with its output
# in LOG, sets $started_pid, and stops it when the script ends.
start_process ()
{
	start_log=$1
	shift
	: >"$start_log"	# here: what an earlier process wrote must not be taken for this one's
	"$@" >"$start_log" 2>&1 </dev/null &
	started_pid=$!
	at_exit "stop_process $started_pid"
}

# wait_until SECONDS COMMAND...: 0 as soon as the command succeeds, 1 when it
# did not within the time.
wait_until ()
{
	wait_rounds=$(($1 * 10))
	shift
	until "$@"; do
		wait_rounds=$((wait_rounds - 1))
		test "$wait_rounds" -gt 0 || return 1
		sleep 0.1
	done
}

# wait_for_socket PATH PID LOG: the program PID listens at PATH, or we fail
# with what it said.
wait_for_socket ()
{
	wait_until 20 socket_or_dead "$1" "$2" && test -S "$1" && return
	sed 's/^/  /' "$3" >&2
	fail "nothing listens at $1"
}

socket_or_dead ()
{
	test -S "$1" || process_gone "$2"
}

# wait_for_line SECONDS FILE REGEX PID: the line appears in a file that PID
# writes; 1 when it did not, or when the program ended without it.
wait_for_line ()
{
	wait_until "$1" line_or_dead "$2" "$3" "$4" && grep -q "$3" "$2"
}

line_or_dead ()
{
	grep -qs "$2" "$1" || process_gone "$3"
}
