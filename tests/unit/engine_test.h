/* What the tests of the engine share: an engine asked from the test's thread, and an embedded
 * target. */
#ifndef ENGINE_TEST_H
#define ENGINE_TEST_H

#include "os_test.h"

#include "engine/engine.h"
#include "os/crypto.h"
#include "target/fault.h"
#include "target/target.h"

#include <stdlib.h>

#define ANY_PORT 0xffffffffu
#define BASE     "iqn.2026-11.org.example"

/* --- directories --- */

static char directory[600]; /* of the test under way: a new one for each */

static inline void new_directory(void)
{
    static unsigned directories;
    const char *root = getenv("TEST_DIR");
    if (root == NULL)
        fail_msg("TEST_DIR is not set: run me through tests/harness/run.py");
    snprintf(directory, sizeof directory, "%s/engine%u", root, directories++);
    assert_status(os_make_private_directory(directory), STATUS_OK);
}

static inline void write_text(const char *name, const char *text)
{
    char path[700];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* --- asking the engine --- */

static struct engine *engine;

/* The nth allocation of each operation fails, on whatever thread; 0: none. */
static long failing_allocation;

/* A call and its answer. `copy` takes what is wanted out of a reply. */
struct ask {
    struct os_job job;
    struct os_job cancel_job;
    struct engine_call call;
    void (*copy)(const void *reply);
    struct os_mutex *mutex;
    struct os_condition *condition;
    enum status status;
    bool finished;
    bool cancelling;
};

static inline void ask_finished(struct engine_call *call, enum status status, const void *reply)
{
    struct ask *ask = call->client;
    if (ask->copy != NULL && reply != NULL && (status == STATUS_OK || status == STATUS_SCSI_STATUS))
        ask->copy(reply);
    os_arena_clear(&call->arena);
    os_mutex_lock(ask->mutex);
    ask->status = status;
    ask->finished = true;
    os_condition_signal(ask->condition);
    os_mutex_unlock(ask->mutex);
}

static inline void ask_run(struct os_job *job)
{
    struct ask *ask = LIST_OWNER(job, struct ask, job);
    os_alloc_fail_at(failing_allocation);
    ask->call.operation->run(&ask->call);
}

static inline void ask_cancel(struct os_job *job)
{
    struct ask *ask = LIST_OWNER(job, struct ask, cancel_job);
    if (!ask->finished)
        ask->call.cancel(&ask->call);
    os_mutex_lock(ask->mutex);
    ask->cancelling = false;
    os_condition_signal(ask->condition);
    os_mutex_unlock(ask->mutex);
}

/* As the door does when its client is gone; ask_wait must follow. */
static inline void ask_give_up(struct ask *ask)
{
    ask->cancelling = true;
    os_loop_post(engine_loop(engine), &ask->cancel_job);
}

static inline void ask_start(struct ask *ask, enum operation operation, const void *request,
                             void (*copy)(const void *reply))
{
    *ask = (struct ask){.job.run = ask_run, .cancel_job.run = ask_cancel, .copy = copy};
    ask->call = (struct engine_call){.engine = engine,
                                     .operation = operation_find(operation),
                                     .request = request,
                                     .finished = ask_finished,
                                     .client = ask};
    os_alloc_fail_at(0); /* what the call before it has left */
    ask->mutex = os_mutex_new();
    ask->condition = os_condition_new();
    assert_non_null(ask->mutex);
    assert_non_null(ask->condition);
    os_loop_post(engine_loop(engine), &ask->job);
}

static inline enum status ask_wait(struct ask *ask)
{
    uint64_t end = os_now() + BOUND;
    os_mutex_lock(ask->mutex);
    while (!ask->finished || ask->cancelling) {
        if (!os_condition_wait_until(ask->condition, ask->mutex, end)) {
            fprintf(stderr, "%s did not end within %u ms\n", ask->call.operation->name, BOUND);
            abort(); /* the engine still uses what is on our stack */
        }
    }
    os_mutex_unlock(ask->mutex);
    os_mutex_free(ask->mutex);
    os_condition_free(ask->condition);
    return ask->status;
}

static inline enum status ask(enum operation operation, const void *request,
                              void (*copy)(const void *reply))
{
    struct ask asked;
    ask_start(&asked, operation, request, copy);
    return ask_wait(&asked);
}

/* --- shorter forms --- */

static inline enum status add_portal_with(const struct portal_address *at,
                                          const struct login_options *options)
{
    const struct portal portal = {NULL, at->host, at->port};
    const struct discovery_portal entry = {
        .initiator_port = ANY_PORT, .portal = &portal, .options = options};
    const struct request_add_portal request = {.entry = &entry};
    return ask(OPERATION_add_portal, &request, NULL);
}

static inline enum status add_portal(const struct portal_address *at)
{
    return add_portal_with(at, NULL);
}

static struct unique_id last_session; /* of the latest login */
static struct unique_id last_connection;

static inline void copy_login(const void *reply)
{
    const struct reply_login *login = reply;
    last_session = *login->session;
    last_connection = *login->connection;
}

static inline enum status login_with(const char *target, const struct login_options *options)
{
    const struct request_login request = {
        .target = target, .initiator_port = ANY_PORT, .options = options};
    return ask(OPERATION_login, &request, copy_login);
}

static inline enum status login(const char *target)
{
    return login_with(target, NULL);
}

/* The engine has looked at the units of the latest session: it sends no commands of its own. */
static inline void settle(void)
{
    const struct request_list_devices request = {.session = &last_session};
    assert_status(ask(OPERATION_list_devices, &request, NULL), STATUS_OK);
}

static inline enum status logout(const struct unique_id *session)
{
    const struct request_logout request = {.session = session};
    return ask(OPERATION_logout, &request, NULL);
}

static char names[65536]; /* of the latest list, with a blank between them */

static inline void copy_names(const void *reply)
{
    const struct reply_list_targets *targets = reply;
    size_t length = 0;
    names[0] = '\0';
    for (uint32_t i = 0; i < targets->names.count && length < sizeof names - 300; i++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", i ? " " : "",
                                   targets->names.items[i]);
}

static inline enum status list_targets(bool force)
{
    const struct request_list_targets request = {.force_update = force};
    return ask(OPERATION_list_targets, &request, copy_names);
}

static uint32_t sessions; /* in the latest list */
static struct session_info last_listed;
static struct unique_id listed_id; /* its */
static struct connection_info last_listed_connection;
static char last_listed_text[6][300];

static inline const char *keep(unsigned index, const char *text)
{
    if (text == NULL)
        return NULL;
    snprintf(last_listed_text[index], sizeof last_listed_text[index], "%s", text);
    return last_listed_text[index];
}

static inline void copy_sessions(const void *reply)
{
    const struct reply_list_sessions *list = reply;
    sessions = list->sessions.count;
    if (sessions == 0)
        return;
    last_listed = list->sessions.items[sessions - 1];
    listed_id = *last_listed.id;
    last_listed_connection = (struct connection_info){0};
    if (last_listed.connections.count > 0)
        last_listed_connection = last_listed.connections.items[0];
    last_listed.initiator_name = keep(0, last_listed.initiator_name);
    last_listed.target_name = keep(1, last_listed.target_name);
    last_listed.target_alias = keep(2, last_listed.target_alias);
    last_listed_connection.initiator_address = keep(3, last_listed_connection.initiator_address);
    last_listed_connection.target_address = keep(4, last_listed_connection.target_address);
    memcpy(last_listed_text[5], last_listed.isid.data, 6);
}

static inline uint32_t count_sessions(void)
{
    const struct request_list_sessions request = {0};
    assert_status(ask(OPERATION_list_sessions, &request, copy_sessions), STATUS_OK);
    return sessions;
}

/* --- an embedded target on a thread of its own --- */

struct target_host {
    struct os_loop *loop;
    struct os_thread *thread;
    struct target_entity *entity;
    struct target_server *server;
    struct portal_address portal;
    struct os_job job;
};

/* Everything is set up before target_host_start; after it the loop's thread owns it. */
static inline void target_host_new(struct target_host *host)
{
    *host = (struct target_host){0};
    host->loop = os_loop_new();
    host->entity = target_entity_new(&os_crypto);
    host->server = target_server_new(host->loop, host->entity);
    assert_non_null(host->server);
    assert_status(target_server_listen(host->server, "127.0.0.1", 0, 1, &host->portal), STATUS_OK);
}

static inline struct target *target_host_add(struct target_host *host, const char *name)
{
    struct target *target;
    struct target_disk *disk;
    assert_status(target_add(host->entity, name, &target), STATUS_OK);
    assert_status(target_disk_ram(1 << 20, 512, &disk), STATUS_OK);
    assert_status(target_add_disk(target, 0, disk), STATUS_OK);
    return target;
}

static inline void target_host_run(void *argument)
{
    struct target_host *host = argument;
    os_loop_run(host->loop);
}

static inline void target_host_start(struct target_host *host)
{
    host->thread = os_thread_start(target_host_run, host);
    assert_non_null(host->thread);
}

static inline void target_host_stop(struct target_host *host)
{
    if (host->thread != NULL) {
        os_loop_stop(host->loop);
        os_thread_join(host->thread);
    }
    target_server_free(host->server);
    target_entity_free(host->entity);
    os_loop_free(host->loop);
    *host = (struct target_host){0};
}

#endif
