# SPDX-License-Identifier: GPL-3.0-or-later
# Helpers for end-to-end stories (sourced by tests/e2e/*.sh, POSIX sh). A story speaks TAP:
#
#   . "${top_srcdir:-.}/tests/lib/story.sh"
#   check "the sum is right" test 4 = 4
#   check_match "the error names the field" "$out" "processes"
#   done_testing
#
# $tmp is a fresh folder, removed at the end. Processes started through `spawn` are ended at the
# end, by their id. `skip_all REASON` ends a story that cannot run here.
set -u
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
top_builddir=${top_builddir:-$(pwd)}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/benchd-story.XXXXXX")
story_n=0 story_failed=0 story_pids=

# is_running PID : a process that has ended and was not waited for is none
is_running() {
	case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in "" | [ZX]*) return 1 ;; esac
}
# They get a minute to end; one that does not is killed, and the story has failed.
story_end() {
	story_status=$? story_left=1200
	for pid in $story_pids; do kill "$pid" 2>/dev/null; done
	for pid in $story_pids; do
		while is_running "$pid" && [ $story_left -gt 0 ]; do story_left=$((story_left - 1)); sleep 0.05; done
		if is_running "$pid"; then
			echo "# process $pid did not end within a minute of SIGTERM: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
			kill -9 "$pid" 2>/dev/null
			story_status=1
		fi
		wait "$pid" 2>/dev/null
	done
	[ -n "${KEEP:-}" ] || rm -rf "$tmp"
	exit $story_status
}
trap story_end EXIT
trap 'exit 130' INT TERM

skip_all() { echo "1..0 # SKIP $*"; exit 0; }
pass() { story_n=$((story_n + 1)); echo "ok $story_n - $*"; }
fail() { story_n=$((story_n + 1)); story_failed=$((story_failed + 1)); echo "not ok $story_n - $*"; }
diag() { printf '%s\n' "$*" | sed 's/^/# /'; }
skip() { story_n=$((story_n + 1)); echo "ok $story_n - $1 # SKIP $2"; }

# check TITLE COMMAND... : passes when the command succeeds; its output is shown when not.
check() {
	title=$1; shift
	if "$@" >"$tmp/.check" 2>&1; then pass "$title"; else fail "$title"; diag "$(cat "$tmp/.check")"; fi
}
# check_match TITLE TEXT REGEX : passes when the extended regular expression is found in TEXT.
check_match() {
	if printf '%s\n' "$2" | grep -Eq -- "$3"; then pass "$1"; else fail "$1"; diag "no match for: $3"; diag "$2"; fi
}
check_equal() {
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1"; diag "got:      $2"; diag "expected: $3"; fi
}
# spawn LOGFILE COMMAND... : run in the background; sets $spawned.
spawn() {
	spawn_log=$1; shift
	: >"$spawn_log" # by us: who waits for a word in it must not find that of the one before
	"$@" >"$spawn_log" 2>&1 &
	spawned=$!
	story_pids="$story_pids $spawned"
}
# wait_for SECONDS COMMAND... : until the command succeeds. A minute at least: on a busy machine
# everything takes its time, and where all is well nothing waits for the limit.
wait_for() {
	wait_left=$(($1 < 60 ? 600 : $1 * 10)); shift
	while ! "$@" >/dev/null 2>&1; do
		wait_left=$((wait_left - 1))
		[ $wait_left -gt 0 ] || return 1
		sleep 0.1
	done
}
# until_decided N COMMAND... : what the command prints, once it is no comparison that was left undecided;
# else what it prints the Nth time. On a busy host that is an honest outcome: noisy pairs do not count,
# and fewer than eight cannot show a difference. Any other answer, wrong ones too, is the last one.
until_decided() {
	decided_left=$1; shift
	while :; do
		decided_out=$("$@")
		decided_left=$((decided_left - 1))
		[ $decided_left -gt 0 ] && printf '%s\n' "$decided_out" | grep -Eq '^unknown: the data do not decide|"outcome": *"unknown"' || break
	done
	printf '%s\n' "$decided_out"
}
# start_daemon [OPTION...] : a benchd on a free port of 127.0.0.1 with its state in $tmp/state;
# sets $daemon (pid) and $url. benchd prints "listening on http://127.0.0.1:PORT".
start_daemon() {
	mkdir -p "$tmp/state"
	: >"$tmp/daemon.log" # what an earlier daemon said does not count
	# BENCHD_WRAPPER: valgrind and its options, for one.
	# shellcheck disable=SC2086 # a list of words
	spawn "$tmp/daemon.log" ${BENCHD_WRAPPER:-} "$top_builddir/benchd" --listen 127.0.0.1:0 --state "$tmp/state" "$@"
	daemon=$spawned
	wait_for 60 grep -q 'listening on http' "$tmp/daemon.log" || { diag "$(cat "$tmp/daemon.log")"; return 1; }
	url=$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' "$tmp/daemon.log" | head -n 1)
}
# A process that a sanitizer ended may look like one that failed as it should.
done_testing() {
	complaints=$(grep -sE -A 12 'ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|: runtime error: ' "$tmp"/*.log)
	[ -z "$complaints" ] || { fail "no sanitizer complains"; diag "$complaints"; }
	echo "1..$story_n"; [ "$story_failed" = 0 ]; exit $?
}
