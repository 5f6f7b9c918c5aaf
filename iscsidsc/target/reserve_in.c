/* PERSISTENT RESERVE IN: the registrations and the reservation that there are (SPC-4, 6.15). */
#include "protocol/scsi.h"

#include "target/reserve.h"

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
    put_be64(data + 8, reserve_for_all(reservations->type) ? 0 : reservations->holder->key);
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
        if (reserve_is_holder(reservations, registrant)) {
            descriptor[12] = 1;
            descriptor[13] = reservations->type;
        }
        put_be16(descriptor + 18, 1); /* relative target port */
        put_be32(descriptor + 20, (uint32_t)identity);
        length += 24 + identity;
    }
    return length;
}

static void report_capabilities(struct target_scsi *scsi,
                                const struct target_reservations *reservations)
{
    uint8_t data[8] = {0, 8, 0, 0x80, 0xea, 0x01, 0, 0}; /* all six types */

    if (reservations->file != NULL)
        data[2] |= 0x01; /* PTPL_C */
    if (reservations->persist)
        data[3] |= 0x01; /* PTPL_A */
    target_scsi_answer(scsi, data, sizeof data, get_be16(scsi->cdb + 7));
}

void target_scsi_reserve_in(struct target_scsi *scsi, struct target_disk *disk)
{
    const struct target_reservations *reservations = &disk->reservations;
    unsigned action = scsi->cdb[1] & 0x1f;
    size_t room = 24 + reserve_count(reservations) * (24 + 4 + ISCSI_NAME_MAX + 32);
    size_t length;
    uint8_t *data;

    if (reservations->legacy != NULL && reservations->legacy != scsi->session) {
        scsi->status = SCSI_RESERVATION_CONFLICT;
        return;
    }
    if (action == 2) {
        report_capabilities(scsi, reservations);
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
