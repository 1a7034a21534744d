#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every route of the API with every kind of caller, on a daemon that needs tokens.
. "${top_srcdir:-.}/tests/lib/story.sh"
[ "${PYTHON3:-no}" != no ] || skip_all "python3 is not installed"
trap - EXIT INT TERM
rm -rf "$tmp"
exec "$PYTHON3" "$top_srcdir/tests/lib/scopes.py" "$top_builddir/benchd"
