# What `cmake --install` puts where, and the packages that `cpack` makes of it. Three components:
#
#   server     the program `stele`, which is the server and the command line
#   sdk        the C++ SDK: headers, static libraries, the CMake package `stele`, the checker of workflow code
#   embedded   the engine as a library: for tests of workflows, and for servers inside of programs
#
# A project of its own needs: find_package(stele CONFIG REQUIRED), and to link stele::sdk; or
# find_package(stele CONFIG REQUIRED COMPONENTS embedded), and to link stele::embedded.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Installing takes what has been built, rather than building the tests and everything else first.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)

# In place of the archives with what only a linker of the same compiler could optimise further (ADR 19).
function(stele_install_plain_code component)
    if(NOT STELE_PROFILE STREQUAL "use")
        return()
    endif()
    foreach(target IN LISTS ARGN)
        install(CODE "execute_process(
            COMMAND \"${CMAKE_OBJCOPY}\" --remove-section=.llvm.lto
                \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/$<TARGET_FILE_NAME:${target}>\"
            COMMAND_ERROR_IS_FATAL ANY)" COMPONENT ${component})
    endforeach()
endfunction()

install(TARGETS stele RUNTIME COMPONENT server)
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT server)

# The API's generated headers lie below a directory of their own: nobody else's temporal/ or google/
# is shadowed by them.
set(stele_api_headers "${CMAKE_INSTALL_INCLUDEDIR}/stele-api")
install(DIRECTORY include/stele DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT sdk
    REGEX "/(embedded|testing)\\.h$" EXCLUDE)
