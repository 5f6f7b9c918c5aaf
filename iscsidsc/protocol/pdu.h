/*
 * Protocol data units: the basic header segment (BHS) as a C value, both ways (RFC 7143, 11).
 * Numbers are in host order; a LUN is its eight bytes read as one big-endian number.
 */
#ifndef PROTOCOL_PDU_H
#define PROTOCOL_PDU_H

#include "protocol/bytes.h"
#include "protocol/status.h"

#include <stdbool.h>

#define PDU_BHS_LENGTH     48u
#define PDU_AHS_MAX        1020u /* TotalAHSLength counts four-byte words in one byte */
#define PDU_DATA_MAX       0xffffffu
#define PDU_DIGEST_LENGTH  4u
#define PDU_RESERVED_TAG   0xffffffffu
#define PDU_CDB_LENGTH     16u
#define PDU_ISID_LENGTH    6u
#define ISCSI_DEFAULT_PORT 3260u

enum pdu_opcode {
    PDU_NOP_OUT = 0x00,
    PDU_SCSI_COMMAND = 0x01,
    PDU_TASK_REQUEST = 0x02,
    PDU_LOGIN_REQUEST = 0x03,
    PDU_TEXT_REQUEST = 0x04,
    PDU_DATA_OUT = 0x05,
    PDU_LOGOUT_REQUEST = 0x06,
    PDU_SNACK = 0x10,
    PDU_NOP_IN = 0x20,
    PDU_SCSI_RESPONSE = 0x21,
    PDU_TASK_RESPONSE = 0x22,
    PDU_LOGIN_RESPONSE = 0x23,
    PDU_TEXT_RESPONSE = 0x24,
    PDU_DATA_IN = 0x25,
    PDU_LOGOUT_RESPONSE = 0x26,
    PDU_R2T = 0x31,
    PDU_ASYNC_MESSAGE = 0x32,
    PDU_REJECT = 0x3f,
};

enum login_stage {
    LOGIN_STAGE_SECURITY = 0,
    LOGIN_STAGE_OPERATIONAL = 1,
    LOGIN_STAGE_FULL_FEATURE = 3,
};

enum task_attribute {
    TASK_ATTRIBUTE_UNTAGGED = 0,
    TASK_ATTRIBUTE_SIMPLE = 1,
    TASK_ATTRIBUTE_ORDERED = 2,
    TASK_ATTRIBUTE_HEAD_OF_QUEUE = 3,
    TASK_ATTRIBUTE_ACA = 4,
};

enum task_function {
    TASK_ABORT_TASK = 1,
    TASK_ABORT_TASK_SET = 2,
    TASK_CLEAR_ACA = 3,
    TASK_CLEAR_TASK_SET = 4,
    TASK_LUN_RESET = 5,
    TASK_TARGET_WARM_RESET = 6,
    TASK_TARGET_COLD_RESET = 7,
    TASK_REASSIGN = 8,
};

enum task_response {
    TASK_RESPONSE_COMPLETE = 0,
    TASK_RESPONSE_NO_TASK = 1,
    TASK_RESPONSE_NO_LUN = 2,
    TASK_RESPONSE_STILL_ALLEGIANT = 3,
    TASK_RESPONSE_NO_REASSIGN = 4,
    TASK_RESPONSE_NOT_SUPPORTED = 5,
    TASK_RESPONSE_AUTHORIZATION = 6,
    TASK_RESPONSE_REJECTED = 255,
};

enum logout_reason {
    LOGOUT_CLOSE_SESSION = 0,
    LOGOUT_CLOSE_CONNECTION = 1,
    LOGOUT_RECOVERY = 2,
};

enum logout_response {
    LOGOUT_DONE = 0,
    LOGOUT_NO_CID = 1,
    LOGOUT_NO_RECOVERY = 2,
    LOGOUT_CLEANUP_FAILED = 3,
};

enum async_event {
    ASYNC_SCSI = 0,
    ASYNC_LOGOUT_REQUESTED = 1,
    ASYNC_DROP_CONNECTION = 2,
    ASYNC_DROP_SESSION = 3,
    ASYNC_RENEGOTIATE = 4,
    ASYNC_TASKS_TERMINATED = 5,
    ASYNC_VENDOR = 255,
};

