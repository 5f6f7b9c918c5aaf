#include "os/module.h"
#include "os/windows/native.h"

#include <stdio.h>
#include <string.h>

/* The HMODULE is the module. */

struct os_module *os_module_open(const char *path)
{
    char native[4096];
    wchar_t *wide = os_from_unix_path(path, native, sizeof native) ? os_wide(native) : NULL;
    if (wide == NULL)
        return NULL;
    /* No box for the user to click away when a DLL that it needs is missing. */
    UINT mode = SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOOPENFILEERRORBOX);
    HMODULE module = LoadLibraryExW(wide, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
    SetErrorMode(mode);
    os_free(wide);
    return (struct os_module *)(void *)module;
}

void os_module_close(struct os_module *module)
{
    if (module != NULL)
        FreeLibrary((HMODULE)(void *)module);
}

bool os_module_same(const struct os_module *a, const struct os_module *b)
{
    return a == b;
}

os_function os_module_function(const struct os_module *module, const char *name)
{
    FARPROC found = GetProcAddress((HMODULE)(uintptr_t)module, name);
    os_function function;
    memcpy(&function, &found, sizeof function);
    return function;
}

bool os_code_path(os_function function, char *out, size_t room)
{
    wchar_t path[1024];
    HMODULE module;
    const wchar_t *address;
    memcpy(&address, &function, sizeof address);
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                            address, &module))
        return false;
    DWORD length = GetModuleFileNameW(module, path, sizeof path / sizeof *path);
    return length > 0 && length < sizeof path / sizeof *path &&
           os_utf16_to_utf8((const uint16_t *)(const void *)path, out, room) > 0;
}

/* --- code that may crash --- */

bool os_rehearse(bool (*run)(void *argument), void *argument, uint64_t milliseconds)
{
    (void)run;
    (void)argument;
    (void)milliseconds;
    return true;
}

static DWORD guarded_thread; /* 0: none */
static void *way_back[5];

static void go_back(void)
{
    __builtin_longjmp(way_back, 1);
}

/* WIN32_NO_STATUS keeps the system's names for these away. */
static const DWORD crashes[] = {
    0xC0000005, /* access violation */
    0xC0000006, /* in-page error */
    0xC000001D, /* illegal instruction */
    0xC0000094, /* integer division by zero */
    0xC0000096, /* privileged instruction */
    0x80000002, /* data misalignment */
    0x80000003, /* breakpoint */
};

static bool is_crash(DWORD code)
{
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        if (crashes[i] == code)
            return true;
    }
    return false;
}

/* The thread goes on as if it had called go_back where it crashed. */
static LONG CALLBACK on_exception(EXCEPTION_POINTERS *exception)
{
    if (GetCurrentThreadId() != guarded_thread ||
        !is_crash(exception->ExceptionRecord->ExceptionCode))
        return EXCEPTION_CONTINUE_SEARCH;
    guarded_thread = 0;
    CONTEXT *context = exception->ContextRecord;
#ifdef _WIN64
    context->Rsp = ((context->Rsp - 128) & ~(DWORD64)15) - 8;
    context->Rip = (DWORD64)(uintptr_t)go_back;
#else
    context->Esp = ((context->Esp - 128) & ~(DWORD)15) - 4;
    context->Eip = (DWORD)(uintptr_t)go_back;
#endif
    return EXCEPTION_CONTINUE_EXECUTION;
}

/* Of its own, so that nothing of the caller's is in registers when it comes back. */
static __attribute__((noinline)) bool run_with_way_back(bool (*run)(void *argument), void *argument)
{
    if (__builtin_setjmp(way_back) != 0)
        return false;
    guarded_thread = GetCurrentThreadId();
    bool good = run(argument);
    guarded_thread = 0;
    return good;
}

bool os_guarded(bool (*run)(void *argument), void *argument)
{
    void *handler = AddVectoredExceptionHandler(1, on_exception);
    bool good = run_with_way_back(run, argument);
    if (handler != NULL)
        RemoveVectoredExceptionHandler(handler);
    return good;
}

/* --- memory --- */

bool os_copy_memory(void *out, const void *from, size_t length)
{
    SIZE_T copied = 0;
    return ReadProcessMemory(GetCurrentProcess(), from, out, length, &copied) && copied == length;
}

void os_at_exit(void (*run)(void))
{
    (void)run;
}

bool os_system_file(const char *name, char *out, size_t room)
{
    wchar_t wide[MAX_PATH + 1];
    char directory[4096];
    UINT found = GetSystemDirectoryW(wide, MAX_PATH);
    if (found == 0 || found >= MAX_PATH ||
        os_utf16_to_utf8((const uint16_t *)(const void *)wide, directory, sizeof directory) < 0)
        return false;
    int length = snprintf(out, room, "%s\\drivers\\etc\\%s", directory, name);
    return length > 0 && (size_t)length < room;
}
