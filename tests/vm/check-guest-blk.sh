#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# vhost-user-blk under a real driver: Linux in QEMU.  A first guest is killed
# in the middle of its I/O; the same daemon then serves a second one, which
# does all that guest/blk says over four queues, while the daemon is asked for
# statistics again and again and strangers knock at its socket.  Afterwards
# the checksums that the guest saw are checked in the image file.
#
# VHOST_USER_BLK: the daemon to run, if it is not the one just built.
# GUEST_RINGS: split or packed; split, unless it is said.
# GUEST_IOMMU: the guest has an IOMMU, and the disks are behind it.

# "make check" may have started this with another shell.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu
. "$(dirname "$0")/../functions.sh"

vm=$abs_top_srcdir/tests/vm
size=64				# MiB
grown=80
# flush, multi-queue, discard, write zeroes, indirect, event index, version 1
features=9,12,13,14,28,29,32
rings=
test "${GUEST_RINGS:-split}" = split || {
	features=$features,34
	rings=,packed=on
}
# Only a device behind a port of PCI Express, with ATS, is told what is unmapped.
machine=()
iommu=
kernel=()
bus=
read_only_bus=
test -z "${GUEST_IOMMU:-}" || {
	features=$features,33
	iommu=--iommu
	machine=(-device intel-iommu,intremap=off,device-iotlb=on
		-device pcie-root-port,id=port0,chassis=1
		-device pcie-root-port,id=port1,chassis=2)
	kernel=(intel_iommu=on)
	# More descriptors than fit into a page: Linux has them in pieces.
	rings+=,queue-size=1024,disable-legacy=on,iommu_platform=on,ats=on
	bus=,bus=port0
	read_only_bus=,bus=port1
}

# The daemon in an array, because it may be started through ./run.
find_daemon ()
{
	if test -n "${VHOST_USER_BLK:-}"; then
		daemon=("$VHOST_USER_BLK")
	else
		requires_built devices/vhost-user-blk
		daemon=("$abs_top_builddir/run"
			"$abs_top_builddir/devices/vhost-user-blk")
	fi
}

make_image ()
{
	local status=0
	"$vm/image" "$tmpdir/initramfs" 2>"$tmpdir/image.log" || status=$?
	cat "$tmpdir/image.log"
	test $status != 77 || skip "$(tail -n 1 "$tmpdir/image.log")"
	test $status = 0 || fail "no guest image"
}

start_daemons ()
{
	truncate -s ${size}M disk
	head -c 4M /dev/urandom >read-only
	start_process daemon.log "${daemon[@]}" --socket-path="$tmpdir/s" $iommu \
		--blk-file=disk --num-queues=4 --serial=libvhost-disk
	daemon_pid=$started_pid
	start_process read-only.log "${daemon[@]}" --read-only $iommu \
		--socket-path="$tmpdir/r" --blk-file=read-only \
		--serial=libvhost-ro
	read_only_pid=$started_pid
	wait_for_socket "$tmpdir/s" $daemon_pid daemon.log
	wait_for_socket "$tmpdir/r" $read_only_pid read-only.log
}

# start_guest LOG [BOOT-OPTION...] SCRIPT VARIABLES...: sets $guest_pid.
start_guest ()
{
	local log=$1
	shift
	start_process "$log" "$vm/boot" --image "$tmpdir/initramfs" \
		--cpus 4 --timeout 150 "$@" "${kernel[@]}" -- \
		"${machine[@]}" "${disks[@]}"
	guest_pid=$started_pid
}

# guest_says LOG LINE SECONDS
guest_says ()
{
	wait_for_line "$3" "$1" "^guest-event: $2" "$guest_pid" && return
	tail -n 20 "$1" daemon.log
	process_runs "$guest_pid" || wait_for_guest "$1"
	fail "no '$2' from the guest"
}

# Sets $guest_status; a machine that cannot boot guests ends this test here.
wait_for_guest ()
{
	guest_status=0
	wait "$guest_pid" || guest_status=$?
	test $guest_status != 77 || skip "$(tail -n 1 "$1")"
}

check_daemon_runs ()
{
	process_runs "$daemon_pid" && return
	tail -n 20 daemon.log
	fail "the daemon ended $1"
}

check_killed_guest ()
{
	disks=(-chardev "socket,id=c0,path=$tmpdir/s"
		-device vhost-user-blk-pci,chardev=c0,num-queues=4$rings$bus)
	start_guest killed.log --pid qemu.pid load \
		serial=libvhost-disk seconds=600
	guest_says killed.log load 120
	sleep 1
	kill -KILL "$(cat qemu.pid)"
	wait_for_guest killed.log
	test $guest_status = 125 || fail "the first guest was not killed"
	check_daemon_runs "when its guest was killed"
	say "ok: a guest was killed in the middle of its I/O"
}

