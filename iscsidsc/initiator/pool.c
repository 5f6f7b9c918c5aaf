#include "initiator/internal.h"
#include "os/memory.h"

void pool_init(struct pool *pool, size_t size)
{
    list_init(&pool->free);
    pool->size = size;
}

void *pool_take(struct pool *pool)
{
    struct list *first = list_first(&pool->free);

    if (!first)
        return os_alloc(pool->size);
    list_remove(first);
    return first;
}

void pool_give(struct pool *pool, void *object)
{
    list_append(&pool->free, object);
}

void pool_trim(struct pool *pool)
{
    struct list *first;

    while ((first = list_first(&pool->free))) {
        list_remove(first);
        os_free(first);
    }
}

enum { REST = 1000 }; /* milliseconds */

void pools_rest(struct session *session, uint64_t now)
{
    bool empty = list_empty(&session->frames.free) && list_empty(&session->bursts.free);

    if (!empty && session->trim_due == INITIATOR_NEVER)
        session->trim_due = now + REST;
}

void pools_tick(struct session *session, uint64_t now)
{
    if (now < session->trim_due)
        return;
    session->trim_due = INITIATOR_NEVER;
    if (session->outstanding > 0)
        return; /* the next task that ends sets the time again */
    pool_trim(&session->frames);
    pool_trim(&session->bursts);
}
