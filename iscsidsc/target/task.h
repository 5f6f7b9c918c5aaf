/* Inside the target: SCSI commands from request to acknowledged status, and their data both ways.
 */
#ifndef TARGET_TASK_H
#define TARGET_TASK_H

#include "target/disk.h"
#include "target/output.h"
#include "target/target.h"

struct target_session;

/* --- ranges.c: which bytes of a transfer are still missing --- */

struct target_range {
    uint32_t begin;
    uint32_t end;
};

/* In increasing order, apart from each other. */
struct target_ranges {
    struct target_range own[2];
    struct target_range *more; /* holds all when they are more than two */
    uint32_t count;
    uint32_t room; /* of `more` */
};

void target_ranges_init(struct target_ranges *ranges, uint32_t begin, uint32_t end);
void target_ranges_clear(struct target_ranges *ranges);
/* Is all of it missing? */
bool target_ranges_has(const struct target_ranges *ranges, uint32_t begin, uint32_t end);
/* Takes out what target_ranges_has found. False: no room for the pieces that remain. */
bool target_ranges_take(struct target_ranges *ranges, uint32_t begin, uint32_t end);
/* The first missing piece between `begin` and `end`. */
bool target_ranges_first(const struct target_ranges *ranges, uint32_t begin, uint32_t end,
                         struct target_range *out);

/* --- plan.c: how the data of a read are cut into Data-In PDUs --- */

struct target_plan {
    uint32_t first_sn; /* DataSN of the first */
    uint32_t base;     /* offset of the data that are planned */
    uint32_t length;
    uint32_t segment;       /* bytes of a PDU */
    uint32_t burst;         /* bytes of a sequence */
    uint32_t count;         /* PDUs */
    uint32_t short_at;      /* place of the last, shorter sequence in the order of sending */
    uint8_t sequence_order; /* enum target_order */
    uint8_t pdu_order;
    uint32_t seed;
};

struct target_piece {
    uint32_t offset;
    uint32_t length;
    bool final; /* the last of its sequence */
};

/* The `index`th of `count` in that order. */
uint32_t target_order_at(enum target_order order, uint32_t seed, uint32_t count, uint32_t index);
/* Completes a plan in which all but count and short_at are set. */
void target_plan_make(struct target_plan *plan);
struct target_piece target_plan_piece(const struct target_plan *plan, uint32_t index);

/* --- tasks --- */

#define TARGET_R2T_MAX      8u
#define TARGET_RECOVERY_MAX 64u /* recovery R2Ts of a task: then it fails */
#define TARGET_CDB_MAX      32u /* of those that some command has */

enum target_task_state {
    TARGET_TASK_RECEIVED, /* waits for its turn by CmdSN */
    TARGET_TASK_DATA,     /* data are coming in */
    TARGET_TASK_ANSWERED, /* kept until the status is acknowledged */
};

/* Data-Out PDUs under one Target Transfer Tag. */
struct target_sequence {
    bool open;
    uint32_t ttt;
    uint32_t r2t_sn;
    uint32_t offset; /* where what is asked begins */
    uint32_t length;
    uint32_t end;     /* what is missing up to here is asked for again under this one */
    uint32_t next;    /* the highest byte that came, plus one */
    uint32_t data_sn; /* of the next PDU */
};

/* An R2T that was given up for another, and that the initiator may never have seen. */
struct target_old_r2t {
    uint32_t ttt;
    uint32_t r2t_sn;
    uint32_t offset;
    uint32_t length; /* 0: none */
};

struct target_task {
    struct list link;   /* session->tasks */
    struct list by_tag; /* session->tags */
    struct target_session *session;
    struct target_connection *connection; /* allegiance; NULL: lost, may be reassigned */
    uint16_t cid;                         /* of that connection, also when it is lost */
    uint8_t state;                        /* enum target_task_state */
    bool crowded;                         /* there was no room for its data */
    bool aborting;                        /* by task management: it ends without an answer */
    bool in_window;                       /* holds a place of the command window */
    struct pdu pdu;
    uint8_t cdb[TARGET_CDB_MAX];
    uint32_t in_expected; /* bytes that the initiator expects */
    uint32_t out_expected;

