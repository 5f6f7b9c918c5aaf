/* iSNSP: PDUs, attributes and messages, against bytes written by hand from RFC 4171. */
#include "protocol/isns_messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_status(got, expected) assert_string_equal(status_name(got), status_name(expected))

/* A literal's bytes without its NUL. */
#define BYTES(literal) (const uint8_t *)(literal), sizeof(literal) - 1

#define MAPPED_10_0_0_1 "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x01"
#define IPV6_DB8_7      "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"

/* Attributes as they travel: tag, length, value, padding. */
#define DELIMITER   "\0\0\0\0\0\0\0\0"
#define NAME_A      "\0\0\0\x20\0\0\0\x10iqn.2026-11.a:a\0"
#define NAME_B      "\0\0\0\x20\0\0\0\x14iqn.2026-11.b:long\0\0"
#define TYPE_TARGET "\0\0\0\x21\0\0\0\x04\0\0\0\x01"
#define ALIAS_DISK                                                                                 \
    "\0\0\0\x22\0\0\0\x08"                                                                         \
    "disk\0\0\0\0"
#define PG_NAME_A    "\0\0\0\x30\0\0\0\x10iqn.2026-11.a:a\0"
#define PG_NAME_B    "\0\0\0\x30\0\0\0\x14iqn.2026-11.b:long\0\0"
#define PG_ADDRESS_4 "\0\0\0\x31\0\0\0\x10" MAPPED_10_0_0_1
#define PG_ADDRESS_6 "\0\0\0\x31\0\0\0\x10" IPV6_DB8_7
#define PG_PORT_3260 "\0\0\0\x32\0\0\0\x04\0\0\x0c\xbc"
#define PG_TAG_7     "\0\0\0\x33\0\0\0\x04\0\0\0\x07"

/* --- headers --- */

static void a_header_is_read(void **state)
{
    struct isns_header header;
    (void)state;
    assert_status(
        isns_decode_header((const uint8_t *)"\0\x01\x80\x02\x01\x10\x4c\0\x12\x34\0\x05", &header),
        STATUS_OK);
    assert_int_equal(header.function, 0x8002);
    assert_int_equal(header.length, 0x110);
    assert_int_equal(header.flags, ISNS_FROM_SERVER | ISNS_LAST_PDU | ISNS_FIRST_PDU);
    assert_int_equal(header.transaction, 0x1234);
    assert_int_equal(header.sequence, 5);
}

static void headers_that_cannot_be_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        enum status status;
    } rows[] = {
        {"\0\x02\x80\x01\0\0\x4c\0\0\x01\0\0", STATUS_ISNS_VERSION},
        {"\0\0\x80\x01\0\0\x4c\0\0\x01\0\0", STATUS_ISNS_VERSION},
        {"\0\x01\0\0\0\0\x4c\0\0\x01\0\0", STATUS_PROTOCOL_ERROR},     /* no function */
        {"\0\x01\x80\x0f\0\0\x4c\0\0\x01\0\0", STATUS_PROTOCOL_ERROR}, /* an unknown one */
        {"\0\x01\x40\x01\0\0\x4c\0\0\x01\0\0", STATUS_PROTOCOL_ERROR},
        {"\0\x01\x80\x01\0\x02\x4c\0\0\x01\0\0", STATUS_PROTOCOL_ERROR}, /* length not padded */
        {"\0\x01\x80\x01\0\x04\x6c\0\0\x01\0\0", STATUS_PROTOCOL_ERROR}, /* authentication */
        {"HTTP/1.1 400", STATUS_PROTOCOL_ERROR},
        {"SSH-2.0-Open", STATUS_PROTOCOL_ERROR},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct isns_header header;
        enum status status = isns_decode_header((const uint8_t *)rows[i].bytes, &header);
        if (status != rows[i].status)
            fail_msg("row %zu: %s, not %s", i, status_name(status), status_name(rows[i].status));
    }
}

