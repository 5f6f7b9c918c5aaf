/*
 * Copies of each other. A copy that cannot be written is left out, for it has become a different
 * thing; that it was is noted beside a copy that goes on, so that a later start does not read what
 * is old. A copy that cannot be read somewhere is left out in the same way. The last copy stays,
 * and its errors are the initiator's.
 */
#include "libiscsi/storage_internal.h"

#include "os/memory.h"
#include "os/runtime.h"
#include "os/system.h"

#include <stdio.h>
#include <string.h>

#define NOTE_ENDING ".lost"

/* --- the note: names of lost copies, one a line, beside the first file of one that is not --- */

static const char *first_path(const struct storage *storage)
{
    const char *path = storage->path;

    for (size_t i = 0; path == NULL && i < storage->count; i++)
        path = first_path(storage->pieces[i]);
    return path;
}

/* False: it has no file to note anything beside. */
static bool note_path(const struct storage *storage, char out[OS_PATH_ROOM])
{
    const char *path = first_path(storage);
    int length = path != NULL ? snprintf(out, OS_PATH_ROOM, "%s" NOTE_ENDING, path) : -1;

    return length > 0 && (size_t)length < OS_PATH_ROOM;
}

static char *names_of_lost(const struct storage *mirror)
{
    size_t room = 1;
    char *names;

    for (size_t i = 0; i < mirror->count; i++)
        room += strlen(mirror->pieces[i]->name) + 1;
    names = os_alloc(room);
    for (size_t i = 0; names != NULL && i < mirror->count; i++) {
        if (mirror->lost[i]) {
            strcat(names, mirror->pieces[i]->name);
            strcat(names, "\n");
        }
    }
    return names;
}

/* Beside every copy that goes on: any of them may be the only one that is there next time. */
static void write_notes(const struct storage *mirror)
{
    char path[OS_PATH_ROOM];
    char *names = names_of_lost(mirror);

    for (size_t i = 0; names != NULL && i < mirror->count; i++) {
        if (!mirror->lost[i] && note_path(mirror->pieces[i], path))
            os_publish_file(path, names, OS_NO_GROUP);
    }
    os_free(names);
}

static bool is_noted(const char *note, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = note; (at = strstr(at, name)) != NULL; at += length) {
        if ((at == note || at[-1] == '\n') && strchr("\r\n", at[length]) != NULL)
            return true;
    }
    return false;
}

static enum status heed_note(struct storage *mirror, size_t teller)
{
    char path[OS_PATH_ROOM];
    char *note = NULL;
    size_t length;
    enum status status = STATUS_OK;

    if (note_path(mirror->pieces[teller], path))
        status = os_read_file(path, &note, &length);
    for (size_t i = 0; note != NULL && i < mirror->count; i++)
        mirror->lost[i] |= i != teller && is_noted(note, mirror->pieces[i]->name);
    os_free(note);
    return status;
}

/* --- which copies count --- */

static size_t live_copies(const struct storage *mirror)
{
    size_t live = 0;

    for (size_t i = 0; i < mirror->count; i++)
        live += !mirror->lost[i];
    return live;
}

static void tell(const struct storage *mirror, size_t copy)
{
    if (mirror->tell != NULL)
        mirror->tell(mirror->context, mirror->pieces[copy]->name);
}

/* False: it is the last one. */
static bool lose(struct storage *mirror, size_t copy)
{
    if (live_copies(mirror) < 2)
        return false;
    mirror->lost[copy] = true;
    write_notes(mirror);
    tell(mirror, copy);
    return true;
}

/* A copy that was not there before has nothing of what the others hold. */
static void lose_fresh(struct storage *mirror)
{
    bool all = true;

    for (size_t i = 0; i < mirror->count; i++)
        all &= mirror->pieces[i]->fresh;
    mirror->fresh = all;
    for (size_t i = 0; !all && i < mirror->count; i++)
        mirror->lost[i] |= mirror->pieces[i]->fresh;
}

static enum status check_copies(struct storage *mirror)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; i < mirror->count; i++) {
        if (mirror->pieces[i]->size != mirror->pieces[0]->size)
            return STATUS_INVALID_PARAMETER;
    }
    for (size_t i = 0; status == STATUS_OK && i < mirror->count; i++)
        status = heed_note(mirror, i);
    lose_fresh(mirror);
    if (status == STATUS_OK && live_copies(mirror) == 0)
        return STATUS_BUSY;
    if (status == STATUS_OK && live_copies(mirror) < mirror->count)
        write_notes(mirror);
    for (size_t i = 0; status == STATUS_OK && i < mirror->count; i++) {
        if (mirror->lost[i])
            tell(mirror, i);
    }
    return status;
}

enum status storage_mirror(const char *name, struct storage **pieces, size_t count,
                           storage_lost *lost, void *context, struct storage **out)
{
    enum status status = storage_group(name, STORAGE_MIRROR, pieces, count, out);

    if (status != STATUS_OK)
        return status;
    (*out)->size = pieces[0]->size;
    (*out)->tell = lost;
    (*out)->context = context;
    (*out)->lost = os_alloc(count * sizeof(bool));
    status = (*out)->lost != NULL ? check_copies(*out) : STATUS_NO_MEMORY;
    if (status != STATUS_OK) {
        storage_free(*out);
        *out = NULL;
    }
    return status;
}

/* --- reading and writing --- */

bool mirror_read(struct storage *mirror, uint64_t offset, void *out, size_t length)
{
    for (size_t tried = 0; tried < mirror->count; tried++) {
        size_t copy = mirror->turn++ % mirror->count;

        if (mirror->lost[copy])
            continue;
        if (storage_read(mirror->pieces[copy], offset, out, length))
            return true;
        if (!lose(mirror, copy))
            return false;
    }
    return false;
}

/* What no copy took is an error; what one of them took is done, and the others are lost. */
static bool settle(struct storage *mirror, const bool *failed, size_t done)
{
    for (size_t i = 0; done > 0 && i < mirror->count; i++) {
        if (failed[i])
            lose(mirror, i);
    }
    return done > 0;
}

/* `data` NULL: a flush. */
static bool on_all_copies(struct storage *mirror, uint64_t offset, const void *data, size_t length)
{
    bool *failed = os_alloc(mirror->count * sizeof *failed);
    size_t done = 0;
    bool good;

    if (failed == NULL)
        return false;
    for (size_t i = 0; i < mirror->count; i++) {
        if (mirror->lost[i])
            continue;
        good = data != NULL ? storage_write(mirror->pieces[i], offset, data, length)
                            : storage_flush(mirror->pieces[i]);
        failed[i] = !good;
        done += good;
    }
    good = settle(mirror, failed, done);
    os_free(failed);
    return good;
}

bool mirror_write(struct storage *mirror, uint64_t offset, const void *data, size_t length)
{
    return on_all_copies(mirror, offset, data, length);
}

bool mirror_flush(struct storage *mirror)
{
    return on_all_copies(mirror, 0, NULL, 0);
}
