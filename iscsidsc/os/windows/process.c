#include "os/process.h"
#include "os/thread.h"
#include "os/windows/wide.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* --- what libraries share --- */

static struct os_commons own_commons; /* where the system gives none */
static struct os_commons *commons = &own_commons;
static struct os_once commons_once;

/* Memory by a name that has the process' number: the system frees it when the process ends. */
static void find_commons(void)
{
    char name[64];
    snprintf(name, sizeof name, "Local\\iscsidsc-commons-1-%lu", GetCurrentProcessId());
    HANDLE mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                        (DWORD)sizeof(struct os_commons), name);
    void *view = mapping != NULL ? MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 0) : NULL;
    if (view != NULL)
        commons = view;
}

_Atomic(uintptr_t) *os_common(enum os_common which)
{
    os_once(&commons_once, find_commons);
    return &commons->words[which];
}

void os_sleep(uint64_t milliseconds)
{
    Sleep(milliseconds < INFINITE ? (DWORD)milliseconds : INFINITE - 1);
}

bool os_set_environment(const char *name, const char *value)
{
    wchar_t *wide_name = os_wide(name);
    wchar_t *wide = value != NULL ? os_wide(value) : NULL;
    bool done = wide_name != NULL && (wide != NULL || value == NULL) &&
                (SetEnvironmentVariableW(wide_name, wide) ||
                 (value == NULL && GetLastError() == ERROR_ENVVAR_NOT_FOUND));
    os_free(wide_name);
    os_free(wide);
    return done;
}

/* --- notices: one auto-reset event each, in the order of the enumeration --- */

enum { NOTICES = OS_NOTICE_READY + 1 };
static HANDLE notices[NOTICES];

static BOOL WINAPI on_console(DWORD event)
{
    os_notice_post(OS_NOTICE_STOP);
    if (event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT)
        return TRUE;
    /* When the window closes or the system shuts down the process ends with this return: the
     * system itself bounds the time. */
    Sleep(INFINITE);
    return TRUE;
}

bool os_notices_begin(void)
{
    for (size_t i = 0; i < NOTICES; i++) {
        notices[i] = CreateEventW(NULL, FALSE, FALSE, NULL);
        if (notices[i] == NULL)
            return false;
    }
    SetConsoleCtrlHandler(on_console, TRUE); /* fails for a process without a console */
    return true;
}

enum os_notice os_notice_wait(void)
{
    for (;;) {
        /* The first event's answer is 0. */
        DWORD which = WaitForMultipleObjects(NOTICES, notices, FALSE, INFINITE);
        if (which < NOTICES)
            return (enum os_notice)which;
        Sleep(100); /* out of kernel memory */
    }
}

void os_notice_post(enum os_notice notice)
{
    SetEvent(notices[notice]);
}

bool os_background_begin(void)
{
    return true;
}

void os_background_ready(int code)
{
    (void)code;
}

void os_raise_limits(void)
{
}

void os_serve_own_storage(void)
{
}

size_t os_activation_sockets(os_socket *out, size_t room)
{
    (void)out;
    (void)room;
    return 0;
}

/* --- logging --- */

void os_system_log(const char *name, enum os_log_level level, const char *line)
{
    static const WORD types[] = {[OS_LOG_ERROR] = EVENTLOG_ERROR_TYPE,
                                 [OS_LOG_WARNING] = EVENTLOG_WARNING_TYPE,
                                 [OS_LOG_INFO] = EVENTLOG_INFORMATION_TYPE};
    wchar_t *wide_name = os_wide(name);
    wchar_t *wide = os_wide(line);
    HANDLE source =
        wide_name != NULL && wide != NULL ? RegisterEventSourceW(NULL, wide_name) : NULL;
    if (source != NULL) {
        const wchar_t *lines[] = {wide};
        ReportEventW(source, types[level], 0, 0, NULL, 1, 0, lines, NULL);
        DeregisterEventSource(source);
    }
    os_free(wide_name);
    os_free(wide);
}

void os_time_text(char out[OS_TIME_ROOM])
{
    SYSTEMTIME now;
    GetSystemTime(&now);
    snprintf(out, OS_TIME_ROOM, "%04u-%02u-%02uT%02u:%02u:%02uZ", now.wYear % 10000u,
             now.wMonth % 100u, now.wDay % 100u, now.wHour % 100u, now.wMinute % 100u,
             now.wSecond % 100u);
}
