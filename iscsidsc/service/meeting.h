/* The service's place: the lock that makes it the only one, and the sockets by which it is reached.
 */
#ifndef SERVICE_MEETING_H
#define SERVICE_MEETING_H

#include "door/server.h"
#include "service/configuration.h"

struct meeting {
    struct os_place place;
    char state[OS_PATH_ROOM];
    struct os_file_lock lock;
    bool locked;
    bool activated;   /* the Unix socket is the service manager's */
    os_socket handed; /* that socket until it is used */
    bool has_socket;  /* there is a file of ours */
    bool has_loopback;
    struct door_credentials credentials;
};

/* Where: from the environment. CONFIGURATION: no place can be told. */
enum status meeting_find(struct meeting *meeting);
/*
 * Becomes the only service for the state directory. BUSY: another one is, and answers at this
 * place (or does not end within a bound); the errors of os_make_private_directory and os_file_lock.
 */
enum status meeting_lock(struct meeting *meeting);
/*
 * Opens the sockets and lets the server take clients from them; tells clients the port. BUSY:
 * somebody else answers there. Errors of os_local_listen, os_listen and os_publish_file.
 */
enum status meeting_open(struct meeting *meeting, struct door_server *server,
                         const struct service_configuration *configuration);
/* Who may come, after the configuration has changed. */
void meeting_permit(struct meeting *meeting, const struct service_configuration *configuration);
/* Removes the files; who comes now finds nobody. */
void meeting_withdraw(struct meeting *meeting);
void meeting_unlock(struct meeting *meeting);

#endif
