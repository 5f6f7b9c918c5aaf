#include "engine/automatic_logins.h"
#include "engine/configuration.h"
#include "engine/login.h"
#include "engine/restore.h"
#include "engine/units.h"
#include "os/memory.h"

enum {
    AT_ONCE = 16, /* logins to targets of one address: a storage system has other hosts, too */
};

enum automatic_state {
    AUTOMATIC_WAITS, /* for its turn, or for the next try */
    AUTOMATIC_RUNS,
    AUTOMATIC_MADE, /* there is a session, or somebody else sees to it */
    AUTOMATIC_LEFT, /* a caller has logged out */
};

struct automatic_login {
    struct list link; /* of its bucket */
    struct list turn; /* of its queue */
    struct engine *engine;
    struct login_queue *queue; /* NULL: nobody finds the target any more; only its session counts */
    enum automatic_state state;
    char *target; /* normalised */
    struct request_login request;
    struct login_again again;
    struct engine_login *login;
    struct os_timer timer;
    unsigned tries;
};

#define AUTOMATIC(node) LIST_OWNER(node, struct automatic_login, link)
#define TURN(node)      LIST_OWNER(node, struct automatic_login, turn)

/* --- the table --- */

void automatic_logins_init(struct automatic_base *base)
{
    for (size_t i = 0; i < AUTOMATIC_BUCKETS; i++)
        list_init(&base->buckets[i]);
}

static struct list *bucket_of(struct engine *engine, const char *target)
{
    return &engine->automatic.buckets[catalogue_hash(target) % AUTOMATIC_BUCKETS];
}

static struct automatic_login *find(struct engine *engine, const char *target)
{
    LIST_EACH(node, bucket_of(engine, target))
    {
        if (name_equal(AUTOMATIC(node)->target, target))
            return AUTOMATIC(node);
    }
    return NULL;
}

static void stop(struct automatic_login *entry)
{
    if (entry->state == AUTOMATIC_RUNS)
        entry->queue->running--;
    engine_login_free(entry->login);
    entry->login = NULL;
    os_timer_clear(&entry->timer);
    list_remove(&entry->turn);
}

static void entry_free(struct automatic_login *entry)
{
    stop(entry);
    list_remove(&entry->link);
    os_free(entry->target);
    os_free(entry);
}

/* --- one login --- */

/* Or a login under way. */
static bool has_session(const struct engine *engine, const char *target)
{
    LIST_EACH(node, &engine->sessions)
    {
        const struct engine_session *session = LIST_OWNER(node, struct engine_session, link);
        if (!session->informational && name_equal(session->target, target))
            return true;
    }
    return false;
}

static void start_waiting(struct login_queue *queue);

static void enqueue(struct automatic_login *entry)
{
    entry->state = AUTOMATIC_WAITS;
    list_append(&entry->queue->waiting, &entry->turn);
}

/* Out of memory: then when the address is asked next. */
static void try_later(struct automatic_login *entry, enum status status)
{
    struct engine *engine = entry->engine;
    uint32_t pause = restore_pause(engine, engine->watched.began, ++entry->tries, status);
    entry->state = AUTOMATIC_WAITS;
    os_timer_set(engine->loop, &entry->timer, os_now() + pause);
}

static void on_timer(struct os_timer *timer)
{
    struct automatic_login *entry = LIST_OWNER(timer, struct automatic_login, timer);
    enqueue(entry);
    start_waiting(entry->queue);
}

static void on_login(void *context, enum status status, struct engine_session *session)
{
    struct automatic_login *entry = context;
    struct login_queue *queue = entry->queue;
    (void)session;
    entry->login = NULL;
    queue->running--;
    if (status == STATUS_OK) {
        entry->state = AUTOMATIC_MADE;
        entry->tries = 0;
    } else {
        try_later(entry, status);
    }
    start_waiting(queue);
}

static void run(struct automatic_login *entry)
{
    struct engine *engine = entry->engine;
    if (has_session(engine, entry->target)) { /* somebody was quicker */
        entry->state = AUTOMATIC_MADE;
        return;
    }
    entry->request =
        (struct request_login){.target = entry->target, .initiator_port = ANY_INITIATOR_PORT};
    entry->again = (struct login_again){.qualifier = engine->first_qualifier,
                                        .connect_most = restore_patience(entry->tries)};
    entry->login = engine_login_new(engine, &entry->request, on_login, entry);
    if (entry->login == NULL) {
        try_later(entry, STATUS_NO_MEMORY);
        return;
    }
    entry->state = AUTOMATIC_RUNS;
    entry->queue->running++;
    engine_login_run_again(entry->login, &entry->again);
}

/* A login that fails at once comes back here from inside. */
static void start_waiting(struct login_queue *queue)
{
    struct list *first;
    if (queue->starting)
        return;
    queue->starting = true;
    while (queue->running < AT_ONCE && (first = list_first(&queue->waiting)) != NULL) {
        list_remove(first);
        run(TURN(first));
    }
    queue->starting = false;
}

/* --- what an address finds --- */

void login_queue_init(struct login_queue *queue, struct engine *engine, const char *host,
                      uint16_t port)
{
    *queue = (struct login_queue){.engine = engine, .host = host, .port = port};
    list_init(&queue->waiting);
}

