#include "devices/mounts.h"
#include "devices/links.h"
#include "engine/log.h"
#include "os/command.h"
#include "os/system.h"
#include "protocol/name.h"

#include <stdio.h>
#include <string.h>

/* Milliseconds. */
enum {
    MOUNT_PATIENCE = 60000, /* a journal may be long */
    UNMOUNT_PATIENCE = 60000,
    CHECK_PATIENCE = 1800000,
    WRITE_PATIENCE = 10000,
    LOOK_PATIENCE = 10000,
    OUTPUT_ROOM = 512,
    LINKS_MOST = 8, /* one behind the other */
};

/* --- the file --- */

static void tell_line(const char *file, unsigned line, const char *what)
{
    char place[OS_PATH_ROOM + 16];
    snprintf(place, sizeof place, "%s:%u", file, line);
    engine_log(OS_LOG_WARNING, "bad-fstab", "line", place, "reason", what, NULL);
}

static void on_problem(void *context, unsigned line, const char *what)
{
    if (context != NULL)
        tell_line(context, line, what);
}

/* What is wrong is told once for each state of the file. */
static const char *whom_to_tell(const char *path)
{
    static _Atomic uint64_t told;
    uint64_t stamp;
    if (!os_file_stamp(path, &stamp))
        return path;
    return atomic_exchange(&told, stamp) != stamp ? path : NULL;
}

enum status mounts_read(const struct mounts *mounts, struct fstab *fstab, struct os_arena *arena,
                        const char **path)
{
    char *text = NULL;
    size_t length = 0;
    enum status status = STATUS_OK;
    *fstab = (struct fstab){NULL, 0};
    for (size_t i = 0; i < 2 && text == NULL && status == STATUS_OK; i++) {
        *path = mounts->fstab[i];
        if (**path != '\0')
            status = os_read_file(*path, &text, &length);
    }
    if (status != STATUS_OK)
        tell_line(*path, 1, status_text(status));
    if (text == NULL)
        return status;
    char *told = (char *)(uintptr_t)whom_to_tell(*path);
    if (strlen(text) != length)
        on_problem(told, 1, "no text file");
    else
        status = fstab_parse(fstab, arena, text, on_problem, told);
    os_free(text);
    return status == STATUS_CONFIGURATION ? STATUS_OK : status;
}

/* --- which device --- */

static enum status run(const char *const *arguments, uint64_t patience, const atomic_bool *stop,
                       char output[OUTPUT_ROOM], int *code)
{
    struct os_command command = {.arguments = arguments,
                                 .patience = patience,
                                 .stop = stop,
                                 .output = output,
                                 .room = OUTPUT_ROOM};
    enum status status = os_command_run(&command);
    output[strcspn(output, "\n")] = '\0'; /* what went wrong stands in the first line */
    *code = command.code;
    return status;
}

/* Has the device what LABEL=, UUID= and their like ask for? Only devices of ours are read: others
 * may hang. */
static bool has_tag(const char *node, const char *tag)
{
    static const char *const kinds[][2] = {{"LABEL=", "LABEL"},
                                           {"UUID=", "UUID"},
                                           {"PARTLABEL=", "PART_ENTRY_NAME"},
                                           {"PARTUUID=", "PART_ENTRY_UUID"}};
    char output[OUTPUT_ROOM];
    int code;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = strlen(kinds[i][0]);
        if (strncmp(tag, kinds[i][0], length) != 0)
            continue;
        const char *const arguments[] = {"blkid", "-p",    "-s", kinds[i][1],
                                         "-o",    "value", node, NULL};
        bool exact = strstr(kinds[i][0], "LABEL") != NULL;
        return run(arguments, LOOK_PATIENCE, NULL, output, &code) == STATUS_OK && code == 0 &&
               (exact ? strcmp(output, tag + length) == 0 : name_equal(output, tag + length));
    }
    return false;
}

