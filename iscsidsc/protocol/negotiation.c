/* The rules of RFC 7143, 6.2 and 6.3, over the table in keys.c. */
#include "protocol/keys.h"

#include <string.h>

#define OUR_PROTOCOL_LEVEL 1 /* RFC 7143; 2 would promise the task functions of RFC 7144 */

/* One received pair and where its answer goes. */
struct exchange {
    struct negotiation *negotiation;
    const struct text_pair *pair;
    enum key key;
    const struct key_info *info;
    char *reply;
    size_t room;
    size_t *reply_length;
};

void negotiation_start(struct negotiation *negotiation, bool initiator, bool discovery,
                       bool leading, const struct key_offers *offers)
{
    memset(negotiation, 0, sizeof *negotiation);
    negotiation->initiator = initiator;
    negotiation->discovery = discovery;
    negotiation->leading = leading;
    negotiation->offers = offers;
    key_values_default(&negotiation->values);
    negotiation->first_burst_length = negotiation->values.first_burst_length;
}

/* --- our side of a key --- */

static uint32_t wanted_number(const struct negotiation *negotiation, enum key key)
{
    const struct key_offers *offers = negotiation->offers;

    switch ((int)key) {
    case KEY_MAX_CONNECTIONS:
        return offers->max_connections;
    case KEY_INITIAL_R2T:
        return offers->initial_r2t;
    case KEY_IMMEDIATE_DATA:
        return offers->immediate_data;
    case KEY_MAX_RECV_DATA_SEGMENT_LENGTH:
        return offers->max_recv_data_segment_length;
    case KEY_MAX_BURST_LENGTH:
        return offers->max_burst_length;
    case KEY_FIRST_BURST_LENGTH:
        return offers->first_burst_length;
    case KEY_DEFAULT_TIME2WAIT:
        return offers->default_time2wait;
    case KEY_DEFAULT_TIME2RETAIN:
        return offers->default_time2retain;
    case KEY_MAX_OUTSTANDING_R2T:
        return offers->max_outstanding_r2t;
    case KEY_DATA_PDU_IN_ORDER:
        return offers->data_pdu_in_order;
    case KEY_DATA_SEQUENCE_IN_ORDER:
        return offers->data_sequence_in_order;
    case KEY_ERROR_RECOVERY_LEVEL: /* there is nothing to recover in a discovery session */
        return negotiation->discovery ? 0 : offers->error_recovery_level;
    case KEY_ISCSI_PROTOCOL_LEVEL:
        return OUR_PROTOCOL_LEVEL;
    default:
        return key_table[key].default_number;
    }
}

static uint32_t in_range(const struct key_info *info, uint32_t number)
{
    if (number < info->minimum)
        return info->minimum;
    return number > info->maximum ? info->maximum : number;
}

/* Our offer or limit. Ours for FirstBurstLength never exceeds ours for MaxBurstLength (13.14). */
static uint32_t our_number(const struct negotiation *negotiation, enum key key)
{
    uint32_t number = in_range(&key_table[key], wanted_number(negotiation, key));

    if (key == KEY_FIRST_BURST_LENGTH) {
        uint32_t burst = our_number(negotiation, KEY_MAX_BURST_LENGTH);

        return number < burst ? number : burst;
    }
    return number;
}

static const char *our_list(const struct negotiation *negotiation, enum key key)
{
    const char *list = NULL;

    if (key == KEY_HEADER_DIGEST)
        list = negotiation->offers->header_digest;
    if (key == KEY_DATA_DIGEST)
        list = negotiation->offers->data_digest;
    return list && *list ? list : key_table[key].default_text;
}

static void hold_first_burst(struct negotiation *negotiation)
{
    struct key_values *values = &negotiation->values;

    values->first_burst_length = negotiation->first_burst_length < values->max_burst_length
                                     ? negotiation->first_burst_length
                                     : values->max_burst_length;
}

