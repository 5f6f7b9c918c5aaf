/* Reservations: RESERVE and RELEASE (SPC-2), and persistent ones (SPC-4, 5.13). They belong to
 * initiator ports: a name and an ISID. Registrations outlive sessions, but not the target. */
#include "protocol/scsi.h"

#include "target/internal.h"

enum reservation_type {
    WRITE_EXCLUSIVE = 1,
    EXCLUSIVE_ACCESS = 3,
    WRITE_EXCLUSIVE_REGISTRANTS = 5,
    EXCLUSIVE_ACCESS_REGISTRANTS = 6,
    WRITE_EXCLUSIVE_ALL = 7,
    EXCLUSIVE_ACCESS_ALL = 8,
};

enum service_action {
    REGISTER,
    RESERVE,
    RELEASE,
    CLEAR,
    PREEMPT,
    PREEMPT_AND_ABORT,
    REGISTER_IGNORE,
};

/* --- registrations --- */

void target_reservations_init(struct target_reservations *reservations)
{
    list_init(&reservations->registrants);
}

static void free_registrant(struct target_reservations *reservations,
                            struct target_registrant *registrant)
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
    free_registrant(reservations, LIST_OWNER(node, struct target_registrant, link));
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
    LIST_EACH(node, &reservations->registrants)
    {
        struct target_registrant *registrant = LIST_OWNER(node, struct target_registrant, link);

        if (is_port(registrant, session))
            return registrant;
    }
    return NULL;
}

static struct target_registrant *new_registrant(struct target_reservations *reservations,
                                                const struct target_session *session)
{
    struct target_registrant *registrant = os_alloc(sizeof *registrant);

    if (registrant == NULL)
        return NULL;
    registrant->initiator = os_copy_text(session->initiator);
    if (registrant->initiator == NULL) {
        os_free(registrant);
        return NULL;
    }
    memcpy(registrant->isid, session->isid, PDU_ISID_LENGTH);
    list_append(&reservations->registrants, &registrant->link);
    return registrant;
}

/* --- what stands against a command --- */

static bool for_all_registrants(uint8_t type)
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

