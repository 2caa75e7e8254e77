# Read by RocksDB's own CMakeLists.txt when scripts/libraries.sh builds it. Checksums of the log and of blocks are
# computed with the processor's instructions, in the one file that looks at run time whether it has them; RocksDB's
# own option for that would use them everywhere and unasked.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
    cmake_language(DEFER CALL set_source_files_properties util/crc32c.cc PROPERTIES
        COMPILE_OPTIONS "-msse4.2;-mpclmul"
        COMPILE_DEFINITIONS "HAVE_SSE42;HAVE_PCLMUL")
endif()
