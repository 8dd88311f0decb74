#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# check-postcopy.sh in builds that have no postcopy, made for it: one that was
# asked for none, and the Xen flavour where its libraries are.

set -eu
. "$(dirname "$0")/../functions.sh"
: "${CC:=cc}" "${MAKE:=make}"

make_tmpdir

# check NAME LIBRARY ARGUMENT...: configured so.
check ()
{
	name=$1
	library=$2
	shift 2
	mkdir "$tmpdir/$name"
	cd "$tmpdir/$name"
	CONFIG_SITE= CC="$CC" "$abs_top_srcdir/configure" --quiet "$@" \
		--without-cunit --disable-kernel --disable-vdpa --disable-gpu \
		>log 2>&1 || fail "$name: $(tail -n 3 log)"
	"$MAKE" -s -j "$(nproc)" >log 2>&1 || fail "$name: $(tail -n 5 log)"
	said=$(abs_top_builddir=$PWD VH_LIBRARY=$library \
		sh "$abs_top_srcdir/tests/e2e/check-postcopy.sh" 2>&1) ||
		fail "$name: $said"
	case $said in
	*"nothing knows userfaultfd"*) say "ok: $*: ${said##*ok: }" ;;
	*) fail "$name: $said" ;;
	esac
}

test -x "$abs_top_srcdir/configure" || skip "no configure"
check disabled libvhost --disable-postcopy
! pkg-config --exists xenforeignmemory ||
	check xen libvhost-xen --with-memory=xen
