/* GetIScsiStatusText: a text for every status, and the words that scripts look for. */
#include <stdio.h>
#include <string.h>

#include "iscsidsc.h"

static unsigned failures;

static void check_text(const char *name, ISDSC_STATUS status, const char *none)
{
    const char *text = GetIScsiStatusText(status);
    size_t length = text ? strlen(text) : 0;

    if (text && length > 1 && text[length - 1] == '.' && strcmp(text, none) != 0)
        return;
    printf("%s: expected a sentence, got \"%s\"\n", name, text ? text : "NULL");
    failures++;
}

static void check_words(ISDSC_STATUS status, const char *words)
{
    if (strstr(GetIScsiStatusText(status), words))
        return;
    printf("0x%08x: expected \"%s\" in \"%s\"\n", (unsigned)status, words,
           GetIScsiStatusText(status));
    failures++;
}

int main(void)
{
    const char *none = GetIScsiStatusText(0xDEADBEEF);
    static const ISDSC_STATUS system_codes[] = {
        ERROR_SUCCESS,       ERROR_ACCESS_DENIED,       ERROR_NOT_ENOUGH_MEMORY,
        ERROR_WRITE_PROTECT, ERROR_INVALID_PARAMETER,   ERROR_CALL_NOT_IMPLEMENTED,
        ERROR_NOACCESS,      ERROR_INSUFFICIENT_BUFFER, ERROR_FILE_CORRUPT,
        WSAETIMEDOUT,        WSAECONNREFUSED,
    };

    if (!none || !*none) {
        printf("0xDEADBEEF: expected some text, got none\n");
        return 1;
    }
#define STATUS(name, value) check_text(#name, value##u, none);
#include "rows.inc"
#undef STATUS
    for (size_t i = 0; i < sizeof system_codes / sizeof system_codes[0]; i++)
        check_text("system code", system_codes[i], none);
    check_words(ERROR_SUCCESS, "The operation completed successfully.");
    check_words(ISDSC_TARGET_ALREADY_LOGGED_IN, "already been logged");
    check_words(ISDSC_TARGET_ERROR, "Target Error");
    printf("%u texts checked, %u failures\n", (unsigned)ROWS_STATUS, failures);
    return failures ? 1 : 0;
}
