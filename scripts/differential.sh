#!/usr/bin/env bash
# The same calls on Stele and on a real Temporal server: differential.sh BUILD_DIRECTORY [...].
exec "$(dirname "$0")/../tests/differential/run" "$1" scripts "${@:2}"
