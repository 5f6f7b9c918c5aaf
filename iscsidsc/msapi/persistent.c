/* The logins that are stored. Login itself is in sessions.c. */
#include "msapi/call.h"
#include "msapi/pack.h"

#include <string.h>

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

#define FORM_FILE "msapi/persistent.inc"
#include "msapi/both_forms.h"
