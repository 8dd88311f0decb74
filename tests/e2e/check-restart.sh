#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# vhost-user-blk is killed under load on four queues, again and again, with each
# engine and each kind of ring, and its front-end, a session, goes on with the
# next one: no request is lost, none is answered twice, every byte is right.
#
# RESTART_KILLS: how many times, of each; 100, unless it is said.

. "$(dirname "$0")/../functions.sh"
requires_built tests/e2e/restart
requires_built devices/vhost-user-blk
make_tmpdir
cd "$tmpdir" || fail "no folder"
kills=${RESTART_KILLS:-100}

# kill_and_restart ENGINE RINGS [OPTION]
kill_and_restart ()
{
	rm -f disk
	truncate -s 4M disk
	timeout $((kills * 3)) "$abs_top_builddir/run" "$abs_top_builddir/tests/e2e/restart" ${3:-} s "$kills" \
		"$abs_top_builddir/devices/vhost-user-blk" --socket-path=s --blk-file=disk \
		--num-queues=4 --engine="$1" >log 2>&1 || {
		cat log >&2
		fail "--engine=$1, $2 rings"
	}
	say "--engine=$1, $2 rings: $(grep '^ok: ' log)"
}

for engine in uring pool; do
	"$abs_top_builddir/devices/vhost-user-blk" --help | grep -q "engine=.*$engine" || continue
	kill_and_restart $engine split
	kill_and_restart $engine packed -p
done