/* --- fragments --- */

enum { FIRST = ISNS_FIRST_PDU, LAST = ISNS_LAST_PDU };

static enum status take(struct isns_fragments *fragments, unsigned flags, uint16_t length,
                        uint16_t sequence, bool *complete)
{
    const struct isns_header header = {.function = 0x8002,
                                       .length = length,
                                       .flags = (uint16_t)flags,
                                       .transaction = 9,
                                       .sequence = sequence};
    return isns_take_header(fragments, &header, 1000, complete);
}

static void pdus_make_messages(void **state)
{
    struct isns_fragments fragments = {0};
    bool complete;
    (void)state;
    assert_status(take(&fragments, FIRST | LAST, 0, 0, &complete), STATUS_OK);
    assert_true(complete);
    assert_status(take(&fragments, FIRST, 400, 0, &complete), STATUS_OK);
    assert_false(complete);
    assert_status(take(&fragments, 0, 400, 1, &complete), STATUS_OK);
    assert_false(complete);
    assert_status(take(&fragments, LAST, 200, 2, &complete), STATUS_OK);
    assert_true(complete);
    assert_int_equal(fragments.length, 1000);
    assert_status(take(&fragments, FIRST | LAST, 8, 0, &complete), STATUS_OK);
    assert_int_equal(fragments.length, 8);
}

static void pdus_out_of_place_are_refused(void **state)
{
    static const struct {
        const char *what;
        unsigned flags;
        uint16_t length;
        uint16_t sequence;
    } rows[] = {
        {"a second first one", FIRST, 4, 1}, {"a number left out", 0, 4, 2},
        {"the same number again", 0, 4, 0},  {"an empty one that is not the last", 0, 0, 1},
        {"too much in all", LAST, 904, 1},
    };
    struct isns_fragments fragments = {0};
    struct isns_header other;
    bool complete;
    (void)state;
    assert_status(take(&fragments, LAST, 4, 0, &complete), STATUS_PROTOCOL_ERROR);
    assert_status(take(&fragments, FIRST | LAST, 1004, 0, &complete), STATUS_PROTOCOL_ERROR);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fragments = (struct isns_fragments){0};
        assert_status(take(&fragments, FIRST, 100, 0, &complete), STATUS_OK);
        enum status status =
            take(&fragments, rows[i].flags, rows[i].length, rows[i].sequence, &complete);
        if (status != STATUS_PROTOCOL_ERROR || complete)
            fail_msg("%s: %s", rows[i].what, status_name(status));
    }
    other = fragments.last;
    other.flags = 0;
    other.sequence = 1;
    other.transaction++;
    assert_status(isns_take_header(&fragments, &other, 1000, &complete), STATUS_PROTOCOL_ERROR);
    other.transaction--;
    other.function = 0x8003;
    assert_status(isns_take_header(&fragments, &other, 1000, &complete), STATUS_PROTOCOL_ERROR);
}

/* --- attributes --- */

static void attributes_are_read(void **state)
{
    struct isns_cursor cursor = {BYTES(NAME_A TYPE_TARGET DELIMITER), false};
    struct isns_attribute attribute;
    char text[ISNS_TEXT_ROOM];
    uint32_t number;
    (void)state;
    assert_true(isns_next(&cursor, &attribute));
    assert_int_equal(attribute.tag, ISNS_NODE_NAME);
    assert_false(isns_number(&attribute, &number));
    assert_true(isns_text(&attribute, text, sizeof text));
    assert_string_equal(text, "iqn.2026-11.a:a");
    assert_true(isns_text(&attribute, text, 16));
    assert_false(isns_text(&attribute, text, 15));
    assert_true(isns_next(&cursor, &attribute));
    assert_true(isns_number(&attribute, &number));
    assert_int_equal(number, ISNS_NODE_TARGET);
    assert_true(isns_next(&cursor, &attribute));
    assert_int_equal(attribute.tag, ISNS_DELIMITER);
    assert_false(isns_number(&attribute, &number));
    assert_true(isns_text(&attribute, text, sizeof text));
    assert_string_equal(text, "");
    assert_false(isns_next(&cursor, &attribute));
    assert_false(cursor.malformed);
}