# knock BYTES: connect, say something that is no message, wait, go.
knock ()
{
	timeout 5 perl -MIO::Socket::UNIX -e '
		my $s = IO::Socket::UNIX->new (Peer => $ARGV[0]) or exit 1;
		syswrite ($s, "x" x $ARGV[1]) if $ARGV[1] > 0;
		select (undef, undef, undef, 0.1);' "$tmpdir/s" "$1" &&
		echo knock >>knocks
}

# These two run beside the second guest.  They are apart because a knock may
# have to wait: nobody says that a stranger is let in.
ask_for_statistics ()
{
	while sleep 0.3; do
		kill -USR1 "$daemon_pid" 2>/dev/null && echo signal >>signals
	done
}

knock_again_and_again ()
{
	local probe=$abs_top_builddir/tools/vhost-user-probe
	set +e
	while sleep 0.3; do
		knock 0
		knock 5
		test ! -x "$probe" ||
			timeout 2 "$abs_top_builddir/run" "$probe" \
				"$tmpdir/s" >/dev/null 2>&1
	done
}

start_disturbing ()
{
	ask_for_statistics &
	disturbers=$!
	knock_again_and_again &
	disturbers+=" $!"
	at_exit "for pid in $disturbers; do stop_process \$pid; done"
}

count ()
{
	grep -c . "$1" 2>/dev/null || :
}

stop_disturbing ()
{
	local pid
	for pid in $disturbers; do
		stop_process "$pid"
	done
	say "asked for statistics $(count signals) times," \
		"knocked $(count knocks) times"
	test "$(count signals)" -ge 5 || fail "too few signals"
	test "$(count knocks)" -ge 1 || fail "nobody knocked"
}

# The last word on each queue: it had requests, and none of them failed.
check_statistics ()
{
	local queue
	for queue in 0 1 2 3; do
		tail -c +$((log_before + 1)) daemon.log |
			grep "queue $queue: " | tail -n 1 >statistics
		grep -q 'queue [0-3]: [1-9][0-9]* reads .* 0 errors' \
			statistics ||
			fail "statistics of queue $queue: '$(cat statistics)'"
	done
	say "ok: the statistics show requests in four queues and no error"
}

grow_disk ()
{
	guest_says guest.log resize 120
	truncate -s ${grown}M disk
	kill -HUP "$daemon_pid"
}

check_guest ()
{
	disks=(-chardev "socket,id=c0,path=$tmpdir/s"
		-device vhost-user-blk-pci,chardev=c0,num-queues=4$rings$bus
		-chardev "socket,id=c1,path=$tmpdir/r"
		-device vhost-user-blk-pci,chardev=c1,num-queues=1$rings$read_only_bus)
	log_before=$(wc -c <daemon.log)
	start_guest guest.log --reboots blk serial=libvhost-disk size=$size \
		features=$features grow=$grown readonly=libvhost-ro \
		digest="$(sha256sum <read-only | cut -c 1-64)"
	start_disturbing
	grow_disk
	wait_for_guest guest.log
	grep '^guest' guest.log || :
	test $guest_status = 0 || {
		tail -n 20 guest.log daemon.log
		fail "the guest's status is $guest_status"
	}
	stop_disturbing
	check_statistics
	check_daemon_runs "under the second guest"
}

# What the guest saw after its reboot, in the file.
check_image ()
{
	local place count sum checked=0
	while read -r _ place count sum; do
		test "$(dd if=disk bs=1M skip="$place" count="$count" \
			2>/dev/null | sha256sum | cut -c 1-64)" = "$sum" ||
			fail "the image at $place MiB is not what the guest saw"
		checked=$((checked + 1))
	done < <(grep '^guest-sum: ' guest.log)
	test $checked = 4 || fail "the guest told $checked checksums, not 4"
	say "ok: four checksums of the guest hold in the image"
}

check_stop ()
{
	stop_process "$1"
	test "$stopped_status" = 0 ||
		fail "the daemon ended with $stopped_status on SIGTERM"
	test ! -e "$2" || fail "$2 is left"
}

requires perl perl-base
find_daemon
make_tmpdir
cd "$tmpdir"
make_image
start_daemons
check_killed_guest
check_guest
check_image
check_stop "$daemon_pid" "$tmpdir/s"
check_stop "$read_only_pid" "$tmpdir/r"
say "ok: the daemons stopped and left no socket"
