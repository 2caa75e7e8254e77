#!/usr/bin/env bash
# The suites of tests/suites.txt under a sanitizer: sanitize.sh asan|tsan [SUITE...]. Without names, those in
# which code of ours runs; ThreadSanitizer leaves out those that run on one thread. `scripts/sdk_sanitize.sh`
# has the SDK's. Servers and workers that the tests start report into build/PRESET/sanitizer-reports, and each
# report is a failure. What libraries of the system do is left out (tests/sanitizers), our own code never is.
# Ends with `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?sanitize.sh asan|tsan [SUITE...]}
shift
build=build/$preset
suites=("$@")
if [ ${#suites[@]} = 0 ]; then
    suites=(unit cli interop bad-input crash differential)
    [ "$preset" = tsan ] || suites+=(sim sim-repeat fuzz crash-points corruption)
fi

cmake --preset "$preset" > "$build-configure.log" || { cat "$build-configure.log"; exit 1; }
programs=()
if [ "$preset" = tsan ]; then
    # The engine once more with marks, for what plays it in one thread, is a third of the whole.
    mapfile -t programs < <(ninja -C "$build" -t targets all |
        sed -n 's/^\(stele[a-z_]*\): CXX_EXECUTABLE.*/\1/p' |
        grep -vE '_(sim|crash_points|corruption|fuzz|bench|example)')
fi
cmake --build "$build" --target "${programs[@]:-all}"

reports=$PWD/$build/sanitizer-reports
rm -rf "$reports"
mkdir -p "$reports"
. tests/sanitizers/options.sh "$reports"
# An allocator of theirs says itself that there is no memory, and ThreadSanitizer follows no thread of a process
# that was forked beside others.
left_out='OutOfMemoryDeathTest.*'
[ "$preset" != tsan ] || left_out+=':RocksDbStore.AnotherProcessIsRefusedWithTheHoldersName'
export GTEST_FILTER=-$left_out

log=$build/sanitize.log
scripts/run_tests.py "$build" "${suites[@]}" | tee "$log" || true
read -r passed _ failed _ <<< "$(tail -1 "$log")"
for report in "$reports"/*; do
    [ -e "$report" ] || continue
    echo "=== ${report##*/}"
    head -40 "$report"
    failed=$((failed + 1))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
