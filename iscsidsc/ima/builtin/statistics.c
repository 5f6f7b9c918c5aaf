/* Statistics of targets and units, and what is collected. */
#include "ima/builtin/builtin.h"

#include "engine/statistics.h"
#include "os/system.h"

#include <string.h>

/* What is counted under the name of the object; SUCCESS or OBJECT_NOT_FOUND. */
static IMA_STATUS find(IMA_OID oid, struct request_get_statistics *out)
{
    const struct object *object = NULL;
    IMA_STATUS status;
    *out = (struct request_get_statistics){0};
    if (oid.objectType == IMA_OBJECT_TYPE_TARGET) {
        out->kind = COUNTED_TARGET;
        status = builtin_check_target(oid, &object);
    } else if (oid.objectType == IMA_OBJECT_TYPE_LU) {
        out->kind = COUNTED_UNIT;
        status = builtin_check_unit(oid, &object);
    } else {
        out->kind = COUNTED_INTERFACE;
        status = builtin_check_port(oid);
        object = status == IMA_STATUS_SUCCESS ? builtin_find(oid) : NULL;
    }
    if (status != IMA_STATUS_SUCCESS)
        return status;
    out->name = object->identity.name;
    out->lun = object->identity.lun;
    return status;
}

IMA_STATUS builtin_GetStatisticsProperties(IMA_OID oid, IMA_STATISTICS_PROPERTIES *pProps)
{
    struct request_get_statistics counted;
    struct reply_get_counting reply;
    IMA_STATUS status = find(oid, &counted);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    const struct request_get_counting request = {
        .kind = counted.kind, .name = counted.name, .lun = counted.lun};
    status = builtin_ask(OPERATION_get_counting, &request, &reply, NULL);
    if (status == IMA_STATUS_SUCCESS)
        *pProps = (IMA_STATISTICS_PROPERTIES){IMA_TRUE, reply.enabled ? IMA_TRUE : IMA_FALSE};
    return status;
}

IMA_STATUS builtin_SetStatisticsCollection(IMA_OID oid, IMA_BOOL enableStatisticsCollection)
{
    struct request_get_statistics counted;
    if (oid.objectType == IMA_OBJECT_TYPE_PHBA || oid.objectType == IMA_OBJECT_TYPE_PNP)
        return builtin_set_port_counting(oid, enableStatisticsCollection);
    IMA_STATUS status = find(oid, &counted);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    const struct request_set_counting request = {.kind = counted.kind,
                                                 .name = counted.name,
                                                 .lun = counted.lun,
                                                 .enabled = enableStatisticsCollection != 0};
    return builtin_ask(OPERATION_set_counting, &request, NULL, NULL);
}

/* SUCCESS, or LU_NOT_EXPOSED: neither the unit, nor any unit of the target, is exposed. */
static IMA_STATUS check_exposed(const struct request_get_statistics *counted)
{
    struct os_arena arena = {0};
    struct reply_list_units reply;
    const uint64_t *lun = counted->kind == COUNTED_UNIT ? &counted->lun : NULL;
    IMA_STATUS status = builtin_units(counted->name, &arena, &reply);
    if (status == IMA_STATUS_SUCCESS &&
        !builtin_is_exposed(reply.units.items, reply.units.count, lun))
        status = IMA_ERROR_LU_NOT_EXPOSED;
    os_arena_clear(&arena);
    return status;
}

/* Nobody measures the time that is spent. */
IMA_STATUS builtin_GetDeviceStatistics(IMA_OID oid, IMA_DEVICE_STATISTICS *pStats)
{
    struct request_get_statistics request;
    struct reply_get_statistics reply;
    IMA_STATUS status = find(oid, &request);
    if (status == IMA_STATUS_SUCCESS)
        status = check_exposed(&request);
    if (status == IMA_STATUS_SUCCESS)
        status = builtin_ask(OPERATION_get_statistics, &request, &reply, NULL);
    if (status == IMA_STATUS_SUCCESS)
        *pStats = (IMA_DEVICE_STATISTICS){.scsiPayloadBytesSent = reply.data_out_bytes,
                                          .scsiPayloadBytesReceived = reply.data_in_bytes,
                                          .iScsiPduBytesSent = reply.bytes_sent,
                                          .iScsiPduBytesReceived = reply.bytes_received,
                                          .iScsiPdusSent = reply.pdus_sent,
                                          .iScsiPdusReceived = reply.pdus_received};
    return status;
}

static void tell_errors(const struct reply_get_statistics *from, IMA_TARGET_ERROR_STATISTICS *out)
{
    memset(out, 0, sizeof *out);
    out->loginFailedCountValid = IMA_TRUE;
    out->loginFailedCount = (IMA_UINT32)from->login_failures;
    out->sessionFailedCountValid = IMA_TRUE;
    out->sessionFailedCount = (IMA_UINT32)from->session_failures;
    out->headerOrDigestSessionFailedCountValid = IMA_TRUE;
    out->headerOrDigestSessionFailedCount = (IMA_UINT32)from->digest_errors;
    out->timeLimitExceededSessionFailedCountValid = IMA_TRUE;
    out->timeLimitExceededSessionFailedCount = (IMA_UINT32)from->time_failures;
    out->formatErrorSessionFailedCountValid = IMA_TRUE;
    out->formatErrorSessionFailedCount = (IMA_UINT32)from->format_failures;
    out->closedConnectionDueToTimeoutCountValid = IMA_TRUE;
    out->closedConnectionDueToTimeoutCount = (IMA_UINT32)from->connection_timeouts;
    if (from->last_failure == 0)
        return;
    out->lastLoginFailureTimeValid = IMA_TRUE;
    os_local_time(from->last_failure, &out->lastLoginFailureTime);
}

IMA_STATUS builtin_GetTargetErrorStatistics(IMA_OID targetOid, IMA_TARGET_ERROR_STATISTICS *pStats)
{
    struct request_get_statistics request;
    struct reply_get_statistics reply;
    IMA_STATUS status = find(targetOid, &request);
    if (status == IMA_STATUS_SUCCESS)
        status = builtin_ask(OPERATION_get_statistics, &request, &reply, NULL);
    if (status == IMA_STATUS_SUCCESS)
        tell_errors(&reply, pStats);
    return status;
}
