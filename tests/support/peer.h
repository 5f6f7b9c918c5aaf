/* Inside the misbehaving peer: a scene plays one row of misbehaviours.h on a port (or more) of its
 * own. */
#ifndef PEER_H
#define PEER_H

#include "misbehaviours.h"
#include "program.h"
#include "target/fault.h"

#include <string.h>

#define SCENE_PORTS 21u
#define SCENE_KEPT  4096u

struct play;

struct scene {
    const char *name;
    enum misbehaviour_phase phase;
    const struct play *play;
    struct target_entity *entity;
    struct target_server *server;
    struct target *target;
    struct target_fault fault;
    uint16_t ports[SCENE_PORTS]; /* the first is the case's */
    unsigned arrivals;           /* connections of the phase so far */
    unsigned count;              /* a play's own */
    struct pdu kept;             /* the same */
    uint32_t kept_length;
    uint8_t kept_data[SCENE_KEPT];
};

/* How a case is played. What is NULL behaves; `number`, `text` and `value` are for the callbacks.
 * Only connections of the case's phase are passed to them, but for `connected`. */
struct play {
    const char *name;
    void (*connected)(struct scene *scene, struct target_connection *connection);
    void (*incoming)(struct scene *scene, struct target_connection *connection,
                     struct target_fault_in *in);
    void (*outgoing)(struct scene *scene, struct target_connection *connection,
                     struct target_fault_out *out);
    void (*encoded)(struct scene *scene, const struct pdu *pdu, uint8_t *bytes, size_t length);
    void (*setup)(struct scene *scene);
    uint32_t number;
    const char *text;
    const char *value;
    unsigned more_ports;
};

extern const struct play discovery_plays[], login_plays[], chap_plays[], command_plays[];
extern const size_t discovery_play_count, login_play_count, chap_play_count, command_play_count;

/* A port of 127.0.0.1 where nothing listens. */
extern uint16_t closed_port;

/* --- peer.c: what the plays share --- */

enum { CODE_OPCODE = 0x2a }; /* an opcode that RFC 7143 does not define */

/* The text of a login response or text request: a copy with the pairs of `key` left out, and
 * then `value` added (NULL: nothing). */
void set_key(struct target_fault_out *out, const char *key, const char *value);
/* Adds text in which newlines stand for NULs. */
void add_text(struct target_fault_out *out, const char *text);
/* The value of a key in a text, copied; false when it is not there. */
bool get_key(const uint8_t *text, size_t length, const char *key, char *value, size_t room);
/* Fills in a template: newlines are NULs, @ is the case's target name. Returns the length. */
uint32_t fill_text(const struct scene *scene, const char *form, char *out, size_t room);

/* Remembers a PDU that is held back. */
void keep(struct scene *scene, struct target_fault_out *out);
void send_kept(struct scene *scene, struct target_connection *connection);
void send_pings(struct target_connection *connection, unsigned count);
/* A Reject of a request, whose ITT is changed by `twist`. */
void send_reject(struct target_connection *connection, const struct pdu *request, uint32_t twist);
/* Sends an otherwise empty PDU of that opcode with the ITT of `request`. */
void send_bare(struct target_connection *connection, uint8_t opcode, const struct pdu *request);
/* A data segment that is 4 bytes longer than the initiator allows. */
void make_too_long(struct target_connection *connection, struct target_fault_out *out);

/* Callbacks that several phases use. */
void byte_by_byte(struct scene *scene, struct target_connection *connection);
void slow_drip(struct scene *scene, struct target_connection *connection);
/* Holds PDUs of opcode `number` back until a ping was answered. */
void answer_after_ping_in(struct scene *scene, struct target_connection *connection,
                          struct target_fault_in *in);
void answer_after_ping_out(struct scene *scene, struct target_connection *connection,
                           struct target_fault_out *out);
/* `number`: status class and detail of every first Login Response, which then ends the connection.
 */
void refuse_login(struct scene *scene, struct target_connection *connection,
                  struct target_fault_out *out);
/* The first `number` connections are sent to the ports after the first; `text` "self" to the first,
 * "circle" to the first two in turn, else it is the address; `value` "permanent". */
void redirect_login(struct scene *scene, struct target_connection *connection,
                    struct target_fault_out *out);
bool is_login_response(const struct target_fault_out *out);

#endif
