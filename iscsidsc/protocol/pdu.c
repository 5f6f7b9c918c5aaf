#include "protocol/pdu.h"

#include <string.h>

/* Byte 0. */
#define OPCODE_MASK   0x3f
#define BIT_IMMEDIATE 0x40
/* Byte 1. */
#define BIT_FINAL          0x80
#define BIT_CONTINUE       0x40
#define BIT_READ           0x40
#define BIT_WRITE          0x20
#define BIT_ACKNOWLEDGE    0x40
#define BIT_BIDI_OVERFLOW  0x10
#define BIT_BIDI_UNDERFLOW 0x08
#define BIT_OVERFLOW       0x04
#define BIT_UNDERFLOW      0x02
#define BIT_STATUS         0x01

static uint8_t flag(bool set, unsigned bit)
{
    return (uint8_t)(set ? bit : 0);
}

static void encode_request_numbers(uint8_t *b, uint32_t cmd_sn, uint32_t exp_stat_sn)
{
    put_be32(b + 24, cmd_sn);
    put_be32(b + 28, exp_stat_sn);
}

static void encode_sequence(uint8_t *b, const struct pdu_sequence *sn)
{
    put_be32(b + 24, sn->stat_sn);
    put_be32(b + 28, sn->exp_cmd_sn);
    put_be32(b + 32, sn->max_cmd_sn);
}

static void decode_sequence(struct pdu_sequence *sn, const uint8_t *b)
{
    sn->stat_sn = get_be32(b + 24);
    sn->exp_cmd_sn = get_be32(b + 28);
    sn->max_cmd_sn = get_be32(b + 32);
}

/* 11.18, 11.19 */
static void encode_nop_out(const struct pdu *pdu, uint8_t *b)
{
    put_be32(b + 20, pdu->nop_out.ttt);
    encode_request_numbers(b, pdu->nop_out.cmd_sn, pdu->nop_out.exp_stat_sn);
}

static void decode_nop_out(struct pdu *pdu, const uint8_t *b)
{
    pdu->nop_out.ttt = get_be32(b + 20);
    pdu->nop_out.cmd_sn = get_be32(b + 24);
    pdu->nop_out.exp_stat_sn = get_be32(b + 28);
}

static void encode_nop_in(const struct pdu *pdu, uint8_t *b)
{
    put_be32(b + 20, pdu->nop_in.ttt);
    encode_sequence(b, &pdu->nop_in.sn);
}

static void decode_nop_in(struct pdu *pdu, const uint8_t *b)
{
    pdu->nop_in.ttt = get_be32(b + 20);
    decode_sequence(&pdu->nop_in.sn, b);
}

/* 11.3, 11.4 */
static void encode_scsi_command(const struct pdu *pdu, uint8_t *b)
{
    const struct pdu_scsi_command *command = &pdu->scsi_command;

    b[1] |= (uint8_t)(flag(command->read, BIT_READ) | flag(command->write, BIT_WRITE) |
                      (command->attribute & 7));
    put_be32(b + 20, command->expected_length);
    encode_request_numbers(b, command->cmd_sn, command->exp_stat_sn);
    memcpy(b + 32, command->cdb, PDU_CDB_LENGTH);
}

static void decode_scsi_command(struct pdu *pdu, const uint8_t *b)
{
    struct pdu_scsi_command *command = &pdu->scsi_command;

    command->read = (b[1] & BIT_READ) != 0;
    command->write = (b[1] & BIT_WRITE) != 0;
    command->attribute = b[1] & 7;
    command->expected_length = get_be32(b + 20);
    command->cmd_sn = get_be32(b + 24);
    command->exp_stat_sn = get_be32(b + 28);
    memcpy(command->cdb, b + 32, PDU_CDB_LENGTH);
}

static void encode_scsi_response(const struct pdu *pdu, uint8_t *b)
{
    const struct pdu_scsi_response *response = &pdu->scsi_response;

    b[1] |= (uint8_t)(flag(response->bidi_overflow, BIT_BIDI_OVERFLOW) |
                      flag(response->bidi_underflow, BIT_BIDI_UNDERFLOW) |
                      flag(response->overflow, BIT_OVERFLOW) |
                      flag(response->underflow, BIT_UNDERFLOW));
    b[2] = response->response;
    b[3] = response->status;
    put_be32(b + 20, response->snack_tag);
    encode_sequence(b, &response->sn);
    put_be32(b + 36, response->exp_data_sn);
    put_be32(b + 40, response->bidi_residual);
    put_be32(b + 44, response->residual);
}

