/*
 * For plugins of the iSCSI Management API: libraries that libima loads and asks
 * about the objects that they own. Include this file instead of ima.h.
 *
 * A plugin is a shared library that exports, with C linkage,
 *
 *   Initialize, Terminate    below
 *   IMA_FreeMemory           frees the lists that the plugin returns; NULL is fine
 *   IMA_...                  those of the functions of ima.h that it can do
 *
 * and that a line of ima.conf names: a name and a path, with blanks or a tab
 * between them. A function that is not exported is answered for the plugin with
 * IMA_ERROR_NOT_SUPPORTED. The ioctl may be exported as IMA_PluginIOctl or
 * IMA_PluginIOCtl.
 *
 * What the library does itself and asks no plugin for: IMA_GetLibraryProperties,
 * IMA_GetPluginOidList, IMA_GetAssociatedPluginOid, IMA_GetSharedNodeOid,
 * IMA_GetObjectType, IMA_GenerateNodeName.
 *
 * What a plugin can rely on. Parameters have been checked as ima.h says: pointers
 * that have to be there are, booleans are IMA_TRUE or IMA_FALSE, the OID has one
 * of the types that the function takes, and its owner is the plugin. That there is
 * such an object is for the plugin to say. No lock of the library's is held while a
 * plugin is called, and calls come from several threads at a time.
 *
 * What it has to keep to. Each OID that it makes has the ownerId it was given by
 * Initialize, and a type that fits; lists with other ones are refused, and the
 * caller gets IMA_ERROR_UNKNOWN_ERROR. An OID never comes to mean another object.
 * Lists are memory of the plugin's own: the library copies them and has
 * IMA_FreeMemory free them. The plugin's own OID is {IMA_OBJECT_TYPE_PLUGIN,
 * ownerId, 0}.
 *
 * The shared node. {IMA_OBJECT_TYPE_NODE, 0, 0} is the library's. When a client
 * sets its name or alias, IMA_SetNodeName and IMA_SetNodeAlias are called for it in
 * every plugin; when a client asks for its properties, IMA_GetNodeProperties is.
 * IMA_ERROR_NOT_SUPPORTED and IMA_ERROR_OBJECT_NOT_FOUND say that the plugin keeps
 * none, and every other error, or another name or alias, that it disagrees.
 *
 * Events. The library registers a function of its own, once, when the first client
 * registers. The plugin calls it from any thread, at best while it holds no lock: a
 * client function may call into the plugin again.
 */
#ifndef IMA_PLUGIN_H
#define IMA_PLUGIN_H

#if defined(IMA_H) && !defined(IMA_EXPORTS_)
#error "include ima_plugin.h instead of ima.h, or before it"
#endif
#ifndef IMA_EXPORTS_
#define IMA_EXPORTS_
#endif
#include "ima.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The owner of what the library owns itself. */
#define IMA_LIBRARY_OWNER_ID 0

/*
 * Called once, before anything else; may be missing. A plugin that returns an error is not used.
 * Before that it is loaded and initialized once in another process that ends at once, on trial:
 * there Terminate is not called (docs/ima.md).
 */
IMA_API IMA_STATUS Initialize(IMA_UINT32 ownerId);

/* Called when the process ends, once no call into the plugin is under way; may be missing. It may
 * come while the library's functions are registered: they must not be called any more when it has
 * returned. */
IMA_API void Terminate(void);

typedef IMA_STATUS (*InitializeFn)(IMA_UINT32 ownerId);
typedef void (*TerminateFn)(void);

#ifdef __cplusplus
}
#endif

#endif
