/* The calls for targets. */
#include "libiscsi/errors.h"
#include "libiscsi/target_state.h"
#include "libiscsi/trace.h"
#include "os/crypto.h"
#include "os/memory.h"
#include "os/system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ADDRESSES_MAX = 16,
    PORT_TRIES = 16, /* to find one that is free for both families */
    PATIENCE = 3000, /* milliseconds that initiators get to log out at the end */
};

static bool is_block_length(const char *value)
{
    static const char *const lengths[] = {"512", "1024", "2048", "4096", "8192"};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        if (strcmp(value, lengths[i]) == 0)
            return true;
    }
    return false;
}

static const struct variable target_variables[] = {
    {"iqn", "iqn.1994-04.org.netbsd.iscsi-target", name_valid},
    {"target port", "3260", variable_port_or_any},
    {"address family", "unspec", variable_family},
    {"max sessions", "16", variable_sessions},
    {"configfile", "/etc/iscsi/targets", variable_text},
    {"blocklen", "512", is_block_length},
    {"debug", NULL, variable_debug},
    {"targets", NULL, variable_any},
    {"listen address", NULL, variable_text},
    {"auth type", "none", variable_chap},
    {"authfile", "/etc/iscsi/auths", variable_text},
    {"mutual user", NULL, variable_text},
    {"target address", NULL, NULL},
    {"lost copies", NULL, NULL},
    {"error", NULL, NULL},
};

/* --- the handle --- */

static struct iscsi_target_state *state_of(iscsi_target_t *target)
{
    struct iscsi_target_state *state = target != NULL ? target->state : NULL;

    if (state == NULL)
        errno = EINVAL;
    return state;
}

const char *target_value(const struct iscsi_target_state *state, const char *name)
{
    for (size_t i = 0; i < state->variables.count; i++) {
        if (strcmp(state->variables.table[i].name, name) == 0)
            return state->variables.values[i];
    }
    return NULL;
}

static void state_free(struct iscsi_target_state *state)
{
    if (state->change != NULL)
        os_condition_free(state->change);
    if (state->mutex != NULL)
        os_mutex_free(state->mutex);
    variables_clear(&state->variables);
    os_free(state);
}

int iscsi_target_set_defaults(iscsi_target_t *target)
{
    struct iscsi_target_state *state;

    if (target == NULL)
        return error_return(EINVAL, 1);
    target->state = NULL;
    state = os_alloc(sizeof *state);
    if (state == NULL)
        return error_return(ENOMEM, 1);
    state->mutex = os_mutex_new();
    state->change = os_condition_new();
    if (state->mutex == NULL || state->change == NULL ||
        variables_init(&state->variables, target_variables,
                       sizeof target_variables / sizeof target_variables[0]) != 0) {
        state_free(state);
        return error_return(ENOMEM, 1);
    }
    target->state = state;
    return 1;
}

int iscsi_target_setvar(iscsi_target_t *target, const char *name, const char *value)
{
    struct iscsi_target_state *state = state_of(target);

    if (state == NULL || name == NULL || value == NULL)
        return error_return(EINVAL, 1);
    return error_return(variables_set(&state->variables, name, value), 1);
}

char *iscsi_target_getvar(iscsi_target_t *target, const char *name)
{
    struct iscsi_target_state *state = state_of(target);
    int error = EINVAL;
    char *value = NULL;

    if (state != NULL && name != NULL)
        value = variables_get(&state->variables, name, &error);
    errno = error;
    return value;
}

/* --- where it listens --- */

/* Cuts at the blanks. */
static size_t split_words(char *text, char *words[], size_t room)
{
    size_t count = 0;

    for (char *at = text; count < room;) {
        at += strspn(at, " \t,");
        if (*at == '\0')
            break;
        words[count++] = at;
        at += strcspn(at, " \t,");
        if (*at != '\0')
            *at++ = '\0';
    }
    return count;
}

/* The addresses to listen at, in `text`. The family counts where none are named. */
static size_t wanted_addresses(const struct iscsi_target_state *state, char *text, size_t room,
                               char *words[ADDRESSES_MAX])
{
    const char *given = target_value(state, "listen address");
    const char *family = target_value(state, "address family");
    bool v4 = strchr(family, '6') == NULL;
    bool v6 = strcmp(family, "4") != 0 && strcmp(family, "inet") != 0;

    if (given != NULL)
        snprintf(text, room, "%s", given);
    else
        snprintf(text, room, "%s%s", v4 ? "0.0.0.0 " : "", v6 ? "::" : "");
    return split_words(text, words, ADDRESSES_MAX);
}

/* The first address decides on a port that may be any; a machine may do without the second family.
 */
static enum status listen_all(struct iscsi_target_state *state, uint16_t port,
                              char *const addresses[], size_t count, const char **culprit)
{
    bool all = target_value(state, "listen address") == NULL;
    struct portal_address first = {.port = port};

    for (size_t i = 0; i < count; i++) {
        enum status status = target_server_listen(state->server, addresses[i], first.port, 1,
                                                  i == 0 ? &first : NULL);

        *culprit = addresses[i];
        if (status == STATUS_OK || (all && i > 0 && status != STATUS_BUSY))
            continue;
        return status;
    }
    char text[PORTAL_HOST_MAX + 32], number[16];
    portal_format(&first, text, sizeof text - 2);
    strcat(text, ",1");
    snprintf(number, sizeof number, "%u", first.port);
    variables_put(&state->variables, "target address", text);
    variables_put(&state->variables, "target port", number);
    return STATUS_OK;
}

