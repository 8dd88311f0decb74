# SPDX-License-Identifier: BSD-3-Clause
#
# What the tests of vhost-user-console with real guests share: the host's side
# of guest/console.  Sourced by bash scripts, after functions.sh; those have a
# function start_guest LOG VARIABLE... that boots a guest in front of
# $tmpdir/s and sets $guest_pid.

size=256			# KiB, of a transfer

start_daemon ()
{
	start_process daemon.log "$abs_top_builddir/run" \
		"$abs_top_builddir/devices/vhost-user-console" --stats \
		--socket-path="$tmpdir/s" "$@"
	daemon_pid=$started_pid
	wait_for_socket "$tmpdir/s" "$daemon_pid" daemon.log
}

stop_daemon ()
{
	stop_process "$daemon_pid"
	test "$stopped_status" = 0 ||
		fail "the daemon ended with $stopped_status: $(cat daemon.log)"
	cat daemon.log
	test ! -e s && test ! -e console || fail "something is left"
}

sum ()
{
	sha256sum <"$1" | cut -c 1-64
}

guest_says ()
{
	wait_for_line "$2" "$guest_log" "^guest-event: $1" "$guest_pid" &&
		return
	tail -n 30 "$guest_log" daemon.log
	fail "no '$1' from the guest"
}

guest_sum ()
{
	sed -n "s/^guest-sum: $1 //p" "$guest_log" | tail -n 1
}

# The console is read from fd 5.
line_of_guest ()
{
	IFS= read -r -t 60 -u 5 line || fail "no line of the guest"
	test "${line%$'\r'}" = "$1" || fail "the guest said '$line'"
}

transfer_failed ()
{
	kill -USR1 "$daemon_pid"
	sleep 1
	cat "$guest_log" daemon.log
	fail "a transfer from the guest: $(wc -c <in) bytes"
}

# transfer FD: where the console is written to.
transfer ()
{
	head -c $((size << 10)) /dev/urandom >out
	guest_says transfer 60
	timeout 60 cat out >&$1 || fail "a transfer to the guest"
	timeout 60 head -c $((size << 5)) <&5 >in ||
		transfer_failed
	guest_says transferred 60
	test "$(guest_sum in)" = "$(sum out)" ||
		fail "what the host sent came out different"
	test "$(guest_sum part)" = "$(sum in)" ||
		fail "what the guest sent came out different"
}

end_guest ()
{
	local status=0
	guest_says end 60
	wait "$guest_pid" || status=$?
	grep '^guest: ' "$guest_log"
	test $status = 0 || fail "the guest's status is $status"
}
