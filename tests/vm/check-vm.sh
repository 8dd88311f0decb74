#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The kernel's vhost and vDPA, on a real kernel: Debian's 6.12 in QEMU, with
# the simulators of vDPA built for it.  guest/kernel runs the programs of
# kernel/ and the tools there; the requests that devices answered are compared
# with what docs/kernel-requests.md says.

# "make check" may have started this with another shell.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu
. "$(dirname "$0")/../functions.sh"

vm=$abs_top_srcdir/tests/vm
export LIBVHOST_KERNEL_PACKAGE=linux-image-6.12-amd64

modules=(vhost_net vhost_vsock vhost_scsi vhost_vdpa vdpa_sim_net vdpa_sim_blk
	tun bridge af_packet vsock_loopback)
programs=(tests/vm/kernel/test-{kinds,net,open,requests,vdpa-blk,vdpa-net,vsock}
	tools/vhost-user-probe examples/kernel-net examples/vdpa-info
	examples/vsock-echo)

# Skips or fails like the script that it runs.
step ()
{
	local status=0
	"$@" >"$tmpdir/step" 2>&1 || status=$?
	test $status != 77 || skip "$(tail -n 1 "$tmpdir/step")"
	test $status = 0 || {
		cat "$tmpdir/step"
		fail "$1"
	}
}

make_image ()
{
	local name arguments=()
	for name in "${modules[@]}"; do
		arguments+=(--module "$name")
	done
	for name in "${programs[@]}"; do
		requires_built "$name"
		arguments+=(--program "$abs_top_builddir/$name")
	done
	step "$vm/simulators"
	step "$vm/image" "${arguments[@]}" "$tmpdir/initramfs"
}

run_guest ()
{
	local status=0
	"$vm/boot" --image "$tmpdir/initramfs" --memory 512 --timeout 240 \
		kernel >"$tmpdir/log" 2>&1 || status=$?
	test $status != 77 || skip "$(tail -n 1 "$tmpdir/log")"
	sed -n '/^guest-program/,$p' "$tmpdir/log"
	test $status = 0 || fail "the guest's status is $status"
}

# Both ways: nothing is said that was not seen, and nothing seen is unsaid.
compare_requests ()
{
	sed -n 's/^guest-request: //p' "$tmpdir/log" | sort -u >"$tmpdir/seen"
	sed -n 's/^| \(VHOST_[A-Z_]*\) |.*| kernel |$/\1/p' \
		"$abs_top_srcdir/docs/kernel-requests.md" | sort >"$tmpdir/said"
	test -s "$tmpdir/seen" || fail "no request was answered"
	diff -u "$tmpdir/said" "$tmpdir/seen" ||
		fail "docs/kernel-requests.md says other requests are answered"
}

# Adds up a column of CUnit's summary.
sum ()
{
	awk -v row="$1" '$1 == row { n += $3; failed += $5 }
		END { print n + 0, failed + 0 }' "$tmpdir/log"
}

make_tmpdir
make_image
run_guest
compare_requests
read -r tests failed <<<"$(sum tests)"
read -r asserts _ <<<"$(sum asserts)"
tools=$(sed -n 's/^guest: ok: all programs; \([0-9]*\) uses.*/\1/p' \
	"$tmpdir/log")
test "$failed" = 0 && test "$tests" -gt 30 && test "${tools:-0}" -gt 0 ||
	fail "$tests tests, $failed failed, ${tools:-no} uses of tools"
say "ok: $tests tests with $asserts assertions, $tools uses of tools," \
	"$(wc -l <"$tmpdir/seen") requests answered by a real kernel"
