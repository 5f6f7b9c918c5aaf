/* What is done with one loop device on a thread that may block. */
#include "devices/loop_internal.h"
#include "engine/log.h"
#include "os/thread.h"

#include <stdio.h>
#include <string.h>

enum { DETACH_PATIENCE = 5000 /* milliseconds, at the start */ };

/* --- marks: whose a loop device is, whatever has become of its file's path --- */

static void mark_of(const char *files, char out[OS_LOOPBACK_MARK_ROOM])
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (const char *c = files; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(1099511628211);
    snprintf(out, OS_LOOPBACK_MARK_ROOM, "iscsidsc-%016llx:", (unsigned long long)hash);
}

/* --- making --- */

static void make_links(struct loop_device *device)
{
    const char *directory = device->devices->settings.links;
    if (directory[0] == '\0')
        return;
    device->links.directory = directory;
    device->links.files = device->devices->settings.files;
    device->links.disk = device->attached ? device->loop.name : NULL;
    enum status status = links_make(&device->links);
    device->linked = true;
    if (status != STATUS_OK)
        engine_log(OS_LOG_ERROR, "no-links", "place", device->links.place, "directory", directory,
                   "status", status_name(status), NULL);
}

static void attach(struct loop_device *device)
{
    char mark[OS_LOOPBACK_MARK_ROOM];
    mark_of(device->devices->settings.files, mark);
    strncat(mark, device->links.place, sizeof mark - 1 - strlen(mark));
    const struct os_loopback_settings settings = {
        .file = device->file, .mark = mark, .block = device->block, .read_only = device->read_only};
    enum status status = os_loopback_attach(&device->loop, &settings);
    device->attached = status == STATUS_OK;
    if (device->attached)
        engine_log(OS_LOG_INFO, "block-device", "path", device->loop.name, "place",
                   device->links.place, NULL);
    else
        engine_log(OS_LOG_ERROR, "no-block-device", "file", device->file, "status",
                   status_name(status), NULL);
}

static void make(struct loop_device *device)
{
    if (device->devices->settings.attach)
        attach(device);
    make_links(device);
}

/* --- going --- */

static void unlink_it(struct loop_device *device)
{
    if (device->linked)
        links_remove(&device->links);
    device->linked = false;
}

static void tell_of_loss(const struct loop_device *device)
{
    engine_log(OS_LOG_ERROR, "not-all-written", "path", device->loop.name, "place",
               device->links.place, NULL);
}

static enum status detach(struct loop_device *device, bool forced)
{
    bool flushed;
    enum status status = os_loopback_detach(&device->loop, forced, OS_NEVER, &flushed);
    if (!flushed)
        tell_of_loss(device);
    if (status != STATUS_OK)
        return status;
    engine_log(OS_LOG_INFO, "block-device-gone", "path", device->loop.name, "place",
               device->links.place, NULL);
    device->attached = false;
    return STATUS_OK;
}

/* Who uses a file system keeps it alive, and what it has not written yet, after it is unmounted. */
static void take_mounts(struct loop_device *device)
{
    if (!mounts_write(&device->loop))
        tell_of_loss(device);
    mounts_drop(&device->mounts, &device->loop);
}

static enum status withdraw(struct loop_device *device, bool forced)
{
    enum status status = STATUS_OK;
    if (device->attached && !forced && mounts_of_others(&device->mounts, &device->loop))
        return STATUS_BUSY;
    if (device->attached && forced)
        take_mounts(device);
    else if (device->attached)
        status = mounts_undo(&device->mounts, &device->loop, &device->force);
    if (status == STATUS_OK && device->attached)
        status = detach(device, forced);
    if (status == STATUS_OK)
        unlink_it(device);
    return status;
}

/* Nothing of it can be written any more. */
static void clear(struct loop_device *device)
{
    if (device->attached) {
        mounts_drop(&device->mounts, &device->loop);
        detach(device, true);
    }
    unlink_it(device);
}

static void renew(struct loop_device *device)
{
    if (device->attached)
        os_loopback_renew(&device->loop, device->file);
}

/* An administrator may have detached it, and the number be somebody else's. */
static void look_whether_it_lasts(struct loop_device *device)
{
    if (!device->attached || os_loopback_is_of(&device->loop, device->file))
        return;
    engine_log(OS_LOG_WARNING, "block-device-lost", "path", device->loop.name, "place",
               device->links.place, NULL);
    device->attached = false;
}

static void mount_it(struct loop_device *device)
{
    device->mounts_left = 0;
    if (!device->attached)
        return;
    os_loopback_nodes(&device->loop);
    device->mounts_left =
        mounts_try(&device->mounts, &device->loop, &device->hurry, device->last_try);
}

void loop_job_run(struct worker_job *job)
{
    struct loop_device *device = LIST_OWNER(job, struct loop_device, job);
    look_whether_it_lasts(device);
    switch (device->work) {
    case LOOP_ATTACH:
        make(device);
        break;
    case LOOP_RENEW:
        renew(device);
        break;
    case LOOP_MOUNT:
        mount_it(device);
        break;
    case LOOP_WITHDRAW:
        device->outcome = withdraw(device, device->forced);
        break;
    case LOOP_CLEAR:
        clear(device);
        break;
    }
}

/* --- what a process that was killed has left behind --- */

struct remains {
    char mark[OS_LOOPBACK_MARK_ROOM];
    struct links_left left;
};

static void clear_one(void *context, const struct os_loopback *loop, const char *mark)
{
    struct remains *remains = context;
    const char *ours = remains->mark;
    struct mounts mounts = {.count = 0};
    bool flushed;
    if (mark == NULL)
        engine_log(OS_LOG_WARNING, "silent-block-device", "path", loop->name, NULL);
    if (mark == NULL || strncmp(mark, ours, strlen(ours)) != 0)
        return;
    if (remains->left.count < LINKS_LOOPS_MOST)
        remains->left.loops[remains->left.count++] = *loop;
    mounts_drop(&mounts, loop);
    enum status status = os_loopback_detach(loop, true, DETACH_PATIENCE, &flushed);
    engine_log(OS_LOG_WARNING, "left-block-device", "path", loop->name, "status",
               status_name(status), NULL);
}

void loop_remove_remains(const struct loop_devices_settings *settings)
{
    struct remains remains = {.left.files = settings->files};
    mark_of(settings->files, remains.mark);
    if (os_loopback_allowed())
        os_loopback_each(clear_one, &remains);
    if (settings->links[0] != '\0')
        links_remove_remains(settings->links, &remains.left);
}
