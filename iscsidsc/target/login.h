/* Between login.c (requests and responses) and login_stages.c (what they say). */
#ifndef TARGET_LOGIN_H
#define TARGET_LOGIN_H

#include "target/internal.h"

#define LOGIN_TEXT_LIMIT 65536u /* of one request over all its PDUs */
#define LOGIN_REPLY_ROOM 16384u
#define LOGIN_SEGMENT    8192u /* no initiator declares less before it logged in */

/* Status class and detail (RFC 7143, 11.13.5). */
enum {
    LOGIN_INITIATOR_ERROR = 0x0200,
    LOGIN_AUTHENTICATION_FAILURE = 0x0201,
    LOGIN_NOT_AUTHORIZED = 0x0202,
    LOGIN_NOT_FOUND = 0x0203,
    LOGIN_UNSUPPORTED_VERSION = 0x0205,
    LOGIN_TOO_MANY_CONNECTIONS = 0x0206,
    LOGIN_MISSING_PARAMETER = 0x0207,
    LOGIN_SESSION_TYPE = 0x0209,
    LOGIN_NO_SESSION = 0x020a,
    LOGIN_TARGET_ERROR = 0x0300,
    LOGIN_OUT_OF_RESOURCES = 0x0302,
};

struct target_login {
    struct target_connection *connection;
    struct pdu request;    /* the latest */
    struct target *target; /* NULL: discovery */
    const struct target_access *access;
    char initiator[ISCSI_NAME_MAX + 1];
    uint8_t stage; /* enum login_stage */
    bool started;
    bool identified; /* the first text was understood */
    bool leading;
    bool authenticated; /* or nothing is demanded */
    bool chap_started;
    bool ready;      /* of the reply under way: the T bit may be granted */
    bool group_told; /* TargetPortalGroupTag was sent */
    struct chap chap;
    struct negotiation negotiation;
    char *text; /* request so far */
    size_t text_length;
    size_t reply_length;
    size_t reply_sent;
    char reply[LOGIN_REPLY_ROOM];
};

/* Both return false, for use in a return statement, resp. true when the target moved. */
bool target_login_fail(struct target_connection *connection, uint16_t status);
bool target_login_moved(struct target_connection *connection);

/* Acts on a whole request text and makes the reply. `*ready`: the stage may be left. False: failed.
 */
bool target_login_stage(struct target_connection *connection, bool *ready);
/* The session to be in, made or found. NULL: failed. */
struct target_session *target_login_session(struct target_connection *connection);

#endif
