# Compiles through ccache where it is installed. Several build directories of one tree share results:
# paths are hashed relative to the source directory, and the working directory is left out.
find_program(STELE_CCACHE ccache)
if(STELE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        env
        CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
        CCACHE_NOHASHDIR=1
        CCACHE_MAXSIZE=20G
        # Without these a file that uses a precompiled header is never cached.
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        ${STELE_CCACHE}
    )
endif()
