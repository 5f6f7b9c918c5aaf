/* Records and messages: what goes in comes out, and nothing malformed gets in. */
#include "door/door.h"
#include "protocol/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ------------------------------------------------------- records of our own */

struct leaf {
    uint16_t number;
    const char *text;
};

struct leaf_list {
    const struct leaf *items;
    uint32_t count;
};

struct tree {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    const char *text;
    struct blob blob;
    const struct leaf *leaf;
    struct leaf_list leaves;
    struct text_list texts;
};

static const struct field_info leaf_fields[] = {
    {FIELD_U16, 1, offsetof(struct leaf, number), "number", NULL},
    {FIELD_TEXT, 2, offsetof(struct leaf, text), "text", NULL},
};
static const struct record_info leaf_info = {"leaf", sizeof(struct leaf), leaf_fields, 2};

static const struct field_info tree_fields[] = {
    {FIELD_U8, 1, offsetof(struct tree, u8), "u8", NULL},
    {FIELD_U16, 2, offsetof(struct tree, u16), "u16", NULL},
    {FIELD_U32, 3, offsetof(struct tree, u32), "u32", NULL},
    {FIELD_U64, 4, offsetof(struct tree, u64), "u64", NULL},
    {FIELD_TEXT, 5, offsetof(struct tree, text), "text", NULL},
    {FIELD_BLOB, 6, offsetof(struct tree, blob), "blob", NULL},
    {FIELD_RECORD, 7, offsetof(struct tree, leaf), "leaf", &leaf_info},
    {FIELD_LIST, 8, offsetof(struct tree, leaves), "leaves", &leaf_info},
    {FIELD_TEXTS, 300, offsetof(struct tree, texts), "texts", NULL},
};
static const struct record_info tree_info = {"tree", sizeof(struct tree), tree_fields, 9};

/* A record that holds itself: no real one does. */
struct chain {
    const struct chain *next;
};
static const struct record_info chain_info;
static const struct field_info chain_fields[] = {{FIELD_RECORD, 1, 0, "next", &chain_info}};
static const struct record_info chain_info = {"chain", sizeof(struct chain), chain_fields, 1};

static const uint8_t blob_bytes[] = {0, 1, 0xff, 0};
static const struct leaf one_leaf = {0x1234, "\xc3\xa4"};
static const struct leaf some_leaves[] = {{1, "one"}, {0, NULL}, {3, ""}};
static const char *const some_texts[] = {"first", "", "third \xf0\x9f\x98\x80"};

static const struct tree full_tree = {
    .u8 = 0xfe,
    .u16 = 0xfedc,
    .u32 = 0xfedcba98,
    .u64 = 0xfedcba9876543210,
    .text = "text",
    .blob = {blob_bytes, sizeof blob_bytes},
    .leaf = &one_leaf,
    .leaves = {some_leaves, 3},
    .texts = {some_texts, 3},
};

/* ----------------------------------------------------------------- helpers */

static struct door_buffer encoded(const struct record_info *info, const void *value)
{
    struct door_buffer buffer = {0};
    assert_int_equal(door_encode(&buffer, info, value), STATUS_OK);
    return buffer;
}

static enum status decode_tree(const void *data, size_t length, struct tree *tree,
                               struct os_arena *arena)
{
    /* A block of just that size, so that the sanitizer sees a read past the end. */
    uint8_t *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, data, length);
    enum status status = door_decode(&tree_info, copy, length, tree, arena);
    free(copy);
    return status;
}

static void refuses(const char *what, const void *data, size_t length)
{
    struct os_arena arena = {0};
    struct tree tree;
    struct tree zero;
    memset(&zero, 0, sizeof zero);
    memset(&tree, 0xff, sizeof tree);
    enum status status = decode_tree(data, length, &tree, &arena);
    if (status != STATUS_MESSAGE_INVALID)
        fail_msg("%s: expected MESSAGE_INVALID, got %s", what, status_name(status));
    assert_memory_equal(&tree, &zero, sizeof tree);
    os_arena_clear(&arena);
}

