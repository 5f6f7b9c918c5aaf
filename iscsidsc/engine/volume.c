#include "engine/volume.h"
#include "os/memory.h"
#include "protocol/scsi_vpd.h"

#include <string.h>

#define VOLUME(node) LIST_OWNER(node, struct volume, link)

/* --- the same thing? --- */

/* NAA 3 is locally assigned, T10 and vendor designators are whatever a vendor likes: tgtd gives the
 * same ones on every machine. */
static bool is_unique(const struct unit_facts *facts)
{
    enum { NAA_EXTENDED = 2, NAA_REGISTERED = 5, NAA_REGISTERED_EXTENDED = 6 };
    uint8_t naa = facts->identity_length > 1 ? facts->identity[1] >> 4 : 0;
    switch (facts->identity[0]) {
    case SCSI_DESIGNATOR_NAA:
        return naa == NAA_EXTENDED || naa == NAA_REGISTERED || naa == NAA_REGISTERED_EXTENDED;
    case SCSI_DESIGNATOR_EUI64:
    case SCSI_DESIGNATOR_UUID:
        return facts->identity_length > 1;
    default:
        return false;
    }
}

static bool is_same(const struct volume *volume, const struct unit *unit)
{
    const struct unit_facts *a = &volume->facts, *b = &unit->facts;
    if (a->inquiry.device_type != b->inquiry.device_type ||
        a->capacity.block_length != b->capacity.block_length ||
        a->identity_length != b->identity_length ||
        memcmp(a->identity, b->identity, a->identity_length) != 0)
        return false;
    if (name_equal(volume->target, unit->session->target))
        return a->lun == b->lun;
    return is_unique(b) && a->capacity.blocks == b->capacity.blocks;
}

/* A target that gives several units one identity means several units. */
static bool has_path_in(const struct volume *volume, const struct engine_session *session)
{
    LIST_EACH(node, &volume->paths)
    {
        if (LIST_OWNER(node, struct path, link)->unit->session == session)
            return true;
    }
    return false;
}

/* --- the life of a volume --- */

static struct volume *volume_new(struct unit *unit)
{
    struct engine *engine = unit->session->engine;
    struct volume *volume = os_alloc(sizeof *volume);
    char *target = os_copy_text(unit->session->target);
    if (volume == NULL || target == NULL) {
        os_free(volume);
        os_free(target);
        return NULL;
    }
    volume->engine = engine;
    volume->target = target;
    volume->facts = unit->facts;
    volume->policy = (enum path_policy)engine->parameters.load_balance_policy;
    list_init(&volume->paths);
    list_init(&volume->waiting);
    list_append(&engine->volumes, &volume->link);
    return volume;
}

struct volume *volume_for(struct unit *unit)
{
    LIST_EACH(node, &unit->session->engine->volumes)
    {
        struct volume *volume = VOLUME(node);
        if (is_same(volume, unit) && !has_path_in(volume, unit->session))
            return volume;
    }
    return volume_new(unit);
}

void volume_forget_if_unused(struct volume *volume)
{
    if (volume->holds > 0 || !list_empty(&volume->paths) || !list_empty(&volume->waiting))
        return;
    list_remove(&volume->link);
    os_free(volume->target);
    os_free(volume);
}

void volume_hold(struct volume *volume)
{
    volume->holds++;
}

void volume_release(struct volume *volume)
{
    volume->holds--;
    volume_forget_if_unused(volume);
}

enum status volume_set_policy(struct volume *volume, enum path_policy policy)
{
    if (policy != PATH_FAIL_OVER_ONLY && policy != PATH_ROUND_ROBIN &&
        policy != PATH_LEAST_QUEUE_DEPTH)
        return STATUS_INVALID_PARAMETER;
    volume->policy = policy;
    volume->chosen = NULL;
    return STATUS_OK;
}
