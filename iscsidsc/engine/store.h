/*
 * What must last: discovery portals, static targets, persistent logins, servers and settings, in an
 * SQLite file that several processes may share. When a function returns, what it changed is on
 * disk. Nothing is cached here: what another process changed is seen at once. A damaged, newer or
 * read-only file is never modified.
 *
 * Statuses of every function: STORE_DAMAGED, STORE_READ_ONLY (on changes only), STORE_FULL,
 * STORE_BUSY (another program holds the lock), STORE_FAILED, NO_MEMORY.
 */
#ifndef ENGINE_STORE_H
#define ENGINE_STORE_H

#include "engine/operations.h"
#include "os/memory.h"
#include "protocol/status.h"

#include <stdbool.h>

struct store;

/* Creates the directory and the file, both private, when there are none. Further statuses:
 * ACCESS_DENIED, STORE_TOO_NEW, INVALID_PARAMETER (the path is too long). */
enum status store_open(struct store **out, const char *directory);
void store_close(struct store *store);

/*
 * True: nothing has been changed, by anybody, since the call that left this `*seen`. Start with 0.
 * False also when that cannot be told; then what is read from now on may be remembered with the new
 * `*seen`, unless it is 0.
 */
bool store_unchanged(const struct store *store, uint64_t *seen);

/* Adds the portal or replaces the entry with the same address, socket, initiator and port. */
enum status store_put_portal(struct store *store, const struct discovery_portal *portal);
/* `found` tells whether there was one. */
enum status store_delete_portal(struct store *store, const struct discovery_portal *portal,
                                bool *found);
/* All of them, oldest first; in the arena. Without `secrets` they come without their passwords. */
enum status store_portals(struct store *store, struct os_arena *arena, bool secrets,
                          struct discovery_portal_list *out);

/* Adds the login, whatever others there are. */
enum status store_add_login(struct store *store, const struct persistent_login *login);
/*
 * Removes the oldest one that fits, or all. `login`: target, initiator, initiator_port and the
 * portal's address and socket count; initiator and address "" and port 0xffffffff fit any.
 */
enum status store_remove_logins(struct store *store, const struct persistent_login *login, bool all,
                                uint32_t *removed);
/* All of them, oldest first; in the arena. Without `secrets` they come without passwords and keys.
 */
enum status store_logins(struct store *store, struct os_arena *arena, bool secrets,
                         struct persistent_login_list *out);
/* The one with that number, with its secrets; *out NULL when there is none any more. */
enum status store_login(struct store *store, uint64_t number, struct os_arena *arena,
                        const struct persistent_login **out);
/* Most units in a mapping. */
#define STORE_LUNS_MOST 4096u

/* Makes of a target and of what is stored of it what is to be stored; in the arena. */
typedef enum status store_merge(const struct static_target *target,
                                const struct static_target *stored, struct os_arena *arena,
                                const struct static_target **out);
/* In place of the one of that name, if there is one; merged with it before unless `merge` is NULL.
 */
enum status store_put_static_target(struct store *store, const struct static_target *target,
                                    store_merge *merge);
/* `found` tells whether there was one. */
enum status store_delete_static_target(struct store *store, const char *name, bool *found);
/* All of them, oldest first, without their passwords; in the arena. */
enum status store_static_targets(struct store *store, struct os_arena *arena,
                                 struct static_target_list *out);
/* The one of that name; *out NULL when there is none. */
enum status store_static_target(struct store *store, const char *name, struct os_arena *arena,
                                bool secrets, const struct static_target **out);

/* As the table has them. */
enum server_kind { SERVER_ISNS = 1, SERVER_RADIUS = 2 };

/* `address` as server_parse reads it. The same one, in whatever case, is there once: it is not
 * `added` then, and stays as it was spelt. */
enum status store_add_server(struct store *store, enum server_kind kind, const char *address,
                             bool *added);
/* `found` tells whether there was one. */
enum status store_remove_server(struct store *store, enum server_kind kind, const char *address,
                                bool *found);
/* The addresses of that kind, oldest first; in the arena. */
enum status store_servers(struct store *store, enum server_kind kind, struct os_arena *arena,
                          struct text_list *out);

/*
 * What is set for an IKE identity (RFC 2407) of an initiator and port, in place of what was;
 * `initiator` "" is any. A key never comes back.
 */
enum status store_put_ike(struct store *store, const char *initiator, uint32_t port,
                          const struct ike_info *info);
/* Whether there was one or not. */
enum status store_delete_ike(struct store *store, const char *initiator, uint32_t port,
                             const struct ike_info *info);
/* *out NULL when there is none; in the arena, but for `id`, which it points to. */
enum status store_ike(struct store *store, const char *initiator, uint32_t port, uint8_t type,
                      const struct blob *id, struct os_arena *arena, const struct ike_info **out);
enum status store_has_ike(struct store *store, bool *any);
/* `outer` NULL: none. `destination` "" is any. */
enum status store_set_tunnel(struct store *store, const char *initiator, uint32_t port,
                             const char *destination, const char *outer);
enum status store_tunnel(struct store *store, const char *initiator, uint32_t port,
                         const char *destination, struct os_arena *arena, const char **outer);

/* A device for which a service waits when it starts: a unit of the target. */
struct bound_device {
    const char *path;     /* what it was called when it was bound */
    const char *target;   /* normalised */
    struct blob identity; /* see units.h */
};
struct bound_device_list {
    const struct bound_device *items;
    uint32_t count;
};
/* DEVICE_BOUND: it is there already. */
enum status store_add_device(struct store *store, const struct bound_device *device);
/* The one with that target and identity or, with target NULL, the oldest with that path. */
enum status store_remove_device(struct store *store, const struct bound_device *device,
                                bool *found);
/* All of them at once, in place of what there was. */
enum status store_replace_devices(struct store *store, const struct bound_device_list *devices);
/* Oldest first; in the arena. */
enum status store_devices(struct store *store, struct os_arena *arena,
                          struct bound_device_list *out);

/* Numbers of login parameters are below this. */
#define STORE_PARAMETERS 32u
struct stored_parameters {
    bool set[STORE_PARAMETERS];
    uint32_t values[STORE_PARAMETERS];
};
/* `target` "": the adapter's. `value` NULL: it is not set any more. */
enum status store_set_login_parameter(struct store *store, const char *target, uint32_t number,
                                      const uint32_t *value);
/* Over those that are in `out` already. */
enum status store_login_parameters(struct store *store, const char *target,
                                   struct stored_parameters *out);

/* Units that are not to be exposed. */
enum status store_hide_unit(struct store *store, const char *target, uint64_t lun, bool hidden);
enum status store_unit_hidden(struct store *store, const char *target, uint64_t lun, bool *hidden);

/* What is not to be counted; `kind` is an enum counted. */
enum status store_set_uncounted(struct store *store, uint32_t kind, const char *name, uint64_t lun,
                                bool uncounted);
enum status store_uncounted(struct store *store, uint32_t kind, const char *name, uint64_t lun,
                            bool *uncounted);

/* The targets that any of the above, or a hidden unit, is kept of, in the arena; and its end. */
enum status store_kept_targets(struct store *store, struct os_arena *arena, struct text_list *out);
enum status store_forget_target(struct store *store, const char *target);

/* One word, one value. `value` has data NULL when there is none; in the arena. */
enum status store_setting(struct store *store, const char *name, struct os_arena *arena,
                          struct blob *value);
/* A value without data removes the setting. */
enum status store_set_setting(struct store *store, const char *name, const struct blob *value);

#endif
