/* Targets: three of each worker's own that are added by hand, and its disk, which discovery finds.
 */
#include "parallel.h"

static const char *alias_of(ULONG version)
{
    static _Thread_local char aliases[2][64];
    static _Thread_local unsigned next;
    char *out = aliases[next++ % 2];
    snprintf(out, sizeof *aliases, "N\xc2\xba %lu", (unsigned long)version);
    return out;
}

static void fill_target_portalA(ISCSI_TARGET_PORTALA *out, const struct endpoint *at)
{
    fill_portal_a(out, at);
}

static void fill_target_portalW(ISCSI_TARGET_PORTALW *out, const struct endpoint *at)
{
    memset(out, 0xA5, sizeof *out);
    out->SymbolicName[0] = 0;
    memcpy(out->Address, textW(at->host), (strlen(at->host) + 1) * sizeof(WCHAR));
    out->Socket = at->port;
}

#define FORM_FILE "parallel/targets.inc"
#include "../msapi_forms.h"

#define BOTH(function)                                                                             \
    {#function "A", function##A},                                                                  \
    {                                                                                              \
#function "W", function##W                                                                 \
    }

const struct action target_actions[] = {BOTH(add_own_target),         BOTH(remove_own_target),
                                        BOTH(look_at_own_target),     BOTH(list_targets),
                                        BOTH(list_portals_of_target), {NULL, NULL}};

bool final_targets(struct worker *workers)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        list_targetsA(&workers[i]);
        if (workers[i].problem[0] != '\0')
            return false;
        for (unsigned k = 0; k < OWNED; k++) {
            if (workers[i].targets[k].known)
                GIVES(workers, ERROR_SUCCESS,
                      RemoveIScsiStaticTargetA(textA(name_of("hand", i, k))));
        }
    }
    return workers[0].problem[0] == '\0';
}
