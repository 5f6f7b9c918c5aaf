/*
 * The iSCSI Discovery Library: discovery, login, sessions and settings of the
 * iSCSI initiator, with the names, types and values of Microsoft's iscsidsc.h.
 *
 * Sources written for Microsoft's header compile unchanged. Two things are
 * easier here: this file includes iscsierr.h itself (including it first, as
 * Windows sources have to, is fine), and on systems other than Windows the
 * Windows types come from iscsi_windows_types.h. Link with iscsidsc.
 *
 * What holds for all functions
 *
 * Result. An ISDSC_STATUS: ERROR_SUCCESS (0), a code of iscsierr.h or a system
 * error code. Any of them may return ERROR_NOT_ENOUGH_MEMORY, ERROR_INVALID_PARAMETER
 * (a required pointer is NULL, a string is not terminated or cannot be
 * converted), ERROR_ACCESS_DENIED (the caller may not do this),
 * ISDSC_SERVICE_NOT_RUNNING and ISDSC_SERVICE_DID_NOT_RESPOND. The comment of a
 * function names what else it returns. No function changes errno or the last
 * error as part of its interface.
 *
 * Threads. Every function may be called from any thread at any time, and
 * returns when its work is done; what goes over the network has a deadline.
 *
 * A and W. Functions and structures that carry text come in two forms: A with
 * text in the ANSI code page (UTF-8 on Linux), W with UTF-16. The plain name
 * means W if UNICODE is defined, else A. CHAP names and secrets, keys and IKE
 * identities are bytes with a length in both forms.
 *
 * [opt] marks a pointer that may be NULL. Strings are read up to their
 * terminating NUL; nothing that is passed in is kept or changed.
 *
 * Buffers. A function that returns data of varying size takes a pointer to the
 * size of the caller's buffer. The unit differs and is given with each function:
 * bytes, characters (CHAR or WCHAR, not bytes) or elements of an array. If the
 * buffer is too small, or NULL while there are data, the function returns
 * ERROR_INSUFFICIENT_BUFFER and stores the size that it needs; a count that is
 * returned beside the size is stored as well. On success the size becomes the
 * one delivered, never more than was given. With a NULL buffer the value of the
 * size is ignored. The amount can change between two calls: call again for as
 * long as ERROR_INSUFFICIENT_BUFFER comes back.
 *
 * Arrays stand at the start of the buffer, one element behind the other. What
 * the elements point to stands behind the array in the same buffer; there is
 * nothing to free.
 *
 * String lists. Each string ends with a NUL, and one more NUL ends the list. The
 * empty list is two NULs.
 *
 * InitiatorInstance, InitiatorName [opt]. The instance of the initiator (the
 * host bus adapter), such as "Root\ISCSIPRT\0000_0", compared without regard to
 * case. NULL and "" leave the choice to the service where something is added or
 * logged in, and mean any instance where something is removed or looked for.
 * An unknown name: ISDSC_INITIATOR_INSTANCE_NOT_FOUND.
 *
 * InitiatorPortNumber. A port of that instance, or ISCSI_ANY_INITIATOR_PORT.
 * Without an instance it has to be that. Unknown: ISDSC_INVALID_PORT_NUMBER.
 *
 * SecurityFlags. ISCSI_SECURITY_FLAG_*; without ISCSI_SECURITY_FLAG_VALID the
 * stored ones apply. Stored and reported back as they are.
 *
 * iSCSI names are compared without regard to case and have at most
 * MAX_ISCSI_NAME_LEN characters; others are ISDSC_INVALID_ISCSI_NAME.
 *
 * Source: Microsoft's documentation of the iSCSI Discovery Library API (the page
 * with the name of the function or structure), and RFC 7143 for the protocol.
 */
#ifndef _ISCSI_ISCSIDSC_
#ifdef _INC_ISCSIDSC
#error "another iscsidsc.h came first: put this one's directory first in the include path"
#endif
#define _ISCSI_ISCSIDSC_
/* mingw-w64's header of the same name must not follow: its layouts differ. */
#define _INC_ISCSIDSC

#include "iscsi_windows_types.h"
#include "iscsierr.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Unnamed unions are newer than C99. */
#if defined(__GNUC__) && !defined(__cplusplus)
#define ISCSI_UNNAMED_ __extension__
#else
#define ISCSI_UNNAMED_
#endif

/* _ISDSCP_ is defined while the library itself is built. */
#ifndef ISDSC_API
#if !defined(_WIN32) && defined(__GNUC__)
#define ISDSC_API __attribute__((visibility("default")))
#elif defined(_ISDSCP_)
#define ISDSC_API
#else
#define ISDSC_API DECLSPEC_IMPORT
#endif
#endif

/*
 * Lengths, in characters
 */

/* Arrays of these lengths include the terminating NUL. */
#define MAX_ISCSI_HBANAME_LEN          256
#define MAX_ISCSI_PORTAL_NAME_LEN      256
#define MAX_ISCSI_PORTAL_ALIAS_LEN     256
#define MAX_ISCSI_TEXT_ADDRESS_LEN     256
#define MAX_ISCSI_PORTAL_ADDRESS_LEN   256
#define MAX_ISCSI_DISCOVERY_DOMAIN_LEN 256
/* The terminating NUL comes on top of these. */
#define MAX_ISCSI_NAME_LEN  223
#define MAX_ISCSI_ALIAS_LEN 255
/* The address as text and the two NULs that end a list. */
#define MAX_RADIUS_ADDRESS_LEN 41

#define ISCSI_ANY_INITIATOR_PORT  ((ULONG)0xFFFFFFFF)
#define ISCSI_ALL_INITIATOR_PORTS ((ULONG)0xFFFFFFFF)

/*
 * How a connection is secured with IPsec
 */
typedef ULONGLONG ISCSI_SECURITY_FLAGS, *PISCSI_SECURITY_FLAGS;

/* Tunnel or transport, main or aggressive: at most one of each pair. */
#define ISCSI_SECURITY_FLAG_TUNNEL_MODE_PREFERRED    0x00000040
#define ISCSI_SECURITY_FLAG_TRANSPORT_MODE_PREFERRED 0x00000020
#define ISCSI_SECURITY_FLAG_PFS_ENABLED              0x00000010
#define ISCSI_SECURITY_FLAG_AGGRESSIVE_MODE_ENABLED  0x00000008
#define ISCSI_SECURITY_FLAG_MAIN_MODE_ENABLED        0x00000004
#define ISCSI_SECURITY_FLAG_IKE_IPSEC_ENABLED        0x00000002
/* The other bits count. */
#define ISCSI_SECURITY_FLAG_VALID 0x00000001

/*
 * How to log in
 */
typedef enum {
    ISCSI_DIGEST_TYPE_NONE = 0,
    ISCSI_DIGEST_TYPE_CRC32C = 1
} ISCSI_DIGEST_TYPES,
    *PISCSI_DIGEST_TYPES;

typedef enum {
    ISCSI_NO_AUTH_TYPE = 0,
    /* The target makes sure who the initiator is. */
    ISCSI_CHAP_AUTH_TYPE = 1,
    /* And the initiator makes sure who the target is. */
    ISCSI_MUTUAL_CHAP_AUTH_TYPE = 2
} ISCSI_AUTH_TYPES,
    *PISCSI_AUTH_TYPES;

typedef ULONG ISCSI_LOGIN_FLAGS, *PISCSI_LOGIN_FLAGS;

/* Do not log in without IPsec. */
#define ISCSI_LOGIN_FLAG_REQUIRE_IPSEC 0x00000001
/* Log in even if there is a session to the target already. */
#define ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED 0x00000002
#define ISCSI_LOGIN_FLAG_RESERVED1         0x00000004
/* The session may move to another portal of the target. */
#define ISCSI_LOGIN_FLAG_ALLOW_PORTAL_HOPPING 0x00000008
/* A RADIUS server makes the CHAP response. */
#define ISCSI_LOGIN_FLAG_USE_RADIUS_RESPONSE 0x00000010
/* A RADIUS server checks the target's CHAP response. */
#define ISCSI_LOGIN_FLAG_USE_RADIUS_VERIFICATION 0x00000020

typedef ULONG ISCSI_LOGIN_OPTIONS_INFO_SPECIFIED, *PISCSI_LOGIN_OPTIONS_INFO_SPECIFIED;

/* The field of that name in ISCSI_LOGIN_OPTIONS counts. */
#define ISCSI_LOGIN_OPTIONS_HEADER_DIGEST         0x00000001
#define ISCSI_LOGIN_OPTIONS_DATA_DIGEST           0x00000002
#define ISCSI_LOGIN_OPTIONS_MAXIMUM_CONNECTIONS   0x00000004
#define ISCSI_LOGIN_OPTIONS_DEFAULT_TIME_2_WAIT   0x00000008
#define ISCSI_LOGIN_OPTIONS_DEFAULT_TIME_2_RETAIN 0x00000010
#define ISCSI_LOGIN_OPTIONS_USERNAME              0x00000020
#define ISCSI_LOGIN_OPTIONS_PASSWORD              0x00000040
#define ISCSI_LOGIN_OPTIONS_AUTH_TYPE             0x00000080

#define ISCSI_LOGIN_OPTIONS_VERSION 0x00000000