static void decode_scsi_response(struct pdu *pdu, const uint8_t *b)
{
    struct pdu_scsi_response *response = &pdu->scsi_response;

    response->bidi_overflow = (b[1] & BIT_BIDI_OVERFLOW) != 0;
    response->bidi_underflow = (b[1] & BIT_BIDI_UNDERFLOW) != 0;
    response->overflow = (b[1] & BIT_OVERFLOW) != 0;
    response->underflow = (b[1] & BIT_UNDERFLOW) != 0;
    response->response = b[2];
    response->status = b[3];
    response->snack_tag = get_be32(b + 20);
    decode_sequence(&response->sn, b);
    response->exp_data_sn = get_be32(b + 36);
    response->bidi_residual = get_be32(b + 40);
    response->residual = get_be32(b + 44);
}

/* 11.5, 11.6 */
static void encode_task_request(const struct pdu *pdu, uint8_t *b)
{
    const struct pdu_task_request *request = &pdu->task_request;

    b[1] |= request->function & 0x7f;
    put_be32(b + 20, request->referenced_itt);
    encode_request_numbers(b, request->cmd_sn, request->exp_stat_sn);
    put_be32(b + 32, request->ref_cmd_sn);
    put_be32(b + 36, request->exp_data_sn);
}

static void decode_task_request(struct pdu *pdu, const uint8_t *b)
{
    struct pdu_task_request *request = &pdu->task_request;

    request->function = b[1] & 0x7f;
    request->referenced_itt = get_be32(b + 20);
    request->cmd_sn = get_be32(b + 24);
    request->exp_stat_sn = get_be32(b + 28);
    request->ref_cmd_sn = get_be32(b + 32);
    request->exp_data_sn = get_be32(b + 36);
}

static void encode_task_response(const struct pdu *pdu, uint8_t *b)
{
    b[2] = pdu->task_response.response;
    encode_sequence(b, &pdu->task_response.sn);
}

static void decode_task_response(struct pdu *pdu, const uint8_t *b)
{
    pdu->task_response.response = b[2];
    decode_sequence(&pdu->task_response.sn, b);
}

/* 11.7 */
static void encode_data_out(const struct pdu *pdu, uint8_t *b)
{
    put_be32(b + 20, pdu->data_out.ttt);
    put_be32(b + 28, pdu->data_out.exp_stat_sn);
    put_be32(b + 36, pdu->data_out.data_sn);
    put_be32(b + 40, pdu->data_out.offset);
}

static void decode_data_out(struct pdu *pdu, const uint8_t *b)
{
    pdu->data_out.ttt = get_be32(b + 20);
    pdu->data_out.exp_stat_sn = get_be32(b + 28);
    pdu->data_out.data_sn = get_be32(b + 36);
    pdu->data_out.offset = get_be32(b + 40);
}

/* Without the S bit status, StatSN, the residual count and its flags mean nothing: they are sent
 * as zero and read as zero, so that nobody acts on them. */
static void encode_data_in(const struct pdu *pdu, uint8_t *b)
{
    const struct pdu_data_in *data = &pdu->data_in;

    b[1] |= flag(data->acknowledge, BIT_ACKNOWLEDGE);
    put_be32(b + 20, data->ttt);
    encode_sequence(b, &data->sn);
    put_be32(b + 36, data->data_sn);
    put_be32(b + 40, data->offset);
    if (!data->status_present) {
        put_be32(b + 24, 0);
        return;
    }
    b[1] |= (uint8_t)(BIT_STATUS | flag(data->overflow, BIT_OVERFLOW) |
                      flag(data->underflow, BIT_UNDERFLOW));
    b[3] = data->status;
    put_be32(b + 44, data->residual);
}

static void decode_data_in(struct pdu *pdu, const uint8_t *b)
{
    struct pdu_data_in *data = &pdu->data_in;

    data->acknowledge = (b[1] & BIT_ACKNOWLEDGE) != 0;
    data->ttt = get_be32(b + 20);
    decode_sequence(&data->sn, b);
    data->data_sn = get_be32(b + 36);
    data->offset = get_be32(b + 40);
    data->status_present = (b[1] & BIT_STATUS) != 0;
    if (!data->status_present) {
        data->sn.stat_sn = 0;
        return;
    }
    data->overflow = (b[1] & BIT_OVERFLOW) != 0;
    data->underflow = (b[1] & BIT_UNDERFLOW) != 0;
    data->status = b[3];
    data->residual = get_be32(b + 44);
}

/* 11.8 */
static void encode_r2t(const struct pdu *pdu, uint8_t *b)
{
    put_be32(b + 20, pdu->r2t.ttt);
    encode_sequence(b, &pdu->r2t.sn);
    put_be32(b + 36, pdu->r2t.r2t_sn);
    put_be32(b + 40, pdu->r2t.offset);
    put_be32(b + 44, pdu->r2t.length);
}

