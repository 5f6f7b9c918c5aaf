/* SCSI commands, their data and sense (SPC-4, SBC-3, SAM-5). */
#ifndef PROTOCOL_SCSI_H
#define PROTOCOL_SCSI_H

#include "protocol/bytes.h"

#include <stdbool.h>

enum scsi_opcode {
    SCSI_TEST_UNIT_READY = 0x00,
    SCSI_REQUEST_SENSE = 0x03,
    SCSI_READ_6 = 0x08,
    SCSI_WRITE_6 = 0x0a,
    SCSI_INQUIRY = 0x12,
    SCSI_MODE_SELECT_6 = 0x15,
    SCSI_RESERVE_6 = 0x16,
    SCSI_RELEASE_6 = 0x17,
    SCSI_MODE_SENSE_6 = 0x1a,
    SCSI_START_STOP_UNIT = 0x1b,
    SCSI_SEND_DIAGNOSTIC = 0x1d,
    SCSI_PREVENT_ALLOW = 0x1e,
    SCSI_READ_CAPACITY_10 = 0x25,
    SCSI_READ_10 = 0x28,
    SCSI_WRITE_10 = 0x2a,
    SCSI_WRITE_VERIFY_10 = 0x2e,
    SCSI_VERIFY_10 = 0x2f,
    SCSI_PRE_FETCH_10 = 0x34,
    SCSI_SYNCHRONIZE_CACHE_10 = 0x35,
    SCSI_READ_DEFECT_DATA_10 = 0x37,
    SCSI_WRITE_SAME_10 = 0x41,
    SCSI_UNMAP = 0x42,
    SCSI_LOG_SELECT = 0x4c,
    SCSI_LOG_SENSE = 0x4d,
    SCSI_XDWRITEREAD_10 = 0x53,
    SCSI_MODE_SELECT_10 = 0x55,
    SCSI_RESERVE_10 = 0x56,
    SCSI_RELEASE_10 = 0x57,
    SCSI_MODE_SENSE_10 = 0x5a,
    SCSI_PERSISTENT_RESERVE_IN = 0x5e,
    SCSI_PERSISTENT_RESERVE_OUT = 0x5f,
    SCSI_VARIABLE_LENGTH = 0x7f,
    SCSI_EXTENDED_COPY = 0x83,
    SCSI_RECEIVE_COPY_RESULTS = 0x84,
    SCSI_READ_16 = 0x88,
    SCSI_COMPARE_AND_WRITE = 0x89,
    SCSI_WRITE_16 = 0x8a,
    SCSI_ORWRITE_16 = 0x8b,
    SCSI_WRITE_VERIFY_16 = 0x8e,
    SCSI_VERIFY_16 = 0x8f,
    SCSI_PRE_FETCH_16 = 0x90,
    SCSI_SYNCHRONIZE_CACHE_16 = 0x91,
    SCSI_WRITE_SAME_16 = 0x93,
    SCSI_SERVICE_ACTION_IN_16 = 0x9e,
    SCSI_REPORT_LUNS = 0xa0,
    SCSI_MAINTENANCE_IN = 0xa3,
    SCSI_READ_12 = 0xa8,
    SCSI_WRITE_12 = 0xaa,
    SCSI_WRITE_VERIFY_12 = 0xae,
    SCSI_VERIFY_12 = 0xaf,
    SCSI_READ_DEFECT_DATA_12 = 0xb7,
};

/* Service actions of SCSI_SERVICE_ACTION_IN_16 and SCSI_MAINTENANCE_IN. */
enum {
    SCSI_SERVICE_ACTION_READ_CAPACITY_16 = 0x10,
    SCSI_SERVICE_ACTION_GET_LBA_STATUS = 0x12,
    SCSI_MAINTENANCE_REPORT_OPCODES = 0x0c,
    SCSI_MAINTENANCE_REPORT_FUNCTIONS = 0x0d,
};

/* Service actions of SCSI_RECEIVE_COPY_RESULTS. */
enum { SCSI_COPY_STATUS = 0x00, SCSI_COPY_PARAMETERS = 0x03 };

