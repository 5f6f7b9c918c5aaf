/*
 * The logical units of sessions and their places among the devices of this machine: what a scan of
 * the target finds, under numbers that stay for as long as the session has the unit. Whoever makes
 * real devices of them is told by a struct exposure.
 */
#ifndef ENGINE_UNITS_H
#define ENGINE_UNITS_H

#include "engine/paths.h"
#include "protocol/scsi.h"
#include "protocol/scsi_vpd.h"

enum {
    UNITS_MOST = 256, /* of a session: an OS LUN is a byte */
    UNIT_SERIAL_ROOM = 65,
    UNIT_IDENTITY_MOST = 68,
};

/* What a unit says of itself. */
struct unit_facts {
    uint64_t lun; /* the LUN field */
    struct scsi_inquiry_data inquiry;
    struct scsi_capacity capacity;   /* zeros: none, or it is not ready */
    struct scsi_block_limits limits; /* of a disk */
    bool zeroes_by_unmap;            /* the same: WRITE SAME with UNMAP leaves zeros */
    struct scsi_mode mode;           /* the same */
    char serial[UNIT_SERIAL_ROOM];   /* "" when it tells none */
    /* The same for a unit of the target in every session and run, of whatever it tells that says
     * which unit it is. */
    uint8_t identity[UNIT_IDENTITY_MOST];
    uint8_t identity_length;
};

struct unit_class;

struct unit {
    struct list link; /* of its session, by OS LUN */
    struct engine_session *session;
    struct unit_facts facts;
    uint8_t os_lun;
    const struct unit_class *class; /* see devices.h; NULL: no device can be made of it */
    uint32_t number;                /* among those of its class's name */
    uint32_t instance;              /* given once in the engine's life */
    bool hidden;                    /* it is not to be a device of this machine */
    bool leaving;                   /* it is about to be none */
    uint64_t since;                 /* when it became one (os_time) */
    struct path path;               /* to the volume that it is */
    void *exposed;                  /* the exposure's own */
};

struct scan;

/* What a session has of units, unless it is informational. */
struct units {
    struct engine_session *session;
    struct list all;               /* struct unit */
    uint32_t place;                /* SCSI bus * 256 + target id; NUMBERS_NONE before it has one */
    struct mapped_lun_list mapped; /* which OS LUNs were asked for */
    struct scan *scan;             /* under way, or NULL */
    struct os_timer timer;         /* set: the next scan is due then */
    uint64_t scanned;              /* when the latest one ended */
    size_t left_out;               /* units beyond UNITS_MOST, as the log was told */
    bool known;                    /* one has succeeded */
    bool again;                    /* the one under way may have missed something */
    bool doubtful;                 /* the one that has ended has */
};

uint8_t units_bus(const struct units *units);
uint8_t units_target(const struct units *units);

/* --- the life of a session --- */

/*
 * Of a new session; `mapping` NULL: none was asked for, else check_mapping has passed it.
 * MAPPING_EXISTS: its place is another session's; NO_MEMORY.
 */
enum status units_new(struct engine_session *session, const struct mapping *mapping);

/* The session that callers see and whose units are there; NULL: none. */
struct engine_session *units_session_at(const struct engine *engine, uint32_t bus, uint32_t target);

/* Has a session to the target the place of the mapping? */
bool units_of_target(const struct engine *engine, const struct mapping *mapping,
                     const char *target);

/* The rest is harmless for a session without units. */

/* Before it goes live: gives it a place if it has none. TOO_MANY_SESSIONS: there is none left. */
enum status units_place(struct engine_session *session);
/* It has a connection, its first or another one: the target is scanned soon. */
void units_renew(struct engine_session *session);
/* A command was told of a unit attention condition. */
void units_attention(struct engine_session *session, uint16_t asc);
/* There may be others. */
void units_look_again(struct engine_session *session);
/* All connections were lost: there may be other units behind the same LUNs by now. */
void units_doubt(struct engine_session *session);
/* What is known is asked for again if it is no longer fresh. */
void units_refresh(struct engine_session *session);
/* Before a logout: some targets get their sequence numbers wrong when it overtakes commands. The
 * scan under way ends soon, or at once; units_scanning tells. */
