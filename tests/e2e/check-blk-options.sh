#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The command line of vhost-user-blk: a wrong one gives one line and status 2,
# a start that fails one line and status 1, and what is asked for is printed.

set -eu
. "$(dirname "$0")/../functions.sh"

requires_built devices/vhost-user-blk
requires python3 python3-minimal
make_tmpdir
cd "$tmpdir"
truncate -s 1M disk
checked=0

# Runs the program; nothing here may let it start to serve.
blk ()
{
	status=0
	timeout 20 "$abs_top_builddir/run" \
		"$abs_top_builddir/devices/vhost-user-blk" "$@" \
		>out 2>err </dev/null || status=$?
}

# expect STATUS TEXT ARGUMENT...: this status, and one line that has the text.
expect ()
{
	expected=$1
	text=$2
	shift 2
	blk "$@"
	test "$status" = "$expected" ||
		fail "status $status, not $expected: $* ($(cat err))"
	test "$(wc -l <err)" = 1 || fail "not one line: $*: $(cat err)"
	test ! -s out || fail "something on stdout: $*"
	grep -q '^vhost-user-blk: ' err || fail "who says it: $(cat err)"
	grep -qF -e "$text" err || fail "no '$text' for: $*: $(cat err)"
	checked=$((checked + 1))
}

wrong ()
{
	expect 2 "$@"
}

# wrong_value OPTION VALUE...: each of these values, in both places.
wrong_value ()
{
	option=$1
	shift
	for value; do
		wrong "--$option" --socket-path=s --blk-file=disk "--$option=$value"
		wrong "--$option" --device "socket-path=s,blk-file=disk,$option=$value"
	done
}

check_wrong_options ()
{
	wrong --blk-file --socket-path=s
	wrong "has no socket" --blk-file=disk
	wrong "exclude each other" --blk-file=disk --socket-path=s --fd=3
	wrong --client --blk-file=disk --fd=3 --client
	wrong --socket-mode --blk-file=disk --fd=3 --socket-mode=600
	wrong --socket-path --blk-file=disk --socket-path=
	wrong --blk-file --socket-path=s --blk-file=
	wrong "no option --frobnicate" --frobnicate
	wrong "no option -x" -x
	wrong "no option --frobnicate" --frobnicate=3
	wrong "--blk-file needs a value" --socket-path=s --blk-file
	wrong "--read-only takes no value" --read-only=yes
	wrong "what is \"disk\" for" --socket-path=s --blk-file=disk disk
	wrong_value num-queues 0 257 x 1x "" -1 +1 4294967297 99999999999999999999
	wrong_value queue-size 0 2 3 100 65536 x
	wrong_value block-size 0 1024 511 4097 x
	wrong_value serial 123456789012345678901
	wrong_value queue-threads "" : 1: :1 x 0:256 1:-1
	wrong --threads --socket-path=s --blk-file=disk --threads=0
	wrong --threads --socket-path=s --blk-file=disk --threads=257
	wrong --queue-threads --socket-path=s --blk-file=disk --threads=2 \
		--queue-threads=0:2
	wrong --cpus --socket-path=s --blk-file=disk --cpus=
	wrong --cpus --socket-path=s --blk-file=disk --cpus=a
	wrong --cpus --socket-path=s --blk-file=disk --cpus=3-1
	wrong --cpus --socket-path=s --blk-file=disk --cpus=0::0
	wrong --cpus --socket-path=s --blk-file=disk --cpus=0:0 --threads=1
	wrong --poll-us --socket-path=s --blk-file=disk --poll-us=100001
	wrong --poll-us --socket-path=s --blk-file=disk --poll-us=
	wrong --engine --socket-path=s --blk-file=disk --engine=magic
	wrong --fd --blk-file=disk --fd=x
	wrong --socket-mode --socket-path=s --blk-file=disk --socket-mode=8
	wrong --socket-mode --socket-path=s --blk-file=disk --socket-mode=1000
}

check_wrong_devices ()
{
	wrong --device --device
	wrong "no option \"colour\"" --device colour=red
	wrong "no option \"threads\"" --device threads=2
	wrong "no option \"device\"" --device device=x
	wrong "no option \"\"" --device socket-path=s,,x,,blk-file=disk,
	wrong "blk-file needs a value" --device socket-path=s,blk-file
	wrong "read-only takes no value" --device read-only=on
	wrong --blk-file --device socket-path=s
	wrong --socket-path --device blk-file=disk,socket-path=s --socket-path=t
	wrong --blk-file --device blk-file=disk,socket-path=s --blk-file=disk
	wrong --serial --device blk-file=disk,socket-path=s --serial=x
}

check_failing_starts ()
{
	mkdir folder
	mkfifo fifo
	echo text >text
	: >empty
	expect 1 "No such file" --socket-path=s --blk-file=nothing
	expect 1 folder --socket-path=s --blk-file=folder
	expect 1 fifo --socket-path=s --blk-file=fifo
	expect 1 /dev/null --socket-path=s --blk-file=/dev/null
	expect 1 text --socket-path=text --blk-file=disk
	expect 1 nowhere/s --socket-path=nowhere/s --blk-file=disk
	expect 1 "File name too long" --blk-file=disk \
		--socket-path=$(printf '%0200d' 0)
	expect 1 "file descriptor 77" --fd=77 --blk-file=disk
	expect 1 "file descriptor 0" --fd=0 --blk-file=disk
	test "$(cat text)" = text || fail "a file was overwritten"
	test ! -e s || fail "a socket is left by a start that failed"
	if test "$(id -u)" != 0; then
		chmod a-w disk
		expect 1 "Permission denied" --socket-path=s --blk-file=disk
		chmod u+w disk
	fi
	# The second of two: the first one's socket must go.
	expect 1 nothing --device socket-path=s,blk-file=disk \
		--device socket-path=t,blk-file=nothing
	test ! -e s || fail "a socket is left by a start that failed"
}

check_capabilities ()
{
	for arguments in "" "--frobnicate --socket-path=" "--num-queues=0 x"; do
		blk $arguments --print-capabilities
		test "$status" = 0 || fail "--print-capabilities: $status"
		test ! -s err || fail "--print-capabilities: $(cat err)"
		python3 -c '
import json, sys
o = json.load (sys.stdin)
assert o["type"] == "block", o
assert sorted (o["features"]) == ["blk-file", "read-only"], o
' <out || fail "--print-capabilities: $(cat out)"
		checked=$((checked + 1))
	done
}

# Every option that there is, in the help and in the manual.
check_help ()
{
	blk --help
	test "$status" = 0 || fail "--help: $status"
	cp out help
	options=$(sed -n 's/^  ...\? *--\([a-z-]*\).*/\1/p' help)
	test "$(echo "$options" | wc -l)" -gt 15 || fail "--help says little"
	for option in $options; do
		sed 's/\\//g' "$abs_top_srcdir/docs/man/vhost-user-blk.1" |
			grep -q -e "--$option" ||
			fail "the manual does not have --$option"
	done
	checked=$((checked + 1))
	blk -V
	test "$status" = 0 && grep -q '^vhost-user-blk [0-9]' out ||
		fail "--version: $(cat out err)"
	checked=$((checked + 1))
}

check_wrong_options
check_wrong_devices
check_failing_starts
check_capabilities
check_help
say "ok: $checked command lines"
