#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The short form of make bench-jobs500: a graph of jobs, growth over many jobs, a killed worker.
. "${top_srcdir:-.}/tests/lib/story.sh"
python=$(command -v /usr/bin/python3 || command -v python3) || skip_all "python3 is not installed"
[ -x "$top_builddir/benchd-worker" ] || skip_all "benchd-worker is not built"
"$python" "$top_srcdir/bench/depth.py" "$top_builddir" --tap --graph 300 --jobs 300 --kills 3