void units_stop(struct engine_session *session, bool at_once);
bool units_scanning(const struct engine_session *session);
/* It is connected, and no scan is under way or to come. */
bool units_idle(const struct engine_session *session);
/* The session goes away. */
void units_end(struct engine_session *session);
/* From now on the unit is a device, or none any more. DEVICE_BUSY: it is in use. */
enum status unit_hide(struct unit *unit, bool hidden);
/* Is the device made of it in use, or that of one of the session's units? */
bool unit_in_use(const struct unit *unit);
bool units_in_use(const struct engine_session *session);

void units_base_init(struct unit_base *base);
/* The sessions are gone. */
void units_base_clear(struct unit_base *base);

/* --- waiting for scans (unit_wait.c) --- */

/* `late`: what was waited for has not come, but enough time has passed. */
typedef void units_waited(struct engine_call *call, bool late);
/* Runs `run` when `ready` says yes, or in the end all the same: from inside, or later, and the call
 * is pending meanwhile. */
typedef bool units_ready(struct engine_call *call);
void units_wait(struct engine_call *call, uint32_t patience, units_ready *ready, units_waited *run);
/* The same; `undo` before a call is finished whose caller is gone. */
void units_wait_undoing(struct engine_call *call, uint32_t patience, units_ready *ready,
                        units_waited *run, void (*undo)(struct engine_call *call));
enum { UNITS_PATIENCE = 5000 /* milliseconds that lists wait */ };
/* What somebody may wait for may have come. */
void units_look(struct engine *engine);

/* Is what is known of the session's units, or of all sessions', as it is now? */
bool units_settled(const struct engine_session *session);
/* Is the session's first scan still to end? */
bool units_unknown(const struct engine_session *session);
bool units_all_settled(struct engine_call *call);

/* --- real devices --- */

/* How far a device is on its way out of use: the worst is the last. */
enum withdrawal {
    WITHDRAWN,
    WITHDRAWING,   /* units_look() tells when it may be otherwise */
    DEVICE_IN_USE, /* it stays as it is */
};

/* Everything on the engine's thread, and none of it may remove a session. */
struct exposure {
    void *context;
    void (*added)(void *context, struct unit *unit);
    void (*changed)(void *context, struct unit *unit); /* its facts */
    void (*removed)(void *context, struct unit *unit);
    bool (*in_use)(void *context, const struct unit *unit);
    /* The unit behind a path of this machine: a mount point, a device node; NULL: none of ours. */
    struct unit *(*resolve)(void *context, const char *path);
    /* What programs of this machine open; NULL: nothing (yet). Lives as long as the device. */
    const char *(*path)(void *context, const struct unit *unit);
    /* The rest may be NULL. Is everything made that is to be made of the unit, or cannot be made?
     * units_look() tells when it may be. */
    bool (*is_ready)(void *context, const struct unit *unit);
    /* Its session is to end: the device goes meanwhile, unless there is another way to it.
     * `forced`: whoever uses it. Asked again until it is no longer WITHDRAWING. */
    enum withdrawal (*withdraw)(void *context, struct unit *unit, bool forced);
    /* The session does not end: what was withdrawn, or is being withdrawn, comes back. */
    void (*readmit)(void *context, struct unit *unit);
    /* Can all devices that there are be opened by their names? units_look() tells when it may be.
     * NULL: always. */
    bool (*is_named)(void *context);
    /* A caller runs in that Wine prefix: names of devices are to be made there, or it turns out
     * that they cannot be. NULL: they are made nowhere. */
    enum status (*use_prefix)(void *context, const char *path);
};
/* Tells of all units that there are. NULL: nobody any more; those made are told as removed. */
void units_expose(struct engine *engine, const struct exposure *exposure);

#endif
