#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# benchd's HTTP machinery against nginx (where it is installed) on the same core and in the same
# minutes, and against the bare disk. Usage: http.sh BUILD-FOLDER [SECONDS [ROUNDS]]
#
# Server on core 0, load on core 1. Rounds are interleaved and medians of ratios are printed, since
# absolute figures of a shared machine drift more than the programs differ: once of requests a
# second, once of the server's own CPU time a request, which a busy neighbour disturbs less.
# NGINX names another nginx.
set -eu
build=$1
seconds=${2:-2} rounds=${3:-5}
nginx=${NGINX:-$(command -v nginx || echo)}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/benchd-bench.XXXXXX")
pids=
finish() {
	for pid in $pids; do kill "$pid" 2>/dev/null || true; done
	for pid in $pids; do wait "$pid" 2>/dev/null || true; done
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 130' INT TERM

load() { taskset -c 1 "$build/bench/http-load" "$@"; }
rate() { sed -n 's/.*"per_second":\([0-9]*\).*/\1/p'; }
# Ticks of CPU time (user + system) that process $1 has used.
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }
# measure PID PORT CONNECTIONS -> "requests-per-second cpu-microseconds-per-request"
measure() {
	before=$(ticks "$1")
	out=$(load "$2" /healthz "$3" "$seconds")
	after=$(ticks "$1")
	printf '%s\n' "$out" | sed 's/.*"requests":\([0-9]*\).*"per_second":\([0-9]*\).*/\1 \2/' |
		awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" '{ printf "%d %.2f", $2, t / hz * 1e6 / ($1 * 1.1) }'
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

taskset -c 0 "$build/bench/http-server" "$tmp/bench.db" >"$tmp/server" &
server=$!
pids="$pids $server"
while [ ! -s "$tmp/server" ]; do sleep 0.05; done
port=$(sed 's/.*://' "$tmp/server")

if [ -n "$nginx" ]; then
	peer=$((port > 60000 ? port - 1000 : port + 1))
	cat >"$tmp/nginx.conf" <<END
daemon off; master_process off; worker_processes 1; pid $tmp/nginx.pid; error_log $tmp/error.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000; default_type application/json;
  client_body_temp_path $tmp/1; proxy_temp_path $tmp/2; fastcgi_temp_path $tmp/3; uwsgi_temp_path $tmp/4; scgi_temp_path $tmp/5;
  server { listen 127.0.0.1:$peer; location / { return 200 '{"ok":true}\n'; } } }
END
	taskset -c 0 "$nginx" -c "$tmp/nginx.conf" -p "$tmp" 2>"$tmp/nginx.log" &
	peer_pid=$!
	pids="$pids $peer_pid"
	sleep 0.5
	for n in 1 64; do
		: >"$tmp/rates"
		: >"$tmp/costs"
		for round in $(seq "$rounds"); do
			a=$(measure "$server" "$port" $n)
			b=$(measure "$peer_pid" "$peer" $n)
			echo "$a $b" | awk '{ printf "%.3f\n", $1 / $3 }' >>"$tmp/rates"
			echo "$a $b" | awk '{ printf "%.3f\n", $4 / $2 }' >>"$tmp/costs"
			echo "$n connections, round $round: benchd ${a% *}/s at ${a#* } us, nginx ${b% *}/s at ${b#* } us of CPU a request"
		done
		echo "GET /healthz, $n connections: benchd / nginx: rate $(median <"$tmp/rates"), requests for the same CPU time $(median <"$tmp/costs")"
	done
else
	echo "nginx is not installed: no ratio (apt install nginx-light, or NGINX=/path/to/nginx)"
fi
# Writes use the loop and the writer thread: let them have both cores, as in life.
taskset -apc 0-1 "$server" >/dev/null 2>&1 || true
for n in 1 16 64; do
	echo "durable POST of 900 bytes: $(load "$port" /rows $n "$seconds" 900)"
	echo "GET with a store read:     $(load "$port" /read $n "$seconds")"
done
