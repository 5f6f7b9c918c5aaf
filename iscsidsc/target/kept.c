/* Responses that wait for their acknowledgment by ExpStatSN, to be sent again on demand (RFC 7143,
 * 4.2.2.2, 7.5, 11.16). */
#include "target/internal.h"

/* An initiator that never acknowledges gets no more than this; the oldest are forgotten first. */
enum { KEPT_MOST = 2048, KEPT_BYTES_MOST = 256 << 20 };

uint32_t target_kept_stat_sn(const struct target_kept *kept)
{
    const struct pdu *pdu = &kept->pdu;

    switch (pdu->opcode) {
    case PDU_DATA_IN:
        return pdu->data_in.sn.stat_sn;
    case PDU_SCSI_RESPONSE:
        return pdu->scsi_response.sn.stat_sn;
    case PDU_TASK_RESPONSE:
        return pdu->task_response.sn.stat_sn;
    case PDU_TEXT_RESPONSE:
        return pdu->text_response.sn.stat_sn;
    case PDU_LOGOUT_RESPONSE:
        return pdu->logout_response.sn.stat_sn;
    case PDU_ASYNC_MESSAGE:
        return pdu->async_message.sn.stat_sn;
    case PDU_REJECT:
        return pdu->reject.sn.stat_sn;
    default:
        return pdu->nop_in.sn.stat_sn;
    }
}

static size_t weight(const struct target_kept *kept)
{
    return sizeof *kept + (kept->task != NULL && kept->task->scsi.buffer != NULL
                               ? kept->task->scsi.buffer->length
                               : kept->length);
}

/* Its task, if it is one's status, is over too. */
static void forget(struct target_connection *connection, struct target_kept *kept)
{
    struct target_task *task = kept->task;

    connection->kept_count--;
    connection->kept_bytes -= weight(kept);
    list_remove(&kept->link);
    target_buffer_release(kept->buffer);
    target_stock_put(&connection->entity->kept, kept);
    if (task != NULL) {
        task->kept = NULL;
        target_task_free(task);
    }
}

bool target_keep(struct target_connection *connection, const struct pdu *pdu, const void *data,
                 uint32_t length, struct target_buffer *buffer, struct target_task *task)
{
    struct target_kept *kept = target_stock_take(&connection->entity->kept, sizeof *kept);

    if (kept == NULL)
        return false;
    kept->task = task;
    kept->pdu = *pdu;
    kept->data = data;
    kept->length = length;
    kept->buffer = buffer;
    if (buffer != NULL)
        buffer->references++;
    if (task != NULL)
        task->kept = kept;
    list_append(&connection->kept, &kept->link);
    connection->kept_count++;
    connection->kept_bytes += weight(kept);
    while (connection->kept_count > KEPT_MOST || connection->kept_bytes > KEPT_BYTES_MOST) {
        struct target_kept *oldest =
            LIST_OWNER(list_first(&connection->kept), struct target_kept, link);

        if (oldest == kept)
            break;
        forget(connection, oldest);
    }
    return true;
}

void target_keep_instead(struct target_task *task, const struct pdu *pdu, const void *data,
                         uint32_t length, struct target_buffer *buffer)
{
    struct target_connection *connection = task->connection;
    struct target_kept *kept = task->kept;

    connection->kept_bytes -= weight(kept);
    target_buffer_release(kept->buffer);
    kept->pdu = *pdu;
    kept->data = data;
    kept->length = length;
    kept->buffer = buffer;
    if (buffer != NULL)
        buffer->references++;
    connection->kept_bytes += weight(kept);
}

struct target_kept *target_kept_find(struct target_connection *connection, uint32_t stat_sn)
{
    LIST_EACH(node, &connection->kept)
    {
        struct target_kept *kept = LIST_OWNER(node, struct target_kept, link);

        if (target_kept_stat_sn(kept) == stat_sn)
            return kept;
    }
    return NULL;
}

void target_acknowledge(struct target_connection *connection, uint32_t exp_stat_sn)
{
    struct list *node;

    if (serial_less(connection->stat_sn, exp_stat_sn)) /* what was never sent */
        return;
    if (serial_less(connection->exp_stat_sn, exp_stat_sn))
        connection->exp_stat_sn = exp_stat_sn;
    while ((node = list_first(&connection->kept)) != NULL) {
        struct target_kept *kept = LIST_OWNER(node, struct target_kept, link);

        if (!serial_less(target_kept_stat_sn(kept), exp_stat_sn))
            return;
        forget(connection, kept);
    }
}

void target_kept_clear(struct target_connection *connection)
{
    LIST_EACH_SAFE(node, &connection->kept)
    {
        struct target_kept *kept = LIST_OWNER(node, struct target_kept, link);

        if (kept->task != NULL)
            kept->task->kept = NULL;
        target_buffer_release(kept->buffer);
        target_stock_put(&connection->entity->kept, kept);
    }
    list_init(&connection->kept);
    connection->kept_count = 0;
    connection->kept_bytes = 0;
}
