#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Programs that try to get out: what strict stops, and that without it the same attempts get through.
. "${top_srcdir:-.}/tests/lib/story.sh"
worker=$top_builddir/benchd-worker
[ -x "$worker" ] || skip_all "benchd-worker is not built"
python=$(command -v /usr/bin/python3 || command -v python3) || skip_all "python3 is not installed"
BENCHD_LOCK_DIR=$tmp/lock
export BENCHD_LOCK_DIR
mkdir "$tmp/lock"
user= root=
[ "$(id -u)" != 0 ] || { user="--job-user nobody" root=1; }
# Not in /tmp, which is private anyway; open to the job's user, so that only walls keep it out.
base=$(mktemp -d /var/cache/benchd-story.XXXXXX 2>/dev/null) || base=$(mktemp -d "$HOME/.benchd-story.XXXXXX") || skip_all "no folder outside of /tmp"
trap 'kill $server 2>/dev/null; rm -rf "$base"; story_end' EXIT
chmod 755 "$base"
mkdir -m 777 "$base/open"
cp "$top_srcdir/tests/lib/breakout.py" "$base/"

# What it is to reach: a listening port, a unix socket that anyone may use, and their process.
"$python" - "$base/sock" >"$base/port" <<'END' &
import os, socket, sys
u = socket.socket(socket.AF_UNIX); u.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o777); u.listen()
t = socket.socket(); t.bind(("127.0.0.1", 0)); t.listen()
print(t.getsockname()[1], flush=True)
while True:
    t.accept()[0].close()
END
server=$!
ready() { [ -s "$base/port" ]; }
wait_for 30 ready || skip_all "no server"
port=$(cat "$base/port")

# attempt PROFILE NAME...: sets $out (what the program said) and $done
attempt() {
	profile=$1
	shift
	words=$(for w in "$@"; do printf ',"%s"' "$w"; done)
	cat >"$tmp/job.json" <<END
{"kind":"command","isolation":"$profile","cells":[{"id":"0","benchmark":"b","argv":
["$python","$base/breakout.py","$port","$base/sock","$server","$base/open","$base/state"$words]}],
"limits":{"memory_bytes":${memory:-0}},"exit_codes":[0,1],"protocol":{"processes":1,"adaptive":false,"idle_wait_ns":0}}
END
	"$worker" --run "$tmp/job.json" --state "$base/state" $user ${options:-} >"$tmp/out" 2>"$tmp/err" || true
	done=$(grep '"type":"done"' "$tmp/out")
	out=$(sed -n 's/.*"stream":"std[a-z]*","data":"\(.*\)"}$/\1/p' "$tmp/out" | sed 's/\\n/\n/g')
}
layers() { echo "$done" | grep -q "$1"; }

attempt strict write-etc
if ! echo "$done" | grep -q '"status":"succeeded"'; then
	check_match "strict is refused where a layer is missing, and says which" "$done" "isolation strict needs the layer '[a-z_]*'"
	done_testing
fi
walls="write-etc write-folder write-sysctl read-state loopback unix signal see ptrace mount unshare clone setuid tmp"
attempt strict $walls
for wall in $walls; do
	check_match "strict stops: $wall" "$out" "^$wall blocked"
done
check "nothing was written" test ! -e /etc/benchd-breakout -a ! -e "$base/open/breakout"
for layer in '"namespaces":true' '"network_off":true' '"seccomp":true' '"landlock":"abi' '"no_capabilities":true' '"no_new_privs":true' \
	'"rlimits":true' '"state_hidden":true' '"processes":"\(rlimit\|cgroup\)"' '"\(own_user\|user_namespace\)":true'; do
	check "the layer is told: $layer" layers "$layer"
done

# The same program, not walled in: attempts that get through show that it tries in earnest.
attempt none write-folder loopback unix signal see clone ptrace # traced, a signal would stop it: last
for wall in write-folder loopback unix see ptrace; do
	check_match "none lets through: $wall" "$out" "^$wall open"
done
[ -n "$root" ] || check_match "none lets through: signal" "$out" "^signal open"
rm -f "$base/open/breakout"
attempt basic loopback setuid
check_match "basic leaves the network" "$out" "^loopback open"
[ -z "$user" ] || check_match "basic keeps its user" "$out" "^setuid blocked"

attempt strict fork-bomb
check_match "a fork bomb meets a limit" "$out" "^fork-bomb blocked"
check "the target lives" kill -0 $server
memory=268435456
attempt strict memory
check "a program that takes 1 GiB of 256 MiB is stopped" test "$(echo "$out" | grep -c '^memory open')" = 0
memory=0
if [ -n "$root" ]; then
	user=
	attempt strict write-etc
	check_match "as root, strict wants a user for jobs" "$done" "needs the layer 'own_user'.*--job-user"
fi
done_testing
