#!/usr/bin/env bash
# Calls that must be refused and leave nothing behind: bad_input.sh BUILD_DIRECTORY [...].
exec "$(dirname "$0")/../tests/differential/run" "$1" bad-input "${@:2}"
