/*
 * The texts for what the interface returns. One list makes the DLL's message table
 * (messages.cmake reads this file) and the texts of
 * GetIScsiStatusText. Scripts look for "already been logged" and "Target Error" in
 * what tools print, so these words stay.
 *
 * Columns: symbol, text. No quotes, backslashes, percent signs, brackets or semicolons in a
 * text: they mean something to FormatMessage, the resource compiler or CMake.
 */
#ifndef MSAPI_MESSAGES_H
#define MSAPI_MESSAGES_H

#include "iscsierr.h"

/* In the message table. 0 as well: Wine's own text for it differs from Windows'. */
/* One entry on a line, however long. */
/* clang-format off */
#define ISDSC_MESSAGES(M) \
    M(ERROR_SUCCESS, "The operation completed successfully.") \
    M(ISDSC_NON_SPECIFIC_ERROR, "The operation failed.") \
    M(ISDSC_LOGIN_FAILED, "The login to the target failed.") \
    M(ISDSC_CONNECTION_FAILED, "The connection to the target portal could not be made.") \
    M(ISDSC_INITIATOR_NODE_ALREADY_EXISTS, "An initiator node with that name is already present.") \
    M(ISDSC_INITIATOR_NODE_NOT_FOUND, "There is no initiator node with that name.") \
    M(ISDSC_TARGET_MOVED_TEMPORARILY, "The target has moved temporarily and can be reached at another address.") \
    M(ISDSC_TARGET_MOVED_PERMANENTLY, "The target has moved permanently and can be reached at another address.") \
    M(ISDSC_INITIATOR_ERROR, "Initiator Error: the target refused the login because of something the initiator sent.") \
    M(ISDSC_AUTHENTICATION_FAILURE, "Authentication Failure: the target did not accept who the initiator says it is, or the other way round.") \
    M(ISDSC_AUTHORIZATION_FAILURE, "Authorization Failure: the initiator is not allowed to use the target.") \
    M(ISDSC_NOT_FOUND, "The portal answered that it does not know the target.") \
    M(ISDSC_TARGET_REMOVED, "The target has been removed, and no other address is known for it.") \
    M(ISDSC_UNSUPPORTED_VERSION, "The target does not support the protocol version of the initiator.") \
    M(ISDSC_TOO_MANY_CONNECTIONS, "The target accepts no more connections for the session.") \
    M(ISDSC_MISSING_PARAMETER, "The target misses a parameter that it needs for the login.") \
    M(ISDSC_CANT_INCLUDE_IN_SESSION, "The target cannot make the connection part of the session.") \
    M(ISDSC_SESSION_TYPE_NOT_SUPPORTED, "The target does not support sessions of that type.") \
    M(ISDSC_TARGET_ERROR, "Target Error: the target reported a fault of its own.") \
    M(ISDSC_SERVICE_UNAVAILABLE, "The target is not available at the moment.") \
    M(ISDSC_OUT_OF_RESOURCES, "The target is out of resources.") \
    M(ISDSC_CONNECTION_ALREADY_EXISTS, "The initiator already has that connection.") \
    M(ISDSC_SESSION_ALREADY_EXISTS, "The initiator already has that session.") \
    M(ISDSC_INITIATOR_INSTANCE_NOT_FOUND, "There is no initiator instance with that name.") \
    M(ISDSC_TARGET_ALREADY_EXISTS, "A target with that name is already present.") \
    M(ISDSC_DRIVER_BUG, "The initiator driver completed a request in a way that it must not.") \
    M(ISDSC_INVALID_TEXT_KEY, "A text key is not known or not valid.") \
    M(ISDSC_INVALID_SENDTARGETS_TEXT, "The answer to SendTargets is not valid.") \
    M(ISDSC_INVALID_SESSION_ID, "There is no session with that id.") \
    M(ISDSC_SCSI_REQUEST_FAILED, "The SCSI request failed. The SCSI status and the sense data say why.") \
    M(ISDSC_TOO_MANY_SESSIONS, "The initiator can hold no more sessions.") \
    M(ISDSC_SESSION_BUSY, "The session is busy with another request.") \
    M(ISDSC_TARGET_MAPPING_UNAVAILABLE, "The target mapping that was asked for is not available.") \
    M(ISDSC_ADDRESS_TYPE_NOT_SUPPORTED, "Addresses of that type are not supported.") \
    M(ISDSC_LOGON_FAILED, "The logon failed.") \
    M(ISDSC_SEND_FAILED, "Data could not be sent on the connection.") \
    M(ISDSC_TRANSPORT_ERROR, "The connection failed.") \
    M(ISDSC_VERSION_MISMATCH, "A structure has another version than the one expected.") \
    M(ISDSC_TARGET_MAPPING_OUT_OF_RANGE, "A number in the target mapping is beyond what the initiator can map.") \
    M(ISDSC_TARGET_PRESHAREDKEY_UNAVAILABLE, "No preshared key is stored for the target.") \
    M(ISDSC_TARGET_AUTHINFO_UNAVAILABLE, "No authentication data are stored for the target.") \
    M(ISDSC_TARGET_NOT_FOUND, "The target is not known, or it is hidden from logins.") \
    M(ISDSC_LOGIN_USER_INFO_BAD, "The data given for the login are not valid.") \
    M(ISDSC_TARGET_MAPPING_EXISTS, "The target mapping is already in use.") \
    M(ISDSC_HBA_SECURITY_CACHE_FULL, "The security cache of the adapter is full.") \
    M(ISDSC_INVALID_PORT_NUMBER, "The initiator has no port with that number.") \
    M(ISDSC_OPERATION_NOT_ALL_SUCCESS, "The operation worked with some of the initiators or discovery mechanisms, but not with all.") \
    M(ISDSC_HBA_SECURITY_CACHE_NOT_SUPPORTED, "The adapter has no security cache.") \
    M(ISDSC_IKE_ID_PAYLOAD_TYPE_NOT_SUPPORTED, "IKE identities of that type are not supported.") \
    M(ISDSC_IKE_ID_PAYLOAD_INCORRECT_SIZE, "The IKE identity does not have the size that its type asks for.") \
    M(ISDSC_TARGET_PORTAL_ALREADY_EXISTS, "The target portal is already present.") \
    M(ISDSC_TARGET_ADDRESS_ALREADY_EXISTS, "The target address is already present.") \
    M(ISDSC_NO_AUTH_INFO_AVAILABLE, "No IKE authentication data are stored.") \
    M(ISDSC_NO_TUNNEL_OUTER_MODE_ADDRESS, "No outer address for tunnel mode is stored.") \
    M(ISDSC_CACHE_CORRUPTED, "The stored security data are damaged.") \
    M(ISDSC_REQUEST_NOT_SUPPORTED, "The request is not supported.") \
    M(ISDSC_TARGET_OUT_OF_RESORCES, "The target has no resources for the request.") \
    M(ISDSC_SERVICE_DID_NOT_RESPOND, "The iSCSI initiator service did not answer.") \
    M(ISDSC_ISNS_SERVER_NOT_FOUND, "The iSNS server is not known or does not answer.") \
    M(ISDSC_OPERATION_REQUIRES_REBOOT, "The operation is done and takes effect after a restart.") \
    M(ISDSC_NO_PORTAL_SPECIFIED, "No portal was given to log in to, and none is known for the target.") \
    M(ISDSC_CANT_REMOVE_LAST_CONNECTION, "The last connection of a session cannot be removed.") \
    M(ISDSC_SERVICE_NOT_RUNNING, "The iSCSI initiator service is not running.") \
    M(ISDSC_TARGET_ALREADY_LOGGED_IN, "The target has already been logged in to by an iSCSI session.") \
    M(ISDSC_DEVICE_BUSY_ON_SESSION, "A device of the session is in use.") \
    M(ISDSC_COULD_NOT_SAVE_PERSISTENT_LOGIN_DATA, "The persistent login could not be stored.") \
    M(ISDSC_COULD_NOT_REMOVE_PERSISTENT_LOGIN_DATA, "The persistent login could not be removed.") \
    M(ISDSC_PORTAL_NOT_FOUND, "The target portal is not known.") \
    M(ISDSC_INITIATOR_NOT_FOUND, "The initiator is not known.") \
    M(ISDSC_DISCOVERY_MECHANISM_NOT_FOUND, "The target was not found by that discovery mechanism.") \
    M(ISDSC_IPSEC_NOT_SUPPORTED_ON_OS, "IPsec is not available on this system.") \
    M(ISDSC_PERSISTENT_LOGIN_TIMEOUT, "The persistent logins were not completed in time.") \
    M(ISDSC_SHORT_CHAP_SECRET, "The CHAP secret is shorter than 96 bits, which is not safe without IPsec.") \
    M(ISDSC_EVALUATION_PEROID_EXPIRED, "The evaluation period has ended.") \
    M(ISDSC_INVALID_CHAP_SECRET, "The CHAP secret breaks a rule of the iSCSI standard.") \
    M(ISDSC_INVALID_TARGET_CHAP_SECRET, "The CHAP secret of the target must have 12 to 16 bytes, or at most 16 with IPsec.") \
    M(ISDSC_INVALID_INITIATOR_CHAP_SECRET, "The CHAP secret of the initiator must have 12 to 16 bytes, or at most 16 with IPsec.") \
    M(ISDSC_INVALID_CHAP_USER_NAME, "The CHAP user name is not valid.") \
    M(ISDSC_INVALID_LOGON_AUTH_TYPE, "The authentication type is not valid.") \
    M(ISDSC_INVALID_TARGET_MAPPING, "The target mapping is not valid.") \
    M(ISDSC_INVALID_TARGET_ID, "The target number in the mapping is not valid.") \
    M(ISDSC_INVALID_ISCSI_NAME, "The iSCSI name is too long or has characters that are not allowed.") \
    M(ISDSC_INCOMPATIBLE_ISNS_VERSION, "The iSNS server uses a version that is not supported.") \
    M(ISDSC_FAILED_TO_CONFIGURE_IPSEC, "IPsec could not be set up for the connection.") \
    M(ISDSC_BUFFER_TOO_SMALL, "The buffer for the request is too small.") \
    M(ISDSC_INVALID_LOAD_BALANCE_POLICY, "The load balance policy is not valid.") \
    M(ISDSC_INVALID_PARAMETER, "A parameter is not valid.") \
    M(ISDSC_DUPLICATE_PATH_SPECIFIED, "A path is given twice.") \
    M(ISDSC_PATH_COUNT_MISMATCH, "The number of paths given is not the number of paths there are.") \
    M(ISDSC_INVALID_PATH_ID, "There is no path with that id.") \
    M(ISDSC_MULTIPLE_PRIMARY_PATHS_SPECIFIED, "More than one path is marked as primary.") \
    M(ISDSC_NO_PRIMARY_PATH_SPECIFIED, "No path is marked as primary.") \
    M(ISDSC_DEVICE_ALREADY_PERSISTENTLY_BOUND, "The device is already bound.") \
    M(ISDSC_DEVICE_NOT_FOUND, "The device is not known.") \
    M(ISDSC_DEVICE_NOT_ISCSI_OR_PERSISTENT, "The device is not an iSCSI device, or its login is not persistent.") \
    M(ISDSC_DNS_NAME_UNRESOLVED, "The host name could not be resolved.") \
    M(ISDSC_NO_CONNECTION_AVAILABLE, "The session has no connection at the moment.") \
    M(ISDSC_LB_POLICY_NOT_SUPPORTED, "The load balance policy is not supported.") \
    M(ISDSC_REMOVE_CONNECTION_IN_PROGRESS, "A connection of the session is being removed.") \
    M(ISDSC_INVALID_CONNECTION_ID, "The session has no connection with that id.") \
    M(ISDSC_CANNOT_REMOVE_LEADING_CONNECTION, "The leading connection of a session cannot be removed.") \
    M(ISDSC_RESTRICTED_BY_GROUP_POLICY, "A group policy forbids the operation.") \
    M(ISDSC_ISNS_FIREWALL_BLOCKED, "The firewall blocks iSNS.") \
    M(ISDSC_FAILURE_TO_PERSIST_LB_POLICY, "The load balance policy could not be stored.") \
    M(ISDSC_INVALID_HOST, "The host name does not lead to an IP address.")

