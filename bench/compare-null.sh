#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# compare-null.sh [ROUNDS [FOLDER [polling]]]: null requests through back-ends that complete them at once: ours, the floor (floor-blk), qemu-storage-daemon's null-co
# and, where it is built, DPDK's vhost.  One thing is varied at a time, from 4 KiB reads at depth 32, in one direct data buffer and one region, in one split ring
# with event index, notified, without a dirty log.  In each round every back-end has its turn at everything; the table has medians over the rounds (7), and below
# it the goals have medians of the rounds' ratios.
# With a FOLDER, what was measured stays there, with a plot over the depth (gnuplot); with 0 rounds, what is there already is shown.
# With "polling", only that is measured.
#
# When they notify each other, driver and back-end share a processor, and take turns; when both poll they have one each.  (An interrupt from one processor to
# the other takes 40 us in some virtual machines, which would be all that is measured.)  All of it is for a moment of real-time priority (chrt -r 1): what else
# runs on a processor changes how much is done at a time, and with that everything.  More queues have no more workers here: for those there is bench/workers.
#
# CPU is what the scheduler accounts to all threads of the back-end process, for each request (with regions=: to its worker, since mapping them is not what is
# asked); latencies are the driver's.  ours_ram is null-blk --ram, which keeps and copies the data.

set -eu
. "$(dirname "$0")/../tests/functions.sh"

rounds=${1:-7}
kept=${2:-}
only=${3:-}
depths='1 4 16 32 64 128 256'
requires qemu-storage-daemon qemu-utils
requires_built bench/null-blk
requires_built bench/floor-blk
requires_built tools/vhost-user-bench
run=$abs_top_builddir/run
make_tmpdir
socket=$tmpdir/socket
results=$tmpdir/results
test -z "$kept" || { mkdir -p "$kept"; results=$kept/results; }
test "$rounds" = 0 || : >"$results"

backend=
at_exit 'stop_backend'
stop_backend ()
{
	test -n "$backend" || return 0
	kill "$backend" 2>/dev/null || :
	wait "$backend" 2>/dev/null || :
	backend=
	rm -f "$socket"
}

# --- the back-ends ---

# on PROCESSOR COMMAND...
on ()
{
	if test "$(nproc)" -gt 1; then
		exec taskset -c "$@"
	fi
	shift
	exec "$@"
}

start_ours ()
{
	on 1 "$abs_top_builddir/bench/null-blk" --socket-path="$socket" --num-queues=4 "$@" &
	backend=$!
}

start_ours_polling ()
{
	start_ours --poll-us=100000
}

start_ours_ram ()
{
	start_ours --ram --size=16
}

start_floor ()
{
	on 1 "$abs_top_builddir/bench/floor-blk" "$socket" &
	backend=$!
}

start_qsd ()
{
	on 1 qemu-storage-daemon --blockdev driver=null-co,node-name=n0,size=8589934592,read-zeroes=off \
		--export type=vhost-user-blk,id=e0,node-name=n0,addr.type=unix,addr.path="$socket",writable=on,num-queues=4 &
	backend=$!
}

start_dpdk ()
{
	"$abs_top_builddir/bench/dpdk-blk" "$socket" >"$tmpdir/dpdk.log" 2>&1 &
	backend=$!
}

# cpu_ns [workers]: of all its threads, or of all but the first.
cpu_ns ()
{
	local task
	for task in /proc/"$backend"/task/*; do
		test "${1:-}" = workers && test "${task##*/}" = "$backend" || cat "$task/schedstat"
	done | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

field ()
{
	sed -n 's/.*"'"$1"'": *\([0-9.]*\).*/\1/p' "$tmpdir/json" | head -n 1
}

# --- what is asked of them ---

