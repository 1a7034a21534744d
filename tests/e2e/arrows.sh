#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The include arrows of HACKING.md hold, and each kind of violation is seen to be reported.
. "${top_srcdir:-.}/tests/lib/story.sh"
check "the arrows hold" sh "$top_srcdir/tools/arrows.sh" "$top_srcdir"
plant() { # TITLE FILE LINE REGEX
	rm -rf "$tmp/tree"
	mkdir -p "$tmp/tree/base" "$tmp/tree/stats" "$tmp/tree/daemon/store" "$tmp/tree/worker" "$tmp/tree/kernels" "$tmp/tree/client" "$tmp/tree/tune" "$tmp/tree/daemon/render"
	mkdir -p "$(dirname "$tmp/tree/$2")"
	printf '%s\n' "$3" >"$tmp/tree/$2"
	out=$(sh "$top_srcdir/tools/arrows.sh" "$tmp/tree") && { fail "$1"; return; }
	check_match "$1" "$out" "$4"
}
plant "stats including the daemon is reported" stats/x.c '#include "daemon/store/store.h"' 'stats/x.c: includes'
plant "the worker including the store is reported" worker/x.c '#include "daemon/store/store.h"' 'worker/x.c: includes'
plant "a back door is reported" daemon/render/x.c '#include "daemon/store/internal.h"' 'only the door'
plant "a folder without a rule is reported" daemon/new/x.c '#include "base/buf.h"' 'has no rule'
plant "libmicrohttpd outside http is reported" daemon/render/x.c 'int MHD_run(void);' 'libmicrohttpd'
plant "SQLite outside store is reported" daemon/render/x.c 'int sqlite3_open(void);' 'SQLite'
done_testing
