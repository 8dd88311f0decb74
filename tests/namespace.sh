# SPDX-License-Identifier: BSD-3-Clause
#
# A network namespace for a test, which is gone when the test is: it lives as
# long as a process of ours that sleeps in it.  Sourced by bash scripts after
# functions.sh.

# make_namespace: sets the array $inside, before a command that is to run in
# it; 1 if there can be none, or no TAP in it.
make_namespace ()
{
	local flags=(--net)
	inside=(nsenter --net)
	if test "$(id -u)" != 0; then
		flags+=(--map-root-user)
		inside+=(--user --preserve-credentials)
	fi
	command -v unshare >/dev/null && command -v nsenter >/dev/null &&
		command -v ip >/dev/null && test -w /dev/net/tun || return 1
	start_process namespace.log unshare "${flags[@]}" sleep 1000
	namespace=$started_pid
	inside+=(--target "$namespace")
	wait_until 10 namespace_made && "${inside[@]}" ip link set lo up
}

namespace_made ()
{
	test "$(readlink "/proc/$namespace/ns/net")" != \
		"$(readlink /proc/self/ns/net)"
}
