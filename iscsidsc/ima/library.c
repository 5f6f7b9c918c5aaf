#include "ima/library.h"

#include "ima/checks.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/system.h"

#include <stdatomic.h>
#include <string.h>

/* As the door's transport (door/door.c): no lock guards these, for it might be held when a fork
 * comes. */
static _Atomic(struct ima_library *) current;
static atomic_uint owner;   /* pid for which `current` was made */
static atomic_uint builder; /* pid of the process in which a thread makes it, else 0 */

static atomic_uint calls; /* into plugins, under way */
static atomic_bool ended;

static struct ima_library *library_new(struct ima_library *parent)
{
    struct ima_library *library = os_alloc(sizeof *library);
    if (library == NULL)
        return NULL;
    library->events = ima_events_new();
    if (library->events == NULL) {
        os_free(library);
        return NULL;
    }
    library->of_parent = parent;
    return library;
}

static void add_builtin(struct ima_library *library)
{
    struct ima_plugin *plugin = &library->plugins[0];
    plugin->owner = IMA_OWNER_BUILTIN;
    plugin->functions = ima_builtin;
    library->plugin_count = 1;
    if (ima_builtin.Initialize != NULL)
        ima_builtin.Initialize(IMA_OWNER_BUILTIN);
}

/* A plugin that is called again after that might be in the middle of anything. */
static void end_plugins(void)
{
    struct ima_library *library = atomic_load(&current);
    if (library == NULL || atomic_load(&owner) != os_process_id())
        return;
    atomic_store(&ended, true);
    if (atomic_load(&calls) != 0)
        return;
    for (size_t i = library->plugin_count; i-- > 0;) {
        if (library->plugins[i].functions.Terminate != NULL)
            library->plugins[i].functions.Terminate();
    }
}

static struct ima_library *build(void)
{
    struct ima_library *parent = atomic_load(&current);
    struct ima_library *library = library_new(parent);
    if (library == NULL)
        return NULL;
    if (parent != NULL) {
        memcpy(library->plugins, parent->plugins, sizeof library->plugins);
        library->plugin_count = parent->plugin_count;
        atomic_store(&calls, 0);
        return library;
    }
    os_pin_library();
    add_builtin(library);
    ima_load_plugins(library);
    os_at_exit(end_plugins);
    return library;
}

static bool become_builder(unsigned pid)
{
    for (;;) {
        unsigned seen = atomic_load(&builder);
        if (seen != pid && atomic_compare_exchange_strong(&builder, &seen, pid))
            return true;
        if (seen == pid)
            os_sleep(1);
        if (atomic_load(&owner) == pid)
            return false;
    }
}

struct ima_library *ima_library(void)
{
    unsigned pid = os_process_id();
    if (atomic_load(&owner) == pid)
        return atomic_load(&current);
    if (become_builder(pid)) {
        if (atomic_load(&owner) != pid) {
            struct ima_library *built = build();
            if (built != NULL) {
                atomic_store(&current, built);
                atomic_store(&owner, pid);
            }
        }
        atomic_store(&builder, 0);
    }
    return atomic_load(&owner) == pid ? atomic_load(&current) : NULL;
}

const struct ima_plugin *ima_plugin_of(IMA_UINT32 id)
{
    const struct ima_library *library = ima_library();
    if (library == NULL || id == IMA_LIBRARY_OWNER_ID || id > library->plugin_count)
        return NULL;
    return &library->plugins[id - 1];
}

bool ima_enter(void)
{
    atomic_fetch_add(&calls, 1);
    if (!atomic_load(&ended))
        return true;
    ima_leave();
    return false;
}

void ima_leave(void)
{
    atomic_fetch_sub(&calls, 1);
}
