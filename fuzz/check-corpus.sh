#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Every fuzz target, on every input of its corpus.

. "$(dirname "$0")/../tests/functions.sh"

ran=0
for target in "$abs_top_builddir"/fuzz/fuzz-*; do
	name=${target##*/fuzz-}
	# What the build leaves beside it.  Folders above may have dots, too.
	case $name in
	*.*) continue ;;
	esac
	for input in "$abs_top_srcdir/fuzz/corpus/$name"/*; do
		test -f "$input" || fail "there is no corpus for $name"
		"$target" "$input" >/dev/null 2>&1 || fail "$name: $input"
		ran=$((ran + 1))
	done
done
test "$ran" -gt 0 || fail "no fuzz target was found"
say "$ran inputs"
