#include "devices/nbd_wire.h"

#include <string.h>

#define NBD_MAGIC              0x4e42444d41474943u /* "NBDMAGIC" */
#define NBD_OPTION_MAGIC       0x49484156454f5054u /* "IHAVEOPT" */
#define NBD_OPTION_REPLY_MAGIC 0x0003e889045565a9u
#define NBD_REQUEST_MAGIC      0x25609513u
#define NBD_REPLY_MAGIC        0x67446698u

enum {
    SERVER_FIXED_NEWSTYLE = 1 << 0,
    SERVER_NO_ZEROES = 1 << 1,
};

enum {
    OPTION_EXPORT_NAME = 1,
    OPTION_ABORT = 2,
    OPTION_LIST = 3,
    OPTION_INFO = 6,
    OPTION_GO = 7,
};

#define REPLY_ACK      1u
#define REPLY_SERVER   2u
#define REPLY_INFO     3u
#define REPLY_ERROR(n) (0x80000000u + (n))
#define REPLY_UNSUP    REPLY_ERROR(1u)
#define REPLY_INVALID  REPLY_ERROR(3u)
#define REPLY_UNKNOWN  REPLY_ERROR(6u)

enum { INFO_EXPORT = 0, INFO_NAME = 1, INFO_BLOCK_SIZE = 3 };

enum {
    EXPORT_HAS_FLAGS = 1 << 0,
    EXPORT_READ_ONLY = 1 << 1,
    EXPORT_SEND_FLUSH = 1 << 2,
    EXPORT_SEND_FUA = 1 << 3,
    EXPORT_SEND_TRIM = 1 << 5,
    EXPORT_SEND_WRITE_ZEROES = 1 << 6,
    EXPORT_CAN_MULTI_CONN = 1 << 8, /* a flush on one connection is one for all */
};

enum { OPTION_REPLY_LENGTH = 20, EXPORT_NAME_ZEROES = 124 };

void nbd_encode_greeting(uint8_t out[NBD_GREETING_LENGTH])
{
    put_be64(out, NBD_MAGIC);
    put_be64(out + 8, NBD_OPTION_MAGIC);
    put_be16(out + 16, SERVER_FIXED_NEWSTYLE | SERVER_NO_ZEROES);
}

bool nbd_decode_option(struct nbd_option *option, const uint8_t bytes[NBD_OPTION_LENGTH])
{
    option->option = get_be32(bytes + 8);
    option->length = get_be32(bytes + 12);
    return get_be64(bytes) == NBD_OPTION_MAGIC;
}

/* --- answers to options --- */

struct answer {
    uint8_t *out;
    size_t length;
    uint32_t option;
};

/* The header of a reply with so much data, which the caller writes to where this returns. */
static uint8_t *reply(struct answer *answer, uint32_t type, size_t length)
{
    uint8_t *head = answer->out + answer->length;
    put_be64(head, NBD_OPTION_REPLY_MAGIC);
    put_be32(head + 8, answer->option);
    put_be32(head + 12, type);
    put_be32(head + 16, (uint32_t)length);
    answer->length += OPTION_REPLY_LENGTH + length;
    return head + OPTION_REPLY_LENGTH;
}

static uint16_t export_flags(const struct nbd_facts *facts)
{
    unsigned flags = EXPORT_HAS_FLAGS | EXPORT_SEND_FLUSH | EXPORT_CAN_MULTI_CONN;
    if (facts->read_only)
        return (uint16_t)(flags | EXPORT_READ_ONLY);
    flags |= EXPORT_SEND_FUA | EXPORT_SEND_WRITE_ZEROES;
    return (uint16_t)(facts->trims ? flags | EXPORT_SEND_TRIM : flags);
}

static bool is_ours(const struct nbd_facts *facts, const uint8_t *name, size_t length)
{
    return length == 0 || (length == strlen(facts->name) && memcmp(name, facts->name, length) == 0);
}

/* The only option without a reply: what was asked for, or the end. */
static enum nbd_next answer_export_name(struct answer *answer, const struct nbd_facts *facts,
                                        uint32_t client_flags, const uint8_t *data, size_t length)
{
    if (!is_ours(facts, data, length))
        return NBD_NEXT_END;
    put_be64(answer->out, facts->size);
    put_be16(answer->out + 8, export_flags(facts));
    answer->length = 10;
    if ((client_flags & NBD_CLIENT_NO_ZEROES) == 0) {
        memset(answer->out + 10, 0, EXPORT_NAME_ZEROES);
        answer->length += EXPORT_NAME_ZEROES;
    }
    return NBD_NEXT_REQUEST;
}

static void answer_list(struct answer *answer, const struct nbd_facts *facts, size_t length)
{
    size_t name = strlen(facts->name);
    if (length != 0) {
        reply(answer, REPLY_INVALID, 0);
        return;
    }
    uint8_t *data = reply(answer, REPLY_SERVER, 4 + name);
    put_be32(data, (uint32_t)name);
    memcpy(data + 4, facts->name, name);
    reply(answer, REPLY_ACK, 0);
}

