/*
 * The management API and the discovery library in one program: what the one does shows in the
 * other, and what is set by the one holds for the logins of the other.
 */
#include "msapi_support.h"

#include <wchar.h>

#include "ima.h"

#include <stdio.h>
#include <stdlib.h>

#define OPEN TARGET_BASE ":open"
#define CHAP TARGET_BASE ":chap"

#define IMA(code, call) expect_ima((code), (call), #call, __LINE__)
#define WORKS(call)     IMA(IMA_STATUS_SUCCESS, call)

static void expect_ima(IMA_STATUS expected, IMA_STATUS got, const char *call, int line)
{
    if (expected != got)
        fail_msg("line %d: %s: expected %08lx, got %08lx", line, call, (unsigned long)expected,
                 (unsigned long)got);
}

/* --- objects --- */

static IMA_OID lhba(void)
{
    IMA_OID_LIST *list;
    WORKS(IMA_GetLhbaOidList(&list));
    assert_true(list->oidCount >= 1);
    IMA_OID first = list->oids[0];
    WORKS(IMA_FreeMemory(list));
    return first;
}

static bool same(IMA_OID a, IMA_OID b)
{
    return a.objectType == b.objectType && a.ownerId == b.ownerId &&
           a.objectSequenceNumber == b.objectSequenceNumber;
}

static bool is_text(const IMA_WCHAR *wide_text, const char *ascii)
{
    while (*ascii != '\0' && *wide_text == (IMA_WCHAR)(unsigned char)*ascii)
        wide_text++, ascii++;
    return *wide_text == 0 && *ascii == '\0';
}

static void put_text(IMA_WCHAR *out, const char *ascii)
{
    do
        *out++ = (IMA_WCHAR)(unsigned char)*ascii;
    while (*ascii++ != '\0');
}

/* False: it is not listed. */
static bool find_target(const char *name, IMA_OID *out)
{
    IMA_OID_LIST *list;
    IMA_TARGET_PROPERTIES properties;
    bool found = false;
    WORKS(IMA_GetTargetOidList(lhba(), &list));
    for (IMA_UINT i = 0; i < list->oidCount && !found; i++) {
        if (IMA_GetTargetProperties(list->oids[i], &properties) != IMA_STATUS_SUCCESS)
            continue;
        found = is_text(properties.name, name);
        *out = list->oids[i];
    }
    WORKS(IMA_FreeMemory(list));
    return found;
}

static IMA_OID target(const char *name)
{
    IMA_OID oid = {0};
    if (!find_target(name, &oid))
        fail_msg("%s is not listed", name);
    return oid;
}

static void lun_bytes(ULONGLONG number, IMA_BYTE out[8])
{
    memset(out, 0, 8);
    out[1] = (IMA_BYTE)number;
}

static IMA_OID unit(const char *name, ULONGLONG number)
{
    IMA_OID oid;
    IMA_BYTE lun[8];
    lun_bytes(number, lun);
    WORKS(IMA_GetLuOid(target(name), lun, &oid));
    return oid;
}

static IMA_TARGET_ADDRESS address_of(const struct endpoint *at)
{
    IMA_TARGET_ADDRESS address = {.portNumber = at->port};
    address.hostnameIpAddress.id.ipAddress.ipv4Address = IMA_TRUE;
    unsigned bytes[4];
    assert_int_equal(sscanf(at->host, "%u.%u.%u.%u", &bytes[0], &bytes[1], &bytes[2], &bytes[3]),
                     4);
    for (size_t i = 0; i < 4; i++)
        address.hostnameIpAddress.id.ipAddress.ipAddress[i] = (IMA_BYTE)bytes[i];
    return address;
}

static IMA_UINT count_of(IMA_STATUS status, IMA_OID_LIST *list)
{
    WORKS(status);
    IMA_UINT count = list->oidCount;
    WORKS(IMA_FreeMemory(list));
    return count;
}

static IMA_UINT count_exposed(IMA_OID of)
{
    IMA_OID_LIST *list;
    IMA_STATUS status = IMA_GetLuOidList(of, &list);
    return count_of(status, list);
}

