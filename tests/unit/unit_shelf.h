/* A target whose logical units are what a test says at any moment: it answers the commands with
 * which an initiator looks for units. */
#ifndef UNIT_SHELF_H
#define UNIT_SHELF_H

#include "engine_test.h"

#include "protocol/scsi.h"

#define SHELF_MOST 700u

struct shelf_unit {
    uint64_t lun;        /* the field */
    uint8_t first;       /* byte 0 of INQUIRY: qualifier and type */
    const char *product; /* NULL: "Disk" */
    const char *name;    /* of its NAA designator, 8 bytes; NULL: it has no page 83h */
    const char *serial;  /* NULL: it has no page 80h */
    const uint8_t *page; /* instead of that page 83h */
    size_t page_length;
    uint64_t blocks;      /* 0: not ready */
    bool refuses_inquiry; /* with BUSY, for ever */
    bool write_protected;
};

/* Two threads use it, under the mutex. */
static struct {
    struct os_mutex *mutex;
    struct shelf_unit units[SHELF_MOST];
    size_t count;
    uint16_t attention;  /* for the next command that may be told of one */
    bool only_zero;      /* does not know REPORT LUNS */
    bool aborts_list;    /* cannot answer REPORT LUNS now */
    bool silent;         /* answers nothing */
    uint32_t delay;      /* of the answers, milliseconds */
    const uint8_t *luns; /* instead of the list */
    size_t luns_length;
    unsigned commands; /* that came */
} shelf;

static inline void shelf_clear(void)
{
    if (shelf.mutex == NULL)
        shelf.mutex = os_mutex_new();
    struct os_mutex *mutex = shelf.mutex;
    memset(&shelf, 0, sizeof shelf);
    shelf.mutex = mutex;
}

#define SHELF(statement)                                                                           \
    do {                                                                                           \
        os_mutex_lock(shelf.mutex);                                                                \
        statement;                                                                                 \
        os_mutex_unlock(shelf.mutex);                                                              \
    } while (0)

static inline void shelf_put(struct shelf_unit unit)
{
    SHELF(shelf.units[shelf.count++] = unit);
}

static inline void shelf_take(uint64_t lun)
{
    os_mutex_lock(shelf.mutex);
    for (size_t i = 0; i < shelf.count; i++) {
        if (shelf.units[i].lun == lun)
            shelf.units[i] = shelf.units[--shelf.count];
    }
    os_mutex_unlock(shelf.mutex);
}

static inline struct shelf_unit *shelf_find(uint64_t lun)
{
    for (size_t i = 0; i < shelf.count; i++) {
        if (shelf.units[i].lun == lun)
            return &shelf.units[i];
    }
    return NULL;
}

/* --- answers --- */

struct shelf_answer {
    uint8_t status;
    uint8_t sense[18];
    uint8_t data[8 + 8 * SHELF_MOST];
    size_t length;
};

static inline void shelf_refuse(struct shelf_answer *answer, uint8_t key, uint16_t asc)
{
    answer->status = SCSI_CHECK_CONDITION;
    scsi_sense_encode(answer->sense, key, asc);
}

static inline void shelf_report_luns(struct shelf_answer *answer)
{
    if (shelf.aborts_list) {
        shelf_refuse(answer, SCSI_ABORTED_COMMAND, 0);
        return;
    }
    if (shelf.only_zero) {
        shelf_refuse(answer, SCSI_ILLEGAL_REQUEST, SCSI_ASC_INVALID_OPCODE);
        return;
    }
    if (shelf.luns != NULL) {
        memcpy(answer->data, shelf.luns, shelf.luns_length);
        answer->length = shelf.luns_length;
        return;
    }
    put_be32(answer->data, (uint32_t)shelf.count * 8);
    for (size_t i = 0; i < shelf.count; i++)
        put_be64(answer->data + 8 + i * 8, shelf.units[i].lun);
    answer->length = 8 + 8 * shelf.count;
}

static inline void shelf_standard(struct shelf_answer *answer, const struct shelf_unit *unit)
{
    uint8_t *data = answer->data;
    const char *product = unit != NULL && unit->product != NULL ? unit->product : "Disk";
    data[0] = unit != NULL ? unit->first : 0x7f;
    data[2] = 0x06;
    data[3] = 0x02;
    data[4] = 31;
    memset(data + 8, ' ', 28);
    memcpy(data + 8, "Shelf", 5);
    memcpy(data + 16, product, strlen(product));
    answer->length = 36;
}

static inline void shelf_page(struct shelf_answer *answer, const struct shelf_unit *unit,
                              uint8_t page)
{
    uint8_t *data = answer->data;
    data[0] = unit->first;
    data[1] = page;
    if (page == 0x83 && unit->page != NULL) {
        memcpy(data, unit->page, unit->page_length);
        answer->length = unit->page_length;
    } else if (page == 0x83 && unit->name != NULL) {
        memcpy(data + 3, "\x0c\x01\x03\x00\x08", 5);
        memcpy(data + 8, unit->name, 8);
        answer->length = 16;
    } else if (page == 0x80 && unit->serial != NULL) {
        data[3] = (uint8_t)strlen(unit->serial);
        memcpy(data + 4, unit->serial, data[3]);
        answer->length = 4u + data[3];
    } else {
        shelf_refuse(answer, SCSI_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_CDB);
    }
}

