/* An io as commands: one after the other, each as large as the unit and the settings allow. */
#include "engine/io_internal.h"

#include <string.h>

enum {
    COMMAND_MOST = 16 << 20, /* bytes of data of a caller's command */
    ZEROES_MOST = 32 << 20,  /* bytes that a target writes in one go without losing its breath */
    LONGEST_BLOCK = 64 << 10,
};

static uint8_t zeroes[LONGEST_BLOCK]; /* never written to */

/* --- checks --- */

static uint64_t data_length(const struct io *io)
{
    uint64_t length = 0;
    for (size_t i = 0; i < io->piece_count; i++)
        length += io->pieces[i].length;
    return length;
}

static enum status check_command(const struct io *io)
{
    uint8_t length = io->cdb.length;
    if (length != 6 && length != 10 && length != 12 && length != 16)
        return STATUS_INVALID_PARAMETER;
    if ((io->in_length > 0 && io->out_length > 0) || io->in_length > COMMAND_MOST ||
        io->out_length > COMMAND_MOST || data_length(io) < (uint64_t)io->in_length + io->out_length)
        return STATUS_INVALID_PARAMETER;
    return STATUS_OK;
}

static bool changes(enum io_kind kind)
{
    return kind == IO_WRITE || kind == IO_DISCARD || kind == IO_WRITE_ZEROES ||
           kind == IO_COMPARE_AND_WRITE;
}

static enum status check_blocks(const struct io *io)
{
    const struct scsi_capacity *capacity = &io->volume->facts.capacity;
    bool has_data = io->kind == IO_READ || io->kind == IO_WRITE || io->kind == IO_COMPARE_AND_WRITE;
    uint64_t of_block = capacity->block_length * (io->kind == IO_COMPARE_AND_WRITE ? 2u : 1u);
    if (io->blocks == 0)
        return STATUS_INVALID_PARAMETER;
    if (io->lba >= capacity->blocks || io->blocks > capacity->blocks - io->lba)
        return STATUS_OUT_OF_RANGE;
    if (has_data && (io->blocks > UINT64_MAX / of_block || data_length(io) < io->blocks * of_block))
        return STATUS_INVALID_PARAMETER;
    return STATUS_OK;
}

/* Can the unit do it, in one go where it must be one? */
static enum status check_ability(const struct io *io)
{
    const struct unit_facts *facts = &io->volume->facts;
    if (facts->mode.write_protected && changes(io->kind))
        return STATUS_WRITE_PROTECTED;
    if (io->kind == IO_DISCARD && facts->limits.unmap == 0)
        return STATUS_NOT_SUPPORTED;
    if (io->kind == IO_COMPARE_AND_WRITE && io->blocks > facts->limits.compare)
        return STATUS_NOT_SUPPORTED;
    if (io->kind == IO_WRITE_ZEROES && facts->capacity.block_length > LONGEST_BLOCK)
        return STATUS_NOT_SUPPORTED;
    return STATUS_OK;
}

enum status io_check(const struct io *io)
{
    bool forces = io->kind == IO_WRITE || io->kind == IO_COMPARE_AND_WRITE;
    if ((io->force_unit_access && !forces) ||
        (io->repeatable && io->kind == IO_COMPARE_AND_WRITE) ||
        (io->may_unmap && io->kind != IO_WRITE_ZEROES))
        return STATUS_INVALID_PARAMETER;
    if (io->kind == IO_COMMAND)
        return check_command(io);
    if (io->volume == NULL || io->kind > IO_COMPARE_AND_WRITE)
        return STATUS_INVALID_PARAMETER;
    if (io->kind == IO_FLUSH)
        return STATUS_OK;
    enum status status = check_blocks(io);
    return status == STATUS_OK ? check_ability(io) : status;
}

/* --- how much goes into one command --- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most_data(const struct io *io, const struct unit_facts *facts)
{
    uint64_t most =
        io->volume->engine->parameters.max_transfer_length / facts->capacity.block_length;
    if (facts->limits.transfer > 0)
        most = least(most, facts->limits.transfer);
    return most > 0 ? most : 1;
}

static uint64_t most_zeroes(const struct unit_facts *facts)
{
    uint64_t most = ZEROES_MOST / facts->capacity.block_length;
    return facts->limits.write_same > 0 ? least(most, facts->limits.write_same) : most;
}

static uint64_t part_most(const struct io *io, const struct unit_facts *facts)
{
    switch (io->kind) {
    case IO_READ:
    case IO_WRITE:
        return most_data(io, facts);
    case IO_DISCARD:
        /* Another path told of a limit: this one may refuse, but there is an end. */
        return facts->limits.unmap > 0 ? facts->limits.unmap : UINT32_MAX;
    case IO_WRITE_ZEROES:
        return most_zeroes(facts);
    default:
        return UINT64_MAX;
    }
}