/* Those of the peer before have the same names. */
static ISDSC_STATUS find_targets_of(const struct peer *peer)
{
    forget_targets();
    return add_portal(&peer->portal, NULL);
}

/* --- discovery addresses and static targets --- */

static void addresses_are_the_same_on_both_sides(void **state)
{
    const struct peer *peer = *state;
    IMA_OID oid, again, found;
    IMA_OID_LIST *list;
    IMA_DISCOVERY_ADDRESS_PROPERTIES properties;
    IMA_TARGET_PROPERTIES target_properties;
    IMA_ADDRESS_KEYS *keys;
    ULONG count;
    WORKS(IMA_AddDiscoveryAddress(lhba(), address_of(&peer->portal), &oid));
    WORKS(IMA_AddDiscoveryAddress(lhba(), address_of(&peer->portal), &again));
    assert_true(same(oid, again));
    PISCSI_TARGET_PORTAL_INFO_EXA portals = list_portals(&count);
    assert_int_equal(count, 1);
    assert_string_equal(portals[0].Address, peer->portal.host);
    assert_int_equal(portals[0].Socket, peer->portal.port);
    WORKS(IMA_GetDiscoveryAddressProperties(oid, &properties));
    assert_int_equal(properties.discoveryAddress.portNumber, peer->portal.port);
    assert_true(same(properties.associatedLhbaOid, lhba()));
    found = target(OPEN);
    assert_true(target_known(OPEN));
    WORKS(IMA_GetTargetProperties(found, &target_properties));
    assert_int_equal(target_properties.discoveryMethodFlags,
                     IMA_TARGET_DISCOVERY_METHOD_SENDTARGETS);
    WORKS(IMA_GetAddressKeys(found, &keys));
    assert_true(keys->addressKeyCount >= 1);
    assert_true(keys->addressKeys[0].portNumberValid);
    WORKS(IMA_FreeMemory(keys));
    WORKS(IMA_RemoveDiscoveryAddress(oid));
    IMA(IMA_ERROR_OBJECT_NOT_FOUND, IMA_RemoveDiscoveryAddress(oid));
    list_portals(&count);
    assert_int_equal(count, 0);
    /* And the other way round. */
    SUCCEEDS(add_portal(&peer->portal, NULL));
    WORKS(IMA_GetDiscoveryAddressOidList(lhba(), &list));
    assert_int_equal(list->oidCount, 1);
    WORKS(IMA_GetDiscoveryAddressProperties(list->oids[0], &properties));
    assert_int_equal(properties.discoveryAddress.portNumber, peer->portal.port);
    WORKS(IMA_FreeMemory(list));
}

static IMA_UINT count_static(void)
{
    IMA_OID_LIST *list;
    IMA_STATUS status = IMA_GetStaticDiscoveryTargetOidList(lhba(), &list);
    return count_of(status, list);
}

static void static_targets_are_the_same_on_both_sides(void **state)
{
    const struct peer *peer = *state;
    static char name[] = TARGET_BASE ":described";
    IMA_STATIC_DISCOVERY_TARGET described = {.targetAddress = address_of(&peer->portal)};
    IMA_STATIC_DISCOVERY_TARGET_PROPERTIES properties;
    IMA_TARGET_PROPERTIES target_properties;
    IMA_OID first, second, found;
    put_text(described.targetName, "IQN.2026-11.org.example:Described");
    WORKS(IMA_AddStaticDiscoveryTarget(lhba(), described, &first));
    described.targetAddress.portNumber = 9;
    WORKS(IMA_AddStaticDiscoveryTarget(lhba(), described, &second));
    assert_false(same(first, second));
    assert_int_equal(count_static(), 2);
    assert_true(target_known(name));
    WORKS(IMA_GetStaticDiscoveryTargetProperties(second, &properties));
    assert_true(is_text(properties.staticConfigTarget.targetName, name));
    assert_int_equal(properties.staticConfigTarget.targetAddress.portNumber, 9);
    WORKS(IMA_GetTargetProperties(target(name), &target_properties));
    assert_int_equal(target_properties.discoveryMethodFlags, IMA_TARGET_DISCOVERY_METHOD_STATIC);
    WORKS(IMA_RemoveStaticDiscoveryTarget(first));
    assert_int_equal(count_static(), 1);
    assert_true(target_known(name));
    SUCCEEDS(RemoveIScsiStaticTargetA(name));
    assert_false(find_target(name, &found));
    IMA(IMA_ERROR_OBJECT_NOT_FOUND, IMA_RemoveStaticDiscoveryTarget(second));
    SUCCEEDS(AddIScsiStaticTargetA(name, NULL, 0, FALSE, NULL, NULL, NULL));
    assert_int_equal(count_static(), 1);
    target(name);
    SUCCEEDS(RemoveIScsiStaticTargetA(name));
    described.portalGroupTagValid = IMA_TRUE;
    IMA(IMA_ERROR_NOT_SUPPORTED, IMA_AddStaticDiscoveryTarget(lhba(), described, NULL));
}

