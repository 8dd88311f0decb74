# SPDX-License-Identifier: BSD-3-Clause
#
# What the guest scripts share.  Sourced; runs in the guest's busybox.

passed ()
{
	echo "guest: ok: $*"
}

failed ()
{
	echo "guest: FAILED: $*"
	exit 1
}

# event NAME: the host waits for this line.
event ()
{
	echo "guest-event: $*"
}

# wait_until SECONDS COMMAND...
wait_until ()
{
	rounds=$(($1 * 5))
	shift
	until "$@"; do
		rounds=$((rounds - 1))
		test "$rounds" -gt 0 || return 1
		sleep 0.2
	done
}

# disk_by_serial SERIAL: prints the disk's name, vda or such.
disk_by_serial ()
{
	for candidate in /sys/block/vd*; do
		if test "$(cat "$candidate/serial")" = "$1"; then
			basename "$candidate"
			return
		fi
	done
	echo "guest: no disk has the serial number $1" >&2
	return 1
}

# feature DISK BIT: whether this virtio feature bit was negotiated.
feature ()
{
	bits=$(cat "/sys/block/$1/device/features")
	test "${#bits}" -ge 64 || failed "no features line for $1"
	test "$(echo "$bits" | cut -c $(($2 + 1)))" = 1
}

# digest DISK MIB COUNT: checksum of COUNT MiB, read past the guest's cache.
digest ()
{
	dd if="/dev/$1" bs=64k skip=$(($2 * 16)) count=$(($3 * 16)) \
		iflag=direct 2>/tmp/digest.err >/tmp/digest.$$ ||
		failed "reading $1 at $2 MiB: $(cat /tmp/digest.err)"
	test "$(stat -c %s /tmp/digest.$$)" = $(($3 << 20)) ||
		failed "short read of $1 at $2 MiB"
	sha256sum </tmp/digest.$$ | cut -c 1-64
	rm -f /tmp/digest.$$
}
