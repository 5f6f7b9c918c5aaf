/*
 * Many threads that mix all functions, each with a model of what is its own: whatever the others
 * do, that has to be as it left it. What all share is checked against the history of what was done
 * to it.
 */
#ifndef PARALLEL_H
#define PARALLEL_H

#include "../msapi_support.h"
#include "../msapi_text.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    WORKERS = 32,
    OWNED = 3,    /* things of each kind that a worker has */
    SESSIONS = 3, /* at a time */
    CONNECTIONS = 3,
    ENDED = 4, /* sessions that are remembered after their end */
    NAME_ROOM = 96,
};

#define ANY_PORT ISCSI_ANY_INITIATOR_PORT

/* Each change writes a number of its own into all that can be set: a mixture of two would show. */
struct owned_portal {
    bool listed;
    ULONG version;
};

struct owned_target {
    bool known;
    bool hidden;
    ULONG version;
};

struct owned_session {
    bool live;
    bool informational;
    ULONG most; /* connections, as negotiated */
    ULONG connection_count;
    ISCSI_UNIQUE_SESSION_ID id;
    ISCSI_UNIQUE_CONNECTION_ID connections[CONNECTIONS + 1];
};

struct worker {
    unsigned number;
    uint64_t random;
    uint64_t deadline;
    char problem[600];
    void *room; /* for reports */
    size_t room_size;
    ULONG version;
    struct owned_portal portals[OWNED];
    struct owned_target targets[OWNED];
    ULONG logins[OWNED]; /* how often each is stored */
    bool radius[OWNED];
    bool isns[OWNED];
    ULONG ike[OWNED]; /* version, 0: not set */
    struct owned_session sessions[SESSIONS];
    ISCSI_UNIQUE_SESSION_ID ended[ENDED];
    unsigned ended_count;
};

/* Notes what is wrong, once; the worker stops then. Always false. */
bool wrong(struct worker *worker, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;
/* Something went wrong somewhere. */
bool failed(void);
/* That, or the time is over. */
bool stopped(const struct worker *worker);
uint32_t draw(struct worker *worker, uint32_t below);

/* --- calls --- */
/* Counts the call, so that none of the exports is forgotten. */
void count_call(const char *export_name);
#define TEXT_OF_(tokens) #tokens
#define TEXT_OF(tokens)  TEXT_OF_(tokens)
#define USE(function)    (count_call(TEXT_OF(function)), function)
/* True when the call gave what the model says. */
#define GIVES(worker, code, call)                                                                  \
    gives((worker), (ISDSC_STATUS)(code), (call), #call, __FILE__, __LINE__)
bool gives(struct worker *worker, ISDSC_STATUS expected, ISDSC_STATUS got, const char *call,
           const char *file, int line);

/* Room in the worker's buffer, and what was delivered into it. */
struct report {
    ULONG size;
    ULONG count;
    void *data;
};
typedef ISDSC_STATUS report_call(struct report *report, void *context);
/* Calls with more and more room for as long as that is asked for. `unit`: bytes of the size's unit.
 */
bool fetch(struct worker *worker, report_call *call, void *context, size_t unit,
           struct report *report);
/* NULL-safe: do the `size` bytes lie in what was delivered? */
bool inside(const struct report *report, size_t unit, const void *pointer, size_t size);

/* --- names --- */
/* Of the thing with that index of a worker; a static buffer per thread, used in turn. */
const char *name_of(const char *kind, unsigned worker, unsigned index);
/* Whose it is and which: false for a name that name_of does not make. */
bool name_parse(const char *name, const char *kind, unsigned *worker, unsigned *index);
const char *address_of(unsigned worker, unsigned index);
bool address_parse(const char *address, unsigned *worker, unsigned *index);
struct endpoint main_portal(void);
struct endpoint shared_portal(void);
struct endpoint refused_portal(void);
/* The target that is the worker's own: it has a disk, and several connections are allowed. */
const char *own_target(unsigned worker);

/* --- ids: none twice --- */
bool id_is_new(ULONGLONG adapter, ULONGLONG specific, bool connection);

/* --- history of what is shared --- */
enum event_kind {
    NODE_NAME_SET,
    NODE_NAME_READ,
    SHARED_ADDED,
    SHARED_REMOVED,
    SHARED_MISSED, /* removal that found nothing */
};
uint64_t history_now(void);
/* Something that began at `start`, ended just now and concerned that value. */
void history_add(enum event_kind kind, uint64_t start, uint64_t value);
/* What cannot have been, as a text; NULL when all can. */
const char *history_check(void);

/* --- what workers do --- */
struct action {
    const char *name;
    void (*run)(struct worker *worker);
};
extern const struct action discovery_actions[], target_actions[], session_actions[],
    setting_actions[], server_actions[], device_actions[];
/* All is quiet: exactly what the models say is there, and nothing else. */
bool final_portals(struct worker *workers);
bool final_targets(struct worker *workers);
bool final_sessions(struct worker *workers);
bool final_logins(struct worker *workers);
bool final_servers(struct worker *workers);

#endif
