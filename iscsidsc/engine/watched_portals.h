/*
 * The discovery addresses of iscsi.conf. A service asks them when it starts, all at once, again
 * and again while they are down, and from time to time, or keeps a discovery session that
 * tells of changes (Continuous). What they find is logged in to: see automatic_logins.h. They are
 * on the list of discovery portals, but not in the store.
 */
#ifndef ENGINE_WATCHED_PORTALS_H
#define ENGINE_WATCHED_PORTALS_H

#include "engine/model.h"

void watched_portals_init(struct engine *engine);
/* A service starts. */
void watched_portals_begin(struct engine *engine);
/* There is another configuration: new addresses are asked, of those that are gone the discovery
 * sessions end. Nothing before the begin. */
void watched_portals_reload(struct engine *engine);
/* SendTargets has been enabled, or is not wanted any more. */
void watched_portals_enable(struct engine *engine, bool enabled);
/* The engine stops. */
void watched_portals_end(struct engine *engine);

/* The portal of this mechanism has told what it knows, whoever asked. */
void watched_portals_answered(struct engine *engine, const struct mechanism *mechanism);

/* Is the portal one of the configuration? */
bool watched_portal_fits(const struct engine *engine, const struct portal *portal);
/* The stored discovery portals, and behind them those of the configuration that are not stored. */
enum status watched_portals_list(const struct engine *engine, struct store *store,
                                 struct os_arena *arena, bool secrets,
                                 struct discovery_portal_list *out);

#endif
