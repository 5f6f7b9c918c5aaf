/*
 * The embedded iSCSI target: an entity with targets, logical units, accounts and portals, and a
 * server that runs it on an event loop. Every call belongs to the loop's thread, or to any one
 * thread while no loop runs.
 */
#ifndef TARGET_TARGET_H
#define TARGET_TARGET_H

#include "os/loop.h"
#include "protocol/chap.h"
#include "protocol/keys.h"
#include "protocol/name.h"

struct target_fault;

/* --- the entity: what there is to log in to --- */

struct target_entity;
struct target;
struct target_disk;

/* Where the order is not fixed (DataSequenceInOrder=No, DataPDUInOrder=No), how data are sent and
 * asked for. */
enum target_order {
    TARGET_ORDER_INCREASING,
    TARGET_ORDER_DECREASING,
    TARGET_ORDER_SHUFFLED, /* the same way for the same seed */
};

/* May be changed until the first connection. Times are milliseconds. */
struct target_settings {
    struct key_offers offers;         /* limits in negotiation; its texts must be literals */
    uint32_t command_window;          /* commands of a session that may be under way */
    uint32_t max_sessions;            /* at the same time; more get status 0302h; 0: no limit */
    uint32_t login_timeout;           /* from accept to full feature phase */
    uint32_t nop_interval;            /* an initiator silent for so long is pinged; 0: never */
    uint32_t nop_timeout;             /* and dropped after so long without an answer */
    enum target_order sequence_order; /* of Data-In sequences and R2Ts */
    enum target_order pdu_order;      /* of Data-In PDUs in their sequence */
    uint32_t seed;
    bool separate_status;             /* never in the last Data-In */
    bool no_data_ack;                 /* DataACK is never asked for */
    uint32_t abort_timeout;           /* task management waits no longer for data and
                                         acknowledgments (RFC 7143, 4.2.3.3) */
    uint32_t recovery_timeout;        /* level 1 and 2: data asked for in vain for so long are asked
                                         for again; 0: never */
    const struct target_fault *fault; /* NULL: behave */
};

/* `crypto` must outlive it. NULL: out of memory. */
struct target_entity *target_entity_new(const struct chap_crypto *crypto);
/* The server that runs it must be gone. */
void target_entity_free(struct target_entity *entity);
struct target_settings *target_entity_settings(struct target_entity *entity);

/*
 * A setting by name, for programs: the keys of RFC 7143 that are negotiated or declared
 * (MaxBurstLength and so on: our limit, or what we insist on), and the others as
 * tests/support/README.md lists them. INVALID_PARAMETER: no such name, or not a value for it.
 */
enum status target_set(struct target_entity *entity, const char *name, const char *value);

/* What SendTargets tells of where we are. The server adds the portals that it listens on. */
enum status target_add_portal(struct target_entity *entity, const struct portal_address *portal);
void target_remove_portal(struct target_entity *entity, const struct portal_address *portal);

/* INVALID_NAME, TARGET_EXISTS, NO_MEMORY. */
enum status target_add(struct target_entity *entity, const char *name, struct target **out);
/* Drops its sessions. */
void target_remove(struct target *target);
struct target *target_find(struct target_entity *entity, const char *name);
/*
 * Targets or disks have been added: initiators that keep a discovery session are told by an
 * asynchronous message (RFC 7143, 11.9: a SCSI event, REPORTED LUNS DATA HAS CHANGED), those that
 * are logged in by a unit attention.
 */
void target_announce(struct target_entity *entity);
const char *target_name(const struct target *target);
size_t target_sessions(const struct target *target);

enum status target_set_alias(struct target *target, const char *alias);
/* Logins are sent to `address` (host[:port][,group]); NULL: no longer. */
enum status target_set_redirect(struct target *target, const char *address, bool permanent);
/* With a group named the target is reached only through portals of its groups. */
enum status target_add_group(struct target *target, uint16_t group);

/* --- who may come in --- */

/* Accounts of a target, or of discovery sessions: with one or more of them CHAP is demanded. */
struct target_access;
struct target_access *target_access_of(struct target *target);
struct target_access *target_access_of_discovery(struct target_entity *entity);
/* INVALID_CHAP_NAME, INVALID_SECRET (empty or too long), NO_MEMORY. */
enum status target_access_add(struct target_access *access, const char *user, const char *secret);
/*
 * Which initiators may come in at all, by name and by network ("10.0.0.0/8", "10.0.0.0/255.0.0.0",
 * "fd00::/8", one address, or "any" and "all"). Without rules of a kind any may; of each kind that
 * has rules one must fit. Others get status 0202h at login, and SendTargets does not tell them of
 * the target. INVALID_NAME; INVALID_ADDRESS; NO_MEMORY.
 */