static void decode_r2t(struct pdu *pdu, const uint8_t *b)
{
    pdu->r2t.ttt = get_be32(b + 20);
    decode_sequence(&pdu->r2t.sn, b);
    pdu->r2t.r2t_sn = get_be32(b + 36);
    pdu->r2t.offset = get_be32(b + 40);
    pdu->r2t.length = get_be32(b + 44);
}

/* 11.9 */
static void encode_async_message(const struct pdu *pdu, uint8_t *b)
{
    const struct pdu_async_message *message = &pdu->async_message;

    put_be32(b + 16, PDU_RESERVED_TAG);
    encode_sequence(b, &message->sn);
    b[36] = message->event;
    b[37] = message->vendor_code;
    put_be16(b + 38, message->parameter1);
    put_be16(b + 40, message->parameter2);
    put_be16(b + 42, message->parameter3);
}

static void decode_async_message(struct pdu *pdu, const uint8_t *b)
{
    struct pdu_async_message *message = &pdu->async_message;

    decode_sequence(&message->sn, b);
    message->event = b[36];
    message->vendor_code = b[37];
    message->parameter1 = get_be16(b + 38);
    message->parameter2 = get_be16(b + 40);
    message->parameter3 = get_be16(b + 42);
}

/* 11.10, 11.11 */
static void encode_text_request(const struct pdu *pdu, uint8_t *b)
{
    b[1] |= flag(pdu->text_request.more, BIT_CONTINUE);
    put_be32(b + 20, pdu->text_request.ttt);
    encode_request_numbers(b, pdu->text_request.cmd_sn, pdu->text_request.exp_stat_sn);
}

static void decode_text_request(struct pdu *pdu, const uint8_t *b)
{
    pdu->text_request.more = (b[1] & BIT_CONTINUE) != 0;
    pdu->text_request.ttt = get_be32(b + 20);
    pdu->text_request.cmd_sn = get_be32(b + 24);
    pdu->text_request.exp_stat_sn = get_be32(b + 28);
}

static void encode_text_response(const struct pdu *pdu, uint8_t *b)
{
    b[1] |= flag(pdu->text_response.more, BIT_CONTINUE);
    put_be32(b + 20, pdu->text_response.ttt);
    encode_sequence(b, &pdu->text_response.sn);
}

static void decode_text_response(struct pdu *pdu, const uint8_t *b)
{
    pdu->text_response.more = (b[1] & BIT_CONTINUE) != 0;
    pdu->text_response.ttt = get_be32(b + 20);
    decode_sequence(&pdu->text_response.sn, b);
}

/* Byte 1 of login PDUs. NSG is reserved unless the T bit is set (11.12.3). */
static uint8_t login_flags(bool transit, bool more, uint8_t current, uint8_t next)
{
    unsigned stages = (unsigned)(current & 3) << 2 | (transit ? next & 3u : 0);

    return (uint8_t)(flag(transit, BIT_FINAL) | flag(more, BIT_CONTINUE) | stages);
}

/* 11.12 */
static void encode_login_request(const struct pdu *pdu, uint8_t *b)
{
    const struct pdu_login_request *login = &pdu->login_request;

    b[1] = login_flags(login->transit, login->more, login->current_stage, login->next_stage);
    b[2] = login->version_max;
    b[3] = login->version_min;
    memcpy(b + 8, login->isid, PDU_ISID_LENGTH);
    put_be16(b + 14, login->tsih);
    put_be16(b + 20, login->cid);
    encode_request_numbers(b, login->cmd_sn, login->exp_stat_sn);
}

static void decode_login_request(struct pdu *pdu, const uint8_t *b)
{
    struct pdu_login_request *login = &pdu->login_request;

    login->transit = (b[1] & BIT_FINAL) != 0;
    login->more = (b[1] & BIT_CONTINUE) != 0;
    login->current_stage = b[1] >> 2 & 3;
    login->next_stage = login->transit ? b[1] & 3 : 0;
    login->version_max = b[2];
    login->version_min = b[3];
    memcpy(login->isid, b + 8, PDU_ISID_LENGTH);
    login->tsih = get_be16(b + 14);
    login->cid = get_be16(b + 20);
    login->cmd_sn = get_be32(b + 24);
    login->exp_stat_sn = get_be32(b + 28);
}

