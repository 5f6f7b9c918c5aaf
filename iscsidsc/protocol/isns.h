/*
 * iSNSP, the protocol of the Internet Storage Name Service (RFC 4171): PDUs, how they make up
 * messages, and the attributes in them. What an initiator says in them is in isns_messages.h.
 */
#ifndef PROTOCOL_ISNS_H
#define PROTOCOL_ISNS_H

#include "protocol/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISNS_DEFAULT_PORT  3205u
#define ISNS_VERSION       1u
#define ISNS_HEADER_LENGTH 12u
/* A PDU's payload is a multiple of 4 bytes (RFC 4171, 5.1.3). */
#define ISNS_PAYLOAD_MOST 65532u
/* A name, an alias or an identifier with its NUL (RFC 4171, 6.1). */
#define ISNS_TEXT_ROOM      256u
#define ISNS_ADDRESS_LENGTH 16u

/* RFC 4171, 4.1.3. A response has the bit ISNS_RESPONSE as well. */
enum isns_function {
    ISNS_DEV_ATTR_REG = 0x0001,
    ISNS_DEV_ATTR_QRY = 0x0002,
    ISNS_DEV_GET_NEXT = 0x0003,
    ISNS_DEV_DEREG = 0x0004,
    ISNS_SCN_REG = 0x0005,
    ISNS_SCN_DEREG = 0x0006,
    ISNS_SCN_EVENT = 0x0007,
    ISNS_SCN = 0x0008,
    ISNS_DD_REG = 0x0009,
    ISNS_DD_DEREG = 0x000a,
    ISNS_DDS_REG = 0x000b,
    ISNS_DDS_DEREG = 0x000c,
    ISNS_ESI = 0x000d,
    ISNS_HEARTBEAT = 0x000e,
    ISNS_RESPONSE = 0x8000,
};

/* RFC 4171, 5.1.4. */
enum isns_flag {
    ISNS_FROM_CLIENT = 0x8000,
    ISNS_FROM_SERVER = 0x4000,
    ISNS_AUTHENTICATION = 0x2000,
    ISNS_REPLACE = 0x1000,
    ISNS_LAST_PDU = 0x0800,
    ISNS_FIRST_PDU = 0x0400,
};

/* The status that a response begins with (RFC 4171, 5.4). */
enum isns_error {
    ISNS_SUCCESSFUL = 0,
    ISNS_UNKNOWN_ERROR = 1,
    ISNS_MESSAGE_FORMAT_ERROR = 2,
    ISNS_INVALID_REGISTRATION = 3,
    ISNS_INVALID_QUERY = 5,
    ISNS_SOURCE_UNKNOWN = 6,
    ISNS_SOURCE_ABSENT = 7,
    ISNS_SOURCE_UNAUTHORIZED = 8,
    ISNS_NO_SUCH_ENTRY = 9,
    ISNS_VERSION_NOT_SUPPORTED = 10,
    ISNS_INTERNAL_ERROR = 11,
    ISNS_BUSY = 12,
    ISNS_OPTION_NOT_UNDERSTOOD = 13,
    ISNS_INVALID_UPDATE = 14,
    ISNS_MESSAGE_NOT_SUPPORTED = 15,
    ISNS_SCN_EVENT_REJECTED = 16,
    ISNS_SCN_REGISTRATION_REJECTED = 17,
    ISNS_ATTRIBUTE_NOT_IMPLEMENTED = 18,
    ISNS_ESI_NOT_AVAILABLE = 21,
    ISNS_INVALID_DEREGISTRATION = 22,
    ISNS_FEATURE_NOT_SUPPORTED = 23,
};

/* RFC 4171, 6.1: those that concern iSCSI. */
enum isns_tag {
    ISNS_DELIMITER = 0,
    ISNS_ENTITY_IDENTIFIER = 1,
    ISNS_ENTITY_PROTOCOL = 2,
    ISNS_TIMESTAMP = 4,
    ISNS_REGISTRATION_PERIOD = 6,
    ISNS_PORTAL_ADDRESS = 16,
    ISNS_PORTAL_PORT = 17,
    ISNS_ESI_INTERVAL = 19,
    ISNS_ESI_PORT = 20,
    ISNS_SCN_PORT = 23,
    ISNS_NODE_NAME = 32,
    ISNS_NODE_TYPE = 33,
    ISNS_NODE_ALIAS = 34,
    ISNS_NODE_SCN_BITMAP = 35,
    ISNS_PG_NODE_NAME = 48,
    ISNS_PG_PORTAL_ADDRESS = 49,
    ISNS_PG_PORTAL_PORT = 50,
    ISNS_PG_TAG = 51,
    ISNS_DD_ID = 2065,
    ISNS_DD_SYMBOLIC_NAME = 2066,
    ISNS_DD_MEMBER_NAME = 2068,
};

