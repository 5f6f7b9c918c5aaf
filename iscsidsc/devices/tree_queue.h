/* From the threads of the file system to the engine's. */
#ifndef DEVICES_TREE_QUEUE_H
#define DEVICES_TREE_QUEUE_H

#include "os/loop.h"

#include <stdatomic.h>

/* Embedded by who asks, who keeps it until `run`, on the engine's thread. */
struct tree_call {
    struct tree_call *next; /* of those that have come: the one before */
    void (*run)(struct tree_call *call);
};

struct tree_queue {
    struct os_loop *loop;
    struct os_job job;
    _Atomic(struct tree_call *) incoming;
    atomic_uint posting; /* threads that may do so just now */
    atomic_bool closed;
    /* On the engine's thread, after tree_queue_look. */
    void (*look)(struct tree_queue *queue);
    struct tree_call look_call;
    atomic_bool looks;
};

void tree_queue_init(struct tree_queue *queue, struct os_loop *loop,
                     void (*look)(struct tree_queue *queue));
/* On the engine's thread. What came before is done, and nothing is taken from now on. */
void tree_queue_close(struct tree_queue *queue);
/* From any thread; while others wait it costs no wake-up. False: it is closed. */
bool tree_queue_push(struct tree_queue *queue, struct tree_call *call);
/* `look` is called, once for all that say so meanwhile. */
void tree_queue_look(struct tree_queue *queue);

#endif
