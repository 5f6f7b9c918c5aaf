# The Microsoft interface: iscsidsc.dll, libiscsidsc.so. Included with msapi_sources = msapi/*.c.
set(msapi ${CMAKE_CURRENT_LIST_DIR})
set(exports_def ${PROJECT_SOURCE_DIR}/iscsidsc.def)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${exports_def} ${msapi}/stdcall.csv)

# ordinal and name of each export, as "name=ordinal"
file(STRINGS ${exports_def} exports REGEX "^    [A-Za-z]+ +@[0-9]+")
list(TRANSFORM exports REPLACE "^    ([A-Za-z]+) +@([0-9]+).*$" "\\1=\\2")

function(write_version_script output)
    set(names "")
    foreach(export IN LISTS exports)
        string(REGEX REPLACE "=.*" "" name ${export})
        if(NOT name STREQUAL "DllMain")
            string(APPEND names "        ${name};\n")
        endif()
    endforeach()
    string(APPEND names "        GetIScsiStatusText;\n        ReportIScsiEffectiveParameters;\n        SwitchIScsiSessionPortal;\n        WaitIScsiEvents;\n        iscsidsc_commons_1;\n")
    file(GENERATE OUTPUT ${output} CONTENT "{\n    global:\n${names}    local:\n        *;\n};\n")
endfunction()

# On x86 the linker and dlltool want the symbols' names, which have the byte counts in them.
function(write_decorated_def output)
    file(STRINGS ${msapi}/stdcall.csv rows REGEX "^[A-Za-z]+,[0-9]+$")
    foreach(row IN LISTS rows)
        string(REPLACE "," ";" row ${row})
        list(GET row 0 name)
        list(GET row 1 bytes_${name})
    endforeach()
    set(lines "")
    foreach(export IN LISTS exports)
        string(REPLACE "=" ";" export ${export})
        list(GET export 0 name)
        list(GET export 1 ordinal)
        if(NOT DEFINED bytes_${name})
            message(FATAL_ERROR "stdcall.csv: ${name} is missing")
        endif()
        set(private "")
        if(name STREQUAL "DllMain")
            set(private " PRIVATE")
        endif()
        string(APPEND lines "    ${name}@${bytes_${name}} @${ordinal}${private}\n")
    endforeach()
    file(GENERATE OUTPUT ${output} CONTENT "LIBRARY iscsidsc.dll\nEXPORTS\n${lines}")
endfunction()

# The Windows system has the texts of system errors, and the DLL's message table the others. The DLL exports nothing that
# the real one does not.
if(WIN32)
    list(FILTER msapi_sources EXCLUDE REGEX "(messages|events|switch_portal|effective_parameters)\\.c$")
endif()

add_library(iscsidsc SHARED ${msapi_sources})
target_link_libraries(iscsidsc PRIVATE core)
target_include_directories(iscsidsc PUBLIC ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(iscsidsc PRIVATE _ISDSCP_)

if(WIN32)
    enable_language(RC)
    include(${msapi}/messages.cmake)
    message_table(${msapi}/messages.h ${PROJECT_SOURCE_DIR}/include/iscsierr.h
                  ${CMAKE_CURRENT_BINARY_DIR}/messages.rc)
    set(VERSION_FILE iscsidsc.dll)
    set(VERSION_DESCRIPTION "iSCSI Discovery Library")
    configure_file(${msapi}/version.rc.in ${CMAKE_CURRENT_BINARY_DIR}/version.rc @ONLY)
    target_sources(iscsidsc PRIVATE ${msapi}/../os/windows/dllmain.c
                   ${CMAKE_CURRENT_BINARY_DIR}/messages.rc ${CMAKE_CURRENT_BINARY_DIR}/version.rc)
    set_target_properties(iscsidsc PROPERTIES PREFIX "" IMPORT_PREFIX "lib" IMPORT_SUFFIX ".dll.a")
    target_link_options(iscsidsc PRIVATE -static-libgcc)

    if(CMAKE_SYSTEM_PROCESSOR STREQUAL "i686")
        set(linked_def ${CMAKE_CURRENT_BINARY_DIR}/iscsidsc-x86.def)
        write_decorated_def(${linked_def})
        target_link_options(iscsidsc PRIVATE LINKER:--kill-at)
        # --kill-at strips the linker's import library too, where programs need Name@bytes.
        add_custom_command(TARGET iscsidsc POST_BUILD
            COMMAND ${CMAKE_DLLTOOL} --kill-at --input-def ${linked_def}
                    --output-lib $<TARGET_LINKER_FILE:iscsidsc>)
    else()
        set(linked_def ${exports_def})
    endif()
    target_link_options(iscsidsc PRIVATE ${linked_def})
    set_property(TARGET iscsidsc APPEND PROPERTY LINK_DEPENDS ${linked_def})
else()
    set(version_script ${CMAKE_CURRENT_BINARY_DIR}/libiscsidsc.map)
    write_version_script(${version_script})
    target_compile_definitions(iscsidsc PRIVATE _GNU_SOURCE)
    set_target_properties(iscsidsc PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0)
    # nodelete: the engine's thread runs this code, so dlclose must leave it in place.
    target_link_options(iscsidsc PRIVATE LINKER:--version-script=${version_script}
                        LINKER:-z,nodelete)
    if(NOT SANITIZE)
        target_link_options(iscsidsc PRIVATE LINKER:-z,defs)
    endif()
    set_property(TARGET iscsidsc APPEND PROPERTY LINK_DEPENDS ${version_script})
endif()
