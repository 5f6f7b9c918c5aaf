/*
 * iscsi.conf: the parameters of the service (parameters.h), and those of sessions, which count for
 * everything or, in a section, for what the section names (docs/configuration.md).
 *
 *     # comment
 *     Name = value
 *     TargetName = iqn.2026-11.org.example:disk
 *         Name = value
 */
#ifndef ENGINE_CONFIGURATION_H
#define ENGINE_CONFIGURATION_H

#include "engine/parameters.h"
#include "protocol/name.h"

/* Where a value was set: the most specific last. Of two subnets the smaller counts, of two of the
 * same size the one that is further down in the file. */
enum configuration_scope {
    SCOPE_DEFAULT, /* nowhere */
    SCOPE_GLOBAL,
    SCOPE_SUBNET,
    SCOPE_TARGET_IP_ADDRESS,
    SCOPE_ADDRESS,
    SCOPE_DISCOVERY_ADDRESS,
    SCOPE_TARGET_NAME,
};

#define SCOPE_BIT(scope) (1u << (scope))
/* A portal's sections have no say in what chooses between portals. */
#define SCOPES_OF_TARGETS                                                                          \
    (SCOPE_BIT(SCOPE_GLOBAL) | SCOPE_BIT(SCOPE_DISCOVERY_ADDRESS) | SCOPE_BIT(SCOPE_TARGET_NAME))
#define SCOPES_OF_PORTALS                                                                          \
    (SCOPE_BIT(SCOPE_SUBNET) | SCOPE_BIT(SCOPE_TARGET_IP_ADDRESS) | SCOPE_BIT(SCOPE_ADDRESS))
#define SCOPES_OF_DISCOVERY (SCOPE_BIT(SCOPE_GLOBAL) | SCOPE_BIT(SCOPE_DISCOVERY_ADDRESS))
#define SCOPES_ALL          (SCOPES_OF_TARGETS | SCOPES_OF_PORTALS)

enum multipath_mode { MULTIPATH_NO, MULTIPATH_PORTAL, MULTIPATH_PORTAL_GROUP };

#define TIMEOUT_INFINITE UINT32_MAX

enum parameter_kind {
    KIND_NUMBER,
    KIND_SWITCH,    /* yes or no */
    KIND_HOLD,      /* seconds, or TIMEOUT_INFINITE */
    KIND_LIMIT,     /* seconds; 0: infinite */
    KIND_MULTIPATH, /* enum multipath_mode */
    KIND_DIGEST,    /* never, always, prefer-on, prefer-off */
    KIND_PORTAL,    /* address or address:port */
    KIND_SUBNET,    /* see network.h */
    KIND_NAME,
    KIND_SECRET, /* never shown */
};

/* N(name, other name of the same, member, kind, least, most, default, scopes). Times are seconds.
 */
