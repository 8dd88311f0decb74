#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# vhost-user-blk is killed under load, 100 times with each engine, and its
# front-end, a session, goes on with the next one: no request is lost, none is
# answered twice, every byte is right.

. "$(dirname "$0")/../functions.sh"
requires_built tests/e2e/restart
requires_built devices/vhost-user-blk
make_tmpdir
cd "$tmpdir" || fail "no folder"

for engine in uring pool; do
	"$abs_top_builddir/devices/vhost-user-blk" --help | grep -q "engine=.*$engine" || continue
	rm -f disk
	truncate -s 4M disk
	timeout 300 "$abs_top_builddir/run" "$abs_top_builddir/tests/e2e/restart" s 100 \
		"$abs_top_builddir/devices/vhost-user-blk" --socket-path=s --blk-file=disk \
		--num-queues=2 --engine=$engine >log 2>&1 || {
		cat log >&2
		fail "with --engine=$engine"
	}
	say "--engine=$engine: $(grep '^ok: ' log)"
done
