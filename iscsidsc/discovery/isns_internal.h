/* The files of the iSNS client share this. */
#ifndef DISCOVERY_ISNS_INTERNAL_H
#define DISCOVERY_ISNS_INTERNAL_H

#include "discovery/connector.h"
#include "discovery/isns.h"
#include "discovery/isns_listener.h"
#include "discovery/isns_records.h"

/* What the server was asked last; one request at a time. */
enum isns_step {
    STEP_NONE,
    STEP_REGISTER,
    STEP_SUBSCRIBE,
    STEP_QUERY_ALL,
    STEP_GET_NEXT, /* a server that does not fit all targets into an answer: one after the other */
    STEP_QUERY,    /* `target` */
    STEP_QUERY_PORTALS, /* the same, of a server that knows nothing of portal groups */
    STEP_LEAVE,
};

struct isns_client {
    struct os_loop *loop;
    const struct isns_events *events;
    void *context;
    char *node;
    char *alias;
    uint32_t answer_timeout;

    struct connector *connector; /* NULL once connected */
    struct isns_link link;
    struct isns_listener *listener;
    struct isns_registration registration;
    struct os_timer deadline; /* of the answer */
    struct os_timer renewal;  /* of the registration */
    struct os_timer wake;     /* something is to be done */

    enum isns_step step;
    uint16_t transaction;
    bool replaced;   /* what an earlier run left is gone */
    bool registered; /* the server knows us */
    bool subscribed;
    bool wants_all;
    bool leaving;

    bool walking;                    /* target by target through all of them */
    size_t walked;                   /* targets so far */
    char after[ISCSI_NAME_MAX + 1];  /* the one that the server named last, as it was spelt */
    char target[ISCSI_NAME_MAX + 1]; /* that is asked for */
    bool has_target;                 /* in a walk: it is still to be asked for */
    struct isns_records records;     /* of the answers so far */
    struct list changes;             /* struct isns_change: targets to look at */
    size_t change_count;
};

struct isns_change {
    struct list list;
    char name[ISCSI_NAME_MAX + 1];
};

/* --- isns_steps.c --- */

/* Sends the next request, if there is one. Other than OK: the conversation is over. */
enum status isns_proceed(struct isns_client *client);

/* What an answer leads to. */
enum isns_outcome {
    ISNS_GO_ON,
    ISNS_FOUND,   /* `records` are all targets */
    ISNS_CHANGED, /* `records` are those of `target` */
    ISNS_LEFT,
};
/* Takes the answer to the last request. Other than OK: the conversation is over. */
enum status isns_take_answer(struct isns_client *client, const uint8_t *payload, size_t length,
                             enum isns_outcome *outcome);

#endif
