#!/usr/bin/env bash
# Builds RocksDB for our programs from Debian's source package, in the version of the installed headers:
# build/rocksdb/librocksdb.a. ADR 15 says what for. Does nothing, quickly, when it is there.
#
# Without the source package (a machine whose mirror has none) programs are linked with Debian's own build,
# which does the same and costs more: this says so, and is no error.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
destination=$root/build/rocksdb

version=$(dpkg-query -W -f '${source:Version}' librocksdb-dev)
made_by="$version $(cat scripts/rocksdb.sh cmake/RocksDbChecksums.cmake | sha256sum)"
[ "$(cat "$destination/made-by" 2>/dev/null)" = "$made_by" ] && exit

# The package with the archives that this machine installs from, in lists of its own: what `apt-get` has is
# left alone.
fetch() {
    local apt=$scratch/apt file
    mkdir -p "$apt/sources" "$apt/lists/partial" "$apt/cache/archives/partial"
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -e "$file" ] && sed 's/^Types:.*/Types: deb-src/' "$file" > "$apt/sources/$(basename "$file")"
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -e "$file" ] && sed -n 's/^deb\( \|\t\)/deb-src\1/p' "$file" > "$apt/sources/$(basename "$file" .list).list"
    done
    local options=(-qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/sources"
        -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=
        -o Acquire::Languages=none -o Acquire::http::Timeout=20)
    apt-get "${options[@]}" update &&
        (cd "$scratch" && apt-get "${options[@]}" --download-only source "rocksdb=$version") &&
        dpkg-source -q -x "$scratch"/rocksdb_*.dsc "$destination/source"
}

build() {
    local part without=()
    for part in GFLAGS SNAPPY LZ4 ZLIB ZSTD BZ2 LIBURING TESTS TOOLS CORE_TOOLS BENCHMARK_TOOLS \
        PERF_CONTEXT IOSTATS_CONTEXT; do
        without+=("-DWITH_$part=OFF")
    done
    export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=20G CCACHE_DEPEND=1
    cmake -G Ninja -S "$destination/source" -B "$destination/build" \
        -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=g++ -DCMAKE_CXX_COMPILER_LAUNCHER=ccache \
        -DCMAKE_CXX_FLAGS="-w -fPIE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2" \
        -DCMAKE_CXX_FLAGS_RELEASE="-O2 -DNDEBUG" -DCMAKE_PROJECT_rocksdb_INCLUDE="$root/cmake/RocksDbChecksums.cmake" \
        -DROCKSDB_BUILD_SHARED=OFF -DUSE_RTTI=ON -DPORTABLE=ON -DFAIL_ON_WARNINGS=OFF \
        "${without[@]}" > "$destination/configure.log" &&
        cmake --build "$destination/build" --target rocksdb
}

scratch=$(mktemp -d)
# shellcheck disable=SC2064 # The path is wanted as it is now.
trap "rm -rf '$scratch'" EXIT
rm -rf "$destination"
mkdir -p "$destination"
echo "deps: fetching the source of RocksDB $version"
if ! fetch > "$destination/fetch.log" 2>&1; then
    echo "deps: it can not be had (build/rocksdb/fetch.log); Debian's own build is used, which is slower" >&2
    exit
fi
echo "deps: building RocksDB (some minutes, once)"
build
mv "$destination/build/librocksdb.a" "$destination/librocksdb.a"
rm -rf "$destination"/{source,build,rocksdb_*}
echo "$made_by" > "$destination/made-by"
