/* Shared by the files of the initiator; nobody else includes it. */
#ifndef INITIATOR_INTERNAL_H
#define INITIATOR_INTERNAL_H

#include "initiator/initiator.h"
#include "protocol/framer.h"

/* --- initiator task tags --- */

enum slot_kind {
    SLOT_FREE,
    SLOT_TASK,
    SLOT_TEXT,
    SLOT_LOGOUT,
    SLOT_MANAGEMENT,
    SLOT_RECOVERY,  /* the logout of a lost connection */
    SLOT_REASSIGN,  /* its object is the ITT of the task */
    SLOT_ABORT,     /* its object is the ITT of the task */
    SLOT_ABANDONED, /* cancelled after it was sent: a late answer is expected and dropped */
};

/* An ITT is a slot's index and, in its upper half, how often the slot was used: a late answer
 * can never be taken for that of a newer request. */
struct slot {
    void *object;
    struct connection *connection; /* allegiance */
    uint16_t generation;
    uint16_t next_free;
    uint8_t kind;
    bool counted;    /* what was abandoned has a CmdSN that the target may not have seen */
    uint32_t cmd_sn; /* that one */
};

struct tag_table {
    struct slot *slots;
    uint16_t count;
    uint16_t first_free; /* TAG_NONE: none */
};

#define TAG_NONE 0xffffu

/* PDU_RESERVED_TAG when out of memory or of tags. */
uint32_t tag_take(struct tag_table *table, enum slot_kind kind, void *object,
                  struct connection *connection);
/* NULL for a tag that is not in use. */
struct slot *tag_find(struct tag_table *table, uint32_t itt);
void tag_release(struct tag_table *table, uint32_t itt);
/* It is abandoned: a late answer is dropped. */
void tag_abandon(struct tag_table *table, uint32_t itt, uint32_t cmd_sn);
/* No answers can come any more on a connection that is gone. */
void tags_release_of(struct tag_table *table, const struct connection *connection);
void tag_table_clear(struct tag_table *table);
/* The object goes away before its answer comes. */
void tags_forget(struct tag_table *table, const void *object);

/* --- pool.c --- */

/* Objects that are used again: nothing is allocated in the steady state. Each begins with a struct
 * list. */
struct pool {
    struct list free;
    size_t size; /* of an object */
};

void pool_init(struct pool *pool, size_t size);
void *pool_take(struct pool *pool); /* NULL: out of memory; not cleared */
void pool_give(struct pool *pool, void *object);
void pool_trim(struct pool *pool);
/* A task has ended: a session that then does nothing for a while gives the memory back. */
void pools_rest(struct session *session, uint64_t now);
void pools_tick(struct session *session, uint64_t now);

/* --- sessions and connections --- */

struct login;
struct texts;

struct session {
    struct session_settings settings;
    struct texts *texts; /* what the settings point to */
    const struct chap_crypto *crypto;
    const struct session_callbacks *callbacks;
    void *owner;
    struct list connections;
    struct key_values values;
    char *target_alias; /* NULL when none was sent */
    uint16_t tsih;
    uint16_t portal_group;

    uint32_t cmd_sn;     /* of the next command */
    uint32_t exp_cmd_sn; /* the target's */
    uint32_t max_cmd_sn;
    struct tag_table tags;
    struct list waiting; /* tasks without a CmdSN: the window is closed */
    struct list active;  /* tasks sent */
    size_t outstanding;
    struct list managements;
    struct list deadlines;  /* in their order */
    uint64_t next_due;      /* nothing is due before */
    struct statistics gone; /* of connections that were freed */
    struct pool frames;
    struct pool bursts;
    uint64_t trim_due; /* then the pools of an idle session are emptied */
    struct text_exchange *text;
    bool lost;          /* a connection was, since the last tick */
    uint32_t time2wait; /* milliseconds */
    uint32_t time2retain;
    struct list kept;             /* tasks whose connection was lost */
    struct list holes;            /* in CmdSN, to be closed on the next connection */
    uint64_t kept_until;          /* INITIATOR_NEVER: no connection was lost */
    uint64_t recover_at;          /* Time2Wait is over */
    struct connection *recoverer; /* the logout of the lost connection was sent on it */
    uint16_t recovered_cid;
    bool broken;               /* a hole in CmdSN will stay: nothing is kept */
    bool failing;              /* it is being given up: nothing is kept */
    struct connection *logout; /* the one that the session's logout was sent on */
    uint16_t last_cid;         /* given by session_new_cid */
};

