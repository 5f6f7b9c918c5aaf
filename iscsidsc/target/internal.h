/* Shared by the files of the target; nobody else includes it. */
#ifndef TARGET_INTERNAL_H
#define TARGET_INTERNAL_H

#include "os/list.h"
#include "os/memory.h"
#include "target/connection.h"
#include "target/fault.h"
#include "target/output.h"
#include "target/task.h"

#include <string.h>

/* --- entity.c --- */

#define TARGET_BUCKETS 256u

struct target_account {
    struct list link;
    char user[CHAP_NAME_MAX + 1];
    char secret[CHAP_SECRET_MAX + 1];
};

struct target_access {
    struct list accounts;
    struct list names;               /* of initiators that may come in; none: any */
    struct list networks;            /* likewise */
    struct target_account *identity; /* NULL: cannot prove itself */
};

struct target_portal {
    struct list link;
    struct portal_address address;
};

struct target_entity {
    struct target_settings settings;
    const struct chap_crypto *crypto;
    struct list portals;
    struct list targets;
    struct list buckets[TARGET_BUCKETS]; /* targets by name */
    struct list sessions;
    struct list connections;
    struct target_access discovery;
    struct target_pool pool;
    size_t data_out_bytes; /* that room was made for */
    struct target_stock frames;
    struct target_stock tasks;
    struct target_stock kept;
    target_entity_wake *wake; /* may be NULL */
    void *owner;
    uint16_t last_tsih;
};

struct target {
    struct list link;
    struct list bucket;
    struct target_entity *entity;
    char *name;
    char *alias;    /* may be NULL */
    char *redirect; /* may be NULL */
    bool redirect_permanent;
    uint16_t *groups; /* none: any */
    size_t group_count;
    struct target_access access;
    struct target_disk **disks; /* by LUN, NULL where there is none */
    uint32_t disk_room;
};

/* Is it reached through portals of that group? */
bool target_in_group(const struct target *target, uint16_t group);
struct target_disk *target_disk_at(const struct target *target, int64_t lun);
void target_access_init(struct target_access *access);
void target_access_clear(struct target_access *access);
/* May that initiator come in over that connection, a proof apart? */
bool target_access_permits(const struct target_access *access, const char *initiator,
                           const struct target_connection *connection);
/* For chap_receive: the context is the struct target_access. */
bool target_access_find(void *context, const char *name, struct chap_credentials *credentials);

/* --- sessions: session.c --- */

#define TARGET_TAG_BUCKETS 64u

/* The last EXTENDED COPY. */
struct target_copy {
    bool known;
    bool failed;
    uint8_t list; /* its identifier */
    uint16_t segments;
    int64_t lun;
};

struct target_session {
    struct list link;
    struct target_entity *entity;
    struct target *target; /* NULL: discovery */
    char *initiator;
    uint8_t isid[PDU_ISID_LENGTH];
    uint16_t tsih;
    uint16_t group; /* portal group it came in through */
    struct list connections;
    struct list tasks;                          /* received, and not answered or not acknowledged */
    struct list tags[TARGET_TAG_BUCKETS];       /* the same by ITT */
    struct list held;                           /* requests ahead of their turn */
    struct list managements;                    /* task management that waits to be answered */
    struct list attentions;                     /* unit attentions that are due */
    uint8_t prevents[(TARGET_LUN_MAX + 1) / 8]; /* units whose medium it keeps in, by LUN */
    struct target_copy copy;
    struct list lost; /* connections whose tasks may be reassigned */
    uint32_t exp_cmd_sn;
    uint32_t max_cmd_sn; /* the highest ever told */
    uint32_t window;
    uint32_t busy; /* commands that hold a place of the window */
    uint32_t next_ttt;
    struct key_values values;
};

struct target_session *target_session_new(struct target_connection *connection,
                                          struct target *target, const char *initiator,
                                          const struct pdu_login_request *login);
/* Drops its connections: they will end. */
void target_session_end(struct target_session *session);
/* In the portal group of `connection`; `tsih` 0: any. */
struct target_session *target_session_find(const struct target_connection *connection,
                                           const struct target *target, const char *initiator,
                                           const uint8_t *isid, uint16_t tsih);
struct target_connection *target_session_connection(struct target_session *session, uint16_t cid);
void target_session_join(struct target_session *session, struct target_connection *connection);
void target_session_leave(struct target_connection *connection);
uint32_t target_session_max_cmd_sn(struct target_session *session);
uint32_t target_session_ttt(struct target_session *session);
/* Ends it when nothing is in it any more. */
void target_session_check(struct target_session *session);

/* A request whose turn it is, or that waits for it. */
struct target_request {
    struct list link;
    struct target_connection *connection;
    struct pdu pdu;
    struct target_task *task;     /* of a SCSI command */
    struct target_buffer *buffer; /* data segment of others, may be NULL */
};

/* Takes a numbered or immediate request: runs it, and those held that follow, or holds it, or drops
 * it. */
void target_session_take(struct target_session *session, struct target_request *request);
/* A task that waits for its turn shall not run: its CmdSN counts all the same. */
void target_session_disarm(struct target_session *session, struct target_task *task);
/* Counts a request that somebody else has answered. */
void target_session_skip(struct target_session *session, const struct pdu *pdu);

/* --- one connection: connection.c --- */

