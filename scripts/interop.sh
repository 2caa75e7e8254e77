#!/bin/sh
# Runs the official SDKs against the server in a build directory: interop.sh BUILD_DIRECTORY [...].
# Further arguments go to tests/interop/run.py.
set -eu
build_directory=$1
shift
exec "$(dirname "$0")/../tests/interop/run.py" --server "$build_directory/stele" "$@"
