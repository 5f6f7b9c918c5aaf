/* The threads of a worker: a job that hangs holds up no other one. */
#include "os_test.h"

#include "devices/worker.h"
#include "os/process.h"

#include <stdatomic.h>

enum { JOBS = 40 };

static struct os_loop *loop;
static struct worker *worker;
static atomic_uint running, ended;
static atomic_bool released;
static struct worker_job jobs[JOBS];

static void hang(struct worker_job *job)
{
    (void)job;
    running++;
    while (!released)
        os_sleep(1);
}

static void run(struct worker_job *job)
{
    (void)job;
    running++;
}

static void on_done(struct worker_job *job)
{
    (void)job;
    if (++ended == JOBS && loop != NULL)
        os_loop_stop(loop);
}

static void post(unsigned from, unsigned to, void (*work)(struct worker_job *job))
{
    for (unsigned i = from; i < to; i++) {
        jobs[i] = (struct worker_job){.run = work, .done = on_done};
        worker_post(worker, &jobs[i]);
    }
}

static void await_running(unsigned count)
{
    uint64_t end = os_now() + BOUND;
    while (running < count) {
        if (os_now() >= end)
            fail_msg("%u of %u jobs were running after %u ms", running, count, BOUND);
        os_sleep(1);
    }
}

static void begin(void)
{
    loop = os_loop_new();
    worker = worker_new(loop);
    assert_non_null(worker);
    running = ended = 0;
    released = false;
}

static void end(void)
{
    worker_leave(worker);
    os_loop_free(loop);
    loop = NULL;
    worker_free(worker);
    assert_int_equal(ended, JOBS);
}

static void jobs_that_hang_hold_up_no_other(void **state)
{
    (void)state;
    begin();
    post(0, 1, run);
    await_running(1); /* its thread is idle now, or soon */
    post(1, JOBS - 1, hang);
    await_running(JOBS - 1);
    post(JOBS - 1, JOBS, run);
    await_running(JOBS);
    released = true;
    os_loop_run(loop);
    end();
}

static void what_was_posted_is_done_at_the_end(void **state)
{
    (void)state;
    begin();
    post(0, JOBS, run);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_that_hang_hold_up_no_other),
        cmocka_unit_test(what_was_posted_is_done_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
