/* From the lines of a targets file to targets with disks. */
#include "libiscsi/auths.h"
#include "libiscsi/errors.h"
#include "libiscsi/storage.h"
#include "libiscsi/target_state.h"
#include "libiscsi/targets_file.h"
#include "libiscsi/trace.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/storage.h"
#include "os/system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_ROOM = 400 };

struct build {
    struct iscsi_target_state *state;
    struct targets_file file;
    const char *source; /* for messages */
    uint32_t block_length;
    struct auths auths;
};

/* --- messages --- */

static int fail(const struct build *build, unsigned line, const char *what, enum status status)
{
    variables_error(&build->state->variables, "%s:%u: %s: %s", build->source, line, what,
                    status_text(status));
    return error_of_status(status);
}

/* Told on the thread that serves: the administrator hears of it by the system's log as well. */
static void lost_copy(void *context, const char *name)
{
    struct iscsi_target_state *state = context;
    char line[MESSAGE_ROOM];
    int error;
    const char *before = variables_get(&state->variables, "lost copies", &error);

    snprintf(line, sizeof line, "%s%s%s", before != NULL ? before : "", before != NULL ? " " : "",
             name);
    variables_put(&state->variables, "lost copies", line);
    snprintf(line, sizeof line, "%s has failed: the other copies go on without it", name);
    os_system_log("iscsi-target", OS_LOG_WARNING, line);
    trace_say(target_value(state, "debug"), "%s", line);
}

/* --- storage --- */

static int make_storage(const struct build *build, const struct targets_piece *piece,
                        bool read_only, struct storage **out);

static int make_extent(const struct build *build, const struct targets_extent *extent,
                       bool read_only, struct storage **out)
{
    enum status status;

    if (strcmp(extent->file, "ram:") == 0)
        status = storage_memory(extent->name, extent->size, out);
    else
        status =
            storage_file(extent->name, extent->file, extent->offset, extent->size, read_only, out);
    if (status == STATUS_INVALID_PARAMETER) {
        variables_error(&build->state->variables, "%s:%u: %s is too short", build->source,
                        extent->line, extent->file);
        return EINVAL;
    }
    return status == STATUS_OK ? 0 : fail(build, extent->line, extent->file, status);
}

static int join_pieces(const struct build *build, const struct targets_device *device,
                       struct storage **pieces, struct storage **out)
{
    const char *complaint = "the extents are larger together than a disk can be";
    enum status status;

    if (device->level == 0) {
        status = storage_concatenate(device->name, pieces, device->count, out);
    } else {
        status = storage_mirror(device->name, pieces, device->count, lost_copy, build->state, out);
        complaint = status == STATUS_BUSY ? "each copy is known to be out of date"
                                          : "the copies are not of the same size";
    }
    if (status != STATUS_INVALID_PARAMETER && status != STATUS_BUSY)
        return status == STATUS_OK ? 0 : fail(build, device->line, device->name, status);
    variables_error(&build->state->variables, "%s:%u: %s: %s", build->source, device->line,
                    device->name, complaint);
    return status == STATUS_BUSY ? EIO : EINVAL;
}

/* As deep as the parser has let it become. */
static int make_device(const struct build *build, const struct targets_device *device,
                       bool read_only, struct storage **out)
{
    struct storage **pieces = os_alloc(device->count * sizeof(struct storage *));
    size_t made = 0;
    int error = 0;

    if (pieces == NULL)
        return fail(build, device->line, device->name, STATUS_NO_MEMORY);
    for (; error == 0 && made < device->count; made += error == 0)
        error = make_storage(build, &device->pieces[made], read_only, &pieces[made]);
    if (error == 0)
        error = join_pieces(build, device, pieces, out);
    else
        for (size_t i = 0; i < made; i++)
            storage_free(pieces[i]);
    os_free(pieces);
    return error;
}

