# Toolchain file: cross-build for Windows and Wine.
# -DMINGW_ARCH=x86_64 (default) or i686.
set(CMAKE_SYSTEM_NAME Windows)
if(NOT MINGW_ARCH)
    set(MINGW_ARCH x86_64)
endif()
set(CMAKE_SYSTEM_PROCESSOR ${MINGW_ARCH})
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MINGW_ARCH)

# Compiler support code goes into the programs and the DLL: nothing is needed beside them.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-static -static-libgcc")

# The win32 thread model: the posix one would need libwinpthread beside the DLL.
find_program(CMAKE_C_COMPILER NAMES ${MINGW_ARCH}-w64-mingw32-gcc-win32 ${MINGW_ARCH}-w64-mingw32-gcc)
find_program(CMAKE_CXX_COMPILER NAMES ${MINGW_ARCH}-w64-mingw32-g++-win32 ${MINGW_ARCH}-w64-mingw32-g++)
find_program(CMAKE_RC_COMPILER NAMES ${MINGW_ARCH}-w64-mingw32-windres)
find_program(MINGW_WINDMC NAMES ${MINGW_ARCH}-w64-mingw32-windmc)
set(CMAKE_FIND_ROOT_PATH /usr/${MINGW_ARCH}-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
