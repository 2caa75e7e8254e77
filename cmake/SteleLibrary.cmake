# One function per kind of target. All of them take full target names after DEPS:
#   stele_library(history API_PCH DEPS stele_base stele_api)
#   stele_executable(stele_sim API_PCH SOURCES sim_main.cc DEPS stele_server stele_sdk)

# What our own code is compiled with: the warnings that it must be free of (headers of others are
# SYSTEM and stay silent), and what the precompiled header makes us agree on.
function(stele_compile_options target)
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
        -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Wextra-semi
        -Wcast-align -Wunused -Wnull-dereference -Wformat=2 -Werror
        # The API marks fields as deprecated that old clients send and expect all the same.
        -Wno-deprecated-declarations)
    # Everywhere, because gRPC asks for it: with it in some places only, the precompiled header of the
    # API would fit those or the others.
    target_compile_options(${target} PRIVATE -pthread)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # These look through inlined library code and report faults that are not there (g++ 12).
        target_compile_options(${target} PRIVATE
            -Wno-null-dereference -Wno-maybe-uninitialized -Wno-restrict
            "$<$<CONFIG:Release>:-Wno-array-bounds;-Wno-stringop-overflow;-Wno-stringop-overread>")
    endif()
endfunction()

# Headers that many files of the API's users need, parsed once for the whole tree. The options of a
# target must match those of stele_api_pch, or the compiler refuses its precompiled header.
function(stele_use_api_pch target)
    if(STELE_PCH)
        target_precompile_headers(${target} REUSE_FROM stele_api_pch)
    endif()
endfunction()

# A library of src/<folder>, named stele_<folder>, with its tests.
#
#   stele_library(<folder> [API_PCH] [DEPS <target>...] [TEST_DEPS <target>...])
#
# Every .cc file of the folder and its subfolders belongs to the library, except
#   main.cc, *_main.cc   entry points, which stele_executable() names;
#   *_test.cc            tests, which become one program, stele_<folder>_test;
#   *_testing.cc         helpers that only the tests use.
# A folder without sources is an interface library, so that an empty folder builds.
function(stele_library folder)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "API_PCH" "" "DEPS;TEST_DEPS")
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
    set(test_sources ${sources})
    list(FILTER test_sources INCLUDE REGEX "_(test|testing)\\.cc$")
    list(FILTER sources EXCLUDE REGEX "(_test|_testing|_main|/main)\\.cc$")

    set(target stele_${folder})
    if(sources)
        add_library(${target} STATIC ${sources})
        target_link_libraries(${target} PUBLIC ${ARG_DEPS})
        stele_compile_options(${target})
        if(ARG_API_PCH)
            stele_use_api_pch(${target})
        endif()
    else()
        add_library(${target} INTERFACE)
        target_link_libraries(${target} INTERFACE ${ARG_DEPS})
    endif()

    if(test_sources)
        set(pch)
        if(ARG_API_PCH)
            set(pch API_PCH)
        endif()
        stele_test(${target}_test ${pch}
            SOURCES ${test_sources} DEPS ${target} ${ARG_TEST_DEPS})
    endif()
endfunction()

# A program. It lands at the top of the build directory, as in build/release/stele.
function(stele_executable target)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "API_PCH" "" "SOURCES;DEPS")
    add_executable(${target} ${ARG_SOURCES})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
    target_link_libraries(${target} PRIVATE ${ARG_DEPS})
    stele_compile_options(${target})
    if(ARG_API_PCH)
        stele_use_api_pch(${target})
    endif()
endfunction()

# A GoogleTest program and its one ctest entry. scripts/ctest_summary.py counts the tests inside.
function(stele_test target)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "API_PCH" "" "SOURCES;DEPS")
    set(pch)
    if(ARG_API_PCH)
        set(pch API_PCH)
    endif()
    stele_executable(${target} ${pch}
        SOURCES ${ARG_SOURCES} DEPS ${ARG_DEPS} GTest::gmock GTest::gtest_main)
    add_test(NAME ${target} COMMAND ${target} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(${target} PROPERTIES TIMEOUT 600)
endfunction()
