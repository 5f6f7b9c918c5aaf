/*
 * FormatMessage on iscsidsc.dll, as tools call it: A and W, the library loaded as code and as a
 * data file. Every status has its text of messages.h and a line break behind it.
 */
#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "iscsidsc.h"
#include "msapi/messages.h"

static const struct {
    const char *name;
    ISDSC_STATUS status;
    const char *text;
} messages[] = {
#define MESSAGE(symbol, text) {#symbol, symbol, text},
    ISDSC_MESSAGES(MESSAGE)
#undef MESSAGE
};
enum { MESSAGE_COUNT = sizeof messages / sizeof messages[0] };

static unsigned failures;

static void fail(const char *how, size_t i, const char *got)
{
    printf("%s, %s: expected \"%s\", got \"%s\"\n", how, messages[i].name, messages[i].text, got);
    failures++;
}

static BOOL is_text(size_t i, const char *got)
{
    size_t length = strlen(messages[i].text);

    return strncmp(got, messages[i].text, length) == 0 && strcmp(got + length, "\r\n") == 0;
}

static void check_module(const char *how, HMODULE module)
{
    const DWORD flags = FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_IGNORE_INSERTS;

    for (size_t i = 0; i < MESSAGE_COUNT; i++) {
        char text[512] = "";
        WCHAR wide[512] = L"";
        FormatMessageA(flags, module, messages[i].status, 0, text, sizeof text, NULL);
        if (!is_text(i, text))
            fail(how, i, text);
        /* With the system's messages as a second choice, as Microsoft's tool does. */
        FormatMessageW(flags | FORMAT_MESSAGE_FROM_SYSTEM, module, messages[i].status,
                       MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT), wide, 512, NULL);
        WideCharToMultiByte(CP_ACP, 0, wide, -1, text, sizeof text, NULL, NULL);
        if (!is_text(i, text))
            fail(how, i, text);
    }
}

static void check_load(const char *how, DWORD flags)
{
    HMODULE module = LoadLibraryExA("iscsidsc.dll", NULL, flags);

    if (!module) {
        printf("%s: iscsidsc.dll does not load: error %lu\n", how, GetLastError());
        failures++;
        return;
    }
    check_module(how, module);
    FreeLibrary(module);
}

int main(void)
{
    /* The table and the list have the same codes. */
    unsigned found = 0;
#define STATUS(name, value)                                                                        \
    for (size_t i = 0; i < MESSAGE_COUNT; i++)                                                     \
        found += messages[i].status == value##u;
#include "rows.inc"
#undef STATUS
    if (found != ROWS_STATUS || MESSAGE_COUNT != ROWS_STATUS + 1) {
        printf("messages.h: expected %d codes and 0, found %u of %d\n", ROWS_STATUS, found,
               (int)MESSAGE_COUNT);
        failures++;
    }
    check_load("data file", LOAD_LIBRARY_AS_DATAFILE);
    check_load("library", 0);
    printf("%d messages checked, %u failures\n", (int)MESSAGE_COUNT, failures);
    return failures ? 1 : 0;
}
