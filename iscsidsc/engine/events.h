/*
 * What came and went, told to callers that wait for it. Events are numbered; the latest EVENTS_KEPT
 * are kept once anybody has asked, so that who asks again misses none.
 */
#ifndef ENGINE_EVENTS_H
#define ENGINE_EVENTS_H

#include "engine/sessions.h"

/* The numbers travel: never reuse one. */
enum event_kind {
    EVENT_SESSION_ADDED = 1,
    EVENT_SESSION_REMOVED = 2,
    EVENT_SESSION_CONNECTED = 3, /* again, after it had lost its connection */
    EVENT_SESSION_DISCONNECTED = 4,
    EVENT_TARGET_ADDED = 5,
    EVENT_TARGET_REMOVED = 6,
    EVENT_PORTAL_ADDED = 7, /* or its options were changed */
    EVENT_PORTAL_REMOVED = 8,
};

#define EVENTS_KEPT 4096u

void events_init(struct events *events);
/* Nobody may wait any more. */
void events_clear(struct events *events);

void events_session(const struct engine_session *session, enum event_kind kind);
void events_target(struct engine *engine, const char *target, enum event_kind kind);
void events_portal(struct engine *engine, const struct portal *portal, enum event_kind kind);

#endif
