/* Reservations: RESERVE and RELEASE (SPC-2), and persistent ones (SPC-4, 5.13). They belong to
 * initiator ports: a name and an ISID. Registrations outlive sessions, and with APTPL the target.
 */
#include "protocol/scsi.h"

#include "target/reserve.h"

/* --- registrations --- */

void target_reservations_init(struct target_reservations *reservations)
{
    list_init(&reservations->registrants);
}

void reserve_remove(struct target_reservations *reservations, struct target_registrant *registrant)
{
    if (reservations->holder == registrant)
        reservations->holder = NULL;
    list_remove(&registrant->link);
    os_free(registrant->initiator);
    os_free(registrant);
}

void target_reservations_clear(struct target_reservations *reservations)
{
    LIST_EACH_SAFE(node, &reservations->registrants)
    reserve_remove(reservations, LIST_OWNER(node, struct target_registrant, link));
}

struct target_registrant *reserve_find(const struct target_reservations *reservations,
                                       const char *initiator, const uint8_t *isid)
{
    LIST_EACH(node, &reservations->registrants)
    {
        struct target_registrant *registrant = LIST_OWNER(node, struct target_registrant, link);

        if (memcmp(registrant->isid, isid, PDU_ISID_LENGTH) == 0 &&
            name_equal(registrant->initiator, initiator))
            return registrant;
    }
    return NULL;
}

static bool is_port(const struct target_registrant *registrant,
                    const struct target_session *session)
{
    return memcmp(registrant->isid, session->isid, PDU_ISID_LENGTH) == 0 &&
           name_equal(registrant->initiator, session->initiator);
}

static struct target_registrant *registrant_of(const struct target_reservations *reservations,
                                               const struct target_session *session)
{
    return reserve_find(reservations, session->initiator, session->isid);
}

struct target_registrant *reserve_add(struct target_reservations *reservations,
                                      const char *initiator, const uint8_t *isid)
{
    struct target_registrant *registrant = os_alloc(sizeof *registrant);

    if (registrant == NULL)
        return NULL;
    registrant->initiator = os_copy_text(initiator);
    if (registrant->initiator == NULL) {
        os_free(registrant);
        return NULL;
    }
    memcpy(registrant->isid, isid, PDU_ISID_LENGTH);
    list_append(&reservations->registrants, &registrant->link);
    return registrant;
}

size_t reserve_count(const struct target_reservations *reservations)
{
    size_t count = 0;

    LIST_EACH(node, &reservations->registrants)
    count++;
    return count;
}

/* --- what stands against a command --- */

bool reserve_for_all(uint8_t type)
{
    return type == WRITE_EXCLUSIVE_ALL || type == EXCLUSIVE_ACCESS_ALL;
}

static bool registrants_only(uint8_t type)
{
    return type >= WRITE_EXCLUSIVE_REGISTRANTS;
}

static bool excludes_reads(uint8_t type)
{
    return type == EXCLUSIVE_ACCESS || type == EXCLUSIVE_ACCESS_REGISTRANTS ||
           type == EXCLUSIVE_ACCESS_ALL;
}

bool reserve_is_holder(const struct target_reservations *reservations,
                       const struct target_registrant *registrant)
{
    return registrant != NULL && reservations->holder != NULL &&
           (reservations->holder == registrant || reserve_for_all(reservations->type));
}

bool target_reserved_against(const struct target_disk *disk, const struct target_session *session,
                             unsigned flags)
{
    const struct target_reservations *reservations = &disk->reservations;
    const struct target_registrant *registrant;

    if (flags & (COMMAND_ALWAYS | COMMAND_RESERVES))
        return false;
    if (reservations->legacy != NULL)
        return reservations->legacy != session;
    if (reservations->holder == NULL || !(flags & (COMMAND_READS | COMMAND_WRITES)))
        return false;
    registrant = registrant_of(reservations, session);
    if (reserve_is_holder(reservations, registrant) ||
        (registrant != NULL && registrants_only(reservations->type)))
        return false;
    return flags & COMMAND_WRITES || excludes_reads(reservations->type);
}

/* --- RESERVE and RELEASE --- */

void target_scsi_reserve(struct target_scsi *scsi, struct target_disk *disk)
{
    struct target_reservations *reservations = &disk->reservations;

    if (!list_empty(&reservations->registrants) ||
        (reservations->legacy != NULL && reservations->legacy != scsi->session))
        scsi->status = SCSI_RESERVATION_CONFLICT;
    else if (scsi->cdb[1] != 0) /* third parties, extents */
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
    else
        reservations->legacy = scsi->session;
}

/* Of somebody else's: GOOD, and nothing happens. */
void target_scsi_release(struct target_scsi *scsi, struct target_disk *disk)
{
    if (!list_empty(&disk->reservations.registrants))
        scsi->status = SCSI_RESERVATION_CONFLICT;
    else if (disk->reservations.legacy == scsi->session)
        disk->reservations.legacy = NULL;
}

