/* key=value text of login and text PDUs (RFC 7143, 6.1): pairs, each ended by a NUL. */
#ifndef PROTOCOL_TEXT_H
#define PROTOCOL_TEXT_H

#include "protocol/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_KEY_MAX 63u
#define TEXT_VALUE_MAX                                                                             \
    8192u /* RFC 7143, 6.1: 255 unless a key says otherwise; CHAP and vendor keys are longer */

/* One pair, borrowed from the text. Neither side is NUL-terminated by these lengths alone, but
 * `value` is always followed by a NUL in the text. */
struct text_pair {
    const char *key;
    size_t key_length;
    const char *value;
    size_t value_length;
};

/*
 * Next pair from `*offset` on. Returns 1 and a pair, 0 at the end, -1 when the text is not valid:
 * no '=', an empty or overlong key, a character a key may not have, a control character in a
 * value, a value beyond TEXT_VALUE_MAX, a missing NUL at the end. Empty strings between pairs
 * (extra NULs) are skipped.
 */
int text_next(const char *text, size_t length, size_t *offset, struct text_pair *pair);

bool text_key_is(const struct text_pair *pair, const char *key);

/* Appends "key=value\0". `*length` grows; false when `room` is too small (nothing changed). */
bool text_append(char *text, size_t room, size_t *length, const char *key, const char *value);
bool text_append_number(char *text, size_t room, size_t *length, const char *key, uint64_t value);

/* A regular number: decimal or 0x hex, at most 64 bits (RFC 7143, 6.1). */
bool text_number(const char *value, size_t length, uint64_t *out);

/* "Yes" or "No", exactly. */
bool text_boolean(const char *value, size_t length, bool *out);

/* Comma-separated list: is `item` in it? Which item is at `index` (false past the end)? */
bool text_list_has(const char *value, size_t length, const char *item);
bool text_list_item(const char *value, size_t length, size_t index, const char **item,
                    size_t *item_length);

/*
 * Binary values (RFC 7143, 6.1): "0x" or "0X" hex (an odd count of digits means a leading zero
 * digit) or "0b"/"0B" base64. Returns the byte count or -1 for bad text or one longer than `room`.
 */
long text_binary_decode(const char *value, size_t length, uint8_t *out, size_t room);
/* Writes "0x..." and a NUL; false when `room` is too small. */
bool text_hex_encode(const uint8_t *data, size_t length, char *out, size_t room);
/* Writes "0b..." and a NUL. */
bool text_base64_encode(const uint8_t *data, size_t length, char *out, size_t room);

#endif
