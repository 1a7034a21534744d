#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Bad input, end to end: each ends in a clear error that names what to change, from the API as from
# the client, and what was stored stays.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
command -v jq >/dev/null || skip_all "jq is not installed"
command -v git >/dev/null || skip_all "git is not installed"
[ -x "$top_builddir/benchd-worker" ] || skip_all "benchd-worker is not built"
BENCHD_LOCK_DIR=$tmp/lock
export BENCHD_LOCK_DIR
mkdir "$tmp/lock"
start_daemon || { fail "the daemon starts"; done_testing; }
P=$url/v0/projects/p

# ask METHOD PATH BODY: sets $status and $body
ask() {
	body=$(curl -s -g -m 120 -o "$tmp/answer" -w '%{http_code}' -X "$1" -H 'Content-Type: application/json' --data-binary "$3" "$P$2")
	status=$body body=$(cat "$tmp/answer")
}
# refused TITLE STATUS PATTERN BODY
refused() {
	ask POST /jobs "$4"
	check_match "$1" "$status $body" "^$2 .*$3"
}
quick='"protocol":{"processes":1,"max_processes":1,"samples":1,"warmup":0,"adaptive":false,"idle_wait":0}'
command_body() { echo "{\"definition\":{\"kind\":\"command\",\"command\":$1,$quick${2:-}}}"; }
# fails TITLE FAULT PATTERN BODY: the job is taken, and ends as failed (or timed out) for the reason.
fails() {
	ask POST '/jobs?wait=100s' "$4"
	got=$(printf '%s' "$body" | jq -r '"\(.state)/\(.fault) \(.reason)"')
	check_match "$1" "$got" "^[a-z_]*/$2 .*$3"
	job=$(printf '%s' "$body" | jq -r .uuid)
}

# --- what is refused at once ---
refused "an unknown member is named, with its nearest" 422 "did you mean 'workload'" '{"wokload":"stream.triad"}'
refused "a wrong type names the member" 422 '/protocol/processes.*' '{"workload":"stream.triad","protocol":{"processes":"many"}}'
refused "a number out of its limits names them" 422 'processes.*1.*1000' '{"workload":"stream.triad","protocol":{"processes":0}}'
refused "no JSON at all names line and column" 400 'line 1' '{"workload":'
refused "an unknown workload is a 404 with the nearest" 404 "did you mean 'stream.triad'" '{"workload":"stream.triat"}'
refused "an unknown parameter is named" 422 "no parameter 'sise'" '{"workload":"stream.triad","parameters":{"sise":"1Mi"}}'
refused "an empty command is refused" 422 'command' '{"definition":{"kind":"command","command":[]}}'
refused "a NUL in a word is refused" 4[0-9][0-9] 'command' '{"definition":{"kind":"command","command":["tr\u0000ue"]}}'
refused "an unknown kind names those there are" 422 'kind.*(kernel|command)' '{"definition":{"kind":"shell","command":["true"]}}'
refused "an environment that would reach the loader is refused" 422 'LD_PRELOAD' "$(command_body '["true"]' ',"environment":{"LD_PRELOAD":"x"}')"
head -c 400000 /dev/zero | tr '\0' 'x' >"$tmp/x"
printf '{"workload":"%s"}' "$(cat "$tmp/x")" >"$tmp/large"
got=$(curl -s -m 60 -w '%{http_code}' -H 'Content-Type: application/json' --data-binary "@$tmp/large" "$P/jobs")
check_match "a body over the limit says how large it may be" "$got" '262,?144|256 KiB.*413$'
awk 'BEGIN { for (i = 0; i < 100; i++) printf "{\"definition\":"; for (i = 0; i < 100; i++) printf "}" }' >"$tmp/deep"
got=$(curl -s -m 60 -w '%{http_code}' -H 'Content-Type: application/json' --data-binary "@$tmp/deep" "$P/jobs")
check_match "a body too deep is refused" "$got" '(deep|depth|nest)'

