#include "engine/restore.h"
#include "engine/checks.h"
#include "engine/login.h"
#include "engine/mappings.h"
#include "engine/options.h"
#include "engine/exploration.h"
#include "engine/recovery.h"
#include "os/memory.h"

enum {
    EAGER_TIME = 300000, /* milliseconds in which what was down at boot is asked often */
    EAGER_PAUSE = 1000,
    /* A host that comes up must not be waited for through the pauses of its lost SYNs. */
    EAGER_CONNECT = 2000,
    PATIENT_EACH = 8, /* but a far one needs all its time once in a while */
};

struct restore {
    struct engine *engine;
    struct list logins; /* struct restoration */
    uint64_t began;
    bool read; /* the list of logins */
    struct exploration *exploration;
    struct os_timer timer; /* the next look at the list, or at the portals */
    unsigned tries;
};

/* A login that is to be made. */
struct restoration {
    struct list link;
    struct restore *restore;
    uint64_t number;
    char *target;
    bool informational;
    uint32_t place; /* that it asks for, kept free for it; NUMBERS_NONE: none */
    struct login_again again;
    struct request_login request;
    struct os_arena arena; /* what it points to, secrets included */
    struct engine_login *login;
    struct os_timer timer;
    unsigned tries;
};

#define RESTORATION(node) LIST_OWNER(node, struct restoration, link)

uint32_t restore_pause(const struct engine *engine, uint64_t began, unsigned tries,
                       enum status status)
{
    uint32_t most =
        engine->configuration != NULL ? engine->parameters.delay_between_reconnect * 1000 : 0;
    bool refused = status == STATUS_LOGIN_AUTHENTICATION_FAILED ||
                   status == STATUS_TARGET_AUTHENTICATION_FAILED ||
                   status == STATUS_AUTHENTICATION_FAILED ||
                   status == STATUS_LOGIN_AUTHORIZATION_FAILED;
    bool eager = os_now() - began < EAGER_TIME && !refused;
    return recovery_pause(tries, eager || most == 0 ? EAGER_PAUSE : most);
}

uint32_t restore_patience(unsigned tries)
{
    return tries % PATIENT_EACH == PATIENT_EACH - 1 ? UINT32_MAX : EAGER_CONNECT;
}

static uint32_t pause_of(const struct restore *restore, unsigned tries, enum status status)
{
    return restore_pause(restore->engine, restore->began, tries, status);
}

/* --- one login --- */

static void restoration_free(struct restoration *restoration)
{
    engine_login_free(restoration->login);
    os_timer_clear(&restoration->timer);
    struct engine *engine = restoration->restore->engine;
    list_remove(&restoration->link);
    if (restoration->place != NUMBERS_NONE)
        numbers_release(&engine->units.wanted, restoration->place);
    os_arena_clear(&restoration->arena);
    os_free(restoration->target);
    os_free(restoration);
    units_look(engine);
}

static void try_later(struct restoration *restoration, enum status status)
{
    struct restore *restore = restoration->restore;
    uint32_t pause = pause_of(restore, ++restoration->tries, status);
    os_arena_clear(&restoration->arena);
    if (!os_timer_set(restore->engine->loop, &restoration->timer, os_now() + pause))
        restoration_free(restoration);
}

static void on_login(void *context, enum status status, struct engine_session *session)
{
    struct restoration *restoration = context;
    (void)session;
    restoration->login = NULL;
    if (status == STATUS_OK || status == STATUS_LOGIN_TARGET_REMOVED)
        restoration_free(restoration);
    else
        try_later(restoration, status);
}

/* Somebody logged in by hand meanwhile, and a second session was not asked for. */
static bool is_made_already(const struct restoration *restoration,
                            const struct persistent_login *login)
{
    if (login->options != NULL && (login->options->flags & LOGIN_FLAG_MULTIPATH) != 0)
        return false;
    LIST_EACH(node, &restoration->restore->engine->sessions)
    {
        const struct engine_session *session = LIST_OWNER(node, struct engine_session, link);
        if (!session->restored && name_equal(session->target, login->target))
            return true;
    }
    return false;
}

static void log_in(struct restoration *restoration, const struct persistent_login *login)
{
    restoration->request = (struct request_login){
        .target = login->target,
        .informational = login->informational,
        .initiator = login->initiator,
        .initiator_port = login->initiator_port,
        .portal = login->portal,
        .security_flags = login->security_flags,
        .options = login->options,
        .key = login->key,
        .mapping = login->mapping,
    };
    restoration->again.connect_most = restore_patience(restoration->tries);
    restoration->login = engine_login_new(restoration->restore->engine, &restoration->request,
                                          on_login, restoration);
    if (restoration->login == NULL)
        try_later(restoration, STATUS_NO_MEMORY);
    else
        engine_login_run_again(restoration->login, &restoration->again);
}

static void try_now(struct restoration *restoration)
{
    const struct persistent_login *login = NULL;
    struct store *store;
    enum status status = engine_store(restoration->restore->engine, &store);
    if (status == STATUS_OK)
        status = store_login(store, restoration->number, &restoration->arena, &login);
    if (status != STATUS_OK)
        try_later(restoration, status);
    else if (login == NULL || is_made_already(restoration, login))
        restoration_free(restoration);
    else
        log_in(restoration, login);
}