/* --- sessions, units and statistics --- */

static void read_capacity(ISCSI_UNIQUE_SESSION_ID *session, ULONGLONG lun)
{
    UCHAR status, capacity[8], sense[64];
    ULONG length = sizeof capacity, sense_length = sizeof sense;
    SUCCEEDS(SendScsiReadCapacity(session, lun, &status, &length, capacity, &sense_length, sense));
}

static ULONG count_devices(ISCSI_UNIQUE_SESSION_ID *session)
{
    ISCSI_DEVICE_ON_SESSIONA devices[8];
    ULONG count = 8;
    SUCCEEDS(GetDevicesForIScsiSessionA(session, &count, devices));
    return count;
}

static void sessions_show_with_units_and_statistics(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID session;
    IMA_DEVICE_STATISTICS before, after;
    IMA_STATISTICS_PROPERTIES collection;
    IMA_LU_PROPERTIES properties;
    IMA_BYTE lun[8];
    SUCCEEDS(find_targets_of(peer));
    IMA_OID the_target = target(OPEN), the_unit = unit(OPEN, peer->lun);
    IMA(IMA_ERROR_LU_NOT_EXPOSED, IMA_GetDeviceStatistics(the_target, &before));
    WORKS(IMA_GetLuProperties(the_unit, &properties));
    assert_false(properties.exposedToOs);
    SUCCEEDS(login(OPEN, NULL, NULL, false, &session));
    assert_true(count_exposed(the_target) >= 1);
    assert_true(count_exposed(lhba()) >= 1);
    WORKS(IMA_GetLuProperties(the_unit, &properties));
    lun_bytes(peer->lun, lun);
    assert_memory_equal(properties.targetLun, lun, 8);
    assert_true(properties.exposedToOs);
    assert_true(properties.timeExposedToOs.tm_year >= 124);
    assert_true(properties.osDeviceNameValid);
    assert_true(same(properties.associatedTargetOid, the_target));
    ULONG devices = count_devices(&session);
    assert_true(devices >= 1);
    WORKS(IMA_GetDeviceStatistics(the_unit, &before));
    read_capacity(&session, peer->lun);
    WORKS(IMA_GetDeviceStatistics(the_unit, &after));
    assert_int_equal(after.iScsiPdusSent, before.iScsiPdusSent + 1);
    assert_int_equal(after.iScsiPduBytesSent, before.iScsiPduBytesSent + 48);
    assert_int_equal(after.scsiPayloadBytesReceived, before.scsiPayloadBytesReceived + 8);
    assert_true(after.iScsiPduBytesReceived >= before.iScsiPduBytesReceived + 48 + 8);
    WORKS(IMA_GetDeviceStatistics(the_target, &before));
    assert_true(before.iScsiPduBytesSent > after.iScsiPduBytesSent);
    WORKS(IMA_SetStatisticsCollection(the_unit, IMA_FALSE));
    IMA(IMA_ERROR_STATS_COLLECTION_NOT_ENABLED, IMA_GetDeviceStatistics(the_unit, &after));
    WORKS(IMA_GetStatisticsProperties(the_unit, &collection));
    assert_false(collection.statisticsCollectionEnabled);
    WORKS(IMA_SetStatisticsCollection(the_unit, IMA_TRUE));
    WORKS(IMA_GetDeviceStatistics(the_unit, &after));
    assert_int_equal(after.iScsiPdusSent, 0);
    /* A unit that is not exposed is none of the session's devices. */
    IMA(IMA_ERROR_LU_EXPOSED, IMA_ExposeLu(the_unit));
    WORKS(IMA_UnexposeLu(the_unit));
    IMA(IMA_ERROR_LU_NOT_EXPOSED, IMA_UnexposeLu(the_unit));
    IMA(IMA_ERROR_LU_NOT_EXPOSED, IMA_GetDeviceStatistics(the_unit, &after));
    assert_int_equal(count_devices(&session), devices - 1);
    WORKS(IMA_ExposeLu(the_unit));
    assert_int_equal(count_devices(&session), devices);
    SUCCEEDS(LogoutIScsiTarget(&session));
    assert_int_equal(count_exposed(lhba()), 0);
}

