/* What a server says: its responses, and the SCN and ESI that it sends unasked. */
#include "protocol/bytes.h"
#include "protocol/isns_messages.h"

#include <string.h>

bool isns_open_response(const uint8_t *payload, size_t length, uint32_t *error,
                        struct isns_cursor *attributes)
{
    if (length < 4)
        return false;
    *error = get_be32(payload);
    *attributes = (struct isns_cursor){.bytes = payload + 4, .left = length - 4};
    return true;
}

static enum status end_of(const struct isns_cursor *cursor)
{
    return cursor->malformed ? STATUS_PROTOCOL_ERROR : STATUS_OK;
}

enum status isns_read_registration(struct isns_cursor attributes, uint32_t *period)
{
    struct isns_attribute attribute;
    while (isns_next(&attributes, &attribute)) {
        if (attribute.tag == ISNS_REGISTRATION_PERIOD && !isns_number(&attribute, period))
            return STATUS_PROTOCOL_ERROR;
    }
    return end_of(&attributes);
}

enum status isns_read_next(struct isns_cursor attributes, char name[ISCSI_NAME_MAX + 1])
{
    struct isns_attribute attribute;
    if (!isns_next(&attributes, &attribute) || attribute.tag != ISNS_NODE_NAME ||
        !isns_text(&attribute, name, ISCSI_NAME_MAX + 1) || name[0] == '\0')
        return STATUS_PROTOCOL_ERROR;
    return STATUS_OK;
}

/* --- targets --- */

struct target_parser {
    const struct isns_target_reader *reader;
    bool stopped;
    bool grouped;
    char name[ISCSI_NAME_MAX + 1]; /* empty: the node is left out */
    bool told;                     /* the reader knows of it */
    uint8_t address[ISNS_ADDRESS_LENGTH];
    bool has_address;
    uint32_t port;
    bool has_port; /* a portal may be complete, if no tag follows */
    bool plain;    /* it is one of the entity, not of a portal group */
};

/* The name is told late: that the node is no target is said behind it. */
static void tell_name(struct target_parser *parser)
{
    if (parser->name[0] == '\0' || parser->told || parser->stopped)
        return;
    parser->told = true;
    parser->stopped = !parser->reader->target(parser->reader->context, parser->name);
}

static void tell_portal(struct target_parser *parser, uint16_t group)
{
    bool usable = parser->has_address && parser->has_port && parser->name[0] != '\0' &&
                  (parser->port & ISNS_PORT_IS_UDP) == 0 && (parser->port & UINT16_MAX) != 0;
    parser->has_address = parser->has_port = false;
    if (!usable)
        return;
    tell_name(parser);
    if (!parser->stopped)
        parser->stopped = !parser->reader->portal(parser->reader->context, parser->address,
                                                  (uint16_t)parser->port, group);
}

/* A portal of an entity needs no tag; a portal group without one gives no access (RFC 4171, 3.4).
 */
static void end_portal(struct target_parser *parser)
{
    if (parser->plain)
        tell_portal(parser, PORTAL_ANY_GROUP);
    parser->has_address = parser->has_port = false;
}

static void take_name(struct target_parser *parser, const struct isns_attribute *attribute)
{
    char text[ISNS_TEXT_ROOM], name[ISCSI_NAME_MAX + 1];
    if (!isns_text(attribute, text, sizeof text) || !name_normalize(text, name))
        name[0] = '\0';
    if (attribute->tag == ISNS_PG_NODE_NAME && strcmp(name, parser->name) == 0)
        return;
    tell_name(parser);
    memcpy(parser->name, name, sizeof parser->name);
    parser->told = false;
}

static bool take_type(struct target_parser *parser, const struct isns_attribute *attribute)
{
    uint32_t type;
    if (!isns_number(attribute, &type))
        return attribute->length == 0;
    if ((type & ISNS_NODE_TARGET) == 0 && !parser->told)
        parser->name[0] = '\0';
    return true;
}

static void take_alias(struct target_parser *parser, const struct isns_attribute *attribute)
{
    char alias[ISNS_TEXT_ROOM];
    tell_name(parser);
    if (parser->told && !parser->stopped && isns_text(attribute, alias, sizeof alias) &&
        alias[0] != '\0')
        parser->stopped = !parser->reader->alias(parser->reader->context, alias);
}

static bool take_address(struct target_parser *parser, const struct isns_attribute *attribute)
{
    end_portal(parser);
    parser->plain = attribute->tag == ISNS_PORTAL_ADDRESS;
    parser->has_address = attribute->length == ISNS_ADDRESS_LENGTH;
    if (parser->has_address)
        memcpy(parser->address, attribute->value, ISNS_ADDRESS_LENGTH);
    return parser->has_address || attribute->length == 0;
}

