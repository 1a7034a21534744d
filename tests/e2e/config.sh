#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# benchd -n: a wrong value of each key of benchd.yaml is refused with its line, its name and what
# is allowed; and no key is left out here.
. "${top_srcdir:-.}/tests/lib/story.sh"
: >"$tmp/tried"

# wrong LINE KEY REGEX TEXT : the file TEXT is refused in LINE, by KEY, with words that match.
wrong() {
	echo "$2" >>"$tmp/tried"
	printf '%b' "$4" >"$tmp/benchd.yaml"
	out=$("$top_builddir/benchd" -n --config "$tmp/benchd.yaml" 2>&1); status=$?
	check_match "a wrong $2 is refused in its line" "$status $out" "^[1-9].*benchd\.yaml:$1: .*$3"
}

wrong 2 listen "'listen' must be an array" '\nlisten: x\n'
wrong 2 listen "'nope' is no address; write HOST:PORT" '\nlisten: ["nope"]\n'
wrong 2 state "'state' must be 1 to" '\nstate: ""\n'
wrong 2 testbed "'testbed' must be a string" '\ntestbed: 7\n'
wrong 2 public_url "'public_url' must begin with http" '\npublic_url: ftp://example.org\n'
wrong 2 log "'log' is 'loud'; it must be one of 'error'" '\nlog: loud\n'
wrong 2 allow_adhoc_commands "must be true or false" '\nallow_adhoc_commands: 3\n'
wrong 2 worker "'worker' must be an object" '\nworker: 1\n'
wrong 3 embedded "'embedded' must be true or false" '\nworker:\n  embedded: 1\n'
wrong 3 program "'program' must be 1 to" '\nworker:\n  program: ""\n'
wrong 3 socket "'socket' must be a string" '\nworker:\n  socket: 5\n'
wrong 2 tokens "'tokens' must be an object" '\ntokens: 1\n'
wrong 3 required "'required' is 'maybe'; it must be one of 'auto'" '\ntokens:\n  required: maybe\n'
wrong 4 required "'tokens.required' can be false only when" 'listen:\n  - 0.0.0.0:1\ntokens:\n  required: false\n'
wrong 3 anonymous_read "must be true or false" '\ntokens:\n  anonymous_read: 1\n'
wrong 2 queue "'queue' must be an object" '\nqueue: 1\n'
wrong 3 max_waiting "must be 1 to 1000000, not 0" '\nqueue:\n  max_waiting: 0\n'
wrong 3 max_attempts "must be 1 to 100, not 101" '\nqueue:\n  max_attempts: 101\n'
wrong 3 lease "must be 10 to 3600 seconds, not 1" '\nqueue:\n  lease: 1s\n'
wrong 3 queue "'max_wating' is not known here; did you mean 'max_waiting'" '\nqueue:\n  max_wating: 3\n'
wrong 2 retention "'retention' must be an object" '\nretention: 1\n'
wrong 3 idempotency "must be 86400 to 31536000 seconds" '\nretention:\n  idempotency: 1s\n'
wrong 3 deliveries "must be 86400 to 315360000 seconds" '\nretention:\n  deliveries: 1s\n'
wrong 3 artifacts "must be 3600 to 315360000 seconds" '\nretention:\n  artifacts: 1s\n'
wrong 3 artifacts_size "must be 0 to 1000000000000 bytes" '\nretention:\n  artifacts_size: -1\n'
wrong 2 workloads "'workloads' must be an object" '\nworkloads: 3\n'
wrong 2 workload_dir "cannot read the workload_dir '.*nowhere'" '\nworkload_dir: nowhere\n'
wrong 2 schedules "'schedules' must be an object" '\nschedules: []\n'
wrong 3 schedules "'workload' is missing" '\nschedules:\n  s:\n    cron: "x"\n'
wrong 2 hooks "'hooks' must be an object" '\nhooks: 1\n'
wrong 3 hooks "'secret_file' is missing" '\nhooks:\n  h:\n    repository: o/n\n'
wrong 4 webhooks "'url' must be a string" '\nwebhooks:\n  w:\n    url: 3\n'
wrong 3 outgoing "'attempts' must be 1 to 100" '\noutgoing:\n  attempts: 0\n'

untried() {
	grep -o '^	F("[a-z_]*"' "$top_srcdir/daemon/config.c" | cut -d'"' -f2 | while read -r key; do
		grep -qx "$key" "$1" || echo "$key"
	done
}
check_equal "each key of benchd.yaml was tried" "$(untried "$tmp/tried")" ""
grep -vx lease "$tmp/tried" >"$tmp/fewer"
check_equal "a planted key that was not is named" "$(untried "$tmp/fewer")" "lease"

printf 'listen: ["127.0.0.1:0"]\nqueue:\n  max_waiting: 10\n' >"$tmp/benchd.yaml"
check "a right file passes" "$top_builddir/benchd" -n --config "$tmp/benchd.yaml"
check "the file that is installed passes" "$top_builddir/benchd" -n --config "$top_srcdir/systemd/benchd.yaml"
done_testing
