/* Records to bytes and back, by the descriptors that are made from engine/operations.h. */
#include "door/door.h"

#include "os/crypto.h"
#include "os/system.h"

#include <string.h>

/* Descriptors nest three deep; this only stops one that would contain itself. */
enum { NESTING_MAX = 8, FIELD_HEADER = 6, FIELDS_MAX = 64, FIRST_ROOM = 512 };
/* What one message may unfold to: an item of four bytes stands for a struct of a hundred. */
#define UNFOLDED_MAX ((size_t)256 << 20)

/* The members that FIELD_MEMBER_LIST and FIELD_MEMBER_TEXTS make, whatever their item type. */
struct any_list {
    const void *items;
    uint32_t count;
};

/* ------------------------------------------------------------------ buffer */

enum status door_buffer_reserve(struct door_buffer *buffer, size_t more)
{
    if (more <= buffer->room - buffer->length)
        return STATUS_OK;
    if (more > DOOR_MESSAGE_MAX || buffer->length + more > DOOR_MESSAGE_MAX)
        return STATUS_MESSAGE_INVALID;
    size_t room = buffer->room * 2 > FIRST_ROOM ? buffer->room * 2 : FIRST_ROOM;
    if (room < buffer->length + more)
        room = buffer->length + more;
    /* Not os_grow: it could leave a copy of a secret behind. */
    uint8_t *data = os_alloc(room);
    if (data == NULL)
        return STATUS_NO_MEMORY;
    struct door_buffer old = *buffer;
    if (old.length > 0)
        memcpy(data, old.data, old.length);
    *buffer = (struct door_buffer){.data = data, .length = old.length, .room = room};
    door_buffer_clear(&old);
    return STATUS_OK;
}

void door_buffer_clear(struct door_buffer *buffer)
{
    if (buffer->data != NULL)
        os_wipe(buffer->data, buffer->length);
    os_free(buffer->data);
    *buffer = (struct door_buffer){0};
}

