#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Schedules against a real daemon whose clock the story moves: slots fire once, through kills at the
# worst instants, restarts and clocks that are set; misfires, pause, overlap; benchctl and YAML.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
[ -x "$top_builddir/benchd-worker" ] || skip_all "benchd-worker is not built"
BENCHD_LOCK_DIR=$tmp/lock BENCHD_TEST_CLOCK=$tmp/clock
export BENCHD_LOCK_DIR BENCHD_TEST_CLOCK
mkdir "$tmp/lock"
echo 0 >"$tmp/clock"
ctl=$top_builddir/benchctl

post() { curl -s -m 60 -H 'Content-Type: application/json' --data "$2" "$url$1"; }
patch() { curl -s -m 60 -X PATCH -H 'Content-Type: application/json' --data "$2" "$url$1"; }
get() { curl -s -m 60 "$url$1"; }
field() { grep -o "\"$1\": *\"\{0,1\}[^\",}]*" | head -n 1 | sed 's/.*[":]//'; }
put_clock() { echo "$1" >"$tmp/clock.new" && mv "$tmp/clock.new" "$tmp/clock"; }
P=/v0/projects/p
filed() { get "$P/schedules/$1/firings?limit=1000" | grep -o '"state":"filed"' | wc -l; }
has_filed() { [ "$(filed "$1")" = "$2" ]; }
n_jobs() { get "$P/jobs?limit=1000&workload=$1" | grep -o '"uuid"' | wc -l; }
day0=$(($(date -u +%s) / 86400 + 1))
move_to() { # SECONDS-OF-THE-DAY (UTC) [DAYS]: the clock shows it, that many days after tomorrow
	put_clock $(((day0 + ${2:-0}) * 86400 + $1 - $(date -u +%s)))
}
config() {
	cat >"$tmp/benchd.yaml" <<EOF
workloads:
  quick: {kind: command, command: ["true"], protocol: {processes: 1, samples: 1, adaptive: false, idle_wait: 0}}
  built: {kind: build, repository: $tmp/repo, benchmarks: [{name: b, command: ["true"]}], protocol: {processes: 1, samples: 1, adaptive: false, idle_wait: 0}}
  slow: {kind: command, command: [sleep, "600"], protocol: {processes: 1, adaptive: false, idle_wait: 0}}
schedules:
$1
EOF
}
config '  declared: {project: p, cron: "@monthly", workload: quick, misfire: skip}'
move_to 39600 # 11:00
start() { start_daemon --config "$tmp/benchd.yaml"; }
stop_hard() { kill -9 "$daemon" 2>/dev/null; wait "$daemon" 2>/dev/null; }

check "the daemon starts" start
check_match "what the file declares is there" "$(get "$P/schedules")" '"name":"declared".*"source":"config"'
check_match "and is changed in the file only" "$(patch "$P/schedules/declared" '{"cron":"@daily"}')" "declared in the configuration"
check_match "but can be paused" "$(patch "$P/schedules/declared" '{"paused":true}')" '"paused":true'

check_match "a schedule is made" "$(post "$P/schedules" '{"name":"noon","cron":"0 12 * * *","workload":"quick"}')" '"next":"[^"]*T12:00:00Z"'
check_match "its name is taken then" "$(post "$P/schedules" '{"name":"noon","cron":"0 12 * * *","workload":"quick"}')" "already"
check_match "a wrong rule is refused by name" "$(post "$P/schedules" '{"name":"x","cron":"0 25 * * *","workload":"quick"}')" "'25' is no hour"
check_match "an unknown workload is refused now, not at night" "$(post "$P/schedules" '{"name":"x","cron":"@daily","workload":"quik"}')" "did you mean 'quick'"
check_match "and proving it files nothing" "$(get "$P/jobs")" '^\[\]'
check_match "the next slots are shown" "$(curl -s -H 'Accept: text/plain' "$url$P/schedules/noon/next?n=3")" "3 slots"

# Killed between the slot's row and its job, and once more right behind the job, before the commit.
for place in schedule.row schedule.filed; do
	stop_hard
	BENCHD_FAILPOINT=$place:1 start_daemon --config "$tmp/benchd.yaml" >/dev/null
	move_to 43201
	killed() { ! kill -0 "$daemon" 2>/dev/null; }
	check "the daemon is killed at $place" wait_for 30 killed
	stop_hard
	move_to 39600
	[ $place = schedule.row ] && check "it starts again" start && check_equal "nothing of that firing is there" "$(filed noon)/$(n_jobs quick)" 0/0
done
move_to 43202
check "it starts once more" start
check "the slot fires" wait_for 30 has_filed noon 1
sleep 1
check_equal "once" "$(filed noon)/$(n_jobs quick)" 1/1
stop_hard
check "killed again and started again" start
sleep 1
check_equal "it does not fire twice" "$(filed noon)/$(n_jobs quick)" 1/1
move_to 39600
sleep 1
move_to 43203
sleep 1
check_equal "nor when the clock is set back and forth" "$(filed noon)/$(n_jobs quick)" 1/1
check_match "the job says where it came from" "$(get "$P/jobs?workload=quick")" '"submitter":"schedule:noon"|"trigger":"schedule"'
check_match "its priority is that of nights" "$(get "$P/jobs?workload=quick")" '"priority":"nightly"'

