/*
 * Lookups on helper threads: at most four at a time in the process, started when there is work and
 * gone when there is none. A request belongs to its helper until it is answered, then to its loop.
 */
#include "os/resolve.h"
#include "os/list.h"
#include "os/memory.h"

#include <string.h>

enum { HELPERS_MOST = 4 };

struct os_resolve {
    struct os_job job;    /* reports on the loop's thread */
    struct list node;     /* in `waiting` or `running`, or in no list once answered */
    struct os_loop *loop; /* NULL: cancelled, nobody wants the answer */
    os_resolved *done;
    void *context;
    char *host;
    uint16_t port;
    enum status status;
    size_t count;
    struct os_address addresses[OS_RESOLVE_MAX];
};

static struct os_lock resolver_lock; /* for all below, and each request's `loop` and `node` */
static struct list waiting = {&waiting, &waiting};
static struct list running = {&running, &running};
static unsigned helpers;
static struct os_once pinned;

static void request_free(struct os_resolve *request)
{
    os_free(request->host);
    os_free(request);
}

static void report(struct os_job *job)
{
    struct os_resolve *request = LIST_OWNER(job, struct os_resolve, job);
    os_resolved *done = request->done;
    if (done != NULL)
        done(request->context, request->status, request->addresses, request->count);
    request_free(request);
}

/* With the lock held, so that the loop cannot go away in between. */
static void answer(struct os_resolve *request)
{
    list_remove(&request->node);
    if (request->loop != NULL)
        os_loop_post(request->loop, &request->job);
    else
        request_free(request);
}

/* Lets go of the lock meanwhile. */
static void look_up(struct os_resolve *request)
{
    os_lock_release(&resolver_lock);
    request->status = os_lookup(request->host, request->port, request->addresses, OS_RESOLVE_MAX,
                                &request->count);
    os_lock_take(&resolver_lock);
}

static void help(void *nothing)
{
    (void)nothing;
    os_lock_take(&resolver_lock);
    for (struct list *node; (node = list_first(&waiting)) != NULL;) {
        struct os_resolve *request = LIST_OWNER(node, struct os_resolve, node);
        list_remove(node);
        list_append(&running, node);
        if (request->loop != NULL)
            look_up(request);
        answer(request);
    }
    helpers--;
    os_lock_release(&resolver_lock);
}

static struct os_resolve *request_new(struct os_loop *loop, const char *host, uint16_t port,
                                      os_resolved *done, void *context)
{
    struct os_resolve *request = os_alloc(sizeof *request);
    if (request == NULL)
        return NULL;
    request->host = os_copy_text(host);
    if (request->host == NULL) {
        os_free(request);
        return NULL;
    }
    list_init(&request->node);
    request->job.run = report;
    request->loop = loop;
    request->port = port;
    request->done = done;
    request->context = context;
    return request;
}

/* False when no helper runs and none can be started. */
static bool queue(struct os_resolve *request)
{
    os_once(&pinned, os_pin_library);
    os_lock_take(&resolver_lock);
    list_append(&waiting, &request->node);
    if (helpers < HELPERS_MOST && os_thread_start_detached(help, NULL))
        helpers++;
    bool served = helpers > 0;
    if (!served)
        list_remove(&request->node);
    os_lock_release(&resolver_lock);
    return served;
}

struct os_resolve *os_resolve(struct os_loop *loop, const char *host, uint16_t port,
                              os_resolved *done, void *context)
{
    struct os_resolve *request = request_new(loop, host, port, done, context);
    if (request == NULL)
        return NULL;
    if (os_address_parse(&request->addresses[0], host, port)) {
        request->count = 1;
        os_loop_post(loop, &request->job);
    } else if (!queue(request)) {
        request_free(request);
        return NULL;
    }
    return request;
}

void os_resolve_cancel(struct os_resolve *request)
{
    if (request == NULL)
        return;
    os_lock_take(&resolver_lock);
    request->done = NULL; /* an answer already posted is dropped when it arrives */
    request->loop = NULL; /* an answer still to come is dropped by the helper */
    os_lock_release(&resolver_lock);
}

static void forget_in(struct list *requests, const struct os_loop *loop)
{
    LIST_EACH(node, requests)
    {
        struct os_resolve *request = LIST_OWNER(node, struct os_resolve, node);
        if (request->loop == loop)
            request->loop = NULL;
    }
}

void os_resolve_forget(struct os_loop *loop)
{
    os_lock_take(&resolver_lock);
    forget_in(&waiting, loop);
    forget_in(&running, loop);
    os_lock_release(&resolver_lock);
}
