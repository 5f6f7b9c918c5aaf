/* Loop devices by the kernel's own calls (loop(4)): no udev and no losetup is needed. Whatever
 * opens one, or its file, may wait for this very process, and is done apart. */
#include "os/apart.h"
#include "os/block.h"
#include "os/process.h"
#include "os/thread.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
    ATTEMPTS = 64, /* somebody else may take the free one first */
    NODE_MODE = 0660,
    GLANCES = 25,      /* at a device that others look at for a moment: udev, blkid */
    GLANCE_EVERY = 40, /* milliseconds */
    PATH_SHORT = 96,
    MARK_PATIENCE = 2000, /* for another service's device, which may hang */
};

static enum status loop_status(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return STATUS_ACCESS_DENIED;
    case ENOMEM:
        return STATUS_NO_MEMORY;
    case EBUSY:
    case ENOSPC:
    case EMFILE:
    case ENFILE:
        return STATUS_NO_RESOURCES;
    case ENOENT:
    case ENXIO:
    case ENODEV:
    case ENOTTY:
    case EOPNOTSUPP:
        return STATUS_NOT_SUPPORTED;
    default:
        return STATUS_STORE_FAILED;
    }
}

/* --- nodes --- */

/* The first line of a file of sysfs. Allocates nothing: a process apart must not. */
static bool read_text(const char *path, char *out, size_t room)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, out, room - 1);
    if (file >= 0)
        close(file);
    if (length < 0)
        return false;
    out[length] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return true;
}

/* Of a file "dev" of sysfs. */
static bool read_number(const char *path, dev_t *out)
{
    unsigned high, low;
    char text[32];
    if (!read_text(path, text, sizeof text) || sscanf(text, "%u:%u", &high, &low) != 2)
        return false;
    *out = makedev(high, low);
    return true;
}

static bool is_node(const char *path, dev_t number)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISBLK(found.st_mode) && found.st_rdev == number;
}

/* Where there is no udev and no devtmpfs (containers). */
static void make_node(const char *name, dev_t number)
{
    char path[PATH_SHORT];
    snprintf(path, sizeof path, "/dev/%.64s", name);
    if (is_node(path, number))
        return;
    struct stat found;
    if (lstat(path, &found) == 0 && S_ISBLK(found.st_mode))
        unlink(path); /* of a device that had the number before */
    if (mknod(path, S_IFBLK | NODE_MODE, number) == 0)
        chmod(path, NODE_MODE);
}

/* `prefix` is that of a partition: loop3p. */
static bool is_partition(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(name, prefix, length) == 0 && isdigit((unsigned char)name[length]) &&
           name[length + strspn(name + length, "0123456789")] == '\0';
}

struct nodes {
    const struct os_loopback *loop;
    char prefix[OS_LOOPBACK_NAME_ROOM];
};

static void nodes_init(struct nodes *nodes, const struct os_loopback *loop)
{
    nodes->loop = loop;
    snprintf(nodes->prefix, sizeof nodes->prefix, "loop%up", loop->number);
}

static void add_partition(void *context, const char *name)
{
    const struct nodes *nodes = context;
    char path[OS_PATH_ROOM];
    dev_t number;
    if (!is_partition(name, nodes->prefix))
        return;
    snprintf(path, sizeof path, "/sys/block/loop%u/%.64s/dev", nodes->loop->number, name);
    if (read_number(path, &number))
        make_node(name, number);
}

static void remove_partition(void *context, const char *name)
{
    const struct nodes *nodes = context;
    char path[OS_PATH_ROOM];
    struct stat found;
    if (!is_partition(name, nodes->prefix))
        return;
    snprintf(path, sizeof path, "/sys/block/loop%u/%.64s", nodes->loop->number, name);
    if (stat(path, &found) == 0)
        return;
    snprintf(path, sizeof path, "/dev/%.64s", name);
    if (lstat(path, &found) == 0 && S_ISBLK(found.st_mode))
        unlink(path);
}

