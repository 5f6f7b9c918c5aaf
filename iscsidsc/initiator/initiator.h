/*
 * The initiator core: sessions, connections and tasks as state machines (RFC 7143). It owns no
 * socket, thread or clock: the owner of a connection moves its bytes, tells the time, and hears
 * of what happened by callbacks. Everything of one session runs on one thread.
 *
 * Callbacks may submit tasks, start logouts and so on. They must not free a session or a
 * connection: that is for after the call into the core has returned.
 *
 * Times are milliseconds of a monotonic clock.
 */
#ifndef INITIATOR_INITIATOR_H
#define INITIATOR_INITIATOR_H

#include "os/list.h"
#include "protocol/chap.h"
#include "protocol/keys.h"
#include "protocol/name.h"
#include "protocol/pdu.h"
#include "protocol/scsi.h"

#define INITIATOR_NEVER UINT64_MAX
#define TASK_FOREVER    UINT32_MAX /* the time of a task that may take as long as it wants */

struct session;
struct connection;

enum session_auth {
    SESSION_AUTH_NONE,
    SESSION_AUTH_CHAP,   /* the target checks us */
    SESSION_AUTH_MUTUAL, /* and we check the target */
};

/* How long to wait, in milliseconds. */
struct session_timeouts {
    uint32_t login; /* from the start of a connection's login to its end, but for */
    uint32_t auth;  /* the waits for answers to what authenticates, together; 0: they count, too */
    uint32_t command; /* a task without a time of its own; a text request */
    uint32_t logout;
    /* A task that is late is aborted, and ends when the target has answered that within `abort`;
     * else its logical unit is reset, and when that is not answered within `reset` either, all
     * connections are closed. `abort` 0: the task ends when it is late, and is aborted
     * all the same. `reset` 0: no reset. */
    uint32_t abort;
    uint32_t reset;
    uint32_t idle; /* a target that is silent for so long is asked for a sign of life; 0: never */
    uint32_t ping; /* which must come within that time; 0: that of a command */
};

/* All that a login needs. Copied by session_new. */
struct session_settings {
    bool discovery;
    const char *initiator_name;
    const char *initiator_alias; /* may be NULL */
    const char *target_name;     /* NULL in a discovery session */
    uint8_t isid[PDU_ISID_LENGTH];
    struct key_offers offers; /* its texts must be literals */
    enum session_auth auth;
    /* With CHAP: what is offered instead of CHAP alone, a literal such as "CHAP,None"; NULL: that.
     */
    const char *auth_methods;
    struct chap_credentials chap; /* peer_secret only for SESSION_AUTH_MUTUAL */
    struct session_timeouts timeouts;
    /*
     * At error recovery level 2: tasks of a connection that is lost wait for another one, for
     * Time2Wait and Time2Retain. Other connections of the session take them; where there is none,
     * the owner makes one when `closed` has told of the loss and Time2Wait has passed, and calls
     * session_tick meanwhile. Without this they end with their connection.
     */
    bool keep_tasks;
};

struct session_callbacks {
    /* Bytes wait in connection_write_pieces where there were none. */
    void (*output)(void *owner, struct connection *connection);
    /* The login is done: full feature phase. */
    void (*logged_in)(void *owner, struct connection *connection);
    /*
     * The connection is over: close its socket. `status` says why: OK after a logout, else what
     * failed. During login it is the login's result; MOVED statuses come with
     * connection_redirect. Comes once; tasks of the connection have been completed before.
     */
    void (*closed)(void *owner, struct connection *connection, enum status status);
    /* An async message arrived; what the protocol asks for is already under way. May be NULL. */
    void (*asynchronous)(void *owner, struct connection *connection,
                         const struct pdu_async_message *message);
    /*
     * During a login whose chap.ask_* is set: somebody else is to be asked. connection_answer
     * brings the answer, from inside or later; the login's time goes on meanwhile. The question is
     * good until the answer or `closed`. May be NULL where nothing is asked.
     */
    void (*ask)(void *owner, struct connection *connection, const struct chap_question *question);
};

/* --- sessions --- */

