#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Man pages are clean, units are what systemd understands, and the check is seen to fail.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v mandoc >/dev/null || skip_all "mandoc is not installed"
printf '.Dd today\n.Dt X 1\n.Os\n.Sh NAME\n.Bl\n' >"$tmp/bad.1"
if mandoc -T lint -W warning "$tmp/bad.1" >/dev/null 2>&1; then
	fail "a planted broken page is reported"
else
	pass "a planted broken page is reported"
fi
for page in "$top_srcdir"/docs/man/*.[1-8]; do
	check "$(basename "$page") is clean" mandoc -T lint -W warning "$page"
done
# Keys of benchd.yaml stand in tables of fields: F("key", ... in config.c; a part's keys are written
# part.key. undocumented PAGE: those that no .It or .Cm of the page names.
keys() {
	awk '/json_field [a-z_]*_fields\[\]/ { part = $0; sub(/.*json_field /, "", part); sub(/_fields.*/, "", part) }
		match($0, /F\("[a-z_]+"/) { k = substr($0, RSTART + 3, RLENGTH - 4)
			if (part == "token") part = "tokens"
			print (part == "top" ? "" : part ".") k }' "$top_srcdir/daemon/config.c" |
		grep -Ev '^(worker|tokens|queue|retention)$'
}
undocumented() {
	keys | while read -r key; do
		grep -E '^\.(It )?Cm ' "$1" | tr ' ' '\n' | grep -Fqx -- "$key" || echo "$key"
	done
}
check "the keys of benchd.yaml are found" test "$(keys | wc -l)" -ge 20
check_equal "each key of benchd.yaml is in its man page" "$(undocumented "$top_srcdir/docs/man/benchd.yaml.5")" ""
grep -v 'queue.lease' "$top_srcdir/docs/man/benchd.yaml.5" >"$tmp/less.5"
check_equal "a planted key that is not is named" "$(undocumented "$tmp/less.5")" "queue.lease"
if command -v systemd-analyze >/dev/null; then
	cp "$top_builddir/systemd/benchd.service" "$tmp/"
	out=$(systemd-analyze security --offline=true --threshold=15 "$tmp/benchd.service" 2>&1); status=$?
	check_equal "the daemon's unit is exposed at most 1.5" "$status" 0
	[ $status = 0 ] || diag "$(printf '%s\n' "$out" | tail -n 3)"
	for unit in benchd.service benchd-worker.service benchd-tune.service; do
		sed "s,^\(Exec[A-Za-z]*=\)[^ ]*/sbin/,\1$top_builddir/," "$top_builddir/systemd/$unit" >"$tmp/$unit"
	done
	cp "$top_srcdir/systemd/benchd.socket" "$tmp/"
	verify() { systemd-analyze verify --man=no "$tmp/benchd.service" "$tmp/benchd-worker.service" \
		"$tmp/benchd-tune.service" "$tmp/benchd.socket" 2>&1 | grep -F "$tmp/" || true; }
	check_equal "systemd understands the units" "$(verify)" ""
	echo 'NoSuchKey=1' >>"$tmp/benchd.socket"
	check_match "a planted unknown key of a unit is reported" "$(verify)" "NoSuchKey"
else
	skip "the daemon's unit is exposed at most 1.5" "systemd-analyze is not installed"
fi
done_testing