static void store_number(struct negotiation *negotiation, enum key key, uint32_t number)
{
    struct key_values *values = &negotiation->values;

    switch ((int)key) {
    case KEY_MAX_CONNECTIONS:
        values->max_connections = number;
        break;
    case KEY_INITIAL_R2T:
        values->initial_r2t = number != 0;
        break;
    case KEY_IMMEDIATE_DATA:
        values->immediate_data = number != 0;
        break;
    case KEY_MAX_BURST_LENGTH:
        values->max_burst_length = number;
        hold_first_burst(negotiation);
        break;
    case KEY_FIRST_BURST_LENGTH:
        negotiation->first_burst_length = number;
        hold_first_burst(negotiation);
        break;
    case KEY_DEFAULT_TIME2WAIT:
        values->default_time2wait = number;
        break;
    case KEY_DEFAULT_TIME2RETAIN:
        values->default_time2retain = number;
        break;
    case KEY_MAX_OUTSTANDING_R2T:
        values->max_outstanding_r2t = number;
        break;
    case KEY_DATA_PDU_IN_ORDER:
        values->data_pdu_in_order = number != 0;
        break;
    case KEY_DATA_SEQUENCE_IN_ORDER:
        values->data_sequence_in_order = number != 0;
        break;
    case KEY_ERROR_RECOVERY_LEVEL:
        values->error_recovery_level = (uint8_t)number;
        break;
    case KEY_ISCSI_PROTOCOL_LEVEL:
        values->protocol_level = number;
        break;
    }
}

static void store_list(struct negotiation *negotiation, enum key key, const char *item,
                       size_t length)
{
    bool crc32c = length == 6 && memcmp(item, "CRC32C", 6) == 0;

    if (key == KEY_HEADER_DIGEST)
        negotiation->values.header_digest = crc32c ? DIGEST_CRC32C : DIGEST_NONE;
    if (key == KEY_DATA_DIGEST)
        negotiation->values.data_digest = crc32c ? DIGEST_CRC32C : DIGEST_NONE;
}

static bool digest_acceptable(const struct negotiation *negotiation, enum key key)
{
    const char *list = our_list(negotiation, key);
    uint8_t digest = key == KEY_HEADER_DIGEST ? negotiation->values.header_digest
                                              : negotiation->values.data_digest;

    return text_list_has(list, strlen(list), digest == DIGEST_CRC32C ? "CRC32C" : "None");
}

/* --- sending offers --- */

static const enum key offered_keys[] = {
    KEY_HEADER_DIGEST,          KEY_DATA_DIGEST,          KEY_MAX_RECV_DATA_SEGMENT_LENGTH,
    KEY_MAX_CONNECTIONS,        KEY_INITIAL_R2T,          KEY_IMMEDIATE_DATA,
    KEY_MAX_BURST_LENGTH,       KEY_FIRST_BURST_LENGTH,   KEY_DEFAULT_TIME2WAIT,
    KEY_DEFAULT_TIME2RETAIN,    KEY_MAX_OUTSTANDING_R2T,  KEY_DATA_PDU_IN_ORDER,
    KEY_DATA_SEQUENCE_IN_ORDER, KEY_ERROR_RECOVERY_LEVEL,
};
#define OFFERED_COUNT (sizeof offered_keys / sizeof offered_keys[0])

static bool is_offered(const struct negotiation *negotiation, enum key key)
{
    unsigned phases = key_table[key].phases;

    return !(phases & KEY_LEADING_ONLY && !negotiation->leading) &&
           !(phases & KEY_NORMAL_ONLY && negotiation->discovery);
}

static bool append_number(const struct key_info *info, uint32_t number, char *text, size_t room,
                          size_t *length)
{
    if (info->type == KEY_TYPE_BOOLEAN)
        return text_append(text, room, length, info->name, number ? "Yes" : "No");
    return text_append_number(text, room, length, info->name, number);
}

static bool append_offer(const struct negotiation *negotiation, enum key key, char *text,
                         size_t room, size_t *length)
{
    const struct key_info *info = &key_table[key];

    if (info->type == KEY_TYPE_LIST)
        return text_append(text, room, length, info->name, our_list(negotiation, key));
    return append_number(info, our_number(negotiation, key), text, room, length);
}

static void declare(struct negotiation *negotiation)
{
    negotiation->declared = true;
    negotiation->values.max_recv_data_segment_length =
        our_number(negotiation, KEY_MAX_RECV_DATA_SEGMENT_LENGTH);
}