/* NULL: out of memory. `crypto` and `callbacks` must outlive the session. */
struct session *session_new(const struct session_settings *settings,
                            const struct chap_crypto *crypto,
                            const struct session_callbacks *callbacks, void *owner);
/* Completes what is left with STATUS_CANCELLED (without `closed`). Frees its connections. */
void session_free(struct session *session);

/* After the login they name the CHAP algorithm that was used: what is made with them, another
 * connection or the session anew, offers no other. */
const struct session_settings *session_settings(const struct session *session);
/* Negotiated; the per-connection members are those of the leading connection. */
const struct key_values *session_values(const struct session *session);
uint16_t session_tsih(const struct session *session);
const char *session_target_alias(const struct session *session); /* "" when none was sent */
uint16_t session_portal_group(const struct session *session);    /* 0 before the login */
size_t session_outstanding(const struct session *session);       /* tasks not completed */
/* Of those, the ones whose connection was lost and that wait for another. */
size_t session_kept(const struct session *session);
/* Tasks of lost connections wait for another one, or may come to. */
bool session_continues(const struct session *session);
/* While no connection is there, whose connection_due and connection_tick do it: when session_tick
 * wants to be called at the latest. */
uint64_t session_due(const struct session *session);
void session_tick(struct session *session, uint64_t now);
/* At least one connection is in full feature phase and not logging out. */
bool session_usable(const struct session *session);

/*
 * --- connections ---
 *
 * The first connection that logs in leads: its login makes the session and settles what belongs to
 * the session. When it is in full feature phase, others may follow, as many as MaxConnections
 * was negotiated to: connection_new with a CID of its own, then connection_start as soon as its TCP
 * connection stands. Such a login carries the session's TSIH and negotiates digests and
 * MaxRecvDataSegmentLength alone. `logged_in` and `closed` come for each connection, with the owner
 * that was given for it. Each task runs on the connection that is least loaded when it is sent, and
 * stays there. When one connection closes, the tasks on it are completed and the session goes on
 * with the others; the leading one may go as well as any. Only when none is left that is logging in
 * or logged in, waiting tasks end too. A closed connection is freed by its owner (or with its
 * session).
 */

/* Started and not closed. */
size_t session_connections(const struct session *session);
/* The live one of this CID, or NULL. */
struct connection *session_connection(const struct session *session, uint16_t cid);
/* May one more connection be started now? OK; TOO_MANY_CONNECTIONS: MaxConnections; SESSION_BUSY:
 * the leading login is under way; NO_CONNECTION: the session logs out. */
enum status session_may_connect(const struct session *session);
/* A CID that no connection of the session has: 1 for the first. */
uint16_t session_new_cid(struct session *session);

enum connection_state {
    CONNECTION_IDLE, /* made, not started */
    CONNECTION_LOGIN,
    CONNECTION_FULL_FEATURE,
    CONNECTION_LOGOUT, /* no new tasks; the logout is sent, or will be when its tasks have ended */
    CONNECTION_CLOSED,
};

/* NULL: out of memory. `owner` is what callbacks of this connection get. */
struct connection *connection_new(struct session *session, uint16_t cid, void *owner);
/* Also takes it out of its session. */
void connection_free(struct connection *connection);

/*
 * Before the start: authentication, digest lists, MaxRecvDataSegmentLength and login timeout of
 * this connection's login where they are not the session's. The other members are not looked at,
 * but must be valid. Copied until the login is over. False: out of memory.
 */
bool connection_configure(struct connection *connection, const struct session_settings *settings);

/* The TCP connection stands: the login begins. `closed` may come from inside this call: with a
 * status of session_may_connect, or INVALID_PARAMETER when the CID is in use. */
void connection_start(struct connection *connection, uint64_t now);

/*
 * The answer to `ask`. `status` OK: `response` is the one that was asked for, or NULL where a
 * verdict was. Else the login fails with it: TARGET_AUTHENTICATION_FAILED is a verdict of "no".
 * Harmless when the connection was closed meanwhile.
 */
void connection_answer(struct connection *connection, enum status status,
                       const uint8_t response[CHAP_MD5_LENGTH], uint64_t now);