struct connection {
    struct list link;
    struct session *session;
    void *owner;
    uint16_t cid;
    uint8_t state;          /* enum connection_state */
    uint8_t auth;           /* enum session_auth, what was really done */
    uint8_t chap_algorithm; /* 0 without CHAP */
    bool stat_sn_known;
    bool closing;          /* inside connection_close */
    bool draining;         /* no new tasks; the logout is sent when the last one has ended */
    uint8_t logout_reason; /* enum logout_reason */
    bool times_told;
    uint16_t time2wait;
    uint16_t time2retain;
    struct sn_window stat_sn;
    uint32_t stat_sn_end; /* statuses before it came, or were dropped as too far ahead */
    struct key_values values;
    struct framer framer;
    struct login *login;          /* during the login only */
    uint64_t due;                 /* of the login or logout under way */
    struct session_settings *own; /* until the login is over; NULL: the session's */
    struct texts *own_texts;
    uint64_t heard;  /* when bytes came last */
    uint64_t pinged; /* when a sign of life was asked for; 0: never */
    uint64_t now;    /* of the call into the core under way */

    size_t tasks;     /* outstanding on this connection */
    size_t solicited; /* of those, the ones that the target asks for data of */
    uint64_t awaited; /* bytes that the reads among them ask for */
    uint64_t load;    /* what they cost, to choose the connection of the next one by */

    struct list output; /* frames */
    size_t output_sent; /* bytes of the first frame that are gone */
    size_t output_count;
    size_t pooled;      /* of those, Data-Out frames */
    struct list bursts; /* data that become frames when there is room in the output */

    uint8_t *segment; /* data segment of anything but Data-In */
    size_t segment_room;
    struct iov segment_piece;
    struct task *receiving; /* whose Data-In is half received */

    struct statistics statistics;
    struct portal_address *redirect;
    char detail[96];
};

/* --- connection.c --- */

/* Ends the connection: completes what it carried, tells the owner. Harmless when closed. */
void connection_close(struct connection *connection, enum status status);
/* The same after writing down what went wrong. */
void connection_fail(struct connection *connection, enum status status, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));

void connection_note_times(struct connection *connection, uint16_t time2wait, uint16_t time2retain);
/* Seconds after that in which its tasks can be taken by another connection. */
uint32_t connection_time2retain(const struct connection *connection);
/* The settings of this connection's login. */
const struct session_settings *connection_settings(const struct connection *connection);

/* --- statistics.c --- */

/* --- settings.c --- */

/* NULL: out of memory. `to` points into what is returned. */
struct texts *settings_keep(struct session_settings *to, const struct session_settings *from);
void settings_forget(struct texts *texts);

/* --- output.c --- */

enum frame_kind {
    FRAME_EMBEDDED, /* in its task */
    FRAME_POOLED,
    FRAME_ALLOCATED,
};

/* Queues a PDU with a copy of `data`. False: out of memory or too many wait; the connection is
 * closed. */
bool output_send(struct connection *connection, const struct pdu *pdu, const void *data,
                 size_t length);
/* Queues a frame with `length` bytes of the pieces, from `skip` bytes into them on, for the task
 * that owns them. `ahs` is pdu->ahs_length bytes, for which frame->head has room. */
