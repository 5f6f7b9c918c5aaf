/* INQUIRY, READ CAPACITY and REPORT LUNS, over a session that there is or one made for it. */
#include "ima/builtin/builtin.h"

#include "os/process.h"
#include "protocol/bytes.h"
#include "protocol/name.h"
#include "protocol/scsi.h"

#include <string.h>

enum {
    ATTEMPTS = 8,
    PAUSE = 10,       /* milliseconds between two of them, doubled each time: 1.3 s in all */
    FULL_FEATURE = 2, /* connection_info.state */
    LENGTH_MOST = 16 << 20,
    INQUIRY_MOST = 65535,
    CAPACITY_LEAST = 8,
};
#define ANY_PORT       0xffffffffu
#define REPORT_LUNS_WK UINT64_C(0xc101000000000000) /* SAM: the well known logical unit */

struct buffers {
    IMA_BYTE *data;
    IMA_UINT *data_length;
    IMA_BYTE *sense;
    IMA_UINT *sense_length; /* may be NULL */
};

/* --- the session --- */

struct used_session {
    struct unique_id id;
    bool ours; /* it is to be logged out again */
};

static bool is_usable(const struct session_info *session, const char *target)
{
    bool live = false;
    for (uint32_t i = 0; i < session->connections.count; i++)
        live = live || session->connections.items[i].state == FULL_FEATURE;
    return live && name_equal(session->target_name, target);
}

static enum status find_session(const char *target, struct used_session *out)
{
    struct os_arena arena = {0};
    struct reply_list_sessions reply;
    const struct request_list_sessions request = {0};
    enum status status = door_call(OPERATION_list_sessions, &request, &reply, &arena);
    bool found = false;
    for (uint32_t i = 0; status == STATUS_OK && !found && i < reply.sessions.count; i++) {
        found = is_usable(&reply.sessions.items[i], target);
        if (found)
            *out = (struct used_session){*reply.sessions.items[i].id, false};
    }
    os_arena_clear(&arena);
    return status == STATUS_OK && !found ? STATUS_SESSION_NOT_FOUND : status;
}

/* Informational: no devices are made of its units. */
static enum status make_session(const char *target, struct used_session *out)
{
    struct os_arena arena = {0};
    struct reply_login reply;
    const struct request_login request = {
        .target = target, .informational = 1, .initiator_port = ANY_PORT};
    enum status status = door_call(OPERATION_login, &request, &reply, &arena);
    if (status == STATUS_OK)
        *out = (struct used_session){*reply.session, true};
    os_arena_clear(&arena);
    return status;
}

/* Another caller may have made one meanwhile. */
static enum status take_session(const char *target, struct used_session *out)
{
    enum status status = STATUS_SESSION_NOT_FOUND;
    for (int i = 0;
         i < ATTEMPTS && (status == STATUS_SESSION_NOT_FOUND || status == STATUS_ALREADY_LOGGED_IN);
         i++) {
        status = find_session(target, out);
        if (status == STATUS_SESSION_NOT_FOUND)
            status = make_session(target, out);
    }
    return status;
}

static void release_session(const struct used_session *session)
{
    const struct request_logout request = {.session = &session->id};
    if (session->ours)
        door_call(OPERATION_logout, &request, NULL, NULL);
}

/* --- the command --- */

static IMA_STATUS status_of(uint8_t scsi_status)
{
    switch (scsi_status) {
    case SCSI_CONDITION_MET:
        return IMA_STATUS_SCSI_STATUS_CONDITION_MET;
    case SCSI_BUSY:
        return IMA_ERROR_SCSI_STATUS_BUSY;
    case SCSI_RESERVATION_CONFLICT:
        return IMA_ERROR_SCSI_STATUS_RESERVATION_CONFLICT;
    case SCSI_TASK_SET_FULL:
        return IMA_ERROR_SCSI_STATUS_TASK_SET_FULL;
    case SCSI_ACA_ACTIVE:
        return IMA_ERROR_SCSI_STATUS_ACA_ACTIVE;
    case SCSI_TASK_ABORTED:
        return IMA_ERROR_SCSI_STATUS_TASK_ABORTED;
    default:
        return IMA_ERROR_SCSI_STATUS_CHECK_CONDITION;
    }
}

static IMA_UINT copy(const struct blob *from, IMA_BYTE *to, IMA_UINT room)
{
    IMA_UINT length = from->length < room ? from->length : room;
    if (length > 0)
        memcpy(to, from->data, length);
    return length;
}

static void give_sense(const struct blob *sense, const struct buffers *buffers)
{
    if (buffers->sense_length != NULL)
        *buffers->sense_length =
            buffers->sense != NULL ? copy(sense, buffers->sense, *buffers->sense_length) : 0;
}

static IMA_STATUS take_answer(enum status status, const struct reply_scsi *reply,
                              const struct buffers *buffers)
{
    if (status != STATUS_OK && status != STATUS_SCSI_STATUS)
        return builtin_status(status);
    IMA_STATUS result = status == STATUS_OK ? IMA_STATUS_SUCCESS : status_of(reply->status);
    if (IMA_SUCCESS(result))
        *buffers->data_length = copy(&reply->data, buffers->data, *buffers->data_length);
    else if (result == IMA_ERROR_SCSI_STATUS_CHECK_CONDITION)
        give_sense(&reply->sense, buffers);
    return result;
}