/* Options of a login. What InformationSpecified leaves out takes the initiator's default. */
typedef struct {
    ULONG Version; /* ISCSI_LOGIN_OPTIONS_VERSION */
    ISCSI_LOGIN_OPTIONS_INFO_SPECIFIED InformationSpecified;
    ISCSI_LOGIN_FLAGS LoginFlags; /* these always count */
    ISCSI_AUTH_TYPES AuthType;
    ISCSI_DIGEST_TYPES HeaderDigest;
    ISCSI_DIGEST_TYPES DataDigest;
    ULONG MaximumConnections; /* 1 to 65535 */
    ULONG DefaultTime2Wait;   /* seconds */
    ULONG DefaultTime2Retain; /* seconds */
    ULONG UsernameLength;     /* bytes, no NUL */
    ULONG PasswordLength;     /* bytes, no NUL */
    PUCHAR Username;          /* CHAP name; the initiator's node name if not specified */
    PUCHAR Password;          /* the target's CHAP secret; never returned */
} ISCSI_LOGIN_OPTIONS, *PISCSI_LOGIN_OPTIONS;

/*
 * IKE authentication for IPsec
 */
typedef enum {
    IKE_AUTHENTICATION_PRESHARED_KEY_METHOD = 1
} IKE_AUTHENTICATION_METHOD,
    *PIKE_AUTHENTICATION_METHOD;

typedef UCHAR IKE_IDENTIFICATION_PAYLOAD_TYPE, *PIKE_IDENTIFICATION_PAYLOAD_TYPE;

#define ID_IPV4_ADDR 1 /* 4 bytes in network order */
#define ID_FQDN      2 /* text without NUL */
#define ID_USER_FQDN 3 /* text without NUL */
#define ID_IPV6_ADDR 5 /* 16 bytes */

typedef struct {
    ISCSI_SECURITY_FLAGS SecurityFlags;
    IKE_IDENTIFICATION_PAYLOAD_TYPE IdType;
    ULONG IdLengthInBytes;
    PUCHAR Id;
    ULONG KeyLengthInBytes;
    PUCHAR Key;
} IKE_AUTHENTICATION_PRESHARED_KEY, *PIKE_AUTHENTICATION_PRESHARED_KEY;

typedef struct {
    IKE_AUTHENTICATION_METHOD AuthMethod;
    ISCSI_UNNAMED_ union {
        IKE_AUTHENTICATION_PRESHARED_KEY PsKey;
    };
} IKE_AUTHENTICATION_INFORMATION, *PIKE_AUTHENTICATION_INFORMATION;

/*
 * Ids: opaque, unlike for any two sessions or connections, never used again
 */
typedef struct {
    ULONGLONG AdapterUnique;
    ULONGLONG AdapterSpecific;
} ISCSI_UNIQUE_SESSION_ID, *PISCSI_UNIQUE_SESSION_ID;

typedef struct {
    ULONGLONG AdapterUnique;
    ULONGLONG AdapterSpecific;
} ISCSI_UNIQUE_CONNECTION_ID, *PISCSI_UNIQUE_CONNECTION_ID;

/*
 * Target mappings: at which bus, target and LUN numbers the system shows a target
 */
typedef struct {
    ULONG OSLUN;         /* the system's number */
    ULONGLONG TargetLUN; /* the target's: below 16384 a number, else the bytes of the LUN field */
} SCSI_LUN_LIST, *PSCSI_LUN_LIST;

typedef struct {
    CHAR InitiatorName[MAX_ISCSI_HBANAME_LEN];
    CHAR TargetName[MAX_ISCSI_NAME_LEN + 1];
    CHAR OSDeviceName[MAX_PATH];
    ISCSI_UNIQUE_SESSION_ID SessionId;
    ULONG OSBusNumber;
    ULONG OSTargetNumber;
    ULONG LUNCount;         /* elements of LUNList */
    PSCSI_LUN_LIST LUNList; /* in the same buffer if returned */
} ISCSI_TARGET_MAPPINGA, *PISCSI_TARGET_MAPPINGA;

typedef struct {
    WCHAR InitiatorName[MAX_ISCSI_HBANAME_LEN];
    WCHAR TargetName[MAX_ISCSI_NAME_LEN + 1];
    WCHAR OSDeviceName[MAX_PATH];
    ISCSI_UNIQUE_SESSION_ID SessionId;
    ULONG OSBusNumber;
    ULONG OSTargetNumber;
    ULONG LUNCount;
    PSCSI_LUN_LIST LUNList;
} ISCSI_TARGET_MAPPINGW, *PISCSI_TARGET_MAPPINGW;

/*
 * Portals
 */
typedef struct {
    CHAR SymbolicName[MAX_ISCSI_PORTAL_NAME_LEN];
    CHAR Address[MAX_ISCSI_PORTAL_ADDRESS_LEN]; /* IPv4, IPv6 or host name */
    USHORT Socket;                              /* TCP port in host byte order */
} ISCSI_TARGET_PORTALA, *PISCSI_TARGET_PORTALA;

typedef struct {
    WCHAR SymbolicName[MAX_ISCSI_PORTAL_NAME_LEN];
    WCHAR Address[MAX_ISCSI_PORTAL_ADDRESS_LEN];
    USHORT Socket;
} ISCSI_TARGET_PORTALW, *PISCSI_TARGET_PORTALW;

typedef struct {
    CHAR InitiatorName[MAX_ISCSI_HBANAME_LEN]; /* instance */
    ULONG InitiatorPortNumber;
    CHAR SymbolicName[MAX_ISCSI_PORTAL_NAME_LEN];
    CHAR Address[MAX_ISCSI_PORTAL_ADDRESS_LEN];
    USHORT Socket;
} ISCSI_TARGET_PORTAL_INFOA, *PISCSI_TARGET_PORTAL_INFOA;

typedef struct {
    WCHAR InitiatorName[MAX_ISCSI_HBANAME_LEN];
    ULONG InitiatorPortNumber;
    WCHAR SymbolicName[MAX_ISCSI_PORTAL_NAME_LEN];
    WCHAR Address[MAX_ISCSI_PORTAL_ADDRESS_LEN];
    USHORT Socket;
} ISCSI_TARGET_PORTAL_INFOW, *PISCSI_TARGET_PORTAL_INFOW;

typedef struct {
    CHAR InitiatorName[MAX_ISCSI_HBANAME_LEN];
    ULONG InitiatorPortNumber;
    CHAR SymbolicName[MAX_ISCSI_PORTAL_NAME_LEN];
    CHAR Address[MAX_ISCSI_PORTAL_ADDRESS_LEN];
    USHORT Socket;
    ISCSI_SECURITY_FLAGS SecurityFlags;
    ISCSI_LOGIN_OPTIONS LoginOptions; /* Username points into the buffer, Password is NULL */
} ISCSI_TARGET_PORTAL_INFO_EXA, *PISCSI_TARGET_PORTAL_INFO_EXA;

typedef struct {
    WCHAR InitiatorName[MAX_ISCSI_HBANAME_LEN];
    ULONG InitiatorPortNumber;
    WCHAR SymbolicName[MAX_ISCSI_PORTAL_NAME_LEN];
    WCHAR Address[MAX_ISCSI_PORTAL_ADDRESS_LEN];
    USHORT Socket;
    ISCSI_SECURITY_FLAGS SecurityFlags;
    ISCSI_LOGIN_OPTIONS LoginOptions;
} ISCSI_TARGET_PORTAL_INFO_EXW, *PISCSI_TARGET_PORTAL_INFO_EXW;

/* Portals that one session may use together. There are Count of them, 0 included. */
typedef struct {
    ULONG Count;
    ISCSI_TARGET_PORTALA Portals[1];
} ISCSI_TARGET_PORTAL_GROUPA, *PISCSI_TARGET_PORTAL_GROUPA;

typedef struct {
    ULONG Count;
    ISCSI_TARGET_PORTALW Portals[1];
} ISCSI_TARGET_PORTAL_GROUPW, *PISCSI_TARGET_PORTAL_GROUPW;

/*
 * Targets
 */
typedef ULONG ISCSI_TARGET_FLAGS, *PISCSI_TARGET_FLAGS;

/* ReportIScsiTargets leaves the target out unless discovery finds it too. */
#define ISCSI_TARGET_FLAG_HIDE_STATIC_TARGET 0x00000002
/* Merge with what is stored for the target; without it, replace that. */
#define ISCSI_TARGET_FLAG_MERGE_TARGET_INFORMATION 0x00000004

typedef enum { ISCSI_TCP_PROTOCOL_TYPE = 0 } TARGETPROTOCOLTYPE, *PTARGETPROTOCOLTYPE;

/* What GetIScsiTargetInformation returns. */
typedef enum {
    ProtocolType = 0,         /* TARGETPROTOCOLTYPE */
    TargetAlias,              /* string */
    DiscoveryMechanisms,      /* string list; the only class that needs no mechanism */
    PortalGroups,             /* ULONG count, then groups, each rounded up to 4 bytes */
    PersistentTargetMappings, /* ISCSI_TARGET_MAPPING and its LUN list */
    InitiatorName,            /* string: the instance that reaches the target */
    TargetFlags,              /* ISCSI_TARGET_FLAGS */
    LoginOptions              /* ISCSI_LOGIN_OPTIONS and the user name */
} TARGET_INFORMATION_CLASS,
    *PTARGET_INFORMATION_CLASS;