static bool take_port(struct target_parser *parser, const struct isns_attribute *attribute)
{
    parser->has_port = isns_number(attribute, &parser->port);
    return parser->has_port || attribute->length == 0;
}

static bool take_tag(struct target_parser *parser, const struct isns_attribute *attribute)
{
    uint32_t tag;
    bool given = isns_number(attribute, &tag);
    if (given && tag <= UINT16_MAX)
        tell_portal(parser, (uint16_t)tag);
    parser->has_address = parser->has_port = false;
    return given || attribute->length == 0;
}

/* False: it has a length that it cannot have. */
static bool take_attribute(struct target_parser *parser, const struct isns_attribute *attribute)
{
    parser->grouped =
        parser->grouped || (attribute->tag >= ISNS_PG_NODE_NAME && attribute->tag <= ISNS_PG_TAG);
    switch (attribute->tag) {
    case ISNS_NODE_NAME:
    case ISNS_PG_NODE_NAME:
        end_portal(parser);
        take_name(parser, attribute);
        return true;
    case ISNS_NODE_TYPE:
        return take_type(parser, attribute);
    case ISNS_NODE_ALIAS:
        take_alias(parser, attribute);
        return true;
    case ISNS_PORTAL_ADDRESS:
    case ISNS_PG_PORTAL_ADDRESS:
        return take_address(parser, attribute);
    case ISNS_PORTAL_PORT:
    case ISNS_PG_PORTAL_PORT:
        return take_port(parser, attribute);
    case ISNS_PG_TAG:
        return take_tag(parser, attribute);
    default:
        return true;
    }
}

enum status isns_read_targets(struct isns_cursor attributes,
                              const struct isns_target_reader *reader, bool *grouped)
{
    struct target_parser parser = {.reader = reader};
    struct isns_attribute attribute;
    bool begun = false; /* the message key is behind us */
    while (!parser.stopped && isns_next(&attributes, &attribute)) {
        if (begun && !take_attribute(&parser, &attribute))
            return STATUS_PROTOCOL_ERROR;
        begun = begun || attribute.tag == ISNS_DELIMITER;
    }
    if (attributes.malformed)
        return STATUS_PROTOCOL_ERROR;
    end_portal(&parser);
    tell_name(&parser);
    *grouped = parser.grouped;
    return parser.stopped ? STATUS_CANCELLED : STATUS_OK;
}

/* --- unasked --- */

enum status isns_read_scn(const uint8_t *payload, size_t length, isns_changed *changed,
                          void *context)
{
    struct isns_cursor cursor = {.bytes = payload, .left = length};
    struct isns_attribute attribute;
    char name[ISNS_TEXT_ROOM];
    uint32_t bitmap = 0;
    bool begun = false; /* the destination is behind us */
    while (isns_next(&cursor, &attribute)) {
        if (attribute.tag == ISNS_NODE_SCN_BITMAP) {
            if (!isns_number(&attribute, &bitmap))
                return STATUS_PROTOCOL_ERROR;
        } else if (begun && attribute.tag == ISNS_NODE_NAME) {
            if (!isns_text(&attribute, name, sizeof name))
                return STATUS_PROTOCOL_ERROR;
            changed(context, name, bitmap);
        } else if (begun && attribute.tag != ISNS_TIMESTAMP && attribute.tag != ISNS_DELIMITER) {
            changed(context, NULL, bitmap);
        }
        begun = true;
    }
    return end_of(&cursor);
}

/* Of a payload that is answered at all, the first attribute of an SCN, the destination, and all of
 * an ESI come back (RFC 4171, 5.7.5.8 and 5.7.5.13). */
size_t isns_encode_response(uint8_t *bytes, size_t room, const struct isns_header *request,
                            const uint8_t *payload, size_t length)
{
    struct isns_writer writer;
    struct isns_cursor cursor = {.bytes = payload, .left = length};
    struct isns_attribute attribute;
    isns_begin(&writer, bytes, room, request->function | (unsigned)ISNS_RESPONSE, ISNS_FROM_CLIENT,
               request->transaction);
    isns_put_error(&writer, payload != NULL ? ISNS_SUCCESSFUL : ISNS_MESSAGE_NOT_SUPPORTED);
    if (payload == NULL)
        return isns_end(&writer);
    if (request->function == ISNS_ESI)
        isns_put_attributes(&writer, payload, length);
    else if (isns_next(&cursor, &attribute))
        isns_put_attributes(&writer, payload, 8 + attribute.length);
    return isns_end(&writer);
}
