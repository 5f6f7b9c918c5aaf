/*
 * The one way into the engine. A client fills struct request_<name>, gets struct reply_<name>;
 * in between are messages, also when the engine runs in this process, so that both ways
 * behave the same.
 */
#ifndef DOOR_DOOR_H
#define DOOR_DOOR_H

#include "engine/operations.h"
#include "os/memory.h"
#include "protocol/status.h"

#include <stdbool.h>

/*
 * Calls the engine and waits. `request` is struct request_<name> *, `reply` struct reply_<name> *
 * or NULL when the operation has none. What the reply points to lives in `arena`, which the
 * caller clears; it may be NULL for a reply without pointers.
 * STATUS_OK and STATUS_SCSI_STATUS come with a reply; else it is zero-filled.
 * From any thread but the engine's own (STATUS_INTERNAL there: the call could never end).
 *
 * The engine is found or started at the first call. A process made by fork has none of its
 * parent's threads: its first call starts an engine of its own, and the parent's sessions stay
 * the parent's.
 */
enum status door_call(enum operation operation, const void *request, void *reply,
                      struct os_arena *arena);

/* Does the engine run in this process? Finds or starts it as a call does. */
bool door_in_process(void);

/*
 * The codec. A message is a header and a record, all little-endian.
 *
 * Header: u32 length of what follows, u16 version, u16 operation, u32 call id, u32 status
 * (0 in a request).
 *
 * Record: its fields, each at most once, as u16 number, u32 length, bytes. Zero numbers, absent
 * texts, blobs and records, and empty lists are left out; unknown numbers are skipped. number as
 * long as its kind text            UTF-8 with its terminating NUL, and no other blob, record    as
 * they are list            u32 count, then each item as u32 length, record list of texts   u32
 * count, then each as u32 length, text
 */
#define DOOR_VERSION     1u
#define DOOR_HEADER      16u
#define DOOR_MESSAGE_MAX (64u << 20)

/* Grows by appending; what it held is wiped when it grows and when it is cleared. */
struct door_buffer {
    uint8_t *data;
    size_t length;
    size_t room;
};
/* Room for that many more bytes. */
enum status door_buffer_reserve(struct door_buffer *buffer, size_t more);
void door_buffer_clear(struct door_buffer *buffer);

/*
 * Appends to the buffer; after an error its length is what it was. STATUS_MESSAGE_INVALID when the
 * record cannot be sent: text that is not UTF-8, or more than DOOR_MESSAGE_MAX bytes.
 */
enum status door_encode(struct door_buffer *buffer, const struct record_info *record,
                        const void *value);
/* Pointers in `value` lead into `arena` or `data`, which must both live on. STATUS_MESSAGE_INVALID
 * for anything malformed. After an error the value is zero-filled. */
enum status door_decode(const struct record_info *record, const uint8_t *data, size_t length,
                        void *value, struct os_arena *arena);

struct door_header {
    uint32_t length; /* of what follows this field: at least DOOR_HEADER - 4 */
    uint16_t version;
    uint16_t operation;
    uint32_t call;
    uint32_t status;
};
/* Reads DOOR_HEADER bytes. STATUS_MESSAGE_INVALID: another version, or a length out of bounds. */
enum status door_header_decode(struct door_header *header, const uint8_t data[DOOR_HEADER]);

/* A whole message: header and record (`value` NULL: none). Errors as door_encode. */
enum status door_message_encode(struct door_buffer *buffer, const struct door_header *header,
                                const struct record_info *record, const void *value);
/* Header and record of a whole message; `length` must be the one the header tells. */
enum status door_message_decode(struct door_header *header, const uint8_t *data, size_t length,
                                const uint8_t **record, size_t *record_length);

#endif
