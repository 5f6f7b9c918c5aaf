/* Which portal of a target comes first: the preferred one, then those of the preferred network,
 * then the others (PreferredPortal and PreferredSubnet of iscsi.conf). */
#ifndef ENGINE_PORTAL_ORDER_H
#define ENGINE_PORTAL_ORDER_H

#include "engine/network.h"
#include "protocol/name.h"

struct portal_preference {
    struct portal_address portal; /* without a host: none; port 0: any */
    struct network network;
    bool has_network;
};

/* The texts may be empty: no preference. What cannot be read is none either; the file's reader has
 * told of it. */
void portal_preference_set(struct portal_preference *preference, const char *portal,
                           const char *network);

bool portal_same(const struct portal_address *a, const struct portal_address *b);
/* "1.2.3.4" or "1.2.3.4:3260", to be compared by portal_is; false: neither. */
bool portal_wanted(const char *text, struct portal_address *out);
/* `wanted` may leave the port open. Literals are compared as addresses. */
bool portal_is(const struct portal_address *portal, const struct portal_address *wanted);

/* 0: none is better. */
unsigned portal_rank(const struct portal_preference *preference,
                     const struct portal_address *portal);

/* The better ones first, those of one rank in the order that they had. */
void portals_sort(const struct portal_preference *preference, struct portal_address *portals,
                  size_t count);
/*
 * The order for going on after `last` was lost: sorted, and of one rank those that are listed
 * behind the last one first, for each shall have its turn. The last one itself comes first, or at
 * the end. It is put in where it is missing: there is room for one more.
 */
size_t portals_after(const struct portal_preference *preference, struct portal_address *portals,
                     size_t count, const struct portal_address *last, bool last_first);

#endif
