# Language, optimisation, hardening, sanitizers and the linker, for every target of the tree.
# Warnings concern our own code only: see stele_compile_options() in SteleLibrary.cmake.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
# Strict C++: the GNU dialect defines macros such as `linux` that collide with generated names.
set(CMAKE_CXX_EXTENSIONS OFF)
# All libraries are static, so position-independent executables are all that is needed, unless the SDK
# is wanted as a shared library as well.
option(STELE_SHARED_SDK "Make the SDK a shared library too (compiles everything for it)" OFF)
if(STELE_SHARED_SDK)
    add_compile_options(-fPIC -fno-semantic-interposition)
else()
    add_compile_options(-fPIE)
endif()
add_link_options(-pie)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Dev CACHE STRING "Dev or Release" FORCE)
endif()

# NDEBUG stays undefined in all code but the generated: broken invariants end the process in production
# too, and Debian's gRPC is built without it, which its headers notice.
set(CMAKE_CXX_FLAGS_DEV "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")

set(STELE_SANITIZE "" CACHE STRING "Sanitizers to build with, such as address,undefined")
if(STELE_SANITIZE)
    add_compile_options(-fsanitize=${STELE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${STELE_SANITIZE})
    # The headers of protobuf change the layout of their classes for ThreadSanitizer, which the library
    # of the system does not know; libstdc++ only avoids what the sanitizer cannot follow.
    if(STELE_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        add_compile_options(-U__SANITIZE_THREAD__ -D_GLIBCXX_TSAN=1)
    endif()
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_compile_definitions(_GLIBCXX_ASSERTIONS)
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
    add_link_options(-Wl,-z,relro,-z,now)
endif()

find_program(STELE_MOLD mold)
if(STELE_MOLD)
    add_link_options(-fuse-ld=mold)
endif()

# ccache can only store a precompiled header that carries no timestamp or absolute path.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
else()
    add_compile_options(-fpch-preprocess)
endif()
