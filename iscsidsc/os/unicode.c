/* UTF-16 and UTF-8, strictly: no lone surrogate, no overlong form, nothing past U+10FFFF. */
#include "os/system.h"
#include "os/unicode.h"

#include <string.h>

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The tables of Unicode 15, 3.9 (table 3-7) as ranges of the second byte. */
static bool second_byte_fits(uint8_t lead, uint8_t second)
{
    switch (lead) {
    case 0xE0:
        return second >= 0xA0 && second <= 0xBF;
    case 0xED:
        return second >= 0x80 && second <= 0x9F;
    case 0xF0:
        return second >= 0x90 && second <= 0xBF;
    case 0xF4:
        return second >= 0x80 && second <= 0x8F;
    default:
        return is_continuation(second);
    }
}

static size_t utf8_length(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

size_t os_utf8_decode(const char *text, uint32_t *code_point)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t length = utf8_length(p[0]);
    if (length <= 1) {
        *code_point = p[0];
        return length;
    }
    if (!second_byte_fits(p[0], p[1]))
        return 0;
    uint32_t value = p[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(p[i])) /* the NUL at the end is none, so nothing past it is read */
            return 0;
        value = value << 6 | (p[i] & 0x3Fu);
    }
    *code_point = value;
    return length;
}

static size_t utf8_encode(uint32_t c, uint8_t out[4])
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}

/* Units taken, 0 for a lone surrogate. */
static size_t utf16_decode(const uint16_t *text, uint32_t *code_point)
{
    uint32_t unit = text[0];
    *code_point = unit;
    if (unit < 0xD800 || unit > 0xDFFF)
        return 1;
    uint32_t low = unit <= 0xDBFF ? text[1] : 0;
    if (low < 0xDC00 || low > 0xDFFF)
        return 0;
    *code_point = 0x10000u + ((unit - 0xD800u) << 10) + (low - 0xDC00u);
    return 2;
}

static long fail8(char *out, size_t room)
{
    if (room > 0)
        out[0] = '\0';
    return -1;
}

static long fail16(uint16_t *out, size_t room)
{
    if (room > 0)
        out[0] = 0;
    return -1;
}

/* Names are nearly always ASCII: eight bytes at a time. Returns the length of that first part. */
static size_t ascii_length(const char *text, size_t length)
{
    size_t done = 0;
    uint64_t eight;
    for (; length - done >= sizeof eight; done += sizeof eight) {
        memcpy(&eight, text + done, sizeof eight);
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    return done;
}

bool os_utf8_valid(const char *text, size_t *length)
{
    *length = strlen(text);
    size_t taken;
    for (size_t done = ascii_length(text, *length); done < *length; done += taken) {
        uint32_t code_point;
        taken = os_utf8_decode(text + done, &code_point);
        if (taken == 0)
            return false;
    }
    return true;
}

long os_utf16_to_utf8(const uint16_t *text, char *out, size_t room)
{
    size_t written = 0;
    while (*text != 0) {
        uint32_t c;
        uint8_t bytes[4];
        size_t taken = utf16_decode(text, &c);
        size_t length = taken > 0 ? utf8_encode(c, bytes) : 0;
        if (length == 0 || length >= room - written || written >= room)
            return fail8(out, room);
        for (size_t i = 0; i < length; i++)
            out[written++] = (char)bytes[i];
        text += taken;
    }
    if (written >= room)
        return fail8(out, room);
    out[written] = '\0';
    return (long)written;
}

long os_utf8_to_utf16(const char *utf8, uint16_t *out, size_t room)
{
    size_t written = 0;
    while (*utf8 != '\0') {
        uint32_t c;
        size_t taken = os_utf8_decode(utf8, &c);
        size_t units = c > 0xFFFF ? 2 : 1;
        if (taken == 0 || written >= room || units >= room - written)
            return fail16(out, room);
        if (units == 2) {
            out[written++] = (uint16_t)(0xD7C0u + (c >> 10));
            out[written++] = (uint16_t)(0xDC00u | (c & 0x3FFu));
        } else {
            out[written++] = (uint16_t)c;
        }
        utf8 += taken;
    }
    if (written >= room)
        return fail16(out, room);
    out[written] = 0;
    return (long)written;
}
