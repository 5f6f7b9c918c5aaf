/* Text in both forms, for any thread. */
#include "msapi_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BUFFERS = 16, TEXT_ROOM = 1024, FILLER = 0xA5 };

static _Thread_local char narrow_buffers[TEXT_BUFFERS][TEXT_ROOM];
static _Thread_local WCHAR wide_buffers[TEXT_BUFFERS][TEXT_ROOM];
static _Thread_local char utf8_buffers[TEXT_BUFFERS][TEXT_ROOM];
static _Thread_local unsigned next_narrow, next_wide, next_utf8;

/* Not an assertion of cmocka's: those are for its own thread. */
static void need(bool condition)
{
    if (!condition)
        abort();
}

#ifdef _WIN32

PWSTR textW(const char *utf8)
{
    WCHAR *out = wide_buffers[next_wide++ % TEXT_BUFFERS];
    memset(out, FILLER, sizeof *wide_buffers);
    need(MultiByteToWideChar(CP_UTF8, 0, utf8, -1, out, TEXT_ROOM) > 0);
    return out;
}

PSTR textA(const char *utf8)
{
    char *out = narrow_buffers[next_narrow++ % TEXT_BUFFERS];
    memset(out, FILLER, sizeof *narrow_buffers);
    need(WideCharToMultiByte(CP_ACP, 0, textW(utf8), -1, out, TEXT_ROOM, NULL, NULL) > 0);
    return out;
}

const char *utf8W(const WCHAR *text)
{
    char *out = utf8_buffers[next_utf8++ % TEXT_BUFFERS];
    if (text == NULL)
        return "(null)";
    need(WideCharToMultiByte(CP_UTF8, 0, text, -1, out, TEXT_ROOM, NULL, NULL) > 0);
    return out;
}

const char *utf8A(const CHAR *text)
{
    WCHAR wide_text[TEXT_ROOM];
    if (text == NULL)
        return "(null)";
    need(MultiByteToWideChar(CP_ACP, 0, text, -1, wide_text, TEXT_ROOM) > 0);
    return utf8W(wide_text);
}

#else

PSTR textA(const char *utf8)
{
    char *out = narrow_buffers[next_narrow++ % TEXT_BUFFERS];
    memset(out, FILLER, sizeof *narrow_buffers);
    need(strlen(utf8) < TEXT_ROOM);
    memcpy(out, utf8, strlen(utf8) + 1);
    return out;
}

/* Up to U+07FF: one or two bytes. */
PWSTR textW(const char *utf8)
{
    WCHAR *out = wide_buffers[next_wide++ % TEXT_BUFFERS], *to = out;
    memset(out, FILLER, sizeof *wide_buffers);
    for (const unsigned char *c = (const unsigned char *)utf8; *c != '\0'; c++) {
        if (*c < 0x80) {
            *to++ = *c;
        } else {
            *to++ = (WCHAR)((c[0] & 0x1f) << 6 | (c[1] & 0x3f));
            c++;
        }
    }
    *to = 0;
    return out;
}

const char *utf8A(const CHAR *text)
{
    char *out = utf8_buffers[next_utf8++ % TEXT_BUFFERS];
    snprintf(out, TEXT_ROOM, "%s", text != NULL ? text : "(null)");
    return out;
}

const char *utf8W(const WCHAR *text)
{
    char *out = utf8_buffers[next_utf8++ % TEXT_BUFFERS], *to = out;
    if (text == NULL)
        return "(null)";
    for (; *text != 0 && to < out + TEXT_ROOM - 3; text++) {
        if (*text < 0x80) {
            *to++ = (char)*text;
        } else {
            *to++ = (char)(0xc0 | *text >> 6);
            *to++ = (char)(0x80 | (*text & 0x3f));
        }
    }
    *to = '\0';
    return out;
}

#endif
