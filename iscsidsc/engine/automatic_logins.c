#include "engine/automatic_logins.h"
#include "engine/configuration.h"
#include "engine/log.h"
#include "engine/login.h"
#include "engine/mappings.h"
#include "engine/multipath.h"
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
    char *target;             /* normalised */
    enum multipath_mode mode; /* MULTIPATH_NO: any portal will do */
    struct portal_address path;
    uint16_t number;          /* of the path */
    struct unique_id made;    /* its session */
    struct portal_address at; /* of the login under way */
    struct portal portal;     /* the same */
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

/* `path` NULL: that for which any portal will do. */
static struct automatic_login *find(struct engine *engine, const char *target,
                                    enum multipath_mode mode, const struct portal_address *path)
{
    LIST_EACH(node, bucket_of(engine, target))
    {
        struct automatic_login *entry = AUTOMATIC(node);
        if (entry->mode == mode && name_equal(entry->target, target) &&
            (path == NULL || multipath_same(mode, &entry->path, path)))
            return entry;
    }
    return NULL;
}

/* The one that has made the session, or does without one as long as there is that. One that no
 * address finds any more has no say beside another. */
static struct automatic_login *find_maker(const struct engine_session *session)
{
    struct automatic_login *maker = NULL;
    LIST_EACH(node, bucket_of(session->engine, session->target))
    {
        struct automatic_login *entry = AUTOMATIC(node);
        if (name_equal(entry->target, session->target) &&
            (entry->mode == MULTIPATH_NO || entry->made.specific == session->id.specific) &&
            (maker == NULL || maker->queue == NULL))
            maker = entry;
    }
    return maker;
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
    entry->engine->automatic.count--;
    list_remove(&entry->link);
    os_free(entry->target);
    os_free(entry);
}

/* --- one login --- */

/* Or a login under way, where any portal will do. Its own session counts wherever the target has
 * sent it, or a caller: a portal may be of another group than what told of it has said. */
static bool has_session(struct automatic_login *entry)
{
    if (engine_session_find(entry->engine, &entry->made) != NULL)
        return true;
    LIST_EACH(node, engine_sessions_near(entry->engine, entry->target))
    {
        const struct engine_session *session = LIST_OWNER(node, struct engine_session, by_target);
        if (session->informational || !name_equal(session->target, entry->target) ||
            (entry->mode != MULTIPATH_NO && !multipath_uses(session, entry->mode, &entry->path)))
            continue;
        entry->made = session->id;
        return true;
    }
    return false;
}

static void start_waiting(struct login_queue *queue);

/* Without passwords. */
static void resolve(const struct login_queue *queue, const char *target,
                    struct scoped_parameters *out)
{
    const struct configuration_subject subject = {
        .target = target, .discovery_address = queue->host, .discovery_port = queue->port};
    configuration_resolve(queue->engine->configuration, &subject, out);
    scoped_parameters_forget(out);
}

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
    entry->login = NULL;
    queue->running--;
    if (status == STATUS_OK) {
        entry->made = session->id;
        entry->state = AUTOMATIC_MADE;
        entry->tries = 0;
    } else {
        try_later(entry, status);
    }
    start_waiting(queue);
}

/* With a session for each path it is known where. */
static void choose_portal(struct automatic_login *entry)
{
    const struct known_target *target = catalogue_find(&entry->engine->catalogue, entry->target);
    struct scoped_parameters parameters;
    if (entry->mode == MULTIPATH_NO)
        return;
    entry->at = entry->path;
    if (target != NULL) {
        resolve(entry->queue, entry->target, &parameters);
        multipath_turn(target, &parameters, &entry->path, entry->tries, &entry->at);
    }
    entry->portal = (struct portal){.address = entry->at.host, .socket = entry->at.port};
    entry->request.portal = &entry->portal;
}

