/* Is the target still there? Whatever comes from it says so; in silence it is asked by a NOP-Out
 * (RFC 7143, 11.18). */
#include "initiator/internal.h"

void alive_start(struct connection *connection)
{
    uint32_t idle = connection->session->settings.timeouts.idle;

    connection->heard = connection->now;
    connection->pinged = 0;
    connection->due = idle > 0 ? connection->now + idle : INITIATOR_NEVER;
}

static uint32_t patience(const struct session_timeouts *timeouts)
{
    return timeouts->ping > 0 ? timeouts->ping : timeouts->command;
}

static void ping(struct connection *connection)
{
    struct session *session = connection->session;
    struct pdu pdu = {.opcode = PDU_NOP_OUT, .immediate = true, .final = true};

    connection->pinged = connection->now;
    connection->due = connection->now + patience(&session->settings.timeouts);
    pdu.itt = tag_take(&session->tags, SLOT_ABANDONED, NULL, connection);
    if (pdu.itt == PDU_RESERVED_TAG)
        return; /* so much is under way that its times will tell */
    pdu.nop_out.ttt = PDU_RESERVED_TAG;
    pdu.nop_out.cmd_sn = session->cmd_sn;
    pdu.nop_out.exp_stat_sn = connection->stat_sn.next;
    output_send(connection, &pdu, NULL, 0);
}

void alive_tick(struct connection *connection)
{
    uint32_t idle = connection->session->settings.timeouts.idle;
    uint64_t quiet = connection->heard + idle;

    if (quiet > connection->now) { /* data flowing is life */
        connection->due = quiet;
    } else if (connection->heard >= connection->pinged) { /* since the last time, too */
        ping(connection);
    } else {
        connection_fail(connection, STATUS_TRANSPORT_ERROR, "no sign of life for %llu ms",
                        (unsigned long long)(connection->now - connection->heard));
    }
}
