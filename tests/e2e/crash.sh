#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# kill -9 of the daemon, its worker, a runner and a measured process, a few times each, while jobs
# are filed. The long form is make bench-crash.
. "${top_srcdir:-.}/tests/lib/story.sh"
[ "${PYTHON3:-no}" != no ] || skip_all "python3 is not installed"
command -v git >/dev/null || skip_all "git is not installed"
[ -x "$top_builddir/benchd-worker" ] || skip_all "benchd-worker is not built"
trap - EXIT INT TERM
rm -rf "$tmp"
"$PYTHON3" "$top_srcdir/tests/lib/crash.py" "$top_builddir" "${CRASH_KILLS:-8}" "${CRASH_SEED:-}" | awk '
	/^(not )?ok - / { n++; sub(/ - /, " " n " - ") } { print } END { print "1.." n + 0; exit n == 0 }'