/*
 * Sessions
 */
typedef struct {
    ISCSI_UNIQUE_CONNECTION_ID ConnectionId;
    PCHAR InitiatorAddress;
    PCHAR TargetAddress;
    USHORT InitiatorSocket;
    USHORT TargetSocket;
    UCHAR CID[2]; /* little-endian */
} ISCSI_CONNECTION_INFOA, *PISCSI_CONNECTION_INFOA;

typedef struct {
    ISCSI_UNIQUE_CONNECTION_ID ConnectionId;
    PWCHAR InitiatorAddress;
    PWCHAR TargetAddress;
    USHORT InitiatorSocket;
    USHORT TargetSocket;
    UCHAR CID[2];
} ISCSI_CONNECTION_INFOW, *PISCSI_CONNECTION_INFOW;

typedef struct {
    ISCSI_UNIQUE_SESSION_ID SessionId;
    PCHAR InitiatorName;   /* the initiator's node name */
    PCHAR TargetNodeName;  /* the target's iSCSI name */
    PCHAR TargetName;      /* the same */
    UCHAR ISID[6];         /* as on the wire */
    UCHAR TSID[2];         /* the TSIH, little-endian */
    ULONG ConnectionCount; /* 0 while the session reconnects */
    PISCSI_CONNECTION_INFOA Connections;
} ISCSI_SESSION_INFOA, *PISCSI_SESSION_INFOA;

typedef struct {
    ISCSI_UNIQUE_SESSION_ID SessionId;
    PWCHAR InitiatorName;
    PWCHAR TargetNodeName;
    PWCHAR TargetName;
    UCHAR ISID[6];
    UCHAR TSID[2];
    ULONG ConnectionCount;
    PISCSI_CONNECTION_INFOW Connections;
} ISCSI_SESSION_INFOW, *PISCSI_SESSION_INFOW;

/* What was negotiated for a connection (RFC 7143, 13). */
typedef struct {
    ISCSI_UNIQUE_CONNECTION_ID ConnectionId;
    UCHAR State;
    UCHAR Protocol;     /* 6: TCP */
    UCHAR HeaderDigest; /* ISCSI_DIGEST_TYPES */
    UCHAR DataDigest;   /* ISCSI_DIGEST_TYPES */
    ULONG MaxRecvDataSegmentLength;
    ISCSI_AUTH_TYPES AuthType;
    ULONGLONG EstimatedThroughput;
    ULONG MaxDatagramSize;
} ISCSI_CONNECTION_INFO_EX, *PISCSI_CONNECTION_INFO_EX;

/* What was negotiated for a session (RFC 7143, 13). */
typedef struct {
    ISCSI_UNIQUE_SESSION_ID SessionId;
    BOOLEAN InitialR2t;
    BOOLEAN ImmediateData;
    UCHAR Type; /* 0 discovery, 1 informational, 2 data, 3 boot */
    BOOLEAN DataSequenceInOrder;
    BOOLEAN DataPduInOrder;
    UCHAR ErrorRecoveryLevel;
    ULONG MaxOutstandingR2t;
    ULONG FirstBurstLength; /* bytes */
    ULONG MaxBurstLength;   /* bytes */
    ULONG MaximumConnections;
    ULONG ConnectionCount;
    PISCSI_CONNECTION_INFO_EX Connections;
} ISCSI_SESSION_INFO_EX, *PISCSI_SESSION_INFO_EX;

/* A device that stands for a logical unit of a session's target. */
typedef struct {
    CHAR InitiatorName[MAX_ISCSI_HBANAME_LEN]; /* instance */
    CHAR TargetName[MAX_ISCSI_NAME_LEN + 1];
    SCSI_ADDRESS ScsiAddress;
    GUID DeviceInterfaceType; /* device interface class: disk, tape, CD-ROM, changer ... */
    CHAR DeviceInterfaceName[MAX_PATH];
    CHAR LegacyName[MAX_PATH]; /* such as \\.\PhysicalDrive1 */
    STORAGE_DEVICE_NUMBER StorageDeviceNumber;
    DWORD DeviceInstance; /* handle of the device node */
} ISCSI_DEVICE_ON_SESSIONA, *PISCSI_DEVICE_ON_SESSIONA;

typedef struct {
    WCHAR InitiatorName[MAX_ISCSI_HBANAME_LEN];
    WCHAR TargetName[MAX_ISCSI_NAME_LEN + 1];
    SCSI_ADDRESS ScsiAddress;
    GUID DeviceInterfaceType;
    WCHAR DeviceInterfaceName[MAX_PATH];
    WCHAR LegacyName[MAX_PATH];
    STORAGE_DEVICE_NUMBER StorageDeviceNumber;
    DWORD DeviceInstance;
} ISCSI_DEVICE_ON_SESSIONW, *PISCSI_DEVICE_ON_SESSIONW;

/* A login that the service makes whenever it starts. */
typedef struct {
    CHAR TargetName[MAX_ISCSI_NAME_LEN + 1];
    BOOLEAN IsInformationalSession;
    CHAR InitiatorInstance[MAX_ISCSI_HBANAME_LEN];
    ULONG InitiatorPortNumber;
    ISCSI_TARGET_PORTALA TargetPortal; /* empty: any */
    ISCSI_SECURITY_FLAGS SecurityFlags;
    PISCSI_TARGET_MAPPINGA Mappings; /* NULL: the initiator's choice */
    ISCSI_LOGIN_OPTIONS LoginOptions;
} PERSISTENT_ISCSI_LOGIN_INFOA, *PPERSISTENT_ISCSI_LOGIN_INFOA;

typedef struct {
    WCHAR TargetName[MAX_ISCSI_NAME_LEN + 1];
    BOOLEAN IsInformationalSession;
    WCHAR InitiatorInstance[MAX_ISCSI_HBANAME_LEN];
    ULONG InitiatorPortNumber;
    ISCSI_TARGET_PORTALW TargetPortal;
    ISCSI_SECURITY_FLAGS SecurityFlags;
    PISCSI_TARGET_MAPPINGW Mappings;
    ISCSI_LOGIN_OPTIONS LoginOptions;
} PERSISTENT_ISCSI_LOGIN_INFOW, *PPERSISTENT_ISCSI_LOGIN_INFOW;

typedef struct {
    ULONG MajorVersion;
    ULONG MinorVersion;
    ULONG BuildNumber;
} ISCSI_VERSION_INFO, *PISCSI_VERSION_INFO;

/*
 * The plain names of the structures
 */
#ifdef UNICODE
typedef ISCSI_TARGET_MAPPINGW ISCSI_TARGET_MAPPING, *PISCSI_TARGET_MAPPING;
typedef ISCSI_TARGET_PORTALW ISCSI_TARGET_PORTAL, *PISCSI_TARGET_PORTAL;
typedef ISCSI_TARGET_PORTAL_INFOW ISCSI_TARGET_PORTAL_INFO, *PISCSI_TARGET_PORTAL_INFO;
typedef ISCSI_TARGET_PORTAL_INFO_EXW ISCSI_TARGET_PORTAL_INFO_EX, *PISCSI_TARGET_PORTAL_INFO_EX;
typedef ISCSI_TARGET_PORTAL_GROUPW ISCSI_TARGET_PORTAL_GROUP, *PISCSI_TARGET_PORTAL_GROUP;
typedef ISCSI_CONNECTION_INFOW ISCSI_CONNECTION_INFO, *PISCSI_CONNECTION_INFO;
typedef ISCSI_SESSION_INFOW ISCSI_SESSION_INFO, *PISCSI_SESSION_INFO;
typedef ISCSI_DEVICE_ON_SESSIONW ISCSI_DEVICE_ON_SESSION, *PISCSI_DEVICE_ON_SESSION;
typedef PERSISTENT_ISCSI_LOGIN_INFOW PERSISTENT_ISCSI_LOGIN_INFO, *PPERSISTENT_ISCSI_LOGIN_INFO;
#else
typedef ISCSI_TARGET_MAPPINGA ISCSI_TARGET_MAPPING, *PISCSI_TARGET_MAPPING;
typedef ISCSI_TARGET_PORTALA ISCSI_TARGET_PORTAL, *PISCSI_TARGET_PORTAL;
typedef ISCSI_TARGET_PORTAL_INFOA ISCSI_TARGET_PORTAL_INFO, *PISCSI_TARGET_PORTAL_INFO;
typedef ISCSI_TARGET_PORTAL_INFO_EXA ISCSI_TARGET_PORTAL_INFO_EX, *PISCSI_TARGET_PORTAL_INFO_EX;
typedef ISCSI_TARGET_PORTAL_GROUPA ISCSI_TARGET_PORTAL_GROUP, *PISCSI_TARGET_PORTAL_GROUP;
typedef ISCSI_CONNECTION_INFOA ISCSI_CONNECTION_INFO, *PISCSI_CONNECTION_INFO;
typedef ISCSI_SESSION_INFOA ISCSI_SESSION_INFO, *PISCSI_SESSION_INFO;
typedef ISCSI_DEVICE_ON_SESSIONA ISCSI_DEVICE_ON_SESSION, *PISCSI_DEVICE_ON_SESSION;
typedef PERSISTENT_ISCSI_LOGIN_INFOA PERSISTENT_ISCSI_LOGIN_INFO, *PPERSISTENT_ISCSI_LOGIN_INFO;
#endif

