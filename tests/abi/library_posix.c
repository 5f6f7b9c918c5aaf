#include <dlfcn.h>
#include <string.h>

#include "library.h"

library_function library_find(const char *name)
{
    void *library = dlopen("libiscsidsc.so.0", RTLD_NOW | RTLD_NOLOAD);
    library_function function;

    if (!library)
        return NULL;
    void *symbol = dlsym(library, name);
    dlclose(library);
    memcpy(&function, &symbol, sizeof function); /* ISO C has no cast between the two */
    return function;
}