static int make_storage(const struct build *build, const struct targets_piece *piece,
                        bool read_only, struct storage **out)
{
    *out = NULL;
    if (piece->is_device)
        return make_device(build, &build->file.devices[piece->index], read_only, out);
    return make_extent(build, &build->file.extents[piece->index], read_only, out);
}

/* --- disks --- */

/* A whole file, or memory, is something that the target can do more with than with a composition.
 * False: it is neither. */
static bool make_plain_disk(const struct build *build, const struct targets_lun *lun,
                            struct target_disk **out)
{
    const struct targets_extent *extent = &build->file.extents[lun->storage.index];
    bool made;

    *out = NULL;
    if (lun->storage.is_device || extent->offset != 0)
        return false;
    if (strcmp(extent->file, "ram:") == 0)
        return extent->size % build->block_length == 0 &&
               target_disk_ram(extent->size, build->block_length, out) == STATUS_OK;
    if (!lun->read_only && extent->size != TARGETS_WHOLE &&
        os_storage_make(extent->file, extent->size, &made) != STATUS_OK)
        return false;
    if (target_disk_file(extent->file, build->block_length, lun->read_only, out) != STATUS_OK)
        return false;
    if (extent->size == TARGETS_WHOLE || target_disk_bytes(*out) == extent->size)
        return true;
    target_disk_free(*out);
    *out = NULL;
    return false;
}

static int make_disk(const struct build *build, const struct targets_lun *lun,
                     struct target_disk **out)
{
    struct storage *storage;
    enum status status;
    uint64_t bytes;
    int error;

    if (make_plain_disk(build, lun, out))
        return 0;
    error = make_storage(build, &lun->storage, lun->read_only, &storage);
    if (error != 0)
        return error;
    bytes = storage_size(storage) - storage_size(storage) % build->block_length;
    status = target_disk_media(&storage_media, storage, bytes, build->block_length, out);
    if (status == STATUS_OK)
        return 0;
    storage_free(storage);
    if (status != STATUS_INVALID_PARAMETER)
        return fail(build, lun->line, lun->name, status);
    variables_error(&build->state->variables, "%s:%u: %s is smaller than a block", build->source,
                    lun->line, lun->name);
    return EINVAL;
}

/* --- targets --- */

static enum status add_accounts(const struct build *build, struct target_access *access)
{
    const char *identity = target_value(build->state, "mutual user");
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < build->auths.count; i++) {
        const struct auths_account *account = &build->auths.accounts[i];

        if (identity != NULL && strcmp(account->user, identity) == 0)
            status = target_access_identity(access, account->user, account->secret);
        else
            status = target_access_add(access, account->user, account->secret);
    }
    return status;
}

static enum status restrict_target(const struct build *build, const struct targets_lun *lun,
                                   struct target *target)
{
    enum status status = add_accounts(build, target_access_of(target));

    if (status == STATUS_OK && strcmp(lun->network, "any") != 0)
        status = target_access_allow_network(target_access_of(target), lun->network);
    return status;
}

/* The name, as initiators know it. False: too long. */
static bool full_name(const struct build *build, const struct targets_lun *lun,
                      char out[ISCSI_NAME_MAX + 1])
{
    const char *iqn = target_value(build->state, "iqn");
    int length = lun->iqn != NULL ? snprintf(out, ISCSI_NAME_MAX + 1, "%s", lun->iqn)
                                  : snprintf(out, ISCSI_NAME_MAX + 1, "%s:%s", iqn, lun->name);

    return length > 0 && length <= (int)ISCSI_NAME_MAX;
}

/* How many lines above are units of the same target. */
static uint32_t lun_number(const struct targets_file *file, const struct targets_lun *lun)
{
    uint32_t number = 0;

    for (const struct targets_lun *other = file->luns; other < lun; other++)
        number += strcmp(other->name, lun->name) == 0;
    return number;
}

static int find_target(const struct build *build, const struct targets_lun *lun, uint32_t number,
                       struct target **out)
{
    char name[ISCSI_NAME_MAX + 1];
    enum status status = STATUS_INVALID_NAME;