void os_loopback_nodes(const struct os_loopback *loop)
{
    char path[PATH_SHORT];
    struct nodes nodes;
    nodes_init(&nodes, loop);
    snprintf(path, sizeof path, "/sys/block/loop%u", loop->number);
    os_list_directory(path, add_partition, &nodes);
    os_list_directory("/dev", remove_partition, &nodes);
}

static void name_it(struct os_loopback *loop, unsigned number)
{
    loop->number = number;
    snprintf(loop->name, sizeof loop->name, "/dev/loop%u", number);
}

static int open_node(const struct os_loopback *loop, int how)
{
    char path[PATH_SHORT];
    dev_t number;
    snprintf(path, sizeof path, "/sys/block/loop%u/dev", loop->number);
    if (read_number(path, &number))
        make_node(loop->name + strlen("/dev/"), number);
    return open(loop->name, how | O_CLOEXEC);
}

/* --- attaching --- */

static int open_control(void)
{
    return open("/dev/loop-control", O_RDWR | O_CLOEXEC);
}

bool os_loopback_allowed(void)
{
    int control = geteuid() == 0 ? open_control() : -1;
    if (control >= 0)
        close(control);
    return control >= 0;
}

static bool is_block_size(uint32_t block)
{
    return block >= 512 && block <= (uint32_t)sysconf(_SC_PAGESIZE) && (block & (block - 1)) == 0;
}

static int configure(int node, int file, const struct os_loopback_settings *settings)
{
    struct loop_config config = {
        .fd = (uint32_t)file,
        .block_size = is_block_size(settings->block) ? settings->block : 512,
    };
    config.info.lo_flags = LO_FLAGS_PARTSCAN;
    if (settings->read_only)
        config.info.lo_flags |= LO_FLAGS_READ_ONLY;
    snprintf((char *)config.info.lo_file_name, sizeof config.info.lo_file_name, "%s",
             settings->mark);
    if (ioctl(node, LOOP_CONFIGURE, &config) != 0)
        return errno;
    /* Many requests at a time instead of one after the other, and no second copy in memory. A file
     * that knows no direct access goes on without. */
    ioctl(node, LOOP_SET_DIRECT_IO, 1ul);
    return 0;
}

/* EBUSY: somebody else was faster. */
static int attach_to(struct os_loopback *loop, int control, int file,
                     const struct os_loopback_settings *settings)
{
    int number = ioctl(control, LOOP_CTL_GET_FREE);
    if (number < 0)
        return errno;
    name_it(loop, (unsigned)number);
    int node = open_node(loop, settings->read_only ? O_RDONLY : O_RDWR);
    if (node < 0)
        return errno;
    int error = configure(node, file, settings);
    close(node);
    return error;
}

struct attaching {
    struct os_loopback loop;
    const struct os_loopback_settings *settings;
    enum status status;
};

