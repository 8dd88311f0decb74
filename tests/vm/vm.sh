# SPDX-License-Identifier: BSD-3-Clause
#
# What fetch, image and boot share: the cache folder, and how they say that
# something cannot be done here (exit 77) or went wrong (exit 1).  Sourced by
# bash scripts.

PATH=$PATH:/usr/sbin:/sbin

vm_name=$(basename "$0")
vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# The guest's kernel, and everything else the guest runs that we do not build.
# The cloud kernel boots fastest; both are names that Debian keeps stable.
vm_kernel_package=${LIBVHOST_KERNEL_PACKAGE:-linux-image-cloud-amd64}
vm_busybox_package=busybox-static

vm_cache=${LIBVHOST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/libvhost}

vm_say ()
{
	echo "$vm_name: $*" >&2
}

vm_fail ()
{
	vm_say "$*"
	exit 1
}

vm_skip ()
{
	vm_say "$*"
	exit 77
}

# vm_tmpdir: sets $vm_tmp to a folder in the cache (so that a rename into
# place works) that goes away with this script.
vm_tmpdir ()
{
	mkdir -p "$vm_cache" || vm_fail "cannot write to $vm_cache"
	# What a killed run left a day ago.
	find "$vm_cache" -maxdepth 1 -name 'tmp.*' -mmin +1440 \
		-exec rm -rf {} +
	vm_tmp=$(mktemp -d "$vm_cache/tmp.XXXXXX") ||
		vm_fail "cannot write to $vm_cache"
	trap 'rm -rf "$vm_tmp"' EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

# vm_tree PACKAGE: where a package is unpacked.
vm_tree ()
{
	echo "$vm_cache/packages/$1"
}

# add_libraries PROGRAM: what it is linked with, and the loader.
add_libraries ()
{
	local name arrow path
	# A static program has none.
	ldd "$1" >"$vm_tmp/libraries" 2>/dev/null || return 0
	! grep 'not found' "$vm_tmp/libraries" >&2 || vm_fail "$1 lacks libraries"
	while read -r name arrow path _; do
		case $name in
		/*) cp -L "$name" "$root/lib64/" ;;
		*) test "$arrow" != '=>' || cp -L "$path" "$root/lib/" ;;
		esac
	done <"$vm_tmp/libraries"
}

# add_program FILE FOLDER: puts a program into a folder of the tree $root, with
# the shared libraries it needs.  A script that libtool put in place of an
# uninstalled program stands for that program and its libraries.
add_program ()
{
	local program=$1 folder
	folder=$(dirname "$1")
	if test -x "$folder/.libs/$(basename "$1")"; then
		program=$folder/.libs/$(basename "$1")
		local -x LD_LIBRARY_PATH
		LD_LIBRARY_PATH=$(sed -n 's/^ *LD_LIBRARY_PATH="\([^$"]*\).*/\1/p' \
			"$1" | head -n 1)
	fi
	test -x "$program" || vm_fail "there is no program $program"
	cp -L "$program" "$root/$2/"
	add_libraries "$program"
}
