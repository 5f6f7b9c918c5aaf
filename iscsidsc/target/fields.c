/* Header fields by name (RFC 7143, 11). */
#include "target/rules.h"

#include <stdlib.h>

struct named_field {
    const char *name;
    unsigned events;
    struct rule_field field;
};

enum { IN = RULE_REQUEST, OUT = RULE_RESPONSE, PDU = IN | OUT, ALL = ~0 };

static const struct named_field fields[] = {
    {"connection", (unsigned)ALL, {RULE_FIELD_CONNECTION, 0, 0, 0}},
    {"cid", (unsigned)ALL, {RULE_FIELD_CID, 0, 0, 0}},
    {"discovery", (unsigned)ALL, {RULE_FIELD_DISCOVERY, 0, 0, 0}},
    {"again", OUT, {RULE_FIELD_AGAIN, 0, 0, 0}},
    {"opcode", PDU, {RULE_FIELD_HEADER, 0, 1, 0x3f}},
    {"immediate", IN, {RULE_FIELD_HEADER, 0, 1, 0x40}},
    {"flags", PDU, {RULE_FIELD_HEADER, 1, 1, 0}},
    {"final", PDU, {RULE_FIELD_HEADER, 1, 1, 0x80}},
    {"transit", PDU, {RULE_FIELD_HEADER, 1, 1, 0x80}},
    {"more", PDU, {RULE_FIELD_HEADER, 1, 1, 0x40}},
    {"current-stage", PDU, {RULE_FIELD_HEADER, 1, 1, 0x0c}},
    {"next-stage", PDU, {RULE_FIELD_HEADER, 1, 1, 0x03}},
    {"read", IN, {RULE_FIELD_HEADER, 1, 1, 0x40}},
    {"write", IN, {RULE_FIELD_HEADER, 1, 1, 0x20}},
    {"acknowledge", OUT, {RULE_FIELD_HEADER, 1, 1, 0x40}},
    {"status-present", OUT, {RULE_FIELD_HEADER, 1, 1, 0x01}},
    {"bidi-overflow", OUT, {RULE_FIELD_HEADER, 1, 1, 0x10}},
    {"bidi-underflow", OUT, {RULE_FIELD_HEADER, 1, 1, 0x08}},
    {"overflow", OUT, {RULE_FIELD_HEADER, 1, 1, 0x04}},
    {"underflow", OUT, {RULE_FIELD_HEADER, 1, 1, 0x02}},
    {"function", IN, {RULE_FIELD_HEADER, 1, 1, 0x7f}},
    {"type", IN, {RULE_FIELD_HEADER, 1, 1, 0x0f}},
    {"reason", IN, {RULE_FIELD_HEADER, 1, 1, 0x7f}},
    {"reason", OUT, {RULE_FIELD_HEADER, 2, 1, 0}},
    {"response", OUT, {RULE_FIELD_HEADER, 2, 1, 0}},
    {"version-max", PDU, {RULE_FIELD_HEADER, 2, 1, 0}},
    {"version-active", OUT, {RULE_FIELD_HEADER, 3, 1, 0}},
    {"status", OUT, {RULE_FIELD_HEADER, 3, 1, 0}},
    {"ahs-length", PDU, {RULE_FIELD_HEADER, 4, 1, 0}},
    {"data-length", PDU, {RULE_FIELD_HEADER, 5, 3, 0}},
    {"lun", PDU, {RULE_FIELD_HEADER, 8, 8, 0}},
    {"tsih", PDU, {RULE_FIELD_HEADER, 14, 2, 0}},
    {"itt", PDU, {RULE_FIELD_HEADER, 16, 4, 0}},
    {"ttt", PDU, {RULE_FIELD_HEADER, 20, 4, 0}},
    {"expected-length", IN, {RULE_FIELD_HEADER, 20, 4, 0}},
    {"referenced-itt", IN, {RULE_FIELD_HEADER, 20, 4, 0}},
    {"snack-tag", OUT, {RULE_FIELD_HEADER, 20, 4, 0}},
    {"cmd-sn", IN, {RULE_FIELD_HEADER, 24, 4, 0}},
    {"stat-sn", OUT, {RULE_FIELD_HEADER, 24, 4, 0}},
    {"exp-stat-sn", IN, {RULE_FIELD_HEADER, 28, 4, 0}},
    {"exp-cmd-sn", OUT, {RULE_FIELD_HEADER, 28, 4, 0}},
    {"max-cmd-sn", OUT, {RULE_FIELD_HEADER, 32, 4, 0}},
    {"cdb", IN, {RULE_FIELD_HEADER, 32, 1, 0}},
    {"lba", IN, {RULE_FIELD_HEADER, 34, 4, 0}},
    {"data-sn", PDU, {RULE_FIELD_HEADER, 36, 4, 0}},
    {"r2t-sn", OUT, {RULE_FIELD_HEADER, 36, 4, 0}},
    {"exp-data-sn", PDU, {RULE_FIELD_HEADER, 36, 4, 0}},
    {"event", OUT, {RULE_FIELD_HEADER, 36, 1, 0}},
    {"status-class", OUT, {RULE_FIELD_HEADER, 36, 1, 0}},
    {"status-detail", OUT, {RULE_FIELD_HEADER, 37, 1, 0}},
    {"vendor-code", OUT, {RULE_FIELD_HEADER, 37, 1, 0}},
    {"parameter1", OUT, {RULE_FIELD_HEADER, 38, 2, 0}},
    {"parameter2", OUT, {RULE_FIELD_HEADER, 40, 2, 0}},
    {"parameter3", OUT, {RULE_FIELD_HEADER, 42, 2, 0}},
    {"time2wait", OUT, {RULE_FIELD_HEADER, 40, 2, 0}},
    {"time2retain", OUT, {RULE_FIELD_HEADER, 42, 2, 0}},
    {"begin-run", IN, {RULE_FIELD_HEADER, 40, 4, 0}},
    {"run-length", IN, {RULE_FIELD_HEADER, 44, 4, 0}},
    {"offset", PDU, {RULE_FIELD_HEADER, 40, 4, 0}},
    {"bidi-residual", OUT, {RULE_FIELD_HEADER, 40, 4, 0}},
    {"length", OUT, {RULE_FIELD_HEADER, 44, 4, 0}},
    {"residual", OUT, {RULE_FIELD_HEADER, 44, 4, 0}},
};

