#include "msapi/status.h"

/*
 * Columns: engine status, code. Where the list of ISDSC codes has none that says it, a
 * system code does: the socket-level timeouts, what a target sends wrong, and the store.
 *
 * SHORT_SECRET is a failed login, SHORT_SECRET_STORED a success with a warning: only the latter may
 * be ISDSC_SHORT_CHAP_SECRET, which has warning severity.
 */
#define RESULTS(R)                                                                                 \
    R(OK, ERROR_SUCCESS)                                                                           \
    R(NO_MEMORY, ERROR_NOT_ENOUGH_MEMORY)                                                          \
    R(NO_RESOURCES, ISDSC_OUT_OF_RESOURCES)                                                        \
    R(INVALID_PARAMETER, ERROR_INVALID_PARAMETER)                                                  \
    R(NOT_IMPLEMENTED, ERROR_CALL_NOT_IMPLEMENTED)                                                 \
    R(NOT_SUPPORTED, ISDSC_REQUEST_NOT_SUPPORTED)                                                  \
    R(ACCESS_DENIED, ERROR_ACCESS_DENIED)                                                          \
    R(CANCELLED, ERROR_CANCELLED)                                                                  \
    R(BUSY, ERROR_BUSY)                                                                            \
    R(INTERNAL, ISDSC_NON_SPECIFIC_ERROR)                                                          \
    R(INVALID_NAME, ISDSC_INVALID_ISCSI_NAME)                                                      \
    R(INVALID_ADDRESS, ERROR_INVALID_PARAMETER)                                                    \
    R(ADDRESS_FAMILY, ISDSC_ADDRESS_TYPE_NOT_SUPPORTED)                                            \
    R(INITIATOR_NOT_FOUND, ISDSC_INITIATOR_INSTANCE_NOT_FOUND)                                     \
    R(INVALID_PORT, ISDSC_INVALID_PORT_NUMBER)                                                     \
    R(TARGET_NOT_FOUND, ISDSC_TARGET_NOT_FOUND)                                                    \
    R(TARGET_EXISTS, ISDSC_TARGET_ALREADY_EXISTS)                                                  \
    R(PORTAL_NOT_FOUND, ISDSC_PORTAL_NOT_FOUND)                                                    \
    R(PORTAL_EXISTS, ISDSC_TARGET_PORTAL_ALREADY_EXISTS)                                           \
    R(NO_PORTAL, ISDSC_NO_PORTAL_SPECIFIED)                                                        \
    R(MECHANISM_NOT_FOUND, ISDSC_DISCOVERY_MECHANISM_NOT_FOUND)                                    \
    R(SESSION_NOT_FOUND, ISDSC_INVALID_SESSION_ID)                                                 \
    R(CONNECTION_NOT_FOUND, ISDSC_INVALID_CONNECTION_ID)                                           \
    R(ALREADY_LOGGED_IN, ISDSC_TARGET_ALREADY_LOGGED_IN)                                           \
    R(TOO_MANY_SESSIONS, ISDSC_TOO_MANY_SESSIONS)                                                  \
    R(LAST_CONNECTION, ISDSC_CANT_REMOVE_LAST_CONNECTION)                                          \
    R(LEADING_CONNECTION, ISDSC_CANNOT_REMOVE_LEADING_CONNECTION)                                  \
    R(SESSION_BUSY, ISDSC_SESSION_BUSY)                                                            \
    R(DEVICE_BUSY, ISDSC_DEVICE_BUSY_ON_SESSION)                                                   \
    R(INVALID_LOGIN_OPTIONS, ISDSC_LOGIN_USER_INFO_BAD)                                            \
    R(INVALID_AUTH_TYPE, ISDSC_INVALID_LOGON_AUTH_TYPE)                                            \
    R(INVALID_CHAP_NAME, ISDSC_INVALID_CHAP_USER_NAME)                                             \
    R(INVALID_TARGET_SECRET, ISDSC_INVALID_TARGET_CHAP_SECRET)                                     \
    R(INVALID_INITIATOR_SECRET, ISDSC_INVALID_INITIATOR_CHAP_SECRET)                               \
    R(SHORT_SECRET, ISDSC_INVALID_CHAP_SECRET)                                                     \
    R(INVALID_SECRET, ISDSC_INVALID_CHAP_SECRET)                                                   \
    R(INVALID_MAPPING, ISDSC_INVALID_TARGET_MAPPING)                                               \
    R(MAPPING_EXISTS, ISDSC_TARGET_MAPPING_EXISTS)                                                 \
    R(MAPPING_OUT_OF_RANGE, ISDSC_TARGET_MAPPING_OUT_OF_RANGE)                                     \
    R(NO_IPSEC, ISDSC_IPSEC_NOT_SUPPORTED_ON_OS)                                                   \
    R(NOT_ALL_SUCCEEDED, ISDSC_OPERATION_NOT_ALL_SUCCESS)                                          \
    R(SHORT_SECRET_STORED, ISDSC_SHORT_CHAP_SECRET)                                                \
    R(NAME_UNRESOLVED, ISDSC_DNS_NAME_UNRESOLVED)                                                  \
    R(CONNECT_REFUSED, ISDSC_CONNECTION_FAILED)                                                    \
    R(CONNECT_TIMEOUT, ERROR_SEM_TIMEOUT)                                                          \
    R(CONNECT_UNREACHABLE, ISDSC_CONNECTION_FAILED)                                                \
    R(CONNECT_FAILED, ISDSC_CONNECTION_FAILED)                                                     \
    R(CONNECTION_CLOSED, ISDSC_TRANSPORT_ERROR)                                                    \
    R(CONNECTION_RESET, ISDSC_TRANSPORT_ERROR)                                                     \
    R(TRANSPORT_ERROR, ISDSC_TRANSPORT_ERROR)                                                      \
    R(NO_CONNECTION, ISDSC_NO_CONNECTION_AVAILABLE)                                                \
    R(LOGIN_TIMEOUT, ERROR_SEM_TIMEOUT)                                                            \
    R(COMMAND_TIMEOUT, ERROR_SEM_TIMEOUT)                                                          \
    R(LOGOUT_TIMEOUT, ERROR_SEM_TIMEOUT)                                                           \
    R(PROTOCOL_ERROR, ERROR_BAD_NET_RESP)                                                          \
    R(NEGOTIATION_FAILED, ISDSC_INVALID_TEXT_KEY)                                                  \
    R(INVALID_TEXT, ISDSC_INVALID_TEXT_KEY)                                                        \
    R(INVALID_SENDTARGETS, ISDSC_INVALID_SENDTARGETS_TEXT)                                         \
    R(TEXT_TOO_LONG, ISDSC_INVALID_SENDTARGETS_TEXT)                                               \
    R(HEADER_DIGEST, ERROR_CRC)                                                                    \
    R(DATA_DIGEST, ERROR_CRC)                                                                      \
    R(REJECTED, ISDSC_REQUEST_NOT_SUPPORTED)                                                       \
    R(AUTHENTICATION_FAILED, ISDSC_AUTHENTICATION_FAILURE)                                         \
    R(TARGET_AUTHENTICATION_FAILED, ISDSC_AUTHENTICATION_FAILURE)                                  \
    R(REDIRECT_LOOP, ISDSC_LOGIN_FAILED)                                                           \
    R(LOGOUT_FAILED, ISDSC_SESSION_BUSY)                                                           \
    R(TARGET_MOVED_TEMPORARILY, ISDSC_TARGET_MOVED_TEMPORARILY)                                    \
    R(TARGET_MOVED_PERMANENTLY, ISDSC_TARGET_MOVED_PERMANENTLY)                                    \
    R(LOGIN_INITIATOR_ERROR, ISDSC_INITIATOR_ERROR)                                                \
    R(LOGIN_AUTHENTICATION_FAILED, ISDSC_AUTHENTICATION_FAILURE)                                   \
    R(LOGIN_AUTHORIZATION_FAILED, ISDSC_AUTHORIZATION_FAILURE)                                     \
    R(LOGIN_NOT_FOUND, ISDSC_NOT_FOUND)                                                            \
    R(LOGIN_TARGET_REMOVED, ISDSC_TARGET_REMOVED)                                                  \
    R(LOGIN_UNSUPPORTED_VERSION, ISDSC_UNSUPPORTED_VERSION)                                        \
    R(LOGIN_TOO_MANY_CONNECTIONS, ISDSC_TOO_MANY_CONNECTIONS)                                      \
    R(LOGIN_MISSING_PARAMETER, ISDSC_MISSING_PARAMETER)                                            \
    R(LOGIN_CANT_INCLUDE, ISDSC_CANT_INCLUDE_IN_SESSION)                                           \
    R(LOGIN_SESSION_TYPE, ISDSC_SESSION_TYPE_NOT_SUPPORTED)                                        \
    R(LOGIN_NO_SESSION, ISDSC_INITIATOR_ERROR)                                                     \
    R(LOGIN_INVALID_REQUEST, ISDSC_INITIATOR_ERROR)                                                \
    R(LOGIN_TARGET_ERROR, ISDSC_TARGET_ERROR)                                                      \
    R(LOGIN_SERVICE_UNAVAILABLE, ISDSC_SERVICE_UNAVAILABLE)                                        \
    R(LOGIN_OUT_OF_RESOURCES, ISDSC_OUT_OF_RESOURCES)                                              \
    R(LOGIN_FAILED, ISDSC_LOGIN_FAILED)                                                            \
    R(SCSI_STATUS, ISDSC_SCSI_REQUEST_FAILED)                                                      \
    R(STORE_DAMAGED, ERROR_FILE_CORRUPT)                                                           \
    R(STORE_READ_ONLY, ERROR_WRITE_PROTECT)                                                        \
    R(STORE_FULL, ERROR_DISK_FULL)                                                                 \
    R(STORE_BUSY, ERROR_LOCK_VIOLATION)                                                            \
    R(STORE_FAILED, ERROR_IO_DEVICE)                                                               \
    R(STORE_TOO_NEW, ISDSC_VERSION_MISMATCH)                                                       \
    R(CONFIGURATION, ERROR_BAD_CONFIGURATION)                                                      \
    R(MESSAGE_INVALID, ERROR_INVALID_DATA)                                                         \
    R(SERVICE_NOT_RUNNING, ISDSC_SERVICE_NOT_RUNNING)                                              \
    R(SERVICE_TIMEOUT, ISDSC_SERVICE_DID_NOT_RESPOND)                                              \
    R(SERVICE_VERSION, ISDSC_VERSION_MISMATCH)                                                     \
    R(LOGIN_NOT_STORED, ISDSC_COULD_NOT_REMOVE_PERSISTENT_LOGIN_DATA)                              \
    R(MAPPING_UNAVAILABLE, ISDSC_TARGET_MAPPING_UNAVAILABLE)                                       \
    R(ISNS_SERVER_NOT_FOUND, ISDSC_ISNS_SERVER_NOT_FOUND)                                          \
    R(ISNS_VERSION, ISDSC_INCOMPATIBLE_ISNS_VERSION)                                               \
    R(RADIUS_UNAVAILABLE, ISDSC_AUTHENTICATION_FAILURE)                                            \
    R(RADIUS_NOT_CONFIGURED, ISDSC_NO_AUTH_INFO_AVAILABLE)                                         \
    R(RADIUS_SERVER_NOT_FOUND, ERROR_NOT_FOUND)                                                    \
    R(TOO_MANY_CONNECTIONS, ISDSC_TOO_MANY_CONNECTIONS)                                            \
    R(CONNECTION_LEAVING, ISDSC_REMOVE_CONNECTION_IN_PROGRESS)                                     \
    R(DEVICE_NOT_FOUND, ISDSC_DEVICE_NOT_FOUND)                                                    \
    R(DEVICE_BOUND, ISDSC_DEVICE_ALREADY_PERSISTENTLY_BOUND)                                       \
    R(DEVICE_NOT_ISCSI, ISDSC_DEVICE_NOT_ISCSI_OR_PERSISTENT)                                      \
    R(PERSISTENT_LOGIN_TIMEOUT, ISDSC_PERSISTENT_LOGIN_TIMEOUT)                                    \
    R(IKE_ID_TYPE, ISDSC_IKE_ID_PAYLOAD_TYPE_NOT_SUPPORTED)                                        \
    R(IKE_ID_SIZE, ISDSC_IKE_ID_PAYLOAD_INCORRECT_SIZE)                                            \
    R(NO_AUTH_INFO, ISDSC_NO_AUTH_INFO_AVAILABLE)                                                  \
    R(UNIT_NOT_FOUND, ISDSC_DEVICE_NOT_FOUND)                                                      \
    R(UNIT_EXPOSED, ERROR_BUSY)                                                                    \
    R(UNIT_NOT_EXPOSED, ISDSC_DEVICE_NOT_FOUND)                                                    \
    R(LAST_DISCOVERY_METHOD, ISDSC_REQUEST_NOT_SUPPORTED)                                          \
    R(NOT_COUNTED, ISDSC_REQUEST_NOT_SUPPORTED)                                                    \
    R(OUTCOME_UNKNOWN, ISDSC_TRANSPORT_ERROR)                                                      \
    R(OUT_OF_RANGE, ERROR_INVALID_PARAMETER)                                                       \
    R(WRITE_PROTECTED, ERROR_WRITE_PROTECT)

/* As many rows as statuses, and the compiler refuses two for one: so each has its own. */
#define RESULT_COUNT(status, code) +1
_Static_assert(0 RESULTS(RESULT_COUNT) == STATUS_COUNT, "a status has no code");

static const ISDSC_STATUS codes[] = {
#define RESULT_ROW(status, code) [STATUS_##status] = (ISDSC_STATUS)(code),
    RESULTS(RESULT_ROW)
#undef RESULT_ROW
};

ISDSC_STATUS msapi_status(enum status status)
{
    return (unsigned)status < STATUS_COUNT ? codes[status] : ISDSC_NON_SPECIFIC_ERROR;
}
