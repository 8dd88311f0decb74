# SPDX-License-Identifier: BSD-3-Clause
# Which parts are built, and what they need of each other.

# VH_PART(NAME, HELP): a part that is built unless it is disabled.
AC_DEFUN([VH_PART], [
	AC_ARG_ENABLE([$1], [AS_HELP_STRING([--disable-$1], [$2])], [vh_asked_$1=$enableval], [vh_asked_$1=default; enable_$1=yes])
	VH_YES_NO([$1])
])

# VH_NEEDS(PART, NEEDED): without NEEDED there is no PART; asking for it nevertheless is an error.
AC_DEFUN([VH_NEEDS], [
	AS_IF([test $enable_$2 = no && test $enable_$1 = yes], [
		AS_IF([test $vh_asked_$1 = yes], [AC_MSG_ERROR([--enable-$1 needs the $2, which --disable-$2 leaves out])])
		enable_$1=no
	])
])

AC_DEFUN([VH_PARTS], [
	VH_PART([frontend], [the front-end end of vhost-user])
	VH_PART([backend], [the back-end end of vhost-user])
	VH_PART([daemon], [ready-made back-end processes])
	VH_PART([devices], [the device programs])
	VH_PART([tools], [vhost-user-probe, vhost-user-bench])
	VH_PART([kernel], [devices of the kernel's vhost])
	VH_PART([vdpa], [vDPA devices])
	VH_PART([gpu], [the vhost-user-gpu socket])
	AS_IF([test $enable_frontend = no && test $enable_backend = no && test $enable_kernel = no],
		[AC_MSG_ERROR([--disable-frontend with --disable-backend and --disable-kernel leaves nothing to build])])
	VH_NEEDS([daemon], [backend])
	VH_NEEDS([devices], [daemon])
	VH_NEEDS([tools], [frontend])
	VH_NEEDS([vdpa], [kernel])
	AM_CONDITIONAL([BUILD_FRONTEND], [test $enable_frontend = yes])
	AM_CONDITIONAL([BUILD_BACKEND], [test $enable_backend = yes])
	AM_CONDITIONAL([BUILD_GPU], [test $enable_gpu = yes])
	AM_CONDITIONAL([BUILD_KERNEL], [test $enable_kernel = yes])
	AM_CONDITIONAL([BUILD_VDPA], [test $enable_vdpa = yes])
	AM_CONDITIONAL([BUILD_DAEMON], [test $enable_daemon = yes])
	AM_CONDITIONAL([BUILD_DEVICES], [test $enable_devices = yes])
	AM_CONDITIONAL([BUILD_TOOLS], [test $enable_tools = yes])
])
