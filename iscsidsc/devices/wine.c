/* Which names are to be in which prefixes. */
#include "devices/wine_internal.h"
#include "engine/devices.h"
#include "os/runtime.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { NAME_ROOM = 32 };

struct name {
    struct list link;
    char name[NAME_ROOM];
    char *text;
    bool fresh;
};

struct prefix {
    struct list link;
    char *path;
    bool named;
    bool retired; /* of an earlier run: it is only cleaned up */
    bool fresh;
    bool told; /* that it cannot be used */
};

struct wine {
    struct worker *worker;
    char *root;
    char *old_root; /* of an earlier run; NULL: the same, or done with */
    char *file;
    char *kept; /* what the file holds, as far as is known; NULL: nothing */
    void (*told)(void *context, const char *path, enum status status);
    void (*changed)(void *changed_context);
    void *changed_context;
    void *context;
    struct list names;
    struct list prefixes;
    size_t prefix_count;
    struct worker_job job;
    struct wine_plan *plan; /* under way, or NULL */
    bool again;
};

#define NAME(node)   LIST_OWNER(node, struct name, link)
#define PREFIX(node) LIST_OWNER(node, struct prefix, link)

/* --- prefixes --- */

static void prefix_free(struct wine *wine, struct prefix *prefix)
{
    list_remove(&prefix->link);
    wine->prefix_count--;
    os_free(prefix->path);
    os_free(prefix);
}

static struct prefix *find_prefix(const struct wine *wine, const char *path)
{
    LIST_EACH(node, &wine->prefixes)
    {
        if (strcmp(PREFIX(node)->path, path) == 0)
            return PREFIX(node);
    }
    return NULL;
}

/* Paths are compared as they are spelt; a line break would be another line of the file. */
static enum status check_prefix(const char *path)
{
    bool good = path[0] == '/' && strlen(path) < OS_PATH_ROOM && strpbrk(path, "\r\n") == NULL;
    return good ? STATUS_OK : STATUS_INVALID_PARAMETER;
}

static enum status add_prefix(struct wine *wine, const char *path, bool named, bool retired)
{
    enum status status = check_prefix(path);
    struct prefix *prefix = find_prefix(wine, path);
    if (status != STATUS_OK || (prefix != NULL && !prefix->retired))
        return status;
    if (prefix == NULL && wine->prefix_count >= WINE_PREFIXES_MOST)
        return STATUS_BUSY;
    if (prefix == NULL) {
        prefix = os_alloc(sizeof *prefix);
        char *copy = os_copy_text(path);
        if (prefix == NULL || copy == NULL) {
            os_free(prefix);
            os_free(copy);
            return STATUS_NO_MEMORY;
        }
        prefix->path = copy;
        list_append(&wine->prefixes, &prefix->link);
        wine->prefix_count++;
    }
    prefix->named = named;
    prefix->retired = retired;
    prefix->fresh = true;
    return STATUS_OK;
}

/* --- what is kept --- */

static void append(char *out, const char *word, const char *path)
{
    strcat(out, word);
    strcat(out, path);
    strcat(out, "\n");
}

/* NULL: out of memory. */
static char *text_to_keep(const struct wine *wine, struct os_arena *arena)
{
    size_t room = strlen(wine->root) + 32;
    LIST_EACH(node, &wine->prefixes)
    {
        room += strlen(PREFIX(node)->path) + 16;
    }
    char *text = os_arena_alloc(arena, room);
    if (text == NULL)
        return NULL;
    append(text, "devices ", wine->root);
    LIST_EACH(node, &wine->prefixes)
    {
        append(text, PREFIX(node)->named ? "named " : "prefix ", PREFIX(node)->path);
    }
    return text;
}

/* What an administrator named then and does not now is only cleaned up. */
static void take_line(struct wine *wine, const char *line)
{
    if (strncmp(line, "devices /", 9) == 0 && strcmp(line + 8, wine->root) != 0) {
        os_free(wine->old_root);
        wine->old_root = os_copy_text(line + 8);
    } else if (strncmp(line, "prefix ", 7) == 0 && find_prefix(wine, line + 7) == NULL) {
        add_prefix(wine, line + 7, false, false);
    } else if (strncmp(line, "named ", 6) == 0 && find_prefix(wine, line + 6) == NULL) {
        add_prefix(wine, line + 6, true, true);
    }
}

static void read_kept(struct wine *wine)
{
    size_t length;
    char *text;
    if (wine->file == NULL || os_read_own_file(wine->file, &text, &length) != STATUS_OK ||
        text == NULL)
        return;
    wine->kept = os_copy_text(text);
    char *rest = text;
    while (*rest != '\0') {
        char *line = rest;
        rest += strcspn(rest, "\n");
        if (*rest == '\n')
            *rest++ = '\0';
        take_line(wine, line);
    }
    os_free(text);
}

/* --- plans --- */

