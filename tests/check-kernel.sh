#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# docs/kernel-requests.md has a line for each request of src/kernel/request.c, with its number, the function that makes it, and no other; each function is in
# a public header.

. "$(dirname "$0")/functions.sh"
make_tmpdir
cd "$abs_top_srcdir" || exit 1

sed -n 's/^\t\[KERNEL_[A-Z_]*\] = { "\(VHOST_[A-Z_]*\)", [A-Z]* (\(0x[0-9a-f]*\)[,)].*/\1 \2/p' src/kernel/request.c | sort >"$tmpdir/code"
sed -n 's/^| \(VHOST_[A-Z_]*\) | \(0x[0-9a-f]*\) |.*/\1 \2/p' docs/kernel-requests.md | sort >"$tmpdir/text"
test "$(wc -l <"$tmpdir/code")" -gt 50 || fail "read too few requests from src/kernel/request.c"
diff -u "$tmpdir/code" "$tmpdir/text" || fail "docs/kernel-requests.md is not about src/kernel/request.c"
test "$(grep -c '^	KERNEL_[A-Z_]*,$' src/kernel/request.h)" = "$(wc -l <"$tmpdir/code")" || fail "src/kernel/request.h counts other requests"

sed -n 's/^| VHOST_.*| `\(vh_[a-z_]*\)` |.*| \(kernel\|seam\) |$/\1/p' docs/kernel-requests.md | sort >"$tmpdir/functions"
test "$(wc -l <"$tmpdir/functions")" = "$(wc -l <"$tmpdir/text")" || fail "a line of docs/kernel-requests.md has no function, or says not how it is tested"
uniq -d "$tmpdir/functions" >"$tmpdir/twice"
test ! -s "$tmpdir/twice" || fail "for two requests: $(tr '\n' ' ' <"$tmpdir/twice")"
while read -r function; do
	grep -q "[ *]$function (" include/vhost/kernel.h include/vhost/vdpa.h || fail "no header has $function"
done <"$tmpdir/functions"

say "$(wc -l <"$tmpdir/code") requests"