# measure PEER CASE ARGUMENT...: a line "CASE PEER IOPS CPU-NS P50 P99 P99.9".
measure ()
{
	local peer=$1 name=$2 count=1000000 threads=all processor=1 before after
	shift 2
	case $peer,$name in
	*,poll,*) processor=0 ;;
	*depth=1) count=100000 ;;
	qsd,*) count=400000 ;;
	*,regions=*) threads=workers ;;
	esac
	before=$(cpu_ns $threads)
	(on $processor "$run" vhost-user-bench "$socket" --count=$count --timeout=60 --json "$@") >"$tmpdir/json" || fail "$peer: $name: $*"
	after=$(cpu_ns $threads)
	awk -v name="$name" -v peer="$peer" -v cpu=$((after - before)) -v iops="$(field iops)" -v n=$count -v p50="$(field p50)" \
		-v p99="$(field p99)" -v p999="$(field p99_9)" 'BEGIN { print name, peer, iops, cpu / n, p50, p99, p999 }' >>"$results"
}

# Kick mode, direct chains, event index: over the depth.
over_depth ()
{
	local depth
	for depth in $depths; do
		measure "$1" "depth=$depth" --indirect=off --depth="$depth"
	done
}

# The rest at depth 32.
over_rings ()
{
	measure "$1" indirect --indirect=on
	measure "$1" packed --indirect=off --packed=on
	measure "$1" packed,indirect --packed=on
	measure "$1" no-event-idx --indirect=off --event-idx=off
}

over_blocks ()
{
	local n
	for n in 512 4K 16K 64K; do
		measure "$1" "bs=$n" --indirect=off --bs="$n"
	done
	for n in 4 16 64; do
		measure "$1" "segments=$n" --indirect=off --bs=64K --segments="$n"
	done
}

over_regions ()
{
	local n
	for n in "$@"; do
		measure ours "regions=$n" --indirect=off --depth=64 --bs=64K --regions="$n"
	done
}

over_polling ()
{
	local depth
	for depth in 1 32 128; do
		measure "$1" "poll,depth=$depth" --mode=poll --indirect=off --depth="$depth"
	done
}

# turn PEER FUNCTION...
turn ()
{
	local peer=$1 function
	shift
	"start_$peer"
	wait_until 30 test -S "$socket" || fail "$peer does not listen"
	"$run" vhost-user-bench "$socket" --count=20000 >/dev/null || fail "$peer"	# warm
	for function; do
		$function "$peer"
	done
	stop_backend
}

over_queues ()
{
	local n
	for n in 1 2 3 4; do
		measure "$1" "queues=$n" --indirect=off --queues="$n"
	done
}

over_log ()
{
	local log
	for log in off on; do
		measure "$1" "log=$log" --indirect=off --log=$log
		measure "$1" "packed,log=$log" --indirect=off --log=$log --packed=on
	done
}

all_regions ()
{
	over_regions 1 8 64 509
}

for round in $(seq "$rounds"); do
	test "$only" = polling || {
		turn ours over_depth over_rings over_blocks over_queues all_regions
		turn floor over_depth over_rings over_blocks
		turn qsd over_depth over_queues
		turn ours_ram over_log
	}
	turn ours_polling over_polling
	test ! -x "$abs_top_builddir/bench/dpdk-blk" || turn dpdk over_polling
	say "round $round of $rounds" >&2
done

# --- what came of it ---

