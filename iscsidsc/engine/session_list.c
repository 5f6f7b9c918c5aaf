/* The session list as callers see it. */
#include "engine/sessions.h"
#include "os/memory.h"

enum { TYPE_INFORMATIONAL = 1, TYPE_DATA = 2 };
/* Values of ISCSI_CONNECTION_INFO_EX.State. */
enum { STATE_LOGIN = 1, STATE_FULL_FEATURE = 2, STATE_LOGOUT = 3 };

static uint8_t state_of(const struct engine_session *session)
{
    switch (session->state) {
    case ENGINE_SESSION_LOGIN:
        return STATE_LOGIN;
    case ENGINE_SESSION_LIVE:
    case ENGINE_SESSION_RECONNECT: /* has no connection to tell of */
        return STATE_FULL_FEATURE;
    default:
        return STATE_LOGOUT;
    }
}

static bool describe_connection(const struct engine_session *session, struct os_arena *arena,
                                struct connection_info *out)
{
    const struct connection *connection = contact_connection(session->contact);
    const struct key_values *values = connection_values(connection);
    char host[OS_HOST_TEXT] = "0.0.0.0";
    if (session->has_local)
        os_address_format(&session->local, host, &out->initiator_socket);
    out->initiator_address = os_arena_text(arena, host);
    out->id = &session->connection;
    out->target_address = session->address;
    out->target_socket = session->socket;
    out->cid = connection_cid(connection);
    out->state = state_of(session);
    out->header_digest = values->header_digest;
    out->data_digest = values->data_digest;
    out->max_recv_data_segment_length = values->max_recv_data_segment_length;
    out->auth_type = (uint32_t)connection_auth(connection);
    return out->initiator_address != NULL;
}

static void describe_values(const struct key_values *values, struct session_info *out)
{
    out->initial_r2t = values->initial_r2t;
    out->immediate_data = values->immediate_data;
    out->data_sequence_in_order = values->data_sequence_in_order;
    out->data_pdu_in_order = values->data_pdu_in_order;
    out->error_recovery_level = values->error_recovery_level;
    out->max_outstanding_r2t = values->max_outstanding_r2t;
    out->first_burst_length = values->first_burst_length;
    out->max_burst_length = values->max_burst_length;
    out->max_connections = values->max_connections;
}

static bool describe(const struct engine_session *session, struct os_arena *arena,
                     struct session_info *out)
{
    const struct session *core = contact_session(session->contact);
    struct connection_info *connection = os_arena_alloc(arena, sizeof *connection);
    bool connected = session->state != ENGINE_SESSION_RECONNECT;
    if (connection == NULL || (connected && !describe_connection(session, arena, connection)))
        return false;
    describe_values(session_values(core), out);
    out->id = &session->id;
    out->initiator_name = session_settings(core)->initiator_name;
    out->target_name = session->target;
    out->isid = (struct blob){session->isid, PDU_ISID_LENGTH};
    out->tsih = session_tsih(core);
    out->type = session->informational ? TYPE_INFORMATIONAL : TYPE_DATA;
    out->connections = (struct connection_info_list){connection, connected};
    out->target_alias = session_target_alias(core);
    out->portal_group = session_portal_group(core);
    return true;
}

static enum status list(const struct engine *engine, struct os_arena *arena,
                        struct session_info_list *out)
{
    uint32_t count = 0;
    LIST_EACH(node, &engine->sessions)
    {
        count += LIST_OWNER(node, struct engine_session, link)->state != ENGINE_SESSION_LOGIN;
    }
    struct session_info *items = os_arena_alloc(arena, (count + 1u) * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    count = 0;
    LIST_EACH(node, &engine->sessions)
    {
        const struct engine_session *session = LIST_OWNER(node, struct engine_session, link);
        if (session->state == ENGINE_SESSION_LOGIN)
            continue;
        if (!describe(session, arena, &items[count++]))
            return STATUS_NO_MEMORY;
    }
    *out = (struct session_info_list){items, count};
    return STATUS_OK;
}

void engine_list_sessions(struct engine_call *call)
{
    struct reply_list_sessions reply = {0};
    enum status status = list(call->engine, &call->arena, &reply.sessions);
    engine_finish(call, status, &reply);
}
