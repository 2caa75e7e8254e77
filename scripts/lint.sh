#!/usr/bin/env bash
# Checks that every file is formatted, then runs clang-tidy. Arguments: the files to look at; without
# any, all that are committed.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -eq 0 ]; then
    mapfile -t files < <(git ls-files '*.h' '*.cc')
else
    files=("$@")
fi
clang-format-19 --dry-run --Werror "${files[@]}"

# clang-tidy reads the clang build's commands, and needs its generated headers.
cmake --preset clang -DSTELE_PCH=OFF -B build/lint >build/lint-configure.log
cmake --build build/lint --target stele_api_headers stele_internal_proto_headers
printf '%s\n' "${files[@]}" | grep '\.cc$' |
    xargs -P "$(nproc)" -n 4 clang-tidy-19 -p build/lint --quiet
