/* The iSNS client's requests, and what their answers mean. */
#include "discovery/isns_internal.h"

#include <string.h>

enum { WALK_MOST = 65536 }; /* targets */

/* --- asking --- */

static enum isns_step choose(const struct isns_client *client)
{
    if (client->leaving)
        return STEP_LEAVE;
    if (!client->registered)
        return STEP_REGISTER;
    if (!client->subscribed)
        return STEP_SUBSCRIBE;
    if (client->walking)
        return client->has_target ? STEP_QUERY : STEP_GET_NEXT;
    if (client->wants_all)
        return STEP_QUERY_ALL;
    return list_empty(&client->changes) ? STEP_NONE : STEP_QUERY;
}

static void take_change(struct isns_client *client)
{
    struct list *first = list_first(&client->changes);
    if (first == NULL)
        return;
    struct isns_change *change = LIST_OWNER(first, struct isns_change, list);
    memcpy(client->target, change->name, sizeof client->target);
    list_remove(&change->list);
    client->change_count--;
    os_free(change);
}

static size_t encode(struct isns_client *client, enum isns_step step, uint8_t *bytes, size_t room)
{
    uint16_t number = client->transaction;
    const char *node = client->node;
    switch (step) {
    case STEP_REGISTER:
        return isns_encode_registration(bytes, room, number, &client->registration,
                                        !client->replaced);
    case STEP_SUBSCRIBE:
        return isns_encode_scn_registration(bytes, room, number, node);
    case STEP_QUERY_ALL:
        return isns_encode_query_all(bytes, room, number, node);
    case STEP_GET_NEXT:
        return isns_encode_get_next(bytes, room, number, node, client->after);
    case STEP_QUERY:
        return isns_encode_query(bytes, room, number, node, client->target);
    case STEP_QUERY_PORTALS:
        return isns_encode_query_portals(bytes, room, number, node, client->target);
    default:
        return isns_encode_deregistration(bytes, room, number, node, client->registration.entity);
    }
}

static enum status ask(struct isns_client *client, enum isns_step step)
{
    uint8_t bytes[ISNS_REQUEST_MOST];
    client->transaction++;
    client->step = step;
    size_t length = encode(client, step, bytes, sizeof bytes);
    if (length == 0)
        return STATUS_INTERNAL;
    if (!isns_link_send(&client->link, bytes, length) ||
        !os_timer_set(client->loop, &client->deadline, os_now() + client->answer_timeout))
        return STATUS_NO_MEMORY;
    return STATUS_OK;
}

enum status isns_proceed(struct isns_client *client)
{
    enum isns_step step = client->step == STEP_NONE ? choose(client) : STEP_NONE;
    if (step == STEP_NONE || !isns_link_is_open(&client->link))
        return STATUS_OK;
    if (step == STEP_QUERY_ALL) {
        client->wants_all = false;
        isns_records_clear(&client->records);
    } else if (step == STEP_QUERY && !client->walking) {
        take_change(client);
        isns_records_clear(&client->records);
    }
    return ask(client, step);
}

/* --- answers --- */

static enum status status_of(uint32_t error)
{
    switch (error) {
    case ISNS_SUCCESSFUL:
        return STATUS_OK;
    case ISNS_SOURCE_UNAUTHORIZED:
        return STATUS_ACCESS_DENIED;
    case ISNS_VERSION_NOT_SUPPORTED:
        return STATUS_ISNS_VERSION;
    case ISNS_BUSY:
        return STATUS_BUSY;
    default:
        return STATUS_REJECTED;
    }
}

/* Halfway through the period there is time for another try. */
static enum status renew_later(struct isns_client *client, uint32_t period)
{
    uint64_t pause = period > 1 ? (uint64_t)period * 500 : 1000;
    if (period == 0)
        return STATUS_OK;
    return os_timer_set(client->loop, &client->renewal, os_now() + pause) ? STATUS_OK
                                                                          : STATUS_NO_MEMORY;
}

static enum status take_registration(struct isns_client *client, uint32_t error,
                                     struct isns_cursor attributes)
{
    uint32_t period = client->registration.period;
    /* Not every server makes status inquiries; some refuse who asks for them. */
    if (error != ISNS_SUCCESSFUL && client->registration.esi_interval != 0) {
        client->registration.esi_interval = 0;
        return STATUS_OK;
    }
    enum status status = status_of(error);
    if (status == STATUS_OK)
        status = isns_read_registration(attributes, &period);
    if (status == STATUS_OK)
        status = renew_later(client, period);
    client->registered = client->replaced = status == STATUS_OK;
    return status;
}

