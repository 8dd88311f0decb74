#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# vhost-user-net under real drivers: Linux guests in QEMU, two and two joined
# by a socket between their devices, with all that can be left to the other
# side and with nothing of it; and one that reaches the host by a TAP
# interface, in a network namespace that ends with the test.
#
# LIBVHOST_NET_MIB: how much is sent each way (default: 32); "make
# check-guest-net-long" sends 1024.

# "make check" may have started this with another shell.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu
. "$(dirname "$0")/../functions.sh"
. "$abs_top_srcdir/tests/namespace.sh"

vm=$abs_top_srcdir/tests/vm
net=("$abs_top_builddir/run" "$abs_top_builddir/devices/vhost-user-net")
mib=${LIBVHOST_NET_MIB:-32}
timeout=$((200 + mib))

make_images ()
{
	local status=0
	"$vm/image" --module virtio_net initramfs 2>image.log || status=$?
	test $status != 77 || skip "$(tail -n 1 image.log)"
	test $status = 0 || fail "no guest image: $(cat image.log)"
	# shellcheck disable=SC2086 # the compiler may be several words
	${CC:-cc} -O2 -o guest-net "$vm/guest-net.c" || fail "guest-net"
}

# start_device NAME ARGUMENT...: its socket is NAME.
start_device ()
{
	local name=$1
	shift
	start_process "$name.log" "$@" --socket-path="$tmpdir/$name" --stats
	device[$name]=$started_pid
	wait_for_socket "$tmpdir/$name" "$started_pid" "$name.log"
}

# start_guest NAME NUMBER QUEUES MTU PROPERTIES VARIABLE...
start_guest ()
{
	local name=$1 number=$2 queues=$3 mtu=$4 properties=$5
	shift 5
	# Interrupts by message crash QEMU 7.2 with vhost-user and TCG.
	properties=vectors=0,host_mtu=$mtu,mac=52:54:00:00:00:0$number$properties
	test "$queues" = 1 || properties+=,mq=on
	start_process "guest-$name.log" "$vm/boot" \
		--image "$tmpdir/initramfs" --cpus "$queues" \
		--timeout $timeout net mtu="$mtu" queues="$queues" \
		bytes=$((mib << 20)) address=10.7.0.$number "$@" -- \
		-chardev "socket,id=c0,path=$tmpdir/$name" \
		-netdev "vhost-user,id=n0,chardev=c0,queues=$queues" \
		-device "virtio-net-pci,netdev=n0,$properties"
	guest[$name]=$started_pid
}

wait_for_guest ()
{
	local status=0
	wait "${guest[$1]}" || status=$?
	test $status != 77 || skip "$(tail -n 1 "guest-$1.log")"
	test $status = 0 || {
		tail -n 30 "guest-$1.log" ./*.log
		fail "guest $1: status $status"
	}
	grep '^guest: ok' "guest-$1.log" | sed "s/^guest/$1/"
}

stop_device ()
{
	stop_process "${device[$1]}"
	test "$stopped_status" = 0 ||
		fail "device $1 ended with $stopped_status: $(cat "$1.log")"
	test ! -e "$1" || fail "a socket is left"
	grep 'pair' "$1.log" | sed "s/^vhost-user-net: /$1: /"
}

# compare ONE OTHER: what one sent is what the other received.
compare ()
{
	local a b
	a=$(sed -n 's/^guest-sum: sent \(.*\) received \(.*\)/\1 \2/p' "$1")
	b=$(sed -n 's/^guest-sum: sent \(.*\) received \(.*\)/\2 \1/p' "$2")
	test -n "$a" && test "$a" = "$b" || fail "checksums: $a, $b"
	say "ok: $mib MiB each way, $a"
}

# pair QUEUES MTU PROPERTIES-OF-A FEATURES-OF-A PROPERTIES-OF-B FEATURES-OF-B
pair ()
{
	start_device a "${net[@]}" --link-listen="$tmpdir/link" --queue-pairs=$1
	start_device b "${net[@]}" --link-connect="$tmpdir/link" --queue-pairs=$1
	start_guest a 1 "$1" "$2" "$3" role=serve features="$4"
	start_guest b 2 "$1" "$2" "$5" role=connect peer=10.7.0.1 features="$6"
	wait_for_guest b
	wait_for_guest a
	compare guest-a.log guest-b.log
	stop_device b
	stop_device a
}

# Checksums, segments each way, merged buffers; then none of it.
everything=0,1,3,7,8,11,12,15,32
nothing=,csum=off,guest_csum=off,gso=off,mrg_rxbuf=off,guest_ufo=off
nothing+=,guest_tso4=off,guest_tso6=off,guest_ecn=off
nothing+=,host_tso4=off,host_tso6=off,host_ecn=off,host_ufo=off

check_tap ()
{
	start_device tap "${inside[@]}" "${net[@]}" --tap=tap0 --queue-pairs=2
	"${inside[@]}" ip addr add 10.7.0.1/24 dev tap0
	"${inside[@]}" ip link set tap0 up
	start_process guest-host.log "${inside[@]}" ./guest-net serve 5000 \
		$((mib << 20))
	start_guest tap 2 2 1500 "" role=connect peer=10.7.0.1 \
		features=$everything,22
	wait_for_guest tap
	compare guest-tap.log guest-host.log
	stop_device tap
}

requires unshare util-linux
requires ip iproute2
requires_built devices/vhost-user-net
declare -A device guest
make_tmpdir
cd "$tmpdir"
make_images
make_namespace || skip "no network namespace with a TAP interface can be had"
for check in ${CHECK:-unlike alike tap}; do
	case $check in
	# A leaves everything to others, in a packed ring, B nothing.
	unlike) pair 1 1500 ,packed=on $everything,34 "$nothing" 32 ;;
	alike) pair 2 9000 "" $everything,22 "" $everything,22 ;;
	tap) check_tap ;;
	esac
done
