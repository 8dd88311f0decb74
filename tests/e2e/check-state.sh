#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Device state for a migration: from one process to another, and what becomes
# of a device when a transfer ends in the middle, or is not for it.  (QEMU has
# no use for it with these devices.)

set -eu
. "$(dirname "$0")/../functions.sh"

for name in blk net vsock console; do
	requires_built devices/vhost-user-$name
done
requires_built tests/e2e/state
make_tmpdir
cd "$tmpdir"
program=
. "$abs_top_srcdir/tests/e2e/device.sh"
tests=$abs_top_builddir/tests/e2e

# serve_both NAME OPTIONS OPTIONS: two processes of this program, with sockets
# "s" and "t" and logs "log" and "log.t".
serve_both ()
{
	device=$abs_top_builddir/devices/vhost-user-$1
	# shellcheck disable=SC2086 # words
	start_process log.t "$run" "$device" --socket-path=t --stats $3
	other=$started_pid
	wait_for_socket t "$other" log.t
	# shellcheck disable=SC2086 # words
	serve --socket-path=s --stats $2
}

# finish_both FILE...: both end well, and leave none of these files.
finish_both ()
{
	stop_process "$other"
	test "$stopped_status" = 0 || fail "status $stopped_status: $(cat log.t)"
	test ! -e t || fail "t is left"
	finish "$@"
}

state ()
{
	timeout 60 "$run" "$tests/state" "$@" >out 2>err || fail "state $*: $(cat err log log.t)"
}

# answered TEXT: the last commands printed this.
answered ()
{
	test "$(tr '\n' ' ' <out)" = "$1 " || fail "not $1: $(cat out)"
}

# same_statistics NAME TEXT: the same line with TEXT in both logs.
same_statistics ()
{
	grep -F "$2" log | sed 's/^[^:]*: [^:]*: //' >stats.s
	grep -F "$2" log.t | sed 's/^[^:]*: [^:]*: //' >stats.t
	test -s stats.s || fail "$1: no statistics: $(cat log)"
	cmp stats.s stats.t || fail "$1: $(cat stats.s stats.t)"
}

# A transfer that ends in the middle, front-ends that die in one, and streams
# that are not for this device: it goes on as it was.
spoil ()
{
	size=$(stat -c %s "$1")
	for bytes in 0 1 15 16 17 $((size - 1)); do
		head -c $bytes "$1" >cut
		state t load cut
		answered refused
		timeout 60 "$run" "$tests/state" t leave-load "$1" $bytes
		timeout 60 "$run" "$tests/state" s leave-save cut $bytes
	done
	cp "$1" bad
	printf x >>bad
	state t load bad
	answered refused
	sed 's/^vhstat/VHSTAT/' "$1" >bad
	state t load bad load /dev/null load /dev/zero
	answered "refused refused refused"
}

check_blk ()
{
	truncate -s 16M disk
	truncate -s 17M larger
	truncate -s 15M smaller
	serve_both blk --blk-file=disk --blk-file=disk
	for client in 1 2; do
		"$run" "$abs_top_builddir/tools/vhost-user-bench" \
			--count=5000 s >bench 2>&1 || fail "load: $(cat bench)"
	done
	state s get 32 1 set 32 0 get 32 1 save st
	answered "01 00"
	spoil st
	state t get 32 1 trickle st get 32 1
	answered "01 loaded 00"
	# It was this front-end's guest's.
	state t get 32 1
	answered 01
	state t load st load st
	finish_both
	same_statistics blk "queue 0:"
	grep -q 'queue 0: [1-9]' log.t || fail "nothing was counted: $(cat log.t)"
	serve_both blk --blk-file=larger "--blk-file=smaller"
	state s load st get 32 1
	answered "loaded 00"
	state t load st get 32 1
	answered "refused 01"
	grep -q 'the state is of another disk: 16777216 bytes' log.t ||
		fail "what is wrong? $(cat log.t)"
	finish_both
	say "ok: a disk"
}

check_net ()
{
	serve_both net "--link-listen=a --mac=52:54:00:01:02:03" \
		"--link-listen=b --mac=52:54:00:0a:0b:0c"
	state s mtu 1400 get 0 6 get 10 2 save st
	answered "525400010203 7805"
	spoil st
	state t get 0 6 load st get 0 6 get 10 2
	answered "5254000a0b0c loaded 525400010203 7805"
	state t get 0 6
	answered 5254000a0b0c
	finish_both a b
	serve_both net "--link-listen=a" "--link-listen=b --mtu=1300"
	state s load st
	answered refused
	state t load st
	answered refused
	grep -q 'another device: 1 pairs, an MTU of 1400' log.t ||
		fail "what is wrong? $(cat log.t)"
	finish_both a b
	say "ok: a network device"
}

check_vsock ()
{
	serve_both vsock --uds-path=v "--uds-path=w"
	ask_guest "$tests/vsock-requests" s v 3 connections move
	state s save st
	spoil st
	state t load st
	answered loaded
	ask_guest "$tests/vsock-requests" t w 3 connections
	finish_both v w
	say "ok: sockets"
}

# What was typed and does not fit into the guest's buffers goes along, though the
# guest has closed that port; what another host types at the other end comes
# behind it.
check_console ()
{
	serve_both console "--console=file:one --port=com.example.port=pty:p" \
		"--console=file:two --port=com.example.port=pty:q"
	exec 4<>p 5<>q
	stty -F p raw -echo
	stty -F q raw -echo
	head -c 2000 /dev/zero | tr '\0' a >typed
	head -c 2500 /dev/zero | tr '\0' b >>typed
	cat typed >&4
	printf ', and more' >&5
	ask_guest "$tests/console-requests" s ports say here shut \
		moves t told open hear-port 4510 say there
	test "$(cat one)$(cat two)" = herethere || fail "$(cat one two)"
	grep -q '^port 1: event 6, 1$' answers || fail "told: $(cat answers)"
	grep -qx "$(cat typed), and more" answers || fail "heard: $(cat answers)"
	state s save st
	spoil st
	state t load st
	answered loaded
	ask_guest "$tests/console-requests" t ports say again
	exec 4<&- 5<&-
	finish_both p q
	say "ok: ports"
}

# Of another kind.
check_strangers ()
{
	serve_both vsock --uds-path=v "--uds-path=w"
	state s save st.vsock
	finish_both v w
	serve_both console --console=file:one --console=file:two
	state t load st.vsock
	answered refused
	ask_guest "$tests/console-requests" t say fine
	finish_both
	say "ok: a state of another kind of device"
}

for check in ${CHECK:-blk net vsock console strangers}; do
	check_$check
done