static void what_is_set_is_what_logins_propose(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID session;
    IMA_MIN_MAX_VALUE burst;
    IMA_BOOL_VALUE immediate;
    SUCCEEDS(find_targets_of(peer));
    IMA_OID the_target = target(OPEN);
    WORKS(IMA_GetMaxBurstLengthProperties(lhba(), &burst));
    assert_true(burst.settable);
    WORKS(IMA_GetImmediateDataProperties(lhba(), &immediate));
    WORKS(IMA_SetMaxBurstLength(lhba(), 65536));
    WORKS(IMA_SetMaxBurstLength(the_target, 16384));
    WORKS(IMA_SetImmediateData(lhba(), IMA_FALSE));
    IMA(IMA_ERROR_INVALID_PARAMETER, IMA_SetMaxBurstLength(lhba(), burst.maximumValue + 1));
    SUCCEEDS(login(OPEN, NULL, NULL, false, &session));
    PISCSI_SESSION_INFO_EX info = find_session_ex(&session);
    assert_non_null(info);
    assert_int_equal(info->MaxBurstLength, 16384);
    assert_int_equal(info->ImmediateData, 0);
    SUCCEEDS(LogoutIScsiTarget(&session));
    SUCCEEDS(login(TARGET_BASE ":two-luns", NULL, NULL, false, &session));
    info = find_session_ex(&session);
    assert_non_null(info);
    assert_int_equal(info->MaxBurstLength, 65536);
    SUCCEEDS(LogoutIScsiTarget(&session));
    WORKS(IMA_SetMaxBurstLength(the_target, burst.currentValue));
    WORKS(IMA_SetMaxBurstLength(lhba(), burst.currentValue));
    WORKS(IMA_SetImmediateData(lhba(), immediate.currentValue));
}

static void the_adapter_authenticates_for_all_logins(void **state)
{
    const struct peer *peer = *state;
    static const IMA_AUTHMETHOD chap[] = {IMA_AUTHMETHOD_CHAP, IMA_AUTHMETHOD_NONE};
    static const IMA_AUTHMETHOD none[] = {IMA_AUTHMETHOD_NONE};
    ISCSI_UNIQUE_SESSION_ID session;
    IMA_AUTHMETHOD methods[4];
    IMA_UINT count = 4;
    IMA_INITIATOR_AUTHPARMS *parameters = calloc(1, sizeof *parameters);
    assert_non_null(parameters);
    SUCCEEDS(find_targets_of(peer));
    EXPECT(ISDSC_AUTHENTICATION_FAILURE, login(CHAP, NULL, NULL, false, &session));
    memcpy(parameters->chapParms.name, "chapuser", 8);
    parameters->chapParms.nameLength = 8;
    memcpy(parameters->chapParms.challengeSecret, "chapsecret123", 13);
    parameters->chapParms.challengeSecretLength = 13;
    WORKS(IMA_SetInitiatorAuthParms(lhba(), IMA_AUTHMETHOD_CHAP, parameters));
    WORKS(IMA_SetInitiatorAuthMethods(lhba(), 2, chap));
    WORKS(IMA_GetInUseInitiatorAuthMethods(lhba(), &count, methods));
    assert_int_equal(count, 2);
    assert_int_equal(methods[0], IMA_AUTHMETHOD_CHAP);
    WORKS(IMA_GetInitiatorAuthParms(lhba(), IMA_AUTHMETHOD_CHAP, parameters));
    assert_int_equal(parameters->chapParms.nameLength, 8);
    assert_int_equal(parameters->chapParms.challengeSecretLength, 0);
    assert_int_equal(parameters->chapParms.challengeSecret[0], 0);
    SUCCEEDS(login(CHAP, NULL, NULL, false, &session));
    SUCCEEDS(LogoutIScsiTarget(&session));
    WORKS(IMA_SetInitiatorAuthMethods(lhba(), 1, none));
    EXPECT(ISDSC_AUTHENTICATION_FAILURE, login(CHAP, NULL, NULL, false, &session));
    free(parameters);
}

