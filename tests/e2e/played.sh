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
mkdir -p "$cpu/cpufreq" "$cpu/thermal_throttle" "$rapl" "$hwmon" "$root/proc/sys/kernel"
echo package-0 >"$rapl/name"; echo 262143328850 >"$rapl/max_energy_range_uj"; echo 262143000000 >"$rapl/energy_uj"
echo coretemp >"$hwmon/name"; echo 40000 >"$hwmon/temp1_input"; echo 100000 >"$hwmon/temp1_crit"
echo 3000000 >"$cpu/cpufreq/scaling_max_freq"; echo 3000000 >"$cpu/cpufreq/scaling_cur_freq"
echo 5 >"$cpu/thermal_throttle/package_throttle_count"
for c in $("$python" -c 'import os; print(*os.sched_getaffinity(0))'); do
	mkdir -p "$root/sys/devices/system/cpu/cpu$c/cpufreq"
	echo performance >"$root/sys/devices/system/cpu/cpu$c/cpufreq/scaling_governor"
done
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
check_equal "hardware events are counted or unavailable, never 0" "$(echo "$samples" | ask '[p["counters"]["hardware"] in ("counted", "multiplexed", "unavailable") and p["counters"].get("instructions", 1) > 0 for p in d["processes"]]' | grep -o '[TF][a-z]*' | sort | uniq -c | awk '{ print ($1 >= 6), $2 }')" "1 True"

# The clock falls for one process in the middle of many, and the third is throttled.
count="n=\$(cat $tmp/n 2>/dev/null || echo 0); echo \$((n + 1)) >$tmp/n;"
falls="$count case \$n in 7) f=2000000;; *) f=3000000;; esac; echo \$f >$cpu/cpufreq/scaling_cur_freq; [ \$n != 3 ] || echo 6 >$cpu/thermal_throttle/package_throttle_count"
report=$(job "$(script "$falls" '{"processes": 12}')" | ask 'd["report"]')
samples=$(as application/json "$P/reports/$report?samples=true")
check_equal "a process whose clock fell is told" "$(echo "$samples" | ask '[p["freq_khz"] for p in d["processes"] if "frequency" in p["signals"]]')" "[2000000]"
check_equal "one that was throttled is noisy and replaced" "$(echo "$samples" | ask '[(p["index"], p["noise"], p["replaced"], p["throttled"]) for p in d["processes"] if "throttled" in p["signals"]]')" "[(3, 'noisy', True, 1)]"
check_equal "another ran in its place" "$(echo "$samples" | ask 'sum(not p["replaced"] for p in d["processes"])')" "12"

# Two of three pairs are noisy, more than may be replaced: a look counts what the report does, and goes on
# until that decides.
bump="read t <$cpu/thermal_throttle/package_throttle_count; echo \$((t + 1)) >$cpu/thermal_throttle/package_throttle_count"
base="m=\$(cat $tmp/m 2>/dev/null || echo 0); echo \$((m + 1)) >$tmp/m; [ \$((m % 3)) = 2 ] || { $bump; }; sleep 0.01"
answer=$(job "$(script "sleep 0.05" '{"processes": 10, "max_processes": 200, "adaptive": true}')" ",$("$python" -c 'import json,sys; print(json.dumps({"base_argv": ["sh", "-c", sys.argv[1]], "head_argv": ["sh", "-c", "sleep 0.05"]})[1:-1])' "$base")")
check_equal "a comparison goes on beyond noisy pairs" "$(echo "$answer" | ask '(d["state"], d["outcome"])')" "('succeeded', 'slower')"
rows=$(as application/json "$P/compare?job=$(echo "$answer" | ask 'd["uuid"]')" | ask '[(r["n_base"], r["n_head"]) for r in d["rows"] if r["measure"] == "Latency"]')
check_match "which do not count" "$rows" "^\[\(([89]|[1-9][0-9]), \1\)\]$"
check_equal "although not all were replaced" "$(as application/json "$(echo "$answer" | ask 'd["links"]["processes"]' | sed "s,^$url,,")" | ask 'sum(p["noise"] == "noisy" and not p["replaced"] for p in d) > 0')" True