static bool is_holder(const struct target_reservations *reservations,
                      const struct target_registrant *registrant)
{
    return registrant != NULL && reservations->holder != NULL &&
           (reservations->holder == registrant || for_all_registrants(reservations->type));
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
    if (is_holder(reservations, registrant) ||
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

/* --- PERSISTENT RESERVE IN --- */

static size_t count_registrants(const struct target_reservations *reservations)
{
    size_t count = 0;

    LIST_EACH(node, &reservations->registrants)
    count++;
    return count;
}

static size_t put_keys(const struct target_reservations *reservations, uint8_t *data)
{
    size_t length = 8;

    LIST_EACH(node, &reservations->registrants)
    {
        put_be64(data + length, LIST_OWNER(node, struct target_registrant, link)->key);
        length += 8;
    }
    return length;
}

static size_t put_reservation(const struct target_reservations *reservations, uint8_t *data)
{
    if (reservations->holder == NULL)
        return 8;
    put_be64(data + 8, for_all_registrants(reservations->type) ? 0 : reservations->holder->key);
    data[21] = reservations->type; /* scope: the logical unit */
    return 24;
}

/* TransportID of iSCSI: the port's name (SPC-4, 7.6.4.6). */
static size_t put_transport_id(const struct target_registrant *registrant, uint8_t *data)
{
    size_t length = strlen(registrant->initiator);

    data[0] = 0x45;
    memcpy(data + 4, registrant->initiator, length);
    memcpy(data + 4 + length, ",i,0x", 5);
    for (size_t i = 0; i < PDU_ISID_LENGTH; i++) {
        data[4 + length + 5 + 2 * i] = (uint8_t) "0123456789abcdef"[registrant->isid[i] >> 4];
        data[4 + length + 6 + 2 * i] = (uint8_t) "0123456789abcdef"[registrant->isid[i] & 15];
    }
    length = (length + 5 + 2 * (size_t)PDU_ISID_LENGTH + 1 + 3) / 4 * 4; /* NUL, and padding */
    put_be16(data + 2, (uint16_t)length);
    return 4 + length;
}

static size_t put_full_status(const struct target_reservations *reservations, uint8_t *data)
{
    size_t length = 8;

    LIST_EACH(node, &reservations->registrants)
    {
        const struct target_registrant *registrant =
            LIST_OWNER(node, struct target_registrant, link);
        uint8_t *descriptor = data + length;
        size_t identity = put_transport_id(registrant, descriptor + 24);

        put_be64(descriptor, registrant->key);
        if (is_holder(reservations, registrant)) {
            descriptor[12] = 1;
            descriptor[13] = reservations->type;
        }
        put_be16(descriptor + 18, 1); /* relative target port */
        put_be32(descriptor + 20, (uint32_t)identity);
        length += 24 + identity;
    }
    return length;
}

static void report_capabilities(struct target_scsi *scsi)
{
    /* No registration outlives power off; all six types. */
    static const uint8_t data[8] = {0, 8, 0, 0x80, 0xea, 0x01, 0, 0};

    target_scsi_answer(scsi, data, sizeof data, get_be16(scsi->cdb + 7));
}

void target_scsi_reserve_in(struct target_scsi *scsi, struct target_disk *disk)
{
    const struct target_reservations *reservations = &disk->reservations;
    unsigned action = scsi->cdb[1] & 0x1f;
    size_t room = 24 + count_registrants(reservations) * (24 + 4 + ISCSI_NAME_MAX + 32);
    size_t length;
    uint8_t *data;

    if (reservations->legacy != NULL && reservations->legacy != scsi->session) {
        scsi->status = SCSI_RESERVATION_CONFLICT;
        return;
    }
    if (action == 2) {
        report_capabilities(scsi);
        return;
    }
    data = os_alloc(room);
    if (data == NULL) {
        scsi->status = SCSI_BUSY;
        return;
    }
    if (action == 0)
        length = put_keys(reservations, data);
    else if (action == 1)
        length = put_reservation(reservations, data);
    else
        length = put_full_status(reservations, data);
    put_be32(data, reservations->generation);
    put_be32(data + 4, (uint32_t)length - 8);
    target_scsi_answer(scsi, data, length, get_be16(scsi->cdb + 7));
    os_free(data);
}

/* --- PERSISTENT RESERVE OUT --- */

/* One command, taken apart. */
struct reserve_out {
    struct target_scsi *scsi;
    struct target_reservations *reservations;
    struct target_registrant *own; /* NULL: not registered */
    unsigned action;
    uint8_t type;
    uint64_t key;
    uint64_t action_key;
};

static void conflict(const struct reserve_out *out)
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
    bool last = count_registrants(reservations) == 1;

    if (reservations->holder == out->own) {
        if (for_all_registrants(reservations->type) && !last) /* the others hold it still */
            reservations->holder = NULL;
        else
            let_go(out);
    }
    if (for_all_registrants(reservations->type) && !last && reservations->holder == NULL) {
        struct list *next = reservations->registrants.next == &out->own->link
                                ? out->own->link.next
                                : reservations->registrants.next;

        reservations->holder = LIST_OWNER(next, struct target_registrant, link);
    }
    free_registrant(reservations, out->own);
    out->own = NULL;
}

static void do_register(struct reserve_out *out)
{
    bool ignore = out->action == REGISTER_IGNORE;

    if (!ignore && out->key != (out->own != NULL ? out->own->key : 0)) {
        conflict(out);
        return;
    }
    if (out->own == NULL && out->action_key == 0)
        return;
    if (out->own != NULL && out->action_key == 0) {
        unregister(out);
    } else {
        if (out->own == NULL)
            out->own = new_registrant(out->reservations, out->scsi->session);
        if (out->own == NULL) {
            target_scsi_illegal(out->scsi, SCSI_ASC(0x55, 0x04)); /* no registration resources */
            return;
        }
        out->own->key = out->action_key;
    }
    out->reservations->generation++;
}

static bool type_is_valid(uint8_t type)
{
    return type == WRITE_EXCLUSIVE || type == EXCLUSIVE_ACCESS ||
           (type >= WRITE_EXCLUSIVE_REGISTRANTS && type <= EXCLUSIVE_ACCESS_ALL);
}

static void do_reserve(struct reserve_out *out)
{
    struct target_reservations *reservations = out->reservations;

    if (!type_is_valid(out->type)) {
        target_scsi_illegal(out->scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
    } else if (reservations->holder == NULL) {
        reservations->holder = out->own;
        reservations->type = out->type;
    } else if (!is_holder(reservations, out->own) || reservations->type != out->type) {
        conflict(out);
    }
}

static void do_release(struct reserve_out *out)
{
    struct target_reservations *reservations = out->reservations;

    if (!is_holder(reservations, out->own))
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
        free_registrant(out->reservations, registrant);
    }
    return any;
}

/* The reservation is ours now. */
static void take_over(struct reserve_out *out, bool all)
{
    struct target_reservations *reservations = out->reservations;
    bool changed = reservations->type != out->type;

    if (!type_is_valid(out->type)) {
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
    bool for_all = reservations->holder != NULL && for_all_registrants(reservations->type);

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
        conflict(out);
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
        conflict(out);
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

void target_scsi_reserve_out(struct target_scsi *scsi, struct target_disk *disk)
{
    const uint8_t *data = scsi->data_out;
    struct reserve_out out = {.scsi = scsi,
                              .reservations = &disk->reservations,
                              .action = scsi->cdb[1] & 0x1f,
                              .type = scsi->cdb[2] & 0x0f};

    if (disk->reservations.legacy != NULL) {
        scsi->status = SCSI_RESERVATION_CONFLICT;
        return;
    }
    if (get_be32(scsi->cdb + 5) != 24) {
        target_scsi_illegal(scsi, SCSI_ASC_PARAMETER_LENGTH);
        return;
    }
    if (!target_scsi_has(scsi, 24))
        return;
    if (scsi->cdb[2] >> 4 != 0) { /* scope: only whole units */
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    if (data[20] & 0x0d) { /* SPEC_I_PT, ALL_TG_PT, APTPL */
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_PARAMETER);
        return;
    }
    out.own = registrant_of(out.reservations, scsi->session);
    out.key = get_be64(data);
    out.action_key = get_be64(data + 8);
    obey(&out);
}
