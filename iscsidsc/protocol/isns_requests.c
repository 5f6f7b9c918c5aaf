/* The requests of an initiator: source, message key, delimiter, operating attributes (RFC 4171,
 * 5.5.3). */
#include "protocol/isns_messages.h"

static void begin_request(struct isns_writer *writer, uint8_t *bytes, size_t room,
                          enum isns_function function, unsigned flags, uint16_t transaction,
                          const char *source)
{
    isns_begin(writer, bytes, room, function, ISNS_FROM_CLIENT | flags, transaction);
    isns_put_text(writer, ISNS_NODE_NAME, source);
}

static void put_portal(struct isns_writer *writer, const struct isns_registration *registration)
{
    isns_put_bytes(writer, ISNS_PORTAL_ADDRESS, registration->address, ISNS_ADDRESS_LENGTH);
    isns_put_number(writer, ISNS_PORTAL_PORT, registration->port);
    if (registration->esi_interval != 0) {
        isns_put_number(writer, ISNS_ESI_INTERVAL, registration->esi_interval);
        isns_put_number(writer, ISNS_ESI_PORT, registration->port);
    }
    isns_put_number(writer, ISNS_SCN_PORT, registration->port);
}

size_t isns_encode_registration(uint8_t *bytes, size_t room, uint16_t transaction,
                                const struct isns_registration *registration, bool replace)
{
    struct isns_writer writer;
    begin_request(&writer, bytes, room, ISNS_DEV_ATTR_REG, replace ? ISNS_REPLACE : 0, transaction,
                  registration->node);
    isns_put_text(&writer, ISNS_ENTITY_IDENTIFIER, registration->entity);
    isns_put_empty(&writer, ISNS_DELIMITER);
    isns_put_text(&writer, ISNS_ENTITY_IDENTIFIER, registration->entity);
    isns_put_number(&writer, ISNS_ENTITY_PROTOCOL, ISNS_PROTOCOL_ISCSI);
    isns_put_number(&writer, ISNS_REGISTRATION_PERIOD, registration->period);
    put_portal(&writer, registration);
    isns_put_text(&writer, ISNS_NODE_NAME, registration->node);
    isns_put_number(&writer, ISNS_NODE_TYPE, ISNS_NODE_INITIATOR);
    isns_put_text(&writer, ISNS_NODE_ALIAS, registration->alias);
    return isns_end(&writer);
}

size_t isns_encode_deregistration(uint8_t *bytes, size_t room, uint16_t transaction,
                                  const char *source, const char *entity)
{
    struct isns_writer writer;
    begin_request(&writer, bytes, room, ISNS_DEV_DEREG, 0, transaction, source);
    isns_put_empty(&writer, ISNS_DELIMITER);
    isns_put_text(&writer, ISNS_ENTITY_IDENTIFIER, entity);
    return isns_end(&writer);
}

size_t isns_encode_scn_registration(uint8_t *bytes, size_t room, uint16_t transaction,
                                    const char *source)
{
    struct isns_writer writer;
    begin_request(&writer, bytes, room, ISNS_SCN_REG, 0, transaction, source);
    isns_put_text(&writer, ISNS_NODE_NAME, source);
    isns_put_empty(&writer, ISNS_DELIMITER);
    isns_put_number(&writer, ISNS_NODE_SCN_BITMAP,
                    ISNS_SCN_TARGETS_AND_SELF | ISNS_SCN_OBJECT_REMOVED | ISNS_SCN_OBJECT_ADDED |
                        ISNS_SCN_OBJECT_UPDATED);
    return isns_end(&writer);
}

static void ask(struct isns_writer *writer, const enum isns_tag *tags, size_t count)
{
    for (size_t i = 0; i < count; i++)
        isns_put_empty(writer, tags[i]);
}

#define ASK(writer, ...)                                                                           \
    ask(writer, (const enum isns_tag[]){__VA_ARGS__},                                              \
        sizeof((const enum isns_tag[]){__VA_ARGS__}) / sizeof(enum isns_tag))

/* The portal group names its node and its portal: that leaves no doubt about whose it is. */
static void ask_with_groups(struct isns_writer *writer)
{
    ASK(writer, ISNS_DELIMITER, ISNS_NODE_NAME, ISNS_NODE_TYPE, ISNS_NODE_ALIAS, ISNS_PG_NODE_NAME,
        ISNS_PG_PORTAL_ADDRESS, ISNS_PG_PORTAL_PORT, ISNS_PG_TAG);
}

size_t isns_encode_query_all(uint8_t *bytes, size_t room, uint16_t transaction, const char *source)
{
    struct isns_writer writer;
    begin_request(&writer, bytes, room, ISNS_DEV_ATTR_QRY, 0, transaction, source);
    isns_put_number(&writer, ISNS_NODE_TYPE, ISNS_NODE_TARGET);
    ask_with_groups(&writer);
    return isns_end(&writer);
}

size_t isns_encode_query(uint8_t *bytes, size_t room, uint16_t transaction, const char *source,
                         const char *target)
{
    struct isns_writer writer;
    begin_request(&writer, bytes, room, ISNS_DEV_ATTR_QRY, 0, transaction, source);
    isns_put_text(&writer, ISNS_NODE_NAME, target);
    ask_with_groups(&writer);
    return isns_end(&writer);
}

size_t isns_encode_query_portals(uint8_t *bytes, size_t room, uint16_t transaction,
                                 const char *source, const char *target)
{
    struct isns_writer writer;
    begin_request(&writer, bytes, room, ISNS_DEV_ATTR_QRY, 0, transaction, source);
    isns_put_text(&writer, ISNS_NODE_NAME, target);
    ASK(&writer, ISNS_DELIMITER, ISNS_NODE_NAME, ISNS_NODE_TYPE, ISNS_NODE_ALIAS,
        ISNS_PORTAL_ADDRESS, ISNS_PORTAL_PORT);
    return isns_end(&writer);
}

size_t isns_encode_get_next(uint8_t *bytes, size_t room, uint16_t transaction, const char *source,
                            const char *after)
{
    struct isns_writer writer;
    begin_request(&writer, bytes, room, ISNS_DEV_GET_NEXT, 0, transaction, source);
    if (after[0] == '\0')
        isns_put_empty(&writer, ISNS_NODE_NAME);
    else
        isns_put_text(&writer, ISNS_NODE_NAME, after);
    isns_put_empty(&writer, ISNS_DELIMITER);
    /* With a value an operating attribute narrows the scope (RFC 4171, 5.6.5.3). */
    isns_put_number(&writer, ISNS_NODE_TYPE, ISNS_NODE_TARGET);
    return isns_end(&writer);
}
