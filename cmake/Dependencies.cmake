# Everything that comes from outside, all of it from Debian 12 (scripts/deps.sh installs it).

# RocksDB and protobuf, through which most of a workflow's processor time passes, become part of our
# programs (ADR 15): calls and variables of threads cost less there than in a shared library. Sanitizers are
# told by a library's name what to leave out, and a shared SDK has to use the protobuf of its user.
if(STELE_SANITIZE OR STELE_SHARED_SDK)
    set(STELE_STATIC_DEFAULT OFF)
else()
    set(STELE_STATIC_DEFAULT ON)
endif()
option(STELE_STATIC_LIBRARIES "Link RocksDB and protobuf into programs" ${STELE_STATIC_DEFAULT})
set(Protobuf_USE_STATIC_LIBS ${STELE_STATIC_LIBRARIES})

find_package(Threads REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
find_package(Protobuf REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(GTest CONFIG REQUIRED)
find_package(benchmark CONFIG REQUIRED)
find_package(RocksDB CONFIG REQUIRED)
set(STELE_OWN_ROCKSDB "${PROJECT_SOURCE_DIR}/build/rocksdb/librocksdb.a")
if(NOT STELE_STATIC_LIBRARIES)
    set(STELE_ROCKSDB RocksDB::rocksdb-shared)
elseif(EXISTS "${STELE_OWN_ROCKSDB}")
    # The same version, without assertions and with checksums by the processor (scripts/rocksdb.sh).
    add_library(stele_rocksdb STATIC IMPORTED GLOBAL)
    set_target_properties(stele_rocksdb PROPERTIES IMPORTED_LOCATION "${STELE_OWN_ROCKSDB}")
    target_link_libraries(stele_rocksdb INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
    set(STELE_ROCKSDB stele_rocksdb)
else()
    message(STATUS "RocksDB as Debian builds it: without build/rocksdb/librocksdb.a programs are slower")
    set(STELE_ROCKSDB RocksDB::rocksdb)
endif()
find_package(SQLite3 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(nghttp2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(libdeflate REQUIRED IMPORTED_TARGET libdeflate)
find_package(fmt CONFIG REQUIRED)
find_package(date CONFIG REQUIRED)  # Calendars and time zones.
find_package(spdlog CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
# Named as cpp-httplib's own package would name it; Debian's has no CMake file.
pkg_check_modules(CppHttplib REQUIRED IMPORTED_TARGET cpp-httplib)
add_library(httplib ALIAS PkgConfig::CppHttplib)
# Header-only, without a target of their own: CLI11 (<CLI/CLI.hpp>), nlohmann-json and toml++.

# What our programs allocate with, as part of them; ADR 16 says why. Sanitizers bring allocators of their own.
add_library(stele_allocator INTERFACE)
if(NOT STELE_SANITIZE)
    find_library(STELE_TCMALLOC_LIBRARY libtcmalloc_minimal.a REQUIRED)
    target_link_libraries(stele_allocator INTERFACE ${STELE_TCMALLOC_LIBRARY})
    target_compile_definitions(stele_allocator INTERFACE STELE_TCMALLOC)
endif()