move_to 43204 3
check "three days later one firing stands for what was missed" wait_for 30 has_filed noon 2
check_match "and counts the others" "$(get "$P/schedules/noon/firings?limit=1")" '"missed":2'
patch "$P/schedules/noon" '{"misfire":"skip","grace":"60s"}' >/dev/null
move_to 50000 5
missed() { get "$P/schedules/noon/firings?limit=1" | grep -q '"state":"missed"'; }
check "with the other policy it is skipped and recorded" wait_for 30 missed
patch "$P/schedules/noon" '{"paused":true}' >/dev/null
check_match "a paused one has no next slot" "$(get "$P/schedules/noon")" '"next":null'

BENCHD_HOST=$url BENCHD_PROJECT=p HOME=$tmp
export BENCHD_HOST BENCHD_PROJECT HOME
check "benchctl runs it by hand" "$ctl" schedules run noon
check_match "and shows it" "$("$ctl" schedules firings noon)" "filed"
check_match "an unknown verb is refused with its nearest name" "$("$ctl" schedules pauze noon 2>&1)" "did you mean 'pause'"

check "one command switches the nightly on" "$ctl" schedules enable nightly --zone Europe/Berlin
check_match "it is listed with its next slot" "$("$ctl" schedules)" "nightly .*30 2 \* \* \* .*Europe/Berlin"
check_match "in local time too" "$("$ctl" schedules next nightly -n 2)" "02:30 \+0[12]:00"
check "switching it on twice is the same" "$ctl" schedules enable nightly
check "it is removed" "$ctl" schedules remove nightly
check_match "and gone" "$("$ctl" schedules next nightly 2>&1)" "no schedule 'nightly'"

# Overlap: the job of the slot before still waits or runs.
move_to 39600 6
"$ctl" schedules add long --cron '*/10 * * * *' --workload slow --misfire run_once -q
move_to 40200 6
check "a long job begins" wait_for 30 has_filed long 1
runs() { get "$P/jobs?workload=slow" | grep -q '"state":"running"'; }
check "and runs" wait_for 30 runs
move_to 40800 6
skipped() { get "$P/schedules/long/firings?limit=1" | grep -q '"state":"skipped"'; }
check "the next slot is skipped while it runs" wait_for 30 skipped
check_match "it still runs, though the clock jumped by more than its lease" "$(get "$P/jobs?workload=slow")" '"state":"running"'
check_equal "at its first attempt" "$(get "$P/jobs?workload=slow" | field attempt)" 1
check_match "metrics count it all" "$(get /metrics)" 'benchd_schedule_missed_total [1-9]'
"$ctl" schedules remove long -q
curl -s -X DELETE "$url$P/jobs/$(get "$P/jobs?workload=slow" | field uuid)" >/dev/null

if command -v git >/dev/null; then
	commit() { git -C "$tmp/repo" -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m "$1"; }
	git init -q -b main "$tmp/repo" && commit one
	move_to 39600 8
	"$ctl" schedules add build --cron '*/10 * * * *' --workload built --branch main --only-new -q
	newest() { get "$P/jobs?workload=built&limit=1" | grep -Eq "$1"; }
	move_to 40200 8
	check "a commit is measured" wait_for 30 newest '"state":"succeeded"'
	move_to 40800 8
	check "but not twice" wait_for 30 newest '"state":"canceled".*"reason":"no new commit: [0-9a-f]* has been measured"'
	move_to 41400 8
	three() { [ "$(n_jobs built)" = 3 ]; }
	check "nor when the firing before found nothing new" wait_for 30 three
	check "either" wait_for 30 newest '"state":"canceled".*no new commit'
	commit two
	move_to 42000 8
	check "a new one is" wait_for 30 newest '"state":"succeeded"'
	"$ctl" schedules remove build -q
else
	skip "a commit is measured once" "git is not installed"
fi

config '  other: {project: p, cron: "@monthly", workload: quick}'
kill -HUP "$daemon"
renamed() { get "$P/schedules" | grep -q '"name":"other"'; }
check "SIGHUP reads the schedules again" wait_for 20 renamed
check "what the file no longer declares is gone" sh -c "! curl -s $url$P/schedules | grep -q declared"
config '  typo: {project: p, cron: "@monthly", workload: quik}'
kill -HUP "$daemon"
check "a workload that is not there is told when the file is read" wait_for 20 grep -q "the schedule 'typo' could not file its job now: .*did you mean 'quick'" "$tmp/daemon.log"
config '  bad: {project: p, cron: "* * *", workload: quick}'
check_match "a wrong one is named with its line" "$("$top_builddir/benchd" -n --config "$tmp/benchd.yaml" 2>&1)" "benchd.yaml:6.*3 fields"
done_testing