/* Not in the message table: on Windows these are the system's own messages. */
#define SYSTEM_MESSAGES(M) \
    M(ERROR_FILE_NOT_FOUND, "The file was not found.") \
    M(ERROR_ACCESS_DENIED, "Access is denied.") \
    M(ERROR_NOT_ENOUGH_MEMORY, "There is not enough memory.") \
    M(ERROR_INVALID_DATA, "The data are not valid.") \
    M(ERROR_WRITE_PROTECT, "The medium is write protected.") \
    M(ERROR_CRC, "A checksum does not fit the data.") \
    M(ERROR_GEN_FAILURE, "A device does not work.") \
    M(ERROR_SHARING_VIOLATION, "Another program uses the file.") \
    M(ERROR_LOCK_VIOLATION, "Another program has locked the file.") \
    M(ERROR_NOT_SUPPORTED, "The request is not supported.") \
    M(ERROR_BAD_NET_RESP, "The answer from the network breaks the protocol.") \
    M(ERROR_INVALID_PARAMETER, "The parameter is not correct.") \
    M(ERROR_DISK_FULL, "The disk is full.") \
    M(ERROR_CALL_NOT_IMPLEMENTED, "The function is not implemented.") \
    M(ERROR_SEM_TIMEOUT, "The operation took too long.") \
    M(ERROR_INSUFFICIENT_BUFFER, "The buffer is too small.") \
    M(ERROR_INVALID_NAME, "The name is not valid.") \
    M(ERROR_BUSY, "The resource is in use.") \
    M(ERROR_MORE_DATA, "There are more data.") \
    M(ERROR_OPERATION_ABORTED, "The operation was aborted.") \
    M(ERROR_NOACCESS, "An address is not valid.") \
    M(ERROR_NO_UNICODE_TRANSLATION, "The text cannot be converted.") \
    M(ERROR_IO_DEVICE, "The device reported an error.") \
    M(ERROR_OLD_WIN_VERSION, "A newer version is needed.") \
    M(ERROR_NOT_FOUND, "The element was not found.") \
    M(ERROR_CANCELLED, "The operation was cancelled.") \
    M(ERROR_REVISION_MISMATCH, "The versions do not fit together.") \
    M(ERROR_INTERNAL_ERROR, "An internal error occurred.") \
    M(ERROR_FILE_CORRUPT, "The file is damaged.") \
    M(ERROR_TIMEOUT, "The operation did not end in time.") \
    M(ERROR_BAD_CONFIGURATION, "The configuration is not valid.") \
    M(WSAEACCES, "The address may not be used.") \
    M(WSAEAFNOSUPPORT, "The address family is not supported.") \
    M(WSAEADDRNOTAVAIL, "The address is not available.") \
    M(WSAENETUNREACH, "The network cannot be reached.") \
    M(WSAECONNABORTED, "The connection was aborted.") \
    M(WSAECONNRESET, "The connection was reset by the other side.") \
    M(WSAETIMEDOUT, "The connection could not be made in time.") \
    M(WSAECONNREFUSED, "The connection was refused.") \
    M(WSAEHOSTUNREACH, "The host cannot be reached.") \
    M(WSAHOST_NOT_FOUND, "The host is not known.") \
    M(WSATRY_AGAIN, "The name server did not answer.")
/* clang-format on */

#endif
