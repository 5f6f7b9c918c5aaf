/* What the files of the loop devices share. */
#ifndef DEVICES_LOOP_INTERNAL_H
#define DEVICES_LOOP_INTERNAL_H

#include "devices/links.h"
#include "devices/loop_devices.h"
#include "devices/mounts.h"
#include "devices/worker.h"

enum loop_work {
    LOOP_ATTACH,
    LOOP_RENEW,
    LOOP_MOUNT,
    LOOP_WITHDRAW,
    LOOP_CLEAR, /* the unit is gone */
};

struct loop_devices {
    struct loop_devices_settings settings; /* its texts are copies */
    struct worker *worker;
    bool nodes_appear; /* the system makes them by itself */
    bool left;         /* the loop */
    struct list all;
};

struct loop_device {
    struct list link;
    struct loop_devices *devices;
    /* Whose is under way is the worker's; else they are the engine's. */
    struct worker_job job;
    enum loop_work work;
    bool forced;
    bool last_try;
    char file[OS_PATH_ROOM];
    uint32_t block;
    bool read_only;
    struct links links; /* less the names that are others' */
    bool linked;
    struct os_loopback loop;
    bool attached;
    struct mounts mounts;
    unsigned mounts_left;
    enum status outcome; /* of a withdrawal */
    /* From the engine's thread to the worker's: */
    atomic_bool hurry; /* what is being mounted is given up */
    atomic_bool force; /* what is being unmounted, too */
    /* The engine's. */
    struct links wanted; /* the names of its links, whoever has them */
    bool write_protected;
    bool remakes; /* it is attached anew, to be written to or no longer */
    bool busy;
    bool made; /* or it cannot be */
    bool renews;
    bool mounts_due;
    bool mounted; /* or given up */
    bool withdraws;
    bool withdrawn;
    bool refused;
    bool closing;
    unsigned tries;
    struct os_timer timer;
    char name[OS_LOOPBACK_NAME_ROOM]; /* of the node; "": there is none */
};

/* On a thread of the worker's (loop_jobs.c). */
void loop_job_run(struct worker_job *job);
/* What a process that was killed has left behind. */
void loop_remove_remains(const struct loop_devices_settings *settings);

#endif
