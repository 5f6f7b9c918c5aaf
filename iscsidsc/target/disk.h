/* Inside the target: disks, and the SCSI commands they obey. */
#ifndef TARGET_DISK_H
#define TARGET_DISK_H

#include "target/output.h"
#include "target/target.h"

struct os_storage;
struct target_command;
struct target_session;

/* --- reserve.c: who may do what --- */

/* A registration of a persistent reservation, by initiator port. */
struct target_registrant {
    struct list link;
    char *initiator;
    uint8_t isid[PDU_ISID_LENGTH];
    uint64_t key;
};

struct target_reservations {
    struct target_session *legacy; /* that did RESERVE; NULL: nobody */
    struct list registrants;
    const struct target_registrant *holder; /* NULL: no persistent reservation */
    uint8_t type;                           /* of it */
    uint32_t generation;
    struct os_storage *file; /* of what persists; NULL: nothing can */
    uint64_t change;         /* number of the last one in the file */
    bool persist;            /* APTPL */
    bool kept;               /* the file has registrations */
};

void target_reservations_init(struct target_reservations *reservations);
void target_reservations_clear(struct target_reservations *reservations);

/* --- disk.c --- */

struct target_disk {
    uint8_t *memory;           /* in `ram`; NULL: a file or media */
    struct target_buffer *ram; /* what is being sent of it holds it too */
    struct os_storage *file;
    const struct target_media *media; /* in place of the file */
    void *media_context;
    uint8_t *dirty; /* memory and file: a bit for each block that the file does not have */
    uint64_t blocks;
    uint32_t block_length;
    uint8_t physical_exponent; /* 2 to this blocks are one physical block */
    bool removable;
    bool ejected;
    bool read_only;
    bool write_through;       /* WCE is clear */
    bool write_protect;       /* SWP */
    target_disk_watch *watch; /* may be NULL */
    void *watch_context;
    struct target_reservations reservations;
};

bool target_disk_read(struct target_disk *disk, uint64_t offset, void *out, size_t length);
bool target_disk_write(struct target_disk *disk, uint64_t offset, const void *data, size_t length);
/* Zeros; where the disk can, their space is given back. */
bool target_disk_zero(struct target_disk *disk, uint64_t offset, uint64_t length);
/* Does that block take up space, and how many from it on are like it (or at least)? */
bool target_disk_mapped(struct target_disk *disk, uint64_t lba, uint64_t *count);
bool target_disk_flush(struct target_disk *disk, uint64_t offset, uint64_t length);
/* As after power on: what does not persist is gone. */
void target_disk_reset(struct target_disk *disk);

/* --- scsi.c --- */

#define TARGET_TRANSFER_MAX (32u << 20) /* bytes of one command */

/* One command: set up to `data_out_length`, then executed. */
struct target_scsi {
    struct target_pool *pool;
    struct target_session *session; /* whose command it is */
    const struct target *target;
    int64_t lun; /* -1: a format we do not have */
    const uint8_t *cdb;
    bool borrow;              /* data of a RAM disk may be sent from where they are */
    uint32_t expected_length; /* no more data-in is made */
    uint32_t out_expected;    /* what the initiator wants to send */
    const uint8_t *data_out;
    uint32_t data_out_length;

    const struct target_command *command; /* from target_scsi_admit on */
    uint8_t status;
    uint8_t sense_length;
    uint8_t sense[18];
    uint64_t in_length;           /* what the command would send without a limit */
    uint64_t out_length;          /* what it would take */
    const uint8_t *data;          /* borrowed, or in `buffer` */
    struct target_buffer *buffer; /* to be released */
};

void target_scsi_fail(struct target_scsi *scsi, uint8_t key, uint16_t asc);
/* ILLEGAL REQUEST. */
void target_scsi_illegal(struct target_scsi *scsi, uint16_t asc);
/* The same with an INFORMATION field. */
void target_scsi_fail_at(struct target_scsi *scsi, uint8_t key, uint16_t asc, uint32_t information);
/* A buffer of that length for data-in, which is `data`; false: the command is BUSY. */
bool target_scsi_room(struct target_scsi *scsi, size_t length);
/* Small answers: copies, cut to the allocation length. */
void target_scsi_answer(struct target_scsi *scsi, const uint8_t *data, size_t length,
                        uint32_t allocation);

/* --- inquiry.c, copy.c --- */

/* The name of kind NAA of a unit. */
uint64_t target_unit_naa(const struct target *target, uint32_t lun);
/* The page of third-party copies; returns its length, which is less than 256. */
size_t target_copy_page(const struct target_disk *disk, uint8_t *page);

/* --- medium.c --- */

/* Nobody keeps the medium of that unit in its drive any more. */
void target_medium_allow(const struct target *target, uint32_t lun);

