#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# From a repository with two commits to a comparison: checkout, build, cache, and their failures.
. "${top_srcdir:-.}/tests/lib/story.sh"
worker=$top_builddir/benchd-worker
[ -x "$worker" ] || skip_all "benchd-worker is not built"
command -v git >/dev/null || skip_all "git is not installed"
BENCHD_LOCK_DIR=$tmp/lock HOME=$tmp
export BENCHD_LOCK_DIR HOME
mkdir "$tmp/lock"
repo=$tmp/repo
in_repo() { git -C "$repo" -c user.name=Ada -c user.email=ada@example.org "$@" >/dev/null 2>&1; }
git init -q -b main "$repo"
printf 'sleep 0.002\n' >"$repo/work"
printf '#!/bin/sh\nmkdir -p out && echo "built $(cat work)" && cp work out/bench\n' >"$repo/build.sh"
chmod +x "$repo/build.sh"
in_repo add -A; in_repo commit -m "first & fast"
one=$(git -C "$repo" rev-parse HEAD)
printf 'sleep 0.030\n' >"$repo/work"; in_repo commit -am "second, slow"
printf 'touch "%s/hook-ran"\n' "$tmp" >"$repo/.git/hooks/post-checkout"; chmod +x "$repo/.git/hooks/post-checkout"

# run ARMS BUILD [ARGV] [MORE]
run() {
	argv=${3:-}
	[ -n "$argv" ] || argv='["sh","out/bench"]'
	printf '%s' "{\"kind\":\"build\",\"seed\":7,\"repository\":\"$repo\",\"build\":$2,\"arms\":$1,
	\"cells\":[{\"id\":\"0\",\"benchmark\":\"b\",\"argv\":$argv}],
	\"protocol\":{\"processes\":10,\"max_processes\":${most:-20},\"idle_wait_ns\":0}${4:-}}" >"$tmp/job.json"
	out=$("$worker" --state "$tmp/state" --run "$tmp/job.json" 2>&1); status=$?
}
ended() { echo "$out" | grep '"type":"done"' | sed 's/.*"status":"\([a-z_]*\)","fault":\("\([a-z_]*\)"\|null\).*/\1 \3/; s/ $//'; }
both="[{\"name\":\"base\",\"hash\":\"$one\"},{\"name\":\"head\",\"ref\":\"main\"}]"

most=60 # on a busy host few pairs may count
run "$both" '[["./build.sh"]]'
most=
check_equal "two commits are compared" "$(ended)" succeeded
check_match "the branch is resolved with its first parents" "$out" "\"arm\":\"head\",\"ref\":\"main\".*\"subject\":\"second, slow\".*\"ancestors\":\[\{\"hash\":\"$one\""
check_match "the build's output is told" "$out" '"stream":"build","data":"built sleep 0.002\\n"'
check_match "the slow one is slower" "$out" '"stop_reason":"decided".*"outcome":"slower"'
check_equal "blocks come in both orders" "$(echo "$out" | grep '"arm":"base"' | grep -o '"order":[01]' | sort -u | tr -d '\n')" '"order":0"order":1'
check_equal "no path tells the arms apart" "$(ls "$tmp/state/cache/tree" | grep -v '\.' | awk '{print length($0)}' | sort -u)" 32
check "no hook of the repository ran" test ! -e "$tmp/hook-ran"
run "$both" '[["./build.sh"]]'
check_match "the second time both come from the cache" "$out" 'built before, taken from the cache'
check_equal "and nothing is built" "$(echo "$out" | grep -c '"stream":"build"')" 0

head='[{"name":"head","ref":"main"}]'
run "$head" '[["sh","-c","echo compiling; echo error: no such header; exit 2"]]'
check_equal "a build that fails is a fault of the build" "$(ended)" "failed build"
check_match "with its last line" "$out" "build step 1 failed: 'sh' exited with 2: error: no such header"
check_match "and its log" "$out" '"stream":"build","data":"compiling'
plain=$repo; repo=file://$plain
run '[{"name":"head","ref":"main"}]' '[["./build.sh"]]'
check_equal "a file URL is as good as a path" "$(ended)" succeeded
repo=$plain
in_repo checkout -q -b side "$one"; in_repo commit -q --allow-empty -m "on the side"
in_repo checkout -q main
run '[{"name":"base","ref":"main","merge_base":true},{"name":"head","ref":"side"}]' '[["./build.sh"]]'
check_match "the merge base is where the head left the branch" "$out" "\"arm\":\"base\",\"ref\":\"main\",\"hash\":\"$one\""
run "$both" '[["./build.sh"]]' '' ',"paths_ignore":["w*"]'
check_equal "a comparison in which only ignored files differ is skipped" "$(ended)" "skipped"
check_match "and says why" "$out" "no file that counts differs"
check_equal "without a build" "$(echo "$out" | grep -c '"phase":"build"')" 0
run "$both" '[["./build.sh"]]' '' ',"paths":["*.c","work"]'
check_equal "one in which a file counts is not" "$(ended)" succeeded
in_repo checkout -q --orphan alone; in_repo commit -q -m "from nothing"; in_repo checkout -q main
run '[{"name":"base","ref":"main","merge_base":true},{"name":"head","ref":"alone"}]' '[["./build.sh"]]'
check_match "two histories without a common commit are refused" "$out" "have no common ancestor"
run '[{"name":"head","ref":"nothing"}]' '[]'
check_match "an unknown branch is named" "$out" "has no branch, tag or commit 'nothing'"
in_repo checkout -q -b trunk "$one"
run '[{"name":"head","ref":"HEAD"}]' '[["./build.sh"]]'
check_match "HEAD is the branch that the repository offers" "$out" "\"ref\":\"HEAD\",\"hash\":\"$one\",\"branch\":\"trunk\""
check_equal "and is measured" "$(ended)" succeeded
in_repo checkout -q main
asked() { # NAME PATTERN ARM
	run "[{\"name\":\"head\",$3,\"find_branch\":true}]" '[["true"]]'
	check_match "$1" "$(echo "$out" | grep '"resolved"')" "$2"
}
lone=$(git -C "$repo" rev-parse side)
asked "a branch that is asked for is the one of its commit" '"branch":"side"' '"ref":"side"'
asked "a commit that only one branch has belongs to it" '"branch":"side"' "\"hash\":\"$lone\""
asked "a commit that main has belongs to main" '"branch":"main"' "\"hash\":\"$one\""
in_repo tag mark side
asked "a tag is no branch" '"commit":' '"ref":"mark"'
check_equal "and names none" "$(echo "$out" | grep '"resolved"' | grep -c '"branch"')" 0
in_repo tag -d mark >/dev/null
run '[{"name":"head","hash":"0123456789012345678901234567890123456789"}]' '[]'
check_match "an unknown commit is named" "$out" "has no commit 0123456789"
run "$head" '[["sleep","60"]]' '' ',"limits":{"build_time_ns":300000000}'
check_match "a build that does not end is ended" "$out" "the build did not end within 300 ms"
repo=$tmp/nowhere
run "$head" '[]'
check_equal "an unreachable repository is a fault of the runner" "$(ended)" "failed runner"
check_match "and named" "$out" "cannot fetch from '$tmp/nowhere'"
repo="ext::sh -c true"
run "$head" '[]'
check_match "other protocols are refused" "$out" "(only http, https, ssh|must not contain blanks)"
done_testing