/*
 * The initiator
 */

/*
 * The version of the initiator service.
 *
 * VersionInfo: receives it.
 */
ISDSC_API ISDSC_STATUS WINAPI GetIScsiVersionInformation(PISCSI_VERSION_INFO VersionInfo);

/*
 * The instances of the initiator that are running.
 *
 * BufferSize: in and out, characters. Buffer [opt]: receives a string list.
 */
ISDSC_API ISDSC_STATUS WINAPI ReportIScsiInitiatorListA(ULONG *BufferSize, PCHAR Buffer);
ISDSC_API ISDSC_STATUS WINAPI ReportIScsiInitiatorListW(ULONG *BufferSize, PWCHAR Buffer);

/*
 * The iSCSI name that the initiator logs in with; all instances share it.
 *
 * InitiatorNodeName: receives it; room for MAX_ISCSI_NAME_LEN + 1 characters.
 */
ISDSC_API ISDSC_STATUS WINAPI GetIScsiInitiatorNodeNameA(PCHAR InitiatorNodeName);
ISDSC_API ISDSC_STATUS WINAPI GetIScsiInitiatorNodeNameW(PWCHAR InitiatorNodeName);

/*
 * Sets the initiator's iSCSI name for the logins to come, and stores it.
 *
 * InitiatorNodeName [opt]: NULL goes back to the default, which is made from the
 * computer's name.
 *
 * Errors: ISDSC_INVALID_ISCSI_NAME.
 */
ISDSC_API ISDSC_STATUS WINAPI SetIScsiInitiatorNodeNameA(PSTR InitiatorNodeName);
ISDSC_API ISDSC_STATUS WINAPI SetIScsiInitiatorNodeNameW(PWSTR InitiatorNodeName);

/*
 * Sets the initiator's CHAP secret, which targets prove to know in mutual CHAP,
 * and stores it. It cannot be read back.
 *
 * SharedSecretLength: bytes, 12 to 16; 0 removes the secret. SharedSecret [opt]: the
 * bytes.
 *
 * Errors: ISDSC_INVALID_INITIATOR_CHAP_SECRET for the length.
 */
ISDSC_API ISDSC_STATUS WINAPI SetIScsiInitiatorCHAPSharedSecret(ULONG SharedSecretLength,
                                                                PUCHAR SharedSecret);

/*
 * Discovery by SendTargets (RFC 7143, Appendix C)
 */

/*
 * Puts a portal on the list of those that are asked for targets, and asks it. The
 * list is stored; its portals are asked when the service starts and by
 * ReportIScsiTargets with ForceUpdate.
 *
 * InitiatorInstance [opt], InitiatorPortNumber: where to ask from.
 * LoginOptions [opt]: for the discovery session. SecurityFlags: as above.
 * Portal: all fields count. A portal that is on the list already is replaced.
 *
 * Errors: those of the discovery session, such as ISDSC_CONNECTION_FAILED and
 * ISDSC_AUTHENTICATION_FAILURE: the portal is on the list all the same.
 */
ISDSC_API ISDSC_STATUS WINAPI AddIScsiSendTargetPortalA(PSTR InitiatorInstance,
                                                        ULONG InitiatorPortNumber,
                                                        PISCSI_LOGIN_OPTIONS LoginOptions,
                                                        ISCSI_SECURITY_FLAGS SecurityFlags,
                                                        PISCSI_TARGET_PORTALA Portal);
ISDSC_API ISDSC_STATUS WINAPI AddIScsiSendTargetPortalW(PWSTR InitiatorInstance,
                                                        ULONG InitiatorPortNumber,
                                                        PISCSI_LOGIN_OPTIONS LoginOptions,
                                                        ISCSI_SECURITY_FLAGS SecurityFlags,
                                                        PISCSI_TARGET_PORTALW Portal);

/*
 * Takes a portal off the list. Targets that were found through it stay known.
 *
 * InitiatorInstance [opt], InitiatorPortNumber: those it was added with.
 * Portal: Address and Socket count.
 *
 * Errors: ISDSC_PORTAL_NOT_FOUND.
 */
ISDSC_API ISDSC_STATUS WINAPI RemoveIScsiSendTargetPortalA(PSTR InitiatorInstance,
                                                           ULONG InitiatorPortNumber,
                                                           PISCSI_TARGET_PORTALA Portal);
ISDSC_API ISDSC_STATUS WINAPI RemoveIScsiSendTargetPortalW(PWSTR InitiatorInstance,
                                                           ULONG InitiatorPortNumber,
                                                           PISCSI_TARGET_PORTALW Portal);

/*
 * Asks a portal for its targets, with the login options it has on the list. A
 * portal that is not on the list is asked as well, and is not put on it.
 *
 * InitiatorInstance [opt], InitiatorPortNumber: where to ask from.
 * Portal: Address and Socket count.
 *
 * Errors: those of the discovery session, such as ISDSC_CONNECTION_FAILED and
 * ISDSC_AUTHENTICATION_FAILURE.
 */
ISDSC_API ISDSC_STATUS WINAPI RefreshIScsiSendTargetPortalA(PSTR InitiatorInstance,
                                                            ULONG InitiatorPortNumber,
                                                            PISCSI_TARGET_PORTALA Portal);
ISDSC_API ISDSC_STATUS WINAPI RefreshIScsiSendTargetPortalW(PWSTR InitiatorInstance,
                                                            ULONG InitiatorPortNumber,
                                                            PISCSI_TARGET_PORTALW Portal);

/*
 * The list of portals.
 *
 * PortalCount: in and out, elements. PortalInfo [opt]: receives the array.
 */
ISDSC_API ISDSC_STATUS WINAPI ReportIScsiSendTargetPortalsA(PULONG PortalCount,
                                                            PISCSI_TARGET_PORTAL_INFOA PortalInfo);
ISDSC_API ISDSC_STATUS WINAPI ReportIScsiSendTargetPortalsW(PULONG PortalCount,
                                                            PISCSI_TARGET_PORTAL_INFOW PortalInfo);

/*
 * The list of portals with the options they were added with.
 *
 * PortalCount: out, elements. PortalInfoSize: in and out, bytes; the array and
 * the user names. PortalInfo [opt]: receives them.
 */
ISDSC_API ISDSC_STATUS WINAPI ReportIScsiSendTargetPortalsExA(
    PULONG PortalCount, PULONG PortalInfoSize, PISCSI_TARGET_PORTAL_INFO_EXA PortalInfo);
ISDSC_API ISDSC_STATUS WINAPI ReportIScsiSendTargetPortalsExW(
    PULONG PortalCount, PULONG PortalInfoSize, PISCSI_TARGET_PORTAL_INFO_EXW PortalInfo);

/*
 * Discovery by iSNS (RFC 4171)
 */

/*
 * Puts an iSNS server on the list of those that are asked for targets, stores the
 * list and asks the server; from then on its notices are followed. A server that
 * cannot be asked stays on the list.
 *
 * Address: IPv4, IPv6 or host name, with a port behind it unless that is 3205.
 *
 * Errors: ERROR_INVALID_PARAMETER for an unusable address, ISDSC_DNS_NAME_UNRESOLVED,
 * ISDSC_ISNS_SERVER_NOT_FOUND (it does not answer),
 * ISDSC_INCOMPATIBLE_ISNS_VERSION, ERROR_BAD_NET_RESP, or the Winsock code of the
 * socket call that failed.
 */
ISDSC_API ISDSC_STATUS WINAPI AddISNSServerA(PSTR Address);
ISDSC_API ISDSC_STATUS WINAPI AddISNSServerW(PWSTR Address);

/*
 * Takes an iSNS server off the list. Targets that were found through it stay known.
 *
 * Address: the one it was added with. Errors: ERROR_INVALID_PARAMETER,
 * ISDSC_ISNS_SERVER_NOT_FOUND.
 */
ISDSC_API ISDSC_STATUS WINAPI RemoveISNSServerA(PSTR Address);
ISDSC_API ISDSC_STATUS WINAPI RemoveISNSServerW(PWSTR Address);

/*
 * Asks an iSNS server for its targets; they replace those it gave before.
 *
 * Address [opt]: the server; NULL and "*" mean all, of which one has to answer.
 *
 * Errors: as for AddISNSServer; ISDSC_ISNS_SERVER_NOT_FOUND also for one that is
 * not on the list.
 */
ISDSC_API ISDSC_STATUS WINAPI RefreshISNSServerA(PSTR Address);
ISDSC_API ISDSC_STATUS WINAPI RefreshISNSServerW(PWSTR Address);

/*
 * The list of iSNS servers. An empty list is a success even with a NULL buffer.
 *
 * BufferSizeInChar: in and out, characters. Buffer [opt]: receives a string list.
 */
ISDSC_API ISDSC_STATUS WINAPI ReportISNSServerListA(PULONG BufferSizeInChar, PCHAR Buffer);
ISDSC_API ISDSC_STATUS WINAPI ReportISNSServerListW(PULONG BufferSizeInChar, PWCHAR Buffer);