#define REFUSES(what, ...)                                                                         \
    do {                                                                                           \
        const uint8_t bytes[] = {__VA_ARGS__};                                                     \
        refuses(what, bytes, sizeof bytes);                                                        \
    } while (0)

static void same_text(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        assert_ptr_equal(a, b);
    else
        assert_string_equal(a, b);
}

/* ------------------------------------------------------------------- tests */

static void every_kind_survives(void **state)
{
    (void)state;
    struct os_arena arena = {0};
    struct door_buffer buffer = encoded(&tree_info, &full_tree);
    struct tree out;
    assert_int_equal(door_decode(&tree_info, buffer.data, buffer.length, &out, &arena), STATUS_OK);
    assert_int_equal(out.u8, full_tree.u8);
    assert_int_equal(out.u16, full_tree.u16);
    assert_int_equal(out.u32, full_tree.u32);
    assert_true(out.u64 == full_tree.u64);
    same_text(out.text, "text");
    assert_int_equal(out.blob.length, sizeof blob_bytes);
    assert_memory_equal(out.blob.data, blob_bytes, sizeof blob_bytes);
    assert_int_equal(out.leaf->number, 0x1234);
    same_text(out.leaf->text, one_leaf.text);
    assert_int_equal(out.leaves.count, 3);
    assert_int_equal(out.texts.count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(out.leaves.items[i].number, some_leaves[i].number);
        same_text(out.leaves.items[i].text, some_leaves[i].text);
        same_text(out.texts.items[i], some_texts[i]);
    }
    door_buffer_clear(&buffer);
    os_arena_clear(&arena);
}

static void the_bytes_are_the_documented_ones(void **state)
{
    (void)state;
    static const struct leaf leaf = {0x0102, "ab"};
    static const uint8_t expected[] = {1, 0, 2, 0, 0, 0, 2, 1, 2, 0, 3, 0, 0, 0, 'a', 'b', 0};
    struct door_buffer buffer = encoded(&leaf_info, &leaf);
    assert_int_equal(buffer.length, sizeof expected);
    assert_memory_equal(buffer.data, expected, sizeof expected);
    door_buffer_clear(&buffer);
}

static void absent_takes_no_bytes(void **state)
{
    (void)state;
    struct tree nothing;
    struct tree out;
    memset(&nothing, 0, sizeof nothing);
    struct door_buffer buffer = encoded(&tree_info, &nothing);
    assert_int_equal(buffer.length, 0);
    memset(&out, 0xff, sizeof out);
    assert_int_equal(door_decode(&tree_info, (const uint8_t *)"", 0, &out, NULL), STATUS_OK);
    assert_memory_equal(&out, &nothing, sizeof out);
    door_buffer_clear(&buffer);
}

static void empty_is_not_absent(void **state)
{
    (void)state;
    struct os_arena arena = {0};
    const struct tree empty = {.text = "", .blob = {blob_bytes, 0}, .leaf = &(struct leaf){0}};
    struct door_buffer buffer = encoded(&tree_info, &empty);
    struct tree out;
    assert_int_equal(door_decode(&tree_info, buffer.data, buffer.length, &out, &arena), STATUS_OK);
    same_text(out.text, "");
    assert_non_null(out.blob.data);
    assert_int_equal(out.blob.length, 0);
    assert_non_null(out.leaf);
    door_buffer_clear(&buffer);
    os_arena_clear(&arena);
}

static void unknown_fields_are_skipped(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {99, 0, 3, 0, 0, 0, 'x', 'y', 'z', 1, 0, 1, 0, 0,
                                    0,  7, 0, 0, 0, 0, 0,   0,   99,  0, 0, 0, 0, 0};
    struct os_arena arena = {0};
    struct tree out;
    assert_int_equal(decode_tree(bytes, sizeof bytes, &out, &arena), STATUS_OK);
    assert_int_equal(out.u8, 7);
    os_arena_clear(&arena);
}

