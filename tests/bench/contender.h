/* What is measured: the same jobs done by this project and by its peer, libiscsi. */
#ifndef BENCH_CONTENDER_H
#define BENCH_CONTENDER_H

struct contender {
    const char *name;
    /* Each returns 0, or -1 after a message to stderr. Portals are "host:port". */
    int (*login_logout)(const char *portal, const char *target);
    /* SendTargets; returns the number of targets. */
    int (*discover)(const char *portal);
    /* A session for the next job. */
    int (*open)(const char *portal, const char *target);
    int (*inquiry)(void);
    int (*close)(void);
};

/* Through the public interface, as programs call it. */
extern const struct contender contender_api;
/* The initiator core on the event loop, without the interface above it. */
extern const struct contender contender_core;
extern const struct contender contender_libiscsi;

#endif
