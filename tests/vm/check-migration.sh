#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A Linux guest moves from QEMU to QEMU while it loads and checks its disk: by
# precopy, by postcopy, by migrations that are given up half-way; and its
# back-end is killed, and replaced by another process.  See migrate.
#
# MIGRATION_STEPS: which steps; a short form, unless it is said.
# MIGRATION_NET: the guest has a network device, too, and talks to a peer all the
# time; unless this is "no".

# "make check" may have started this with another shell.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu
. "$(dirname "$0")/../functions.sh"
. "$abs_top_srcdir/tests/namespace.sh"

vm=$abs_top_srcdir/tests/vm
steps=${MIGRATION_STEPS:-3xpre 3xpost 2xcancel 2xupgrade 50xkill 1xpost}

requires_built devices/vhost-user-blk
requires python3 python3
make_tmpdir
cd "$tmpdir"
status=0
"$vm/image" --module virtio_net initramfs 2>image.log || status=$?
test $status != 77 || skip "$(tail -n 1 image.log)"
test $status = 0 || fail "no guest image: $(cat image.log)"

# This also finds out how guests run here.
"$vm/boot" --image initramfs hello >hello.log 2>&1 || status=$?
test $status != 77 || skip "$(tail -n 1 hello.log)"
test $status = 0 || fail "no guest boots: $(tail -n 5 hello.log)"
cache=${LIBVHOST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/libvhost}
accel=$(cat "$cache/accel-$(id -u)-$(cat /proc/sys/kernel/random/boot_id)")
kernel=$(echo "$cache/packages/${LIBVHOST_KERNEL_PACKAGE:-linux-image-cloud-amd64}"/boot/vmlinuz-*)

postcopy=--postcopy
grep -q "^postcopy=yes" "$abs_top_builddir/libvhost.pc" || {
	postcopy=
	steps=$(echo "$steps" | sed 's/[0-9]*x\?post//g')
}
inside=()
net=()
if test "${MIGRATION_NET:-yes}" = yes; then
	requires_built devices/vhost-user-net
	requires unshare util-linux
	requires ip iproute2
	# shellcheck disable=SC2086 # the compiler may be several words
	${CC:-cc} -O2 -o guest-net "$vm/guest-net.c" || fail "guest-net"
	make_namespace || skip "no network namespace with TAPs can be had"
	net=(--peer "$tmpdir/guest-net" --net "$abs_top_builddir/run
		$abs_top_builddir/devices/vhost-user-net $postcopy")
fi
truncate -s 64M disk
mkdir run
# shellcheck disable=SC2086 # words
${inside[@]+"${inside[@]}"} "$vm/migrate" --kernel "$kernel" \
	--image initramfs --accel "$accel" --disk disk --folder "$tmpdir/run" \
	--backend "$abs_top_builddir/run \
	$abs_top_builddir/devices/vhost-user-blk --blk-file=$tmpdir/disk \
	--serial=moved --num-queues=2 $postcopy" ${net[@]+"${net[@]}"} $steps &
started_pid=$!
at_exit "stop_process $started_pid"
wait $started_pid || fail "see above"
say "ok: $steps"
