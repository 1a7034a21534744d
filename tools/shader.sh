#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: shader.sh SHADER-FOLDER OUT.spv.h SOURCE [-D...]   with GLSLC and SPIRV_VAL set
# Compiles SHADER-FOLDER/SOURCE.comp, validates the SPIR-V, and writes it as C numbers.
set -eu
folder=$1 out=$2 source=$folder/$3.comp
shift 3
mkdir -p "$(dirname "$out")"
"$GLSLC" -O -Werror --target-env=vulkan1.2 -I"$folder" "$@" -o "$out.spv" "$source"
"$SPIRV_VAL" --target-env vulkan1.2 "$out.spv"
"$GLSLC" -O -Werror --target-env=vulkan1.2 -I"$folder" "$@" -mfmt=num -o "$out.tmp" "$source"
mv "$out.tmp" "$out"
rm "$out.spv"
