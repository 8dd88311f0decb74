#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# DPDK's network devices and ours: testpmd with two virtio-user ports, at two
# vhost-user-net that are linked, sends what it receives on one port out on the
# other, round and round, over split and packed rings; and our front-end at
# testpmd's vhost port, which sends back what it gets.

# "make check" may have started this with another shell.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu
. "$(dirname "$0")/../functions.sh"

requires dpdk-testpmd dpdk-dev
requires_built devices/vhost-user-net
requires_built tests/peers/net-echo
make_tmpdir
cd "$tmpdir"
run=$abs_top_builddir/run

# start_testpmd LOG EAL-OPTION... -- OPTION...: commands go to descriptor 7.
start_testpmd ()
{
	local log=$1 eal=()
	shift
	while test "$1" != --; do
		eal+=("$1")
		shift
	done
	shift
	rm -f commands
	: >"$log"	# here: nobody must find what the last one said
	mkfifo commands
	# No huge pages, no devices of this machine, all threads where we may be.
	HOME=$tmpdir XDG_RUNTIME_DIR=$tmpdir dpdk-testpmd \
		--lcores "0@0,1@$((processors - 1))" --no-pci --no-huge -m 256 \
		--no-telemetry --file-prefix "libvhost-$$" "${eal[@]}" -- \
		-i --nb-cores=1 --total-num-mbufs=8192 "$@" \
		<commands >"$log" 2>&1 &
	testpmd=$!
	at_exit "stop_process $testpmd"
	exec 7>commands
}

tell ()
{
	echo "$*" >&7
}

# testpmd_says LOG WORDS
testpmd_says ()
{
	wait_for_line 60 "$1" "$2" "$testpmd" || {
		tail -n 20 "$1"
		fail "testpmd does not say '$2'"
	}
}

stop_testpmd ()
{
	tell stop
	tell quit
	exec 7>&-
	wait_until 20 process_gone "$testpmd" || fail "testpmd does not end"
	wait "$testpmd" || fail "testpmd ended with $?: $(tail -n 5 "$1")"
}

# received PORT: the last count that testpmd told.
received ()
{
	awk -v port="port $1 " '/NIC statistics for/ { here = index ($0, port) }
		here && /RX-packets:/ { n = $2 } END { print n + 0 }' log
}

both_received ()
{
	tell show port stats all
	sleep 0.2
	test "$(received 0)" -gt 20000 && test "$(received 1)" -gt 20000
}

# forward OPTIONS-OF-THE-PORTS NAME
forward ()
{
	# One thread: testpmd hands buffers from one queue to the other, which the
	# thread sanitizer cannot know of.
	start_process net.log "$run" "$abs_top_builddir/devices/vhost-user-net" \
		--threads=1 --stats --device socket-path=a,link-listen=link \
		--device socket-path=b,link-connect=link
	local net=$started_pid port
	wait_for_socket b "$net" net.log
	start_testpmd log \
		--vdev "net_virtio_user0,path=$tmpdir/a,queue_size=256$1" \
		--vdev "net_virtio_user1,path=$tmpdir/b,queue_size=256$1" \
		-- --forward-mode=io
	testpmd_says log 'Port 1: [0-9A-F]'
	tell start tx_first 4
	testpmd_says log 'io packet forwarding'
	wait_until 60 both_received || {
		tail -n 30 log net.log
		fail "$2: $(received 0) and $(received 1) packets"
	}
	say "ok: $2: $(received 0) and $(received 1) packets received"
	stop_testpmd log
	stop_process "$net"
	test "$stopped_status" = 0 || fail "status $stopped_status"
	! grep 'pair 0' net.log | grep -v 'dropped 0 bad, 0 too long' ||
		fail "$2: frames were dropped"
}

# echo_back ARGUMENT...: our front-end at the vhost port.
echo_back ()
{
	start_testpmd vhost.log --vdev "net_vhost0,iface=$tmpdir/v,queues=1" \
		-- --forward-mode=io
	wait_for_socket "$tmpdir/v" "$testpmd" vhost.log
	testpmd_says vhost.log 'Port 0: [0-9A-F]'
	tell start
	timeout 250 "$run" "$abs_top_builddir/tests/peers/net-echo" v "$@" \
		>echo.log 2>&1 || {
		tail -n 20 vhost.log
		fail "net-echo $*: $(cat echo.log)"
	}
	say "$(cat echo.log) came back from the vhost port ($*)"
	stop_testpmd vhost.log
}

processors=$(nproc)
for check in ${CHECK:-split packed echo}; do
	case $check in
	split) forward "" "split rings" ;;
	packed) forward ,packed_vq=1 "packed rings" ;;
	echo) echo_back 2048; echo_back 4096 mergeable ;;
	esac
done
