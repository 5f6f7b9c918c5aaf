/*
 * The negotiation table: every text key of RFC 7143, 13 with its type, default, range, result
 * function, who may send it and when. Login (both ends) and text negotiation run on it.
 */
#ifndef PROTOCOL_KEYS_H
#define PROTOCOL_KEYS_H

#include "protocol/text.h"

enum key {
    KEY_AUTH_METHOD,
    KEY_HEADER_DIGEST,
    KEY_DATA_DIGEST,
    KEY_MAX_CONNECTIONS,
    KEY_SEND_TARGETS,
    KEY_TARGET_NAME,
    KEY_INITIATOR_NAME,
    KEY_TARGET_ALIAS,
    KEY_INITIATOR_ALIAS,
    KEY_TARGET_ADDRESS,
    KEY_TARGET_PORTAL_GROUP_TAG,
    KEY_INITIAL_R2T,
    KEY_IMMEDIATE_DATA,
    KEY_MAX_RECV_DATA_SEGMENT_LENGTH,
    KEY_MAX_BURST_LENGTH,
    KEY_FIRST_BURST_LENGTH,
    KEY_DEFAULT_TIME2WAIT,
    KEY_DEFAULT_TIME2RETAIN,
    KEY_MAX_OUTSTANDING_R2T,
    KEY_DATA_PDU_IN_ORDER,
    KEY_DATA_SEQUENCE_IN_ORDER,
    KEY_ERROR_RECOVERY_LEVEL,
    KEY_SESSION_TYPE,
    KEY_TASK_REPORTING,
    KEY_ISCSI_PROTOCOL_LEVEL, /* RFC 7144 */
    KEY_IF_MARKER,            /* obsolete (RFC 7143, 13.25): answered, never offered */
    KEY_OF_MARKER,
    KEY_IF_MARK_INT,
    KEY_OF_MARK_INT,
    KEY_COUNT,
    KEY_UNKNOWN = KEY_COUNT
};

enum key_type {
    KEY_TYPE_LIST,    /* negotiated: first of the list that both have */
    KEY_TYPE_NUMBER,  /* negotiated: minimum or maximum */
    KEY_TYPE_BOOLEAN, /* negotiated: AND or OR */
    KEY_TYPE_DECLARED_NUMBER,
    KEY_TYPE_DECLARED_TEXT,
    KEY_TYPE_OBSOLETE,
};

enum key_result {
    KEY_RESULT_NONE, /* declared */
    KEY_RESULT_LIST,
    KEY_RESULT_MINIMUM,
    KEY_RESULT_MAXIMUM,
    KEY_RESULT_AND,
    KEY_RESULT_OR,
};

/* Bits for `senders` and `phases`. */
enum {
    KEY_BY_INITIATOR = 1,
    KEY_BY_TARGET = 2,
    KEY_IN_LOGIN = 1,       /* any login stage */
    KEY_IN_OPERATIONAL = 2, /* the operational stage of a login */
    KEY_IN_SECURITY = 4,
    KEY_IN_FULL_FEATURE = 8, /* a text exchange */
    KEY_LEADING_ONLY = 16,   /* only in the login of a session's first connection */
    KEY_NORMAL_ONLY = 32,    /* irrelevant in a discovery session */
};

struct key_info {
    const char *name;
    enum key_type type;
    enum key_result result;
    unsigned senders;
    unsigned phases;
    uint32_t minimum;
    uint32_t maximum;
    uint32_t default_number; /* booleans: 1 is Yes */
    const char *default_text;
};

extern const struct key_info key_table[KEY_COUNT];

enum key key_find(const char *name, size_t length);

enum {
    DIGEST_NONE = 0,
    DIGEST_CRC32C = 1,
};

