/*
 * A session with a target that is kept up whatever happens to it: connections that are lost are
 * made anew, and a session that is lost is reinstated. It carries requests, and repeats none of
 * them.
 */
#ifndef SOAK_CARRIER_H
#define SOAK_CARRIER_H

#include "dice.h"
#include "load.h"

#include "discovery/contact.h"

#define CARRIER_CONNECTIONS_MOST 4u

struct carrier_settings {
    struct session_settings session; /* its texts must last */
    struct portal_address portal;
    uint64_t lun;
    unsigned connections;
    uint64_t seed;
    bool verbose; /* tells why connections end; else only when somebody broke the protocol */
    void (*changed)(void *of); /* requests may be given now */
    void *context;
};

struct carrier_counts {
    uint64_t logins;   /* that succeeded */
    uint64_t refusals; /* that did not */
    uint64_t losses;   /* of connections */
    uint64_t sessions;
    struct statistics statistics; /* over all of them */
    char last[200];               /* why the last connection was lost, or its login refused */
};

struct carrier;

/* It sends again what is lost, and no command may fail. */
bool carrier_repeats(const struct carrier_settings *settings);

/* Exits when there is no memory. It begins to connect. */
struct carrier *carrier_open(struct os_loop *loop, const struct carrier_settings *settings);
/* What is under way ends. */
void carrier_close(struct carrier *carrier);

/* False: there is no connection now. */
bool carrier_submit(struct carrier *carrier, struct request *request);
/* Around several requests, which then leave together. */
void carrier_hold(struct carrier *carrier);
void carrier_release(struct carrier *carrier);
void carrier_counts(struct carrier *carrier, struct carrier_counts *out);
/* What it is doing, for who waits in vain. */
void carrier_describe(const struct carrier *carrier, char *out, size_t room);

#endif
