/*
 * Loading the plugins of ima.conf. One that is not there, that is none, that crashes or does not
 * come back when it is initialized, or that is there already is left out.
 */
#include "ima/configuration.h"
#include "ima/library.h"

#include "os/memory.h"

#include <string.h>

enum { REHEARSAL_MS = 5000 };

struct candidate {
    const struct ima_library *library;
    const char *path;
    struct ima_plugin *plugin;
};

static void find_function(const struct os_module *module, const char *name, void *member)
{
    os_function function = os_module_function(module, name);
    memcpy(member, &function, sizeof function);
}

#define FIND_LIBRARY(NAME)
#define FIND_SHARED(NAME)                                                      find_function(module, "IMA_" #NAME, &functions->NAME);
#define FIND_MERGED                                                            FIND_SHARED
#define FIND_OWNER                                                             FIND_SHARED
#define FIND_LIST                                                              FIND_SHARED
#define FIND_OBJECT                                                            FIND_SHARED
#define FIND_KEYS                                                              FIND_SHARED
#define FIND(NAME, DISPATCH, OID, TYPES, RESULT, PARAMETERS, ARGUMENTS, VALID) FIND_##DISPATCH(NAME)

static void find_functions(const struct os_module *module, struct ima_plugin_functions *functions)
{
    find_function(module, "Initialize", &functions->Initialize);
    find_function(module, "Terminate", &functions->Terminate);
    IMA_FUNCTIONS(FIND)
    if (functions->PluginIOctl == NULL)
        find_function(module, "IMA_PluginIOCtl", &functions->PluginIOctl);
}

/* A library that frees no lists is no plugin; ours is none either, and would ask itself forever. */
static bool is_plugin(const struct ima_plugin_functions *functions)
{
    return functions->FreeMemory != NULL && functions->FreeMemory != IMA_FreeMemory;
}

/* Under another name, perhaps: it would get a second owner id, and use it for all its objects. */
static bool is_new(const struct ima_library *library, const struct os_module *module)
{
    for (size_t i = 0; i < library->plugin_count; i++) {
        if (os_module_same(module, library->plugins[i].module))
            return false;
    }
    return true;
}

static bool load_and_initialize(void *argument)
{
    const struct candidate *candidate = argument;
    struct ima_plugin *plugin = candidate->plugin;
    plugin->module = os_module_open(candidate->path);
    if (plugin->module == NULL || !is_new(candidate->library, plugin->module))
        return false;
    find_functions(plugin->module, &plugin->functions);
    if (!is_plugin(&plugin->functions))
        return false;
    return plugin->functions.Initialize == NULL ||
           IMA_SUCCESS(plugin->functions.Initialize(plugin->owner));
}

static void load(struct ima_library *library, const char *path)
{
    struct ima_plugin *plugin = &library->plugins[library->plugin_count];
    struct candidate candidate = {library, path, plugin};
    memset(plugin, 0, sizeof *plugin);
    plugin->owner = (IMA_UINT32)(IMA_LIBRARY_OWNER_ID + 1 + library->plugin_count);
    if (os_rehearse(load_and_initialize, &candidate, REHEARSAL_MS) &&
        os_guarded(load_and_initialize, &candidate))
        library->plugin_count++;
    else
        os_module_close(plugin->module);
}

void ima_load_plugins(struct ima_library *library)
{
    char *text = ima_conf_read();
    const char *rest = text;
    struct ima_conf_line line;
    while (rest != NULL && library->plugin_count < 1 + IMA_PLUGINS_MOST &&
           ima_conf_next(&rest, &line))
        load(library, line.path);
    os_free(text);
}