/* What a session and its connection run with: the results. */
struct key_values {
    /* per connection */
    uint8_t header_digest; /* DIGEST_NONE or DIGEST_CRC32C */
    uint8_t data_digest;
    uint32_t max_recv_data_segment_length; /* declared by us */
    uint32_t max_send_data_segment_length; /* declared by the peer */
    /* per session */
    uint32_t max_connections;
    bool initial_r2t;
    bool immediate_data;
    uint32_t max_burst_length;
    uint32_t first_burst_length;
    uint32_t default_time2wait;
    uint32_t default_time2retain;
    uint32_t max_outstanding_r2t;
    bool data_pdu_in_order;
    bool data_sequence_in_order;
    uint8_t error_recovery_level;
    uint32_t protocol_level;
};

/* RFC defaults: what holds when nothing is said. */
void key_values_default(struct key_values *values);

/* What we want: the offers of an initiator, the limits of a target. */
struct key_offers {
    const char *header_digest; /* list in order of preference, such as "CRC32C,None" */
    const char *data_digest;
    uint32_t max_recv_data_segment_length;
    uint32_t max_connections;
    bool initial_r2t;
    bool immediate_data;
    uint32_t max_burst_length;
    uint32_t first_burst_length;
    uint32_t default_time2wait;
    uint32_t default_time2retain;
    uint32_t max_outstanding_r2t;
    bool data_pdu_in_order;
    bool data_sequence_in_order;
    uint8_t error_recovery_level;
};

enum key_outcome {
    KEY_OPEN,    /* nothing exchanged yet: the default holds */
    KEY_OFFERED, /* we offered, no answer yet */
    KEY_SETTLED,
    KEY_REFUSED, /* Reject, Irrelevant or NotUnderstood came back: the default holds */
};

/* One operational negotiation, of either side. */
struct negotiation {
    bool initiator;
    bool discovery;                  /* SessionType=Discovery */
    bool leading;                    /* first connection of its session */
    const struct key_offers *offers; /* borrowed */
    uint8_t outcome[KEY_COUNT];      /* enum key_outcome */
    bool declared;                   /* our MaxRecvDataSegmentLength has been sent */
    uint32_t first_burst_length;     /* as agreed; in `values` it is held within MaxBurstLength */
    struct key_values values;
    char detail[TEXT_KEY_MAX + 1]; /* the key a failure is about */
};

void negotiation_start(struct negotiation *negotiation, bool initiator, bool discovery,
                       bool leading, const struct key_offers *offers);

/* Initiator: appends every offer that this kind of login makes. False: `room` is too small. Numbers
 * outside of a key's range are offered as its nearest bound. */
bool negotiation_offer(struct negotiation *negotiation, char *text, size_t room, size_t *length);

/*
 * Takes the pairs of one received text (reassembled over C bits). `phase` is KEY_IN_SECURITY,
 * KEY_IN_OPERATIONAL or KEY_IN_FULL_FEATURE: the stage of the PDU that brought the text. Answers
 * (to our offers) are checked against what was offered; offers of the peer are answered by
 * appending to `reply`: the result, or "NotUnderstood", "Irrelevant", "Reject" as RFC 7143, 6.2
 * says. Keys that the login itself handles (names, SessionType, AuthMethod, CHAP_*, TargetAddress,
 * TargetPortalGroupTag, SendTargets, aliases) are skipped here, but for who may send them, when,
 * and only once. A target declares its MaxRecvDataSegmentLength in its first reply of the
 * operational stage. STATUS_NEGOTIATION_FAILED: an answer out of range or not offered, a key twice,
 * a key that may not be sent now, a reserved word offered as a value, a digest refused that we
 * insist on; `detail` names the key. STATUS_INVALID_TEXT: not text at all. STATUS_TEXT_TOO_LONG:
 * `room` is too small for the answers.
 */
enum status negotiation_receive(struct negotiation *negotiation, const char *text, size_t length,
                                unsigned phase, char *reply, size_t room, size_t *reply_length);

/* True when every offer was answered. A boolean whose offered value decides the result alone may
 * stay unanswered (RFC 7143, 6.2.2). */
bool negotiation_complete(const struct negotiation *negotiation);

/* Before the full feature phase: may we live with the digests that resulted? They have to be in our
 * own lists, which "CRC32C" alone is not when the peer never spoke of digests. Sets `detail`. */
bool negotiation_acceptable(struct negotiation *negotiation);

#endif
