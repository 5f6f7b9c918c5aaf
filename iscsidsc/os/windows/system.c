#include "os/net.h"
#include "os/runtime.h"
#include "os/windows/native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Static_assert(sizeof(wchar_t) == sizeof(uint16_t), "Windows' wide text is UTF-16");

wchar_t *os_wide(const char *utf8)
{
    size_t room = strlen(utf8) + 1; /* UTF-16 never has more units than UTF-8 has bytes */
    wchar_t *wide = os_alloc(room * sizeof *wide);
    if (wide != NULL && os_utf8_to_utf16(utf8, wide, room) < 0) {
        os_free(wide);
        return NULL;
    }
    return wide;
}

static bool computer_name(COMPUTER_NAME_FORMAT format, char *out, size_t room)
{
    wchar_t name[512], lower[512];
    DWORD length = ARRAYSIZE(name);
    if (!GetComputerNameExW(format, name, &length) || length == 0)
        return false;
    return LCMapStringW(LOCALE_INVARIANT, LCMAP_LOWERCASE, name, -1, lower, ARRAYSIZE(lower)) > 0 &&
           os_utf16_to_utf8(lower, out, room) > 0;
}

bool os_host_name(char *out, size_t room)
{
    return computer_name(ComputerNameDnsFullyQualified, out, room) ||
           computer_name(ComputerNameNetBIOS, out, room);
}

bool os_configured_initiator_name(char *out, size_t room)
{
    (void)out;
    (void)room;
    return false;
}

bool os_environment(const char *name, char *out, size_t room)
{
    wchar_t *wide_name = os_wide(name);
    if (wide_name == NULL)
        return false;
    /* Windows' limit for one variable, with its NUL. */
    DWORD most = 32767;
    wchar_t *value = os_alloc(most * sizeof *value);
    bool found = false;
    if (value != NULL) {
        SetLastError(ERROR_SUCCESS);
        DWORD length = GetEnvironmentVariableW(wide_name, value, most);
        bool set = length > 0 || GetLastError() == ERROR_SUCCESS;
        found = set && length < most && os_utf16_to_utf8(value, out, room) >= 0;
    }
    os_free(value);
    os_free(wide_name);
    return found;
}

static bool told_directory(const char *told, char *out, size_t room)
{
    char path[OS_PATH_ROOM], full[OS_PATH_ROOM];
    if (!os_from_unix_path(told, path, sizeof path) || !os_absolute_path(path, full))
        return false;
    int length = snprintf(out, room, "%s", full);
    return length > 0 && (size_t)length < room;
}

bool os_state_directory(char *out, size_t room)
{
    char base[4096];
    if (os_environment("ISCSIDSC_STATE", base, sizeof base) && base[0] != '\0')
        return told_directory(base, out, room);
    if (!os_environment("ProgramData", base, sizeof base) || base[0] == '\0')
        return false;
    int length = snprintf(out, room, "%s\\iscsidsc", base);
    return length > 0 && (size_t)length < room;
}

/* --- text --- */

static long no_text(char *out, size_t room)
{
    if (room > 0)
        out[0] = '\0';
    return -1;
}

long os_ansi_to_utf8(const char *ansi, char *out, size_t room)
{
    int units = MultiByteToWideChar(CP_ACP, MB_ERR_INVALID_CHARS, ansi, -1, NULL, 0);
    wchar_t *wide = units > 0 ? os_alloc((size_t)units * sizeof *wide) : NULL;
    if (wide == NULL)
        return no_text(out, room);
    MultiByteToWideChar(CP_ACP, MB_ERR_INVALID_CHARS, ansi, -1, wide, units);
    long written = os_utf16_to_utf8(wide, out, room);
    os_free(wide);
    return written;
}

/* "Best fit" would turn one name into another; a code page of UTF-8 knows no such flag. */
static DWORD narrowing_flags(void)
{
    return GetACP() == CP_UTF8 ? 0 : WC_NO_BEST_FIT_CHARS;
}

long os_utf8_to_ansi(const char *utf8, char *out, size_t room)
{
    wchar_t *wide = os_wide(utf8);
    if (wide == NULL)
        return no_text(out, room);
    int room_for = room < INT_MAX ? (int)room : INT_MAX;
    int written = room_for > 0 ? WideCharToMultiByte(CP_ACP, narrowing_flags(), wide, -1, out,
                                                     room_for, NULL, NULL)
                               : 0;
    os_free(wide);
    return written > 0 ? written - 1 : no_text(out, room);
}

/* --- interfaces --- */

/* The caller frees; NULL when there are none to be had. */
static IP_ADAPTER_ADDRESSES *adapters_now(void)
{
    const ULONG flags = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER |
                        GAA_FLAG_SKIP_FRIENDLY_NAME;
    ULONG size = 16384;
    for (int attempt = 0; attempt < 4; attempt++) { /* the list may grow between two calls */
        IP_ADAPTER_ADDRESSES *adapters = os_alloc(size);
        if (adapters == NULL)
            return NULL;
        ULONG error = GetAdaptersAddresses(AF_UNSPEC, flags, NULL, adapters, &size);
        if (error == ERROR_SUCCESS)
            return adapters;
        os_free(adapters);
        if (error != ERROR_BUFFER_OVERFLOW)
            return NULL;
    }
    return NULL;
}

size_t os_local_addresses(struct os_address *out, size_t room)
{
    size_t count = 0;
    os_net_start();
    IP_ADAPTER_ADDRESSES *adapters = adapters_now();
    for (IP_ADAPTER_ADDRESSES *each = adapters; each != NULL; each = each->Next) {
        if (each->OperStatus != IfOperStatusUp)
            continue;
        for (IP_ADAPTER_UNICAST_ADDRESS *one = each->FirstUnicastAddress;
             one != NULL && count < room; one = one->Next) {
            const SOCKET_ADDRESS *native = &one->Address;
            if (os_address_from_native(native->lpSockaddr, (size_t)native->iSockaddrLength,
                                       &out[count]))
                count++;
        }
    }
    os_free(adapters);
    return count;
}

/* GetVersionEx tells programs without a manifest that they run on Windows 8. */
void os_version(uint32_t *major, uint32_t *minor, uint32_t *build)
{
    typedef LONG(WINAPI * get_version)(OSVERSIONINFOW *);
    OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof version};
    FARPROC found = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "RtlGetVersion");
    *major = 10;
    *minor = 0;
    *build = 19041;
    if (found == NULL || ((get_version)(void (*)(void))found)(&version) != 0)
        return;
    *major = version.dwMajorVersion;
    *minor = version.dwMinorVersion;
    *build = version.dwBuildNumber;
}

bool os_has_device_files(void)
{
    return false;
}

uint32_t os_process_id(void)
{
    return GetCurrentProcessId();
}

void os_local_time(uint64_t time, struct tm *out)
{
    const __time64_t seconds = (__time64_t)(time / 1000);
    if (_localtime64_s(out, &seconds) != 0)
        memset(out, 0, sizeof *out);
}
