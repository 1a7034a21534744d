#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# From a push to a real repository to the forge's answer: signed delivery, rules, interleaved
# measurement against the base, commit status, comment, webhook; and what happens when the forge
# fails, deliveries come twice, forks send commits, and the daemon is killed in the middle.
# The slow commit takes three times as long, so that a loaded host tells it from noise in a few
# seconds; REAL=1 takes the one of the history, about 10 % slower, with more processes.
. "${top_srcdir:-.}/tests/lib/story.sh"
PYTHON3=${PYTHON3:-$(command -v python3)}
[ -n "$PYTHON3" ] && [ "$PYTHON3" != no ] || skip_all "python3 is not installed"
command -v curl >/dev/null || skip_all "curl is not installed"
command -v git >/dev/null || skip_all "git is not installed"
command -v make >/dev/null || skip_all "make is not installed"
[ -x "$top_builddir/benchd-worker" ] || skip_all "benchd-worker is not built"
BENCHD_LOCK_DIR=$tmp/lock HOME=$tmp
export BENCHD_LOCK_DIR HOME
mkdir "$tmp/lock" "$tmp/forge"
get() { curl -s -m 60 "$url$1"; }
# json EXPRESSION : of the document d on stdin
json() { "$PYTHON3" -c "import json,sys; d=json.load(sys.stdin); print($1)" 2>&1; }

# --- a repository: the slow commit is one step ahead of main, a commit of documents one behind ---
sh "$top_srcdir/examples/make-history.sh" "$tmp/work" >/dev/null
commit_of() { git -C "$tmp/work" log --format='%H %s' main | grep "$1" | cut -c1-40; }
slow=$(commit_of 'one more Newton step')
docs=$(git -C "$tmp/work" rev-parse "$slow^")
before=$(git -C "$tmp/work" rev-parse "$docs^")
processes=40
if [ -z "${REAL:-}" ]; then
	processes=10
	git -C "$tmp/work" checkout -q "$docs"
	sed 's/KEPLER_STEPS 10/KEPLER_STEPS 30/' "$tmp/work/kepler.h" >"$tmp/kepler.h"
	mv "$tmp/kepler.h" "$tmp/work/kepler.h"
	git -C "$tmp/work" -c user.name=Bela -c user.email=bela@example.org commit -qam 'kepler: thirty steps'
	slow=$(git -C "$tmp/work" rev-parse HEAD)
fi
git -C "$tmp/work" checkout -q "$docs"
echo '/* waves */' >>"$tmp/work/wave.c"
git -C "$tmp/work" -c user.name=Ada -c user.email=ada@example.org commit -qam 'wave: a comment'
plain=$(git -C "$tmp/work" rev-parse HEAD)
git init -q --bare -b main "$tmp/orbit.git"
git -C "$tmp/work" push -q "$tmp/orbit.git" "$docs:refs/heads/main" "$slow:refs/pull/7/head"

# --- the forge, and the configuration ---
printf 'a token of the forge\n' >"$tmp/token"
printf "It's a Secret to Everybody\n" >"$tmp/secret"
printf 'webhook secret\n' >"$tmp/webhook"
chmod 600 "$tmp/token" "$tmp/secret" "$tmp/webhook"
spawn "$tmp/forge.log" "$PYTHON3" "$top_srcdir/tests/lib/forge.py" "$tmp/forge" "$(cat "$tmp/token")" "$(cat "$tmp/webhook")"
wait_for 30 grep -q 'listening on [0-9]' "$tmp/forge.log" || { diag "$(cat "$tmp/forge.log")"; skip_all "the forge does not start"; }
forge=http://127.0.0.1:$(awk '{print $3}' "$tmp/forge.log")
cat >"$tmp/benchd.yaml" <<YAML
public_url: http://bench.example
workloads:
  orbit:
    kind: build
    repository: file://$tmp/orbit.git
    build: [[make]]
    benchmarks:
      - {name: kepler, command: [./bench, kepler]}
    protocol: {processes: $processes, samples: 3, max_processes: 60, idle_wait: 0}
hooks:
  orbit:
    repository: ada/orbit
    secret_file: secret
    rules:
      - workload: orbit
        project: orbit
        branches: [main]
        paths_ignore: ["*.md"]
      - workload: orbit
        project: orbit
        events: [pull_request]
        branches: [main]
        paths_ignore: ["*.md"]
    answers: {api: "$forge", token_file: token}
webhooks:
  chat: {url: "$forge/webhook/chat", secret_file: webhook, events: [job.finished]}
  hidden: {url: "http://127.0.0.2/x", secret_file: webhook, events: [job.finished]}
