#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# automake's TAP driver, which this starts with what it was given, and beside NAME.log a NAME.time:
# seconds from start to end, seconds of processor of the test and all that it waited for.
for arg; do
	[ "${last:-}" != --log-file ] || log=$arg
	last=$arg
done
start=$(date +%s.%N)
sh "$(dirname "$0")/../../build-aux/tap-driver.sh" "$@"
status=$?
times >"${log%.log}.time" # its second line has the children: user and system, each as 1m2.5s
took=$(awk -v start="$start" -v end="$(date +%s.%N)" '
	function seconds(t,  part) { split(t, part, /[ms]/); return part[1] * 60 + part[2] }
	NR == 2 { printf "%.1f %.1f\n", end - start, seconds($1) + seconds($2) }' "${log%.log}.time")
echo "$took" >"${log%.log}.time"
exit $status