bool negotiation_offer(struct negotiation *negotiation, char *text, size_t room, size_t *length)
{
    size_t end = *length;

    for (size_t i = 0; i < OFFERED_COUNT; i++)
        if (is_offered(negotiation, offered_keys[i]) &&
            !append_offer(negotiation, offered_keys[i], text, room, &end))
            return false;
    *length = end;
    for (size_t i = 0; i < OFFERED_COUNT; i++)
        if (is_offered(negotiation, offered_keys[i]) &&
            key_table[offered_keys[i]].result != KEY_RESULT_NONE)
            negotiation->outcome[offered_keys[i]] = KEY_OFFERED;
    declare(negotiation);
    return true;
}

/* --- receiving --- */

static enum status fail(const struct exchange *exchange)
{
    const struct text_pair *pair = exchange->pair;

    memcpy(exchange->negotiation->detail, pair->key, pair->key_length);
    exchange->negotiation->detail[pair->key_length] = '\0';
    return STATUS_NEGOTIATION_FAILED;
}

static bool value_is(const struct text_pair *pair, const char *value)
{
    return strlen(value) == pair->value_length &&
           memcmp(value, pair->value, pair->value_length) == 0;
}

/* The words that only ever are answers. */
static bool is_refusal(const struct text_pair *pair)
{
    return value_is(pair, "Reject") || value_is(pair, "Irrelevant") ||
           value_is(pair, "NotUnderstood");
}

static enum status settle(struct exchange *exchange, enum key_outcome outcome)
{
    exchange->negotiation->outcome[exchange->key] = (uint8_t)outcome;
    return STATUS_OK;
}

static enum status answer(struct exchange *exchange, const char *value)
{
    char key[TEXT_KEY_MAX + 1];

    memcpy(key, exchange->pair->key, exchange->pair->key_length);
    key[exchange->pair->key_length] = '\0';
    if (!text_append(exchange->reply, exchange->room, exchange->reply_length, key, value))
        return STATUS_TEXT_TOO_LONG;
    return STATUS_OK;
}

/* The default holds from here on: is that good enough for us? */
static enum status stay_at_default(struct exchange *exchange)
{
    bool digest = exchange->key == KEY_HEADER_DIGEST || exchange->key == KEY_DATA_DIGEST;

    if (digest && !digest_acceptable(exchange->negotiation, exchange->key))
        return fail(exchange);
    return settle(exchange, KEY_REFUSED);
}

static enum status refuse(struct exchange *exchange, const char *word)
{
    enum status status = answer(exchange, word);

    return status == STATUS_OK ? stay_at_default(exchange) : status;
}

/* A number or boolean that the key may have. */
static bool read_number(const struct exchange *exchange, uint32_t *out)
{
    const struct text_pair *pair = exchange->pair;
    uint64_t number;
    bool yes;

    if (exchange->info->type == KEY_TYPE_BOOLEAN) {
        if (!text_boolean(pair->value, pair->value_length, &yes))
            return false;
        *out = yes;
        return true;
    }
    if (!text_number(pair->value, pair->value_length, &number) ||
        number < exchange->info->minimum || number > exchange->info->maximum)
        return false;
    *out = (uint32_t)number;
    return true;
}

static uint32_t result_of(enum key_result result, uint32_t a, uint32_t b)
{
    bool smaller = result == KEY_RESULT_MINIMUM || result == KEY_RESULT_AND;

    return (a < b) == smaller ? a : b;
}

static enum status take_list_answer(struct exchange *exchange)
{
    const char *list = our_list(exchange->negotiation, exchange->key);
    const struct text_pair *pair = exchange->pair;

    /* One item: a value with a comma is in no list. */
    if (!text_list_has(list, strlen(list), pair->value))
        return fail(exchange);
    store_list(exchange->negotiation, exchange->key, pair->value, pair->value_length);
    return settle(exchange, KEY_SETTLED);
}

/* An answer is possible when it is what some limit of the peer's makes of our offer. */
static enum status take_answer(struct exchange *exchange)
{
    uint32_t ours, number;

    if (is_refusal(exchange->pair))
        return stay_at_default(exchange);
    if (exchange->info->type == KEY_TYPE_LIST)
        return take_list_answer(exchange);
    ours = our_number(exchange->negotiation, exchange->key);
    if (!read_number(exchange, &number) ||
        result_of(exchange->info->result, ours, number) != number)
        return fail(exchange);
    store_number(exchange->negotiation, exchange->key, number);
    return settle(exchange, KEY_SETTLED);
}

