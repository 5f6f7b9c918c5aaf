/* The columns of a target mapping, in whatever table. */
#include "engine/store_rows.h"
#include "protocol/bytes.h"

enum { LUN_BYTES = 12 }; /* a unit in the column `luns`: u32 here, u64 at the target */

enum status store_encode_luns(const struct mapping *mapping, struct os_arena *arena,
                              struct blob *out)
{
    uint32_t count = mapping != NULL ? mapping->luns.count : 0;
    uint8_t *bytes = os_arena_alloc(arena, (size_t)count * LUN_BYTES + 1);
    if (bytes == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        put_be32(bytes + i * LUN_BYTES, mapping->luns.items[i].os_lun);
        put_be64(bytes + i * LUN_BYTES + 4, mapping->luns.items[i].target_lun);
    }
    *out = (struct blob){bytes, count * LUN_BYTES};
    return STATUS_OK;
}

static void decode_luns(struct query *query, struct os_arena *arena, struct mapping *out)
{
    struct blob bytes;
    query_blob(query, arena, STORE_LUNS_MOST * LUN_BYTES, &bytes);
    uint32_t count = bytes.length / LUN_BYTES;
    struct mapped_lun *items = os_arena_alloc(arena, (count + 1) * sizeof *items);
    if (items == NULL) {
        query_fail(query, STATUS_NO_MEMORY);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        items[i].os_lun = get_be32(bytes.data + i * LUN_BYTES);
        items[i].target_lun = get_be64(bytes.data + i * LUN_BYTES + 4);
    }
    out->luns = (struct mapped_lun_list){items, count};
}

void store_bind_mapping(struct query *query, const struct mapping *mapping, const struct blob *luns)
{
    static const struct mapping none;
    const struct mapping *from = mapping != NULL ? mapping : &none;
    query_bind_number(query, mapping != NULL);
    query_bind_text(query, from->os_device);
    query_bind_number(query, from->os_bus);
    query_bind_number(query, from->os_target);
    query_bind_blob(query, luns);
}

const struct mapping *store_read_mapping(struct query *query, struct os_arena *arena)
{
    struct mapping *mapping = os_arena_alloc(arena, sizeof *mapping);
    if (mapping == NULL) {
        query_fail(query, STATUS_NO_MEMORY);
        return NULL;
    }
    bool mapped = query_number(query, 1) != 0;
    mapping->os_device = query_text(query, arena, TEXT_MOST);
    mapping->os_bus = (uint32_t)query_number(query, UINT32_MAX);
    mapping->os_target = (uint32_t)query_number(query, UINT32_MAX);
    decode_luns(query, arena, mapping);
    return mapped ? mapping : NULL;
}
