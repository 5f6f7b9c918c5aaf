#include "devices/partitions.h"
#include "protocol/bytes.h"

#include <string.h>

enum {
    MBR_TABLE = 446,
    MBR_ENTRY = 16,
    MBR_ENTRIES = 4,
    MBR_SIGNATURE = 510,
    MBR_LENGTH = 512,
    TYPE_NONE = 0,
    TYPE_GPT = 0xee,
    FIRST_LOGICAL = 5,
    LINKS_MOST = 64,
    GPT_HEADER_LEAST = 92,
    GPT_ENTRY_LEAST = 128,
    GPT_ENTRIES_MOST = 4096,
};

/* --- numbers --- */

static uint64_t get_le64(const uint8_t *at)
{
    return get_le32(at) | (uint64_t)get_le32(at + 4) << 32;
}

uint32_t partitions_crc(uint32_t crc, const uint8_t *data, uint32_t length)
{
    crc = ~crc;
    for (uint32_t i = 0; i < length; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (UINT32_C(0xedb88320) & (0u - (crc & 1)));
    }
    return ~crc;
}

/* --- what is wanted --- */

static void finish(struct partitions *partitions)
{
    partitions->step = PARTITIONS_DONE;
    partitions->want = partitions->want_length = 0;
}

/* False: the disk has no such blocks, or they are too many. */
static bool want(struct partitions *partitions, enum partitions_step step, uint64_t block,
                 uint64_t length)
{
    uint64_t blocks = partitions->size / partitions->block;
    length = (length + partitions->block - 1) / partitions->block * partitions->block;
    if (length == 0 || length > PARTITIONS_WANT_MOST || block >= blocks ||
        length / partitions->block > blocks - block)
        return false;
    partitions->step = step;
    partitions->want = block * partitions->block;
    partitions->want_length = (uint32_t)length;
    return true;
}

/* In blocks. What reaches over the end of the disk is cut. */
static void add(struct partitions *partitions, unsigned number, uint64_t start, uint64_t count)
{
    uint64_t blocks = partitions->size / partitions->block;
    if (number == 0 || number > PARTITIONS_MOST || start == 0 || start >= blocks || count == 0)
        return;
    if (count > blocks - start)
        count = blocks - start;
    partitions->found[number - 1] =
        (struct partition){start * partitions->block, count * partitions->block};
}

/* --- MBR --- */

struct mbr_entry {
    uint8_t status;
    uint8_t type;
    uint32_t start;
    uint32_t count;
};

static struct mbr_entry mbr_entry(const uint8_t *data, unsigned index)
{
    const uint8_t *at = data + MBR_TABLE + MBR_ENTRY * index;
    return (struct mbr_entry){at[0], at[4], get_le32(at + 8), get_le32(at + 12)};
}

static bool is_extended(uint8_t type)
{
    return type == 0x05 || type == 0x0f || type == 0x85;
}

/* A boot sector of a file system has the same signature, and code where the table would be. */
static bool is_mbr(const uint8_t *data)
{
    if (data[MBR_SIGNATURE] != 0x55 || data[MBR_SIGNATURE + 1] != 0xaa)
        return false;
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        if ((mbr_entry(data, i).status & 0x7f) != 0)
            return false;
    }
    return true;
}

static void follow(struct partitions *partitions, uint64_t block)
{
    if (partitions->logical > PARTITIONS_MOST || ++partitions->links > LINKS_MOST ||
        !want(partitions, PARTITIONS_LOGICAL, block, MBR_LENGTH))
        finish(partitions);
}

static void take_mbr(struct partitions *partitions, const uint8_t *data)
{
    if (!is_mbr(data)) {
        finish(partitions);
        return;
    }
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        struct mbr_entry entry = mbr_entry(data, i);
        if (entry.type == TYPE_GPT) {
            memset(partitions->found, 0, sizeof partitions->found);
            if (!want(partitions, PARTITIONS_GPT_HEADER, 1, partitions->block))
                finish(partitions);
            return;
        }
        if (is_extended(entry.type) && partitions->extended == 0)
            partitions->extended = entry.start;
        else if (entry.type != TYPE_NONE && !is_extended(entry.type))
            add(partitions, i + 1, entry.start, entry.count);
    }
    if (partitions->extended != 0)
        follow(partitions, partitions->extended);
    else
        finish(partitions);
}

