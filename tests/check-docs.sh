#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# README and HACKING say what is: README's program is examples/random.c, every option of configure is described, none is described that is not there,
# and every installed program has its manual page.

. "$(dirname "$0")/functions.sh"
make_tmpdir
cd "$abs_top_srcdir" || exit 1

# The program: README's lines that are indented by a tab, from the first #include to the brace that ends it.
awk '/^\t#include/ { inside = 1 } inside && /^[^\t]/ { exit } inside { sub (/^\t/, ""); print }' README |
	sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' >"$tmpdir/readme.c"
sed -n '/^#include/,$p' examples/random.c >"$tmpdir/example.c"
test -s "$tmpdir/readme.c" || fail "found no program in README"
test -s "$tmpdir/example.c" || fail "found no program in examples/random.c"
diff -u "$tmpdir/example.c" "$tmpdir/readme.c" || fail "README's program is not examples/random.c"

# Our options, from where they are defined.  PART: --disable; the rest as they are asked for.
cat configure.ac m4/vh-*.m4 >"$tmpdir/m4"
sed -n -e 's/.*AC_ARG_ENABLE(\[\([a-z0-9]*\)\].*/enable \1/p' -e 's/.*AC_ARG_WITH(\[\([a-z0-9]*\)\].*/with \1/p' \
	-e 's/.*VH_PART(\[\([a-z0-9]*\)\].*/disable \1/p' \
	-e 's/.*VH_OPTIONAL(\[\([a-z0-9]*\)\].*/with \1/p' "$tmpdir/m4" >"$tmpdir/options"
test "$(wc -l <"$tmpdir/options")" -gt 5 || fail "read too few options from m4/"
while read -r kind option; do
	case $kind in
	with) wanted="--with(out)?-$option" ;;
	*) wanted="--(en|dis)able-$option" ;;
	esac
	grep -qE -e "$wanted([^a-z-]|\$)" README HACKING || fail "README and HACKING do not know --$kind-$option"
done <"$tmpdir/options"

# And what is described exists.
grep -ohE -e '--(enable|disable|with|without)-[a-z]+' README HACKING | sed 's/^--[a-z]*-//' | sort -u >"$tmpdir/described"
sed 's/.* //' "$tmpdir/options" | sort -u >"$tmpdir/known"
comm -23 "$tmpdir/described" "$tmpdir/known" >"$tmpdir/unknown"
test ! -s "$tmpdir/unknown" || fail "README or HACKING describes, and configure does not know: $(tr '\n' ' ' <"$tmpdir/unknown")"

# Programs: every one that is installed has a page of section 1 and is in README.
find devices tools -name Makefile.inc -exec sed -e :a -e '/\\$/{N;s/\\\n//;ba' -e '}' {} + |
	sed -n 's/^bin_PROGRAMS *+= *//p' | tr ' \t' '\n\n' | sed -e '/^$/d' -e 's,.*/,,' >"$tmpdir/programs"
test -s "$tmpdir/programs" || fail "read no program from devices/ and tools/"
while read -r program; do
	test -e "docs/man/$program.1" || fail "$program has no manual page"
	grep -q "$program" README || fail "README does not know $program"
done <"$tmpdir/programs"

# Files that the texts point to.
for text in README HACKING SECURITY NEWS docs/architecture.md; do
	test -s "$text" || fail "$text is empty"
	grep -oE '(src|docs|tests|examples|devices|tools|bench|fuzz|mmap-unix|mmap-xen|postcopy|debian|include)/[A-Za-z0-9_./-]*[A-Za-z0-9]' "$text"
done | sort -u >"$tmpdir/files"
test -s "$tmpdir/files" || fail "the texts point to no file"
while read -r file; do
	case $file in
	include/vhost/version.h | *.so* | *.la) continue ;;
	esac
	test -e "$file" || fail "a text points to $file, which is not there"
done <"$tmpdir/files"

say "$(wc -l <"$tmpdir/options") options, $(wc -l <"$tmpdir/programs") programs, $(wc -l <"$tmpdir/files") files"
