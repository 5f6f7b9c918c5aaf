#include "engine/temporary_targets.h"
#include "os/memory.h"

/* One that is not stored. */
struct temporary {
    struct list link;
    struct os_arena arena; /* what it points to, a password included */
    struct static_target target;
};

#define TEMPORARY(node) LIST_OWNER(node, struct temporary, link)

static struct temporary *find(const struct engine *engine, const char *name)
{
    LIST_EACH(node, &engine->temporary_targets)
    {
        if (name_equal(TEMPORARY(node)->target.target, name))
            return TEMPORARY(node);
    }
    return NULL;
}

static void drop(struct temporary *temporary)
{
    if (temporary == NULL)
        return;
    list_remove(&temporary->link);
    os_arena_wipe(&temporary->arena);
    os_free(temporary);
}

void temporary_targets_forget(struct engine *engine)
{
    LIST_EACH_SAFE(node, &engine->temporary_targets)
    {
        drop(TEMPORARY(node));
    }
}

const struct static_target *temporary_target(const struct engine *engine, const char *name)
{
    const struct temporary *temporary = find(engine, name);
    return temporary != NULL ? &temporary->target : NULL;
}

const struct static_target *temporary_target_of(const struct list *node)
{
    return &TEMPORARY(node)->target;
}

void temporary_target_drop(struct engine *engine, const char *name)
{
    drop(find(engine, name));
}

/* --- copies --- */

static const char *copy_text(struct os_arena *arena, const char *text)
{
    return os_arena_text(arena, text != NULL ? text : "");
}

static bool copy_blob(struct os_arena *arena, struct blob *blob)
{
    if (blob->data != NULL)
        blob->data = os_arena_copy(arena, blob->data, blob->length);
    return blob->data != NULL || blob->length == 0;
}

static bool copy_options(struct os_arena *arena, const struct login_options **options)
{
    if (*options == NULL)
        return true;
    struct login_options *copy = os_arena_copy(arena, *options, sizeof *copy);
    *options = copy;
    return copy != NULL && copy_blob(arena, &copy->username) && copy_blob(arena, &copy->password);
}

static bool copy_mapping(struct os_arena *arena, const struct mapping **mapping)
{
    if (*mapping == NULL)
        return true;
    struct mapping *copy = os_arena_copy(arena, *mapping, sizeof *copy);
    *mapping = copy;
    if (copy == NULL)
        return false;
    copy->os_device = copy_text(arena, copy->os_device);
    copy->luns.items =
        os_arena_copy(arena, copy->luns.items, copy->luns.count * sizeof *copy->luns.items);
    return copy->os_device != NULL && copy->luns.items != NULL;
}

static bool copy_portals(struct os_arena *arena, struct portal_list *portals)
{
    struct portal *items = os_arena_copy(arena, portals->items, portals->count * sizeof *items);
    portals->items = items;
    for (uint32_t i = 0; items != NULL && i < portals->count; i++) {
        items[i].address = copy_text(arena, items[i].address);
        items[i].symbolic_name = copy_text(arena, items[i].symbolic_name);
        if (items[i].address == NULL || items[i].symbolic_name == NULL)
            return false;
    }
    return items != NULL;
}

static bool copy_target(struct os_arena *arena, const struct static_target *from,
                        struct static_target *out)
{
    *out = *from;
    out->target = copy_text(arena, from->target);
    out->alias = copy_text(arena, from->alias);
    return out->target != NULL && out->alias != NULL && copy_options(arena, &out->options) &&
           copy_mapping(arena, &out->mapping) && copy_portals(arena, &out->portals);
}

enum status temporary_target_copy(const struct engine *engine, const char *name,
                                  struct os_arena *arena, bool secrets,
                                  const struct static_target **out)
{
    struct static_target shown = find(engine, name)->target;
    struct static_target *copy = os_arena_alloc(arena, sizeof *copy);
    struct login_options options;
    if (!secrets && shown.options != NULL) {
        options = *shown.options;
        options.password = (struct blob){NULL, 0};
        shown.options = &options;
    }
    if (copy == NULL || !copy_target(arena, &shown, copy))
        return STATUS_NO_MEMORY;
    *out = copy;
    return STATUS_OK;
}

enum status temporary_target_keep(struct engine *engine, const struct static_target *target)
{
    struct temporary *temporary = os_alloc(sizeof *temporary);
    if (temporary == NULL)
        return STATUS_NO_MEMORY;
    list_init(&temporary->link);
    if (!copy_target(&temporary->arena, target, &temporary->target)) {
        drop(temporary);
        return STATUS_NO_MEMORY;
    }
    drop(find(engine, target->target));
    list_append(&engine->temporary_targets, &temporary->link);
    return STATUS_OK;
}
