/*
 * The iSCSI Management API (IMA) of ISO/IEC 11989:2010, which is also ANSI
 * INCITS 411 and SNIA's IMA 1.1: the objects of an iSCSI initiator, what they
 * are called, how they are set, and what happens to them. Link with ima.
 *
 * Sources written for SNIA's ima.h compile, too: where the names of the two
 * differ, this header has both. Layouts are those of ISO: IMA_UINT has 32 bits.
 *
 * What holds for all functions
 *
 * Result. An IMA_STATUS; IMA_SUCCESS() and IMA_ERROR() tell the kinds apart.
 * IMA_STATUS_REBOOT_NECESSARY is a success. Any function may return
 * IMA_ERROR_INSUFFICIENT_MEMORY, IMA_ERROR_UNEXPECTED_OS_ERROR,
 * IMA_ERROR_SYNC_TIMEOUT and IMA_ERROR_UNKNOWN_ERROR. Errors are looked for in
 * this order:
 *
 *   IMA_ERROR_INVALID_PARAMETER      a pointer that has to be there is NULL, an
 *                                    IMA_BOOL is neither IMA_TRUE nor IMA_FALSE,
 *                                    an enumerator or a number is out of range,
 *                                    a name or a structure is empty or not ended
 *   IMA_ERROR_NAME_TOO_LONG          where a name is set
 *   IMA_ERROR_INVALID_OBJECT_TYPE    the OID has no type that there is
 *   IMA_ERROR_INCORRECT_OBJECT_TYPE  it has one that this function does not take
 *   IMA_ERROR_OBJECT_NOT_FOUND       there is no such object, or no such owner
 *   IMA_ERROR_NOT_SUPPORTED          the owner of the object cannot do it
 *
 * and then what is named with the function. IMA_ERROR_INVALID_PARAMETER can also
 * come last, for a value that only the owner of the object can judge. What is
 * returned through a pointer is valid after a success only; lists are NULL after
 * an error.
 *
 * Lists. IMA_OID_LIST and IMA_ADDRESS_KEYS are allocated by the library and freed
 * with IMA_FreeMemory. A list may have no entries; it has none twice.
 *
 * Text is nul-terminated wide characters, names of nodes are limited as UTF-8.
 * Reserved fields are zero when returned and ignored when given.
 *
 * Persistence. What a function sets stays set, also after a restart. Login
 * parameters apply to logins that come after the call: those of the target if
 * they have been set, else those of its logical HBA, else the initiator's own
 * (4.2.8).
 *
 * Threads. Every function may be called from any thread at any time, also by a
 * client function that is being called.
 *
 * Numbers behind the names are the sections of ISO/IEC 11989:2010.
 */
#ifndef IMA_H
#define IMA_H

#include <stdint.h>
#include <time.h>
#include <wchar.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Unnamed unions are newer than C99. */
#if defined(__GNUC__) && !defined(__cplusplus)
#define IMA_UNNAMED_ __extension__
#else
#define IMA_UNNAMED_
#endif

/* IMA_EXPORTS_: this is the library itself, or a plugin (ima_plugin.h). */
#ifndef IMA_API
#if !defined(_WIN32) && defined(__GNUC__)
#define IMA_API __attribute__((visibility("default")))
#elif !defined(_WIN32)
#define IMA_API
#elif defined(IMA_EXPORTS_) || defined(IMA_EXPORTS)
#define IMA_API __declspec(dllexport)
#else
#define IMA_API __declspec(dllimport)
#endif
#endif

/*
 * Simple types (5.1 to 5.9)
 */

typedef wchar_t IMA_WCHAR;
typedef char IMA_CHAR;
typedef unsigned char IMA_BYTE;
typedef uint8_t IMA_UINT8;
typedef uint16_t IMA_UINT16;
typedef uint32_t IMA_UINT32;
typedef uint64_t IMA_UINT64;
typedef int8_t IMA_INT8;
typedef int16_t IMA_INT16;
typedef int32_t IMA_INT32;
typedef int64_t IMA_INT64;
typedef uint32_t IMA_UINT;
typedef void *IMA_PVOID;
typedef struct tm IMA_DATETIME; /* local time */

typedef IMA_UINT32 IMA_BOOL;
/* An IMA_BOOL, or IMA_UNKNOWN. */
typedef IMA_UINT32 IMA_XBOOL;
#define IMA_TRUE    1
#define IMA_FALSE   0
#define IMA_UNKNOWN 0xFFFFFFFF

/*
 * Statuses (5.13). Those of 0xC0000000 and above say that a parameter was bad.
 */

typedef IMA_UINT32 IMA_STATUS;
#define IMA_STATUS_ERROR    0x80000000
#define IMA_SUCCESS(STATUS) (((IMA_STATUS)(STATUS)&IMA_STATUS_ERROR) == 0 ? IMA_TRUE : IMA_FALSE)
#define IMA_ERROR(STATUS)   (((IMA_STATUS)(STATUS)&IMA_STATUS_ERROR) != 0 ? IMA_TRUE : IMA_FALSE)

#define IMA_STATUS_SUCCESS          0x00000000
#define IMA_STATUS_REBOOT_NECESSARY 0x00000001
/* Library and plugins do not agree on name and alias of the shared node: set both again. */
#define IMA_STATUS_INCONSISTENT_NODE_PROPERTIES 0x00000002
#define IMA_STATUS_SCSI_STATUS_CONDITION_MET    0x00000100

#define IMA_ERROR_NOT_SUPPORTED                    0x80000001
#define IMA_ERROR_INSUFFICIENT_MEMORY              0x80000002
#define IMA_ERROR_LAST_PRIMARY_DISCOVERY_METHOD    0x80000003
#define IMA_ERROR_UNEXPECTED_OS_ERROR              0x80000004
#define IMA_ERROR_SYNC_TIMEOUT                     0x80000005
#define IMA_ERROR_LU_EXPOSED                       0x80000006
#define IMA_ERROR_LU_NOT_EXPOSED                   0x80000007
#define IMA_ERROR_LU_IN_USE                        0x80000008
#define IMA_ERROR_TARGET_TIMEOUT                   0x80000009
#define IMA_ERROR_LOGIN_REJECTED                   0x8000000A
#define IMA_ERROR_STATS_COLLECTION_NOT_ENABLED     0x8000000B
#define IMA_ERROR_SCSI_STATUS_CHECK_CONDITION      0x80000100
#define IMA_ERROR_SCSI_STATUS_BUSY                 0x80000101
#define IMA_ERROR_SCSI_STATUS_RESERVATION_CONFLICT 0x80000102
#define IMA_ERROR_SCSI_STATUS_TASK_SET_FULL        0x80000103
#define IMA_ERROR_SCSI_STATUS_ACA_ACTIVE           0x80000104
#define IMA_ERROR_SCSI_STATUS_TASK_ABORTED         0x80000105
#define IMA_ERROR_PLUGINS_NOT_SUPPORTED            0x80000106
#define IMA_ERROR_UNKNOWN_ERROR                    0x8FFFFFFF
#define IMA_ERROR_INVALID_PARAMETER                0xC0000000
#define IMA_ERROR_INVALID_OBJECT_TYPE              0xC0000001
#define IMA_ERROR_INCORRECT_OBJECT_TYPE            0xC0000002
#define IMA_ERROR_OBJECT_NOT_FOUND                 0xC0000003
#define IMA_ERROR_NAME_TOO_LONG                    0xC0000004

