/* Which ways of discovering targets are open. They are the LHBA's: a PHBA shows them. */
#include "ima/builtin/builtin.h"

#include "engine/adapter_settings.h"
#include "protocol/isns.h"

#include <string.h>

static IMA_STATUS check_hba(IMA_OID oid)
{
    return oid.objectType == IMA_OBJECT_TYPE_LHBA ? builtin_check_lhba(oid)
                                                  : builtin_check_port(oid);
}

static IMA_XBOOL is_enabled(const struct reply_get_discovery *from, enum discovery_method method)
{
    return (from->enabled & (uint32_t)method) != 0 ? IMA_TRUE : IMA_FALSE;
}

static void tell_server(const char *server, IMA_HOST_ID *out)
{
    struct portal_address where;
    bool known = server != NULL && server_parse(server, ISNS_DEFAULT_PORT, &where) == STATUS_OK;
    builtin_to_host(known ? where.host : NULL, out);
}

IMA_STATUS builtin_GetDiscoveryProperties(IMA_OID oid, IMA_DISCOVERY_PROPERTIES *pProps)
{
    struct os_arena arena = {0};
    struct reply_get_discovery reply;
    const struct request_get_discovery request = {0};
    IMA_BOOL settable = oid.objectType == IMA_OBJECT_TYPE_LHBA ? IMA_TRUE : IMA_FALSE;
    IMA_STATUS status = check_hba(oid);
    if (status == IMA_STATUS_SUCCESS)
        status = builtin_ask(OPERATION_get_discovery, &request, &reply, &arena);
    if (status == IMA_STATUS_SUCCESS) {
        memset(pProps, 0, sizeof *pProps);
        pProps->iSnsDiscoverySettable = settable;
        pProps->iSnsDiscoveryEnabled = is_enabled(&reply, DISCOVERY_ISNS);
        pProps->iSnsDiscoveryMethod = IMA_ISNS_DISCOVERY_METHOD_STATIC;
        tell_server(reply.isns_server, &pProps->iSnsHost);
        pProps->staticDiscoverySettable = settable;
        pProps->staticDiscoveryEnabled = is_enabled(&reply, DISCOVERY_STATIC);
        pProps->sendTargetsDiscoverySettable = settable;
        pProps->sendTargetsDiscoveryEnabled = is_enabled(&reply, DISCOVERY_SENDTARGETS);
    }
    os_arena_clear(&arena);
    return status;
}

/* --- setting --- */

/* What is found is told by events. */
static void look(void)
{
    const struct request_describe_targets request = {0};
    struct reply_describe_targets reply;
    struct os_arena arena = {0};
    door_call(OPERATION_describe_targets, &request, &reply, &arena);
    os_arena_clear(&arena);
}

static IMA_STATUS set(IMA_OID oid, enum discovery_method method, IMA_BOOL enable,
                      const char *isns_server)
{
    const struct request_set_discovery request = {
        .method = (uint32_t)method, .enabled = enable != 0, .isns_server = isns_server};
    IMA_STATUS status = check_hba(oid);
    if (status == IMA_STATUS_SUCCESS && oid.objectType != IMA_OBJECT_TYPE_LHBA)
        status = IMA_ERROR_NOT_SUPPORTED;
    if (status == IMA_STATUS_SUCCESS)
        status = builtin_ask(OPERATION_set_discovery, &request, NULL, NULL);
    if (status == IMA_STATUS_SUCCESS && enable)
        look();
    return status;
}

/* Nobody asks DHCP or SLP where the server is. Without a host the servers on the list are meant. */
IMA_STATUS builtin_SetIsnsDiscovery(IMA_OID oid, IMA_BOOL enableIsnsDiscovery,
                                    IMA_ISNS_DISCOVERY_METHOD discoveryMethod,
                                    const IMA_HOST_ID *iSnsHost)
{
    char host[BUILTIN_HOST_ROOM] = "";
    IMA_STATUS status = check_hba(oid);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    if (enableIsnsDiscovery && discoveryMethod != IMA_ISNS_DISCOVERY_METHOD_STATIC)
        return IMA_ERROR_NOT_SUPPORTED;
    if (enableIsnsDiscovery && iSnsHost != NULL && !builtin_from_host(iSnsHost, host))
        return IMA_ERROR_INVALID_PARAMETER;
    return set(oid, DISCOVERY_ISNS, enableIsnsDiscovery, host[0] != '\0' ? host : NULL);
}

/* There is no SLP. */
IMA_STATUS builtin_SetSlpDiscovery(IMA_OID oid, IMA_BOOL enableSlpDiscovery)
{
    IMA_STATUS status = check_hba(oid);
    (void)enableSlpDiscovery;
    return status == IMA_STATUS_SUCCESS ? IMA_ERROR_NOT_SUPPORTED : status;
}

IMA_STATUS builtin_SetStaticDiscovery(IMA_OID oid, IMA_BOOL enableStaticDiscovery)
{
    return set(oid, DISCOVERY_STATIC, enableStaticDiscovery, NULL);
}

/* Targets are not asked for others but where they are discovery addresses. */
IMA_STATUS builtin_SetSendTargetsDiscovery(IMA_OID oid, IMA_BOOL enableSendTargetsDiscovery)
{
    const struct object *target;
    if (oid.objectType != IMA_OBJECT_TYPE_TARGET)
        return set(oid, DISCOVERY_SENDTARGETS, enableSendTargetsDiscovery, NULL);
    IMA_STATUS status = builtin_check_target(oid, &target);
    return status == IMA_STATUS_SUCCESS ? IMA_ERROR_NOT_SUPPORTED : status;
}