static enum status answer_list(struct exchange *exchange)
{
    const char *list = our_list(exchange->negotiation, exchange->key);
    const struct text_pair *pair = exchange->pair;
    const char *item = pair->value;
    const char *end = pair->value + pair->value_length;

    while (item <= end) {
        const char *comma = memchr(item, ',', (size_t)(end - item));
        size_t length = (size_t)((comma ? comma : end) - item);
        char choice[TEXT_KEY_MAX + 1];

        if (length > 0 && length <= TEXT_KEY_MAX) {
            memcpy(choice, item, length);
            choice[length] = '\0';
            if (text_list_has(list, strlen(list), choice)) {
                store_list(exchange->negotiation, exchange->key, item, length);
                settle(exchange, KEY_SETTLED);
                return answer(exchange, choice);
            }
        }
        item += length + 1;
    }
    return refuse(exchange, "Reject");
}

static enum status answer_number(struct exchange *exchange)
{
    struct negotiation *negotiation = exchange->negotiation;
    uint32_t number;

    if (!read_number(exchange, &number))
        return refuse(exchange, "Reject");
    number = result_of(exchange->info->result, our_number(negotiation, exchange->key), number);
    if (exchange->key == KEY_FIRST_BURST_LENGTH && number > negotiation->values.max_burst_length)
        number = negotiation->values.max_burst_length;
    store_number(negotiation, exchange->key, number);
    settle(exchange, KEY_SETTLED);
    if (!append_number(exchange->info, number, exchange->reply, exchange->room,
                       exchange->reply_length))
        return STATUS_TEXT_TOO_LONG;
    return STATUS_OK;
}

/* 13.25: never NotUnderstood. Old initiators take "No" for a marker without a complaint. */
static enum status answer_obsolete(struct exchange *exchange)
{
    bool marker = exchange->key == KEY_IF_MARKER || exchange->key == KEY_OF_MARKER;

    return refuse(exchange, marker ? "No" : "Reject");
}

static enum status answer_offer(struct exchange *exchange)
{
    if (is_refusal(exchange->pair)) /* 6.2: a protocol error as a proposed value */
        return fail(exchange);
    if (exchange->info->type == KEY_TYPE_OBSOLETE)
        return answer_obsolete(exchange);
    if (exchange->negotiation->discovery && exchange->info->phases & KEY_NORMAL_ONLY)
        return refuse(exchange, "Irrelevant");
    if (exchange->info->type == KEY_TYPE_LIST)
        return answer_list(exchange);
    return answer_number(exchange);
}

static enum status take_declaration(struct exchange *exchange)
{
    uint32_t number;

    if (!read_number(exchange, &number))
        return fail(exchange);
    exchange->negotiation->values.max_send_data_segment_length = number;
    return settle(exchange, KEY_SETTLED);
}

/* Keys that the login itself acts on. */
static bool is_for_login(const struct exchange *exchange)
{
    return exchange->info->type == KEY_TYPE_DECLARED_TEXT || exchange->key == KEY_AUTH_METHOD ||
           exchange->key == KEY_TARGET_PORTAL_GROUP_TAG;
}

/* 6.3: nothing is negotiated or declared twice, but for addresses and SendTargets answers. */
static bool may_repeat(enum key key, unsigned phase)
{
    return key == KEY_TARGET_ADDRESS ||
           (phase == KEY_IN_FULL_FEATURE && (key == KEY_TARGET_NAME || key == KEY_TARGET_ALIAS));
}

static bool may_be_sent(const struct exchange *exchange, unsigned phase)
{
    const struct negotiation *negotiation = exchange->negotiation;
    unsigned sender = negotiation->initiator ? KEY_BY_TARGET : KEY_BY_INITIATOR;
    unsigned phases = exchange->info->phases;
    unsigned outcome = negotiation->outcome[exchange->key];

    if (phase & (KEY_IN_SECURITY | KEY_IN_OPERATIONAL))
        phase |= KEY_IN_LOGIN;
    if (!(exchange->info->senders & sender) || !(phases & phase))
        return false;
    return outcome == KEY_OPEN || outcome == KEY_OFFERED || may_repeat(exchange->key, phase);
}

