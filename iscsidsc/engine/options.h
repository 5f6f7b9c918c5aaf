/* Login options: their checks, and the session settings that they make. */
#ifndef ENGINE_OPTIONS_H
#define ENGINE_OPTIONS_H

#include "engine/model.h"

/* Bits of login_options.specified and .flags, as in ISCSI_LOGIN_OPTIONS. */
enum {
    OPTION_HEADER_DIGEST = 0x01,
    OPTION_DATA_DIGEST = 0x02,
    OPTION_MAXIMUM_CONNECTIONS = 0x04,
    OPTION_DEFAULT_TIME2WAIT = 0x08,
    OPTION_DEFAULT_TIME2RETAIN = 0x10,
    OPTION_USERNAME = 0x20,
    OPTION_PASSWORD = 0x40,
    OPTION_AUTH_TYPE = 0x80,
};

enum {
    LOGIN_FLAG_REQUIRE_IPSEC = 0x01,
    LOGIN_FLAG_MULTIPATH = 0x02,
    LOGIN_FLAG_PORTAL_HOPPING = 0x08,
    LOGIN_FLAG_RADIUS_RESPONSE = 0x10,
    LOGIN_FLAG_RADIUS_VERIFICATION = 0x20,
};

enum {
    AUTH_NONE = 0,
    AUTH_CHAP = 1,
    AUTH_MUTUAL = 2,
};

/* Windows' rule for CHAP secrets without IPsec. */
enum { SECRET_LEAST = 12, SECRET_MOST = 16 };

/* Everything that a login borrows, in one place. Holds secrets: to be wiped. */
struct option_settings {
    struct session_settings session;
    struct scoped_parameters parameters; /* of iscsi.conf */
    char initiator_name[ISCSI_NAME_MAX + 1];
    char initiator_alias[ADAPTER_ALIAS_ROOM];
    char user_name[CHAP_NAME_MAX + 1];
    uint8_t secret[CHAP_SECRET_MAX];
    uint8_t peer_secret[CHAP_SECRET_MAX];
    char peer_name[CHAP_NAME_MAX + 1];
};

/*
 * May such a login be tried? `options` NULL: none were given. INVALID_LOGIN_OPTIONS,
 * INVALID_AUTH_TYPE (RADIUS for an authentication that is not asked for included),
 * INVALID_CHAP_NAME, INVALID_TARGET_SECRET (CHAP without a password of 12 to 16 bytes, where the
 * RADIUS server has none either), NO_IPSEC.
 */
enum status options_check(const struct login_options *options);

/*
 * Fills in all but target name and ISID; `subject` tells whose parameters count, without a target
 * it is a discovery session. What the options leave open is the file's, the adapter's or the
 * driver's (docs/configuration.md). The options have passed options_check. Statuses of the store
 * and the configuration; INVALID_INITIATOR_SECRET: mutual CHAP, but no initiator secret is set;
 * INVALID_SECRET: it is the same as the password; RADIUS_NOT_CONFIGURED; those of file_credentials.
 */
enum status options_settings(struct engine *engine, const struct login_options *options,
                             const struct configuration_subject *subject,
                             struct option_settings *out);

/* CHAP_N travels as text: no NUL and no control character can be in it. */
bool chap_name_clean(const struct blob *name);
void options_wipe(struct option_settings *settings);

#endif
