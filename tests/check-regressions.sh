#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# docs/regressions.md names tests that exist: each function is in its file, and in the list of what that file's program runs.

. "$(dirname "$0")/functions.sh"
make_tmpdir
cd "$abs_top_srcdir" || fail "no source folder"

# "FILE FUNCTION" of each test; a table's last column is "FILE: FUNCTION, FUNCTION; FILE: FUNCTION".
awk -F ' *[|] *' '
/^## / { expected = 1 }
$2 ~ /^[0-9]+$/ {
	if ($2 != expected++)
		print "row", $2, "is out of order" >"/dev/stderr"
	n = split ($4, files, "; *")
	if (n == 0)
		print "row", $2, "has no test" >"/dev/stderr"
	for (i = 1; i <= n; i++) {
		split (files[i], parts, ": *")
		m = split (parts[2], functions, ", *")
		if (m == 0)
			print "row", $2, "has no test in", parts[1] >"/dev/stderr"
		for (j = 1; j <= m; j++)
			print parts[1], functions[j]
	}
}' docs/regressions.md >"$tmpdir/tests" 2>"$tmpdir/wrong"
test "$(wc -l <"$tmpdir/tests")" -gt 100 || fail "read too few tests from docs/regressions.md"

# A definition begins its line, and what runs it is at another place of the same file.
while read -r file function; do
	if test ! -f "$file"; then
		echo "$file: no such file"
	elif ! grep -qE "^$function \(void\)\$" "$file"; then
		echo "$file: no $function"
	elif ! grep -qE "CASE \($function\)|[,	 ]$function \}" "$file"; then
		echo "$file: $function is never run"
	fi
done <"$tmpdir/tests" >>"$tmpdir/wrong"
if test -s "$tmpdir/wrong"; then
	cat "$tmpdir/wrong" >&2
	fail "docs/regressions.md is not current"
fi
say "$(sort -u "$tmpdir/tests" | wc -l) tests"
