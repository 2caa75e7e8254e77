#!/usr/bin/env bash
# The SDK's tests under a sanitizer: sdk_sanitize.sh asan|tsan [STELE]. Unit tests, the test environment,
# and the integration tests on the engine in their own process, which is built alike; with a server
# program STELE also over gRPC, which ThreadSanitizer cannot follow. What libraries of the system do is left out
# (tests/sanitizers), our own code never is. Ends with `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?sdk_sanitize.sh asan|tsan [STELE]}
stele=${2:+$(realpath "$2")}
build=build/$preset

cmake --preset "$preset" > "$build-configure.log" || { cat "$build-configure.log"; exit 1; }
cmake --build "$build" --target stele_sdk_test stele_embedded_test stele_sdk_integration_test

. tests/sanitizers/options.sh ""
passed=0 failed=0

# run NAME COMMAND...: prints the command's last line and counts it.
run() {
    local log=$build/$1.log
    "${@:2}" > "$log" 2>&1 || grep -E -A 20 'Sanitizer|runtime error|\[  FAILED' "$log" | head -60 || true
    local line
    line=$(tail -1 "$log")
    echo "$1: $line"
    read -r more_passed _ more_failed _ <<< "$line"
    passed=$((passed + more_passed)) failed=$((failed + more_failed))
}

run unit-tests scripts/ctest_summary.py "$build" -R '^stele_(sdk|embedded)_test$'
run on-the-embedded-engine tests/sdk/run "$build" embedded
[ -z "$stele" ] || STELE_SERVER=$stele run over-grpc tests/sdk/run "$build" grpc
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
