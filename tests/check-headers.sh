#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Each public header compiles alone, as C99 and as C++11, without a warning.

. "$(dirname "$0")/functions.sh"
: "${CC:=cc}" "${CXX:=c++}"
make_tmpdir
include="-I$abs_top_srcdir/include -I$abs_top_builddir/include"

# alone LANGUAGE COMPILER...: tries every header.
alone ()
{
	language=$1
	shift
	for header in "$abs_top_srcdir"/include/vhost/*.h "$abs_top_builddir"/include/vhost/version.h; do
		test -e "$header" || fail "$header is not there"
		name=vhost/$(basename "$header")
		# Twice: the guard works.  The use of a macro of its own is up to the header's users.
		printf '#include <%s>\n#include <%s>\nint main (void)\n{\n\treturn 0;\n}\n' "$name" "$name" >"$tmpdir/alone.$language"
		"$@" $include -fsyntax-only "$tmpdir/alone.$language" || fail "<$name> does not compile alone: $*"
		headers=$((headers + 1))
	done
}

headers=0
alone c $CC -std=c99 -pedantic -Wall -Wextra -Werror
test "$headers" -gt 1 || fail "found no header in include/vhost"

printf 'int main ()\n{\n\treturn 0;\n}\n' >"$tmpdir/try.cc"
$CXX -fsyntax-only "$tmpdir/try.cc" >"$tmpdir/log" 2>&1 || skip "no C++ compiler ($CXX; Debian package: g++); $headers headers compile as C99"
alone cc $CXX -std=c++11 -pedantic -Wall -Wextra -Werror
say "$headers compilations"