static bool is_enabled(const struct login_queue *queue, const char *target)
{
    struct scoped_parameters parameters;
    const struct configuration_subject subject = {
        .target = target, .discovery_address = queue->host, .discovery_port = queue->port};
    configuration_resolve(queue->engine->configuration, &subject, &parameters);
    bool enabled = parameters.enabled != 0;
    scoped_parameters_wipe(&parameters);
    return enabled;
}

static bool is_stored(const struct persistent_login_list *logins, const char *target)
{
    for (uint32_t i = 0; i < logins->count; i++) {
        if (!logins->items[i].informational && name_equal(logins->items[i].target, target))
            return true;
    }
    return false;
}

static struct automatic_login *make(struct login_queue *queue, const char *target)
{
    struct automatic_login *entry = os_alloc(sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->engine = queue->engine;
    entry->queue = queue;
    entry->timer.fire = on_timer;
    list_init(&entry->turn);
    entry->target = os_copy_text(target);
    if (entry->target == NULL) {
        os_free(entry);
        return NULL;
    }
    list_append(bucket_of(queue->engine, target), &entry->link);
    return entry;
}

/* A persistent login is made by whoever restores them, and one that is there needs no other. */
static void want(struct automatic_login *entry, const struct persistent_login_list *logins)
{
    if (is_stored(logins, entry->target) || has_session(entry->engine, entry->target))
        entry->state = AUTOMATIC_MADE;
    else
        enqueue(entry);
}

/* One that waits, but neither for its turn nor for a time, was short of memory. */
static bool is_idle(const struct automatic_login *entry)
{
    return entry->state == AUTOMATIC_MADE ||
           (entry->state == AUTOMATIC_WAITS && list_empty(&entry->turn) &&
            entry->timer.loop == NULL);
}

static void take(struct login_queue *queue, const char *target,
                 const struct persistent_login_list *logins)
{
    struct automatic_login *entry = find(queue->engine, target);
    if (entry == NULL && is_enabled(queue, target))
        entry = make(queue, target);
    if (entry == NULL)
        return;
    if (entry->queue == NULL)
        entry->queue = queue;
    if (is_idle(entry))
        want(entry, logins);
}

/* Units may have come with what the target told. */
static void refresh_units(struct engine *engine, const struct mechanism *mechanism)
{
    LIST_EACH(node, &engine->sessions)
    {
        struct engine_session *session = LIST_OWNER(node, struct engine_session, link);
        const struct known_target *target = catalogue_find(&engine->catalogue, session->target);
        if (session->state == ENGINE_SESSION_LIVE && target != NULL &&
            catalogue_instance(target, mechanism) != NULL)
            units_look_again(session);
    }
}

void automatic_logins_look(struct login_queue *queue, const struct mechanism *mechanism)
{
    struct store *store;
    struct os_arena arena = {0};
    struct persistent_login_list logins = {NULL, 0};
    /* Whoever cannot read what is stored might log in a second time. */
    if (engine_store(queue->engine, &store) == STATUS_OK &&
        store_logins(store, &arena, false, &logins) == STATUS_OK) {
        LIST_EACH(node, &mechanism->instances)
        {
            const struct instance *instance = LIST_OWNER(node, struct instance, of_mechanism);
            if (!instance->hidden)
                take(queue, instance->target->name, &logins);
        }
    }
    os_arena_clear(&arena);
    refresh_units(queue->engine, mechanism);
    start_waiting(queue);
}

/* --- for all of them --- */

static void each(struct engine *engine, const struct login_queue *queue,
                 void (*act)(struct automatic_login *entry))
{
    for (size_t i = 0; i < AUTOMATIC_BUCKETS; i++) {
        LIST_EACH_SAFE(node, &engine->automatic.buckets[i])
        {
            if (queue == NULL || AUTOMATIC(node)->queue == queue)
                act(AUTOMATIC(node));
        }
    }
}

static void let_go(struct automatic_login *entry)
{
    if (entry->state == AUTOMATIC_WAITS || entry->state == AUTOMATIC_RUNS)
        entry_free(entry);
    else
        entry->queue = NULL;
}

void automatic_logins_drop(struct login_queue *queue)
{
    queue->starting = true; /* nobody's turn comes any more */
    each(queue->engine, queue, let_go);
}

void automatic_logins_renew(struct engine *engine)
{
    each(engine, NULL, entry_free);
}

void automatic_logins_end(struct engine *engine)
{
    each(engine, NULL, entry_free);
}

/* --- what becomes of sessions --- */

void automatic_login_left(struct engine *engine, const char *target)
{
    struct automatic_login *entry = find(engine, target);
    if (entry == NULL)
        return;
    stop(entry);
    entry->state = AUTOMATIC_LEFT;
}

void automatic_login_over(struct engine *engine, const char *target)
{
    struct automatic_login *entry = find(engine, target);
    if (engine->stopping || entry == NULL || entry->state != AUTOMATIC_MADE ||
        has_session(engine, target))
        return;
    if (entry->queue == NULL)
        entry_free(entry);
    else
        try_later(entry, STATUS_OK);
}