static bool plan_names(struct wine *wine, struct wine_plan *plan)
{
    size_t count = 0;
    LIST_EACH(node, &wine->names)
    {
        count++;
    }
    plan->names = os_arena_alloc(&plan->arena, (count + 1) * sizeof *plan->names);
    if (plan->names == NULL)
        return false;
    LIST_EACH(node, &wine->names)
    {
        struct wine_name *out = &plan->names[plan->name_count++];
        *out = (struct wine_name){os_arena_text(&plan->arena, NAME(node)->name),
                                  os_arena_text(&plan->arena, NAME(node)->text), NAME(node)->fresh};
        if (out->name == NULL || out->text == NULL)
            return false;
    }
    return true;
}

static bool plan_places(struct wine *wine, struct wine_plan *plan)
{
    plan->places = os_arena_alloc(&plan->arena, (wine->prefix_count + 1) * sizeof *plan->places);
    if (plan->places == NULL)
        return false;
    LIST_EACH(node, &wine->prefixes)
    {
        const struct prefix *prefix = PREFIX(node);
        struct wine_place *out = &plan->places[plan->place_count++];
        *out = (struct wine_place){.path = os_arena_text(&plan->arena, prefix->path),
                                   .named = prefix->named,
                                   .retired = prefix->retired,
                                   .fresh = prefix->fresh};
        if (out->path == NULL)
            return false;
    }
    return true;
}

static bool plan_file(const struct wine *wine, struct wine_plan *plan)
{
    char *text = text_to_keep(wine, &plan->arena);
    if (text == NULL)
        return false;
    if (wine->file != NULL && (wine->kept == NULL || strcmp(text, wine->kept) != 0))
        plan->text = text;
    return true;
}

static void plan_free(struct wine_plan *plan)
{
    if (plan != NULL)
        os_arena_clear(&plan->arena);
    os_free(plan);
}

/* NULL: out of memory. */
static struct wine_plan *plan_new(struct wine *wine)
{
    struct wine_plan *plan = os_alloc(sizeof *plan);
    if (plan == NULL)
        return NULL;
    plan->roots[0] = wine->root;
    plan->roots[1] = wine->old_root;
    plan->file = wine->file;
    if (plan_names(wine, plan) && plan_places(wine, plan) && plan_file(wine, plan))
        return plan;
    plan_free(plan);
    return NULL;
}

static void all_told(struct wine *wine)
{
    LIST_EACH(node, &wine->names)
    {
        NAME(node)->fresh = false;
    }
    LIST_EACH(node, &wine->prefixes)
    {
        PREFIX(node)->fresh = false;
    }
}

/* Without memory for it, it is done with the next change. */
static void start(struct wine *wine)
{
    if (wine->plan != NULL) {
        wine->again = true;
        return;
    }
    wine->again = false;
    if (wine->prefix_count == 0)
        return;
    wine->plan = plan_new(wine);
    if (wine->plan == NULL) {
        wine->told(wine->context, wine->root, STATUS_NO_MEMORY);
        return;
    }
    all_told(wine);
    worker_post(wine->worker, &wine->job);
}

/* --- what has become of it --- */

static void take_text(struct wine *wine, const struct wine_plan *plan)
{
    if (plan->text == NULL)
        return;
    if (plan->text_status != STATUS_OK) {
        wine->told(wine->context, plan->file, plan->text_status);
        return;
    }
    os_free(wine->kept);
    wine->kept = os_copy_text(plan->text);
}

/* One that a client has told of and that cannot be used is forgotten; what an administrator has
 * named may come to be. */
static void take_place(struct wine *wine, const struct wine_place *place)
{
    struct prefix *prefix = find_prefix(wine, place->path);
    bool failed = place->status != STATUS_OK;
    if (prefix == NULL)
        return;
    if (place->retired) {
        if (prefix->retired)
            prefix_free(wine, prefix);
        return;
    }
    if (place->fresh || (failed && !prefix->told))
        wine->told(wine->context, place->path, place->status);
    prefix->told = failed;
    if (failed && !prefix->named)
        prefix_free(wine, prefix);
}

static void on_run(struct worker_job *job)
{
    wine_run(LIST_OWNER(job, struct wine, job)->plan);
}

static void on_done(struct worker_job *job)
{
    struct wine *wine = LIST_OWNER(job, struct wine, job);
    struct wine_plan *plan = wine->plan;
    size_t before = wine->prefix_count;
    take_text(wine, plan);
    for (size_t i = 0; i < plan->place_count; i++)
        take_place(wine, &plan->places[i]);
    for (const struct wine_problem *problem = plan->problems; problem != NULL;
         problem = problem->next)
        wine->told(wine->context, problem->path, problem->status);
    plan_free(plan);
    wine->plan = NULL;
    os_free(wine->old_root);
    wine->old_root = NULL;
    if (wine->again || (wine->prefix_count != before && wine->prefix_count > 0))
        start(wine);
    if (wine->plan == NULL)
        wine->changed(wine->changed_context);
}

