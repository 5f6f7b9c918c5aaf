#include "os/runtime.h"
#include "os/unicode.h"
#include "os/windows/native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- places --- */

static bool join(char out[OS_PATH_ROOM], const char *directory, const char *rest)
{
    int length = snprintf(out, OS_PATH_ROOM, "%s%s", directory, rest);
    return length > 0 && (size_t)length < OS_PATH_ROOM;
}

bool os_absolute_path(const char *path, char out[OS_PATH_ROOM])
{
    wchar_t full[OS_PATH_ROOM];
    wchar_t *wide = os_wide(path);
    DWORD length = wide != NULL ? GetFullPathNameW(wide, ARRAYSIZE(full), full, NULL) : 0;
    os_free(wide);
    return length > 0 && length < ARRAYSIZE(full) && os_utf16_to_utf8(full, out, OS_PATH_ROOM) > 0;
}

static void strip_ending(char *path)
{
    size_t length = strlen(path);
    if (length > 5 && strcmp(path + length - 5, ".sock") == 0)
        path[length - 5] = '\0';
}

/* The variable's value as an absolute path that Windows understands. */
static bool path_variable(const char *name, char out[OS_PATH_ROOM])
{
    char value[OS_PATH_ROOM], path[OS_PATH_ROOM];
    return os_environment(name, value, sizeof value) && value[0] != '\0' &&
           os_from_unix_path(value, path, sizeof path) && os_absolute_path(path, out);
}

static bool named_place(struct os_place *place)
{
    char path[OS_PATH_ROOM];
    place->own = true;
    if (path_variable("ISCSIDSC_SOCKET", path)) {
        strip_ending(path);
        return join(place->base, path, "");
    }
    return path_variable("ISCSIDSC_STATE", path) && join(place->base, path, "\\door");
}

/* A directory that the native environment names and Wine passes on. */
static bool native_variable(const char *name, const char *rest, char out[OS_PATH_ROOM])
{
    char path[OS_PATH_ROOM], value[OS_PATH_ROOM];
    return os_environment(name, value, sizeof value) && value[0] == '/' &&
           os_from_unix_path(value, path, sizeof path) && join(out, path, rest);
}

static bool native_runtime_place(struct os_place *place)
{
    place->own = true;
    return os_under_wine() && native_variable("XDG_RUNTIME_DIR", "\\iscsidsc\\door", place->base);
}

/* Wine keeps HOME to itself and tells it as "\??\Z:\home\x" or "\??\unix\home\x". */
static bool native_state_place(struct os_place *place)
{
    static const char rest[] = "\\.local\\state\\iscsidsc\\door";
    char home[OS_PATH_ROOM], path[OS_PATH_ROOM];
    place->own = true;
    if (!os_under_wine())
        return false;
    if (native_variable("XDG_STATE_HOME", "\\iscsidsc\\door", place->base))
        return true;
    if (!os_environment("WINEHOMEDIR", home, sizeof home) || strncmp(home, "\\??\\", 4) != 0)
        return false;
    bool of_drive = home[4] != '\0' && home[5] == ':';
    return join(path, of_drive ? "" : "\\\\?\\", home + 4) && join(place->base, path, rest);
}

/* Not own: whether this is root no Windows program can tell. Others cannot read the key. */
static bool native_system_place(struct os_place *place)
{
    place->shared = true;
    return os_under_wine() && join(place->base, "\\\\?\\unix\\run\\iscsidsc\\door", "");
}

static bool windows_place(struct os_place *place)
{
    char path[OS_PATH_ROOM];
    place->own = true;
    return os_state_directory(path, sizeof path) && join(place->base, path, "\\door");
}

/* What was told and cannot be used is an error, and not as if nothing had been told. The length of
 * an empty value is that of its NUL. */
static bool is_told(void)
{
    return GetEnvironmentVariableW(L"ISCSIDSC_SOCKET", NULL, 0) > 1 ||
           GetEnvironmentVariableW(L"ISCSIDSC_STATE", NULL, 0) > 1;
}

size_t os_service_places(struct os_place *out, size_t room)
{
    static bool (*const kinds[])(struct os_place *) = {
        named_place, native_runtime_place, native_state_place, native_system_place, windows_place};
    bool named = is_told();
    size_t count = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && count < room; i++) {
        if (named != (kinds[i] == named_place))
            continue;
        memset(&out[count], 0, sizeof *out);
        count += kinds[i](&out[count]);
    }
    return count;
}

bool os_serving_place(struct os_place *out)
{
    memset(out, 0, sizeof *out);
    return is_told() ? named_place(out) : windows_place(out);
}

bool os_place_path(const struct os_place *place, const char *ending, char out[OS_PATH_ROOM])
{
    return join(out, place->base, ending);
}

/* --- files --- */