/*
 * Objects (4.2.2, 5.12, 5.14, 5.15)
 */

typedef enum IMA_object_type {
    IMA_OBJECT_TYPE_UNKNOWN = 0,
    IMA_OBJECT_TYPE_PLUGIN = 1,
    IMA_OBJECT_TYPE_NODE = 2,
    IMA_OBJECT_TYPE_LHBA = 3,
    IMA_OBJECT_TYPE_PHBA = 4,
    IMA_OBJECT_TYPE_NETWORK_PORTAL = 5,
    IMA_OBJECT_TYPE_PORTAL_GROUP = 6,
    IMA_OBJECT_TYPE_LNP = 7,
    IMA_OBJECT_TYPE_PNP = 8,
    IMA_OBJECT_TYPE_TARGET = 9,
    IMA_OBJECT_TYPE_LU = 10,
    IMA_OBJECT_TYPE_DISCOVERY_ADDRESS = 11,
    IMA_OBJECT_TYPE_STATIC_DISCOVERY_TARGET = 12
} IMA_OBJECT_TYPE;

/* Opaque to clients, and of no meaning to other processes. An OID never comes to mean another
 * object. IMA_GetObjectType and IMA_GetAssociatedPluginOid tell what is in it. */
typedef struct IMA_oid {
    IMA_OBJECT_TYPE objectType;
    IMA_UINT32 ownerId;
    IMA_UINT64 objectSequenceNumber;
} IMA_OID;

typedef struct IMA_oid_list {
    IMA_UINT oidCount;
    IMA_OID oids[1]; /* oidCount of them */
} IMA_OID_LIST;

/* Client functions (5.10, 5.11). They are called by a thread of the library's; see
 * IMA_RegisterForObjectVisibilityChanges. */
typedef void (*IMA_OBJECT_VISIBILITY_FN)(IMA_BOOL becomingVisible, IMA_OID oid);
typedef void (*IMA_OBJECT_PROPERTY_FN)(IMA_OID oid);

/*
 * Names and addresses (5.16 to 5.26)
 */

/* In characters, with the terminating nul. */
#define IMA_NODE_NAME_LEN  224
#define IMA_NODE_ALIAS_LEN 256
#define IMA_HOST_NAME_LEN  256

typedef IMA_WCHAR IMA_NODE_NAME[IMA_NODE_NAME_LEN];
typedef IMA_WCHAR IMA_NODE_ALIAS[IMA_NODE_ALIAS_LEN];
typedef IMA_WCHAR IMA_HOST_NAME[IMA_HOST_NAME_LEN];
typedef IMA_WCHAR IMA_DOMAIN_NAME[256];
typedef IMA_BYTE IMA_MAC_ADDRESS[6]; /* 5.42 */

typedef struct IMA_ip_address {
    IMA_BOOL ipv4Address;   /* IMA_FALSE: it is an IPv6 address */
    IMA_BYTE ipAddress[16]; /* most significant byte first; the first 4 bytes of it for IPv4 */
} IMA_IP_ADDRESS;

typedef struct IMA_host_id {
    IMA_BOOL hostnameInUse; /* which member of the union is meant */
    union {
        IMA_HOST_NAME hostname;
        IMA_IP_ADDRESS ipAddress;
    } id;
} IMA_HOST_ID;

typedef struct IMA_target_address {
    IMA_HOST_ID hostnameIpAddress;
    IMA_UINT16 portNumber;
} IMA_TARGET_ADDRESS;

typedef struct IMA_address_key {
    IMA_IP_ADDRESS ipAddress;
    IMA_UNNAMED_ union {
        IMA_BOOL portNumberValid;
        IMA_BOOL portalNumberValid; /* the standard spells it both ways */
    };
    IMA_UINT16 portNumber;
    IMA_BOOL portalGroupTagValid;
    IMA_UINT16 portalGroupTag;
} IMA_ADDRESS_KEY;

typedef struct IMA_address_keys {
    IMA_UINT addressKeyCount;
    IMA_ADDRESS_KEY addressKeys[1]; /* addressKeyCount of them */
} IMA_ADDRESS_KEYS;

typedef struct IMA_static_discovery_target {
    IMA_NODE_NAME targetName;
    IMA_TARGET_ADDRESS targetAddress;
    IMA_BOOL portalGroupTagValid; /* IMA_FALSE: the target is asked for it */
    IMA_UINT16 portalGroupTag;
} IMA_STATIC_DISCOVERY_TARGET;

typedef struct IMA_discovery_address_properties {
    IMA_OID associatedNodeOid;
    IMA_OID associatedLhbaOid;
    IMA_TARGET_ADDRESS discoveryAddress;
} IMA_DISCOVERY_ADDRESS_PROPERTIES;

typedef struct IMA_static_discovery_target_properties {
    IMA_OID associatedNodeOid;
    IMA_OID associatedLhbaOid;
    IMA_UNNAMED_ union {
        IMA_STATIC_DISCOVERY_TARGET staticConfigTarget;
        IMA_STATIC_DISCOVERY_TARGET staticTarget; /* SNIA */
    };
} IMA_STATIC_DISCOVERY_TARGET_PROPERTIES;

/*
 * Properties. A value is defined if its ...Valid field is IMA_TRUE; ...Settable says whether the
 * function that sets it works.
 */

/* 5.27. While DHCP is on, nothing else is settable. */
typedef struct IMA_ip_properties {
    IMA_BOOL ipConfigurationMethodSettable;
    IMA_BOOL dhcpConfigurationEnabled;
    IMA_BOOL subnetMaskSettable;
    IMA_BOOL subnetMaskValid;
    IMA_IP_ADDRESS subnetMask;
    IMA_BOOL defaultGatewaySettable;
    IMA_BOOL defaultGatewayValid;
    IMA_IP_ADDRESS defaultGateway;
    IMA_BOOL primaryDnsServerAddressSettable;
    IMA_BOOL primaryDnsServerAddressValid;
    IMA_IP_ADDRESS primaryDnsServerAddress;
    IMA_BOOL alternateDnsServerAddressSettable;
    IMA_BOOL alternateDnsServerAddressValid;
    IMA_IP_ADDRESS alternateDnsServerAddress;
    IMA_BYTE reserved[64];
} IMA_IP_PROPERTIES;

/* 5.28. supportedImaVersion is 1. */
typedef struct IMA_library_properties {
    IMA_UINT supportedImaVersion;
    IMA_WCHAR vendor[256];
    IMA_WCHAR implementationVersion[256];
    IMA_WCHAR fileName[256]; /* with its path, if that fits */
    IMA_DATETIME buildTime;
    IMA_BYTE reserved[64];
} IMA_LIBRARY_PROPERTIES;

