#include "devices/loop_internal.h"
#include "os/memory.h"

#include <stdio.h>
#include <string.h>

enum { NODES_EVERY = 2000 /* milliseconds, where the system makes no nodes by itself */ };

static void step(struct loop_device *device);

static void tell(const struct loop_device *device)
{
    const struct loop_devices_settings *settings = &device->devices->settings;
    if (!device->devices->left)
        settings->changed(settings->context);
}

/* --- one thing after the other --- */

static void device_free(struct loop_device *device)
{
    struct loop_devices *devices = device->devices;
    os_timer_clear(&device->timer);
    list_remove(&device->link);
    mounts_clear(&device->mounts);
    os_free(device);
    LIST_EACH(node, &devices->all)
    {
        struct loop_device *other = LIST_OWNER(node, struct loop_device, link);
        if (!other->closing) /* it may have waited */
            step(other);
    }
}

static bool same_name(const char *a, const char *b)
{
    return a[0] != '\0' && strcmp(a, b) == 0;
}

/* Does one that is going still have links of the same names? What it removes then would be ours,
 * and what it has not removed would be another's to us. */
static bool has_to_wait(const struct loop_device *device)
{
    const struct links *ours = &device->wanted;
    LIST_EACH(node, &device->devices->all)
    {
        const struct loop_device *other = LIST_OWNER(node, struct loop_device, link);
        const struct links *theirs = &other->wanted;
        if (other->closing &&
            (same_name(ours->place, theirs->place) || same_name(ours->name, theirs->name) ||
             same_name(ours->id, theirs->id) || same_name(ours->serial, theirs->serial)))
            return true;
    }
    return false;
}

static void start(struct loop_device *device, enum loop_work work)
{
    device->work = work;
    device->busy = true;
    worker_post(device->devices->worker, &device->job);
}

static void start_attaching(struct loop_device *device)
{
    device->read_only = device->write_protected;
    device->remakes = false;
    start(device, LOOP_ATTACH);
}

static void start_withdrawing(struct loop_device *device)
{
    device->remakes = false;
    device->forced = atomic_load(&device->force);
    start(device, LOOP_WITHDRAW);
}

static void start_mounting(struct loop_device *device)
{
    device->mounts_due = false;
    device->tries++;
    device->last_try = device->tries > device->devices->settings.retries;
    start(device, LOOP_MOUNT);
}

static void leave(struct loop_device *device)
{
    os_timer_clear(&device->timer);
    if (device->attached || device->linked)
        start(device, LOOP_CLEAR);
    else
        device_free(device);
}

/* Begins what is to be done next. */
static void step(struct loop_device *device)
{
    if (device->busy)
        return;
    if (device->closing) {
        leave(device);
    } else if (device->withdraws) {
        if (!device->withdrawn && !device->refused)
            start_withdrawing(device);
    } else if (!device->made) {
        if (!has_to_wait(device))
            start_attaching(device);
    } else if (device->remakes) {
        start_withdrawing(device);
    } else if (device->renews) {
        device->renews = false;
        start(device, LOOP_RENEW);
    } else if (device->mounts_due) {
        start_mounting(device);
    }
}

/* --- what has been done --- */

static void wait(struct loop_device *device, uint64_t milliseconds)
{
    if (!device->devices->left)
        os_timer_set(device->devices->settings.loop, &device->timer, os_now() + milliseconds);
}

static void watch_nodes(struct loop_device *device)
{
    if (device->attached && !device->devices->nodes_appear && device->timer.loop == NULL)
        wait(device, NODES_EVERY);
}

static void have_made(struct loop_device *device)
{
    device->made = true;
    memcpy(device->name, device->loop.name, sizeof device->name);
    if (!device->attached)
        device->name[0] = '\0';
    device->tries = 0;
    device->mounts_due = device->attached;
    device->mounted = !device->attached;
}

static void have_mounted(struct loop_device *device)
{
    device->mounted = device->mounts_left == 0 || device->last_try;
    if (!device->mounted)
        wait(device, device->devices->settings.interval * UINT64_C(1000));
}

static void have_withdrawn(struct loop_device *device)
{
    if (device->outcome == STATUS_OK) {
        device->made = false;
        device->name[0] = '\0';
        device->withdrawn = device->withdraws;
    } else if (device->forced || !device->withdraws || !atomic_load(&device->force)) {
        device->refused = device->withdraws;
        device->tries = 0; /* those that are unmounted by now come back */
        device->mounts_due = true;
    } /* else who was waited for is waited for no more: once more, by force */
}

static void on_done(struct worker_job *job)
{
    struct loop_device *device = LIST_OWNER(job, struct loop_device, job);
    device->busy = false;
    switch (device->work) {
    case LOOP_ATTACH:
        have_made(device);
        break;
    case LOOP_RENEW:
        break;
    case LOOP_MOUNT:
        have_mounted(device);
        break;
    case LOOP_WITHDRAW:
        have_withdrawn(device);
        break;
    case LOOP_CLEAR:
        break;
    }
    if (!device->attached)
        device->name[0] = '\0';
    if (!device->closing)
        watch_nodes(device);
    tell(device);
    step(device);
}

/* Time for another try; else nodes are looked at. */
static void on_timer(struct os_timer *timer)
{
    struct loop_device *device = LIST_OWNER(timer, struct loop_device, timer);
    if (!device->mounted)
        device->mounts_due = true;
    else
        device->renews = true;
    step(device);
}

