#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# shaders.mk and modules.c are what tools/shaders.sh makes of the list, and every module is valid
# SPIR-V; a planted change and a planted bad shader are seen to be reported.
. "${top_srcdir:-.}/tests/lib/story.sh"
mkdir -p "$tmp/tree/kernels/gpu" "$tmp/tree/shaders"
cp "$top_srcdir/shaders/modules.txt" "$tmp/tree/shaders/"
sh "$top_srcdir/tools/shaders.sh" "$tmp/tree"
check "shaders.mk is what the list says (run tools/shaders.sh)" cmp "$top_srcdir/shaders/shaders.mk" "$tmp/tree/shaders/shaders.mk"
check "modules.c is what the list says (run tools/shaders.sh)" cmp "$top_srcdir/kernels/gpu/modules.c" "$tmp/tree/kernels/gpu/modules.c"
echo 'planted planted 1 F64 -' >>"$tmp/tree/shaders/modules.txt"
sh "$top_srcdir/tools/shaders.sh" "$tmp/tree"
if cmp -s "$top_srcdir/kernels/gpu/modules.c" "$tmp/tree/kernels/gpu/modules.c"; then fail "a planted module changes the table"; else pass "a planted module changes the table"; fi

if [ "${GLSLC:-no}" = no ] || [ "${SPIRV_VAL:-:}" = : ]; then
	skip "every module is valid SPIR-V" "glslc or spirv-val is not installed"
	done_testing
fi
export GLSLC SPIRV_VAL
cat >"$tmp/good.comp" <<'END'
#version 460
layout(local_size_x = 1) in;
void main() {}
END
sed 's/void main() {}/void main() { undeclared = 1; }/' "$tmp/good.comp" >"$tmp/bad.comp"
check "a small shader is compiled" sh "$top_srcdir/tools/shader.sh" "$tmp" "$tmp/good.spv.h" good
check "it is written as numbers" grep -q '^0x07230203' "$tmp/good.spv.h"
if out=$(sh "$top_srcdir/tools/shader.sh" "$tmp" "$tmp/bad.spv.h" bad 2>&1); then fail "a planted fault is reported"; else
	check_match "a planted fault is reported" "$out" "undeclared"
fi
check "and leaves no header behind" test ! -e "$tmp/bad.spv.h"
done_testing