/* Every cut, in memory of exactly that length so that a sanitizer sees what is read behind it. */
static void cut_attributes_are_malformed(void **state)
{
    static const char whole[] = NAME_A TYPE_TARGET;
    (void)state;
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        uint8_t *bytes = malloc(length + 1);
        struct isns_cursor cursor = {bytes, length, false};
        struct isns_attribute attribute;
        assert_non_null(bytes);
        memcpy(bytes, whole, length);
        while (isns_next(&cursor, &attribute))
            ;
        if (cursor.malformed != (length != 0 && length != 24))
            fail_msg("%zu bytes: %s", length, cursor.malformed ? "malformed" : "taken");
        assert_false(isns_next(&cursor, &attribute));
        free(bytes);
    }
}

static void lengths_that_cannot_be_are_malformed(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } rows[] = {
        {"\0\0\0\x20\xff\xff\xff\xff"
         "abcd",
         12},
        {"\0\0\0\x20\xff\xff\xff\xf8"
         "abcd",
         12},
        {"\0\0\0\x20\0\0\0\x08"
         "abcd",
         12},
        {"\0\0\0\x20\0\0\0\x03"
         "abcd",
         12},
        {"\0\0\0\x20\x80\0\0\0"
         "abcd",
         12},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct isns_cursor cursor = {(const uint8_t *)rows[i].bytes, rows[i].length, false};
        struct isns_attribute attribute;
        assert_false(isns_next(&cursor, &attribute));
        assert_true(cursor.malformed);
    }
}

/* --- what an initiator sends --- */

static void assert_bytes(const uint8_t *got, size_t length, const uint8_t *expected,
                         size_t expected_length)
{
    for (size_t i = 0; i < length && i < expected_length; i++) {
        if (got[i] != expected[i])
            fail_msg("byte %zu is %02x, not %02x", i, got[i], expected[i]);
    }
    assert_int_equal(length, expected_length);
}

static const struct isns_registration registration = {
    .entity = "iqn.2026-11.a:a",
    .node = "iqn.2026-11.a:a",
    .alias = "disk",
    .address = MAPPED_10_0_0_1,
    .port = 40000,
    .period = 900,
    .esi_interval = 60,
};

#define ENTITY_A "\0\0\0\x01\0\0\0\x10iqn.2026-11.a:a\0"

static void a_registration_is_written(void **state)
{
    uint8_t bytes[ISNS_REQUEST_MOST];
    (void)state;
    size_t length = isns_encode_registration(bytes, sizeof bytes, 0x0102, &registration, true);
    assert_bytes(bytes, length,
                 BYTES("\0\x01\0\x01\0\xe4\x9c\0\x01\x02\0\0" NAME_A ENTITY_A DELIMITER ENTITY_A
                       "\0\0\0\x02\0\0\0\x04\0\0\0\x02"       /* iSCSI */
                       "\0\0\0\x06\0\0\0\x04\0\0\x03\x84"     /* period */
                       "\0\0\0\x10\0\0\0\x10" MAPPED_10_0_0_1 /* portal */
                       "\0\0\0\x11\0\0\0\x04\0\0\x9c\x40"
                       "\0\0\0\x13\0\0\0\x04\0\0\0\x3c" /* ESI */
                       "\0\0\0\x14\0\0\0\x04\0\0\x9c\x40"
                       "\0\0\0\x17\0\0\0\x04\0\0\x9c\x40" NAME_A      /* SCN */
                       "\0\0\0\x21\0\0\0\x04\0\0\0\x02" ALIAS_DISK)); /* initiator */
}

