# SPDX-License-Identifier: BSD-3-Clause
# Libraries from the distribution that parts of libvhost use.

# VH_OPTIONAL(NAME, MODULE, DEBIAN, FEDORA, WHAT FOR): --with-NAME=yes|no|auto for pkg-config's MODULE; sets have_NAME.
AC_DEFUN([VH_OPTIONAL], [
	AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1], [$5 @<:@where it is found@:>@])], [], [with_$1=auto])
	AS_CASE([$with_$1], [yes|no|auto], [], [AC_MSG_ERROR([--with-$1 takes yes or no, not "$with_$1"])])
	have_$1=no
	AS_IF([test $with_$1 != no], [
		PKG_CHECK_MODULES(m4_toupper([$1]), [$2], [have_$1=yes],
			[AS_IF([test $with_$1 = yes], [AC_MSG_ERROR([--with-$1: $2 was not found (Debian: $3, Fedora: $4)])])])
	])
	AM_CONDITIONAL([HAVE_]m4_toupper([$1]), [test $have_$1 = yes])
])

AC_DEFUN([VH_LIBRARIES], [
	VH_OPTIONAL([liburing], [liburing >= 2.3], [liburing-dev], [liburing-devel], [io_uring in vhost-user-blk])
	VH_OPTIONAL([jansson], [jansson >= 2.10], [libjansson-dev], [jansson-devel], [JSON; needed by devices and tools])
	VH_OPTIONAL([cunit], [cunit], [libcunit1-dev], [CUnit-devel], [CUnit; needed by make check])
	VH_OPTIONAL([dpdk], [libdpdk], [libdpdk-dev], [dpdk-devel], [DPDK, to measure beside it (make bench)])
	AS_IF([test $have_jansson = no], [
		AS_IF([test $enable_devices = yes || test $enable_tools = yes],
			[AC_MSG_ERROR([devices and tools need jansson (Debian: libjansson-dev, Fedora: jansson-devel); or --disable-devices --disable-tools])])
	])
])
