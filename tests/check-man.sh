#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every symbol of the shared library has a manual page, every function that a page names exists in a header, and the pages are well-formed.

. "$(dirname "$0")/functions.sh"
: "${NM:=nm}" "${VH_LIBRARY:=libvhost}"
make_tmpdir

library=$abs_top_builddir/.libs/$VH_LIBRARY.so
pages=$abs_top_srcdir/docs/man
test -e "$library" || fail "$library is not there"

$NM -D --defined-only "$library" | awk '{ print $NF }' | sed 's/@.*//' | grep '^vh_' | sort -u >"$tmpdir/symbols"
test -s "$tmpdir/symbols" || fail "read no symbol from $library"

for page in "$pages"/*.3; do
	basename "$page" .3
done >"$tmpdir/names"
sh "$abs_top_srcdir/docs/man-aliases" "$pages"/*.3 | cut -d' ' -f1 >>"$tmpdir/names"
sort "$tmpdir/names" | uniq -d >"$tmpdir/twice"
test ! -s "$tmpdir/twice" || fail "named by two pages: $(tr '\n' ' ' <"$tmpdir/twice")"
sort -u "$tmpdir/names" >"$tmpdir/pages"

comm -23 "$tmpdir/symbols" "$tmpdir/pages" >"$tmpdir/missing"
test ! -s "$tmpdir/missing" || fail "without a manual page: $(tr '\n' ' ' <"$tmpdir/missing")"

# A name also needs its declaration in the page's synopsis, and in a header (its part of the library may be left out of this build).
while read -r name; do
	grep -q "[ *\"]$name (" "$abs_top_srcdir"/include/vhost/*.h "$abs_top_srcdir"/include/vhost/version.h.in ||
		fail "the pages name $name, no header does"
	grep -q "^\.BI* .*[ *]$name (" "$pages"/*.3 || fail "no synopsis has $name"
done <"$tmpdir/pages"

# Each page of the manual that these name is there; programs have section 1.
sed -n 's/^\.BR \(vh_[a-z_]*\)[" ]*(3).*/\1/p' "$pages"/*.[37] | sort -u >"$tmpdir/references"
test -s "$tmpdir/references" || fail "read no reference from the pages"
comm -23 "$tmpdir/references" "$tmpdir/pages" >"$tmpdir/dangling"
test ! -s "$tmpdir/dangling" || fail "referred to, and no page: $(tr '\n' ' ' <"$tmpdir/dangling")"

if command -v groff >/dev/null 2>&1; then
	groff -man -Tutf8 -ww -z "$pages"/*.[137] 2>"$tmpdir/groff" || :
	if test -s "$tmpdir/groff"; then
		cat "$tmpdir/groff" >&2
		fail "groff warns"
	fi
fi
say "$(wc -l <"$tmpdir/symbols") symbols, $(wc -l <"$tmpdir/pages") pages"
