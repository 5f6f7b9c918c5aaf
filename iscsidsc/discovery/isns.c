/* The iSNS client's life: connecting, moving messages, notices, the end. */
#include "discovery/isns_internal.h"

#include <string.h>

enum {
    ANSWER_MOST = 32 << 20, /* bytes: more is no list of targets any more */
    CHANGES_MOST = 64,      /* of more targets all are asked for */
    PERIOD = 900,      /* seconds that a registration shall be good for, if the server agrees */
    ESI_INTERVAL = 60, /* seconds, the same */
};

/* --- the end --- */

static void forget_changes(struct isns_client *client)
{
    struct list *first;
    while ((first = list_first(&client->changes)) != NULL) {
        list_remove(first);
        os_free(LIST_OWNER(first, struct isns_change, list));
    }
    client->change_count = 0;
}

/* Nothing happens any more. */
static void halt(struct isns_client *client)
{
    connector_cancel(client->connector);
    client->connector = NULL;
    isns_link_close(&client->link);
    isns_listener_free(client->listener);
    client->listener = NULL;
    os_timer_clear(&client->deadline);
    os_timer_clear(&client->renewal);
    os_timer_clear(&client->wake);
}

void isns_close(struct isns_client *client)
{
    if (client == NULL)
        return;
    halt(client);
    forget_changes(client);
    isns_records_clear(&client->records);
    os_free(client->node);
    os_free(client->alias);
    os_free(client);
}

static void end(struct isns_client *client, enum status status)
{
    halt(client);
    client->events->ended(client->context, client->leaving ? STATUS_OK : status);
}

/* --- what is to be done --- */

static void wake(struct isns_client *client)
{
    /* Out of memory: it is done with the next answer, or when the registration is renewed. */
    os_timer_set(client->loop, &client->wake, os_now());
}

static void on_wake(struct os_timer *timer)
{
    struct isns_client *client = LIST_OWNER(timer, struct isns_client, wake);
    /* Who was never known to the server need not say goodbye. */
    bool leave = client->leaving && !client->replaced;
    enum status status = leave ? STATUS_OK : isns_proceed(client);
    if (leave || status != STATUS_OK)
        end(client, status);
}

static void on_renewal(struct os_timer *timer)
{
    struct isns_client *client = LIST_OWNER(timer, struct isns_client, renewal);
    client->registered = client->subscribed = false;
    client->wants_all = true;
    wake(client);
}

static void on_deadline(struct os_timer *timer)
{
    end(LIST_OWNER(timer, struct isns_client, deadline), STATUS_ISNS_SERVER_NOT_FOUND);
}

void isns_ask(struct isns_client *client)
{
    client->wants_all = true;
    wake(client);
}

void isns_leave(struct isns_client *client)
{
    client->leaving = true;
    wake(client);
}

/* --- notices --- */

static bool is_listed(const struct isns_client *client, const char *name)
{
    LIST_EACH(node, &client->changes)
    {
        if (name_equal(LIST_OWNER(node, struct isns_change, list)->name, name))
            return true;
    }
    return false;
}

static bool list_change(struct isns_client *client, const char *name)
{
    if (is_listed(client, name))
        return true;
    struct isns_change *change =
        client->change_count < CHANGES_MOST ? os_alloc(sizeof *change) : NULL;
    if (change == NULL)
        return false;
    memcpy(change->name, name, strlen(name) + 1);
    list_append(&client->changes, &change->list);
    client->change_count++;
    return true;
}

static void on_changed(void *context, const char *name, uint32_t bitmap)
{
    struct isns_client *client = context;
    bool self = name != NULL && name_equal(name, client->node);
    if (self && (bitmap & ISNS_SCN_OBJECT_REMOVED) != 0)
        client->registered = client->subscribed = false;
    if (name == NULL || self || strlen(name) > ISCSI_NAME_MAX || !list_change(client, name)) {
        client->wants_all = true;
        forget_changes(client);
    }
    wake(client);
}

/* --- messages --- */

static uint16_t function_of(enum isns_step step)
{
    static const uint16_t functions[] = {
        [STEP_REGISTER] = ISNS_DEV_ATTR_REG,  [STEP_SUBSCRIBE] = ISNS_SCN_REG,
        [STEP_QUERY_ALL] = ISNS_DEV_ATTR_QRY, [STEP_GET_NEXT] = ISNS_DEV_GET_NEXT,
        [STEP_QUERY] = ISNS_DEV_ATTR_QRY,     [STEP_QUERY_PORTALS] = ISNS_DEV_ATTR_QRY,
        [STEP_LEAVE] = ISNS_DEV_DEREG,
    };
    return functions[step];
}

