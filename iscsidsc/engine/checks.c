#include "engine/checks.h"
#include "os/memory.h"
#include "protocol/scsi.h"

#include <stdlib.h>
#include <string.h>

enum { SYMBOLIC_NAME_MOST = 255, BUS_MOST = 255, TARGET_MOST = 255, LUN_MOST = 255 };

bool portal_given(const struct portal *portal)
{
    return portal != NULL && portal->address != NULL && portal->address[0] != '\0';
}

bool text_fits(const char *text, size_t most)
{
    size_t count = 0;
    for (; text != NULL && *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count <= most;
}

enum status check_target_name(const char *name)
{
    if (name == NULL || name[0] == '\0')
        return STATUS_INVALID_PARAMETER;
    return name_characters_valid(name) ? STATUS_OK : STATUS_INVALID_NAME;
}

enum status check_portal(const struct portal *portal)
{
    if (!portal_given(portal) || strlen(portal->address) > PORTAL_HOST_MAX || portal->socket == 0)
        return STATUS_INVALID_PARAMETER;
    if (!text_fits(portal->symbolic_name, SYMBOLIC_NAME_MOST))
        return STATUS_INVALID_PARAMETER;
    return host_valid(portal->address) ? STATUS_OK : STATUS_INVALID_ADDRESS;
}

/* --- mappings --- */

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static bool any_twice(uint64_t *numbers, uint32_t count)
{
    qsort(numbers, count, sizeof *numbers, compare);
    for (uint32_t i = 1; i < count; i++) {
        if (numbers[i] == numbers[i - 1])
            return true;
    }
    return false;
}

static enum status check_luns(const struct mapped_lun_list *luns)
{
    uint64_t *numbers = os_alloc(luns->count * sizeof *numbers);
    if (numbers == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < luns->count; i++)
        numbers[i] = luns->items[i].os_lun;
    bool twice = any_twice(numbers, luns->count);
    for (uint32_t i = 0; i < luns->count; i++)
        numbers[i] = scsi_lun_from_spelling(luns->items[i].target_lun);
    twice = twice || any_twice(numbers, luns->count);
    os_free(numbers);
    return twice ? STATUS_INVALID_MAPPING : STATUS_OK;
}

enum status check_mapping(const struct mapping *mapping)
{
    if (mapping == NULL)
        return STATUS_OK;
    if (mapping->os_bus > BUS_MOST || mapping->os_target > TARGET_MOST ||
        mapping->luns.count > LUN_MOST + 1)
        return STATUS_MAPPING_OUT_OF_RANGE;
    for (uint32_t i = 0; i < mapping->luns.count; i++) {
        if (mapping->luns.items[i].os_lun > LUN_MOST)
            return STATUS_MAPPING_OUT_OF_RANGE;
    }
    return check_luns(&mapping->luns);
}
