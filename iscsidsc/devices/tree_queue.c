#include "devices/tree_queue.h"

/* They were pushed: the first one is the last. */
static struct tree_call *turn_round(struct tree_call *call)
{
    struct tree_call *turned = NULL;
    while (call != NULL) {
        struct tree_call *next = call->next;
        call->next = turned;
        turned = call;
        call = next;
    }
    return turned;
}

static void run_all(struct tree_queue *queue)
{
    struct tree_call *call = turn_round(atomic_exchange(&queue->incoming, NULL));
    while (call != NULL) {
        struct tree_call *next = call->next;
        call->run(call);
        call = next;
    }
}

static void on_incoming(struct os_job *job)
{
    run_all(LIST_OWNER(job, struct tree_queue, job));
}

static void on_look(struct tree_call *call)
{
    struct tree_queue *queue = LIST_OWNER(call, struct tree_queue, look_call);
    atomic_store(&queue->looks, false);
    queue->look(queue);
}

void tree_queue_init(struct tree_queue *queue, struct os_loop *loop,
                     void (*look)(struct tree_queue *queue))
{
    queue->loop = loop;
    queue->job.run = on_incoming;
    queue->look = look;
    queue->look_call.run = on_look;
}

void tree_queue_close(struct tree_queue *queue)
{
    atomic_store(&queue->closed, true);
    while (atomic_load(&queue->posting) > 0)
        os_thread_yield(); /* some instructions */
    run_all(queue);
}

static void push(struct tree_queue *queue, struct tree_call *call)
{
    struct tree_call *first = atomic_load(&queue->incoming);
    do
        call->next = first;
    while (!atomic_compare_exchange_weak(&queue->incoming, &first, call));
    if (first == NULL)
        os_loop_post(queue->loop, &queue->job); /* else who came first has done that, or does */
}

bool tree_queue_push(struct tree_queue *queue, struct tree_call *call)
{
    atomic_fetch_add(&queue->posting, 1);
    bool open = !atomic_load(&queue->closed);
    if (open)
        push(queue, call);
    atomic_fetch_sub(&queue->posting, 1);
    return open;
}

void tree_queue_look(struct tree_queue *queue)
{
    if (!atomic_exchange(&queue->looks, true) && !tree_queue_push(queue, &queue->look_call))
        atomic_store(&queue->looks, false);
}
