# The management API: ima.dll, libima.so, and the built-in plugin as a loadable one.
set(ima ${CMAKE_CURRENT_LIST_DIR})
set(ima_def ${PROJECT_SOURCE_DIR}/ima.def)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ima_def})
file(GLOB ima_sources CONFIGURE_DEPENDS ${ima}/*.c)
list(FILTER ima_sources EXCLUDE REGEX "plugin_exports\\.c$")
file(GLOB builtin_sources CONFIGURE_DEPENDS ${ima}/builtin/*.c)
string(TIMESTAMP build_time "%Y, %m, %d, %H, %M, %S" UTC)
string(REGEX REPLACE " 0([0-9])" " \\1" build_time "${build_time}") # 08 would be octal

# Tests link these: the library with a built-in plugin of their own, or with ours.
function(add_ima_part name)
    add_library(${name} STATIC ${ARGN})
    target_link_libraries(${name} PUBLIC core)
    target_compile_definitions(${name} PUBLIC IMA_EXPORTS_)
    if(NOT WIN32)
        target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
        target_link_libraries(${name} PUBLIC ${CMAKE_DL_LIBS})
    endif()
endfunction()

list(REMOVE_ITEM ima_sources ${ima}/about.c ${ima}/text.c)
add_ima_part(ima_common ${ima}/about.c ${ima}/text.c)
set_source_files_properties(${ima}/about.c PROPERTIES COMPILE_DEFINITIONS
    "ISCSIDSC_VERSION=\"${PROJECT_VERSION}\";ISCSIDSC_BUILD_TIME=${build_time}")
add_ima_part(ima_library ${ima_sources})
target_link_libraries(ima_library PUBLIC ima_common)
if(NOT builtin_sources)
    return()
endif()
add_ima_part(ima_builtin ${builtin_sources})
target_link_libraries(ima_builtin PUBLIC ima_common)

function(write_ima_version_script output)
    file(STRINGS ${ima_def} names REGEX "^    IMA_")
    set(lines "        iscsidsc_commons_1;\n") # os/process.h
    foreach(name IN LISTS names)
        string(STRIP ${name} name)
        string(APPEND lines "        ${name};\n")
    endforeach()
    file(GENERATE OUTPUT ${output} CONTENT "{\n    global:\n${lines}    local:\n        *;\n};\n")
endfunction()

# The exports are in archives: what exports them pulls them all in.
add_library(ima SHARED ${ima_sources})
target_link_libraries(ima PRIVATE ima_builtin)
target_include_directories(ima PUBLIC ${PROJECT_SOURCE_DIR}/include)
add_library(ima_iscsidsc MODULE ${ima}/plugin_exports.c)
target_link_libraries(ima_iscsidsc PRIVATE ima_builtin)

if(WIN32)
    set(VERSION_FILE ima.dll)
    set(VERSION_DESCRIPTION "iSCSI Management API")
    configure_file(${msapi}/version.rc.in ${CMAKE_CURRENT_BINARY_DIR}/ima_version.rc @ONLY)
    target_sources(ima PRIVATE ${ima}/../os/windows/dllmain.c ${CMAKE_CURRENT_BINARY_DIR}/ima_version.rc ${ima_def})
    set_target_properties(ima PROPERTIES PREFIX "" IMPORT_PREFIX "lib" IMPORT_SUFFIX ".dll.a")
    set_target_properties(ima_iscsidsc PROPERTIES PREFIX "")
    target_link_options(ima PRIVATE -static-libgcc)
    target_link_options(ima_iscsidsc PRIVATE -static-libgcc)
    return()
endif()

set(ima_version_script ${CMAKE_CURRENT_BINARY_DIR}/libima.map)
write_ima_version_script(${ima_version_script})
set_target_properties(ima PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0)
# nodelete: as libiscsidsc; its threads run this code.
target_link_options(ima PRIVATE LINKER:--version-script=${ima_version_script} LINKER:-z,nodelete)
# symbolic: the plugin has functions of the same names as the library that loads it.
target_link_options(ima_iscsidsc PRIVATE LINKER:-Bsymbolic LINKER:-z,nodelete)
if(NOT SANITIZE)
    target_link_options(ima PRIVATE LINKER:-z,defs)
endif()
set_property(TARGET ima APPEND PROPERTY LINK_DEPENDS ${ima_version_script})

configure_file(${ima}/ima.pc.in ${CMAKE_CURRENT_BINARY_DIR}/ima.pc @ONLY)
install(TARGETS ima LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS ima_iscsidsc LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/ima)
install(FILES ${PROJECT_SOURCE_DIR}/include/ima.h ${PROJECT_SOURCE_DIR}/include/ima_plugin.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ima.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