uint32_t output_frame(struct connection *connection, struct frame *frame, const struct pdu *pdu,
                      const uint8_t *ahs);
void frame_set_data(struct frame *frame, struct task *task, uint32_t skip, uint32_t length);
/* NULL: out of memory. */
struct frame *frame_new(size_t head_length);
/* One that was not queued. */
void frame_free(struct frame *frame);
/* Queues data that become frames when there is room. */
void output_burst(struct connection *connection, struct burst *burst);
/* The task's memory goes away: nothing of it is sent any more, but for the rest of a PDU whose
 * sending has begun, which is copied. True: its command has not left, and its CmdSN is used for a
 * NOP-Out with its ITT. */
bool output_forget(struct connection *connection, struct task *task);
void output_clear(struct connection *connection);

/* --- login.c --- */

void login_start(struct connection *connection);
void login_receive(struct connection *connection);
void login_free(struct connection *connection);

/* --- login_status.c --- */

enum status login_status(uint8_t class, uint8_t detail);

/* --- receive.c --- */

/* A header is there: where shall its data go? */
void receive_header(struct connection *connection);
/* A whole PDU is there. */
void receive_pdu(struct connection *connection);

/* --- sequence.c --- */

enum sn_order {
    SN_NEXT,
    SN_EARLY, /* one or more before it are missing */
    SN_SEEN,  /* it came before */
    SN_FAR,   /* too many are missing */
};

enum sn_order sn_take(struct sn_window *window, uint32_t sn);
bool sn_came(const struct sn_window *window, uint32_t sn);
/* Behind the last one that came. */
uint32_t sn_end(const struct sn_window *window);

void window_update(struct session *session, const struct pdu_sequence *sn);
/* A numbered response: false when it must be ignored or the connection was closed over it. */
bool stat_sn_accept(struct connection *connection, uint32_t stat_sn);

/* --- deadline.c --- */

enum deadline_kind { DEADLINE_TASK, DEADLINE_MANAGEMENT };

void deadline_set(struct session *session, struct deadline *deadline, uint64_t due);
void deadline_clear(struct deadline *deadline);
/* Ends what is late. */
void deadlines_tick(struct session *session, uint64_t now);

/* --- task.c --- */

enum task_state { TASK_IDLE, TASK_WAITING, TASK_ACTIVE, TASK_KEPT };

/* The least loaded connection in full feature phase, or NULL. */
struct connection *usable_connection(const struct session *session);
/* Does it have a connection that carries tasks, or will? */
bool session_hopeful(const struct session *session);
/* Sends what the command window lets through. */
void tasks_pump(struct session *session);
void task_finish(struct task *task, enum status status);
/* The same for one that the target may still work on. */
void task_give_up(struct task *task, enum status status);
/* The same without telling the target: it has ended the task already. */
void task_end_quietly(struct task *task, enum status status);
void tasks_fail(struct connection *connection, enum status status);
void tasks_fail_waiting(struct session *session, enum status status);
void task_bind(struct task *task, struct connection *connection);
void task_unbind(struct task *task);
/* Whose PDU the connection has just received. NULL: nobody wants it, or the connection was closed
 * over it. */
struct task *task_addressed(struct connection *connection);
/* A tag that nothing will be answered to any more. */
void tag_release_abandoned(struct connection *connection, uint32_t itt);

/* --- recover.c --- */

/* The command with this CmdSN will never be sent (again). */
void recover_hole(struct session *session, uint32_t cmd_sn);
/* A connection was lost, and another one will take what it carried. */
bool recover_expected(const struct session *session);
/* Shall what this connection carries be kept, which ends for that reason? */
bool recover_wanted(const struct connection *connection, enum status status);
void recover_keep(struct connection *connection);
void recover_keep_task(struct task *task);
/* Those of that connection; NULL: all. */
void recover_fail_kept(struct session *session, const uint16_t *cid);
/* Logs the next lost connection out. */
void recover_go_on(struct session *session);
void recover_logged_in(struct connection *connection);
/* The answer to the logout of a lost connection / to TASK REASSIGN. */
void recover_logged_out(struct session *session, uint8_t response);
void recover_reassigned(struct connection *connection, uint32_t itt, uint8_t response);
void recover_rejected(struct connection *connection, uint32_t itt);
/* Sends a command again that the target has discarded. False: it has been tried too often. */
bool task_retry(struct connection *connection, struct task *task);
void recover_lost(struct connection *connection);
void recover_forget(struct session *session);

