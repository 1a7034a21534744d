#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# All builds and suites, as CI runs them (./bootstrap check). Ends with one line
# "N passed, N failed, N skipped" counted from the TAP results of every run. Stops at nothing: each
# part is run, and the exit status says whether all of them passed.
#
# BENCHD_CHECK chooses parts (default all): plain asan tsan valgrind dist
set -u
cd "$(dirname "$0")/.."
top=$(pwd)
parts=${BENCHD_CHECK:-plain asan tsan valgrind dist}
jobs=$(getconf _NPROCESSORS_ONLN)
measuring="tests/e2e/regression.sh"
passed=0 failed=0 skipped=0

say() { printf '\n== %s\n' "$*"; }
add() { passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3)); }

# One thing that is right or wrong as a whole, such as a build.
step() { # TITLE LOG COMMAND...
	step_title=$1 step_log=$2
	shift 2
	if "$@" >"$step_log" 2>&1; then
		echo "PASS: $step_title"
		add 1 0 0
	else
		echo "FAIL: $step_title (the end of $step_log follows)"
		tail -n 60 "$step_log"
		add 0 1 0
		return 1
	fi
}

configure_in() { # FOLDER OPTION...
	mkdir -p "$1"
	(cd "$1" && shift && "$top/configure" -q "$@")
}

# Run `make check` in a folder and count what it printed. Tests wait more than they compute, so they run
# beside each other, but for those in $alone: they measure, and their neighbours would be noise to them.
alone=
suite() { # TITLE FOLDER MAKE-ARGUMENT...
	suite_title=$1 suite_dir=$2
	shift 2
	find "$suite_dir/tests" -name '*.time' -delete 2>/dev/null
	: >"$suite_dir/check.log"
	[ -z "$alone" ] || make -C "$suite_dir" -k -j"$jobs" check TESTS="$alone" >>"$suite_dir/check.log" 2>&1
	make -C "$suite_dir" -k -j$((jobs + 1)) check "$@" >>"$suite_dir/check.log" 2>&1
	counts=$(awk '/^# PASS:/ { p += $3 } /^# FAIL:/ { f += $3 } /^# ERROR:/ { f += $3 } /^# XPASS:/ { f += $3 }
		/^# SKIP:/ { s += $3 } END { print p + 0, f + 0, s + 0 }' "$suite_dir/check.log")
	# shellcheck disable=SC2086 # three numbers
	set -- $counts
	echo "$suite_title: $1 passed, $2 failed, $3 skipped"
	longest "$suite_dir"
	grep -E '^(FAIL|ERROR|XPASS): ' "$suite_dir/check.log"
	if [ "$2" != 0 ]; then
		for log in $(grep -lE '^not ok|^Bail out' -r "$suite_dir/tests" --include='*.log' 2>/dev/null); do
			echo "--- $log"
			grep -E -A 12 '^not ok|^Bail out|ERROR|runtime error' "$log" | head -n 80
		done
	fi
	if [ "$1" = 0 ]; then
		echo "FAIL: $suite_title ran no test (the end of its log follows)"
		tail -n 40 "$suite_dir/check.log"
		set -- 0 1 0
	fi
	add "$1" "$2" "$3"
}

# The tests that took longest, with their seconds and those of the processor (tests/lib/driver.sh).
longest() { # FOLDER
	(cd "$1/tests" && grep -r . --include='*.time' | sed 's/\.time:/ /' | sort -k 2,2 -rn |
		awk '{ all += $3 } NR <= 6 { list = list sprintf("%s %s %.0f s (%.0f)", NR > 1 ? "," : "", $1, $2, $3) }
			END { printf "  processor %.0f s; longest:%s\n", all, list }')
}

for part in $parts; do
	began=$(date +%s)
	alone=
	dir=$top/build-$part
	mkdir -p "$dir"
	case $part in
	plain)
		dir=$top/build
		mkdir -p "$dir"
		alone=$measuring
		say "build and make check"
		step "configure" "$dir/configure.log" configure_in "$dir" CFLAGS='-O2 -g' &&
			step "build" "$dir/make.log" make -s -C "$dir" -j"$jobs" &&
			suite "make check" "$dir" TESTS="$(make -s -C "$dir" print-tests WITHOUT="$measuring")"
		;;
	asan)
		alone=$measuring
		say "AddressSanitizer and UndefinedBehaviorSanitizer"
		step "configure (address, undefined)" "$dir/configure.log" configure_in "$dir" --with-sanitizer=address,undefined CFLAGS='-O1 -g' &&
			step "build (address, undefined)" "$dir/make.log" make -s -C "$dir" -j"$jobs" &&
			suite "make check (address, undefined)" "$dir" \
				TESTS="$(make -s -C "$dir" print-tests SOURCE_CHECKS= WITHOUT="$measuring tests/unit/kernel_vulkan_validated")"
		;;
	tsan)
		say "ThreadSanitizer: the daemon and its threads; --disable-vulkan"
		step "configure (thread, --disable-vulkan)" "$dir/configure.log" configure_in "$dir" --with-sanitizer=thread --disable-vulkan CFLAGS='-O1 -g' &&
			step "build (thread, --disable-vulkan)" "$dir/make.log" make -s -C "$dir" -j"$jobs" &&
			step "benchd-kernel says calmly that it has no Vulkan" "$dir/devices.log" "$dir/benchd-kernel" devices &&
			thread_tests=$(make -s -C "$dir" print-thread-tests) &&
			suite "make check (thread)" "$dir" TESTS="$thread_tests" \
				check_PROGRAMS="$(printf '%s\n' $thread_tests | grep -v '\.sh$' | tr '\n' ' ')"
		;;
	valgrind)
		say "valgrind: the daemon's story"
		if command -v valgrind >/dev/null; then
			rm -f "$dir"/valgrind.*.log
			BENCHD_WRAPPER="valgrind -q --log-file=$dir/valgrind.%p.log --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --child-silent-after-fork=yes" \
				suite "make check (valgrind)" "$top/build" TESTS=tests/e2e/daemon.sh check_PROGRAMS=
			step "valgrind found nothing in the daemon" "$dir/found.log" sh -c "cat '$dir'/valgrind.*.log; ! grep -q . '$dir'/valgrind.*.log"
		else
			echo "SKIP: valgrind is not installed"
			add 0 0 1
		fi
		;;
	dist)
		say "make distcheck (release tarball, built and tested without a shader compiler)"
		step "make distcheck" "$dir/dist.log" make -C "$top/build" -j"$jobs" distcheck \
			DISTCHECK_CONFIGURE_FLAGS='GLSLC=no CFLAGS=-O0' \
			AM_MAKEFLAGS='TESTS="tests/unit/base tests/e2e/client.sh" check_PROGRAMS=tests/unit/base'
		;;
	*)
		echo "check.sh: there is no part '$part'" >&2
		exit 2
		;;
	esac
	echo "$part took $(($(date +%s) - began)) s"
done

say "all"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