/* "byte7": any byte of the header. */
static bool find_byte(const char *name, struct rule_field *out)
{
    uint64_t at;

    if (strncmp(name, "byte", 4) != 0 || !rule_number(name + 4, &at) || at >= PDU_BHS_LENGTH)
        return false;
    *out = (struct rule_field){RULE_FIELD_HEADER, (uint8_t)at, 1, 0};
    return true;
}

bool rule_field_find(const char *name, unsigned events, struct rule_field *out)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if ((fields[i].events & events) != 0 && strcmp(fields[i].name, name) == 0) {
            *out = fields[i].field;
            return true;
        }
    }
    return (events & PDU) != 0 && find_byte(name, out);
}

static uint64_t lowest_bit(uint64_t mask)
{
    return mask & (~mask + 1);
}

static uint64_t read_bytes(const struct rule_field *field, const uint8_t *bhs)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < field->width; i++)
        value = value << 8 | bhs[field->offset + i];
    return value;
}

uint64_t rule_field_get(const struct rule_field *field, const uint8_t *bhs)
{
    uint64_t value = read_bytes(field, bhs);

    return field->mask == 0 ? value : (value & field->mask) / lowest_bit(field->mask);
}

void rule_field_set(const struct rule_field *field, uint8_t *bhs, uint64_t value)
{
    if (field->mask != 0)
        value = (read_bytes(field, bhs) & ~field->mask) |
                (value * lowest_bit(field->mask) & field->mask);
    for (unsigned i = field->width; i > 0; i--, value >>= 8)
        bhs[field->offset + i - 1] = (uint8_t)value;
}