    if (full_name(build, lun, name)) {
        if (number > 0) {
            *out = target_find(build->state->entity, name);
            return 0;
        }
        status = target_add(build->state->entity, name, out);
    }
    if (status == STATUS_OK)
        status = restrict_target(build, lun, *out);
    return status == STATUS_OK ? 0 : fail(build, lun->line, lun->name, status);
}

static int add_lun(const struct build *build, const struct targets_lun *lun)
{
    uint32_t number = lun_number(&build->file, lun);
    struct target *target = NULL;
    struct target_disk *disk = NULL;
    enum status status;
    int error = find_target(build, lun, number, &target);

    if (error == 0)
        error = make_disk(build, lun, &disk);
    if (error != 0)
        return error;
    if (lun->read_only)
        target_disk_set_read_only(disk);
    trace_say(target_value(build->state, "debug"), "%s, unit %u: %s, %llu bytes",
              target_name(target), (unsigned)number, lun->read_only ? "ro" : "rw",
              (unsigned long long)target_disk_bytes(disk));
    status = target_add_disk(target, number, disk);
    return status == STATUS_OK ? 0 : fail(build, lun->line, lun->name, status);
}

static int add_luns(const struct build *build)
{
    int error = 0;

    if (build->file.lun_count == 0) {
        variables_error(&build->state->variables, "%s: there is no target in it", build->source);
        return EINVAL;
    }
    for (size_t i = 0; error == 0 && i < build->file.lun_count; i++)
        error = add_lun(build, &build->file.luns[i]);
    return error;
}

/* --- what the variables say --- */

static int read_accounts(struct build *build)
{
    const char *identity = target_value(build->state, "mutual user");
    const char *path = target_value(build->state, "authfile");
    char message[MESSAGE_ROOM];
    int error;

    if (strcmp(target_value(build->state, "auth type"), "none") == 0)
        return 0;
    error = auths_read(&build->auths, path, message, sizeof message);
    if (error == 0 && identity != NULL && auths_find(&build->auths, identity) == NULL) {
        snprintf(message, sizeof message, "%s: no user %s by chap in it", path, identity);
        error = ENOENT;
    } else if (error == 0 && build->auths.count < (identity != NULL ? 2u : 1u)) {
        snprintf(message, sizeof message, "%s: no user by chap in it", path);
        error = ENOENT;
    }
    if (error != 0)
        variables_error(&build->state->variables, "%s", message);
    return error;
}

static int parse(struct build *build, const char *text, size_t length)
{
    char message[MESSAGE_ROOM];

    if (targets_file_parse(&build->file, text, length, message, sizeof message))
        return 0;
    variables_error(&build->state->variables, "%s:%s", build->source, message);
    return EINVAL;
}

static int read_targets(struct build *build)
{
    const char *given = target_value(build->state, "targets");
    char *text = NULL;
    size_t length;
    enum status status;
    int error;

    if (given != NULL) {
        build->source = "targets";
        return parse(build, given, strlen(given));
    }
    build->source = target_value(build->state, "configfile");
    status = os_read_file(build->source, &text, &length);
    if (status != STATUS_OK || text == NULL) {
        variables_error(&build->state->variables, "%s: %s", build->source,
                        status != STATUS_OK ? status_text(status) : "there is no such file");
        return status != STATUS_OK ? error_of_status(status) : ENOENT;
    }
    error = parse(build, text, length);
    os_free(text);
    return error;
}

int target_build(struct iscsi_target_state *state)
{
    struct build build = {.state = state};
    int error;

    build.block_length = (uint32_t)strtoul(target_value(state, "blocklen"), NULL, 10);
    error = read_targets(&build);
    if (error == 0)
        error = read_accounts(&build);
    if (error == 0)
        error = error_of_status(add_accounts(&build, target_access_of_discovery(state->entity)));
    if (error == 0)
        error = add_luns(&build);
    auths_clear(&build.auths);
    targets_file_clear(&build.file);
    return error;
}
