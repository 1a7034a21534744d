#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# benchd-kernel takes the arguments of every cell of the shipped suites.
. "${top_srcdir:-.}/tests/lib/story.sh"
[ -x "$top_builddir/tests/unit/suites" ] || skip_all "the unit tests are not built"
"$top_builddir/tests/unit/suites" --print >"$tmp/cells"
check "there are many" test "$(wc -l <"$tmp/cells")" -gt 100
for suite in $(cut -d ' ' -f 1 "$tmp/cells" | sort -u); do
	grep "^$suite " "$tmp/cells" | while read -r _ _ words; do
		case "$words" in
		*threads=2*) [ "$(nproc)" -ge 2 ] || continue ;;
		esac
		# shellcheck disable=SC2086
		"$top_builddir/benchd-kernel" $words --dry-run >"$tmp/out" 2>&1 || { echo "$words"; cat "$tmp/out"; }
	done >"$tmp/bad"
	check_equal "the cells of $suite are accepted" "$(cat "$tmp/bad")" ""
done
refused=$("$top_builddir/benchd-kernel" run triad --size nonsense --dry-run 2>&1)
check_match "a wrong argument is refused without running anything" "$refused" "is not a size of stream.triad"
done_testing
