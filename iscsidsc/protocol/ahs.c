#include "protocol/pdu.h"

#include <string.h>

/* AHSLength, two bytes, and AHSType, one byte. AHSLength counts what follows, without padding. */
#define AHS_HEAD 3u

int ahs_next(const uint8_t *area, size_t length, size_t *offset, struct ahs *out)
{
    const uint8_t *segment;
    size_t left, size;

    if (*offset >= length)
        return *offset == length ? 0 : -1;
    segment = area + *offset;
    left = length - *offset;
    if (left < AHS_HEAD)
        return -1;
    out->length = get_be16(segment);
    out->type = segment[2] & 0x3f;
    out->data = segment + AHS_HEAD;
    size = AHS_HEAD + out->length;
    size += padding_of((uint32_t)size);
    if (size > left)
        return -1;
    *offset += size;
    return 1;
}

size_t ahs_append(uint8_t *area, size_t room, size_t length, uint8_t type, const void *data,
                  uint16_t data_length)
{
    size_t size = AHS_HEAD + data_length;
    uint8_t *segment;

    size += padding_of((uint32_t)size);
    if (length > room || size > room - length || length + size > PDU_AHS_MAX)
        return 0;
    segment = area + length;
    memset(segment, 0, size);
    put_be16(segment, data_length);
    segment[2] = type;
    if (data_length > 0)
        memcpy(segment + AHS_HEAD, data, data_length);
    return length + size;
}
