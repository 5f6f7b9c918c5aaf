/*
 * Every prototype against the table, by the compiler; and every name against the library,
 * by the linker: what the header makes a program call is what the library exports.
 */
#include <stdio.h>

#include "iscsidsc.h"
#include "library.h"

struct entry {
    const char *name;
    library_function linked;
};

/* Not an initializer: on Windows the addresses are known at run time only. */
static size_t collect(struct entry *entries)
{
    size_t count = 0;

#define FUNCTION(name, bytes, parameters)                                                          \
    {                                                                                              \
        ISDSC_STATUS(WINAPI *typed) parameters = name;                                             \
        entries[count++] = (struct entry){#name, (library_function)typed};                         \
    }
#include "rows.inc"
#undef FUNCTION
    return count;
}

int main(void)
{
    struct entry entries[ROWS_FUNCTION];
    size_t count = collect(entries);
    unsigned failures = 0;

    for (size_t i = 0; i < count; i++) {
        library_function exported = library_find(entries[i].name);
        if (exported && exported == entries[i].linked)
            continue;
        printf("%s: %s\n", entries[i].name,
               exported ? "the program calls something else" : "not exported");
        failures++;
    }
    printf("%u functions checked, %u failures\n", (unsigned)count, failures);
    return failures ? 1 : 0;
}