/* 5.29 */
typedef struct IMA_plugin_properties {
    IMA_UINT supportedImaVersion;
    IMA_WCHAR vendor[256];
    IMA_WCHAR implementationVersion[256];
    IMA_WCHAR fileName[256];
    IMA_DATETIME buildTime;
    IMA_UNNAMED_ union {
        IMA_BOOL lhbasCanBeCreatedAndDestroyed; /* IMA_FALSE */
        IMA_BOOL lhasCanBeCreatedAndDestroyed;  /* the standard spells it both ways */
    };
    IMA_BYTE reserved[64];
} IMA_PLUGIN_PROPERTIES;

/* 5.30. A name or alias that is not valid is empty. */
typedef struct IMA_node_properties {
    IMA_BOOL runningInInitiatorMode;
    IMA_BOOL runningInTargetMode;
    IMA_BOOL nameValid;
    IMA_NODE_NAME name;
    IMA_BOOL aliasValid;
    IMA_NODE_ALIAS alias;
    IMA_BOOL nameAndAliasSettable;
    IMA_BYTE reserved[64];
} IMA_NODE_PROPERTIES;

/* 5.31 */
typedef struct IMA_lhba_properties {
    IMA_WCHAR osDeviceName[256];  /* empty: not known */
    IMA_BOOL luExposingSupported; /* IMA_ExposeLu, IMA_UnexposeLu */
    IMA_BOOL isDestroyable;       /* IMA_FALSE */
    IMA_BOOL staleDataRemovable;  /* IMA_RemoveStaleData */
    IMA_UINT staleDataSize;       /* about so many bytes */
    IMA_BOOL initiatorAuthMethodsSettable;
    IMA_BOOL targetAuthMethodsSettable; /* IMA_FALSE */
    IMA_BYTE reserved[128];
} IMA_LHBA_PROPERTIES;

/* Flags of supportedUlps (5.32). */
#define IMA_ULP_TCP  0x01
#define IMA_ULP_SCTP 0x02
#define IMA_ULP_UDP  0x04

/* 5.33. Text that is empty is not known, or does not apply. */
typedef struct IMA_phba_properties {
    IMA_WCHAR vendor[64];
    IMA_WCHAR model[256];
    IMA_WCHAR description[256];
    IMA_WCHAR serialNumber[64];
    IMA_WCHAR hardwareVersion[256];
    IMA_WCHAR asicVersion[256];
    IMA_WCHAR firmwareVersion[256];
    IMA_WCHAR optionRomVersion[256];
    IMA_WCHAR driverName[256];
    IMA_WCHAR driverVersion[256];
    IMA_UNNAMED_ union {
        IMA_UINT supportedUlps; /* IMA_ULP_* */
        IMA_UINT supportedUlp;  /* the standard spells it both ways */
    };
    IMA_XBOOL bidirectionalTransfersSupported;
    IMA_UINT maximumCdbLength; /* bytes; 0: not known */
    IMA_XBOOL canBeNic;
    IMA_XBOOL isNic;
    IMA_XBOOL isInitiator;
    IMA_XBOOL isTarget;
    IMA_XBOOL usingTcpOffloadEngine;
    IMA_XBOOL usingIscsiOffloadEngine;
    IMA_BYTE reserved[128];
} IMA_PHBA_PROPERTIES;

/* 5.37: how the iSNS server is found. */
typedef enum IMA_isns_discovery_method {
    IMA_ISNS_DISCOVERY_METHOD_STATIC = 0, /* by the address given */
    IMA_ISNS_DISCOVERY_METHOD_DHCP = 1,
    IMA_ISNS_DISCOVERY_METHOD_SLP = 2
} IMA_ISNS_DISCOVERY_METHOD;

/* 5.34 */
typedef struct IMA_discovery_properties {
    IMA_BOOL iSnsDiscoverySettable;
    IMA_XBOOL iSnsDiscoveryEnabled;
    IMA_ISNS_DISCOVERY_METHOD iSnsDiscoveryMethod; /* while enabled */
    IMA_HOST_ID iSnsHost;                          /* empty: no server is in use */
    IMA_BOOL slpDiscoverySettable;
    IMA_XBOOL slpDiscoveryEnabled;
    IMA_BOOL staticDiscoverySettable;
    IMA_XBOOL staticDiscoveryEnabled;
    IMA_BOOL sendTargetsDiscoverySettable;
    IMA_XBOOL sendTargetsDiscoveryEnabled;
    IMA_BYTE reserved[128];
} IMA_DISCOVERY_PROPERTIES;

/* 5.35 */
typedef enum IMA_phba_download_image_type {
    IMA_DOWNLOAD_IMAGE_TYPE_FIRMWARE = 0,
    IMA_DOWNLOAD_IMAGE_TYPE_OPTION_ROM = 1,
    IMA_DOWNLOAD_IMAGE_TYPE_ALL = 2
} IMA_PHBA_DOWNLOAD_IMAGE_TYPE;
/* The standard spells them both ways. */
#define IMA_IMAGE_TYPE_FIRMWARE   IMA_DOWNLOAD_IMAGE_TYPE_FIRMWARE
#define IMA_IMAGE_TYPE_OPTION_ROM IMA_DOWNLOAD_IMAGE_TYPE_OPTION_ROM
#define IMA_IMAGE_TYPE_ALL        IMA_DOWNLOAD_IMAGE_TYPE_ALL

/* 5.36 */
typedef struct IMA_phba_download_image_properties {
    IMA_PHBA_DOWNLOAD_IMAGE_TYPE imageType;
    IMA_WCHAR version[32];
    IMA_WCHAR description[512];
    IMA_XBOOL upgrade; /* later than what the PHBA has */
} IMA_PHBA_DOWNLOAD_IMAGE_PROPERTIES;

/* 5.38 */
typedef struct IMA_phba_download_properties {
    IMA_BOOL isPhbaDownloadFileSupported;
    IMA_BOOL optionRomDownloadSupported;
    IMA_BOOL firmwareDownloadSupported;
    IMA_BYTE reserved[32];
} IMA_PHBA_DOWNLOAD_PROPERTIES;

/* 5.39 */
typedef struct IMA_ipsec_properties {
    IMA_BOOL ipsecSupported; /* IMA_FALSE: the other fields say nothing */
    IMA_BOOL implementedInHardware;
    IMA_BOOL implementedInSoftware;
    IMA_BYTE reserved[32];
} IMA_IPSEC_PROPERTIES;

/* 5.40. The last four fields are defined if the value is settable: a value is minimumValue at
 * least, maximumValue at most, and a number of times incrementValue away from currentValue. */
typedef struct IMA_min_max_value {
    IMA_BOOL currentValueValid;
    IMA_BOOL settable;
    IMA_UINT32 currentValue;
    IMA_UINT32 defaultValue;
    IMA_UINT32 minimumValue;
    IMA_UINT32 maximumValue;
    IMA_UINT32 incrementValue;
} IMA_MIN_MAX_VALUE;

/* 5.41. defaultValue is defined if the value is settable. */
typedef struct IMA_bool_value {
    IMA_BOOL currentValueValid;
    IMA_BOOL settable;
    IMA_BOOL currentValue;
    IMA_BOOL defaultValue;
} IMA_BOOL_VALUE;

/* 5.43 */
typedef struct IMA_lnp_properties {
    IMA_MAC_ADDRESS macAddress;
    IMA_BOOL macAddressSettable;
    IMA_BYTE reserved[32];
} IMA_LNP_PROPERTIES;

