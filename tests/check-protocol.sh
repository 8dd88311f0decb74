#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every message of the tables: docs/protocol-table.md is current; both ends serve it, or make it; in the tests of both ends one says its name, and its bytes are
# written out.

. "$(dirname "$0")/functions.sh"
make_tmpdir
cd "$abs_top_srcdir" || fail "no source folder"

"$abs_top_builddir"/docs/protocol-table >"$tmpdir/table.md" || fail "docs/protocol-table failed"
diff -u docs/protocol-table.md "$tmpdir/table.md" >&2 ||
	fail "docs/protocol-table.md is not current: run docs/protocol-table and keep what it prints"

# rows TITLE: "ID NAME" of each row of a section.
rows ()
{
	awk -F ' *[|] *' -v title="## $1" '
	/^## / { inside = $0 == title }
	inside && $2 ~ /^[0-9]+$/ { print $2, $3 }' docs/protocol-table.md
}

# missing WHAT: one thing that a message lacks.
: >"$tmpdir/missing"
missing ()
{
	echo "$name ($id): $*" >>"$tmpdir/missing"
}

# has PATTERN FILE...
has ()
{
	pattern=$1
	shift
	grep -qE -- "$pattern" "$@"
}

count=0
# each TITLE NUMBER FUNCTION: calls FUNCTION with name and id for each row, of which there are NUMBER.
each ()
{
	rows "$1" >"$tmpdir/rows"
	test "$(wc -l <"$tmpdir/rows")" -eq "$2" || fail "$1: not $2 rows"
	while read -r id name; do
		$3
		count=$((count + 1))
	done <"$tmpdir/rows"
}

# Four bytes of the id, as a little-endian host sends it.
bytes_of ()
{
	printf '%02x000000' "$1"
}

# named END FILE...
named ()
{
	end=$1
	shift
	has "\"[^\"]*\\b$name\\b[^\"]*\"" "$@" || missing "no test of the $end says its name"
}

frontend_message ()
{
	if grep -qE "\\[REQUEST_$name\\] = (NOT_SUPPORTED|\\{ *\\})" src/backend/dispatch.c ||
		! grep -qF "[REQUEST_$name] = " src/backend/dispatch.c; then
		missing "the back-end does not serve it"
	fi
	has "\\bREQUEST_$name\\b" src/frontend/*.c || missing "the front-end does not send it"
	# Postcopy has its tests where its userfaultfd is.
	named back-end tests/wire/backend-*.c tests/unit/test-postcopy.c
	named front-end tests/wire/frontend-*.c
	has "\"$(bytes_of "$id")\"|\"$(bytes_of "$id") 0[19]000000|\\bFE_$name\\b|bytes_header \\(b, $id, " tests/wire/backend-*.c tests/unit/test-postcopy.c ||
		missing "no bytes in a test of the back-end"
	has "\"$(bytes_of "$id") 0[19]000000" tests/wire/frontend-*.c || missing "no bytes in a test of the front-end"
}

backend_message ()
{
	has "\\bBACKEND_REQUEST_$name\\b" src/backend/*.c || missing "the back-end does not send it"
	has "\\[BACKEND_REQUEST_$name\\]" src/frontend/serve.c || missing "the front-end does not serve it"
	named back-end tests/wire/backend-*.c
	named front-end tests/wire/frontend-*.c
	has "\\b$id, 0, 0, 0, |\"$(bytes_of "$id") 0[19]000000|\\bBE_$name\\b" tests/wire/backend-*.c || missing "no bytes in a test of the back-end"
	has "\"$(bytes_of "$id") 0[19]000000" tests/wire/frontend-*.c || missing "no bytes in a test of the front-end"
}

gpu_message ()
{
	has "\\bGPU_$name\\b" src/gpu/gpu.c || missing "the device does not send it"
	has "\\bGPU_$name\\b" src/gpu/display.c || missing "the display does not serve it"
	has "\"device: [^\"]*\\b$name\\b" tests/wire/gpu-device.c || missing "no test of the device"
	has "\"display: [^\"]*\\b$name\\b" tests/wire/gpu-display.c || missing "no test of the display"
}

each "From front-end to back-end" 45 frontend_message
each "From back-end to front-end" 10 backend_message
each "From a GPU device to its display" 12 gpu_message

if test -s "$tmpdir/missing"; then
	cat "$tmpdir/missing" >&2
	fail "$(wc -l <"$tmpdir/missing") things that messages lack"
fi
say "$count messages"