static void a_registration_need_not_ask_for_inquiries(void **state)
{
    struct isns_registration without = registration;
    uint8_t bytes[ISNS_REQUEST_MOST];
    struct isns_attribute attribute;
    (void)state;
    without.esi_interval = 0;
    size_t length = isns_encode_registration(bytes, sizeof bytes, 1, &without, false);
    struct isns_cursor cursor = {bytes + 12, length - 12, false};
    assert_int_equal(bytes[6], 0x8c);
    while (isns_next(&cursor, &attribute)) {
        assert_int_not_equal(attribute.tag, ISNS_ESI_INTERVAL);
        assert_int_not_equal(attribute.tag, ISNS_ESI_PORT);
    }
    assert_false(cursor.malformed);
}

#define ASK_GROUPS                                                                                 \
    DELIMITER "\0\0\0\x20\0\0\0\0\0\0\0\x21\0\0\0\0\0\0\0\x22\0\0\0\0"                             \
              "\0\0\0\x30\0\0\0\0\0\0\0\x31\0\0\0\0\0\0\0\x32\0\0\0\0\0\0\0\x33\0\0\0\0"

static void the_other_requests_are_written(void **state)
{
    static const char *const node = "iqn.2026-11.a:a", *const target = "iqn.2026-11.b:long";
    uint8_t b[ISNS_REQUEST_MOST];
    (void)state;
    assert_bytes(b, isns_encode_deregistration(b, sizeof b, 2, node, node),
                 BYTES("\0\x01\0\x04\0\x38\x8c\0\0\x02\0\0" NAME_A DELIMITER ENTITY_A));
    assert_bytes(b, isns_encode_scn_registration(b, sizeof b, 3, node),
                 BYTES("\0\x01\0\x05\0\x44\x8c\0\0\x03\0\0" NAME_A NAME_A DELIMITER
                       "\0\0\0\x23\0\0\0\x04\0\0\0\x5c"));
    assert_bytes(b, isns_encode_query_all(b, sizeof b, 4, node),
                 BYTES("\0\x01\0\x02\0\x64\x8c\0\0\x04\0\0" NAME_A TYPE_TARGET ASK_GROUPS));
    assert_bytes(b, isns_encode_query(b, sizeof b, 5, node, target),
                 BYTES("\0\x01\0\x02\0\x74\x8c\0\0\x05\0\0" NAME_A NAME_B ASK_GROUPS));
    assert_bytes(b, isns_encode_query_portals(b, sizeof b, 6, node, target),
                 BYTES("\0\x01\0\x02\0\x64\x8c\0\0\x06\0\0" NAME_A NAME_B DELIMITER
                       "\0\0\0\x20\0\0\0\0\0\0\0\x21\0\0\0\0\0\0\0\x22\0\0\0\0"
                       "\0\0\0\x10\0\0\0\0\0\0\0\x11\0\0\0\0"));
    assert_bytes(b, isns_encode_get_next(b, sizeof b, 7, node, ""),
                 BYTES("\0\x01\0\x03\0\x34\x8c\0\0\x07\0\0" NAME_A
                       "\0\0\0\x20\0\0\0\0" DELIMITER TYPE_TARGET));
    assert_bytes(b, isns_encode_get_next(b, sizeof b, 8, node, target),
                 BYTES("\0\x01\0\x03\0\x48\x8c\0\0\x08\0\0" NAME_A NAME_B DELIMITER TYPE_TARGET));
}

static void requests_fit_or_are_not_written(void **state)
{
    struct isns_registration longest = registration;
    char name[ISCSI_NAME_MAX + 1], alias[ISNS_TEXT_ROOM];
    uint8_t bytes[ISNS_REQUEST_MOST];
    (void)state;
    memset(name, 'n', sizeof name);
    memset(alias, 'a', sizeof alias);
    name[sizeof name - 1] = alias[sizeof alias - 1] = '\0';
    longest.entity = longest.node = name;
    longest.alias = alias;
    size_t length = isns_encode_registration(bytes, sizeof bytes, 1, &longest, true);
    assert_in_range(length, 1, sizeof bytes);
    for (size_t room = 0; room < length; room++)
        assert_int_equal(isns_encode_registration(bytes, room, 1, &longest, true), 0);
    assert_int_equal(isns_encode_registration(bytes, length, 1, &longest, true), length);
}