static void store(uint8_t *out, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t load(const uint8_t *data, size_t width)
{
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value |= (uint64_t)data[i] << (8 * i);
    return value;
}

static enum status put(struct door_buffer *buffer, const void *data, size_t length)
{
    enum status status = door_buffer_reserve(buffer, length);
    if (status == STATUS_OK && length > 0) {
        memcpy(buffer->data + buffer->length, data, length);
        buffer->length += length;
    }
    return status;
}

static enum status put_number(struct door_buffer *buffer, uint64_t value, size_t width)
{
    uint8_t bytes[8];
    store(bytes, value, width);
    return put(buffer, bytes, width);
}

/* ------------------------------------------------------------------ encode */

/* Bytes of a number, 0 for the other kinds. */
static size_t number_width(enum field_kind kind)
{
    switch (kind) {
    case FIELD_U8:
        return 1;
    case FIELD_U16:
        return 2;
    case FIELD_U32:
        return 4;
    case FIELD_U64:
        return 8;
    default:
        return 0;
    }
}

static uint64_t number_get(enum field_kind kind, const void *member)
{
    switch (kind) {
    case FIELD_U8:
        return *(const uint8_t *)member;
    case FIELD_U16:
        return *(const uint16_t *)member;
    case FIELD_U32:
        return *(const uint32_t *)member;
    default:
        return *(const uint64_t *)member;
    }
}

/* Every object pointer has the same representation; copying bends no aliasing rule. */
static const void *pointer_get(const void *member)
{
    const void *pointer;
    memcpy(&pointer, member, sizeof pointer);
    return pointer;
}

static struct any_list list_get(const void *member)
{
    struct any_list list;
    memcpy(&list, member, sizeof list);
    return list;
}

static enum status encode_fields(struct door_buffer *buffer, const struct record_info *record,
                                 const void *value, unsigned depth);

static enum status encode_text(struct door_buffer *buffer, const char *text)
{
    size_t length;
    if (text == NULL || !os_utf8_valid(text, &length))
        return STATUS_MESSAGE_INVALID;
    return put(buffer, text, length + 1);
}

/* u32 length, filled in afterwards, and the item. */
static enum status encode_item(struct door_buffer *buffer, const struct field_info *field,
                               const void *items, size_t index, unsigned depth)
{
    size_t start = buffer->length;
    enum status status = put_number(buffer, 0, 4);
    if (status != STATUS_OK)
        return status;
    if (field->kind == FIELD_TEXTS)
        status = encode_text(buffer, ((const char *const *)items)[index]);
    else
        status = encode_fields(buffer, field->record,
                               (const uint8_t *)items + index * field->record->size, depth);
    if (status == STATUS_OK)
        store(buffer->data + start, buffer->length - start - 4, 4);
    return status;
}

static enum status encode_list(struct door_buffer *buffer, const struct field_info *field,
                               const void *member, unsigned depth)
{
    struct any_list list = list_get(member);
    enum status status = put_number(buffer, list.count, 4);
    for (uint32_t i = 0; i < list.count && status == STATUS_OK; i++)
        status = encode_item(buffer, field, list.items, i, depth);
    return status;
}

static enum status encode_value(struct door_buffer *buffer, const struct field_info *field,
                                const void *member, unsigned depth)
{
    switch (field->kind) {
    case FIELD_TEXT:
        return encode_text(buffer, pointer_get(member));
    case FIELD_BLOB:
        return put(buffer, ((const struct blob *)member)->data,
                   ((const struct blob *)member)->length);
    case FIELD_RECORD:
        return encode_fields(buffer, field->record, pointer_get(member), depth);
    case FIELD_LIST:
    case FIELD_TEXTS:
        return encode_list(buffer, field, member, depth);
    default:
        return put_number(buffer, number_get(field->kind, member), number_width(field->kind));
    }
}

static bool is_absent(const struct field_info *field, const void *member)
{
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_RECORD:
        return pointer_get(member) == NULL;
    case FIELD_BLOB:
        return ((const struct blob *)member)->data == NULL;
    case FIELD_LIST:
    case FIELD_TEXTS:
        return list_get(member).count == 0;
    default:
        return number_get(field->kind, member) == 0;
    }
}

static enum status encode_field(struct door_buffer *buffer, const struct field_info *field,
                                const void *member, unsigned depth)
{
    if (is_absent(field, member))
        return STATUS_OK;
    size_t start = buffer->length;
    uint8_t header[FIELD_HEADER] = {0};
    store(header, field->number, 2);
    enum status status = put(buffer, header, sizeof header);
    if (status == STATUS_OK)
        status = encode_value(buffer, field, member, depth);
    if (status == STATUS_OK)
        store(buffer->data + start + 2, buffer->length - start - FIELD_HEADER, 4);
    return status;
}

static enum status encode_fields(struct door_buffer *buffer, const struct record_info *record,
                                 const void *value, unsigned depth)
{
    if (depth >= NESTING_MAX)
        return STATUS_MESSAGE_INVALID;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < record->field_count && status == STATUS_OK; i++) {
        const struct field_info *field = &record->fields[i];
        status = encode_field(buffer, field, (const uint8_t *)value + field->offset, depth + 1);
    }
    return status;
}

enum status door_encode(struct door_buffer *buffer, const struct record_info *record,
                        const void *value)
{
    size_t before = buffer->length;
    enum status status = encode_fields(buffer, record, value, 0);
    if (status != STATUS_OK && buffer->length > before) {
        os_wipe(buffer->data + before, buffer->length - before);
        buffer->length = before;
    }
    return status;
}

/* ------------------------------------------------------------------ decode */

struct cursor {
    const uint8_t *at;
    size_t left;
};

struct decoder {
    struct os_arena *arena;
    size_t unfolded;
};

static bool take(struct cursor *cursor, size_t length, struct cursor *out)
{
    if (length > cursor->left)
        return false;
    *out = (struct cursor){cursor->at, length};
    cursor->at += length;
    cursor->left -= length;
    return true;
}

