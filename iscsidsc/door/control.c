/* Messages that are not operations. */
#include "door/transport.h"

#include <string.h>

enum status door_control_encode(struct door_buffer *buffer, enum door_control control,
                                uint32_t call, enum status status, const void *body, size_t length)
{
    size_t start = buffer->length;
    struct door_header header = {
        .operation = (uint16_t)control, .call = call, .status = (uint32_t)status};
    enum status made = door_message_encode(buffer, &header, NULL, NULL);
    if (made == STATUS_OK && length > 0)
        made = door_buffer_reserve(buffer, length);
    if (made != STATUS_OK) {
        buffer->length = start;
        return made;
    }
    if (length > 0)
        memcpy(buffer->data + buffer->length, body, length);
    buffer->length += length;
    uint32_t rest = (uint32_t)(buffer->length - start - 4);
    for (size_t i = 0; i < 4; i++)
        buffer->data[start + i] = (uint8_t)(rest >> 8 * i);
    return STATUS_OK;
}