/* --- what a server answers --- */

static void responses_begin_with_a_status(void **state)
{
    struct isns_cursor attributes;
    uint32_t error, period = 900;
    (void)state;
    assert_false(isns_open_response(BYTES("\0\0\0"), &error, &attributes));
    assert_true(isns_open_response(BYTES("\0\0\0\x09"), &error, &attributes));
    assert_int_equal(error, ISNS_NO_SUCH_ENTRY);
    assert_int_equal(attributes.left, 0);
    assert_true(isns_open_response(
        BYTES("\0\0\0\0" ENTITY_A DELIMITER ENTITY_A "\0\0\0\x06\0\0\0\x04\0\0\x02\x58"), &error,
        &attributes));
    assert_int_equal(error, ISNS_SUCCESSFUL);
    assert_status(isns_read_registration(attributes, &period), STATUS_OK);
    assert_int_equal(period, 600);
    attributes = (struct isns_cursor){BYTES(ENTITY_A DELIMITER), false};
    assert_status(isns_read_registration(attributes, &period), STATUS_OK);
    assert_int_equal(period, 600);
    attributes = (struct isns_cursor){BYTES("\0\0\0\x06\0\0\0\x08\0\0\0\0\0\0\0\0"), false};
    assert_status(isns_read_registration(attributes, &period), STATUS_PROTOCOL_ERROR);
}

static void the_next_name_is_read(void **state)
{
    static const struct {
        const uint8_t *bytes;
        size_t length;
    } rows[] = {
        {BYTES("")},
        {BYTES(DELIMITER NAME_A)},
        {BYTES("\0\0\0\x20\0\0\0\0" DELIMITER)},
        {BYTES("\0\0\0\x20\0\0\0\x10iqn.2026-11")},
    };
    char name[ISCSI_NAME_MAX + 1];
    (void)state;
    struct isns_cursor attributes = {BYTES(NAME_B DELIMITER TYPE_TARGET), false};
    assert_status(isns_read_next(attributes, name), STATUS_OK);
    assert_string_equal(name, "iqn.2026-11.b:long");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        attributes = (struct isns_cursor){rows[i].bytes, rows[i].length, false};
        assert_status(isns_read_next(attributes, name), STATUS_PROTOCOL_ERROR);
    }
}

/* What the reader is told, written down. */
struct notes {
    char text[1024];
    unsigned allowed; /* calls until it says stop */
};

static bool note(struct notes *notes, const char *text)
{
    if (notes->allowed == 0)
        return false;
    notes->allowed--;
    strcat(notes->text, text);
    return true;
}

static bool on_target(void *context, const char *name)
{
    char text[300];
    snprintf(text, sizeof text, "[%s]", name);
    return note(context, text);
}

static bool on_alias(void *context, const char *alias)
{
    char text[300];
    snprintf(text, sizeof text, "(%s)", alias);
    return note(context, text);
}

static bool on_portal(void *context, const uint8_t address[ISNS_ADDRESS_LENGTH], uint16_t port,
                      uint16_t group)
{
    char text[300];
    snprintf(text, sizeof text, " %02x..%02x:%u,%u", address[0], address[15], port, group);
    return note(context, text);
}

static enum status read_targets(struct notes *notes, unsigned allowed, bool *grouped,
                                const uint8_t *bytes, size_t length)
{
    *notes = (struct notes){.allowed = allowed};
    const struct isns_target_reader reader = {on_target, on_alias, on_portal, notes};
    return isns_read_targets((struct isns_cursor){bytes, length, false}, &reader, grouped);
}

