/*
 * What programs are only told by EIO: the log has a line for each request that failed. A disk that
 * is broken must not fill it, so that some are only counted.
 */
#include "devices/disk.h"
#include "engine/log.h"
#include "os/thread.h"

#include <stdio.h>

enum {
    LINES_MOST = 10, /* in */
    LINES_TIME = 10 * 1000,
    NUMBER_ROOM = 24,
};

void disk_name(struct disk *disk, const char *name)
{
    snprintf(disk->name, sizeof disk->name, "%s", name);
}

/* The caller was told all of the others: they say nothing of the disk. */
static bool is_of_disk(enum status status)
{
    return status != STATUS_OUT_OF_RANGE && status != STATUS_WRITE_PROTECTED &&
           status != STATUS_NOT_SUPPORTED && status != STATUS_NO_MEMORY &&
           status != STATUS_CANCELLED;
}

static bool may_tell(struct disk *disk)
{
    uint64_t now = os_now();
    if (disk->told == 0 || now - disk->told_since >= LINES_TIME) {
        disk->told_since = now;
        disk->told = 0;
    }
    if (disk->told == LINES_MOST) {
        disk->untold++;
        return false;
    }
    disk->told++;
    return true;
}

static const char *number(char out[NUMBER_ROOM], uint64_t value)
{
    snprintf(out, NUMBER_ROOM, "%llu", (unsigned long long)value);
    return out;
}

/* As "3/11/00": key, ASC and ASCQ. "": there is none. */
static void put_sense(char out[NUMBER_ROOM], const struct task *task)
{
    struct scsi_sense sense;
    scsi_sense_decode(&sense, task->sense, task->sense_length);
    out[0] = '\0';
    if (sense.valid)
        snprintf(out, NUMBER_ROOM, "%x/%02x/%02x", (unsigned)sense.key, (unsigned)sense.asc >> 8,
                 (unsigned)sense.asc & 0xff);
}

void disk_log_failure(const struct disk_request *request)
{
    static const char *const kinds[] = {[DISK_READ] = "read",
                                        [DISK_WRITE] = "write",
                                        [DISK_FLUSH] = "flush",
                                        [DISK_DISCARD] = "discard",
                                        [DISK_ZERO] = "zero"};
    char offset[NUMBER_ROOM], length[NUMBER_ROOM], untold[NUMBER_ROOM], sense[NUMBER_ROOM] = "";
    char scsi[NUMBER_ROOM] = "";
    struct disk *disk = request->disk;
    const struct task *task = &request->io.task;
    if (disk->name[0] == '\0' || !is_of_disk(request->status) || !may_tell(disk))
        return;
    if (request->status == STATUS_SCSI_STATUS) {
        snprintf(scsi, sizeof scsi, "0x%02x", (unsigned)task->scsi_status);
        put_sense(sense, task);
    }
    engine_log(OS_LOG_ERROR, "io-failed", "device", disk->name, "kind", kinds[request->kind],
               "offset", number(offset, request->offset), "length", number(length, request->length),
               "status", status_name(request->status), "scsi-status", scsi, "sense", sense,
               "untold", number(untold, disk->untold), NULL);
    disk->untold = 0;
}