/* Each logical partition has a table of its own: itself, counted from there, and where the next one
 * is, counted from the begin of the extended partition. */
static void take_logical(struct partitions *partitions, const uint8_t *data)
{
    uint64_t here = partitions->want / partitions->block;
    uint64_t next = 0;
    if (!is_mbr(data)) {
        finish(partitions);
        return;
    }
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        struct mbr_entry entry = mbr_entry(data, i);
        if (is_extended(entry.type) && next == 0)
            next = partitions->extended + entry.start;
        else if (entry.type != TYPE_NONE && !is_extended(entry.type) && entry.count > 0)
            add(partitions, partitions->logical++, here + entry.start, entry.count);
    }
    if (next > here)
        follow(partitions, next);
    else
        finish(partitions);
}

/* --- GPT --- */

/* The other header, if that was the first one. */
static void take_backup(struct partitions *partitions)
{
    bool tried = partitions->backup;
    partitions->backup = true;
    if (tried || !want(partitions, PARTITIONS_GPT_HEADER, partitions->size / partitions->block - 1,
                       partitions->block))
        finish(partitions);
}

static bool is_gpt_header(const struct partitions *partitions, const uint8_t *data)
{
    static const uint8_t zeros[4];
    uint32_t length = get_le32(data + 12);
    if (memcmp(data, "EFI PART", 8) != 0 || length < GPT_HEADER_LEAST || length > partitions->block)
        return false;
    uint32_t crc = partitions_crc(0, data, 16);
    crc = partitions_crc(crc, zeros, sizeof zeros); /* in place of itself */
    crc = partitions_crc(crc, data + 20, length - 20);
    return crc == get_le32(data + 16) &&
           get_le64(data + 24) == partitions->want / partitions->block;
}

static void take_header(struct partitions *partitions, const uint8_t *data)
{
    partitions->entry_count = get_le32(data + 80);
    partitions->entry_size = get_le32(data + 84);
    partitions->entries_crc = get_le32(data + 88);
    bool good = is_gpt_header(partitions, data) && partitions->entry_size >= GPT_ENTRY_LEAST &&
                partitions->entry_size % 8 == 0 && partitions->entry_count <= GPT_ENTRIES_MOST;
    uint64_t length = (uint64_t)partitions->entry_count * partitions->entry_size;
    if (!good || !want(partitions, PARTITIONS_GPT_ENTRIES, get_le64(data + 72), length))
        take_backup(partitions);
}

static bool is_used(const uint8_t *entry)
{
    static const uint8_t none[16];
    return memcmp(entry, none, sizeof none) != 0;
}

static void take_entries(struct partitions *partitions, const uint8_t *data)
{
    uint32_t length = partitions->entry_count * partitions->entry_size;
    if (partitions_crc(0, data, length) != partitions->entries_crc) {
        take_backup(partitions);
        return;
    }
    for (uint32_t i = 0; i < partitions->entry_count && i < PARTITIONS_MOST; i++) {
        const uint8_t *entry = data + (size_t)i * partitions->entry_size;
        uint64_t first = get_le64(entry + 32), last = get_le64(entry + 40);
        if (is_used(entry) && last >= first && last - first < UINT64_MAX)
            add(partitions, i + 1, first, last - first + 1);
    }
    finish(partitions);
}

/* --- the whole --- */

void partitions_begin(struct partitions *partitions, uint64_t size, uint32_t block)
{
    *partitions = (struct partitions){.size = size, .block = block, .logical = FIRST_LOGICAL};
    if (block < MBR_LENGTH || !want(partitions, PARTITIONS_MBR, 0, MBR_LENGTH))
        finish(partitions);
}

void partitions_give(struct partitions *partitions, const uint8_t *data)
{
    switch (partitions->step) {
    case PARTITIONS_MBR:
        take_mbr(partitions, data);
        break;
    case PARTITIONS_LOGICAL:
        take_logical(partitions, data);
        break;
    case PARTITIONS_GPT_HEADER:
        take_header(partitions, data);
        break;
    case PARTITIONS_GPT_ENTRIES:
        take_entries(partitions, data);
        break;
    case PARTITIONS_DONE:
        break;
    }
}