/* --- one device --- */

struct loop_device *loop_device_open(struct loop_devices *devices, const char *place,
                                     const struct unit *unit)
{
    struct loop_device *device = os_alloc(sizeof *device);
    const struct loop_devices_settings *settings = &devices->settings;
    if (device == NULL)
        return NULL;
    device->devices = devices;
    device->job = (struct worker_job){.run = loop_job_run, .done = on_done};
    device->timer.fire = on_timer;
    list_init(&device->job.link);
    list_append(&devices->all, &device->link);
    snprintf(device->file, sizeof device->file, "%s/%s/disk", settings->files, place);
    device->block = unit->facts.capacity.block_length;
    device->write_protected = unit->facts.mode.write_protected;
    links_describe(&device->links, place, unit->session->target, &unit->facts);
    device->wanted = device->links;
    snprintf(device->mounts.fstab[0], OS_PATH_ROOM, "%s/fstab.iscsi", settings->state);
    strcpy(device->mounts.fstab[1], "/etc/fstab.iscsi");
    step(device);
    return device;
}

void loop_device_renew(struct loop_device *device, bool write_protected)
{
    device->renews = true;
    device->write_protected = write_protected;
    device->remakes = device->read_only != write_protected;
    step(device);
}

void loop_device_close(struct loop_device *device)
{
    device->closing = true;
    atomic_store(&device->hurry, true);
    atomic_store(&device->force, true);
    step(device);
}

bool loop_device_is_ready(const struct loop_device *device)
{
    return device->made && device->mounted;
}

enum withdrawal loop_device_withdraw(struct loop_device *device, bool forced)
{
    if (!device->withdraws) {
        device->withdraws = true;
        atomic_store(&device->hurry, true);
        atomic_store(&device->force, forced);
    } else if (forced && !device->withdrawn) {
        atomic_store(&device->force, true);
        device->refused = false;
    }
    step(device);
    if (device->withdrawn)
        return WITHDRAWN;
    return device->refused ? DEVICE_IN_USE : WITHDRAWING;
}

void loop_device_readmit(struct loop_device *device)
{
    device->withdraws = device->withdrawn = device->refused = false;
    atomic_store(&device->hurry, false);
    atomic_store(&device->force, false);
    step(device);
}

const char *loop_device_path(const struct loop_device *device)
{
    return device->name[0] != '\0' ? device->name : NULL;
}

static bool is_link(const struct loop_device *device, const char *path)
{
    const char *directory = device->devices->settings.links;
    size_t length = strlen(directory), place = strlen(device->links.place);
    const char *rest = path + length + 1;
    if (length == 0 || strncmp(path, directory, length) != 0 || path[length] != '/')
        return false;
    if (strncmp(rest, device->links.place, place) == 0)
        return rest[place] == '\0' || rest[place] == '/';
    return strncmp(rest, "by-name/", 8) == 0 && strcmp(rest + 8, device->links.name) == 0;
}

bool loop_device_is_called(struct loop_device *device, const char *path)
{
    struct os_loopback loop = {0};
    if (!device->made)
        return false;
    strcpy(loop.name, device->name);
    return (loop.name[0] != '\0' && os_loopback_owns(&loop, path)) || is_link(device, path) ||
           mounts_point_is(&device->mounts, path);
}

/* --- all of them --- */

static void settings_clear(struct loop_devices_settings *settings)
{
    os_free((void *)(uintptr_t)settings->files);
    os_free((void *)(uintptr_t)settings->links);
    os_free((void *)(uintptr_t)settings->state);
}

static bool settings_copy(struct loop_devices_settings *settings)
{
    settings->files = os_copy_text(settings->files);
    settings->links = os_copy_text(settings->links);
    settings->state = os_copy_text(settings->state != NULL ? settings->state : "");
    return settings->files != NULL && settings->links != NULL && settings->state != NULL;
}

enum status loop_devices_new(struct loop_devices **out,
                             const struct loop_devices_settings *settings)
{
    struct loop_devices *devices;
    size_t room = OS_PATH_ROOM - LINK_NAME_ROOM - 64;
    if (strlen(settings->files) > room || strlen(settings->links) > room ||
        (settings->state != NULL && strlen(settings->state) > room))
        return STATUS_INVALID_PARAMETER;
    devices = os_alloc(sizeof *devices);
    if (devices == NULL)
        return STATUS_NO_MEMORY;
    list_init(&devices->all);
    devices->settings = *settings;
    bool copied = settings_copy(&devices->settings);
    devices->worker = worker_new(settings->loop);
    if (!copied || devices->worker == NULL) {
        loop_devices_free(devices);
        return STATUS_NO_MEMORY;
    }
    devices->nodes_appear = os_nodes_appear();
    loop_remove_remains(&devices->settings);
    *out = devices;
    return STATUS_OK;
}

void loop_devices_leave(struct loop_devices *devices)
{
    devices->left = true;
    worker_leave(devices->worker);
    LIST_EACH(node, &devices->all)
    {
        os_timer_clear(&LIST_OWNER(node, struct loop_device, link)->timer);
    }
}

void loop_devices_free(struct loop_devices *devices)
{
    if (devices == NULL)
        return;
    worker_free(devices->worker);
    settings_clear(&devices->settings);
    os_free(devices);
}
