#include "devices/worker.h"
#include "os/memory.h"

enum {
    THREADS_MOST = 4 /* one that hangs holds up those behind it no sooner than with the last */
};

struct worker {
    struct os_loop *loop;
    struct os_mutex *mutex;
    struct os_condition *condition;
    struct os_thread *threads[THREADS_MOST];
    /* Under the mutex: */
    struct list waiting;
    struct list ended;
    struct os_job job; /* calls `done` of those */
    bool posted;
    bool left; /* the loop */
    bool ends;
    unsigned thread_count;
    unsigned idle;
};

#define JOB(node) LIST_OWNER(node, struct worker_job, link)

/* --- on its threads --- */

static struct worker_job *take(struct worker *worker, struct list *from)
{
    os_mutex_lock(worker->mutex);
    struct list *first = list_first(from);
    if (first != NULL)
        list_remove(first);
    os_mutex_unlock(worker->mutex);
    return first != NULL ? JOB(first) : NULL;
}

/* NULL: the end. */
static struct worker_job *wait_for_job(struct worker *worker)
{
    os_mutex_lock(worker->mutex);
    worker->idle++;
    while (list_empty(&worker->waiting) && !worker->ends)
        os_condition_wait(worker->condition, worker->mutex);
    worker->idle--;
    os_mutex_unlock(worker->mutex);
    return take(worker, &worker->waiting);
}

static void hand_back(struct worker *worker, struct worker_job *job)
{
    os_mutex_lock(worker->mutex);
    list_append(&worker->ended, &job->link);
    if (!worker->posted && !worker->left) {
        worker->posted = true;
        os_loop_post(worker->loop, &worker->job);
    }
    os_mutex_unlock(worker->mutex);
}

static void run_thread(void *argument)
{
    struct worker *worker = argument;
    for (;;) {
        struct worker_job *job = wait_for_job(worker);
        if (job != NULL) {
            job->run(job);
            hand_back(worker, job);
            continue;
        }
        os_mutex_lock(worker->mutex);
        bool ends = worker->ends && list_empty(&worker->waiting);
        os_mutex_unlock(worker->mutex);
        if (ends)
            return;
    }
}

/* --- on the loop's --- */

static void call_done(struct worker *worker)
{
    struct worker_job *job;
    while ((job = take(worker, &worker->ended)) != NULL)
        job->done(job);
}

static void on_ended(struct os_job *job)
{
    struct worker *worker = LIST_OWNER(job, struct worker, job);
    os_mutex_lock(worker->mutex);
    worker->posted = false;
    os_condition_broadcast(worker->condition);
    os_mutex_unlock(worker->mutex);
    call_done(worker);
}

void worker_post(struct worker *worker, struct worker_job *job)
{
    os_mutex_lock(worker->mutex);
    list_append(&worker->waiting, &job->link);
    bool more = !worker->ends && worker->idle == 0 && worker->thread_count < THREADS_MOST;
    os_condition_signal(worker->condition);
    os_mutex_unlock(worker->mutex);
    if (more) {
        struct os_thread *thread = os_thread_start(run_thread, worker);
        if (thread != NULL)
            worker->threads[worker->thread_count++] = thread;
    }
    if (worker->thread_count > 0)
        return;
    job = take(worker, &worker->waiting);
    job->run(job);
    hand_back(worker, job);
}

struct worker *worker_new(struct os_loop *loop)
{
    struct worker *worker = os_alloc(sizeof *worker);
    if (worker == NULL)
        return NULL;
    worker->loop = loop;
    worker->job.run = on_ended;
    list_init(&worker->waiting);
    list_init(&worker->ended);
    worker->mutex = os_mutex_new();
    worker->condition = os_condition_new();
    if (worker->mutex != NULL && worker->condition != NULL)
        return worker;
    worker_free(worker);
    return NULL;
}

void worker_leave(struct worker *worker)
{
    os_mutex_lock(worker->mutex);
    worker->left = true;
    os_mutex_unlock(worker->mutex);
}

static void end_threads(struct worker *worker)
{
    os_mutex_lock(worker->mutex);
    worker->ends = true;
    os_condition_broadcast(worker->condition);
    os_mutex_unlock(worker->mutex);
    for (unsigned i = 0; i < worker->thread_count; i++)
        os_thread_join(worker->threads[i]);
    worker->thread_count = 0;
    os_mutex_lock(worker->mutex);
    while (worker->posted) /* what the loop has still to run is ours */
        os_condition_wait(worker->condition, worker->mutex);
    os_mutex_unlock(worker->mutex);
}

void worker_free(struct worker *worker)
{
    if (worker == NULL)
        return;
    if (worker->mutex != NULL && worker->condition != NULL) {
        end_threads(worker);
        call_done(worker); /* what that posts is run from inside */
    }
    os_condition_free(worker->condition);
    os_mutex_free(worker->mutex);
    os_free(worker);
}