# --- repositories ---
git init -q -b main "$tmp/repo"
printf 'int main(void) { return 0; }\n' >"$tmp/repo/ok.c"
git -C "$tmp/repo" add ok.c
git -C "$tmp/repo" -c user.name=t -c user.email=t@t commit -qm one
build_body() { # REPOSITORY BUILD HEAD [more]
	echo "{\"definition\":{\"kind\":\"build\",\"name\":\"built\",\"repository\":\"$1\",\"build\":$2,\"benchmarks\":[{\"name\":\"b\",\"command\":[\"./ok\"]}],$quick},\"head\":\"$3\"${4:-}}"
}
fails "a repository that is not there is named" '[a-z]*' "$tmp/nowhere" "$(build_body "$tmp/nowhere" '[["true"]]' main)"
fails "a branch that is not there is named" '[a-z]*' "no-such-branch" "$(build_body "$tmp/repo" '[["true"]]' no-such-branch)"
fails "a commit that is not there is named" '[a-z]*' 0123456789abcdef "$(build_body "$tmp/repo" '[["true"]]' 0123456789abcdef0123456789abcdef01234567)"
fails "a build that fails says which step and how" build 'ok.c:1.*error:' "$(build_body "$tmp/repo" '[["cc","-o","ok","ok.c","-Dmain=no_such_thing(","-w"]]' main)"
check_match "and its log has what the compiler said" "$(curl -s "$P/jobs/$job/log")" 'error'
fails "a build step that is not there is named" build 'no-such-tool' "$(build_body "$tmp/repo" '[["no-such-tool"]]' main)"
fails "a benchmark that the build did not make is named" program './ok' "$(build_body "$tmp/repo" '[["true"]]' main)"

# --- programs ---
fails "a program that is not there is named, with where it is looked for" program "cannot start '/no/such/program'.*(absolute|PATH)" "$(command_body '["/no/such/program"]')"
fails "one that is no program is named" program "(cannot start|Permission)" "$(command_body '["/etc/passwd"]')"
fails "one that fails tells its status and its last words" program "exited with 3.*out of cheese" "$(command_body '["sh","-c","echo out of cheese >&2; exit 3"]')"
fails "one that crashes tells the signal" program "signal 11" "$(command_body '["sh","-c","kill -SEGV $$"]')"
fails "one that never ends names the limit to raise" '(program|timeout|[a-z]+)' "limits.time" "$(command_body '["sleep","600"]' ',"limits":{"time":"0.5s"}')"
fails "one that fills the disk names the limit" program "limits.file_size" "$(command_body '["sh","-c","head -c 3000000 /dev/zero >f && sleep 1"]' ',"limits":{"file_size":"1Mi"}')"
cat >"$tmp/told" <<'X'
#!/bin/sh
eval "exec 1>&$BENCHD_RESULT_FD"
cat "$1"
X
chmod +x "$tmp/told"
# told LINE: a body whose program says LINE on the result descriptor
told() { printf '%s\n' "$1" >"$tmp/line"; jq -nc --arg p "$tmp/told" --arg l "$tmp/line" "{definition:{kind:\"command\",command:[\$p,\$l],$quick}}"; }
fails "one that speaks the protocol and brings nothing is told so" no_result "no sample" "$(told '{"hello":{"protocol":1}}')"
fails "garbage as a result names the line" program "line 1" "$(told garbage)"
fails "a sample that is no number is refused" program "line 1" "$(told '{"benchmark":"u","samples":[NaN]}')"
fails "a sample that is a text is refused" program "samples.*number" "$(told '{"benchmark":"u","samples":["5"]}')"
fails "a sample that no double holds is refused" program "line 1" "$(told '{"benchmark":"u","samples":[1e999]}')"
fails "a time below nothing is refused" program "greater than 0" "$(told '{"benchmark":"u","unit":"ns","samples":[-5]}')"

# A process that is left behind is ended, and the next one of the job is not hurt by that.
ask POST '/jobs?wait=100s' "{\"definition\":{\"kind\":\"command\",\"command\":[\"sh\",\"-c\",\"setsid sleep 4711 >/dev/null 2>&1 &\"],\"protocol\":{\"processes\":3,\"max_processes\":3,\"samples\":1,\"warmup\":0,\"adaptive\":false,\"idle_wait\":0}}}"
check_match "one that leaves a daemon behind is measured" "$body" '"state":"succeeded"'
check "the daemon is gone" sh -c "! pgrep -f 'sleep 471[1]'"
uuid=$(printf '%s' "$body" | jq -r .uuid)
check_match "and said to have strayed" "$(curl -s "$P/jobs/$uuid/processes")" '"strays":[1-9]'

# Output beyond its cap is cut, not fatal: head and tail are kept.
ask POST '/jobs?wait=100s' "$(command_body '["sh","-c","echo first; head -c 5000000 /dev/zero | tr \"\\\\0\" x; echo; echo last"]' ',"limits":{"output":"4Ki"}')"
check_match "a flood of output ends as said" "$body" '"state":"(succeeded|failed)"'
uuid=$(printf '%s' "$body" | jq -r .uuid)
curl -s "$P/jobs/$uuid/log" >"$tmp/log"
check "and its log stays small" test "$(wc -c <"$tmp/log")" -lt 100000

# --- the client says the same, with its exit codes ---
BENCHD_HOST=$url BENCHD_PROJECT=p
export BENCHD_HOST BENCHD_PROJECT
out=$("$top_builddir/benchctl" submit stream.triat 2>&1); code=$?
check_match "benchctl passes the hint on" "$out" "did you mean 'stream.triad'"
check "with an exit code that is not success" test $code -ne 0
out=$("$top_builddir/benchctl" watch "$job" 2>&1); code=$?
check_match "benchctl watch tells why a job failed" "$out" "(failed|program)"
check "with its own exit code" test $code -ne 0
out=$("$top_builddir/benchctl" report nosuch 2>&1); code=$?
check_match "an unknown report is said to be unknown" "$out" "nosuch"
out=$("$top_builddir/benchctl" compare nosuch main 2>&1)
check_match "an unknown ref is named" "$out" "nosuch"

check_match "after all this the daemon is well" "$(curl -s "$url/healthz")" 'ok|alive|pass'

# --- a disk that runs full, by files each of which is small enough ---
title="one that fills the disk is ended, and told so"
if [ -z "${BENCHD_WRAPPER:-}" ] && unshare -m mount -t tmpfs -o size=64m none "$tmp/lock" 2>/dev/null; then
	kill "$daemon"
	wait "$daemon"
	# shellcheck disable=SC2016 # its own argument
	printf '#!/bin/sh\nmkdir -p "%s" && mount -t tmpfs -o size=64m none "%s" && exec "$@"\n' \
		"$tmp/state/worker" "$tmp/state/worker" >"$tmp/on_a_small_disk"
	chmod +x "$tmp/on_a_small_disk"
	BENCHD_WRAPPER="unshare -m $tmp/on_a_small_disk"
	start_daemon || fail "the daemon starts on a small disk"
	P=$url/v0/projects/p
	fails "$title" program "filled the disk of .*state/worker" "$(command_body '["sh","-c","head -c 63M /dev/zero >f; exec sleep 600"]')"
	fails "and the next one has room again" '[a-z]*' "exited with 7" "$(command_body '["sh","-c","head -c 40M /dev/zero >f && exit 7"]')"
else
	skip "$title" "a small file system cannot be mounted here"
fi
done_testing
