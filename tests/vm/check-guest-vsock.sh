#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# vhost-user-vsock under a real driver: two Linux guests in QEMU, one after the
# other.  Each exchanges files with the host, in connections from both sides,
# and is killed in the middle of a transfer.

# "make check" may have started this with another shell.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu
. "$(dirname "$0")/../functions.sh"
. "$(dirname "$0")/vsock-host.sh"

vm=$abs_top_srcdir/tests/vm
# Emulated processors are slow.
size=2048
streams=4

start_guest ()
{
	local log=$1
	shift
	rm -f qemu.pid
	start_process "$log" "$vm/boot" --image initramfs --timeout 200 \
		--cpus 2 --pid qemu.pid vsock "$@" -- \
		-chardev "socket,id=c0,path=$tmpdir/s" \
		-device vhost-user-vsock-pci,chardev=c0
	guest_pid=$started_pid
}

kill_guest ()
{
	kill -KILL "$(cat qemu.pid)"
	wait "$guest_pid" 2>/dev/null || :
}

requires_built devices/vhost-user-vsock
make_tmpdir
cd "$tmpdir"
status=0
"$vm/image" --module vmw_vsock_virtio_transport initramfs 2>image.log ||
	status=$?
test $status != 77 || skip "$(tail -n 1 image.log)"
test $status = 0 || fail "no guest image: $(cat image.log)"
# A machine that cannot boot guests ends this here.
"$vm/boot" --image initramfs hello >hello.log 2>&1 || status=$?
test $status != 77 || skip "$(tail -n 1 hello.log)"
compile_peer
start_daemon --guest-cid=5
start_services
check_guests
