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
	gsub (/__alignof__ \(/, "__alignof__(", line)

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
			show(statement)
		statement = line
		open = 1
	}
	hanging = goes_on
}

END { if (open) show(statement) }

# Columns that were aligned over several lines are one space apart, behind the indentation.
function show(text,	indentation)
{
	match (text, /^[ \t]*/)
	indentation = substr (text, 1, RLENGTH)
	text = substr (text, RLENGTH + 1)
	gsub (/[ \t]+/, " ", text)
	print indentation text
}
