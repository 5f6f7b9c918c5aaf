/* CmdSN window and StatSN (RFC 7143, 4.2.2). */
#include "initiator/internal.h"

void window_update(struct session *session, const struct pdu_sequence *sn)
{
    /* RFC 7143, 4.2.2.1: a pair that contradicts itself is ignored, both of it. */
    if (serial_less(sn->max_cmd_sn, sn->exp_cmd_sn - 1))
        return;
    if (serial_less(session->max_cmd_sn, sn->max_cmd_sn))
        session->max_cmd_sn = sn->max_cmd_sn;
    if (serial_less(session->exp_cmd_sn, sn->exp_cmd_sn))
        session->exp_cmd_sn = sn->exp_cmd_sn;
}

bool stat_sn_accept(struct connection *connection, uint32_t stat_sn)
{
    if (!connection->stat_sn_known) {
        connection->stat_sn_known = true;
        connection->exp_stat_sn = stat_sn;
    }
    if (stat_sn == connection->exp_stat_sn) {
        connection->exp_stat_sn++;
        return true;
    }
    if (serial_less(stat_sn, connection->exp_stat_sn))
        return false; /* seen before: the copy tells nothing new */
    /* A status is missing. At error recovery level 0 that ends the connection, and is never
     * jumped over: whatever it completed would be lost without a word. */
    connection_fail(connection, STATUS_PROTOCOL_ERROR, "StatSN %08x came where %08x was due",
                    stat_sn, connection->exp_stat_sn);
    return false;
}
