/* Login, logout and what sessions there are. */
#include "msapi/call.h"
#include "msapi/mappings.h"
#include "msapi/pack.h"

#include <string.h>

enum { PROTOCOL_TCP = 6 };

static void put_little_endian(UCHAR out[2], uint16_t value)
{
    out[0] = (UCHAR)value;
    out[1] = (UCHAR)(value >> 8);
}

static ISCSI_UNIQUE_SESSION_ID session_id(const struct unique_id *id)
{
    if (id == NULL)
        return (ISCSI_UNIQUE_SESSION_ID){0};
    return (ISCSI_UNIQUE_SESSION_ID){.AdapterUnique = id->adapter, .AdapterSpecific = id->specific};
}

static ISCSI_UNIQUE_CONNECTION_ID connection_id(const struct unique_id *id)
{
    if (id == NULL)
        return (ISCSI_UNIQUE_CONNECTION_ID){0};
    return (ISCSI_UNIQUE_CONNECTION_ID){.AdapterUnique = id->adapter,
                                        .AdapterSpecific = id->specific};
}

ISDSC_STATUS WINAPI LogoutIScsiTarget(PISCSI_UNIQUE_SESSION_ID session)
{
    struct call call;
    call_begin(&call, TEXT_ANSI);
    if (call_require(&call, session)) {
        struct unique_id id = {.adapter = session->AdapterUnique,
                               .specific = session->AdapterSpecific};
        struct request_logout request = {.session = &id};
        call_engine(&call, OPERATION_logout, &request, NULL);
    }
    return call_end(&call);
}

ISDSC_STATUS WINAPI RemoveIScsiConnection(PISCSI_UNIQUE_SESSION_ID session,
                                          PISCSI_UNIQUE_CONNECTION_ID connection)
{
    struct call call;
    call_begin(&call, TEXT_ANSI);
    call_require(&call, session);
    if (call_require(&call, connection)) {
        struct unique_id of = {.adapter = session->AdapterUnique,
                               .specific = session->AdapterSpecific};
        struct unique_id id = {.adapter = connection->AdapterUnique,
                               .specific = connection->AdapterSpecific};
        struct request_remove_connection request = {.session = &of, .connection = &id};
        call_engine(&call, OPERATION_remove_connection, &request, NULL);
    }
    return call_end(&call);
}

static void *pack_connections_ex(struct pack *pack, const struct session_info *session)
{
    ISCSI_CONNECTION_INFO_EX info;
    if (session->connections.count == 0)
        return NULL;
    size_t array = pack_space(pack, session->connections.count * sizeof info, _Alignof(ULONGLONG));
    for (uint32_t i = 0; i < session->connections.count; i++) {
        const struct connection_info *from = &session->connections.items[i];
        memset(&info, 0, sizeof info);
        info.ConnectionId = connection_id(from->id);
        info.State = from->state;
        info.Protocol = PROTOCOL_TCP;
        info.HeaderDigest = from->header_digest;
        info.DataDigest = from->data_digest;
        info.MaxRecvDataSegmentLength = from->max_recv_data_segment_length;
        info.AuthType = (ISCSI_AUTH_TYPES)from->auth_type;
        pack_store(pack, array + i * sizeof info, &info, sizeof info);
    }
    return pack_address(pack, array);
}

static void fill_session_ex(ISCSI_SESSION_INFO_EX *out, const struct session_info *from)
{
    out->SessionId = session_id(from->id);
    out->InitialR2t = from->initial_r2t;
    out->ImmediateData = from->immediate_data;
    out->Type = from->type;
    out->DataSequenceInOrder = from->data_sequence_in_order;
    out->DataPduInOrder = from->data_pdu_in_order;
    out->ErrorRecoveryLevel = from->error_recovery_level;
    out->MaxOutstandingR2t = from->max_outstanding_r2t;
    out->FirstBurstLength = from->first_burst_length;
    out->MaxBurstLength = from->max_burst_length;
    out->MaximumConnections = from->max_connections;
    out->ConnectionCount = from->connections.count;
}

ISDSC_STATUS WINAPI GetIScsiSessionListEx(ULONG *size, ULONG *count, PISCSI_SESSION_INFO_EX buffer)
{
    struct call call;
    struct request_list_sessions request = {0};
    struct reply_list_sessions reply;
    call_begin(&call, TEXT_ANSI);
    call_require(&call, size);
    call_require(&call, count);
    if (!call_engine(&call, OPERATION_list_sessions, &request, &reply))
        return call_end(&call);

    struct pack pack;
    ISCSI_SESSION_INFO_EX info;
    pack_begin(&pack, buffer);
    size_t array = pack_space(&pack, reply.sessions.count * sizeof info, _Alignof(ULONGLONG));
    for (uint32_t i = 0; i < reply.sessions.count; i++) {
        memset(&info, 0, sizeof info);
        fill_session_ex(&info, &reply.sessions.items[i]);
        info.Connections = pack_connections_ex(&pack, &reply.sessions.items[i]);
        pack_store(&pack, array + i * sizeof info, &info, sizeof info);
    }
    *count = reply.sessions.count;
    call_end(&call);
    return pack_end(&pack, size, 1);
}

#define FORM_FILE "msapi/sessions.inc"
#include "msapi/both_forms.h"
