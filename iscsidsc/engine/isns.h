/*
 * The iSNS servers that this engine follows: those on the list. It stays registered with each of
 * them, and what they tell goes into the catalogue; a server that is lost is tried again and again,
 * and what it had told stays known meanwhile.
 */
#ifndef ENGINE_ISNS_H
#define ENGINE_ISNS_H

#include "engine/exploration.h"
#include "engine/probe.h"

/*
 * Follows a listed server, and asks it as the mode says: EXPLORE_NEW and EXPLORE_SOON when it was
 * never asked, or the first answer has been due for less than `most` milliseconds;
 * EXPLORE_UNANSWERED not at all, for it is tried again without being asked to; else in any case. OK
 * with `*waiting`: the waiter will be told; else there is nothing to wait for.
 */
enum status isns_servers_ask(struct engine *engine, const char *address, enum exploration_mode mode,
                             uint64_t most, struct probe_waiter *waiter, bool *waiting);

/* Servers that are on the list no longer are not followed any more. `forget`: what they told goes
 * as well. */
void isns_servers_keep(struct engine *engine, const struct text_list *listed, bool forget);

/* The initiator has another name: it says goodbye under the old one. */
void isns_servers_renamed(struct engine *engine);

/* The engine stops: takes leave of all servers. */
void isns_servers_leave(struct engine *engine);
/* Nobody is left to take leave of. */
bool isns_servers_left(const struct engine *engine);
/* At once. */
void isns_servers_drop(struct engine *engine);

#endif
