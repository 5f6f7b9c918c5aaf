/* One connection: its life, and what comes in. */
#include "protocol/scsi.h"

#include "target/internal.h"

enum {
    OUTPUT_LIMIT = 8 << 20, /* bytes queued, above which nothing more is read */
    EXP_STAT_SN_AT = 28,    /* in every request of an initiator */
};

struct target_connection *target_connection_new(struct target_entity *entity, uint16_t group,
                                                target_connection_wake *wake, void *owner,
                                                uint64_t now)
{
    const struct target_fault *fault = entity->settings.fault;
    struct target_connection *connection = os_alloc(sizeof *connection);

    if (connection == NULL)
        return NULL;
    list_init(&connection->sibling);
    connection->entity = entity;
    connection->group = group;
    connection->wake = wake;
    connection->owner = owner;
    connection->now = connection->last_heard = now;
    connection->login_due = now + entity->settings.login_timeout;
    connection->nop_due = OS_NEVER;
    connection->ping_ttt = connection->text.ttt = PDU_RESERVED_TAG;
    framer_init(&connection->framer);
    connection->data_due = connection->fault_due = connection->management_due = OS_NEVER;
    list_init(&connection->kept);
    target_output_init(&connection->output);
    key_values_default(&connection->values);
    connection->login = target_login_new(connection);
    if (connection->login == NULL) {
        os_free(connection);
        return NULL;
    }
    list_append(&entity->connections, &connection->link);
    connection->reading = true; /* the owner looks for output after this call */
    if (fault != NULL && fault->connected != NULL)
        fault->connected(fault->context, connection);
    connection->reading = false;
    return connection;
}

void target_connection_comes_from(struct target_connection *connection,
                                  const uint8_t ip[OS_IP_LENGTH])
{
    memcpy(connection->from, ip, sizeof connection->from);
    connection->from_known = true;
}

static void drop_incoming(struct target_connection *connection)
{
    struct target_task *task = connection->incoming_task;

    framer_place(&connection->framer, NULL, 0);
    target_buffer_release(connection->incoming);
    connection->incoming = NULL;
    connection->incoming_task = NULL;
    /* One that is not in its session yet belongs to us alone. */
    if (task != NULL && task->link.next == &task->link)
        target_task_free(task);
}

void target_connection_free(struct target_connection *connection)
{
    if (connection == NULL)
        return;
    connection->state = TARGET_CLOSED;
    drop_incoming(connection);
    target_session_leave(connection);
    target_kept_clear(connection);
    target_login_free(connection->login);
    target_text_reset(connection);
    target_output_clear(&connection->output);
    list_remove(&connection->link);
    os_free(connection);
}

void target_connection_end(struct target_connection *connection, enum target_end end)
{
    if (connection->state == TARGET_CLOSED)
        return;
    connection->end = (uint8_t)end;
    if (end == TARGET_END_RESET)
        target_output_clear(&connection->output);
    if (connection->mute) /* nothing leaves any more */
        target_output_clear(&connection->output);
    target_output_hurry(connection);
    connection->state = list_empty(&connection->output.frames) ? TARGET_CLOSED : TARGET_CLOSING;
    if (!connection->reading)
        connection->wake(connection->owner);
}

enum target_end target_connection_ending(const struct target_connection *connection)
{
    return connection->state == TARGET_CLOSED ? (enum target_end)connection->end : TARGET_END_NONE;
}

bool target_connection_full_feature(const struct target_connection *connection)
{
    return connection->state == TARGET_FULL_FEATURE;
}

bool target_connection_discovery(const struct target_connection *connection)
{
    if (connection->session != NULL)
        return connection->session->target == NULL;
    return connection->login != NULL && target_login_discovery(connection->login);
}

const struct key_values *target_connection_values(const struct target_connection *connection)
{
    return &connection->values;
}

/* --- receiving --- */

void target_connection_read_begin(struct target_connection *connection, void *look_ahead,
                                  size_t size)
{
    connection->reading = true;
    framer_attach(&connection->framer, look_ahead, size);
}

size_t target_connection_read_pieces(struct target_connection *connection, struct iov *pieces,
                                     size_t room)
{
    return framer_buffers(&connection->framer, pieces, room);
}

void target_connection_read_end(struct target_connection *connection)
{
    framer_detach(&connection->framer);
    connection->reading = false;
}

bool target_connection_wants_input(const struct target_connection *connection)
{
    return connection->state < TARGET_CLOSING && connection->output.queued < OUTPUT_LIMIT;
}