static bool find_tag(const struct os_loopback *loop, const char *tag, char node[OS_PATH_ROOM])
{
    for (unsigned i = 0; i <= LINKS_PARTITIONS; i++) {
        snprintf(node, OS_PATH_ROOM, i == 0 ? "%s" : "%sp%u", loop->name, i);
        if (os_leads_somewhere(node) && has_tag(node, tag))
            return true;
    }
    return false;
}

/* Links to partitions that are not there yet count, too. */
static bool find_node(const struct os_loopback *loop, const char *path, char node[OS_PATH_ROOM])
{
    char text[OS_PATH_ROOM];
    if (strlen(path) >= OS_PATH_ROOM)
        return false;
    strcpy(node, path);
    for (int i = 0; i < LINKS_MOST && !os_loopback_owns(loop, node); i++) {
        if (!os_link_text(node, text) || text[0] != '/')
            return false;
        strcpy(node, text);
    }
    return os_loopback_owns(loop, node);
}

/* --- mounting --- */

static bool is_there(const struct mount_point *point)
{
    return point->state == MOUNT_DONE;
}

static struct mount_point *find_given(struct mounts *mounts, const char *given)
{
    for (size_t i = 0; i < mounts->count; i++) {
        if (strcmp(mounts->points[i].given, given) == 0)
            return &mounts->points[i];
    }
    return NULL;
}

/* The lock is held. */
static void forget(struct mounts *mounts, struct mount_point *point)
{
    size_t place = (size_t)(point - mounts->points);
    os_free(point->given);
    os_free(point->real);
    mounts->count--;
    memmove(point, point + 1, (mounts->count - place) * sizeof *point);
}

/* As the last one. NULL: there is no room. */
static struct mount_point *remember(struct mounts *mounts, const char *given, const char *real)
{
    struct mount_point fresh = {os_copy_text(given), os_copy_text(real), MOUNT_TRIED};
    struct mount_point *point = NULL;
    os_lock_take(&mounts->lock);
    struct mount_point *old = find_given(mounts, given);
    if (old != NULL)
        forget(mounts, old);
    if (fresh.given != NULL && fresh.real != NULL && mounts->count < MOUNTS_MOST) {
        point = &mounts->points[mounts->count++];
        *point = fresh;
    }
    os_lock_release(&mounts->lock);
    if (point == NULL) {
        os_free(fresh.given);
        os_free(fresh.real);
    }
    return point;
}

static void drop_last(struct mounts *mounts)
{
    os_lock_take(&mounts->lock);
    forget(mounts, &mounts->points[mounts->count - 1]);
    os_lock_release(&mounts->lock);
}

static void set_state(struct mounts *mounts, struct mount_point *point, enum mount_state state)
{
    os_lock_take(&mounts->lock);
    point->state = state;
    os_lock_release(&mounts->lock);
}

bool mounts_point_is(struct mounts *mounts, const char *path)
{
    bool is = false;
    os_lock_take(&mounts->lock);
    for (size_t i = 0; i < mounts->count; i++) {
        const struct mount_point *point = &mounts->points[i];
        is = is || (is_there(point) &&
                    (strcmp(point->given, path) == 0 || strcmp(point->real, path) == 0));
    }
    os_lock_release(&mounts->lock);
    return is;
}

/* Without links, and as the system lists it. It may lie on a disk that hangs. */
static void find_real(const char *point, const atomic_bool *stop, char output[OUTPUT_ROOM])
{
    int code = 0;
    const char *const arguments[] = {"realpath", "-e", "--", point, NULL};
    bool found = run(arguments, LOOK_PATIENCE, stop, output, &code) == STATUS_OK && code == 0;
    size_t length = found ? strlen(output) : 0;
    if (length == 0 || length + 1 >= OUTPUT_ROOM || output[0] != '/')
        snprintf(output, OUTPUT_ROOM, "%s", point);
}

/* --- what there is of a device --- */