static void reply_information(struct answer *answer, const struct nbd_facts *facts,
                              const uint8_t *wanted, size_t count)
{
    uint8_t *data = reply(answer, REPLY_INFO, 12);
    put_be16(data, INFO_EXPORT);
    put_be64(data + 2, facts->size);
    put_be16(data + 10, export_flags(facts));
    bool name_told = false;
    bool sizes_told = false;
    for (size_t i = 0; i < count; i++) {
        uint16_t type = get_be16(wanted + 2 * i);
        if (type == INFO_NAME && !name_told) {
            size_t name = strlen(facts->name);
            data = reply(answer, REPLY_INFO, 2 + name);
            put_be16(data, INFO_NAME);
            memcpy(data + 2, facts->name, name);
            name_told = true;
        } else if (type == INFO_BLOCK_SIZE && !sizes_told) {
            data = reply(answer, REPLY_INFO, 14);
            put_be16(data, INFO_BLOCK_SIZE);
            put_be32(data + 2, 1); /* any: what does not fit the blocks is read first */
            put_be32(data + 6, facts->optimal);
            put_be32(data + 10, facts->most);
            sizes_told = true;
        }
    }
}

static enum nbd_next answer_go(struct answer *answer, const struct nbd_facts *facts,
                               const uint8_t *data, size_t length)
{
    size_t name = length >= 6 ? get_be32(data) : 0;
    if (length < 6 || name > length - 6 ||
        length != 6 + name + 2 * (size_t)get_be16(data + 4 + name)) {
        reply(answer, REPLY_INVALID, 0);
        return NBD_NEXT_OPTION;
    }
    if (!is_ours(facts, data + 4, name)) {
        reply(answer, REPLY_UNKNOWN, 0);
        return NBD_NEXT_OPTION;
    }
    reply_information(answer, facts, data + 6 + name, get_be16(data + 4 + name));
    reply(answer, REPLY_ACK, 0);
    return answer->option == OPTION_GO ? NBD_NEXT_REQUEST : NBD_NEXT_OPTION;
}

enum nbd_next nbd_answer(const struct nbd_facts *facts, uint32_t client_flags,
                         const struct nbd_option *option, const uint8_t *data,
                         uint8_t out[NBD_ANSWER_MOST], size_t *length)
{
    struct answer answer = {.out = out, .option = option->option};
    enum nbd_next next = NBD_NEXT_OPTION;
    switch (option->option) {
    case OPTION_EXPORT_NAME:
        next = answer_export_name(&answer, facts, client_flags, data, option->length);
        break;
    case OPTION_ABORT:
        reply(&answer, REPLY_ACK, 0);
        next = NBD_NEXT_END;
        break;
    case OPTION_LIST:
        answer_list(&answer, facts, option->length);
        break;
    case OPTION_INFO:
    case OPTION_GO:
        next = answer_go(&answer, facts, data, option->length);
        break;
    default:
        reply(&answer, REPLY_UNSUP, 0);
        break;
    }
    *length = answer.length;
    return next;
}

/* --- transmission --- */

bool nbd_decode_request(struct nbd_request *request, const uint8_t bytes[NBD_REQUEST_LENGTH])
{
    request->flags = get_be16(bytes + 4);
    request->command = get_be16(bytes + 6);
    request->cookie = get_be64(bytes + 8);
    request->offset = get_be64(bytes + 16);
    request->length = get_be32(bytes + 24);
    return get_be32(bytes) == NBD_REQUEST_MAGIC;
}

static bool is_change(uint16_t command)
{
    return command == NBD_WRITE || command == NBD_TRIM || command == NBD_WRITE_ZEROES;
}

enum nbd_error nbd_check(const struct nbd_facts *facts, const struct nbd_request *request)
{
    bool moves = request->command == NBD_READ || request->command == NBD_WRITE;
    uint16_t flags = is_change(request->command) ? NBD_FLAG_FUA : 0;
    if (request->command == NBD_WRITE_ZEROES)
        flags |= NBD_FLAG_NO_HOLE;
    if (request->command == NBD_FLUSH)
        return request->offset == 0 && request->length == 0 && request->flags == 0 ? NBD_OK
                                                                                   : NBD_EINVAL;
    if (!moves && !is_change(request->command))
        return NBD_EINVAL;
    if (is_change(request->command) && facts->read_only)
        return NBD_EPERM;
    if ((request->flags & ~flags) != 0 || request->length == 0 ||
        (moves && request->length > facts->most))
        return NBD_EINVAL;
    if (request->offset > facts->size || request->length > facts->size - request->offset)
        return request->command == NBD_WRITE || request->command == NBD_WRITE_ZEROES ? NBD_ENOSPC
                                                                                     : NBD_EINVAL;
    return NBD_OK;
}

void nbd_encode_reply(uint8_t out[NBD_REPLY_LENGTH], enum nbd_error error, uint64_t cookie)
{
    put_be32(out, NBD_REPLY_MAGIC);
    put_be32(out + 4, error);
    put_be64(out + 8, cookie);
}
