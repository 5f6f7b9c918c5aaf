/* Text of login and text PDUs: the pairs, the values, both sides' negotiation and both sides' CHAP.
 * The first byte chooses the circumstances, the rest is what the peer says; a byte FFh begins its
 * next text. Control characters, which no valid text has, stand for whole pairs, so that the deep
 * states of an exchange are a few bytes away. */
#include "protocol/chap.h"
#include "protocol/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do                                                                                             \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                \
            abort();                                                                               \
        }                                                                                          \
    while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_binary(const struct text_pair *pair)
{
    uint8_t value[CHAP_CHALLENGE_MAX], back[CHAP_CHALLENGE_MAX];
    char text[2 * CHAP_CHALLENGE_MAX + 3];
    long length = text_binary_decode(pair->value, pair->value_length, value, sizeof value);

    CHECK(length == -1 || (length > 0 && length <= (long)sizeof value));
    if (length < 0)
        return;
    CHECK(text_binary_decode(pair->value, pair->value_length, back, (size_t)length - 1) == -1);
    CHECK(text_hex_encode(value, (size_t)length, text, sizeof text));
    CHECK(text_binary_decode(text, strlen(text), back, sizeof back) == length);
    CHECK(memcmp(value, back, (size_t)length) == 0);
    CHECK(text_base64_encode(value, (size_t)length, text, sizeof text));
    CHECK(text_binary_decode(text, strlen(text), back, sizeof back) == length);
    CHECK(memcmp(value, back, (size_t)length) == 0);
}

static void check_values(const struct text_pair *pair)
{
    const char *item;
    size_t length, index = 0, total = 0;
    uint64_t number;
    bool yes;

    if (text_number(pair->value, pair->value_length, &number))
        CHECK(pair->value[0] >= '0' && pair->value[0] <= '9');
    if (text_boolean(pair->value, pair->value_length, &yes))
        CHECK(strcmp(pair->value, yes ? "Yes" : "No") == 0);
    for (; index < 20 && text_list_item(pair->value, pair->value_length, index, &item, &length);
         index++) {
        CHECK(item == pair->value + total && item + length <= pair->value + pair->value_length);
        CHECK(memchr(item, ',', length) == NULL);
        total += length + 1;
    }
    CHECK(index > 0);
    check_binary(pair);
}

/* What text_next gives can be written again, and is what was read. */
static void check_pairs(const char *text, size_t length)
{
    size_t offset = 0, before = 0;
    struct text_pair pair;
    int more;

    while ((more = text_next(text, length, &offset, &pair)) == 1) {
        CHECK(offset > before && offset <= length && text[offset - 1] == '\0');
        CHECK(pair.key >= text + before && pair.key + pair.key_length + 1 == pair.value);
        CHECK(pair.value + pair.value_length + 1 == text + offset);
        CHECK(pair.key_length > 0 && pair.key_length <= TEXT_KEY_MAX);
        CHECK(pair.value_length == strlen(pair.value) && pair.value_length <= TEXT_VALUE_MAX);
        before = offset;
        check_values(&pair);
    }
    CHECK(more == 0 || more == -1);
}

static void check_reply(const char *reply, size_t length, size_t room)
{
    size_t offset = 0;
    struct text_pair pair;
    int more;

    CHECK(length <= room);
    while ((more = text_next(reply, length, &offset, &pair)) == 1)
        ;
    CHECK(more == 0);
}

static void check_result(const struct negotiation *n, const struct key_offers *offers)
{
    const struct key_values *v = &n->values;

    CHECK(v->header_digest <= DIGEST_CRC32C && v->data_digest <= DIGEST_CRC32C);
    CHECK(v->max_send_data_segment_length >= 512 && v->max_send_data_segment_length <= 0xffffff);
    CHECK(v->max_connections >= 1 && v->max_connections <= offers->max_connections);
    CHECK(v->max_burst_length >= 512 && v->max_burst_length <= 262144);
    CHECK(v->first_burst_length >= 512 && v->first_burst_length <= v->max_burst_length);
    CHECK(v->default_time2wait <= 3600 && v->default_time2retain <= 20);
    CHECK(v->max_outstanding_r2t >= 1 && v->max_outstanding_r2t <= offers->max_outstanding_r2t);
    CHECK(v->error_recovery_level <= offers->error_recovery_level && v->protocol_level <= 1);
    CHECK(!n->discovery || (v->max_connections == 1 && v->error_recovery_level == 0));
    CHECK(!(n->outcome[KEY_DATA_SEQUENCE_IN_ORDER] == KEY_SETTLED && !v->data_sequence_in_order));
}

