#!/usr/bin/env bash
# Kills the server under load, restarts it, and looks for what was lost: crash.sh BUILD_DIRECTORY
# [...]. KILLS says how often (10), SHORTEST and LONGEST how long the server lives between two kills;
# further arguments go to the program in tests/crash. Needs Go.
set -euo pipefail
build_directory=$(realpath "$1")
shift
cd "$(dirname "$0")/../tests/crash"

command -v go >/dev/null || { echo "crash: go is not installed"; echo "0 passed, 1 failed"; exit 1; }
# First that the checks would find a loss at all.
go test -count=1 ./... || { echo "0 passed, 1 failed"; exit 1; }
program=$build_directory/crash-load
go build -o "$program" .
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
exec "$program" -port "$port" -server "$build_directory/stele" -worker "$build_directory/stele_crash_worker" \
    -kills "${KILLS:-10}" -shortest "${SHORTEST:-500ms}" -longest "${LONGEST:-2s}" "$@"