#define SCOPED_NUMBERS(N)                                                                          \
    N(LoginTimeout, "", login_timeout, NUMBER, 1, 3600, 30, ALL)                                   \
    N(AuthTimeout, "", auth_timeout, NUMBER, 1, 3600, 30, ALL)                                     \
    N(IdleTimeout, "", idle_timeout, NUMBER, 0, 86400, 15, ALL)                                    \
    N(PingTimeout, "LinkDownTime", ping_timeout, NUMBER, 0, 86400, 15, ALL)                        \
    N(ConnFailTimeout, "MaxRequestHoldTime", conn_fail_timeout, HOLD, 0, 86400, 60, ALL)           \
    N(AbortTimeout, "", abort_timeout, NUMBER, 0, 3600, 15, ALL)                                   \
    N(ResetTimeout, "ResetTiemout", reset_timeout, NUMBER, 0, 3600, 30, ALL)                       \
    N(MinDiskCommandTimeout, "", min_disk_command_timeout, LIMIT, 0, 86400, 0, ALL)                \
    N(MaxDiskCommandTimeout, "", max_disk_command_timeout, LIMIT, 0, 86400, 0, ALL)                \
    N(InitialR2T, "", initial_r2t, SWITCH, 0, 1, 0, ALL)                                           \
    N(ImmediateData, "", immediate_data, SWITCH, 0, 1, 1, ALL)                                     \
    N(MaxRecvDataSegmentLength, "", max_recv_data_segment_length, NUMBER, 512, 16777215, 262144,   \
      ALL)                                                                                         \
    N(FirstBurstLength, "", first_burst_length, NUMBER, 512, 16777215, 65536, ALL)                 \
    N(MaxBurstLength, "", max_burst_length, NUMBER, 512, 16777215, 262144, ALL)                    \
    N(ErrorRecoveryLevel, "", error_recovery_level, NUMBER, 0, 2, 2, ALL)                          \
    N(TCPWindowSize, "", tcp_window_size, NUMBER, 0, 1073741824, 0, ALL)                           \
    N(Continuous, "", continuous, SWITCH, 0, 1, 1, OF_DISCOVERY)                                   \
    N(PortalFailover, "", portal_failover, SWITCH, 0, 1, 1, OF_TARGETS)                            \
    N(Multipath, "", multipath, MULTIPATH, 0, 2, 0, OF_TARGETS)                                    \
    N(Enabled, "", enabled, SWITCH, 0, 1, 1, OF_TARGETS)

/* T(name, other name of the same, member, kind, room, default, scopes) */
#define SCOPED_TEXTS(T)                                                                            \
    T(HeaderDigest, "", header_digest, DIGEST, 12, "prefer-off", ALL)                              \
    T(DataDigest, "", data_digest, DIGEST, 12, "prefer-off", ALL)                                  \
    T(PreferredPortal, "", preferred_portal, PORTAL, 264, "", OF_TARGETS)                          \
    T(PreferredSubnet, "", preferred_subnet, SUBNET, 96, "", OF_TARGETS)                           \
    T(Username, "OutgoingUsername", username, NAME, 256, "", ALL)                                  \
    T(Password, "OutgoingPassword", password, SECRET, 256, "", ALL)                                \
    T(IncomingUsername, "", incoming_username, NAME, 256, "", ALL)                                 \
    T(IncomingPassword, "", incoming_password, SECRET, 256, "", ALL)

enum scoped_parameter {
#define SCOPED_NUMBER_ENUM(name, other, member, kind, least, most, standard, scopes)               \
    PARAMETER_##name,
#define SCOPED_TEXT_ENUM(name, other, member, kind, room, standard, scopes) PARAMETER_##name,
    SCOPED_NUMBERS(SCOPED_NUMBER_ENUM) SCOPED_TEXTS(SCOPED_TEXT_ENUM)
#undef SCOPED_NUMBER_ENUM
#undef SCOPED_TEXT_ENUM
        SCOPED_COUNT
};

/* Where a value comes from. */
struct parameter_origin {
    enum configuration_scope scope;
    uint32_t line;    /* of the setting; 0: it is the default */
    uint32_t section; /* of the section's first line; 0: in none */
};

/*
 * What counts for one login or discovery session.
 *
 * idle_timeout 0: no pings. conn_fail_timeout: that commands wait for a connection;
 * TIMEOUT_INFINITE. *_disk_command_timeout 0: infinite. tcp_window_size 0: the system's.
 * Texts are empty where nothing was set; the digests never are.
 */
struct scoped_parameters {
#define SCOPED_NUMBER_MEMBER(name, other, member, kind, least, most, standard, scopes)             \
    uint32_t member;
#define SCOPED_TEXT_MEMBER(name, other, member, kind, room, standard, scopes) char member[room];
    SCOPED_NUMBERS(SCOPED_NUMBER_MEMBER)
    SCOPED_TEXTS(SCOPED_TEXT_MEMBER)
#undef SCOPED_NUMBER_MEMBER
#undef SCOPED_TEXT_MEMBER
    struct parameter_origin origins[SCOPED_COUNT]; /* by enum scoped_parameter */
};

