#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# benchctl analyze: change points, thresholds and comparisons on files, and its complaints.
. "${top_srcdir:-.}/tests/lib/story.sh"
benchctl="$top_builddir/benchctl"
[ -x "$benchctl" ] || skip_all "benchctl is not built"

# 60 values about 100, 40 about 105, sd about 0.3, from a small generator: a step at index 60.
awk 'function u() { s = (s * 1103 + 12345) % 65536; return s / 65536 }
BEGIN { s = 2024; print "commit,value"; for (i = 0; i < 100; i++)
	printf "c%d,%.3f\n", i, (i < 60 ? 100 : 105) + (u() + u() + u() + u() - 2) / 2 }' >"$tmp/step.csv"
cut -d, -f2 "$tmp/step.csv" | tail -n +2 >"$tmp/step.txt"
{ echo '['; paste -sd, "$tmp/step.txt"; echo ']'; } >"$tmp/step.json"
{ echo '{"value": '; cat "$tmp/step.json"; echo '}'; } >"$tmp/object.json"
sed 's/,/;/' "$tmp/step.csv" >"$tmp/semicolons.csv"

for d in seeded_mw pelt_mbic pelt_trend potts_l1 e_divisive; do
	out=$("$benchctl" analyze --detector $d --json "$tmp/step.csv")
	check_match "$d finds the step and nothing else" "$out" '"change_points":\[60\]'
done
for f in step.txt step.json object.json semicolons.csv; do
	check_match "$f is read" "$("$benchctl" analyze --detector seeded_mw --json "$tmp/$f")" '"change_points":\[60\],"segments":\[\{"start":0,"end":60,.*"end":100,'
done
out=$("$benchctl" analyze --detector seeded_mw --json - <"$tmp/step.txt")
check_match "standard input is read" "$out" '"change_points":\[60\]'
check_match "the answer has three members and no others" "$(printf '%s' "$out" | sed 's/{[^{}]*}//g')" \
	'^\{"detector":"seeded_mw","change_points":\[60\],"segments":\[,\]\}$'
check_match "a segment tells how sure its beginning is" "$out" '"start":0,.*"score":null\},\{"start":60,.*"score":[1-9][0-9]*\.'
check_match "segments carry their numbers" "$out" '"start":60,"end":100,"n":40,"median":10[45]\.'
out=$("$benchctl" analyze --detector seeded_mw --min-effect 0.1 --json "$tmp/step.csv")
check_match "a floor merges the segments" "$out" '"change_points":\[\]'
out=$("$benchctl" analyze --detector seeded_mw "$tmp/step.csv" 2>/dev/null)
check_match "people read a table" "$out" '^ *1 +60 +100 +40 .*\+[45]\.[0-9]+ %'

printf '%s\n' 100 102 98 101 99 103 97 100 101 99 >"$tmp/h.txt"
out=$("$benchctl" analyze --threshold log_t --history "$tmp/h.txt" --value 106 --json); status=$?
check_equal "a slower value exits with 3" $status 3
check_match "log_t matches its vector" "$out" '"lower_limit":94\.7251356313.*"upper_limit":105\.536924208.*"p":0\.00689620815340'
check_match "the verdict is slower" "$out" '"alert":"upper","verdict":"slower"'
"$benchctl" analyze --threshold log_t --history "$tmp/h.txt" --value 101 -q >/dev/null; check_equal "a usual value exits with 0" $? 0
head -n 9 "$tmp/h.txt" >"$tmp/nine.txt"
out=$("$benchctl" analyze --threshold log_t --history "$tmp/nine.txt" --value 200 --json); status=$?
check_equal "too little history exits with 4" $status 4
check_match "too little history is unknown" "$out" '"alert":null,"verdict":"unknown"'
out=$("$benchctl" analyze --threshold t_test --upper-boundary 0.99 --history "$tmp/h.txt" --value 90 --json); status=$?
check_match "only the boundary given makes a limit" "$out" '"lower_limit":null,"upper_limit":105'
check_equal "no lower boundary, no alert" $status 0
out=$("$benchctl" analyze --threshold delta_iqr --lower-boundary 2 --upper-boundary 2 --history - --value 3 --json <<-EOF
	5
	4
	3
	2
	1
EOF
)
check_match "the file is oldest first, the test newest first" "$out" '"lower_limit":1\.125,"upper_limit":4\.875'

