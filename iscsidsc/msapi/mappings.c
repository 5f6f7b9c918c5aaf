#include "msapi/mappings.h"

#include <string.h>

/* More units than that no mapping has: such a count is garbage. */
enum { LUNS_MAX = 65536 };

static struct mapped_lun_list read_luns(struct call *call, const SCSI_LUN_LIST *luns, ULONG count)
{
    struct mapped_lun_list none = {0};
    if (count == 0 || call->status != STATUS_OK)
        return none;
    if (luns == NULL || count > LUNS_MAX) {
        call->status = luns == NULL ? STATUS_INVALID_MAPPING : STATUS_MAPPING_OUT_OF_RANGE;
        return none;
    }
    struct mapped_lun *items = os_arena_alloc(&call->arena, count * sizeof *items);
    if (items == NULL) {
        call->status = STATUS_NO_MEMORY;
        return none;
    }
    for (ULONG i = 0; i < count; i++)
        items[i] = (struct mapped_lun){luns[i].OSLUN, luns[i].TargetLUN};
    return (struct mapped_lun_list){items, count};
}

static PSCSI_LUN_LIST pack_luns(struct pack *pack, const struct mapped_lun_list *luns)
{
    SCSI_LUN_LIST lun;
    if (luns->count == 0)
        return NULL;
    size_t array = pack_space(pack, luns->count * sizeof lun, _Alignof(ULONGLONG));
    for (uint32_t i = 0; i < luns->count; i++) {
        memset(&lun, 0, sizeof lun);
        lun.OSLUN = luns->items[i].os_lun;
        lun.TargetLUN = luns->items[i].target_lun;
        pack_store(pack, array + i * sizeof lun, &lun, sizeof lun);
    }
    return pack_address(pack, array);
}

#define FORM_FILE "msapi/mappings.inc"
#include "msapi/both_forms.h"
