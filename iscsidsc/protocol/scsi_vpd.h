/* What a target tells of its logical units: REPORT LUNS and vital product data (SPC-4, 6.33 and
 * 7.8). */
#ifndef PROTOCOL_SCSI_VPD_H
#define PROTOCOL_SCSI_VPD_H

#include "protocol/bytes.h"

#include <stdbool.h>

enum {
    SCSI_VPD_SERIAL = 0x80,
    SCSI_VPD_IDENTIFICATION = 0x83,
    SCSI_VPD_BLOCK_LIMITS = 0xb0,
    SCSI_VPD_PROVISIONING = 0xb2,
};

/* Length in bytes of the whole answer to REPORT LUNS, 0 when too little of it is there. */
uint32_t scsi_luns_length(const uint8_t *data, size_t length);
/* Number of LUN fields that are there, and each of them. */
size_t scsi_luns_count(const uint8_t *data, size_t length);
uint64_t scsi_luns_at(const uint8_t *data, size_t index);

enum scsi_designator_type {
    SCSI_DESIGNATOR_VENDOR = 0x0,
    SCSI_DESIGNATOR_T10 = 0x1,
    SCSI_DESIGNATOR_EUI64 = 0x2,
    SCSI_DESIGNATOR_NAA = 0x3,
    SCSI_DESIGNATOR_NAME = 0x8,
    SCSI_DESIGNATOR_UUID = 0xa,
};

struct scsi_designator {
    uint8_t type;
    const uint8_t *bytes; /* in the page */
    size_t length;
};

/* Of the designators of the logical unit on page 83h the one that says most reliably which one in
 * the world it is. False: there is none, or it is another page. */
bool scsi_vpd_designator(struct scsi_designator *out, const uint8_t *page, size_t length);

/* The serial number on page 80h without blanks around it, as far as there is room; what is not
 * printable ASCII becomes '?'. False: there is none, or it is another page. */
bool scsi_vpd_serial(char *out, size_t room, const uint8_t *page, size_t length);

/* What a disk can take in one command, in blocks; 0: it tells no limit, or where `needed` is said,
 * it cannot do it at all (SBC-3, 6.5.3). */
struct scsi_block_limits {
    uint32_t transfer;
    uint32_t optimal;
    uint8_t compare; /* needed */
    uint32_t unmap;  /* needed */
    uint32_t unmap_granularity;
    uint64_t write_same;
};
/* All 0 when it is another page; false then. */
bool scsi_vpd_block_limits(struct scsi_block_limits *out, const uint8_t *page, size_t length);

/* Of the page for logical block provisioning (SBC-3, 6.5.4): can WRITE SAME (16) unmap blocks, and
 * do unmapped ones read as zeros? False when it is another page. */
bool scsi_vpd_zeroes_by_unmap(const uint8_t *page, size_t length);

#endif
