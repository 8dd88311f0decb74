#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# compare-blk.sh [ROUNDS [SECONDS]]: vhost-user-blk beside qemu-storage-daemon: 4 KiB random reads of a file in RAM at depths 1, 32 and 128, 64 KiB reads in
# order at depth 32, and handshakes. Each round runs both, one after the other, with the same driver program; the tables have medians over the rounds (7), and their ratios.
# CPU is what the scheduler accounts to all threads of the back-end process, kernel workers of io_uring included.
#
# Twice: where the scheduler puts driver and back-end, and with both on one processor. The difference is what it costs to wake somebody on another one, most of
# a request at depth 1, and in a virtual machine more than all the rest.

set -eu
. "$(dirname "$0")/../tests/functions.sh"

rounds=${1:-7}
seconds=${2:-1}
cases='rand-1 rand-32 rand-128 seq-32'
requires qemu-storage-daemon qemu-utils
requires_built devices/vhost-user-blk
requires_built tools/vhost-user-bench
requires_built bench/handshake
run=$abs_top_builddir/run

work=$(mktemp -d /dev/shm/libvhost-bench.XXXXXX)
at_exit "rm -rf '$work'"
dd if=/dev/urandom of="$work/disk" bs=1M count=256 status=none

backend=
at_exit 'stop_backend'
stop_backend ()
{
	test -n "$backend" || return 0
	kill "$backend" 2>/dev/null || :
	wait "$backend" 2>/dev/null || :
	backend=
	rm -f "$work/socket"
}

# What runs a program where it is to be measured.
put=
first_processor=$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')

start_ours ()
{
	$put "$run" vhost-user-blk --socket-path="$work/socket" --blk-file="$work/disk" --quiet &
	backend=$!
}

# aio=threads is its default; with io_uring it has the same kernel interface as ours.
start_qsd ()
{
	$put qemu-storage-daemon --blockdev driver=file,node-name=f0,filename="$work/disk",aio="${1:-threads}" \
		--export type=vhost-user-blk,id=e0,node-name=f0,addr.type=unix,addr.path="$work/socket",writable=on &
	backend=$!
}

start_qsd_uring ()
{
	start_qsd io_uring
}

# CPU time of the back-end so far, in ns. Kernel workers that have ended are in the process's own count, which has ticks only, so they are kept alive by
# looking often enough: one run is shorter than their idle time.
cpu_ns ()
{
	cat /proc/"$backend"/task/*/schedstat 2>/dev/null | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

field ()
{
	sed -n 's/.*"'"$1"'": *\([0-9.]*\).*/\1/p' "$2" | head -n 1
}

# measure NAME PLACE: one run for each case; a line "NAME PLACE-CASE IOPS CPU-NS-PER-REQUEST" each.
measure ()
{
	local kind how before after
	put=
	test "$2" = apart || put="taskset -c $first_processor"
	"start_$1"
	wait_until 10 test -S "$work/socket"
	$put "$run" vhost-user-bench "$work/socket" --rw=randread --bs=4k --depth=32 --time=1 --json >/dev/null	# warm
	for kind in $cases; do
		how="--rw=randread --bs=4k"
		case $kind in
		seq-*) how="--rw=read --bs=64k" ;;
		esac
		before=$(cpu_ns)
		# shellcheck disable=SC2086
		$put "$run" vhost-user-bench "$work/socket" $how --depth="${kind#*-}" --time="$seconds" --json >"$work/json"
		after=$(cpu_ns)
		awk -v name="$1" -v kind="$2-$kind" -v cpu=$((after - before)) -v iops="$(field iops "$work/json")" -v n="$(field requests "$work/json")" \
			'BEGIN { if (n < 1) exit 1; print name, kind, iops, cpu / n }' >>"$work/results"
	done
	echo "$1 $2-handshake $($put "$run" "$abs_top_builddir/bench/handshake" "$work/socket" 2000) 0" >>"$work/results"
	stop_backend
}

for round in $(seq "$rounds"); do
	for place in apart together; do
		measure ours $place
		measure qsd $place
		measure qsd_uring $place
	done
	say "round $round of $rounds" >&2
done

# median NAME CASE COLUMN
median ()
{
	awk -v name="$1" -v kind="$2" -v column="$3" '$1 == name && $2 == kind { print $column }' "$work/results" | sort -g |
		awk '{ v[NR] = $1 } END { if (!NR) exit 1; print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# show PLACE
show ()
{
	local kind peer
	printf '%-10s %-10s %12s %12s %7s %14s %14s %7s\n' case peer 'ours 1/s' 'peer 1/s' ratio 'ours CPU us' 'peer CPU us' ratio
	for kind in $cases handshake; do
		for peer in qsd qsd_uring; do
			awk -v kind="$kind" -v peer="$peer" -v a="$(median ours "$1-$kind" 3)" -v b="$(median "$peer" "$1-$kind" 3)" \
				-v c="$(median ours "$1-$kind" 4)" -v d="$(median "$peer" "$1-$kind" 4)" \
				'BEGIN { printf "%-10s %-10s %12.0f %12.0f %7.2f", kind, peer, a, b, a / b
					 if (kind != "handshake") printf " %14.2f %14.2f %7.2f", c / 1000, d / 1000, c / d
					 print "" }'
		done
	done
}

echo 'where the scheduler puts them:'
show apart
echo 'both on one processor:'
show together