/* --- commands.c: the table --- */

enum target_command_flags {
    COMMAND_READS = 1,     /* for reservations: it tells what is on the medium or how it is set */
    COMMAND_WRITES = 2,    /* it changes that */
    COMMAND_ALWAYS = 4,    /* without a unit, despite reservations, and no attention is due */
    COMMAND_PROTECT = 8,   /* not on a medium that is write-protected */
    COMMAND_RESERVES = 16, /* it looks at reservations itself */
    COMMAND_DRIVE = 32,    /* it needs no medium in the drive */
};

#define COMMAND_NO_ACTION 0xffffu

struct target_command {
    uint8_t opcode;
    uint16_t action; /* service action; COMMAND_NO_ACTION: none */
    uint8_t length;  /* of the CDB */
    uint8_t flags;
    void (*execute)(struct target_scsi *scsi, struct target_disk *disk);
    /* Bytes wanted from the initiator; NULL: none. The disk is there, and may be written to. */
    uint64_t (*takes)(const struct target_disk *disk, const uint8_t *cdb);
    uint8_t usage[15]; /* bits of the CDB, from its second byte on, that mean something */
};

const struct target_command *target_command_find(const uint8_t *cdb);
/* The table, from 0 on; NULL behind its end. */
const struct target_command *target_command_at(size_t index);
bool target_command_exists(uint8_t opcode);
/* How many bytes the command takes from the initiator. */
uint32_t target_scsi_takes(const struct target *target, int64_t lun, const uint8_t *cdb);
/* May it be run now? False: `scsi` has the answer. */
bool target_scsi_admit(struct target_scsi *scsi);
void target_scsi_execute(struct target_scsi *scsi);

/* --- who does what: scsi.c, inquiry.c, mode.c, log.c, medium.c, opcodes.c, blocks.c, fill.c,
 * reserve.c --- */

typedef void target_scsi_command(struct target_scsi *scsi, struct target_disk *disk);
target_scsi_command target_scsi_nothing, target_scsi_inquiry, target_scsi_report_luns,
    target_scsi_request_sense, target_scsi_read_capacity_10, target_scsi_read_capacity_16,
    target_scsi_report_opcodes, target_scsi_report_functions, target_scsi_mode_sense,
    target_scsi_mode_select, target_scsi_log_sense, target_scsi_log_select, target_scsi_start_stop,
    target_scsi_prevent, target_scsi_extended_copy, target_scsi_copy_status,
    target_scsi_copy_parameters, target_scsi_read_defects, target_scsi_read, target_scsi_write,
    target_scsi_verify, target_scsi_write_verify, target_scsi_exchange, target_scsi_synchronize,
    target_scsi_prefetch, target_scsi_write_same, target_scsi_unmap, target_scsi_compare_write,
    target_scsi_or_write, target_scsi_lba_status, target_scsi_reserve, target_scsi_release,
    target_scsi_reserve_in, target_scsi_reserve_out;

typedef uint64_t target_scsi_takes_of(const struct target_disk *disk, const uint8_t *cdb);
target_scsi_takes_of target_takes_range, target_takes_verify, target_takes_compare,
    target_takes_block, target_takes_list_6, target_takes_list_10, target_takes_list_32,
    target_takes_copy;

/* --- ranges of blocks in CDBs: blocks.c --- */

struct target_blocks {
    uint64_t lba;
    uint32_t count;
    bool protect; /* protection information, which we have none of, is to be checked */
    bool force_unit_access;
};

struct target_blocks target_blocks_of(const uint8_t *cdb);
bool target_blocks_fit(const struct target_disk *disk, const struct target_blocks *blocks);
uint64_t target_blocks_bytes(const struct target_disk *disk, const struct target_blocks *blocks);
/* Checks the range of a data command, and fails it when it does not hold. */
bool target_blocks_valid(struct target_scsi *scsi, const struct target_disk *disk,
                         const struct target_blocks *blocks);
/* Writes, and makes it last when FUA or the cache says so. */
void target_blocks_put(struct target_scsi *scsi, struct target_disk *disk,
                       const struct target_blocks *blocks, const uint8_t *data, size_t length);
/* The initiator sent all that the command needs; else it fails. */
bool target_scsi_has(struct target_scsi *scsi, uint64_t length);
/* It wants to send neither less nor more: with more, it means another command than this. */
bool target_scsi_has_just(struct target_scsi *scsi, uint64_t length);

/* The reservation of the disk stands against the command (RESERVATION CONFLICT). */
bool target_reserved_against(const struct target_disk *disk, const struct target_session *session,
                             unsigned flags);
/* The session ends: what it held by RESERVE is free. */
void target_reservations_leave(struct target_session *session);

#endif