static void run(struct automatic_login *entry)
{
    struct engine *engine = entry->engine;
    if (catalogue_find(&engine->catalogue, entry->target) == NULL) { /* until it is found again */
        entry_free(entry);
        return;
    }
    if (has_session(entry)) { /* somebody was quicker */
        entry->state = AUTOMATIC_MADE;
        return;
    }
    entry->request =
        (struct request_login){.target = entry->target, .initiator_port = ANY_INITIATOR_PORT};
    choose_portal(entry);
    entry->again =
        (struct login_again){.qualifier = (uint16_t)(engine->first_qualifier + entry->number),
                             .connect_most = restore_patience(entry->tries),
                             .automatic = true};
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

/* No session beyond that would get a SCSI id. */
static bool is_full(struct automatic_base *base)
{
    if (base->count <= MAPPING_PLACE_LAST)
        return false;
    if (!base->told)
        engine_log(OS_LOG_WARNING, "too-many-targets", NULL);
    base->told = true;
    return true;
}

static struct automatic_login *make(struct login_queue *queue, const char *target)
{
    struct automatic_login *entry =
        is_full(&queue->engine->automatic) ? NULL : os_alloc(sizeof *entry);
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
    queue->engine->automatic.count++;
    return entry;
}

/* One that is there needs no other, and a persistent one is made by who restores them. */
static void want(struct automatic_login *entry)
{
    if (has_session(entry) || restore_has(entry->engine, entry->target))
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

/* `path` NULL: any portal will do. */
static void take_path(struct login_queue *queue, const char *target,
                      const struct scoped_parameters *parameters, const struct portal_address *path,
                      size_t number)
{
    enum multipath_mode mode =
        path != NULL ? (enum multipath_mode)parameters->multipath : MULTIPATH_NO;
    struct automatic_login *entry = find(queue->engine, target, mode, path);
    if (entry == NULL && parameters->enabled != 0) {
        entry = make(queue, target);
        if (entry != NULL && path != NULL) {
            entry->mode = mode;
            entry->path = *path;
            entry->number = (uint16_t)number;
        }
    }
    if (entry == NULL)
        return;
    if (entry->queue == NULL && parameters->enabled != 0)
        entry->queue = queue;
    if (entry->queue != NULL && is_idle(entry))
        want(entry);
}

static void take(struct login_queue *queue, const struct known_target *target)
{
    struct scoped_parameters parameters;
    struct os_arena arena = {0};
    struct portal_address *paths;
    size_t count;
    resolve(queue, target->name, &parameters);
    if (multipath_portals(target, &parameters, &arena, &paths, &count) == STATUS_OK) {
        for (size_t i = 0; i < count; i++)
            take_path(queue, target->name, &parameters, &paths[i], i);
        if (parameters.multipath == MULTIPATH_NO)
            take_path(queue, target->name, &parameters, NULL, 0);
    }
    os_arena_clear(&arena);
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
    LIST_EACH(node, &mechanism->instances)
    {
        const struct instance *instance = LIST_OWNER(node, struct instance, of_mechanism);
        if (!instance->hidden)
            take(queue, instance->target);
    }
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

/* Which path a session is for only the login itself knows. */
static void renew(struct automatic_login *entry)
{
    if (entry->mode != MULTIPATH_NO && entry->state == AUTOMATIC_MADE &&
        engine_session_find(entry->engine, &entry->made) != NULL)
        entry->queue = NULL;
    else
        entry_free(entry);
}

void automatic_logins_renew(struct engine *engine)
{
    each(engine, NULL, renew);
}

void automatic_logins_end(struct engine *engine)
{
    each(engine, NULL, entry_free);
}

/* --- what becomes of sessions --- */

void automatic_login_left(const struct engine_session *session)
{
    struct automatic_login *entry = find_maker(session);
    if (entry == NULL)
        return;
    stop(entry);
    entry->state = AUTOMATIC_LEFT;
}

void automatic_login_over(const struct engine_session *session)
{
    struct automatic_login *entry = find_maker(session);
    if (session->engine->stopping || entry == NULL || entry->state != AUTOMATIC_MADE ||
        has_session(entry))
        return;
    if (entry->queue == NULL)
        entry_free(entry);
    else
        try_later(entry, STATUS_OK);
}