/* --- commands --- */

static void commands_need_no_session(void **state)
{
    const struct peer *peer = *state;
    IMA_BYTE data[255], sense[64];
    IMA_UINT length = sizeof data, sense_length = sizeof sense;
    if (strcmp(peer->kind, "istgt") == 0) /* each of these logins takes it a second */
        return;
    SUCCEEDS(find_targets_of(peer));
    IMA_OID the_unit = unit(OPEN, peer->lun);
    WORKS(IMA_LuInquiry(the_unit, IMA_FALSE, IMA_FALSE, 0, data, &length, sense, &sense_length));
    assert_true(length >= 36);
    assert_int_equal(data[0] & 0x1f, 0);
    length = 8;
    WORKS(IMA_LuReadCapacity(the_unit, 10, data, &length, NULL, NULL));
    assert_int_equal(length, 8);
    assert_memory_equal(data, "\0\0\x3f\xff\0\0\2\0", 8);
    length = 32;
    WORKS(IMA_LuReadCapacity(the_unit, 16, data, &length, sense, &sense_length));
    assert_memory_equal(data, "\0\0\0\0\0\0\x3f\xff\0\0\2\0", 12);
    length = sizeof data;
    WORKS(IMA_LuReportLuns(target(OPEN), IMA_FALSE, 0, data, &length, sense, &sense_length));
    assert_true(length >= 16);
    assert_int_equal(sense_length, sizeof sense);
    length = sizeof data;
    IMA(IMA_ERROR_SCSI_STATUS_CHECK_CONDITION,
        IMA_LuInquiry(the_unit, IMA_TRUE, IMA_FALSE, 0xee, data, &length, sense, &sense_length));
    assert_in_range(sense_length, 14, sizeof sense);
    assert_int_equal(sense[2] & 0xf, 5); /* ILLEGAL REQUEST */
    assert_int_equal(length, sizeof data);
    assert_int_equal(count_sessions(), 0);
}

/* --- node --- */

static void the_node_is_the_same_on_both_sides(void **state)
{
    IMA_OID node;
    IMA_NODE_PROPERTIES properties;
    IMA_NODE_NAME name;
    CHAR told[MAX_ISCSI_NAME_LEN + 1];
    (void)state;
    WORKS(IMA_GetSharedNodeOid(&node));
    put_text(name, TARGET_BASE ":another");
    WORKS(IMA_SetNodeName(node, name));
    SUCCEEDS(GetIScsiInitiatorNodeNameA(told));
    assert_string_equal(told, TARGET_BASE ":another");
    SUCCEEDS(SetIScsiInitiatorNodeNameA(NULL));
    WORKS(IMA_GetNodeProperties(node, &properties));
    SUCCEEDS(GetIScsiInitiatorNodeNameA(told));
    assert_true(is_text(properties.name, told));
}

/* --- discovery methods --- */

