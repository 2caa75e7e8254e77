#!/usr/bin/env bash
# Runs the official SDKs against the server in a build directory: interop.sh BUILD_DIRECTORY [...].
# Further arguments go to tests/interop/run.py, and leave out the programs in which languages meet.
# What Debian 12 has of the languages is installed when it is missing; Go (1.26 or later) and Node
# (20.3 or later) it does not have.
set -euo pipefail
build_directory=$1
shift

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

missing=()
command -v javac >/dev/null || missing+=(default-jdk-headless)
command -v mvn >/dev/null || missing+=(maven)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
    echo "interop: installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
for language in go node; do
    command -v "$language" >/dev/null || echo "interop: $language is not installed" >&2
done

interop=$(dirname "$0")/../tests/interop
status=0
if [ $# -eq 0 ]; then
    "$interop/polyglot.py" --server "$build_directory/stele" || status=1
    "$interop/crossing.py" --server "$build_directory/stele" || status=1
fi
"$interop/run.py" --server "$build_directory/stele" "$@" || status=1
exit $status