# Demands on the host: met, not met, and what this daemon and worker both know.
all='["aslr","no_swap","energy","governor","mains"]'
echo 2 >"$root/proc/sys/kernel/randomize_va_space"
check_equal "a host that has what is asked for is measured" "$(job "$(script true "{\"require\": $all}")" | ask 'd["state"]')" succeeded
echo schedutil >"$cpu/cpufreq/scaling_governor"
refused() { job "$(script true "{\"require\": $1}" | sed 's/"slot": "shared"/"slot": "exclusive"/')" | ask '(d["state"], d["fault"], d["attempt"], d["reason"])'; }
check_match "one that has not is not, with what to do" "$(refused "$all")" "\('failed', 'runner', 1, .*asks for the frequency governor .*performance.*, which this host does not have: that of cpu [0-9]+ is schedutil; see benchd-tune apply --set governor"
for name in no_turbo whole_cores isolated; do
	check_match "what the host does not tell is not met: $name" "$(refused "[\"$name\"]")" "'failed', 'runner', 1, .*protocol.require asks for"
done
check_match "a word that is none is refused when it is filed" "$(job "$(script true '{"require": ["silence"]}')")" "'protocol/require/0' must be quiet, governor"
mkdir -p "$root/sys/class/power_supply/AC"; echo 0 >"$root/sys/class/power_supply/AC/online"
check_match "a battery is no mains" "$(refused '["mains"]')" "asks for mains power, which this host does not have"

# Too hot to measure: it is waited for, and told when it was in vain.
echo 95000 >"$hwmon/temp1_input"
hot=$(script true '{"idle_wait": 5, "processes": 1, "require": ["quiet"]}' | sed 's/"slot": "shared"/"slot": "exclusive"/')
answer=$(job "$hot")
check_match "a hot host is waited for and is no quiet one" "$(echo "$answer" | ask '(d["attempt"], d["reason"])')" "1, .*asks for a quiet host, which this host does not have; give it a longer idle_wait"
events() { curl -s -N -m "$1" -H 'Accept: text/event-stream' "$(ask 'd["links"]["events"]')"; }
check_match "for which reason is told" "$(echo "$answer" | events 20)" '95 C, waiting for less than 90 C \(at most 5 s\)'
(sleep 2; echo 45000 >"$hwmon/temp1_input") &
cools=$(echo "$hot" | sed 's/"idle_wait": 3/"idle_wait": 100/')
answer=$(curl -s -H 'Content-Type: application/json' --data "{\"definition\":$cools}" "$url$P/jobs")
check_match "one that cools down is measured" "$(echo "$answer" | events 100 | sed '/"measure"/q')" '"measure"'
curl -s -X DELETE "$(echo "$answer" | ask 'd["links"]["self"]')" >/dev/null # noisy ones would be measured again
wait_for 30 sh -c "curl -s '$(echo "$answer" | ask 'd["links"]["self"]')' | grep -Eq '\"(canceled|succeeded)\"'"

# Settings that are changed while the worker runs: the next job knows, and one in the middle is not used.
echo 0 >"$root/proc/sys/kernel/randomize_va_space"
report=$(job "$(script "$step")" | ask 'd["report"]')
check_match "a setting that is changed under a running worker begins the history anew" "$(as text/plain "$P/reports/$report")" 'note: .*the environment is another one \(.*policies.aslr: .*-> 0'
wait_for 20 sh -c "curl -s '$url/v0/testbeds/live' | grep -q '\"aslr\": *\"0\"'"
check_equal "and is told of the live host" "$?" 0
answer=$(job "$(script "$count echo 1 >$root/proc/sys/kernel/randomize_va_space")")
check_match "what was measured before and behind a change is measured again" "$(echo "$answer" | events 20)" 'set otherwise while it was measured \(aslr: ..*0.* -> .*1'
check_equal "and succeeds then" "$(echo "$answer" | ask '(d["state"], d["attempt"])')" "('succeeded', 2)"

# Another kernel is another machine, also for a job that goes on behind the restart.
rm -f "$tmp/n"
self=$(curl -s -H 'Content-Type: application/json' --data "{\"definition\":$(script "$count [ \$n -lt 3 ] || until [ -e $tmp/go ]; do sleep 0.05; done")}" "$url$P/jobs" | ask 'd["links"]["self"]')
wait_for 30 sh -c "curl -s '$self' | $python -c 'import json,sys; sys.exit(json.load(sys.stdin)[\"progress\"][\"done\"] < 2)'"
kill -9 "$worker"; wait "$worker" 2>/dev/null; worker=
echo 6.1.0-26 >"$root/proc/sys/kernel/osrelease"
: >"$tmp/go"
start_worker
report=$(curl -s -m 120 "$self?wait=100s" | ask 'd["report"]')
samples=$(as application/json "$P/reports/$report?samples=true")
check_equal "what was measured on the earlier one does not count" "$(echo "$samples" | ask '(lambda first, those: first not in those and len(those))(min(d["processes"], key=lambda p: p["seq"])["environment"], {p["environment"] for p in d["processes"] if not p["replaced"]})')" 1
check_equal "all of it is measured again" "$(echo "$samples" | ask 'sum(not p["replaced"] for p in d["processes"]), len({p["environment"] for p in d["processes"]})')" "6 2"
check_match "a changed fact begins the history anew" "$(as text/plain "$P/reports/$report")" 'note: .*the environment is another one \(.*kernel: 6.1.0-25 -> 6.1.0-26'
done_testing
