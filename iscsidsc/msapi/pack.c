#include "msapi/pack.h"

#include "engine/operations.h"
#include "msapi/status.h"

#include <stdbool.h>
#include <string.h>

void pack_begin(struct pack *pack, void *buffer)
{
    *pack = (struct pack){.buffer = buffer};
}

static bool grow(struct pack *pack, size_t length)
{
    if (length <= pack->room)
        return true;
    size_t room = length + length / 2 + 256;
    uint8_t *image = os_grow(pack->image, room);
    if (image == NULL) {
        pack->status = STATUS_NO_MEMORY;
        return false;
    }
    pack->image = image;
    pack->room = room;
    return true;
}

size_t pack_space(struct pack *pack, size_t size, size_t align)
{
    size_t start = (pack->length + align - 1) & ~(align - 1);
    if (pack->status != STATUS_OK || !grow(pack, start + size))
        return 0;
    if (start + size > pack->length)
        memset(pack->image + pack->length, 0, start + size - pack->length);
    pack->length = start + size;
    return start;
}

void pack_store(struct pack *pack, size_t offset, const void *data, size_t size)
{
    if (pack->status == STATUS_OK && size > 0)
        memcpy(pack->image + offset, data, size);
}

void *pack_address(const struct pack *pack, size_t offset)
{
    /* By number: with a NULL buffer only the size is wanted, and there is nothing to point into. */
    return (void *)((uintptr_t)pack->buffer + offset);
}

void *pack_bytes(struct pack *pack, const void *data, size_t length)
{
    if (length == 0)
        return NULL;
    size_t offset = pack_space(pack, length, 1);
    pack_store(pack, offset, data, length);
    return pack_address(pack, offset);
}

void *pack_text(struct pack *pack, enum text_form form, const char *utf8)
{
    /* Neither form has more characters than UTF-8 has bytes, except a code page of several bytes.
     */
    size_t unit = text_unit(form);
    size_t room = (utf8 != NULL ? strlen(utf8) * 2 : 0) + 1;
    size_t offset = pack_space(pack, room * unit, unit);
    if (pack->status == STATUS_OK)
        pack->length = offset + text_write(form, utf8, pack->image + offset, room) * unit;
    return pack_address(pack, offset);
}

ISDSC_STATUS pack_end(struct pack *pack, ULONG *size, size_t unit)
{
    ISDSC_STATUS result = msapi_status(pack->status);
    if (pack->status == STATUS_OK) {
        size_t given = pack->buffer != NULL ? *size : 0;
        size_t needed = (pack->length + unit - 1) / unit;
        if (needed > given)
            result = ERROR_INSUFFICIENT_BUFFER;
        else if (pack->length > 0)
            memcpy(pack->buffer, pack->image, pack->length);
        *size = (ULONG)needed;
    }
    os_free(pack->image);
    *pack = (struct pack){0};
    return result;
}

ISDSC_STATUS pack_text_list(enum text_form form, const struct text_list *list, ULONG *size,
                            void *buffer)
{
    struct pack pack;
    size_t unit = text_unit(form);
    pack_begin(&pack, buffer);
    for (uint32_t i = 0; i < list->count; i++)
        pack_text(&pack, form, list->items[i]);
    pack_space(&pack, list->count > 0 ? unit : 2 * unit, unit);
    return pack_end(&pack, size, unit);
}

void pack_options(struct pack *pack, const struct login_options *options, ISCSI_LOGIN_OPTIONS *out)
{
    if (options == NULL)
        return;
    *out = (ISCSI_LOGIN_OPTIONS){
        .Version = options->version,
        .InformationSpecified = options->specified,
        .LoginFlags = options->flags,
        .AuthType = (ISCSI_AUTH_TYPES)options->auth_type,
        .HeaderDigest = (ISCSI_DIGEST_TYPES)options->header_digest,
        .DataDigest = (ISCSI_DIGEST_TYPES)options->data_digest,
        .MaximumConnections = options->maximum_connections,
        .DefaultTime2Wait = options->default_time2wait,
        .DefaultTime2Retain = options->default_time2retain,
        .UsernameLength = options->username.length,
        .Username = pack_bytes(pack, options->username.data, options->username.length),
    };
}
