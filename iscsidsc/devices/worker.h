/*
 * Threads for what may block: loop devices, mounts, links. The engine's thread and those that
 * answer for files of devices never do such things: a device of ours may be what is waited for.
 */
#ifndef DEVICES_WORKER_H
#define DEVICES_WORKER_H

#include "os/loop.h"

struct worker;

/* Embedded by its user, who keeps it until `done`. */
struct worker_job {
    void (*run)(struct worker_job *job);  /* on a thread of the worker's */
    void (*done)(struct worker_job *job); /* on the loop's thread, afterwards */
    struct list link;
};

/* NULL: out of memory. Threads come with the work. */
struct worker *worker_new(struct os_loop *loop);
/* On the loop's thread. Without a thread to be had the job is run from inside. */
void worker_post(struct worker *worker, struct worker_job *job);
/* On the loop's thread: from now on what has been done is told by worker_free. */
void worker_leave(struct worker *worker);
/* After that, and not on the loop's thread: what is under way is waited for. NULL is harmless. */
void worker_free(struct worker *worker);

#endif
