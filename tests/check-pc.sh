#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What pkg-config says of the library, installed and not: version, memory model, postcopy; and a program built by it, which asks the library the same.

. "$(dirname "$0")/functions.sh"
: "${CC:=cc}" "${VH_LIBRARY:=libvhost}" "${VH_MEMORY:=unix}"
requires pkg-config pkg-config
make_tmpdir

run=$abs_top_builddir/run
test -x "$run" || fail "$run is not there"

# A variable of the build's Makefile.
made ()
{
	sed -n "s/^$1 = //p" "$abs_top_builddir/Makefile"
}
version=$(made PACKAGE_VERSION)
test -n "$version" || fail "read no version from the build's Makefile"
if grep -q '^S\["POSTCOPY_TRUE"\]=""' "$abs_top_builddir/config.status"; then
	postcopy=yes
else
	postcopy=no
fi

# variable NAME WANTED, of the module as pkg-config finds it now.
variable ()
{
	said=$("$run" pkg-config --variable="$1" "$VH_LIBRARY") || fail "pkg-config does not know $VH_LIBRARY"
	test "$said" = "$2" || fail "$VH_LIBRARY's $1 is \"$said\", not \"$2\""
}

variables ()
{
	variable memory_model "$VH_MEMORY"
	variable postcopy "$postcopy"
	said=$("$run" pkg-config --modversion "$VH_LIBRARY")
	test "$said" = "$version" || fail "$VH_LIBRARY's version is \"$said\", not \"$version\""
}

variables
(
	PKG_CONFIG_DISABLE_UNINSTALLED=1
	export PKG_CONFIG_DISABLE_UNINSTALLED
	variables
	said=$("$run" pkg-config --libs "$VH_LIBRARY")
	case $said in
	*"-l${VH_LIBRARY#lib}"*) ;;
	*) fail "the installed module's libs are \"$said\"" ;;
	esac
) || exit 1

cat >"$tmpdir/program.c" <<'END'
#include <stdio.h>

#include <vhost/vhost.h>

int
main (void)
{
	return printf ("%s %s %s\n", vh_version (), vh_memory_model (), VH_VERSION_STRING) < 0;
}
END
cflags=$("$run" pkg-config --cflags "$VH_LIBRARY")
libs=$("$run" pkg-config --libs "$VH_LIBRARY")
# The library of a sanitized or instrumented build wants programs that are.
instrumented=$(made VH_CFLAGS | tr ' ' '\n' | grep -E '^(-fsanitize=|--coverage)' | tr '\n' ' ')

cd "$tmpdir" || exit 1
$CC $instrumented $cflags -c program.c -o program.o || fail "does not compile with \"$cflags\""
"$abs_top_builddir/libtool" --silent --tag=CC --mode=link $CC $instrumented program.o $libs -o program || fail "does not link with \"$libs\""
said=$("$run" ./program) || fail "the program does not run"
test "$said" = "$version $VH_MEMORY $version" || fail "the library says \"$said\""
say "$VH_LIBRARY $version, $VH_MEMORY memory, postcopy $postcopy"
