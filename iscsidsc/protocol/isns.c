#include "protocol/isns.h"
#include "protocol/bytes.h"

#include <string.h>

/* --- PDUs --- */

/* What carries another version number may still be iSNSP; what carries no known function is not. */
static bool function_known(unsigned function)
{
    function &= ~(unsigned)ISNS_RESPONSE;
    return function >= ISNS_DEV_ATTR_REG && function <= ISNS_HEARTBEAT;
}

enum status isns_decode_header(const uint8_t bytes[ISNS_HEADER_LENGTH], struct isns_header *out)
{
    *out = (struct isns_header){
        .function = get_be16(bytes + 2),
        .length = get_be16(bytes + 4),
        .flags = get_be16(bytes + 6),
        .transaction = get_be16(bytes + 8),
        .sequence = get_be16(bytes + 10),
    };
    if (!function_known(out->function))
        return STATUS_PROTOCOL_ERROR;
    if (get_be16(bytes) != ISNS_VERSION)
        return STATUS_ISNS_VERSION;
    if (out->length % 4 != 0 || (out->flags & ISNS_AUTHENTICATION) != 0)
        return STATUS_PROTOCOL_ERROR;
    return STATUS_OK;
}

/* RFC 4171, 5.1.6 and 5.3: the PDUs of a message are numbered one after the other. */
static bool follows(const struct isns_fragments *fragments, const struct isns_header *header)
{
    bool first = (header->flags & ISNS_FIRST_PDU) != 0;
    const struct isns_header *last = &fragments->last;
    if (!fragments->open)
        return first;
    return !first && header->function == last->function &&
           header->transaction == last->transaction &&
           header->sequence == (uint16_t)(last->sequence + 1);
}

enum status isns_take_header(struct isns_fragments *fragments, const struct isns_header *header,
                             size_t most, bool *complete)
{
    *complete = false;
    if (!follows(fragments, header))
        return STATUS_PROTOCOL_ERROR;
    if (!fragments->open)
        fragments->length = 0;
    if (header->length > most || fragments->length > most - header->length)
        return STATUS_PROTOCOL_ERROR;
    *complete = (header->flags & ISNS_LAST_PDU) != 0;
    /* An endless row of empty PDUs would never reach the limit. */
    if (!*complete && header->length == 0)
        return STATUS_PROTOCOL_ERROR;
    fragments->length += header->length;
    fragments->last = *header;
    fragments->open = !*complete;
    return STATUS_OK;
}

/* --- writing --- */

/* NULL when there is no more room. */
static uint8_t *take(struct isns_writer *writer, size_t length)
{
    if (writer->overflow || length > writer->room - writer->length) {
        writer->overflow = true;
        return NULL;
    }
    uint8_t *place = writer->bytes + writer->length;
    writer->length += length;
    return place;
}

void isns_begin(struct isns_writer *writer, uint8_t *bytes, size_t room, unsigned function,
                unsigned flags, uint16_t transaction)
{
    *writer = (struct isns_writer){.bytes = bytes, .room = room};
    uint8_t *header = take(writer, ISNS_HEADER_LENGTH);
    if (header == NULL)
        return;
    put_be16(header, ISNS_VERSION);
    put_be16(header + 2, (uint16_t)function);
    put_be16(header + 4, 0);
    put_be16(header + 6, (uint16_t)(flags | ISNS_FIRST_PDU | ISNS_LAST_PDU));
    put_be16(header + 8, transaction);
    put_be16(header + 10, 0);
}

void isns_put_error(struct isns_writer *writer, enum isns_error error)
{
    uint8_t *place = take(writer, 4);
    if (place != NULL)
        put_be32(place, error);
}

/* The length counts the padding (RFC 4171, 5.1.8). Where to put the value; NULL: no room. */
static uint8_t *put_attribute(struct isns_writer *writer, enum isns_tag tag, size_t length)
{
    if (length > ISNS_PAYLOAD_MOST) {
        writer->overflow = true;
        return NULL;
    }
    size_t padded = length + padding_of((uint32_t)length);
    uint8_t *place = take(writer, 8 + padded);
    if (place == NULL)
        return NULL;
    put_be32(place, tag);
    put_be32(place + 4, (uint32_t)padded);
    memset(place + 8, 0, padded);
    return place + 8;
}

void isns_put_empty(struct isns_writer *writer, enum isns_tag tag)
{
    put_attribute(writer, tag, 0);
}

void isns_put_number(struct isns_writer *writer, enum isns_tag tag, uint32_t number)
{
    uint8_t *value = put_attribute(writer, tag, 4);
    if (value != NULL)
        put_be32(value, number);
}

void isns_put_bytes(struct isns_writer *writer, enum isns_tag tag, const uint8_t *bytes,
                    size_t length)
{
    uint8_t *value = put_attribute(writer, tag, length);
    if (value != NULL && length > 0)
        memcpy(value, bytes, length);
}

void isns_put_text(struct isns_writer *writer, enum isns_tag tag, const char *text)
{
    isns_put_bytes(writer, tag, (const uint8_t *)text, strlen(text) + 1);
}

void isns_put_attributes(struct isns_writer *writer, const uint8_t *attributes, size_t length)
{
    uint8_t *place = take(writer, length);
    if (place != NULL && length > 0)
        memcpy(place, attributes, length);
}

size_t isns_end(struct isns_writer *writer)
{
    if (writer->overflow || writer->length - ISNS_HEADER_LENGTH > ISNS_PAYLOAD_MOST)
        return 0;
    put_be16(writer->bytes + 4, (uint16_t)(writer->length - ISNS_HEADER_LENGTH));
    return writer->length;
}

/* --- reading --- */

bool isns_next(struct isns_cursor *cursor, struct isns_attribute *out)
{
    *out = (struct isns_attribute){0};
    if (cursor->left == 0 || cursor->malformed)
        return false;
    if (cursor->left >= 8) {
        out->tag = get_be32(cursor->bytes);
        out->length = get_be32(cursor->bytes + 4);
        out->value = cursor->bytes + 8;
    }
    if (cursor->left < 8 || out->length > cursor->left - 8 || out->length % 4 != 0) {
        cursor->malformed = true;
        return false;
    }
    cursor->bytes += 8 + out->length;
    cursor->left -= 8 + out->length;
    return true;
}

bool isns_number(const struct isns_attribute *attribute, uint32_t *out)
{
    if (attribute->length != 4)
        return false;
    *out = get_be32(attribute->value);
    return true;
}

bool isns_text(const struct isns_attribute *attribute, char *out, size_t room)
{
    size_t length = 0;
    while (length < attribute->length && attribute->value[length] != '\0')
        length++;
    if (length >= room)
        return false;
    memcpy(out, attribute->value, length);
    out[length] = '\0';
    return true;
}
