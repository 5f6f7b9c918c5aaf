#include "devices/control.h"
#include "devices/fuse/mount_point.h"
#include "devices/status.h"
#include "devices/tree_internal.h"
#include "os/apart.h"
#include "os/memory.h"
#include "os/runtime.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    THREADS = 2,           /* they only hand on */
    CLEAR_PATIENCE = 5000, /* milliseconds */
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

static enum status make_status(void *of, unsigned index, struct os_arena *arena, const char **text)
{
    (void)index;
    return devices_status_text(of, arena, text);
}

static enum status take_control(void *of, const char *text, size_t length)
{
    return devices_control(of, text, length);
}

/* False: out of memory. */
static bool add_engine(struct tree *tree, struct engine *engine)
{
    if (engine == NULL)
        return true;
    tree->engine = tree_source_new(engine, &tree->queue);
    return tree->engine != NULL &&
           tree_text_add(tree->files, NULL, "status", tree->engine, make_status, 0) &&
           tree_order_add(tree->files, NULL, "control", tree->engine, take_control);
}

static void end_engine(struct tree *tree)
{
    if (tree->engine != NULL)
        tree_source_end(tree->engine);
    tree->engine = NULL;
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
    if (tree->files == NULL || !add_engine(tree, settings->engine))
        return ENOMEM;
    int error = fuse_tree_mount(tree->files, settings->directory, "iscsidsc", others);
    return error == 0 ? fuse_tree_start(tree->files, THREADS) : error;
}

static void on_look(struct tree_queue *queue)
{
    tree_devices_look(LIST_OWNER(queue, struct tree, queue));
}

struct clearing {
    const char *directory;
    int error;
};

static void check_apart(void *argument)
{
    struct clearing *clearing = argument;
    clearing->error = mount_point_check(clearing->directory);
}

static void clear_apart(void *argument)
{
    struct clearing *clearing = argument;
    clearing->error = mount_point_clear(clearing->directory);
}

/* What is mounted there may be served by somebody who hangs. */
static enum status do_apart(void (*work)(void *argument), const char *directory)
{
    struct clearing clearing = {directory, 0};
    enum status status = os_apart(work, &clearing, sizeof clearing, CLEAR_PATIENCE);
    if (status == STATUS_OK)
        return status_of(clearing.error);
    return status == STATUS_COMMAND_TIMEOUT ? STATUS_BUSY : status;
}

enum status tree_check(const char *directory)
{
    return do_apart(check_apart, directory);
}

enum status tree_clear(const char *directory)
{
    return do_apart(clear_apart, directory);
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
    end_engine(tree);
}

void tree_free(struct tree *tree)
{
    if (tree == NULL)
        return;
    fuse_tree_free(tree->files);
    end_engine(tree); /* it was never closed */
    os_free(tree);
}