struct search {
    const char *point;
    bool found;
    bool hidden;
};

static void compare(void *context, const struct os_mount *mount)
{
    struct search *search = context;
    if (strcmp(mount->point, search->point) != 0)
        return;
    search->hidden = search->found ? search->hidden : mount->hidden;
    search->found = true;
}

static struct search look_for(const struct os_loopback *loop, const char *point)
{
    struct search search = {.point = point};
    os_mounts_of(loop, compare, &search);
    return search;
}

/* --- one attempt --- */

struct attempt {
    const char *file; /* fstab */
    const struct fstab_entry *entry;
    const char *node;
    const atomic_bool *stop;
    bool last;
};

static bool fail(const struct attempt *attempt, const char *program, enum status status,
                 const char *output)
{
    char place[OS_PATH_ROOM + 16];
    if (!attempt->last)
        return false;
    snprintf(place, sizeof place, "%s:%u", attempt->file, attempt->entry->line);
    engine_log(OS_LOG_ERROR, "no-mount", "line", place, "device", attempt->node, "point",
               attempt->entry->point, "program", program, "reason",
               status == STATUS_OK ? output : status_text(status), NULL);
    return false;
}

/* As `fsck -a` does at the start of a system: what it can mend by itself it mends. */
static bool check(const struct attempt *attempt)
{
    enum { MENDED = 1 };
    char output[OUTPUT_ROOM];
    int code = 0;
    const char *const arguments[] = {"fsck",        "-T", "-a", "-t", attempt->entry->type,
                                     attempt->node, NULL};
    const char *const guessing[] = {"fsck", "-T", "-a", attempt->node, NULL};
    if (attempt->entry->pass == 0)
        return true;
    bool guess = strcmp(attempt->entry->type, "auto") == 0;
    enum status status =
        run(guess ? guessing : arguments, CHECK_PATIENCE, attempt->stop, output, &code);
    if (status == STATUS_OK && code <= MENDED)
        return true;
    return fail(attempt, "fsck", status, output);
}

static bool mount(const struct attempt *attempt)
{
    char output[OUTPUT_ROOM];
    int code = 0;
    const struct fstab_entry *entry = attempt->entry;
    const char *const arguments[] = {"mount", "-t",          entry->type,  "-o", entry->options,
                                     "--",    attempt->node, entry->point, NULL};
    if (!check(attempt))
        return false;
    enum status status = run(arguments, MOUNT_PATIENCE, attempt->stop, output, &code);
    return (status == STATUS_OK && code == 0) || fail(attempt, "mount", status, output);
}

/* What failed, or was given up, may have been done nevertheless. */
static bool mount_entry(struct mounts *mounts, const struct os_loopback *loop,
                        const struct attempt *attempt)
{
    char real[OUTPUT_ROOM];
    find_real(attempt->entry->point, attempt->stop, real);
    struct mount_point *point = remember(mounts, attempt->entry->point, real);
    if (point == NULL || (!mount(attempt) && !look_for(loop, real).found))
        return false;
    set_state(mounts, point, MOUNT_DONE);
    engine_log(OS_LOG_INFO, "mounted", "device", attempt->node, "point", attempt->entry->point,
               NULL);
    return true;
}

static bool is_wanted(struct mounts *mounts, const struct os_loopback *loop,
                      const struct fstab_entry *entry, char node[OS_PATH_ROOM])
{
    if (!fstab_is_automatic(entry) || mounts_point_is(mounts, entry->point))
        return false;
    return fstab_is_tag(entry->device) ? find_tag(loop, entry->device, node)
                                       : find_node(loop, entry->device, node);
}

