/* What is on a logical unit: asked, read and written by SCSI commands of the engine's. */
#include "libiscsi/initiator_state.h"

#include "libiscsi/errors.h"
#include "protocol/scsi.h"
#include "protocol/scsi_vpd.h"

#include <errno.h>
#include <string.h>

enum {
    ATTENTIONS_MOST = 4,
    INQUIRY_LENGTH = 255,
    CAPACITY_LENGTH = 32,
    PART = 256 << 10, /* bytes of one command: what any target takes */
    SERIAL_PAGE = 0x80,
    KEY_DATA_PROTECT = 7,
};

/* One command, and what came back, which is the caller's to clear. */
struct exchange {
    const struct found_target *target;
    uint64_t lun;
    struct scsi_cdb cdb;
    uint32_t length;  /* to be read */
    struct blob data; /* to be written */
    struct os_arena arena;
    struct reply_scsi reply;
    struct scsi_sense sense;
};

static int error_of_sense(const struct exchange *exchange)
{
    if (exchange->reply.status != SCSI_CHECK_CONDITION)
        return EBUSY;
    if (exchange->sense.key == KEY_DATA_PROTECT)
        return EROFS;
    if (exchange->sense.asc == SCSI_ASC_LUN_NOT_SUPPORTED)
        return ENXIO;
    return exchange->sense.asc == SCSI_ASC_LBA_OUT_OF_RANGE ? EINVAL : EIO;
}

static enum status send(struct exchange *exchange)
{
    struct request_scsi request = {
        .session = &exchange->target->session,
        .lun = exchange->lun,
        .cdb = {exchange->cdb.bytes, exchange->cdb.length},
        .length = exchange->length,
        .data = exchange->data,
        .repeatable = 1,
    };

    os_arena_clear(&exchange->arena);
    return door_call(OPERATION_scsi, &request, &exchange->reply, &exchange->arena);
}

/* A unit tells once of what happened to it, instead of doing what it was asked. */
static int run(struct iscsi_initiator_state *state, struct exchange *exchange)
{
    enum status status = STATUS_OK;

    for (int i = 0; i < ATTENTIONS_MOST; i++) {
        status = send(exchange);
        if (status != STATUS_SCSI_STATUS)
            break;
        scsi_sense_decode(&exchange->sense, exchange->reply.sense.data,
                          exchange->reply.sense.length);
        if (!exchange->sense.valid || exchange->sense.key != SCSI_UNIT_ATTENTION)
            break;
    }
    if (status == STATUS_OK)
        return 0;
    if (status != STATUS_SCSI_STATUS)
        return initiator_fail(state, exchange->target->name, status);
    variables_error(&state->variables, "%s: SCSI status %02x, %s, ASC %04x", exchange->target->name,
                    exchange->reply.status, scsi_sense_key_name(exchange->sense.key),
                    exchange->sense.asc);
    return error_of_sense(exchange);
}

/* The target of that number, with a session. NULL: an errno is in *error. */
static const struct found_target *target_of(struct iscsi_initiator_state *state, uint64_t number,
                                            int lun, int *error)
{
    const struct found_target *target = NULL;

    os_mutex_lock(state->mutex);
    if (number < state->target_count)
        target = state->targets[number];
    *error = lun < 0 ? EINVAL : target == NULL ? ENODEV : target->logged_in ? 0 : ENOTCONN;
    os_mutex_unlock(state->mutex);
    return *error == 0 ? target : NULL;
}

/* --- what it is --- */

static int ask_inquiry(struct iscsi_initiator_state *state, struct exchange *exchange,
                       iscsi_unit_t *out)
{
    struct scsi_inquiry_data inquiry;
    int error;

    scsi_inquiry(&exchange->cdb, 0, 0, INQUIRY_LENGTH);
    exchange->length = INQUIRY_LENGTH;
    error = run(state, exchange);
    if (error != 0)
        return error;
    if (!scsi_inquiry_decode(&inquiry, exchange->reply.data.data, exchange->reply.data.length))
        return EPROTO;
    if (inquiry.peripheral_qualifier != 0)
        return ENXIO;
    out->type = inquiry.device_type;
    memcpy(out->vendor, inquiry.vendor, sizeof out->vendor);
    memcpy(out->product, inquiry.product, sizeof out->product);
    memcpy(out->version, inquiry.revision, sizeof out->version);
    return 0;
}

/* Many have none. */
static void ask_serial(struct iscsi_initiator_state *state, struct exchange *exchange,
                       iscsi_unit_t *out)
{
    scsi_inquiry(&exchange->cdb, 1, SERIAL_PAGE, INQUIRY_LENGTH);
    exchange->length = INQUIRY_LENGTH;
    if (run(state, exchange) != 0)
        return;
    const uint8_t *page = exchange->reply.data.data;
    size_t length = exchange->reply.data.length;
    size_t used = 0;

    if (length < 4 || page[1] != SERIAL_PAGE)
        return;
    if (length > 4u + page[3])
        length = 4u + page[3];
    for (size_t i = 4; i < length && used < sizeof out->serial - 1; i++) {
        if (page[i] > ' ' && page[i] < 0x7f)
            out->serial[used++] = (char)page[i];
    }
    out->serial[used] = '\0';
}

