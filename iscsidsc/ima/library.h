/* The library's own state: the plugins, and who wants to hear of events. */
#ifndef IMA_LIBRARY_H
#define IMA_LIBRARY_H

#include "ima/plugin.h"
#include "os/module.h"
#include "os/thread.h"

#include <stdbool.h>

enum { IMA_PLUGINS_MOST = 32, IMA_OWNER_BUILTIN = IMA_LIBRARY_OWNER_ID + 1 };

struct ima_plugin {
    IMA_UINT32 owner;
    struct ima_plugin_functions functions;
    struct os_module *module; /* NULL: the built-in one */
};

struct ima_events;

/*
 * That of this process: made at the first call, and kept. A process made by fork has the plugins
 * that its parent had loaded, and no registrations for events: the threads that report them are the
 * parent's.
 */
struct ima_library {
    struct ima_plugin plugins[1 + IMA_PLUGINS_MOST];
    size_t plugin_count;
    struct ima_events *events;
    struct ima_library *of_parent;
};
/* NULL: out of memory. */
struct ima_library *ima_library(void);

/* NULL: there is none. */
const struct ima_plugin *ima_plugin_of(IMA_UINT32 owner);

/* Every call into a plugin is between these two. False: the process ends, and the plugin was told
 * so. */
bool ima_enter(void);
void ima_leave(void);

/* load.c: the plugins of ima.conf, behind those that are there. */
void ima_load_plugins(struct ima_library *library);

/* events.c */
struct ima_events *ima_events_new(void);
void ima_events_free(struct ima_events *events);

/* lists.c: what a plugin has returned becomes the library's, or an error and NULL. */
IMA_STATUS ima_take_list(const struct ima_plugin *plugin, IMA_STATUS status, IMA_OID_LIST *theirs,
                         unsigned types, IMA_OID_LIST **out);
IMA_STATUS ima_take_keys(const struct ima_plugin *plugin, IMA_STATUS status,
                         IMA_ADDRESS_KEYS *theirs, IMA_ADDRESS_KEYS **out);
/* `out` may be NULL. */
IMA_STATUS ima_take_object(const struct ima_plugin *plugin, IMA_STATUS status,
                           const IMA_OID *theirs, unsigned types, IMA_OID *out);
/* The lists of all plugins that have the function and succeed, behind one another; the first one's
 * error if none does. `member`: its offset in the functions. */
IMA_STATUS ima_merge_lists(size_t member, unsigned types, IMA_OID_LIST **out);
/* NULL: out of memory. */
IMA_OID_LIST *ima_new_list(IMA_UINT count);

/* call.c: the object's owner, or what is wrong with the call, in the order that ima.h promises.
 * Success begins a call into the plugin: ima_leave ends it. */
IMA_STATUS ima_begin(bool valid, IMA_OID oid, unsigned types, const struct ima_plugin **plugin);
/* The same without the plugin: whether the OID has one of the types. */
IMA_STATUS ima_check_type(IMA_OID oid, unsigned types);

#endif
