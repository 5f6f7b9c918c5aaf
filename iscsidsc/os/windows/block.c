/* There are no loop devices, mounts and links of devices: the native service makes them. */
#include "os/block.h"
#include "os/command.h"

bool os_loopback_allowed(void)
{
    return false;
}

enum status os_loopback_attach(struct os_loopback *loop,
                               const struct os_loopback_settings *settings)
{
    (void)loop;
    (void)settings;
    return STATUS_NOT_SUPPORTED;
}

enum status os_loopback_renew(const struct os_loopback *loop, const char *file)
{
    (void)loop;
    (void)file;
    return STATUS_NOT_SUPPORTED;
}

void os_loopback_nodes(const struct os_loopback *loop)
{
    (void)loop;
}

bool os_nodes_appear(void)
{
    return true;
}

enum status os_loopback_detach(const struct os_loopback *loop, bool forced, uint64_t patience,
                               bool *flushed)
{
    (void)loop;
    (void)forced;
    (void)patience;
    *flushed = true;
    return STATUS_OK;
}

void os_loopback_each(void (*found)(void *context, const struct os_loopback *loop,
                                    const char *mark),
                      void *context)
{
    (void)found;
    (void)context;
}

bool os_loopback_owns(const struct os_loopback *loop, const char *path)
{
    (void)loop;
    (void)path;
    return false;
}

bool os_loopback_is_of(const struct os_loopback *loop, const char *file)
{
    (void)loop;
    (void)file;
    return false;
}

bool os_leads_somewhere(const char *path)
{
    (void)path;
    return false;
}

void os_mounts_of(const struct os_loopback *loop,
                  void (*found)(void *context, const struct os_mount *mount), void *context)
{
    (void)loop;
    (void)found;
    (void)context;
}

enum status os_unmount_lazily(const struct os_mount *mount)
{
    (void)mount;
    return STATUS_NOT_SUPPORTED;
}

enum status os_link_set(const char *path, const char *text)
{
    (void)path;
    (void)text;
    return STATUS_NOT_SUPPORTED;
}

bool os_link_text(const char *path, char out[OS_PATH_ROOM])
{
    (void)path;
    (void)out;
    return false;
}

enum status os_command_run(struct os_command *command)
{
    (void)command;
    return STATUS_NOT_SUPPORTED;
}