#define ISNS_PROTOCOL_ISCSI 2u
#define ISNS_NODE_TARGET    1u /* bits of the node type (RFC 4171, 6.4.2) */
#define ISNS_NODE_INITIATOR 2u
#define ISNS_PORT_IS_UDP    0x10000u /* bit of a port (RFC 4171, 6.3.2) */

/* Bits of the SCN bitmap (RFC 4171, 6.4.4). */
enum isns_scn {
    ISNS_SCN_DD_MEMBER_ADDED = 0x01,
    ISNS_SCN_DD_MEMBER_REMOVED = 0x02,
    ISNS_SCN_OBJECT_UPDATED = 0x04,
    ISNS_SCN_OBJECT_ADDED = 0x08,
    ISNS_SCN_OBJECT_REMOVED = 0x10,
    ISNS_SCN_MANAGEMENT = 0x20,
    ISNS_SCN_TARGETS_AND_SELF = 0x40,
    ISNS_SCN_INITIATORS_AND_SELF = 0x80,
};

/* --- PDUs (RFC 4171, 5.1) --- */

struct isns_header {
    uint16_t function;
    uint16_t length; /* of the payload */
    uint16_t flags;
    uint16_t transaction;
    uint16_t sequence;
};

/* ISNS_VERSION: iSNSP of another version. PROTOCOL_ERROR: no iSNSP at all, a length that cannot be,
 * or a message that demands authentication. */
enum status isns_decode_header(const uint8_t bytes[ISNS_HEADER_LENGTH], struct isns_header *out);

/* The PDUs of a message under way; zero-initialised at first. */
struct isns_fragments {
    bool open; /* further PDUs follow */
    struct isns_header last;
    size_t length; /* of all payloads */
};

/*
 * Takes the header of the next PDU. `*complete`: the message ends with its payload; then the next
 * PDU begins another one. PROTOCOL_ERROR: it does not follow the one before it, or the message
 * would be longer than `most`.
 */
enum status isns_take_header(struct isns_fragments *fragments, const struct isns_header *header,
                             size_t most, bool *complete);

/* --- writing --- */

/* A message of one PDU. What does not fit is noticed at the end. */
struct isns_writer {
    uint8_t *bytes;
    size_t room;
    size_t length;
    bool overflow;
};

/* `flags`: ISNS_FROM_CLIENT or ISNS_FROM_SERVER, and ISNS_REPLACE. */
void isns_begin(struct isns_writer *writer, uint8_t *bytes, size_t room, unsigned function,
                unsigned flags, uint16_t transaction);
void isns_put_error(struct isns_writer *writer, enum isns_error error);
/* An attribute without a value: what is asked for, the delimiter. */
void isns_put_empty(struct isns_writer *writer, enum isns_tag tag);
void isns_put_number(struct isns_writer *writer, enum isns_tag tag, uint32_t number);
/* With its NUL, padded. */
void isns_put_text(struct isns_writer *writer, enum isns_tag tag, const char *text);
/* As it is, padded. */
void isns_put_bytes(struct isns_writer *writer, enum isns_tag tag, const uint8_t *value,
                    size_t length);
/* Attributes that are encoded already. */
void isns_put_attributes(struct isns_writer *writer, const uint8_t *attributes, size_t length);
/* The whole PDU's length; 0: it did not fit. */
size_t isns_end(struct isns_writer *writer);

/* --- reading (RFC 4171, 5.1.8) --- */

struct isns_attribute {
    uint32_t tag;
    uint32_t length;
    const uint8_t *value;
};

struct isns_cursor {
    const uint8_t *bytes;
    size_t left;
    bool malformed; /* what is left is no attribute */
};

/* False at the end, and when it is malformed. */
bool isns_next(struct isns_cursor *cursor, struct isns_attribute *out);
/* False: not 4 bytes. */
bool isns_number(const struct isns_attribute *attribute, uint32_t *out);
/* The text before the padding. False: it does not fit. */
bool isns_text(const struct isns_attribute *attribute, char *out, size_t room);

#endif
