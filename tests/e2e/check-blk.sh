#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What vhost-user-blk does to its disk, with each engine: every kind of request
# and verified load, files in memory, two disks, a disk that is read-only, has
# no room or is cut.

# "make check" may have started this with another shell.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu
. "$(dirname "$0")/../functions.sh"
. "$(dirname "$0")/blk.sh"

check_requests ()
{
	local engine mode
	for engine in $engines; do
		for mode in "" $modes --write-through --block-size=4096; do
			what="--engine=$engine $mode"
			serve $what
			case $mode in
			--block-size=*) ask zeroes discard cache resize ;;
			*) ask data layouts zeroes discard refusals cache \
				no-flush resize ;
				ask packed data layouts refusals ;;
			esac
			test "$mode" = --direct || in_memory . || ask durable
			finish
			say "ok: requests, $what"
		done
	done
}

# Files in memory are served by the ring's thread.
check_memory_file ()
{
	in_memory /dev/shm || {
		say "no tmpfs at /dev/shm"
		return 0
	}
	local file
	file=$(mktemp /dev/shm/libvhost-XXXXXX)
	at_exit "rm -f $file"
	what="a file in memory"
	serve
	finish
	truncate -s 8M "$file"
	ln -sf "$file" disk
	serve_as "$run" "$blk" --socket-path=s --blk-file=disk
	ask data layouts zeroes discard refusals cache no-flush resize
	load --count=20000 --rw=randrw --size=4M
	finish
	rm -f "$file" disk
	say "ok: requests and load, $what"
}

check_load ()
{
	local engine mode
	for engine in $engines; do
		for mode in "" $modes; do
			what="--engine=$engine $mode"
			serve $what --num-queues=4 --threads=2
			load --rw=randrw --queues=4 --depth=32 --count=20000
			load --rw=randrw --bs=64K --segments=16 --depth=8 --count=500
			load --rw=randwrite --event-idx=off --indirect=off \
				--count=5000
			load --rw=randread --mode=poll --regions=5 --across \
				--bs=512 --count=5000
			load --packed=on --rw=randrw --queues=4 --count=20000
			load --packed=on --rw=randrw --event-idx=off \
				--indirect=off --bs=16K --segments=5 \
				--queue-size=301 --count=5000
			load --packed=on --rw=randread --mode=poll --count=5000
			finish
			say "ok: verified load, $what"
		done
	done
}

check_polling ()
{
	local engine
	for engine in $engines; do
		what="--engine=$engine --poll-us=100"
		serve $what --num-queues=2 --threads=2
		load --rw=randrw --queues=2 --depth=1 --count=5000
		load --rw=randrw --queues=2 --depth=32 --count=20000
		load --packed=on --rw=randrw --event-idx=off --count=20000
		ask data
		finish
		say "ok: verified load, $what"
	done
}

check_read_only ()
{
	what=--read-only
	rm -f disk
	head -c 8M /dev/urandom >disk
	chmod a-w disk
	local before
	before=$(sha256sum <disk)
	serve_as "$run" "$blk" --socket-path=s --blk-file=disk --read-only
	ask read-only
	! "$run" "$bench" s --rw=write --count=10 >out 2>&1 ||
		fail "bench could write to a disk that is read-only"
	finish
	test "$(sha256sum <disk)" = "$before" || fail "the file was changed"
	say "ok: read-only"
}

# Two disks in one process, both under load; one of them has a comma.
check_two_disks ()
{
	what="two disks"
	rm -f s t disk
	truncate -s 8M disk "disk,2"
	start_process log "$run" "$blk" --threads=2 --num-queues=2 \
		--device socket-path=s,blk-file=disk,queue-threads=0 \
		--device socket-path=t,blk-file=disk,,2,queue-threads=1:0,serial=two
	daemon=$started_pid
	wait_for_socket s "$daemon" log
	wait_for_socket t "$daemon" log
	"$run" "$bench" t --verify --queues=2 --rw=randrw --count=20000 \
		>second 2>&1 &
	local other=$! status=0
	load --queues=2 --rw=randrw --count=20000
	wait $other || status=$?
	test $status = 0 || {
		cat second log
		fail "the second disk: $status"
	}
	finish
	test ! -e t || fail "the second socket is left"
	! cmp -s disk disk,2 || fail "two disks with the same data"
	say "ok: two disks in one process"
}

