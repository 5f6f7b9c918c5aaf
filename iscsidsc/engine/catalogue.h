/*
 * The targets that are known, and which mechanism found each of them where. A mechanism is one
 * source of targets: a discovery portal, an iSNS server, the user. One thread uses it.
 */
#ifndef ENGINE_CATALOGUE_H
#define ENGINE_CATALOGUE_H

#include "discovery/records.h"
#include "engine/operations.h"
#include "os/list.h"
#include "os/memory.h"
#include "protocol/name.h"

enum mechanism_kind {
    MECHANISM_SENDTARGETS, /* a discovery portal, on the list or not */
    MECHANISM_ISNS,        /* a server */
    MECHANISM_STATIC,      /* all static targets */
};

/* What tells mechanisms apart. What a kind does not have is NULL or 0; texts compare without case.
 */
struct mechanism_key {
    enum mechanism_kind kind;
    const char *initiator; /* NULL and "" for any */
    uint32_t initiator_port;
    const char *address;
    uint16_t socket;
};

struct mechanism {
    struct list link;
    struct list instances;
    struct mechanism_key key; /* its texts are its own and never NULL */
    bool asked;               /* by this engine, whatever came of it */
    bool answered;            /* the latest time */
    unsigned probes;          /* discoveries under way: it may not be dropped meanwhile */
};

/* No real target has as many; more are ignored, so that a lying one cannot cost much. */
#define TARGET_PORTALS_MOST 256u

struct target_portal {
    char *host;
    uint16_t port;
    uint16_t group;      /* portal group tag; 0 when it is not known */
    char *symbolic_name; /* NULL: none */
};

/* What one mechanism says of one target. */
struct instance {
    struct list of_target;
    struct list of_mechanism;
    struct known_target *target;
    struct mechanism *mechanism;
    struct target_portal *portals;
    size_t portal_count;
    char *alias;    /* NULL: none is known */
    bool hidden;    /* the target is not to be reported on this instance's account */
    unsigned round; /* of the discovery that named it last */
};

struct known_target {
    struct list link;           /* in the order first seen */
    struct known_target *chain; /* in the hash table */
    size_t hash;                /* of the name */
    struct list instances;
    size_t shown; /* instances that are not hidden: with none the target is not reported */
    char *name;   /* normalised */
};

/* A target is to be reported from now on, or no longer, or another alias or other mechanisms. */
enum catalogue_change { CATALOGUE_ADDED, CATALOGUE_REMOVED, CATALOGUE_REVISED };

struct catalogue {
    struct list targets;
    struct list mechanisms;
    struct known_target **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    size_t target_count;
    unsigned round;
    /* May be NULL. */
    void (*changed)(struct catalogue *catalogue, const char *target, enum catalogue_change change);
};

void catalogue_init(struct catalogue *catalogue);
void catalogue_clear(struct catalogue *catalogue);

/* Of a name, in whatever case. */
size_t catalogue_hash(const char *name);
/* Without case; NULL when it is not known. */
struct known_target *catalogue_find(const struct catalogue *catalogue, const char *name);

/* NULL when it is not known. */
struct mechanism *catalogue_mechanism(const struct catalogue *catalogue,
                                      const struct mechanism_key *key);
/* The same, made when there was none. NULL: out of memory. */
struct mechanism *catalogue_make_mechanism(struct catalogue *catalogue,
                                           const struct mechanism_key *key);
/* Forgets the mechanism and what it found; targets that nobody else found drop out. */
void catalogue_drop_mechanism(struct catalogue *catalogue, struct mechanism *mechanism);

/*
 * What the mechanism found now, in place of what it found before. Targets that nobody names any
 * more drop out. NO_MEMORY: what was known before is still there, and maybe some of the new.
 */
enum status catalogue_replace(struct catalogue *catalogue, struct mechanism *mechanism,
                              const struct discovery_records *records);

/* The same for one target alone: all records are of it, none that the mechanism knows it no longer.
 */
enum status catalogue_update(struct catalogue *catalogue, struct mechanism *mechanism,
                             const char *target, const struct discovery_records *records);

/* What the mechanism says of the target; NULL: nothing. */
struct instance *catalogue_instance(const struct known_target *target,
                                    const struct mechanism *mechanism);

/*
 * The target's portals, each address and port once: those of the first one's group first. The items
 * point into the catalogue; the array is in the arena. `tag` NULL: of every group.
 */
enum status catalogue_portals(const struct known_target *target, const uint16_t *tag,
                              struct os_arena *arena, const struct target_portal ***out,
                              size_t *count);

#endif
