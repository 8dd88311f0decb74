#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Our front-end and our driver against qemu-storage-daemon: the probe says
# what QEMU's own disk is, and the bench verifies every byte of it over
# queues, segments, regions, and ways to notify.

. "$(dirname "$0")/../functions.sh"
requires qemu-storage-daemon qemu-system-common
requires_built tools/vhost-user-probe
requires_built tools/vhost-user-bench
make_tmpdir

run=$abs_top_builddir/run
socket=$tmpdir/s

# serve NAME ARGUMENT...: exports a file of 64 MiB at $socket.
serve ()
{
	log=$tmpdir/$1.log
	shift
	rm -f "$socket"
	truncate -s 64M "$tmpdir/disk"
	start_process "$log" qemu-storage-daemon \
		--blockdev "driver=file,node-name=f0,filename=$tmpdir/disk" \
		--blockdev driver=raw,node-name=d0,file=f0,discard=unmap \
		--export "type=vhost-user-blk,id=e0,node-name=d0,addr.type=unix,addr.path=$socket,$*"
	daemon=$started_pid
	wait_for_socket "$socket" "$daemon" "$log"
}

# It has said nothing, and still runs.
check_daemon ()
{
	process_runs "$daemon" || fail "qemu-storage-daemon ended: $(cat "$log")"
	test ! -s "$log" || fail "qemu-storage-daemon says: $(cat "$log")"
}

# expect FILE LINE...: the probe's answer has these lines.
expect ()
{
	file=$1
	shift
	for line; do
		grep -qx " *$line" "$file" || {
			cat "$file" >&2
			fail "the probe does not say \"$line\""
		}
	done
}

probe ()
{
	timeout 60 "$run" vhost-user-probe "$@" "$socket" >"$tmpdir/probe" ||
		fail "vhost-user-probe $*"
}

bench ()
{
	timeout 120 "$run" vhost-user-bench "$@" "$socket" \
		>"$tmpdir/bench" 2>"$tmpdir/bench.err" || {
		cat "$tmpdir/bench" "$tmpdir/bench.err" >&2
		fail "vhost-user-bench $*"
	}
	check_daemon
	benches=$((benches + 1))
}

# The same, and it must have compared blocks.
verify ()
{
	bench --verify --json --size=16M "$@"
	grep -q '"mismatches": 0' "$tmpdir/bench" &&
		grep -q '"blocks": [1-9]' "$tmpdir/bench" ||
		fail "vhost-user-bench $*: nothing was verified"
}

# refused WORDS ARGUMENT...: the bench says in one line that it cannot.
refused ()
{
	words=$1
	shift
	status=0
	timeout 60 "$run" vhost-user-bench "$@" "$socket" \
		>"$tmpdir/bench" 2>"$tmpdir/bench.err" || status=$?
	test "$status" = 1 || fail "vhost-user-bench $* ended with $status"
	grep -q "$words" "$tmpdir/bench.err" ||
		fail "vhost-user-bench $*: $(cat "$tmpdir/bench.err")"
	test "$(wc -l <"$tmpdir/bench.err")" = 1 || fail "more than one line"
}

benches=0
serve disk writable=on,num-queues=4

probe
expect "$tmpdir/probe" "device: blk .*" "9 FLUSH" "32 VERSION_1" \
	"3 REPLY_ACK" "queues: 4" "memory slots: [1-9][0-9]*" \
	"capacity  *131072 (64.0 MiB)" "num_queues  *4"
probe --json --device=blk
expect "$tmpdir/probe" '"capacity": 131072,' '"queues": 4,' \
	'"name": "REPLY_ACK"' '"guessed": false'

verify --rw=randrw --count=20000
verify --rw=write --count=20000 --queues=4
verify --rw=read --count=5000 --bs=64K --segments=16 --queues=2 --threads=1
verify --rw=randrw --count=10000 --event-idx=off --indirect=off --depth=64
verify --rw=randrw --count=10000 --event-idx=on --indirect=off --segments=3 --bs=8K
verify --rw=randrw --count=10000 --event-idx=off --segments=7 --bs=16K
verify --rw=randwrite --count=5000 --mode=poll --queues=2
verify --rw=randrw --count=5000 --regions=8 --segments=2
verify --rw=randrw --count=5000 --regions=32 --queues=2 --depth=8
verify --rw=randrw --count=2000 --depth=1 --bs=512
verify --rw=randrw --count=200 --bs=1M --depth=4
bench --rw=randread --time=1 --queues=4 --depth=32

refused "does not take 509 regions" --regions=509
refused "has 4 queues, not 5" --queues=5
refused "has 67108864 bytes" --size=65M
stop_process "$daemon"

serve read-only writable=off,num-queues=1
bench --rw=randread --count=1000
refused "read-only" --rw=write --count=1
refused "read-only" --rw=read --verify --count=1
check_daemon

say "$benches runs of the bench"