/* 11.13 */
static void encode_login_response(const struct pdu *pdu, uint8_t *b)
{
    const struct pdu_login_response *login = &pdu->login_response;

    b[1] = login_flags(login->transit, login->more, login->current_stage, login->next_stage);
    b[2] = login->version_max;
    b[3] = login->version_active;
    memcpy(b + 8, login->isid, PDU_ISID_LENGTH);
    put_be16(b + 14, login->tsih);
    encode_sequence(b, &login->sn);
    b[36] = login->status_class;
    b[37] = login->status_detail;
}

static void decode_login_response(struct pdu *pdu, const uint8_t *b)
{
    struct pdu_login_response *login = &pdu->login_response;

    login->transit = (b[1] & BIT_FINAL) != 0;
    login->more = (b[1] & BIT_CONTINUE) != 0;
    login->current_stage = b[1] >> 2 & 3;
    login->next_stage = login->transit ? b[1] & 3 : 0;
    login->version_max = b[2];
    login->version_active = b[3];
    memcpy(login->isid, b + 8, PDU_ISID_LENGTH);
    login->tsih = get_be16(b + 14);
    decode_sequence(&login->sn, b);
    login->status_class = b[36];
    login->status_detail = b[37];
}

/* 11.14, 11.15 */
static void encode_logout_request(const struct pdu *pdu, uint8_t *b)
{
    b[1] |= pdu->logout_request.reason & 0x7f;
    put_be16(b + 20, pdu->logout_request.cid);
    encode_request_numbers(b, pdu->logout_request.cmd_sn, pdu->logout_request.exp_stat_sn);
}

static void decode_logout_request(struct pdu *pdu, const uint8_t *b)
{
    pdu->logout_request.reason = b[1] & 0x7f;
    pdu->logout_request.cid = get_be16(b + 20);
    pdu->logout_request.cmd_sn = get_be32(b + 24);
    pdu->logout_request.exp_stat_sn = get_be32(b + 28);
}

static void encode_logout_response(const struct pdu *pdu, uint8_t *b)
{
    b[2] = pdu->logout_response.response;
    encode_sequence(b, &pdu->logout_response.sn);
    put_be16(b + 40, pdu->logout_response.time2wait);
    put_be16(b + 42, pdu->logout_response.time2retain);
}

static void decode_logout_response(struct pdu *pdu, const uint8_t *b)
{
    pdu->logout_response.response = b[2];
    decode_sequence(&pdu->logout_response.sn, b);
    pdu->logout_response.time2wait = get_be16(b + 40);
    pdu->logout_response.time2retain = get_be16(b + 42);
}

/* 11.16 */
static void encode_snack(const struct pdu *pdu, uint8_t *b)
{
    b[1] |= pdu->snack.type & 0x0f;
    put_be32(b + 20, pdu->snack.ttt);
    put_be32(b + 28, pdu->snack.exp_stat_sn);
    put_be32(b + 40, pdu->snack.begin_run);
    put_be32(b + 44, pdu->snack.run_length);
}

static void decode_snack(struct pdu *pdu, const uint8_t *b)
{
    pdu->snack.type = b[1] & 0x0f;
    pdu->snack.ttt = get_be32(b + 20);
    pdu->snack.exp_stat_sn = get_be32(b + 28);
    pdu->snack.begin_run = get_be32(b + 40);
    pdu->snack.run_length = get_be32(b + 44);
}

/* 11.17 */
static void encode_reject(const struct pdu *pdu, uint8_t *b)
{
    b[2] = pdu->reject.reason;
    put_be32(b + 16, PDU_RESERVED_TAG);
    encode_sequence(b, &pdu->reject.sn);
    put_be32(b + 36, pdu->reject.data_sn);
}

static void decode_reject(struct pdu *pdu, const uint8_t *b)
{
    pdu->reject.reason = b[2];
    decode_sequence(&pdu->reject.sn, b);
    pdu->reject.data_sn = get_be32(b + 36);
}

enum {
    ROW_LUN = 1,             /* bytes 8 to 15 are a LUN */
    ROW_FINAL = 2,           /* the F bit carries meaning; elsewhere it is always sent as 1 */
    ROW_IMMEDIATE = 4,       /* the sender chooses the I bit */
    ROW_FIXED_IMMEDIATE = 8, /* the I bit is always 1 */
};

