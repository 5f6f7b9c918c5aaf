/*
 * Input and output on logical units, asynchronous: a struct io is submitted, carried to its unit
 * through every loss of a connection, and ends once. Everything on the engine's thread, but for
 * what io_thread.c has for others. What is tried again, and when: docs/data-path.md.
 */
#ifndef ENGINE_IO_H
#define ENGINE_IO_H

#include "engine/volume.h"

enum io_kind {
    IO_COMMAND, /* the caller's CDB */
    IO_READ,
    IO_WRITE,
    IO_FLUSH,             /* all blocks: what was written lasts */
    IO_DISCARD,           /* the blocks are not needed any more */
    IO_WRITE_ZEROES,      /* without data */
    IO_COMPARE_AND_WRITE, /* data: what is to be found, then what is to be written */
};

/*
 * Owned by the submitter, who keeps it and its buffers until `done`. Nothing is allocated for it
 * and nothing of its data is copied. What is larger than one command may be is sent as several, one
 * after the other.
 */
struct io {
    /* Set by the submitter; zero where nothing is said. */
    struct volume *volume;          /* held by the submitter: whichever of its paths */
    struct engine_session *session; /* without a volume: that session alone, */
    uint64_t lun;                   /* and the unit with this LUN field; IO_COMMAND only */
    enum io_kind kind;
    uint64_t lba;
    uint64_t blocks;    /* not of IO_FLUSH and IO_COMMAND; of COMPARE AND WRITE to be written */
    struct iov *pieces; /* of the data; changed meanwhile, and as they were in the end */
    size_t piece_count;
    bool force_unit_access; /* IO_WRITE, IO_COMPARE_AND_WRITE: it lasts when it ends */
    /*
     * It may be carried out twice: nobody else writes the blocks, and the submitter does not before
     * `done`. Without this, what changes something is sent again only when it never left this
     * machine, and else ends with OUTCOME_UNKNOWN. Not for COMPARE AND WRITE.
     */
    bool repeatable;
    /* IO_WRITE_ZEROES: the unit need not keep blocks for them. It is as it pleases, but they are
     * zeros.
     */
    bool may_unmap;
    struct scsi_cdb cdb; /* IO_COMMAND, with so many bytes of data: */
    uint32_t in_length;
    uint32_t out_length;
    /* Milliseconds for the target to answer a command; 0: DeviceTimeout. A command that is late is
     * aborted, then its unit is reset, then the session is made anew, and then it is tried again.
     */
    uint32_t timeout;
    /* Ends when this time has come, come what may (an os_now time, 0: none), and its command is
     * aborted behind its back. */
    uint64_t deadline;
    void (*done)(struct io *io);
    void *context;

    /*
     * The result. OK; SCSI_STATUS: task.scsi_status and sense tell; OUTCOME_UNKNOWN, and `cause`
     * tells what happened; NO_CONNECTION, COMMAND_TIMEOUT and the like: it was not carried out, or
     * changes nothing; CANCELLED: by io_cancel. At once: INVALID_PARAMETER (what is set makes no
     * sense), OUT_OF_RANGE, WRITE_PROTECTED, NOT_SUPPORTED (the unit cannot do it), NO_CONNECTION
     * (no path, and none to come), NO_MEMORY.
     */
    enum status status;
    enum status cause;
    uint64_t finished; /* blocks at the begin that were carried out, whatever became of the rest */
    struct task task;

    /* Inside. */
    struct engine *engine;
    struct list link; /* of its session: sent, or bound to it; else of its volume, or ended */
    struct os_timer timer;
    struct path *path;  /* that it is on */
    struct path *avoid; /* that it was last lost on */
    struct iov *cut;    /* the piece that was changed for the part under way, as it was: */
    struct iov whole;
    struct iov own; /* data of our making */
    uint64_t part;  /* blocks of the command under way */
    uint64_t sent;  /* when it was */
    uint8_t unmap[SCSI_UNMAP_ONE];
    uint8_t state;
    uint8_t losses;
    uint8_t refused;       /* of these, with an answer that does not help */
    uint8_t busy;          /* times the target was */
    uint8_t attentions;    /* unit attentions seen */
    uint32_t block_length; /* of the volume when it was submitted */
    bool unforced;         /* a part was written without the FUA that was asked for */
    bool flushes;          /* the flush behind a write whose unit does not know FUA */
    bool uncertain;        /* a try that was lost may have changed something */
    bool cancelled;
    struct io *next; /* of those that other threads have posted */
};

/* `done` is never called from inside. */
void io_submit(struct io *io);
/* Ends it at once, with CANCELLED, from inside. Whether it was carried out is not known. Without
 * effect on one that has ended. */
void io_cancel(struct io *io);

/* --- for other threads (io_thread.c) --- */

/* Submits it on the engine's thread, where `done` is called, too. Those that come while others
 * still wait for the thread cost nothing more. */
void io_post(struct engine *engine, struct io *io);
/* Submits all, and returns when all have ended. Their `done` and `context` are used. Not on the
 * engine's thread. False: out of memory, and nothing was done. */
bool io_run(struct engine *engine, struct io *ios, size_t count);

/* --- for the engine's own files --- */

void io_base_init(struct engine *engine);
void io_thread_init(struct engine *engine);
/* The session is gone / has lost its connections / has one that carries commands. */
void engine_ios_over(struct engine_session *session);
void engine_ios_hold(struct engine_session *session);
void engine_ios_resume(struct engine_session *session);
/* The target still has what is under way, but no connection. What may be carried out twice goes to
 * other paths, where there are any. */
void engine_ios_move(struct engine_session *session);
/* It has not: all is lost. */
void engine_ios_abandon(struct engine_session *session);
/* Between these nothing ends from inside: it does in a round of its own. */
void io_defer(struct engine *engine);
void io_undefer(struct engine *engine);
/* Of those that wait: there is a path again, or one less. */
void io_redispatch(struct list *waiting);
/* The path goes: what is on it is lost. */
void io_leave_path(struct path *path);

#endif
