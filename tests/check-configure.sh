#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# configure refuses what cannot be had and what makes no sense, each with one line that says why.

. "$(dirname "$0")/functions.sh"
: "${CC:=cc}" "${CXX:=c++}"
make_tmpdir

test -x "$abs_top_srcdir/configure" || fail "there is no configure in $abs_top_srcdir"

# A source folder that was configured itself cannot be configured elsewhere: go through a folder of links that leaves out what configure made.
mkdir "$tmpdir/source" "$tmpdir/build"
for file in "$abs_top_srcdir"/*; do
	case ${file##*/} in
	config.status | config.log | config.h | Makefile | stamp-h1 | libtool | build) ;;
	*) ln -s "$file" "$tmpdir/source/" ;;
	esac
done
cd "$tmpdir/build" || exit 1

# The answers about the compiler and the system are found once.
configure ()
{
	CONFIG_SITE= CC="$CC" CXX="$CXX" "$SHELL" "$tmpdir/source/configure" --quiet --cache-file="$tmpdir/cache" "$@" >"$tmpdir/out" 2>"$tmpdir/err"
}
: "${SHELL:=/bin/sh}"

count=0

# refused WORDS OPTION...: configure stops with one line, which has these words.
refused ()
{
	words=$1
	shift
	if configure "$@"; then
		fail "configure $* was accepted"
	fi
	if test "$(wc -l <"$tmpdir/err")" -ne 1 || ! grep -q "$words" "$tmpdir/err"; then
		sed 's/^/  /' "$tmpdir/err" >&2
		fail "configure $* was not refused in one line about: $words"
	fi
	count=$((count + 1))
}

# What is plainly possible, so that a refusal below has the reason that it says; it fills the cache.
configure --with-memory=unix --disable-devices --disable-tools --without-liburing || {
	sed 's/^/  /' "$tmpdir/err" >&2
	fail "configure with modest options failed"
}
grep -q 'guest memory  *unix' "$tmpdir/out" || fail "configure gave no summary"

refused 'postcopy cannot be had with Xen memory' --with-memory=xen --enable-postcopy
refused 'postcopy cannot be had with Xen memory' --enable-xen --enable-postcopy
refused 'contradict each other' --enable-xen --with-memory=unix
refused 'takes unix or xen, not "kvm"' --with-memory=kvm
refused 'takes yes or no, not "maybe"' --enable-xen=maybe
refused 'takes yes or no, not "late"' --enable-postcopy=late
refused 'not "speed"' --enable-sanitizers=address,speed
refused 'cannot be combined' --enable-sanitizers=address,thread
refused 'leaves nothing to build' --disable-frontend --disable-backend --disable-kernel
refused 'daemon needs the backend' --enable-daemon --disable-backend
refused 'vdpa needs the kernel' --enable-vdpa --disable-kernel
refused 'devices and tools need jansson (Debian: libjansson-dev, Fedora: jansson-devel)' --without-jansson

say "$count refusals, each with its reason"