outgoing: {allow: [127.0.0.1], timeout: 5s, first_retry: 0.2s, attempts: 6}
YAML
deliver() { # ID push|pull|ping ...
	deliver_id=$1; shift
	answer=$("$PYTHON3" "$top_srcdir/tests/lib/deliver.py" "$url/v0/hooks/orbit" "${secret:-It's a Secret to Everybody}" "$deliver_id" "$@" 2>&1)
}
state() { "$PYTHON3" -c "import json,sys; d=json.load(open('$tmp/forge/state.json')); print($1)" 2>&1; }
# statuses HASH : the words, oldest first
statuses() { state "' '.join(s['state'] for s in d['statuses'].get('$1', []))"; }
out_state() { get "/v0/deliveries?format=csv" | awk -F, -v k="$1" '$2 == k { print $5; exit }'; }
processed() { get /v0/hooks/deliveries | json "[x['state'] for x in d if x['id'] == '$1'][0]" | grep -qv received; }
delivery() { get /v0/hooks/deliveries | json "[x['state'] + ': ' + x['reason'] for x in d if x['id'] == '$1'][0]"; }
n_jobs() { get /v0/projects/orbit/jobs | json 'len(d)'; }

check "a wrong configuration is refused with its line" sh -c "sed 's/paths_ignore/path_ignore/' '$tmp/benchd.yaml' >'$tmp/wrong.yaml'; \
	'$top_builddir/benchd' -n --config '$tmp/wrong.yaml' 2>&1 | grep -q \"wrong.yaml:18: .*path_ignore.*did you mean 'paths_ignore'\""

# --- hook in: nothing is measured yet ---
start_daemon --no-worker --config "$tmp/benchd.yaml" || { fail "the daemon starts"; done_testing; }
deliver d0 ping
check_match "a ping is answered" "$answer" '^200 '
secret='not the secret'; deliver d1 push "$tmp/orbit.git" main "$before" "$docs"; secret=
check_match "a wrong signature is refused" "$answer" '^401 .*no signature of this body'
knock() { # HOOK HEADER... : a body whose signature is GitHub's own example
	hook=$1; shift
	set -- -H 'X-Hub-Signature-256: sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17' "$@"
	curl -s -m 20 -w ' %{http_code}' --data 'Hello, World!' "$@" "$url/v0/hooks/$hook" | tr -d '\n'
}
type='Content-Type: application/json'
check_match "an unknown hook is none" "$(knock nothing -H "$type")" "there is no hook 'nothing'.* 404$"
check_match "forms are not read" "$(knock orbit)" 'content type to application/json.* 415$'
check_match "nor packed bodies" "$(knock orbit -H "$type" -H 'Content-Encoding: deflate')" 'Content-Encoding.* 415$'
check_match "the forge's id is wanted" "$(knock orbit -H "$type")" "'X-GitHub-Delivery' must have.* 400$"
check_match "and the event" "$(knock orbit -H "$type" -H 'X-GitHub-Delivery: k1')" "'X-GitHub-Event' must have.* 400$"
check_match "what is no JSON is kept as failed" "$(knock orbit -H "$type" -H 'X-GitHub-Delivery: k1' -H 'X-GitHub-Event: push')" ' 202$'
check "soon" wait_for 20 processed k1
check_match "with the reason" "$(delivery k1)" '^failed: the payload: '
deliver d2 push "$tmp/orbit.git" main "$before" "$docs"
check_match "a push of documents is stored" "$answer" '^202 '
check "and processed" wait_for 20 processed d2
check_match "it stays quiet" "$(delivery d2)" "ignored: the push to 'main' changes only files"
check_match "for good" "$(get /v0/projects/orbit/jobs)" 'not_found|^\[\]'

git -C "$tmp/work" push -q "$tmp/orbit.git" "$slow:refs/heads/main"
echo 'hang 429 lost' >"$tmp/forge/fail"
deliver d3 push "$tmp/orbit.git" main "$docs" "$slow"
check_match "the push of the slow commit is stored" "$answer" '^202 '
kill -9 "$daemon"; wait "$daemon" 2>/dev/null # perhaps before it was processed
start_daemon --no-worker --config "$tmp/benchd.yaml"
check "it is processed after a kill" wait_for 20 processed d3
deliver d3 push "$tmp/orbit.git" main "$docs" "$slow"
check_match "the same delivery again is known" "$answer" '^200 .*"state":"done"'
check_equal "and there is one job" "$(n_jobs)" 1
check_match "of the two commits" "$(get /v0/projects/orbit/jobs)" "\"hash\":\"$docs\".*\"hash\":\"$slow\""
lost() { grep -q 'statuses/.* lost' "$tmp/forge/requests"; }
check "the forge hangs, slows down, and then loses its answer" wait_for 60 lost
check "but it has the status" wait_for 30 sh -c "grep -q pending '$tmp/forge/state.json'"
kill -9 "$daemon"; wait "$daemon" 2>/dev/null # the answer never comes
start_daemon --no-worker --config "$tmp/benchd.yaml"
is_delivered() { [ "$(out_state status)" = delivered ]; }
check "after a kill in the middle the status is looked for" wait_for 30 is_delivered
check_equal "and not sent again" "$(statuses "$slow")" pending
id=$(get /v0/deliveries | json "d[0]['uuid']")
check_match "each attempt is kept" "$(get "/v0/deliveries/$id" | json "[a['outcome'] for a in d['log']]")" \
	"(imeout|cut off).*rate limit.*cut off.*not sent again"
