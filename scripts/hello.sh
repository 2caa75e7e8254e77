#!/usr/bin/env bash
# Runs a first C++ workflow on a durable server of its own, then shows what it left behind.
#
# Usage: hello.sh <build directory>
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:-build/release}
# shellcheck source=scripts/scratch_server.sh
. scripts/scratch_server.sh

step() {
    if [ -t 1 ]; then printf '\n\033[1m%s\033[0m\n' "$*"; else printf '\n== %s\n' "$*"; fi
}

step "A server on an empty directory"
start_server "$build/stele"
echo "stele server start-dev listens on $address; its store is $scratch/data"

step "The workflow of examples/hello.cc: a timer, a signal, an activity"
timeout 120 "$build/stele_example_hello" --address "$address" | tee "$scratch/hello.log"
workflow_id=$(sed -n 's/^workflow \([^,]*\),.*/\1/p' "$scratch/hello.log")

step "Its history, as the server kept it: stele workflow show -w $workflow_id"
# The user's own profile and variables are about other servers.
"$build/stele" workflow show --disable-config-env --disable-config-file \
    --address "$address" --workflow-id "$workflow_id"

step "How to go on"
cat <<EOF
  $build/stele server start-dev --db-filename ./data
      a server that stays, on 127.0.0.1:7233
  $build/stele_example_hello
      the same workflow there; its source is examples/hello.cc
  $build/stele workflow --help
      start, watch, signal, query and end workflows from the command line
  docs/sdk.md    how to write workflows in C++
  docs/cli.md    the command line
  Official SDKs (Go, Java, Python, TypeScript and others) work with this server as they are.
EOF
