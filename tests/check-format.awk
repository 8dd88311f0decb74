# SPDX-License-Identifier: BSD-3-Clause
# What check-format compares of a C file: everything but what clang-format cannot be told to leave to the writer: where a long statement is broken,
# tables and macros that are laid out by hand, and the tabs before a comment at the end of a line.

# Tables and macros.
/^[a-z].*= \{$/ { table = 1 }
table { if (/^\};/) table = 0; next }
/^[ \t]*#[ \t]*define/ { macro = 1 }
macro { macro = /\\$/; next }

{
	line = $0
	if (match (line, /[^ \t\/][ \t]+\/\*/))
		line = substr (line, 1, RSTART) " " substr (line, RSTART + RLENGTH - 2)
	gsub (/\) ?\{/, ") {", line)
	gsub (/\( /, "(", line)
	sub (/^_Static_assert */, "_Static_assert ", line)

	# A line that cannot be a whole statement goes on in the next one.
	goes_on = line !~ /^[ \t]*(\/?\*|\/\/|#)/ && line ~ /(,|\(|"|&&|\|\||[^*]\/|[-+|?=:<>]|= \{)$/ && line !~ /(:|case .*|default):$/
	begins = line
	sub (/^[ \t]+/, "", begins)
	if (open && (hanging || begins ~ /^(&&|\|\||[|?:+]|")/ || statement ~ /= \{/ && begins ~ /^\}[;,)]*$/)) {
		if (statement ~ /\($/ || statement ~ /"$/ && begins ~ /^"/)
			statement = statement begins
		else
			statement = statement " " begins
	} else {
		if (open)
			print statement
		statement = line
		open = 1
	}
	hanging = goes_on
}

END { if (open) print statement }
