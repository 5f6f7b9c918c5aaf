/*
 * What a service does when it starts: it makes the persistent logins and asks the discovery
 * portals, all in parallel, and goes on trying those that fail. Only logins that were stored before
 * it started count; one that is removed is not tried any more.
 */
#ifndef ENGINE_RESTORE_H
#define ENGINE_RESTORE_H

#include "engine/model.h"

void restore_begin(struct engine *engine);
/* Harmless when it never began. */
void restore_end(struct engine *engine);

/* Are there logins still to be made? */
bool restore_pending(const struct engine *engine);

/* Is one of them to that target, or is not known yet which there are? Informational ones do not
 * count. */
bool restore_has(const struct engine *engine, const char *target);

/* In a service: are there logins still to be made, or stored for its next start? */
bool restore_wanted(struct engine *engine);

/* The pause before a try of what a service does by itself since `began`, in milliseconds, when so
 * many were in vain, the latest with that status. */
uint32_t restore_pause(const struct engine *engine, uint64_t began, unsigned tries,
                       enum status status);
/* How long such a login may wait for a connection, in milliseconds. */
uint32_t restore_patience(unsigned tries);

#endif
