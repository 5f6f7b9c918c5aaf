/* What the tests of input and output share: errands on the engine's thread, a volume, and ios from
 * the test's thread. */
#ifndef IO_TEST_H
#define IO_TEST_H

#include "engine_test.h"

#include "engine/io.h"
#include "engine/options.h"

#include <stdatomic.h>

enum { BLOCK = 512 };

/* --- on the engine's thread --- */

struct errand {
    struct os_job job;
    struct os_loop_waiter waiter;
    void (*run)(void *context);
    void *context;
};

static void run_errand(struct os_job *job)
{
    struct errand *errand = LIST_OWNER(job, struct errand, job);
    errand->run(errand->context);
    os_loop_finish(engine_loop(engine), &errand->waiter);
}

static void in_engine(void (*run)(void *context), void *context)
{
    struct errand errand = {.job.run = run_errand, .run = run, .context = context};
    assert_true(os_loop_waiter_init(&errand.waiter));
    os_loop_call(engine_loop(engine), &errand.job, &errand.waiter);
    os_loop_waiter_clear(&errand.waiter);
}

static struct volume *volume;

static void find_volume(void *context)
{
    const struct engine_session *session = engine_session_find(engine, context);
    volume = NULL;
    LIST_EACH(node, &session->units->all)
    {
        const struct unit *unit = LIST_OWNER(node, struct unit, link);
        if (volume == NULL && unit->facts.capacity.blocks > 0)
            volume = unit->path.volume;
    }
    if (volume != NULL)
        volume_hold(volume);
}

static void run_release(void *context)
{
    volume_release(context);
}

/* --- ios --- */

static inline struct io io_of(enum io_kind kind, uint64_t lba, uint64_t blocks, struct iov *pieces)
{
    return (struct io){.volume = volume,
                       .kind = kind,
                       .lba = lba,
                       .blocks = blocks,
                       .pieces = pieces,
                       .piece_count = pieces != NULL ? 1 : 0};
}

static inline enum status run_io(struct io *io)
{
    assert_true(io_run(engine, io, 1));
    return io->status;
}

static inline enum status transfer(enum io_kind kind, uint64_t lba, uint32_t blocks, void *data)
{
    struct iov piece = {data, blocks * BLOCK};
    struct io io = io_of(kind, lba, blocks, &piece);
    return run_io(&io);
}

/* One that ends some time. */
struct later {
    struct io io;
    struct iov piece;
    atomic_bool ended;
};

static void on_later(struct io *io)
{
    ((struct later *)io->context)->ended = true;
}

static inline void begin_io(struct later *later, enum io_kind kind, uint64_t lba, uint32_t blocks,
                            void *data)
{
    *later = (struct later){.piece = {data, blocks * BLOCK}};
    later->io = io_of(kind, lba, blocks, &later->piece);
    later->io.done = on_later;
    later->io.context = later;
}

static inline enum status await_io(struct later *later)
{
    uint64_t end = os_now() + BOUND;
    while (!later->ended) {
        if (os_now() > end)
            abort(); /* the engine still uses what is on our stack */
        os_thread_yield();
    }
    return later->io.status;
}

static inline void fill(uint8_t *data, size_t length, uint32_t seed)
{
    for (size_t i = 0; i < length; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (uint8_t)(seed >> 24);
    }
}

#define wait_until(condition)                                                                      \
    do {                                                                                           \
        uint64_t bound = os_now() + BOUND;                                                         \
        while (!(condition)) {                                                                     \
            if (os_now() > bound)                                                                  \
                fail_msg("%s: not within %u ms", #condition, BOUND);                               \
            os_thread_yield();                                                                     \
        }                                                                                          \
    } while (0)

#endif
