/* NOP-In, Async Message, Reject (RFC 7143, 11.9, 11.17-11.19). */
#include "initiator/internal.h"
#include "os/memory.h"

#include <stdio.h>

/* A ping wants its TTT and LUN back (RFC 7143, 11.18). */
static void answer_ping(struct connection *connection)
{
    const struct pdu *ping = &connection->framer.pdu;
    struct pdu pdu = {.opcode = PDU_NOP_OUT, .immediate = true, .final = true, .lun = ping->lun};

    pdu.itt = PDU_RESERVED_TAG;
    pdu.nop_out.ttt = ping->nop_in.ttt;
    pdu.nop_out.cmd_sn = connection->session->cmd_sn;
    pdu.nop_out.exp_stat_sn = connection->stat_sn.next;
    output_send(connection, &pdu, NULL, 0);
}

/* The answer to a NOP-Out: a question for life, or one that has the CmdSN of a command which was
 * never sent. */
static void pong(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    struct slot *slot = tag_find(&connection->session->tags, pdu->itt);

    if (!slot || slot->connection != connection || slot->kind != SLOT_ABANDONED)
        connection_fail(connection, STATUS_PROTOCOL_ERROR, "NOP-In answers no NOP-Out (ITT %08x)",
                        pdu->itt);
    else if (stat_sn_accept(connection, pdu->nop_in.sn.stat_sn))
        tag_release(&connection->session->tags, pdu->itt);
}

void control_nop_in(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;

    window_update(connection->session, &pdu->nop_in.sn);
    if (pdu->itt != PDU_RESERVED_TAG) {
        pong(connection);
        return;
    }
    /* Its StatSN is only the next one: it is not counted (RFC 7143, 11.19.1). */
    if (pdu->nop_in.ttt != PDU_RESERVED_TAG)
        answer_ping(connection);
}

/* Event 4 wants a negotiation. A declaration is one, and changes nothing. */
struct renegotiation {
    struct text_exchange exchange;
    char text[64];
};

static enum status renegotiation_piece(struct text_exchange *exchange, const char *text,
                                       size_t length)
{
    (void)exchange;
    (void)text;
    (void)length;
    return STATUS_OK;
}

static void renegotiation_done(struct text_exchange *exchange, enum status status)
{
    (void)status;
    os_free(exchange->context);
}

static void renegotiate(struct connection *connection)
{
    struct renegotiation *renegotiation = os_alloc(sizeof *renegotiation);
    struct text_exchange *exchange;
    size_t length = 0;

    if (!renegotiation)
        return; /* the target closes the connection when nothing comes */
    exchange = &renegotiation->exchange;
    text_append_number(renegotiation->text, sizeof renegotiation->text, &length,
                       key_table[KEY_MAX_RECV_DATA_SEGMENT_LENGTH].name,
                       connection->values.max_recv_data_segment_length);
    exchange->request = renegotiation->text;
    exchange->request_length = length;
    exchange->piece = renegotiation_piece;
    exchange->done = renegotiation_done;
    exchange->context = renegotiation;
    exchange->limit = 65536;
    if (session_text(connection->session, exchange, connection->now) != STATUS_OK)
        os_free(renegotiation);
}

static void drop_connection(struct session *session, const struct pdu_async_message *message)
{
    LIST_EACH_SAFE(node, &session->connections)
    {
        struct connection *connection = LIST_OWNER(node, struct connection, link);

        if (connection->cid != message->parameter1)
            continue;
        connection_note_times(connection, message->parameter2, message->parameter3);
        connection_fail(connection, STATUS_CONNECTION_CLOSED,
                        "the target said that it drops the connection");
    }
}

static void drop_session(struct session *session, const struct pdu_async_message *message)
{
    LIST_EACH_SAFE(node, &session->connections)
    {
        struct connection *connection = LIST_OWNER(node, struct connection, link);

        connection_note_times(connection, message->parameter2, message->parameter3);
        connection_fail(connection, STATUS_CONNECTION_CLOSED,
                        "the target said that it drops the session");
    }
}

