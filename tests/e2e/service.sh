#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# benchd under a service manager: readiness, watchdog, reload, passed-in sockets, a worker of its own
# unit, orderly stop and what goes on after it; clients that come again after a kill.
. "${top_srcdir:-.}/tests/lib/story.sh"
[ "${PYTHON3:-no}" != no ] || skip_all "python3 is not installed"
[ -x "$top_builddir/benchd-worker" ] || skip_all "benchd-worker is not built"
trap - EXIT INT TERM
rm -rf "$tmp"
exec "$PYTHON3" "$top_srcdir/tests/lib/service.py" "$top_builddir"
