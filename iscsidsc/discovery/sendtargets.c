#include "discovery/sendtargets.h"
#include "os/memory.h"
#include "os/thread.h"
#include "protocol/sendtargets.h"

#include <string.h>

/* An answer longer than this is no list of targets any more. */
#define ANSWER_MOST ((size_t)256 << 20)

static const char request[] = "SendTargets=All";
#define KEY_LENGTH (sizeof "SendTargets=" - 1)

struct discovery {
    struct os_loop *loop;
    struct contact *contact;
    discovery_done *done;
    struct discovery_stay stay; /* `changed` NULL: the session ends with the answer */
    void *context;
    struct os_timer timer; /* one that stays has something to tell */
    bool asking;           /* until the answer has been told */
    bool answered;         /* the same, and it is there */
    bool over;             /* so is the session */
    struct sendtargets reader;
    struct text_exchange exchange;
    enum status status;        /* of the text exchange */
    struct text_exchange sign; /* of life */
    char question[sizeof request + ISCSI_NAME_MAX];
    struct os_timer idle; /* when one is asked for */
    bool pinging;
    bool again; /* a question waits for its end */

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

static bool stays(const struct discovery *discovery)
{
    return discovery->stay.changed != NULL;
}

/* Not from in here: whoever is told may free the discovery, and the core is calling. */
static bool tell_soon(struct discovery *discovery)
{
    return os_timer_set(discovery->loop, &discovery->timer, os_now());
}

static void on_answer(struct text_exchange *exchange, enum status status)
{
    struct discovery *discovery = exchange->context;
    if (status == STATUS_OK)
        status = sendtargets_end(&discovery->reader);
    if (status == STATUS_OK && !end_target(discovery))
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK && stays(discovery)) {
        discovery->answered = tell_soon(discovery);
        if (discovery->answered)
            return;
        status = STATUS_NO_MEMORY;
    }
    discovery->status = text_failure(status);
    contact_logout(discovery->contact); /* else it is over already */
}

static void finish(struct discovery *discovery, enum status status)
{
    discovery->done(discovery->context, status, status == STATUS_OK ? &discovery->records : NULL);
}

/* What the answer before has left is of no use any more. */
static void start_reader(struct discovery *discovery)
{
    os_arena_clear(&discovery->arena);
    discovery->records.count = 0;
    discovery->target = NULL;
    discovery->no_memory = false;
    sendtargets_start(&discovery->reader, on_found, discovery);
    discovery->reader.alias = on_alias;
    /* What holds should the connection end before any answer. */
    discovery->status = STATUS_CONNECT_FAILED;
}

static enum status ask(struct discovery *discovery)
{
    start_reader(discovery);
    contact_hold(discovery->contact);
    enum status status =
        session_text(contact_session(discovery->contact), &discovery->exchange, os_now());
    contact_release(discovery->contact);
    discovery->asking = status == STATUS_OK;
    return status;
}

static void on_ready(void *context, enum status status)
{
    struct discovery *discovery = context;
    if (status == STATUS_OK) {
        discovery->portal = *contact_portal(contact_first(discovery->contact));
        status = ask(discovery);
    }
    if (status != STATUS_OK)
        finish(discovery, text_failure(status));
}

/* How the logout went is of no interest: the answer is complete. */
static void on_over(void *context, enum status status)
{
    struct discovery *discovery = context;
    (void)status;
    discovery->over = true;
    if (!discovery->answered)
        finish(discovery, discovery->status);
}

static void on_changed(void *context)
{
    struct discovery *discovery = context;
    if (stays(discovery))
        discovery->stay.changed(discovery->context);
}

static const struct contact_events events = {
    .ready = on_ready, .over = on_over, .changed = on_changed};

/* --- signs of life --- */

/* Out of memory: not until the next answer. */
static void await_silence(struct discovery *discovery)
{
    if (discovery->stay.idle > 0)
        os_timer_set(discovery->loop, &discovery->idle, os_now() + discovery->stay.idle);
}

/* What is told of the target is for the next question. */
static enum status on_sign_piece(struct text_exchange *exchange, const char *text, size_t length)
{
    (void)exchange;
    (void)text;
    (void)length;
    return STATUS_OK;
}

