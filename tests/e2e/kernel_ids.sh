#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon's list of kernel names is what benchd-kernel has.
. "${top_srcdir:-.}/tests/lib/story.sh"
sed -n 's/^\t"\(.*\)",$/\1/p' "$top_srcdir/daemon/model/kernel_ids.c" | sort >"$tmp/daemon"
"$top_builddir/benchd-kernel" list | awk 'NR > 1 && /^[a-z]/ { print $1 }' | sort >"$tmp/kernel"
check "the list is not empty" test -s "$tmp/kernel"
check "the daemon's names are those of benchd-kernel list" diff "$tmp/daemon" "$tmp/kernel"
done_testing