/* 5.44 */
typedef struct IMA_pnp_properties {
    IMA_OID associatedPhbaOid;
    IMA_MAC_ADDRESS macAddress;
    IMA_BOOL macAddressSettable;
    IMA_UINT maximumTransferRate; /* Mbit/s */
    IMA_UINT currentTransferRate; /* Mbit/s that the link has come up with */
    IMA_UINT maximumFrameSize;    /* bytes */
    IMA_BYTE reserved[64];
} IMA_PNP_PROPERTIES;

/* 5.45 */
typedef struct IMA_pnp_statistics {
    IMA_UINT64 bytesSent;
    IMA_UINT32 pdusSent;
    IMA_UINT64 bytesReceived;
    IMA_UINT32 pdusReceived;
} IMA_PNP_STATISTICS;

/* 5.46 */
typedef struct IMA_network_portal_properties {
    IMA_IP_ADDRESS ipAddress;
    IMA_OID associatedLnp;
    IMA_BYTE reserved[32];
} IMA_NETWORK_PORTAL_PROPERTIES;

/* 5.47 */
typedef enum IMA_phba_status {
    IMA_PHBA_STATUS_WORKING = 0,
    IMA_PHBA_STATUS_FAILED = 1
} IMA_PHBA_STATUS;

/* 5.48. A PNP is never degraded or critical: those say that some, or all but one, of the PNPs of an
 * LNP do not work. */
typedef enum IMA_network_port_status {
    IMA_NETWORK_PORT_STATUS_WORKING = 0,
    IMA_NETWORK_PORT_STATUS_DEGRADED = 1,
    IMA_NETWORK_PORT_STATUS_CRITICAL = 2,
    IMA_NETWORK_PORT_STATUS_FAILED = 3,
    IMA_NETWORK_PORT_STATUS_DISCONNECTED = 4
} IMA_NETWORK_PORT_STATUS;

/* Flags (5.49). */
typedef enum IMA_TARGET_DISCOVERY_METHOD {
    IMA_TARGET_DISCOVERY_METHOD_STATIC = 1,
    IMA_TARGET_DISCOVERY_METHOD_SLP = 2,
    IMA_TARGET_DISCOVERY_METHOD_ISNS = 4,
    IMA_TARGET_DISCOVERY_METHOD_SENDTARGETS = 8
} IMA_TARGET_DISCOVERY_METHOD;

/* 5.50 */
typedef struct IMA_target_properties {
    IMA_OID associatedNodeOid;
    IMA_OID associatedLhbaOid;
    IMA_NODE_NAME name;
    IMA_NODE_ALIAS alias;            /* empty: none, or not known */
    IMA_UINT32 discoveryMethodFlags; /* IMA_TARGET_DISCOVERY_METHOD_* */
    IMA_BOOL sendTargetsDiscoverySettable;
    IMA_BOOL sendTargetsDiscoveryEnabled;
    IMA_BYTE reserved[128];
} IMA_TARGET_PROPERTIES;

/* 5.51 */
typedef struct IMA_target_error_statistics {
    IMA_BOOL loginFailedCountValid;
    IMA_UINT32 loginFailedCount;
    IMA_BOOL sessionFailedCountValid;
    IMA_UINT32 sessionFailedCount;
    IMA_BOOL headerOrDigestSessionFailedCountValid;
    IMA_UINT32 headerOrDigestSessionFailedCount;
    IMA_BOOL timeLimitExceededSessionFailedCountValid;
    IMA_UINT32 timeLimitExceededSessionFailedCount;
    IMA_BOOL formatErrorSessionFailedCountValid;
    IMA_UINT32 formatErrorSessionFailedCount;
    IMA_BOOL closedConnectionDueToTimeoutCountValid;
    IMA_UINT32 closedConnectionDueToTimeoutCount;
    IMA_BOOL lastLoginFailureTimeValid;
    IMA_DATETIME lastLoginFailureTime;
    IMA_BYTE reserved[64];
} IMA_TARGET_ERROR_STATISTICS;

/* 5.52 */
typedef struct IMA_lu_properties {
    IMA_OID associatedTargetOid;
    IMA_BYTE targetLun[8]; /* as SCSI has it: byte 0 first */
    IMA_BOOL exposedToOs;
    IMA_DATETIME timeExposedToOs; /* while exposed */
    IMA_BOOL osDeviceNameValid;
    IMA_WCHAR osDeviceName[64];
    IMA_UNNAMED_ union {
        IMA_BOOL osParallelIdsValid;
        IMA_BOOL osParallellIdsValid; /* the standard spells it both ways */
    };
    IMA_UINT32 osBusNumber;
    IMA_UINT32 osTargetId;
    IMA_UINT32 osLun;
    IMA_BYTE reserved[128];
} IMA_LU_PROPERTIES;

/* 5.53 */
typedef struct IMA_device_statistics {
    IMA_UINT64 scsiPayloadBytesSent;
    IMA_UINT64 scsiPayloadBytesReceived;
    IMA_UINT64 iScsiPduBytesSent;
    IMA_UINT64 iScsiPduBytesReceived;
    IMA_UINT64 iScsiPdusSent;
    IMA_UINT64 iScsiPdusReceived;
    IMA_UINT64 millisecondsSpentSending;   /* about; 0: not known */
    IMA_UINT64 millisecondsSpentReceiving; /* about; 0: not known */
} IMA_DEVICE_STATISTICS;

/* 5.54 */
typedef struct IMA_statistics_properties {
    IMA_BOOL statisticsCollectionSettable;
    IMA_BOOL statisticsCollectionEnabled;
} IMA_STATISTICS_PROPERTIES;

/*
 * Authentication (5.55 to 5.60). Secrets and private keys go in and never come out again: where
 * they are returned, they are zeros, and their lengths 0.
 */

typedef enum IMA_authmethod {
    IMA_AUTHMETHOD_NONE = 0,
    IMA_AUTHMETHOD_CHAP = 1,
    IMA_AUTHMETHOD_SRP = 2,
    IMA_AUTHMETHOD_KRB5 = 3,
    IMA_AUTHMETHOD_SPKM1 = 4,
    IMA_AUTHMETHOD_SPKM2 = 5
} IMA_AUTHMETHOD;

typedef struct IMA_chap_initiator_authparms {
    IMA_UINT retries; /* a recommendation, as are the two sizes below */
    IMA_BYTE name[512];
    IMA_UINT nameLength; /* bytes */
    IMA_UNNAMED_ union {
        IMA_UINT minValueHandling; /* bytes of the CHAP value */
        IMA_UINT minValueLength;   /* SNIA */
    };
    IMA_UNNAMED_ union {
        IMA_UINT maxValueHandling;
        IMA_UINT maxValueLength; /* SNIA */
    };
    IMA_BYTE challengeSecret[256];
    IMA_UINT challengeSecretLength; /* bytes */
    IMA_BYTE reserved[512];
} IMA_CHAP_INITIATOR_AUTHPARMS;

typedef struct IMA_srp_initiator_authparms {
    IMA_BYTE userName[512];
    IMA_UINT userNameLength; /* bytes */
    IMA_BYTE reserved[512];
} IMA_SRP_INITIATOR_AUTHPARMS;

