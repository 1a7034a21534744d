#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every C file is as clang-format wants it, and the check itself is seen to fail on a planted file.
. "${top_srcdir:-.}/tests/lib/story.sh"
[ "${CLANG_FORMAT:-no}" != no ] || skip_all "clang-format is not installed"
cp "$top_srcdir/.clang-format" "$tmp/"
printf 'int main(void){return 0;}\n' >"$tmp/planted.c"
if "$CLANG_FORMAT" --dry-run --Werror "$tmp/planted.c" 2>/dev/null; then
	fail "a planted badly formatted file is reported"
else
	pass "a planted badly formatted file is reported"
fi
files=$(cd "$top_srcdir" && find base stats daemon worker kernels client tune bench tests examples -name '*.[ch]' 2>/dev/null)
n=$(printf '%s\n' "$files" | wc -l)
check "the list of files is not empty ($n files)" test "$n" -gt 20
check "all files are formatted (make format)" sh -c "cd '$top_srcdir' && printf '%s\n' $(printf '%s ' $files) | xargs '$CLANG_FORMAT' --dry-run --Werror"
done_testing
