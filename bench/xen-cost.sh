#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# xen-cost.sh UNIX-BUILD [ROUNDS]: what memory of Xen guests costs, in the dom0 of a Xen host in QEMU (tests/xen/boot). From the build folder of the Xen
# flavour, with "make bench" and "make tests/xen/host-large" done there, and "make bench" in UNIX-BUILD, that of the unix flavour, whose program runs in the
# same dom0.
#
# Once with a clock that counts instructions of the process, of Linux and of Xen; that is the same on every machine. Then by time, the least of ROUNDS rounds
# (7), each of which runs all, one after the other. 0 rounds: instructions only. And a region of 1 GiB, by the test of "make check-xen".
#
#	unix       the unix flavour's build, memory in a file
#	file       the Xen flavour's build, the same
#	foreign    foreign mapping
#	grant      grants on demand, as vhost-user-blk has them
#	grant-map  the same where the kernel cannot copy grants: all is mapped
#	each       a loop that maps and unmaps each descriptor by itself
#
# Fails when foreign costs more than 1.05 of unix in instructions, when grant costs more than a third of each at 4 KiB, or makes more than one map call or
# one unmap call for a request, or not less at depth 32.

test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu -o pipefail
. "$(dirname "$0")/../tests/functions.sh"

unix_build=${1:?usage: xen-cost.sh UNIX-BUILD [ROUNDS]}
rounds=${2:-7}
requires_built bench/request-cost
requires_built tests/xen/host-large
test -x "$unix_build/bench/request-cost" || fail "$unix_build has no bench/request-cost (make bench)"
make_tmpdir
cp "$unix_build/bench/request-cost" "$tmpdir/request-cost-unix"

# list_runs CHEAP DEAR: the runs of a round, with so many requests of what makes no calls, and of what does.
list_runs ()
{
	local depth
	for depth in 1 32; do
		echo "request-cost-unix file 4096 $depth $1"
		echo "request-cost foreign 4096 $depth $1"
		echo "request-cost file 4096 $depth $1"
		echo "request-cost each 4096 $depth $2"
		echo "request-cost grant 4096 $depth $2"
		echo "request-cost grant-map 4096 $depth $2"
		echo "request-cost each 65536 $depth $2"
		echo "request-cost grant 65536 $depth $2"
	done
}

# boot OUTPUT OPTION...: runs what is in the file "runs".
boot ()
{
	local output=$1
	shift
	"$abs_top_srcdir/tests/xen/boot" "$@" --memory 3072 --timeout 1800 --log "$abs_top_builddir/xen-cost-console.log" --file "$tmpdir/runs" \
		"$abs_top_srcdir/bench/xen-cost-dom0" "$tmpdir/request-cost-unix" "$abs_top_builddir/bench/request-cost" \
		"$abs_top_builddir/tests/xen/host-large" >"$output" || fail "the run in dom0 ended with $?"
}

# least OUTPUT NAME BYTES DEPTH COLUMN, 5: us, 7: map calls, 10: unmap calls, 13: copy calls.
least ()
{
	awk -v name="$2" -v bytes="$3" -v depth="$4" -v column="$5" '
		$1 == "request-cost-unix" && $2 == "file" { $2 = "unix" }
		$2 == name && $3 == bytes && $4 == depth ":" { print $column }' "$1" | sort -g | head -n 1 | grep .
}

# row OUTPUT SCALE NAME BYTES DEPTH BASE
row ()
{
	awk -v name="$3" -v bytes="$4" -v depth="$5" -v other="$6" -v scale="$2" -v cpu="$(least "$1" "$3" "$4" "$5" 5)" \
		-v map="$(least "$1" "$3" "$4" "$5" 7)" -v unmap="$(least "$1" "$3" "$4" "$5" 10)" -v copy="$(least "$1" "$3" "$4" "$5" 13)" \
		-v base="$(least "$1" "$6" "$4" "$5" 5)" \
		'BEGIN { printf "%-10s %6d %6d %12.*f %8.3f %8.3f %8.3f   %.3f of %s\n", name, bytes, depth, scale == 1 ? 2 : 0, cpu * scale, map, unmap, copy, cpu / base, other }'
}

# table OUTPUT UNIT SCALE
table ()
{
	local depth name
	printf '%-10s %6s %6s %12s %8s %8s %8s   %s\n' memory bytes depth "$2" map unmap copy ratio
	for depth in 1 32; do
		for name in unix file foreign; do
			row "$1" "$3" $name 4096 $depth unix
		done
		for name in each grant grant-map; do
			row "$1" "$3" $name 4096 $depth each
		done
		for name in each grant; do
			row "$1" "$3" $name 65536 $depth each
		done
	done
}

list_runs 3200 320 >"$tmpdir/runs"
boot "$tmpdir/counted" --icount
table "$tmpdir/counted" instructions 1000 | tee "$tmpdir/table"
if test "$rounds" -gt 0; then
	for _ in $(seq "$rounds"); do
		list_runs 64000 320
	done >"$tmpdir/runs"
	echo host-large >>"$tmpdir/runs"
	boot "$tmpdir/timed"
	table "$tmpdir/timed" 'CPU us' 1
	sed -n 's/.*\(1 GiB .*mapped: \)/\1/p' "$tmpdir/timed"
fi

awk '$1 == "foreign" && $8 > 1.05 { print; bad = 1 }
	$1 == "grant" && $2 == 4096 && $8 > 1 / 3 { print; bad = 1 }
	$1 == "grant" && ($5 > 1 || $6 > 1 || ($3 == 32 && ($5 == 1 || $6 == 1))) { print; bad = 1 }
	$1 == "grant" { checked++ }
	END { exit bad || checked != 4 }' "$tmpdir/table" || fail "more than that"
