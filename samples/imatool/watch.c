/* Events. */
#include "imatool.h"

#include <stdio.h>
#include <time.h>

#ifdef _WIN32
#include <windows.h>
static void wait_a_second(void)
{
    Sleep(1000);
}
#else
static void wait_a_second(void)
{
    struct timespec second = {1, 0};
    nanosleep(&second, NULL);
}
#endif

static void tell(const char *what, IMA_OID oid)
{
    char name[2200];
    const struct kind *kind = kind_of(oid.objectType);
    object_name(oid, (size_t)oid.objectSequenceNumber, name, sizeof name);
    printf("%s %s\n", what, kind != NULL ? name : "object");
    fflush(stdout);
}

/* What is gone cannot be asked for its name. */
static void on_visibility(IMA_BOOL becoming_visible, IMA_OID oid)
{
    const struct kind *kind = kind_of(oid.objectType);
    if (becoming_visible)
        tell("appeared:", oid);
    else
        printf("disappeared: %s number %lu of owner %u\n", kind != NULL ? kind->name : "object",
               (unsigned long)oid.objectSequenceNumber, (unsigned)oid.ownerId);
    fflush(stdout);
}

static void on_property(IMA_OID oid)
{
    tell("changed:", oid);
}

int watch(int count, char **arguments)
{
    unsigned long seconds = 0;
    if (count > 0 && !parse_number(arguments[0], 0x7FFFFFFF, &seconds))
        return EXIT_USAGE;
    IMA_STATUS status = IMA_RegisterForObjectVisibilityChanges(on_visibility);
    if (IMA_SUCCESS(status))
        status = IMA_RegisterForObjectPropertyChanges(on_property);
    if (IMA_ERROR(status))
        return finish("watch", status);
    puts("watching");
    fflush(stdout);
    for (unsigned long i = 0; count == 0 || i < seconds; i++)
        wait_a_second();
    IMA_DeregisterForObjectPropertyChanges(on_property);
    return finish("watch", IMA_DeregisterForObjectVisibilityChanges(on_visibility));
}
