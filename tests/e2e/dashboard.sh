#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The dashboard in a real Chromium: every page, keyboard only, narrow, dark, hostile names.
. "${top_srcdir:-.}/tests/lib/story.sh"
[ "${PYTHON3:-no}" != no ] || skip_all "python3 is not installed"
command -v chromium >/dev/null || skip_all "chromium is not installed"
check "the vendored files are those that were pinned" sh -c "(cd '$top_srcdir/daemon/dashboard/vendor' && sha256sum -c SHA256SUMS) && (cd '$top_srcdir/tests/vendor/axe-core' && sha256sum -c SHA256SUMS)"
[ "$story_failed" = 0 ] || done_testing
trap - EXIT INT TERM
rm -rf "$tmp"
# One plan for both: the pinned files were test 1.
"$PYTHON3" "$top_srcdir/tests/lib/dashboard.py" "$top_builddir" | awk '
	/^(not )?ok / { n++; sub(/ok [0-9]+/, "ok " n + 1) } /^1\.\./ { print "1.." n + 1; next } { print } END { exit n == 0 }'
