/*
 * The NBD protocol (NetworkBlockDevice/nbd, doc/proto.md: fixed newstyle negotiation, simple
 * replies): bytes to values and back. Pure.
 */
#ifndef DEVICES_NBD_WIRE_H
#define DEVICES_NBD_WIRE_H

#include "protocol/bytes.h"

#include <stdbool.h>

enum {
    NBD_GREETING_LENGTH = 18,
    NBD_CLIENT_FLAGS_LENGTH = 4,
    NBD_OPTION_LENGTH = 16, /* of its header */
    NBD_REQUEST_LENGTH = 28,
    NBD_REPLY_LENGTH = 16,
    NBD_NAME_MOST = 4096,
    NBD_OPTION_DATA_MOST = NBD_NAME_MOST + 1024, /* a longer one ends the connection */
    NBD_ANSWER_MOST = 8192,                      /* room for what answers one option */
};

/* Flags that the client sends first. */
enum {
    NBD_CLIENT_FIXED_NEWSTYLE = 1 << 0,
    NBD_CLIENT_NO_ZEROES = 1 << 1,
};

enum nbd_command {
    NBD_READ,
    NBD_WRITE,
    NBD_DISCONNECT,
    NBD_FLUSH,
    NBD_TRIM,
    NBD_CACHE,
    NBD_WRITE_ZEROES,
};

enum {
    NBD_FLAG_FUA = 1 << 0,
    NBD_FLAG_NO_HOLE = 1 << 1,
};

enum nbd_error {
    NBD_OK = 0,
    NBD_EPERM = 1,
    NBD_EIO = 5,
    NBD_ENOMEM = 12,
    NBD_EINVAL = 22,
    NBD_ENOSPC = 28,
    NBD_ENOTSUP = 95,
    NBD_ESHUTDOWN = 108,
};

/* --- negotiation --- */

/* What is exported. */
struct nbd_facts {
    const char *name; /* the client may also ask for "" */
    uint64_t size;
    uint32_t optimal; /* that requests are best aligned to */
    uint32_t most;    /* bytes in one request */
    bool read_only;
    bool trims;
};

struct nbd_option {
    uint32_t option;
    uint32_t length; /* of the data behind the header */
};

enum nbd_next {
    NBD_NEXT_OPTION,
    NBD_NEXT_REQUEST, /* negotiated */
    NBD_NEXT_END,     /* what is to be sent is, and then the connection is closed */
};

void nbd_encode_greeting(uint8_t out[NBD_GREETING_LENGTH]);
/* False: not an option. */
bool nbd_decode_option(struct nbd_option *option, const uint8_t bytes[NBD_OPTION_LENGTH]);
/* Answers an option whose data are there; `*length` is how much of `out` was written. */
enum nbd_next nbd_answer(const struct nbd_facts *facts, uint32_t client_flags,
                         const struct nbd_option *option, const uint8_t *data,
                         uint8_t out[NBD_ANSWER_MOST], size_t *length);

/* --- transmission --- */

struct nbd_request {
    uint16_t flags;
    uint16_t command; /* enum nbd_command */
    uint64_t cookie;
    uint64_t offset;
    uint32_t length;
};

/* False: not a request. */
bool nbd_decode_request(struct nbd_request *request, const uint8_t bytes[NBD_REQUEST_LENGTH]);
/* May it be carried out? OK, or what to answer. */
enum nbd_error nbd_check(const struct nbd_facts *facts, const struct nbd_request *request);
void nbd_encode_reply(uint8_t out[NBD_REPLY_LENGTH], enum nbd_error error, uint64_t cookie);

#endif
