#include <windows.h>

#include "library.h"

library_function library_find(const char *name)
{
    HMODULE library = GetModuleHandleA("iscsidsc.dll");

    if (!library)
        return NULL;
    FARPROC address = GetProcAddress(library, name);
    library_function function;
    CopyMemory(&function, &address, sizeof function);
    return function;
}
