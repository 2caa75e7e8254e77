# A static library of C++ messages generated from .proto files.
#
#   stele_generate_proto(<target> IMPORTS <directory>... PROTOS <path below an import>...
#                        [DEPS <target>...])
#
# A header is included by the path of its .proto file: "temporal/api/common/v1/message.pb.h". An
# import may be mounted below a path, as protoc allows: stele/internal=<directory>.
# Only messages and descriptors are generated, no service stubs; all descriptors are linked.
function(stele_generate_proto target)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "IMPORTS;PROTOS;DEPS")
    set(output "${CMAKE_CURRENT_BINARY_DIR}/${target}")
    file(MAKE_DIRECTORY "${output}")
    if(NOT ARG_PROTOS)
        add_library(${target} INTERFACE)
        add_custom_target(${target}_headers)
        target_link_libraries(${target} INTERFACE ${ARG_DEPS})
        return()
    endif()

    set(generated)
    set(sources)
    set(descriptor_tables)
    set(inputs)
    foreach(proto IN LISTS ARG_PROTOS)
        string(REGEX REPLACE "\\.proto$" "" stem "${proto}")
        list(APPEND sources "${output}/${stem}.pb.cc")
        list(APPEND generated "${output}/${stem}.pb.cc" "${output}/${stem}.pb.h")
        string(REPLACE "_" "_5f" table "${stem}")
        string(REPLACE "/" "_2f" table "${table}")
        list(APPEND descriptor_tables "descriptor_table_${table}_2eproto")
        foreach(import IN LISTS ARG_IMPORTS)
            string(REGEX REPLACE "=.*" "" mount "${import}")
            string(REGEX REPLACE ".*=" "" directory "${import}")
            string(REPLACE "${mount}/" "" file "${proto}")
            if(EXISTS "${directory}/${file}")
                list(APPEND inputs "${directory}/${file}")
                break()
            endif()
        endforeach()
    endforeach()
    list(TRANSFORM ARG_IMPORTS PREPEND "--proto_path=" OUTPUT_VARIABLE import_options)

    set(rename "${PROJECT_SOURCE_DIR}/src/proto/rename_keyword_namespaces.py")
    add_custom_command(
        OUTPUT ${generated}
        COMMAND protobuf::protoc ${import_options} "--cpp_out=${output}" ${ARG_PROTOS}
        COMMAND Python3::Interpreter "${rename}" ${generated}
        DEPENDS ${inputs} "${rename}"
        COMMENT "Generating ${target}"
        VERBATIM)
    add_custom_target(${target}_headers DEPENDS ${generated})  # What clang-tidy needs.

    add_library(${target} STATIC ${sources} ${generated})
    target_include_directories(${target} SYSTEM PUBLIC "$<BUILD_INTERFACE:${output}>")
    target_link_libraries(${target} PUBLIC ${ARG_DEPS} protobuf::libprotobuf)
    # A linker takes from an archive only what is referred to by name. Services and the types inside
    # an Any are looked up in the descriptor pool, so every file's descriptors are asked for here.
    list(TRANSFORM descriptor_tables PREPEND "-Wl,--undefined=")
    target_link_options(${target} INTERFACE ${descriptor_tables})
    # Generated code is nobody's to read: no warnings and no debug information, and optimised even
    # in a dev build, where it would otherwise dominate the running time of the tests.
    # Nor are its debug checks ours: protobuf's classes are the same with and without them, and they are
    # a twentieth of what a workflow costs the engine's thread.
    if(CMAKE_BUILD_TYPE STREQUAL "Release")
        target_compile_options(${target} PRIVATE -w -g0 -O2 -DNDEBUG)
    else()
        target_compile_options(${target} PRIVATE -w -g0 -O1)
    endif()
endfunction()
