#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: make-history.sh FOLDER
# Makes a real git repository in FOLDER (which must not exist) from examples/orbit: fourteen commits
# as a small numerical project makes them. One of them, "kepler: one more Newton step", makes the
# benchmark kepler about 10 % slower, by doing 11 steps instead of 10; no other commit changes what
# is computed in the timed loops. Dates and authors are fixed, so the hashes are the same everywhere.
set -eu
dir=$1
src=$(cd "$(dirname "$0")" && pwd)/orbit
[ ! -e "$dir" ] || { echo "make-history.sh: '$dir' exists already" >&2; exit 1; }
mkdir -p "$dir"
cd "$dir"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
git init -q -b main .
day=1
commit() { # AUTHOR SUBJECT
	git add -A
	stamp=$(printf '2026-10-%02dT12:00:00Z' $day)
	GIT_AUTHOR_DATE=$stamp GIT_COMMITTER_DATE=$stamp git \
		-c user.name="$1" -c user.email="$(echo "$1" | tr 'A-Z ' 'a-z.')@example.org" \
		commit -q -m "$2"
	day=$((day + 1))
}
edit() { # FILE SED-EXPRESSION ; fails when nothing changed
	cp "$1" .before
	sed "$2" .before >"$1"
	if cmp -s "$1" .before; then
		echo "make-history.sh: '$2' changes nothing in $1" >&2
		exit 1
	fi
	rm .before
}

cp "$src"/* .
commit 'Ada Orbit' 'Kepler solver, wave equation and their benchmarks'
printf '# orbit\n\nA small numerical library, there to be benchmarked.\n' >README.md
commit 'Ada Orbit' 'docs: say what this is'
edit kepler.c 's/Kepler.s equation/Kepler'"'"'s equation, elliptic case/'
commit 'Bela Mond' 'kepler: name the case in the comment'
printf '\n## Build\n\n`make`, then `./bench kepler` or `./bench wave`.\n' >>README.md
commit 'Bela Mond' 'docs: how to build'
edit wave.c 's/double c2/const double c2/'
commit 'Ada Orbit' 'wave: the Courant number is constant'
printf 'bench\n*.o\n' >.gitignore
commit 'Chandra Venn' 'Ignore what the build makes'
edit bench.c 's/usage: bench NAME/usage: bench kepler|wave/'
commit 'Chandra Venn' 'bench: say which benchmarks there are'
printf '\n## Method\n\nNewton iteration with a fixed number of steps; leapfrog in time.\n' >>README.md
commit 'Ada Orbit' 'docs: the methods'
edit kepler.h 's/KEPLER_STEPS 10/KEPLER_STEPS 11/'
commit 'Bela Mond' 'kepler: one more Newton step for eccentric orbits'
printf '\n## Licence\n\nGPL-3.0-or-later.\n' >>README.md
commit 'Chandra Venn' 'docs: the licence'
edit kepler.c 's/static double newton_step/static inline double newton_step/'
commit 'Ada Orbit' 'kepler: let the compiler inline the step'
edit Makefile 's/^CFLAGS.*/& -Wall/'
commit 'Chandra Venn' 'build: warn about everything'
edit wave.c 's/leapfrog/leapfrog, second order/'
commit 'Ada Orbit' 'wave: name the order of the scheme'
printf '\nReports of mistakes are welcome.\n' >>README.md
commit 'Bela Mond' 'docs: where to write'
git log --format='%h %s' | wc -l
