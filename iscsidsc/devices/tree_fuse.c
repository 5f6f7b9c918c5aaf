#include "devices/fuse/mount_point.h"
#include "devices/tree_internal.h"
#include "os/memory.h"
#include "os/runtime.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    THREADS = 2, /* they only hand on */
};

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

/* Others may look into it when the rights say that there is something to be seen for them. */
static int serve(struct tree *tree, const struct tree_settings *settings)
{
    struct fuse_tree_rights rights = {getuid(), getgid(), S_IRUSR | S_IWUSR};
    if (settings->owner != OS_NO_GROUP)
        rights.owner = settings->owner;
    if (settings->group != OS_NO_GROUP)
        rights.group = settings->group;
    if (settings->mode != 0)
        rights.mode = settings->mode;
    bool others = rights.owner != getuid() || (rights.mode & (S_IRWXG | S_IRWXO)) != 0;
    tree->files = fuse_tree_new(&rights);
    if (tree->files == NULL)
        return ENOMEM;
    int error = fuse_tree_mount(tree->files, settings->directory, "iscsidsc", others);
    return error == 0 ? fuse_tree_start(tree->files, THREADS) : error;
}

static void on_look(struct tree_queue *queue)
{
    tree_devices_look(LIST_OWNER(queue, struct tree, queue));
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
    tree_queue_init(&tree->queue, settings->loop, on_look);
    list_init(&tree->devices);
    int error = serve(tree, settings);
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
