#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Who includes whom (docs/architecture.md, "Layers"): a folder includes only what is below it; programs include only <vhost/*.h> and headers of
# their own; what varies per build is a file, so the core has no #if for it.

. "$(dirname "$0")/functions.sh"
make_tmpdir
cd "$abs_top_srcdir" || fail "no source folder"

# What a file of each folder may include in quotes: beginnings of paths.
allowed ()
{
	case $1 in
	src/util/*) echo "util/" ;;
	src/memory/*) echo "memory/ util/" ;;
	src/queue/*) echo "queue/ memory/ util/" ;;
	src/wire/*) echo "wire/ queue/ memory/ util/" ;;
	src/device/*) echo "device/ util/" ;;
	src/frontend/*) echo "frontend/ device/ wire/ queue/ memory/ util/" ;;
	src/kernel/*) echo "kernel/ device/ util/" ;;
	src/backend/*) echo "backend/ wire/ queue/ memory/ util/" ;;
	src/gpu/*) echo "gpu/ wire/ util/" ;;
	src/daemon/*) echo "daemon/ backend/ wire/ queue/ memory/ util/" ;;
	mmap-unix/*) echo "mmap-unix/ memory/ util/" ;;
	mmap-xen/*) echo "mmap-xen/ mmap-unix/ memory/ util/" ;;
	postcopy/*) echo "postcopy/ backend/postcopy.h memory/ util/" ;;
	devices/* | tools/* | examples/*) echo own ;;
	esac
}

# Libraries, and the one folder that knows each.
system_header ()
{
	case $2 in
	xen*.h | xen/*) case $1 in mmap-xen/* | tools/xen-*/*) return 0 ;; *) return 1 ;; esac ;;
	linux/userfaultfd.h) case $1 in postcopy/*) return 0 ;; *) return 1 ;; esac ;;
	liburing.h | liburing/*) case $1 in devices/*) return 0 ;; *) return 1 ;; esac ;;
	jansson.h) case $1 in devices/* | tools/*) return 0 ;; *) return 1 ;; esac ;;
	esac
}

# own FILE HEADER: is it found in the top folder of FILE (beside it, or by its path)?
own ()
{
	top=${1%%/*}
	case $2 in
	*..*) return 1 ;;
	"$top"/*) test -e "$2" ;;
	*) test -e "$(dirname "$1")/$2" || test -e "$top/$2" ;;
	esac
}

check_quoted ()
{
	may=$(allowed "$1")
	if test "$may" = own; then
		own "$1" "$2"
		return
	fi
	for beginning in $may; do
		case $2 in
		"$beginning"*) return 0 ;;
		esac
	done
	return 1
}

find src mmap-unix mmap-xen postcopy devices tools examples -name '*.[ch]' >"$tmpdir/files"
while read -r file; do
	sed -n 's,^[[:space:]]*#[[:space:]]*include[[:space:]]*\([<"][^>"]*[>"]\).*,\1,p' "$file" | sed "s,^,$file ,"
done <"$tmpdir/files" >"$tmpdir/includes"
for folder in src/util src/memory src/queue src/wire src/device mmap-unix; do
	grep -q "^$folder/" "$tmpdir/includes" || fail "read no #include line in $folder"
done

: >"$tmpdir/wrong"
while read -r file header; do
	name=$(echo "$header" | tr -d '<>"')
	case $header in
	'<vhost/'*) ;;
	'<'*) system_header "$file" "$name" || echo "$file: $header is for another folder" ;;
	*) check_quoted "$file" "$name" || echo "$file: $header is not below it" ;;
	esac
done <"$tmpdir/includes" >"$tmpdir/wrong"

grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*(if|elif).*(XEN|POSTCOPY|UFFD)' src |
	grep -vE '#ifndef [A-Z_]+_H$' | sed 's/$/: a feature is a file, not an #if/' >>"$tmpdir/wrong"

if test -s "$tmpdir/wrong"; then
	cat "$tmpdir/wrong" >&2
	fail "$(wc -l <"$tmpdir/wrong") lines against the layers"
fi
say "$(wc -l <"$tmpdir/includes") include lines of $(wc -l <"$tmpdir/files") files"
