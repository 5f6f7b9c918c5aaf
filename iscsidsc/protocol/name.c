#include "protocol/name.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static bool is_alphanumeric(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

static bool is_hex(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

/* Length of the well-formed UTF-8 sequence beyond ASCII at `s` (Unicode, table 3-7), or 0. Each
 * test stops at the NUL that ends the string. */
static size_t utf8_sequence(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;
    unsigned least = 0x80, most = 0xbf;
    size_t length;

    if (u[0] >= 0xc2 && u[0] <= 0xdf)
        length = 2;
    else if ((u[0] & 0xf0) == 0xe0)
        length = 3;
    else if (u[0] >= 0xf0 && u[0] <= 0xf4)
        length = 4;
    else
        return 0;
    if (u[0] == 0xe0)
        least = 0xa0; /* overlong */
    else if (u[0] == 0xed)
        most = 0x9f; /* surrogates */
    else if (u[0] == 0xf0)
        least = 0x90; /* overlong */
    else if (u[0] == 0xf4)
        most = 0x8f; /* beyond U+10FFFF */
    if (u[1] < least || u[1] > most)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* Code points of RFC 3722 (stringprep tables C.1.2 and C.2.2) that would be blank or invisible:
 * controls U+0080 to U+009F, no-break space, and U+2000 to U+200F, U+2028 to U+202F, U+3000. */
static bool is_blank_sequence(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;

    if (u[0] == 0xc2)
        return u[1] <= 0xa0;
    if (u[0] == 0xe2 && u[1] == 0x80)
        return u[2] <= 0x8f || (u[2] >= 0xa8 && u[2] <= 0xaf);
    return u[0] == 0xe3 && u[1] == 0x80 && u[2] == 0x80;
}

/* The profile has no '_', but administrators of many targets do. */
static bool is_profile_character(char c)
{
    return is_alphanumeric(c) || c == '-' || c == '.' || c == ':' || c == '_';
}

static bool is_harmless_character(char c)
{
    return c > ' ' && c < 0x7f && strchr("/\\\"'`$<>|*?;&", c) == NULL;
}

/* Are the 1 to 223 bytes made of such ASCII characters and well-formed UTF-8? */
static bool made_of(const char *name, bool (*allowed)(char c))
{
    size_t length = 0;

    while (name[length] != '\0') {
        size_t sequence = 1;

        if ((unsigned char)name[length] >= 0x80) {
            sequence = utf8_sequence(name + length);
            if (sequence == 0 || is_blank_sequence(name + length))
                return false;
        } else if (!allowed(name[length])) {
            return false;
        }
        length += sequence;
        if (length > ISCSI_NAME_MAX)
            return false;
    }
    return length > 0;
}

bool name_characters_valid(const char *name)
{
    return made_of(name, is_harmless_character);
}

/* Does `name` begin with `prefix` (lower case), in any case? */
static bool begins(const char *name, const char *prefix)
{
    for (; *prefix; name++, prefix++)
        if (lower(*name) != *prefix)
            return false;
    return true;
}

/* Behind "iqn.": yyyy-mm, a dot and at least one character (RFC 7143, 4.2.7.4). */
static bool iqn_valid(const char *rest)
{
    static const char form[] = "dddd-dd.";
    int month;

    for (size_t i = 0; form[i]; i++)
        if (form[i] == 'd' ? !is_digit(rest[i]) : rest[i] != form[i])
            return false;
    month = (rest[5] - '0') * 10 + rest[6] - '0';
    return month >= 1 && month <= 12 && rest[8] != '\0';
}

static size_t hex_count(const char *s)
{
    size_t count = 0;

    while (is_hex(s[count]))
        count++;
    return s[count] == '\0' ? count : 0;
}

bool name_valid(const char *name)
{
    if (!made_of(name, is_profile_character))
        return false;
    if (begins(name, "iqn."))
        return iqn_valid(name + 4);
    if (begins(name, "eui."))
        return hex_count(name + 4) == 16;
    if (begins(name, "naa."))
        return hex_count(name + 4) == 16 || hex_count(name + 4) == 32;
    return false;
}

bool name_normalize(const char *name, char *out)
{
    if (!name_valid(name))
        return false;
    name_fold(name, out);
    return true;
}

void name_fold(const char *name, char *out)
{
    do
        *out++ = lower(*name);
    while (*name++);
}

static bool is_control(const char *s)
{
    unsigned char first = (unsigned char)s[0];

    return first < ' ' || first == 0x7f || (first == 0xc2 && (unsigned char)s[1] < 0xa0);
}

bool alias_valid(const char *alias)
{
    size_t count = 0;

    for (const char *s = alias; *s != '\0'; count++) {
        size_t length = (unsigned char)*s < 0x80 ? 1 : utf8_sequence(s);

        if (length == 0 || is_control(s))
            return false;
        s += length;
    }
    return count > 0 && count <= ALIAS_MOST;
}

bool name_equal(const char *a, const char *b)
{
    for (; lower(*a) == lower(*b); a++, b++)
        if (*a == '\0')
            return true;
    return false;
}