/*
 * Targets
 */

/*
 * Adds a target by hand, or changes what is set for a target.
 *
 * TargetName: its iSCSI name. TargetAlias [opt]: a text for people.
 * TargetFlags: ISCSI_TARGET_FLAG_*. Persist: FALSE keeps the target until the
 * service stops. Mappings [opt]: one mapping. LoginOptions [opt]: for logins that
 * bring none. PortalGroup [opt]: where to log in to; it may have no portals.
 *
 * Errors: ISDSC_INVALID_ISCSI_NAME, ISDSC_INVALID_TARGET_MAPPING,
 * ISDSC_TARGET_MAPPING_OUT_OF_RANGE, ISDSC_LOGIN_USER_INFO_BAD.
 */
ISDSC_API ISDSC_STATUS WINAPI AddIScsiStaticTargetA(PSTR TargetName, PSTR TargetAlias,
                                                    ISCSI_TARGET_FLAGS TargetFlags, BOOLEAN Persist,
                                                    PISCSI_TARGET_MAPPINGA Mappings,
                                                    PISCSI_LOGIN_OPTIONS LoginOptions,
                                                    PISCSI_TARGET_PORTAL_GROUPA PortalGroup);
ISDSC_API ISDSC_STATUS WINAPI AddIScsiStaticTargetW(PWSTR TargetName, PWSTR TargetAlias,
                                                    ISCSI_TARGET_FLAGS TargetFlags, BOOLEAN Persist,
                                                    PISCSI_TARGET_MAPPINGW Mappings,
                                                    PISCSI_LOGIN_OPTIONS LoginOptions,
                                                    PISCSI_TARGET_PORTAL_GROUPW PortalGroup);

/*
 * Removes a target that was added by hand. If discovery finds it too it stays known.
 *
 * TargetName: its iSCSI name. Errors: ISDSC_TARGET_NOT_FOUND.
 */
ISDSC_API ISDSC_STATUS WINAPI RemoveIScsiStaticTargetA(PSTR TargetName);
ISDSC_API ISDSC_STATUS WINAPI RemoveIScsiStaticTargetW(PWSTR TargetName);

/*
 * The names of all targets that are known, each once.
 *
 * ForceUpdate: TRUE runs every discovery mechanism first; FALSE answers from what
 * is known. BufferSize: in and out, characters. Buffer [opt]: receives a string list.
 *
 * Errors: with ForceUpdate, if all discovery failed, the code of the first that did.
 */
ISDSC_API ISDSC_STATUS WINAPI ReportIScsiTargetsA(BOOLEAN ForceUpdate, PULONG BufferSize,
                                                  PCHAR Buffer);
ISDSC_API ISDSC_STATUS WINAPI ReportIScsiTargetsW(BOOLEAN ForceUpdate, PULONG BufferSize,
                                                  PWCHAR Buffer);

/*
 * One piece of information about a target.
 *
 * TargetName: its iSCSI name. DiscoveryMechanism [opt]: one of the strings that
 * class DiscoveryMechanisms returns; what is known can differ between them.
 * InfoClass: what to return; see TARGET_INFORMATION_CLASS. BufferSize: in and out,
 * bytes. Buffer [opt]: receives the information.
 *
 * Errors: ISDSC_TARGET_NOT_FOUND, ISDSC_DISCOVERY_MECHANISM_NOT_FOUND.
 */
ISDSC_API ISDSC_STATUS WINAPI GetIScsiTargetInformationA(PSTR TargetName, PSTR DiscoveryMechanism,
                                                         TARGET_INFORMATION_CLASS InfoClass,
                                                         PULONG BufferSize, PVOID Buffer);
ISDSC_API ISDSC_STATUS WINAPI GetIScsiTargetInformationW(PWSTR TargetName, PWSTR DiscoveryMechanism,
                                                         TARGET_INFORMATION_CLASS InfoClass,
                                                         PULONG BufferSize, PVOID Buffer);

/*
 * The portals that are known for a target.
 *
 * InitiatorName [opt]: the instance that has to reach them. TargetName: the
 * target's iSCSI name. TargetPortalTag [opt]: only those of this portal group.
 * ElementCount: in and out, elements. Portals [opt]: receives the array.
 *
 * Errors: ISDSC_TARGET_NOT_FOUND.
 */
ISDSC_API ISDSC_STATUS WINAPI ReportIScsiTargetPortalsA(PSTR InitiatorName, PSTR TargetName,
                                                        PUSHORT TargetPortalTag,
                                                        PULONG ElementCount,
                                                        PISCSI_TARGET_PORTALA Portals);
ISDSC_API ISDSC_STATUS WINAPI ReportIScsiTargetPortalsW(PWSTR InitiatorName, PWSTR TargetName,
                                                        PUSHORT TargetPortalTag,
                                                        PULONG ElementCount,
                                                        PISCSI_TARGET_PORTALW Portals);

/*
 * The mappings of all sessions but informational ones: one element for each session.
 *
 * BufferSize: in and out, bytes. MappingCount: out, elements. Mappings [opt]:
 * receives the array and the LUN lists. No mappings are a success even with a NULL
 * buffer.
 */
ISDSC_API ISDSC_STATUS WINAPI ReportActiveIScsiTargetMappingsA(PULONG BufferSize,
                                                               PULONG MappingCount,
                                                               PISCSI_TARGET_MAPPINGA Mappings);
ISDSC_API ISDSC_STATUS WINAPI ReportActiveIScsiTargetMappingsW(PULONG BufferSize,
                                                               PULONG MappingCount,
                                                               PISCSI_TARGET_MAPPINGW Mappings);

/*
 * Sessions
 */

/*
 * Logs in to a target, or stores a login for the service to make when it starts.
 *
 * TargetName: the target, which has to be known. IsInformationalSession: TRUE for a
 * session whose logical units are not shown to the system; the SendScsi functions
 * reach them. InitiatorInstance [opt], InitiatorPortNumber: where to log in from.
 * TargetPortal [opt]: where to log in to; NULL for any portal of the target.
 * SecurityFlags: as above. Mappings [opt]: one mapping. LoginOptions [opt]: NULL for
 * those stored with the target. KeySize, Key [opt]: IPsec preshared key and its
 * length in bytes. IsPersistent: TRUE stores the login with all its parameters and
 * does not log in, unless the configuration says so. UniqueSessionId,
 * UniqueConnectionId: receive the ids of the session and of its first connection;
 * zeros when the login was only stored.
 *
 * Errors: ISDSC_TARGET_NOT_FOUND; ISDSC_TARGET_ALREADY_LOGGED_IN if there is a session
 * and ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED is not set; ISDSC_NO_PORTAL_SPECIFIED;
 * ISDSC_DNS_NAME_UNRESOLVED; ISDSC_CONNECTION_FAILED; ISDSC_LOGIN_FAILED; the codes from
 * ISDSC_TARGET_MOVED_TEMPORARILY to ISDSC_OUT_OF_RESOURCES for what the target
 * answers; ISDSC_LOGIN_USER_INFO_BAD, ISDSC_INVALID_TARGET_CHAP_SECRET,
 * ISDSC_INVALID_CHAP_USER_NAME and ISDSC_INVALID_LOGON_AUTH_TYPE for LoginOptions;
 * ISDSC_INVALID_TARGET_MAPPING, ISDSC_TARGET_MAPPING_OUT_OF_RANGE and
 * ISDSC_TARGET_MAPPING_EXISTS for Mappings;
 * ISDSC_IPSEC_NOT_SUPPORTED_ON_OS if it is demanded.
 */
ISDSC_API ISDSC_STATUS WINAPI LoginIScsiTargetA(
    PSTR TargetName, BOOLEAN IsInformationalSession, PSTR InitiatorInstance,
    ULONG InitiatorPortNumber, PISCSI_TARGET_PORTALA TargetPortal,
    ISCSI_SECURITY_FLAGS SecurityFlags, PISCSI_TARGET_MAPPINGA Mappings,
    PISCSI_LOGIN_OPTIONS LoginOptions, ULONG KeySize, PCHAR Key, BOOLEAN IsPersistent,
    PISCSI_UNIQUE_SESSION_ID UniqueSessionId, PISCSI_UNIQUE_CONNECTION_ID UniqueConnectionId);
ISDSC_API ISDSC_STATUS WINAPI LoginIScsiTargetW(
    PWSTR TargetName, BOOLEAN IsInformationalSession, PWSTR InitiatorInstance,
    ULONG InitiatorPortNumber, PISCSI_TARGET_PORTALW TargetPortal,
    ISCSI_SECURITY_FLAGS SecurityFlags, PISCSI_TARGET_MAPPINGW Mappings,
    PISCSI_LOGIN_OPTIONS LoginOptions, ULONG KeySize, PCHAR Key, BOOLEAN IsPersistent,
    PISCSI_UNIQUE_SESSION_ID UniqueSessionId, PISCSI_UNIQUE_CONNECTION_ID UniqueConnectionId);

/*
 * Logs a session out. A login that is stored stays stored.
 *
 * UniqueSessionId: the session.
 *
 * Errors: ISDSC_INVALID_SESSION_ID; ISDSC_DEVICE_BUSY_ON_SESSION if a device of the
 * session is in use; ISDSC_SESSION_BUSY.
 */
