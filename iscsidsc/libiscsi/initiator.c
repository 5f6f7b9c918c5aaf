/* The calls for initiators. */
#include "libiscsi/errors.h"
#include "libiscsi/initiator_state.h"
#include "libiscsi/trace.h"
#include "os/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_ROOM = 400 };

static bool is_authentication(const char *value)
{
    return variable_chap(value) || strcmp(value, "kerberos") == 0 || strcmp(value, "srp") == 0;
}

static bool is_digest(const char *value)
{
    static const char *const types[] = {"none", "header", "data", "both", "all"};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(value, types[i]) == 0)
            return true;
    }
    return false;
}

static const struct variable initiator_variables[] = {
    {"target hostname", "localhost", variable_text},
    {"target port", "3260", variable_port},
    {"address family", "unspec", variable_family},
    {"auth type", "none", is_authentication},
    {"user", NULL, variable_text},
    {"mutual auth", "none", is_authentication},
    {"digest type", "none", is_digest},
    {"debug", NULL, variable_debug},
    {"authfile", "/etc/iscsi/auths", variable_text},
    {"targets", NULL, NULL},
    {"error", NULL, NULL},
};

/* --- the handle --- */

struct iscsi_initiator_state *initiator_state_of(iscsi_initiator_t *initiator)
{
    struct iscsi_initiator_state *state = initiator != NULL ? initiator->state : NULL;

    if (state == NULL)
        errno = EINVAL;
    return state;
}

const char *initiator_value(const struct iscsi_initiator_state *state, const char *name)
{
    for (size_t i = 0; i < state->variables.count; i++) {
        if (strcmp(state->variables.table[i].name, name) == 0)
            return state->variables.values[i];
    }
    return NULL;
}

int initiator_fail(struct iscsi_initiator_state *state, const char *where, enum status status)
{
    variables_error(&state->variables, "%s: %s", where, status_text(status));
    return error_of_status(status);
}

static void state_free(struct iscsi_initiator_state *state)
{
    for (size_t i = 0; i < state->target_count; i++)
        found_target_free(state->targets[i]);
    os_free(state->targets);
    auths_clear(&state->auths);
    if (state->turn != NULL)
        os_mutex_free(state->turn);
    if (state->mutex != NULL)
        os_mutex_free(state->mutex);
    variables_clear(&state->variables);
    os_free(state);
}

int iscsi_initiator_set_defaults(iscsi_initiator_t *initiator)
{
    struct iscsi_initiator_state *state;

    if (initiator == NULL)
        return error_return(EINVAL, 1);
    initiator->state = NULL;
    state = os_alloc(sizeof *state);
    if (state == NULL)
        return error_return(ENOMEM, 1);
    state->turn = os_mutex_new();
    state->mutex = os_mutex_new();
    if (state->turn == NULL || state->mutex == NULL ||
        variables_init(&state->variables, initiator_variables,
                       sizeof initiator_variables / sizeof initiator_variables[0]) != 0) {
        state_free(state);
        return error_return(ENOMEM, 1);
    }
    initiator->state = state;
    return 1;
}

/* --- variables --- */

/* "target name 3": what is told of target 3. NULL: there is no such variable. */
static char *value_of_target(struct iscsi_initiator_state *state, const char *name)
{
    bool is_name = strncmp(name, "target name ", 12) == 0;
    bool is_address = strncmp(name, "target address ", 15) == 0;
    const char *digits = name + (is_name ? 12 : 15);
    size_t length = is_name || is_address ? strspn(digits, "0123456789") : 0;
    char *value = NULL;
    unsigned long number;

    if (length == 0 || length > 9 || digits[length] != '\0')
        return NULL;
    number = strtoul(digits, NULL, 10);
    os_mutex_lock(state->mutex);
    if (number < state->target_count)
        value = is_name ? state->targets[number]->name : state->targets[number]->address;
    os_mutex_unlock(state->mutex);
    return value;
}

int iscsi_initiator_setvar(iscsi_initiator_t *initiator, const char *name, const char *value)
{
    struct iscsi_initiator_state *state = initiator_state_of(initiator);

    if (state == NULL || name == NULL || value == NULL)
        return error_return(EINVAL, 1);
    if (value_of_target(state, name) != NULL)
        return error_return(EPERM, 1);
    return error_return(variables_set(&state->variables, name, value), 1);
}