void target_reservations_leave(struct target_session *session)
{
    const struct target *target = session->target;

    for (uint32_t i = 0; target != NULL && i < target->disk_room; i++) {
        if (target->disks[i] != NULL && target->disks[i]->reservations.legacy == session)
            target->disks[i]->reservations.legacy = NULL;
    }
}

/* --- PERSISTENT RESERVE OUT --- */

void reserve_conflict(const struct reserve_out *out)
{
    out->scsi->status = SCSI_RESERVATION_CONFLICT;
}

/* The sessions of a port, but for our own, are told. */
static void tell(const struct reserve_out *out, const struct target_registrant *registrant,
                 uint16_t asc)
{
    const struct target_scsi *scsi = out->scsi;

    LIST_EACH(node, &scsi->target->entity->sessions)
    {
        struct target_session *session = LIST_OWNER(node, struct target_session, link);

        if (session != scsi->session && session->target == scsi->target &&
            is_port(registrant, session))
            target_attention(session, scsi_lun_encode((uint32_t)scsi->lun), asc);
    }
}

static void tell_others(const struct reserve_out *out, uint16_t asc)
{
    LIST_EACH(node, &out->reservations->registrants)
    {
        const struct target_registrant *registrant =
            LIST_OWNER(node, struct target_registrant, link);

        if (registrant != out->own)
            tell(out, registrant, asc);
    }
}

/* The reservation ends; with types that others had a part in, they are told. */
static void let_go(const struct reserve_out *out)
{
    out->reservations->holder = NULL;
    if (registrants_only(out->reservations->type))
        tell_others(out, SCSI_ASC_RESERVATIONS_RELEASED);
}

static void unregister(struct reserve_out *out)
{
    struct target_reservations *reservations = out->reservations;
    bool last = reserve_count(reservations) == 1;

    if (reservations->holder == out->own) {
        if (reserve_for_all(reservations->type) && !last) /* the others hold it still */
            reservations->holder = NULL;
        else
            let_go(out);
    }
    if (reserve_for_all(reservations->type) && !last && reservations->holder == NULL) {
        struct list *next = reservations->registrants.next == &out->own->link
                                ? out->own->link.next
                                : reservations->registrants.next;

        reservations->holder = LIST_OWNER(next, struct target_registrant, link);
    }
    reserve_remove(reservations, out->own);
    out->own = NULL;
}

static void do_register(struct reserve_out *out)
{
    bool ignore = out->action == REGISTER_IGNORE;

    if (!ignore && out->key != (out->own != NULL ? out->own->key : 0)) {
        reserve_conflict(out);
        return;
    }
    if (out->own == NULL && out->action_key == 0)
        return;
    if (out->own != NULL && out->action_key == 0) {
        unregister(out);
    } else {
        if (out->own == NULL)
            out->own = reserve_add(out->reservations, out->scsi->session->initiator,
                                   out->scsi->session->isid);
        if (out->own == NULL) {
            target_scsi_illegal(out->scsi, SCSI_ASC(0x55, 0x04)); /* no registration resources */
            return;
        }
        out->own->key = out->action_key;
    }
    out->reservations->generation++;
}

bool reserve_type_valid(uint8_t type)
{
    return type == WRITE_EXCLUSIVE || type == EXCLUSIVE_ACCESS ||
           (type >= WRITE_EXCLUSIVE_REGISTRANTS && type <= EXCLUSIVE_ACCESS_ALL);
}