check_match "the metrics count" "$(get /metrics)" 'benchd_deliveries_total\{direction="out",outcome="delivered"\} 1'

# --- a fork waits for a person ---
deliver d4 pull "$tmp/orbit.git" opened 7 "$slow" main eve/orbit
check "the pull request is processed" wait_for 20 processed d4
job=$(get '/v0/projects/orbit/jobs?state=awaiting_approval' | json "d[0]['uuid']")
check_match "it waits for approval" "$(get "/v0/projects/orbit/jobs/$job")" "commit $slow comes from outside; approve it first"
export BENCHD_HOST="$url" BENCHD_PROJECT=orbit
check "the forge knows" wait_for 30 sh -c "grep -q 'has to approve this commit' '$tmp/forge/state.json'"
check_match "another commit is not approved" "$("$top_builddir/benchctl" approve "$job" "$docs" 2>&1)" "measures commit $slow, not $docs"
check_match "nor by the route" "$(curl -s -H 'Content-Type: application/json' -d "{\"hash\":\"$docs\"}" "$url/v0/projects/orbit/jobs/$job/approve")" '"status":409'
check "that one is" "$top_builddir/benchctl" approve "$job" "$(echo "$slow" | cut -c1-12)"
last_text() { state "d['statuses']['$slow'][-1]['description']" | grep -q "$1"; }
check "and the forge is told that it waits no more for that" wait_for 30 last_text 'waits to be measured'
check_match "benchctl lists deliveries" "$("$top_builddir/benchctl" deliveries)" "d3|push +done"
check_match "and messages" "$("$top_builddir/benchctl" deliveries --out)" 'status +orbit +pending'
kill "$daemon"; wait "$daemon" 2>/dev/null

# --- measured: main was moved back, so that the pull request has something to be compared with ---
git -C "$tmp/work" push -qf "$tmp/orbit.git" "$docs:refs/heads/main"
start_daemon --config "$tmp/benchd.yaml" || { fail "the daemon starts"; done_testing; }
over() { [ "$(get /v0/projects/orbit/jobs | json "sum(j['state'] == 'succeeded' and j['trigger'] == 'hook' for j in d)")" = 2 ]; }
check "both are built and measured" wait_for 120 over
check_equal "in pairs, and both are slower" "$(get /v0/projects/orbit/jobs | json "sorted(set(j['outcome'] for j in d if j['trigger'] == 'hook'))")" "['slower']"
told() { [ "$(state "len(d['comments'])")" = 1 ] && [ "$(state "d['statuses']['$slow'][-1]['state']")" = failure ] && [ "$(state "len(d['webhooks'])")" = 2 ]; }
check "the forge and the webhook are told" wait_for 30 told
check_match "the status says what, and how much" "$(state "d['statuses']['$slow'][-1]['description']")" \
	'^slower: 1 of 1, worst: kepler.*\+[0-9.]+ % \[[0-9.]+, [0-9.]+\]'
check_equal "where" "$(state "d['statuses']['$slow'][-1]['context']")" benchd/orbit/orbit
check_match "with a link" "$(state "d['statuses']['$slow'][-1]['target_url']")" '^http://bench.example/projects/orbit/jobs/'
comment=$(state "d['comments'][0]['body']")
check_match "the comment begins with the verdict" "$(printf '%s\n' "$comment" | head -n 1)" '^\*\*.*slower\*\*: 1 of 1'
check_match "names benchmark, effect and interval" "$comment" '`kepler`.*\+[0-9.]+ % .?\[[0-9.]+, [0-9.]+.?\]'
check_match "links to the comparison" "$comment" 'Comparison\]\(http://bench.example/projects/orbit/compare\?job='
check_equal "and ends with its tag" "$(printf '%s\n' "$comment" | tail -n 1)" '<!-- benchd:orbit/orbit -->'
check_equal "on its pull request" "$(state "d['comments'][0]['issue']")" 7
check_equal "webhooks are signed, sent once each, in the standard shape" \
	"$(state "sorted((m[0]['type'], m[0]['data']['outcome'], len(m)) for m in d['webhooks'].values())")" \
	"[('job.finished', 'slower', 1), ('job.finished', 'slower', 1)]"