static void attach_apart(void *argument)
{
    struct attaching *attaching = argument;
    const struct os_loopback_settings *settings = attaching->settings;
    int file = open(settings->file, (settings->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (file < 0) {
        attaching->status = errno == ENOENT ? STATUS_STORE_FAILED : loop_status(errno);
        return;
    }
    int control = open_control();
    int error = control < 0 ? errno : EBUSY;
    for (int i = 0; error == EBUSY && i < ATTEMPTS; i++)
        error = attach_to(&attaching->loop, control, file, settings);
    attaching->status = error == 0 ? STATUS_OK : loop_status(error);
}

enum status os_loopback_attach(struct os_loopback *loop,
                               const struct os_loopback_settings *settings)
{
    struct attaching attaching = {.settings = settings, .status = STATUS_INTERNAL};
    enum status status = os_apart(attach_apart, &attaching, sizeof attaching, OS_NEVER);
    if (status != STATUS_OK || attaching.status != STATUS_OK)
        return status != STATUS_OK ? status : attaching.status;
    *loop = attaching.loop;
    snprintf(loop->mark, sizeof loop->mark, "%s", settings->mark);
    os_loopback_nodes(loop);
    return STATUS_OK;
}

struct work {
    struct os_loopback loop;
    const char *file;
    struct loop_info64 info;
    bool forced;
    bool attached;
    bool flushed;
    enum status status;
};

static bool has_mark(int node, const char *mark)
{
    struct loop_info64 info = {0};
    return ioctl(node, LOOP_GET_STATUS64, &info) == 0 &&
           strncmp((const char *)info.lo_file_name, mark, sizeof info.lo_file_name - 1) == 0;
}

static void renew_apart(void *argument)
{
    struct work *work = argument;
    struct stat found;
    stat(work->file, &found); /* else the kernel takes the size that it knows */
    int node = open_node(&work->loop, O_RDONLY);
    if (node < 0) {
        work->status = loop_status(errno);
        return;
    }
    work->status = STATUS_OK;
    if (has_mark(node, work->loop.mark)) {
        work->status = ioctl(node, LOOP_SET_CAPACITY, 0) == 0 ? STATUS_OK : loop_status(errno);
        ioctl(node, BLKRRPART, 0); /* refused while a partition is in use: it counts later */
    }
    close(node);
}

enum status os_loopback_renew(const struct os_loopback *loop, const char *file)
{
    struct work work = {.loop = *loop, .file = file};
    enum status status = os_apart(renew_apart, &work, sizeof work, OS_NEVER);
    os_loopback_nodes(loop);
    return status == STATUS_OK ? work.status : status;
}

/* --- detaching --- */

/* False: nothing is attached to it. */
static bool read_status(const struct os_loopback *loop, struct loop_info64 *info)
{
    int node = open_node(loop, O_RDONLY);
    bool attached = node >= 0 && ioctl(node, LOOP_GET_STATUS64, info) == 0;
    if (node >= 0)
        close(node);
    return attached;
}

/* Others may use the number as soon as we, or an administrator, have let go. */
static enum status find_ours(const struct os_loopback *loop, bool *there)
{
    int node = open_node(loop, O_RDONLY);
    *there = node >= 0 && has_mark(node, loop->mark);
    int error = node >= 0 ? 0 : errno;
    if (node >= 0)
        close(node);
    return error == 0 || loop_status(error) == STATUS_NOT_SUPPORTED ? STATUS_OK
                                                                    : loop_status(error);
}

static bool still_there(const struct os_loopback *loop)
{
    bool there;
    return find_ours(loop, &there) == STATUS_OK && there;
}

/* Who still has it open keeps it for as long as he does. True: it is gone. */
static bool let_go(const struct os_loopback *loop)
{
    int node = open_node(loop, O_RDONLY);
    if (node < 0)
        return true;
    int error = ioctl(node, LOOP_CLR_FD, 0) == 0 ? 0 : errno;
    close(node);
    if (error == ENXIO)
        return true;
    for (int i = 0; still_there(loop); i++) {
        if (i == GLANCES)
            return false;
        os_sleep(GLANCE_EVERY);
    }
    return true;
}

/* Not when its last user goes, either. */
static void keep(const struct os_loopback *loop)
{
    struct loop_info64 info = {0};
    int node = open_node(loop, O_RDONLY);
    if (node < 0)
        return;
    if (ioctl(node, LOOP_GET_STATUS64, &info) == 0) {
        info.lo_flags &= ~(uint32_t)LO_FLAGS_AUTOCLEAR;
        ioctl(node, LOOP_SET_STATUS64, &info);
    }
    close(node);
}

static bool flush(const struct os_loopback *loop)
{
    int node = open_node(loop, O_RDONLY);
    bool flushed = node >= 0 && fsync(node) == 0;
    if (node >= 0)
        close(node);
    return flushed;
}

static void detach_apart(void *argument)
{
    struct work *work = argument;
    work->status = find_ours(&work->loop, &work->attached);
    work->flushed = work->status == STATUS_OK;
    if (!work->attached)
        return;
    work->flushed = flush(&work->loop);
    if (let_go(&work->loop) || work->forced)
        return;
    keep(&work->loop);
    work->status = STATUS_BUSY;
}

enum status os_loopback_detach(const struct os_loopback *loop, bool forced, uint64_t patience,
                               bool *flushed)
{
    struct work work = {.loop = *loop, .forced = forced};
    enum status status = os_apart(detach_apart, &work, sizeof work, patience);
    *flushed = status == STATUS_OK && work.flushed;
    if (status == STATUS_OK)
        status = work.status;
    if (status == STATUS_OK)
        os_loopback_nodes(loop);
    return status;
}

/* --- looking --- */

struct search {
    void (*found)(void *context, const struct os_loopback *loop, const char *mark);
    void *context;
};

static void read_apart(void *argument)
{
    struct work *work = argument;
    work->attached = read_status(&work->loop, &work->info);
}

static const char *past_number(const char *text, const char *word)
{
    size_t length = strlen(word);
    if (text == NULL || strncmp(text, word, length) != 0 || !isdigit((unsigned char)text[length]))
        return NULL;
    return text + length + strspn(text + length, "0123456789");
}

/* Its place in a tree of devices; what is before it is lost once the tree is unmounted. */
static const char *place_in(const char *file)
{
    const char *place = NULL;
    for (const char *next = strstr(file, "/bus"); next != NULL; next = strstr(next + 1, "/bus"))
        place = next;
    return place;
}

/* The system tells that without the device being opened. */
static bool read_file(const struct os_loopback *loop, char file[OS_PATH_ROOM])
{
    char path[PATH_SHORT];
    snprintf(path, sizeof path, "/sys/block/loop%u/loop/backing_file", loop->number);
    return read_text(path, file, OS_PATH_ROOM);
}

bool os_loopback_is_of(const struct os_loopback *loop, const char *file)
{
    char found[OS_PATH_ROOM];
    const char *place = place_in(file);
    const char *there = read_file(loop, found) ? place_in(found) : NULL;
    if (place == NULL || there == NULL || strncmp(there, place, strlen(place)) != 0)
        return false;
    there += strlen(place);
    return *there == '\0' || strcmp(there, " (deleted)") == 0;
}

static bool may_be_ours(const struct os_loopback *loop)
{
    char file[OS_PATH_ROOM];
    if (!read_file(loop, file))
        return false;
    const char *place = place_in(file);
    place = past_number(place, "/bus");
    place = past_number(place, "/target");
    place = past_number(place, "/lun");
    return place != NULL && (strcmp(place, "/disk") == 0 || strcmp(place, "/disk (deleted)") == 0);
}

static void look_at(void *context, const char *name)
{
    const struct search *search = context;
    struct work work = {.attached = false};
    char *end;
    if (strncmp(name, "loop", 4) != 0 || !isdigit((unsigned char)name[4]))
        return;
    unsigned long number = strtoul(name + 4, &end, 10);
    if (*end != '\0' || number > 0xfffff)
        return;
    name_it(&work.loop, (unsigned)number);
    if (!may_be_ours(&work.loop))
        return;
    enum status status = os_apart(read_apart, &work, sizeof work, MARK_PATIENCE);
    work.info.lo_file_name[sizeof work.info.lo_file_name - 1] = '\0';
    snprintf(work.loop.mark, sizeof work.loop.mark, "%s", (const char *)work.info.lo_file_name);
    if (status == STATUS_COMMAND_TIMEOUT)
        search->found(search->context, &work.loop, NULL);
    else if (status == STATUS_OK && work.attached)
        search->found(search->context, &work.loop, (const char *)work.info.lo_file_name);
}

void os_loopback_each(void (*found)(void *context, const struct os_loopback *loop,
                                    const char *mark),
                      void *context)
{
    struct search search = {found, context};
    os_list_directory("/sys/block", look_at, &search);
}

bool os_loopback_owns(const struct os_loopback *loop, const char *path)
{
    char name[OS_LOOPBACK_NAME_ROOM + 1];
    snprintf(name, sizeof name, "%sp", loop->name);
    return strcmp(path, loop->name) == 0 || is_partition(path, name);
}