/*
 * Receiving: begin, then any number of pieces + read, then end. `look_ahead` may be shared by all
 * connections of the thread (see protocol/framer.h). connection_read returns false once the
 * connection is closed: read no more.
 */
void connection_read_begin(struct connection *connection, void *look_ahead, size_t size);
size_t connection_read_pieces(struct connection *connection, struct iov *pieces, size_t room);
bool connection_read(struct connection *connection, size_t length, uint64_t now);
void connection_read_end(struct connection *connection);

/* What the tasks sent on this connection are to bring: their number, and the bytes of data that
 * they ask for. A hint for how to receive. */
size_t connection_awaited(const struct connection *connection, uint64_t *bytes);
/* Of these tasks, how many does the target ask for data of, so that it must be answered soon? */
size_t connection_solicited(const struct connection *connection);

/* Sending: 0 pieces when there is nothing to send. */
size_t connection_write_pieces(struct connection *connection, struct iov *pieces, size_t room);
void connection_written(struct connection *connection, size_t length);

/* The TCP connection ended or failed. `closed` is called unless it was already. */
void connection_lost(struct connection *connection, enum status status);

/* When connection_tick wants to be called at the latest; INITIATOR_NEVER when nothing is due. */
uint64_t connection_due(const struct connection *connection);
void connection_tick(struct connection *connection, uint64_t now);

/*
 * Closes the connection, or the session with all of its connections. `closed` tells the end, for
 * each connection. LOGOUT_CLOSE_CONNECTION: no new task is sent on it, and the logout goes out when
 * those under way have ended, or when the time of a command has passed. LOGOUT_CLOSE_SESSION goes
 * out at once; the target terminates what is under way.
 */
void connection_logout(struct connection *connection, enum logout_reason reason, uint64_t now);
/* The same without waiting, and the request is sent on `via`, another connection of the session:
 * for one that does not answer any more. Without effect on one that is closed. */
void connection_logout_by(struct connection *connection, struct connection *via,
                          enum logout_reason reason, uint64_t now);

enum connection_state connection_state(const struct connection *connection);
uint16_t connection_cid(const struct connection *connection);
/* Negotiated, this connection's digests and segment lengths included. */
const struct key_values *connection_values(const struct connection *connection);
enum session_auth connection_auth(const struct connection *connection);
unsigned connection_chap_algorithm(const struct connection *connection); /* 0: no CHAP */
/* Seconds to wait before the session is connected anew: what the Logout Response or an async
 * message told, else DefaultTime2Wait. */
uint32_t connection_time2wait(const struct connection *connection);
/* Where the target moved to, after a MOVED status; "host[:port][,tpgt]" was understood. */
const struct portal_address *connection_redirect(const struct connection *connection);
/* One line on what went wrong ("wrong ITT in Login Response"); "" when nothing did. */
const char *connection_detail(const struct connection *connection);
void *connection_owner(const struct connection *connection);
struct session *connection_session(const struct connection *connection);

/* --- statistics --- */

/* What happened since a connection was started, or over all connections of a session. */
struct statistics {
    uint64_t bytes_sent; /* as on the wire, headers and digests included */
    uint64_t bytes_received;
    uint64_t pdus_sent;
    uint64_t pdus_received;
    uint64_t commands;       /* SCSI commands, each once */
    uint64_t data_in_bytes;  /* payload of reads */
    uint64_t data_out_bytes; /* payload of writes */
    uint64_t r2ts;
    uint64_t timeouts; /* commands that were late */
    uint64_t header_digest_errors;
    uint64_t data_digest_errors;
    uint64_t retries; /* SNACKs, commands sent again or taken over */
    uint64_t rejects;
};

void statistics_add(struct statistics *to, const struct statistics *from);
const struct statistics *connection_statistics(const struct connection *connection);
/* The sum, those included that are gone. */
void session_statistics(const struct session *session, struct statistics *out);

/* --- tasks --- */

#define TASK_CDB_MAX     260u
#define TASK_FORMER_CIDS 4u

struct task;