/* --- a peer that says several texts --- */

struct script {
    const uint8_t *data;
    size_t size;
};

/* What bytes 01h to 1Fh stand for; "|" is the NUL that ends a pair. The toy hash below answers
 * 11h... for the peer's secret, 22h... for ours; its random source gives 55h. */
static const char *const phrases[0x20] = {
    [0x01] = "CHAP_A=7,5|",
    [0x02] = "CHAP_A=5|CHAP_I=1|CHAP_C=0x01|",
    [0x03] = "CHAP_N=user|CHAP_R=0x11111111111111111111111111111111|",
    [0x04] = "CHAP_N=user|CHAP_R=0x22222222222222222222222222222222|",
    [0x05] = "CHAP_N=user|CHAP_R=",
    [0x06] = "CHAP_N=us|CHAP_R=0x11111111111111111111111111111111|",
    [0x07] = "CHAP_I=1|CHAP_C=0x55555555555555555555555555555555|",
    [0x08] = "CHAP_I=1|CHAP_C=0b",
    [0x09] = "CHAP_A=5|",
    [0x0a] = "CHAP_A=",
    [0x0b] = "HeaderDigest=CRC32C|",
    [0x0c] = "DataDigest=",
    [0x0d] = "MaxRecvDataSegmentLength=",
    [0x0e] = "MaxConnections=",
    [0x0f] = "InitialR2T=Yes|",
    [0x10] = "ImmediateData=",
    [0x11] = "MaxBurstLength=",
    [0x12] = "FirstBurstLength=",
    [0x13] = "DefaultTime2Wait=",
    [0x14] = "DefaultTime2Retain=",
    [0x15] = "MaxOutstandingR2T=",
    [0x16] = "DataPDUInOrder=",
    [0x17] = "DataSequenceInOrder=",
    [0x18] = "ErrorRecoveryLevel=",
    [0x19] = "TaskReporting=",
    [0x1a] = "iSCSIProtocolLevel=",
    [0x1b] = "Irrelevant|",
    [0x1c] = "Reject|",
    [0x1d] = "NotUnderstood|",
    [0x1e] = "512|",
    [0x1f] = "65536|",
};

static size_t expand(const uint8_t *from, size_t length, char *to)
{
    size_t out = 0;

    for (size_t i = 0; i < length; i++) {
        const char *phrase = from[i] < 0x20 ? phrases[from[i]] : NULL;

        if (!phrase && to)
            to[out] = (char)from[i];
        if (!phrase)
            out++;
        for (; phrase && *phrase; phrase++, out++)
            if (to)
                to[out] = *phrase == '|' ? '\0' : *phrase;
    }
    return out;
}

/* The next text in memory of exactly its size; NULL at the end. */
static char *next_text(struct script *script, size_t *length)
{
    const uint8_t *end;
    size_t raw;
    char *text;

    if (script->size == 0)
        return NULL;
    end = memchr(script->data, 0xff, script->size);
    raw = end ? (size_t)(end - script->data) : script->size;
    *length = expand(script->data, raw, NULL);
    text = malloc(*length ? *length : 1);
    CHECK(text != NULL);
    expand(script->data, raw, text);
    script->data += end ? raw + 1 : raw;
    script->size -= end ? raw + 1 : raw;
    return text;
}

