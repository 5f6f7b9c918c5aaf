/* Makes the links of Wine prefixes what they are to be. */
#include "devices/wine_internal.h"
#include "os/prefix.h"

#include <stdio.h>
#include <string.h>

struct round {
    struct wine_plan *plan;
    const struct wine_place *place;
    struct os_prefix prefix;
    bool has_driver;
};

static void tell(struct round *round, const char *name, enum status status)
{
    char path[OS_PATH_ROOM];
    struct os_arena *arena = &round->plan->arena;
    struct wine_problem *problem = os_arena_alloc(arena, sizeof *problem);
    snprintf(path, sizeof path, "%s/dosdevices/%s", round->place->path, name);
    if (problem == NULL || (problem->path = os_arena_text(arena, path)) == NULL)
        return;
    problem->status = status;
    problem->next = round->plan->problems;
    round->plan->problems = problem;
}

/* --- which links are ours --- */

/* The text and a number; NULL, or what follows. */
static const char *after_number(const char *text, const char *before)
{
    size_t length = strlen(before);
    if (strncmp(text, before, length) != 0)
        return NULL;
    size_t digits = strspn(text + length, "0123456789");
    return digits > 0 ? text + length + digits : NULL;
}

static bool is_name_of_ours(const char *name)
{
    static const char *const kinds[] = {"physicaldrive", "cdrom", "iscsidisk"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *end = after_number(name, kinds[i]);
        if (end != NULL && *end == '\0')
            return true;
    }
    return false;
}

static bool leads_below(const char *text, const char *root)
{
    size_t length = root != NULL ? strlen(root) : 0;
    return length > 0 && strncmp(text, root, length) == 0 && text[length] == '/';
}

/* As another service makes them, whatever its root is: .../bus0/target0/lun0 */
static bool has_our_form(const char *text)
{
    const char *at = strstr(text, "/bus");
    for (const char *next = at; next != NULL; next = strstr(next + 1, "/bus"))
        at = next;
    at = at != NULL ? after_number(at, "/bus") : NULL;
    at = at != NULL ? after_number(at, "/target") : NULL;
    at = at != NULL ? after_number(at, "/lun") : NULL;
    return at != NULL && (*at == '\0' || strcmp(at, "/disk") == 0);
}

/* A link would come before a device that the driver makes of the same name. */
static bool is_the_drivers(const struct round *round, const char *name)
{
    return round->has_driver && strncmp(name, "physicaldrive", strlen("physicaldrive")) == 0;
}

static bool is_wanted(const struct round *round, const char *name, const char *text)
{
    const struct wine_plan *plan = round->plan;
    if (round->place->retired || is_the_drivers(round, name))
        return false;
    for (size_t i = 0; i < plan->name_count; i++) {
        if (strcmp(plan->names[i].name, name) == 0)
            return strcmp(plan->names[i].text, text) == 0;
    }
    return false;
}

/* --- one prefix --- */

static void remove_old(void *context, const char *name)
{
    const struct round *round = context;
    const struct wine_plan *plan = round->plan;
    char text[OS_PATH_ROOM];
    if (!is_name_of_ours(name) || !os_prefix_link(&round->prefix, name, text) ||
        (!leads_below(text, plan->roots[0]) && !leads_below(text, plan->roots[1])))
        return;
    if (!is_wanted(round, name, text))
        os_prefix_remove(&round->prefix, name);
}

/* One that another service has left behind gives way; everything else is somebody's. */
static void make(struct round *round, const struct wine_name *wanted)
{
    char text[OS_PATH_ROOM];
    const struct os_prefix *prefix = &round->prefix;
    if (is_the_drivers(round, wanted->name))
        return;
    bool linked = os_prefix_link(prefix, wanted->name, text);
    if (linked && strcmp(text, wanted->text) == 0)
        return;
    if (linked && has_our_form(text) && !os_prefix_leads(prefix, wanted->name))
        os_prefix_remove(prefix, wanted->name);
    enum status status = os_prefix_make(prefix, wanted->name, wanted->text);
    if (status != STATUS_OK && (wanted->fresh || round->place->fresh))
        tell(round, wanted->name, status);
}

static void go_through(struct wine_plan *plan, struct wine_place *place)
{
    struct round round = {.plan = plan, .place = place};
    place->status = os_prefix_open(&round.prefix, place->path, place->named);
    if (place->status != STATUS_OK)
        return;
    round.has_driver = os_prefix_has_driver(&round.prefix, "iscsidisk.sys");
    os_prefix_list(&round.prefix, remove_old, &round);
    for (size_t i = 0; i < plan->name_count && !place->retired; i++)
        make(&round, &plan->names[i]);
    os_prefix_close(&round.prefix);
}

/* Kept first: whatever happens now, the next start knows where links may be. */
void wine_run(struct wine_plan *plan)
{
    if (plan->text != NULL)
        plan->text_status = os_publish_file(plan->file, plan->text, OS_NO_GROUP);
    for (size_t i = 0; i < plan->place_count; i++)
        go_through(plan, &plan->places[i]);
}
