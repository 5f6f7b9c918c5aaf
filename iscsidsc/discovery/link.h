/*
 * A socket with an initiator connection on it: moves the bytes both ways and keeps the
 * connection's time. Everything runs on the loop's thread.
 */
#ifndef DISCOVERY_LINK_H
#define DISCOVERY_LINK_H

#include "discovery/authority.h"
#include "discovery/gate.h"
#include "os/list.h"
#include "os/loop.h"

/* What all links of a thread share. */
struct link_base {
    struct os_loop *loop;
    void *look_ahead;    /* received bytes pass through it; nothing stays between two events */
    struct list patient; /* links that wait for much to come */
    struct chap_authority *authority; /* NULL: nobody has secrets for us */
    struct connect_gate *gate;        /* NULL: whoever is asked for may be connected to */
};

/* False: out of memory. */
bool link_base_open(struct link_base *base, struct os_loop *loop);
void link_base_close(struct link_base *base);

struct link;

/*
 * Takes the connected socket. The connection outlives the link. NULL: out of memory or descriptors;
 * the socket is closed then.
 */
struct link *link_open(struct link_base *base, os_socket socket, struct connection *connection);
/* Starts the connection's login. */
void link_start(struct link *link);
/* Closes the socket. Also from inside a callback of the connection. */
void link_close(struct link *link);

/* For the session's `output` callback: sends soon. */
void link_output(struct link *link);
/* For its `ask` callback: asks the authority, and answers the connection. */
void link_ask(struct link *link, const struct chap_question *question);

/*
 * Around calls into the core from outside, such as session_submit: what they put out is sent at
 * link_release in one go, and the new deadlines are heeded.
 */
void link_hold(struct link *link);
void link_release(struct link *link);

/* When bytes came last; when it was opened, before the first. */
uint64_t link_heard(const struct link *link);

bool link_local_address(const struct link *link, struct os_address *out);

#endif
