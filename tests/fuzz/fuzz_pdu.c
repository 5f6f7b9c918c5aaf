/* Headers and additional header segments. A header that is understood says the same after a trip
 * out and in; a walk over AHS stays inside, moves on, and sees what was appended. */
#include "protocol/pdu.h"

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

static void check_header(const uint8_t *bhs)
{
    uint8_t once[PDU_BHS_LENGTH], twice[PDU_BHS_LENGTH];
    struct pdu first, second;
    enum status status = pdu_decode(&first, bhs);

    CHECK(status == STATUS_OK || status == STATUS_PROTOCOL_ERROR);
    CHECK(first.opcode == (bhs[0] & 0x3f));
    CHECK(first.data_length <= PDU_DATA_MAX && first.ahs_length <= PDU_AHS_MAX);
    CHECK(first.ahs_length % 4 == 0 && first.data_length == get_be24(bhs + 5));
    CHECK(pdu_opcode_name(first.opcode)[0] != '\0');
    if (status != STATUS_OK)
        return;
    pdu_encode(&first, once);
    CHECK(pdu_decode(&second, once) == STATUS_OK);
    pdu_encode(&second, twice);
    CHECK(memcmp(once, twice, sizeof once) == 0);
    CHECK(once[0] == first.opcode || once[0] == (first.opcode | 0x40));
    CHECK(memcmp(once + 4, bhs + 4, 4) == 0);
}

static void check_segments(const uint8_t *area, size_t length)
{
    uint8_t copy[PDU_AHS_MAX];
    size_t offset = 0, before = 0, written = 0;
    struct ahs ahs, again;
    int more;

    while ((more = ahs_next(area, length, &offset, &ahs)) == 1) {
        size_t start = written;

        CHECK(offset > before && offset <= length && (offset - before) % 4 == 0);
        CHECK(ahs.data >= area + before && ahs.data + ahs.length <= area + offset);
        before = offset;
        if (length > PDU_AHS_MAX)
            continue;
        written = ahs_append(copy, sizeof copy, written, ahs.type, ahs.data, ahs.length);
        CHECK(written == offset);
        CHECK(ahs_next(copy, written, &start, &again) == 1 && start == written);
        CHECK(again.type == ahs.type && again.length == ahs.length);
        CHECK(memcmp(again.data, ahs.data, ahs.length) == 0);
    }
    CHECK(more == (offset == length ? 0 : -1) && offset == before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PDU_BHS_LENGTH)
        return 0;
    check_header(data);
    check_segments(data + PDU_BHS_LENGTH, size - PDU_BHS_LENGTH);
    return 0;
}