awk 'BEGIN { for (i = 0; i < 12; i++) print 100 + i % 5 }' >"$tmp/base.txt"
awk 'BEGIN { for (i = 0; i < 12; i++) print (100 + i % 5) * (1.05 + i / 1000) }' >"$tmp/head.txt"
out=$("$benchctl" analyze --compare paired --base "$tmp/base.txt" --head "$tmp/head.txt" --json); status=$?
check_equal "a slower head exits with 3" $status 3
check_match "the paired comparison says so" "$out" '"outcome":"slower","paired":true'
out=$("$benchctl" analyze --compare unpaired --better higher --base "$tmp/base.txt" --head "$tmp/head.txt" --json); status=$?
check_equal "a faster head exits with 0" $status 0
out=$("$benchctl" analyze --threshold mann_whitney --base "$tmp/base.txt" --head "$tmp/head.txt" --json); status=$?
check_match "groups of process values are judged" "$out" '"threshold":"mann_whitney".*"verdict":"slower"'

# every test of a threshold by its name, on a history and a value
for t in percentage z_score t_test log_normal iqr delta_iqr log_t exact ab_log_t mann_whitney cpd; do
	out=$("$benchctl" analyze --threshold $t --history "$tmp/step.txt" --value 106 --json)
	check_match "$t judges a value" "$out" "\"threshold\":\"$t\".*\"baseline\":10[0-9.]*,.*\"verdict\":\"(pass|slower|unknown)\""
done
# a series begins: unknown, no error
for t in percentage z_score t_test log_normal iqr delta_iqr log_t exact ab_log_t mann_whitney cpd; do
	out=$(echo '[]' | "$benchctl" analyze --threshold $t --history - --value 106 --json); status=$?
	check_match "$t without a history" "$status $out" '^4 .*"n":0,.*"baseline":null,"lower_limit":null,"upper_limit":null,.*"verdict":"unknown"'
done
out=$("$benchctl" analyze --threshold static --upper-boundary 105.5 --history "$tmp/step.txt" --value 106 --json)
check_match "static has the limits it is given" "$out" '"lower_limit":null,"upper_limit":105.5.*"verdict":"slower"'
head -n 80 "$tmp/step.txt" >"$tmp/recent.txt"
out=$("$benchctl" analyze --threshold cpd --history "$tmp/recent.txt" --value 105 --json); status=$?
check_match "cpd tells where the level changed" "$out" '"verdict":"slower","reason":"the level changed at value 60'
check_equal "which exits with 3" $status 3
{ head -n 3 "$tmp/recent.txt"; echo NaN; } >"$tmp/nan.txt"
for t in percentage z_score t_test log_normal iqr delta_iqr; do
	out=$("$benchctl" analyze --threshold $t --history "$tmp/nan.txt" --value 106 --json); status=$?
	check_match "$t has no limits where the history holds NaN, as Bencher's" "$status $out" \
		'^4 .*"n":4,.*"lower_limit":null,"upper_limit":null,.*"alert":null,"verdict":"unknown"'
done
check_match "as null in JSON, too" "$(echo '[100, null, 101]' | "$benchctl" analyze --threshold iqr --history - --value 106 --json)" \
	'"n":3,.*"upper_limit":null'
awk 'BEGIN { for (i = 0; i < 40; i++) printf "%.2f\n", -(i < 20 ? 10 : 20) - i % 7 / 10 }' >"$tmp/negative.txt"
out=$("$benchctl" analyze --threshold cpd --history "$tmp/negative.txt" --value -20.05 --json); status=$?
check_match "a fall below zero is a fall" "$status $out" '^0 .*"effect":-[01]\.[0-9]*,.*"alert":"lower","verdict":"faster"'
check_match "of a level, too" "$("$benchctl" analyze --detector seeded_mw --json "$tmp/negative.txt")" '"change":-[01]\.[0-9]'
# forms that other programs write
{ printf '\357\273\277"commit","value"\r\n'; awk -F, 'NR > 1 { printf "\"a, %s\",\"%s\"\r\n", $1, $2 }' "$tmp/step.csv"; } >"$tmp/excel.csv"
check_match "a byte order mark, CRLF and quotes are read" "$("$benchctl" analyze --detector seeded_mw --json "$tmp/excel.csv")" '"change_points":\[60\],"segments":\[\{"start":0,"end":60,.*"end":100,'
awk 'BEGIN { printf "[" } { printf "%s{\"value\": %s, \"at\": 1}", (NR > 1 ? "," : ""), $1 } END { print "]" }' "$tmp/step.txt" >"$tmp/objects.json"
check_match "an array of objects is read" "$("$benchctl" analyze --detector seeded_mw --json "$tmp/objects.json")" '"change_points":\[60\],"segments":\[\{"start":0,"end":60,.*"end":100,'
yes 5 | head -n 50 >"$tmp/constant.txt"
check_match "a constant history has no change" "$("$benchctl" analyze --detector seeded_mw --json "$tmp/constant.txt")" '"change_points":\[\],'
echo 7 >"$tmp/one.txt"
check_match "nor has one value" "$("$benchctl" analyze --detector pelt_mbic --json "$tmp/one.txt")" '"change_points":\[\],"segments":\[\{"start":0,"end":1,"n":1,'

