#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Alerts of uploads against a real daemon: a planted slowdown gives exactly one alert, confirmed by
# the next reports and resolved behind the fix; commits that change nothing give none. The long form
# is `make bench-alerts` (BENCHD_ALERT_TRIALS=N commits that change nothing).
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
trials=${BENCHD_ALERT_TRIALS:-10} benchmarks=20
ctl=$top_builddir/benchctl
P=/v0/projects/p
get() { curl -s -m 60 "$url$1"; }
count() { get "$P/alerts?limit=1000&state=$1" | grep -o '"kind":"level"' | wc -l | tr -d ' '; }
# report SEED FACTOR: values of all benchmarks, 1 % apart; the first one times FACTOR.
report() {
	awk -v seed="$1" -v factor="$2" -v n=$benchmarks -v all="${together:-0}" 'BEGIN {
		srand(seed); printf "{\"branch\":\"main\",\"testbed\":\"host\",\"hash\":\"%040x\",", seed
		printf "\"start_time\":\"2026-11-21T09:00:00Z\",\"end_time\":\"2026-11-21T09:00:05Z\",\"results\":[\"{"
		for (i = 0; i < n; i++) {
			z = sqrt(-2 * log(1 - rand())) * cos(6.283185307 * rand())
			printf "%s\\\"b%d\\\":{\\\"latency\\\":{\\\"value\\\":%.6f}}", i ? "," : "", i, 1000 * exp(.01 * z) * (i && !all ? 1 : factor)
		}
		printf "}\"]}"
	}'
}
upload() { # FIRST LAST FACTOR
	seed=$1
	while [ "$seed" -le "$2" ]; do
		report "$seed" "$3" | curl -s -m 60 -H 'Content-Type: application/json' --data-binary @- \
			-o "$tmp/answer" -w '%{http_code}\n' "$url$P/reports"
		seed=$((seed + 1))
	done >"$tmp/codes"
	! grep -v 201 "$tmp/codes"
}

check "the daemon starts" start_daemon
curl -s -m 60 -H 'Content-Type: application/json' --data '{"name":"p"}' "$url/v0/projects" >/dev/null
check "a history is uploaded" upload 1 25 1
check_match "with nothing configured a default applies, and says so" \
	"$("$ctl" --host "$url" thresholds explain b0 latency --testbed host -p p 2>&1)" "benchd's default applies"
check "commits that change nothing are uploaded" upload 26 $((25 + trials)) 1
check_equal "and none of $trials gives an alert" "$(count confirmed)" 0
next=$((26 + trials))

check "a commit is slower" upload $next $next 1.1
check_equal "which is a suspicion at first, not an alert" "$(count confirmed)" 0
check_match "that the report does not count" "$(cat "$tmp/answer")" '"alerts":\{"total":0,"active":0\}'
check "the next reports show it, too" upload $((next + 1)) $((next + 8)) 1.1
check_equal "exactly one alert is confirmed" "$(count confirmed)" 1
check_match "of that benchmark, at that commit" "$(get "$P/alerts?state=confirmed")" \
	"\"hash\":\"$(printf '%040x' $next)\".*\"name\":\"b0\"|\"name\":\"b0\".*\"hash\":\"$(printf '%040x' $next)\""
alert=$(get "$P/alerts?state=confirmed" | grep -o '"uuid":"[^"]*"' | head -n 1 | cut -d'"' -f4)
check_match "it is acknowledged, noted and snoozed from the command line" \
	"$("$ctl" --host "$url" -p p alerts "$alert" --acknowledge --assign Ada --note "asked the author" --snooze 8h 2>&1)" \
	"confirmed, acknowledged, assigned, noted, snoozed until 20..-..-..T"
check_match "which its journal keeps" "$("$ctl" --host "$url" -p p alerts "$alert" --journal --json | tr '\n' ' ')" \
	'"kind": *"acknowledged".*"kind": *"snoozed".*"asked the author"'
check_match "and the alert says whose it is" "$("$ctl" --host "$url" -p p alerts "$alert" 2>&1)" "assigned to: Ada"
"$ctl" --host "$url" -p p alerts "$alert" --assign "" >/dev/null 2>&1
check_match "which can be taken back" "$(get "$P/alerts/$alert")" '"assignee":""'
check_match "a wrong time is refused by name" "$("$ctl" --host "$url" -p p alerts "$alert" --snooze tomorrow 2>&1)" "tomorrow"
check "a commit fixes it" upload $((next + 9)) $((next + 11)) 1
check_equal "no alert is open any more" "$(count confirmed)" 0
check_match "it was fixed" "$(get "$P/alerts?state=resolved")" '"reason":"fixed"'

