/* Where there are no file systems in user space. */
#include "devices/tree.h"

enum status tree_clear(const char *directory)
{
    (void)directory;
    return STATUS_OK;
}

enum status tree_check(const char *directory)
{
    (void)directory;
    return STATUS_OK;
}

enum status tree_start(struct tree **out, const struct tree_settings *settings)
{
    (void)settings;
    *out = NULL;
    return STATUS_NOT_SUPPORTED;
}

void tree_close(struct tree *tree)
{
    (void)tree;
}

void tree_free(struct tree *tree)
{
    (void)tree;
}

struct tree_device *tree_add(struct tree *tree, const char *place, struct disk *disk,
                             const char *socket)
{
    (void)tree;
    (void)place;
    (void)disk;
    (void)socket;
    return NULL;
}

void tree_remove(struct tree_device *device)
{
    (void)device;
}

void tree_renew(struct tree_device *device)
{
    (void)device;
}

unsigned tree_users(const struct tree_device *device)
{
    (void)device;
    return 0;
}
