/* Shared by the files of the target; nobody else includes it. */
#ifndef TARGET_INTERNAL_H
#define TARGET_INTERNAL_H

#include "os/list.h"
#include "os/memory.h"
#include "target/connection.h"
#include "target/fault.h"

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
/* For chap_receive: the context is the struct target_access. */
bool target_access_find(void *context, const char *name, struct chap_credentials *credentials);

/* --- disk.c --- */

struct target_disk {
    uint8_t *memory; /* NULL: a file */
    struct os_storage *file;
    uint64_t blocks;
    uint32_t block_length;
    bool read_only;
};

bool target_disk_read(struct target_disk *disk, uint64_t offset, void *out, size_t length);
bool target_disk_write(struct target_disk *disk, uint64_t offset, const void *data, size_t length);
bool target_disk_flush(struct target_disk *disk);

/* --- scsi.c, inquiry.c --- */

#define TARGET_TRANSFER_MAX (16u << 20) /* bytes of one command */

/* One command: set up to `data_out_length`, then executed. */
struct target_scsi {
    const struct target *target;
    int64_t lun; /* -1: a format we do not have */
    const uint8_t *cdb;
    uint32_t expected_length; /* no more data-in is made */
    const uint8_t *data_out;
    uint32_t data_out_length;

    uint8_t status;
    uint8_t sense_length;
    uint8_t sense[18];
    uint64_t data_length;         /* what the command would send without a limit */
    const uint8_t *data;          /* borrowed, or in `buffer` */
    struct target_buffer *buffer; /* to be released */
};

/* How many bytes the command takes from the initiator. */
uint32_t target_scsi_takes(const struct target *target, int64_t lun, const uint8_t *cdb);
void target_scsi_execute(struct target_scsi *scsi);
void target_scsi_fail(struct target_scsi *scsi, uint8_t key, uint16_t asc);
/* Small answers: copies, cut to the allocation length. */
void target_scsi_answer(struct target_scsi *scsi, const uint8_t *data, size_t length,
                        uint32_t allocation);
void target_scsi_inquiry(struct target_scsi *scsi, struct target_disk *disk);
void target_scsi_mode_sense(struct target_scsi *scsi, struct target_disk *disk);
void target_scsi_report_luns(struct target_scsi *scsi);

/* --- output.c --- */

/* Bytes that several frames share. */
struct target_buffer {
    unsigned references;
    size_t length;
    uint8_t bytes[];
};
struct target_buffer *target_buffer_new(size_t length); /* not cleared */
void target_buffer_release(struct target_buffer *buffer);

struct target_output {
    struct list frames; /* struct frame of output.c */
    size_t sent;        /* of the first frame */
    size_t queued;      /* bytes */
    uint64_t earliest;  /* nothing queued from now on leaves before */
    size_t dribble;     /* bytes for each send, 0: no limit */
    uint32_t dribble_interval;
    uint64_t dribble_next;
};

void target_output_init(struct target_output *output);
void target_output_clear(struct target_output *output);

/* Queues a PDU: sequence numbers, faults, digests. `data` must live in `buffer` (a reference is
 * taken) or, with NULL, in memory that outlives the connection; target_send_copy copies. */
void target_send(struct target_connection *connection, struct pdu *pdu, const void *data,
                 uint32_t length, struct target_buffer *buffer);
void target_send_copy(struct target_connection *connection, struct pdu *pdu, const void *data,
                      uint32_t length);
/* When something that waits for a time may leave; OS_NEVER when nothing does. */
uint64_t target_output_due(const struct target_output *output, uint64_t now);

/* --- sessions: session.c --- */

struct target_session {
    struct list link;
    struct target_entity *entity;
    struct target *target; /* NULL: discovery */
    char *initiator;
    uint8_t isid[PDU_ISID_LENGTH];
    uint16_t tsih;
    uint16_t group; /* portal group it came in through */
    struct list connections;
    struct list tasks; /* received, not answered */
    struct list held;  /* requests ahead of their turn */
    uint32_t exp_cmd_sn;
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
uint32_t target_session_max_cmd_sn(const struct target_session *session);
uint32_t target_session_ttt(struct target_session *session);

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
    uint16_t group;
    uint16_t cid;
    uint8_t state; /* enum target_connection_state */
    uint8_t end;   /* enum target_end */
    bool reading;  /* inside read_begin and read_end */
    uint32_t stat_sn;
    uint32_t login_cmd_sn;
    struct key_values values;
    struct framer framer;
    uint8_t bhs[PDU_BHS_LENGTH]; /* of the PDU under way */
    struct target_output output;
    struct target_text text;
    struct target_buffer *incoming; /* data segment of the PDU under way */
    struct target_task *incoming_task;
    struct iov incoming_piece;
    uint32_t fault_memory[4];
};

void target_connection_end(struct target_connection *connection, enum target_end end);
/* Sends a Reject with the header of the PDU under way. */
void target_reject(struct target_connection *connection, enum reject_reason reason);

/* --- login.c --- */

struct target_login *target_login_new(struct target_connection *connection);
void target_login_free(struct target_login *login);
bool target_login_discovery(const struct target_login *login);
/* The target goes away. */
void target_login_forget(struct target_connection *connection, const struct target *target);
void target_login_request(struct target_connection *connection, const struct pdu *pdu,
                          const char *text, size_t length);

/* --- text.c --- */

void target_text_request(struct target_connection *connection, const struct pdu *pdu,
                         const char *text, size_t length);
void target_text_reset(struct target_connection *connection);

/* --- task.c (commands and their answers), data_out.c --- */

#define TARGET_R2T_MAX 8u

struct target_r2t {
    uint32_t ttt;
    uint32_t offset;
    uint32_t length; /* 0: free */
    uint32_t received;
    uint32_t data_sn;
};

struct target_task {
    struct list link; /* session->tasks */
    struct target_session *session;
    struct target_connection *connection;
    struct pdu pdu;
    bool started;     /* its turn has come */
    bool unsolicited; /* unsolicited data are still to come */
    uint32_t takes;   /* bytes wanted from the initiator */
    uint32_t received;
    uint32_t asked; /* bytes sent unsolicited or asked for by R2T */
    uint32_t unsolicited_data_sn;
    uint32_t data_sn; /* of Data-In and R2T */
    struct target_r2t r2ts[TARGET_R2T_MAX];
    uint16_t failure; /* ASC and ASCQ of an ABORTED COMMAND; 0: fine */
    uint8_t *data;    /* `takes` bytes */
};

/* At the header of a command; NULL: out of memory. */
struct target_task *target_task_new(struct target_connection *connection, const struct pdu *pdu);
void target_task_free(struct target_task *task);
void target_task_start(struct target_task *task);
/* Where the data of a Data-Out belong; NULL when nowhere (then it is rejected or dropped). */
struct target_task *target_data_out_task(struct target_connection *connection,
                                         const struct pdu *pdu);
void target_data_out(struct target_connection *connection, struct target_task *task,
                     const struct pdu *pdu, bool intact);
void target_task_request_data(struct target_task *task);
void target_task_execute(struct target_task *task);

/* --- control.c, management.c --- */

void target_task_management(struct target_connection *connection, const struct pdu *pdu);
void target_nop_out(struct target_connection *connection, const struct pdu *pdu,
                    struct target_buffer *data);
void target_logout(struct target_connection *connection, const struct pdu *pdu);

#endif
