#include "devices/fuse/mount_point.h"
#include "devices/tree.h"
#include "devices/tree_requests.h"
#include "os/memory.h"
#include "os/runtime.h"

#include <errno.h>
#include <string.h>

enum {
    THREADS = 2, /* they only hand on */
    PLACE_PART_ROOM = 32,
};

struct tree {
    struct fuse_tree *files;
    struct tree_queue queue;
};

struct tree_device {
    struct tree *tree;
    struct disk *disk; /* held */
    struct fuse_tree_node *directory;
    struct fuse_tree_node *file;
    struct tree_stretch *stretch;
};

/* --- the whole --- */

static enum status status_of(int error)
{
    switch (error) {
    case 0:
        return STATUS_OK;
    case EPERM:
    case EACCES:
        return STATUS_ACCESS_DENIED;
    case EBUSY:
        return STATUS_BUSY;
    case ENOMEM:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_NOT_SUPPORTED;
    }
}

static int serve(struct tree *tree, const char *directory)
{
    int error = fuse_tree_mount(tree->files, directory, "iscsidsc", false);
    return error == 0 ? fuse_tree_start(tree->files, THREADS) : error;
}

enum status tree_clear(const char *directory)
{
    return status_of(mount_point_clear(directory));
}

enum status tree_start(struct tree **out, const struct tree_settings *settings)
{
    struct tree *tree = os_alloc(sizeof *tree);
    *out = NULL;
    if (tree == NULL)
        return STATUS_NO_MEMORY;
    tree_queue_init(&tree->queue, settings->loop);
    tree->files = fuse_tree_new(NULL);
    int error = tree->files != NULL ? serve(tree, settings->directory) : ENOMEM;
    if (error != 0) {
        tree_free(tree);
        return status_of(error);
    }
    *out = tree;
    return STATUS_OK;
}

void tree_close(struct tree *tree)
{
    tree_queue_close(&tree->queue);
}

void tree_free(struct tree *tree)
{
    if (tree == NULL)
        return;
    fuse_tree_free(tree->files);
    os_free(tree);
}

/* --- a device --- */

/* The directory of the place, made where it is missing. NULL: out of memory. */
static struct fuse_tree_node *directory_of(struct tree *tree, const char *place)
{
    struct fuse_tree_node *directory = NULL;
    while (*place != '\0') {
        char name[PLACE_PART_ROOM];
        size_t length = strcspn(place, "/");
        if (length >= sizeof name)
            return NULL;
        memcpy(name, place, length);
        name[length] = '\0';
        place += length + (place[length] == '/');
        struct fuse_tree_node *next = fuse_tree_find(tree->files, directory, name);
        if (next == NULL)
            next = fuse_tree_directory(tree->files, directory, name);
        if (next == NULL)
            return NULL; /* what was made goes with the next one that is removed there */
        directory = next;
    }
    return directory;
}

static struct fuse_tree_node *add_disk(struct tree_device *device)
{
    struct tree *tree = device->tree;
    const struct disk *disk = device->disk;
    struct fuse_tree_file file;
    device->stretch = tree_stretch_new(&tree->queue, device->disk, 0);
    if (device->stretch == NULL)
        return NULL;
    tree_stretch_file(device->stretch, disk->size, disk->read_only, &file);
    struct fuse_tree_node *node = fuse_tree_file(tree->files, device->directory, "disk", &file);
    if (node == NULL)
        os_free(device->stretch);
    return node;
}

struct tree_device *tree_add(struct tree *tree, const char *place, struct disk *disk,
                             const char *socket)
{
    struct tree_device *device = os_alloc(sizeof *device);
    if (device == NULL)
        return NULL;
    device->tree = tree;
    device->disk = disk;
    disk_hold(disk);
    device->directory = directory_of(tree, place);
    if (device->directory != NULL)
        device->file = add_disk(device);
    if (device->file != NULL &&
        (socket == NULL || fuse_tree_link(tree->files, device->directory, "nbd", socket) != NULL))
        return device;
    tree_remove(device);
    return NULL;
}

void tree_remove(struct tree_device *device)
{
    if (device->file != NULL)
        tree_stretch_end(device->stretch);
    if (device->directory != NULL)
        fuse_tree_remove(device->tree->files, device->directory);
    disk_release(device->disk);
    os_free(device);
}

void tree_renew(struct tree_device *device)
{
    const struct disk *disk = device->disk;
    fuse_tree_change(device->tree->files, device->file, disk->size, disk->read_only);
}

unsigned tree_users(const struct tree_device *device)
{
    return fuse_tree_users(device->tree->files, device->file);
}