/* Service actions of SCSI_VARIABLE_LENGTH: CDBs of 32 bytes. */
enum {
    SCSI_VARIABLE_XDWRITEREAD_32 = 0x0007,
    SCSI_VARIABLE_READ_32 = 0x0009,
    SCSI_VARIABLE_WRITE_32 = 0x000b,
};

enum scsi_status {
    SCSI_GOOD = 0x00,
    SCSI_CHECK_CONDITION = 0x02,
    SCSI_CONDITION_MET = 0x04,
    SCSI_BUSY = 0x08,
    SCSI_RESERVATION_CONFLICT = 0x18,
    SCSI_TASK_SET_FULL = 0x28,
    SCSI_ACA_ACTIVE = 0x30,
    SCSI_TASK_ABORTED = 0x40,
};

enum scsi_sense_key {
    SCSI_NO_SENSE = 0x0,
    SCSI_RECOVERED_ERROR = 0x1,
    SCSI_NOT_READY = 0x2,
    SCSI_MEDIUM_ERROR = 0x3,
    SCSI_HARDWARE_ERROR = 0x4,
    SCSI_ILLEGAL_REQUEST = 0x5,
    SCSI_UNIT_ATTENTION = 0x6,
    SCSI_DATA_PROTECT = 0x7,
    SCSI_COPY_ABORTED = 0xa,
    SCSI_ABORTED_COMMAND = 0xb,
    SCSI_MISCOMPARE = 0xe,
};

#define SCSI_SENSE_MAX                   252u
#define SCSI_ASC(asc, ascq)              ((uint16_t)((asc) << 8 | (ascq)))
#define SCSI_ASC_BECOMING_READY          SCSI_ASC(0x04, 0x01)
#define SCSI_ASC_INVALID_OPCODE          SCSI_ASC(0x20, 0x00)
#define SCSI_ASC_LBA_OUT_OF_RANGE        SCSI_ASC(0x21, 0x00)
#define SCSI_ASC_INVALID_FIELD_IN_CDB    SCSI_ASC(0x24, 0x00)
#define SCSI_ASC_LUN_NOT_SUPPORTED       SCSI_ASC(0x25, 0x00)
#define SCSI_ASC_POWER_ON_RESET          SCSI_ASC(0x29, 0x00)
#define SCSI_ASC_WRITE_PROTECTED         SCSI_ASC(0x27, 0x00)
#define SCSI_ASC_PARAMETER_LENGTH        SCSI_ASC(0x1a, 0x00)
#define SCSI_ASC_INVALID_PARAMETER       SCSI_ASC(0x26, 0x00)
#define SCSI_ASC_RESET_BY_FUNCTION       SCSI_ASC(0x29, 0x03)
#define SCSI_ASC_MODE_CHANGED            SCSI_ASC(0x2a, 0x01)
#define SCSI_ASC_RESERVATIONS_PREEMPTED  SCSI_ASC(0x2a, 0x03)
#define SCSI_ASC_RESERVATIONS_RELEASED   SCSI_ASC(0x2a, 0x04)
#define SCSI_ASC_REGISTRATIONS_PREEMPTED SCSI_ASC(0x2a, 0x05)
#define SCSI_ASC_COMMANDS_CLEARED        SCSI_ASC(0x2f, 0x00)
#define SCSI_ASC_MEDIUM_CHANGED          SCSI_ASC(0x28, 0x00)
#define SCSI_ASC_CAPACITY_CHANGED        SCSI_ASC(0x2a, 0x09)
#define SCSI_ASC_INQUIRY_CHANGED         SCSI_ASC(0x3f, 0x03)
#define SCSI_ASC_NO_MEDIUM               SCSI_ASC(0x3a, 0x00)
#define SCSI_ASC_REMOVAL_PREVENTED       SCSI_ASC(0x53, 0x02)
#define SCSI_ASC_REPORTED_LUNS_CHANGED   SCSI_ASC(0x3f, 0x0e)

/* A command descriptor block and its length: 6, 10, 12 or 16 (32 and more need an AHS). */
struct scsi_cdb {
    uint8_t bytes[16];
    uint8_t length;
};

