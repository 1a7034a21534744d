#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Hardware that this host may lack, played by files: energy counters, a clock that falls, throttling
# and heat. What they say reaches the store, the API and the report.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
python=$(command -v /usr/bin/python3 || command -v python3) || skip_all "python3 is not installed"
BENCHD_LOCK_DIR=$tmp
export BENCHD_LOCK_DIR
cat >"$tmp/benchd.yaml" <<EOF
allow_adhoc_commands: true
worker: {embedded: false, socket: $tmp/worker.sock}
EOF
check "the daemon starts" start_daemon --config "$tmp/benchd.yaml"
root=$tmp/root
cpu=$("$python" -c 'import os; print(min(os.sched_getaffinity(0)))')
cpu=$root/sys/devices/system/cpu/cpu$cpu rapl=$root/sys/class/powercap/intel-rapl:0 hwmon=$root/sys/class/hwmon/hwmon0
mkdir -p "$cpu/cpufreq" "$cpu/thermal_throttle" "$rapl" "$hwmon" "$root/proc/sys/kernel" "$root/sys/devices/system/cpu/cpu0/cpufreq"
echo package-0 >"$rapl/name"; echo 262143328850 >"$rapl/max_energy_range_uj"; echo 262143000000 >"$rapl/energy_uj"
echo coretemp >"$hwmon/name"; echo 40000 >"$hwmon/temp1_input"; echo 100000 >"$hwmon/temp1_crit"
echo 3000000 >"$cpu/cpufreq/scaling_max_freq"; echo 3000000 >"$cpu/cpufreq/scaling_cur_freq"
echo 5 >"$cpu/thermal_throttle/package_throttle_count"
echo performance >"$root/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
echo 6.1.0-25 >"$root/proc/sys/kernel/osrelease"
P=/v0/projects/p worker=
start_worker() {
	[ -z "$worker" ] || { kill "$worker"; wait "$worker"; }
	spawn "$tmp/worker.log" "$top_builddir/benchd-worker" --socket "$tmp/worker.sock" --state "$tmp/worker" --root "$root"
	worker=$spawned
}
job() { # DEFINITION: the job when it has ended
	curl -s -m 120 -H 'Content-Type: application/json' --data "{\"definition\":$1${2:-}}" "$url$P/jobs?wait=100s"
}
ask() { "$python" -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
as() { curl -s -m 60 -H "Accept: $1" "$url$2"; }
script() { # SCRIPT [PROTOCOL]: definition
	"$python" -c 'import json,sys; print(json.dumps({"name": "c", "kind": "command", "isolation": "none", "slot": "shared", "command": ["sh", "-c", sys.argv[1]], "protocol": dict({"processes": 6, "adaptive": False, "idle_wait": 0}, **json.loads(sys.argv[2]))}))' "$1" "${2:-{\}}"
}
start_worker

# Each process uses 1.25 J, and the first finds the counter at its end: 328850 uJ before it comes round.
step="read e <$rapl/energy_uj; echo \$(((e + 1250000) % 262143328850)) >$rapl/energy_uj"
report=$(job "$(script "$step")" | ask 'd["report"]')
rows='[(m["measure"]["slug"], round(m["metric"]["value"], 6)) for b in d["results"][0] for m in b["measures"]]'
check_match "energy is a measure of the report, also where the counter came round" "$(as application/json "$P/reports/$report" | ask "$rows")" "'package-energy', 1.25\)"
check_match "and printed with its unit" "$(as text/plain "$P/reports/$report")" "Package Energy +1.25 J"
check_match "and in Markdown" "$(as text/markdown "$P/reports/$report")" "1.25 J"
check_match "and on the page" "$(as text/html "/projects/p/reports/$report")" "1.25 J"
samples=$(as application/json "$P/reports/$report?samples=true")
check_equal "each record has it" "$(echo "$samples" | ask 'sorted({p["energy_uj"] for p in d["processes"]})')" "[1250000]"
check_equal "and heat and clock" "$(echo "$samples" | ask 'sorted({(p["temp_before_mc"], p["temp_mc"], p["freq_khz"], p["throttled"]) for p in d["processes"]})')" "[(40000, 40000, 3000000, 0)]"
check_equal "hardware events are counted or unavailable, never 0" "$(echo "$samples" | ask '[p["counters"]["hardware"] in ("counted", "multiplexed", "unavailable") and p["counters"].get("instructions", 1) > 0 for p in d["processes"]]')" "[True, True, True, True, True, True]"

# The clock falls for one process in the middle of many, and the third is throttled.
count="n=\$(cat $tmp/n 2>/dev/null || echo 0); echo \$((n + 1)) >$tmp/n;"
falls="$count case \$n in 7) f=2000000;; *) f=3000000;; esac; echo \$f >$cpu/cpufreq/scaling_cur_freq; [ \$n != 3 ] || echo 6 >$cpu/thermal_throttle/package_throttle_count"
report=$(job "$(script "$falls" '{"processes": 12}')" | ask 'd["report"]')
samples=$(as application/json "$P/reports/$report?samples=true")
check_equal "a process whose clock fell is told" "$(echo "$samples" | ask '[p["freq_khz"] for p in d["processes"] if "frequency" in p["signals"]]')" "[2000000]"
check_equal "one that was throttled is noisy and replaced" "$(echo "$samples" | ask '[(p["index"], p["noise"], p["replaced"], p["throttled"]) for p in d["processes"] if "throttled" in p["signals"]]')" "[(3, 'noisy', True, 1)]"
check_equal "another ran in its place" "$(echo "$samples" | ask 'sum(not p["replaced"] for p in d["processes"])')" "12"

# Another kernel is another machine.
echo 6.1.0-26 >"$root/proc/sys/kernel/osrelease"
start_worker
report=$(job "$(script "$step")" | ask 'd["report"]')
check_match "a changed fact begins the history anew" "$(as text/plain "$P/reports/$report")" 'note: .*the environment is another one \(kernel: 6.1.0-25 -> 6.1.0-26\)'
done_testing
