#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# benchctl without a daemon: usage, configuration and its precedence, exit codes.
. "${top_srcdir:-.}/tests/lib/story.sh"
ctl=$top_builddir/benchctl
export HOME="$tmp" XDG_CONFIG_HOME="$tmp/config"
unset BENCHD_HOST BENCHD_TOKEN BENCHD_TOKEN_FILE BENCHD_PROJECT BENCHER_API_TOKEN 2>/dev/null
cd "$tmp"
exits() { # CODE TITLE COMMAND...
	want=$1 title=$2; shift 2
	"$@" >"$tmp/out" 2>&1; got=$?
	[ $got = "$want" ] || diag "$(cat "$tmp/out")"
	check_equal "$title (exit $want)" "$got" "$want"
}
exits 2 "an unknown command is refused" "$ctl" submti
check_match "and the nearest one is suggested" "$(cat "$tmp/out")" "did you mean 'submit'"
exits 2 "an unknown option is refused" "$ctl" jobs --stat=queued
check_match "and the nearest one is suggested" "$(cat "$tmp/out")" "did you mean '--state'"
exits 2 "a missing value is named" "$ctl" jobs --state
exits 2 "submit without a workload is refused" "$ctl" submit
exits 2 "compare wants two names" "$ctl" compare a
exits 0 "help is not an error" "$ctl" submit --help
check_match "help begins with examples" "$(cat "$tmp/out")" "benchctl submit stream.triad"
exits 0 "help COMMAND is COMMAND --help" "$ctl" help submit
check_match "with the same examples" "$(cat "$tmp/out")" "benchctl submit stream.triad"
exits 7 "no daemon there" "$ctl" jobs --host http://127.0.0.1:9
check_match "and it says what to do" "$(cat "$tmp/out")" "BENCHD_HOST or --host"
exits 7 "options may stand before the command" "$ctl" -p x --host http://127.0.0.1:9 jobs
exits 0 "a dry run files nothing" "$ctl" submit w --dry-run --json -P n=5 -P name=x --head abc --base v1 --fixed -n 7
check_match "parameters keep their type" "$(cat "$tmp/out")" '"n": 5'
check_match "the protocol goes along" "$(tr -d ' \n' <"$tmp/out")" '"protocol":\{"processes":7,"adaptive":false\}'
exits 0 "a command becomes a definition" "$ctl" submit --dry-run --json -- sh -c 'true && true'
check_match "as argv, without a shell of ours" "$(tr -d '\n' <"$tmp/out")" '"sh", *"-c", *"true && true"'

mkdir -p "$tmp/config/benchd"
echo 'host: http://127.0.0.1:11' >"$tmp/config/benchd/benchctl.yaml"
echo 'host: http://127.0.0.1:12' >"$tmp/.benchd.yaml"
check_match "the nearest file wins" "$("$ctl" doctor --config)" "127.0.0.1:12 .*\.benchd\.yaml"
check_match "the environment wins over files" "$(BENCHD_HOST=http://127.0.0.1:13 "$ctl" doctor --config)" "127.0.0.1:13 .*BENCHD_HOST"
check_match "a flag wins over all" "$(BENCHD_HOST=http://127.0.0.1:13 "$ctl" doctor --config --host http://127.0.0.1:14)" "127.0.0.1:14 .*--host"
printf 'host: http://127.0.0.1:11\ntoken: mine\n' >"$tmp/config/benchd/benchctl.yaml"
exits 6 "a folder's host does not get the key of my own file" "$ctl" jobs
check_match "which is told" "$(cat "$tmp/out")" "the token of '.*/benchctl.yaml' is not sent to 'http://127.0.0.1:12', which only ./.benchd.yaml names"
exits 7 "it goes to a host that I name" "$ctl" jobs --host http://127.0.0.1:9
exits 7 "and so does one of the environment" env BENCHD_TOKEN=key "$ctl" jobs
echo 'host: http://127.0.0.1:11/' >"$tmp/.benchd.yaml"
exits 7 "to the host beside it as well" "$ctl" jobs
echo secret >"$tmp/config/other"; chmod 600 "$tmp/config/other"; mkdir "$tmp/clone"; echo mine >"$tmp/clone/own"; chmod 600 "$tmp/clone/own"
printf 'host: http://127.0.0.1:12\ntoken_file: ../config/other\n' >"$tmp/clone/.benchd.yaml"
exits 6 "a folder names no file elsewhere to be sent" sh -c "cd '$tmp/clone' && '$ctl' jobs"
check_match "which is told too" "$(cat "$tmp/out")" "'../config/other' of .benchd.yaml is outside its folder"
ln -s ../config/other "$tmp/clone/link"
printf 'host: http://127.0.0.1:12\ntoken_file: link\n' >"$tmp/clone/.benchd.yaml"
exits 6 "not by a link either" sh -c "cd '$tmp/clone' && '$ctl' jobs"
printf 'host: http://127.0.0.1:12\ntoken_file: own\n' >"$tmp/clone/.benchd.yaml"
exits 7 "only one of its own" sh -c "cd '$tmp/clone' && '$ctl' jobs"
echo 'hots: x' >"$tmp/.benchd.yaml"
exits 1 "a wrong key in a file is refused" "$ctl" doctor --config
check_match "with the line and the nearest name" "$(cat "$tmp/out")" "benchd.yaml:1: 'hots' is not known here; did you mean 'host'"
rm "$tmp/.benchd.yaml"
echo key >"$tmp/token"; chmod 644 "$tmp/token"
exits 6 "a token file that others can read is refused" env BENCHD_TOKEN_FILE="$tmp/token" "$ctl" doctor --config
chmod 600 "$tmp/token"
exits 0 "a private one is taken" env BENCHD_TOKEN_FILE="$tmp/token" "$ctl" doctor --config
"$ctl" doctor --json >"$tmp/doctor.json"
check_match "doctor measures the host" "$(cat "$tmp/doctor.json")" '"detectable": [0-9.]+'
done_testing
