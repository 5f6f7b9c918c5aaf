/* The session: what its connections have in common. */
#include "discovery/contact_internal.h"
#include "os/crypto.h"
#include "os/memory.h"

struct contact *contact_open(struct link_base *base, const struct contact_settings *settings,
                             uint16_t cid, const struct contact_events *events, void *context)
{
    struct contact *contact = os_alloc(sizeof *contact);
    if (contact == NULL)
        return NULL;
    contact->base = base;
    list_init(&contact->connections);
    contact->session = session_new(settings->session, &os_crypto, &contact_callbacks, contact);
    struct contact_settings first = *settings;
    first.session = NULL;
    if (contact->session != NULL &&
        contact_connection_new(contact, &first, cid, events, context) != NULL)
        return contact;
    contact_close(contact);
    return NULL;
}

struct contact_connection *contact_join(struct contact *contact,
                                        const struct contact_settings *settings, uint16_t cid,
                                        const struct contact_events *events, void *context)
{
    return contact_connection_new(contact, settings, cid, events, context);
}

void contact_close(struct contact *contact)
{
    struct list *first;
    if (contact == NULL)
        return;
    LIST_EACH(node, &contact->connections)
    {
        contact_connection_shut(CONTACT_CONNECTION(node));
    }
    session_free(contact->session);
    while ((first = list_first(&contact->connections)) != NULL)
        contact_connection_close(CONTACT_CONNECTION(first));
    os_free(contact);
}

/* One that logs out already will do when there is no other. */
static struct contact_connection *connection_for_logout(const struct contact *contact)
{
    struct contact_connection *found = NULL;
    LIST_EACH(node, &contact->connections)
    {
        struct contact_connection *connection = CONTACT_CONNECTION(node);
        if (contact_carries(connection))
            return connection;
        if (connection->core != NULL && connection_state(connection->core) == CONNECTION_LOGOUT)
            found = connection;
    }
    return found;
}

struct contact_connection *contact_logout(struct contact *contact)
{
    struct contact_connection *connection = connection_for_logout(contact);
    if (connection == NULL)
        return NULL;
    contact_hold(contact);
    connection_logout(connection->core, LOGOUT_CLOSE_SESSION, os_now());
    contact_release(contact);
    return connection;
}

bool contact_usable(const struct contact *contact)
{
    return session_usable(contact->session);
}

void contact_hold(struct contact *contact)
{
    LIST_EACH(node, &contact->connections)
    {
        struct contact_connection *connection = CONTACT_CONNECTION(node);
        if (connection->wire == NULL)
            continue;
        connection->holds++;
        link_hold(connection->wire);
    }
}

/* A connection that came since then was not held. */
void contact_release(struct contact *contact)
{
    LIST_EACH(node, &contact->connections)
    {
        struct contact_connection *connection = CONTACT_CONNECTION(node);
        if (connection->holds == 0)
            continue;
        connection->holds--;
        link_release(connection->wire);
    }
}

void contact_send_soon(struct contact *contact)
{
    LIST_EACH(node, &contact->connections)
    {
        if (CONTACT_CONNECTION(node)->wire != NULL)
            link_output(CONTACT_CONNECTION(node)->wire);
    }
}

struct session *contact_session(const struct contact *contact)
{
    return contact->session;
}

struct contact_connection *contact_first(const struct contact *contact)
{
    struct list *first = list_first(&contact->connections);
    return first != NULL ? CONTACT_CONNECTION(first) : NULL;
}