/*
 * What belongs to the session is not for a further connection to negotiate. An initiator that
 * repeats SessionType does no harm; nor does tgt 1.0.85, which tells again what it was configured
 * to, as long as nobody acts on it.
 */
static bool is_out_of_place(const struct exchange *exchange)
{
    return exchange->info->phases & KEY_LEADING_ONLY && !exchange->negotiation->leading &&
           !is_for_login(exchange);
}

static enum status receive_unknown(struct exchange *exchange, unsigned phase)
{
    const struct text_pair *pair = exchange->pair;

    if (pair->key_length > 5 && memcmp(pair->key, "CHAP_", 5) == 0)
        return phase & KEY_IN_SECURITY ? STATUS_OK : fail(exchange);
    if (is_refusal(pair)) /* an answer to nothing: answering it could go on forever */
        return STATUS_OK;
    return answer(exchange, "NotUnderstood");
}

static enum status receive_pair(struct exchange *exchange, unsigned phase)
{
    if (exchange->key == KEY_UNKNOWN)
        return receive_unknown(exchange, phase);
    exchange->info = &key_table[exchange->key];
    if (!may_be_sent(exchange, phase))
        return fail(exchange);
    if (is_out_of_place(exchange))
        return exchange->negotiation->initiator ? settle(exchange, KEY_SETTLED) : fail(exchange);
    if (is_for_login(exchange))
        return settle(exchange, KEY_SETTLED);
    if (exchange->info->type == KEY_TYPE_DECLARED_NUMBER)
        return take_declaration(exchange);
    if (exchange->negotiation->outcome[exchange->key] == KEY_OFFERED)
        return take_answer(exchange);
    return answer_offer(exchange);
}

/* FirstBurstLength comes last, wherever it stands: its bound MaxBurstLength has to be known. */
static enum status receive_pairs(struct exchange *exchange, const char *text, size_t length,
                                 unsigned phase, bool first_burst)
{
    struct text_pair pair;
    size_t offset = 0;
    int more;

    exchange->pair = &pair;
    while ((more = text_next(text, length, &offset, &pair)) == 1) {
        enum status status;

        exchange->key = key_find(pair.key, pair.key_length);
        if ((exchange->key == KEY_FIRST_BURST_LENGTH) != first_burst)
            continue;
        status = receive_pair(exchange, phase);
        if (status != STATUS_OK)
            return status;
    }
    return more < 0 ? STATUS_INVALID_TEXT : STATUS_OK;
}

enum status negotiation_receive(struct negotiation *negotiation, const char *text, size_t length,
                                unsigned phase, char *reply, size_t room, size_t *reply_length)
{
    struct exchange exchange = {
        .negotiation = negotiation, .reply = reply, .room = room, .reply_length = reply_length};
    enum status status = receive_pairs(&exchange, text, length, phase, false);

    if (status == STATUS_OK)
        status = receive_pairs(&exchange, text, length, phase, true);
    if (status != STATUS_OK)
        return status;
    if (phase & KEY_IN_OPERATIONAL && !negotiation->initiator && !negotiation->declared) {
        if (!append_offer(negotiation, KEY_MAX_RECV_DATA_SEGMENT_LENGTH, reply, room, reply_length))
            return STATUS_TEXT_TOO_LONG;
        declare(negotiation);
    }
    return STATUS_OK;
}

/* 6.2.2: "No" decides an AND, "Yes" an OR, and may stay unanswered. */
static bool decided_alone(const struct negotiation *negotiation, enum key key)
{
    enum key_result result = key_table[key].result;
    uint32_t ours = our_number(negotiation, key);

    return (result == KEY_RESULT_AND && !ours) || (result == KEY_RESULT_OR && ours);
}

bool negotiation_complete(const struct negotiation *negotiation)
{
    for (int key = 0; key < KEY_COUNT; key++)
        if (negotiation->outcome[key] == KEY_OFFERED && !decided_alone(negotiation, (enum key)key))
            return false;
    return true;
}

bool negotiation_acceptable(struct negotiation *negotiation)
{
    static const enum key digests[] = {KEY_HEADER_DIGEST, KEY_DATA_DIGEST};

    for (size_t i = 0; i < 2; i++)
        if (!digest_acceptable(negotiation, digests[i])) {
            strcpy(negotiation->detail, key_table[digests[i]].name);
            return false;
        }
    return true;
}
