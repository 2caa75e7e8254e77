#!/usr/bin/env bash
# Brings a Debian 12 machine to the point where Stele can be configured: system packages, the pinned
# API definitions, RocksDB and protobuf. Does nothing, quickly, when everything is already there.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
    # Compilers and build tools.
    g++ clang-19 lld-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev llvm-19 cmake ninja-build make mold ccache pkg-config dpkg-dev
    # What the scripts use.
    ca-certificates git openssl python3
    # Libraries.
    libabsl-dev libbenchmark-dev libcli11-dev libcpp-httplib-dev libdeflate-dev libfmt-dev libgmock-dev
    libgoogle-perftools-dev libgrpc++-dev libgtest-dev libhowardhinnant-date-dev libnghttp2-dev libprotobuf-dev
    libprotoc-dev librocksdb-dev libspdlog-dev libsqlite3-dev libssl-dev
    libtomlplusplus-dev libyaml-cpp-dev nlohmann-json3-dev protobuf-compiler
    protobuf-compiler-grpc zlib1g-dev
)

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_packages() {
    local missing=() package
    for package in "${packages[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    # npm may have come from elsewhere, so what counts is the command and not the package.
    command -v npm >/dev/null || missing+=(nodejs npm)
    [ ${#missing[@]} -eq 0 ] && return

    echo "deps: installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

fetch_api_definitions() {
    local pin=src/proto/api-definitions.pin destination=build/api-definitions
    cmp -s "$pin" "$destination/pin" && return

    local package integrity scratch archive actual
    package=$(sed -n 's/^package=//p' "$pin")
    integrity=$(sed -n 's/^integrity=//p' "$pin")
    scratch=$(mktemp -d)
    # shellcheck disable=SC2064 # The path is wanted as it is now.
    trap "rm -rf '$scratch'" EXIT

    echo "deps: fetching the API definitions in $package"
    archive=$scratch/$(cd "$scratch" && npm pack --loglevel=error "$package" | tail -n 1)
    actual=sha512-$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)
    if [ "$actual" != "$integrity" ]; then
        echo "deps: $package has integrity $actual, but $pin expects $integrity" >&2
        exit 1
    fi

    # The well-known types come with the protobuf package and must not be generated twice.
    local root=package/sdk-core/crates/protos/protos
    mkdir "$scratch/protos"
    tar -xzf "$archive" -C "$scratch/protos" --strip-components=5 --wildcards \
        --exclude='*/google/protobuf/*' \
        "$root/api_upstream/*.proto" "$root/google/*.proto" "$root/grpc/*.proto"
    cp "$pin" "$scratch/protos/pin"
    rm -rf "$destination"
    mkdir -p build
    mv "$scratch/protos" "$destination"
}

install_packages
fetch_api_definitions
scripts/libraries.sh
