#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Files that a job keeps: what its patterns name and nothing else, whole, with caps that are said,
# as downloads; hostile names and links get nowhere.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
python=$(command -v /usr/bin/python3 || command -v python3) || skip_all "python3 is not installed"
cat >"$tmp/make" <<'EOF'
#!/bin/sh
mkdir -p out/deep .hidden
echo one >out/a.txt; echo two >"out/b c.txt"; echo no >out/c.bin; echo deep >out/deep/d.txt
echo hidden >.hidden/e.txt; echo top >top.txt
head -c 3000000 /dev/urandom >big.dat; sha256sum big.dat >big.sum
ln -s /etc/passwd out/link.txt; ln top.txt out/hard.txt; mkfifo out/pipe.txt
head -c 17000000 /dev/zero >out/huge.txt
printf '<script>alert(1)</script>' >'out/x";y.html.txt'
exit ${1:-0}
EOF
chmod +x "$tmp/make"
cat >"$tmp/benchd.yaml" <<EOF
allow_adhoc_commands: true
workloads:
  makes: &m
    kind: command
    command: [$tmp/make, "{status}"]
    parameters: {status: 0}
    slot: shared
    artifacts: ["out/*.txt", "*.dat", "big.sum"]
    cleanup: [[sh, -c, "rm -rf out"]]
    protocol: {processes: 1, adaptive: false, idle_wait: 0s}
EOF
sed -i 's/ &m//' "$tmp/benchd.yaml"
post() { curl -s -m 120 -H 'Content-Type: application/json' --data "$2" "$url$1"; }
get() { curl -s -m 60 "$url$1"; }
ask() { "$python" -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
P=/v0/projects/p
check "the daemon starts" start_daemon --config "$tmp/benchd.yaml"
job=$(post "$P/jobs?wait=100s" '{"workload":"makes"}')
A=$P/jobs/$(echo "$job" | ask 'd["uuid"]')/artifacts F="$P/jobs/$(echo "$job" | ask 'd["uuid"]')/artifact?name="
check_equal "what the patterns name is kept, no links, nothing hidden, nothing deeper" "$(get "$A" | ask '[f["name"] for f in d]')" "['big.dat', 'big.sum', 'out/a.txt', 'out/b c.txt', 'out/x\";y.html.txt']"
notes=$(get "$P/reports/$(echo "$job" | ask 'd["report"]')" | ask '"\n".join(d["summary"]["notes"])')
check_match "what is too large is said" "$notes" "'out/huge.txt' is not kept: it is larger than 16 MiB"
check_match "links too" "$notes" "'out/link.txt' is not kept: it cannot be opened, or is a link"
check_match "and second names" "$notes" "'out/hard.txt' is not kept: it is no plain file with one name"
check_match "and pipes" "$notes" "'out/pipe.txt' is not kept: it is no plain file"
get "${F}big.dat" >"$tmp/big.dat"; get "${F}big.sum" >"$tmp/big.sum"
check "a file of several pieces comes back whole" sh -c "cd '$tmp' && sha256sum -c big.sum"
check_equal "its hash is listed" "$(get "$A" | ask 'd[0]["sha256"], d[0]["bytes"]')" "$(cut -d' ' -f1 <"$tmp/big.sum") 3000000"
check_equal "a name may have a slash" "$(get "${F}out/a.txt")" one
headers=$(curl -s -m 60 -D - -o /dev/null "$url${F}out/x%22%3By.html.txt" | tr -d '\r')
check_match "a file is a download under a plain name" "$headers" '^Content-Disposition: attachment; filename="x__y.html.txt"$'
check_match "that no browser looks into" "$headers" '^X-Content-Type-Options: nosniff$'
check_match "nor runs" "$headers" '^Content-Security-Policy: .*sandbox'
check_match "and has no other type" "$headers" '^Content-Type: application/octet-stream'
check_match "what is not there is not found" "$(get "${F}../../etc/passwd")" "the job kept no file '../../etc/passwd'"
check_match "the other arm has none" "$(get "${F}big.sum&arm=base")" "the job kept no file"
BENCHD_HOST=$url BENCHD_PROJECT=p HOME=$tmp "$top_builddir/benchctl" artifacts "$(echo "$job" | ask 'd["uuid"]')" --out "$tmp/got" >/dev/null 2>&1
check_equal "the client writes all of them" "$(ls "$tmp/got" | tr '\n' '|')" "head-big.dat|head-big.sum|head-out_a.txt|head-out_b c.txt|head-out_x\";y.html.txt|"
job=$(post "$P/jobs?wait=100s" '{"workload":"makes","parameters":{"status":3}}')
check_match "a failed job" "$job" '"state":"failed"'
check_equal "keeps its files too" "$(get "$P/jobs/$(echo "$job" | ask 'd["uuid"]')/artifacts" | ask 'len(d)')" 5
check_match "a pattern stays below the folder" "$(post "$P/jobs" '{"definition":{"kind":"command","command":["true"],"artifacts":["/etc/*"]}}')" "relative to the folder"

kill "$daemon"
wait "$daemon"
printf 'retention: {artifacts_size: 4Mi}\n' >>"$tmp/benchd.yaml"
check "a daemon that keeps less starts" start_daemon --config "$tmp/benchd.yaml"
names() { get "$P/jobs/$1/artifacts" | ask '[f["name"] for f in d]'; }
older=$(echo "$job" | ask 'd["uuid"]')
job=$(post "$P/jobs?wait=100s" '{"workload":"makes"}' | ask 'd["uuid"]')
gone() { case $(names "$older") in *big.dat*) return 1 ;; esac; }
check "the oldest files go when there are too many" wait_for 30 gone
check_match "the newest stay" "$(names "$job")" "big.dat"
check_equal "their bytes too" "$(get "$P/jobs/$job/artifact?name=big.dat" | wc -c)" 3000000
printf 'retention: {artifacts: 10s}\n' >"$tmp/short.yaml"
check_match "a time too short is refused, with the limits" "$("$top_builddir/benchd" --config "$tmp/short.yaml" --state "$tmp/none" 2>&1)" "must be 3600 to"
done_testing