void scsi_test_unit_ready(struct scsi_cdb *cdb);
/* `flags`: bit 0 EVPD, bit 1 CmdDt (obsolete, sent as asked). */
void scsi_inquiry(struct scsi_cdb *cdb, uint8_t flags, uint8_t page, uint16_t length);
void scsi_read_capacity_10(struct scsi_cdb *cdb);
void scsi_read_capacity_16(struct scsi_cdb *cdb, uint32_t length);
void scsi_report_luns(struct scsi_cdb *cdb, uint32_t length);
/* READ/WRITE (10) where it fits, else (16). */
void scsi_read(struct scsi_cdb *cdb, uint64_t lba, uint32_t blocks);
void scsi_write(struct scsi_cdb *cdb, uint64_t lba, uint32_t blocks, bool force_unit_access);
void scsi_synchronize_cache(struct scsi_cdb *cdb, uint64_t lba, uint32_t blocks);
/* (16); its data are one block, which is written to each. `unmap`: those that would read as that
 * block when they are unmapped need not be kept. */
void scsi_write_same(struct scsi_cdb *cdb, uint64_t lba, uint32_t blocks, bool unmap);
/* Its data are the blocks that are to be found, then those that are to be written. */
void scsi_compare_and_write(struct scsi_cdb *cdb, uint64_t lba, uint8_t blocks,
                            bool force_unit_access);
#define SCSI_UNMAP_ONE 24u /* length of the data below */
/* With data for one range of blocks. */
void scsi_unmap(struct scsi_cdb *cdb, uint8_t data[SCSI_UNMAP_ONE], uint64_t lba, uint32_t blocks);
/* (6): all pages; its header is what counts. */
void scsi_mode_sense(struct scsi_cdb *cdb, uint8_t length);

/* Length of a CDB by its group code; 0 for vendor-specific and variable-length ones. */
unsigned scsi_cdb_length(uint8_t opcode);

struct scsi_sense {
    bool valid;    /* a response code of 70h..73h was found and the key could be read */
    bool deferred; /* 71h, 73h */
    uint8_t key;
    uint16_t asc; /* ASC and ASCQ */
    bool information_valid;
    uint64_t information;
};

/* Fixed (70h/71h) and descriptor (72h/73h) format, any length. */
void scsi_sense_decode(struct scsi_sense *sense, const uint8_t *data, size_t length);
/* Fixed format, 18 bytes. */
void scsi_sense_encode(uint8_t out[18], uint8_t key, uint16_t asc);
const char *scsi_sense_key_name(uint8_t key);

struct scsi_inquiry_data {
    uint8_t peripheral_qualifier;
    uint8_t device_type;
    bool removable;
    uint8_t version;
    char vendor[9];
    char product[17];
    char revision[5];
};
/* False when fewer than 5 bytes are there; missing text is empty, trailing blanks are cut, what is
 * not printable ASCII becomes '?'. */
bool scsi_inquiry_decode(struct scsi_inquiry_data *out, const uint8_t *data, size_t length);

struct scsi_capacity {
    uint64_t blocks; /* last LBA + 1; 0 when too_large */
    uint32_t block_length;
    bool too_large; /* READ CAPACITY (10) said ffffffffh: ask (16) */
    bool thin;
};
/* False when there is too little data, a block length of zero or more blocks than can be counted.
 */
bool scsi_capacity_10_decode(struct scsi_capacity *out, const uint8_t *data, size_t length);
bool scsi_capacity_16_decode(struct scsi_capacity *out, const uint8_t *data, size_t length);

/* Of a disk, in the header of its answer to MODE SENSE (6). */
struct scsi_mode {
    bool write_protected;
    bool force_unit_access; /* it knows FUA (DPOFUA) */
};
bool scsi_mode_decode(struct scsi_mode *out, const uint8_t *data, size_t length);

/* LUN formats of SAM-5, 4.7: single-level peripheral (0..255), flat (0..16383), extended flat (24
 * bits), long extended flat (the rest). */
uint64_t scsi_lun_encode(uint32_t number);
/* The number of a single-level LUN, or -1 for another format. */
int64_t scsi_lun_number(uint64_t lun);

/* The LUN as interfaces spell it: its number if that is below 16384 and stands for that field
 * alone, else the eight bytes of the field; and back. */
uint64_t scsi_lun_spelling(uint64_t lun);
uint64_t scsi_lun_from_spelling(uint64_t spelling);

#endif