static inline void shelf_capacity(struct shelf_answer *answer, const struct shelf_unit *unit,
                                  bool sixteen)
{
    if (unit->blocks == 0) {
        shelf_refuse(answer, SCSI_NOT_READY, SCSI_ASC(0x04, 0x01));
    } else if (sixteen) {
        put_be64(answer->data, unit->blocks - 1);
        put_be32(answer->data + 8, 512);
        answer->length = 32;
    } else {
        uint64_t last = unit->blocks - 1;
        put_be32(answer->data, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
        put_be32(answer->data + 4, 512);
        answer->length = 8;
    }
}

static inline void shelf_execute(struct shelf_answer *answer, const struct shelf_unit *unit,
                                 const uint8_t *cdb)
{
    bool capacity = cdb[0] == SCSI_READ_CAPACITY_10 || cdb[0] == SCSI_SERVICE_ACTION_IN_16;
    if (cdb[0] == SCSI_REPORT_LUNS) {
        shelf_report_luns(answer);
    } else if (cdb[0] == SCSI_INQUIRY && unit != NULL && unit->refuses_inquiry) {
        answer->status = SCSI_BUSY;
    } else if (cdb[0] == SCSI_INQUIRY && (cdb[1] & 1) == 0) {
        shelf_standard(answer, unit);
    } else if (unit == NULL) {
        shelf_refuse(answer, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LUN_NOT_SUPPORTED);
    } else if (cdb[0] == SCSI_INQUIRY) {
        shelf_page(answer, unit, cdb[2]);
    } else if (shelf.attention != 0) {
        shelf_refuse(answer, SCSI_UNIT_ATTENTION, shelf.attention);
        shelf.attention = 0;
    } else if (capacity) {
        shelf_capacity(answer, unit, cdb[0] == SCSI_SERVICE_ACTION_IN_16);
    } else if (cdb[0] == SCSI_MODE_SENSE_6 && unit->write_protected) {
        memcpy(answer->data, "\x03\x00\x80\x00", 4);
        answer->length = 4;
    }
}

static inline void shelf_send_data(struct target_connection *connection, const struct pdu *command,
                                   const struct shelf_answer *answer)
{
    struct pdu pdu = {.opcode = PDU_DATA_IN, .final = true, .itt = command->itt};
    uint32_t expected = command->scsi_command.expected_length;
    uint32_t length = (uint32_t)answer->length;
    pdu.data_in.ttt = PDU_RESERVED_TAG;
    pdu.data_in.status_present = true;
    pdu.data_in.underflow = length < expected;
    pdu.data_in.overflow = length > expected;
    pdu.data_in.residual = length < expected ? expected - length : length - expected;
    target_fault_send(connection, &pdu, answer->data, length < expected ? length : expected, true);
}

static inline void shelf_send_status(struct target_connection *connection,
                                     const struct pdu *command, const struct shelf_answer *answer)
{
    uint8_t sense[2 + 18] = {0, 18};
    struct pdu pdu = {.opcode = PDU_SCSI_RESPONSE, .final = true, .itt = command->itt};
    bool has_sense = answer->status == SCSI_CHECK_CONDITION;
    memcpy(sense + 2, answer->sense, sizeof answer->sense);
    pdu.scsi_response.status = answer->status;
    pdu.scsi_response.underflow = command->scsi_command.expected_length > 0;
    pdu.scsi_response.residual = command->scsi_command.expected_length;
    target_fault_send(connection, &pdu, sense, has_sense ? sizeof sense : 0, true);
}

static inline void shelf_incoming(void *context, struct target_connection *connection,
                                  struct target_fault_in *in)
{
    static struct shelf_answer answer;
    uint8_t *cdb = in->pdu->scsi_command.cdb;
    (void)context;
    if (in->pdu->opcode != PDU_SCSI_COMMAND)
        return;
    memset(&answer, 0, sizeof answer);
    in->answered = true;
    os_mutex_lock(shelf.mutex);
    bool silent = shelf.silent;
    shelf.commands++;
    in->delay = shelf.delay;
    shelf_execute(&answer, shelf_find(in->pdu->lun), cdb);
    os_mutex_unlock(shelf.mutex);
    if (silent)
        return;
    if (answer.status == SCSI_GOOD && answer.length > 0)
        shelf_send_data(connection, in->pdu, &answer);
    else
        shelf_send_status(connection, in->pdu, &answer);
}

static const struct target_fault shelf_fault = {.incoming = shelf_incoming};

#endif
