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
    EVENT_TARGET_CHANGED = 9,   /* its alias, who finds it, or what logins to it propose */
    EVENT_NODE_CHANGED = 10,    /* the initiator's name or alias */
    EVENT_ADAPTER_CHANGED = 11, /* what is set for all targets */
    EVENT_UNIT_ADDED = 12,
    EVENT_UNIT_REMOVED = 13,
    EVENT_UNIT_CHANGED = 14, /* its capacity, or whether it is exposed */
};

#define EVENTS_KEPT 4096u

void events_init(struct events *events);
/* Nobody may wait any more. */
void events_clear(struct events *events);

void events_session(const struct engine_session *session, enum event_kind kind);
void events_target(struct engine *engine, const char *target, enum event_kind kind);
void events_portal(struct engine *engine, const struct portal *portal, enum event_kind kind);
void events_adapter(struct engine *engine, enum event_kind kind);
void events_unit(struct engine *engine, const char *target, uint64_t lun, enum event_kind kind);

/* Another number whenever anything has come, gone or changed in any engine of this process. From
 * any thread. */
unsigned events_revision(void);

#endif