static int listen_error(enum status status)
{
    return status == STATUS_BUSY ? EADDRINUSE : error_of_status(status);
}

static int open_server(struct iscsi_target_state *state)
{
    uint16_t port = (uint16_t)strtoul(target_value(state, "target port"), NULL, 10);
    const char *culprit = "";
    char text[1024];
    char *words[ADDRESSES_MAX];
    size_t count = wanted_addresses(state, text, sizeof text, words);
    enum status status = count > 0 ? STATUS_BUSY : STATUS_INVALID_ADDRESS;

    for (int i = 0; status == STATUS_BUSY && i < (port == 0 ? PORT_TRIES : 1); i++) {
        target_server_free(state->server);
        state->server = target_server_new(state->loop, state->entity);
        status = state->server != NULL ? listen_all(state, port, words, count, &culprit)
                                       : STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK)
        return 0;
    variables_error(&state->variables, "%s, port %u: %s", culprit, port,
                    status == STATUS_BUSY ? "the port is taken" : status_text(status));
    return listen_error(status);
}

/* --- start and end --- */

static void close_all(struct iscsi_target_state *state)
{
    target_server_free(state->server);
    target_entity_free(state->entity);
    if (state->loop != NULL)
        os_loop_free(state->loop);
    state->server = NULL;
    state->entity = NULL;
    state->loop = NULL;
}

static void apply_settings(struct iscsi_target_state *state)
{
    struct target_settings *settings = target_entity_settings(state->entity);

    settings->max_sessions = (uint32_t)strtoul(target_value(state, "max sessions"), NULL, 10);
    settings->fault = trace_of(target_value(state, "debug"));
}

static int open_all(struct iscsi_target_state *state)
{
    int error;

    state->entity = target_entity_new(&os_crypto);
    state->loop = os_loop_new();
    if (state->entity == NULL || state->loop == NULL) {
        variables_error(&state->variables, "out of memory or descriptors");
        return ENOMEM;
    }
    apply_settings(state);
    error = target_build(state);
    return error == 0 ? open_server(state) : error;
}

int iscsi_target_start(iscsi_target_t *target)
{
    struct iscsi_target_state *state = state_of(target);
    int error;

    if (state == NULL)
        return -1;
    error = variables_fix(&state->variables);
    if (error != 0) {
        variables_error(&state->variables, "the target was started already");
        return error_return(error, 0);
    }
    error = open_all(state);
    if (error != 0) {
        close_all(state);
        variables_unfix(&state->variables);
        return error_return(error, 0);
    }
    os_mutex_lock(state->mutex);
    state->started = true;
    os_mutex_unlock(state->mutex);
    trace_say(target_value(state, "debug"), "listening at %s",
              target_value(state, "target address"));
    return 0;
}

int iscsi_target_listen(iscsi_target_t *target)
{
    struct iscsi_target_state *state = state_of(target);
    int error;

    if (state == NULL)
        return -1;
    os_mutex_lock(state->mutex);
    error = !state->started ? EINVAL : state->listening ? EBUSY : 0;
    state->listening |= error == 0;
    os_mutex_unlock(state->mutex);
    if (error != 0) {
        variables_error(&state->variables, "the target %s",
                        error == EBUSY ? "listens already" : "was not started");
        return error_return(error, 0);
    }
    os_loop_run(state->loop);
    os_mutex_lock(state->mutex);
    state->listening = false;
    os_condition_broadcast(state->change);
    os_mutex_unlock(state->mutex);
    return 0;
}

static void everybody_left(void *context)
{
    struct iscsi_target_state *state = context;

    os_loop_stop(state->loop);
}

static void stop(struct os_job *job)
{
    struct iscsi_target_state *state = LIST_OWNER(job, struct iscsi_target_state, stop);

    target_server_stop(state->server, PATIENCE, everybody_left, state);
}

/* Whoever is in iscsi_target_listen leaves it. */
static void end_listening(struct iscsi_target_state *state)
{
    os_mutex_lock(state->mutex);
    if (state->listening) {
        state->stop.run = stop;
        os_loop_post(state->loop, &state->stop);
    }
    while (state->listening)
        os_condition_wait(state->change, state->mutex);
    os_mutex_unlock(state->mutex);
}

int iscsi_target_shutdown(iscsi_target_t *target)
{
    struct iscsi_target_state *state = state_of(target);

    if (state == NULL)
        return -1;
    end_listening(state);
    target->state = NULL;
    close_all(state);
    state_free(state);
    return 0;
}

void iscsi_target_write_pidfile(const char *filename)
{
    const char *path = filename != NULL ? filename : "/var/run/iscsi-target.pid";
    FILE *file = fopen(path, "w");
    bool good = file != NULL && fprintf(file, "%u\n", (unsigned)os_process_id()) > 0;

    if (file != NULL)
        good &= fclose(file) == 0;
    if (!good)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
}