typedef struct IMA_krb5_initiator_authparms {
    IMA_BYTE clientKey[1024];
    IMA_UINT clientKeyLength; /* bytes */
    IMA_BYTE reserved[2048];
} IMA_KRB5_INITIATOR_AUTHPARMS;

typedef struct IMA_spkm_initiator_authparms {
    IMA_BYTE privateKey[4096];
    IMA_UINT privateKeyLength; /* bytes */
    IMA_BYTE publicKey[4096];
    IMA_UINT publicKeyLength; /* bytes */
    IMA_BYTE reserved[4096];
} IMA_SPKM_INITIATOR_AUTHPARMS;

/* Which member is meant follows from the method; spkmParms serves both SPKMs. */
typedef union IMA_initiator_authparms {
    IMA_CHAP_INITIATOR_AUTHPARMS chapParms;
    IMA_SRP_INITIATOR_AUTHPARMS srpParms;
    IMA_KRB5_INITIATOR_AUTHPARMS kerberosParms;
    IMA_SPKM_INITIATOR_AUTHPARMS spkmParms;
} IMA_INITIATOR_AUTHPARMS;

/*
 * Library and plugins
 */

/* The properties of the library in use (6.2.28). */
IMA_API IMA_STATUS IMA_GetLibraryProperties(IMA_LIBRARY_PROPERTIES *pProps);

/* The plugins that are loaded, in the order of ima.conf behind the built-in one (6.2.48). */
IMA_API IMA_STATUS IMA_GetPluginOidList(IMA_OID_LIST **ppList);

/* 6.2.49 */
IMA_API IMA_STATUS IMA_GetPluginProperties(IMA_OID pluginOid, IMA_PLUGIN_PROPERTIES *pProps);

/* The plugin that owns an object (6.2.9). IMA_ERROR_INVALID_PARAMETER also for an object that the
 * library itself owns: the shared node. */
IMA_API IMA_STATUS IMA_GetAssociatedPluginOid(IMA_OID oid, IMA_OID *pPluginOid);

/*
 * A command that only this plugin knows (6.2.66). pInputBuffer may be NULL if inputBufferLength is
 * 0. pOutputBuffer and pOutputBufferLength come together or are both NULL, and the second needs the
 * first as well as an input. *pOutputBufferLength: in, bytes of room, not 0; out, bytes returned.
 * IMA_ERROR_INVALID_PARAMETER also for a command that the plugin does not know.
 */
IMA_API IMA_STATUS IMA_PluginIOctl(IMA_OID pluginOid, IMA_UINT command, const void *pInputBuffer,
                                   IMA_UINT inputBufferLength, void *pOutputBuffer,
                                   IMA_UINT *pOutputBufferLength);

/* The type in an OID of an owner that is known (6.2.43). The object need not exist any more. */
IMA_API IMA_STATUS IMA_GetObjectType(IMA_OID oid, IMA_OBJECT_TYPE *pObjectType);

/* Frees what another function has allocated (6.2.6); NULL is fine. */
IMA_API IMA_STATUS IMA_FreeMemory(void *pMemory);

/*
 * Events
 *
 * Client functions are called one at a time for each plugin, by a thread of the library's that
 * holds no lock; they may call every function of this interface. Changes by other processes and by
 * the caller itself are reported alike, perhaps before the call that makes them has returned. A
 * function is registered once however often it is registered, and gone after one deregistration;
 * deregistering one that is not registered is fine. When a deregistration has returned, the
 * function is not running any more and will not be called again, unless it was a client function
 * that deregistered: then calls that have begun go on. IMA_ERROR_SYNC_TIMEOUT: it is deregistered,
 * but a call of it that has begun did not return within 10 seconds.
 */

/* Nodes, LHBAs, PHBAs and targets that come and go (6.2.68, 6.2.4). */
IMA_API IMA_STATUS IMA_RegisterForObjectVisibilityChanges(IMA_OBJECT_VISIBILITY_FN pClientFn);
IMA_API IMA_STATUS IMA_DeregisterForObjectVisibilityChanges(IMA_OBJECT_VISIBILITY_FN pClientFn);

/* Fields of an object's properties, or its status, that change; statistics do not count. Several
 * changes at a time may be reported once (6.2.67, 6.2.3). */
IMA_API IMA_STATUS IMA_RegisterForObjectPropertyChanges(IMA_OBJECT_PROPERTY_FN pClientFn);
IMA_API IMA_STATUS IMA_DeregisterForObjectPropertyChanges(IMA_OBJECT_PROPERTY_FN pClientFn);

/*
 * Nodes
 */

/* The node that all vendors' HBAs of this system share (4.2.4, 6.2.53). */
IMA_API IMA_STATUS IMA_GetSharedNodeOid(IMA_OID *pSharedNodeOid);

/* The nodes that plugins keep for themselves (6.2.42). */
IMA_API IMA_STATUS IMA_GetNonSharedNodeOidList(IMA_OID_LIST **ppList);

/* 6.2.41. For the shared node also IMA_STATUS_INCONSISTENT_NODE_PROPERTIES. */
IMA_API IMA_STATUS IMA_GetNodeProperties(IMA_OID nodeOid, IMA_NODE_PROPERTIES *pProps);

/* A name for the shared node that is made from the name of the computer (6.2.7). Nothing is set. */
IMA_API IMA_STATUS IMA_GenerateNodeName(IMA_NODE_NAME generatedName);

/*
 * 6.2.92. At most 223 bytes in UTF-8, else IMA_ERROR_NAME_TOO_LONG; NULL, an empty name and one
 * that is no iSCSI name: IMA_ERROR_INVALID_PARAMETER. The name of the shared node is told to all
 * plugins; IMA_STATUS_INCONSISTENT_NODE_PROPERTIES: it is set, but a plugin has refused it.
 */
IMA_API IMA_STATUS IMA_SetNodeName(IMA_OID nodeOid, const IMA_NODE_NAME newName);

/* 6.2.91. At most 255 bytes in UTF-8, else IMA_ERROR_NAME_TOO_LONG; NULL and an empty alias delete
 * it. For the shared node as IMA_SetNodeName. */
IMA_API IMA_STATUS IMA_SetNodeAlias(IMA_OID nodeOid, const IMA_NODE_ALIAS newAlias);

/*
 * Logical HBAs (4.2.5)
 */

/* 6.2.26 */
IMA_API IMA_STATUS IMA_GetLhbaOidList(IMA_OID_LIST **ppList);

/* 6.2.27 */
IMA_API IMA_STATUS IMA_GetLhbaProperties(IMA_OID lhbaOid, IMA_LHBA_PROPERTIES *pProps);

/* Forgets what is kept for targets that are not there (6.2.70). IMA_ERROR_NOT_SUPPORTED if the
 * LHBA's staleDataRemovable is IMA_FALSE. */
IMA_API IMA_STATUS IMA_RemoveStaleData(IMA_OID lhbaOid);

/*
 * Physical HBAs
 */

/* 6.2.45 */
IMA_API IMA_STATUS IMA_GetPhbaOidList(IMA_OID_LIST **ppList);

/* 6.2.46 */
IMA_API IMA_STATUS IMA_GetPhbaProperties(IMA_OID phbaOid, IMA_PHBA_PROPERTIES *pProps);

