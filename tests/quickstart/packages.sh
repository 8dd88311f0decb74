# SPDX-License-Identifier: BSD-3-Clause
#
# Which Debian packages quickstart wants, and why, and their installation.

# When (build: always), which, why.
packages='
build gcc                the compiler
build libc6-dev          C headers, and the static C library for guests
build make               runs the build
build autoconf           makes ./configure
build automake           makes the Makefile
build libtool            builds the shared library
build pkg-config         finds the libraries
build liburing-dev       io_uring in vhost-user-blk
build libjansson-dev     JSON in the programs
build qemu-system-x86    boots the Linux guests
build e2fsprogs          makes and reads file systems without mounting them
check g++                checks that the headers are good C++
check clang              the second compiler
check libclang-rt-dev    its sanitizers and its fuzzer
check clang-format       checks the format of the code
check libcunit1-dev      unit tests
check qemu-system-common has qemu-storage-daemon, a back-end to talk to
check libxen-dev         the Xen flavour
check gcc-12             compiles modules for the kernels of guests
check libelf1            for what builds those modules
check xz-utils           packs the distribution, unpacks the source of a kernel
check groff-base         checks the manual pages
check iproute2         network namespaces and TAP interfaces for vhost-user-net
check dpdk-dev         has testpmd, a network device to talk to
check python3            drives the monitor of QEMU, starts back-ends as management software does
'

# packages_for demo|check: names, one on each line.
packages_for ()
{
	echo "$packages" | awk -v mode="$1" \
		'$1 == "build" || $1 == mode { print $2 }'
}

package_installed ()
{
	dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null |
		grep -qx installed
}

missing_packages ()
{
	local package
	for package in $(packages_for "$1"); do
		package_installed "$package" || echo "$package"
	done
}

explain_packages ()
{
	local package
	for package; do
		echo "$packages" | awk -v name="$package" '$2 == name {
			$1 = $2 = ""
			printf "  %-18s %s\n", name, substr ($0, 3)
		}'
	done
}

confirm_installation ()
{
	local answer
	test $answer_yes = no && test -t 0 && test -t 1 || return 0
	read -r -p "Install these packages? [Y/n] " answer || answer=n
	case $answer in
	'' | [Yy]*) ;;
	*) fail "not without these packages (--no-install tries it)" ;;
	esac
}

as_root ()
{
	if test "$(id -u)" = 0; then
		"$@"
	else
		sudo "$@"
	fi
}

may_install ()
{
	command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
		fail "this machine has no apt: install the likes of" \
			"$(packages_for "$1" | xargs) and use --no-install"
}

may_become_root ()
{
	test "$(id -u)" = 0 && return
	command -v sudo >/dev/null ||
		fail "missing packages, and neither root nor sudo to" \
			"install them: apt-get install $*"
	test -t 0 || sudo -n true 2>/dev/null ||
		fail "missing packages, and sudo wants a password:" \
			"apt-get install $*"
}

install_packages ()
{
	local missing
	test $install = yes || return 0
	may_install "$1"
	missing=$(missing_packages "$1" | xargs)
	test -n "$missing" || return 0
	echo "Missing packages:"
	# shellcheck disable=SC2086 # a list of names
	explain_packages $missing
	# shellcheck disable=SC2086
	may_become_root $missing
	confirm_installation
	mkdir -p "$logs"
	echo "Installing (log: build/logs/apt) ..."
	as_root apt-get -q -o DPkg::Lock::Timeout=300 update \
		>"$logs/apt" 2>&1 || :
	# shellcheck disable=SC2086
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o DPkg::Lock::Timeout=300 \
		install --no-install-recommends $missing \
		>>"$logs/apt" 2>&1 </dev/null || {
		tail -n 5 "$logs/apt" >&2
		fail "apt-get could not install the packages"
	}
}
