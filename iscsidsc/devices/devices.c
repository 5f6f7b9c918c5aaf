#include "devices/devices.h"
#include "devices/device.h"
#include "devices/wine.h"
#include "engine/model.h"
#include "engine/withdrawal.h"
#include "os/memory.h"
#include "os/system.h"

#include <stdio.h>
#include <string.h>

/* Sockets cannot be in the tree itself: links there lead to them. */
static const char beside[] = ".sockets";

struct devices {
    struct engine *engine;
    struct exposure exposure;
    struct os_job start_job;
    struct os_job withdraw_job;
    struct os_job stop_job;
    struct os_loop_waiter waiter;
    struct list all;
    unsigned waiting;           /* how often a unit has found its place taken */
    struct tree *tree;          /* NULL: there is none */
    struct loop_devices *loops; /* the same */
    struct worker *worker;
    struct wine *wine;
    bool stopped; /* nobody waits for anything here any more */
    char *directory;
    char *sockets; /* the same, or the one beside the tree */
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

/* `path`: where it is, or was to be. */
static enum status open_nbd(struct devices *devices, struct local_device *device,
                            char path[OS_PATH_ROOM])
{
    const struct nbd_settings settings = {
        .path = path, .name = device->place, .group = OS_NO_GROUP};
    snprintf(path, OS_PATH_ROOM, "%s/%s", devices->sockets, device->place);
    enum status status = os_make_private_directory(path);
    strcat(path, "/nbd"); /* devices_start has seen to the room */
    return status == STATUS_OK ? nbd_open(&device->nbd, device->disk, &settings) : status;
}

static void open_forms(struct devices *devices, struct local_device *device,
                       const struct unit *unit)
{
    char path[OS_PATH_ROOM];
    enum status status = open_nbd(devices, device, path);
    if (status != STATUS_OK || devices->tree == NULL)
        tell(devices, path, status);
    if (devices->tree == NULL)
        return;
    device->file =
        tree_add(devices->tree, device->place, device->disk, status == STATUS_OK ? path : NULL);
    snprintf(path, sizeof path, "%s/%s/disk", devices->directory, device->place);
    if (device->file != NULL)
        device->path = os_copy_text(path);
    tell(devices, path, device->path != NULL ? STATUS_OK : STATUS_NO_MEMORY);
    if (device->path != NULL && devices->loops != NULL)
        device->block = loop_device_open(devices->loops, device->place, unit);
}

static void close_nbd(struct devices *devices, struct local_device *device)
{
    char path[OS_PATH_ROOM];
    if (device->nbd != NULL)
        nbd_close(device->nbd);
    /* The directories above it go, too, as soon as they are empty. */
    snprintf(path, sizeof path, "%s/%s", devices->sockets, device->place);
    for (size_t least = strlen(devices->sockets); strlen(path) > least; *strrchr(path, '/') = '\0')
        os_remove_directory(path);
}

static void close_device(struct devices *devices, struct local_device *device)
{
    if (device->block != NULL)
        loop_device_close(device->block);
    if (device->file != NULL)
        tree_remove(device->file);
    close_nbd(devices, device);
    disk_release(device->disk);
    list_remove(&device->link);
    os_free(device->path);
    os_free(device);
}

/* Its directory: what is at its path has another name there. */
static void name_unit(struct devices *devices, const struct local_device *device,
                      const struct unit *unit)
{
    char path[OS_PATH_ROOM];
    if (device->path == NULL)
        return;
    snprintf(path, sizeof path, "%s/%s", devices->directory, device->place);
    wine_add(devices->wine, unit, path);
}

static void place_of(const struct unit *unit, char place[DEVICE_PLACE_ROOM])
{
    snprintf(place, DEVICE_PLACE_ROOM, "bus%u/target%u/lun%u", units_bus(unit->session->units),
             units_target(unit->session->units), unit->os_lun);
}

/* A device keeps the place of its first unit, also when it is there only by others. */
static bool is_taken(const struct devices *devices, const char *place)
{
    LIST_EACH(node, &devices->all)
    {
        if (strcmp(LIST_OWNER(node, struct local_device, link)->place, place) == 0)
            return true;
    }
    return false;
}

/* NULL: out of memory. */
static struct local_device *new_device(const struct unit *unit)
{
    struct local_device *device = os_alloc(sizeof *device);
    struct disk *disk = disk_new(unit->path.volume);
    if (device == NULL || disk == NULL) {
        os_free(device);
        disk_release(disk);
        return NULL;
    }
    device->volume = unit->path.volume;
    device->disk = disk;
    place_of(unit, device->place);
    disk_name(disk, device->place);
    return device;
}

/* --- the ways to a device --- */

/* Others may be on their way out as well. */
static bool is_way(const struct local_device *device, const struct unit *unit)
{
    return unit->exposed == device && !unit->leaving &&
           unit->session->state != ENGINE_SESSION_LOGOUT;
}

/* A session without a connection may never get one again. */
static bool works(const struct unit *unit)
{
    return unit->path.verified && engine_session_usable(unit->session);
}

static bool is_last_way(const struct local_device *device, const struct unit *unit)
{
    LIST_EACH(node, &device->volume->paths)
    {
        const struct unit *other = LIST_OWNER(node, struct path, link)->unit;
        if (other != unit && is_way(device, other) && works(other))
            return false;
    }
    return true;
}

static bool has_way(const struct local_device *device)
{
    LIST_EACH(node, &device->volume->paths)
    {
        if (is_way(device, LIST_OWNER(node, struct path, link)->unit))
            return true;
    }
    return false;
}

/* --- what the engine tells --- */

/* NULL: there is none, which has been told of. */
static struct local_device *make_device(struct devices *devices, const struct unit *unit)
{
    char place[DEVICE_PLACE_ROOM], path[OS_PATH_ROOM];
    place_of(unit, place);
    if (is_taken(devices, place)) {
        devices->waiting++;
        snprintf(path, sizeof path, "%s/%s", devices->directory, place);
        tell(devices, path, STATUS_BUSY);
        return NULL;
    }
    struct local_device *device = new_device(unit);
    if (device == NULL) {
        tell(devices, unit->path.volume->target, STATUS_NO_MEMORY);
        return NULL;
    }
    list_append(&devices->all, &device->link);
    open_forms(devices, device, unit);
    return device;
}

static void on_added(void *context, struct unit *unit)
{
    struct devices *devices = context;
    struct volume *volume = unit->path.volume;
    if (volume == NULL || volume->facts.capacity.block_length == 0)
        return; /* nothing that has blocks, or is ready */
    struct local_device *device = device_of(devices, volume);
    if (device == NULL)
        device = make_device(devices, unit);
    if (device == NULL)
        return;
    device->units++;
    unit->exposed = device;
    name_unit(devices, device, unit);
}

static bool waits_for(const struct devices *devices, const struct unit *unit, const char *place)
{
    char wanted[DEVICE_PLACE_ROOM];
    if (unit->exposed != NULL || unit->hidden || unit->leaving || unit->path.volume == NULL ||
        unit->session->state == ENGINE_SESSION_LOGOUT)
        return false;
    place_of(unit, wanted);
    return strcmp(wanted, place) == 0 && !is_taken(devices, place);
}

/* `but`: the unit that is going. */
static void give_place(struct devices *devices, const char *place, const struct unit *but)
{
    LIST_EACH(node, &devices->engine->sessions)
    {
        struct units *units = LIST_OWNER(node, struct engine_session, link)->units;
        if (units == NULL)
            continue;
        LIST_EACH(of, &units->all)
        {
            struct unit *unit = LIST_OWNER(of, struct unit, link);
            if (unit != but && waits_for(devices, unit, place))
                on_added(devices, unit);
        }
    }
}

static void on_removed(void *context, struct unit *unit)
{
    struct devices *devices = context;
    struct local_device *device = unit->exposed;
    char place[DEVICE_PLACE_ROOM];
    unit->exposed = NULL;
    if (device == NULL)
        return;
    wine_remove(devices->wine, unit);
    if (--device->units > 0) {
        if (device->block != NULL && has_way(device))
            loop_device_readmit(device->block); /* by a session that did not work before */
        return;
    }
    memcpy(place, device->place, sizeof place);
    close_device(devices, device);
    if (devices->waiting > 0)
        give_place(devices, place, unit);
}

/* Of other facts, such as its capacity: or it has become ready, or is another one. */
static void on_changed(void *context, struct unit *unit)
{
    struct local_device *device = unit->exposed;
    if (device != NULL && device->volume == unit->path.volume) {
        disk_renew(device->disk);
        if (device->file != NULL)
            tree_renew(device->file);
        if (device->block != NULL)
            loop_device_renew(device->block, device->disk->read_only);
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
    return device != NULL && is_last_way(device, unit) && device_in_use(device);
}

static struct unit *unit_of(const struct local_device *device)
{
    struct list *node = list_first(&device->volume->paths);
    return node == NULL ? NULL : LIST_OWNER(node, struct path, link)->unit;
}

/* Nothing is made of what has no blocks. */
static bool on_is_ready(void *context, const struct unit *unit)
{
    const struct volume *volume = unit->path.volume;
    const struct local_device *device = unit->exposed;
    (void)context;
    if (device == NULL)
        return volume == NULL || volume->facts.capacity.block_length == 0;
    return device->block == NULL || loop_device_is_ready(device->block);
}

static enum withdrawal on_withdraw(void *context, struct unit *unit, bool forced)
{
    struct local_device *device = unit->exposed;
    (void)context;
    if (device == NULL || device->block == NULL || !is_last_way(device, unit))
        return WITHDRAWN;
    return loop_device_withdraw(device->block, forced);
}

static void on_readmit(void *context, struct unit *unit)
{
    const struct local_device *device = unit->exposed;
    (void)context;
    if (device != NULL && device->block != NULL)
        loop_device_readmit(device->block);
}

static bool is_inside(const struct devices *devices, const struct local_device *device,
                      const char *path)
{
    size_t length = strlen(devices->directory), place = strlen(device->place);
    const char *rest = path + length + 1;
    return strncmp(path, devices->directory, length) == 0 && path[length] == '/' &&
           strncmp(rest, device->place, place) == 0 && (rest[place] == '\0' || rest[place] == '/');
}

static struct unit *on_resolve(void *context, const char *path)
{
    const struct devices *devices = context;
    LIST_EACH(node, &devices->all)
    {
        const struct local_device *device = LIST_OWNER(node, struct local_device, link);
        if (is_inside(devices, device, path) ||
            (device->block != NULL && loop_device_is_called(device->block, path)))
            return unit_of(device);
    }
    return NULL;
}

static const char *on_path(void *context, const struct unit *unit)
{
    const struct local_device *device = unit->exposed;
    (void)context;
    if (device == NULL)
        return NULL;
    const char *block = device->block != NULL ? loop_device_path(device->block) : NULL;
    return block != NULL ? block : device->path;
}

static bool on_is_named(void *context)
{
    const struct devices *devices = context;
    return wine_is_current(devices->wine);
}

static enum status on_use_prefix(void *context, const char *path)
{
    const struct devices *devices = context;
    return wine_use(devices->wine, path);
}

/* --- names in Wine prefixes --- */

static void on_named(void *context)
{
    const struct devices *devices = context;
    if (!devices->stopped)
        units_look(devices->engine);
}

static bool make_names(struct devices *devices, const struct devices_settings *settings)
{
    const struct wine_settings of_wine = {
        .worker = devices->worker = worker_new(engine_loop(devices->engine)),
        .root = devices->directory,
        .file = settings->prefixes_file,
        .told = settings->prefix_told,
        .changed = on_named,
        .changed_context = devices,
        .context = settings->context,
    };
    if (devices->worker != NULL)
        devices->wine = wine_new(&of_wine);
    if (devices->wine == NULL)
        return false;
    wine_name_prefixes(devices->wine, settings->prefixes);
    return true;
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
    struct devices *devices = LIST_OWNER(job, struct devices, start_job);
    wine_begin(devices->wine);
    units_expose(devices->engine, &devices->exposure);
}

static void on_all_withdrawn(void *context)
{
    struct devices *devices = context;
    os_loop_finish(engine_loop(devices->engine), &devices->waiter);
}

static void on_withdraw_all(struct os_job *job)
{
    struct devices *devices = LIST_OWNER(job, struct devices, withdraw_job);
    withdrawal_of_all(devices->engine, on_all_withdrawn, devices);
}

static void on_stop(struct os_job *job)
{
    struct devices *devices = LIST_OWNER(job, struct devices, stop_job);
    devices->waiting = 0; /* nobody gets a place any more */
    units_expose(devices->engine, NULL);
    if (devices->loops != NULL)
        loop_devices_leave(devices->loops);
    if (devices->tree != NULL)
        tree_close(devices->tree);
    devices->stopped = true;
    worker_leave(devices->worker);
    os_loop_finish(engine_loop(devices->engine), &devices->waiter);
}

/* Behind what the worker has posted. */
static void on_left(struct os_job *job)
{
    struct devices *devices = LIST_OWNER(job, struct devices, stop_job);
    os_loop_finish(engine_loop(devices->engine), &devices->waiter);
}

static void free_devices(struct devices *devices)
{
    loop_devices_free(devices->loops);
    tree_free(devices->tree);
    worker_free(devices->worker);
    wine_free(devices->wine);
    os_loop_waiter_clear(&devices->waiter);
    os_free(devices->directory);
    os_free(devices->sockets);
    os_free(devices);
}

/* NULL: out of memory. */
static struct devices *new_devices(struct engine *engine, const struct devices_settings *settings)
{
    struct devices *devices = os_alloc(sizeof *devices);
    if (devices == NULL)
        return NULL;
    size_t length = strlen(settings->directory);
    devices->engine = engine;
    devices->told = settings->told;
    devices->context = settings->context;
    devices->exposure = (struct exposure){
        .context = devices,
        .added = on_added,
        .changed = on_changed,
        .removed = on_removed,
        .in_use = on_in_use,
        .resolve = on_resolve,
        .path = on_path,
        .is_ready = on_is_ready,
        .is_named = on_is_named,
        .use_prefix = on_use_prefix,
        .withdraw = on_withdraw,
        .readmit = on_readmit,
    };
    list_init(&devices->all);
    devices->directory = os_copy_text(settings->directory);
    devices->sockets = os_alloc(length + sizeof beside);
    if (devices->directory == NULL || devices->sockets == NULL ||
        !os_loop_waiter_init(&devices->waiter)) {
        os_free(devices->directory);
        os_free(devices->sockets);
        os_free(devices);
        return NULL;
    }
    memcpy(devices->sockets, settings->directory, length);
    if (make_names(devices, settings))
        return devices;
    free_devices(devices);
    return NULL;
}
/* The directory, empty. */
static enum status prepare(const char *directory)
{
    struct remains remains = {directory, 0};
    enum status status = os_make_private_directory(directory);
    if (status == STATUS_OK)
        os_list_directory(directory, remove_remains, &remains);
    return status;
}

static void on_loops_changed(void *context)
{
    const struct devices *devices = context;
    units_look(devices->engine);
}

static enum status prepare_loops(struct devices *devices, const struct devices_settings *settings)
{
    struct loop_devices_settings of_loops = settings->loops;
    of_loops.loop = engine_loop(devices->engine);
    of_loops.files = devices->directory;
    of_loops.changed = on_loops_changed;
    of_loops.context = devices;
    return loop_devices_new(&devices->loops, &of_loops);
}

/* Without a tree the sockets are where it would be. */
static enum status make_places(struct devices *devices, const struct devices_settings *settings)
{
    const struct tree_settings of_tree = {.directory = devices->directory,
                                          .loop = engine_loop(devices->engine),
                                          .engine = devices->engine,
                                          .owner = settings->owner,
                                          .group = settings->group,
                                          .mode = settings->mode};
    /* Whose tree is served by somebody also has the loop devices above it. */
    enum status status = tree_check(devices->directory);
    if (status == STATUS_OK)
        status = prepare_loops(devices, settings);
    if (status == STATUS_OK)
        status = tree_clear(devices->directory);
    if (status == STATUS_OK)
        status = prepare(devices->directory);
    if (status != STATUS_OK)
        return status;
    status = tree_start(&devices->tree, &of_tree);
    if (status == STATUS_OK) {
        strcat(devices->sockets, beside);
        return prepare(devices->sockets);
    }
    loop_devices_free(devices->loops);
    devices->loops = NULL;
    if (settings->without_tree != NULL)
        settings->without_tree(settings->context, status);
    return STATUS_OK;
}

enum status devices_start(struct devices **out, struct engine *engine,
                          const struct devices_settings *settings)
{
    size_t longest = strlen(settings->directory) + sizeof beside + DEVICE_PLACE_ROOM;
    if (longest + sizeof "/disk" > OS_PATH_ROOM)
        return STATUS_INVALID_PARAMETER;
    struct devices *devices = new_devices(engine, settings);
    if (devices == NULL)
        return STATUS_NO_MEMORY;
    enum status status = make_places(devices, settings);
    if (status != STATUS_OK) {
        free_devices(devices);
        return status;
    }
    devices->start_job.run = on_start;
    os_loop_post(engine_loop(engine), &devices->start_job);
    *out = devices;
    return STATUS_OK;
}

void devices_stop(struct devices *devices)
{
    if (devices == NULL)
        return;
    /* While the sessions work: what programs have written gets there. */
    devices->withdraw_job.run = on_withdraw_all;
    os_loop_call(engine_loop(devices->engine), &devices->withdraw_job, &devices->waiter);
    devices->stop_job.run = on_stop;
    os_loop_call(engine_loop(devices->engine), &devices->stop_job, &devices->waiter);
    devices->stop_job.run = on_left;
    os_loop_call(engine_loop(devices->engine), &devices->stop_job, &devices->waiter);
    loop_devices_free(devices->loops); /* the tree answers them to the end */
    devices->loops = NULL;
    tree_free(devices->tree);
    devices->tree = NULL;
    if (strcmp(devices->sockets, devices->directory) != 0)
        os_remove_directory(devices->sockets);
    free_devices(devices);
}
