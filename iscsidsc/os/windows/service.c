/* Windows' service control manager. */
#include "os/process.h"
#include "os/windows/wide.h"

#include <stdio.h>
#include <string.h>

enum { PENDING_HINT = 10000 /* milliseconds that starting and stopping may take */ };

/* --- as a service --- */

static struct {
    wchar_t *name;
    int (*run)(void);
    SERVICE_STATUS_HANDLE handle;
    DWORD start_hint; /* milliseconds */
} service;

static void tell(DWORD state, DWORD code)
{
    if (service.handle == NULL)
        return;
    DWORD hint = state == SERVICE_STOP_PENDING ? PENDING_HINT : 0;
    if (state == SERVICE_START_PENDING)
        hint = service.start_hint > PENDING_HINT ? service.start_hint : PENDING_HINT;
    SERVICE_STATUS status = {
        .dwServiceType = SERVICE_WIN32_OWN_PROCESS,
        .dwCurrentState = state,
        .dwControlsAccepted =
            state == SERVICE_RUNNING
                ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE
                : 0,
        .dwWin32ExitCode = code != 0 ? ERROR_SERVICE_SPECIFIC_ERROR : NO_ERROR,
        .dwServiceSpecificExitCode = code,
        .dwWaitHint = hint,
    };
    SetServiceStatus(service.handle, &status);
}

static DWORD WINAPI on_control(DWORD control, DWORD event, void *data, void *context)
{
    (void)event;
    (void)data;
    (void)context;
    switch (control) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_SHUTDOWN:
        tell(SERVICE_STOP_PENDING, 0);
        os_notice_post(OS_NOTICE_STOP);
        return NO_ERROR;
    case SERVICE_CONTROL_PARAMCHANGE:
        os_notice_post(OS_NOTICE_RELOAD);
        return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE:
        return NO_ERROR;
    default:
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

/* Wine gives services the public profile as ProgramData: then they would look for their files where
 * no other program does. */
static void correct_environment(void)
{
    wchar_t path[MAX_PATH];
    DWORD size = sizeof path;
    if (RegGetValueW(HKEY_LOCAL_MACHINE,
                     L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList",
                     L"ProgramData", RRF_RT_REG_SZ, NULL, path, &size) == ERROR_SUCCESS)
        SetEnvironmentVariableW(L"ProgramData", path);
}

static void WINAPI service_main(DWORD count, wchar_t **arguments)
{
    (void)count;
    (void)arguments;
    service.handle = RegisterServiceCtrlHandlerExW(service.name, on_control, NULL);
    tell(SERVICE_START_PENDING, 0);
    correct_environment();
    tell(SERVICE_STOPPED, (DWORD)service.run());
}

enum status os_service_run(const char *name, int (*run)(void))
{
    service.name = os_wide(name);
    service.run = run;
    if (service.name == NULL)
        return STATUS_NO_MEMORY;
    const SERVICE_TABLE_ENTRYW table[] = {{service.name, service_main}, {NULL, NULL}};
    bool ran = StartServiceCtrlDispatcherW(table);
    os_free(service.name);
    return ran ? STATUS_OK : STATUS_NOT_SUPPORTED;
}

void os_service_starting(uint32_t milliseconds)
{
    service.start_hint = milliseconds;
    tell(SERVICE_START_PENDING, 0);
}

void os_service_tell(enum os_service_state state)
{
    switch (state) {
    case OS_SERVICE_READY:
        tell(SERVICE_RUNNING, 0);
        break;
    case OS_SERVICE_RELOADING:
        break;
    case OS_SERVICE_STOPPING:
        tell(SERVICE_STOP_PENDING, 0);
        break;
    }
}

/* --- installing --- */

static enum status service_status(DWORD error)
{
    switch (error) {
    case ERROR_ACCESS_DENIED:
        return STATUS_ACCESS_DENIED;
    case ERROR_SERVICE_EXISTS:
    case ERROR_DUPLICATE_SERVICE_NAME:
    case ERROR_SERVICE_MARKED_FOR_DELETE:
        return STATUS_BUSY;
    case ERROR_SERVICE_DOES_NOT_EXIST:
        return STATUS_SERVICE_NOT_RUNNING;
    default:
        return STATUS_INTERNAL;
    }
}

/* `"path of this program" arguments`. */
static bool command_line(const char *arguments, wchar_t *out, size_t room)
{
    wchar_t path[4096];
    wchar_t *wide = os_wide(arguments);
    DWORD length = GetModuleFileNameW(NULL, path, ARRAYSIZE(path));
    bool fits =
        wide != NULL && length > 0 && length < ARRAYSIZE(path) && length + wcslen(wide) + 4 < room;
    if (fits) {
        out[0] = L'"';
        wcscpy(out + 1, path);
        wcscat(out, L"\" ");
        wcscat(out, wide);
    }
    os_free(wide);
    return fits;
}

enum status os_service_install(const char *name, const char *shown, const char *arguments)
{
    wchar_t command[5000];
    if (!command_line(arguments, command, ARRAYSIZE(command)))
        return STATUS_INTERNAL;
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CREATE_SERVICE);
    if (manager == NULL)
        return service_status(GetLastError());
    wchar_t *wide_name = os_wide(name);
    wchar_t *wide_shown = os_wide(shown);
    SC_HANDLE created = CreateServiceW(manager, wide_name, wide_shown, SERVICE_ALL_ACCESS,
                                       SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
                                       SERVICE_ERROR_NORMAL, command, NULL, NULL, NULL, NULL, NULL);
    enum status status = created != NULL ? STATUS_OK : service_status(GetLastError());
    if (created != NULL)
        CloseServiceHandle(created);
    CloseServiceHandle(manager);
    os_free(wide_name);
    os_free(wide_shown);
    return status;
}

/* Only what runs this very program may be removed: Windows has a service of that name. */
static bool runs_this_program(SC_HANDLE opened)
{
    union {
        QUERY_SERVICE_CONFIGW config;
        char room[8192];
    } found;
    wchar_t path[4096];
    DWORD size;
    DWORD length = GetModuleFileNameW(NULL, path, ARRAYSIZE(path));
    return length > 0 && length < ARRAYSIZE(path) &&
           QueryServiceConfigW(opened, &found.config, sizeof found, &size) &&
           wcsstr(found.config.lpBinaryPathName, path) != NULL;
}

static enum status remove_service(SC_HANDLE opened)
{
    SERVICE_STATUS stopping;
    if (!runs_this_program(opened))
        return STATUS_BUSY;
    ControlService(opened, SERVICE_CONTROL_STOP, &stopping);
    return DeleteService(opened) ? STATUS_OK : service_status(GetLastError());
}

enum status os_service_uninstall(const char *name)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    if (manager == NULL)
        return service_status(GetLastError());
    wchar_t *wide = os_wide(name);
    SC_HANDLE opened =
        wide != NULL ? OpenServiceW(manager, wide, SERVICE_STOP | DELETE | SERVICE_QUERY_CONFIG)
                     : NULL;
    enum status status = opened != NULL ? remove_service(opened) : service_status(GetLastError());
    if (opened != NULL)
        CloseServiceHandle(opened);
    CloseServiceHandle(manager);
    os_free(wide);
    return status;
}
