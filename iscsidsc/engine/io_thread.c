/* Input and output for threads other than the engine's. */
#include "engine/io.h"

/* --- without waiting --- */

/* They were pushed: the first one is the last. */
static struct io *turn_round(struct io *io)
{
    struct io *turned = NULL;
    while (io != NULL) {
        struct io *next = io->next;
        io->next = turned;
        turned = io;
        io = next;
    }
    return turned;
}

static void on_incoming(struct os_job *job)
{
    struct engine *engine = LIST_OWNER(job, struct engine, ios.incoming_job);
    struct io *io = turn_round(atomic_exchange(&engine->ios.incoming, NULL));
    while (io != NULL) {
        struct io *next = io->next;
        io_submit(io);
        io = next;
    }
}

void io_post(struct engine *engine, struct io *io)
{
    struct io *first = atomic_load(&engine->ios.incoming);
    do
        io->next = first;
    while (!atomic_compare_exchange_weak(&engine->ios.incoming, &first, io));
    if (first != NULL)
        return; /* who put that one there has posted the job, or does now */
    os_loop_post(engine->loop, &engine->ios.incoming_job);
}

/* --- waiting --- */

struct run {
    struct os_job job;
    struct os_loop_waiter waiter;
    struct os_loop *loop;
    struct io *ios;
    size_t count;
    size_t left;
};

static void on_done(struct io *io)
{
    struct run *run = io->context;
    if (--run->left == 0)
        os_loop_finish(run->loop, &run->waiter);
}

static void on_run(struct os_job *job)
{
    struct run *run = LIST_OWNER(job, struct run, job);
    for (size_t i = 0; i < run->count; i++)
        io_submit(&run->ios[i]);
}

bool io_run(struct engine *engine, struct io *ios, size_t count)
{
    struct run run = {
        .job.run = on_run, .loop = engine->loop, .ios = ios, .count = count, .left = count};
    if (count == 0)
        return true;
    if (!os_loop_waiter_init(&run.waiter))
        return false;
    for (size_t i = 0; i < count; i++) {
        ios[i].done = on_done;
        ios[i].context = &run;
    }
    os_loop_call(engine->loop, &run.job, &run.waiter);
    os_loop_waiter_clear(&run.waiter);
    return true;
}

void io_thread_init(struct engine *engine)
{
    engine->ios.incoming_job.run = on_incoming;
}
