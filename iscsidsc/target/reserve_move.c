/* REGISTER AND MOVE: the holder gives its reservation to another initiator port (SPC-4, 5.13.8). */
#include "protocol/scsi.h"

#include "target/reserve.h"

enum { LIST_HEADER = 24, UNREGISTER = 0x02, OUR_PORT = 1 };

struct port {
    char initiator[ISCSI_NAME_MAX + 1];
    uint8_t isid[PDU_ISID_LENGTH];
};

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

    return found != NULL ? (int)(found - digits) : -1;
}

/* Twelve hexadecimal digits, and the end. */
static bool read_isid(const char *text, uint8_t isid[PDU_ISID_LENGTH])
{
    for (size_t i = 0; i < PDU_ISID_LENGTH; i++) {
        int high = digit(text[2 * i]);
        int low = high >= 0 ? digit(text[2 * i + 1]) : -1;

        if (low < 0)
            return false;
        isid[i] = (uint8_t)(high << 4 | low);
    }
    return text[2 * PDU_ISID_LENGTH] == '\0';
}

/* TransportID of an iSCSI initiator port: "name,i,0x<ISID>" (SPC-4, 7.6.4.6). */
static bool read_transport_id(const uint8_t *id, size_t length, struct port *port)
{
    char text[MOVE_LIST_MOST + 1] = "";
    char *mark;

    if (length < 24 || id[0] != 0x45 || get_be16(id + 2) != length - 4)
        return false;
    memcpy(text, id + 4, length - 4);
    mark = strstr(text, ",i,0x");
    if (mark == NULL || mark - text > (long)ISCSI_NAME_MAX)
        return false;
    *mark = '\0';
    return name_normalize(text, port->initiator) && read_isid(mark + 5, port->isid);
}

static bool list_is_valid(const struct reserve_out *out, const uint8_t *list, size_t length,
                          struct port *port)
{
    const struct target_session *session = out->scsi->session;

    return out->action_key != 0 && get_be16(list + 18) == OUR_PORT &&
           get_be32(list + 20) == length - LIST_HEADER &&
           read_transport_id(list + LIST_HEADER, length - LIST_HEADER, port) &&
           (memcmp(port->isid, session->isid, sizeof port->isid) != 0 ||
            !name_equal(port->initiator, session->initiator));
}

void reserve_move(struct reserve_out *out, const uint8_t *list, size_t length)
{
    struct target_reservations *reservations = out->reservations;
    struct target_registrant *other;
    struct port port;

    if (out->own == NULL || out->own->key != out->key || reservations->holder != out->own ||
        reserve_for_all(reservations->type)) {
        reserve_conflict(out);
        return;
    }
    if (!list_is_valid(out, list, length, &port)) {
        target_scsi_illegal(out->scsi, SCSI_ASC_INVALID_PARAMETER);
        return;
    }
    other = reserve_find(reservations, port.initiator, port.isid);
    if (other == NULL)
        other = reserve_add(reservations, port.initiator, port.isid);
    if (other == NULL) {
        target_scsi_illegal(out->scsi, SCSI_ASC(0x55, 0x04)); /* no registration resources */
        return;
    }
    other->key = out->action_key;
    reservations->holder = other;
    if (list[17] & UNREGISTER)
        reserve_remove(reservations, out->own);
    reservations->generation++;
}
