/*
 * The one list of outcomes. Every floor returns these; each interface maps them
 * to its own codes in one table of its own (msapi/status.c for Win32 and ISDSC).
 *
 * Columns: name, text.
 */
#ifndef PROTOCOL_STATUS_H
#define PROTOCOL_STATUS_H

#define STATUS_LIST(S)                                                                             \
    S(OK, "success")                                                                               \
    /* The caller's side. */                                                                       \
    S(NO_MEMORY, "out of memory")                                                                  \
    S(NO_RESOURCES, "the system has no descriptors, ports or buffers left")                        \
    S(INVALID_PARAMETER, "a parameter is not valid")                                               \
    S(NOT_IMPLEMENTED, "the operation is not available")                                           \
    S(NOT_SUPPORTED, "the operation is not supported")                                             \
    S(ACCESS_DENIED, "access denied")                                                              \
    S(CANCELLED, "the operation was cancelled")                                                    \
    S(BUSY, "the object is busy")                                                                  \
    S(INTERNAL, "internal error")                                                                  \
    /* What the caller named. */                                                                   \
    S(INVALID_NAME, "the iSCSI name is not valid")                                                 \
    S(INVALID_ADDRESS, "the address is not valid")                                                 \
    S(ADDRESS_FAMILY, "the address family is not supported")                                       \
    S(INITIATOR_NOT_FOUND, "no such initiator instance")                                           \
    S(INVALID_PORT, "no such initiator port")                                                      \
    S(TARGET_NOT_FOUND, "the target is not known")                                                 \
    S(TARGET_EXISTS, "the target is already present")                                              \
    S(PORTAL_NOT_FOUND, "the portal is not known")                                                 \
    S(PORTAL_EXISTS, "the portal is already present")                                              \
    S(NO_PORTAL, "the target has no portal to log in to")                                          \
    S(MECHANISM_NOT_FOUND, "the target was not found by that mechanism")                           \
    S(SESSION_NOT_FOUND, "no such session")                                                        \
    S(CONNECTION_NOT_FOUND, "no such connection")                                                  \
    S(ALREADY_LOGGED_IN, "the target already has a session")                                       \
    S(TOO_MANY_SESSIONS, "too many sessions")                                                      \
    S(LAST_CONNECTION, "the last connection of a session cannot be removed")                       \
    S(LEADING_CONNECTION, "the leading connection cannot be removed")                              \
    S(SESSION_BUSY, "another request runs on the session")                                         \
    S(DEVICE_BUSY, "a device of the session is in use")                                            \
    S(INVALID_LOGIN_OPTIONS, "the login options are not valid")                                    \
    S(INVALID_AUTH_TYPE, "the authentication type is not valid")                                   \
    S(INVALID_CHAP_NAME, "the CHAP user name is not valid")                                        \
    S(INVALID_TARGET_SECRET, "the target's CHAP secret has a bad length")                          \
    S(INVALID_INITIATOR_SECRET, "the initiator's CHAP secret has a bad length")                    \
    S(SHORT_SECRET, "the CHAP secret is shorter than 96 bits")                                     \
    S(INVALID_SECRET, "the CHAP secret breaks a rule of the standard")                             \
    S(INVALID_MAPPING, "the target mapping is not valid")                                          \
    S(MAPPING_EXISTS, "the target mapping is in use")                                              \
    S(MAPPING_OUT_OF_RANGE, "the target mapping is out of range")                                  \
    S(NO_IPSEC, "IPsec cannot be provided")                                                        \
    S(NOT_ALL_SUCCEEDED, "some of the discovery mechanisms failed")                                \
    S(SHORT_SECRET_STORED, "the secret is stored but is shorter than 96 bits")                     \
    /* The network. */                                                                             \
    S(NAME_UNRESOLVED, "the host name did not resolve")                                            \
    S(CONNECT_REFUSED, "the connection was refused")                                               \
    S(CONNECT_TIMEOUT, "the connection could not be made in time")                                 \
    S(CONNECT_UNREACHABLE, "the network or host is unreachable")                                   \
    S(CONNECT_FAILED, "the connection could not be made")                                          \
    S(CONNECTION_CLOSED, "the peer closed the connection")                                         \
    S(CONNECTION_RESET, "the connection was reset")                                                \
    S(TRANSPORT_ERROR, "the connection failed")                                                    \
    S(NO_CONNECTION, "the session has no live connection")                                         \
    /* Deadlines. */                                                                               \
    S(LOGIN_TIMEOUT, "the target did not finish the login in time")                                \
    S(COMMAND_TIMEOUT, "the target did not answer in time")                                        \
    S(LOGOUT_TIMEOUT, "the target did not answer the logout in time")                              \
    /* What the peer did wrong. */                                                                 \
    S(PROTOCOL_ERROR, "the target broke the protocol")                                             \
    S(NEGOTIATION_FAILED, "the target's negotiation answer is not acceptable")                     \
    S(INVALID_TEXT, "the target sent text that is not valid")                                      \
    S(INVALID_SENDTARGETS, "the SendTargets answer is not valid")                                  \
    S(TEXT_TOO_LONG, "the target's text is too long")                                              \
    S(HEADER_DIGEST, "a header digest is wrong")                                                   \
    S(DATA_DIGEST, "a data digest is wrong")                                                       \
    S(REJECTED, "the target rejected the request")                                                 \
    S(AUTHENTICATION_FAILED, "authentication failed")                                              \
    S(TARGET_AUTHENTICATION_FAILED, "the target could not prove who it is")                        \
    S(REDIRECT_LOOP, "the target redirected too often")                                            \
    S(LOGOUT_FAILED, "the target refused the logout")                                              \
    /* Login responses, status class and detail (RFC 7143, 11.13.5). */                            \
    S(TARGET_MOVED_TEMPORARILY, "the target moved temporarily")                                    \
    S(TARGET_MOVED_PERMANENTLY, "the target moved permanently")                                    \
    S(LOGIN_INITIATOR_ERROR, "the target reports an initiator error")                              \
    S(LOGIN_AUTHENTICATION_FAILED, "the target refused the authentication")                        \
    S(LOGIN_AUTHORIZATION_FAILED, "the initiator may not use the target")                          \
    S(LOGIN_NOT_FOUND, "the target does not exist there")                                          \
    S(LOGIN_TARGET_REMOVED, "the target was removed")                                              \
    S(LOGIN_UNSUPPORTED_VERSION, "the target does not support the protocol version")               \
    S(LOGIN_TOO_MANY_CONNECTIONS, "the target accepts no more connections")                        \
    S(LOGIN_MISSING_PARAMETER, "the target misses a login parameter")                              \
    S(LOGIN_CANT_INCLUDE, "the target cannot include the connection in the session")               \
    S(LOGIN_SESSION_TYPE, "the target does not support the session type")                          \
    S(LOGIN_NO_SESSION, "the target does not know the session")                                    \
    S(LOGIN_INVALID_REQUEST, "the target finds the login request not valid")                       \
    S(LOGIN_TARGET_ERROR, "the target reports an error of its own")                                \
    S(LOGIN_SERVICE_UNAVAILABLE, "the target is temporarily unavailable")                          \
    S(LOGIN_OUT_OF_RESOURCES, "the target is out of resources")                                    \
    S(LOGIN_FAILED, "the login failed")                                                            \
    /* SCSI. */                                                                                    \
    S(SCSI_STATUS, "the SCSI command did not end with GOOD")                                       \
    /* The store and the service. */                                                               \
    S(STORE_DAMAGED, "the store is damaged")                                                       \
    S(STORE_READ_ONLY, "the store is read-only")                                                   \
    S(STORE_FULL, "the store has no room")                                                         \
    S(STORE_BUSY, "the store is locked by another program")                                        \
    S(STORE_FAILED, "the store could not be used")                                                 \
    S(STORE_TOO_NEW, "the store was written by a newer version")                                   \
    S(CONFIGURATION, "the configuration file is not valid")                                        \
    S(MESSAGE_INVALID, "the message is not valid")                                                 \
    S(SERVICE_NOT_RUNNING, "the service is not running")                                           \
    S(SERVICE_TIMEOUT, "the service did not answer in time")                                       \
    S(SERVICE_VERSION, "the service is of another version")                                        \
    /* Persistent logins. */                                                                       \
    S(LOGIN_NOT_STORED, "no stored login fits")                                                    \
    S(MAPPING_UNAVAILABLE, "the target mapping is not available")                                  \
    /* Servers, connections, devices, IPsec. */                                                    \
    S(ISNS_SERVER_NOT_FOUND, "the iSNS server is not known or does not answer")                    \
    S(ISNS_VERSION, "the iSNS server uses another version of the protocol")                        \
    S(RADIUS_UNAVAILABLE, "no RADIUS server answered")                                             \
    S(RADIUS_NOT_CONFIGURED, "no RADIUS server is known, or no secret shared with one")            \
    S(RADIUS_SERVER_NOT_FOUND, "the RADIUS server is not on the list")                             \
    S(TOO_MANY_CONNECTIONS, "the session may have no more connections")                            \
    S(CONNECTION_LEAVING, "a connection of the session is being removed")                          \
    S(DEVICE_NOT_FOUND, "the device is not known")                                                 \
    S(DEVICE_BOUND, "the device is already bound")                                                 \
    S(DEVICE_NOT_ISCSI, "the device is not of a target with a persistent login")                   \
    S(PERSISTENT_LOGIN_TIMEOUT, "the bound devices did not appear in time")                        \
    S(IKE_ID_TYPE, "IKE identities of that type are not supported")                                \
    S(IKE_ID_SIZE, "the IKE identity does not have the size of its type")                          \
    S(NO_AUTH_INFO, "no IKE authentication data are stored")                                       \
    /* Units, discovery, statistics. */                                                            \
    S(UNIT_NOT_FOUND, "the logical unit is not known")                                             \
    S(UNIT_EXPOSED, "the logical unit is exposed already")                                         \
    S(UNIT_NOT_EXPOSED, "no logical unit is exposed there")                                        \
    S(LAST_DISCOVERY_METHOD, "one primary discovery method must stay enabled")                     \
    S(NOT_COUNTED, "statistics are not collected there")                                           \
    /* Input and output. */                                                                        \
    S(OUTCOME_UNKNOWN, "the connection was lost, and whether it was carried out is not known")     \
    S(OUT_OF_RANGE, "the unit has no such blocks")                                                 \
    S(WRITE_PROTECTED, "the unit is write-protected")

enum status {
#define STATUS_ENUM(name, text) STATUS_##name,
    STATUS_LIST(STATUS_ENUM)
#undef STATUS_ENUM
        STATUS_COUNT
};

/* The name without its prefix, such as "LOGIN_TIMEOUT". */
const char *status_name(enum status status);
/* One English sentence without a full stop. */
const char *status_text(enum status status);

#endif
