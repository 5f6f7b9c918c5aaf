/*
 * Misbehaviour to order: a table of callbacks that sees every PDU of every connection of an entity,
 * both ways. A callback that is NULL behaves. Tests of the initiator are the users.
 */
#ifndef TARGET_FAULT_H
#define TARGET_FAULT_H

#include "target/connection.h"

/* A PDU that came in whole. It may be changed in place. The fields from `swallow` on are orders,
 * neutral at first. */
struct target_fault_in {
    struct pdu *pdu;
    const uint8_t *data; /* NULL for the data of a SCSI write */
    uint32_t length;
    bool swallow;   /* act as if it had never come */
    bool answered;  /* the callback has answered: its CmdSN counts, nothing else happens */
    bool broken;    /* as if its data digest were wrong */
    uint32_t delay; /* milliseconds until anything is sent from now on */
    /* A SCSI Command is not run but, when its turn comes, answered with these. */
    bool refuse;
    uint8_t response; /* enum scsi_response_code */
    uint8_t status;
    uint8_t sense_key; /* of a CHECK CONDITION */
    uint16_t asc;
};

/* What is changed in the bytes of a PDU after its digests were computed. */
enum target_flip {
    TARGET_FLIP_HEADER = 1,
    TARGET_FLIP_HEADER_DIGEST = 2,
    TARGET_FLIP_DATA = 4,
    TARGET_FLIP_DATA_DIGEST = 8,
};

/* A PDU about to be sent, with its sequence numbers. `pdu` may be changed in place. */
struct target_fault_out {
    struct pdu *pdu;
    const uint8_t *data; /* changed by target_fault_data */
    uint32_t length;
    bool again;       /* it is sent once more, asked for by SNACK or TASK REASSIGN */
    unsigned copies;  /* 1; 0 drops it */
    uint32_t delay;   /* milliseconds until it, and all behind it, is sent */
    unsigned behind;  /* so many PDUs of the connection overtake it; it waits no longer than
                         TARGET_FAULT_PATIENCE */
    unsigned flips;   /* enum target_flip: a bit of each of these is turned */
    uint32_t flip_at; /* which byte of the header or the data */
    bool raw;         /* the header is `bhs`, whatever `pdu` says */
    uint8_t bhs[PDU_BHS_LENGTH];
    enum target_end end; /* what follows it */
    size_t end_at;       /* with `end`: after so many bytes of the PDU; SIZE_MAX: after all of it */
    bool tell_sent;      /* `sent` shall be called when it is queued */
    const struct pdu *then;         /* another PDU behind it, sent as it is; NULL: none */
    uint32_t then_delay;            /* milliseconds between them */
    struct target_buffer *replaced; /* inside */
};

struct target_fault {
    void *context;
    void (*connected)(void *context, struct target_connection *connection);
    /* The connection has entered full feature phase. */
    void (*full_feature)(void *context, struct target_connection *connection);
    /* What target_fault_timer asked for. */
    void (*timer)(void *context, struct target_connection *connection);
    void (*incoming)(void *context, struct target_connection *connection,
                     struct target_fault_in *in);
    void (*outgoing)(void *context, struct target_connection *connection,
                     struct target_fault_out *out);
    /* A PDU whose `tell_sent` was set is in the queue: what is sent now follows it. */
    void (*sent)(void *context, struct target_connection *connection);
    /* The bytes of a PDU with padding and digests: may be changed in place. */
    void (*encoded)(void *context, struct target_connection *connection, const struct pdu *pdu,
                    uint8_t *bytes, size_t length);
};

#define TARGET_FAULT_PATIENCE 100u /* milliseconds */

/* Replaces the data segment (copied). False: out of memory. */
bool target_fault_data(struct target_fault_out *out, const void *data, uint32_t length);

/* Four words of a connection for a callback's own use, zero at first. */
uint32_t *target_fault_memory(struct target_connection *connection);

/* Sends a PDU of the callback's making; it does not pass the callbacks. With `numbered` it gets the
 * connection's sequence numbers, else it goes out as it is. */
void target_fault_send(struct target_connection *connection, const struct pdu *pdu,
                       const void *data, uint32_t length, bool numbered);
void target_fault_send_bytes(struct target_connection *connection, const void *bytes,
                             size_t length);
/* The callback `timer` comes after so many milliseconds, once; the last call counts. */
void target_fault_timer(struct target_connection *connection, uint32_t milliseconds);
/* From now on nothing is heard and nothing is said, but the connection stands. */
void target_fault_mute(struct target_connection *connection);
/* From now on at most `bytes` for each send call, and one call each `interval` milliseconds. */
void target_fault_dribble(struct target_connection *connection, size_t bytes, uint32_t interval);
/* Ends the connection when all that is queued has gone out; TARGET_END_RESET at once. */
void target_fault_end(struct target_connection *connection, enum target_end end);

#endif