static void targets_are_read(void **state)
{
    static const struct {
        const char *what;
        const char *expected;
        bool grouped;
        const uint8_t *bytes;
        size_t length;
    } rows[] = {
        {"nothing", "", false, BYTES(TYPE_TARGET DELIMITER)},
        {"only a key", "", false, BYTES(NAME_A)},
        {"one with portal groups", "[iqn.2026-11.a:a](disk) 00..01:3260,7 20..07:3260,7", true,
         BYTES(TYPE_TARGET DELIMITER NAME_A TYPE_TARGET ALIAS_DISK PG_NAME_A PG_ADDRESS_4
                   PG_PORT_3260 PG_TAG_7 PG_NAME_A PG_ADDRESS_6 PG_PORT_3260 PG_TAG_7)},
        {"two", "[iqn.2026-11.a:a] 00..01:3260,7[iqn.2026-11.b:long] 20..07:3260,7", true,
         BYTES(DELIMITER NAME_A PG_NAME_A PG_ADDRESS_4 PG_PORT_3260 PG_TAG_7 NAME_B PG_NAME_B
                   PG_ADDRESS_6 PG_PORT_3260 PG_TAG_7)},
        {"portal groups after all nodes",
         "[iqn.2026-11.a:a][iqn.2026-11.b:long][iqn.2026-11.a:a] 00..01:3260,7", true,
         BYTES(DELIMITER NAME_A NAME_B PG_NAME_A PG_ADDRESS_4 PG_PORT_3260 PG_TAG_7)},
        {"one without portals", "[iqn.2026-11.a:a]", false, BYTES(DELIMITER NAME_A TYPE_TARGET)},
        {"portals of an entity", "[iqn.2026-11.a:a] 00..01:3260,0 20..07:3260,0", false,
         BYTES(DELIMITER NAME_A
               "\0\0\0\x10\0\0\0\x10" MAPPED_10_0_0_1 "\0\0\0\x11\0\0\0\x04\0\0\x0c\xbc"
               "\0\0\0\x10\0\0\0\x10" IPV6_DB8_7 "\0\0\0\x11\0\0\0\x04\0\0\x0c\xbc")},
        {"portals of an entity with tags", "[iqn.2026-11.a:a] 00..01:3260,7", true,
         BYTES(DELIMITER NAME_A "\0\0\0\x10\0\0\0\x10" MAPPED_10_0_0_1
                                "\0\0\0\x11\0\0\0\x04\0\0\x0c\xbc" PG_TAG_7)},
        {"an initiator", "", false,
         BYTES(DELIMITER NAME_A "\0\0\0\x21\0\0\0\x04\0\0\0\x02" ALIAS_DISK)},
        {"one that is both", "[iqn.2026-11.a:a](disk)", false,
         BYTES(DELIMITER NAME_A "\0\0\0\x21\0\0\0\x04\0\0\0\x03" ALIAS_DISK)},
        {"an invalid name", "[iqn.2026-11.b:long]", true,
         BYTES(DELIMITER
               "\0\0\0\x20\0\0\0\x08no name\0" PG_ADDRESS_4 PG_PORT_3260 PG_TAG_7 NAME_B)},
        {"upper case", "[iqn.2026-11.a:a] 00..01:3260,7", true,
         BYTES(
             DELIMITER
             "\0\0\0\x20\0\0\0\x10IQN.2026-11.A:A\0" PG_NAME_A PG_ADDRESS_4 PG_PORT_3260 PG_TAG_7)},
        {"a tag of NULL gives no access", "[iqn.2026-11.a:a]", true,
         BYTES(DELIMITER NAME_A PG_NAME_A PG_ADDRESS_4 PG_PORT_3260 "\0\0\0\x33\0\0\0\0")},
        {"nor does none", "[iqn.2026-11.a:a]", true,
         BYTES(DELIMITER NAME_A PG_NAME_A PG_ADDRESS_4 PG_PORT_3260)},
        {"UDP", "[iqn.2026-11.a:a]", true,
         BYTES(DELIMITER NAME_A PG_NAME_A PG_ADDRESS_4
               "\0\0\0\x32\0\0\0\x04\0\x01\x0c\xbc" PG_TAG_7)},
        {"port 0", "[iqn.2026-11.a:a]", true,
         BYTES(DELIMITER NAME_A PG_ADDRESS_4 "\0\0\0\x32\0\0\0\x04\0\0\0\0" PG_TAG_7)},
        {"a tag beyond 16 bits", "[iqn.2026-11.a:a]", true,
         BYTES(DELIMITER NAME_A PG_ADDRESS_4 PG_PORT_3260 "\0\0\0\x33\0\0\0\x04\0\x01\0\0")},
        {"a tag without a portal", "[iqn.2026-11.a:a]", true, BYTES(DELIMITER NAME_A PG_TAG_7)},
        {"an empty alias", "[iqn.2026-11.a:a]", false,
         BYTES(DELIMITER NAME_A "\0\0\0\x22\0\0\0\0")},
        {"unknown attributes", "[iqn.2026-11.a:a](disk)", false,
         BYTES(DELIMITER NAME_A "\0\0\x09\0\0\0\0\x04"
                                "abcd" ALIAS_DISK)},
    };
    struct notes notes;
    bool grouped;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum status status = read_targets(&notes, 100, &grouped, rows[i].bytes, rows[i].length);
        if (status != STATUS_OK || strcmp(notes.text, rows[i].expected) != 0 ||
            grouped != rows[i].grouped)
            fail_msg("%s: %s, %s, grouped %d", rows[i].what, status_name(status), notes.text,
                     grouped);
    }
}