char *iscsi_initiator_getvar(iscsi_initiator_t *initiator, const char *name)
{
    struct iscsi_initiator_state *state = initiator_state_of(initiator);
    int error = EINVAL;
    char *value = NULL;

    if (state != NULL && name != NULL)
        value = variables_get(&state->variables, name, &error);
    if (error == ENOENT) {
        value = value_of_target(state, name);
        error = value != NULL ? 0 : ENOENT;
    }
    errno = error;
    return value;
}

/* --- the start --- */

static bool is_value(const struct iscsi_initiator_state *state, const char *name, const char *value)
{
    return strcmp(initiator_value(state, name), value) == 0;
}

static int check_offered(struct iscsi_initiator_state *state, const char *name)
{
    if (is_value(state, name, "none") || is_value(state, name, "chap"))
        return 0;
    variables_error(&state->variables, "%s %s is not offered", name, initiator_value(state, name));
    return ENOTSUP;
}

static int read_secret(struct iscsi_initiator_state *state)
{
    const char *user = initiator_value(state, "user");
    const char *path = initiator_value(state, "authfile");
    char message[MESSAGE_ROOM];
    int error;

    if (user == NULL) {
        variables_error(&state->variables, "chap needs a user");
        return EINVAL;
    }
    error = auths_read(&state->auths, path, message, sizeof message);
    if (error != 0) {
        variables_error(&state->variables, "%s", message);
    } else if (auths_find(&state->auths, user) == NULL) {
        variables_error(&state->variables, "%s: no user %s by chap in it", path, user);
        error = ENOENT;
    }
    return error;
}

static int check(struct iscsi_initiator_state *state)
{
    int error = check_offered(state, "auth type");

    if (error == 0)
        error = check_offered(state, "mutual auth");
    if (error != 0)
        return error;
    if (!is_value(state, "auth type", "none"))
        return read_secret(state);
    if (is_value(state, "mutual auth", "none"))
        return 0;
    variables_error(&state->variables, "a target that proves itself wants chap of us as well");
    return EINVAL;
}

int iscsi_initiator_start(iscsi_initiator_t *initiator)
{
    struct iscsi_initiator_state *state = initiator_state_of(initiator);
    int error;

    if (state == NULL)
        return -1;
    error = variables_fix(&state->variables);
    if (error != 0) {
        variables_error(&state->variables, "the initiator was started already");
        return error_return(error, 0);
    }
    error = check(state);
    if (error != 0) {
        auths_clear(&state->auths);
        variables_unfix(&state->variables);
        return error_return(error, 0);
    }
    os_mutex_lock(state->mutex);
    state->started = true;
    os_mutex_unlock(state->mutex);
    return 0;
}

/* --- discovery and end --- */

static bool is_started(struct iscsi_initiator_state *state)
{
    bool started;

    os_mutex_lock(state->mutex);
    started = state->started;
    os_mutex_unlock(state->mutex);
    if (!started)
        variables_error(&state->variables, "the initiator was not started");
    return started;
}

static int discover(struct iscsi_initiator_state *state, const char *host, uint64_t number, int lun)
{
    int error = initiator_find(state, host);

    if (error != 0 || number == ISCSI_NO_TARGET)
        return error;
    if (number < state->target_count)
        return initiator_visit(state, state->targets[number], lun);
    variables_error(&state->variables, "%s: no target has that number", host);
    return ENODEV;
}

int iscsi_initiator_discover(iscsi_initiator_t *initiator, char *host, uint64_t target, int lun)
{
    struct iscsi_initiator_state *state = initiator_state_of(initiator);
    const char *where = host;
    int error;

    if (state == NULL)
        return -1;
    if (lun < 0 || !is_started(state))
        return error_return(EINVAL, 0);
    if (where == NULL)
        where = initiator_value(state, "target hostname");
    os_mutex_lock(state->turn);
    error = discover(state, where, target, lun);
    os_mutex_unlock(state->turn);
    trace_say(initiator_value(state, "debug"), "discovery at %s: %u targets, %s", where,
              (unsigned)state->target_count, error == 0 ? "done" : "failed");
    return error_return(error, 0);
}

int iscsi_initiator_shutdown(iscsi_initiator_t *initiator)
{
    struct iscsi_initiator_state *state = initiator_state_of(initiator);

    if (state == NULL)
        return -1;
    initiator_leave(state);
    initiator->state = NULL;
    state_free(state);
    return 0;
}
