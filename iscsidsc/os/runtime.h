/*
 * Where a service and its clients meet, and the files they meet by. A meeting place is a path
 * without its ending, such as /run/iscsidsc/door: beside it lie door.sock (Unix socket), door.port
 * (where on loopback TCP) and door.key (the key to that).
 */
#ifndef OS_RUNTIME_H
#define OS_RUNTIME_H

#include "os/local_socket.h"

#define OS_PATH_ROOM 4096u

struct os_place {
    char base[OS_PATH_ROOM]; /* absolute */
    /* Named by ISCSIDSC_SOCKET or ISCSIDSC_STATE, or this user's own: what answers there is the
     * service meant. Otherwise it is the system's, which this user may or may not use. */
    bool own;
    /* The directory is the system's own, that all users may pass. */
    bool shared;
};

/*
 * Where a service for this process may answer, best first.
 *
 * ISCSIDSC_SOCKET (its path, with or without ".sock") alone, else ISCSIDSC_STATE's directory alone,
 * else: /run/iscsidsc for root; for users $XDG_RUNTIME_DIR/iscsidsc, the state directory, then
 * /run/iscsidsc. A variable that names no usable path leaves none. Under Wine those of the native
 * system, and behind them, as on Windows, the state directory.
 */
#define OS_PLACE_MAX 5u
size_t os_service_places(struct os_place *out, size_t room);
/* Where this process answers when it is the service. */
bool os_serving_place(struct os_place *out);

/* From the root on, whatever becomes of the working directory. False: too long. */
bool os_absolute_path(const char *path, char out[OS_PATH_ROOM]);
/* Base and ending in one path. False: too long. */
bool os_place_path(const struct os_place *place, const char *ending, char out[OS_PATH_ROOM]);

/*
 * Makes the directory of the meeting place, and the parents it lacks, when it is not there: for its
 * owner alone, or (`shared`) readable by all. One that is there stays as it is. Errors as
 * os_make_private_directory.
 */
enum status os_make_runtime_directory(const struct os_place *place);

/*
 * Puts a file there whole or not at all, in place of one of that name: readable by its owner, and
 * by a `group` that is not OS_NO_GROUP. ACCESS_DENIED, STORE_READ_ONLY, STORE_FULL, STORE_FAILED,
 * NO_MEMORY.
 */
enum status os_publish_file(const char *path, const char *text, uint32_t group);
/*
 * Reads what os_publish_file wrote, as os_read_file does. ACCESS_DENIED when somebody else can have
 * written it.
 */
enum status os_read_own_file(const char *path, char **out, size_t *length);
void os_remove_file(const char *path);
/* Without effect on one that is not empty. */
void os_remove_directory(const char *path);
/* The names in a directory but for "." and "..", in no order; none when it cannot be read. `found`
 * may remove what it is told of. */
void os_list_directory(const char *path, void (*found)(void *context, const char *name),
                       void *context);

/*
 * A lock that ends with the process, however it ends. BUSY: another process has it. Made when it
 * is not there; never removed. ACCESS_DENIED, STORE_READ_ONLY, STORE_FULL, STORE_FAILED.
 */
struct os_file_lock {
    intptr_t handle;
};
enum status os_file_lock(struct os_file_lock *lock, const char *path);
void os_file_unlock(struct os_file_lock *lock);

/* The id of the group, or user, of that name, or whose number that is. False: there is none. */
bool os_group_find(const char *name, uint32_t *group);
bool os_user_find(const char *name, uint32_t *user);

#endif