ISDSC_API ISDSC_STATUS WINAPI LogoutIScsiTarget(PISCSI_UNIQUE_SESSION_ID UniqueSessionId);

/*
 * Adds a connection to a session.
 *
 * UniqueSessionId: the session. Reserved [opt]: ignored. InitiatorPortNumber: where
 * to connect from. TargetPortal [opt]: a portal of the session's portal group; NULL
 * for the one of the first connection. SecurityFlags, LoginOptions [opt], KeySize,
 * Key [opt]: as for LoginIScsiTarget. ConnectionId [opt]: receives the id.
 *
 * Errors: ISDSC_INVALID_SESSION_ID; ISDSC_TOO_MANY_CONNECTIONS beyond what was
 * negotiated; those of a login.
 */
ISDSC_API ISDSC_STATUS WINAPI AddIScsiConnectionA(PISCSI_UNIQUE_SESSION_ID UniqueSessionId,
                                                  PVOID Reserved, ULONG InitiatorPortNumber,
                                                  PISCSI_TARGET_PORTALA TargetPortal,
                                                  ISCSI_SECURITY_FLAGS SecurityFlags,
                                                  PISCSI_LOGIN_OPTIONS LoginOptions, ULONG KeySize,
                                                  PCHAR Key,
                                                  PISCSI_UNIQUE_CONNECTION_ID ConnectionId);
ISDSC_API ISDSC_STATUS WINAPI AddIScsiConnectionW(PISCSI_UNIQUE_SESSION_ID UniqueSessionId,
                                                  PVOID Reserved, ULONG InitiatorPortNumber,
                                                  PISCSI_TARGET_PORTALW TargetPortal,
                                                  ISCSI_SECURITY_FLAGS SecurityFlags,
                                                  PISCSI_LOGIN_OPTIONS LoginOptions, ULONG KeySize,
                                                  PCHAR Key,
                                                  PISCSI_UNIQUE_CONNECTION_ID ConnectionId);

/*
 * Removes a connection from a session.
 *
 * UniqueSessionId, ConnectionId: the session and the connection.
 *
 * Errors: ISDSC_INVALID_SESSION_ID, ISDSC_INVALID_CONNECTION_ID,
 * ISDSC_CANT_REMOVE_LAST_CONNECTION, ISDSC_CANNOT_REMOVE_LEADING_CONNECTION,
 * ISDSC_REMOVE_CONNECTION_IN_PROGRESS.
 */
ISDSC_API ISDSC_STATUS WINAPI RemoveIScsiConnection(PISCSI_UNIQUE_SESSION_ID UniqueSessionId,
                                                    PISCSI_UNIQUE_CONNECTION_ID ConnectionId);

/*
 * All sessions with their connections.
 *
 * BufferSize: in and out, bytes; the array and all that it points to. SessionCount:
 * out, elements. SessionInfo [opt]: receives the array. No sessions are a success
 * even with a NULL buffer.
 */
ISDSC_API ISDSC_STATUS WINAPI GetIScsiSessionListA(ULONG *BufferSize, ULONG *SessionCount,
                                                   PISCSI_SESSION_INFOA SessionInfo);
ISDSC_API ISDSC_STATUS WINAPI GetIScsiSessionListW(ULONG *BufferSize, ULONG *SessionCount,
                                                   PISCSI_SESSION_INFOW SessionInfo);

/*
 * What was negotiated for all sessions and their connections. The parameters are
 * those of GetIScsiSessionList.
 */
ISDSC_API ISDSC_STATUS WINAPI GetIScsiSessionListEx(ULONG *BufferSize, ULONG *SessionCountPtr,
                                                    PISCSI_SESSION_INFO_EX SessionInfo);

/*
 * The devices that stand for the logical units of a session; none for an informational
 * one. Right after a login the call waits, within bounds, until the units are known.
 *
 * UniqueSessionId: the session. DeviceCount: in and out, elements. Devices [opt]:
 * receives the array.
 *
 * Errors: ISDSC_INVALID_SESSION_ID; ISDSC_SESSION_BUSY if the units are not known yet.
 */
ISDSC_API ISDSC_STATUS WINAPI GetDevicesForIScsiSessionA(PISCSI_UNIQUE_SESSION_ID UniqueSessionId,
                                                         ULONG *DeviceCount,
                                                         PISCSI_DEVICE_ON_SESSIONA Devices);
ISDSC_API ISDSC_STATUS WINAPI GetDevicesForIScsiSessionW(PISCSI_UNIQUE_SESSION_ID UniqueSessionId,
                                                         ULONG *DeviceCount,
                                                         PISCSI_DEVICE_ON_SESSIONW Devices);

/*
 * Persistent logins
 */

/*
 * The logins that are stored. Mind the order of the parameters.
 *
 * Count: out, elements. PersistentLoginInfo [opt]: receives the array.
 * BufferSizeInBytes: in and out, bytes; the array and all that it points to.
 */
ISDSC_API ISDSC_STATUS WINAPI ReportIScsiPersistentLoginsA(
    ULONG *Count, PPERSISTENT_ISCSI_LOGIN_INFOA PersistentLoginInfo, PULONG BufferSizeInBytes);
ISDSC_API ISDSC_STATUS WINAPI ReportIScsiPersistentLoginsW(
    ULONG *Count, PPERSISTENT_ISCSI_LOGIN_INFOW PersistentLoginInfo, PULONG BufferSizeInBytes);

/*
 * Removes a login that is stored: with a portal the oldest one that fits, without
 * one all that fit. A session that came of it stays.
 *
 * InitiatorInstance [opt], InitiatorPortNumber, TargetName: as reported; NULL and
 * ISCSI_ALL_INITIATOR_PORTS match any. Portal [opt]: Address and Socket count; NULL
 * or an empty address matches any.
 *
 * Errors: ISDSC_TARGET_NOT_FOUND if nothing is stored for the target,
 * ISDSC_COULD_NOT_REMOVE_PERSISTENT_LOGIN_DATA if none of its logins fits.
 */
ISDSC_API ISDSC_STATUS WINAPI RemoveIScsiPersistentTargetA(PSTR InitiatorInstance,
                                                           ULONG InitiatorPortNumber,
                                                           PSTR TargetName,
                                                           PISCSI_TARGET_PORTALA Portal);
ISDSC_API ISDSC_STATUS WINAPI RemoveIScsiPersistentTargetW(PWSTR InitiatorInstance,
                                                           ULONG InitiatorPortNumber,
                                                           PWSTR TargetName,
                                                           PISCSI_TARGET_PORTALW Portal);

/*
 * Bound devices: the service calls itself started when they are there
 */

/*
 * Binds all devices on targets with a persistent login, in place of those bound
 * before. The two functions do the same.
 *
 * Errors: ISDSC_PERSISTENT_LOGIN_TIMEOUT if some of the sessions or their units are not
 * there in time; then nothing is changed.
 */
ISDSC_API ISDSC_STATUS WINAPI SetupPersistentIScsiDevices(void);
ISDSC_API ISDSC_STATUS WINAPI SetupPersistentIScsiVolumes(void);

/*
 * Binds a device.
 *
 * DevicePath: drive letter, mount point or device name, compared without regard to case.
 *
 * Errors: ISDSC_DEVICE_NOT_ISCSI_OR_PERSISTENT, ISDSC_DEVICE_ALREADY_PERSISTENTLY_BOUND.
 */
ISDSC_API ISDSC_STATUS WINAPI AddPersistentIScsiDeviceA(PSTR DevicePath);
ISDSC_API ISDSC_STATUS WINAPI AddPersistentIScsiDeviceW(PWSTR DevicePath);

/*
 * Ends the binding of a device.
 *
 * DevicePath: as reported, or what the device is called now. Errors:
 * ISDSC_DEVICE_NOT_FOUND.
 */
ISDSC_API ISDSC_STATUS WINAPI RemovePersistentIScsiDeviceA(PSTR DevicePath);
ISDSC_API ISDSC_STATUS WINAPI RemovePersistentIScsiDeviceW(PWSTR DevicePath);

/*
 * Ends the binding of all devices.
 */
ISDSC_API ISDSC_STATUS WINAPI ClearPersistentIScsiDevices(void);

/*
 * The devices that are bound.
 *
 * BufferSizeInChar: in and out, characters. Buffer [opt]: receives a string list.
 */
ISDSC_API ISDSC_STATUS WINAPI ReportPersistentIScsiDevicesA(PULONG BufferSizeInChar, PCHAR Buffer);
ISDSC_API ISDSC_STATUS WINAPI ReportPersistentIScsiDevicesW(PULONG BufferSizeInChar, PWCHAR Buffer);

/*
 * RADIUS
 */

/*
 * Sets the secret that the initiator shares with its RADIUS servers, and stores it.
 * It cannot be read back.
 *
 * SharedSecretLength: bytes, 22 to 26; 0 removes it. SharedSecret [opt]: the bytes.
 */
ISDSC_API ISDSC_STATUS WINAPI SetIScsiInitiatorRADIUSSharedSecret(ULONG SharedSecretLength,
                                                                  PUCHAR SharedSecret);

