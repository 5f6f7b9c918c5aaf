/*
 * One connection of the target side as a state machine (RFC 7143): it owns no socket and no clock.
 * Its owner moves the bytes and tells the time (monotonic milliseconds).
 */
#ifndef TARGET_CONNECTION_H
#define TARGET_CONNECTION_H

#include "os/socket.h"
#include "protocol/framer.h"
#include "target/target.h"

struct target_connection;

enum target_end {
    TARGET_END_NONE,
    TARGET_END_CLOSE,
    TARGET_END_RESET, /* as a crash would: RST */
};

/* Something changed outside of a call for this connection (bytes to send, an end, a new due time).
 * May come in the middle of a call for another connection: do not free anything there. */
typedef void target_connection_wake(void *owner);

/* A connection that came in through a portal of group `group`; NULL: out of memory. */
struct target_connection *target_connection_new(struct target_entity *entity, uint16_t group,
                                                target_connection_wake *wake, void *owner,
                                                uint64_t now);
/* Where it comes from (os_address_to_ip), for access lists; without, no network fits. */
void target_connection_comes_from(struct target_connection *connection,
                                  const uint8_t ip[OS_IP_LENGTH]);
/* Takes it out of its session; a session without connections ends. */
void target_connection_free(struct target_connection *connection);

/*
 * Receiving: begin, then any number of pieces and read, then end. `look_ahead` may be shared by all
 * connections of the thread (protocol/framer.h). target_connection_read returns false when
 * nothing more shall be read (now).
 */
void target_connection_read_begin(struct target_connection *connection, void *look_ahead,
                                  size_t size);
size_t target_connection_read_pieces(struct target_connection *connection, struct iov *pieces,
                                     size_t room);
bool target_connection_read(struct target_connection *connection, size_t length, uint64_t now);
void target_connection_read_end(struct target_connection *connection);
/* False while too much output waits: read again when some was sent. */
bool target_connection_wants_input(const struct target_connection *connection);

/* Sending: 0 pieces when there is nothing to send now. */
size_t target_connection_write_pieces(struct target_connection *connection, struct iov *pieces,
                                      size_t room, uint64_t now);
void target_connection_written(struct target_connection *connection, size_t length);

/* How the owner shall end the connection now: NONE while it goes on or has something to send first.
 */
enum target_end target_connection_ending(const struct target_connection *connection);

/* When target_connection_tick wants to be called at the latest; OS_NEVER when nothing is due. */
uint64_t target_connection_due(const struct target_connection *connection);
void target_connection_tick(struct target_connection *connection, uint64_t now);

/* --- the entity's own time: what outlives the connections --- */

/* target_entity_due has become earlier, perhaps in the middle of another call. */
typedef void target_entity_wake(void *owner);
void target_entity_on_wake(struct target_entity *entity, target_entity_wake *wake, void *owner);
uint64_t target_entity_due(const struct target_entity *entity);
void target_entity_tick(struct target_entity *entity, uint64_t now);

/* --- for tests and callbacks --- */
bool target_connection_full_feature(const struct target_connection *connection);
bool target_connection_discovery(const struct target_connection *connection);
const struct key_values *target_connection_values(const struct target_connection *connection);
/* Asks the initiator for a sign of life. */
void target_connection_ping(struct target_connection *connection);
/* Commands of its session that may be under way from now on; initiators are told at once by a
 * NOP-In that wants no answer. */
void target_connection_window(struct target_connection *connection, uint32_t commands);
/* An asynchronous SCSI event of that unit, with its sense data (RFC 7143, 11.9.4). */
void target_connection_async_scsi(struct target_connection *connection, uint64_t lun,
                                  uint8_t sense_key, uint16_t asc);
void target_connection_async(struct target_connection *connection,
                             const struct pdu_async_message *message);
/* Asks for a logout within that time. False: it is not logged in, so that there is none. */
bool target_connection_ask_logout(struct target_connection *connection, uint32_t seconds);
/* Announces the end, and ends when that is sent. */
void target_connection_drop(struct target_connection *connection);

#endif