static void malformed_records_are_refused(void **state)
{
    (void)state;
    REFUSES("half a field number", 1);
    REFUSES("half a field length", 1, 0, 1, 0, 0);
    REFUSES("a field past the end", 1, 0, 2, 0, 0, 0, 7);
    REFUSES("a huge field", 1, 0, 0xff, 0xff, 0xff, 0xff, 7);
    REFUSES("an unknown field past the end", 99, 0, 9, 0, 0, 0, 7);
    REFUSES("a field twice", 1, 0, 1, 0, 0, 0, 7, 1, 0, 1, 0, 0, 0, 7);
    REFUSES("u8 of two bytes", 1, 0, 2, 0, 0, 0, 7, 0);
    REFUSES("u16 of one byte", 2, 0, 1, 0, 0, 0, 7);
    REFUSES("u32 of no bytes", 3, 0, 0, 0, 0, 0);
    REFUSES("u64 of nine bytes", 4, 0, 9, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    REFUSES("text of no bytes", 5, 0, 0, 0, 0, 0);
    REFUSES("text without NUL", 5, 0, 1, 0, 0, 0, 'a');
    REFUSES("text with a NUL inside", 5, 0, 3, 0, 0, 0, 'a', 0, 0);
    REFUSES("text not UTF-8", 5, 0, 2, 0, 0, 0, 0x80, 0);
    REFUSES("text cut in a character", 5, 0, 2, 0, 0, 0, 0xc3, 0);
    REFUSES("text overlong", 5, 0, 3, 0, 0, 0, 0xc0, 0x80, 0);
    REFUSES("text with a surrogate", 5, 0, 4, 0, 0, 0, 0xed, 0xa0, 0x80, 0);
    REFUSES("record cut", 7, 0, 3, 0, 0, 0, 1, 0, 2);
    REFUSES("record with bad text", 7, 0, 7, 0, 0, 0, 2, 0, 1, 0, 0, 0, 'a');
    REFUSES("list without a count", 8, 0, 3, 0, 0, 0, 1, 0, 0);
    REFUSES("list with a count above its bytes", 8, 0, 8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0);
    REFUSES("list with a huge count", 8, 0, 8, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);
    REFUSES("list item past the end", 8, 0, 8, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0);
    REFUSES("list with bytes left over", 8, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    REFUSES("empty list with bytes left over", 8, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0);
    REFUSES("text list with an empty item", 0x2c, 1, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0);
    REFUSES("text list with bad text", 0x2c, 1, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 'a');
}

/* Cut anywhere: refused, or a shorter record that encodes to just these bytes. */
static void every_prefix_is_safe(void **state)
{
    (void)state;
    struct door_buffer whole = encoded(&tree_info, &full_tree);
    for (size_t length = 0; length < whole.length; length++) {
        struct os_arena arena = {0};
        struct tree out;
        uint8_t *copy = malloc(length + 1);
        assert_non_null(copy);
        memcpy(copy, whole.data, length);
        enum status status = door_decode(&tree_info, copy, length, &out, &arena);
        if (status == STATUS_OK) {
            struct door_buffer again = encoded(&tree_info, &out);
            assert_int_equal(again.length, length);
            assert_memory_equal(again.data, copy, length);
            door_buffer_clear(&again);
        } else {
            assert_int_equal(status, STATUS_MESSAGE_INVALID);
        }
        free(copy);
        os_arena_clear(&arena);
    }
    door_buffer_clear(&whole);
}

/* Any one byte changed: no crash; what is accepted can be sent again. */
static void every_flip_is_safe(void **state)
{
    (void)state;
    struct door_buffer whole = encoded(&tree_info, &full_tree);
    for (size_t at = 0; at < whole.length; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct os_arena arena = {0};
            struct tree out;
            whole.data[at] ^= (uint8_t)(1u << bit);
            if (door_decode(&tree_info, whole.data, whole.length, &out, &arena) == STATUS_OK) {
                struct door_buffer again = encoded(&tree_info, &out);
                door_buffer_clear(&again);
            }
            whole.data[at] ^= (uint8_t)(1u << bit);
            os_arena_clear(&arena);
        }
    }
    door_buffer_clear(&whole);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    struct chain links[20];
    for (size_t i = 0; i < 20; i++)
        links[i].next = i + 1 < 20 ? &links[i + 1] : NULL;
    struct door_buffer buffer = {0};
    assert_int_equal(door_encode(&buffer, &chain_info, &links[0]), STATUS_MESSAGE_INVALID);
    assert_int_equal(buffer.length, 0);
    assert_int_equal(door_encode(&buffer, &chain_info, &links[16]), STATUS_OK);
    door_buffer_clear(&buffer);

    uint8_t bytes[20 * 6];
    for (size_t i = 0; i < 20; i++) {
        memset(bytes + i * 6, 0, 6);
        bytes[i * 6] = 1;
        bytes[i * 6 + 2] = (uint8_t)(sizeof bytes - (i + 1) * 6);
    }
    struct os_arena arena = {0};
    struct chain chain;
    assert_int_equal(door_decode(&chain_info, bytes, sizeof bytes, &chain, &arena),
                     STATUS_MESSAGE_INVALID);
    assert_null(chain.next);
    os_arena_clear(&arena);
}

/* Four bytes on the wire stand for a struct: a message must not unfold to gigabytes. */
static void unfolding_is_bounded(void **state)
{
    (void)state;
    enum { ITEMS = 15 << 20 };
    size_t length = 6 + 4 + (size_t)ITEMS * 4;
    struct field_info field = {FIELD_LIST, 1, 0, "items", &tree_info};
    struct record_info info = {"many", sizeof(struct leaf_list), &field, 1};
    uint8_t *bytes = calloc(1, length);
    assert_non_null(bytes);
    bytes[0] = 1;
    put_le32(bytes + 2, (uint32_t)length - 6);
    put_le32(bytes + 6, ITEMS);
    struct leaf_list out;
    struct os_arena arena = {0};
    assert_int_equal(door_decode(&info, bytes, length, &out, &arena), STATUS_MESSAGE_INVALID);
    assert_null(arena.chunks);
    free(bytes);
}

static void bad_text_is_not_sent(void **state)
{
    (void)state;
    struct tree tree;
    memset(&tree, 0, sizeof tree);
    tree.u8 = 1;
    tree.text = "\xff";
    struct door_buffer buffer = {0};
    assert_int_equal(door_encode(&buffer, &tree_info, &tree), STATUS_MESSAGE_INVALID);
    assert_int_equal(buffer.length, 0);
    static const char *const texts[] = {"fine", NULL};
    tree.text = NULL;
    tree.texts = (struct text_list){texts, 2};
    assert_int_equal(door_encode(&buffer, &tree_info, &tree), STATUS_MESSAGE_INVALID);
    assert_int_equal(buffer.length, 0);
    door_buffer_clear(&buffer);
}

static void no_memory_is_reported(void **state)
{
    (void)state;
    struct door_buffer whole = encoded(&tree_info, &full_tree);
    int failures = 0;
    for (long nth = 1;; nth++) {
        struct os_arena arena = {0};
        struct door_buffer buffer = {0};
        struct tree out;
        os_alloc_fail_at(nth);
        enum status encode_status = door_encode(&buffer, &tree_info, &full_tree);
        enum status decode_status = door_decode(&tree_info, whole.data, whole.length, &out, &arena);
        os_alloc_fail_at(0);
        door_buffer_clear(&buffer);
        os_arena_clear(&arena);
        if (encode_status == STATUS_OK && decode_status == STATUS_OK)
            break;
        failures++;
        assert_true(encode_status == STATUS_NO_MEMORY || decode_status == STATUS_NO_MEMORY);
    }
    assert_true(failures >= 2);
    door_buffer_clear(&whole);
}

static void messages_have_a_header(void **state)
{
    (void)state;
    struct door_header header = {.operation = 8, .call = 0x01020304, .status = 5}, out;
    struct door_buffer buffer = {0};
    const uint8_t *record;
    size_t length;
    assert_int_equal(door_message_encode(&buffer, &header, &leaf_info, &one_leaf), STATUS_OK);
    assert_int_equal(door_message_decode(&out, buffer.data, buffer.length, &record, &length),
                     STATUS_OK);
    assert_int_equal(out.operation, 8);
    assert_int_equal(out.call, 0x01020304);
    assert_int_equal(out.status, 5);
    assert_ptr_equal(record, buffer.data + DOOR_HEADER);
    assert_int_equal(length, buffer.length - DOOR_HEADER);

    assert_int_equal(door_message_decode(&out, buffer.data, buffer.length - 1, &record, &length),
                     STATUS_MESSAGE_INVALID);
    assert_int_equal(door_message_decode(&out, buffer.data, DOOR_HEADER - 1, &record, &length),
                     STATUS_MESSAGE_INVALID);
    buffer.data[4] ^= 1;
    assert_int_equal(door_header_decode(&out, buffer.data), STATUS_MESSAGE_INVALID);
    buffer.data[4] ^= 1;
    put_le32(buffer.data, DOOR_HEADER - 5);
    assert_int_equal(door_header_decode(&out, buffer.data), STATUS_MESSAGE_INVALID);
    put_le32(buffer.data, DOOR_MESSAGE_MAX - 3);
    assert_int_equal(door_header_decode(&out, buffer.data), STATUS_MESSAGE_INVALID);
    door_buffer_clear(&buffer);
}

static void messages_are_bounded(void **state)
{
    (void)state;
    uint8_t *bytes = calloc(1, DOOR_MESSAGE_MAX);
    assert_non_null(bytes);
    struct tree tree;
    memset(&tree, 0, sizeof tree);
    tree.blob = (struct blob){bytes, DOOR_MESSAGE_MAX - 6};
    struct door_buffer buffer = {0};
    assert_int_equal(door_message_encode(&buffer, &(struct door_header){0}, &tree_info, &tree),
                     STATUS_MESSAGE_INVALID);
    assert_int_equal(buffer.length, 0);
    tree.blob.length -= DOOR_HEADER;
    assert_int_equal(door_message_encode(&buffer, &(struct door_header){0}, &tree_info, &tree),
                     STATUS_OK);
    door_buffer_clear(&buffer);
    free(bytes);
}

/* ------------------------------------------------- the real operation table */

static void fill(const struct record_info *info, uint8_t *value, struct os_arena *arena);

static void fill_list(const struct field_info *field, void *member, struct os_arena *arena)
{
    struct text_list list = {.count = 2};
    if (field->kind == FIELD_TEXTS) {
        list.items = some_texts;
    } else {
        uint8_t *items = os_arena_alloc(arena, 2 * field->record->size);
        fill(field->record, items, arena);
        fill(field->record, items + field->record->size, arena);
        memcpy(&list.items, &items, sizeof items);
    }
    memcpy(member, &list, sizeof list);
}

static void fill_field(const struct field_info *field, void *member, struct os_arena *arena)
{
    static const size_t width[] = {1, 2, 4, 8};
    switch (field->kind) {
    case FIELD_TEXT:
        memcpy(member, &field->name, sizeof field->name);
        break;
    case FIELD_BLOB:
        *(struct blob *)member = (struct blob){blob_bytes, sizeof blob_bytes};
        break;
    case FIELD_RECORD: {
        uint8_t *record = os_arena_alloc(arena, field->record->size);
        fill(field->record, record, arena);
        memcpy(member, &record, sizeof record);
        break;
    }
    case FIELD_LIST:
    case FIELD_TEXTS:
        fill_list(field, member, arena);
        break;
    default:
        memset(member, field->number, width[field->kind]);
    }
}

static void fill(const struct record_info *info, uint8_t *value, struct os_arena *arena)
{
    for (size_t i = 0; i < info->field_count; i++)
        fill_field(&info->fields[i], value + info->fields[i].offset, arena);
}

static void survives(const char *operation, const struct record_info *info)
{
    struct os_arena arena = {0};
    uint8_t *value = os_arena_alloc(&arena, info->size);
    uint8_t *out = os_arena_alloc(&arena, info->size);
    fill(info, value, &arena);
    struct door_buffer first = encoded(info, value);
    enum status status = door_decode(info, first.data, first.length, out, &arena);
    if (status != STATUS_OK)
        fail_msg("%s, %s: %s", operation, info->name, status_name(status));
    struct door_buffer second = encoded(info, out);
    assert_int_equal(second.length, first.length);
    assert_memory_equal(second.data, first.data, first.length);
    door_buffer_clear(&first);
    door_buffer_clear(&second);
    os_arena_clear(&arena);
}

static void every_operation_survives(void **state)
{
    (void)state;
    assert_true(operation_count >= 15);
    for (size_t i = 0; i < operation_count; i++) {
        survives(operation_table[i].name, operation_table[i].request);
        survives(operation_table[i].name, operation_table[i].reply);
    }
}

/* A login as the engine's handlers see it, member by member. */
static void login_request_arrives(void **state)
{
    (void)state;
    struct os_arena arena = {0};
    struct portal portal = {.address = "::1", .socket = 3260};
    struct login_options options = {.specified = 0x60, .password = {blob_bytes, 4}};
    struct request_login request = {.target = "iqn.2026-11.org.example:t",
                                    .informational = 1,
                                    .initiator_port = 0xffffffff,
                                    .portal = &portal,
                                    .security_flags = 0x100000001,
                                    .options = &options};
    const struct record_info *info = operation_find(OPERATION_login)->request;
    struct door_buffer buffer = encoded(info, &request);
    struct request_login out;
    assert_int_equal(door_decode(info, buffer.data, buffer.length, &out, &arena), STATUS_OK);
    same_text(out.target, request.target);
    assert_int_equal(out.informational, 1);
    assert_null(out.initiator);
    assert_int_equal(out.initiator_port, 0xffffffff);
    same_text(out.portal->address, "::1");
    assert_int_equal(out.portal->socket, 3260);
    assert_true(out.security_flags == 0x100000001);
    assert_int_equal(out.options->specified, 0x60);
    assert_null(out.options->username.data);
    assert_int_equal(out.options->password.length, 4);
    assert_null(out.key.data);
    assert_int_equal(out.persistent, 0);
    door_buffer_clear(&buffer);
    os_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_survives),
        cmocka_unit_test(the_bytes_are_the_documented_ones),
        cmocka_unit_test(absent_takes_no_bytes),
        cmocka_unit_test(empty_is_not_absent),
        cmocka_unit_test(unknown_fields_are_skipped),
        cmocka_unit_test(malformed_records_are_refused),
        cmocka_unit_test(every_prefix_is_safe),
        cmocka_unit_test(every_flip_is_safe),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(unfolding_is_bounded),
        cmocka_unit_test(bad_text_is_not_sent),
        cmocka_unit_test(no_memory_is_reported),
        cmocka_unit_test(messages_have_a_header),
        cmocka_unit_test(messages_are_bounded),
        cmocka_unit_test(every_operation_survives),
        cmocka_unit_test(login_request_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