static const struct row {
    const char *name;
    void (*encode)(const struct pdu *pdu, uint8_t *bhs);
    void (*decode)(struct pdu *pdu, const uint8_t *bhs);
    unsigned flags;
} rows[OPCODE_MASK + 1] = {
    [PDU_NOP_OUT] = {"NOP-Out", encode_nop_out, decode_nop_out, ROW_LUN | ROW_IMMEDIATE},
    [PDU_SCSI_COMMAND] = {"SCSI Command", encode_scsi_command, decode_scsi_command,
                          ROW_LUN | ROW_FINAL | ROW_IMMEDIATE},
    [PDU_TASK_REQUEST] = {"Task Management Function Request", encode_task_request,
                          decode_task_request, ROW_LUN | ROW_IMMEDIATE},
    [PDU_LOGIN_REQUEST] = {"Login Request", encode_login_request, decode_login_request,
                           ROW_FIXED_IMMEDIATE},
    [PDU_TEXT_REQUEST] = {"Text Request", encode_text_request, decode_text_request,
                          ROW_LUN | ROW_FINAL | ROW_IMMEDIATE},
    [PDU_DATA_OUT] = {"SCSI Data-Out", encode_data_out, decode_data_out, ROW_LUN | ROW_FINAL},
    [PDU_LOGOUT_REQUEST] = {"Logout Request", encode_logout_request, decode_logout_request,
                            ROW_IMMEDIATE},
    [PDU_SNACK] = {"SNACK Request", encode_snack, decode_snack, ROW_LUN | ROW_FIXED_IMMEDIATE},
    [PDU_NOP_IN] = {"NOP-In", encode_nop_in, decode_nop_in, ROW_LUN},
    [PDU_SCSI_RESPONSE] = {"SCSI Response", encode_scsi_response, decode_scsi_response, 0},
    [PDU_TASK_RESPONSE] = {"Task Management Function Response", encode_task_response,
                           decode_task_response, 0},
    [PDU_LOGIN_RESPONSE] = {"Login Response", encode_login_response, decode_login_response, 0},
    [PDU_TEXT_RESPONSE] = {"Text Response", encode_text_response, decode_text_response,
                           ROW_LUN | ROW_FINAL},
    [PDU_DATA_IN] = {"SCSI Data-In", encode_data_in, decode_data_in, ROW_LUN | ROW_FINAL},
    [PDU_LOGOUT_RESPONSE] = {"Logout Response", encode_logout_response, decode_logout_response, 0},
    [PDU_R2T] = {"Ready To Transfer", encode_r2t, decode_r2t, ROW_LUN},
    [PDU_ASYNC_MESSAGE] = {"Asynchronous Message", encode_async_message, decode_async_message,
                           ROW_LUN},
    [PDU_REJECT] = {"Reject", encode_reject, decode_reject, 0},
};

void pdu_encode(const struct pdu *pdu, uint8_t bhs[PDU_BHS_LENGTH])
{
    const struct row *row = &rows[pdu->opcode & OPCODE_MASK];

    memset(bhs, 0, PDU_BHS_LENGTH);
    bhs[0] = pdu->opcode & OPCODE_MASK;
    if (row->flags & ROW_FIXED_IMMEDIATE || (row->flags & ROW_IMMEDIATE && pdu->immediate))
        bhs[0] |= BIT_IMMEDIATE;
    bhs[1] = flag(pdu->final || !(row->flags & ROW_FINAL), BIT_FINAL);
    bhs[4] = (uint8_t)(pdu->ahs_length / 4);
    put_be24(bhs + 5, pdu->data_length);
    if (row->flags & ROW_LUN)
        put_be64(bhs + 8, pdu->lun);
    put_be32(bhs + 16, pdu->itt);
    if (row->encode)
        row->encode(pdu, bhs);
}

enum status pdu_decode(struct pdu *pdu, const uint8_t bhs[PDU_BHS_LENGTH])
{
    const struct row *row = &rows[bhs[0] & OPCODE_MASK];

    memset(pdu, 0, sizeof *pdu);
    pdu->opcode = bhs[0] & OPCODE_MASK;
    pdu->immediate =
        row->flags & ROW_FIXED_IMMEDIATE || (row->flags & ROW_IMMEDIATE && bhs[0] & BIT_IMMEDIATE);
    pdu->final = (bhs[1] & BIT_FINAL) != 0;
    pdu->ahs_length = (uint16_t)(bhs[4] * 4);
    pdu->data_length = get_be24(bhs + 5);
    if (row->flags & ROW_LUN || !row->decode)
        pdu->lun = get_be64(bhs + 8);
    pdu->itt = get_be32(bhs + 16);
    if (!row->decode)
        return STATUS_PROTOCOL_ERROR;
    row->decode(pdu, bhs);
    return STATUS_OK;
}

const char *pdu_opcode_name(uint8_t opcode)
{
    const char *name = rows[opcode & OPCODE_MASK].name;

    return name ? name : "undefined opcode";
}

bool pdu_from_target(uint8_t opcode)
{
    return (opcode & 0x20) != 0;
}
