#include "protocol/scsi_vpd.h"

enum { LUNS_HEAD = 8, PAGE_HEAD = 4, DESIGNATOR_HEAD = 4 };

/* --- REPORT LUNS --- */

uint32_t scsi_luns_length(const uint8_t *data, size_t length)
{
    uint32_t list = length >= LUNS_HEAD ? get_be32(data) : 0;
    if (length < LUNS_HEAD)
        return 0;
    return list < UINT32_MAX - LUNS_HEAD ? list + LUNS_HEAD : UINT32_MAX;
}

size_t scsi_luns_count(const uint8_t *data, size_t length)
{
    uint32_t whole = scsi_luns_length(data, length);
    size_t there = whole < length ? whole : length;
    return there < LUNS_HEAD ? 0 : (there - LUNS_HEAD) / 8;
}

uint64_t scsi_luns_at(const uint8_t *data, size_t index)
{
    return get_be64(data + LUNS_HEAD + index * 8);
}

/* --- vital product data --- */

/* The bytes of the page that are there, its header included; 0 when it is another page. A device
 * that does not know of pages answers with standard INQUIRY data. */
static size_t page_length(uint8_t code, const uint8_t *page, size_t length)
{
    if (length < PAGE_HEAD || page[1] != code)
        return 0;
    size_t whole = (size_t)get_be16(page + 2) + PAGE_HEAD;
    return whole < length ? whole : length;
}

static int rank_of(uint8_t type)
{
    switch (type) {
    case SCSI_DESIGNATOR_NAA:
        return 6;
    case SCSI_DESIGNATOR_EUI64:
        return 5;
    case SCSI_DESIGNATOR_UUID:
        return 4;
    case SCSI_DESIGNATOR_NAME:
        return 3;
    case SCSI_DESIGNATOR_T10:
        return 2;
    case SCSI_DESIGNATOR_VENDOR:
        return 1;
    default:
        return 0;
    }
}

bool scsi_vpd_designator(struct scsi_designator *out, const uint8_t *page, size_t length)
{
    int best = 0;
    size_t end = page_length(SCSI_VPD_IDENTIFICATION, page, length);
    *out = (struct scsi_designator){0};
    for (size_t at = PAGE_HEAD; at + DESIGNATOR_HEAD <= end;) {
        const uint8_t *head = page + at;
        size_t next = at + DESIGNATOR_HEAD + head[3];
        bool of_unit = (head[1] & 0x30) == 0; /* not of the port or of the target */
        int rank = of_unit && head[3] > 0 ? rank_of(head[1] & 0x0f) : 0;
        if (next > end)
            break;
        if (rank > best) {
            best = rank;
            *out = (struct scsi_designator){head[1] & 0x0f, head + DESIGNATOR_HEAD, head[3]};
        }
        at = next;
    }
    return best > 0;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\0';
}

bool scsi_vpd_serial(char *out, size_t room, const uint8_t *page, size_t length)
{
    size_t count = 0;
    size_t end = page_length(SCSI_VPD_SERIAL, page, length);
    size_t at = PAGE_HEAD;
    while (at < end && is_blank(page[at]))
        at++;
    while (end > at && is_blank(page[end - 1]))
        end--;
    for (; at < end && count + 1 < room; at++)
        out[count++] = page[at] >= 0x20 && page[at] < 0x7f ? (char)page[at] : '?';
    if (room > 0)
        out[count] = '\0';
    return count > 0;
}

/* --- block limits --- */

enum { LIMITS_SBC_2 = 16, LIMITS_UNMAP = 36, LIMITS_WRITE_SAME = 44 };

bool scsi_vpd_block_limits(struct scsi_block_limits *out, const uint8_t *page, size_t length)
{
    size_t whole = page_length(SCSI_VPD_BLOCK_LIMITS, page, length);
    *out = (struct scsi_block_limits){0};
    if (whole < LIMITS_SBC_2)
        return false;
    out->compare = page[5];
    out->transfer = get_be32(page + 8);
    out->optimal = get_be32(page + 12);
    if (whole >= LIMITS_UNMAP && get_be32(page + 24) > 0) { /* descriptors */
        out->unmap = get_be32(page + 20);
        out->unmap_granularity = get_be32(page + 28);
    }
    if (whole >= LIMITS_WRITE_SAME)
        out->write_same = get_be64(page + 36);
    return true;
}

/* --- logical block provisioning --- */

enum { PROVISIONING_LENGTH = 6, LBPWS = 0x40, LBPRZ = 0x04 };

bool scsi_vpd_zeroes_by_unmap(const uint8_t *page, size_t length)
{
    return page_length(SCSI_VPD_PROVISIONING, page, length) >= PROVISIONING_LENGTH &&
           (page[5] & LBPWS) != 0 && (page[5] & LBPRZ) != 0;
}
