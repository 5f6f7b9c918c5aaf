/* Finds the service, or starts it. */
#include "door/remote.h"
#include "os/prefix.h"
#include "os/process.h"
#include "os/program.h"
#include "os/system.h"

#include <string.h>

enum { LOOK_EVERY = 10, MODE_ROOM = 16 };

/* --- telling where this process runs --- */

/* Of Windows programs the service makes devices that they can open. What it says to it is its
 * affair: the outcome is the connection's. */
static enum status tell_prefix(os_socket socket)
{
    struct request_use_wine_prefix request = {0};
    const struct door_header header = {.version = DOOR_VERSION,
                                       .operation = OPERATION_use_wine_prefix};
    struct door_buffer message = {0};
    enum status status = STATUS_NO_MEMORY;
    char *prefix = os_alloc(OS_PATH_ROOM);
    if (prefix != NULL && !os_own_prefix(prefix)) {
        os_free(prefix);
        return STATUS_OK;
    }
    request.path = prefix;
    if (prefix != NULL)
        status = door_message_encode(&message, &header,
                                     operation_find(OPERATION_use_wine_prefix)->request, &request);
    if (status == STATUS_OK)
        status = remote_send(socket, message.data, message.length);
    door_buffer_clear(&message);
    if (status == STATUS_OK)
        status = remote_receive(socket, &message, REMOTE_PATIENT);
    door_buffer_clear(&message);
    os_free(prefix);
    return status;
}

static enum status connect_at(os_socket *out, const struct os_place *place, uint64_t due)
{
    enum status status = remote_connect(out, place, due);
    if (status == STATUS_OK)
        status = tell_prefix(*out);
    if (status != STATUS_OK) {
        os_close(*out);
        *out = OS_NO_SOCKET;
    }
    return status;
}

/* --- a service that runs --- */

/* Nobody is at home there, for this process at least; the next place may do. */
static bool is_absence(enum status status, const struct os_place *place)
{
    bool nobody = status == STATUS_SERVICE_NOT_RUNNING || status == STATUS_TRANSPORT_ERROR;
    return nobody || (status == STATUS_ACCESS_DENIED && !place->own);
}

static enum status find_running(os_socket *out, uint64_t due)
{
    *out = OS_NO_SOCKET;
    enum status status = STATUS_SERVICE_NOT_RUNNING;
    struct os_place *places = os_alloc(OS_PLACE_MAX * sizeof *places);
    if (places == NULL)
        return STATUS_NO_MEMORY;
    size_t count = os_service_places(places, OS_PLACE_MAX);
    for (size_t i = 0; i < count; i++) {
        status = connect_at(out, &places[i], due);
        if (!is_absence(status, &places[i]))
            break;
        status = STATUS_SERVICE_NOT_RUNNING;
    }
    os_free(places);
    return status;
}

static enum status find_running_now(os_socket *out)
{
    return find_running(out, os_now() + REMOTE_CONNECT);
}

/* --- one that is started now --- */

static enum status wait_for_service(os_socket *out, uint64_t due)
{
    for (;;) {
        enum status status = find_running(out, due);
        if (status != STATUS_SERVICE_NOT_RUNNING || os_now() >= due)
            return status;
        os_sleep(LOOK_EVERY);
    }
}

/* Of many that are started at once, here or in other processes, one becomes the service; the others
 * see to it that it answers, and end. */
static enum status start_one(os_socket *out, const struct os_program *program)
{
    uint64_t due = os_now() + REMOTE_CONNECT;
    enum status status = os_program_start(program, due);
    return status == STATUS_OK ? wait_for_service(out, due) : STATUS_SERVICE_NOT_RUNNING;
}

static enum status find_or_start(os_socket *out)
{
    enum status status = find_running_now(out);
    if (status != STATUS_SERVICE_NOT_RUNNING)
        return status;
    struct os_program *programs = os_alloc(OS_PROGRAM_MAX * sizeof *programs);
    if (programs == NULL)
        return STATUS_NO_MEMORY;
    size_t count = os_service_programs(programs, OS_PROGRAM_MAX);
    for (size_t i = 0; i < count && status == STATUS_SERVICE_NOT_RUNNING; i++)
        status = start_one(out, &programs[i]);
    os_free(programs);
    return status;
}

/* --- the choice --- */

enum mode { MODE_AUTO, MODE_REQUIRE, MODE_NEVER, MODE_UNKNOWN };

static enum mode chosen_mode(void)
{
    char mode[MODE_ROOM] = "";
    static const char *const names[] = {"auto", "require", "never"};
    os_environment("ISCSIDSC_SERVICE", mode, sizeof mode);
    if (mode[0] == '\0')
        return MODE_AUTO;
    for (unsigned i = 0; i < MODE_UNKNOWN; i++) {
        if (strcmp(mode, names[i]) == 0)
            return (enum mode)i;
    }
    return MODE_UNKNOWN;
}

static enum status find_service(struct door_transport **out, enum status (*find)(os_socket *out))
{
    os_socket first;
    enum status status = find(&first);
    return status == STATUS_OK ? remote_new(out, find, first) : status;
}

enum status door_find(struct door_transport **out)
{
    enum status status;
    switch (chosen_mode()) {
    case MODE_AUTO:
        status = find_service(out, find_or_start);
        return status == STATUS_SERVICE_NOT_RUNNING ? door_local_new(out) : status;
    case MODE_REQUIRE:
        return find_service(out, find_running_now);
    case MODE_NEVER:
        return door_local_new(out);
    default:
        return STATUS_CONFIGURATION;
    }
}
