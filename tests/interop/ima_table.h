/* All 98 functions as a table, with calls that look alike. */
#ifndef IMA_TABLE_H
#define IMA_TABLE_H

#include "ima.h"

#include <stdint.h>
#include <string.h>

enum { OUT_ROOM = 16384, MARK = 0x5A };

/* What a call gets; each function takes of it what it has parameters for. */
struct call {
    IMA_OID oid;
    IMA_BOOL flag, flag2;
    IMA_UINT number;
    IMA_AUTHMETHOD method;
    IMA_ISNS_DISCOVERY_METHOD isns;
    IMA_PHBA_DOWNLOAD_IMAGE_TYPE image;
    IMA_IP_ADDRESS ip;
    IMA_TARGET_ADDRESS address;
    IMA_STATIC_DISCOVERY_TARGET target;
    const IMA_IP_ADDRESS *primary, *alternate;
    const IMA_HOST_ID *host;
    const IMA_AUTHMETHOD *methods;
    IMA_AUTHMETHOD *method_room;
    const IMA_WCHAR *text;
    const void *in;
    IMA_BYTE *lun;
    void *out; /* OUT_ROOM bytes */
    IMA_UINT *out_length;
    IMA_BYTE *sense;
    IMA_UINT *sense_length;
    IMA_OID_LIST **list;
    IMA_ADDRESS_KEYS **keys;
    IMA_OBJECT_VISIBILITY_FN visibility;
    IMA_OBJECT_PROPERTY_FN property;
};

/* Pointers that must not be NULL. */
enum {
    OUT = 1,
    LIST = 2,
    KEYS = 4,
    IN = 8,
    TEXT = 16,
    LUN = 32,
    COUNT = 64,
    ROOM = 128,
    FUNCTION = 256
};

/* Values that are looked at before the object is. */
enum {
    FLAG = 1,
    FLAG2 = 2,
    IP = 4,
    ADDRESS = 8,
    TARGET = 16,
    METHOD = 32,
    METHODS = 64,
    IMAGE = 128,
    CDB = 256,
    ISNS = 512,
    DNS = 1024,
    BUFFERS = 2048,
    IOCTL = 4096
};

#define IS(TYPE) (1u << IMA_OBJECT_TYPE_##TYPE)
/* Functions without an object, and those that take objects of any type and owner. */
enum { NO_OBJECT = 0, ANY_OBJECT = 0x1FFE };

struct function {
    const char *name;
    unsigned types, pointers, values;
    IMA_STATUS (*call)(const struct call *c);
};

#define CALL(NAME, ARGUMENTS)                                                                      \
    static IMA_STATUS call_##NAME(const struct call *c)                                            \
    {                                                                                              \
        (void)c;                                                                                   \
        return IMA_##NAME ARGUMENTS;                                                               \
    }

/* ROW(name, types, pointers, values, arguments) */
#define GET(ROW, NAME, TYPES)        ROW(NAME, TYPES, OUT, 0, (c->oid, c->out))
#define GET_LIST(ROW, NAME, TYPES)   ROW(NAME, TYPES, LIST, 0, (c->oid, c->list))
#define ALL_LIST(ROW, NAME)          ROW(NAME, NO_OBJECT, LIST, 0, (c->list))
#define SET_BOOL(ROW, NAME, TYPES)   ROW(NAME, TYPES, 0, FLAG, (c->oid, c->flag))
#define SET_NUMBER(ROW, NAME, TYPES) ROW(NAME, TYPES, 0, 0, (c->oid, c->number))
#define SET_IP(ROW, NAME, TYPES)     ROW(NAME, TYPES, 0, IP, (c->oid, c->ip))
#define DO(ROW, NAME, TYPES)         ROW(NAME, TYPES, 0, 0, (c->oid))
#define LHBA_OR_TARGET               (IS(LHBA) | IS(TARGET))
#define SCSI_BUFFERS                 c->out, c->out_length, c->sense, c->sense_length