static void malformed_targets_are_refused(void **state)
{
    static const struct {
        const uint8_t *bytes;
        size_t length;
    } rows[] = {
        {BYTES(DELIMITER NAME_A "\0\0\0\x31\0\0\0\x04"
                                "abcd")},
        {BYTES(DELIMITER NAME_A "\0\0\0\x32\0\0\0\x08"
                                "abcdefgh")},
        {BYTES(DELIMITER NAME_A "\0\0\0\x33\0\0\0\x08"
                                "abcdefgh")},
        {BYTES(DELIMITER NAME_A "\0\0\0\x21\0\0\0\x08"
                                "abcdefgh")},
        {BYTES(DELIMITER NAME_A "\0\0\0\x21\0\0\0\x08"
                                "abcd")},
        {BYTES(DELIMITER NAME_A "\0\0\0")},
    };
    struct notes notes;
    bool grouped;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum status status = read_targets(&notes, 100, &grouped, rows[i].bytes, rows[i].length);
        if (status != STATUS_PROTOCOL_ERROR)
            fail_msg("row %zu: %s", i, status_name(status));
    }
}

static void a_reader_can_stop(void **state)
{
    struct notes notes;
    bool grouped;
    (void)state;
    for (unsigned allowed = 0; allowed < 5; allowed++)
        assert_status(read_targets(&notes, allowed, &grouped,
                                   BYTES(DELIMITER NAME_A ALIAS_DISK PG_ADDRESS_4 PG_PORT_3260
                                             PG_TAG_7 NAME_B ALIAS_DISK)),
                      STATUS_CANCELLED);
    assert_string_equal(notes.text, "[iqn.2026-11.a:a](disk) 00..01:3260,7[iqn.2026-11.b:long]");
}

/* --- what a server says unasked --- */

static void on_change(void *context, const char *name, uint32_t bitmap)
{
    char text[300];
    snprintf(text, sizeof text, "%s %x;", name != NULL ? name : "?", (unsigned)bitmap);
    strcat(context, text);
}