static bool take_number(struct cursor *cursor, size_t width, uint64_t *value)
{
    struct cursor bytes;
    if (!take(cursor, width, &bytes))
        return false;
    *value = load(bytes.at, width);
    return true;
}

/* u32 length and that many bytes. */
static bool take_counted(struct cursor *cursor, struct cursor *out)
{
    uint64_t length;
    return take_number(cursor, 4, &length) && take(cursor, (size_t)length, out);
}

static enum status unfold(struct decoder *decoder, size_t size, void **out)
{
    if (decoder->arena == NULL || size > UNFOLDED_MAX - decoder->unfolded)
        return STATUS_MESSAGE_INVALID;
    decoder->unfolded += size;
    *out = os_arena_alloc(decoder->arena, size);
    return *out != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status decode_fields(struct decoder *decoder, const struct record_info *record,
                                 struct cursor in, void *value, unsigned depth);

static enum status decode_number(enum field_kind kind, struct cursor in, void *member)
{
    if (in.left != number_width(kind))
        return STATUS_MESSAGE_INVALID;
    uint64_t number = load(in.at, in.left);
    switch (kind) {
    case FIELD_U8:
        *(uint8_t *)member = (uint8_t)number;
        break;
    case FIELD_U16:
        *(uint16_t *)member = (uint16_t)number;
        break;
    case FIELD_U32:
        *(uint32_t *)member = (uint32_t)number;
        break;
    default:
        *(uint64_t *)member = number;
        break;
    }
    return STATUS_OK;
}

static enum status decode_text(struct cursor in, const char **text)
{
    size_t length;
    if (in.left == 0 || in.at[in.left - 1] != 0)
        return STATUS_MESSAGE_INVALID;
    *text = (const char *)in.at;
    return os_utf8_valid(*text, &length) && length == in.left - 1 ? STATUS_OK
                                                                  : STATUS_MESSAGE_INVALID;
}

static enum status decode_record(struct decoder *decoder, const struct field_info *field,
                                 struct cursor in, void *member, unsigned depth)
{
    void *record;
    enum status status = unfold(decoder, field->record->size, &record);
    if (status == STATUS_OK)
        status = decode_fields(decoder, field->record, in, record, depth);
    if (status == STATUS_OK)
        memcpy(member, &record, sizeof record);
    return status;
}

static enum status decode_item(struct decoder *decoder, const struct field_info *field,
                               struct cursor *in, void *items, size_t index, unsigned depth)
{
    struct cursor item;
    if (!take_counted(in, &item))
        return STATUS_MESSAGE_INVALID;
    if (field->kind == FIELD_TEXTS)
        return decode_text(item, (const char **)items + index);
    return decode_fields(decoder, field->record, item,
                         (uint8_t *)items + index * field->record->size, depth);
}

static enum status decode_list(struct decoder *decoder, const struct field_info *field,
                               struct cursor in, void *member, unsigned depth)
{
    uint64_t count;
    /* Each item takes at least its length field. */
    if (!take_number(&in, 4, &count) || count > in.left / 4)
        return STATUS_MESSAGE_INVALID;
    size_t item_size = field->kind == FIELD_TEXTS ? sizeof(char *) : field->record->size;
    if (count > UNFOLDED_MAX / item_size)
        return STATUS_MESSAGE_INVALID;
    if (count == 0)
        return in.left == 0 ? STATUS_OK : STATUS_MESSAGE_INVALID;
    void *items;
    enum status status = unfold(decoder, (size_t)count * item_size, &items);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = decode_item(decoder, field, &in, items, i, depth);
    if (status == STATUS_OK && in.left > 0)
        status = STATUS_MESSAGE_INVALID;
    if (status == STATUS_OK) {
        struct any_list list = {.items = items, .count = (uint32_t)count};
        memcpy(member, &list, sizeof list);
    }
    return status;
}

static enum status decode_value(struct decoder *decoder, const struct field_info *field,
                                struct cursor in, void *member, unsigned depth)
{
    switch (field->kind) {
    case FIELD_TEXT: {
        const char *text;
        enum status status = decode_text(in, &text);
        if (status == STATUS_OK)
            memcpy(member, &text, sizeof text);
        return status;
    }
    case FIELD_BLOB:
        *(struct blob *)member = (struct blob){.data = in.at, .length = (uint32_t)in.left};
        return STATUS_OK;
    case FIELD_RECORD:
        return decode_record(decoder, field, in, member, depth);
    case FIELD_LIST:
    case FIELD_TEXTS:
        return decode_list(decoder, field, in, member, depth);
    default:
        return decode_number(field->kind, in, member);
    }
}

/* The index of the field with that number, field_count when there is none. */
static size_t find_field(const struct record_info *record, uint64_t number)
{
    size_t i = 0;
    while (i < record->field_count && record->fields[i].number != number)
        i++;
    return i;
}

static enum status decode_fields(struct decoder *decoder, const struct record_info *record,
                                 struct cursor in, void *value, unsigned depth)
{
    uint64_t seen = 0;
    if (depth >= NESTING_MAX || record->field_count > FIELDS_MAX)
        return STATUS_MESSAGE_INVALID;
    while (in.left > 0) {
        uint64_t number;
        struct cursor bytes;
        if (!take_number(&in, 2, &number) || !take_counted(&in, &bytes))
            return STATUS_MESSAGE_INVALID;
        size_t index = find_field(record, number);
        if (index == record->field_count)
            continue; /* a newer peer's */
        if ((seen >> index & 1) != 0)
            return STATUS_MESSAGE_INVALID;
        seen |= (uint64_t)1 << index;
        const struct field_info *field = &record->fields[index];
        enum status status =
            decode_value(decoder, field, bytes, (uint8_t *)value + field->offset, depth + 1);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status door_decode(const struct record_info *record, const uint8_t *data, size_t length,
                        void *value, struct os_arena *arena)
{
    struct decoder decoder = {.arena = arena};
    memset(value, 0, record->size);
    enum status status = decode_fields(&decoder, record, (struct cursor){data, length}, value, 0);
    if (status != STATUS_OK)
        memset(value, 0, record->size);
    return status;
}

/* ---------------------------------------------------------------- messages */

enum status door_header_decode(struct door_header *header, const uint8_t data[DOOR_HEADER])
{
    *header = (struct door_header){
        .length = (uint32_t)load(data, 4),
        .version = (uint16_t)load(data + 4, 2),
        .operation = (uint16_t)load(data + 6, 2),
        .call = (uint32_t)load(data + 8, 4),
        .status = (uint32_t)load(data + 12, 4),
    };
    bool good = header->version == DOOR_VERSION && header->length >= DOOR_HEADER - 4 &&
                header->length <= DOOR_MESSAGE_MAX - 4;
    return good ? STATUS_OK : STATUS_MESSAGE_INVALID;
}

enum status door_message_encode(struct door_buffer *buffer, const struct door_header *header,
                                const struct record_info *record, const void *value)
{
    size_t start = buffer->length;
    enum status status = door_buffer_reserve(buffer, DOOR_HEADER);
    if (status != STATUS_OK)
        return status;
    buffer->length += DOOR_HEADER;
    if (value != NULL)
        status = door_encode(buffer, record, value);
    if (status != STATUS_OK) {
        buffer->length = start;
        return status;
    }
    uint8_t *out = buffer->data + start;
    store(out, buffer->length - start - 4, 4);
    store(out + 4, DOOR_VERSION, 2);
    store(out + 6, header->operation, 2);
    store(out + 8, header->call, 4);
    store(out + 12, header->status, 4);
    return STATUS_OK;
}

enum status door_message_decode(struct door_header *header, const uint8_t *data, size_t length,
                                const uint8_t **record, size_t *record_length)
{
    if (length < DOOR_HEADER)
        return STATUS_MESSAGE_INVALID;
    enum status status = door_header_decode(header, data);
    if (status != STATUS_OK)
        return status;
    if (header->length != length - 4)
        return STATUS_MESSAGE_INVALID;
    *record = data + DOOR_HEADER;
    *record_length = length - DOOR_HEADER;
    return STATUS_OK;
}
