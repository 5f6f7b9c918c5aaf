#include "devices/devices.h"
#include "devices/nbd.h"
#include "engine/model.h"
#include "engine/units.h"
#include "os/memory.h"
#include "os/runtime.h"
#include "os/system.h"

#include <stdio.h>
#include <string.h>

enum { PLACE_ROOM = 48 };

struct local_device {
    struct list link;
    struct volume *volume;
    unsigned units; /* of the volume that are there */
    struct nbd_export *nbd;
    char place[PLACE_ROOM]; /* bus0/target0/lun0 */
};

struct devices {
    struct engine *engine;
    struct exposure exposure;
    struct os_job job;
    struct list all;
    char *directory;
    void (*told)(void *context, const char *path, enum status status);
    void *context;
};

static struct local_device *device_of(const struct devices *devices, const struct volume *volume)
{
    LIST_EACH(node, &devices->all)
    {
        struct local_device *device = LIST_OWNER(node, struct local_device, link);
        if (device->volume == volume)
            return device;
    }
    return NULL;
}

/* --- a device and its forms --- */

static void tell(const struct devices *devices, const char *path, enum status status)
{
    if (devices->told != NULL)
        devices->told(devices->context, path, status);
}

static void open_nbd(struct devices *devices, struct local_device *device)
{
    char path[OS_PATH_ROOM];
    const struct nbd_settings settings = {
        .path = path, .name = device->place, .group = OS_NO_GROUP};
    snprintf(path, sizeof path, "%s/%s", devices->directory, device->place);
    enum status status = os_make_private_directory(path);
    if (status == STATUS_OK) {
        strcat(path, "/nbd"); /* devices_start has seen to the room */
        status = nbd_open(&device->nbd, device->volume, &settings);
    }
    tell(devices, path, status);
}

static void close_device(struct devices *devices, struct local_device *device)
{
    if (device->nbd != NULL)
        nbd_close(device->nbd);
    char path[OS_PATH_ROOM];
    /* The directories above it go, too, as soon as they are empty. */
    snprintf(path, sizeof path, "%s/%s", devices->directory, device->place);
    for (size_t least = strlen(devices->directory); strlen(path) > least;
         *strrchr(path, '/') = '\0')
        os_remove_directory(path);
    list_remove(&device->link);
    os_free(device);
}

/* --- what the engine tells --- */

static void on_added(void *context, struct unit *unit)
{
    struct devices *devices = context;
    struct volume *volume = unit->path.volume;
    if (volume == NULL || volume->facts.capacity.block_length == 0)
        return; /* nothing that has blocks, or is ready */
    struct local_device *device = device_of(devices, volume);
    if (device == NULL) {
        device = os_alloc(sizeof *device);
        if (device == NULL) {
            tell(devices, volume->target, STATUS_NO_MEMORY);
            return;
        }
        device->volume = volume;
        snprintf(device->place, sizeof device->place, "bus%u/target%u/lun%u",
                 units_bus(unit->session->units), units_target(unit->session->units), unit->os_lun);
        list_append(&devices->all, &device->link);
        open_nbd(devices, device);
    }
    device->units++;
    unit->exposed = device;
}

static void on_removed(void *context, struct unit *unit)
{
    struct local_device *device = unit->exposed;
    unit->exposed = NULL;
    if (device != NULL && --device->units == 0)
        close_device(context, device);
}

/* Of other facts, such as its capacity: or it has become ready, or is another one. */
static void on_changed(void *context, struct unit *unit)
{
    struct local_device *device = unit->exposed;
    if (device != NULL && device->volume == unit->path.volume && device->nbd != NULL) {
        nbd_renew(device->nbd);
    } else if (device == NULL || device->volume != unit->path.volume) {
        on_removed(context, unit);
        on_added(context, unit);
    }
}

/* The last way to what somebody uses is not to be taken from him. */
static bool on_in_use(void *context, const struct unit *unit)
{
    const struct local_device *device = unit->exposed;
    (void)context;
    return device != NULL && device->units == 1 && device->nbd != NULL && nbd_in_use(device->nbd);
}

static struct unit *unit_of(const struct local_device *device)
{
    struct list *node = list_first(&device->volume->paths);
    return node == NULL ? NULL : LIST_OWNER(node, struct path, link)->unit;
}

static struct unit *on_resolve(void *context, const char *path)
{
    const struct devices *devices = context;
    size_t length = strlen(devices->directory);
    if (strncmp(path, devices->directory, length) != 0 || path[length] != '/')
        return NULL;
    LIST_EACH(node, &devices->all)
    {
        const struct local_device *device = LIST_OWNER(node, struct local_device, link);
        size_t place = strlen(device->place);
        const char *rest = path + length + 1;
        if (strncmp(rest, device->place, place) == 0 && (rest[place] == '\0' || rest[place] == '/'))
            return unit_of(device);
    }
    return NULL;
}

/* --- what a process that was killed has left behind --- */

struct remains {
    const char *path; /* of a directory */
    unsigned depth;
};

/* bus0, target0, lun0, and then the forms. */
static void remove_remains(void *context, const char *name)
{
    static const char *const kinds[] = {"bus", "target", "lun", "nbd"};
    const struct remains *above = context;
    char path[OS_PATH_ROOM];
    int length = snprintf(path, sizeof path, "%s/%s", above->path, name);
    if (length < 0 || (size_t)length >= sizeof path ||
        strncmp(name, kinds[above->depth], strlen(kinds[above->depth])) != 0)
        return;
    if (above->depth + 1 == sizeof kinds / sizeof *kinds) {
        os_remove_file(path);
        return;
    }
    struct remains below = {path, above->depth + 1};
    os_list_directory(path, remove_remains, &below);
    os_remove_directory(path);
}

/* --- the start and the end --- */

static void on_start(struct os_job *job)
{
    struct devices *devices = LIST_OWNER(job, struct devices, job);
    units_expose(devices->engine, &devices->exposure);
}

enum status devices_start(struct devices **out, struct engine *engine,
                          const struct devices_settings *settings)
{
    if (strlen(settings->directory) + PLACE_ROOM + sizeof "/nbd" > OS_PATH_ROOM)
        return STATUS_INVALID_PARAMETER;
    enum status status = os_make_private_directory(settings->directory);
    if (status != STATUS_OK)
        return status;
    struct devices *devices = os_alloc(sizeof *devices);
    char *directory = os_copy_text(settings->directory);
    if (devices == NULL || directory == NULL) {
        os_free(devices);
        os_free(directory);
        return STATUS_NO_MEMORY;
    }
    struct remains remains = {directory, 0};
    os_list_directory(directory, remove_remains, &remains);
    *devices = (struct devices){.engine = engine,
                                .directory = directory,
                                .told = settings->told,
                                .context = settings->context,
                                .job.run = on_start};
    devices->exposure = (struct exposure){
        .context = devices,
        .added = on_added,
        .changed = on_changed,
        .removed = on_removed,
        .in_use = on_in_use,
        .resolve = on_resolve,
    };
    list_init(&devices->all);
    os_loop_post(engine_loop(engine), &devices->job);
    *out = devices;
    return STATUS_OK;
}

void devices_free(struct devices *devices)
{
    if (devices == NULL)
        return;
    os_free(devices->directory);
    os_free(devices);
}
