#include "os/program.h"
#include "os/thread.h"
#include "os/windows/native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE_NAME L"MSiSCSI"

/* --- what is installed --- */

/* The directory of the module that holds this code, with its last backslash. */
static bool own_directory(char out[OS_PATH_ROOM])
{
    static const char here;
    wchar_t path[OS_PATH_ROOM];
    HMODULE module;
    DWORD flags =
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    if (!GetModuleHandleExW(flags, (const wchar_t *)(const void *)&here, &module))
        return false;
    DWORD length = GetModuleFileNameW(module, path, ARRAYSIZE(path));
    if (length == 0 || length >= ARRAYSIZE(path))
        return false;
    wchar_t *name = wcsrchr(path, L'\\');
    if (name == NULL)
        return false;
    name[1] = 0;
    return os_utf16_to_utf8(path, out, OS_PATH_ROOM) > 0;
}

static bool is_file(const char *path)
{
    wchar_t *wide = os_wide(path);
    DWORD found = wide != NULL ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;
    os_free(wide);
    return found != INVALID_FILE_ATTRIBUTES && (found & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

static bool beside(struct os_program *out, const char *name)
{
    char directory[OS_PATH_ROOM];
    if (!own_directory(directory))
        return false;
    int length = snprintf(out->path, sizeof out->path, "%s%s", directory, name);
    return length > 0 && (size_t)length < sizeof out->path && is_file(out->path);
}

static bool installed_native(struct os_program *out)
{
    return os_from_unix_path(ISCSIDSC_SERVICE_PROGRAM, out->path, sizeof out->path) &&
           is_file(out->path);
}

/* Windows has a service of that name of its own: ours runs iscsidscd.exe. */
static bool runs_our_program(SC_HANDLE service)
{
    DWORD size = 0;
    QueryServiceConfigW(service, NULL, 0, &size);
    QUERY_SERVICE_CONFIGW *config = size > 0 ? os_alloc(size) : NULL;
    bool ours = config != NULL && QueryServiceConfigW(service, config, size, &size) &&
                config->lpBinaryPathName != NULL &&
                wcsstr(config->lpBinaryPathName, L"iscsidscd.exe") != NULL;
    os_free(config);
    return ours;
}

static SC_HANDLE open_service(DWORD access)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    if (manager == NULL)
        return NULL;
    SC_HANDLE service = OpenServiceW(manager, SERVICE_NAME, access | SERVICE_QUERY_CONFIG);
    CloseServiceHandle(manager);
    if (service != NULL && !runs_our_program(service)) {
        CloseServiceHandle(service);
        return NULL;
    }
    return service;
}

/* A service of the system's keeps the system's state: it is none for who asks for another. */
static bool registered_service(struct os_program *out)
{
    if (GetEnvironmentVariableW(L"ISCSIDSC_STATE", NULL, 0) > 0 ||
        GetEnvironmentVariableW(L"ISCSIDSC_SOCKET", NULL, 0) > 0)
        return false;
    SC_HANDLE service = open_service(SERVICE_START);
    if (service == NULL)
        return false;
    CloseServiceHandle(service);
    out->path[0] = '\0';
    return true;
}

size_t os_service_programs(struct os_program *out, size_t room)
{
    size_t count = 0;
    bool wine = os_under_wine();
    if (count < room && wine && beside(&out[count], "iscsidscd"))
        out[count++].kind = OS_PROGRAM_NATIVE;
    if (count < room && wine && installed_native(&out[count]))
        out[count++].kind = OS_PROGRAM_NATIVE;
    if (count < room && registered_service(&out[count]))
        out[count++].kind = OS_PROGRAM_SERVICE;
    if (count < room && beside(&out[count], "iscsidscd.exe"))
        out[count++].kind = OS_PROGRAM;
    return count;
}

/* --- starting --- */

/* Appends ` option "path"` for a variable that is set. A quote cannot be in a path of Windows; one
 * of Unix with a quote or backslash is refused, for it would have to be quoted as the C start-up
 * code expects it. */
static bool append_option(char *line, size_t room, const char *option, const char *variable,
                          bool native)
{
    char value[OS_PATH_ROOM], path[OS_PATH_ROOM];
    if (!os_environment(variable, value, sizeof value) || value[0] == '\0')
        return true;
    if (native && value[0] != '/') {
        if (!os_to_unix_path(value, path, sizeof path))
            return false;
    } else {
        strcpy(path, value);
    }
    size_t used = strlen(line);
    if (strchr(path, '"') != NULL || (native && strchr(path, '\\') != NULL))
        return false;
    int length = snprintf(line + used, room - used, " %s \"%s\"", option, path);
    return length > 0 && (size_t)length < room - used;
}

static enum status create(const char *path, const char *line)
{
    STARTUPINFOW how = {.cb = sizeof how};
    PROCESS_INFORMATION started = {0};
    wchar_t *wide_path = os_wide(path);
    wchar_t *wide_line = os_wide(line);
    bool created = wide_path != NULL && wide_line != NULL &&
                   CreateProcessW(wide_path, wide_line, NULL, NULL, FALSE, DETACHED_PROCESS, NULL,
                                  NULL, &how, &started);
    os_free(wide_path);
    os_free(wide_line);
    if (!created)
        return STATUS_SERVICE_NOT_RUNNING;
    /* Wine gives none for a program of the system below. */
    if (started.hThread != NULL)
        CloseHandle(started.hThread);
    if (started.hProcess != NULL)
        CloseHandle(started.hProcess);
    return STATUS_OK;
}

static enum status start_process(const struct os_program *program)
{
    bool native = program->kind == OS_PROGRAM_NATIVE;
    size_t room = 4 * OS_PATH_ROOM;
    char *line = os_alloc(room);
    if (line == NULL)
        return STATUS_NO_MEMORY;
    snprintf(line, room, "\"%s\" --on-demand", program->path);
    enum status status = STATUS_SERVICE_NOT_RUNNING;
    if (append_option(line, room, "--state", "ISCSIDSC_STATE", native) &&
        append_option(line, room, "--socket", "ISCSIDSC_SOCKET", native))
        status = create(program->path, line);
    os_free(line);
    return status;
}

static enum status start_service(void)
{
    SC_HANDLE service = open_service(SERVICE_START);
    if (service == NULL)
        return STATUS_SERVICE_NOT_RUNNING;
    bool started =
        StartServiceW(service, 0, NULL) || GetLastError() == ERROR_SERVICE_ALREADY_RUNNING;
    CloseServiceHandle(service);
    return started ? STATUS_OK : STATUS_SERVICE_NOT_RUNNING;
}

enum status os_program_start(const struct os_program *program, uint64_t due)
{
    (void)due;
    return program->kind == OS_PROGRAM_SERVICE ? start_service() : start_process(program);
}
