/* Lists of objects: copied from plugins, looked at, merged. */
#include "ima/checks.h"
#include "ima/library.h"

#include "os/memory.h"

#include <stddef.h>
#include <string.h>

/* More than that is nonsense. */
enum { LIST_MOST = 1 << 24 };

IMA_OID_LIST *ima_new_list(IMA_UINT count)
{
    size_t size = offsetof(IMA_OID_LIST, oids) + (size_t)count * sizeof(IMA_OID);
    IMA_OID_LIST *list = os_alloc(size > sizeof *list ? size : sizeof *list);
    if (list != NULL)
        list->oidCount = count;
    return list;
}

static void give_back(const struct ima_plugin *plugin, void *theirs)
{
    if (plugin->functions.FreeMemory != NULL)
        plugin->functions.FreeMemory(theirs);
}

static bool is_object_of(const struct ima_plugin *plugin, IMA_OID oid, unsigned types)
{
    return ima_is_object_type(oid.objectType) && (types & (1u << oid.objectType)) != 0 &&
           oid.ownerId == plugin->owner;
}

static bool all_fit(const struct ima_plugin *plugin, const IMA_OID_LIST *list, unsigned types)
{
    for (IMA_UINT i = 0; i < list->oidCount; i++) {
        if (!is_object_of(plugin, list->oids[i], types))
            return false;
    }
    return true;
}

/*
 * A count and what it counts, which stands `start` bytes behind it. What a plugin points to need
 * not be there. *out is NULL if there was no memory for it.
 */
static bool copy_counted(const void *theirs, size_t start, size_t item, void **out)
{
    IMA_UINT count;
    if (theirs == NULL || !os_copy_memory(&count, theirs, sizeof count) || count > LIST_MOST)
        return false;
    size_t size = start + (size_t)count * item;
    *out = os_alloc(size + item);
    if (*out == NULL || os_copy_memory(*out, theirs, count > 0 ? size : sizeof count))
        return true;
    os_free(*out);
    return false;
}

/* The built-in plugin's memory is the library's, and nonsense in it would be our own. */
static IMA_STATUS take(const struct ima_plugin *plugin, IMA_STATUS status, void *theirs,
                       size_t start, size_t item, void **out)
{
    *out = NULL;
    if (IMA_ERROR(status))
        return status;
    if (plugin->module == NULL) {
        *out = theirs;
        return status;
    }
    if (!copy_counted(theirs, start, item, out))
        return IMA_ERROR_UNKNOWN_ERROR; /* not given back: it need not be the plugin's memory */
    give_back(plugin, theirs);
    return *out != NULL ? status : IMA_ERROR_INSUFFICIENT_MEMORY;
}

IMA_STATUS ima_take_list(const struct ima_plugin *plugin, IMA_STATUS status, IMA_OID_LIST *theirs,
                         unsigned types, IMA_OID_LIST **out)
{
    void *list;
    status = take(plugin, status, theirs, offsetof(IMA_OID_LIST, oids), sizeof(IMA_OID), &list);
    *out = list;
    if (IMA_SUCCESS(status) && !all_fit(plugin, *out, types)) {
        os_free(*out);
        *out = NULL;
        return IMA_ERROR_UNKNOWN_ERROR;
    }
    return status;
}

IMA_STATUS ima_take_keys(const struct ima_plugin *plugin, IMA_STATUS status,
                         IMA_ADDRESS_KEYS *theirs, IMA_ADDRESS_KEYS **out)
{
    void *keys;
    status = take(plugin, status, theirs, offsetof(IMA_ADDRESS_KEYS, addressKeys),
                  sizeof(IMA_ADDRESS_KEY), &keys);
    *out = keys;
    return status;
}

IMA_STATUS ima_take_object(const struct ima_plugin *plugin, IMA_STATUS status,
                           const IMA_OID *theirs, unsigned types, IMA_OID *out)
{
    if (IMA_ERROR(status) || out == NULL)
        return status;
    if (!is_object_of(plugin, *theirs, types))
        return IMA_ERROR_UNKNOWN_ERROR;
    *out = *theirs;
    return status;
}

/* --- of all plugins --- */

typedef IMA_STATUS (*list_function)(IMA_OID_LIST **ppList);

static IMA_STATUS ask(const struct ima_plugin *plugin, size_t member, unsigned types,
                      IMA_OID_LIST **out)
{
    list_function function;
    IMA_OID_LIST *theirs = NULL;
    memcpy(&function, (const char *)&plugin->functions + member, sizeof function);
    IMA_STATUS status = function != NULL ? function(&theirs) : IMA_ERROR_NOT_SUPPORTED;
    return ima_take_list(plugin, status, theirs, types, out);
}

/* `more` is freed; *list is NULL when there is no memory. */
static void append(IMA_OID_LIST **list, IMA_OID_LIST *more)
{
    if (*list == NULL) {
        *list = more;
        return;
    }
    IMA_OID_LIST *both = ima_new_list((*list)->oidCount + more->oidCount);
    if (both != NULL) {
        memcpy(both->oids, (*list)->oids, (*list)->oidCount * sizeof(IMA_OID));
        memcpy(both->oids + (*list)->oidCount, more->oids, more->oidCount * sizeof(IMA_OID));
    }
    os_free(*list);
    os_free(more);
    *list = both;
}

static IMA_STATUS merge(const struct ima_library *library, size_t member, unsigned types,
                        IMA_OID_LIST **out)
{
    IMA_STATUS first_error = IMA_STATUS_SUCCESS;
    for (size_t i = 0; i < library->plugin_count; i++) {
        IMA_OID_LIST *more;
        IMA_STATUS status = ask(&library->plugins[i], member, types, &more);
        if (IMA_SUCCESS(status)) {
            append(out, more);
            if (*out == NULL)
                return IMA_ERROR_INSUFFICIENT_MEMORY;
        } else if (first_error == IMA_STATUS_SUCCESS) {
            first_error = status;
        }
    }
    return *out != NULL ? IMA_STATUS_SUCCESS : first_error;
}

IMA_STATUS ima_merge_lists(size_t member, unsigned types, IMA_OID_LIST **out)
{
    const struct ima_library *library = ima_library();
    *out = NULL;
    if (library == NULL)
        return IMA_ERROR_INSUFFICIENT_MEMORY;
    if (!ima_enter())
        return IMA_ERROR_UNEXPECTED_OS_ERROR;
    IMA_STATUS status = merge(library, member, types, out);
    ima_leave();
    return status;
}
