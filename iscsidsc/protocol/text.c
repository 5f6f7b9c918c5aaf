#include "protocol/text.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A standard label (RFC 7143, 6.1), and '#' for the X# keys of RFC 3720. */
static bool is_key_character(char c)
{
    return is_letter(c) || is_digit(c) || (c != '\0' && strchr(".-+@_#", c) != NULL);
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool pair_valid(const struct text_pair *pair)
{
    if (pair->key_length == 0 || pair->key_length > TEXT_KEY_MAX ||
        pair->value_length > TEXT_VALUE_MAX)
        return false;
    for (size_t i = 0; i < pair->key_length; i++)
        if (!is_key_character(pair->key[i]))
            return false;
    for (size_t i = 0; i < pair->value_length; i++)
        if (is_control(pair->value[i]))
            return false;
    return true;
}

int text_next(const char *text, size_t length, size_t *offset, struct text_pair *pair)
{
    const char *start, *end, *equals;

    while (*offset < length && text[*offset] == '\0')
        ++*offset;
    if (*offset >= length)
        return 0;
    start = text + *offset;
    end = memchr(start, '\0', length - *offset);
    if (!end)
        return -1;
    equals = memchr(start, '=', (size_t)(end - start));
    if (!equals)
        return -1;
    *pair =
        (struct text_pair){start, (size_t)(equals - start), equals + 1, (size_t)(end - equals - 1)};
    if (!pair_valid(pair))
        return -1;
    *offset = (size_t)(end - text) + 1;
    return 1;
}

bool text_key_is(const struct text_pair *pair, const char *key)
{
    return strlen(key) == pair->key_length && memcmp(key, pair->key, pair->key_length) == 0;
}

bool text_append(char *text, size_t room, size_t *length, const char *key, const char *value)
{
    size_t key_length = strlen(key);
    size_t value_length = strlen(value);
    char *out;

    if (*length > room || key_length + value_length + 2 > room - *length)
        return false;
    out = text + *length;
    memcpy(out, key, key_length);
    out[key_length] = '=';
    memcpy(out + key_length + 1, value, value_length + 1);
    *length += key_length + value_length + 2;
    return true;
}

bool text_append_number(char *text, size_t room, size_t *length, const char *key, uint64_t value)
{
    char digits[21];
    char *p = digits + sizeof digits;

    *--p = '\0';
    do {
        *--p = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return text_append(text, room, length, key, p);
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool has_prefix(const char *value, size_t length, char letter)
{
    return length >= 2 && value[0] == '0' && (value[1] | 0x20) == letter;
}

static bool hex_number(const char *value, size_t length, uint64_t *out)
{
    uint64_t number = 0;

    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        int digit = hex_digit(value[i]);

        if (digit < 0 || number >> 60 != 0)
            return false;
        number = number << 4 | (unsigned)digit;
    }
    *out = number;
    return true;
}

bool text_number(const char *value, size_t length, uint64_t *out)
{
    uint64_t number = 0;

    if (has_prefix(value, length, 'x'))
        return hex_number(value + 2, length - 2, out);
    if (length == 0 || (length > 1 && value[0] == '0'))
        return false; /* a decimal constant has no leading zero */
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)(value[i] - '0');

        if (!is_digit(value[i]) || number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out = number;
    return true;
}

bool text_boolean(const char *value, size_t length, bool *out)
{
    bool yes = length == 3 && memcmp(value, "Yes", 3) == 0;

    if (!yes && !(length == 2 && memcmp(value, "No", 2) == 0))
        return false;
    *out = yes;
    return true;
}

/* The item that starts at `start`; the next one starts behind its comma. */
static size_t item_length_at(const char *value, size_t length, size_t start)
{
    const char *comma = start < length ? memchr(value + start, ',', length - start) : NULL;

    return comma ? (size_t)(comma - value) - start : length - start;
}

bool text_list_item(const char *value, size_t length, size_t index, const char **item,
                    size_t *item_length)
{
    for (size_t start = 0; start <= length; start += *item_length + 1) {
        *item = value + start;
        *item_length = item_length_at(value, length, start);
        if (index-- == 0)
            return true;
    }
    return false;
}

bool text_list_has(const char *value, size_t length, const char *item)
{
    size_t wanted = strlen(item);
    size_t found;

    for (size_t start = 0; start <= length; start += found + 1) {
        found = item_length_at(value, length, start);
        if (found == wanted && memcmp(value + start, item, wanted) == 0)
            return true;
    }
    return false;
}

static long hex_decode(const char *digits, size_t count, uint8_t *out, size_t room)
{
    size_t length = count / 2 + count % 2;
    size_t n = count % 2; /* as if a zero stood in front of an odd count */

    if (count == 0 || length > room)
        return -1;
    out[0] = 0;
    for (size_t i = 0; i < count; i++, n++) {
        int digit = hex_digit(digits[i]);

        if (digit < 0)
            return -1;
        if (n % 2 == 0)
            out[n / 2] = (uint8_t)(digit << 4);
        else
            out[n / 2] |= (uint8_t)digit;
    }
    return (long)length;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int base64_digit(char c)
{
    const char *found = c ? strchr(base64_digits, c) : NULL;

    return found ? (int)(found - base64_digits) : -1;
}

/* RFC 4648, section 4. Padding may be missing; what is there has to be right, and bits beyond the
 * last byte have to be zero, so that a value has one spelling. */
static long base64_decode(const char *digits, size_t count, uint8_t *out, size_t room)
{
    size_t padding = 0;
    size_t length;
    uint32_t bits = 0;

    while (padding < 2 && padding < count && digits[count - padding - 1] == '=')
        padding++;
    if (padding > 0 && count % 4 != 0)
        return -1;
    count -= padding;
    length = count / 4 * 3 + (count % 4 ? count % 4 - 1 : 0);
    if (count == 0 || count % 4 == 1 || length > room)
        return -1;
    for (size_t i = 0, n = 0; i < count; i++) {
        int digit = base64_digit(digits[i]);

        if (digit < 0)
            return -1;
        bits = bits << 6 | (unsigned)digit;
        if (i % 4 > 0)
            out[n++] = (uint8_t)(bits >> (6 - i % 4 * 2));
    }
    if ((count % 4 == 2 && bits & 15) || (count % 4 == 3 && bits & 3))
        return -1;
    return (long)length;
}

long text_binary_decode(const char *value, size_t length, uint8_t *out, size_t room)
{
    if (has_prefix(value, length, 'x'))
        return hex_decode(value + 2, length - 2, out, room);
    if (has_prefix(value, length, 'b'))
        return base64_decode(value + 2, length - 2, out, room);
    return -1;
}

bool text_hex_encode(const uint8_t *data, size_t length, char *out, size_t room)
{
    static const char digits[] = "0123456789abcdef";

    if (room < 3 || length > (room - 3) / 2)
        return false;
    *out++ = '0';
    *out++ = 'x';
    for (size_t i = 0; i < length; i++) {
        *out++ = digits[data[i] >> 4];
        *out++ = digits[data[i] & 15];
    }
    *out = '\0';
    return true;
}

bool text_base64_encode(const uint8_t *data, size_t length, char *out, size_t room)
{
    if (room < 3 || length > (room - 3) / 4 * 3)
        return false;
    *out++ = '0';
    *out++ = 'b';
    for (size_t i = 0; i < length; i += 3) {
        size_t have = length - i < 3 ? length - i : 3;
        uint32_t bits = (uint32_t)data[i] << 16 | (have > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                        (have > 2 ? data[i + 2] : 0);

        *out++ = base64_digits[bits >> 18];
        *out++ = base64_digits[bits >> 12 & 63];
        *out++ = have > 1 ? base64_digits[bits >> 6 & 63] : '=';
        *out++ = have > 2 ? base64_digits[bits & 63] : '=';
    }
    *out = '\0';
    return true;
}
