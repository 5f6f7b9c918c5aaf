/* SCSI commands that callers send through a session. */
#include "msapi/call.h"

#include "protocol/scsi.h"

#include <string.h>

enum {
    SENSE_LEAST = 18,    /* what SenseSize says at the least on return */
    INQUIRY_FIRST = 255, /* devices before SPC-3 have one byte for the allocation length */
    INQUIRY_MOST = 65535,
    CAPACITY_LENGTH = 8,
    LUNS_FIRST = 4096,
    LUNS_MOST = 1 << 20,
};

/* A command whose answer tells its own whole length. */
struct command {
    const ISCSI_UNIQUE_SESSION_ID *session;
    ULONGLONG lun;
    uint32_t first; /* allocation length of the first attempt */
    uint32_t most;  /* and of the second at most */
    uint8_t flags;  /* INQUIRY */
    uint8_t page;   /* INQUIRY */
    void (*build)(const struct command *command, uint32_t length, struct scsi_cdb *cdb);
    uint32_t (*whole)(const struct command *command, const struct blob *data);
};

/* The caller's. */
struct answer {
    PUCHAR status;
    PULONG size;
    PUCHAR buffer;
    PULONG sense_size;
    PUCHAR sense;
};

static ULONG room_of(const void *buffer, ULONG size)
{
    return buffer != NULL ? size : 0;
}

/* A target need not send sense data: then they are zeros. What does not fit is cut. */
static void deliver_sense(const struct answer *answer, const struct blob *sense)
{
    ULONG room = room_of(answer->sense, *answer->sense_size);
    if (room > 0)
        memset(answer->sense, 0, room < SENSE_LEAST ? room : SENSE_LEAST);
    if (room > 0 && sense->length > 0)
        memcpy(answer->sense, sense->data, room < sense->length ? room : sense->length);
}

static ISDSC_STATUS deliver_data(const struct answer *answer, const struct blob *data)
{
    ULONG room = room_of(answer->buffer, *answer->size);
    *answer->size = data->length;
    if (data->length > room)
        return ERROR_INSUFFICIENT_BUFFER;
    if (data->length > 0)
        memcpy(answer->buffer, data->data, data->length);
    return ERROR_SUCCESS;
}

static bool send(struct call *call, const struct command *command, uint32_t length,
                 struct reply_scsi *reply)
{
    struct scsi_cdb cdb;
    command->build(command, length, &cdb);
    struct unique_id id = {.adapter = command->session->AdapterUnique,
                           .specific = command->session->AdapterSpecific};
    struct request_scsi request = {
        .session = &id,
        .lun = scsi_lun_from_spelling(command->lun),
        .cdb = {.data = cdb.bytes, .length = cdb.length},
        .length = length,
    };
    return call_engine(call, OPERATION_scsi, &request, reply);
}

/* All of the answer is fetched, whatever the caller has room for: that is how its size is known. */
static bool fetch(struct call *call, const struct command *command, struct reply_scsi *reply)
{
    if (!send(call, command, command->first, reply))
        return false;
    uint32_t whole = command->whole(command, &reply->data);
    if (whole <= command->first)
        return true;
    return send(call, command, whole < command->most ? whole : command->most, reply);
}

static ISDSC_STATUS run(const struct command *command, const struct answer *answer)
{
    struct call call;
    struct reply_scsi reply = {0};
    ISDSC_STATUS delivered = ERROR_SUCCESS;
    call_begin(&call, TEXT_ANSI);
    call_require(&call, command->session);
    call_require(&call, answer->status);
    call_require(&call, answer->size);
    if (!call_require(&call, answer->sense_size))
        return call_end(&call);

    if (fetch(&call, command, &reply)) {
        *answer->status = reply.status;
        delivered = deliver_data(answer, &reply.data);
    } else if (call.status == STATUS_SCSI_STATUS) {
        *answer->status = reply.status;
        *answer->size = 0;
        deliver_sense(answer, &reply.sense);
    }
    *answer->sense_size = reply.sense.length > SENSE_LEAST ? reply.sense.length : SENSE_LEAST;
    ISDSC_STATUS outcome = call_end(&call);
    return outcome != ERROR_SUCCESS ? outcome : delivered;
}

/* ----------------------------------------------------------------- INQUIRY */

static void build_inquiry(const struct command *command, uint32_t length, struct scsi_cdb *cdb)
{
    scsi_inquiry(cdb, command->flags, command->page, (uint16_t)length);
}

/* SPC-4, 6.4.2 and 7.8: the length field of standard data and of a VPD page. */
static uint32_t whole_inquiry(const struct command *command, const struct blob *data)
{
    if ((command->flags & 1) != 0)
        return data->length >= 4 ? get_be16(data->data + 2) + 4u : data->length;
    if ((command->flags & 2) != 0)
        return data->length; /* CmdDt: no device has much to say */
    return data->length >= 5 ? data->data[4] + 5u : data->length;
}

ISDSC_STATUS WINAPI SendScsiInquiry(PISCSI_UNIQUE_SESSION_ID session, ULONGLONG lun,
                                    UCHAR evpd_cmddt, UCHAR page, PUCHAR status, PULONG size,
                                    PUCHAR buffer, PULONG sense_size, PUCHAR sense)
{
    struct command command = {
        .session = session,
        .lun = lun,
        .first = INQUIRY_FIRST,
        .most = INQUIRY_MOST,
        .flags = evpd_cmddt,
        .page = page,
        .build = build_inquiry,
        .whole = whole_inquiry,
    };
    struct answer answer = {status, size, buffer, sense_size, sense};
    return run(&command, &answer);
}

/* ----------------------------------------------------------- READ CAPACITY */

static void build_capacity(const struct command *command, uint32_t length, struct scsi_cdb *cdb)
{
    (void)command, (void)length;
    scsi_read_capacity_10(cdb);
}

static uint32_t whole_capacity(const struct command *command, const struct blob *data)
{
    (void)command, (void)data;
    return CAPACITY_LENGTH;
}

ISDSC_STATUS WINAPI SendScsiReadCapacity(PISCSI_UNIQUE_SESSION_ID session, ULONGLONG lun,
                                         PUCHAR status, PULONG size, PUCHAR buffer,
                                         PULONG sense_size, PUCHAR sense)
{
    struct command command = {
        .session = session,
        .lun = lun,
        .first = CAPACITY_LENGTH,
        .most = CAPACITY_LENGTH,
        .build = build_capacity,
        .whole = whole_capacity,
    };
    struct answer answer = {status, size, buffer, sense_size, sense};
    return run(&command, &answer);
}

/* ------------------------------------------------------------- REPORT LUNS */

static void build_luns(const struct command *command, uint32_t length, struct scsi_cdb *cdb)
{
    (void)command;
    scsi_report_luns(cdb, length);
}

/* SPC-4, 6.33: a length of four bytes, four reserved, the list. */
static uint32_t whole_luns(const struct command *command, const struct blob *data)
{
    (void)command;
    uint32_t list = data->length >= 4 ? get_be32(data->data) : 0;
    return list < LUNS_MOST - 8 ? list + 8 : LUNS_MOST;
}

ISDSC_STATUS WINAPI SendScsiReportLuns(PISCSI_UNIQUE_SESSION_ID session, PUCHAR status, PULONG size,
                                       PUCHAR buffer, PULONG sense_size, PUCHAR sense)
{
    struct command command = {
        .session = session,
        .first = LUNS_FIRST,
        .most = LUNS_MOST,
        .build = build_luns,
        .whole = whole_luns,
    };
    struct answer answer = {status, size, buffer, sense_size, sense};
    return run(&command, &answer);
}