static void do_reserve(struct reserve_out *out)
{
    struct target_reservations *reservations = out->reservations;

    if (!reserve_type_valid(out->type)) {
        target_scsi_illegal(out->scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
    } else if (reservations->holder == NULL) {
        reservations->holder = out->own;
        reservations->type = out->type;
    } else if (!reserve_is_holder(reservations, out->own) || reservations->type != out->type) {
        reserve_conflict(out);
    }
}

static void do_release(struct reserve_out *out)
{
    struct target_reservations *reservations = out->reservations;

    if (!reserve_is_holder(reservations, out->own))
        return;
    if (reservations->type != out->type)
        target_scsi_illegal(out->scsi, SCSI_ASC(0x26, 0x04)); /* invalid release */
    else
        let_go(out);
}

static void do_clear(struct reserve_out *out)
{
    tell_others(out, SCSI_ASC_RESERVATIONS_PREEMPTED);
    target_reservations_clear(out->reservations);
    out->reservations->generation++;
}

/* The tasks of a port that lost its registration. */
static void abort_tasks_of(const struct reserve_out *out,
                           const struct target_registrant *registrant)
{
    const struct target_scsi *scsi = out->scsi;

    LIST_EACH(node, &scsi->target->entity->sessions)
    {
        struct target_session *session = LIST_OWNER(node, struct target_session, link);

        if (session != scsi->session && session->target == scsi->target &&
            is_port(registrant, session))
            target_management_end(session, scsi_lun_encode((uint32_t)scsi->lun));
    }
}

/* Removes the registrations with the key (`all`: every one) but our own; true: there was one. */
static bool remove_registrants(struct reserve_out *out, bool all)
{
    bool any = false;

    LIST_EACH_SAFE(node, &out->reservations->registrants)
    {
        struct target_registrant *registrant = LIST_OWNER(node, struct target_registrant, link);

        if (!all && registrant->key != out->action_key)
            continue;
        any = true;
        if (registrant == out->own)
            continue;
        tell(out, registrant, SCSI_ASC_REGISTRATIONS_PREEMPTED);
        if (out->action == PREEMPT_AND_ABORT)
            abort_tasks_of(out, registrant);
        reserve_remove(out->reservations, registrant);
    }
    return any;
}

/* The reservation is ours now. */
static void take_over(struct reserve_out *out, bool all)
{
    struct target_reservations *reservations = out->reservations;
    bool changed = reservations->type != out->type;

    if (!reserve_type_valid(out->type)) {
        target_scsi_illegal(out->scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    remove_registrants(out, all);
    if (changed && registrants_only(reservations->type))
        tell_others(out, SCSI_ASC_RESERVATIONS_RELEASED);
    reservations->holder = out->own;
    reservations->type = out->type;
    reservations->generation++;
}

static void do_preempt(struct reserve_out *out)
{
    struct target_reservations *reservations = out->reservations;
    bool for_all = reservations->holder != NULL && reserve_for_all(reservations->type);

    if (for_all && out->action_key == 0) {
        take_over(out, true);
        return;
    }
    if (reservations->holder != NULL && !for_all && reservations->holder->key == out->action_key) {
        take_over(out, false);
        return;
    }
    if (out->action_key == 0)
        target_scsi_illegal(out->scsi, SCSI_ASC_INVALID_PARAMETER);
    else if (!remove_registrants(out, false))
        reserve_conflict(out);
    else
        reservations->generation++;
    if (for_all && reservations->holder == NULL) /* it was one of those that are gone */
        reservations->holder = out->own;
}

static void obey(struct reserve_out *out)
{
    if (out->action == REGISTER || out->action == REGISTER_IGNORE) {
        do_register(out);
        return;
    }
    if (out->own == NULL || out->own->key != out->key) {
        reserve_conflict(out);
        return;
    }
    switch (out->action) {
    case RESERVE:
        do_reserve(out);
        break;
    case RELEASE:
        do_release(out);
        break;
    case CLEAR:
        do_clear(out);
        break;
    default:
        do_preempt(out);
        break;
    }
}

/* APTPL (SPC-4, 5.13.3): the last registration says whether all of them persist. */
static bool take_persist(struct reserve_out *out, const uint8_t *data)
{
    bool persist = (data[out->action == REGISTER_MOVE ? 17 : 20] & 1) != 0;

    if (out->action != REGISTER && out->action != REGISTER_IGNORE && out->action != REGISTER_MOVE)
        return true;
    if (persist && out->reservations->file == NULL) {
        target_scsi_illegal(out->scsi, SCSI_ASC_INVALID_PARAMETER);
        return false;
    }
    out->persist = persist;
    return true;
}

static bool list_fits(struct reserve_out *out, uint32_t length)
{
    bool move = out->action == REGISTER_MOVE;

    if (move ? length < 24 + 24 || length > MOVE_LIST_MOST : length != 24) {
        target_scsi_illegal(out->scsi, SCSI_ASC_PARAMETER_LENGTH);
        return false;
    }
    return target_scsi_has(out->scsi, length);
}

static void finish(struct reserve_out *out)
{
    bool registers =
        out->action == REGISTER || out->action == REGISTER_IGNORE || out->action == REGISTER_MOVE;

    if (out->scsi->status != SCSI_GOOD)
        return;
    if (registers)
        out->reservations->persist = out->persist;
    if (!reserve_keep(out->reservations))
        target_scsi_fail(out->scsi, SCSI_HARDWARE_ERROR, SCSI_ASC(0x44, 0x00));
}

void target_scsi_reserve_out(struct target_scsi *scsi, struct target_disk *disk)
{
    const uint8_t *data = scsi->data_out;
    uint32_t length = get_be32(scsi->cdb + 5);
    struct reserve_out out = {.scsi = scsi,
                              .reservations = &disk->reservations,
                              .action = scsi->cdb[1] & 0x1f,
                              .type = scsi->cdb[2] & 0x0f};

    if (disk->reservations.legacy != NULL) {
        scsi->status = SCSI_RESERVATION_CONFLICT;
        return;
    }
    if (!list_fits(&out, length))
        return;
    if (scsi->cdb[2] >> 4 != 0) { /* scope: only whole units */
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    if (out.action != REGISTER_MOVE && data[20] & 0x0c) { /* SPEC_I_PT, ALL_TG_PT */
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_PARAMETER);
        return;
    }
    if (!take_persist(&out, data))
        return;
    out.own = registrant_of(out.reservations, scsi->session);
    out.key = get_be64(data);
    out.action_key = get_be64(data + 8);
    if (out.action == REGISTER_MOVE)
        reserve_move(&out, data, length);
    else
        obey(&out);
    finish(&out);
}
