#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# vhost-user-vsock under User Mode Linux, whose kernel is the front-end: what
# tests/vm/check-guest-vsock.sh does with QEMU.

# "make check" may have started this with another shell.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu
. "$(dirname "$0")/../functions.sh"
. "$(dirname "$0")/../vm/vsock-host.sh"

uml=$abs_top_srcdir/tests/uml

start_guest ()
{
	local log=$1
	shift
	rm -f uml.pid
	start_process "$log" "$uml/boot" --image initramfs --timeout 200 \
		--pid uml.pid vsock "$@" -- "$tmpdir/s:19"
	guest_pid=$started_pid
}

kill_guest ()
{
	kill -KILL -- "-$(cat uml.pid)"
	wait "$guest_pid" 2>/dev/null || :
}

requires_built devices/vhost-user-vsock
make_tmpdir
cd "$tmpdir"
status=0
"$uml/image" --module vmw_vsock_virtio_transport initramfs 2>image.log ||
	status=$?
test $status != 77 || skip "$(tail -n 1 image.log)"
test $status = 0 || fail "no guest image: $(cat image.log)"
compile_peer
start_daemon --guest-cid=5
start_services
check_guests
