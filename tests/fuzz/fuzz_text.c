/* Text of login and text PDUs: the pairs, the values, both sides' negotiation and both sides' CHAP.
 * The first byte chooses the circumstances, the rest is what the peer says; a byte FFh begins its
 * next text. */
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

/* The next text, NUL-terminated pairs, in memory of exactly its size; NULL at the end. */
static char *next_text(struct script *script, size_t *length)
{
    const uint8_t *end;
    char *text;

    if (script->size == 0)
        return NULL;
    end = memchr(script->data, 0xff, script->size);
    *length = end ? (size_t)(end - script->data) : script->size;
    text = malloc(*length ? *length : 1);
    CHECK(text != NULL);
    memcpy(text, script->data, *length);
    script->data += end ? *length + 1 : *length;
    script->size -= end ? *length + 1 : *length;
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
    uint8_t sum = (uint8_t)algorithm;

    for (size_t i = 0; i < count; i++)
        for (size_t b = 0; b < pieces[i].length; b++)
            sum = (uint8_t)(sum * 3 + ((const uint8_t *)pieces[i].base)[b]);
    memset(digest, sum & 1 ? 0x11 : 0x22, CHAP_DIGEST_MAX);
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
    static const struct chap_credentials us = {"us", (const uint8_t *)"secret", 6,
                                               NULL, (const uint8_t *)"other",  5};
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
    negotiate(data[0], script);
    authenticate(data[0], script);
    return 0;
}