/* A row of the tables above. */
struct scoped_info {
    const char *name;
    const char *other; /* empty: none */
    enum parameter_kind kind;
    size_t offset; /* in struct scoped_parameters */
    uint32_t least, most, standard;
    size_t room;               /* of a text; 0: it is a number */
    const char *standard_text; /* of a text */
    unsigned scopes;           /* SCOPE_BIT */
};
extern const struct scoped_info scoped_table[SCOPED_COUNT];

struct configuration;

/* A line DiscoveryAddress = host or host:port. */
struct configuration_discovery {
    const char *host;
    uint16_t port;
    uint32_t line;
};

/* What parameters are looked up for. What is NULL is not known (yet). */
struct configuration_subject {
    const char *target;
    const char *address; /* of the portal; a host name is in no subnet */
    uint16_t port;
    const char *discovery_address; /* of the discovery portal, or of that which found the target */
    uint16_t discovery_port;       /* 0: any */
};

/* Each problem of a file as "file:line:column: what is wrong". Never holds a password. */
struct configuration_teller {
    void (*tell)(void *context, bool warning, const char *text);
    void *context;
};

/* --- reading --- */

/*
 * Every problem is told (`teller` may be NULL). OK: there were at most warnings, *out is to be
 * freed. CONFIGURATION, NO_MEMORY: *out is NULL.
 */
enum status configuration_parse(struct configuration **out, const char *text, const char *file,
                                const struct configuration_teller *teller);
/* A file that must be there. Further statuses: those of os_read_file, told too. */
enum status configuration_load_file(struct configuration **out, const char *path,
                                    const struct configuration_teller *teller);
/* The file iscsi.conf of the state directory, else /etc/iscsi.conf, else the defaults. `directory`
 * may be NULL. One in /etc that only root may read is root's alone: that is a warning. */
enum status configuration_load(struct configuration **out, const char *directory,
                               const struct configuration_teller *teller);
/* NULL is harmless. Wipes the passwords. */
void configuration_free(struct configuration *configuration);

/* A teller that keeps the first problem that is no warning in `problem`. */
struct configuration_first {
    char *problem;
    size_t room;
};
void configuration_tell_first(void *context, bool warning, const char *text);

/* --- looking up: borrowed from the configuration --- */

/* `out` holds passwords: to be wiped. */
void configuration_resolve(const struct configuration *configuration,
                           const struct configuration_subject *subject,
                           struct scoped_parameters *out);
/* Are there sections for addresses of portals? If not one look counts for all portals. */
bool configuration_has_portals(const struct configuration *configuration);
void scoped_parameters_wipe(struct scoped_parameters *parameters);
/* The user names and passwords alone. */
void scoped_parameters_forget(struct scoped_parameters *parameters);

/* In the order of the file; returns how many there are. */
size_t configuration_discovery_addresses(const struct configuration *configuration,
                                         const struct configuration_discovery **out);

bool configuration_has_discovery(const struct configuration *configuration, const char *host,
                                 uint16_t port);

const struct parameters *configuration_parameters(const struct configuration *configuration);
/* The line that sets a row of parameter_table; 0: none. */
uint32_t configuration_line(const struct configuration *configuration, size_t parameter);
/* Of a row that is set, to a teller: "file:line:column: what is wrong" with its value. */
void configuration_tell_value(const struct configuration *configuration, size_t parameter,
                              const struct configuration_teller *teller, const char *what);
const char *configuration_file(const struct configuration *configuration); /* empty: none */

/* --- words --- */

#define PARAMETER_VALUE_ROOM 300u
/* The value as the file would have it, a secret as "(set)" or empty. */
void scoped_parameter_format(const struct scoped_parameters *parameters,
                             enum scoped_parameter parameter, char out[PARAMETER_VALUE_ROOM]);
/* "TargetName" and the like; "global" and "default". */
const char *configuration_scope_name(enum configuration_scope scope);
/* A digest's key value, such as "CRC32C,None", for what a KIND_DIGEST holds. */
const char *configuration_digest_list(const char *digest);

#endif
