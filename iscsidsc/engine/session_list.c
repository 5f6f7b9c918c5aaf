/* The session list as callers see it. */
#include "engine/connections.h"
#include "os/memory.h"

enum { TYPE_INFORMATIONAL = 1, TYPE_DATA = 2 };
/* Values of ISCSI_CONNECTION_INFO_EX.State. */
enum { STATE_FULL_FEATURE = 2, STATE_LOGOUT = 3 };

/* Does it stand? Of one that is lost there is nothing to tell. */
static bool is_listed(const struct engine_connection *connection)
{
    return connection->state == ENGINE_CONNECTION_LIVE ||
           connection->state == ENGINE_CONNECTION_LEAVING;
}

static uint8_t state_of(const struct engine_connection *connection)
{
    bool leaving = connection->state == ENGINE_CONNECTION_LEAVING ||
                   connection->session->state == ENGINE_SESSION_LOGOUT;
    return leaving ? STATE_LOGOUT : STATE_FULL_FEATURE;
}

static bool describe_connection(const struct engine_connection *from, struct os_arena *arena,
                                struct connection_info *out)
{
    const struct connection *connection = contact_connection(from->contact);
    const struct key_values *values = connection_values(connection);
    char host[OS_HOST_TEXT] = "0.0.0.0";
    if (from->has_local)
        os_address_format(&from->local, host, &out->initiator_socket);
    out->initiator_address = os_arena_text(arena, host);
    out->id = &from->id;
    out->target_address = from->address;
    out->target_socket = from->socket;
    out->cid = from->cid;
    out->state = state_of(from);
    out->header_digest = values->header_digest;
    out->data_digest = values->data_digest;
    out->max_recv_data_segment_length = values->max_recv_data_segment_length;
    out->auth_type = (uint32_t)connection_auth(connection);
    return out->initiator_address != NULL;
}

static bool describe_connections(const struct engine_session *session, struct os_arena *arena,
                                 struct connection_info_list *out)
{
    size_t room = engine_connections_count(session);
    struct connection_info *items = os_arena_alloc(arena, (room + 1) * sizeof *items);
    uint32_t count = 0;
    if (items == NULL)
        return false;
    LIST_EACH(node, &session->connections)
    {
        const struct engine_connection *connection = ENGINE_CONNECTION(node);
        if (is_listed(connection) && !describe_connection(connection, arena, &items[count++]))
            return false;
    }
    *out = (struct connection_info_list){items, count};
    return true;
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
    if (!describe_connections(session, arena, &out->connections))
        return false;
    describe_values(session_values(core), out);
    out->id = &session->id;
    out->initiator_name = session_settings(core)->initiator_name;
    out->target_name = session->target;
    out->isid = (struct blob){session->isid, PDU_ISID_LENGTH};
    out->tsih = session_tsih(core);
    out->type = session->informational ? TYPE_INFORMATIONAL : TYPE_DATA;
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
