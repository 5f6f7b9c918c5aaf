/* CmdSN window, StatSN and DataSN (RFC 7143, 4.2.2). */
#include "initiator/internal.h"

#define SN_WINDOW      64u
#define STATUS_GAP_MAX 4096u

enum sn_order sn_take(struct sn_window *window, uint32_t sn)
{
    uint32_t ahead = sn - window->next;
    uint64_t bit;
    bool came;

    if (serial_less(sn, window->next))
        return SN_SEEN;
    if (ahead > SN_WINDOW)
        return SN_FAR;
    if (ahead > 0) {
        bit = UINT64_C(1) << (ahead - 1);
        if (window->later & bit)
            return SN_SEEN;
        window->later |= bit;
        return SN_EARLY;
    }
    do {
        window->next++;
        came = window->later & 1;
        window->later >>= 1;
    } while (came);
    return SN_NEXT;
}

bool sn_came(const struct sn_window *window, uint32_t sn)
{
    uint32_t ahead = sn - window->next;

    if (serial_less(sn, window->next))
        return true;
    return ahead > 0 && ahead <= SN_WINDOW && (window->later >> (ahead - 1) & 1);
}

uint32_t sn_end(const struct sn_window *window)
{
    uint32_t end = window->next;

    for (uint64_t later = window->later; later; later >>= 1)
        end++;
    return window->later ? end + 1 : end;
}

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

/* What was too far ahead was dropped, and is asked for when all before it came. */
static void ask_for_dropped(struct connection *connection)
{
    struct sn_window *window = &connection->stat_sn;
    uint32_t end = connection->stat_sn_end;

    if (window->later != 0 || !serial_less(window->next, end))
        return;
    connection->stat_sn_end = window->next; /* once */
    snack_status(connection, window->next, end - window->next);
}

bool stat_sn_accept(struct connection *connection, uint32_t stat_sn)
{
    struct sn_window *window = &connection->stat_sn;
    bool recovers =
        connection->state != CONNECTION_LOGIN && connection->values.error_recovery_level > 0;
    uint32_t end;

    if (!connection->stat_sn_known) {
        connection->stat_sn_known = true;
        window->next = connection->stat_sn_end = stat_sn;
    }
    end = sn_end(window);
    switch (recovers || stat_sn == window->next ? sn_take(window, stat_sn) : SN_FAR) {
    case SN_NEXT:
        ask_for_dropped(connection);
        return connection->state != CONNECTION_CLOSED;
    case SN_EARLY: /* the ones before are asked for, once */
        if (serial_less(end, stat_sn))
            snack_status(connection, end, stat_sn - end);
        return connection->state != CONNECTION_CLOSED;
    case SN_SEEN:
        return false; /* the copy tells nothing new */
    case SN_FAR:
        break;
    }
    if (serial_less(stat_sn, window->next))
        return false;
    if (recovers && stat_sn - window->next < STATUS_GAP_MAX) {
        if (serial_less(connection->stat_sn_end, stat_sn + 1))
            connection->stat_sn_end = stat_sn + 1;
        return false;
    }
    /* A status is missing. Where nothing is recovered that ends the connection, and is never
     * jumped over: whatever it completed would be lost without a word. */
    connection_fail(connection, STATUS_PROTOCOL_ERROR, "StatSN %08x came where %08x was due",
                    stat_sn, window->next);
    return false;
}
