# Everything that comes from outside, all of it from Debian 12 (scripts/deps.sh installs it).
find_package(Threads REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
find_package(Protobuf REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(GTest CONFIG REQUIRED)
find_package(benchmark CONFIG REQUIRED)
find_package(RocksDB CONFIG REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(nghttp2 REQUIRED IMPORTED_TARGET libnghttp2)
find_package(fmt CONFIG REQUIRED)
find_package(date CONFIG REQUIRED)  # Calendars and time zones.
find_package(mimalloc CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
find_package(PkgConfig REQUIRED)
# Named as cpp-httplib's own package would name it; Debian's has no CMake file.
pkg_check_modules(CppHttplib REQUIRED IMPORTED_TARGET cpp-httplib)
add_library(httplib ALIAS PkgConfig::CppHttplib)
# Header-only, without a target of their own: CLI11 (<CLI/CLI.hpp>), nlohmann-json and toml++.
