/* The few things that Linux and Windows do differently. Everything else is standard C. */
#ifndef ISCSICLI_PLATFORM_H
#define ISCSICLI_PLATFORM_H

#include <stddef.h>
#include "iscsierr.h"
#include "iscsidsc.h"

/* The text of a status in one line, or an empty string if it has none. */
void platform_status_text(ISDSC_STATUS status, char *text, size_t size);

/* What main() returns for a status: all of it on Windows, 1 to 255 for an error on Linux. */
int platform_exit_code(ISDSC_STATUS status);

/* Something that came or went, for Monitor. Absent: zeros and empty strings. */
struct platform_event {
    const char *what; /* such as "Session added" */
    ISCSI_UNIQUE_SESSION_ID session;
    CHAR target[MAX_ISCSI_NAME_LEN + 1];
    CHAR portal[MAX_ISCSI_PORTAL_ADDRESS_LEN];
    USHORT socket;
};

/*
 * Calls `tell` for each event, for so many seconds; 0: without end. Linux: the library tells them.
 * Windows: the DLL has no function for it, so the session list is looked at twice a second.
 */
ISDSC_STATUS platform_monitor(unsigned long seconds,
                              void (*tell)(const struct platform_event *event));

/* Linux: the library does it. Windows: the DLL has no function for it; ERROR_NOT_SUPPORTED. */
ISDSC_STATUS platform_switch_portal(ISCSI_UNIQUE_SESSION_ID *session, const char *portal);

/* A parameter of iscsi.conf, for EffectiveParameters. */
struct platform_parameter {
    const char *name;
    const char *value;
    const char *source; /* such as "default"; NULL: the file */
    const char *file, *scope;
    ULONG line;
};

struct platform_address {
    const char *host; /* NULL: none */
    USHORT socket;
};

/* Calls `tell` for each, as it is for a target (NULL: for all) and two portals. Linux: the library
 * tells them. Windows: the DLL has no function for it; ERROR_NOT_SUPPORTED. */
ISDSC_STATUS platform_parameters(const char *target, struct platform_address portal,
                                 struct platform_address discovery,
                                 void (*tell)(const struct platform_parameter *parameter));

/* The 4 or 16 bytes of an IPv4 or IPv6 address; the number of bytes, 0 if the text is no such
 * address. */
ULONG platform_ipv4(const char *text, UCHAR *bytes);
ULONG platform_ipv6(const char *text, UCHAR *bytes);

#endif