/* One PDU to be sent. Inside. */
#define FRAME_AHS_ROOM 28u /* a CDB of 32 bytes and the read length of a bidirectional command */
struct frame {
    struct list link;
    struct task *task;        /* whose memory `data` is in; NULL: the frame's own */
    const struct iov *pieces; /* the data segment */
    size_t skip;              /* bytes of the first piece that are not part of it */
    uint32_t length;          /* of the data segment */
    uint16_t head_length;
    uint8_t tail_length;
    uint8_t kind;
    uint8_t *head; /* the room below, or behind the frame */
    struct iov own;
    uint8_t head_room[PDU_BHS_LENGTH + FRAME_AHS_ROOM + PDU_DIGEST_LENGTH];
    uint8_t tail[3 + PDU_DIGEST_LENGTH];
};

/* A sequence of Data-Out PDUs to be sent: unsolicited data, or what an R2T asked for. Inside. */
struct burst {
    struct list link;
    struct task *task;
    uint64_t lun;
    uint32_t ttt;
    uint32_t offset;
    uint32_t length;
    uint32_t sent;
    uint32_t data_sn;
    bool used;
};

/* Which sequence numbers came. Inside. */
struct sn_window {
    uint32_t next;  /* all before came */
    uint64_t later; /* bit n: so did next + 1 + n */
};

/* In the session's list of what has a time limit. Inside. */
struct deadline {
    struct list link;
    uint64_t due;
    uint8_t kind;
};

/*
 * A SCSI command, owned by the submitter, who keeps it and its buffers alive until `done`. Nothing
 * is allocated for it (but for CDBs of more than 32 bytes), and nothing of its data is copied.
 */
struct task {
    /* Set by the submitter; zero where nothing is said. */
    uint64_t lun;
    struct scsi_cdb cdb;
    const uint8_t *long_cdb; /* the whole CDB when it is longer than 16 bytes, to TASK_CDB_MAX */
    uint16_t long_cdb_length;
    uint8_t attribute;         /* enum task_attribute */
    const struct iov *data_in; /* where a read's data go */
    size_t data_in_count;
    uint32_t data_in_length;    /* sum of the pieces: ExpectedDataTransferLength */
    const struct iov *data_out; /* a write's data; with data_in a bidirectional command */
    size_t data_out_count;
    uint32_t data_out_length;
    uint32_t timeout; /* milliseconds, 0: the session's */
    bool impatient;   /* when it is late it ends at once, and is aborted all the same */
    void (*done)(struct task *task);
    void *context;

    /* The result. */
    enum status status; /* OK: GOOD; SCSI_STATUS: scsi_status and sense tell; else no answer */
    uint8_t scsi_status;
    uint32_t transferred; /* bytes of data_in that are valid */
    bool overflow;        /* the target had (took) `residual` more bytes than asked for */
    bool underflow;       /* the target sent (took) `residual` bytes less */
    uint32_t residual;
    bool bidi_overflow; /* the same for the read of a bidirectional command */
    bool bidi_underflow;
    uint32_t bidi_residual;
    bool sent; /* the target may have seen it: without an answer, it may have been carried out */
    uint32_t pdus_sent; /* that were about this task */
    uint32_t pdus_received;
    uint64_t bytes_sent; /* as on the wire, headers and digests included */
    uint64_t bytes_received;
    uint16_t sense_length;
    uint8_t sense[SCSI_SENSE_MAX];

