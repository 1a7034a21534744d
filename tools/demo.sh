#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: demo.sh BUILD-FOLDER [--keep] [--quick]
# The main job on real input, in a temporary folder and on a free port: a table of kernels, then a
# small git repository measured commit by commit, the slow commit named. --keep leaves the daemon up
# to be looked at until Enter or Ctrl-C. --quick leaves the kernel table out.
# Exit 0 only when exactly the one slow commit was flagged.
set -eu
build=$(cd "$1" && pwd)
src=$(cd "$(dirname "$0")/.." && pwd)
shift
keep= quick=
for arg in "$@"; do
	case $arg in
	--keep) keep=1 ;;
	--quick) quick=1 ;;
	*) echo "demo.sh: unknown option '$arg'; there are --keep and --quick" >&2; exit 2 ;;
	esac
done
PATH=$build:$PATH
started=$(date +%s)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/benchd-demo.XXXXXX")
daemon=
finish() {
	status=$?
	trap - EXIT INT TERM
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
	[ -z "$daemon" ] || wait "$daemon" 2>/dev/null || true
	rm -rf "$tmp"
	exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM
say() { printf '\n== %s\n' "$*"; }
fail() { echo "demo: $*" >&2; [ ! -s "$tmp/daemon.log" ] || tail -n 20 "$tmp/daemon.log" >&2; exit 1; }

if [ -z "$quick" ]; then
	say "Kernels on this machine: throughput, percent of the measured ceiling, accuracy"
	kernels=stream.triad,stream.dot,regrid.nearest,regrid.bilinear
	benchd-kernel run "$kernels" --backend scalar,simd,threads --dtype f64 --samples 5
	# A GPU at its own sizes; where there is only a software device, small ones: they show that the
	# shaders are right, not how fast a GPU is. A host without Vulkan says so and goes on.
	if ! benchd-kernel run "$kernels" --backend vulkan --dtype f64 --samples 5 >"$tmp/vulkan.table" 2>"$tmp/vulkan.txt"; then
		if grep -q 'software device' "$tmp/vulkan.txt"; then
			echo "(only a software Vulkan device here: small sizes, verified, no measure of a GPU)"
			benchd-kernel run "$kernels" --backend vulkan --device cpu --size small --dtype f64 --samples 5
		else
			sed 's/^benchd-kernel: //; 1q' "$tmp/vulkan.txt"
		fi
	else
		cat "$tmp/vulkan.table"
	fi
fi

say "A daemon on a free port, a repository of $(grep -c "^commit '" "$src/examples/make-history.sh") commits"
benchd --listen 127.0.0.1:0 --state "$tmp/state" >"$tmp/daemon.out" 2>"$tmp/daemon.log" &
daemon=$!
for _ in $(seq 100); do
	grep -q 'listening on' "$tmp/daemon.out" && break
	kill -0 "$daemon" 2>/dev/null || fail "benchd did not start"
	sleep 0.1
done
BENCHD_HOST=$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' "$tmp/daemon.out" | head -n 1)
[ -n "$BENCHD_HOST" ] || fail "benchd did not say where it listens"
export BENCHD_HOST BENCHD_PROJECT=orbit
sh "$src/examples/make-history.sh" "$tmp/orbit" >/dev/null
# Five minutes at most, whatever else the host does: it is taken as it is, noisy runs are not repeated.
sed -e "s,@REPOSITORY@,$tmp/orbit," -e 's,idle_wait: 2s,idle_wait: 0s,' "$src/examples/orbit.yaml" >"$tmp/orbit.yaml"
benchctl workload orbit --file "$tmp/orbit.yaml" --quiet || fail "the workload was refused"
echo "benchd at $BENCHD_HOST, state in $tmp/state"

say "Measuring each commit: build, 10 fresh processes of 5 samples for each of 2 benchmarks"
git -C "$tmp/orbit" log --reverse --format='%H %h %s' main >"$tmp/commits"
n=$(wc -l <"$tmp/commits") i=0
: >"$tmp/jobs"
while read -r hash _; do
	benchctl submit orbit --head "$hash" --branch main --priority nightly >>"$tmp/jobs"
done <"$tmp/commits"
exec 3<"$tmp/jobs"
while read -r _ short subject; do
	i=$((i + 1))
	read -r job <&3
	if benchctl watch "$job" --quiet >"$tmp/job.txt"; then
		values=$(awk '$1 == "kepler" || $1 == "wave" { if ($2 == "Latency") printf "  %s %s %s", $1, $3, $4 }' "$tmp/job.txt")
		printf '%2d/%d  %s  %-48.48s%s\n' "$i" "$n" "$short" "$subject" "$values"
	else
		benchctl log "$job" || true
		fail "job $job ended badly"
	fi
done <"$tmp/commits"

say "Suspected changes are measured again, interleaved with the commit before"
# As long as anything moves; on a host that does other work this takes longer than five minutes.
: >"$tmp/before"
still=0
while benchctl jobs --state blocked,queued,waiting_host,running,retry_wait --format csv >"$tmp/left" &&
	[ "$(wc -l <"$tmp/left")" -gt 1 ]; do
	cmp -s "$tmp/left" "$tmp/before" && still=$((still + 1)) || still=0
	[ "$still" -lt 240 ] || { cat "$tmp/left" >&2; fail "nothing has moved for two minutes; these jobs are left"; }
	mv "$tmp/left" "$tmp/before"
	sleep 0.5
done

benchctl changes
slow=$(grep 'one more Newton step' "$tmp/commits" | cut -d' ' -f2)
flagged=$(benchctl changes --json | sed -n 's/.*"hash": "\([0-9a-f]\{7\}\).*/\1/p' | sort -u | tr '\n' ' ')
echo
if [ "$flagged" = "$slow " ]; then
	echo "The slow commit is $slow, and no other is flagged. ($(($(date +%s) - started)) s)"
	verdict=0
else
	echo "Flagged: ${flagged:-nothing}. The slow commit is $slow. ($(($(date +%s) - started)) s)"
	# Waiting for a processor, percent of the last five minutes: next to nothing on a quiet host.
	pressure=$(sed -n 's/^some .*avg300=\([0-9]*\).*/\1/p' /proc/pressure/cpu 2>/dev/null || true)
	[ "${pressure:-0}" -lt 10 ] || echo "This host does other work (cpu pressure $pressure %), which hides 10 %: run it again when it is quiet."
	verdict=1
fi
if [ -n "$keep" ]; then
	say "Look at $BENCHD_HOST/projects/orbit in a browser, or: BENCHD_HOST=$BENCHD_HOST BENCHD_PROJECT=orbit benchctl series"
	echo "Enter or Ctrl-C ends the daemon and removes $tmp."
	if [ -t 0 ]; then read -r _ || true; else wait "$daemon"; fi
fi
exit $verdict
