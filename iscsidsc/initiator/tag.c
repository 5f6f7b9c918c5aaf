#include "initiator/internal.h"
#include "os/memory.h"

#include <string.h>

#define TAG_FIRST_SLOTS 16u
#define TAG_MAX_SLOTS   0x8000u

static bool grow(struct tag_table *table)
{
    size_t count = table->count ? table->count * 2u : TAG_FIRST_SLOTS;
    struct slot *slots;

    if (count > TAG_MAX_SLOTS)
        return false;
    slots = os_grow(table->slots, count * sizeof *slots);
    if (!slots)
        return false;
    memset(slots + table->count, 0, (count - table->count) * sizeof *slots);
    for (size_t i = table->count; i < count; i++)
        slots[i].next_free = i + 1 < count ? (uint16_t)(i + 1) : TAG_NONE;
    table->slots = slots;
    table->first_free = table->count;
    table->count = (uint16_t)count;
    return true;
}

uint32_t tag_take(struct tag_table *table, enum slot_kind kind, void *object,
                  struct connection *connection)
{
    struct slot *slot;
    uint16_t index;

    if ((table->count == 0 || table->first_free == TAG_NONE) && !grow(table))
        return PDU_RESERVED_TAG;
    index = table->first_free;
    slot = &table->slots[index];
    table->first_free = slot->next_free;
    slot->kind = (uint8_t)kind;
    slot->object = object;
    slot->connection = connection;
    slot->counted = false;
    slot->generation++;
    return (uint32_t)slot->generation << 16 | index;
}

struct slot *tag_find(struct tag_table *table, uint32_t itt)
{
    uint16_t index = (uint16_t)itt;
    struct slot *slot;

    if (index >= table->count)
        return NULL;
    slot = &table->slots[index];
    if (slot->kind == SLOT_FREE || slot->generation != (uint16_t)(itt >> 16))
        return NULL;
    return slot;
}

void tag_release(struct tag_table *table, uint32_t itt)
{
    struct slot *slot = tag_find(table, itt);

    if (!slot)
        return;
    slot->kind = SLOT_FREE;
    slot->object = NULL;
    slot->connection = NULL;
    slot->next_free = table->first_free;
    table->first_free = (uint16_t)itt;
}

void tag_abandon(struct tag_table *table, uint32_t itt, uint32_t cmd_sn)
{
    struct slot *slot = tag_find(table, itt);

    if (!slot)
        return;
    slot->kind = SLOT_ABANDONED;
    slot->object = NULL;
    slot->counted = true;
    slot->cmd_sn = cmd_sn;
}

void tags_release_of(struct tag_table *table, const struct connection *connection)
{
    for (uint32_t i = 0; i < table->count; i++) {
        struct slot *slot = &table->slots[i];

        if (slot->kind != SLOT_FREE && slot->connection == connection)
            tag_release(table, (uint32_t)slot->generation << 16 | i);
    }
}

void tags_forget(struct tag_table *table, const void *object)
{
    for (uint32_t i = 0; i < table->count; i++) {
        struct slot *slot = &table->slots[i];

        if (slot->kind != SLOT_FREE && slot->object == object) {
            slot->kind = SLOT_ABANDONED;
            slot->object = NULL;
        }
    }
}

void tag_table_clear(struct tag_table *table)
{
    os_free(table->slots);
    *table = (struct tag_table){0};
}
