/* What the end of a command means for its io, for the connection and for what is known of units. */
#include "engine/disk_timeout.h"
#include "engine/io_internal.h"
#include "engine/recovery.h"
#include "engine/statistics.h"

#include <string.h>

enum {
    BUSY_RETRIES = 6,
    ATTENTION_RETRIES = 3,
};

/* --- may it be carried out twice? --- */

/* It changes nothing, and another answer does not come of the first one. */
static bool is_harmless(const struct scsi_cdb *cdb)
{
    static const uint8_t opcodes[] = {
        SCSI_TEST_UNIT_READY, SCSI_INQUIRY,
        SCSI_MODE_SENSE_6,    SCSI_READ_CAPACITY_10,
        SCSI_READ_10,         SCSI_MODE_SENSE_10,
        SCSI_READ_16,         SCSI_SERVICE_ACTION_IN_16, /* READ CAPACITY (16) */
        SCSI_REPORT_LUNS,     SCSI_READ_12,
    };
    return memchr(opcodes, cdb->bytes[0], sizeof opcodes) != NULL;
}

bool io_repeatable(const struct io *io)
{
    if (io->repeatable || io->kind == IO_READ || io->kind == IO_FLUSH || io->flushes)
        return true;
    return io->kind == IO_COMMAND && is_harmless(&io->task.cdb);
}

/* --- without an answer --- */

/* Late, and not to be tried again: there is nowhere else to try it. */
static bool is_late_for_good(const struct io *io)
{
    if (io->deadline != 0)
        return true;
    if (io->volume == NULL || !disk_timeout_is_final(io->session))
        return false;
    const struct path *other = path_choose(io->volume, io->path);
    return other == NULL || other == io->path;
}

/* The connection went away under it: not by what the target answered, and not by our will. A volume
 * may have another path, where the target does better. */
static bool is_lost(const struct io *io)
{
    switch (io->task.status) {
    case STATUS_CANCELLED:
    case STATUS_NO_CONNECTION:
    case STATUS_CONNECTION_CLOSED:
    case STATUS_CONNECTION_RESET:
    case STATUS_TRANSPORT_ERROR:
        return true;
    case STATUS_COMMAND_TIMEOUT:
        return !is_late_for_good(io);
    case STATUS_PROTOCOL_ERROR:
    case STATUS_HEADER_DIGEST:
    case STATUS_DATA_DIGEST:
        return io->volume != NULL;
    default:
        return false;
    }
}

/* --- answers --- */

/* It went well, but not all of it. */
static bool is_short(const struct io *io)
{
    const struct task *task = &io->task;
    return io->kind != IO_COMMAND && (task->transferred < task->data_in_length ||
                                      (task->underflow && task->data_out_length > 0));
}

/*
 * The command was not carried out (SPC-4, 4.5). Callers see that of their own commands themselves,
 * but for READ CAPACITY, which they expect to work at once.
 */
static enum io_verdict judge_attention(struct io *io)
{
    uint8_t opcode = io->task.cdb.bytes[0];
    bool ours = io->kind != IO_COMMAND || opcode == SCSI_READ_CAPACITY_10 ||
                opcode == SCSI_SERVICE_ACTION_IN_16;
    if (!ours || io->attentions == ATTENTION_RETRIES)
        return IO_FAILED;
    io->attentions++;
    return IO_AGAIN;
}

static enum io_verdict judge_busy(struct io *io)
{
    if (io->busy == BUSY_RETRIES)
        return IO_FAILED;
    io->busy++;
    return IO_LATER;
}

static enum io_verdict judge_sense(struct io *io)
{
    struct scsi_sense sense;
    scsi_sense_decode(&sense, io->task.sense, io->task.sense_length);
    if (!sense.valid)
        return IO_FAILED;
    /* A deferred error is an earlier command's; an attention is the unit's, however it is told. */
    if (sense.deferred && sense.key != SCSI_UNIT_ATTENTION)
        return IO_FAILED;
    switch (sense.key) {
    case SCSI_RECOVERED_ERROR:
        return io->kind != IO_COMMAND && !is_short(io) ? IO_DONE : IO_FAILED;
    case SCSI_UNIT_ATTENTION:
        return judge_attention(io);
    case SCSI_NOT_READY:
        return io->kind != IO_COMMAND && sense.asc == SCSI_ASC_BECOMING_READY ? judge_busy(io)
                                                                              : IO_FAILED;
    case SCSI_ABORTED_COMMAND:
        return io->kind != IO_COMMAND ? IO_LOST : IO_FAILED;
    default:
        return IO_FAILED;
    }
}

static enum io_verdict judge_answer(struct io *io)
{
    switch (io->task.scsi_status) {
    case SCSI_CHECK_CONDITION:
        return judge_sense(io);
    case SCSI_BUSY:
    case SCSI_TASK_SET_FULL: /* back off, do not fail (SAM-5, 5.3.1) */
        return judge_busy(io);
    case SCSI_TASK_ABORTED: /* somebody reset the unit */
        return io->kind != IO_COMMAND ? IO_LOST : IO_FAILED;
    default:
        return IO_FAILED;
    }
}

enum io_verdict io_judge(struct io *io)
{
    struct task *task = &io->task;
    if (io->cancelled)
        return IO_FAILED;
    if (task->status == STATUS_OK && is_short(io))
        task->status = STATUS_PROTOCOL_ERROR;
    else if (task->status == STATUS_OK)
        return IO_DONE;
    else if (task->status == STATUS_SCSI_STATUS)
        return judge_answer(io);
    else if (is_lost(io))
        return IO_LOST;
    return IO_FAILED;
}

/* --- beside the io --- */

/* Nothing came for as long as the command could take: nothing more is expected of that connection.
 */
static void judge_connection(const struct io *io)
{
    struct engine_session *session = io->session;
    enum status status = io->task.status;
    struct engine_connection *connection = engine_connection_of(session, &io->task);
    if (session->state != ENGINE_SESSION_LIVE || connection == NULL ||
        !contact_carries(connection->contact))
        return;
    if (status == STATUS_OK || status == STATUS_SCSI_STATUS)
        recovery_useful(connection);
    else if (status == STATUS_COMMAND_TIMEOUT && contact_heard(connection->contact) <= io->sent)
        recovery_suspect(connection);
}

/* Somebody's command happens to be the one that is told what has changed. */
static void heed_attention(const struct io *io)
{
    struct scsi_sense sense;
    const struct task *task = &io->task;
    if (task->status != STATUS_SCSI_STATUS || task->scsi_status != SCSI_CHECK_CONDITION)
        return;
    scsi_sense_decode(&sense, task->sense, task->sense_length);
    if (sense.valid && sense.key == SCSI_UNIT_ATTENTION)
        units_attention(io->session, sense.asc);
}

void io_heed(const struct io *io)
{
    statistics_count_task(io->session, &io->task);
    judge_connection(io);
    heed_attention(io);
}
