/* What is known of one target. Each class of information has a layout of its own. */
#include "msapi/call.h"
#include "msapi/mappings.h"
#include "msapi/pack.h"

#include <stddef.h>
#include <string.h>

static void pack_number(struct pack *pack, ULONG number)
{
    pack_store(pack, pack_space(pack, sizeof number, sizeof number), &number, sizeof number);
}

static void pack_login_options(struct pack *pack, const struct login_options *from)
{
    ISCSI_LOGIN_OPTIONS options;
    size_t place = pack_space(pack, sizeof options, _Alignof(ULONGLONG));
    memset(&options, 0, sizeof options);
    pack_options(pack, from, &options);
    pack_store(pack, place, &options, sizeof options);
}

static void pack_names(struct pack *pack, enum text_form form, const struct text_list *list)
{
    size_t unit = text_unit(form);
    for (uint32_t i = 0; i < list->count; i++)
        pack_text(pack, form, list->items[i]);
    pack_space(pack, list->count > 0 ? unit : 2 * unit, unit);
}

#define FORM_FILE "msapi/target_info.inc"
#include "msapi/both_forms.h"