enum status target_access_allow_name(struct target_access *access, const char *initiator);
enum status target_access_allow_network(struct target_access *access, const char *network);
/* How we prove ourselves to an initiator that asks. */
enum status target_access_identity(struct target_access *access, const char *user,
                                   const char *secret);

/* --- disks --- */

#define TARGET_LUN_MAX 255u

/* The disk belongs to the target from now on, also after a failure. INVALID_PARAMETER: the number
 * is taken or too large. */
enum status target_add_disk(struct target *target, uint32_t lun, struct target_disk *disk);

/* `bytes` must be a multiple of `block_length` (512 to 65536, a power of two). */
enum status target_disk_ram(uint64_t bytes, uint32_t block_length, struct target_disk **out);
/* Of the file's size, rounded down to whole blocks. ACCESS_DENIED, STORE_FAILED, ... */
enum status target_disk_file(const char *path, uint32_t block_length, bool read_only,
                             struct target_disk **out);
/* The same file behind a cache in memory: what neither SYNCHRONIZE CACHE nor FUA (nor WCE=0) has
 * made last is lost when the program is killed, as by a power cut. */
enum status target_disk_cached(const char *path, uint32_t block_length, struct target_disk **out);
/* What a program keeps the blocks in by itself. In bytes; false: the medium failed there. */
struct target_media {
    bool (*read)(void *context, uint64_t offset, void *out, size_t length);
    bool (*write)(void *context, uint64_t offset, const void *data, size_t length);
    bool (*flush)(void *context);   /* what was written is on the medium */
    void (*release)(void *context); /* the disk is gone; not after a failure to make it */
};
/* `media` must outlive it. */
enum status target_disk_media(const struct target_media *media, void *context, uint64_t bytes,
                              uint32_t block_length, struct target_disk **out);
void target_disk_set_read_only(struct target_disk *disk);
/* Initiators may eject the medium, and load it again. */
void target_disk_set_removable(struct target_disk *disk);
/* Bytes of a physical block, of which one or more logical blocks are part: initiators align to it.
 * INVALID_PARAMETER: not the block length by a power of two. */
enum status target_disk_set_physical(struct target_disk *disk, uint32_t length);
/* Registrations that ask for it (APTPL) outlive the target in that file, which is made when it is
 * not there. Without one they are refused. ACCESS_DENIED, STORE_READ_ONLY, STORE_FAILED (it cannot
 * be read, or is damaged), NO_MEMORY. */
enum status target_disk_keep_reservations(struct target_disk *disk, const char *path);
void target_disk_free(struct target_disk *disk);
uint64_t target_disk_bytes(const struct target_disk *disk);
enum target_disk_change {
    TARGET_DISK_WRITTEN,
    TARGET_DISK_ZEROED, /* `data` is NULL */
    TARGET_DISK_FLUSHED,
};
/* Told of every change in its order, when it was made and before it is acknowledged. In bytes. */
typedef void target_disk_watch(void *context, enum target_disk_change change, uint64_t offset,
                               uint64_t length, const void *data);
void target_disk_on_change(struct target_disk *disk, target_disk_watch *watch, void *context);
/* The memory of a RAM or cached disk; NULL for others. */
uint8_t *target_disk_memory(struct target_disk *disk);

/* --- the server --- */

struct target_server;

/* The entity must outlive it. NULL: out of memory. */
struct target_server *target_server_new(struct os_loop *loop, struct target_entity *entity);
/* Closes every listener and connection. */
void target_server_free(struct target_server *server);
/*
 * Listens on an address literal; port 0 takes an ephemeral one. `bound` (may be NULL) gets
 * what it became. Statuses of os_listen; INVALID_ADDRESS.
 */
enum status target_server_listen(struct target_server *server, const char *host, uint16_t port,
                                 uint16_t group, struct portal_address *bound);
/*
 * Ends in order: nobody comes in any more, and the initiators are asked to log out (RFC 7143,
 * 11.9.1). Those that have not after `patience` milliseconds are told that they are dropped, and
 * dropped. `done` is called once from the loop, when nobody is left; the server may be freed there.
 */
typedef void target_server_stopped(void *context);
void target_server_stop(struct target_server *server, uint32_t patience,
                        target_server_stopped *done, void *context);
size_t target_server_connections(const struct target_server *server);

#endif