/*
 * Puts a RADIUS server on the list, which is stored.
 *
 * Address: IPv4, IPv6 or host name, with ":port" behind it (IPv6 in brackets then) where that
 * is not 1812. Names are looked up, and servers asked, when a login needs them.
 *
 * Errors: ERROR_INVALID_PARAMETER for an unusable address.
 */
ISDSC_API ISDSC_STATUS WINAPI AddRadiusServerA(PSTR Address);
ISDSC_API ISDSC_STATUS WINAPI AddRadiusServerW(PWSTR Address);

/*
 * Takes a RADIUS server off the list.
 *
 * Address: the one it was added with; case and the usual port do not matter.
 *
 * Errors: ERROR_INVALID_PARAMETER for an unusable address; ERROR_NOT_FOUND.
 */
ISDSC_API ISDSC_STATUS WINAPI RemoveRadiusServerA(PSTR Address);
ISDSC_API ISDSC_STATUS WINAPI RemoveRadiusServerW(PWSTR Address);

/*
 * The list of RADIUS servers.
 *
 * BufferSizeInChar: in and out, characters. Buffer [opt]: receives a string list.
 */
ISDSC_API ISDSC_STATUS WINAPI ReportRadiusServerListA(PULONG BufferSizeInChar, PCHAR Buffer);
ISDSC_API ISDSC_STATUS WINAPI ReportRadiusServerListW(PULONG BufferSizeInChar, PWCHAR Buffer);

/*
 * IPsec
 */

/*
 * Sets the preshared key for everything that has no key of its own.
 *
 * KeyLength: bytes; 0 removes the key. Key [opt]: the bytes. Persist: FALSE keeps it
 * until the service stops.
 */
ISDSC_API ISDSC_STATUS WINAPI SetIScsiGroupPresharedKey(ULONG KeyLength, PUCHAR Key,
                                                        BOOLEAN Persist);

/*
 * Sets the key and the flags for one IKE identity.
 *
 * InitiatorName [opt], InitiatorPortNumber: where they apply. AuthInfo: AuthMethod
 * is IKE_AUTHENTICATION_PRESHARED_KEY_METHOD; a key of length 0 removes the entry.
 * Persist: FALSE keeps it until the service stops.
 *
 * Errors: ISDSC_IKE_ID_PAYLOAD_TYPE_NOT_SUPPORTED, ISDSC_IKE_ID_PAYLOAD_INCORRECT_SIZE,
 * ERROR_INVALID_PARAMETER for flags that contradict each other and for aggressive mode.
 */
ISDSC_API ISDSC_STATUS WINAPI SetIScsiIKEInfoA(PSTR InitiatorName, ULONG InitiatorPortNumber,
                                               PIKE_AUTHENTICATION_INFORMATION AuthInfo,
                                               BOOLEAN Persist);
ISDSC_API ISDSC_STATUS WINAPI SetIScsiIKEInfoW(PWSTR InitiatorName, ULONG InitiatorPortNumber,
                                               PIKE_AUTHENTICATION_INFORMATION AuthInfo,
                                               BOOLEAN Persist);

/*
 * The flags that are set for one IKE identity. The key is not returned.
 *
 * InitiatorName [opt], InitiatorPortNumber: where they apply. Reserved: NULL.
 * AuthInfo: in: AuthMethod, IdType, Id and IdLengthInBytes, the rest 0; out:
 * SecurityFlags.
 *
 * Errors: ISDSC_NO_AUTH_INFO_AVAILABLE, ISDSC_IKE_ID_PAYLOAD_TYPE_NOT_SUPPORTED,
 * ISDSC_IKE_ID_PAYLOAD_INCORRECT_SIZE.
 */
ISDSC_API ISDSC_STATUS WINAPI GetIScsiIKEInfoA(PSTR InitiatorName, ULONG InitiatorPortNumber,
                                               PULONG Reserved,
                                               PIKE_AUTHENTICATION_INFORMATION AuthInfo);
ISDSC_API ISDSC_STATUS WINAPI GetIScsiIKEInfoW(PWSTR InitiatorName, ULONG InitiatorPortNumber,
                                               PULONG Reserved,
                                               PIKE_AUTHENTICATION_INFORMATION AuthInfo);

/*
 * Sets the outer address for tunnel mode.
 *
 * InitiatorName [opt], InitiatorPortNumber: where it applies. DestinationAddress
 * [opt]: for connections to this IP address; NULL for all. OuterModeAddress [opt]: an IP
 * address; NULL removes it.
 * Persist: FALSE keeps it until the service stops.
 *
 * Errors: ERROR_INVALID_PARAMETER for what is not an IP address.
 */
ISDSC_API ISDSC_STATUS WINAPI SetIScsiTunnelModeOuterAddressA(PSTR InitiatorName,
                                                              ULONG InitiatorPortNumber,
                                                              PSTR DestinationAddress,
                                                              PSTR OuterModeAddress,
                                                              BOOLEAN Persist);
ISDSC_API ISDSC_STATUS WINAPI SetIScsiTunnelModeOuterAddressW(PWSTR InitiatorName,
                                                              ULONG InitiatorPortNumber,
                                                              PWSTR DestinationAddress,
                                                              PWSTR OuterModeAddress,
                                                              BOOLEAN Persist);

/*
 * SCSI commands
 *
 * UniqueSessionId: a session of either kind. Lun: the logical unit, the eight bytes of
 * a PDU's LUN field as a number. ScsiStatus: receives the SCSI status byte.
 * ResponseSize: in and out, bytes: out, what the command returned, or needs.
 * ResponseBuffer [opt]: receives the data as the device sent them. SenseSize: in and
 * out, bytes, at least 18. SenseBuffer [opt]: receives the sense data.
 *
 * Errors: ISDSC_INVALID_SESSION_ID; ISDSC_NO_CONNECTION_AVAILABLE;
 * ISDSC_SCSI_REQUEST_FAILED if the status is not GOOD: then ScsiStatus, SenseSize and
 * SenseBuffer are valid; ERROR_INSUFFICIENT_BUFFER with a NULL buffer or a small one.
 */

/*
 * INQUIRY (SPC-4, 6.6).
 *
 * EvpdCmddt: bit 0 is EVPD, bit 1 CmdDt. PageCode: the page, if EVPD is set.
 */
ISDSC_API ISDSC_STATUS WINAPI SendScsiInquiry(PISCSI_UNIQUE_SESSION_ID UniqueSessionId,
                                              ULONGLONG Lun, UCHAR EvpdCmddt, UCHAR PageCode,
                                              PUCHAR ScsiStatus, PULONG ResponseSize,
                                              PUCHAR ResponseBuffer, PULONG SenseSize,
                                              PUCHAR SenseBuffer);

/*
 * READ CAPACITY (10) (SBC-3, 5.15): 8 bytes, big-endian: the last block's address and
 * the block length.
 */
ISDSC_API ISDSC_STATUS WINAPI SendScsiReadCapacity(PISCSI_UNIQUE_SESSION_ID UniqueSessionId,
                                                   ULONGLONG Lun, PUCHAR ScsiStatus,
                                                   PULONG ResponseSize, PUCHAR ResponseBuffer,
                                                   PULONG SenseSize, PUCHAR SenseBuffer);

/*
 * REPORT LUNS (SPC-4, 6.33), sent to LUN 0: 4 bytes length of the list in bytes,
 * big-endian, 4 bytes reserved, 8 bytes for each logical unit.
 */
ISDSC_API ISDSC_STATUS WINAPI SendScsiReportLuns(PISCSI_UNIQUE_SESSION_ID UniqueSessionId,
                                                 PUCHAR ScsiStatus, PULONG ResponseSize,
                                                 PUCHAR ResponseBuffer, PULONG SenseSize,
                                                 PUCHAR SenseBuffer);

/*
 * The plain names of the functions
 */
