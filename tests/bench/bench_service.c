/*
 * What a list of many sessions costs, in the program's own process or through a service, natively
 * or under Wine: as ISCSIDSC_SERVICE says.
 *
 *     bench_service ADDRESS PORT TARGET SESSIONS CALLS
 *
 * Sees to it that there are so many sessions, and measures CALLS calls of GetIScsiSessionListW.
 * Says "ready" before and "logged-in" after the logins, and waits for a line each time, so that
 * somebody can look at the memory.
 */
#include "iscsidsc.h"

#include "os/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *call, ISDSC_STATUS status)
{
    fprintf(stderr, "bench_service: %s gives 0x%lx\n", call, (unsigned long)status);
    exit(1);
}

static void wait_for_line(const char *word)
{
    puts(word);
    fflush(stdout);
    for (int c = getchar(); c != '\n' && c != EOF; c = getchar())
        ;
}

/* The caller frees. */
static void *list_sessions(ULONG *size, ULONG *count)
{
    void *list = NULL;
    ISDSC_STATUS status;
    *size = 0;
    while ((status = GetIScsiSessionListW(size, count, list)) == ERROR_INSUFFICIENT_BUFFER) {
        free(list);
        list = malloc(*size);
        if (list == NULL)
            fail("malloc", ERROR_NOT_ENOUGH_MEMORY);
    }
    if (status != ERROR_SUCCESS)
        fail("GetIScsiSessionListW", status);
    return list;
}

static void log_in(ISCSI_TARGET_PORTALA *portal, char *target, ULONG sessions)
{
    ULONG size, count;
    ISCSI_UNIQUE_SESSION_ID session;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    /* Several sessions to one target are only made when they are asked for. */
    ISCSI_LOGIN_OPTIONS options = {.Version = ISCSI_LOGIN_OPTIONS_VERSION,
                                   .LoginFlags = ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED};
    free(list_sessions(&size, &count));
    for (; count < sessions; count++) {
        ISDSC_STATUS status =
            LoginIScsiTargetA(target, FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, portal, 0, NULL,
                              &options, 0, NULL, FALSE, &session, &connection);
        if (status != ERROR_SUCCESS)
            fail("LoginIScsiTargetA", status);
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* With a buffer that is large enough: one call each. */
static void measure(size_t calls)
{
    ULONG size, count;
    uint64_t *times = calloc(calls, sizeof *times);
    void *list = list_sessions(&size, &count);
    ULONG room = size;
    if (times == NULL)
        fail("malloc", ERROR_NOT_ENOUGH_MEMORY);
    for (size_t i = 0; i < calls; i++) {
        uint64_t begin = os_now_us();
        size = room;
        ISDSC_STATUS status = GetIScsiSessionListW(&size, &count, list);
        times[i] = os_now_us() - begin;
        if (status != ERROR_SUCCESS)
            fail("GetIScsiSessionListW", status);
    }
    qsort(times, calls, sizeof *times, compare);
    printf("sessions %lu bytes %lu median_us %lu p90_us %lu\n", (unsigned long)count,
           (unsigned long)size, (unsigned long)times[calls / 2],
           (unsigned long)times[calls * 9 / 10]);
    free(list);
    free(times);
}

static ISCSI_TARGET_PORTALA portal_of(const char *address, const char *port)
{
    ISCSI_TARGET_PORTALA portal = {.Socket = (USHORT)strtoul(port, NULL, 10)};
    snprintf(portal.Address, sizeof portal.Address, "%s", address);
    return portal;
}

int main(int count, char **arguments)
{
    if (count != 6) {
        fputs("usage: bench_service ADDRESS PORT TARGET SESSIONS CALLS\n", stderr);
        return 2;
    }
    ISCSI_TARGET_PORTALA portal = portal_of(arguments[1], arguments[2]);
    ISDSC_STATUS status =
        AddIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, NULL, 0, &portal);
    if (status != ERROR_SUCCESS)
        fail("AddIScsiSendTargetPortalA", status);
    wait_for_line("ready");
    log_in(&portal, arguments[3], (ULONG)strtoul(arguments[4], NULL, 10));
    wait_for_line("logged-in");
    measure((size_t)strtoul(arguments[5], NULL, 10));
    return 0;
}
