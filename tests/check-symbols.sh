#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The shared library shows vh_ names and nothing else, exactly those that the public headers declare, and needs no library that is optional.  The static one
# cannot hide anything, so no device may have a name that is in there.

. "$(dirname "$0")/functions.sh"
: "${NM:=nm}" "${CC:=cc}" "${VH_LIBRARY:=libvhost}"
make_tmpdir

library=$abs_top_builddir/.libs/$VH_LIBRARY.so
test -e "$library" || fail "$library is not there"

# What is shown.
$NM -D --defined-only "$library" | awk '{ print $NF }' | sed 's/@.*//' | sort -u >"$tmpdir/all"
grep -v '^VHOST_[0-9]*$' "$tmpdir/all" >"$tmpdir/exported"
count=$(wc -l <"$tmpdir/exported")
test "$count" -gt 0 || fail "read no symbol from $library"
if grep -v '^vh_' "$tmpdir/exported" >"$tmpdir/foreign"; then
	sed 's/^/  /' "$tmpdir/foreign" >&2
	fail "the library shows names without vh_"
fi

# What is declared.  A header whose part is not built declares nothing that must be there.
built ()
{
	case $1 in
	frontend.h) condition=BUILD_FRONTEND ;;
	backend.h) condition=BUILD_BACKEND ;;
	daemon.h) condition=BUILD_DAEMON ;;
	gpu.h) condition=BUILD_GPU ;;
	*) return 0 ;;
	esac
	grep -q "^S\[\"${condition}_TRUE\"\]=\"\"" "$abs_top_builddir/config.status"
}

# The functions of one header: comments and the preprocessor's lines away, then every NAME (...); that is no type.
declared ()
{
	awk '
	{
		line = $0
		while (line != "") {
			if (comment) {
				if (!(at = index (line, "*/")))
					break
				line = substr (line, at + 2)
				comment = 0
			} else if (at = index (line, "/*")) {
				text = text " " substr (line, 1, at - 1)
				line = substr (line, at + 2)
				comment = 1
			} else {
				if (line !~ /^#/)
					text = text " " line
				break
			}
		}
	}
	END {
		n = split (text, part, /[;{}]/)
		for (i = 1; i <= n; i++)
			if (part[i] !~ /typedef/ && match (part[i], /vh_[a-z0-9_]+ \(/))
				print substr (part[i], RSTART, RLENGTH - 2)
	}' "$1"
}

: >"$tmpdir/declarations"
for header in "$abs_top_srcdir"/include/vhost/*.h "$abs_top_builddir"/include/vhost/version.h; do
	test -e "$header" || fail "$header is not there"
	built "$(basename "$header")" && declared "$header" >>"$tmpdir/declarations"
done
sort -u "$tmpdir/declarations" >"$tmpdir/declared"
test -s "$tmpdir/declared" || fail "read no declaration from include/vhost"

comm -23 "$tmpdir/declared" "$tmpdir/exported" >"$tmpdir/missing"
comm -13 "$tmpdir/declared" "$tmpdir/exported" >"$tmpdir/undeclared"
if test -s "$tmpdir/missing"; then
	sed 's/^/  /' "$tmpdir/missing" >&2
	fail "declared in include/vhost and not in the library"
fi
if test -s "$tmpdir/undeclared"; then
	sed 's/^/  /' "$tmpdir/undeclared" >&2
	fail "in the library and not declared in include/vhost"
fi

# What is needed: devices and tools use liburing and jansson, tests use CUnit; the library uses none of them.
$NM -D --undefined-only "$library" | awk '{ print $NF }' | sed 's/@.*//' | sort -u >"$tmpdir/needed"
test -s "$tmpdir/needed" || fail "read no undefined symbol from $library: not even the C library's"
optional='^(io_uring_|json_|CU_)'
test "$VH_MEMORY" = xen || optional='^(io_uring_|json_|CU_|xen|xc_)'
if grep -E "$optional" "$tmpdir/needed" >"$tmpdir/optional"; then
	sed 's/^/  /' "$tmpdir/optional" >&2
	fail "the library needs an optional library"
fi

# What is in libvhost.a, and in the programs that may take it: of two things with one name, both would get the same.
names ()
{
	$NM -g --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u
}
names "$abs_top_builddir/.libs/libcore.a" >"$tmpdir/core"
test -s "$tmpdir/core" || fail "read no symbol from libcore.a"
for archive in "$abs_top_builddir"/devices/.libs/lib*.a; do
	test -e "$archive" || continue	# devices are not built
	names "$archive" >"$tmpdir/device"
	if comm -12 "$tmpdir/core" "$tmpdir/device" | grep . >"$tmpdir/common"; then
		sed 's/^/  /' "$tmpdir/common" >&2
		fail "in the library and in ${archive##*/}"
	fi
done

say "$count symbols, all declared; $(wc -l <"$tmpdir/needed") needed, none of an optional library"