enum target_connection_state {
    TARGET_LOGIN,
    TARGET_FULL_FEATURE,
    TARGET_CLOSING, /* what is queued goes out, nothing more comes in */
    TARGET_CLOSED,
};

struct target_text {
    uint32_t itt;
    uint32_t ttt; /* PDU_RESERVED_TAG: no exchange under way */
    char *request;
    size_t request_length;
    bool final; /* F bit of the last request */
    struct target_buffer *answer;
    size_t sent;
};

struct target_connection {
    struct list link;    /* entity->connections */
    struct list sibling; /* session->connections */
    struct target_entity *entity;
    struct target_session *session; /* from full feature phase on */
    struct target_login *login;     /* until then */
    target_connection_wake *wake;
    void *owner;
    uint64_t now;
    uint64_t login_due;
    uint64_t last_heard;
    uint64_t nop_due;
    uint32_t ping_ttt; /* PDU_RESERVED_TAG: no ping waits for its answer */
    uint8_t from[OS_IP_LENGTH];
    bool from_known;
    uint16_t group;
    uint16_t cid;
    uint8_t state; /* enum target_connection_state */
    uint8_t end;   /* enum target_end */
    bool reading;  /* inside read_begin and read_end */
    bool mute;     /* a fault: deaf and dumb */
    bool left;     /* logged out: its tasks are not kept for another connection */
    uint32_t stat_sn;
    uint32_t exp_stat_sn; /* the initiator's: all before is acknowledged */
    uint32_t fence_sn;    /* task management waits for it to be this */
    uint64_t management_due;
    uint64_t data_due; /* when somebody who was asked for data may be late */
    struct list kept;  /* struct target_kept */
    uint32_t kept_count;
    size_t kept_bytes;
    uint32_t login_cmd_sn;
    struct key_values values;
    struct framer framer;
    uint8_t bhs[PDU_BHS_LENGTH]; /* of the PDU under way */
    struct target_output output;
    struct target_text text;
    struct target_buffer *incoming; /* data segment of the PDU under way */
    struct target_task *incoming_task;
    bool incoming_usable; /* data that its task takes */
    bool malformed;       /* additional header segments that make no sense */
    struct iov incoming_piece;
    uint64_t fault_due;
    uint32_t fault_memory[4];
};

void target_connection_end(struct target_connection *connection, enum target_end end);
/* Sends a Reject with the header of the PDU under way. */
void target_reject(struct target_connection *connection, enum reject_reason reason);

/* --- login.c --- */

struct target_login *target_login_new(struct target_connection *connection);
void target_login_free(struct target_login *login);
bool target_login_discovery(const struct target_login *login);
/* The session that a login wants to join, as far as is known; or NULL. */
struct target_session *target_login_joins(const struct target_connection *connection);
/* The target goes away. */
void target_login_forget(struct target_connection *connection, const struct target *target);
void target_login_request(struct target_connection *connection, const struct pdu *pdu,
                          const char *text, size_t length);

/* --- text.c --- */

void target_text_request(struct target_connection *connection, const struct pdu *pdu,
                         const char *text, size_t length);
void target_text_reset(struct target_connection *connection);

/* --- control.c, management.c --- */

void target_task_management(struct target_connection *connection, const struct pdu *pdu);
/* Something has come, or a task is gone: answers what waited for it. */
void target_management_check(struct target_session *session);
/* `connection` NULL: of all. */
void target_management_drop(struct target_session *session,
                            const struct target_connection *connection);
void target_management_tick(struct target_connection *connection);
/* Ends the tasks of a unit at once. */
void target_management_end(struct target_session *session, uint64_t lun);
void target_nop_out(struct target_connection *connection, const struct pdu *pdu,
                    struct target_buffer *data);
void target_logout(struct target_connection *connection, const struct pdu *pdu);

/* --- attention.c --- */

void target_attention(struct target_session *session, uint64_t lun, uint16_t asc);
/* For all sessions of the target but one (NULL: really all). */
void target_attention_all(const struct target *target, const struct target_session *but,
                          uint64_t lun, uint16_t asc);
/* The next of that unit, which is told now; 0: there is none. */
uint16_t target_attention_take(struct target_session *session, uint64_t lun);
void target_attention_clear(struct target_session *session);

/* --- recovery.c: connections that were lost, at error recovery level 2 --- */

/* A connection that is gone, its tasks still there. */
struct target_lost {
    struct list link;
    uint16_t cid;
    bool logged_out; /* its tasks may be reassigned */
    uint32_t retain; /* milliseconds */
    uint64_t due;    /* 0: `retain` after the next tick */
};

/* The connection is about to leave: are its tasks to be kept? */
bool target_recovery_possible(const struct target_connection *connection);
/* Takes the tasks off it and keeps them. False: out of memory; they are gone. */
bool target_recovery_keep(struct target_connection *connection);
/* `cid` was logged out, explicitly or by a login: its tasks may be reassigned. False: no lost
 * connection has that CID. */
bool target_recovery_allow(struct target_session *session, uint16_t cid);
/* `cid` was logged out for good. False: no lost connection has that CID. */
bool target_recovery_drop(struct target_session *session, uint16_t cid);
enum task_response target_recovery_reassign(struct target_connection *connection,
                                            const struct pdu *pdu, struct target_task **task);
void target_recovery_clear(struct target_session *session);

#endif
