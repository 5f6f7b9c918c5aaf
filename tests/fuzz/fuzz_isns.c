/*
 * What an iSNS server may send. The first byte tells whether the rest is a stream of PDUs or one
 * message's payload; every reader has to get along with every message, and what they find must be
 * names and addresses that can be trusted.
 */
#include "discovery/isns_records.h"
#include "os/socket.h"
#include "os/system.h"

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

enum { MESSAGE_MOST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_records(const struct isns_records *records)
{
    for (size_t i = 0; i < records->list.count; i++) {
        const struct discovery_record *record = &records->list.items[i];
        struct os_address address;
        size_t length;
        CHECK(name_valid(record->target) && strlen(record->target) <= ISCSI_NAME_MAX);
        CHECK(record->alias == NULL || os_utf8_valid(record->alias, &length));
        CHECK(record->host == NULL || (os_address_parse(&address, record->host, record->port) &&
                                       host_valid(record->host) && record->port != 0));
        CHECK(!record->hidden && record->symbolic_name == NULL);
    }
}

static void read_targets(struct isns_cursor attributes)
{
    struct isns_records records = {0};
    bool grouped = false;
    enum status status = isns_records_add(&records, attributes, &grouped);
    CHECK(status == STATUS_OK || status == STATUS_PROTOCOL_ERROR);
    check_records(&records);
    isns_records_clear(&records);
}

static void on_change(void *context, const char *name, uint32_t bitmap)
{
    size_t *changes = context;
    (void)bitmap;
    CHECK(name == NULL || strlen(name) < ISNS_TEXT_ROOM);
    ++*changes;
}

/* A server is answered with as much of its message as it asks for, and so in as many bytes. */
static void answer(unsigned function, const uint8_t *payload, size_t length)
{
    const struct isns_header request = {.function = (uint16_t)function, .transaction = 77};
    static uint8_t bytes[MESSAGE_MOST + ISNS_HEADER_LENGTH + 4];
    struct isns_header header;
    size_t size = isns_encode_response(bytes, sizeof bytes, &request, payload, length);
    CHECK(size >= ISNS_HEADER_LENGTH + 4 && size <= length + ISNS_HEADER_LENGTH + 4);
    if ((size - ISNS_HEADER_LENGTH) % 4 == 0) {
        CHECK(isns_decode_header(bytes, &header) == STATUS_OK);
        CHECK(header.function == (function | ISNS_RESPONSE) && header.transaction == 77);
        CHECK(header.length == size - ISNS_HEADER_LENGTH);
    }
}

static void read_message(const uint8_t *payload, size_t length)
{
    struct isns_cursor attributes;
    char name[ISCSI_NAME_MAX + 1];
    uint32_t error, period = 1;
    size_t changes = 0;
    enum status status = isns_read_scn(payload, length, on_change, &changes);
    CHECK(status == STATUS_OK || status == STATUS_PROTOCOL_ERROR);
    CHECK(changes <= length / 8);
    answer(ISNS_SCN, payload, length);
    answer(ISNS_ESI, payload, length);
    if (!isns_open_response(payload, length, &error, &attributes))
        return;
    read_targets(attributes);
    status = isns_read_registration(attributes, &period);
    CHECK(status == STATUS_OK || status == STATUS_PROTOCOL_ERROR);
    if (isns_read_next(attributes, name) == STATUS_OK)
        CHECK(name[0] != '\0' && strlen(name) <= ISCSI_NAME_MAX);
}

/* Each message in memory of its own, of exactly its length. */
static void read_stream(const uint8_t *data, size_t size)
{
    struct isns_fragments fragments = {0};
    struct isns_header header;
    uint8_t *message = NULL;
    bool complete;
    while (size >= ISNS_HEADER_LENGTH && isns_decode_header(data, &header) == STATUS_OK) {
        size_t before = fragments.open ? fragments.length : 0;
        data += ISNS_HEADER_LENGTH;
        size -= ISNS_HEADER_LENGTH;
        if (isns_take_header(&fragments, &header, MESSAGE_MOST, &complete) != STATUS_OK ||
            header.length > size)
            break;
        CHECK(fragments.length == before + header.length && fragments.length <= MESSAGE_MOST);
        message = realloc(message, fragments.length + 1);
        CHECK(message != NULL);
        memcpy(message + before, data, header.length);
        data += header.length;
        size -= header.length;
        if (!complete)
            continue;
        uint8_t *exact = malloc(fragments.length);
        CHECK(exact != NULL || fragments.length == 0);
        if (exact != NULL)
            memcpy(exact, message, fragments.length);
        read_message(exact, exact != NULL ? fragments.length : 0);
        free(exact);
    }
    free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > MESSAGE_MOST)
        return 0;
    if (data[0] % 2 == 0)
        read_stream(data + 1, size - 1);
    else
        read_message(data + 1, size - 1);
    return 0;
}
