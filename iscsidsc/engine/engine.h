/*
 * The engine: the model of targets, portals, sessions and settings, and the store behind it.
 * One thread runs it and every connection of the process. Interfaces reach it only through
 * door/; the door hands it calls.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/operations.h"
#include "os/list.h"
#include "os/loop.h"
#include "os/memory.h"
#include "protocol/status.h"

struct engine;

/* Starts the thread. `state_directory` NULL: the platform's (os_state_directory). The store is
 * opened at the first operation that needs it, so this fails only for want of memory. */
enum status engine_start(struct engine **out, const char *state_directory);
/* The same for a service: it makes the persistent logins and asks the discovery portals, and goes
 * on trying those that fail for as long as it runs. */
enum status engine_start_service(struct engine **out, const char *state_directory);
/*
 * Once, after engine_start_service: `ready` is called on the engine's thread with `left` 0 when the
 * devices that are bound are there, or after as long as the configuration lets a start take;
 * `missing` tells how many are not. If that is not at once it is called before with the
 * milliseconds that are left.
 */
typedef void engine_ready(void *context, unsigned missing, uint32_t left);
void engine_when_ready(struct engine *engine, engine_ready *ready, void *context);
/* Ends what runs: pending calls finish with STATUS_CANCELLED, sessions are logged out within a
 * bound. */
void engine_stop(struct engine *engine);

struct os_loop *engine_loop(struct engine *engine);

/* On the engine's thread: engine_stop was called, operations are only cancelled any more. */
bool engine_stopping(const struct engine *engine);
/* On the engine's thread: there are sessions, something is under way, iSNS servers are followed,
 * static targets are known that would be lost, or logins are stored for a service to make. */
bool engine_busy(struct engine *engine);

/* On the engine's thread: the configuration from now on, which becomes the engine's. Sessions keep
 * what they were logged in with. */
struct configuration;
void engine_configure(struct engine *engine, struct configuration *configuration);

/*
 * Before the first call, by a service: `run` is called on the engine's thread when somebody wants
 * the configuration to be read again. Then or at any time another thread calls
 * engine_reload_begins, reads it, and tells engine_reloaded what came of it: callers that had asked
 * by then hear of it.
 */
void engine_on_reload(struct engine *engine, void (*run)(void *context), void *context);
uintptr_t engine_reload_begins(struct engine *engine);
void engine_reloaded(struct engine *engine, uintptr_t begun, enum status outcome,
                     const struct text_list *problems);

/*
 * One operation under way. The door makes it, with `request` decoded, and runs it on the
 * engine's thread with operation->run(call). The handler ends it exactly once, at once or
 * later, with engine_finish; the reply is copied by the door before that returns.
 */
struct engine_call {
    struct engine *engine;
    const struct operation_info *operation;
    const void *request;   /* struct request_<name>, lives until the call has finished */
    struct os_arena arena; /* for building the reply; cleared by the door after the finish */
    /* The door's. */
    void (*finished)(struct engine_call *call, enum status status, const void *reply);
    void *client;

    /* The handler's, for calls that do not finish at once. */
    void (*cancel)(struct engine_call *call); /* the client is gone: end it soon; may be NULL */
    void *state;
    struct list link; /* among the engine's pending calls */
};

/* `reply`: struct reply_<name> *, NULL when it has no fields or with a failure that has no reply.
 */
void engine_finish(struct engine_call *call, enum status status, const void *reply);

#endif
