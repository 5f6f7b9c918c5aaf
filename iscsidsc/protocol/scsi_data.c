/* What a device answers: sense, INQUIRY and capacity. */
#include "protocol/scsi.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* SPC-4, 4.5.3 */
static void decode_fixed(struct scsi_sense *sense, const uint8_t *data, size_t length)
{
    if (length < 3)
        return;
    sense->valid = true;
    sense->key = data[2] & 0x0f;
    if (data[0] & 0x80 && length >= 7) {
        sense->information_valid = true;
        sense->information = get_be32(data + 3);
    }
    if (length < 8)
        return;
    length = least(length, 8u + data[7]);
    if (length > 12)
        sense->asc = SCSI_ASC(data[12], length > 13 ? data[13] : 0);
}

/* SPC-4, 4.5.2 */
static void decode_descriptors(struct scsi_sense *sense, const uint8_t *data, size_t length)
{
    if (length < 2)
        return;
    sense->valid = true;
    sense->key = data[1] & 0x0f;
    if (length >= 3)
        sense->asc = SCSI_ASC(data[2], length > 3 ? data[3] : 0);
    if (length < 8)
        return;
    length = least(length, 8u + data[7]);
    for (size_t at = 8; at + 2 <= length; at += 2u + data[at + 1]) {
        bool information = data[at] == 0 && data[at + 1] == 0x0a && at + 12 <= length;

        if (information && data[at + 2] & 0x80) {
            sense->information_valid = true;
            sense->information = get_be64(data + at + 4);
        }
    }
}

void scsi_sense_decode(struct scsi_sense *sense, const uint8_t *data, size_t length)
{
    uint8_t response = length > 0 ? data[0] & 0x7f : 0;

    memset(sense, 0, sizeof *sense);
    sense->deferred = response == 0x71 || response == 0x73;
    if (response == 0x70 || response == 0x71)
        decode_fixed(sense, data, length);
    else if (response == 0x72 || response == 0x73)
        decode_descriptors(sense, data, length);
}

void scsi_sense_encode(uint8_t out[18], uint8_t key, uint16_t asc)
{
    memset(out, 0, 18);
    out[0] = 0x70;
    out[2] = key & 0x0f;
    out[7] = 10;
    put_be16(out + 12, asc);
}

const char *scsi_sense_key_name(uint8_t key)
{
    static const char *const names[16] = {
        "no sense",       "recovered error", "not ready",      "medium error",
        "hardware error", "illegal request", "unit attention", "data protect",
        "blank check",    "vendor specific", "copy aborted",   "aborted command",
        "reserved",       "volume overflow", "miscompare",     "completed",
    };

    return names[key & 0x0f];
}

/* ASCII of `width` bytes at `offset`, as far as it is there. */
static void copy_text(char *out, const uint8_t *data, size_t length, size_t offset, size_t width)
{
    size_t end = 0;

    for (size_t i = 0; i < width && offset + i < length; i++) {
        uint8_t c = data[offset + i];

        if (c == '\0')
            c = ' '; /* some targets pad with it */
        out[i] = c >= 0x20 && c < 0x7f ? (char)c : '?';
        if (out[i] != ' ')
            end = i + 1;
    }
    out[end] = '\0';
}

bool scsi_inquiry_decode(struct scsi_inquiry_data *out, const uint8_t *data, size_t length)
{
    memset(out, 0, sizeof *out);
    if (length < 5)
        return false;
    length = least(length, 5u + data[4]);
    out->peripheral_qualifier = data[0] >> 5;
    out->device_type = data[0] & 0x1f;
    out->removable = (data[1] & 0x80) != 0;
    out->version = data[2];
    copy_text(out->vendor, data, length, 8, 8);
    copy_text(out->product, data, length, 16, 16);
    copy_text(out->revision, data, length, 32, 4);
    return true;
}

bool scsi_capacity_10_decode(struct scsi_capacity *out, const uint8_t *data, size_t length)
{
    memset(out, 0, sizeof *out);
    if (length < 8)
        return false;
    out->too_large = get_be32(data) == UINT32_MAX;
    out->blocks = out->too_large ? 0 : (uint64_t)get_be32(data) + 1;
    out->block_length = get_be32(data + 4);
    return out->block_length > 0;
}

bool scsi_capacity_16_decode(struct scsi_capacity *out, const uint8_t *data, size_t length)
{
    memset(out, 0, sizeof *out);
    if (length < 12)
        return false;
    out->blocks = get_be64(data) + 1;
    out->block_length = get_be32(data + 8);
    out->thin = length > 14 && data[14] & 0x80;
    return out->blocks > 0 && out->block_length > 0;
}

enum { MODE_HEADER = 4, MODE_WRITE_PROTECTED = 0x80, MODE_FORCE_UNIT_ACCESS = 0x10 };

bool scsi_mode_decode(struct scsi_mode *out, const uint8_t *data, size_t length)
{
    *out = (struct scsi_mode){0};
    if (length < MODE_HEADER || data[0] < MODE_HEADER - 1)
        return false;
    out->write_protected = (data[2] & MODE_WRITE_PROTECTED) != 0;
    out->force_unit_access = (data[2] & MODE_FORCE_UNIT_ACCESS) != 0;
    return true;
}
