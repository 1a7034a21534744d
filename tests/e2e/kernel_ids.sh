#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon's list of kernel names is what benchd-kernel has.
. "${top_srcdir:-.}/tests/lib/story.sh"
sed -n 's/^\t"\(.*\)",$/\1/p' "$top_srcdir/daemon/model/kernel_ids.c" | sort >"$tmp/daemon"
"$top_builddir/benchd-kernel" list | awk 'NR > 1 && /^[a-z]/ { print $1 }' | sort >"$tmp/kernel"
check "the list is not empty" test -s "$tmp/kernel"
check "the daemon's names are those of benchd-kernel list" diff "$tmp/daemon" "$tmp/kernel"
"$top_builddir/benchd-kernel" run stream.copy --backend nothing 2>&1 | sed 's/.*one of //' | tr -d ' ' | tr , '\n' >"$tmp/kernel"
awk '/ backends\[\]/ { on = 1 } on { print } on && /};/ { exit }' "$top_srcdir/daemon/model/kernel_values.c" |
	grep -o '"[a-z]*"' | tr -d '"' | grep -v '^all$' >"$tmp/daemon"
check "the daemon's backends are those of benchd-kernel" diff "$tmp/daemon" "$tmp/kernel"
done_testing
