/* EXTENDED COPY (LID1) between the units of a target, and RECEIVE COPY RESULTS (SPC-4, 6.4, 6.18):
 * blocks are copied before the answer, so that no copy is ever under way. */
#include "protocol/scsi.h"

#include "target/internal.h"

enum {
    LIST_HEADER = 16,
    CSCD_LENGTH = 32, /* copy source or copy destination */
    CSCD_IDENTIFICATION = 0xe4,
    CSCD_MOST = 4,
    SEGMENT_LENGTH = 28,
    SEGMENT_BLOCKS = 0x02, /* from block device to block device */
    SEGMENTS_MOST = 4,
    LIST_MOST = CSCD_MOST * CSCD_LENGTH + SEGMENTS_MOST * SEGMENT_LENGTH,
    LIST_ID_UNUSED = 0x18,
};

#define TOO_MANY_TARGETS     SCSI_ASC(0x26, 0x06)
#define UNKNOWN_TARGET_TYPE  SCSI_ASC(0x26, 0x07)
#define TOO_MANY_SEGMENTS    SCSI_ASC(0x26, 0x08)
#define UNKNOWN_SEGMENT_TYPE SCSI_ASC(0x26, 0x09)
#define INLINE_DATA_EXCEEDED SCSI_ASC(0x26, 0x0b)
#define NOT_REACHABLE        SCSI_ASC(0x0d, 0x02)
#define WRONG_DEVICE_TYPE    SCSI_ASC(0x0d, 0x03)
#define DEVICE_FAILURE       SCSI_ASC(0x0d, 0x01)
#define NOTHING_FURTHER      SCSI_ASC(0x00, 0x00)

uint64_t target_takes_copy(const struct target_disk *disk, const uint8_t *cdb)
{
    (void)disk;
    return get_be32(cdb + 10);
}

static bool refuse(struct target_scsi *scsi, uint16_t asc)
{
    target_scsi_illegal(scsi, asc);
    return false;
}

static bool abort_copy(struct target_scsi *scsi, uint16_t asc)
{
    target_scsi_fail(scsi, SCSI_COPY_ABORTED, asc);
    return false;
}

/* --- the parameter list --- */

struct copy_list {
    const uint8_t *targets;
    const uint8_t *segments;
    unsigned target_count;
    unsigned segment_count;
};

static bool check_targets(struct target_scsi *scsi, const struct copy_list *list)
{
    for (unsigned i = 0; i < list->target_count; i++) {
        const uint8_t *target = list->targets + i * CSCD_LENGTH;

        if (target[0] != CSCD_IDENTIFICATION)
            return refuse(scsi, UNKNOWN_TARGET_TYPE);
    }
    return true;
}

static bool check_segments(struct target_scsi *scsi, const uint8_t *data, size_t length)
{
    size_t count = 0;

    for (size_t at = 0; at < length; at += SEGMENT_LENGTH, count++) {
        if (data[at] != SEGMENT_BLOCKS)
            return refuse(scsi, UNKNOWN_SEGMENT_TYPE);
        if (length - at < SEGMENT_LENGTH || get_be16(data + at + 2) != SEGMENT_LENGTH - 4)
            return refuse(scsi, SCSI_ASC_INVALID_PARAMETER);
    }
    return count <= SEGMENTS_MOST || refuse(scsi, TOO_MANY_SEGMENTS);
}

static bool read_list(struct target_scsi *scsi, struct copy_list *list)
{
    const uint8_t *data = scsi->data_out;
    uint32_t length = scsi->data_out_length;
    uint32_t targets, segments;

    if (length < LIST_HEADER)
        return refuse(scsi, SCSI_ASC_PARAMETER_LENGTH);
    targets = get_be16(data + 2);
    segments = get_be32(data + 8);
    if (segments > LIST_MOST || targets + segments > LIST_MOST ||
        targets + segments > length - LIST_HEADER)
        return refuse(scsi, SCSI_ASC_PARAMETER_LENGTH);
    if (get_be32(data + 12) != 0)
        return refuse(scsi, INLINE_DATA_EXCEEDED);
    if (targets % CSCD_LENGTH != 0)
        return refuse(scsi, SCSI_ASC_INVALID_PARAMETER);
    list->targets = data + LIST_HEADER;
    list->target_count = targets / CSCD_LENGTH;
    list->segments = list->targets + targets;
    list->segment_count = segments / SEGMENT_LENGTH;
    if (list->target_count > CSCD_MOST)
        return refuse(scsi, TOO_MANY_TARGETS);
    return check_targets(scsi, list) && check_segments(scsi, list->segments, segments);
}

