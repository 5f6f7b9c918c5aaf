/*
 * Programs written like those that are known to call the library, from descriptions of what they
 * do: each does a day's work against every peer there is and says where it would have given up.
 * Nothing here but the public headers.
 */
#ifndef CALLER_H
#define CALLER_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iscsidsc.h"

#define TARGET_BASE "iqn.2026-11.org.example"

/* Ends the program: this caller would not have been content. */
#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)
#define NEED_OK(call) need_ok((call), #call, __FILE__, __LINE__)

static inline void need_ok(ISDSC_STATUS status, const char *call, const char *file, int line)
{
    if (status != ERROR_SUCCESS) {
        printf("%s:%d: %s gave 0x%lx\n", file, line, call, (unsigned long)status);
        exit(1);
    }
}

struct place {
    char kind[16];
    char address[64];
    USHORT port;
    ULONGLONG lun;
};

static inline const char *peer_variable(const char *kind, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "TEST_%s_%s", kind, what);
    for (char *c = name; *c != '\0'; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 0x20 : *c);
    return getenv(name);
}

/* Does the work once with each of the peers, which stand in TEST_PEERS. */
static inline int work_with_each_peer(void (*work)(const struct place *place))
{
    char kinds[128];
    int peers = 0;
    snprintf(kinds, sizeof kinds, "%s", getenv("TEST_PEERS") != NULL ? getenv("TEST_PEERS") : "");
    for (char *kind = strtok(kinds, ","); kind != NULL; kind = strtok(NULL, ","), peers++) {
        struct place place = {.lun = strtoul(peer_variable(kind, "LUN"), NULL, 10)};
        const char *portal = peer_variable(kind, "PORTAL"), *colon = strrchr(portal, ':');
        snprintf(place.kind, sizeof place.kind, "%s", kind);
        snprintf(place.address, sizeof place.address, "%.*s", (int)(colon - portal), portal);
        place.port = (USHORT)strtoul(colon + 1, NULL, 10);
        printf("with %s\n", kind);
        fflush(stdout);
        work(&place);
    }
    NEED(peers > 0);
    return 0;
}

/* ASCII as UTF-16, in one of eight buffers. */
static inline WCHAR *wide(const char *ascii)
{
    static WCHAR buffers[8][512];
    static unsigned next;
    WCHAR *out = buffers[next++ % 8], *to = out;
    while (*ascii != '\0')
        *to++ = (unsigned char)*ascii++;
    *to = 0;
    return out;
}

static inline char lower(WCHAR c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 0x20 : c);
}

/* Without regard to case, as nearly all of them compare names. */
static inline bool same(const WCHAR *text, const char *ascii)
{
    for (; *text != 0 && lower(*text) == lower((unsigned char)*ascii); text++, ascii++)
        continue;
    return *text == 0 && *ascii == '\0';
}

/* Is the pointer to that many bytes in the buffer? */
static inline bool within(const void *pointer, size_t size, const void *buffer, size_t length)
{
    const char *at = pointer, *start = buffer;
    return at >= start && at + size <= start + length;
}

#endif
