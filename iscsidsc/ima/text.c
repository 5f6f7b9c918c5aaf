#include "ima/text.h"

#include "os/unicode.h"

#include <stdint.h>
#include <string.h>

/* wchar_t holds UTF-16 on Windows and code points elsewhere. */
enum { UNITS_ARE_SHORT = sizeof(IMA_WCHAR) == 2 };

static bool is_high(uint32_t unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low(uint32_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* Units taken, 0 for what is no Unicode. */
static size_t next_code_point(const IMA_WCHAR *text, size_t left, uint32_t *code)
{
    uint32_t first = (uint32_t)text[0];
    *code = first;
    if (UNITS_ARE_SHORT && is_high(first) && left > 1 && is_low((uint32_t)text[1])) {
        *code = 0x10000 + ((first - 0xD800) << 10) + ((uint32_t)text[1] - 0xDC00);
        return 2;
    }
    return is_high(first) || is_low(first) || first > 0x10FFFF ? 0 : 1;
}

static size_t put_utf8(uint32_t code, char out[4])
{
    static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)(marks[length] | code);
    return length;
}

long ima_to_utf8(const IMA_WCHAR *text, size_t most, char *out, size_t room)
{
    size_t length = 0;
    for (size_t i = 0; i < most;) {
        char bytes[4];
        uint32_t code;
        if (text[i] == 0) {
            if (length < room)
                out[length] = '\0';
            return (long)length;
        }
        size_t taken = next_code_point(text + i, most - i, &code);
        if (taken == 0)
            return IMA_TEXT_INVALID;
        size_t put = put_utf8(code, bytes);
        if (length + put < room)
            memcpy(out + length, bytes, put);
        length += put;
        i += taken;
    }
    return IMA_TEXT_TOO_LONG;
}

static size_t put_wide(uint32_t code, IMA_WCHAR out[2])
{
    if (!UNITS_ARE_SHORT || code < 0x10000) {
        out[0] = (IMA_WCHAR)code;
        return 1;
    }
    out[0] = (IMA_WCHAR)(0xD800 + ((code - 0x10000) >> 10));
    out[1] = (IMA_WCHAR)(0xDC00 + (code & 0x3FF));
    return 2;
}

bool ima_from_utf8(const char *utf8, IMA_WCHAR *out, size_t room)
{
    size_t length = 0;
    memset(out, 0, room * sizeof *out);
    while (*utf8 != '\0') {
        uint32_t code;
        IMA_WCHAR units[2];
        size_t taken = os_utf8_decode(utf8, &code);
        if (taken == 0) {
            memset(out, 0, room * sizeof *out);
            return false;
        }
        size_t put = put_wide(code, units);
        if (length + put >= room)
            return false;
        memcpy(out + length, units, put * sizeof *units);
        length += put;
        utf8 += taken;
    }
    return true;
}
