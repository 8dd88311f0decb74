# SPDX-License-Identifier: BSD-3-Clause
# The memory model (how guest memory comes into a process), and postcopy, which only one of them can do.

AC_DEFUN([VH_MEMORY_MODEL], [
	AC_ARG_WITH([memory],
		[AS_HELP_STRING([--with-memory=MODEL], [guest memory: "unix" (file descriptors, mmap) or "xen" (foreign and grant mapping) @<:@unix@:>@])],
		[vh_memory_asked=yes], [vh_memory_asked=no; with_memory=unix])
	AC_ARG_ENABLE([xen], [AS_HELP_STRING([--enable-xen], [same as --with-memory=xen])], [], [enable_xen=no])
	VH_YES_NO([xen])
	AS_CASE([$with_memory], [unix|xen], [],
		[AC_MSG_ERROR([--with-memory takes unix or xen, not "$with_memory"])])
	AS_IF([test $enable_xen = yes], [
		AS_IF([test $vh_memory_asked = yes && test $with_memory != xen],
			[AC_MSG_ERROR([--enable-xen and --with-memory=$with_memory contradict each other])])
		with_memory=xen
	])
	VH_MEMORY=$with_memory

	AC_CHECK_HEADERS([linux/userfaultfd.h], [vh_have_uffd=yes], [vh_have_uffd=no])
	AC_ARG_ENABLE([postcopy],
		[AS_HELP_STRING([--enable-postcopy], [postcopy live migration by userfaultfd @<:@yes with --with-memory=unix where the headers exist@:>@])],
		[], [enable_postcopy=auto])
	AS_CASE([$enable_postcopy],
		[yes], [
			AS_IF([test $VH_MEMORY = xen],
				[AC_MSG_ERROR([postcopy cannot be had with Xen memory: a page of a foreign or grant mapping is never missing, so userfaultfd has nothing to serve; choose --with-memory=unix or --disable-postcopy])])
			AS_IF([test $vh_have_uffd = no],
				[AC_MSG_ERROR([--enable-postcopy needs <linux/userfaultfd.h> (Debian: linux-libc-dev, Fedora: kernel-headers)])])
			VH_POSTCOPY=yes],
		[no], [VH_POSTCOPY=no],
		[auto], [AS_IF([test $VH_MEMORY = unix && test $vh_have_uffd = yes], [VH_POSTCOPY=yes], [VH_POSTCOPY=no])],
		[AC_MSG_ERROR([--enable-postcopy takes yes or no, not "$enable_postcopy"])])

	VH_LIBRARY=libvhost
	VH_MEMORY_REQUIRES=
	AS_IF([test $VH_MEMORY = xen], [
		VH_LIBRARY=libvhost-xen
		PKG_CHECK_MODULES([XEN], [xenforeignmemory xengnttab xencontrol],
			[VH_MEMORY_REQUIRES="xenforeignmemory xengnttab xencontrol"],
			[AC_MSG_ERROR([--with-memory=xen needs libxenforeignmemory, libxengnttab and libxenctrl (Debian: libxen-dev, Fedora: xen-devel)])])
		dnl for xen-vhost-frontend
		AS_IF([test "$enable_tools" != no],
			[PKG_CHECK_MODULES([XENTOOLS], [xendevicemodel xenevtchn xenstore], [],
				[AC_MSG_ERROR([xen-vhost-frontend needs libxendevicemodel, libxenevtchn and libxenstore (Debian: libxen-dev, Fedora: xen-devel); or --disable-tools])])])
	])
	AC_SUBST([VH_MEMORY])
	AC_SUBST([VH_POSTCOPY])
	AC_SUBST([VH_LIBRARY])
	AC_SUBST([VH_LIBRARY_NAME], [${VH_LIBRARY#lib}])
	AC_SUBST([VH_MEMORY_REQUIRES])
	AM_CONDITIONAL([MEMORY_XEN], [test $VH_MEMORY = xen])
	AM_CONDITIONAL([POSTCOPY], [test $VH_POSTCOPY = yes])
])
