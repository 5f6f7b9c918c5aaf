/* Where PDUs begin and end, and what happens to them. */
#include "proxy.h"

#include "protocol/pdu.h"

#include <string.h>

const char *const harm_names[HARM_COUNT] = {"headers damaged", "data damaged", "bytes lost",
                                            "swapped",         "delayed",      "stalled",
                                            "ended",           "reset"};

enum {
    LOSE_MOST = 1460,
    DELAY_MOST = 60, /* milliseconds */
    DELAY_LONG = 700,
};

/* One PDU, as it came. */
struct seen {
    uint8_t *bytes;
    size_t head; /* header, additional header and header digest */
    size_t length;
};

static bool find_pdu(const struct flow *flow, const struct proxy_settings *settings,
                     struct seen *pdu)
{
    size_t there = flow->filled - flow->passed;
    uint8_t *bytes = flow->bytes + flow->passed;
    uint32_t data;

    if (there < PDU_BHS_LENGTH)
        return false;
    data = get_be24(bytes + 5);
    pdu->bytes = bytes;
    pdu->head = PDU_BHS_LENGTH + 4u * bytes[4];
    pdu->head += flow->full_feature && settings->header_digest ? PDU_DIGEST_LENGTH : 0;
    pdu->length = pdu->head + data + padding_of(data);
    pdu->length += data > 0 && flow->full_feature && settings->data_digest ? PDU_DIGEST_LENGTH : 0;
    return pdu->length <= there;
}

static bool ends_login(const struct seen *pdu)
{
    const uint8_t *bytes = pdu->bytes;

    return (bytes[0] & 0x3f) == PDU_LOGIN_RESPONSE && (bytes[1] & 0x83) == 0x83 && bytes[36] == 0;
}

/* --- what may change places --- */

/*
 * Data-Out of two tasks, R2Ts and Data-In without status of two tasks: nothing numbers them
 * together (RFC 7143, 4.2.2, 4.2.5). All else on a connection has its order.
 */
static bool may_move(const struct seen *pdu)
{
    switch (pdu->bytes[0] & 0x3f) {
    case PDU_DATA_OUT:
    case PDU_R2T:
        return true;
    case PDU_DATA_IN:
        return (pdu->bytes[1] & 1) == 0;
    default:
        return false;
    }
}

static void turn_around(uint8_t *from, uint8_t *to)
{
    for (; from < to; from++) {
        uint8_t byte = *from;

        *from = *--to;
        *to = byte;
    }
}

/* The two that lie side by side; three reversals need no room. */
static bool swap(struct flow *flow, const struct seen *pdu)
{
    uint8_t *former = flow->bytes + flow->last;
    uint8_t *end = pdu->bytes + pdu->length;
    size_t length = pdu->length;

    if (flow->last == SIZE_MAX || !may_move(pdu) || memcmp(former + 16, pdu->bytes + 16, 4) == 0)
        return false;
    turn_around(former, pdu->bytes);
    turn_around(pdu->bytes, end);
    turn_around(former, end);
    flow->passed += length;
    flow->last = SIZE_MAX;
    return true;
}

/* --- harm --- */

static void flip(struct dice *dice, uint8_t *bytes, size_t length)
{
    for (uint32_t bits = dice_between(dice, 1, 3); bits > 0; bits--)
        bytes[dice_below(dice, (uint32_t)length)] ^= (uint8_t)(1u << dice_below(dice, 8));
}

/* Not all of it: a PDU that is missing as a whole is nothing that a digest could tell. */
static void lose(struct flow *flow, struct dice *dice, const struct seen *pdu)
{
    uint32_t most = pdu->length - 1 < LOSE_MOST ? (uint32_t)pdu->length - 1 : LOSE_MOST;
    uint32_t length = dice_between(dice, 1, most);
    uint8_t *at = pdu->bytes + dice_below(dice, (uint32_t)pdu->length - length + 1);

    memmove(at, at + length, (size_t)(flow->bytes + flow->filled - (at + length)));
    flow->filled -= length;
    flow->passed += pdu->length - length;
}

static enum harm choose(const struct proxy_settings *settings, struct dice *dice,
                        const struct seen *pdu)
{
    for (unsigned harm = 0; harm < HARM_COUNT; harm++) {
        if (harm == HARM_HEADER && !settings->header_digest)
            continue;
        if (harm == HARM_LOSE && !(settings->header_digest && settings->data_digest))
            continue;
        if (harm == HARM_DATA && !(settings->data_digest && pdu->length > pdu->head))
            continue;
        if (dice_one_in(dice, settings->chance[harm]))
            return (enum harm)harm;
    }
    return HARM_COUNT;
}

static enum flow_event hurt(struct flow *flow, struct dice *dice, const struct seen *pdu,
                            enum harm harm, uint64_t now)
{
    switch (harm) {
    case HARM_HEADER:
        flip(dice, pdu->bytes, pdu->head);
        break;
    case HARM_DATA:
        flip(dice, pdu->bytes + pdu->head, pdu->length - pdu->head);
        break;
    case HARM_LOSE:
        lose(flow, dice, pdu);
        return FLOW_NOTHING;
    case HARM_DELAY:
        flow->earliest =
            now + dice_between(dice, 1, dice_one_in(dice, 8) ? DELAY_LONG : DELAY_MOST);
        break;
    case HARM_STALL:
        flow->passed += pdu->length;
        return FLOW_STALL;
    case HARM_END:
        flow->passed += dice_below(dice, (uint32_t)pdu->length);
        return FLOW_END;
    case HARM_RESET:
        return FLOW_RESET;
    default:
        break;
    }
    flow->passed += pdu->length;
    return FLOW_NOTHING;
}

bool flow_step(struct flow *flow, const struct proxy_settings *settings, struct dice *dice,
               struct proxy_counts *counts, uint64_t now, enum flow_event *event)
{
    struct seen pdu;
    enum harm harm;

    *event = FLOW_NOTHING;
    if (!find_pdu(flow, settings, &pdu))
        return false;
    if (!flow->full_feature) {
        *event = ends_login(&pdu) ? FLOW_LOGGED_IN : FLOW_NOTHING;
        flow->passed += pdu.length;
        return true;
    }
    counts->pdus++;
    harm = choose(settings, dice, &pdu);
    if (harm == HARM_SWAP && swap(flow, &pdu)) {
        counts->harm[HARM_SWAP]++;
        return true;
    }
    if (harm != HARM_COUNT && harm != HARM_SWAP)
        counts->harm[harm]++;
    flow->last = harm == HARM_COUNT && may_move(&pdu) ? flow->passed : SIZE_MAX;
    *event = hurt(flow, dice, &pdu, harm, now);
    return true;
}

void flow_sent(struct flow *flow, size_t length)
{
    flow->passed -= length;
    flow->filled -= length;
    memmove(flow->bytes, flow->bytes + length, flow->filled);
    flow->last = flow->last == SIZE_MAX || flow->last < length ? SIZE_MAX : flow->last - length;
}
