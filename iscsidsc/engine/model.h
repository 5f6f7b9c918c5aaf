/* The engine from inside: what its files share. Everything here runs on the engine's thread. */
#ifndef ENGINE_MODEL_H
#define ENGINE_MODEL_H

#include "discovery/link.h"
#include "engine/bindings.h"
#include "engine/catalogue.h"
#include "engine/configuration.h"
#include "engine/engine.h"
#include "engine/numbers.h"
#include "engine/radius_client.h"
#include "engine/store.h"
#include "os/thread.h"

#include <stdatomic.h>

#define ANY_INITIATOR_PORT 0xffffffffu
#define INITIATOR_INSTANCE "Root\\ISCSIPRT\\0000_0"

enum { PROBLEM_ROOM = 512, SESSION_BUCKETS = 256 };

/* Of events.c. */
struct events {
    struct list entries; /* kept, oldest first */
    size_t count;
    uint64_t last; /* number given */
    bool wanted;   /* by anybody, at any time */
    bool posted;
    struct list waiters; /* calls */
    struct os_job job;
};

struct io;

/* Of io.c and io_thread.c. */
struct io_base {
    struct list ended; /* struct io whose `done` is still to be called */
    struct os_job job;
    bool posted;
    unsigned deferring;          /* nothing may end from inside */
    struct io *_Atomic incoming; /* of other threads, the latest first */
    struct os_job incoming_job;
};

/* Names under which units get numbers: see devices.h. */
enum unit_family { UNIT_DISK, UNIT_TAPE, UNIT_CDROM, UNIT_CHANGER, UNIT_FAMILIES };

enum { STATISTICS_BUCKETS = 256 };

/* Of statistics.c: what was counted, by what it was counted for. */
struct statistics_base {
    struct list buckets[STATISTICS_BUCKETS];
};

struct exposure;

/* Of units.c and unit_wait.c. */
struct unit_base {
    struct numbers places; /* of sessions: SCSI bus * 256 + target id */
    struct numbers wanted; /* places of logins that a service is still to make */
    struct numbers numbers[UNIT_FAMILIES];
    uint32_t last_instance;
    const struct exposure *exposure; /* NULL: no devices are made of units */
    struct list waiters;
    struct os_job job; /* looks at them */
    bool posted;
};

/* Of withdrawal.c: who wants all devices gone. */
struct withdrawing {
    void (*then)(void *context); /* NULL: nobody */
    void *context;
    struct os_timer timer;
    bool forced;
};

/* Of readiness.c: what the start of a service waits for. */
struct readiness {
    struct os_job job; /* somebody wants to be told: */
    engine_ready *asked;
    void *context;
    engine_ready *ready; /* the same, on the engine's thread; NULL: nobody, or told already */
    bool begun;
    struct os_arena arena; /* of the devices */
    struct bound_device_list devices;
    struct os_timer timer;
};

enum { ADAPTER_METHODS = 2, ADAPTER_ALIAS_ROOM = 256 };

/* See adapter_settings.h. */
struct adapter_settings {
    uint64_t seen;                    /* of the store, when they were read */
    char alias[ADAPTER_ALIAS_ROOM];   /* empty: none */
    uint32_t discovery;               /* enum discovery_method, those enabled */
    uint8_t methods[ADAPTER_METHODS]; /* of authentication, the best first */
    size_t method_count;
    bool methods_set; /* by somebody: they are no default */
    struct stored_parameters parameters;
};

enum { AUTOMATIC_BUCKETS = 256 };

/* Of automatic_logins.c, by the name of the target. */
struct automatic_base {
    struct list buckets[AUTOMATIC_BUCKETS];
    size_t count;
    bool told; /* the log, that there are too many */
};

/* Of watched_portals.c. */
struct watched_base {
    struct list portals;
    uint64_t began;
};

/* Of reload.c. */
struct reload_base {
    void (*run)(void *context); /* NULL: nobody reads the configuration again */
    void *context;
    atomic_uintptr_t asked; /* calls so far */
};

struct engine {
    struct os_loop *loop;
    struct os_thread *thread;
    struct os_job start_job; /* of a service */
    struct os_job stop_job;
    struct os_timer stop_timer;
    bool stopping; /* only cancels any more */
    bool draining; /* waits for logouts */
    bool stopped;
    struct list pending; /* struct engine_call */
    struct events events;

    bool service;
    uint16_t first_qualifier; /* of the ISIDs that sessions get */
    struct reload_base reload;
    struct watched_base watched;
    struct automatic_base automatic;
    struct restore *restoring; /* what a service makes again; NULL: nothing (any more) */

    char *directory;                    /* NULL: the platform told none */
    struct store *store;                /* NULL until it is needed */
    uint64_t name_seen;                 /* of the store, when node_name was read from it */
    char node_name[ISCSI_NAME_MAX + 1]; /* that was set; empty: none */
    struct adapter_settings adapter_settings;
    uint64_t explored;                   /* of the store, when all its portals had been asked */
    struct configuration *configuration; /* NULL until it is needed */
    struct parameters parameters;        /* of it */
    char problem[PROBLEM_ROOM];          /* what is wrong with the configuration file */

    struct link_base links;
    struct chap_memory challenges;
    struct radius_client radius;
    struct catalogue catalogue;
    struct list temporary_targets; /* static ones that are not stored: see temporary_targets.h */
    uint64_t static_seen;          /* of the store, when its static targets were read */
    struct list probes;
    struct list passing_keys; /* of ipsec.c: set until the engine stops */
    struct list passing_tunnels;
    struct blob passing_group_key;
    struct connect_gate gate; /* of ipsec_gate.c */
    uint64_t ike_seen;        /* of the store, when ike_stored was read */
    bool ike_stored;
    uint64_t demands_seen; /* of the store, when portals_demand was */
    bool portals_demand;
    struct list isns_servers;   /* struct isns_server: those that are followed */
    struct list isns_followers; /* struct isns_follower: conversations with them */
    struct unit_base units;
    struct bindings bindings;
    struct statistics_base statistics;
    struct io_base ios;
    struct list volumes; /* struct volume */
    struct readiness readiness;
    struct withdrawing withdrawal;
    struct list sessions_by_id[SESSION_BUCKETS];
    struct list sessions_by_target[SESSION_BUCKETS];
    struct list sessions; /* struct engine_session, in the order of their logins */
    uint64_t adapter;     /* AdapterUnique of every id of this engine */
    uint32_t last_session;
    uint32_t last_connection;
};

/* Puts the call on the pending list: it ends later. `cancel` must finish it. */
void engine_pend(struct engine_call *call, void (*cancel)(struct engine_call *call), void *state);

/* The configuration, read at its first use. STATUS_CONFIGURATION and what os_read_file gives. */
enum status engine_parameters(struct engine *engine, const struct parameters **out);
/* The store, opened at its first use. */
enum status engine_store(struct engine *engine, struct store **out);

/* When nobody is left to take leave of, a stopping engine stops. */
void engine_drained(struct engine *engine);

#endif
