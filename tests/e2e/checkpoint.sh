#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The short form of make bench-checkpoint: a sweep goes on where a kill stopped it.
. "${top_srcdir:-.}/tests/lib/story.sh"
python=$(command -v /usr/bin/python3 || command -v python3) || skip_all "python3 is not installed"
[ -x "$top_builddir/benchd-worker" ] || skip_all "benchd-worker is not built"
"$python" "$top_srcdir/bench/checkpoint.py" "$top_builddir" --tap --processes 40 --kills 4 --forms worker,unit-daemon,unit-restart,unit-both
