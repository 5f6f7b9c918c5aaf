/* What is set for the adapter, whatever the target: alias, authentication, ways of discovery. */
#ifndef ENGINE_ADAPTER_SETTINGS_H
#define ENGINE_ADAPTER_SETTINGS_H

#include "engine/options.h"

/* As IMA_TARGET_DISCOVERY_METHOD_*. There is no SLP. */
enum discovery_method {
    DISCOVERY_STATIC = 1,
    DISCOVERY_ISNS = 4,
    DISCOVERY_SENDTARGETS = 8,
    DISCOVERY_ALL = DISCOVERY_STATIC | DISCOVERY_ISNS | DISCOVERY_SENDTARGETS,
};

/* As the store has it. Read again only when the store may have changed: every login asks. Statuses
 * of the store. */
enum status adapter_settings(struct engine *engine, const struct adapter_settings **out);
/* This engine has changed them: tells whoever waits for events. */
void adapter_settings_changed(struct engine *engine);

/* Is targets' discovery by that method enabled? Where the store cannot tell it is. */
bool discovery_enabled(struct engine *engine, enum discovery_method method);
/* The iSNS servers that are to be asked: none where iSNS is disabled. Statuses of the store. */
enum status discovery_isns_servers(struct engine *engine, struct os_arena *arena,
                                   struct text_list *out);

/* CHAP as it is set for all logins that say nothing of authentication. Statuses of the store;
 * INVALID_TARGET_SECRET: there is no secret. */
enum status adapter_authentication(struct engine *engine, struct option_settings *out);

#endif