static void negotiate(uint8_t circumstances, struct script script)
{
    static const struct key_offers offers = {.header_digest = "CRC32C,None",
                                             .data_digest = "None,CRC32C",
                                             .max_recv_data_segment_length = 262144,
                                             .max_connections = 4,
                                             .immediate_data = true,
                                             .max_burst_length = 262144,
                                             .first_burst_length = 65536,
                                             .default_time2wait = 2,
                                             .default_time2retain = 20,
                                             .max_outstanding_r2t = 8,
                                             .data_sequence_in_order = true,
                                             .error_recovery_level = 2};
    static const unsigned phases[] = {KEY_IN_OPERATIONAL, KEY_IN_SECURITY, KEY_IN_OPERATIONAL,
                                      KEY_IN_FULL_FEATURE};
    unsigned phase = phases[circumstances >> 3 & 3];
    bool initiator = circumstances & 1;
    enum status status = STATUS_OK;
    struct negotiation n;
    char reply[4096];
    size_t length = 0, text_length;
    char *text;

    negotiation_start(&n, initiator, circumstances & 2, !(circumstances & 4), &offers);
    if (initiator && circumstances & 0x20)
        CHECK(negotiation_offer(&n, reply, sizeof reply, &length));
    while (status == STATUS_OK && (text = next_text(&script, &text_length)) != NULL) {
        length = 0;
        status = negotiation_receive(&n, text, text_length, phase, reply, sizeof reply, &length);
        check_reply(reply, length, sizeof reply);
        check_result(&n, &offers);
        CHECK(status == STATUS_OK || status == STATUS_NEGOTIATION_FAILED ||
              status == STATUS_INVALID_TEXT || status == STATUS_TEXT_TOO_LONG);
        CHECK((status == STATUS_NEGOTIATION_FAILED) == (n.detail[0] != '\0'));
        free(text);
    }
    CHECK(negotiation_acceptable(&n)); /* both lists have None */
    if (negotiation_complete(&n) && initiator && circumstances & 0x20)
        CHECK(n.outcome[KEY_HEADER_DIGEST] != KEY_OFFERED);
}

/* --- CHAP with a hash that the fuzzer can learn --- */

static bool toy_hash(enum chap_algorithm algorithm, const struct iov *pieces, size_t count,
                     uint8_t digest[CHAP_DIGEST_MAX])
{
    (void)algorithm;
    CHECK(count == 3 && pieces[0].length == 1 && pieces[2].length > 0);
    memset(digest, pieces[1].length == sizeof "other" - 1 ? 0x11 : 0x22, CHAP_DIGEST_MAX);
    return true;
}

static bool toy_random(void *out, size_t length)
{
    memset(out, 0x55, length);
    return true;
}

static bool toy_has(enum chap_algorithm algorithm)
{
    return algorithm != CHAP_SHA3_256;
}

static bool toy_find(void *context, const char *name, struct chap_credentials *credentials)
{
    *credentials = *(const struct chap_credentials *)context;
    CHECK(name[0] != '\0' && strlen(name) <= CHAP_NAME_MAX);
    return name[0] == 'u';
}

static void authenticate(uint8_t circumstances, struct script script)
{
    static const struct chap_crypto crypto = {toy_hash, toy_random, toy_has};
    static const struct chap_credentials us = {.name = "us",
                                               .secret = (const uint8_t *)"secret",
                                               .secret_length = 6,
                                               .peer_secret = (const uint8_t *)"other",
                                               .peer_secret_length = 5};
    struct chap_lookup lookup = {toy_find, (void *)(uintptr_t)&us};
    bool initiator = circumstances & 1, mutual = circumstances & 2;
    enum status status = STATUS_OK;
    bool proved = false;
    struct chap chap;
    char reply[4096], *text;
    size_t length, text_length;

    if (initiator)
        chap_start_initiator(&chap, &crypto, &us, mutual);
    else
        chap_start_target(&chap, &crypto);
    do {
        length = 0;
        CHECK(chap_send(&chap, reply, sizeof reply, &length));
        check_reply(reply, length, sizeof reply);
        CHECK(status == STATUS_OK || length == 0);
        text = next_text(&script, &text_length);
        if (!text)
            break;
        status = chap_receive(&chap, text, text_length, &lookup);
        CHECK((status != STATUS_OK) == (chap.state == CHAP_FAILED));
        /* Without a response nobody is authenticated. */
        for (size_t i = 0; i + 7 <= text_length; i++)
            proved = proved || memcmp(text + i, "CHAP_R=", 7) == 0;
        if (chap.state == CHAP_DONE && (!initiator || mutual))
            CHECK(proved);
        CHECK(chap.peer_challenge_length <= CHAP_CHALLENGE_MAX);
        free(text);
    } while (1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script = {data + 1, size - 1};

    if (size < 1)
        return 0;
    check_pairs((const char *)data + 1, size - 1);
    if (data[0] & 0x80)
        authenticate(data[0], script);
    else
        negotiate(data[0], script);
    return 0;
}