install(FILES include/stele/embedded.h include/stele/testing.h
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/stele" COMPONENT embedded)
install(PROGRAMS scripts/check_workflows.py DESTINATION "${CMAKE_INSTALL_BINDIR}"
    RENAME stele-check-workflows COMPONENT sdk)
install(DIRECTORY "${CMAKE_BINARY_DIR}/src/proto/stele_api/" DESTINATION "${stele_api_headers}"
    COMPONENT sdk FILES_MATCHING PATTERN "*.pb.h")
target_include_directories(stele_api INTERFACE "$<INSTALL_INTERFACE:${stele_api_headers}>")
# The GNU dialect, which is what CMake asks for unless told otherwise, has a macro of the name of one of
# the API's fields.
target_compile_options(stele_api INTERFACE "$<INSTALL_INTERFACE:-Ulinux>")
target_include_directories(stele_sdk
    INTERFACE "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_compile_features(stele_sdk INTERFACE cxx_std_20)

set(stele_sdk_targets stele_sdk stele_base stele_api)
foreach(name sdk base api)
    set_target_properties(stele_${name} PROPERTIES EXPORT_NAME ${name})
endforeach()

# All in one shared library, for programs that are linked often. Everything is compiled once more for
# it, since code of a shared library must be position-independent.
if(STELE_SHARED_SDK)
    file(WRITE "${CMAKE_BINARY_DIR}/shared_sdk.cc" "// Holds nothing: the library is made of archives.\n")
    add_library(stele_sdk_shared SHARED "${CMAKE_BINARY_DIR}/shared_sdk.cc")
    set_target_properties(stele_sdk_shared PROPERTIES
        OUTPUT_NAME stele_sdk VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
        EXPORT_NAME sdk_shared)
    target_link_libraries(stele_sdk_shared PRIVATE
        -Wl,--whole-archive "$<TARGET_FILE:stele_sdk>" "$<TARGET_FILE:stele_base>"
        "$<TARGET_FILE:stele_api>" -Wl,--no-whole-archive)
    target_link_libraries(stele_sdk_shared PUBLIC
        gRPC::grpc++ protobuf::libprotobuf absl::status absl::statusor absl::strings)
    target_include_directories(stele_sdk_shared INTERFACE
        "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>" "$<INSTALL_INTERFACE:${stele_api_headers}>")
    target_compile_features(stele_sdk_shared INTERFACE cxx_std_20)
    add_dependencies(stele_sdk_shared stele_sdk stele_base stele_api)
    list(APPEND stele_sdk_targets stele_sdk_shared)
endif()

install(TARGETS ${stele_sdk_targets} EXPORT stele
    ARCHIVE COMPONENT sdk
    LIBRARY COMPONENT sdk NAMELINK_COMPONENT sdk)
stele_install_plain_code(sdk stele_sdk stele_base stele_api)
set(stele_cmake_files "${CMAKE_INSTALL_LIBDIR}/cmake/stele")
install(EXPORT stele NAMESPACE stele:: FILE stele-targets.cmake DESTINATION "${stele_cmake_files}"
    COMPONENT sdk)
configure_package_config_file(cmake/stele-config.cmake.in
    "${CMAKE_BINARY_DIR}/stele-config.cmake" INSTALL_DESTINATION "${stele_cmake_files}")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/stele-config-version.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/stele-config.cmake"
    "${CMAKE_BINARY_DIR}/stele-config-version.cmake"
    DESTINATION "${stele_cmake_files}" COMPONENT sdk)

# The engine and what joins it with the SDK, in one archive: its parts are nobody's business. Libraries
# that it needs are given by name, so that whoever uses it needs no CMake package of each of them.
add_library(stele_engine STATIC)
foreach(part internal_proto env config store cron history shard matching visibility frontend schedule batch
        nexus deployment cluster server embedded)
    get_target_property(type stele_${part} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")  # Else there is nothing in it yet.
        target_sources(stele_engine PRIVATE "$<TARGET_OBJECTS:stele_${part}>")
    endif()
endforeach()
set_target_properties(stele_engine PROPERTIES
    LINKER_LANGUAGE CXX OUTPUT_NAME stele_embedded EXPORT_NAME embedded)
target_link_libraries(stele_engine INTERFACE
    stele_sdk rocksdb sqlite3 yaml-cpp date-tz nghttp2 deflate cpp-httplib spdlog fmt crypto)
install(TARGETS stele_engine EXPORT stele-embedded ARCHIVE COMPONENT embedded)
stele_install_plain_code(embedded stele_engine)
install(EXPORT stele-embedded NAMESPACE stele:: FILE stele-embedded-targets.cmake
    DESTINATION "${stele_cmake_files}" COMPONENT embedded)

# Debian packages: stele, libstele-dev with the SDK, and libstele-embedded-dev.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME stele)
set(CPACK_PACKAGE_VENDOR "Stele")
set(CPACK_PACKAGE_CONTACT "Stele <stele@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Durable execution: workflows that survive crashes")
set(CPACK_PACKAGE_DIRECTORY "${CMAKE_BINARY_DIR}/packages")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL server sdk embedded)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_SERVER_PACKAGE_NAME stele)
set(CPACK_DEBIAN_SERVER_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_SERVER_PACKAGE_SECTION net)
set(CPACK_COMPONENT_SERVER_DESCRIPTION "The server, with the command line, in one program.")
set(CPACK_DEBIAN_SDK_PACKAGE_NAME libstele-dev)
set(CPACK_DEBIAN_SDK_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_SDK_PACKAGE_DEPENDS
    "libabsl-dev, libgrpc++-dev, libprotobuf-dev, nlohmann-json3-dev")
# What stele-check-workflows needs.
set(CPACK_DEBIAN_SDK_PACKAGE_RECOMMENDS "binutils, clang-19, python3")
set(CPACK_COMPONENT_SDK_DESCRIPTION "The C++ SDK: workflows as coroutines.")
set(CPACK_DEBIAN_EMBEDDED_PACKAGE_NAME libstele-embedded-dev)
set(CPACK_DEBIAN_EMBEDDED_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_EMBEDDED_PACKAGE_DEPENDS
    "libstele-dev (= ${PROJECT_VERSION}), libcpp-httplib-dev, libdeflate-dev, libfmt-dev, libhowardhinnant-date-dev, \
libnghttp2-dev, librocksdb-dev, libspdlog-dev, libsqlite3-dev, libssl-dev, libyaml-cpp-dev")
set(CPACK_COMPONENT_EMBEDDED_DESCRIPTION
    "The server as a library: workflows are tested under a clock that does not wait, or run in one process.")
include(CPack)
