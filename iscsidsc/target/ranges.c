/* The bytes of a transfer that have not come: few pieces as a rule, many from an initiator that
 * sends in an odd order. */
#include "target/internal.h"

enum { PIECES_MOST = 4096 };

static struct target_range *pieces_of(const struct target_ranges *ranges)
{
    /* The caller's to change; only the two of its own make the structure const here. */
    return ranges->more != NULL ? ranges->more : (struct target_range *)(uintptr_t)ranges->own;
}

void target_ranges_init(struct target_ranges *ranges, uint32_t begin, uint32_t end)
{
    memset(ranges, 0, sizeof *ranges);
    if (begin == end)
        return;
    ranges->own[0] = (struct target_range){begin, end};
    ranges->count = 1;
}

void target_ranges_clear(struct target_ranges *ranges)
{
    os_free(ranges->more);
    memset(ranges, 0, sizeof *ranges);
}

/* The piece that all of begin to end is in; count when there is none. */
static uint32_t find_around(const struct target_ranges *ranges, uint32_t begin, uint32_t end)
{
    const struct target_range *pieces = pieces_of(ranges);

    for (uint32_t i = 0; i < ranges->count; i++) {
        if (pieces[i].begin <= begin && end <= pieces[i].end)
            return i;
    }
    return ranges->count;
}

bool target_ranges_has(const struct target_ranges *ranges, uint32_t begin, uint32_t end)
{
    return find_around(ranges, begin, end) < ranges->count;
}

static bool make_room(struct target_ranges *ranges)
{
    uint32_t room = ranges->more != NULL ? ranges->room : 2;
    struct target_range *more;

    if (ranges->count < room)
        return true;
    if (room >= PIECES_MOST)
        return false;
    more = os_grow(ranges->more, room * 4 * sizeof *more);
    if (more == NULL)
        return false;
    if (ranges->more == NULL)
        memcpy(more, ranges->own, sizeof ranges->own);
    ranges->more = more;
    ranges->room = room * 4;
    return true;
}

bool target_ranges_take(struct target_ranges *ranges, uint32_t begin, uint32_t end)
{
    uint32_t i = find_around(ranges, begin, end);
    struct target_range *piece = pieces_of(ranges) + i;

    if (begin == end)
        return true;
    if (piece->begin < begin && end < piece->end) { /* out of its middle */
        if (!make_room(ranges))
            return false;
        piece = pieces_of(ranges) + i;
        memmove(piece + 1, piece, (ranges->count - i) * sizeof *piece);
        ranges->count++;
        piece[0].end = begin;
        piece[1].begin = end;
    } else if (piece->begin < begin) {
        piece->end = begin;
    } else if (end < piece->end) {
        piece->begin = end;
    } else {
        memmove(piece, piece + 1, (ranges->count - i - 1) * sizeof *piece);
        ranges->count--;
    }
    return true;
}

bool target_ranges_first(const struct target_ranges *ranges, uint32_t begin, uint32_t end,
                         struct target_range *out)
{
    const struct target_range *pieces = pieces_of(ranges);

    for (uint32_t i = 0; i < ranges->count; i++) {
        out->begin = pieces[i].begin > begin ? pieces[i].begin : begin;
        out->end = pieces[i].end < end ? pieces[i].end : end;
        if (out->begin < out->end)
            return true;
    }
    return false;
}