/* 6.2.47 */
IMA_API IMA_STATUS IMA_GetPhbaStatus(IMA_OID hbaOid, IMA_PHBA_STATUS *pStatus);

/* 6.2.44 */
IMA_API IMA_STATUS IMA_GetPhbaDownloadProperties(IMA_OID phbaOid,
                                                 IMA_PHBA_DOWNLOAD_PROPERTIES *pProps);

/* What image a file holds (6.2.61). IMA_ERROR_INVALID_PARAMETER also for a file that cannot be
 * read, or that is no image for this PHBA. */
IMA_API IMA_STATUS IMA_IsPhbaDownloadFile(IMA_OID phbaOid, const IMA_WCHAR *pFileName,
                                          IMA_PHBA_DOWNLOAD_IMAGE_PROPERTIES *pProps);

/* Loads the image into the PHBA (6.2.65). Errors as IMA_IsPhbaDownloadFile. */
IMA_API IMA_STATUS IMA_PhbaDownload(IMA_OID phbaOid, IMA_PHBA_DOWNLOAD_IMAGE_TYPE imageType,
                                    const IMA_WCHAR *pFileName);

/*
 * Network ports and portals: a logical network port (LNP) has one or more physical ones (PNP)
 */

/* 6.2.29 */
IMA_API IMA_STATUS IMA_GetLnpOidList(IMA_OID_LIST **ppList);

/* 6.2.30 */
IMA_API IMA_STATUS IMA_GetLnpProperties(IMA_OID lnpOid, IMA_LNP_PROPERTIES *pProps);

/* The PNPs of a PHBA or an LNP (6.2.50). */
IMA_API IMA_STATUS IMA_GetPnpOidList(IMA_OID oid, IMA_OID_LIST **ppList);

/* 6.2.51 */
IMA_API IMA_STATUS IMA_GetPnpProperties(IMA_OID pnpOid, IMA_PNP_PROPERTIES *pProps);

/* 6.2.52. IMA_ERROR_STATS_COLLECTION_NOT_ENABLED, IMA_ERROR_NOT_SUPPORTED. */
IMA_API IMA_STATUS IMA_GetPnpStatistics(IMA_OID pnpOid, IMA_PNP_STATISTICS *pStats);

/* Of an LNP or a PNP (6.2.40). */
IMA_API IMA_STATUS IMA_GetNetworkPortStatus(IMA_OID portOid, IMA_NETWORK_PORT_STATUS *pStatus);

/* The network portals of an LNP (6.2.38). */
IMA_API IMA_STATUS IMA_GetNetworkPortalOidList(IMA_OID oid, IMA_OID_LIST **ppList);

/* 6.2.39 */
IMA_API IMA_STATUS IMA_GetNetworkPortalProperties(IMA_OID networkPortalOid,
                                                  IMA_NETWORK_PORTAL_PROPERTIES *pProps);

/* 6.2.90 */
IMA_API IMA_STATUS IMA_SetNetworkPortalIpAddress(IMA_OID networkPortalOid,
                                                 const IMA_IP_ADDRESS NewIpAddress);

/* The IP configuration of a PNP (6.2.24), and whether DHCP makes it (6.2.84). */
IMA_API IMA_STATUS IMA_GetIpProperties(IMA_OID oid, IMA_IP_PROPERTIES *pProps);
IMA_API IMA_STATUS IMA_SetIpConfigMethod(IMA_OID oid, IMA_BOOL enableDhcpIpConfiguration);

/* Of a PNP (6.2.97, 6.2.74). */
IMA_API IMA_STATUS IMA_SetSubnetMask(IMA_OID oid, IMA_IP_ADDRESS subnetMask);
IMA_API IMA_STATUS IMA_SetDefaultGateway(IMA_OID oid, IMA_IP_ADDRESS defaultGateway);

/* The DNS servers of a PNP (6.2.77). NULL clears one; an alternate without a primary one, and the
 * same one twice, are IMA_ERROR_INVALID_PARAMETER. */
IMA_API IMA_STATUS IMA_SetDnsServerAddress(IMA_OID oid,
                                           const IMA_IP_ADDRESS *pPrimaryDnsServerAddress,
                                           const IMA_IP_ADDRESS *pAlternateDnsServerAddress);

/* Of a PNP or an LHBA (6.2.25). */
IMA_API IMA_STATUS IMA_GetIpsecProperties(IMA_OID oid, IMA_IPSEC_PROPERTIES *pProps);

/*
 * Discovery. iSNS, SLP and static discovery are primary methods, SendTargets is secondary; the last
 * primary one cannot be turned off: IMA_ERROR_LAST_PRIMARY_DISCOVERY_METHOD.
 */

/* Of a PHBA or an LHBA (6.2.17). */
IMA_API IMA_STATUS IMA_GetDiscoveryProperties(IMA_OID oid, IMA_DISCOVERY_PROPERTIES *pProps);

/* For a PHBA or an LHBA (6.2.85). The method and the host count when enabling, the host with
 * IMA_ISNS_DISCOVERY_METHOD_STATIC alone; there it must not be NULL. */
IMA_API IMA_STATUS IMA_SetIsnsDiscovery(IMA_OID oid, IMA_BOOL enableIsnsDiscovery,
                                        IMA_ISNS_DISCOVERY_METHOD discoveryMethod,
                                        const IMA_HOST_ID *iSnsHost);

/* For a PHBA or an LHBA (6.2.94, 6.2.95). */
IMA_API IMA_STATUS IMA_SetSlpDiscovery(IMA_OID oid, IMA_BOOL enableSlpDiscovery);
IMA_API IMA_STATUS IMA_SetStaticDiscovery(IMA_OID oid, IMA_BOOL enableStaticDiscovery);

/* For a PHBA, an LHBA, or a target: whether it is asked for others (6.2.93). */
IMA_API IMA_STATUS IMA_SetSendTargetsDiscovery(IMA_OID oid, IMA_BOOL enableSendTargetsDiscovery);

/*
 * Where an LHBA or a PNP sends SendTargets to (6.2.1). The address is not tried out. An address
 * that is used already is fine, and has the OID it had. pDiscoveryAddressOid may be NULL. A name of
 * a host that is empty or not ended, and an address of zeros, are IMA_ERROR_INVALID_PARAMETER.
 */
IMA_API IMA_STATUS IMA_AddDiscoveryAddress(IMA_OID oid, const IMA_TARGET_ADDRESS discoveryAddress,
                                           IMA_OID *pDiscoveryAddressOid);

/* 6.2.69. IMA_ERROR_LU_EXPOSED: a logical unit of a target found there is exposed. */
IMA_API IMA_STATUS IMA_RemoveDiscoveryAddress(IMA_OID discoveryAddressOid);

/* Of an LHBA or a PNP (6.2.15). */
IMA_API IMA_STATUS IMA_GetDiscoveryAddressOidList(IMA_OID oid, IMA_OID_LIST **ppList);

/* 6.2.16 */
IMA_API IMA_STATUS IMA_GetDiscoveryAddressProperties(IMA_OID discoveryAddressOid,
                                                     IMA_DISCOVERY_ADDRESS_PROPERTIES *pProps);

