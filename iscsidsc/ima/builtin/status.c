#include "ima/builtin/builtin.h"

/*
 * Columns: engine status, what it is here. A target out of reach is one that does not respond; what
 * it says to a login, or what breaks off a login, is a rejection. The API knows nothing of a store
 * or a service: what goes wrong there is an error of the system.
 */
#define RESULTS(R)                                                                                 \
    R(OK, STATUS_SUCCESS)                                                                          \
    R(NO_MEMORY, ERROR_INSUFFICIENT_MEMORY)                                                        \
    R(NO_RESOURCES, ERROR_UNEXPECTED_OS_ERROR)                                                     \
    R(INVALID_PARAMETER, ERROR_INVALID_PARAMETER)                                                  \
    R(NOT_IMPLEMENTED, ERROR_NOT_SUPPORTED)                                                        \
    R(NOT_SUPPORTED, ERROR_NOT_SUPPORTED)                                                          \
    R(ACCESS_DENIED, ERROR_UNEXPECTED_OS_ERROR)                                                    \
    R(CANCELLED, ERROR_UNKNOWN_ERROR)                                                              \
    R(BUSY, ERROR_UNEXPECTED_OS_ERROR)                                                             \
    R(INTERNAL, ERROR_UNKNOWN_ERROR)                                                               \
    R(INVALID_NAME, ERROR_INVALID_PARAMETER)                                                       \
    R(INVALID_ADDRESS, ERROR_INVALID_PARAMETER)                                                    \
    R(ADDRESS_FAMILY, ERROR_TARGET_TIMEOUT)                                                        \
    R(INITIATOR_NOT_FOUND, ERROR_OBJECT_NOT_FOUND)                                                 \
    R(INVALID_PORT, ERROR_INVALID_PARAMETER)                                                       \
    R(TARGET_NOT_FOUND, ERROR_OBJECT_NOT_FOUND)                                                    \
    R(TARGET_EXISTS, STATUS_SUCCESS)                                                               \
    R(PORTAL_NOT_FOUND, ERROR_OBJECT_NOT_FOUND)                                                    \
    R(PORTAL_EXISTS, STATUS_SUCCESS)                                                               \
    R(NO_PORTAL, ERROR_TARGET_TIMEOUT)                                                             \
    R(MECHANISM_NOT_FOUND, ERROR_OBJECT_NOT_FOUND)                                                 \
    R(SESSION_NOT_FOUND, ERROR_TARGET_TIMEOUT)                                                     \
    R(CONNECTION_NOT_FOUND, ERROR_TARGET_TIMEOUT)                                                  \
    R(ALREADY_LOGGED_IN, ERROR_TARGET_TIMEOUT)                                                     \
    R(TOO_MANY_SESSIONS, ERROR_INSUFFICIENT_MEMORY)                                                \
    R(LAST_CONNECTION, ERROR_UNKNOWN_ERROR)                                                        \
    R(LEADING_CONNECTION, ERROR_UNKNOWN_ERROR)                                                     \
    R(SESSION_BUSY, ERROR_TARGET_TIMEOUT)                                                          \
    R(DEVICE_BUSY, ERROR_LU_IN_USE)                                                                \
    R(INVALID_LOGIN_OPTIONS, ERROR_LOGIN_REJECTED)                                                 \
    R(INVALID_AUTH_TYPE, ERROR_LOGIN_REJECTED)                                                     \
    R(INVALID_CHAP_NAME, ERROR_INVALID_PARAMETER)                                                  \
    R(INVALID_TARGET_SECRET, ERROR_INVALID_PARAMETER)                                              \
    R(INVALID_INITIATOR_SECRET, ERROR_INVALID_PARAMETER)                                           \
    R(SHORT_SECRET, ERROR_INVALID_PARAMETER)                                                       \
    R(INVALID_SECRET, ERROR_INVALID_PARAMETER)                                                     \
    R(INVALID_MAPPING, ERROR_INVALID_PARAMETER)                                                    \
    R(MAPPING_EXISTS, ERROR_UNKNOWN_ERROR)                                                         \
    R(MAPPING_OUT_OF_RANGE, ERROR_INVALID_PARAMETER)                                               \
    R(NO_IPSEC, ERROR_NOT_SUPPORTED)                                                               \
    R(NOT_ALL_SUCCEEDED, STATUS_SUCCESS)                                                           \
    R(SHORT_SECRET_STORED, STATUS_SUCCESS)                                                         \
    R(NAME_UNRESOLVED, ERROR_TARGET_TIMEOUT)                                                       \
    R(CONNECT_REFUSED, ERROR_TARGET_TIMEOUT)                                                       \
    R(CONNECT_TIMEOUT, ERROR_TARGET_TIMEOUT)                                                       \
    R(CONNECT_UNREACHABLE, ERROR_TARGET_TIMEOUT)                                                   \
    R(CONNECT_FAILED, ERROR_TARGET_TIMEOUT)                                                        \
    R(CONNECTION_CLOSED, ERROR_TARGET_TIMEOUT)                                                     \
    R(CONNECTION_RESET, ERROR_TARGET_TIMEOUT)                                                      \
    R(TRANSPORT_ERROR, ERROR_TARGET_TIMEOUT)                                                       \
    R(NO_CONNECTION, ERROR_TARGET_TIMEOUT)                                                         \
    R(LOGIN_TIMEOUT, ERROR_TARGET_TIMEOUT)                                                         \
    R(COMMAND_TIMEOUT, ERROR_TARGET_TIMEOUT)                                                       \
    R(LOGOUT_TIMEOUT, ERROR_TARGET_TIMEOUT)                                                        \
    R(PROTOCOL_ERROR, ERROR_LOGIN_REJECTED)                                                        \
    R(NEGOTIATION_FAILED, ERROR_LOGIN_REJECTED)                                                    \
    R(INVALID_TEXT, ERROR_LOGIN_REJECTED)                                                          \
    R(INVALID_SENDTARGETS, ERROR_LOGIN_REJECTED)                                                   \
    R(TEXT_TOO_LONG, ERROR_LOGIN_REJECTED)                                                         \
    R(HEADER_DIGEST, ERROR_TARGET_TIMEOUT)                                                         \
    R(DATA_DIGEST, ERROR_TARGET_TIMEOUT)                                                           \
    R(REJECTED, ERROR_LOGIN_REJECTED)                                                              \
    R(AUTHENTICATION_FAILED, ERROR_LOGIN_REJECTED)                                                 \
    R(TARGET_AUTHENTICATION_FAILED, ERROR_LOGIN_REJECTED)                                          \
    R(REDIRECT_LOOP, ERROR_LOGIN_REJECTED)                                                         \
    R(LOGOUT_FAILED, ERROR_UNKNOWN_ERROR)                                                          \
    R(TARGET_MOVED_TEMPORARILY, ERROR_LOGIN_REJECTED)                                              \
    R(TARGET_MOVED_PERMANENTLY, ERROR_LOGIN_REJECTED)                                              \
    R(LOGIN_INITIATOR_ERROR, ERROR_LOGIN_REJECTED)                                                 \
    R(LOGIN_AUTHENTICATION_FAILED, ERROR_LOGIN_REJECTED)                                           \
    R(LOGIN_AUTHORIZATION_FAILED, ERROR_LOGIN_REJECTED)                                            \
    R(LOGIN_NOT_FOUND, ERROR_LOGIN_REJECTED)                                                       \
    R(LOGIN_TARGET_REMOVED, ERROR_LOGIN_REJECTED)                                                  \
    R(LOGIN_UNSUPPORTED_VERSION, ERROR_LOGIN_REJECTED)                                             \
    R(LOGIN_TOO_MANY_CONNECTIONS, ERROR_LOGIN_REJECTED)                                            \
    R(LOGIN_MISSING_PARAMETER, ERROR_LOGIN_REJECTED)                                               \
    R(LOGIN_CANT_INCLUDE, ERROR_LOGIN_REJECTED)                                                    \
    R(LOGIN_SESSION_TYPE, ERROR_LOGIN_REJECTED)                                                    \
    R(LOGIN_NO_SESSION, ERROR_LOGIN_REJECTED)                                                      \
    R(LOGIN_INVALID_REQUEST, ERROR_LOGIN_REJECTED)                                                 \
    R(LOGIN_TARGET_ERROR, ERROR_LOGIN_REJECTED)                                                    \
    R(LOGIN_SERVICE_UNAVAILABLE, ERROR_LOGIN_REJECTED)                                             \
    R(LOGIN_OUT_OF_RESOURCES, ERROR_LOGIN_REJECTED)                                                \
    R(LOGIN_FAILED, ERROR_LOGIN_REJECTED)                                                          \
    R(SCSI_STATUS, ERROR_SCSI_STATUS_CHECK_CONDITION)                                              \
    R(STORE_DAMAGED, ERROR_UNEXPECTED_OS_ERROR)                                                    \
    R(STORE_READ_ONLY, ERROR_UNEXPECTED_OS_ERROR)                                                  \
    R(STORE_FULL, ERROR_UNEXPECTED_OS_ERROR)                                                       \
    R(STORE_BUSY, ERROR_SYNC_TIMEOUT)                                                              \
    R(STORE_FAILED, ERROR_UNEXPECTED_OS_ERROR)                                                     \
    R(STORE_TOO_NEW, ERROR_UNEXPECTED_OS_ERROR)                                                    \
    R(CONFIGURATION, ERROR_UNEXPECTED_OS_ERROR)                                                    \
    R(MESSAGE_INVALID, ERROR_UNKNOWN_ERROR)                                                        \
    R(SERVICE_NOT_RUNNING, ERROR_UNEXPECTED_OS_ERROR)                                              \
    R(SERVICE_TIMEOUT, ERROR_SYNC_TIMEOUT)                                                         \
    R(SERVICE_VERSION, ERROR_UNEXPECTED_OS_ERROR)                                                  \
    R(LOGIN_NOT_STORED, ERROR_OBJECT_NOT_FOUND)                                                    \
    R(MAPPING_UNAVAILABLE, ERROR_UNKNOWN_ERROR)                                                    \
    R(ISNS_SERVER_NOT_FOUND, ERROR_OBJECT_NOT_FOUND)                                               \
    R(ISNS_VERSION, ERROR_UNKNOWN_ERROR)                                                           \
    R(RADIUS_UNAVAILABLE, ERROR_LOGIN_REJECTED)                                                    \
    R(RADIUS_NOT_CONFIGURED, ERROR_LOGIN_REJECTED)                                                 \
    R(RADIUS_SERVER_NOT_FOUND, ERROR_OBJECT_NOT_FOUND)                                             \
    R(TOO_MANY_CONNECTIONS, ERROR_UNKNOWN_ERROR)                                                   \
    R(CONNECTION_LEAVING, ERROR_UNKNOWN_ERROR)                                                     \
    R(DEVICE_NOT_FOUND, ERROR_OBJECT_NOT_FOUND)                                                    \
    R(DEVICE_BOUND, ERROR_UNKNOWN_ERROR)                                                           \
    R(DEVICE_NOT_ISCSI, ERROR_UNKNOWN_ERROR)                                                       \
    R(PERSISTENT_LOGIN_TIMEOUT, ERROR_TARGET_TIMEOUT)                                              \
    R(IKE_ID_TYPE, ERROR_NOT_SUPPORTED)                                                            \
    R(IKE_ID_SIZE, ERROR_INVALID_PARAMETER)                                                        \
    R(NO_AUTH_INFO, ERROR_OBJECT_NOT_FOUND)                                                        \
    R(UNIT_NOT_FOUND, ERROR_OBJECT_NOT_FOUND)                                                      \
    R(UNIT_EXPOSED, ERROR_LU_EXPOSED)                                                              \
    R(UNIT_NOT_EXPOSED, ERROR_LU_NOT_EXPOSED)                                                      \
    R(LAST_DISCOVERY_METHOD, ERROR_LAST_PRIMARY_DISCOVERY_METHOD)                                  \
    R(NOT_COUNTED, ERROR_STATS_COLLECTION_NOT_ENABLED)                                             \
    R(OUTCOME_UNKNOWN, ERROR_TARGET_TIMEOUT)                                                       \
    R(OUT_OF_RANGE, ERROR_INVALID_PARAMETER)                                                       \
    R(WRITE_PROTECTED, ERROR_UNKNOWN_ERROR)

/* As many rows as statuses, and the compiler refuses two for one: so each has its own. */
#define RESULT_COUNT(status, result) +1
_Static_assert(0 RESULTS(RESULT_COUNT) == STATUS_COUNT, "a status has no IMA_STATUS");

IMA_STATUS builtin_status(enum status status)
{
    switch (status) {
#define RESULT_CASE(status, result)                                                                \
    case STATUS_##status:                                                                          \
        return IMA_##result;
        RESULTS(RESULT_CASE)
#undef RESULT_CASE
    default:
        return IMA_ERROR_UNKNOWN_ERROR;
    }
}

IMA_STATUS builtin_ask(enum operation operation, const void *request, void *reply,
                       struct os_arena *arena)
{
    return builtin_status(door_call(operation, request, reply, arena));
}
