/* Unit attention conditions: what an initiator is told by its next command (SAM-5, 5.14). */
#include "protocol/scsi.h"

#include "target/internal.h"

struct attention {
    struct list link;
    uint64_t lun;
    uint16_t asc;
};

void target_attention(struct target_session *session, uint64_t lun, uint16_t asc)
{
    struct attention *attention;

    LIST_EACH(node, &session->attentions)
    {
        const struct attention *old = LIST_OWNER(node, struct attention, link);

        if (old->lun == lun && old->asc == asc)
            return;
    }
    attention = os_alloc(sizeof *attention);
    if (attention == NULL)
        return;
    attention->lun = lun;
    attention->asc = asc;
    list_append(&session->attentions, &attention->link);
}

void target_attention_all(const struct target *target, const struct target_session *but,
                          uint64_t lun, uint16_t asc)
{
    LIST_EACH(node, &target->entity->sessions)
    {
        struct target_session *session = LIST_OWNER(node, struct target_session, link);

        if (session != but && session->target == target)
            target_attention(session, lun, asc);
    }
}

uint16_t target_attention_take(struct target_session *session, uint64_t lun)
{
    LIST_EACH(node, &session->attentions)
    {
        struct attention *attention = LIST_OWNER(node, struct attention, link);
        uint16_t asc = attention->asc;

        if (attention->lun != lun)
            continue;
        list_remove(node);
        os_free(attention);
        return asc;
    }
    return 0;
}

void target_attention_clear(struct target_session *session)
{
    LIST_EACH_SAFE(node, &session->attentions)
    {
        list_remove(node);
        os_free(LIST_OWNER(node, struct attention, link));
    }
}
