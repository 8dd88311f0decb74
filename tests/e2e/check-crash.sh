#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# vhost-user-blk dies at each crash point, under load on four queues, with each
# kind of ring: no request is lost, none is answered twice, every byte is right.

. "$(dirname "$0")/../functions.sh"
requires_built tests/e2e/restart
requires_built tests/crash/vhost-user-blk
make_tmpdir
cd "$tmpdir" || fail "no folder"

points=$(sed -n 's/^\tCRASH_\([A-Z_]*\),.*/\1/p' \
	"$abs_top_srcdir/src/queue/crash.h")
test "$(echo "$points" | wc -l)" -ge 16 || fail "no points: $points"
number_of ()
{
	echo "$points" | awk -v name="$1" '$1 == name { print NR - 1 }'
}

# die_at POINT [-p]
die_at ()
{
	numbers=$(number_of "$1")
	case $1 in
	# What such a start is about is left by a crash before.
	RECOVER* | TAKEN_AGAIN) numbers=$(number_of PUBLISHED),$numbers ;;
	esac
	rm -f disk
	truncate -s 4M disk
	timeout 100 "$abs_top_builddir/run" \
		"$abs_top_builddir/tests/e2e/restart" ${2:-} -x "$numbers" s 6 \
		"$abs_top_builddir/tests/crash/vhost-user-blk" \
		--socket-path=s --blk-file=disk --num-queues=4 >log 2>&1 || {
		cat log >&2
		fail "$1 ${2:-}"
	}
	say "$1 ${2:-}: $(grep '^ok: ' log)"
}

for point in $points; do
	die_at "$point"
	die_at "$point" -p
done
