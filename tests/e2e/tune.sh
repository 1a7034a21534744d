#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# benchd-tune on a folder that plays the host: what it sets, what it gives back, whatever happens.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v jq >/dev/null || skip_all "jq is not installed"
tune=$top_builddir/benchd-tune
host=$tmp/host
journal=$tmp/state/journal
put() { mkdir -p "$(dirname "$host$1")"; printf '%s\n' "$2" >"$host$1"; }
fresh() {
	rm -rf "$host" "$tmp/state"
	for i in 0 1; do
		put /sys/devices/system/cpu/cpufreq/policy$i/scaling_governor powersave
		put /sys/devices/system/cpu/cpufreq/policy$i/scaling_available_governors "performance powersave"
	done
	put /sys/devices/system/cpu/intel_pstate/no_turbo 0
	put /proc/sys/kernel/nmi_watchdog 1
	put /proc/sys/kernel/numa_balancing 0
	put /proc/sys/kernel/timer_migration 1
	put /sys/kernel/mm/ksm/run 1
	put /sys/kernel/mm/transparent_hugepage/enabled "[always] madvise never"
	put /proc/irq/default_smp_affinity f
	put /proc/irq/9/smp_affinity_list 0-3
	put /proc/irq/10/smp_affinity_list 1
	put /sys/devices/virtual/workqueue/cpumask ff,ffffffff
	put /proc/sys/kernel/random/boot_id 5d2f
	put /dev/cpu_dma_latency ""
	rm -rf "$tmp/before"
	cp -a "$host" "$tmp/before"
}
same() { diff -r -x cpu_dma_latency "$tmp/before" "$host"; }
run() { out=$("$tune" "$@" --root "$host" --journal "$journal" 2>&1); status=$?; }
value() { cat "$host$1"; }

fresh
run show
check_match "show says what would be set" "$out" "governor +/sys.*policy0/scaling_governor +powersave +performance +would be set"
check_match "what is right already is said" "$out" "numa_balancing.*already"
check "show changes nothing" same
check "and leaves no journal" test ! -e "$journal"

run apply --housekeeping 0
check_equal "apply succeeds" "$status" 0
check_equal "the governor is set on every policy" "$(cat "$host"/sys/devices/system/cpu/cpufreq/*/scaling_governor | sort -u)" performance
check_equal "interrupts go to the housekeeping cpu" "$(value /proc/irq/9/smp_affinity_list)" 0
check_equal "and the default mask too" "$(value /proc/irq/default_smp_affinity)" 1
check_equal "huge pages stay, being no usual setting" "$(value /sys/kernel/mm/transparent_hugepage/enabled)" "[always] madvise never"
check_match "the journal has the earlier value" "$(cat "$journal")" '"path":"/sys/devices/system/cpu/intel_pstate/no_turbo","before":"0","wanted":"1"'
check "a value that was right is not journalled" sh -c "! grep -q numa_balancing '$journal'"
run restore
check_equal "restore succeeds" "$status" 0
check "every value is back, byte for byte" same
check "and the journal is gone" test ! -e "$journal"
run restore
check_match "restoring twice is calm" "$out" "not tuned"

# A second apply gives back first, so that the journal never holds tuned values.
run apply
run apply --not turbo
check_equal "turbo is left alone when told so" "$(value /sys/devices/system/cpu/intel_pstate/no_turbo)" 0
run restore
check "and all is back after two" same

# Held by the service, killed without a chance, started again.
spawn "$tmp/hold.log" "$tune" hold --root "$host" --journal "$journal"
wait_for 20 grep -q Held "$tmp/hold.log"
run apply
check_match "one tuner a host" "$out" "another benchd-tune holds"
kill -9 "$spawned"
wait "$spawned" 2>/dev/null
check_equal "a killed tuner leaves the host tuned" "$(value /proc/sys/kernel/nmi_watchdog)" 0
run restore
check "which its journal undoes, byte for byte" same
spawn "$tmp/hold.log" "$tune" hold --root "$host" --journal "$journal"
wait_for 20 grep -q Held "$tmp/hold.log"
kill "$spawned"
wait "$spawned"
check_equal "SIGTERM ends the service well" "$?" 0
check "and gives all back" same

# Killed at any moment.
bad=0
for i in $(seq "${TUNE_KILLS:-20}"); do
	"$tune" apply --housekeeping 0 --root "$host" --journal "$journal" >/dev/null 2>&1 &
	pid=$!
	sleep "0.00$((i % 8))"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	run restore
	[ "$status" = 0 ] && same >/dev/null || bad=$((bad + 1))
done
check_equal "killed at ${TUNE_KILLS:-20} moments, all back each time" "$bad" 0

# A host that refuses: a governor is not offered, a file takes no writing, another forgets.
fresh
put /sys/devices/system/cpu/cpufreq/policy1/scaling_available_governors "powersave"
rm "$host/proc/sys/kernel/nmi_watchdog" "$host/sys/kernel/mm/ksm/run"
mkdir "$host/proc/sys/kernel/nmi_watchdog"
ln -s /proc/version "$host/sys/kernel/mm/ksm/run"
ln -sf /dev/null "$host/proc/sys/kernel/timer_migration"
run apply
check_equal "done in part is told by the status" "$status" 3
check_equal "what is not offered is not asked for" "$(value /sys/devices/system/cpu/cpufreq/policy1/scaling_governor)" powersave
check_match "a refusal is told with its reason" "$out" "ksm/run: .*(did not take '0'|cannot open)"
check_match "a value that is not kept is told" "$out" "timer_migration: '0' was written and '' is read back"
check "a file that cannot be read is left out" sh -c "! printf '%s' '$(printf '%s' "$out" | tr -d "'")' | grep -q nmi_watchdog"
check_equal "the rest is set" "$(value /sys/devices/system/cpu/intel_pstate/no_turbo)" 1
run restore
check_equal "and given back" "$(value /sys/devices/system/cpu/intel_pstate/no_turbo)" 0

# Journals of others.
fresh
run apply
printf '{"path":"/etc/passwd","before":"x","wanted":"y"}\n' >>"$journal"
put /etc/passwd root
run restore
check_match "a journal that names a foreign file is refused" "$out" "1 lines of .* are no settings"
check_equal "the foreign file is untouched" "$(value /etc/passwd)" root
check_equal "what it knows is back" "$(value /proc/sys/kernel/nmi_watchdog)" 1
rm "$journal"
fresh
run apply
put /proc/sys/kernel/random/boot_id 77aa
put /sys/kernel/mm/ksm/run 1
run restore
check_match "a journal of an earlier boot is only removed" "$out" "earlier boot"
check_equal "nothing is written for it" "$(value /proc/sys/kernel/nmi_watchdog)" 0

fresh
mkdir -p "$tmp/state/journal"
run apply
check_equal "without a journal nothing is set" "$status" 1
check "nothing at all" same
rmdir "$tmp/state/journal"

run apply --set gouvernor
check_match "a wrong name gets the nearest one" "$out" "there is no setting 'gouvernor'; did you mean governor"
run apply --housekeeping 0-
check_match "a wrong list of cpus is refused" "$out" "must be a list of cpus"
run tune
check_match "a wrong command is refused" "$out" "there is no command 'tune'"
run show --json
check_equal "show as JSON is for programs" "$(printf '%s' "$out" | jq -r '.[0].setting')" governor
done_testing