unsigned mounts_try(struct mounts *mounts, const struct os_loopback *loop, const atomic_bool *stop,
                    bool last)
{
    struct os_arena arena = {0};
    struct fstab fstab;
    const char *file;
    unsigned left = 0;
    char node[OS_PATH_ROOM];
    if (mounts_read(mounts, &fstab, &arena, &file) != STATUS_OK)
        fstab.count = 0;
    for (size_t i = 0; i < fstab.count && !atomic_load(stop); i++) {
        const struct fstab_entry *entry = &fstab.entries[i];
        if (!is_wanted(mounts, loop, entry, node))
            continue;
        const struct attempt attempt = {file, entry, node, stop, last};
        left += !mount_entry(mounts, loop, &attempt);
    }
    os_arena_clear(&arena);
    return left;
}

/* --- unmounting --- */

struct others {
    struct mounts *mounts;
    bool found;
};

/* Also where we have only tried: who was told to give up may have got it done. */
static bool is_ours(const struct mounts *mounts, const char *path)
{
    for (size_t i = 0; i < mounts->count; i++) {
        if (strcmp(mounts->points[i].real, path) == 0)
            return true;
    }
    return false;
}

static void look_at(void *context, const struct os_mount *mount)
{
    struct others *others = context;
    others->found = others->found || !is_ours(others->mounts, mount->point);
}

bool mounts_of_others(struct mounts *mounts, const struct os_loopback *loop)
{
    struct others others = {mounts, false};
    os_mounts_of(loop, look_at, &others);
    return others.found;
}

static enum status unmount(const struct os_loopback *loop, const char *point,
                           const atomic_bool *stop)
{
    char output[OUTPUT_ROOM] = "something else is mounted there";
    int code = 0;
    const char *const arguments[] = {"umount", "--", point, NULL};
    struct search search = look_for(loop, point);
    if (!search.found) /* somebody has done it already, and what is there now is not ours */
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (!search.hidden)
        status = run(arguments, UNMOUNT_PATIENCE, stop, output, &code);
    if (status == STATUS_OK && !search.hidden && code == 0) {
        engine_log(OS_LOG_INFO, "unmounted", "point", point, NULL);
        return STATUS_OK;
    }
    if (!look_for(loop, point).found)
        return STATUS_OK;
    engine_log(OS_LOG_WARNING, "not-unmounted", "point", point, "reason",
               status == STATUS_OK ? output : status_text(status), NULL);
    return STATUS_BUSY;
}

enum status mounts_undo(struct mounts *mounts, const struct os_loopback *loop,
                        const atomic_bool *stop)
{
    for (size_t i = mounts->count; i > 0; i--) {
        struct mount_point *point = &mounts->points[i - 1];
        enum status status = unmount(loop, point->real, stop);
        if (status != STATUS_OK)
            return status;
        set_state(mounts, point, MOUNT_TRIED);
    }
    return STATUS_OK;
}

/* By a program that can be left alone: who writes may wait for a device of ours. */
static void write_out(void *context, const struct os_mount *mount)
{
    bool *written = context;
    char output[OUTPUT_ROOM];
    int code = 0;
    const char *const arguments[] = {"sync", "-f", "--", mount->point, NULL};
    enum status status = run(arguments, WRITE_PATIENCE, NULL, output, &code);
    if (status == STATUS_OK && code == 0)
        return;
    engine_log(OS_LOG_WARNING, "not-written", "point", mount->point, "reason",
               status == STATUS_OK ? output : status_text(status), NULL);
    *written = false;
}

bool mounts_write(const struct os_loopback *loop)
{
    bool written = true;
    os_mounts_of(loop, write_out, &written);
    return written;
}

static void drop(void *context, const struct os_mount *mount)
{
    (void)context;
    enum status status = os_unmount_lazily(mount);
    engine_log(OS_LOG_WARNING, "unmounted-by-force", "point", mount->point, "status",
               status_name(status), NULL);
}

void mounts_drop(struct mounts *mounts, const struct os_loopback *loop)
{
    os_mounts_of(loop, drop, NULL);
    mounts_clear(mounts);
}

void mounts_clear(struct mounts *mounts)
{
    while (mounts->count > 0)
        drop_last(mounts);
}
