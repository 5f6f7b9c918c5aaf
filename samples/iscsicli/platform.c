#include <stdio.h>
#include <string.h>

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#else
#include <arpa/inet.h>
#endif
#include "platform.h"

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

#else

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