static void walk(struct isns_client *client)
{
    client->walked = 0;
    isns_records_clear(&client->records);
    client->walking = true;
    client->has_target = false;
    client->after[0] = '\0';
}

/* The server has forgotten us, or will not talk to us: no other way of asking helps. */
static bool is_final(uint32_t error)
{
    return error == ISNS_SOURCE_UNKNOWN || error == ISNS_SOURCE_ABSENT ||
           error == ISNS_SOURCE_UNAUTHORIZED || error == ISNS_VERSION_NOT_SUPPORTED ||
           error == ISNS_BUSY;
}

static enum status take_all(struct isns_client *client, uint32_t error,
                            struct isns_cursor attributes, enum isns_outcome *outcome)
{
    bool grouped = false;
    if (is_final(error))
        return status_of(error);
    if (error == ISNS_SUCCESSFUL) {
        enum status status = isns_records_add(&client->records, attributes, &grouped);
        if (status != STATUS_OK)
            return status;
    }
    /* Too many for one answer, or whose portals are whose is not said. */
    if (error != ISNS_SUCCESSFUL && error != ISNS_NO_SUCH_ENTRY)
        walk(client);
    else if (!grouped && client->records.list.count > 0)
        walk(client);
    else
        *outcome = ISNS_FOUND;
    return STATUS_OK;
}

static enum status take_next(struct isns_client *client, uint32_t error,
                             struct isns_cursor attributes, enum isns_outcome *outcome)
{
    char name[ISCSI_NAME_MAX + 1];
    if (error == ISNS_NO_SUCH_ENTRY) {
        client->walking = false;
        *outcome = ISNS_FOUND;
        return STATUS_OK;
    }
    if (error != ISNS_SUCCESSFUL)
        return status_of(error);
    enum status status = isns_read_next(attributes, name);
    /* It goes round in circles. */
    if (status == STATUS_OK && (strcmp(name, client->after) == 0 || ++client->walked > WALK_MOST))
        status = STATUS_PROTOCOL_ERROR;
    memcpy(client->after, name, sizeof client->after);
    memcpy(client->target, name, sizeof client->target);
    client->has_target = true;
    return status;
}

static void end_target(struct isns_client *client, enum isns_outcome *outcome)
{
    client->has_target = false;
    if (!client->walking)
        *outcome = ISNS_CHANGED;
}

static enum status take_target(struct isns_client *client, uint32_t error,
                               struct isns_cursor attributes, enum isns_outcome *outcome)
{
    size_t known = client->records.list.count;
    bool grouped = false;
    if (is_final(error))
        return status_of(error);
    if (error == ISNS_SUCCESSFUL) {
        enum status status = isns_records_add(&client->records, attributes, &grouped);
        if (status != STATUS_OK)
            return status;
    }
    bool told = client->records.list.count > known;
    /* It went meanwhile, or there is nothing more to be had. */
    if (error == ISNS_NO_SUCH_ENTRY || (error == ISNS_SUCCESSFUL && (grouped || !told))) {
        end_target(client, outcome);
        return STATUS_OK;
    }
    client->records.list.count = known;
    return ask(client, STEP_QUERY_PORTALS);
}

static enum status take_portals(struct isns_client *client, uint32_t error,
                                struct isns_cursor attributes, enum isns_outcome *outcome)
{
    bool grouped;
    if (is_final(error))
        return status_of(error);
    end_target(client, outcome);
    return error == ISNS_SUCCESSFUL ? isns_records_add(&client->records, attributes, &grouped)
                                    : STATUS_OK;
}

enum status isns_take_answer(struct isns_client *client, const uint8_t *payload, size_t length,
                             enum isns_outcome *outcome)
{
    struct isns_cursor attributes;
    enum isns_step step = client->step;
    uint32_t error;
    *outcome = ISNS_GO_ON;
    client->step = STEP_NONE;
    os_timer_clear(&client->deadline);
    if (!isns_open_response(payload, length, &error, &attributes))
        return STATUS_PROTOCOL_ERROR;
    switch (step) {
    case STEP_REGISTER:
        return take_registration(client, error, attributes);
    case STEP_SUBSCRIBE:
        /* Without notices the targets are still found. */
        client->subscribed = true;
        return is_final(error) ? status_of(error) : STATUS_OK;
    case STEP_QUERY_ALL:
        return take_all(client, error, attributes, outcome);
    case STEP_GET_NEXT:
        return take_next(client, error, attributes, outcome);
    case STEP_QUERY:
        return take_target(client, error, attributes, outcome);
    case STEP_QUERY_PORTALS:
        return take_portals(client, error, attributes, outcome);
    default:
        *outcome = ISNS_LEFT;
        return STATUS_OK;
    }
}