#define FUNCTIONS(ROW)                                                                             \
    ROW(AddDiscoveryAddress, IS(PNP) | IS(LHBA), 0, ADDRESS, (c->oid, c->address, c->out))         \
    ROW(AddStaticDiscoveryTarget, IS(PNP) | IS(LHBA), 0, TARGET, (c->oid, c->target, c->out))      \
    ROW(DeregisterForObjectPropertyChanges, NO_OBJECT, FUNCTION, 0, (c->property))                 \
    ROW(DeregisterForObjectVisibilityChanges, NO_OBJECT, FUNCTION, 0, (c->visibility))             \
    DO(ROW, ExposeLu, IS(LU))                                                                      \
    ROW(FreeMemory, NO_OBJECT, 0, 0, (NULL))                                                       \
    ROW(GenerateNodeName, NO_OBJECT, OUT, 0, (c->out))                                             \
    ROW(GetAddressKeys, IS(TARGET), KEYS, 0, (c->oid, c->keys))                                    \
    ROW(GetAssociatedPluginOid, ANY_OBJECT, OUT, 0, (c->oid, c->out))                              \
    GET(ROW, GetDataPduInOrderProperties, LHBA_OR_TARGET)                                          \
    GET(ROW, GetDataSequenceInOrderProperties, LHBA_OR_TARGET)                                     \
    GET(ROW, GetDefaultTime2RetainProperties, LHBA_OR_TARGET)                                      \
    GET(ROW, GetDefaultTime2WaitProperties, LHBA_OR_TARGET)                                        \
    GET(ROW, GetDeviceStatistics, IS(TARGET) | IS(LU))                                             \
    GET_LIST(ROW, GetDiscoveryAddressOidList, IS(LHBA) | IS(PNP))                                  \
    GET(ROW, GetDiscoveryAddressProperties, IS(DISCOVERY_ADDRESS))                                 \
    GET(ROW, GetDiscoveryProperties, IS(PHBA) | IS(LHBA))                                          \
    GET(ROW, GetErrorRecoveryLevelProperties, LHBA_OR_TARGET)                                      \
    GET(ROW, GetFirstBurstLengthProperties, LHBA_OR_TARGET)                                        \
    GET(ROW, GetImmediateDataProperties, LHBA_OR_TARGET)                                           \
    GET(ROW, GetInitialR2TProperties, LHBA_OR_TARGET)                                              \
    ROW(GetInitiatorAuthParms, IS(LHBA), OUT, METHOD, (c->oid, c->method, c->out))                 \
    ROW(GetInUseInitiatorAuthMethods, IS(LHBA), COUNT | ROOM, 0,                                   \
        (c->oid, c->out_length, c->method_room))                                                   \
    GET(ROW, GetIpProperties, IS(PNP))                                                             \
    GET(ROW, GetIpsecProperties, IS(PNP) | IS(LHBA))                                               \
    ALL_LIST(ROW, GetLhbaOidList)                                                                  \
    GET(ROW, GetLhbaProperties, IS(LHBA))                                                          \
    ROW(GetLibraryProperties, NO_OBJECT, OUT, 0, (c->out))                                         \
    ALL_LIST(ROW, GetLnpOidList)                                                                   \
    GET(ROW, GetLnpProperties, IS(LNP))                                                            \
    ROW(GetLuOid, IS(TARGET), OUT | LUN, 0, (c->oid, c->lun, c->out))                              \
    GET_LIST(ROW, GetLuOidList, LHBA_OR_TARGET)                                                    \
    GET(ROW, GetLuProperties, IS(LU))                                                              \
    GET(ROW, GetMaxBurstLengthProperties, LHBA_OR_TARGET)                                          \
    GET(ROW, GetMaxConnectionsProperties, LHBA_OR_TARGET)                                          \
    GET(ROW, GetMaxOutstandingR2TProperties, LHBA_OR_TARGET)                                       \
    GET(ROW, GetMaxRecvDataSegmentLengthProperties, LHBA_OR_TARGET)                                \
    GET_LIST(ROW, GetNetworkPortalOidList, IS(LNP))                                                \
    GET(ROW, GetNetworkPortalProperties, IS(NETWORK_PORTAL))                                       \
    GET(ROW, GetNetworkPortStatus, IS(LNP) | IS(PNP))                                              \
    GET(ROW, GetNodeProperties, IS(NODE))                                                          \
    ALL_LIST(ROW, GetNonSharedNodeOidList)                                                         \
    GET(ROW, GetObjectType, ANY_OBJECT)                                                            \
    GET(ROW, GetPhbaDownloadProperties, IS(PHBA))                                                  \
    ALL_LIST(ROW, GetPhbaOidList)                                                                  \
    GET(ROW, GetPhbaProperties, IS(PHBA))                                                          \
    GET(ROW, GetPhbaStatus, IS(PHBA))                                                              \
    ALL_LIST(ROW, GetPluginOidList)                                                                \
    GET(ROW, GetPluginProperties, IS(PLUGIN))                                                      \
    GET_LIST(ROW, GetPnpOidList, IS(PHBA) | IS(LNP))                                               \
    GET(ROW, GetPnpProperties, IS(PNP))                                                            \
    GET(ROW, GetPnpStatistics, IS(PNP))                                                            \
    ROW(GetSharedNodeOid, NO_OBJECT, OUT, 0, (c->out))                                             \
    GET_LIST(ROW, GetStaticDiscoveryTargetOidList, IS(LHBA) | IS(PNP))                             \
    GET(ROW, GetStaticDiscoveryTargetProperties, IS(STATIC_DISCOVERY_TARGET))                      \
    GET(ROW, GetStatisticsProperties, IS(TARGET) | IS(LU) | IS(PNP))                               \
    ROW(GetSupportedAuthMethods, IS(LHBA), COUNT | ROOM, FLAG,                                     \
        (c->oid, c->flag, c->out_length, c->method_room))                                          \
    GET(ROW, GetTargetErrorStatistics, IS(TARGET))                                                 \
    GET_LIST(ROW, GetTargetOidList, IS(LHBA) | IS(LNP))                                            \
    GET(ROW, GetTargetProperties, IS(TARGET))                                                      \
    ROW(IsPhbaDownloadFile, IS(PHBA), TEXT | OUT, 0, (c->oid, c->text, c->out))                    \
    ROW(LuInquiry, IS(TARGET) | IS(LU), OUT | COUNT, FLAG | FLAG2 | BUFFERS,                       \
        (c->oid, c->flag, c->flag2, 0, SCSI_BUFFERS))                                              \
    ROW(LuReadCapacity, IS(TARGET) | IS(LU), OUT | COUNT, CDB | BUFFERS,                           \
        (c->oid, c->number, SCSI_BUFFERS))                                                         \
    ROW(LuReportLuns, IS(TARGET) | IS(LU), OUT | COUNT, FLAG | BUFFERS,                            \
        (c->oid, c->flag, 0, SCSI_BUFFERS))                                                        \
    ROW(PhbaDownload, IS(PHBA), TEXT, IMAGE, (c->oid, c->image, c->text))                          \
    ROW(PluginIOctl, IS(PLUGIN), 0, IOCTL,                                                         \
        (c->oid, 4711, c->in, c->number, c->out, c->out_length))                                   \
    ROW(RegisterForObjectPropertyChanges, NO_OBJECT, FUNCTION, 0, (c->property))                   \
    ROW(RegisterForObjectVisibilityChanges, NO_OBJECT, FUNCTION, 0, (c->visibility))               \
    DO(ROW, RemoveDiscoveryAddress, IS(DISCOVERY_ADDRESS))                                         \
    DO(ROW, RemoveStaleData, IS(LHBA))                                                             \
    DO(ROW, RemoveStaticDiscoveryTarget, IS(STATIC_DISCOVERY_TARGET))                              \
    SET_BOOL(ROW, SetDataPduInOrder, LHBA_OR_TARGET)                                               \
    SET_BOOL(ROW, SetDataSequenceInOrder, LHBA_OR_TARGET)                                          \
    SET_IP(ROW, SetDefaultGateway, IS(PNP))                                                        \
    SET_NUMBER(ROW, SetDefaultTime2Retain, LHBA_OR_TARGET)                                         \
    SET_NUMBER(ROW, SetDefaultTime2Wait, LHBA_OR_TARGET)                                           \
    ROW(SetDnsServerAddress, IS(PNP), 0, DNS, (c->oid, c->primary, c->alternate))                  \
    SET_NUMBER(ROW, SetErrorRecoveryLevel, LHBA_OR_TARGET)                                         \
    SET_NUMBER(ROW, SetFirstBurstLength, LHBA_OR_TARGET)                                           \
    SET_BOOL(ROW, SetImmediateData, LHBA_OR_TARGET)                                                \
    SET_BOOL(ROW, SetInitialR2T, LHBA_OR_TARGET)                                                   \
    ROW(SetInitiatorAuthMethods, IS(LHBA), 0, METHODS, (c->oid, c->number, c->methods))            \
    ROW(SetInitiatorAuthParms, IS(LHBA), IN, METHOD, (c->oid, c->method, c->in))                   \
    SET_BOOL(ROW, SetIpConfigMethod, IS(PNP))                                                      \
    ROW(SetIsnsDiscovery, IS(PHBA) | IS(LHBA), 0, FLAG | ISNS,                                     \
        (c->oid, c->flag, c->isns, c->host))                                                       \
    SET_NUMBER(ROW, SetMaxBurstLength, LHBA_OR_TARGET)                                             \
    SET_NUMBER(ROW, SetMaxConnections, LHBA_OR_TARGET)                                             \
    SET_NUMBER(ROW, SetMaxRecvDataSegmentLength, LHBA_OR_TARGET)                                   \
    SET_NUMBER(ROW, SetMaxOutstandingR2T, LHBA_OR_TARGET)                                          \
    SET_IP(ROW, SetNetworkPortalIpAddress, IS(NETWORK_PORTAL))                                     \
    ROW(SetNodeAlias, IS(NODE), 0, 0, (c->oid, c->text))                                           \
    ROW(SetNodeName, IS(NODE), TEXT, 0, (c->oid, c->text))                                         \
    SET_BOOL(ROW, SetSendTargetsDiscovery, IS(PHBA) | IS(LHBA) | IS(TARGET))                       \
    SET_BOOL(ROW, SetSlpDiscovery, IS(PHBA) | IS(LHBA))                                            \
    SET_BOOL(ROW, SetStaticDiscovery, IS(PHBA) | IS(LHBA))                                         \
    SET_BOOL(ROW, SetStatisticsCollection, IS(PHBA) | IS(PNP) | IS(TARGET) | IS(LU))               \
    SET_IP(ROW, SetSubnetMask, IS(PNP))                                                            \
    DO(ROW, UnexposeLu, IS(LU))

#define DEFINE(NAME, TYPES, POINTERS, VALUES, ARGUMENTS) CALL(NAME, ARGUMENTS)
FUNCTIONS(DEFINE)

#define TABLE(NAME, TYPES, POINTERS, VALUES, ARGUMENTS)                                            \
    {"IMA_" #NAME, TYPES, POINTERS, VALUES, call_##NAME},
static const struct function functions[] = {FUNCTIONS(TABLE)};
enum { FUNCTION_COUNT = sizeof functions / sizeof *functions };

#endif