static int ask_capacity(struct iscsi_initiator_state *state, struct exchange *exchange,
                        iscsi_unit_t *out)
{
    struct scsi_capacity capacity;
    const struct blob *data = &exchange->reply.data;
    int error;
    bool good;

    scsi_read_capacity_10(&exchange->cdb);
    exchange->length = CAPACITY_LENGTH;
    error = run(state, exchange);
    good = error == 0 && scsi_capacity_10_decode(&capacity, data->data, data->length);
    if (good && capacity.too_large) {
        scsi_read_capacity_16(&exchange->cdb, CAPACITY_LENGTH);
        error = run(state, exchange);
        good = error == 0 && scsi_capacity_16_decode(&capacity, data->data, data->length);
    }
    if (error != 0 || !good)
        return error != 0 ? error : EPROTO;
    out->blocks = capacity.blocks;
    out->block_length = capacity.block_length;
    return 0;
}

static int ask_unit(struct iscsi_initiator_state *state, struct exchange *exchange,
                    iscsi_unit_t *out)
{
    int error = ask_inquiry(state, exchange, out);

    if (error == 0)
        error = ask_capacity(state, exchange, out);
    if (error == 0)
        ask_serial(state, exchange, out);
    return error;
}

int iscsi_initiator_unit(iscsi_initiator_t *initiator, uint64_t target, int lun, iscsi_unit_t *unit)
{
    struct iscsi_initiator_state *state = initiator_state_of(initiator);
    struct exchange exchange = {.lun = scsi_lun_encode((uint32_t)lun)};
    iscsi_unit_t found = {0};
    int error;

    if (state == NULL || unit == NULL)
        return error_return(EINVAL, 0);
    exchange.target = target_of(state, target, lun, &error);
    if (error == 0)
        error = ask_unit(state, &exchange, &found);
    if (error == 0)
        *unit = found;
    os_arena_clear(&exchange.arena);
    return error_return(error, 0);
}

/* --- reading and writing --- */

struct transfer {
    struct exchange exchange;
    uint32_t block_length;
    uint64_t offset;
    uint8_t *in; /* one of these */
    const uint8_t *out;
    size_t length;
};

/* The next part. Sets *done to its bytes. */
static int move_part(struct iscsi_initiator_state *state, struct transfer *transfer, size_t *done)
{
    struct exchange *exchange = &transfer->exchange;
    size_t most = PART > transfer->block_length ? PART : transfer->block_length;
    size_t now = transfer->length < most ? transfer->length : most - most % transfer->block_length;
    uint32_t blocks = (uint32_t)(now / transfer->block_length);
    uint64_t lba = transfer->offset / transfer->block_length;
    int error;

    if (transfer->in != NULL) {
        scsi_read(&exchange->cdb, lba, blocks);
        exchange->length = (uint32_t)now;
    } else {
        scsi_write(&exchange->cdb, lba, blocks, false);
        exchange->data = (struct blob){transfer->out, (uint32_t)now};
    }
    error = run(state, exchange);
    if (error == 0 && transfer->in != NULL && exchange->reply.data.length != now)
        error = EPROTO;
    if (error == 0 && transfer->in != NULL)
        memcpy(transfer->in, exchange->reply.data.data, now);
    *done = now;
    return error;
}

static int move(struct iscsi_initiator_state *state, struct transfer *transfer)
{
    int error = 0;

    if (transfer->block_length == 0 || transfer->offset % transfer->block_length != 0 ||
        transfer->length % transfer->block_length != 0) {
        variables_error(&state->variables, "offset or length is no multiple of the block length");
        return EINVAL;
    }
    while (error == 0 && transfer->length > 0) {
        size_t done;

        error = move_part(state, transfer, &done);
        transfer->in = transfer->in != NULL ? transfer->in + done : NULL;
        transfer->out = transfer->out != NULL ? transfer->out + done : NULL;
        transfer->offset += done;
        transfer->length -= done;
    }
    return error;
}

static int transfer_all(iscsi_initiator_t *initiator, uint64_t target, int lun,
                        struct transfer *transfer)
{
    struct iscsi_initiator_state *state = initiator_state_of(initiator);
    int error;

    if (state == NULL || (transfer->in == NULL && transfer->out == NULL))
        return error_return(EINVAL, 0);
    transfer->exchange.lun = scsi_lun_encode((uint32_t)lun);
    transfer->exchange.target = target_of(state, target, lun, &error);
    if (error == 0)
        error = move(state, transfer);
    os_arena_clear(&transfer->exchange.arena);
    return error_return(error, 0);
}

int iscsi_initiator_read(iscsi_initiator_t *initiator, uint64_t target, int lun,
                         const iscsi_unit_t *unit, uint64_t offset, void *buffer, size_t length)
{
    struct transfer transfer = {.block_length = unit != NULL ? unit->block_length : 0,
                                .offset = offset,
                                .in = buffer,
                                .length = length};

    return transfer_all(initiator, target, lun, &transfer);
}

int iscsi_initiator_write(iscsi_initiator_t *initiator, uint64_t target, int lun,
                          const iscsi_unit_t *unit, uint64_t offset, const void *data,
                          size_t length)
{
    struct transfer transfer = {.block_length = unit != NULL ? unit->block_length : 0,
                                .offset = offset,
                                .out = data,
                                .length = length};

    return transfer_all(initiator, target, lun, &transfer);
}

int iscsi_initiator_flush(iscsi_initiator_t *initiator, uint64_t target, int lun)
{
    struct iscsi_initiator_state *state = initiator_state_of(initiator);
    struct exchange exchange = {.lun = scsi_lun_encode((uint32_t)lun)};
    int error;

    if (state == NULL)
        return -1;
    exchange.target = target_of(state, target, lun, &error);
    scsi_synchronize_cache(&exchange.cdb, 0, 0);
    if (error == 0)
        error = run(state, &exchange);
    os_arena_clear(&exchange.arena);
    return error_return(error, 0);
}
