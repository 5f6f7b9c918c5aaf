/* Inside the target: disks, and the SCSI commands they obey. */
#ifndef TARGET_DISK_H
#define TARGET_DISK_H

#include "target/output.h"
#include "target/target.h"

struct os_storage;

/* --- disk.c --- */

struct target_disk {
    uint8_t *memory; /* NULL: a file */
    struct os_storage *file;
    uint64_t blocks;
    uint32_t block_length;
    bool read_only;
};

bool target_disk_read(struct target_disk *disk, uint64_t offset, void *out, size_t length);
bool target_disk_write(struct target_disk *disk, uint64_t offset, const void *data, size_t length);
bool target_disk_flush(struct target_disk *disk);

/* --- scsi.c, inquiry.c --- */

#define TARGET_TRANSFER_MAX (16u << 20) /* bytes of one command */

/* One command: set up to `data_out_length`, then executed. */
struct target_scsi {
    struct target_pool *pool;
    const struct target *target;
    int64_t lun; /* -1: a format we do not have */
    const uint8_t *cdb;
    uint32_t expected_length; /* no more data-in is made */
    const uint8_t *data_out;
    uint32_t data_out_length;

    uint8_t status;
    uint8_t sense_length;
    uint8_t sense[18];
    uint64_t in_length;           /* what the command would send without a limit */
    uint64_t out_length;          /* what it would take */
    const uint8_t *data;          /* borrowed, or in `buffer` */
    struct target_buffer *buffer; /* to be released */
};

/* How many bytes the command takes from the initiator. */
uint32_t target_scsi_takes(const struct target *target, int64_t lun, const uint8_t *cdb);
void target_scsi_execute(struct target_scsi *scsi);
void target_scsi_fail(struct target_scsi *scsi, uint8_t key, uint16_t asc);
/* A buffer of that length for data-in, which is `data`; false: the command is BUSY. */
bool target_scsi_room(struct target_scsi *scsi, size_t length);
/* Small answers: copies, cut to the allocation length. */
void target_scsi_answer(struct target_scsi *scsi, const uint8_t *data, size_t length,
                        uint32_t allocation);
/* blocks.c: false when the command is none of those that move blocks. */
bool target_scsi_blocks(struct target_scsi *scsi, struct target_disk *disk);
void target_scsi_inquiry(struct target_scsi *scsi, struct target_disk *disk);
void target_scsi_mode_sense(struct target_scsi *scsi, struct target_disk *disk);
void target_scsi_report_luns(struct target_scsi *scsi);

#endif