/* --- fence.c --- */

/* Below level 2: what a lost connection carried is not taken over, but must not be carried out late
 * either. */
bool fence_needed(const struct session *session);
/* The connection is closed. `carried`: it was in full feature phase. */
void fence_lost(struct connection *connection, enum status status, bool carried);

/* --- rescue.c --- */

/* Its time is over. */
void task_late(struct task *task, uint64_t now);
/* What was done about a late task did not help. */
void rescue_go_on(struct task *task, uint64_t now);
/* Nor did the reset of this unit. */
void rescue_session(struct session *session, uint64_t lun);
/* Closes all connections. */
void session_give_up(struct session *session, const char *detail);

/* --- manage.c --- */

/* Must new commands to the unit wait? */
bool manage_holds(const struct session *session, uint64_t lun);
/* Asks for an abort that nobody waits for. False: that is not possible. */
bool manage_abort(struct connection *connection, const struct task *task);
void manage_late(struct management *management);
/* Those on this connection, or all. */
void managements_fail(struct session *session, const struct connection *connection,
                      enum status status);
void manage_rejected(struct management *management);
void manage_response(struct connection *connection);

/* --- alive.c --- */

void alive_start(struct connection *connection);
void alive_tick(struct connection *connection);

/* --- write.c --- */

/* NULL: out of memory. */
struct frame *task_command_frame(struct task *task);
void task_send_command(struct connection *connection, struct task *task, struct frame *frame);
/* How much of its data goes out unasked. */
uint32_t task_unsolicited(const struct connection *connection, const struct task *task);
void task_r2t(struct connection *connection);
/* Makes the next Data-Out PDU and puts it into the output. False: there is none. */
bool task_next_data_out(struct connection *connection);
/* Forgets the data that were to be sent. */
void task_drop_bursts(struct task *task);
void bursts_clear(struct connection *connection);

/* --- read.c --- */

void task_data_in_header(struct connection *connection);
void task_data_in(struct connection *connection);
/* The PDU that is being received is about the task. */
void task_count_received(const struct connection *connection, struct task *task);
void task_response(struct connection *connection);

/* --- snack.c --- */

void snack_status(struct connection *connection, uint32_t begin, uint32_t count);
/* `count` 0: all from `begin` on. */
void snack_data(struct connection *connection, struct task *task, uint32_t begin, uint32_t count);
/* Those before `end` that did not come and were not asked for already. */
void snack_missing(struct connection *connection, struct task *task, uint32_t end);
void snack_acknowledge(struct connection *connection, struct task *task);
/* The data digest of the PDU just received is wrong. */
void snack_damaged(struct connection *connection);

/* --- text.c --- */

void text_response(struct connection *connection);
void text_finish(struct session *session, enum status status);
/* With the connection that it is on. */
void text_fail(struct connection *connection, enum status status);

/* --- control.c --- */

void control_nop_in(struct connection *connection);
void control_async(struct connection *connection);
void control_reject(struct connection *connection);

/* --- logout.c --- */

void logout_response(struct connection *connection);
void logout_rejected(struct connection *connection, uint32_t itt);
/* The target wants this connection to be logged out within so many seconds. */
void logout_requested(struct connection *connection, uint16_t seconds);
/* A task of the connection has ended: the logout may be sent. */
void logout_drained(struct connection *connection);
/* Its time is over. */
void logout_tick(struct connection *connection);

#endif
