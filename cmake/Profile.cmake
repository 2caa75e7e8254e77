# Release builds with clang know what a loaded server runs, and optimise the server as one program (ADR 19).
# `make profile` collects what they know. A function that has changed since then is compiled as if nothing
# were known of it.
set(STELE_PROFILE use CACHE STRING "Release builds with clang: use the profile, collect one, or off")
set(STELE_PROFILE_DATA "${PROJECT_SOURCE_DIR}/profile/server.profdata")

if(NOT CMAKE_BUILD_TYPE STREQUAL "Release" OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR STELE_SANITIZE)
    set(STELE_PROFILE off)
endif()

if(NOT STELE_PROFILE STREQUAL "off")
    # A function of one file is known by that file's name, without directories: trees lie where they like.
    add_compile_options("SHELL:-mllvm -static-func-full-module-prefix=false")
endif()
if(STELE_PROFILE STREQUAL "collect")
    add_compile_options(-fprofile-generate)
    # mold 1.10 does not know the symbols of a profile's sections.
    add_link_options(-fprofile-generate -fuse-ld=lld-19)
elseif(STELE_PROFILE STREQUAL "use")
    # Objects hold code, for tests, and beside it what a linker can go on to optimise.
    add_compile_options(-flto=thin -ffat-lto-objects "-fprofile-use=${STELE_PROFILE_DATA}"
        -Wno-backend-plugin -Wno-profile-instr-out-of-date -Wno-profile-instr-unprofiled)
    # CMake does not see that objects depend on the profile.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${STELE_PROFILE_DATA}")
endif()

# A program that serves: with the server's allocator, and optimised as a whole.
function(stele_serving_program target)
    target_link_libraries(${target} PRIVATE stele_allocator)
    if(STELE_PROFILE STREQUAL "use")
        target_link_options(${target} PRIVATE -fuse-ld=lld-19 -flto=thin -ffat-lto-objects
            "-Wl,--thinlto-cache-dir=${PROJECT_BINARY_DIR}/lto" -Wl,-z,keep-text-section-prefix)
    endif()
endfunction()
