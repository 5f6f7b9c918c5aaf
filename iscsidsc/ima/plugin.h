/* What the library knows of a plugin, and the built-in one. */
#ifndef IMA_PLUGIN_INTERFACE_H
#define IMA_PLUGIN_INTERFACE_H

#include "ima/functions.h"
#include "ima_plugin.h"

#define IMA_MEMBER_LIBRARY(NAME, PARAMETERS)
#define IMA_MEMBER_SHARED(NAME, PARAMETERS) IMA_STATUS(*NAME) PARAMETERS;
#define IMA_MEMBER_MERGED                   IMA_MEMBER_SHARED
#define IMA_MEMBER_OWNER                    IMA_MEMBER_SHARED
#define IMA_MEMBER_LIST                     IMA_MEMBER_SHARED
#define IMA_MEMBER_OBJECT                   IMA_MEMBER_SHARED
#define IMA_MEMBER_KEYS                     IMA_MEMBER_SHARED

/* The functions of a plugin, without IMA_: as ima_plugin.h says. NULL: it does not have that one.
 */
#define IMA_MEMBER(NAME, DISPATCH, OID, TYPES, RESULT, PARAMETERS, ARGUMENTS, VALID)               \
    IMA_MEMBER_##DISPATCH(NAME, PARAMETERS)
struct ima_plugin_functions {
    InitializeFn Initialize;
    TerminateFn Terminate;
    IMA_FUNCTIONS(IMA_MEMBER)
};

/* Our own engine as a plugin: always there, with the first owner id. Its functions also make the
 * loadable plugin. It answers for the shared node. */
extern const struct ima_plugin_functions ima_builtin;

#endif
