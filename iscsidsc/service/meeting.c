#include "service/meeting.h"
#include "door/remote.h"
#include "os/process.h"
#include "os/system.h"
#include "service/log.h"

#include <stdio.h>
#include <string.h>

enum {
    BACKLOG = 512,
    PREDECESSOR_TIME = 10000, /* milliseconds in which one that is ending has ended */
    LOOK_EVERY = 20,
    ANSWER_TIME = 2000,
};

enum status meeting_find(struct meeting *meeting)
{
    *meeting = (struct meeting){.handed = OS_NO_SOCKET, .lock.handle = -1};
    bool found = os_serving_place(&meeting->place) &&
                 os_state_directory(meeting->state, sizeof meeting->state);
    meeting->activated = os_activation_sockets(&meeting->handed, 1) == 1;
    return found ? STATUS_OK : STATUS_CONFIGURATION;
}

/* --- the only one --- */

static bool somebody_answers(const struct meeting *meeting)
{
    os_socket socket;
    enum status status = remote_connect(&socket, &meeting->place, os_now() + ANSWER_TIME);
    os_close(socket);
    /* One that refuses, or is of another version, is one too. */
    return status != STATUS_SERVICE_NOT_RUNNING && status != STATUS_TRANSPORT_ERROR;
}

/* One that has the lock and does not answer is just starting, or ending: it will do one or the
 * other. */
static enum status wait_for_lock(struct meeting *meeting, const char *path)
{
    uint64_t due = os_now() + PREDECESSOR_TIME;
    enum status status;
    while ((status = os_file_lock(&meeting->lock, path)) == STATUS_BUSY) {
        if (somebody_answers(meeting) || os_now() >= due)
            return STATUS_BUSY;
        os_sleep(LOOK_EVERY);
    }
    return status;
}

enum status meeting_lock(struct meeting *meeting)
{
    char path[OS_PATH_ROOM];
    enum status status = os_make_private_directory(meeting->state);
    int length = snprintf(path, sizeof path, "%s/service.lock", meeting->state);
    if (status == STATUS_OK && (length < 0 || (size_t)length >= sizeof path))
        status = STATUS_STORE_FAILED;
    if (status == STATUS_OK)
        status = wait_for_lock(meeting, path);
    meeting->locked = status == STATUS_OK;
    if (status == STATUS_OK)
        status = os_make_runtime_directory(&meeting->place);
    if (status == STATUS_OK)
        status = door_credentials_make(&meeting->credentials, &meeting->place);
    return status;
}

void meeting_unlock(struct meeting *meeting)
{
    if (meeting->locked)
        os_file_unlock(&meeting->lock);
    meeting->locked = false;
}

/* --- the sockets --- */

static bool for_everybody(const struct service_configuration *configuration)
{
    /* A file has one group only; the credentials of who comes decide then. */
    return configuration->group != OS_NO_GROUP && configuration->read_group != OS_NO_GROUP;
}

static uint32_t file_group(const struct service_configuration *configuration)
{
    return configuration->group != OS_NO_GROUP ? configuration->group : configuration->read_group;
}

static enum status open_local(struct meeting *meeting, os_socket *out,
                              const struct service_configuration *configuration)
{
    char path[OS_PATH_ROOM];
    if (meeting->activated) {
        *out = meeting->handed;
        meeting->handed = OS_NO_SOCKET;
        return STATUS_OK;
    }
    *out = OS_NO_SOCKET;
    if (!os_place_path(&meeting->place, ".sock", path))
        return STATUS_STORE_FAILED;
    enum status status = os_local_listen(out, path, file_group(configuration),
                                         for_everybody(configuration), BACKLOG);
    if (status == STATUS_BUSY && !somebody_answers(meeting)) {
        os_remove_file(path); /* left behind by one that was killed */
        status = os_local_listen(out, path, file_group(configuration), for_everybody(configuration),
                                 BACKLOG);
    }
    meeting->has_socket = status == STATUS_OK;
    return status == STATUS_NOT_SUPPORTED ? STATUS_OK : status;
}

static enum status open_loopback(struct meeting *meeting, os_socket *out)
{
    struct os_address at;
    if (!os_address_parse(&at, "127.0.0.1", 0))
        return STATUS_INTERNAL;
    enum status status = os_listen(out, &at, BACKLOG);
    if (status == STATUS_OK && !os_local_address(*out, &at))
        status = STATUS_TRANSPORT_ERROR;
    meeting->credentials.port = os_address_port(&at);
    return status;
}

static enum status open_both(struct meeting *meeting, os_socket *local, os_socket *loopback,
                             const struct service_configuration *configuration)
{
    *local = *loopback = OS_NO_SOCKET;
    enum status status = open_local(meeting, local, configuration);
    if (status == STATUS_OK && configuration->parameters.service_loopback)
        status = open_loopback(meeting, loopback);
    return status;
}

enum status meeting_open(struct meeting *meeting, struct door_server *server,
                         const struct service_configuration *configuration)
{
    os_socket local, loopback;
    enum status status = open_both(meeting, &local, &loopback, configuration);
    if (status != STATUS_OK) {
        os_close(local);
        os_close(loopback);
        return status;
    }
    meeting->has_loopback = loopback != OS_NO_SOCKET;
    status = door_server_listen(server, local, loopback, &meeting->credentials);
    if (status == STATUS_OK && meeting->has_loopback)
        status =
            door_credentials_publish(&meeting->credentials, &meeting->place, configuration->group);
    return status;
}

void meeting_permit(struct meeting *meeting, const struct service_configuration *configuration)
{
    char path[OS_PATH_ROOM];
    if (meeting->has_socket && os_place_path(&meeting->place, ".sock", path) &&
        !os_local_permit(path, file_group(configuration), for_everybody(configuration)))
        log_event(OS_LOG_WARNING, "socket-mode", "socket", path, NULL);
    if (meeting->has_loopback)
        door_credentials_publish(&meeting->credentials, &meeting->place, configuration->group);
}

void meeting_withdraw(struct meeting *meeting)
{
    char path[OS_PATH_ROOM];
    if (meeting->has_loopback)
        door_credentials_withdraw(&meeting->place);
    if (meeting->has_socket && os_place_path(&meeting->place, ".sock", path))
        os_remove_file(path);
    meeting->has_loopback = meeting->has_socket = false;
}
