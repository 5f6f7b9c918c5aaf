/* A device in the tree: the disk, its partitions, and what is to be known of it. */
#include "devices/generic.h"
#include "devices/partition_scan.h"
#include "devices/tree_internal.h"
#include "devices/tree_requests.h"
#include "devices/tree_texts.h"
#include "os/memory.h"

#include <stdio.h>
#include <string.h>

enum { NAME_ROOM = 32, DISK = 0, FILES = 1 + PARTITIONS_MOST };

/* The disk, or a partition of that number. */
struct part {
    struct fuse_tree_node *node; /* NULL: there is none */
    struct tree_stretch *stretch;
    uint64_t start;
    uint64_t length;
};

struct tree_device {
    struct list link;
    struct tree *tree;
    struct disk *disk; /* held */
    struct fuse_tree_node *directory;
    struct part parts[FILES];
    struct partition_scan *scan;
    struct tree_source *source; /* of the texts: the volume */
};

/* --- its files --- */

static bool add_part(struct tree_device *device, unsigned number, uint64_t start, uint64_t length)
{
    struct tree *tree = device->tree;
    struct part *part = &device->parts[number];
    struct fuse_tree_file file;
    char name[NAME_ROOM] = "disk";
    if (number != DISK)
        snprintf(name, sizeof name, "part%u", number);
    struct tree_stretch *stretch = tree_stretch_new(&tree->queue, device->disk, start);
    if (stretch == NULL)
        return false;
    tree_stretch_file(stretch, length, device->disk->read_only, &file);
    struct fuse_tree_node *node = fuse_tree_file(tree->files, device->directory, name, &file);
    if (node == NULL) {
        os_free(stretch);
        return false;
    }
    *part = (struct part){node, stretch, start, length};
    return true;
}

static void remove_part(struct tree_device *device, unsigned number)
{
    struct part *part = &device->parts[number];
    tree_stretch_end(part->stretch);
    fuse_tree_remove(device->tree->files, part->node);
    *part = (struct part){0};
}

/* One that is open stays as it is until the table is read the next time: as with block devices. */
static void set_part(struct tree_device *device, unsigned number, const struct partition *wanted)
{
    struct part *part = &device->parts[number];
    bool same = part->start == wanted->start && part->length == wanted->length;
    bool used = part->node != NULL && fuse_tree_users(device->tree->files, part->node) > 0;
    if (same || used)
        return;
    if (part->node != NULL)
        remove_part(device, number);
    if (wanted->length > 0)
        add_part(device, number, wanted->start, wanted->length);
}

static void on_partitions(void *context, const struct partition *partitions)
{
    for (unsigned number = 1; number <= PARTITIONS_MOST; number++)
        set_part(context, number, &partitions[number - 1]);
}

static bool add_texts(struct tree_device *device)
{
    struct fuse_tree *files = device->tree->files;
    struct fuse_tree_node *directory = fuse_tree_directory(files, device->directory, "generic");
    device->source = tree_source_new(device->disk->volume, &device->tree->queue);
    if (directory == NULL || device->source == NULL)
        return false;
    for (unsigned i = 0; generic_name(i) != NULL; i++) {
        if (!tree_text_add(files, directory, generic_name(i), device->source, generic_text, i))
            return false;
    }
    return true;
}

/* --- its place --- */

/* The directory of the place, made with those above it. NULL: out of memory, or it is another
 * device's. */
static struct fuse_tree_node *directory_of(struct fuse_tree *files, const char *place)
{
    struct fuse_tree_node *directory = NULL;
    while (*place != '\0') {
        char name[NAME_ROOM];
        size_t length = strcspn(place, "/");
        if (length >= sizeof name)
            return NULL;
        memcpy(name, place, length);
        name[length] = '\0';
        place += length + (place[length] == '/');
        struct fuse_tree_node *next = fuse_tree_find(files, directory, name);
        if (next != NULL && *place == '\0')
            return NULL;
        if (next == NULL)
            next = fuse_tree_directory(files, directory, name);
        if (next == NULL)
            return NULL; /* what was made goes with the next one that is removed there */
        directory = next;
    }
    return directory;
}

static bool fill(struct tree_device *device, const char *socket)
{
    struct fuse_tree *files = device->tree->files;
    device->scan = partition_scan_new(device->disk, on_partitions, device);
    return device->scan != NULL && add_part(device, DISK, 0, device->disk->size) &&
           (socket == NULL || fuse_tree_link(files, device->directory, "nbd", socket) != NULL) &&
           add_texts(device);
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
    list_append(&tree->devices, &device->link);
    device->directory = directory_of(tree->files, place);
    if (device->directory == NULL || !fill(device, socket)) {
        tree_remove(device);
        return NULL;
    }
    partition_scan_start(device->scan);
    return device;
}

void tree_remove(struct tree_device *device)
{
    partition_scan_free(device->scan);
    for (unsigned number = 0; number < FILES; number++) {
        if (device->parts[number].node != NULL)
            tree_stretch_end(device->parts[number].stretch);
    }
    if (device->source != NULL)
        tree_source_end(device->source);
    if (device->directory != NULL)
        fuse_tree_remove(device->tree->files, device->directory);
    disk_release(device->disk);
    list_remove(&device->link);
    os_free(device);
}

/* --- what changes --- */

void tree_renew(struct tree_device *device)
{
    device->parts[DISK].length = device->disk->size;
    for (unsigned number = 0; number < FILES; number++) {
        const struct part *part = &device->parts[number];
        if (part->node != NULL)
            fuse_tree_change(device->tree->files, part->node, part->length,
                             device->disk->read_only);
    }
    partition_scan_start(device->scan);
}

void tree_devices_look(struct tree *tree)
{
    LIST_EACH(node, &tree->devices)
    {
        struct tree_device *device = LIST_OWNER(node, struct tree_device, link);
        if (atomic_exchange(&device->parts[DISK].stretch->written, false))
            partition_scan_start(device->scan);
    }
}

unsigned tree_users(const struct tree_device *device)
{
    unsigned users = 0;
    for (unsigned number = 0; number < FILES; number++) {
        if (device->parts[number].node != NULL)
            users += fuse_tree_users(device->tree->files, device->parts[number].node);
    }
    return users;
}
