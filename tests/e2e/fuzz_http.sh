#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Hostile requests to every operation of the API: make fuzz-http [SECONDS_EACH=30] [SEED=] is the
# long form. Afterwards the daemon is there, its database whole, and both are after a restart.
. "${top_srcdir:-.}/tests/lib/story.sh"
[ "${PYTHON3:-no}" != no ] || skip_all "python3 is not installed"
command -v curl >/dev/null || skip_all "curl is not installed"
[ -x "$top_builddir/benchd" ] || skip_all "benchd is not built"
unset http_proxy https_proxy

is_whole() {
	"$PYTHON3" - "$tmp/state/benchd.db" <<'PY'
import sqlite3, sys
db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
found = db.execute("PRAGMA integrity_check").fetchall() + db.execute("PRAGMA foreign_key_check").fetchall()
sys.exit(0 if found == [("ok",)] else f"{found[:3]}")
PY
}
post() { curl -sS -m 20 -o "$tmp/body" -w '%{http_code}' -H 'Content-Type: application/json' --data-binary "$2" "$url$1"; }

start_daemon --no-worker || { fail "the daemon starts"; done_testing; }
post /v0/projects '{"name":"demo"}' >/dev/null
post /v0/projects '{"name":"other"}' >/dev/null
for i in 1 2 3 4; do
	code=$(post /v0/projects/demo/reports '{"branch":"main","testbed":"ci","hash":"'$i'000000000000000000000000000000000000000","start_time":"2026-01-0'$i'T00:00:00Z","end_time":"2026-01-0'$i'T00:00:01Z","results":["{\"a\":{\"latency\":{\"value\":'$i'}}}"]}')
done
check_equal "there is something to ask for" "$code" 201
post /v0/projects/demo/jobs '{"workload":"stream.triad"}' >/dev/null
check "no request is answered with a 5xx, a hang or a lie" "$PYTHON3" "$top_srcdir/tests/lib/httpfuzz.py" \
	"$url" "${FUZZ_SECONDS:-8}" "${FUZZ_SEED:-1}"
diag "$(cat "$tmp/.check")"
check_equal "the daemon is well" "$(curl -sS -m 20 -o /dev/null -w '%{http_code}' "$url/healthz")" 200
kill "$daemon"; wait "$daemon"
check "the database is whole" is_whole
start_daemon --no-worker || fail "the daemon starts on it again"
check_equal "and lists its jobs" "$(curl -sS -m 20 -o /dev/null -w '%{http_code}' "$url/v0/projects/demo/jobs")" 200
done_testing
