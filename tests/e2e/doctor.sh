#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# benchctl doctor: what it says about a host that has everything wrong, about one that has nothing
# wrong, and that what it tells one to run exists.
. "${top_srcdir:-.}/tests/lib/story.sh"
ctl=$top_builddir/benchctl tune=$top_builddir/benchd-tune
command -v jq >/dev/null || skip_all "jq is not installed"

# put FILE TEXT: below the folder that plays /
put() { mkdir -p "$root/$(dirname "$1")" && printf '%b\n' "$2" >"$root/$1"; }
cpu=$(awk '/^Cpus_allowed_list/ { n = split($2, v, /[,-]/); print v[n] }' /proc/self/status)
# $1: value of each setting of the pair good/bad
host() {
	root=$tmp/$1
	[ "$1" = bad ] && n=2 || n=1
	pick() { eval "put \"\$1\" \"\$$((n + 1))\""; }
	pick sys/devices/system/cpu/cpufreq/policy0/scaling_governor performance powersave
	pick sys/devices/system/cpu/cpufreq/policy1/scaling_governor performance performance
	pick sys/devices/system/cpu/intel_pstate/no_turbo 1 0
	pick "sys/devices/system/cpu/cpu$cpu/topology/thread_siblings_list" "$cpu" "$cpu,77"
	pick sys/kernel/mm/transparent_hugepage/enabled 'always [madvise] never' '[always] madvise never'
	pick proc/swaps 'Filename' 'Filename\n/dev/sda2 partition 1 0 -2'
	pick proc/sys/vm/swappiness 60 60
	pick sys/kernel/mm/ksm/run 0 1
	pick sys/devices/system/node/node1/cpulist 1 1
	pick proc/sys/kernel/numa_balancing 0 1
	pick proc/sys/kernel/randomize_va_space 2 0
	pick sys/devices/system/clocksource/clocksource0/current_clocksource tsc hpet
	pick proc/sys/kernel/perf_event_paranoid 1 4
	pick proc/sys/kernel/nmi_watchdog 0 1
	pick sys/class/hwmon/hwmon0/temp1_input 45000 91000
	pick sys/class/power_supply/AC/online 1 0
	pick sys/class/powercap/intel-rapl:0/name package-0 package-0
	pick sys/class/powercap/intel-rapl:0/energy_uj 5 denied
	pick proc/cpuinfo 'flags : fpu tsc' 'flags : fpu tsc'
	pick proc/self/cgroup '0::/a/b' '0::/a/b'
	pick sys/fs/cgroup/a/b/cpu.max 'max 100000' 'max 100000'
	pick sys/fs/cgroup/a/cpu.max 'max 100000' '150000 100000'
	pick sys/devices/system/cpu/isolated "$cpu" ''
}
host good
"$ctl" doctor --root "$root" --json >"$tmp/good.json"
check_equal "a host with everything right has nothing to change" \
	"$(jq -r '.findings[] | select(.area == "settings" or .area == "place") | select(.level != "ok") | .check' "$tmp/good.json" | grep -v '^cpus$')" ""
host bad
"$ctl" doctor --root "$root" --json >"$tmp/bad.json"
level() { jq -r --arg c "$1" '.findings[] | select(.check == $c) | .level' "$tmp/bad.json"; }
for check in "CPU frequency governor" turbo "SMT (hyper-threads)" "transparent huge pages" swap KSM "NUMA balancing" ASLR \
	"hardware counters" "NMI watchdog" temperature; do
	check_equal "it finds: $check" "$(level "$check")" look
done
for check in "clock source" "power supply" "CPU quota of the control group"; do
	check_equal "it finds, as what makes results worthless: $check" "$(level "$check")" bad
done
check_equal "energy that only root may read is a note" "$(level "energy counters")" note
check_match "one governor that differs is seen" "$(jq -r '.findings[].value' "$tmp/bad.json")" 'powersave, performance'
check_match "the quota of a group above is seen" "$(jq -r '.findings[].value' "$tmp/bad.json")" '^1.50 cpus$'
check_equal "each that can be changed says what it brings" \
	"$(jq '[.findings[] | select(.level == "look" or .level == "bad") | select(.advice == null or .gain == null)] | length' "$tmp/bad.json")" 0
names=$(jq -r '.findings[].remedy // empty | select(startswith("benchd-tune")) | sub(".*--set "; "") | sub(" .*"; "")' "$tmp/bad.json" | tr ',' '\n' | sort -u)
check "there are remedies" test "$(echo "$names" | wc -l)" -ge 7
for name in $names; do
	[ ! -x "$tune" ] || check_match "benchd-tune knows '$name'" "$("$tune" show --set "$name" --root "$root" 2>&1; echo " $?")" ' [013]$'
done
check_equal "the figures are there" \
	"$(jq '[.measured | .within, .between, .between_unpinned, .between_paired, .detectable, .detectable_interleaved, .timer_ns, .late_wakeup_ns] | map(type) | unique | join(",")' "$tmp/bad.json")" '"number"'
check_equal "what is missing in a host is left out, not invented" "$(mkdir "$tmp/empty"; "$ctl" doctor --root "$tmp/empty" --json | jq '[.findings[] | select(.check == "ASLR" or .check == "turbo" or .check == "KSM")] | length')" 0
"$ctl" doctor --json --fail-on look >"$tmp/here.json" && rc=0 || rc=$?
if [ -x "$top_builddir/benchd-worker" ] && [ "$(cat /proc/sys/kernel/perf_event_paranoid 2>/dev/null || echo 3)" -le 2 ]; then
	counts=$("$top_builddir/benchd-worker" --fingerprint --state "$tmp/w" | jq .state.hardware_counters)
	check_equal "hardware counters are ok only where there are any" "$(jq -r '.findings[] | select(.check == "hardware counters") | .level == "ok"' "$tmp/here.json")" "$counts"
fi
check_equal "--fail-on follows the verdict" "$rc" "$(jq 'if .verdict.level == "ok" then 0 else 4 end' "$tmp/here.json")"
sh -c 'while :; do :; done' &
busy=$!
check_match "a busy process is named" "$("$ctl" doctor --json | jq -c '.busy')" "\"pid\":$busy,"
kill $busy
text=$("$ctl" doctor --root "$root" 2>&1)
check_match "the text says what to do first" "$text" 'what to change, first things first'
check_match "and names the tool for root" "$text" 'As root: benchd-tune apply --set governor'
check_match "and ends in a verdict" "$(echo "$text" | tail -n 1)" '^This host'
"$ctl" doctor --fail-on never 2>"$tmp/err" && rc=0 || rc=$?
check_equal "a wrong level is a wrong call" "$rc" 2
check_match "that says which there are" "$(cat "$tmp/err")" "look or bad, not 'never'"
done_testing