enum snack_type {
    SNACK_DATA_R2T = 0,
    SNACK_STATUS = 1,
    SNACK_DATA_ACK = 2,
    SNACK_RDATA = 3,
};

enum reject_reason {
    REJECT_DATA_DIGEST = 0x02,
    REJECT_SNACK = 0x03,
    REJECT_PROTOCOL_ERROR = 0x04,
    REJECT_NOT_SUPPORTED = 0x05,
    REJECT_IMMEDIATE_COMMAND = 0x06,
    REJECT_TASK_IN_PROGRESS = 0x07,
    REJECT_INVALID_DATA_ACK = 0x08,
    REJECT_INVALID_PDU_FIELD = 0x09,
    REJECT_LONG_OPERATION = 0x0a,
    REJECT_NEGOTIATION_RESET = 0x0b,
    REJECT_WAITING_FOR_LOGOUT = 0x0c,
};

/* Response field of a SCSI Response (RFC 7143, 11.4.3). */
enum scsi_response_code {
    SCSI_RESPONSE_COMPLETED = 0,
    SCSI_RESPONSE_TARGET_FAILURE = 1,
};

/* What every response of a target carries. */
struct pdu_sequence {
    uint32_t stat_sn;
    uint32_t exp_cmd_sn;
    uint32_t max_cmd_sn;
};

struct pdu_nop_out {
    uint32_t ttt;
    uint32_t cmd_sn;
    uint32_t exp_stat_sn;
};

struct pdu_nop_in {
    uint32_t ttt;
    struct pdu_sequence sn;
};

struct pdu_scsi_command {
    bool read;
    bool write;
    uint8_t attribute; /* enum task_attribute */
    uint32_t expected_length;
    uint32_t cmd_sn;
    uint32_t exp_stat_sn;
    uint8_t cdb[PDU_CDB_LENGTH];
};

struct pdu_scsi_response {
    bool bidi_overflow;
    bool bidi_underflow;
    bool overflow;
    bool underflow;
    uint8_t response; /* enum scsi_response_code */
    uint8_t status;   /* SCSI status */
    uint32_t snack_tag;
    struct pdu_sequence sn;
    uint32_t exp_data_sn;
    uint32_t bidi_residual;
    uint32_t residual;
};

struct pdu_task_request {
    uint8_t function; /* enum task_function */
    uint32_t referenced_itt;
    uint32_t cmd_sn;
    uint32_t exp_stat_sn;
    uint32_t ref_cmd_sn;
    uint32_t exp_data_sn;
};

struct pdu_task_response {
    uint8_t response; /* enum task_response */
    struct pdu_sequence sn;
};

struct pdu_data_out {
    uint32_t ttt;
    uint32_t exp_stat_sn;
    uint32_t data_sn;
    uint32_t offset;
};

struct pdu_data_in {
    bool acknowledge;
    bool overflow;
    bool underflow;
    bool status_present; /* S bit: status, stat_sn and residual count */
    uint8_t status;
    uint32_t ttt;
    struct pdu_sequence sn;
    uint32_t data_sn;
    uint32_t offset;
    uint32_t residual;
};

struct pdu_r2t {
    uint32_t ttt;
    struct pdu_sequence sn;
    uint32_t r2t_sn;
    uint32_t offset;
    uint32_t length;
};

struct pdu_async_message {
    struct pdu_sequence sn;
    uint8_t event; /* enum async_event */
    uint8_t vendor_code;
    uint16_t parameter1;
    uint16_t parameter2;
    uint16_t parameter3;
};

struct pdu_text_request {
    bool more; /* C bit */
    uint32_t ttt;
    uint32_t cmd_sn;
    uint32_t exp_stat_sn;
};

struct pdu_text_response {
    bool more; /* C bit */
    uint32_t ttt;
    struct pdu_sequence sn;
};

struct pdu_login_request {
    bool transit; /* T bit: the header's final bit */
    bool more;    /* C bit */
    uint8_t current_stage;
    uint8_t next_stage;
    uint8_t version_max;
    uint8_t version_min;
    uint8_t isid[PDU_ISID_LENGTH];
    uint16_t tsih;
    uint16_t cid;
    uint32_t cmd_sn;
    uint32_t exp_stat_sn;
};

