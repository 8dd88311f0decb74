#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Postcopy is in the library and on the wire where it was configured, and
# neither here nor there where it was not.

set -eu
. "$(dirname "$0")/../functions.sh"
: "${NM:=nm}" "${VH_LIBRARY:=libvhost}"

requires_built devices/vhost-user-rng
requires_built tools/vhost-user-probe
make_tmpdir
cd "$tmpdir"
run=$abs_top_builddir/run
library=$abs_top_builddir/.libs/$VH_LIBRARY.so

# Our own functions around userfaultfd; the exported ones are always there.
$NM "$library" >symbols
grep -q ' T vh_backend_new' symbols || fail "read no symbols from $library"
count=$(grep -c '[ _]uffd_' symbols) || :

start_process log "$run" "$abs_top_builddir/devices/vhost-user-rng" \
	--socket-path=s --postcopy
wait_for_socket s "$started_pid" log
"$run" "$abs_top_builddir/tools/vhost-user-probe" --json s >offered ||
	fail "the probe fails: $(cat log)"
grep -q REPLY_ACK offered || fail "read no features: $(cat offered)"
pagefault=no
! grep -q PAGEFAULT offered || pagefault=yes
slots=no
! grep -q CONFIGURE_MEM_SLOTS offered || slots=yes
stop_process "$started_pid"

if grep -q '^S\["POSTCOPY_TRUE"\]=""' "$abs_top_builddir/config.status"; then
	test "$count" -gt 0 || fail "no function knows userfaultfd"
	# The kernel may refuse it, and then memory slots are offered as ever.
	test "$pagefault" != "$slots" ||
		fail "PAGEFAULT: $pagefault, CONFIGURE_MEM_SLOTS: $slots"
	say "ok: $count functions; PAGEFAULT offered: $pagefault"
else
	test "$count" = 0 || fail "userfaultfd is known: $(grep uffd_ symbols)"
	test "$pagefault" = no || fail "PAGEFAULT is offered"
	test "$slots" = yes || fail "memory slots are not offered"
	say "ok: nothing knows userfaultfd, and PAGEFAULT is not offered"
fi
