#include "devices/partition_scan.h"
#include "os/memory.h"

struct partition_scan {
    struct disk *disk; /* held; NULL: it was freed while it waited */
    void (*found)(void *context, const struct partition *partitions);
    void *context;
    struct partitions partitions;
    struct disk_request request;
    uint8_t *data;
    bool reads; /* an answer is to come */
    bool again;
};

static void release(struct partition_scan *scan)
{
    os_free(scan->data);
    os_free(scan);
}

static void on_read(struct disk_request *request);

/* What is wanted next, or that is all. */
static void go_on(struct partition_scan *scan)
{
    struct partitions *partitions = &scan->partitions;
    os_free(scan->data);
    scan->data = NULL;
    if (partitions->want_length > 0)
        scan->data = os_alloc(partitions->want_length);
    if (scan->data == NULL) {
        if (partitions->want_length == 0)
            scan->found(scan->context, partitions->found);
        return;
    }
    scan->request = (struct disk_request){.disk = scan->disk,
                                          .kind = DISK_READ,
                                          .offset = partitions->want,
                                          .length = partitions->want_length,
                                          .data = scan->data,
                                          .done = on_read,
                                          .context = scan};
    scan->reads = true;
    disk_submit(&scan->request);
}

/* A table that cannot be read changes nothing. */
static void on_read(struct disk_request *request)
{
    struct partition_scan *scan = request->context;
    scan->reads = false;
    if (scan->disk == NULL) {
        release(scan);
    } else if (scan->again) {
        scan->again = false;
        partition_scan_start(scan);
    } else if (request->status == STATUS_OK) {
        partitions_give(&scan->partitions, scan->data);
        go_on(scan);
    }
}

struct partition_scan *
partition_scan_new(struct disk *disk,
                   void (*found)(void *context, const struct partition *partitions), void *context)
{
    struct partition_scan *scan = os_alloc(sizeof *scan);
    if (scan == NULL)
        return NULL;
    scan->disk = disk;
    scan->found = found;
    scan->context = context;
    disk_hold(disk);
    return scan;
}

void partition_scan_start(struct partition_scan *scan)
{
    if (scan->reads) {
        scan->again = true;
        return;
    }
    partitions_begin(&scan->partitions, scan->disk->size, scan->disk->block);
    go_on(scan);
}

void partition_scan_free(struct partition_scan *scan)
{
    if (scan == NULL)
        return;
    struct disk *disk = scan->disk;
    scan->disk = NULL;
    if (scan->reads)
        disk_cancel(&scan->request); /* which ends in on_read */
    else
        release(scan);
    disk_release(disk);
}
