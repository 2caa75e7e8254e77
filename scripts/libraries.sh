#!/usr/bin/env bash
# Builds RocksDB and protobuf for our programs from Debian's source packages, in the versions of the installed
# headers: build/libraries/librocksdb.a and libprotobuf.a. ADR 15 says what for. Does nothing, quickly, when they
# are there.
#
#   libraries.sh           with what is known of a server's load (ADR 19)
#   libraries.sh collect   such that they count, for scripts/profile.sh: in build/libraries-collect
#
# Without a source package (a machine whose mirror has none) programs are linked with Debian's own build, which
# does the same and costs more: this says so, and is no error.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
mode=${1:-use}
case $mode in
    use)
        libraries=$root/build/libraries
        # Code for any linker, and beside it what the release's can go on to optimise.
        compile=(-flto=thin -ffat-lto-objects "-fprofile-use=$root/profile/server.profdata") ;;
    collect)
        libraries=$root/build/libraries-collect
        compile=(-fprofile-generate) ;;
    *)
        echo "libraries.sh: \"$mode\" is none of use and collect" >&2
        exit 1 ;;
esac
# As in cmake/Profile.cmake.
compile+=(-mllvm -static-func-full-module-prefix=false)
compile+=(-w -fPIE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)

# The package with the archives that this machine installs from, in lists of its own: what `apt-get` has is
# left alone. fetch SOURCE_PACKAGE VERSION DIRECTORY
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
        (cd "$scratch" && apt-get "${options[@]}" --download-only source "$1=$2") &&
        dpkg-source -q -x "$scratch/$1"_*.dsc "$3"
}

# library NAME DEVELOPMENT_PACKAGE TARGET [CMAKE_OPTION...]: lib<NAME>.a, which the target makes.
library() {
    local name=$1 package=$2 target=$3 work=$libraries/$1 version made_by
    shift 3
    version=$(dpkg-query -W -f '${source:Version}' "$package")
    made_by="$version $(cat scripts/libraries.sh cmake/RocksDbChecksums.cmake profile/server.profdata | sha256sum)"
    [ "$(cat "$work.made-by" 2>/dev/null)" = "$made_by" ] && return

    rm -rf "$work" "$work.made-by" "$libraries/lib$name.a"
    mkdir -p "$work"
    echo "deps: fetching the source of $name $version"
    if ! fetch "$name" "$version" "$work/source" > "$work/fetch.log" 2>&1; then
        echo "deps: it can not be had ($work/fetch.log); Debian's own build is used, which is slower" >&2
        return
    fi
    echo "deps: building $name (once)"
    cmake -G Ninja -S "$work/source" -B "$work/build" -DCMAKE_BUILD_TYPE=Release \
        -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_CXX_COMPILER_LAUNCHER=ccache \
        -DCMAKE_CXX_FLAGS="${compile[*]}" -DCMAKE_CXX_FLAGS_RELEASE="-O2 -DNDEBUG" "$@" > "$work/configure.log"
    cmake --build "$work/build" --target "$target"
    mv "$work/build/lib$name.a" "$libraries/"
    rm -rf "$work"
    echo "$made_by" > "$work.made-by"
}

scratch=$(mktemp -d)
# shellcheck disable=SC2064 # The path is wanted as it is now.
trap "rm -rf '$scratch'" EXIT
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=20G CCACHE_DEPEND=1

library protobuf libprotobuf-dev libprotobuf -DCMAKE_CXX_STANDARD=17 -Dprotobuf_BUILD_TESTS=OFF \
    -Dprotobuf_BUILD_PROTOC_BINARIES=OFF -Dprotobuf_WITH_ZLIB=OFF -Dprotobuf_BUILD_SHARED_LIBS=OFF
without=()
for part in GFLAGS SNAPPY LZ4 ZLIB ZSTD BZ2 LIBURING TESTS TOOLS CORE_TOOLS BENCHMARK_TOOLS PERF_CONTEXT \
    IOSTATS_CONTEXT; do
    without+=("-DWITH_$part=OFF")
done
library rocksdb librocksdb-dev rocksdb -DROCKSDB_BUILD_SHARED=OFF -DUSE_RTTI=ON -DPORTABLE=ON \
    -DFAIL_ON_WARNINGS=OFF -DCMAKE_PROJECT_rocksdb_INCLUDE="$root/cmake/RocksDbChecksums.cmake" "${without[@]}"