bool wine_is_current(const struct wine *wine)
{
    return wine->plan == NULL;
}

/* --- its users --- */

enum status wine_use(struct wine *wine, const char *prefix)
{
    const struct prefix *known = find_prefix(wine, prefix);
    if (known != NULL && !known->retired)
        return STATUS_OK;
    enum status status = add_prefix(wine, prefix, false, false);
    if (status == STATUS_OK)
        start(wine);
    return status;
}

static bool add_name(struct wine *wine, const char *name, const char *directory, const char *file)
{
    struct name *entry = os_alloc(sizeof *entry);
    size_t room = strlen(directory) + strlen(file) + 1;
    if (entry != NULL)
        entry->text = os_alloc(room);
    if (entry == NULL || entry->text == NULL) {
        os_free(entry);
        wine->told(wine->context, directory, STATUS_NO_MEMORY);
        return false;
    }
    snprintf(entry->name, sizeof entry->name, "%s", name);
    snprintf(entry->text, room, "%s%s", directory, file);
    entry->fresh = true;
    list_append(&wine->names, &entry->link);
    return true;
}

static void name_free(struct name *entry)
{
    list_remove(&entry->link);
    os_free(entry->text);
    os_free(entry);
}

static void remove_name(struct wine *wine, const char *name)
{
    LIST_EACH_SAFE(node, &wine->names)
    {
        if (strcmp(NAME(node)->name, name) == 0)
            name_free(NAME(node));
    }
}

/* "\\.\PhysicalDrive1" in the spelling of Wine's directory. False: it has no place there. */
static bool name_of(const struct unit *unit, char out[NAME_ROOM])
{
    char legacy[UNIT_NAME_ROOM];
    if (unit->class == NULL ||
        (unit->class->family != UNIT_DISK && unit->class->family != UNIT_CDROM))
        return false;
    unit_legacy_name(unit, legacy);
    snprintf(out, NAME_ROOM, "%.*s", NAME_ROOM - 1, legacy + strlen("\\\\.\\"));
    for (char *c = out; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return true;
}

static bool driver_name_of(const struct unit *unit, char out[NAME_ROOM])
{
    snprintf(out, NAME_ROOM, "iscsidisk%lu", (unsigned long)unit->number);
    return unit->class->family == UNIT_DISK;
}

void wine_add(struct wine *wine, const struct unit *unit, const char *directory)
{
    char name[NAME_ROOM];
    if (!name_of(unit, name) || !add_name(wine, name, directory, "/disk"))
        return;
    if (driver_name_of(unit, name))
        add_name(wine, name, directory, "");
    start(wine);
}

void wine_remove(struct wine *wine, const struct unit *unit)
{
    char name[NAME_ROOM];
    if (!name_of(unit, name))
        return;
    remove_name(wine, name);
    if (driver_name_of(unit, name))
        remove_name(wine, name);
    start(wine);
}

/* --- the start and the end --- */

void wine_name_prefixes(struct wine *wine, const char *paths)
{
    char *copy = os_copy_text(paths);
    char *rest = copy;
    while (rest != NULL && *rest != '\0') {
        char *path = rest;
        rest += strcspn(rest, ":");
        if (*rest == ':')
            *rest++ = '\0';
        enum status status = *path != '\0' ? add_prefix(wine, path, true, false) : STATUS_OK;
        if (status != STATUS_OK)
            wine->told(wine->context, path, status);
    }
    if (copy == NULL)
        wine->told(wine->context, paths, STATUS_NO_MEMORY);
    os_free(copy);
}

void wine_begin(struct wine *wine)
{
    read_kept(wine);
    start(wine);
}

struct wine *wine_new(const struct wine_settings *settings)
{
    struct wine *wine = os_alloc(sizeof *wine);
    if (wine == NULL)
        return NULL;
    *wine = (struct wine){
        .worker = settings->worker,
        .root = os_copy_text(settings->root),
        .file = settings->file != NULL ? os_copy_text(settings->file) : NULL,
        .told = settings->told,
        .changed = settings->changed,
        .changed_context = settings->changed_context,
        .context = settings->context,
        .job = {.run = on_run, .done = on_done},
    };
    list_init(&wine->names);
    list_init(&wine->prefixes);
    if (wine->root != NULL && (wine->file != NULL || settings->file == NULL))
        return wine;
    wine_free(wine);
    return NULL;
}

void wine_free(struct wine *wine)
{
    struct list *first;
    if (wine == NULL)
        return;
    while ((first = list_first(&wine->names)) != NULL)
        name_free(NAME(first));
    while ((first = list_first(&wine->prefixes)) != NULL)
        prefix_free(wine, PREFIX(first));
    os_free(wine->root);
    os_free(wine->old_root);
    os_free(wine->file);
    os_free(wine->kept);
    os_free(wine);
}
