/*
 * Any bytes as the request or the reply of any operation: the first byte picks one. What is
 * accepted encodes to bytes that mean the same.
 */
#include "door/door.h"

#include <stdlib.h>
#include <string.h>

/* Aborts where a fuzzer looks: the two encodings must be equal. */
static void check_round_trip(const struct record_info *record, const void *value)
{
    struct door_buffer first = {0}, second = {0};
    struct os_arena arena = {0};
    void *again = os_arena_alloc(&arena, record->size);
    if (again == NULL || door_encode(&first, record, value) != STATUS_OK ||
        door_decode(record, first.data, first.length, again, &arena) != STATUS_OK ||
        door_encode(&second, record, again) != STATUS_OK || second.length != first.length ||
        (first.length > 0 && memcmp(first.data, second.data, first.length) != 0))
        abort();
    door_buffer_clear(&first);
    door_buffer_clear(&second);
    os_arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct operation_info *operation = &operation_table[data[0] / 2 % operation_count];
    const struct record_info *record = data[0] % 2 != 0 ? operation->reply : operation->request;
    struct os_arena arena = {0};
    void *value = os_arena_alloc(&arena, record->size);
    if (value != NULL && door_decode(record, data + 1, size - 1, value, &arena) == STATUS_OK)
        check_round_trip(record, value);
    os_arena_clear(&arena);

    struct door_header header;
    const uint8_t *body;
    size_t length;
    if (door_message_decode(&header, data, size, &body, &length) == STATUS_OK &&
        length != size - DOOR_HEADER)
        abort();
    return 0;
}