static void closed_ways_of_discovery_find_nothing(void **state)
{
    static char name[] = TARGET_BASE ":way";
    IMA_DISCOVERY_PROPERTIES properties;
    IMA_OID found;
    (void)state;
    SUCCEEDS(AddIScsiStaticTargetA(name, NULL, 0, FALSE, NULL, NULL, NULL));
    WORKS(IMA_SetStaticDiscovery(lhba(), IMA_FALSE));
    assert_false(find_target(name, &found));
    assert_false(target_known(name));
    IMA(IMA_ERROR_LAST_PRIMARY_DISCOVERY_METHOD,
        IMA_SetIsnsDiscovery(lhba(), IMA_FALSE, IMA_ISNS_DISCOVERY_METHOD_STATIC, NULL));
    WORKS(IMA_GetDiscoveryProperties(lhba(), &properties));
    assert_int_equal(properties.staticDiscoveryEnabled, IMA_FALSE);
    assert_int_equal(properties.iSnsDiscoveryEnabled, IMA_TRUE);
    assert_int_equal(properties.slpDiscoverySettable, IMA_FALSE);
    IMA(IMA_ERROR_NOT_SUPPORTED, IMA_SetSlpDiscovery(lhba(), IMA_TRUE));
    WORKS(IMA_SetStaticDiscovery(lhba(), IMA_TRUE));
    assert_true(target_known(name));
    SUCCEEDS(RemoveIScsiStaticTargetA(name));
}

/* --- network --- */

static void ports_have_addresses_and_a_place(void **state)
{
    IMA_OID_LIST *phbas, *lnps, *list;
    IMA_UINT portals = 0;
    (void)state;
    WORKS(IMA_GetPhbaOidList(&phbas));
    WORKS(IMA_GetLnpOidList(&lnps));
    assert_true(phbas->oidCount >= 1);
    assert_int_equal(phbas->oidCount, lnps->oidCount);
    for (IMA_UINT i = 0; i < phbas->oidCount; i++) {
        IMA_PNP_PROPERTIES pnp;
        IMA_IP_PROPERTIES ip;
        WORKS(IMA_GetPnpOidList(phbas->oids[i], &list));
        assert_int_equal(list->oidCount, 1);
        WORKS(IMA_GetPnpProperties(list->oids[0], &pnp));
        assert_true(same(pnp.associatedPhbaOid, phbas->oids[i]));
        WORKS(IMA_GetIpProperties(list->oids[0], &ip));
        assert_false(ip.subnetMaskSettable);
        IMA(IMA_ERROR_NOT_SUPPORTED, IMA_SetIpConfigMethod(list->oids[0], IMA_TRUE));
        WORKS(IMA_FreeMemory(list));
    }
    for (IMA_UINT i = 0; i < lnps->oidCount; i++) {
        WORKS(IMA_GetNetworkPortalOidList(lnps->oids[i], &list));
        for (IMA_UINT p = 0; p < list->oidCount; p++) {
            IMA_NETWORK_PORTAL_PROPERTIES portal;
            WORKS(IMA_GetNetworkPortalProperties(list->oids[p], &portal));
            assert_true(same(portal.associatedLnp, lnps->oids[i]));
            portals++;
        }
        WORKS(IMA_FreeMemory(list));
    }
    assert_true(portals >= 1);
    WORKS(IMA_FreeMemory(phbas));
    WORKS(IMA_FreeMemory(lnps));
}

/* --- events --- */

enum { MANY = 1000, WAIT_MOST = 60000 };

/* Written by the library's thread only; it is read when the number is right. */
static struct {
    volatile unsigned came, went, odd;
    uint64_t came_oids[MANY], went_oids[MANY];
} told;

static void on_visible(IMA_BOOL visible, IMA_OID oid)
{
    if (oid.objectType != IMA_OBJECT_TYPE_TARGET)
        return;
    if (visible && told.came < MANY)
        told.came_oids[told.came] = oid.objectSequenceNumber;
    else if (!visible && told.went < MANY)
        told.went_oids[told.went] = oid.objectSequenceNumber;
    else
        told.odd++;
    if (visible)
        told.came++;
    else
        told.went++;
}

