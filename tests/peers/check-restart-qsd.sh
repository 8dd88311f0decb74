#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A session of ours whose back-end is qemu-storage-daemon.  That one keeps no
# in-flight records, so it is killed when nothing is in flight; requests that
# are made while it is away are done by the next one.

. "$(dirname "$0")/../functions.sh"
requires qemu-storage-daemon qemu-system-common
requires_built tests/e2e/restart
make_tmpdir
cd "$tmpdir" || fail "no folder"

truncate -s 4M disk
timeout 300 "$abs_top_builddir/run" "$abs_top_builddir/tests/e2e/restart" -c s 20 \
	qemu-storage-daemon --blockdev driver=file,node-name=f0,filename=disk \
	--blockdev driver=raw,node-name=d0,file=f0 \
	--export "type=vhost-user-blk,id=e0,node-name=d0,addr.type=unix,addr.path=s,writable=on,num-queues=4" >log 2>&1 || {
	cat log >&2
	fail "qemu-storage-daemon killed and started again"
}
say "$(grep '^ok: ' log)"
