/* Shared by the files of the contact; nobody else includes it. */
#ifndef DISCOVERY_CONTACT_INTERNAL_H
#define DISCOVERY_CONTACT_INTERNAL_H

#include "discovery/connector.h"
#include "discovery/contact.h"
#include "os/list.h"

struct contact {
    struct link_base *base;
    struct session *session;
    struct list connections; /* struct contact_connection, in the order of their making */
};

/* What only the login needs. */
struct approach {
    struct portal_address portals[CONTACT_HOPS_MAX + 1]; /* visited; the last is the current one */
    size_t hops;
    const struct session_settings *settings; /* of this login alone, or NULL */
    struct os_address source;
    bool has_source;
    bool credentials_stay;
    uint32_t buffers;
    uint32_t connect_timeout;
    struct connector *connector;
};

struct contact_connection {
    struct list link;
    struct contact *contact;
    const struct contact_events *events;
    void *context;
    struct approach *approach; /* NULL once ready() was told */
    struct connection *core;
    struct link *wire;
    unsigned holds; /* of the wire, by contact_hold */
    struct os_job job;
    enum status status; /* of the closed connection */
    uint16_t cid;
    bool logged_in; /* told by the core, maybe not yet by us */
    bool over;      /* the same */
    bool changed;   /* the same */
    bool posted;
    bool running; /* inside on_job */
    bool closed;
};

#define CONTACT_CONNECTION(node) LIST_OWNER(node, struct contact_connection, link)

/* What the core's sessions of a contact call. */
extern const struct session_callbacks contact_callbacks;

/* A connection of the contact that begins to connect. NULL: out of memory. */
struct contact_connection *contact_connection_new(struct contact *contact,
                                                  const struct contact_settings *settings,
                                                  uint16_t cid, const struct contact_events *events,
                                                  void *context);
/* Its link is closed, its core connection is left to the session. */
void contact_connection_shut(struct contact_connection *connection);
/* Forgets it as soon as nobody is inside. */
void contact_connection_close(struct contact_connection *connection);

#endif