    /* Data-Out */
    uint32_t takes;     /* bytes wanted from the initiator */
    uint32_t solicited; /* offset from which on they are asked for by R2T */
    uint32_t bursts;    /* how many of those R2Ts have been sent, recovery apart */
    struct target_ranges missing;
    struct target_sequence unsolicited;
    struct target_sequence r2ts[TARGET_R2T_MAX];
    struct target_old_r2t old_r2ts[TARGET_R2T_MAX];
    uint32_t old_count;
    struct target_buffer *data_out;
    uint64_t heard;      /* when Data-Out came last */
    uint16_t failure;    /* ASC and ASCQ of an ABORTED COMMAND; 0: fine */
    uint16_t recoveries; /* recovery R2Ts sent */
    bool refused;        /* by a fault: not run, `scsi` and `response` are the answer */
    uint8_t response;    /* enum scsi_response_code */

    /* Data-In and status */
    uint32_t data_sn;      /* of the next R2T or Data-In */
    uint32_t acknowledged; /* R2TSN and DataSN below are */
    struct target_scsi scsi;
    struct target_plan plan;
    bool collapsed;     /* the status is in the last Data-In */
    uint32_t stat_sn;   /* of the status */
    uint32_t ack_ttt;   /* that asks for DataACK; PDU_RESERVED_TAG: none */
    uint32_t snack_tag; /* of the last R-Data SNACK; 0: none */
    struct target_kept *kept;
};

/* --- task.c --- */

/* At the header of a command. NULL: out of memory, or `*malformed` additional headers. */
struct target_task *target_task_new(struct target_connection *connection, const struct pdu *pdu,
                                    const uint8_t *ahs, bool *malformed);
void target_task_free(struct target_task *task);
/* A fault has changed the request. Room and lengths stay as they were. */
void target_task_change(struct target_task *task, const struct pdu *pdu);
/* Into the lists of its session. */
void target_task_join(struct target_task *task);
/* NULL when there is none; the newest when an answered one has the same tag. */
struct target_task *target_task_find(struct target_session *session, uint32_t itt);
void target_task_start(struct target_task *task);
/* All data are there: runs the command and answers. */
void target_task_execute(struct target_task *task);
/* Who expects data is told how much it got wrong: the residuals of a SCSI Response. */
void target_task_response(const struct target_task *task, struct pdu *pdu);
void target_task_send_response(struct target_task *task);
/* May the status ride on its last Data-In? */
bool target_task_collapses(const struct target_task *task);
/* Is the task of a session that recovers within commands (level 1 and above)? */
bool target_task_recovers(const struct target_task *task);

/* --- data_in.c --- */

/* Plans all data from `base` on, the first PDU with number `first_sn`. */
void target_data_in_plan(struct target_task *task, uint32_t base, uint32_t first_sn);
/* Sends the planned PDUs from number `data_sn` on, and the status with the last when collapsed. */
void target_data_in_send(struct target_task *task, uint32_t data_sn);
/* Plans anew what is not acknowledged, for the segments that the initiator takes now. */
void target_data_in_plan_rest(struct target_task *task);
/* One of them once more. */
void target_data_in_again(struct target_task *task, uint32_t data_sn);

/* --- data_out.c --- */

/* Where the data of a Data-Out belong; NULL when nowhere. `*usable`: the task's buffer takes them.
 */
struct target_task *target_data_out_task(struct target_connection *connection,
                                         const struct pdu *pdu, bool *usable);
void target_data_out(struct target_connection *connection, struct target_task *task,
                     const struct pdu *pdu, bool intact, bool usable);
/* Asks for what is missing, or runs the command when it has all. */
void target_task_request_data(struct target_task *task);
/* Has the R2T of that number been sent, and not been answered? */
bool target_r2t_is_open(const struct target_task *task, uint32_t r2t_sn);
/* Sends it once more. */
void target_r2t_again(struct target_task *task, uint32_t r2t_sn);
/* Everything asked for is asked for anew, on another connection. */
void target_task_restart_data(struct target_task *task);
/* Data that have not come for settings.recovery_timeout are asked for again. */
void target_data_out_tick(struct target_connection *connection);

/* --- snack.c, recovery.c --- */

void target_snack(struct target_connection *connection, const struct pdu *pdu);
/* Puts the task on that connection, and goes on with it (RFC 7143, 7.2.2). */
void target_task_resume(struct target_task *task, struct target_connection *connection,
                        uint32_t exp_data_sn);

#endif
