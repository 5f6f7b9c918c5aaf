#include "engine/paths.h"
#include "engine/io.h"

enum {
    VERIFY_PATIENCE = 30000, /* milliseconds for a target to tell what is behind a path */
    LOSS_PATIENCE = 1000,    /* and for a loss to be told of */
};

#define PATH(node) LIST_OWNER(node, struct path, link)

/* --- the life of a path --- */

void path_join(struct unit *unit)
{
    struct path *path = &unit->path;
    list_init(&path->link);
    path->unit = unit;
    path->volume = volume_for(unit);
    if (path->volume == NULL)
        return;
    list_append(&path->volume->paths, &path->link);
    path_verify(unit);
}

void path_leave(struct unit *unit)
{
    struct path *path = &unit->path;
    struct volume *volume = path->volume;
    struct engine *engine = unit->session->engine;
    if (volume == NULL)
        return;
    path->volume = NULL;
    list_remove(&path->link);
    if (volume->chosen == path)
        volume->chosen = NULL;
    volume_hold(volume);
    io_defer(engine);
    io_leave_path(path);
    io_redispatch(&volume->waiting); /* where there is no other path, they end */
    io_undefer(engine);
    volume_release(volume);
}

void path_verify(struct unit *unit)
{
    struct path *path = &unit->path;
    struct volume *volume = path->volume;
    if (volume == NULL)
        return;
    uint64_t lun = volume->facts.lun; /* of its first path, as its target is */
    path->verified = true;
    volume->facts = unit->facts;
    volume->facts.lun = lun;
    io_defer(volume->engine); /* in the middle of something, nobody is told */
    io_redispatch(&volume->waiting);
    io_undefer(volume->engine);
}

void path_doubt(struct unit *unit)
{
    struct path *path = &unit->path;
    if (path->volume == NULL)
        return;
    path->verified = false;
    path->verify_until = os_now() + VERIFY_PATIENCE;
}

bool path_is_awaited(const struct unit *unit)
{
    const struct path *path = &unit->path;
    return path->volume != NULL && !path->verified && !list_empty(&path->volume->waiting);
}

/* --- choosing --- */

static bool is_usable(const struct path *path)
{
    const struct engine_session *session = path->unit->session;
    return path->verified && engine_session_usable(session);
}

/* A preferred path is taken back as soon as it can be had. */
static struct path *choose_fail_over(struct volume *volume, const struct path *avoid)
{
    struct path *best = volume->chosen;
    if (best != NULL && (best == avoid || !is_usable(best)))
        best = NULL;
    LIST_EACH(node, &volume->paths)
    {
        struct path *path = PATH(node);
        if (path != avoid && is_usable(path) && (best == NULL || path->preferred))
            best = path;
    }
    volume->chosen = best != NULL ? best : volume->chosen;
    return best;
}

static struct path *choose_next(struct volume *volume, const struct path *avoid)
{
    struct path *best = NULL;
    bool by_depth = volume->policy == PATH_LEAST_QUEUE_DEPTH;
    LIST_EACH(node, &volume->paths)
    {
        struct path *path = PATH(node);
        if (path == avoid || !is_usable(path))
            continue;
        if (best == NULL || (by_depth && path->outstanding < best->outstanding))
            best = path;
        if (!by_depth)
            break;
    }
    if (best != NULL) { /* the others are before it next time */
        list_remove(&best->link);
        list_append(&volume->paths, &best->link);
    }
    return best;
}

static struct path *choose(struct volume *volume, const struct path *avoid)
{
    return volume->policy == PATH_FAIL_OVER_ONLY ? choose_fail_over(volume, avoid)
                                                 : choose_next(volume, avoid);
}

struct path *path_choose(struct volume *volume, const struct path *avoid)
{
    struct path *path = choose(volume, avoid);
    return path == NULL && avoid != NULL ? choose(volume, NULL) : path;
}

static uint64_t hope_of(const struct path *path)
{
    const struct engine_session *session = path->unit->session;
    switch (session->state) {
    case ENGINE_SESSION_RECONNECT:
        return session->hold_until;
    case ENGINE_SESSION_LIVE:
        if (portal_move_holds(session))
            return OS_NEVER; /* its end tells those who wait */
        if (!path->verified)
            return path->verify_until;
        return os_now() + LOSS_PATIENCE + /* its logout may be under way */
               engine_session_hold_time(session);
    default:
        return 0;
    }
}

void path_ask(struct volume *volume)
{
    LIST_EACH(node, &volume->paths)
    {
        struct path *path = PATH(node);
        if (path->verified || !units_idle(path->unit->session))
            continue;
        path->verify_until = os_now() + VERIFY_PATIENCE;
        units_renew(path->unit->session);
    }
}

uint64_t path_hope(const struct volume *volume)
{
    uint64_t until = 0;
    LIST_EACH(node, &volume->paths)
    {
        uint64_t of_path = hope_of(PATH(node));
        until = of_path > until ? of_path : until;
    }
    return until;
}

/* --- for those who look --- */

/* Without a command since it was lost, a volume has not chosen another one yet. */
static const struct path *would_choose(const struct volume *volume)
{
    const struct path *best = volume->chosen;
    if (best != NULL && !is_usable(best))
        best = NULL;
    LIST_EACH(node, &volume->paths)
    {
        const struct path *path = PATH(node);
        if (is_usable(path) && (best == NULL || path->preferred))
            best = path;
    }
    return best;
}

enum path_state path_state(const struct path *path)
{
    if (path->volume == NULL)
        return PATH_REMOVED;
    if (!is_usable(path))
        return PATH_FAILED;
    if (path->volume->policy == PATH_FAIL_OVER_ONLY && would_choose(path->volume) != path)
        return PATH_STANDBY;
    return PATH_ACTIVE;
}

void path_prefer(struct path *path)
{
    LIST_EACH(node, &path->volume->paths)
    {
        PATH(node)->preferred = false;
    }
    path->preferred = true;
}
