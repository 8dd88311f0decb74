#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# "boot" must not call a run good that was not: with programs in QEMU's place
# that print what a guest could print, its exit status is the guest's own word
# and nothing else.  Also that the guest's load program notices a bad block.

# "make check" may have started this with another shell.
test -n "${BASH_VERSION:-}" || exec bash "$0" "$@"

set -eu
. "$(dirname "$0")/../functions.sh"

vm=$abs_top_srcdir/tests/vm

# status_of_boot COMMANDS: what boot makes of a QEMU that does this.
status_of_boot ()
{
	printf '#!/bin/sh\n%s\n' "$1" >"$tmpdir/qemu"
	chmod +x "$tmpdir/qemu"
	boot_status=0
	QEMU=$tmpdir/qemu "$vm/boot" --image "$tmpdir/image" --accel tcg \
		--timeout 2 hello >"$tmpdir/output" 2>&1 || boot_status=$?
}

# expect STATUS WHAT COMMANDS
expect ()
{
	status_of_boot "$3"
	test "$boot_status" = "$1" || {
		cat "$tmpdir/output"
		fail "$2: boot's status is $boot_status, not $1"
	}
	say "ok: $2"
}

check_boot ()
{
	expect 0 "a good guest" \
		"printf 'guest-result: hello 0\r\n'"
	expect 3 "a guest that says 3" \
		"printf 'guest-result: hello 3\r\n'"
	expect 1 "the last word counts" \
		"printf 'guest-result: hello 0\r\nguest-result: hello 1\r\n'"
	expect 125 "no word from the guest" "echo booting"
	expect 125 "nothing at all" ":"
	expect 125 "another script's word" "echo 'guest-result: other 0'"
	expect 125 "a word inside a line" \
		"echo '[1.0] script guest-result: hello 0'"
	expect 125 "half a line" "printf 'guest-result: hello '"
	expect 7 "a good end of QEMU does not count" \
		"echo 'guest-result: hello 7'; exit 0"
	expect 124 "a guest that hangs" \
		"echo 'guest-result: hello 0'; exec sleep 60"
}

# A file stands in for the disk.  While the load runs, zeroes are written over
# it from outside: this has to be seen.
check_load_program ()
{
	${CC:-cc} -O2 -pthread -o "$tmpdir/guest-blk" "$vm/guest-blk.c" ||
		skip "no C compiler"
	truncate -s 4M disk
	"$tmpdir/guest-blk" stress disk 0 $((4 << 20)) 0.5 4 >good ||
		if grep -q 'Invalid argument' good; then
			say "no O_DIRECT in $tmpdir, load program not checked"
			return
		else
			cat good
			fail "the load program rejects a good disk"
		fi
	start_process bad "$tmpdir/guest-blk" stress disk 0 $((4 << 20)) 2 4
	sleep 0.5
	dd if=/dev/zero of=disk bs=1M count=4 conv=notrunc 2>/dev/null
	! wait "$started_pid" || fail "the load program missed bad blocks"
	grep -q 'wanted generation' bad || fail "no word about a bad block"
	say "ok: the load program notices bad blocks"
}

make_tmpdir
fetch_status=0
"$vm/fetch" >/dev/null 2>"$tmpdir/fetch" || fetch_status=$?
test $fetch_status != 77 || skip "$(cat "$tmpdir/fetch")"
test $fetch_status = 0 || fail "$(cat "$tmpdir/fetch")"
echo image >"$tmpdir/image"
cd "$tmpdir"
check_boot
check_load_program