awk 'BEGIN { for (i = 0; i < 40; i++) printf "%.1f\n", 10 + i % 4 / 10 }' >"$tmp/rounded.txt"
check_match "rounded times are told of --jitter" "$("$benchctl" analyze --detector seeded_mw "$tmp/rounded.txt" 2>&1)" "many values are equal: --jitter 1e-7"
check_equal "programs get the answer alone" "$("$benchctl" analyze --detector seeded_mw --json "$tmp/rounded.txt" 2>&1 | grep -c jitter)" 0
check_equal "counts are not" "$("$benchctl" analyze --detector seeded_mw "$tmp/constant.txt" 2>&1 | grep -c jitter)" 0
check_equal "nor who asked for it" "$("$benchctl" analyze --detector seeded_mw --jitter 1e-7 "$tmp/rounded.txt" 2>&1 | grep -c jitter)" 0
complain() { # TITLE EXIT REGEX ARGUMENT... (standard input: $input)
	title=$1 want=$2 regex=$3; shift 3
	out=$(printf '%b' "$input" | "$benchctl" analyze "$@" 2>&1 >"$tmp/out"); status=$?
	check_equal "$title: exit $want" $status "$want"
	check_match "$title: says what" "$out" "$regex"
	[ -s "$tmp/out" ] && fail "$title: nothing on standard output"
}
input='a,b\n1,2\n1,nan\n'
complain "NaN" 1 "line 3, column 2: 'nan' is not a finite number" --detector seeded_mw --column b -
complain "a column that is not there" 1 "names no column 'value'.*'a', 'b'" --detector seeded_mw -
input='100\n101\nnan\n'
complain "NaN in a history of our own test" 1 "'nan' is not a finite number" --threshold log_t --history - --value 1
complain "an unknown detector" 2 "there is no detector 'seeded_mv'; did you mean 'seeded_mw'" --detector seeded_mv -
input='1\n2\n1e999\n'
complain "infinity" 1 "line 3, column 1: '1e999' is not a finite number" --detector seeded_mw -
input='value\n"1.5\n2\n'
complain "an open quote" 1 "line 2 opens a quote that it does not close" --detector seeded_mw -
input='[1, 2, null]'
complain "null" 1 'element 2 \(counted from 0\) is null' --detector seeded_mw -
input='[1, 2'
complain "broken JSON" 1 'standard input: .*line 1' --detector seeded_mw -
input=''
complain "nothing" 1 'standard input holds no values' --detector seeded_mw -
input='1e400\n1\n2\n'
complain "infinity in the first line" 1 "line 1, column 1: '1e400' is not a finite number" --detector seeded_mw -
input='nan\n1\n2\n'
complain "NaN in the first line" 1 "line 1, column 1: 'nan' is not a finite number" --detector seeded_mw -
input='[{"value": 1}, {"other": 2}]'
complain "an object without the member" 1 "element 1 .*objects with a number 'value'" --detector seeded_mw -
input='1\n'
complain "a boundary that cannot be" 2 "'upper_boundary' must be at least 0.5 and less than 1" --threshold t_test --upper-boundary 1 --history - --value 1
complain "no value" 2 'needs --history FILE and --value X' --threshold log_t --history -
complain "a number that is none" 2 "--alpha takes a finite number, not 'x'" --detector seeded_mw --alpha x -
complain "no mode" 2 'give one of --detector' --json
complain "a file that is not there" 1 'cannot read' --detector seeded_mw "$tmp/none"
done_testing