static bool is_answer(const struct isns_client *client, const struct isns_header *header)
{
    return client->step != STEP_NONE && header->transaction == client->transaction &&
           header->function == (function_of(client->step) | ISNS_RESPONSE);
}

/* The event comes last: the client may be gone after it. */
static void tell(struct isns_client *client, enum isns_outcome outcome)
{
    struct isns_records records = client->records;
    char target[ISCSI_NAME_MAX + 1];
    memcpy(target, client->target, sizeof target);
    client->records = (struct isns_records){0};
    if (outcome == ISNS_FOUND)
        client->events->found(client->context, &records.list);
    else
        client->events->changed(client->context, target, &records.list);
    isns_records_clear(&records);
}

static void on_answer(struct isns_client *client, const uint8_t *payload, size_t length)
{
    enum isns_outcome outcome;
    enum status status = isns_take_answer(client, payload, length, &outcome);
    if (status == STATUS_OK && outcome == ISNS_GO_ON)
        status = isns_proceed(client);
    if (status != STATUS_OK || outcome == ISNS_LEFT) {
        end(client, status);
    } else if (outcome != ISNS_GO_ON) {
        wake(client);
        tell(client, outcome);
    }
}

static void on_message(struct isns_link *link, const struct isns_header *header,
                       const uint8_t *payload, size_t length)
{
    struct isns_client *client = LIST_OWNER(link, struct isns_client, link);
    enum status status = STATUS_PROTOCOL_ERROR;
    if (is_answer(client, header)) {
        on_answer(client, payload, length);
        return;
    }
    if ((header->function & ISNS_RESPONSE) == 0)
        status = isns_answer(link, header, payload, length, on_changed, client);
    if (status != STATUS_OK)
        end(client, status);
}

static void on_failed(struct isns_link *link, enum status status)
{
    end(LIST_OWNER(link, struct isns_client, link), status);
}

static const struct isns_link_events link_events = {.message = on_message, .failed = on_failed};

/* --- connecting --- */

/* The server finds us where we come from. */
static enum status listen_beside(struct isns_client *client)
{
    struct os_address address;
    char host[OS_HOST_TEXT];
    enum status status = STATUS_TRANSPORT_ERROR;
    if (!os_local_address(client->link.watch.socket, &address))
        return status;
    os_address_to_ip(&address, client->registration.address);
    os_address_format(&address, host, NULL);
    if (!os_address_parse(&address, host, 0))
        return status;
    client->listener = isns_listener_new(client->loop, &address, on_changed, client, &status);
    if (client->listener == NULL)
        return status;
    client->registration.port = isns_listener_port(client->listener);
    return STATUS_OK;
}

static void on_connected(void *context, enum status status, os_socket socket)
{
    struct isns_client *client = context;
    client->connector = NULL;
    if (status == STATUS_OK &&
        !isns_link_open(&client->link, client->loop, socket, &link_events, ANSWER_MOST))
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = listen_beside(client);
    if (status == STATUS_OK)
        status = isns_proceed(client);
    if (status != STATUS_OK)
        end(client, status);
}

static bool take_settings(struct isns_client *client, const struct isns_settings *settings)
{
    const struct connector_target target = {.host = settings->host,
                                            .port = settings->port,
                                            .timeout = settings->connect_timeout,
                                            .gate = settings->gate};
    client->node = os_copy_text(settings->node);
    client->alias = os_copy_text(settings->alias);
    client->answer_timeout = settings->answer_timeout;
    if (client->node == NULL || client->alias == NULL)
        return false;
    client->registration = (struct isns_registration){.entity = client->node,
                                                      .node = client->node,
                                                      .alias = client->alias,
                                                      .period = PERIOD,
                                                      .esi_interval = ESI_INTERVAL};
    client->connector = connector_start(client->loop, &target, on_connected, client);
    return client->connector != NULL;
}

struct isns_client *isns_open(struct os_loop *loop, const struct isns_settings *settings,
                              const struct isns_events *events, void *context)
{
    struct isns_client *client = os_alloc(sizeof *client);
    if (client == NULL)
        return NULL;
    client->loop = loop;
    client->events = events;
    client->context = context;
    client->wants_all = true;
    client->deadline.fire = on_deadline;
    client->renewal.fire = on_renewal;
    client->wake.fire = on_wake;
    list_init(&client->changes);
    if (take_settings(client, settings))
        return client;
    isns_close(client);
    return NULL;
}