/* A target that an LHBA or a PNP knows without discovery (6.2.2). It is not tried out. One that is
 * known already is fine. pStaticDiscoveryTargetOid may be NULL. Text as with
 * IMA_AddDiscoveryAddress. */
IMA_API IMA_STATUS
IMA_AddStaticDiscoveryTarget(IMA_OID oid, const IMA_STATIC_DISCOVERY_TARGET staticDiscoveryTarget,
                             IMA_OID *pStaticDiscoveryTargetOid);

/* 6.2.71. IMA_ERROR_LU_EXPOSED: a logical unit of the target is exposed. */
IMA_API IMA_STATUS IMA_RemoveStaticDiscoveryTarget(IMA_OID staticDiscoveryTargetOid);

/* Of an LHBA or a PNP (6.2.54). */
IMA_API IMA_STATUS IMA_GetStaticDiscoveryTargetOidList(IMA_OID oid, IMA_OID_LIST **ppList);

/* 6.2.55 */
IMA_API IMA_STATUS IMA_GetStaticDiscoveryTargetProperties(
    IMA_OID staticDiscoveryTargetOid, IMA_STATIC_DISCOVERY_TARGET_PROPERTIES *pProps);

/*
 * Targets (4.2.6): one target has an OID on each LHBA
 */

/* The targets known to an LHBA, or reached through an LNP (6.2.59). */
IMA_API IMA_STATUS IMA_GetTargetOidList(IMA_OID oid, IMA_OID_LIST **ppList);

/* 6.2.60. IMA_ERROR_TARGET_TIMEOUT, IMA_ERROR_LOGIN_REJECTED. */
IMA_API IMA_STATUS IMA_GetTargetProperties(IMA_OID targetOid, IMA_TARGET_PROPERTIES *pProps);

/* Where a target can be reached, no address twice (6.2.8). IMA_ERROR_TARGET_TIMEOUT. Free *ppKeys
 * with IMA_FreeMemory. */
IMA_API IMA_STATUS IMA_GetAddressKeys(IMA_OID targetOid, IMA_ADDRESS_KEYS **ppKeys);

/* 6.2.58. IMA_ERROR_STATS_COLLECTION_NOT_ENABLED, IMA_ERROR_NOT_SUPPORTED. */
IMA_API IMA_STATUS IMA_GetTargetErrorStatistics(IMA_OID targetOid,
                                                IMA_TARGET_ERROR_STATISTICS *pStats);

/*
 * Login parameters of an LHBA or a target (4.2.8; RFC 7143, section 13). The setters return
 * IMA_ERROR_NOT_SUPPORTED if `settable` is IMA_FALSE, and IMA_ERROR_INVALID_PARAMETER also for a
 * value that the IMA_MIN_MAX_VALUE does not allow. Lengths are in bytes, times in seconds.
 */

/* 6.2.10, 6.2.72 */
IMA_API IMA_STATUS IMA_GetDataPduInOrderProperties(IMA_OID oid, IMA_BOOL_VALUE *pProps);
IMA_API IMA_STATUS IMA_SetDataPduInOrder(IMA_OID oid, IMA_BOOL dataPduInOrder);

/* 6.2.11, 6.2.73 */
IMA_API IMA_STATUS IMA_GetDataSequenceInOrderProperties(IMA_OID oid, IMA_BOOL_VALUE *pProps);
IMA_API IMA_STATUS IMA_SetDataSequenceInOrder(IMA_OID oid, IMA_BOOL dataSequenceInOrder);

/* 6.2.12, 6.2.75 */
IMA_API IMA_STATUS IMA_GetDefaultTime2RetainProperties(IMA_OID oid, IMA_MIN_MAX_VALUE *pProps);
IMA_API IMA_STATUS IMA_SetDefaultTime2Retain(IMA_OID oid, IMA_UINT defaultTime2Retain);

/* 6.2.13, 6.2.76 */
IMA_API IMA_STATUS IMA_GetDefaultTime2WaitProperties(IMA_OID oid, IMA_MIN_MAX_VALUE *pProps);
IMA_API IMA_STATUS IMA_SetDefaultTime2Wait(IMA_OID oid, IMA_UINT defaultTime2Wait);

/* 6.2.18, 6.2.78 */
IMA_API IMA_STATUS IMA_GetErrorRecoveryLevelProperties(IMA_OID oid, IMA_MIN_MAX_VALUE *pProps);
IMA_API IMA_STATUS IMA_SetErrorRecoveryLevel(IMA_OID oid, IMA_UINT errorRecoveryLevel);

/* 6.2.19, 6.2.79 */
IMA_API IMA_STATUS IMA_GetFirstBurstLengthProperties(IMA_OID oid, IMA_MIN_MAX_VALUE *pProps);
IMA_API IMA_STATUS IMA_SetFirstBurstLength(IMA_OID oid, IMA_UINT firstBurstLength);

/* 6.2.20, 6.2.80 */
IMA_API IMA_STATUS IMA_GetImmediateDataProperties(IMA_OID oid, IMA_BOOL_VALUE *pProps);
IMA_API IMA_STATUS IMA_SetImmediateData(IMA_OID oid, IMA_BOOL immediateData);

/* 6.2.21, 6.2.81 */
IMA_API IMA_STATUS IMA_GetInitialR2TProperties(IMA_OID oid, IMA_BOOL_VALUE *pProps);
IMA_API IMA_STATUS IMA_SetInitialR2T(IMA_OID oid, IMA_BOOL initialR2T);

/* 6.2.34, 6.2.86 */
IMA_API IMA_STATUS IMA_GetMaxBurstLengthProperties(IMA_OID oid, IMA_MIN_MAX_VALUE *pProps);
IMA_API IMA_STATUS IMA_SetMaxBurstLength(IMA_OID oid, IMA_UINT maxBurstLength);

/* 6.2.35, 6.2.87 */
IMA_API IMA_STATUS IMA_GetMaxConnectionsProperties(IMA_OID oid, IMA_MIN_MAX_VALUE *pProps);
IMA_API IMA_STATUS IMA_SetMaxConnections(IMA_OID oid, IMA_UINT maxConnections);

/* 6.2.36, 6.2.89 */
IMA_API IMA_STATUS IMA_GetMaxOutstandingR2TProperties(IMA_OID oid, IMA_MIN_MAX_VALUE *pProps);
IMA_API IMA_STATUS IMA_SetMaxOutstandingR2T(IMA_OID oid, IMA_UINT maxOutstandingR2T);

/* 6.2.37, 6.2.88 */
IMA_API IMA_STATUS IMA_GetMaxRecvDataSegmentLengthProperties(IMA_OID oid,
                                                             IMA_MIN_MAX_VALUE *pProps);
IMA_API IMA_STATUS IMA_SetMaxRecvDataSegmentLength(IMA_OID oid, IMA_UINT maxRecvDataSegmentLength);

/*
 * Authentication of an LHBA as initiator
 */

/*
 * The methods that an LHBA knows, best first: all of them, or those (getSettableMethods) whose
 * parameters have been set, so that they can be used (6.2.57). IMA_AUTHMETHOD_NONE is among them.
 * *pMethodCount: in, room in pMethodList, 0 if that is NULL; out, how many there are, which can be
 * more than were returned.
 */