together=1
check "a report in which all are slower" upload $((next + 12)) $((next + 12)) 1.1
together=0
alert=$(get "$P/alerts?state=suspect" | grep -o '"uuid":"[^"]*"' | head -n 1 | cut -d'"' -f4)
check_match "its alerts say that the host is a better suspect" "$("$ctl" --host "$url" -p p alerts "$alert")" \
	"together: [12][0-9] of $benchmarks benchmarks of this report moved the same way"
check "the next one is as before" upload $((next + 13)) $((next + 13)) 1
check_match "which answers the question" "$("$ctl" --host "$url" -p p alerts "$alert")" "alert: resolved.*reason: not_reproduced|reason: not_reproduced"

series() { get "$P/series?branch=main&testbed=host&benchmark=$1&measure=latency" | sed 's/.*"boundary"://'; }
check_match "the page of a history draws the default's limits, and says so" "$(series b1)" \
	'"test":"log_t",.*"lower":9[0-9.]*,"upper":10[0-9.]*,.*"by":"log_t, benchd.s default[^"]*","default":true'
cat >"$tmp/thresholds.yaml" <<'EOF'
thresholds:
  all: {test: log_t, min_effect: 0.05}
  quiet: {benchmark: "b1*", test: "off"}
EOF
apply() { "$ctl" --host "$url" -p p thresholds apply "$tmp/thresholds.yaml" "$@" 2>&1; }
check_match "a file of rules is checked" "$(apply --dry-run)" "add quiet"
check_equal "which changes nothing" "$(get "$P/rules")" "[]"
check_match "and applied" "$(apply)" "2 rules added or changed"
check_match "again: nothing to do" "$(apply)" "^0 rules added or changed, 0 removed"
check_match "the most specific one applies" \
	"$("$ctl" --host "$url" thresholds explain b1 latency --testbed host -p p 2>&1)" "'quiet' is the most specific"
check_match "its history has no limits for that reason" "$(series b1)" \
	'"test":"off",.*"lower":null,"upper":null,.*"rule":"quiet",.*"reason":"no limits are wanted here","default":false'
check_match "another one those of its rule" "$(series b2)" \
	'"lower":9[0-9.]*,"upper":10[0-9.]*,.*"origin":"rule","rule":"all","by":"log_t, the rule .all.","default":false'
sed -i 's/quiet: .*/quiet: {benchmark: "b1*", test: t_test, upper_boundary: 0.99}/' "$tmp/thresholds.yaml"
check_match "a changed rule is applied" "$(apply)" "1 rules added or changed"
check_match "and its limits drawn" "$(series b1)" '"test":"t_test",.*"lower":null,"upper":10[0-9.]*,.*"rule":"quiet"'
check_match "which the page tells" "$(curl -sL -m 60 -H "Accept: text/html" "$url/projects/p/series?branch=main&testbed=host&benchmark=b1&measure=latency" | grep -A1 'class="verdict"' | tr '\n' ' ')" \
	"expected at or below 1.*What applies here: t_test, the rule"
sed -i '/quiet/d' "$tmp/thresholds.yaml"
check_match "what the file lost goes with --prune" "$(apply --prune)" "remove quiet"
printf 'thresholds:\n  fine: {test: log_t}\n  x: {test: logt}\n' >"$tmp/wrong.yaml"
check_match "a wrong rule is named with its line" "$("$ctl" --host "$url" -p p thresholds apply "$tmp/wrong.yaml" 2>&1)" "wrong.yaml:3: the rule 'x' is refused; nothing was changed"
check_equal "and the right one beside it is not applied" "$("$ctl" --host "$url" -p p thresholds rules | grep -c fine)" 0
printf 'thresholds:\n  quiet: {test: log_t, min_effect: 2.5%%, alpha: "1 %%"}\n' >"$tmp/percent.yaml"
"$ctl" --host "$url" -p percent thresholds apply "$tmp/percent.yaml" >/dev/null 2>&1
check_match "shares may be written in percent" "$("$ctl" --host "$url" -p percent thresholds rules | grep quiet)" "quiet.* 0\.01 +0\.025 "
check_match "a wrong file is refused by name" "$(printf 'thresholds: {x: {test: logt}}' | "$ctl" --host "$url" -p p thresholds apply - 2>&1)" "did you mean 'log_t'"
done_testing