/* --- data --- */

/* The pieces from `skip` bytes on: the first of them is cut for as long as the part is under way.
 */
static size_t cut_pieces(struct io *io, uint64_t skip)
{
    size_t i = 0;
    while (i < io->piece_count && skip >= io->pieces[i].length && skip > 0)
        skip -= io->pieces[i++].length;
    if (skip == 0)
        return i;
    io->cut = &io->pieces[i];
    io->whole = *io->cut;
    io->cut->base = (uint8_t *)io->cut->base + skip;
    io->cut->length -= (size_t)skip;
    return i;
}

static void set_in(struct io *io, size_t first, uint32_t length)
{
    io->task.data_in = io->pieces + first;
    io->task.data_in_count = io->piece_count - first;
    io->task.data_in_length = length;
}

static void set_out(struct io *io, const struct iov *pieces, size_t count, uint32_t length)
{
    io->task.data_out = pieces;
    io->task.data_out_count = count;
    io->task.data_out_length = length;
}

static void set_own(struct io *io, void *data, uint32_t length)
{
    io->own = (struct iov){data, length};
    set_out(io, &io->own, 1, length);
}

static void command_part(struct io *io)
{
    io->task.cdb = io->cdb;
    if (io->in_length > 0)
        set_in(io, 0, io->in_length);
    if (io->out_length > 0)
        set_out(io, io->pieces, io->piece_count, io->out_length);
}

/* --- parts --- */

/* Is the command to have FUA? Where it should and cannot, a flush follows. */
static bool forced(struct io *io, const struct unit_facts *facts)
{
    io->unforced |= io->force_unit_access && !facts->mode.force_unit_access;
    return io->force_unit_access && facts->mode.force_unit_access;
}

static void data_part(struct io *io, const struct unit_facts *facts)
{
    uint64_t lba = io->lba + io->finished;
    uint32_t block_length = facts->capacity.block_length;
    uint32_t length = (uint32_t)(io->part * block_length);
    size_t first = cut_pieces(io, io->finished * block_length);
    if (io->kind == IO_READ) {
        scsi_read(&io->task.cdb, lba, (uint32_t)io->part);
        set_in(io, first, length);
    } else {
        scsi_write(&io->task.cdb, lba, (uint32_t)io->part, forced(io, facts));
        set_out(io, io->pieces + first, io->piece_count - first, length);
    }
}

static void compare_part(struct io *io, const struct unit_facts *facts)
{
    scsi_compare_and_write(&io->task.cdb, io->lba, (uint8_t)io->part, forced(io, facts));
    set_out(io, io->pieces, io->piece_count, (uint32_t)io->part * 2 * facts->capacity.block_length);
}

static void block_part(struct io *io, const struct unit_facts *facts)
{
    uint64_t lba = io->lba + io->finished;
    io->part = least(least(io->blocks - io->finished, part_most(io, facts)), UINT32_MAX);
    switch (io->kind) {
    case IO_READ:
    case IO_WRITE:
        data_part(io, facts);
        break;
    case IO_DISCARD:
        scsi_unmap(&io->task.cdb, io->unmap, lba, (uint32_t)io->part);
        set_own(io, io->unmap, sizeof io->unmap);
        break;
    case IO_WRITE_ZEROES:
        scsi_write_same(&io->task.cdb, lba, (uint32_t)io->part,
                        io->may_unmap && facts->zeroes_by_unmap);
        set_own(io, zeroes, facts->capacity.block_length);
        break;
    default:
        compare_part(io, facts);
        break;
    }
}

void io_part_begin(struct io *io, const struct unit_facts *facts)
{
    set_out(io, NULL, 0, 0);
    io->task.data_in = NULL;
    io->task.data_in_count = io->task.data_in_length = 0;
    io->part = 0;
    if (io->kind == IO_COMMAND)
        command_part(io);
    else if (io->kind == IO_FLUSH || io->flushes)
        scsi_synchronize_cache(&io->task.cdb, 0, 0);
    else
        block_part(io, facts);
}

void io_part_end(struct io *io)
{
    if (io->cut == NULL)
        return;
    *io->cut = io->whole;
    io->cut = NULL;
}

bool io_part_next(struct io *io)
{
    io->finished += io->part;
    io->part = 0;
    if (io->kind == IO_COMMAND || io->kind == IO_FLUSH || io->flushes)
        return false;
    if (io->finished < io->blocks)
        return true;
    io->flushes = io->unforced;
    return io->flushes;
}
