#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# vhost-user-rng under a real driver: two Linux guests in QEMU, one after the
# other, read /dev/hwrng, and never the same bytes.

# "make check" may have started this with another shell.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu
. "$(dirname "$0")/../functions.sh"

vm=$abs_top_srcdir/tests/vm

requires_built devices/vhost-user-rng
make_tmpdir
cd "$tmpdir"
status=0
"$vm/image" --module virtio-rng initramfs 2>image.log || status=$?
test $status != 77 || skip "$(tail -n 1 image.log)"
test $status = 0 || fail "no guest image: $(cat image.log)"

start_process daemon.log "$abs_top_builddir/run" \
	"$abs_top_builddir/devices/vhost-user-rng" --socket-path="$tmpdir/s" \
	--stats
daemon=$started_pid
wait_for_socket "$tmpdir/s" "$daemon" daemon.log
for guest in 1 2; do
	status=0
	"$vm/boot" --image initramfs --timeout 150 rng -- \
		-chardev "socket,id=c0,path=$tmpdir/s" \
		-device vhost-user-rng-pci,chardev=c0 >guest.log 2>&1 ||
		status=$?
	test $status != 77 || skip "$(tail -n 1 guest.log)"
	grep '^guest:' guest.log || :
	test $status = 0 || {
		tail -n 30 guest.log daemon.log
		fail "guest $guest: status $status"
	}
	grep '^guest-sum' guest.log >>sums
done
test "$(wc -l <sums)" = 6 || fail "the guests told $(wc -l <sums) checksums"
test "$(sort -u sums | wc -l)" = 6 || fail "the same bytes came twice"
stop_process "$daemon"
test "$stopped_status" = 0 || fail "the daemon ended with $stopped_status"
sed -n 's/.*random: \([0-9]*\) bytes.*/\1/p' daemon.log >bytes
test "$(cat bytes)" -ge $((6 * 65536)) || fail "counted: $(cat daemon.log)"
say "ok: two guests read $(cat bytes) bytes"