IMA_API IMA_STATUS IMA_GetSupportedAuthMethods(IMA_OID lhbaOid, IMA_BOOL getSettableMethods,
                                               IMA_UINT *pMethodCount, IMA_AUTHMETHOD *pMethodList);

/* The methods in use, best first (6.2.23). Count and list as above. */
IMA_API IMA_STATUS IMA_GetInUseInitiatorAuthMethods(IMA_OID lhbaOid, IMA_UINT *pMethodCount,
                                                    IMA_AUTHMETHOD *pMethodList);

/* 6.2.82. At least one method, none twice, each of them settable, else IMA_ERROR_INVALID_PARAMETER.
 */
IMA_API IMA_STATUS IMA_SetInitiatorAuthMethods(IMA_OID lhbaOid, IMA_UINT methodCount,
                                               const IMA_AUTHMETHOD *pMethodList);

/* 6.2.22. A method without parameters (IMA_AUTHMETHOD_NONE), or that the LHBA does not know:
 * IMA_ERROR_INVALID_PARAMETER. */
IMA_API IMA_STATUS IMA_GetInitiatorAuthParms(IMA_OID lhbaOid, IMA_AUTHMETHOD method,
                                             IMA_INITIATOR_AUTHPARMS *pParms);

/* 6.2.83. Methods as above; lengths beyond their arrays: IMA_ERROR_INVALID_PARAMETER. A secret of
 * length 0 leaves the one that is stored as it is, so that what was read can be written back. */
IMA_API IMA_STATUS IMA_SetInitiatorAuthParms(IMA_OID lhbaOid, IMA_AUTHMETHOD method,
                                             const IMA_INITIATOR_AUTHPARMS *pParms);

/*
 * Logical units
 */

/* The logical units of an LHBA or a target that are exposed to the system (6.2.32). */
IMA_API IMA_STATUS IMA_GetLuOidList(IMA_OID oid, IMA_OID_LIST **ppList);

/* The OID for a LUN, 8 bytes as SCSI has them; there need be no such unit (6.2.31). */
IMA_API IMA_STATUS IMA_GetLuOid(IMA_OID targetOid, IMA_BYTE lun[8], IMA_OID *pluOid);

/* 6.2.33 */
IMA_API IMA_STATUS IMA_GetLuProperties(IMA_OID luOid, IMA_LU_PROPERTIES *pProps);

/* 6.2.5. IMA_ERROR_LU_EXPOSED: it is already; IMA_ERROR_TARGET_TIMEOUT, IMA_ERROR_LOGIN_REJECTED.
 */
IMA_API IMA_STATUS IMA_ExposeLu(IMA_OID luOid);

/* 6.2.98. IMA_ERROR_LU_NOT_EXPOSED, IMA_ERROR_LU_IN_USE. */
IMA_API IMA_STATUS IMA_UnexposeLu(IMA_OID luOid);

/*
 * SCSI commands. To a target: it goes to LUN 0. *pOutputBufferLength: in, bytes of room, not 0;
 * out, bytes returned. A CHECK CONDITION is IMA_ERROR_SCSI_STATUS_CHECK_CONDITION with the sense
 * data in pSenseBuffer and their length in *pSenseBufferLength, which otherwise stays as it is.
 * pSenseBuffer may be NULL, and then pSenseBufferLength is NULL, too, or points to 0. Also the
 * other IMA_*_SCSI_STATUS_*, IMA_ERROR_TARGET_TIMEOUT, IMA_ERROR_LOGIN_REJECTED.
 */

/* INQUIRY (6.2.62). */
IMA_API IMA_STATUS IMA_LuInquiry(IMA_OID deviceOid, IMA_BOOL evpd, IMA_BOOL cmddt,
                                 IMA_BYTE pageCode, IMA_BYTE *pOutputBuffer,
                                 IMA_UINT *pOutputBufferLength, IMA_BYTE *pSenseBuffer,
                                 IMA_UINT *pSenseBufferLength);

/* READ CAPACITY with a CDB of 10 or 16 bytes (6.2.63). */
IMA_API IMA_STATUS IMA_LuReadCapacity(IMA_OID deviceOid, IMA_UINT cdbLength,
                                      IMA_BYTE *pOutputBuffer, IMA_UINT *pOutputBufferLength,
                                      IMA_BYTE *pSenseBuffer, IMA_UINT *pSenseBufferLength);

/* REPORT LUNS (6.2.64). sendToWellKnownLu: to a target's well known logical unit instead of LUN 0;
 * IMA_ERROR_NOT_SUPPORTED if that cannot be. */
IMA_API IMA_STATUS IMA_LuReportLuns(IMA_OID deviceOid, IMA_BOOL sendToWellKnownLu,
                                    IMA_BYTE selectReport, IMA_BYTE *pOutputBuffer,
                                    IMA_UINT *pOutputBufferLength, IMA_BYTE *pSenseBuffer,
                                    IMA_UINT *pSenseBufferLength);

/*
 * Statistics
 */

/* Of a target, a logical unit or a PNP (6.2.56). IMA_ERROR_NOT_SUPPORTED. */
IMA_API IMA_STATUS IMA_GetStatisticsProperties(IMA_OID oid, IMA_STATISTICS_PROPERTIES *pProps);

/* For the ports of a PHBA, a target or a logical unit (6.2.96). */
IMA_API IMA_STATUS IMA_SetStatisticsCollection(IMA_OID oid, IMA_BOOL enableStatisticsCollection);

/* Of a target or a logical unit (6.2.14). IMA_ERROR_LU_NOT_EXPOSED,
 * IMA_ERROR_STATS_COLLECTION_NOT_ENABLED. */
IMA_API IMA_STATUS IMA_GetDeviceStatistics(IMA_OID oid, IMA_DEVICE_STATISTICS *pStats);

/*
 * Other spellings: SNIA's, and misprints of the standard
 */

/* The same as IMA_PluginIOctl. */
IMA_API IMA_STATUS IMA_PluginIOCtl(IMA_OID pluginOid, IMA_UINT command, const void *pInputBuffer,
                                   IMA_UINT inputBufferLength, void *pOutputBuffer,
                                   IMA_UINT *pOutputBufferLength);
typedef IMA_ADDRESS_KEYS IMA_ADDRESS_KEY_PROPERTIES;
typedef IMA_UINT32 IMA_VOID32;
/* Of other libraries: no function takes or returns them. */
#define IMA_OBJECT_TYPE_CONNECTION          ((IMA_OBJECT_TYPE)13)
#define IMA_OBJECT_TYPE_SESSION             ((IMA_OBJECT_TYPE)14)
#define IMA_DOWNLOAD_IMAGE_TYPE_BOOTCODE    ((IMA_PHBA_DOWNLOAD_IMAGE_TYPE)3)
#define IMA_TARGET_DISCOVERY_METHOD_UNKNOWN ((IMA_TARGET_DISCOVERY_METHOD)0)
#define IMA_GetAddressKeyProperties         IMA_GetAddressKeys
#define IMA_SetInitialRT2                   IMA_SetInitialR2T
#define IMA_GetMaxOutstandingRT2Properties  IMA_GetMaxOutstandingR2TProperties

#ifdef __cplusplus
}
#endif

#endif