#ifdef UNICODE
#define AddISNSServer                   AddISNSServerW
#define AddIScsiConnection              AddIScsiConnectionW
#define AddIScsiSendTargetPortal        AddIScsiSendTargetPortalW
#define AddIScsiStaticTarget            AddIScsiStaticTargetW
#define AddPersistentIScsiDevice        AddPersistentIScsiDeviceW
#define AddRadiusServer                 AddRadiusServerW
#define GetDevicesForIScsiSession       GetDevicesForIScsiSessionW
#define GetIScsiIKEInfo                 GetIScsiIKEInfoW
#define GetIScsiInitiatorNodeName       GetIScsiInitiatorNodeNameW
#define GetIScsiSessionList             GetIScsiSessionListW
#define GetIScsiTargetInformation       GetIScsiTargetInformationW
#define LoginIScsiTarget                LoginIScsiTargetW
#define RefreshISNSServer               RefreshISNSServerW
#define RefreshIScsiSendTargetPortal    RefreshIScsiSendTargetPortalW
#define RemoveISNSServer                RemoveISNSServerW
#define RemoveIScsiPersistentTarget     RemoveIScsiPersistentTargetW
#define RemoveIScsiSendTargetPortal     RemoveIScsiSendTargetPortalW
#define RemoveIScsiStaticTarget         RemoveIScsiStaticTargetW
#define RemovePersistentIScsiDevice     RemovePersistentIScsiDeviceW
#define RemoveRadiusServer              RemoveRadiusServerW
#define ReportActiveIScsiTargetMappings ReportActiveIScsiTargetMappingsW
#define ReportISNSServerList            ReportISNSServerListW
#define ReportIScsiInitiatorList        ReportIScsiInitiatorListW
#define ReportIScsiPersistentLogins     ReportIScsiPersistentLoginsW
#define ReportIScsiSendTargetPortals    ReportIScsiSendTargetPortalsW
#define ReportIScsiSendTargetPortalsEx  ReportIScsiSendTargetPortalsExW
#define ReportIScsiTargetPortals        ReportIScsiTargetPortalsW
#define ReportIScsiTargets              ReportIScsiTargetsW
#define ReportPersistentIScsiDevices    ReportPersistentIScsiDevicesW
#define ReportRadiusServerList          ReportRadiusServerListW
#define SetIScsiIKEInfo                 SetIScsiIKEInfoW
#define SetIScsiInitiatorNodeName       SetIScsiInitiatorNodeNameW
#define SetIScsiTunnelModeOuterAddress  SetIScsiTunnelModeOuterAddressW
#else
#define AddISNSServer                   AddISNSServerA
#define AddIScsiConnection              AddIScsiConnectionA
#define AddIScsiSendTargetPortal        AddIScsiSendTargetPortalA
#define AddIScsiStaticTarget            AddIScsiStaticTargetA
#define AddPersistentIScsiDevice        AddPersistentIScsiDeviceA
#define AddRadiusServer                 AddRadiusServerA
#define GetDevicesForIScsiSession       GetDevicesForIScsiSessionA
#define GetIScsiIKEInfo                 GetIScsiIKEInfoA
#define GetIScsiInitiatorNodeName       GetIScsiInitiatorNodeNameA
#define GetIScsiSessionList             GetIScsiSessionListA
#define GetIScsiTargetInformation       GetIScsiTargetInformationA
#define LoginIScsiTarget                LoginIScsiTargetA
#define RefreshISNSServer               RefreshISNSServerA
#define RefreshIScsiSendTargetPortal    RefreshIScsiSendTargetPortalA
#define RemoveISNSServer                RemoveISNSServerA
#define RemoveIScsiPersistentTarget     RemoveIScsiPersistentTargetA
#define RemoveIScsiSendTargetPortal     RemoveIScsiSendTargetPortalA
#define RemoveIScsiStaticTarget         RemoveIScsiStaticTargetA
#define RemovePersistentIScsiDevice     RemovePersistentIScsiDeviceA
#define RemoveRadiusServer              RemoveRadiusServerA
#define ReportActiveIScsiTargetMappings ReportActiveIScsiTargetMappingsA
#define ReportISNSServerList            ReportISNSServerListA
#define ReportIScsiInitiatorList        ReportIScsiInitiatorListA
#define ReportIScsiPersistentLogins     ReportIScsiPersistentLoginsA
#define ReportIScsiSendTargetPortals    ReportIScsiSendTargetPortalsA
#define ReportIScsiSendTargetPortalsEx  ReportIScsiSendTargetPortalsExA
#define ReportIScsiTargetPortals        ReportIScsiTargetPortalsA
#define ReportIScsiTargets              ReportIScsiTargetsA
#define ReportPersistentIScsiDevices    ReportPersistentIScsiDevicesA
#define ReportRadiusServerList          ReportRadiusServerListA
#define SetIScsiIKEInfo                 SetIScsiIKEInfoA
#define SetIScsiInitiatorNodeName       SetIScsiInitiatorNodeNameA
#define SetIScsiTunnelModeOuterAddress  SetIScsiTunnelModeOuterAddressA
#endif

#ifndef _WIN32
/*
 * The text for a status, as FormatMessage finds it in iscsidsc.dll, without the line
 * break at its end. Not part of Microsoft's interface, and not in the DLL.
 *
 * status: any value. Returns a static English text, never NULL.
 */
ISDSC_API const char *GetIScsiStatusText(ISDSC_STATUS status);

#define ISCSI_EVENT_SESSION_ADDED        1
#define ISCSI_EVENT_SESSION_REMOVED      2
#define ISCSI_EVENT_SESSION_CONNECTED    3 /* again, after it had lost its connection */
#define ISCSI_EVENT_SESSION_DISCONNECTED 4
#define ISCSI_EVENT_TARGET_ADDED         5 /* has become known */
#define ISCSI_EVENT_TARGET_REMOVED       6
#define ISCSI_EVENT_PORTAL_ADDED         7 /* of the list of discovery portals */
#define ISCSI_EVENT_PORTAL_REMOVED       8

typedef struct {
    ULONGLONG Sequence; /* rises from event to event */
    ULONGLONG Time;     /* milliseconds of a clock that only goes forward */
    ULONG Kind;         /* ISCSI_EVENT_...; more may come */
    /* Zeros and empty strings where the kind has none. */
    ISCSI_UNIQUE_SESSION_ID SessionId;
    CHAR TargetName[MAX_ISCSI_NAME_LEN + 1];
    CHAR PortalAddress[MAX_ISCSI_PORTAL_ADDRESS_LEN];
    USHORT PortalSocket;
} ISCSI_EVENT, *PISCSI_EVENT;

/* As Position: begin with the next event. The call returns at once. */
#define ISCSI_EVENTS_FROM_NOW 0xFFFFFFFFFFFFFFFFull

/*
 * Waits for sessions, targets and portals that come and go. Not part of Microsoft's
 * interface, and not in the DLL.
 *
 * Position: in, the number of the last event seen; out, what to pass next. Timeout:
 * milliseconds to wait when there is none. Lost: receives TRUE if events behind the
 * position are forgotten (some thousand are kept), or the service has started anew;
 * look at the lists again then. Count: in, elements that Events has room for; out,
 * events delivered, 0 after the timeout. Events: receives them, oldest first.
 *
 * Errors: ERROR_INVALID_PARAMETER; ERROR_CANCELLED if the service ends meanwhile.
 */
ISDSC_API ISDSC_STATUS WaitIScsiEvents(ULONGLONG *Position, ULONG Timeout, BOOLEAN *Lost,
                                       ULONG *Count, PISCSI_EVENT Events);

/*
 * Sends a session to another portal of its target, which it prefers from then on: commands
 * under way end first, others wait. Not part of Microsoft's interface, and not in the DLL.
 *
 * Portal: "address" or "address:port"; one of those that are known of the target. Returns
 * when the session is there, or has failed to get there.
 *
 * Errors: ERROR_INVALID_PARAMETER; ISDSC_INVALID_SESSION_ID; ISDSC_NO_PORTAL_SPECIFIED: the
 * target has no such portal; ISDSC_SESSION_BUSY: it is on its way already, or being logged out;
 * ISDSC_CONNECTION_FAILED and others of a login: the session is where it was, or elsewhere.
 */
ISDSC_API ISDSC_STATUS SwitchIScsiSessionPortal(PISCSI_UNIQUE_SESSION_ID UniqueSessionId,
                                                const char *Portal);

#define ISCSI_PARAMETER_DEFAULT       0
#define ISCSI_PARAMETER_FILE          1 /* iscsi.conf */
#define ISCSI_PARAMETER_ADAPTER       2 /* set for the adapter by the management API */
#define ISCSI_PARAMETER_TARGET        3 /* set for the target by it */
#define ISCSI_PARAMETER_LOGIN_OPTIONS 4 /* of the static target, or of the portal that found it */

#define MAX_ISCSI_PARAMETER_FILE_LEN 4096

typedef struct {
    CHAR Name[64];
    CHAR Value[512]; /* as the file would have it; a password is "(set)" or empty */
    ULONG Source;    /* ISCSI_PARAMETER_...; more may come */
    /* From the file; else an empty string and zeros. */
    CHAR Scope[32]; /* "global", or the kind of section: "TargetName" */
    ULONG Line;     /* where it is set */
    ULONG Section;  /* the line where its section begins; 0: in none */
} ISCSI_EFFECTIVE_PARAMETER, *PISCSI_EFFECTIVE_PARAMETER;

/*
 * What the parameters of iscsi.conf are for a login that gives no options of its own, and where
 * each value is from. Not part of Microsoft's interface, and not in the DLL.
 *
 * TargetName, PortalAddress, DiscoveryAddress: whom it is for; each may be NULL, and with all of
 * them NULL it is what counts for everybody. Without DiscoveryAddress it is the one that is known
 * to have found the target. PortalSocket, DiscoverySocket: 0 where the address is NULL. File:
 * receives the path of the file, empty if there is none; room for MAX_ISCSI_PARAMETER_FILE_LEN
 * bytes; may be NULL. Count: in, elements that Parameters has room for; out, how many there are.
 *
 * Errors: ERROR_INVALID_PARAMETER; ISDSC_INVALID_ISCSI_NAME; ERROR_INSUFFICIENT_BUFFER: see Count;
 * ERROR_BAD_CONFIGURATION: the file is not valid.
 */
ISDSC_API ISDSC_STATUS ReportIScsiEffectiveParameters(
    const char *TargetName, const char *PortalAddress, USHORT PortalSocket,
    const char *DiscoveryAddress, USHORT DiscoverySocket, CHAR *File, ULONG *Count,
    PISCSI_EFFECTIVE_PARAMETER Parameters);
#endif
#ifdef __cplusplus
}
#endif

#endif