enum status os_make_runtime_directory(const struct os_place *place)
{
    char path[OS_PATH_ROOM];
    strcpy(path, place->base);
    char *separator = strrchr(path, '\\');
    if (separator == NULL || separator == path)
        return STATUS_OK;
    *separator = '\0';
    wchar_t *wide = os_wide(path);
    if (wide == NULL)
        return STATUS_NO_MEMORY;
    DWORD found = GetFileAttributesW(wide);
    os_free(wide);
    if (found != INVALID_FILE_ATTRIBUTES)
        return found & FILE_ATTRIBUTE_DIRECTORY ? STATUS_OK : STATUS_STORE_FAILED;
    return os_make_private_directory(path);
}

static enum status write_draft(const wchar_t *draft, const char *path, const char *text)
{
    DWORD length = (DWORD)strlen(text), written = 0;
    HANDLE file = CreateFileW(draft, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return os_file_status(GetLastError());
    /* Nothing is in it until nobody else can read it. */
    enum status status = os_make_private_file(path);
    if (status == STATUS_OK &&
        (!WriteFile(file, text, length, &written, NULL) || written != length))
        status = os_file_status(GetLastError());
    CloseHandle(file);
    return status;
}

enum status os_publish_file(const char *path, const char *text, uint32_t group)
{
    char draft[OS_PATH_ROOM];
    (void)group;
    if (snprintf(draft, sizeof draft, "%s.%lu", path, GetCurrentProcessId()) >= (int)sizeof draft)
        return STATUS_STORE_FAILED;
    wchar_t *wide_draft = os_wide(draft);
    wchar_t *wide = os_wide(path);
    enum status status = STATUS_NO_MEMORY;
    if (wide_draft != NULL && wide != NULL) {
        status = write_draft(wide_draft, draft, text);
        if (status == STATUS_OK && !MoveFileExW(wide_draft, wide, MOVEFILE_REPLACE_EXISTING))
            status = os_file_status(GetLastError());
        if (status != STATUS_OK)
            DeleteFileW(wide_draft);
    }
    os_free(wide_draft);
    os_free(wide);
    return status;
}

/* os_make_private_file refuses a file of somebody else. */
enum status os_read_own_file(const char *path, char **out, size_t *length)
{
    enum status status = os_read_file(path, out, length);
    if (status != STATUS_OK || *out == NULL)
        return status;
    status = os_make_private_file(path);
    if (status == STATUS_OK)
        return STATUS_OK;
    os_free(*out);
    *out = NULL;
    *length = 0;
    return status;
}

void os_remove_file(const char *path)
{
    wchar_t *wide = os_wide(path);
    if (wide != NULL)
        DeleteFileW(wide);
    os_free(wide);
}

void os_remove_directory(const char *path)
{
    wchar_t *wide = os_wide(path);
    if (wide != NULL)
        RemoveDirectoryW(wide);
    os_free(wide);
}

void os_list_directory(const char *path, void (*found)(void *context, const char *name),
                       void *context)
{
    char pattern[OS_PATH_ROOM];
    WIN32_FIND_DATAW entry;
    int length = snprintf(pattern, sizeof pattern, "%s\\*", path);
    wchar_t *wide = length > 0 && (size_t)length < sizeof pattern ? os_wide(pattern) : NULL;
    HANDLE search = wide != NULL ? FindFirstFileW(wide, &entry) : INVALID_HANDLE_VALUE;
    os_free(wide);
    if (search == INVALID_HANDLE_VALUE)
        return;
    do {
        char name[OS_PATH_ROOM];
        if (os_utf16_to_utf8((const uint16_t *)entry.cFileName, name, sizeof name) > 0 &&
            strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            found(context, name);
    } while (FindNextFileW(search, &entry));
    FindClose(search);
}

/* --- locks --- */

enum status os_file_lock(struct os_file_lock *lock, const char *path)
{
    OVERLAPPED whole = {0};
    wchar_t *wide = os_wide(path);
    lock->handle = (intptr_t)INVALID_HANDLE_VALUE;
    if (wide == NULL)
        return STATUS_NO_MEMORY;
    HANDLE file = CreateFileW(wide, GENERIC_READ | GENERIC_WRITE,
                              FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS, 0, NULL);
    os_free(wide);
    if (file == INVALID_HANDLE_VALUE)
        return os_file_status(GetLastError());
    if (!LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, MAXDWORD, 0,
                    &whole)) {
        DWORD error = GetLastError();
        CloseHandle(file);
        bool busy = error == ERROR_LOCK_VIOLATION || error == ERROR_IO_PENDING;
        return busy ? STATUS_BUSY : os_file_status(error);
    }
    lock->handle = (intptr_t)file;
    return STATUS_OK;
}

void os_file_unlock(struct os_file_lock *lock)
{
    if ((HANDLE)lock->handle != INVALID_HANDLE_VALUE)
        CloseHandle((HANDLE)lock->handle);
    lock->handle = (intptr_t)INVALID_HANDLE_VALUE;
}

/* Files are the owner's alone here. */
bool os_group_find(const char *name, uint32_t *group)
{
    (void)name;
    *group = OS_NO_GROUP;
    return false;
}

bool os_user_find(const char *name, uint32_t *user)
{
    return os_group_find(name, user);
}