/* Who made the session that others use as well ends it when its own command is done. */
static bool is_between_sessions(enum status status)
{
    return status == STATUS_SESSION_NOT_FOUND || status == STATUS_ALREADY_LOGGED_IN ||
           status == STATUS_CANCELLED || status == STATUS_CONNECTION_LEAVING ||
           status == STATUS_SESSION_BUSY;
}

/* A session that goes away under the command is no reason to fail: there may be another. */
static IMA_STATUS run(const char *target, struct request_scsi *request,
                      const struct buffers *buffers)
{
    struct os_arena arena = {0};
    struct reply_scsi reply = {0};
    struct used_session session;
    enum status status = STATUS_SESSION_NOT_FOUND;
    for (int i = 0; i < ATTEMPTS && is_between_sessions(status); i++) {
        if (i > 0)
            os_sleep((uint64_t)PAUSE << (i - 1));
        status = take_session(target, &session);
        if (status != STATUS_OK)
            continue;
        request->session = &session.id;
        status = door_call(OPERATION_scsi, request, &reply, &arena);
        release_session(&session);
    }
    IMA_STATUS result = take_answer(status, &reply, buffers);
    os_arena_clear(&arena);
    return result;
}

/* To the unit, or unit 0 of the target. */
static IMA_STATUS address(IMA_OID oid, const char **target, uint64_t *lun)
{
    const struct object *object;
    IMA_STATUS status = oid.objectType == IMA_OBJECT_TYPE_TARGET
                            ? builtin_check_target(oid, &object)
                            : builtin_check_unit(oid, &object);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    *target = object->identity.name;
    *lun = object->identity.lun;
    return status;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* --- the three --- */

IMA_STATUS builtin_LuInquiry(IMA_OID deviceOid, IMA_BOOL evpd, IMA_BOOL cmddt, IMA_BYTE pageCode,
                             IMA_BYTE *pOutputBuffer, IMA_UINT *pOutputBufferLength,
                             IMA_BYTE *pSenseBuffer, IMA_UINT *pSenseBufferLength)
{
    const struct buffers buffers = {pOutputBuffer, pOutputBufferLength, pSenseBuffer,
                                    pSenseBufferLength};
    uint8_t cdb[6] = {0x12};
    const char *target;
    struct request_scsi request = {.cdb = {cdb, sizeof cdb}};
    IMA_STATUS status = address(deviceOid, &target, &request.lun);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    request.length = least(*pOutputBufferLength, INQUIRY_MOST);
    cdb[1] = (uint8_t)((evpd ? 1 : 0) | (cmddt ? 2 : 0));
    cdb[2] = pageCode;
    put_be16(cdb + 3, (uint16_t)request.length);
    return run(target, &request, &buffers);
}

IMA_STATUS builtin_LuReadCapacity(IMA_OID deviceOid, IMA_UINT cdbLength, IMA_BYTE *pOutputBuffer,
                                  IMA_UINT *pOutputBufferLength, IMA_BYTE *pSenseBuffer,
                                  IMA_UINT *pSenseBufferLength)
{
    const struct buffers buffers = {pOutputBuffer, pOutputBufferLength, pSenseBuffer,
                                    pSenseBufferLength};
    uint8_t cdb[16] = {0x25};
    const char *target;
    struct request_scsi request = {.cdb = {cdb, cdbLength}};
    IMA_STATUS status = address(deviceOid, &target, &request.lun);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    request.length = least(*pOutputBufferLength, LENGTH_MOST);
    if (cdbLength == 16) {
        cdb[0] = 0x9e; /* SERVICE ACTION IN (16) */
        cdb[1] = 0x10;
        put_be32(cdb + 10, request.length);
    } else if (request.length < CAPACITY_LEAST) {
        request.length = CAPACITY_LEAST; /* that command has no allocation length */
    }
    return run(target, &request, &buffers);
}

IMA_STATUS builtin_LuReportLuns(IMA_OID deviceOid, IMA_BOOL sendToWellKnownLu,
                                IMA_BYTE selectReport, IMA_BYTE *pOutputBuffer,
                                IMA_UINT *pOutputBufferLength, IMA_BYTE *pSenseBuffer,
                                IMA_UINT *pSenseBufferLength)
{
    const struct buffers buffers = {pOutputBuffer, pOutputBufferLength, pSenseBuffer,
                                    pSenseBufferLength};
    uint8_t cdb[12] = {0xa0, 0, selectReport};
    const char *target;
    struct request_scsi request = {.cdb = {cdb, sizeof cdb}};
    IMA_STATUS status = address(deviceOid, &target, &request.lun);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    if (deviceOid.objectType == IMA_OBJECT_TYPE_TARGET && sendToWellKnownLu)
        request.lun = REPORT_LUNS_WK;
    request.length = least(*pOutputBufferLength, LENGTH_MOST);
    put_be32(cdb + 6, request.length);
    return run(target, &request, &buffers);
}
