#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A disk for real Xen guests: boots a Xen host in QEMU and runs dom0-guests in
# its dom0.

test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu -o pipefail
. "$(dirname "$0")/../../functions.sh"

guest_dir=$abs_top_srcdir/tests/xen/guest
programs=(
	tools/xen-vhost-frontend/xen-vhost-frontend
	devices/vhost-user-blk
	examples/random
)

test "${VH_MEMORY:-xen}" = xen ||
	skip "this build has no Xen memory (configure --with-memory=xen)"
make_tmpdir
paths=()
for program in "${programs[@]}"; do
	requires_built "$program"
	paths+=("$abs_top_builddir/$program")
done

# Sets what vm.sh sets, without its ways to end.
get_guest ()
{
	local status=0
	"$guest_dir/image" "$tmpdir/guest.img" 2>"$tmpdir/image.log" ||
		status=$?
	cat "$tmpdir/image.log"
	test $status != 77 || skip "$(tail -n 1 "$tmpdir/image.log")"
	test $status = 0 || fail "no guest image"
	"$abs_top_srcdir/tests/xen/fetch" >"$tmpdir/fetched" \
		2>"$tmpdir/fetch.log" || status=$?
	test $status != 77 || skip "$(tail -n 1 "$tmpdir/fetch.log")"
	test $status = 0 || fail "no Xen"
	kernel=$(. "$abs_top_srcdir/tests/vm/vm.sh" &&
		echo "$(vm_tree "$vm_kernel_package")"/boot/vmlinuz-*)
	cp "$kernel" "$tmpdir/vmlinuz"
}

get_guest
: >"$tmpdir/output"
boot_status=0
"$abs_top_srcdir/tests/xen/boot" --toolstack --memory 1792 --timeout 1100 \
	--log "$abs_top_builddir/check-xen-guest-console.log" \
	--file "$tmpdir/vmlinuz" --file "$tmpdir/guest.img" \
	--file "$guest_dir/dom0-functions" \
	"$guest_dir/dom0-guests" "${paths[@]}" |
	tee "$tmpdir/output" || boot_status=${PIPESTATUS[0]}
test "$boot_status" != 77 || exit 77
test "$boot_status" = 0 || fail "the run ended with $boot_status"
ran=$(sed -n 's/^cases: \([0-9]*\) run, 0 failed$/\1/p' "$tmpdir/output")
test "${ran:-0}" -gt 0 || fail "dom0 says nothing about what it did"
# What the back-ends count of theirs, and the guests of theirs.
live=$(sed -n 's/.* \([0-9]*\) live.*/\1/p' "$tmpdir/output")
test "$(echo "$live" | wc -w)" -ge 2 || fail "the grants were not counted"
grants=$(($(echo "$live" | paste -sd +)))
test "$grants" = 0 || fail "$grants grants were live in the end"
say "ok: $ran cases with real guests, $grants grants live in the end, $SECONDS s"