/* Not from in here: see tell_soon. */
static void on_sign(struct text_exchange *exchange, enum status status)
{
    struct discovery *discovery = exchange->context;
    discovery->pinging = false;
    if (status != STATUS_OK)
        contact_logout(discovery->contact); /* else it is over already */
    else if (discovery->again)
        os_timer_set(discovery->loop, &discovery->idle, os_now());
    else
        await_silence(discovery);
}

static void prepare_sign(struct discovery *discovery)
{
    memcpy(discovery->question, request, sizeof request);
    discovery->sign = (struct text_exchange){.request = discovery->question,
                                             .piece = on_sign_piece,
                                             .done = on_sign,
                                             .context = discovery,
                                             .limit = ANSWER_MOST};
}

/* About any target that it has told of; about all when there was none. */
static void ping(struct discovery *discovery)
{
    const struct discovery_records *records = &discovery->records;
    const char *about = records->count > 0 ? records->items[0].target : "All";
    size_t length = strlen(about) + 1;
    memcpy(discovery->question + KEY_LENGTH, about, length);
    discovery->sign.request_length = KEY_LENGTH + length;
    discovery->sign.timeout = discovery->stay.patience;
    contact_hold(discovery->contact);
    discovery->pinging =
        session_text(contact_session(discovery->contact), &discovery->sign, os_now()) == STATUS_OK;
    contact_release(discovery->contact);
}

static void on_idle(struct os_timer *timer)
{
    struct discovery *discovery = LIST_OWNER(timer, struct discovery, idle);
    bool again = discovery->again;
    discovery->again = false;
    if (again)
        discovery_ask(discovery);
    else if (!discovery->asking && !discovery->over && !discovery->pinging)
        ping(discovery);
}

/* The answer first, and then the end when that has come, too. */
static void on_timer(struct os_timer *timer)
{
    struct discovery *discovery = LIST_OWNER(timer, struct discovery, timer);
    bool answered = discovery->answered;
    discovery->answered = discovery->asking = false;
    if (answered && discovery->over && !tell_soon(discovery))
        answered = false;
    if (answered && !discovery->over)
        await_silence(discovery);
    finish(discovery, answered ? STATUS_OK : STATUS_CONNECT_FAILED);
}

struct discovery *discovery_start(struct link_base *base, const struct contact_settings *settings,
                                  discovery_done *done, void *context)
{
    return discovery_follow(base, settings, done, NULL, context);
}

struct discovery *discovery_follow(struct link_base *base, const struct contact_settings *settings,
                                   discovery_done *done, const struct discovery_stay *stay,
                                   void *context)
{
    struct discovery *discovery = os_alloc(sizeof *discovery);
    if (discovery == NULL)
        return NULL;
    discovery->loop = base->loop;
    discovery->done = done;
    if (stay != NULL)
        discovery->stay = *stay;
    discovery->context = context;
    discovery->timer.fire = on_timer;
    discovery->idle.fire = on_idle;
    prepare_sign(discovery);
    discovery->asking = true;
    discovery->exchange.request = request;
    discovery->exchange.request_length = sizeof request; /* with the NUL that ends a pair */
    discovery->exchange.piece = on_piece;
    discovery->exchange.done = on_answer;
    discovery->exchange.context = discovery;
    discovery->exchange.limit = ANSWER_MOST;
    discovery->contact = contact_open(base, settings, CONTACT_FIRST_CID, &events, discovery);
    if (discovery->contact == NULL) {
        discovery_free(discovery);
        return NULL;
    }
    return discovery;
}

void discovery_ask(struct discovery *discovery)
{
    discovery->again = discovery->pinging;
    if (discovery->asking || discovery->over || discovery->pinging)
        return;
    enum status status = ask(discovery);
    if (status == STATUS_OK)
        return;
    discovery->status = text_failure(status);
    contact_logout(discovery->contact); /* else it is over soon */
}

bool discovery_leave(struct discovery *discovery)
{
    discovery->stay.changed = NULL;
    discovery->answered = false;
    os_timer_clear(&discovery->idle);
    os_timer_clear(&discovery->timer);
    return !discovery->over && contact_logout(discovery->contact) != NULL;
}

void discovery_free(struct discovery *discovery)
{
    if (discovery == NULL)
        return;
    os_timer_clear(&discovery->timer);
    os_timer_clear(&discovery->idle);
    contact_close(discovery->contact);
    os_arena_clear(&discovery->arena);
    os_free(discovery->records.items);
    os_free(discovery);
}