void control_async(struct connection *connection)
{
    struct session *session = connection->session;
    const struct pdu_async_message message = connection->framer.pdu.async_message;

    window_update(session, &message.sn);
    if (!stat_sn_accept(connection, message.sn.stat_sn))
        return;
    if (session->callbacks->asynchronous)
        session->callbacks->asynchronous(connection->owner, connection, &message);
    if (connection->state == CONNECTION_CLOSED)
        return;
    switch (message.event) {
    case ASYNC_LOGOUT_REQUESTED:
        snprintf(connection->detail, sizeof connection->detail, "the target asked for a logout");
        logout_requested(connection, message.parameter3);
        break;
    case ASYNC_DROP_CONNECTION:
        drop_connection(session, &message);
        break;
    case ASYNC_DROP_SESSION:
        drop_session(session, &message);
        break;
    case ASYNC_RENEGOTIATE:
        renegotiate(connection);
        break;
    default: /* SCSI events are their owner's; unknown ones do no harm */
        break;
    }
}

/*
 * A command that is rejected has no other answer, but when the target counted its CmdSN: then a
 * status follows. One whose immediate data were damaged may be sent again (RFC 7143, 7.2.1, 7.3,
 * 7.8, 11.17.1).
 */
static void reject_command(struct connection *connection, struct task *task)
{
    struct session *session = connection->session;
    bool damaged = connection->framer.pdu.reject.reason == REJECT_DATA_DIGEST;
    bool recovers = connection->values.error_recovery_level > 0;
    uint32_t cmd_sn = task->cmd_sn;

    if (!serial_less(cmd_sn, session->exp_cmd_sn)) {
        if (damaged && recovers && task_retry(connection, task))
            return;
        task_finish(task, damaged ? STATUS_DATA_DIGEST : STATUS_REJECTED);
        recover_hole(session, cmd_sn);
    } else if (!damaged || !recovers) {
        task_end_quietly(task, damaged ? STATUS_DATA_DIGEST : STATUS_REJECTED);
    }
}

/* For data that were damaged on their way to the target another R2T or a status follows. */
static void reject_task(struct connection *connection, struct task *task)
{
    uint8_t opcode = connection->segment[0] & 0x3f;

    if (opcode == PDU_SCSI_COMMAND)
        reject_command(connection, task);
    else if (opcode == PDU_SNACK) /* what is missing does not come */
        task_give_up(task, STATUS_DATA_DIGEST);
}

static void reject_tagged(struct connection *connection, struct slot *slot, uint32_t itt)
{
    struct session *session = connection->session;

    if (slot->kind == SLOT_TASK)
        reject_task(connection, slot->object);
    else if (slot->kind == SLOT_TEXT)
        text_fail(connection, STATUS_REJECTED);
    else if (slot->kind == SLOT_LOGOUT && slot->object)
        logout_rejected(slot->object, itt);
    else if (slot->kind == SLOT_MANAGEMENT)
        manage_rejected(slot->object);
    else if (slot->kind == SLOT_RECOVERY || slot->kind == SLOT_REASSIGN)
        recover_rejected(connection, itt);
    else if (slot->kind == SLOT_ABANDONED || slot->kind == SLOT_ABORT)
        tag_release(&session->tags, itt);
}

void control_reject(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    struct slot *slot;
    uint32_t itt;

    connection->statistics.rejects++;
    window_update(connection->session, &pdu->reject.sn);
    if (!stat_sn_accept(connection, pdu->reject.sn.stat_sn))
        return;
    if (pdu->data_length < PDU_BHS_LENGTH)
        return; /* without the rejected header there is nothing to tell it from */
    itt = get_be32(connection->segment + 16);
    snprintf(connection->detail, sizeof connection->detail, "Reject, reason %02x",
             pdu->reject.reason);
    slot = tag_find(&connection->session->tags, itt);
    if (slot && slot->connection == connection)
        reject_tagged(connection, slot, itt);
    else if (itt == PDU_RESERVED_TAG && (connection->segment[0] & 0x3f) == PDU_SNACK)
        connection_fail(connection, STATUS_PROTOCOL_ERROR, "a lost status is not sent again");
}
