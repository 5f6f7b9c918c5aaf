#include <dlfcn.h>
#include <string.h>

#include "library.h"

library_function library_find(const char *name)
{
    /* The file is named, so that it is found by the name programs load it with. */
    void *library = dlopen("libiscsidsc.so", RTLD_NOW | RTLD_LOCAL);
    library_function function;

    if (!library)
        return NULL;
    void *symbol = dlsym(library, name);
    memcpy(&function, &symbol, sizeof function); /* ISO C has no cast between the two */
    return function;
}
