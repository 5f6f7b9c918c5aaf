#include "discovery/sendtargets.h"
#include "os/memory.h"
#include "os/thread.h"
#include "protocol/sendtargets.h"

#include <string.h>

/* An answer longer than this is no list of targets any more. */
#define ANSWER_MOST ((size_t)256 << 20)

static const char request[] = "SendTargets=All";

struct discovery {
    struct contact *contact;
    discovery_done *done;
    void *context;
    struct sendtargets reader;
    struct text_exchange exchange;
    enum status status; /* of the text exchange */

    struct os_arena arena; /* the texts of the records */
    struct discovery_records records;
    size_t room;
    struct portal_address portal; /* where it was asked */
    const char *target;           /* of the record under way */
    const char *alias;            /* of it; NULL: none was told so far */
    bool has_address;
    bool no_memory;
};

/* --- records --- */

static bool add_record(struct discovery *discovery, const char *host, uint16_t port, uint16_t group)
{
    struct discovery_records *records = &discovery->records;
    if (records->count == discovery->room) {
        size_t room = discovery->room > 0 ? discovery->room * 2 : 64;
        struct discovery_record *items = os_grow(records->items, room * sizeof *items);
        if (items == NULL)
            return false;
        records->items = items;
        discovery->room = room;
    }
    const char *copy = os_arena_text(&discovery->arena, host);
    if (copy == NULL)
        return false;
    records->items[records->count++] = (struct discovery_record){.target = discovery->target,
                                                                 .host = copy,
                                                                 .port = port,
                                                                 .group = group,
                                                                 .alias = discovery->alias};
    return true;
}

/* A target without any address is reachable where it was asked (RFC 7143, appendix C). */
static bool end_target(struct discovery *discovery)
{
    if (discovery->target == NULL || discovery->has_address)
        return true;
    return add_record(discovery, discovery->portal.host, discovery->portal.port, PORTAL_ANY_GROUP);
}

static bool begin_target(struct discovery *discovery, const char *target)
{
    if (!end_target(discovery))
        return false;
    discovery->target = os_arena_text(&discovery->arena, target);
    discovery->alias = NULL;
    discovery->has_address = false;
    return discovery->target != NULL;
}

/* Targets that listen on every address are known to name it so. */
static bool is_wildcard(const char *host)
{
    struct os_address address, any4, any6;
    if (host[strspn(host, "0.:")] != '\0') /* the many others are told apart at a glance */
        return false;
    return os_address_parse(&address, host, 0) && os_address_parse(&any4, "0.0.0.0", 0) &&
           os_address_parse(&any6, "::", 0) &&
           (os_address_same_host(&address, &any4) || os_address_same_host(&address, &any6));
}

static bool on_found(void *context, const char *target, const struct portal_address *address)
{
    struct discovery *discovery = context;
    bool stored;
    if (address == NULL) {
        stored = begin_target(discovery, target);
    } else {
        const char *host = is_wildcard(address->host) ? discovery->portal.host : address->host;
        stored = add_record(discovery, host, address->port, address->group);
        discovery->has_address = true;
    }
    discovery->no_memory = !stored;
    return stored;
}

/* It may come behind the addresses. */
static bool on_alias(void *context, const char *alias)
{
    struct discovery *discovery = context;
    struct discovery_records *records = &discovery->records;
    discovery->alias = os_arena_text(&discovery->arena, alias);
    discovery->no_memory = discovery->alias == NULL;
    if (discovery->has_address)
        records->items[records->count - 1].alias = discovery->alias;
    return discovery->alias != NULL;
}

/* --- the session --- */

static enum status on_piece(struct text_exchange *exchange, const char *text, size_t length)
{
    struct discovery *discovery = exchange->context;
    enum status status = sendtargets_feed(&discovery->reader, text, length);
    return discovery->no_memory ? STATUS_NO_MEMORY : status;
}

static enum status text_failure(enum status status)
{
    switch (status) {
    case STATUS_CONNECTION_CLOSED:
    case STATUS_CONNECTION_RESET:
    case STATUS_TRANSPORT_ERROR:
    case STATUS_NO_CONNECTION:
        return STATUS_CONNECT_FAILED;
    default:
        return status;
    }
}

static void on_answer(struct text_exchange *exchange, enum status status)
{
    struct discovery *discovery = exchange->context;
    if (status == STATUS_OK)
        status = sendtargets_end(&discovery->reader);
    if (status == STATUS_OK && !end_target(discovery))
        status = STATUS_NO_MEMORY;
    discovery->status = text_failure(status);
    contact_logout(discovery->contact); /* else it is over already */
}

static void finish(struct discovery *discovery, enum status status)
{
    discovery->done(discovery->context, status, status == STATUS_OK ? &discovery->records : NULL);
}

static void on_ready(void *context, enum status status)
{
    struct discovery *discovery = context;
    if (status == STATUS_OK) {
        discovery->portal = *contact_portal(contact_first(discovery->contact));
        contact_hold(discovery->contact);
        status = session_text(contact_session(discovery->contact), &discovery->exchange, os_now());
        contact_release(discovery->contact);
    }
    if (status != STATUS_OK)
        finish(discovery, text_failure(status));
}

/* How the logout went is of no interest: the answer is complete. */
static void on_over(void *context, enum status status)
{
    struct discovery *discovery = context;
    (void)status;
    finish(discovery, discovery->status);
}

static const struct contact_events events = {.ready = on_ready, .over = on_over};

struct discovery *discovery_start(struct link_base *base, const struct contact_settings *settings,
                                  discovery_done *done, void *context)
{
    struct discovery *discovery = os_alloc(sizeof *discovery);
    if (discovery == NULL)
        return NULL;
    discovery->done = done;
    discovery->context = context;
    discovery->exchange.request = request;
    discovery->exchange.request_length = sizeof request; /* with the NUL that ends a pair */
    discovery->exchange.piece = on_piece;
    discovery->exchange.done = on_answer;
    discovery->exchange.context = discovery;
    discovery->exchange.limit = ANSWER_MOST;
    /* What holds should the connection end before any answer. */
    discovery->status = STATUS_CONNECT_FAILED;
    sendtargets_start(&discovery->reader, on_found, discovery);
    discovery->reader.alias = on_alias;
    discovery->contact = contact_open(base, settings, CONTACT_FIRST_CID, &events, discovery);
    if (discovery->contact == NULL) {
        discovery_free(discovery);
        return NULL;
    }
    return discovery;
}

void discovery_free(struct discovery *discovery)
{
    if (discovery == NULL)
        return;
    contact_close(discovery->contact);
    os_arena_clear(&discovery->arena);
    os_free(discovery->records.items);
    os_free(discovery);
}
