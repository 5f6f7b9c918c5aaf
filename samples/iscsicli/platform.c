#include <stdio.h>
#include <string.h>
#include <time.h>

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#else
#include <arpa/inet.h>
#endif
#include "platform.h"
#include "snapshot.h"

#ifdef _WIN32

void platform_status_text(ISDSC_STATUS status, char *text, size_t size)
{
    /* The module comes before the system: Wine's own text for 0 is not what tools look for. */
    DWORD flags = FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_FROM_SYSTEM |
                  FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK;

    text[0] = '\0';
    FormatMessageA(flags, GetModuleHandleA("iscsidsc.dll"), status, 0, text, (DWORD)size, NULL);
}

int platform_exit_code(ISDSC_STATUS status)
{
    return (int)status;
}

ISDSC_STATUS platform_switch_portal(ISCSI_UNIQUE_SESSION_ID *session, const char *portal)
{
    (void)session;
    (void)portal;
    return ERROR_NOT_SUPPORTED;
}

ISDSC_STATUS platform_parameters(const char *target, struct platform_address portal,
                                 struct platform_address discovery,
                                 void (*tell)(const struct platform_parameter *parameter))
{
    (void)target;
    (void)portal;
    (void)discovery;
    (void)tell;
    return ERROR_NOT_SUPPORTED;
}

ISDSC_STATUS platform_monitor(unsigned long seconds,
                              void (*tell)(const struct platform_event *event))
{
    struct snapshot snapshot = {0};
    ULONGLONG end = GetTickCount64() + seconds * 1000ull;
    ISDSC_STATUS status = snapshot_update(&snapshot, tell);

    while (status == ERROR_SUCCESS && (seconds == 0 || GetTickCount64() < end)) {
        Sleep(500);
        status = snapshot_update(&snapshot, tell);
    }
    snapshot_free(&snapshot);
    return status;
}

#else

static const char *name_of_kind(ULONG kind)
{
    static const char *const names[] = {
        [ISCSI_EVENT_SESSION_ADDED] = "Session added",
        [ISCSI_EVENT_SESSION_REMOVED] = "Session removed",
        [ISCSI_EVENT_SESSION_CONNECTED] = "Session connected",
        [ISCSI_EVENT_SESSION_DISCONNECTED] = "Session disconnected",
        [ISCSI_EVENT_TARGET_ADDED] = "Target added",
        [ISCSI_EVENT_TARGET_REMOVED] = "Target removed",
        [ISCSI_EVENT_PORTAL_ADDED] = "Portal added",
        [ISCSI_EVENT_PORTAL_REMOVED] = "Portal removed",
    };

    return kind < sizeof(names) / sizeof(names[0]) && names[kind] ? names[kind] : "Event";
}

static void tell_event(const ISCSI_EVENT *from, void (*tell)(const struct platform_event *event))
{
    struct platform_event event = {.what = name_of_kind(from->Kind), .session = from->SessionId};

    memcpy(event.target, from->TargetName, sizeof(event.target));
    memcpy(event.portal, from->PortalAddress, sizeof(event.portal));
    event.socket = from->PortalSocket;
    tell(&event);
}

static ISDSC_STATUS wait_once(ULONGLONG *position, ULONG milliseconds,
                              void (*tell)(const struct platform_event *event))
{
    static const struct platform_event gap = {.what = "Some events were lost"};
    ISCSI_EVENT events[16];
    ULONG count = sizeof(events) / sizeof(events[0]);
    BOOLEAN lost = FALSE;
    ISDSC_STATUS status = WaitIScsiEvents(position, milliseconds, &lost, &count, events);

    if (status != ERROR_SUCCESS)
        return status;
    if (lost)
        tell(&gap);
    for (ULONG i = 0; i < count; i++)
        tell_event(&events[i], tell);
    return status;
}

static unsigned long long milliseconds_now(void)
{
    struct timespec now;

    timespec_get(&now, TIME_UTC);
    return (unsigned long long)now.tv_sec * 1000 + (unsigned long long)now.tv_nsec / 1000000;
}

ISDSC_STATUS platform_monitor(unsigned long seconds,
                              void (*tell)(const struct platform_event *event))
{
    const unsigned long long hour = 3600000;
    unsigned long long now = milliseconds_now(), end = now + seconds * 1000ull;
    ULONGLONG position = ISCSI_EVENTS_FROM_NOW;
    ISDSC_STATUS status = wait_once(&position, 0, tell);

    while (status == ERROR_SUCCESS && (seconds == 0 || now < end)) {
        unsigned long long left = seconds == 0 || end - now > hour ? hour : end - now;

        status = wait_once(&position, (ULONG)left, tell);
        now = milliseconds_now();
    }
    return status;
}

ISDSC_STATUS platform_switch_portal(ISCSI_UNIQUE_SESSION_ID *session, const char *portal)
{
    return SwitchIScsiSessionPortal(session, portal);
}

static const char *name_of_source(ULONG source)
{
    static const char *const names[] = {
        [ISCSI_PARAMETER_DEFAULT] = "default",       [ISCSI_PARAMETER_FILE] = NULL,
        [ISCSI_PARAMETER_ADAPTER] = "adapter",       [ISCSI_PARAMETER_TARGET] = "target",
        [ISCSI_PARAMETER_LOGIN_OPTIONS] = "options",
    };

    return source < sizeof(names) / sizeof(names[0]) ? names[source] : "unknown";
}

ISDSC_STATUS platform_parameters(const char *target, struct platform_address portal,
                                 struct platform_address discovery,
                                 void (*tell)(const struct platform_parameter *parameter))
{
    static ISCSI_EFFECTIVE_PARAMETER rows[256];
    static CHAR file[MAX_ISCSI_PARAMETER_FILE_LEN];
    ULONG count = sizeof(rows) / sizeof(rows[0]);
    ISDSC_STATUS status = ReportIScsiEffectiveParameters(
        target, portal.host, portal.socket, discovery.host, discovery.socket, file, &count, rows);

    for (ULONG i = 0; status == ERROR_SUCCESS && i < count; i++) {
        const struct platform_parameter parameter = {
            .name = rows[i].Name,
            .value = rows[i].Value,
            .source = name_of_source(rows[i].Source),
            .file = file,
            .scope = rows[i].Scope,
            .line = rows[i].Line,
        };
        tell(&parameter);
    }
    return status;
}

void platform_status_text(ISDSC_STATUS status, char *text, size_t size)
{
    const char *message = GetIScsiStatusText(status);

    /* The trailing space is what FormatMessage makes of the end of the line. */
    text[0] = '\0';
    if (message && message[0])
        snprintf(text, size, "%s ", message);
}

int platform_exit_code(ISDSC_STATUS status)
{
    if (status == ERROR_SUCCESS)
        return 0;
    return (status & 0xff) != 0 ? (int)(status & 0xff) : 1;
}

#endif

ULONG platform_ipv4(const char *text, UCHAR *bytes)
{
    return inet_pton(AF_INET, text, bytes) == 1 ? 4 : 0;
}

ULONG platform_ipv6(const char *text, UCHAR *bytes)
{
    return inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
}