/* --- copying --- */

/* The unit of this target with that name of kind NAA (the only one of ours that is short enough).
 */
static struct target_disk *find_unit(const struct target *target, const uint8_t *designator)
{
    if ((designator[0] & 0x0f) != 1 || (designator[1] & 0x3f) != 3 || designator[3] != 8)
        return NULL;
    for (uint32_t lun = 0; lun < target->disk_room; lun++) {
        if (target->disks[lun] != NULL && get_be64(designator + 4) == target_unit_naa(target, lun))
            return target->disks[lun];
    }
    return NULL;
}

/* NULL: the copy is aborted. */
static struct target_disk *unit_at(struct target_scsi *scsi, const struct copy_list *list,
                                   uint16_t index, unsigned flags)
{
    const uint8_t *target = list->targets + index * CSCD_LENGTH;
    struct target_disk *disk = NULL;
    uint16_t asc = NOT_REACHABLE;

    if (index < list->target_count && (target[1] & 0x20) == 0) /* NUL */
        disk = find_unit(scsi->target, target + 4);
    if (disk != NULL && ((target[1] & 0x1f) != 0 || (get_be24(target + 29) != 0 &&
                                                     get_be24(target + 29) != disk->block_length)))
        asc = WRONG_DEVICE_TYPE;
    else if (disk != NULL && !disk->ejected && !target_reserved_against(disk, scsi->session, flags))
        return disk;
    abort_copy(scsi, asc);
    return NULL;
}

static bool move_blocks(struct target_scsi *scsi, struct target_disk *from, uint64_t from_lba,
                        struct target_disk *to, const struct target_blocks *blocks)
{
    size_t length = (size_t)target_blocks_bytes(to, blocks);
    uint8_t *data = os_grow(NULL, length);

    if (data == NULL) {
        scsi->status = SCSI_BUSY;
        return false;
    }
    /* Read as a whole first: source and destination may overlap. */
    if (!target_disk_read(from, from_lba * from->block_length, data, length))
        abort_copy(scsi, DEVICE_FAILURE);
    else
        target_blocks_put(scsi, to, blocks, data, length);
    os_free(data);
    return scsi->status == SCSI_GOOD;
}

static bool copy_segment(struct target_scsi *scsi, const struct copy_list *list,
                         const uint8_t *segment)
{
    struct target_blocks source = {.lba = get_be64(segment + 12), .count = get_be16(segment + 10)};
    struct target_blocks destination = {.lba = get_be64(segment + 20), .count = source.count};
    struct target_disk *from = unit_at(scsi, list, get_be16(segment + 4), COMMAND_READS);
    struct target_disk *to =
        from != NULL ? unit_at(scsi, list, get_be16(segment + 6), COMMAND_WRITES) : NULL;

    if (to == NULL)
        return false;
    if (from->block_length != to->block_length)
        return abort_copy(scsi, WRONG_DEVICE_TYPE);
    if (source.count == 0)
        return true;
    if (!target_blocks_fit(from, &source) || !target_blocks_fit(to, &destination) ||
        target_blocks_bytes(from, &source) > TARGET_TRANSFER_MAX)
        return abort_copy(scsi, NOTHING_FURTHER);
    if (to->read_only || to->write_protect)
        return abort_copy(scsi, NOTHING_FURTHER);
    return move_blocks(scsi, from, source.lba, to, &destination);
}

