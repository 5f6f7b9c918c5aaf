/* The answer to SendTargets, once whole and once cut where the first bytes say: what is found must
 * not depend on the cuts, and must be names and addresses that can be trusted. */
#include "protocol/sendtargets.h"

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

/* A running digest of all that was found stands for it. */
struct record {
    uint64_t digest;
    size_t names;
    size_t addresses;
};

static void add(struct record *record, const void *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        record->digest = (record->digest ^ ((const uint8_t *)data)[i]) * 0x100000001b3u;
}

static bool found(void *context, const char *target, const struct portal_address *address)
{
    struct record *record = context;
    struct portal_address back;
    char text[PORTAL_HOST_MAX + 10];

    CHECK(name_valid(target) && strlen(target) <= ISCSI_NAME_MAX);
    CHECK(strpbrk(target, "/\\ \n\r\t") == NULL);
    add(record, target, strlen(target) + 1);
    if (!address) {
        record->names++;
        return true;
    }
    record->addresses++;
    CHECK(host_valid(address->host) && address->port != 0);
    CHECK(portal_format(address, text, sizeof text));
    CHECK(portal_parse(text, strlen(text), false, false, &back) == STATUS_OK);
    CHECK(strcmp(back.host, address->host) == 0 && back.port == address->port);
    add(record, text, strlen(text) + 1);
    add(record, &address->group, sizeof address->group);
    return true;
}

static bool alias_found(void *context, const char *alias)
{
    CHECK(alias[0] != '\0' && strpbrk(alias, "\n\r\t\x7f") == NULL);
    add(context, alias, strlen(alias) + 1);
    return true;
}

/* Feeds `length` bytes in pieces of the given sizes, over and over, each from memory of its own. */
static enum status read_answer(struct sendtargets *reader, const uint8_t *data, size_t length,
                               const uint8_t *cuts, size_t cut_count)
{
    enum status status = STATUS_OK;

    for (size_t at = 0, cut = 0; at < length && status == STATUS_OK; cut++) {
        size_t piece = cut_count > 0 ? cuts[cut % cut_count] + 1u : length;
        char *copy;

        if (piece > length - at)
            piece = length - at;
        copy = malloc(piece);
        CHECK(copy != NULL);
        memcpy(copy, data + at, piece);
        status = sendtargets_feed(reader, copy, piece);
        CHECK(status == STATUS_OK || status == STATUS_INVALID_SENDTARGETS ||
              status == STATUS_REJECTED);
        free(copy);
        at += piece;
    }
    return status == STATUS_OK ? sendtargets_end(reader) : status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record whole = {0}, cut = {0};
    struct sendtargets first, second;
    enum status status;

    if (size < 3)
        return 0;
    sendtargets_start(&first, found, &whole);
    first.alias = alias_found;
    status = read_answer(&first, data + 3, size - 3, NULL, 0);
    sendtargets_start(&second, found, &cut);
    second.alias = alias_found;
    CHECK(read_answer(&second, data + 3, size - 3, data, 3) == status);
    CHECK(whole.digest == cut.digest && whole.names == cut.names);
    CHECK(whole.addresses == cut.addresses && first.skipped == second.skipped);
    CHECK(first.targets == whole.names && second.targets == cut.names);
    return 0;
}
