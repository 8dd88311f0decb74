# SPDX-License-Identifier: BSD-3-Clause
#
# The ways to build libvhost, and the steps of "quickstart check": to add one,
# add its line to the table and its function.

generate_configure ()
{
	local source
	cd "$abs_top_srcdir"
	for source in configure.ac m4/vh-*.m4; do
		if test ! configure -nt "$source" || test ! -e Makefile.in; then
			autoreconf -fi
			return
		fi
	done
}

# configure FOLDER ARGUMENTS...: in build/FOLDER, unless it was done already.
configure ()
{
	local folder=$builds/$1
	shift
	generate_configure
	mkdir -p "$folder"
	cd "$folder"
	if test -e Makefile && test "$(cat arguments)" = "$*"; then
		return
	fi
	rm -f arguments
	"$abs_top_srcdir/configure" "$@"
	echo "$*" >arguments
}

# Name, time limit in seconds, whether it reports tests, what it is.  Each has
# a function below, step_NAME with - as _; a folder build/NAME if it builds.
steps='
unix        900 tests  gcc, warnings are errors: make check
guest      1200 tests  devices under Linux guests
vm          600 tests  vhost in the kernel, and vDPA, in a Linux guest
migration   900 tests  a guest that moves, and back-ends that are killed
asan       1200 tests  address and undefined behaviour sanitizers: make check
tsan       1500 tests  thread sanitizer: make check
format      120 plain  the format of the code
clang       600 plain  clang, warnings are errors: no warning
fuzz        600 plain  each fuzz target for a while
xen         900 tests  the Xen flavour: make check
xen-host    900 tests  the Xen flavour on a Xen host
xen-guest  1200 tests  a disk for real guests of a Xen host
dist        900 tests  make distcheck
dist-xen    900 tests  make distcheck, built as the Xen flavour
'

# make_in FOLDER TARGET...
make_in ()
{
	local folder=$builds/$1
	shift
	make -C "$folder" -j"$jobs" "$@"
}

step_unix ()
{
	configure unix --enable-werror --with-cunit
	make_in unix
	make_in unix check
}

step_guest ()
{
	configure unix --enable-werror --with-cunit
	make_in unix
	make_in unix check-guest
}

step_vm ()
{
	configure unix --enable-werror --with-cunit
	make_in unix
	make_in unix check-vm
}

step_migration ()
{
	configure unix --enable-werror --with-cunit
	make_in unix
	make_in unix check TESTS=tests/vm/check-migration.sh
}

step_asan ()
{
	configure asan --enable-werror --with-cunit \
		--enable-sanitizers=address,undefined
	make_in asan
	make_in asan check
}

step_tsan ()
{
	configure tsan --enable-werror --with-cunit \
		--enable-sanitizers=thread
	make_in tsan
	make_in tsan check
}

step_format ()
{
	configure unix --enable-werror --with-cunit
	make_in unix check-format
}

# Not a step of check: what the demo needs.
step_demo_build ()
{
	configure demo
	make_in demo
}

# Test programs, too, but nothing is run.
step_clang ()
{
	configure clang CC=clang --enable-werror --with-cunit
	make_in clang
	make_in clang check TESTS=
}

step_fuzz ()
{
	configure fuzz CC=clang --enable-fuzz \
		--enable-sanitizers=address,undefined
	make_in fuzz
	make_in fuzz check-fuzz
}

step_xen ()
{
	configure xen --with-memory=xen --enable-werror --with-cunit
	make_in xen
	make_in xen check
}

step_xen_host ()
{
	configure xen --with-memory=xen --enable-werror --with-cunit
	make_in xen
	make_in xen check-xen
}

step_xen_guest ()
{
	configure xen --with-memory=xen --enable-werror --with-cunit
	make_in xen
	make_in xen check-xen-guest
}

step_dist ()
{
	configure unix --enable-werror --with-cunit
	make_in unix distcheck
}

# The release is the one of the unix flavour: it must have all that xen needs.
step_dist_xen ()
{
	configure unix --enable-werror --with-cunit
	make_in unix distcheck DISTCHECK_CONFIGURE_FLAGS=--with-memory=xen
}

step_names ()
{
	echo "$steps" | awk 'NF { print $1 }'
}

# step_field NAME NUMBER; 4 is the rest of the line.
step_field ()
{
	echo "$steps" | awk -v name="$1" -v field="$2" '$1 == name {
		if (field == 4) {
			$1 = $2 = $3 = ""
			print substr ($0, 4)
		} else
			print $field
	}'
}
