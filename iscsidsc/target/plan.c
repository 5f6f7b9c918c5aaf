/* The order of data: which sequence and which PDU comes when (RFC 7143, 13.18, 13.19). Computed,
 * not stored, so that any PDU can be sent again. */
#include "target/internal.h"

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* Steps of that width visit each of `count` places once. */
static uint32_t step_for(uint32_t seed, uint32_t count)
{
    uint32_t step = count / 2 + seed % count;

    while (common_divisor(step, count) != 1)
        step++;
    return step;
}

uint32_t target_order_at(enum target_order order, uint32_t seed, uint32_t count, uint32_t index)
{
    switch (order) {
    case TARGET_ORDER_DECREASING:
        return count - 1 - index;
    case TARGET_ORDER_SHUFFLED:
        if (count < 2)
            return index;
        return (uint32_t)(((uint64_t)index * step_for(seed, count) + seed + 1) % count);
    default:
        return index;
    }
}

static uint32_t pieces_in(uint32_t length, uint32_t piece)
{
    return length / piece + (length % piece != 0);
}

void target_plan_make(struct target_plan *plan)
{
    uint32_t whole = plan->length / plan->burst;
    uint32_t rest = plan->length % plan->burst;
    uint32_t sequences = whole + (rest != 0);

    plan->count = whole * pieces_in(plan->burst, plan->segment) + pieces_in(rest, plan->segment);
    plan->short_at = 0;
    while (plan->short_at < sequences &&
           target_order_at(plan->sequence_order, plan->seed, sequences, plan->short_at) !=
               sequences - 1)
        plan->short_at++;
}

struct target_piece target_plan_piece(const struct target_plan *plan, uint32_t index)
{
    uint32_t whole = pieces_in(plan->burst, plan->segment);
    uint32_t rest = plan->length % plan->burst;
    uint32_t few = pieces_in(rest, plan->segment);
    uint32_t sequences = plan->length / plan->burst + (rest != 0);
    uint32_t before_short = plan->short_at * whole;
    uint32_t length = plan->burst;
    uint32_t place = index / whole;
    uint32_t pieces = whole;
    struct target_piece piece;
    uint32_t sequence, at;

    index %= whole;
    if (rest != 0 && place * whole + index >= before_short) {
        uint32_t behind = place * whole + index - before_short;

        if (behind < few) {
            place = plan->short_at;
            index = behind;
            length = rest;
            pieces = few;
        } else {
            place = plan->short_at + 1 + (behind - few) / whole;
            index = (behind - few) % whole;
        }
    }
    sequence = target_order_at(plan->sequence_order, plan->seed, sequences, place);
    at = target_order_at(plan->pdu_order, plan->seed, pieces, index) * plan->segment;
    piece.offset = plan->base + sequence * plan->burst + at;
    piece.length = length - at < plan->segment ? length - at : plan->segment;
    piece.final = index == pieces - 1;
    return piece;
}
