# SPDX-License-Identifier: BSD-3-Clause
#
# "quickstart demo": a disk image with a file system goes to a Linux guest and
# comes back with a file of the guest's.

heading ()
{
	printf '\n== %s\n' "$*"
}

# The build's log is of interest only if it fails.
build_quietly ()
{
	local start=$SECONDS
	mkdir -p "$logs"
	attended "$quickstart" run-step demo-build >"$logs/build" 2>&1 || {
		tail -n 30 "$logs/build"
		fail "the build failed (log: build/logs/build)"
	}
	echo "done in build/demo, $(minutes $((SECONDS - start)))"
}

sha256 ()
{
	sha256sum "$1" | cut -c 1-64
}

make_disk ()
{
	mkdir root
	head -c 4M /dev/urandom >root/known
	known=$(sha256 root/known)
	truncate -s 64M disk scratch
	mke2fs -q -t ext4 -L libvhost -d root disk
	echo "a disk of 64 MiB with an ext4 file system, in it:"
	echo "known $known"
}

# serve NAME: vhost-user-blk for the image NAME at the socket NAME.socket.
serve ()
{
	start_process "$1.log" "$run" \
		"$abs_top_builddir/devices/vhost-user-blk" \
		--socket-path="$tmpdir/$1.socket" --blk-file="$1" \
		--num-queues=4 --serial="libvhost-$1"
	wait_for_socket "$tmpdir/$1.socket" "$started_pid" "$1.log"
}

bench ()
{
	attended timeout 60 "$run" "$abs_top_builddir/tools/vhost-user-bench" \
		"$tmpdir/scratch.socket" "$@" ||
		fail "vhost-user-bench"
}

boot_guest ()
{
	local status=0
	attended "$abs_top_srcdir/tests/vm/boot" --log guest.log --cpus 2 \
		mount serial=libvhost-disk file=known digest="$known" \
		answer=answer -- \
		-chardev "socket,id=c0,path=$tmpdir/disk.socket" \
		-device vhost-user-blk-pci,chardev=c0,num-queues=4 ||
		status=$?
	test $status != 77 || test "${CI:-}" = true || {
		echo "No guest can be booted here, see above; the rest worked."
		exit 0
	}
	test $status = 0 || fail "the guest ended with $status"
}

# The answer file as the host finds it, without mounting the image.
check_answer ()
{
	local told found
	told=$(tr -d '\r' <guest.log | sed -n 's/^guest-sum: answer //p')
	debugfs -R "dump answer answer" disk 2>/dev/null
	found=$(sha256 answer)
	e2fsck -fn disk >fsck.log 2>&1 || {
		cat fsck.log
		fail "the guest left a broken file system"
	}
	test -n "$told" && test "$told" = "$found" ||
		fail "the guest wrote $told, the host found $found"
	echo "the file system is clean, the file is what the guest says it is:"
	echo "guest-sum: answer $told"
}

demo ()
{
	install_packages demo
	heading "Building"
	build_quietly
	run=$abs_top_builddir/run
	make_tmpdir
	cd "$tmpdir"
	heading "Making a disk image"
	make_disk
	heading "Serving it with vhost-user-blk, and asking what is served"
	serve disk
	disk_pid=$started_pid
	serve scratch
	at_exit end_attended		# what uses them ends first
	attended timeout 60 "$run" "$abs_top_builddir/tools/vhost-user-probe" \
		"$tmpdir/disk.socket" || fail "vhost-user-probe"
	heading "Writing and reading a second disk, every block verified"
	bench --rw=randrw --queues=4 --depth=32 --verify --time=3
	heading "Random reads, 4 KiB, depth 32: throughput and latency"
	bench --rw=randread --bs=4k --depth=32 --time=3
	heading "Booting a Linux guest with the first disk"
	boot_guest
	stop_process "$disk_pid"
	heading "The file that the guest wrote, as the host finds it"
	check_answer
}
