# SPDX-License-Identifier: BSD-3-Clause
#
# What fetch and boot share, on top of what the scripts of plain guests share:
# which packages a Xen host is made of.  Sourced by bash scripts.

xen_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$xen_dir/../vm/vm.sh"

# The full kernel: Debian's cloud kernel cannot be dom0.
xen_kernel_package=linux-image-amd64
xen_package=xen-hypervisor-4.17-amd64
xen_toolstack_packages=(
	xen-utils-4.17 xenstore-utils libyajl2
	libxencall1 libxendevicemodel1 libxenevtchn1 libxenforeignmemory1
	libxengnttab1 libxenhypfs1 libxenmisc4.17 libxenstore4
	libxentoolcore1 libxentoollog1
)
xen_packages=(
	"$xen_package" "$xen_kernel_package" "$vm_busybox_package"
	"${xen_toolstack_packages[@]}"
)
xen_modules=(xen-privcmd xen-evtchn xen-gntdev xen-gntalloc xenfs)

xen_kernel_release ()
{
	ls "$(vm_tree "$xen_kernel_package")/lib/modules"
}
