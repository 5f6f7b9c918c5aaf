# The interface of NetBSD's libiscsi(3): libiscsi_nb.so or .dll, and the same as a static library.
# Included with libiscsi_sources = libiscsi/*.c.
set(libiscsi ${CMAKE_CURRENT_LIST_DIR})
file(STRINGS ${libiscsi}/exports.txt libiscsi_exports REGEX "^iscsi_")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${libiscsi}/exports.txt)

add_library(iscsi_nb_objects OBJECT ${libiscsi_sources})
target_link_libraries(iscsi_nb_objects PUBLIC core)
set_target_properties(iscsi_nb_objects PROPERTIES C_VISIBILITY_PRESET default)

add_library(iscsi_nb_static STATIC $<TARGET_OBJECTS:iscsi_nb_objects>)
target_link_libraries(iscsi_nb_static PUBLIC core)

add_library(iscsi_nb SHARED $<TARGET_OBJECTS:iscsi_nb_objects>)
target_link_libraries(iscsi_nb PRIVATE core)
target_include_directories(iscsi_nb PUBLIC ${PROJECT_SOURCE_DIR}/include)
set_target_properties(iscsi_nb PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0)
string(REPLACE ";" ";\n" names "${libiscsi_exports}")
if(WIN32)
    string(REPLACE ";" "" names "${names}")
    file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/libiscsi_nb.def CONTENT "LIBRARY libiscsi_nb.dll\nEXPORTS\n${names}\n")
    set(exports ${CMAKE_CURRENT_BINARY_DIR}/libiscsi_nb.def)
    target_link_options(iscsi_nb PRIVATE -static-libgcc ${exports})
    set_target_properties(iscsi_nb PROPERTIES PREFIX lib IMPORT_PREFIX lib IMPORT_SUFFIX .dll.a)
else()
    set(exports ${CMAKE_CURRENT_BINARY_DIR}/libiscsi_nb.map)
    file(GENERATE OUTPUT ${exports} CONTENT "{\nglobal:\niscsidsc_commons_1;\n${names};\nlocal:\n*;\n};\n") # os/process.h
    # nodelete: the engine's thread runs this code, so dlclose must leave it in place.
    target_link_options(iscsi_nb PRIVATE LINKER:--version-script=${exports} LINKER:-z,nodelete)
    target_compile_definitions(iscsi_nb_objects PRIVATE _GNU_SOURCE)
    if(NOT SANITIZE)
        target_link_options(iscsi_nb PRIVATE LINKER:-z,defs)
    endif()
    configure_file(${libiscsi}/libiscsi_nb.pc.in ${CMAKE_CURRENT_BINARY_DIR}/libiscsi_nb.pc @ONLY)
    install(TARGETS iscsi_nb LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(FILES ${PROJECT_SOURCE_DIR}/include/iscsi.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/libiscsi_nb.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
set_property(TARGET iscsi_nb APPEND PROPERTY LINK_DEPENDS ${exports})
