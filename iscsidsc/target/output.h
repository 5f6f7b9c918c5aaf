/* Inside the target: shared bytes, the queue of what a connection sends, and how PDUs get into it.
 */
#ifndef TARGET_OUTPUT_H
#define TARGET_OUTPUT_H

#include "os/list.h"
#include "protocol/framer.h"

struct target_connection;
struct target_task;

/* --- buffer.c: bytes that several frames share --- */

#define TARGET_POOL_CLASSES 5u

/* Buffers that were released and wait to be used again, by size. */
struct target_pool {
    struct target_buffer *free[TARGET_POOL_CLASSES];
    uint32_t count[TARGET_POOL_CLASSES];
};

struct target_buffer {
    unsigned references;
    uint8_t pool_class;
    size_t length;
    struct target_pool *pool; /* NULL: freed when released */
    struct target_buffer *next;
    uint8_t bytes[];
};

/* Not cleared. NULL: out of memory. `pool` may be NULL. */
struct target_buffer *target_buffer_new(struct target_pool *pool, size_t length);
/* Zero-filled, for long. */
struct target_buffer *target_buffer_zeros(size_t length);
struct target_buffer *target_buffer_copy(struct target_pool *pool, const void *data, size_t length);
void target_buffer_release(struct target_buffer *buffer);
void target_pool_clear(struct target_pool *pool);

/* Blocks of one size that wait to be used again. */
struct target_stock {
    void *first;
    uint32_t count;
};

/* Zero-filled; NULL: out of memory. */
void *target_stock_take(struct target_stock *stock, size_t size);
void target_stock_put(struct target_stock *stock, void *block);
void target_stock_clear(struct target_stock *stock);

/* --- output.c: the queue --- */

struct target_frame {
    struct list link;
    uint64_t earliest; /* of one that others overtake: when it waits no longer */
    unsigned behind;   /* frames that overtake it */
    uint8_t head_length;
    uint8_t end; /* enum target_end: what follows it */
    struct frame_tail tail;
    struct iov data;
    struct target_buffer *buffer; /* that the data lie in; may be NULL */
    struct target_stock *stock;   /* that it goes back to */
    uint8_t head[PDU_BHS_LENGTH + PDU_DIGEST_LENGTH];
};

struct target_output {
    struct list frames; /* struct target_frame */
    struct list late;   /* those that others overtake */
    size_t sent;        /* of the first frame */
    size_t queued;      /* bytes */
    uint64_t earliest;  /* nothing queued from now on leaves before */
    size_t dribble;     /* bytes for each send, 0: no limit */
    uint32_t dribble_interval;
    uint64_t dribble_next;
};

void target_output_init(struct target_output *output);
void target_output_clear(struct target_output *output);
/* A frame for these data, a reference to `buffer` taken; NULL: out of memory, and the connection
 * ends. */
struct target_frame *target_frame_new(struct target_connection *connection, const void *data,
                                      size_t length, struct target_buffer *buffer);
void target_frame_free(struct target_frame *frame);
size_t target_frame_length(const struct target_frame *frame);
/* Header, digests, padding; with `bhs` that is the header. */
void target_frame_encode(const struct target_connection *connection, struct target_frame *frame,
                         const struct pdu *pdu, const uint8_t *bhs);
/* Makes one run of bytes of it, so that a fault can change or cut it. False: out of memory. */
bool target_frame_flatten(struct target_frame *frame);
void target_output_queue(struct target_connection *connection, struct target_frame *frame);
/* Nothing follows any more that could overtake. */
void target_output_hurry(struct target_connection *connection);
/* What has waited long enough to be overtaken goes. */
void target_output_tick(struct target_connection *connection);
/* When something that waits for a time may leave; OS_NEVER when nothing does. */
uint64_t target_output_due(const struct target_output *output, uint64_t now);

/* --- send.c --- */

/* Queues a PDU: sequence numbers, faults, digests. `data` must live in `buffer` (a reference is
 * taken) or, with NULL, in memory that outlives the connection; target_send_copy copies. From error
 * recovery level 1 on what takes a StatSN is kept until it is acknowledged. */
void target_send(struct target_connection *connection, struct pdu *pdu, const void *data,
                 uint32_t length, struct target_buffer *buffer);
void target_send_copy(struct target_connection *connection, struct pdu *pdu, const void *data,
                      uint32_t length);
/* The status of a task. */
void target_send_status(struct target_task *task, struct pdu *pdu, const void *data,
                        uint32_t length, struct target_buffer *buffer);
/* Once more, but for ExpCmdSN and MaxCmdSN (and StatSN of an R2T) as it was (RFC 7143, 11.16). */
void target_send_again(struct target_connection *connection, struct pdu *pdu, const void *data,
                       uint32_t length, struct target_buffer *buffer);

/* --- kept.c: what took a StatSN and is not acknowledged --- */

struct target_kept {
    struct list link;
    struct target_task *task; /* whose status it is; may be NULL */
    struct pdu pdu;
    const void *data;
    uint32_t length;
    struct target_buffer *buffer;
};

/* False: out of memory. */
bool target_keep(struct target_connection *connection, const struct pdu *pdu, const void *data,
                 uint32_t length, struct target_buffer *buffer, struct target_task *task);
/* The task's status is another one now (RFC 7143, 11.16.3). */
void target_keep_instead(struct target_task *task, const struct pdu *pdu, const void *data,
                         uint32_t length, struct target_buffer *buffer);
uint32_t target_kept_stat_sn(const struct target_kept *kept);
struct target_kept *target_kept_find(struct target_connection *connection, uint32_t stat_sn);
/* The initiator has all below `exp_stat_sn`; tasks answered by them are over. */
void target_acknowledge(struct target_connection *connection, uint32_t exp_stat_sn);
/* Forgets everything that is kept, but for the tasks. */
void target_kept_clear(struct target_connection *connection);

#endif
