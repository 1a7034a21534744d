#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon's list of kernel names is what benchd-kernel has.
. "${top_srcdir:-.}/tests/lib/story.sh"
table=$top_srcdir/daemon/model/kernel_table.h
sed -n 's/^\tX("\([^"]*\)".*/\1/p' "$table" | sort >"$tmp/daemon"
"$top_builddir/benchd-kernel" list | awk 'NR > 1 && /^[a-z]/ { print $1 }' | sort >"$tmp/kernel"
check "the list is not empty" test -s "$tmp/kernel"
check "the daemon's names are those of benchd-kernel list" diff "$tmp/daemon" "$tmp/kernel"
"$top_builddir/benchd-kernel" run stream.copy --backend nothing 2>&1 | sed 's/.*one of //' | tr -d ' ' | tr , '\n' >"$tmp/kernel"
awk '/ backends\[\]/ { on = 1 } on { print } on && /};/ { exit }' "$top_srcdir/daemon/model/kernel_values.c" |
	grep -o '"[a-z]*"' | tr -d '"' | grep -v '^all$' >"$tmp/daemon"
check "the daemon's backends are those of benchd-kernel" diff "$tmp/daemon" "$tmp/kernel"
if [ "${PYTHON3:-no}" != no ]; then
	"$top_builddir/benchd-kernel" list --json | "$PYTHON3" -c '
import json, sys
for line in sys.stdin:
    k = json.loads(line)
    f = k["size_form"]
    print("X(\"%s\", \"%s\", \"%s\", \"%s\", \"%s\", %d, %d, %d, %d, %d)" % (k["kernel"], ",".join(k["dtypes"]),
        ",".join(k["backends"]), ",".join(k["sizes"]), k["dims"], f["dims"], f["short"], f["pow2"], f["min"], f["max"]))' |
		sort >"$tmp/kernel"
	sed -n 's/^\t\(X(.*)\).*/\1/p' "$table" | sort >"$tmp/daemon"
	for optional in vulkan blas fftw; do # what this build may have been made without
		grep -q ",$optional[,\"]" "$tmp/kernel" || sed -i "s/,$optional//" "$tmp/daemon"
	done
	check "what the daemon checks jobs by is what each kernel takes" diff "$tmp/daemon" "$tmp/kernel"
fi
done_testing