/* What RECEIVE COPY RESULTS tells of it. */
static void note(struct target_scsi *scsi, uint16_t segments)
{
    struct target_copy *copy = &scsi->session->copy;

    copy->known = (scsi->data_out[1] & LIST_ID_UNUSED) != LIST_ID_UNUSED;
    copy->list = scsi->data_out[0];
    copy->lun = scsi->lun;
    copy->failed = scsi->status != SCSI_GOOD;
    copy->segments = segments;
}

void target_scsi_extended_copy(struct target_scsi *scsi, struct target_disk *disk)
{
    struct copy_list list;
    uint16_t done = 0;

    (void)disk;
    if (get_be32(scsi->cdb + 10) == 0)
        return;
    if (!target_scsi_has(scsi, get_be32(scsi->cdb + 10)) || !read_list(scsi, &list))
        return;
    while (done < list.segment_count &&
           copy_segment(scsi, &list, list.segments + done * SEGMENT_LENGTH))
        done++;
    note(scsi, done);
}

/* --- RECEIVE COPY RESULTS --- */

void target_scsi_copy_status(struct target_scsi *scsi, struct target_disk *disk)
{
    const struct target_copy *copy = &scsi->session->copy;
    uint8_t data[12] = {0};

    (void)disk;
    if (!copy->known || copy->list != scsi->cdb[2] || copy->lun != scsi->lun) {
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    put_be32(data, sizeof data - 4);
    data[4] = copy->failed ? 2 : 1;
    put_be16(data + 5, copy->segments);
    data[7] = 0xf1; /* the transfer count is in blocks; it is not told */
    target_scsi_answer(scsi, data, sizeof data, get_be32(scsi->cdb + 10));
}

void target_scsi_copy_parameters(struct target_scsi *scsi, struct target_disk *disk)
{
    uint8_t data[46] = {0};

    put_be32(data, sizeof data - 4);
    put_be16(data + 8, CSCD_MOST);
    put_be16(data + 10, SEGMENTS_MOST);
    put_be32(data + 12, LIST_MOST);
    put_be32(data + 16, TARGET_TRANSFER_MAX);
    put_be16(data + 34, 1); /* copies at a time */
    data[36] = 1;
    for (uint32_t unit = disk->block_length; unit > 1; unit >>= 1)
        data[37]++; /* granularity, as a power of two */
    data[43] = 2;
    data[44] = SEGMENT_BLOCKS;
    data[45] = CSCD_IDENTIFICATION;
    target_scsi_answer(scsi, data, sizeof data, get_be32(scsi->cdb + 10));
}

/* --- the page of vital product data (SPC-4, 7.8.17) --- */

/* The commands, then what they take, then the kinds of descriptors, then how much. */
size_t target_copy_page(const struct target_disk *disk, uint8_t *page)
{
    static const uint8_t commands[] = {0,
                                       1,
                                       0,
                                       8,
                                       7,
                                       SCSI_EXTENDED_COPY,
                                       1,
                                       0,
                                       SCSI_RECEIVE_COPY_RESULTS,
                                       2,
                                       SCSI_COPY_STATUS,
                                       SCSI_COPY_PARAMETERS};
    uint8_t *at = page + 4;

    memcpy(at, commands, sizeof commands);
    at += sizeof commands;
    put_be16(at, 0x0004);
    put_be16(at + 2, 28);
    put_be16(at + 8, CSCD_MOST);
    put_be16(at + 10, SEGMENTS_MOST);
    put_be32(at + 12, LIST_MOST);
    at += 32;
    put_be16(at, 0x0008);
    put_be16(at + 2, 4);
    at[4] = 2;
    at[5] = SEGMENT_BLOCKS;
    at[6] = CSCD_IDENTIFICATION;
    at += 8;
    put_be16(at, 0x8001);
    put_be16(at + 2, 32);
    put_be32(at + 4, 1); /* copies at a time */
    put_be32(at + 8, 1);
    put_be32(at + 12, TARGET_TRANSFER_MAX);
    for (uint32_t unit = disk->block_length; unit > 1; unit >>= 1)
        at[16]++;
    return (size_t)(at + 36 - page);
}
