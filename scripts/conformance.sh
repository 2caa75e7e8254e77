#!/usr/bin/env bash
# What the functional tests of the Temporal server say of Stele: conformance.sh BUILD_DIRECTORY [...].
# Runs all of them and ends with the score. Further arguments go to the tool in tests/conformance.
exec "$(dirname "$0")/../tests/conformance/run" "$1" -score expected.tsv -retry -jobs 2 "${@:2}"
