#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The library keeps no state of the process, prints nothing and ends nothing: no writable data but what is listed here with its reason, no call that
# prints or exits.

. "$(dirname "$0")/functions.sh"
: "${NM:=nm}"
make_tmpdir

archive=$abs_top_builddir/.libs/libcore.a
test -e "$archive" || fail "$archive is not there"

# guard: the SIGBUS guard.  A signal's disposition belongs to the process, so what its handler needs does too.
# host, with Xen memory: the handles of the hypervisor, of which the process has one set however many regions there are.
guard='^(lt[0-9]+-)?libcore_la-guard[.]o '
allowed=$guard
test "${VH_MEMORY:-unix}" != xen || allowed='^(lt[0-9]+-)?libcore_la-(guard|host)[.]o '

# "object section symbol" of every symbol that occupies writable memory.  .data.rel.ro is made read-only before the program starts.  What the compiler
# itself adds (sanitizers, gcov, libFuzzer) is not ours.
$NM --format=sysv "$archive" 2>/dev/null | awk -F'|' '
	/^Symbols from / { object = $0; sub (/.*\[/, "", object); sub (/\].*/, "", object); objects++; next }
	NF < 7 { next }
	{ gsub (/ /, "", $1); gsub (/ /, "", $4); gsub (/ /, "", $7) }
	$7 ~ /^\.data\.rel\.ro/ { next }
	$4 == "SECTION" || $1 ~ /^(\.|__asan|__odr_asan|__unnamed_|__gcov|__llvm|__sancov|__prof|__ubsan|__tsan)/ { next }
	$7 ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ { print object, $7, $1 }
	END { if (!objects) print "none" }' >"$tmpdir/data"
grep -qx none "$tmpdir/data" && fail "read no object from $archive"

grep -vE "$allowed" "$tmpdir/data" >"$tmpdir/wrong"
if test -s "$tmpdir/wrong"; then
	sed 's/^/  /' "$tmpdir/wrong" >&2
	fail "writable global data"
fi
grep -qE "$guard" "$tmpdir/data" || fail "the guard's own data was not seen: this test reads nothing"

# Calls, in the form the linker sees them.
$NM --undefined-only "$archive" 2>/dev/null | awk '
	/\.o:$/ { object = $1; next }
	NF == 2 { print object, $2 }' >"$tmpdir/calls"
grep -q ' ' "$tmpdir/calls" || fail "read no undefined symbol from $archive"
prints='v?f?printf|v?dprintf|f?puts|puts|f?putc|putchar|fwrite|perror|psignal|syslog|stdout|stderr|v?errx?|v?warnx?'
ends='exit|_exit|_Exit|quick_exit|abort'
# A fortified build calls __printf_chk; a clang one with optimisation turns printf into puts.
if grep -E " (__)?($prints|$ends)(_chk)?\$" "$tmpdir/calls" >"$tmpdir/wrong"; then
	sed 's/^/  /' "$tmpdir/wrong" >&2
	fail "the library prints or ends the process"
fi

say "$(wc -l <"$tmpdir/data") writable symbols, all of them allowed; $(awk '{ print $2 }' "$tmpdir/calls" | sort -u | wc -l) names called"