struct pdu_login_response {
    bool transit;
    bool more;
    uint8_t current_stage;
    uint8_t next_stage;
    uint8_t version_max;
    uint8_t version_active;
    uint8_t isid[PDU_ISID_LENGTH];
    uint16_t tsih;
    struct pdu_sequence sn;
    uint8_t status_class;
    uint8_t status_detail;
};

struct pdu_logout_request {
    uint8_t reason; /* enum logout_reason */
    uint16_t cid;
    uint32_t cmd_sn;
    uint32_t exp_stat_sn;
};

struct pdu_logout_response {
    uint8_t response; /* enum logout_response */
    struct pdu_sequence sn;
    uint16_t time2wait;
    uint16_t time2retain;
};

struct pdu_snack {
    uint8_t type; /* enum snack_type */
    uint32_t ttt; /* TTT or SNACK tag */
    uint32_t exp_stat_sn;
    uint32_t begin_run;
    uint32_t run_length;
};

struct pdu_reject {
    uint8_t reason; /* enum reject_reason */
    struct pdu_sequence sn;
    uint32_t data_sn; /* DataSN/R2TSN, meaningful for REJECT_SNACK answers only */
};

struct pdu {
    uint8_t opcode;       /* enum pdu_opcode */
    bool immediate;       /* I bit, requests only */
    bool final;           /* F bit (T bit of login PDUs is in the login member) */
    uint16_t ahs_length;  /* bytes, a multiple of four */
    uint32_t data_length; /* bytes, without padding */
    uint64_t lun;
    uint32_t itt;
    union {
        struct pdu_nop_out nop_out;
        struct pdu_nop_in nop_in;
        struct pdu_scsi_command scsi_command;
        struct pdu_scsi_response scsi_response;
        struct pdu_task_request task_request;
        struct pdu_task_response task_response;
        struct pdu_data_out data_out;
        struct pdu_data_in data_in;
        struct pdu_r2t r2t;
        struct pdu_async_message async_message;
        struct pdu_text_request text_request;
        struct pdu_text_response text_response;
        struct pdu_login_request login_request;
        struct pdu_login_response login_response;
        struct pdu_logout_request logout_request;
        struct pdu_logout_response logout_response;
        struct pdu_snack snack;
        struct pdu_reject reject;
    };
};

/* Writes the 48 bytes of `pdu`. Reserved fields become zero. */
void pdu_encode(const struct pdu *pdu, uint8_t bhs[PDU_BHS_LENGTH]);

/*
 * Reads 48 bytes. STATUS_PROTOCOL_ERROR for an opcode that RFC 7143 does not define;
 * the common fields (opcode, lengths, lun, itt) are set even then. Reserved bits are
 * ignored, as the RFC asks of a receiver.
 */
enum status pdu_decode(struct pdu *pdu, const uint8_t bhs[PDU_BHS_LENGTH]);

/* "SCSI Response", for messages. */
const char *pdu_opcode_name(uint8_t opcode);

/* True for the opcodes that a target sends. */
bool pdu_from_target(uint8_t opcode);

/* --- additional header segments (RFC 7143, 11.2.2) --- */

enum ahs_type {
    AHS_EXTENDED_CDB = 1,
    AHS_BIDI_READ_LENGTH = 2,
};

struct ahs {
    uint8_t type;        /* enum ahs_type, or anything a peer sent */
    const uint8_t *data; /* AHS-specific bytes, borrowed */
    uint16_t length;     /* AHSLength */
};

/*
 * Walks the AHS area. `*offset` starts at 0. Returns 1 and one segment, 0 at the end,
 * -1 when a length leads outside of the area.
 */
int ahs_next(const uint8_t *area, size_t length, size_t *offset, struct ahs *out);

/* Appends one segment padded to four bytes; returns the new length or 0 when it does not fit. */
size_t ahs_append(uint8_t *area, size_t room, size_t length, uint8_t type, const void *data,
                  uint16_t data_length);

#endif
