#include "initiator/internal.h"

void statistics_add(struct statistics *to, const struct statistics *from)
{
    to->bytes_sent += from->bytes_sent;
    to->bytes_received += from->bytes_received;
    to->pdus_sent += from->pdus_sent;
    to->pdus_received += from->pdus_received;
    to->commands += from->commands;
    to->data_in_bytes += from->data_in_bytes;
    to->data_out_bytes += from->data_out_bytes;
    to->r2ts += from->r2ts;
    to->timeouts += from->timeouts;
    to->header_digest_errors += from->header_digest_errors;
    to->data_digest_errors += from->data_digest_errors;
    to->retries += from->retries;
    to->rejects += from->rejects;
}

const struct statistics *connection_statistics(const struct connection *connection)
{
    return &connection->statistics;
}

void session_statistics(const struct session *session, struct statistics *out)
{
    *out = session->gone;
    LIST_EACH(node, &session->connections)
    {
        statistics_add(out, &LIST_OWNER(node, struct connection, link)->statistics);
    }
}