# A file that cannot grow: by a limit of the process, and where we may make
# one, by a file system that is full.
check_no_room ()
{
	what="no room"
	local engine
	for engine in $engines; do
		rm -f disk
		truncate -s 8M disk
		serve_as prlimit --fsize=4194304 "$run" "$blk" --engine=$engine \
			--socket-path=s --blk-file=disk
		ask no-room
		grep -q 'queue 0: write at' log || fail "no line: $(cat log)"
		test "$(grep -c . log)" = 1 || fail "many lines: $(cat log)"
		finish
	done
	say "ok: a file-size limit fails single requests"
	mkdir -p small
	mount -t tmpfs -o size=4M tmpfs small 2>/dev/null || {
		say "cannot mount a small tmpfs: ENOSPC is not tested"
		return 0
	}
	at_exit "umount '$tmpdir/small'"
	truncate -s 8M small/disk
	ln -sf small/disk disk
	serve_as "$run" "$blk" --socket-path=s --blk-file=disk
	ask no-room
	finish
	rm disk
	say "ok: a full file system fails single requests"
}

# A loop device over the file: a block device like others.
check_block_device ()
{
	local engine
	rm -f disk
	truncate -s 8M disk
	loop=$(losetup -f --show disk 2>/dev/null) || {
		say "no loop device can be had: block devices are not tested"
		return 0
	}
	at_exit detach_loop
	for engine in $engines; do
		what="a block device, $engine"
		serve_as "$run" "$blk" --engine=$engine --socket-path=s \
			--blk-file="$loop"
		ask data layouts zeroes discard refusals
		load --rw=randrw --count=2000
		finish
	done
	serve_as "$run" "$blk" --socket-path=s --blk-file="$loop" --direct
	ask data layouts zeroes discard refusals
	truncate -s 16M disk
	losetup -c "$loop"
	kill -HUP "$daemon"
	wait_until 10 has_sectors 32768 ||
		fail "a block device that grows: $(cat out)"
	finish
	detach_loop
	say "ok: a block device"
}

# Once: afterwards the device may already be somebody else's.
detach_loop ()
{
	test -n "$loop" || return 0
	losetup -d "$loop"
	loop=
}

has_sectors ()
{
	"$run" "$probe" s >out 2>&1
	grep -q "capacity *$1 " out
}

check_cut_file ()
{
	local engine
	for engine in $engines; do
		what="a file that is cut, $engine"
		serve --engine=$engine
		ask cut
		finish
	done
	if in_memory /dev/shm; then
		what="a file in memory that is cut"
		local file
		file=$(mktemp /dev/shm/libvhost-XXXXXX)
		at_exit "rm -f $file"
		truncate -s 8M "$file"
		ln -sf "$file" disk
		serve_as "$run" "$blk" --socket-path=s --blk-file=disk
		ask cut
		finish
		rm -f disk "$file"
	fi
	say "ok: a file that is cut fails single requests"
}

check_refused_uring ()
{
	local status=0
	what="io_uring refused"
	"$no_uring" true || status=$?
	test $status != 77 || {
		say "no seccomp here: io_uring cannot be refused"
		return 0
	}
	rm -f disk
	truncate -s 8M disk
	status=0
	"$no_uring" "$run" "$blk" --engine=uring --socket-path=s \
		--blk-file=disk 2>err || status=$?
	test $status = 1 || fail "--engine=uring without it: $status"
	test "$(wc -l <err)" = 1 || fail "not one line: $(cat err)"
	serve_as "$no_uring" "$run" "$blk" --socket-path=s --blk-file=disk -v
	grep -q 'threads are used' log || fail "no word of it: $(cat log)"
	ask data zeroes
	load --rw=randrw --count=5000
	finish
	say "ok: threads where io_uring is refused"
}

requires prlimit util-linux
for check in ${CHECK:-requests memory_file load polling read_only two_disks \
	block_device no_room cut_file refused_uring}; do
	"check_$check"
done