static void on_login_timer(struct os_timer *timer)
{
    try_now(LIST_OWNER(timer, struct restoration, timer));
}

/* --- the list --- */

/* The nth login to a target has the nth ISID, in each run. */
static uint16_t count_same(const struct restore *restore, const char *target)
{
    uint16_t count = 0;
    LIST_EACH(node, &restore->logins)
    {
        count = (uint16_t)(count + name_equal(RESTORATION(node)->target, target));
    }
    return count;
}

/* Sessions that ask for no place must not take it meanwhile. */
static uint32_t keep_place(struct engine *engine, const struct persistent_login *login)
{
    if (login->mapping == NULL || login->informational ||
        check_mapping(login->mapping) != STATUS_OK)
        return NUMBERS_NONE;
    uint32_t place = mapping_place(login->mapping);
    return numbers_take(&engine->units.wanted, place) == STATUS_OK ? place : NUMBERS_NONE;
}

static bool add(struct restore *restore, const struct persistent_login *login)
{
    struct restoration *restoration = os_alloc(sizeof *restoration);
    if (restoration == NULL)
        return false;
    restoration->restore = restore;
    restoration->number = login->number;
    restoration->informational = login->informational;
    restoration->timer.fire = on_login_timer;
    restoration->again.qualifier = count_same(restore, login->target);
    restoration->target = os_copy_text(login->target);
    restoration->place = keep_place(restore->engine, login);
    list_append(&restore->logins, &restoration->link);
    if (restoration->target != NULL)
        return true;
    restoration_free(restoration);
    return false;
}

static void forget_logins(struct restore *restore)
{
    struct list *first;
    while ((first = list_first(&restore->logins)) != NULL)
        restoration_free(RESTORATION(first));
}

/* All or none. */
static enum status read_logins(struct restore *restore)
{
    struct store *store;
    struct os_arena arena = {0};
    struct persistent_login_list logins = {NULL, 0};
    enum status status = engine_store(restore->engine, &store);
    if (status == STATUS_OK)
        status = store_logins(store, &arena, false, &logins);
    for (uint32_t i = 0; status == STATUS_OK && i < logins.count; i++) {
        if (!add(restore, &logins.items[i]))
            status = STATUS_NO_MEMORY;
    }
    if (status != STATUS_OK)
        forget_logins(restore);
    os_arena_clear(&arena);
    return status;
}

/* --- the portals --- */

static void look_later(struct restore *restore, enum status status)
{
    uint32_t pause = pause_of(restore, ++restore->tries, status);
    os_timer_set(restore->engine->loop, &restore->timer, os_now() + pause);
}

static void on_explored(void *context, enum status status)
{
    struct restore *restore = context;
    restore->exploration = NULL;
    if (status != STATUS_OK)
        look_later(restore, status);
}

static void explore(struct restore *restore)
{
    enum status status = exploration_start(restore->engine, EXPLORE_UNANSWERED, on_explored,
                                           restore, &restore->exploration);
    if (status != STATUS_OK)
        look_later(restore, status);
}

/* --- all of it --- */

static void look(struct restore *restore)
{
    enum status status = restore->read ? STATUS_OK : read_logins(restore);
    if (status != STATUS_OK) {
        look_later(restore, status);
        return;
    }
    bool first = !restore->read;
    restore->read = true;
    explore(restore);
    if (!first)
        return;
    LIST_EACH_SAFE(node, &restore->logins)
    {
        try_now(RESTORATION(node));
    }
}

static void on_timer(struct os_timer *timer)
{
    look(LIST_OWNER(timer, struct restore, timer));
}

void restore_begin(struct engine *engine)
{
    struct restore *restore = os_alloc(sizeof *restore);
    engine->restoring = restore;
    if (restore == NULL)
        return;
    restore->engine = engine;
    restore->began = os_now();
    restore->timer.fire = on_timer;
    list_init(&restore->logins);
    look(restore);
}

void restore_end(struct engine *engine)
{
    struct restore *restore = engine->restoring;
    engine->restoring = NULL;
    if (restore == NULL)
        return;
    exploration_cancel(restore->exploration);
    os_timer_clear(&restore->timer);
    forget_logins(restore);
    os_free(restore);
}

bool restore_pending(const struct engine *engine)
{
    const struct restore *restore = engine->restoring;
    return restore != NULL && (!restore->read || !list_empty(&restore->logins));
}

bool restore_has(const struct engine *engine, const char *target)
{
    const struct restore *restore = engine->restoring;
    if (restore == NULL)
        return false;
    LIST_EACH(node, &restore->logins)
    {
        const struct restoration *restoration = RESTORATION(node);
        if (!restoration->informational && name_equal(restoration->target, target))
            return true;
    }
    return !restore->read;
}

bool restore_wanted(struct engine *engine)
{
    struct store *store;
    struct os_arena arena = {0};
    struct persistent_login_list logins = {NULL, 0};
    if (!engine->service)
        return false;
    bool wanted = engine_store(engine, &store) == STATUS_OK &&
                  store_logins(store, &arena, false, &logins) == STATUS_OK && logins.count > 0;
    os_arena_clear(&arena);
    return wanted;
}