static int by_number(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static void wait_until(const volatile unsigned *count, const char *what)
{
    for (uint64_t end = milliseconds() + WAIT_MOST; *count < MANY;) {
        if (milliseconds() >= end)
            fail_msg("%u of %u targets were told to %s", *count, MANY, what);
        count_sessions(); /* gives the other threads time, and the engine something to do */
    }
}

static void a_thousand_targets_come_and_go_once_each(void **state)
{
    char name[64];
    (void)state;
    memset(&told, 0, sizeof told);
    WORKS(IMA_RegisterForObjectVisibilityChanges(on_visible));
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, TARGET_BASE ":many-%u", i);
        SUCCEEDS(AddIScsiStaticTargetA(name, NULL, 0, FALSE, NULL, NULL, NULL));
    }
    wait_until(&told.came, "come");
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, TARGET_BASE ":many-%u", i);
        SUCCEEDS(RemoveIScsiStaticTargetA(name));
    }
    wait_until(&told.went, "go");
    WORKS(IMA_DeregisterForObjectVisibilityChanges(on_visible));
    assert_int_equal(told.came, MANY);
    assert_int_equal(told.went, MANY);
    assert_int_equal(told.odd, 0);
    qsort(told.came_oids, MANY, sizeof *told.came_oids, by_number);
    qsort(told.went_oids, MANY, sizeof *told.went_oids, by_number);
    assert_memory_equal(told.came_oids, told.went_oids, sizeof told.came_oids);
    for (unsigned i = 1; i < MANY; i++)
        assert_true(told.came_oids[i] != told.came_oids[i - 1]);
}

static volatile unsigned property_events;
static IMA_OID property_of;

static void on_property(IMA_OID oid)
{
    if (same(oid, property_of))
        property_events++;
}

static void expect_property_event(const char *what)
{
    for (uint64_t end = milliseconds() + WAIT_MOST; property_events == 0;) {
        if (milliseconds() >= end)
            fail_msg("nothing was told of %s", what);
        count_sessions();
    }
    property_events = 0;
}

static void changes_are_told(void **state)
{
    static char name[] = TARGET_BASE ":changing";
    IMA_OID node;
    IMA_NODE_ALIAS alias;
    (void)state;
    SUCCEEDS(AddIScsiStaticTargetA(name, NULL, 0, FALSE, NULL, NULL, NULL));
    property_of = target(name);
    WORKS(IMA_RegisterForObjectPropertyChanges(on_property));
    property_events = 0;
    WORKS(IMA_SetMaxConnections(property_of, 1));
    expect_property_event("a target");
    SUCCEEDS(RemoveIScsiStaticTargetA(name));
    property_of = lhba();
    WORKS(IMA_SetStaticDiscovery(lhba(), IMA_TRUE));
    expect_property_event("the LHBA");
    WORKS(IMA_GetSharedNodeOid(&node));
    property_of = node;
    put_text(alias, "x");
    WORKS(IMA_SetNodeAlias(node, alias));
    expect_property_event("the node");
    WORKS(IMA_SetNodeAlias(node, NULL));
    WORKS(IMA_DeregisterForObjectPropertyChanges(on_property));
    WORKS(IMA_RemoveStaleData(lhba()));
}

int main(void)
{
    static const struct peer_case cases[] = {
        PEER_CASE(addresses_are_the_same_on_both_sides),
        PEER_CASE(static_targets_are_the_same_on_both_sides),
        PEER_CASE(sessions_show_with_units_and_statistics),
        PEER_CASE(what_is_set_is_what_logins_propose),
        PEER_CASE(the_adapter_authenticates_for_all_logins),
        PEER_CASE(commands_need_no_session),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_node_is_the_same_on_both_sides, start_clean),
        cmocka_unit_test_setup(closed_ways_of_discovery_find_nothing, start_clean),
        cmocka_unit_test_setup(ports_have_addresses_and_a_place, start_clean),
        cmocka_unit_test_setup(a_thousand_targets_come_and_go_once_each, start_clean),
        cmocka_unit_test_setup(changes_are_told, start_clean),
    };
    int failed = run_peer_cases("ima", cases, sizeof cases / sizeof *cases);
    return failed + cmocka_run_group_tests_name("ima", tests, NULL, NULL);
}
