#include "os/windows/native.h"

#include <stdio.h>
#include <string.h>

bool os_under_wine(void)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL;
}

bool os_from_unix_path(const char *path, char *out, size_t room)
{
    bool unix_path = path[0] == '/' && os_under_wine();
    int length = snprintf(out, room, "%s%s", unix_path ? "\\\\?\\unix" : "", path);
    if (length <= 0 || (size_t)length >= room)
        return false;
    for (char *p = out; unix_path && *p != '\0'; p++) {
        if (*p == '/')
            *p = '\\';
    }
    return true;
}

bool os_to_unix_path(const char *path, char *out, size_t room)
{
    typedef char *CDECL unix_file_name(const wchar_t *name);
    FARPROC found = GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "wine_get_unix_file_name");
    wchar_t *wide = found != NULL ? os_wide(path) : NULL;
    if (wide == NULL)
        return false;
    char *name = ((unix_file_name *)(void (*)(void))found)(wide);
    os_free(wide);
    if (name == NULL)
        return false;
    int length = snprintf(out, room, "%s", name);
    HeapFree(GetProcessHeap(), 0, name);
    return length > 0 && (size_t)length < room;
}
