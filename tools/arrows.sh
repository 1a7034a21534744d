#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Arrows point one way: who may include whom. Usage: arrows.sh SOURCE-FOLDER
# Prints each violation as "file: includes X, allowed: ..." and exits 1 when there is one.
# The table is the design: change HACKING.md with it.
set -eu
cd "$1"
rules='
base            base
stats           base stats
daemon/model    base daemon/model
daemon/store    base stats daemon/model daemon/store
daemon/queue    base stats daemon/model daemon/store daemon/queue
daemon/workers  base stats daemon/model daemon/store daemon/queue daemon/workers
daemon/ingest   base stats daemon/model daemon/store daemon/ingest
daemon/analysis base stats daemon/model daemon/store daemon/analysis
daemon/notify   base stats daemon/model daemon/store daemon/render daemon/notify
daemon/hooks    base stats daemon/model daemon/store daemon/hooks
daemon/schedule base stats daemon/model daemon/store daemon/schedule
daemon/render   base stats daemon/model daemon/store daemon/render
daemon/http     base stats daemon/model daemon/store daemon/queue daemon/workers daemon/ingest daemon/analysis daemon/notify daemon/hooks daemon/schedule daemon/render daemon/http
daemon          base stats daemon/model daemon/store daemon/queue daemon/workers daemon/ingest daemon/analysis daemon/notify daemon/hooks daemon/schedule daemon/render daemon/http daemon
worker          base stats worker
kernels         base stats kernels kernels/gpu
kernels/scalar  kernels
kernels/simd    kernels kernels/simd
kernels/gpu     base stats kernels/gpu shaders
client          base stats client
tune            base tune
'
bad=0
report() { echo "$1"; bad=1; }
for file in $(find base stats daemon worker kernels client tune -name '*.[ch]' | sort); do
	dir=$(dirname "$file")
	allowed=$(printf '%s\n' "$rules" | awk -v d="$dir" '$1 == d { $1 = ""; print }')
	[ -n "$allowed" ] || { report "$file: the folder '$dir' has no rule in tools/arrows.sh"; continue; }
	for inc in $(sed -n 's/^#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$file"); do
		case $inc in
		config.h | *.spv.h | generated/*) continue ;;
		*/*) ;;
		*) report "$file: includes \"$inc\"; write the path from the top"; continue ;;
		esac
		to=$(dirname "$inc")
		case " $allowed " in
		*" $to "*) ;;
		*) report "$file: includes \"$inc\", allowed:$allowed"; continue ;;
		esac
		# From another folder of the daemon only its door may be included.
		case $to in
		daemon/*)
			if [ "$to" != "$dir" ] && [ "$(basename "$inc" .h)" != "$(basename "$to")" ]; then
				report "$file: includes \"$inc\"; only the door \"$to/$(basename "$to").h\" is open"
			fi
			;;
		esac
	done
	case $dir in
	daemon/http) ;;
	*) grep -Eqs 'MHD_|microhttpd' "$file" && report "$file: names libmicrohttpd outside daemon/http" ;;
	esac
	case $dir in
	daemon/store) ;;
	*) grep -Eqs 'sqlite3_|#include <sqlite3' "$file" && report "$file: names SQLite outside daemon/store" ;;
	esac
done
exit $bad