# Medians, and then the best throughput and CPU, which others on the machine disturb least: a line for each case and peer.
awk '
	function median (list,	v, n, i, j, t) {
		n = split (list, v, " ")
		for (i = 2; i <= n; i++)
			for (j = i; j > 1 && v[j - 1] + 0 > v[j] + 0; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
		return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
	}
	{
		key = $1 " " $2
		if (!(key in seen)) { seen[key] = 1; keys[++n_keys] = key }
		for (i = 3; i <= 7; i++) value[key, i] = value[key, i] " " $i
		if ($3 + 0 > most[key]) most[key] = $3 + 0
		if (!(key in least) || $4 + 0 < least[key]) least[key] = $4 + 0
	}
	END {
		for (k = 1; k <= n_keys; k++) {
			printf "%s", keys[k]
			for (i = 3; i <= 7; i++) printf " %.6g", median(value[keys[k], i])
			printf " %.6g %.6g\n", most[keys[k]], least[keys[k]]
		}
	}' "$results" >"$tmpdir/medians"
test -s "$tmpdir/medians" || fail "nothing was measured"

printf '%-18s %-13s %10s %8s %8s %8s %9s %12s %9s\n' case back-end 1/s 'CPU ns' 'p50 us' 'p99 us' 'p99.9 us' 'best: 1/s' 'CPU ns'
sort -V -k1,1 "$tmpdir/medians" | awk '{ printf "%-18s %-13s %10.0f %8.0f %8.1f %8.1f %9.1f %12.0f %9.0f\n", $1, $2, $3, $4, $5, $6, $7, $8, $9 }'

# goal WORDS COLUMN CASE PEER CASE PEER least|most LIMIT: the median of the rounds' ratios of the first to the second, and whether it is what it is to be.
goal ()
{
	awk -v words="$1" -v column="$2" -v a="$3 $4" -v b="$5 $6" -v sense="$7" -v limit="$8" '
		$1 " " $2 == a { x[++n] = $column }
		$1 " " $2 == b { y[++m] = $column }
		END {
			if (n < 1 || n != m) exit 0
			for (i = 1; i <= n; i++) {
				v = y[i] > 0 ? x[i] / y[i] : 1e9
				for (j = i; j > 1 && r[j - 1] > v; j--) r[j] = r[j - 1]
				r[j] = v
			}
			v = n % 2 ? r[(n + 1) / 2] : (r[n / 2] + r[n / 2 + 1]) / 2
			met = sense == "most" ? v <= limit : v >= limit
			printf "%s: %.2f, at %s %s: %s\n", words, v, sense, limit, met ? "yes" : "NO"
		}' "$results"
}

echo
goal "CPU beside qemu-storage-daemon, depth 32" 4 depth=32 ours depth=32 qsd most 0.5
goal "CPU beside qemu-storage-daemon, depth 128" 4 depth=128 ours depth=128 qsd most 0.5
goal "p99.9 beside qemu-storage-daemon, depth 1" 7 depth=1 ours depth=1 qsd most 1
goal "CPU with 509 regions beside 1" 4 regions=509 ours regions=1 ours most 1.15
goal "CPU with a dirty log beside none" 4 log=on ours_ram log=off ours_ram most 1.25
goal "the same in packed rings" 4 packed,log=on ours_ram packed,log=off ours_ram most 1.25
goal "rate beside DPDK, polling, depth 32" 3 poll,depth=32 ours_polling poll,depth=32 dpdk least 0.95
goal "rate beside DPDK, polling, depth 128" 3 poll,depth=128 ours_polling poll,depth=128 dpdk least 0.95

test -n "$kept" && test "$only" != polling || exit 0
cp "$tmpdir/medians" "$kept/medians"
requires gnuplot gnuplot-nox
for peer in ours floor qsd; do
	awk -v peer=$peer '$2 == peer && sub (/^depth=/, "") { print $1, $8, $9 / 1000 }' "$tmpdir/medians" | sort -n >"$kept/$peer.data"
done
gnuplot <<PLOT
set terminal svg size 900,400 font "sans,11"
set output "$kept/depth.svg"
set multiplot layout 1,2
set logscale x 2
set logscale y
set grid
set key left top
set xlabel "requests in flight"
set ylabel "CPU of the back-end, us a request"
plot for [peer in "ours floor qsd"] "$kept/".peer.".data" using 1:3 with linespoints title peer
set ylabel "requests a second"
plot for [peer in "ours floor qsd"] "$kept/".peer.".data" using 1:2 with linespoints title peer
PLOT
say "the plot is $kept/depth.svg" >&2