void target_reject(struct target_connection *connection, enum reject_reason reason)
{
    struct pdu pdu = {.opcode = PDU_REJECT, .final = true, .itt = PDU_RESERVED_TAG};

    pdu.reject.reason = (uint8_t)reason;
    target_send_copy(connection, &pdu, connection->bhs, PDU_BHS_LENGTH);
}

/* Where the data segment goes: straight into the command's buffer, or one of its own. */
static void place_data(struct target_connection *connection)
{
    struct framer *framer = &connection->framer;
    const struct pdu *pdu = &framer->pdu;
    struct target_task *task = NULL;
    size_t skip = 0;

    memcpy(connection->bhs, framer->bhs, PDU_BHS_LENGTH);
    connection->malformed = false;
    connection->incoming_usable = true;
    if (connection->state == TARGET_FULL_FEATURE && connection->session->target != NULL) {
        if (pdu->opcode == PDU_SCSI_COMMAND)
            task = target_task_new(connection, pdu, framer->ahs, &connection->malformed);
        else if (pdu->opcode == PDU_DATA_OUT)
            task = target_data_out_task(connection, pdu, &connection->incoming_usable);
    }
    connection->incoming_task = task;
    if (task != NULL && connection->incoming_usable) {
        connection->incoming_piece =
            (struct iov){task->data_out != NULL ? task->data_out->bytes : NULL, task->takes};
        if (pdu->opcode == PDU_DATA_OUT)
            skip = pdu->data_out.offset;
    } else if (pdu->opcode != PDU_DATA_OUT && pdu->data_length > 0) {
        connection->incoming = target_buffer_new(&connection->entity->pool, pdu->data_length);
        if (connection->incoming == NULL) {
            target_connection_end(connection, TARGET_END_RESET);
            return;
        }
        connection->incoming_piece =
            (struct iov){connection->incoming->bytes, connection->incoming->length};
    } else {
        return;
    }
    framer_place_at(framer, &connection->incoming_piece, 1, skip);
}

/* A command that no task was made of. One that is well-formed has come all the same: those behind
 * it must not wait for its CmdSN. */
static void refuse_command(struct target_connection *connection, const struct pdu *pdu)
{
    if (connection->session->target == NULL) {
        target_reject(connection, REJECT_PROTOCOL_ERROR);
    } else if (connection->malformed) {
        target_reject(connection, REJECT_INVALID_PDU_FIELD);
    } else {
        target_reject(connection, REJECT_LONG_OPERATION);
        target_session_skip(connection->session, pdu);
    }
}

/* A request with a CmdSN. */
static void take_request(struct target_connection *connection, const struct pdu *pdu)
{
    struct target_request request = {.connection = connection,
                                     .pdu = *pdu,
                                     .task = connection->incoming_task,
                                     .buffer = connection->incoming};

    if (pdu->opcode == PDU_SCSI_COMMAND && request.task == NULL) {
        refuse_command(connection, pdu);
        return;
    }
    connection->incoming_task = NULL;
    connection->incoming = NULL;
    target_session_take(connection->session, &request);
}

static void on_request(struct target_connection *connection, const struct pdu *pdu, bool intact)
{
    if (connection->framer.decoded != STATUS_OK || pdu_from_target(pdu->opcode)) {
        target_reject(connection, REJECT_NOT_SUPPORTED);
        return;
    }
    switch (pdu->opcode) {
    case PDU_DATA_OUT:
        target_data_out(connection, connection->incoming_task, pdu, intact,
                        connection->incoming_usable);
        break;
    case PDU_SNACK:
        target_snack(connection, pdu);
        break;
    case PDU_LOGIN_REQUEST:
        target_reject(connection, REJECT_PROTOCOL_ERROR);
        target_connection_end(connection, TARGET_END_CLOSE);
        break;
    default:
        if (intact)
            take_request(connection, pdu);
        else
            target_reject(connection, REJECT_DATA_DIGEST);
        break;
    }
}

/* The answer that a fault gives in place of the command's own. */
static void refuse_task(struct target_task *task, const struct target_fault_in *in)
{
    if (in->status == SCSI_CHECK_CONDITION)
        target_scsi_fail(&task->scsi, in->sense_key, in->asc);
    task->scsi.status = in->status;
    task->response = in->response;
    task->refused = true;
}