    /* Inside. */
    struct list link;
    struct session *session;
    struct connection *connection; /* allegiance; `done` may see where it was, NULL: never sent */
    struct deadline deadline;
    struct frame frame;
    struct burst burst;
    struct sn_window data_sn; /* of Data-In PDUs and R2Ts */
    uint32_t data_sn_end;     /* how many there are, once `answered` */
    uint32_t held_stat_sn;    /* of the status, acknowledged when the data are there */
    uint32_t snack_end;       /* those before were asked for again when they were missing */
    uint32_t acknowledged;    /* the target will not send those before again */
    uint32_t acknowledged_bytes;
    uint32_t ack_ttt; /* the target wants to know what came */
    uint64_t ack_lun;
    uint32_t itt;
    uint32_t cmd_sn;
    uint32_t requested;                     /* bytes of data_out sent unasked or asked for */
    uint16_t bursts;                        /* to be sent */
    uint16_t r2ts;                          /* of those, what R2Ts asked for */
    uint16_t frames;                        /* in the output that point to data_out */
    uint16_t lost_cid;                      /* of the connection that it was on */
    uint16_t former_cids[TASK_FORMER_CIDS]; /* and before, as long as `reassigning` */
    uint8_t former_count;
    bool reassigning; /* the target has not confirmed that it is on this connection */
    uint8_t reassignments;
    uint8_t state;
    uint8_t response; /* enum scsi_response_code */
    uint8_t snacks;
    bool acknowledge;
    bool taken_over; /* from a connection that was lost */
    bool resync;     /* the first R2T may have any number */
    bool solicited;  /* the target asks for data */
    uint8_t rescue;  /* it is late: what is done about it */
    bool answered;   /* its status is here, some of its data are not yet */
};

/* Queues the task. Its end is always told by `done`, never from inside this call. */
void session_submit(struct session *session, struct task *task, uint64_t now);
/* Ends it at once with STATUS_CANCELLED (through `done`, before this returns). When it was sent
 * already the target is told to abort it, and its late answer is recognised and dropped. */
void session_cancel(struct session *session, struct task *task);

/* --- task management --- */

/*
 * A task management function (RFC 7143, 11.5). Owned by the submitter until `done`.
 *
 * ABORT_TASK ends its task with STATUS_CANCELLED when the target has aborted it; should the task's
 * own answer come first, that counts. ABORT_TASK_SET, CLEAR_TASK_SET, LUN_RESET and the resets of
 * the target hold new commands to those units back until they are answered, and end this session's
 * tasks there with STATUS_SCSI_STATUS and TASK ABORTED.
 */
struct management {
    /* Set by the submitter. */
    uint8_t function;  /* enum task_function, not TASK_REASSIGN */
    uint64_t lun;      /* not for ABORT_TASK, nor for the resets of the target */
    struct task *task; /* ABORT_TASK: one that was sent (else: session_cancel) */
    uint32_t timeout;  /* milliseconds, 0: that of a command */
    void (*done)(struct management *management);
    void *context;

    /* The result. */
    enum status status; /* OK: `response` tells; else there was no answer */
    uint8_t response;   /* enum task_response */

    /* Inside. */
    struct list link;
    struct deadline deadline;
    struct session *session;
    struct connection *connection;
    uint32_t itt;
    uint32_t referenced_itt;
    uint32_t cmd_sn;
};

/* STATUS_OK; INVALID_PARAMETER: a function or task that cannot be; NO_CONNECTION, NO_MEMORY. Only
 * after OK `done` is called, never from inside this call. */
enum status session_manage(struct session *session, struct management *management, uint64_t now);
/* Ends it at once with STATUS_CANCELLED. What the target does is not known then. */
void session_manage_cancel(struct session *session, struct management *management);

/* --- text --- */

/*
 * A text exchange of the full feature phase, such as SendTargets; one at a time in a session.
 * Owned by the caller until `done`.
 */
struct text_exchange {
    const char *request; /* key=value pairs with their NULs, borrowed */
    size_t request_length;
    /* A piece of the answer; what it returns other than OK ends the exchange with that. */
    enum status (*piece)(struct text_exchange *exchange, const char *text, size_t length);
    void (*done)(struct text_exchange *exchange, enum status status);
    void *context;
    size_t limit;     /* bytes of answer that are accepted */
    uint32_t timeout; /* milliseconds for each piece of the answer; 0: those of a command */

    /* Inside. */
    struct connection *connection;
    uint32_t cmd_sn; /* of the last request */
    size_t received;
    uint32_t itt;
    uint64_t due;
};

/* STATUS_OK, SESSION_BUSY or NO_CONNECTION; then `done` is not called. */
enum status session_text(struct session *session, struct text_exchange *exchange, uint64_t now);

#endif