#define TIMESTAMP "\0\0\0\x04\0\0\0\x08\0\0\0\0\x60\0\0\0"
#define ADDED     "\0\0\0\x23\0\0\0\x04\0\0\0\x08"
#define REMOVED   "\0\0\0\x23\0\0\0\x04\0\0\0\x10"

static void notifications_are_read(void **state)
{
    static const struct {
        const char *expected;
        enum status status;
        const uint8_t *bytes;
        size_t length;
    } rows[] = {
        {"iqn.2026-11.b:long 8;", STATUS_OK, BYTES(NAME_A TIMESTAMP ADDED NAME_B)},
        {"iqn.2026-11.b:long 8;iqn.2026-11.a:a 10;", STATUS_OK,
         BYTES(NAME_A TIMESTAMP ADDED NAME_B REMOVED NAME_A)},
        {"? 8;", STATUS_OK, BYTES(NAME_A TIMESTAMP ADDED "\0\0\x08\x11\0\0\0\x04\0\0\0\x01")},
        {"", STATUS_OK, BYTES(NAME_A)},
        {"", STATUS_OK, BYTES("")},
        {"", STATUS_PROTOCOL_ERROR, BYTES(NAME_A "\0\0\0\x23\0\0\0\0")},
        {"", STATUS_PROTOCOL_ERROR, BYTES(NAME_A ADDED "\0\0\0\x20\0\0\0\x14iqn")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[600] = "";
        enum status status = isns_read_scn(rows[i].bytes, rows[i].length, on_change, text);
        if (status != rows[i].status || strcmp(text, rows[i].expected) != 0)
            fail_msg("row %zu: %s, %s", i, status_name(status), text);
    }
}

static void servers_are_answered(void **state)
{
    struct isns_header request = {.function = ISNS_SCN, .transaction = 0x0a0b};
    uint8_t b[200];
    (void)state;
    assert_bytes(b,
                 isns_encode_response(b, sizeof b, &request, BYTES(NAME_A TIMESTAMP ADDED NAME_B)),
                 BYTES("\0\x01\x80\x08\0\x1c\x8c\0\x0a\x0b\0\0\0\0\0\0" NAME_A));
    request.function = ISNS_ESI;
    assert_bytes(b, isns_encode_response(b, sizeof b, &request, BYTES(TIMESTAMP ENTITY_A)),
                 BYTES("\0\x01\x80\x0d\0\x2c\x8c\0\x0a\x0b\0\0\0\0\0\0" TIMESTAMP ENTITY_A));
    request.function = ISNS_DEV_ATTR_QRY;
    assert_bytes(b, isns_encode_response(b, sizeof b, &request, NULL, 0),
                 BYTES("\0\x01\x80\x02\0\x04\x8c\0\x0a\x0b\0\0\0\0\0\x0f"));
    assert_int_equal(isns_encode_response(b, 15, &request, NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_read),
        cmocka_unit_test(headers_that_cannot_be_are_refused),
        cmocka_unit_test(pdus_make_messages),
        cmocka_unit_test(pdus_out_of_place_are_refused),
        cmocka_unit_test(attributes_are_read),
        cmocka_unit_test(cut_attributes_are_malformed),
        cmocka_unit_test(lengths_that_cannot_be_are_malformed),
        cmocka_unit_test(a_registration_is_written),
        cmocka_unit_test(a_registration_need_not_ask_for_inquiries),
        cmocka_unit_test(the_other_requests_are_written),
        cmocka_unit_test(requests_fit_or_are_not_written),
        cmocka_unit_test(responses_begin_with_a_status),
        cmocka_unit_test(the_next_name_is_read),
        cmocka_unit_test(targets_are_read),
        cmocka_unit_test(malformed_targets_are_refused),
        cmocka_unit_test(a_reader_can_stop),
        cmocka_unit_test(notifications_are_read),
        cmocka_unit_test(servers_are_answered),
    };
    return cmocka_run_group_tests_name("isns", tests, NULL, NULL);
}