/* False: the PDU shall not have come. */
static bool ask_fault(struct target_connection *connection, struct pdu *pdu, bool *intact)
{
    const struct target_fault *fault = connection->entity->settings.fault;
    const struct target_buffer *data = connection->incoming;
    struct target_fault_in in = {.pdu = pdu,
                                 .data = data != NULL ? data->bytes : NULL,
                                 .length = data != NULL ? (uint32_t)data->length : 0};

    if (fault == NULL || fault->incoming == NULL)
        return true;
    fault->incoming(fault->context, connection, &in);
    if (in.delay > 0 && connection->now + in.delay > connection->output.earliest)
        connection->output.earliest = connection->now + in.delay;
    if (connection->incoming_task != NULL && pdu->opcode == PDU_SCSI_COMMAND)
        target_task_change(connection->incoming_task, pdu);
    if (in.broken && pdu->data_length > 0)
        *intact = false;
    if (in.refuse && connection->incoming_task != NULL && pdu->opcode == PDU_SCSI_COMMAND)
        refuse_task(connection->incoming_task, &in);
    if (in.answered && connection->state == TARGET_FULL_FEATURE)
        target_session_skip(connection->session, pdu);
    return !in.swallow && !in.answered && connection->state < TARGET_CLOSING;
}

static void on_pdu(struct target_connection *connection, bool intact)
{
    struct pdu pdu = connection->framer.pdu; /* a copy: answers may come before it is used up */
    const struct target_buffer *data = connection->incoming;

    if (connection->mute || !ask_fault(connection, &pdu, &intact))
        return;
    if (connection->state == TARGET_FULL_FEATURE)
        target_acknowledge(connection, get_be32(connection->bhs + EXP_STAT_SN_AT));
    if (connection->state == TARGET_FULL_FEATURE) {
        on_request(connection, &pdu, intact);
        if (connection->session != NULL) /* still */
            target_management_check(connection->session);
    } else if (pdu.opcode == PDU_LOGIN_REQUEST)
        target_login_request(connection, &pdu, data != NULL ? (const char *)data->bytes : "",
                             data != NULL ? data->length : 0);
    else
        target_connection_end(connection, TARGET_END_CLOSE); /* RFC 7143, 6.3: only logins */
}

bool target_connection_read(struct target_connection *connection, size_t length, uint64_t now)
{
    enum framer_event event;

    connection->now = connection->last_heard = now;
    framer_filled(&connection->framer, length);
    /* Also when it is closing: the framer must be emptied. */
    while ((event = framer_next(&connection->framer)) != FRAMER_MORE) {
        if (connection->state >= TARGET_CLOSING)
            continue;
        if (event == FRAMER_HEADER) {
            place_data(connection);
        } else if (event == FRAMER_PDU || event == FRAMER_DATA_DIGEST) {
            on_pdu(connection, event == FRAMER_PDU);
            drop_incoming(connection);
        } else {
            target_connection_end(connection, TARGET_END_CLOSE);
        }
    }
    return target_connection_wants_input(connection);
}

/* --- time --- */

static uint64_t nop_due(const struct target_connection *connection)
{
    uint32_t interval = connection->entity->settings.nop_interval;

    if (connection->state != TARGET_FULL_FEATURE)
        return OS_NEVER;
    if (connection->ping_ttt != PDU_RESERVED_TAG)
        return connection->nop_due;
    return interval > 0 ? connection->last_heard + interval : OS_NEVER;
}

uint64_t target_connection_due(const struct target_connection *connection)
{
    uint64_t due = target_output_due(&connection->output, connection->now);
    uint64_t nop = nop_due(connection);

    if (connection->state == TARGET_LOGIN && connection->login_due < due)
        due = connection->login_due;
    if (connection->data_due < due)
        due = connection->data_due;
    if (connection->fault_due < due)
        due = connection->fault_due;
    if (connection->management_due < due)
        due = connection->management_due;
    return nop < due ? nop : due;
}

static void tick_nop(struct target_connection *connection)
{
    if (nop_due(connection) > connection->now)
        return;
    if (connection->ping_ttt == PDU_RESERVED_TAG)
        target_connection_ping(connection);
    else if (connection->last_heard + connection->entity->settings.nop_timeout <= connection->now)
        target_connection_end(connection, TARGET_END_RESET);
    else /* it speaks, if not of our ping: it lives */
        connection->nop_due = connection->last_heard + connection->entity->settings.nop_timeout;
}

static void tick_fault(struct target_connection *connection)
{
    const struct target_fault *fault = connection->entity->settings.fault;

    if (connection->fault_due > connection->now)
        return;
    connection->fault_due = OS_NEVER;
    if (fault != NULL && fault->timer != NULL && connection->state < TARGET_CLOSING)
        fault->timer(fault->context, connection);
}

void target_connection_tick(struct target_connection *connection, uint64_t now)
{
    connection->now = now;
    if (connection->state == TARGET_LOGIN && connection->login_due <= now)
        target_connection_end(connection, TARGET_END_CLOSE);
    tick_nop(connection);
    target_output_tick(connection);
    target_data_out_tick(connection);
    target_management_tick(connection);
    tick_fault(connection);
}
