#include "devices/worker.h"
#include "os/memory.h"

enum {
    THREADS_MOST = 256, /* one that hangs holds up those behind it no sooner than with the last */
    IDLE_MOST = 10000   /* milliseconds */
};

struct worker_thread {
    struct worker *worker;
    struct os_thread *thread; /* the loop's thread's; NULL: none */
    bool ended;               /* under the mutex */
};

struct worker {
    struct os_loop *loop;
    struct os_mutex *mutex;
    struct os_condition *condition;
    struct worker_thread threads[THREADS_MOST];
    /* Under the mutex: */
    struct list waiting;
    struct list ended;
    struct os_job job; /* calls `done` of those */
    bool posted;
    bool left; /* the loop */
    bool ends;
    unsigned waiting_count;
    unsigned thread_count;
    unsigned idle; /* those that a job has woken count until they have it */
};

#define JOB(node) LIST_OWNER(node, struct worker_job, link)

/* --- on its threads --- */

/* Under the mutex. */
static struct worker_job *take_waiting(struct worker *worker)
{
    struct list *first = list_first(&worker->waiting);
    if (first == NULL)
        return NULL;
    list_remove(first);
    worker->waiting_count--;
    return JOB(first);
}

/* NULL: the end. */
static struct worker_job *wait_for_job(struct worker_thread *thread)
{
    struct worker *worker = thread->worker;
    uint64_t due = os_now() + IDLE_MOST;
    bool in_time = true;
    os_mutex_lock(worker->mutex);
    worker->idle++;
    while (list_empty(&worker->waiting) && !worker->ends && in_time)
        in_time = os_condition_wait_until(worker->condition, worker->mutex, due);
    worker->idle--;
    struct worker_job *job = take_waiting(worker);
    if (job == NULL) {
        thread->ended = true;
        worker->thread_count--;
    }
    os_mutex_unlock(worker->mutex);
    return job;
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
    struct worker_thread *thread = argument;
    struct worker_job *job;
    while ((job = wait_for_job(thread)) != NULL) {
        job->run(job);
        hand_back(thread->worker, job);
    }
}

/* --- on the loop's --- */

static struct worker_job *take_ended(struct worker *worker)
{
    os_mutex_lock(worker->mutex);
    struct list *first = list_first(&worker->ended);
    if (first != NULL)
        list_remove(first);
    os_mutex_unlock(worker->mutex);
    return first != NULL ? JOB(first) : NULL;
}

static void call_done(struct worker *worker)
{
    struct worker_job *job;
    while ((job = take_ended(worker)) != NULL)
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

/* One that has ended is none any more. NULL: there are as many as there may be. */
static struct worker_thread *free_thread(struct worker *worker)
{
    for (size_t i = 0; i < THREADS_MOST; i++) {
        struct worker_thread *thread = &worker->threads[i];
        os_mutex_lock(worker->mutex);
        bool ended = thread->ended;
        os_mutex_unlock(worker->mutex);
        if (thread->thread != NULL && !ended)
            continue;
        if (thread->thread != NULL)
            os_thread_join(thread->thread);
        *thread = (struct worker_thread){.worker = worker};
        return thread;
    }
    return NULL;
}

static void add_to_count(struct worker *worker, int more)
{
    os_mutex_lock(worker->mutex);
    worker->thread_count += (unsigned)more;
    os_mutex_unlock(worker->mutex);
}

static void start_thread(struct worker *worker)
{
    struct worker_thread *thread = free_thread(worker);
    if (thread == NULL)
        return;
    add_to_count(worker, 1);
    thread->thread = os_thread_start(run_thread, thread);
    if (thread->thread == NULL)
        add_to_count(worker, -1);
}

/* Without a thread to be had. */
static void run_inside(struct worker *worker)
{
    os_mutex_lock(worker->mutex);
    struct worker_job *job = worker->thread_count == 0 ? take_waiting(worker) : NULL;
    os_mutex_unlock(worker->mutex);
    if (job == NULL)
        return;
    job->run(job);
    hand_back(worker, job);
}

/* Idle threads may be on their way to other jobs already: each job that waits needs one. */
void worker_post(struct worker *worker, struct worker_job *job)
{
    os_mutex_lock(worker->mutex);
    list_append(&worker->waiting, &job->link);
    worker->waiting_count++;
    bool more = !worker->ends && worker->waiting_count > worker->idle;
    os_condition_signal(worker->condition);
    os_mutex_unlock(worker->mutex);
    if (more)
        start_thread(worker);
    run_inside(worker);
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
    for (size_t i = 0; i < THREADS_MOST; i++) {
        if (worker->threads[i].thread != NULL)
            os_thread_join(worker->threads[i].thread);
    }
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
