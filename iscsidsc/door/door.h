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

/*
 * Calls the engine and waits. `request` is struct request_<name> *, `reply` struct reply_<name> *
 * or NULL when the operation has none. What the reply points to lives in `arena`, which the
 * caller clears; it may be NULL for a reply without pointers.
 * STATUS_OK and STATUS_SCSI_STATUS come with a reply; else it is zero-filled.
 * From any thread. The engine is found or started at the first call.
 */
enum status door_call(enum operation operation, const void *request, void *reply,
                      struct os_arena *arena);

/*
 * The codec. A message: u32 length of what follows, u16 version, u16 operation, u32 call
 * id, u32 status (replies), then the record. A record: fields as u16 number, u32 length, bytes; zero numbers,
 * absent texts and empty lists are left out; unknown numbers are skipped. All little-endian.
 */
#define DOOR_VERSION     1u
#define DOOR_MESSAGE_MAX (64u << 20)

/* Appends to a growing buffer. */
struct door_buffer {
    uint8_t *data;
    size_t length;
    size_t room;
};
enum status door_encode(struct door_buffer *buffer, const struct record_info *record, const void *value);
/* Pointers in `value` lead into `arena` or `data`, which must both live on. STATUS_MESSAGE_INVALID
 * for anything malformed; text must be UTF-8 without NUL. */
enum status door_decode(const struct record_info *record, const uint8_t *data, size_t length,
                        void *value, struct os_arena *arena);

#endif
