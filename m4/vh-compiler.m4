# SPDX-License-Identifier: BSD-3-Clause
# The compiler: language level, warnings, sanitizers, coverage.

# VH_YES_NO(OPTION): stops unless $enable_OPTION is yes or no.
AC_DEFUN([VH_YES_NO], [
	AS_CASE([$enable_$1], [yes|no], [],
		[AC_MSG_ERROR([--enable-$1 takes yes or no, not "$enable_$1"])])
])

# VH_TRY_CFLAG(VARIABLE, FLAG): appends FLAG to VARIABLE when the compiler takes it.
AC_DEFUN([VH_TRY_CFLAG], [
	vh_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS $2 -Werror"
	AC_MSG_CHECKING([whether $CC takes $2])
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
		[AC_MSG_RESULT([yes]); $1="$$1 $2"],
		[AC_MSG_RESULT([no])])
	CFLAGS=$vh_save_CFLAGS
])

AC_DEFUN([VH_COMPILER], [
	VH_CFLAGS="-std=gnu11 -fvisibility=hidden"
	m4_foreach_w([vh_flag], [-Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wno-unused-parameter -Wno-missing-field-initializers],
		[VH_TRY_CFLAG([VH_CFLAGS], vh_flag)])

	AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [warnings are errors (developers, CI)])], [], [enable_werror=no])
	VH_YES_NO([werror])
	AS_IF([test $enable_werror = yes], [VH_CFLAGS="$VH_CFLAGS -Werror"])

	AC_ARG_ENABLE([sanitizers],
		[AS_HELP_STRING([--enable-sanitizers=LIST], [build with address, undefined, thread, leak (comma between them)])],
		[], [enable_sanitizers=no])
	AS_CASE([$enable_sanitizers],
		[yes], [VH_SANITIZERS=address,undefined],
		[no], [VH_SANITIZERS=],
		[VH_SANITIZERS=$enable_sanitizers])
	VH_SANITIZER_FLAGS=
	AS_IF([test -n "$VH_SANITIZERS"], [
		for vh_one in `AS_ECHO(["$VH_SANITIZERS"]) | tr , ' '`; do
			AS_CASE([$vh_one], [address|undefined|thread|leak], [],
				[AC_MSG_ERROR([--enable-sanitizers knows address, undefined, thread and leak, not "$vh_one"])])
		done
		AS_CASE([,$VH_SANITIZERS,], [*,thread,*],
			[AS_CASE([,$VH_SANITIZERS,], [*,address,*|*,leak,*],
				[AC_MSG_ERROR([the thread sanitizer cannot be combined with address or leak])])])
		VH_SANITIZER_FLAGS="-fsanitize=$VH_SANITIZERS -fno-omit-frame-pointer -fno-sanitize-recover=all"
		vh_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS $VH_SANITIZER_FLAGS"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [],
			[AC_MSG_ERROR([$CC cannot link with -fsanitize=$VH_SANITIZERS (Debian: libasan and libubsan come with gcc, libclang-rt-dev for clang; Fedora: libasan, libubsan, libtsan)])])
		CFLAGS=$vh_save_CFLAGS
	])
	VH_CFLAGS="$VH_CFLAGS $VH_SANITIZER_FLAGS"
	dnl gcc warns that its thread sanitizer does not see fences; ours order rings, whose other end no sanitizer sees anyway.
	AS_CASE([,$VH_SANITIZERS,], [*,thread,*], [VH_TRY_CFLAG([VH_CFLAGS], [-Wno-tsan])])
	AM_CONDITIONAL([SANITIZERS], [test -n "$VH_SANITIZERS"])

	AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage], [build for gcov])], [], [enable_coverage=no])
	VH_YES_NO([coverage])
	AS_IF([test $enable_coverage = yes], [VH_CFLAGS="$VH_CFLAGS --coverage -O0"])

	AC_ARG_ENABLE([fuzz],
		[AS_HELP_STRING([--enable-fuzz], [build the fuzz targets with libFuzzer (clang); without it they are stand-alone programs])],
		[], [enable_fuzz=no])
	VH_YES_NO([fuzz])
	VH_FUZZ_FLAGS=
	AS_IF([test $enable_fuzz = yes], [
		vh_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -fsanitize=fuzzer-no-link"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [],
			[AC_MSG_ERROR([--enable-fuzz needs a compiler with libFuzzer: ./configure CC=clang (Debian: clang and libclang-rt-dev, Fedora: clang and compiler-rt)])])
		CFLAGS=$vh_save_CFLAGS
		VH_CFLAGS="$VH_CFLAGS -fsanitize=fuzzer-no-link"
		VH_FUZZ_FLAGS=-fsanitize=fuzzer
	])
	AM_CONDITIONAL([LIBFUZZER], [test $enable_fuzz = yes])
	AC_SUBST([VH_CFLAGS])
	AC_SUBST([VH_FUZZ_FLAGS])
])