# --- the comment is changed in place, also when the forge loses its answer ---
echo POST:403 PATCH:500 PATCH:lost >"$tmp/forge/fail"
git -C "$tmp/work" push -qf "$tmp/orbit.git" "$plain:refs/pull/7/head"
deliver d5 pull "$tmp/orbit.git" synchronize 7 "$plain" main ada/orbit
changed() { [ "$(state "d['comments'][0].get('changes', 0)")" = 1 ]; }
quiet() { ! get /v0/deliveries | grep -Eq '"state":"(waiting|sending)"'; }
check "a new head is measured and the comment changed" wait_for 120 changed
check "all messages leave" wait_for 30 quiet
check_equal "there is still one comment, changed once" "$(state "(len(d['comments']), d['comments'][0]['changes'])")" "(1, 1)"
# Mostly that nothing changed; what two equal commits on a busy host were found to be is not judged here.
outcome=$(get /v0/projects/orbit/jobs | json "[j['outcome'] for j in d if j['trigger'] == 'hook' and j['head']['hash'] == '$plain'][0]")
check_match "it tells what holds now ($outcome)" "$(state "d['comments'][0]['body']" | tr '\n' ' ')" \
	"^\*\*[^ ]+ (same|unknown|slower|faster)\*\*.*→ .$(echo "$plain" | cut -c1-8)"
check_match "and is what the job found" "$(state "d['comments'][0]['body']")" "^\*\*[^ ]+ $outcome\*\*"
check_match "what the forge refuses is given up, with the reason" "$(get '/v0/deliveries?format=csv')" "status,orbit,pending,failed,1,.*HTTP 403: the forge refuses the token of the hook 'orbit'"
check_match "private addresses that are not listed are not spoken to" "$(get '/v0/deliveries?format=csv')" "webhook,hidden,job.finished,failed,1,.*'http://127.0.0.2/x' has a private address; list it under outgoing.allow"
id=$(get /v0/deliveries | json "[m['uuid'] for m in d if m['state'] == 'delivered'][0]")
check_match "what was delivered is not sent again by hand either" "$("$top_builddir/benchctl" --host "$url" deliveries --out "$id" --redeliver 2>&1)" "has been delivered.*HTTP 409"
id=$(get /v0/hooks/deliveries | json "[x['uuid'] for x in d if x['id'] == 'd2'][0]")
check_match "a delivery can be processed again" "$("$top_builddir/benchctl" --host "$url" deliveries "$id" --redeliver 2>&1)" "delivery $id: received"
check "which stays quiet again" wait_for 20 processed d2
check_match "its payload is shown" "$("$top_builddir/benchctl" --host "$url" deliveries "$id")" '"full_name": "ada/orbit"'
git -C "$tmp/work" push -qf "$tmp/orbit.git" "$before:refs/heads/main" "$docs:refs/pull/8/head"
deliver d6 pull "$tmp/orbit.git" opened 8 "$docs" main ada/orbit
docs_told() { [ "$(state "d['statuses']['$docs'][-1]['state'] + ' ' + d['statuses']['$docs'][-1]['description']")" = "success not measured: no file that counts differs between base and head" ]; }
check "a pull request of documents is not measured" wait_for 60 docs_told
check_equal "and nobody hears of it" "$(state "[c['issue'] for c in d['comments']]")" "[7]"

# --- Gitea and Forgejo ---
FORGE=Forgejo; export FORGE
deliver g1 ping
check_match "headers of Forgejo are taken" "$answer" '^200 '
secret='not the secret'; deliver g2 ping; secret=
check_match "and its signature is checked" "$answer" '^401 .*no signature of this body'
FORGE=Gitea
deliver g3 pull "$tmp/orbit.git" synchronize 9 "$slow" main ada/orbit
check_match "its word for a new head" "$answer" '^202 '
check "is processed" wait_for 20 processed g3
check_match "into a job" "$(delivery g3)" '^done: 1 job filed'
deliver g4 pull "$tmp/orbit.git" closed 9 "$slow" main ada/orbit
check "and closed again" wait_for 20 processed g4
unset FORGE
get '/v0/hooks/deliveries?limit=1000' >"$tmp/seen"; get '/v0/deliveries?limit=1000' >>"$tmp/seen"
for id in $(get /v0/deliveries | json "' '.join(m['uuid'] for m in d)"); do get "/v0/deliveries/$id" >>"$tmp/seen"; done
for file in secret token webhook; do
	check "the $file is in no database, log or answer" sh -c "! grep -rqF -e \"\$(cat '$tmp/$file')\" '$tmp/state' '$tmp/daemon.log' '$tmp/seen'"
done
check_equal "nothing wrong was sent" "$(state "d['wrong']")" "[]"
done_testing
