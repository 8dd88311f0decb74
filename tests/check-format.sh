#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# "make check-format": is the code in the format of .clang-format and .editorconfig?  It only looks.

. "$(dirname "$0")/functions.sh"
requires clang-format clang-format
make_tmpdir
cd "$abs_top_srcdir" || exit 1

find include src mmap-unix mmap-xen postcopy devices tools examples bench fuzz tests -name '*.[ch]' ! -path '*/.*' | sort >"$tmpdir/files"
test -s "$tmpdir/files" || fail "found no C file"

bad=0
while read -r file; do
	clang-format --style=file "$file" | awk -f tests/check-format.awk >"$tmpdir/formatted" || fail "clang-format cannot read $file"
	awk -f tests/check-format.awk "$file" >"$tmpdir/present"
	diff -U0 --label "$file" --label "$file as clang-format has it" "$tmpdir/present" "$tmpdir/formatted" || bad=$((bad + 1))
	expand -t 8 "$file" | awk -v file="$file" 'length > 160 { print file ":" NR ": longer than 160 columns"; bad = 1 } END { exit bad }' ||
		bad=$((bad + 1))
	! grep -nH '[[:space:]]$' "$file" || bad=$((bad + 1))
done <"$tmpdir/files"

test "$bad" -eq 0 || fail "$bad files differ"
say "$(wc -l <"$tmpdir/files") files"
