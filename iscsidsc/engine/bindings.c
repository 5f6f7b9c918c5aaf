#include "engine/bindings.h"
#include "engine/log.h"
#include "engine/mappings.h"
#include "engine/model.h"
#include "os/runtime.h"
#include "os/system.h"

#include <stdio.h>
#include <string.h>

enum {
    TOGETHER = 100,  /* milliseconds in which new targets cost one write */
    QUIET = 50,      /* the same for which nobody else has written: no editor is in the middle */
    BUSY_MOST = 100, /* tries with pauses of QUIET */
    FAILED_PAUSE = 30000,
    END_TRIES = 20,
    END_PAUSE = 10,
};

/* --- where it is --- */

static bool exists(const char *path)
{
    char *text;
    size_t length;
    enum status status = os_read_file(path, &text, &length);
    os_free(text);
    return status != STATUS_OK || text != NULL;
}

/* As iscsi.conf: that of the state directory, then the system's; else the former is made. */
static char *choose_path(const struct engine *engine)
{
    char path[OS_PATH_ROOM];
    const char *directory = engine->directory, *system = "/etc/iscsi.bindings";
    if (engine->parameters.bindings_file[0] != '\0')
        return os_copy_text(engine->parameters.bindings_file);
    if (directory == NULL)
        return NULL;
    int length = snprintf(path, sizeof path, "%s/iscsi.bindings", directory);
    if (length < 0 || (size_t)length >= sizeof path)
        return NULL;
    /* A directory that begins with a slash is a Unix one, and only there is /etc. */
    if (directory[0] == '/' && !exists(path) && exists(system))
        return os_copy_text(system);
    return os_copy_text(path);
}

static bool has_fresh(const struct binding_table *table)
{
    return table->count > 0 && table->entries[table->count - 1].line == 0;
}

static void forget(struct bindings *bindings)
{
    os_timer_clear(&bindings->timer);
    os_free(bindings->path);
    os_free(bindings->configured);
    os_free(bindings->text);
    binding_table_clear(&bindings->table);
    bindings_init(bindings);
}

/* False: there is no place for it. */
static bool find_path(struct engine *engine)
{
    struct bindings *bindings = &engine->bindings;
    const struct parameters *parameters;
    engine_parameters(engine, &parameters); /* a bad file has been told where it was read */
    if (bindings->configured != NULL &&
        strcmp(bindings->configured, parameters->bindings_file) != 0) {
        bindings_end(engine);
        forget(bindings);
    }
    if (bindings->path == NULL) {
        os_free(bindings->configured);
        bindings->configured = os_copy_text(parameters->bindings_file);
        bindings->path = choose_path(engine);
    }
    return bindings->path != NULL && bindings->configured != NULL;
}

/* --- what is told --- */

/* Each failure once, and that it is over. */
static void tell(struct bindings *bindings, enum status status)
{
    if (status == bindings->failure)
        return;
    bindings->failure = status;
    if (status == STATUS_OK)
        engine_log(OS_LOG_INFO, "bindings-kept", "file", bindings->path, NULL);
    else
        engine_log(OS_LOG_ERROR, "bindings-not-kept", "file", bindings->path, "status",
                   status_name(status), "reason", status_text(status), NULL);
}

static void on_problem(void *context, unsigned line, const char *why)
{
    const struct bindings *bindings = context;
    char at[OS_PATH_ROOM + 16];
    if (line > 0)
        snprintf(at, sizeof at, "%s:%u", bindings->path, line);
    else
        snprintf(at, sizeof at, "%s", bindings->path);
    engine_log(OS_LOG_WARNING, "bad-binding", "at", at, "reason", why, NULL);
}

/* --- reading --- */

static uint32_t free_place(const struct engine *engine, const struct binding_table *table)
{
    const struct unit_base *base = &engine->units;
    uint32_t place = 0;
    while (place <= MAPPING_PLACE_LAST &&
           (numbers_taken(&table->places, place) || numbers_taken(&base->places, place) ||
            numbers_taken(&base->wanted, place)))
        place++;
    return place <= MAPPING_PLACE_LAST ? place : NUMBERS_NONE;
}

/* What was to be written when somebody else wrote: his word counts. */
static bool keep_fresh(struct engine *engine, struct binding_table *into)
{
    const struct binding_table *from = &engine->bindings.table;
    for (size_t i = 0; i < from->count; i++) {
        const struct binding *entry = &from->entries[i];
        uint32_t place = entry->place;
        if (entry->line > 0 || binding_table_find(into, entry->target) != NULL)
            continue;
        if (numbers_taken(&into->places, place))
            place = free_place(engine, into);
        if (place != NUMBERS_NONE && !binding_table_add(into, entry->target, place))
            return false;
    }
    return true;
}

/* Takes the text over. */
static enum status take_text(struct engine *engine, char *text, size_t length)
{
    struct bindings *bindings = &engine->bindings;
    struct binding_table table = {0};
    if (!binding_table_read(&table, text != NULL ? text : "", length, on_problem, bindings) ||
        !keep_fresh(engine, &table)) {
        binding_table_clear(&table);
        os_free(text);
        return STATUS_NO_MEMORY;
    }
    binding_table_clear(&bindings->table);
    bindings->table = table;
    os_free(bindings->text);
    bindings->text = text;
    bindings->length = length;
    bindings->read = true;
    return STATUS_OK;
}

static bool is_same(const struct bindings *bindings, const char *text, size_t length)
{
    if (!bindings->read || text == NULL || bindings->text == NULL)
        return bindings->read && text == NULL && bindings->text == NULL;
    return length == bindings->length && memcmp(text, bindings->text, length) == 0;
}

/* Editors empty the file before they write it, or take it away: what has lines is not lost because
 * of a bad moment. */
static bool is_half_written(struct bindings *bindings, const char *text, size_t length)
{
    if (!bindings->read || (length > 0 && text[length - 1] == '\n')) {
        bindings->half = 0;
        return false;
    }
    if (bindings->half == 0 || bindings->half_length != length) {
        bindings->half = os_now();
        bindings->half_length = length;
    }
    return os_now() - bindings->half < QUIET;
}

static enum status read_again(struct engine *engine, bool settled)
{
    struct bindings *bindings = &engine->bindings;
    char *text;
    size_t length;
    enum status status = os_read_file(bindings->path, &text, &length);
    if (status != STATUS_OK)
        return status;
    bool same = is_same(bindings, text, length);
    if (same || (!settled && is_half_written(bindings, text, length))) {
        os_free(text);
        return same ? STATUS_OK : STATUS_BUSY;
    }
    bool made = text != NULL || bindings->read; /* by somebody */
    status = take_text(engine, text, length);
    bindings->seen = made && !settled ? os_now() : 0;
    return status;
}

/* What the file says now. BUSY: that is not clear yet, what was known still counts. */
static enum status look(struct engine *engine)
{
    struct bindings *bindings = &engine->bindings;
    uint64_t stamp = 0;
    bool stamped = os_file_stamp(bindings->path, &stamp);
    if (stamped && bindings->stamped && stamp == bindings->stamp)
        return STATUS_OK;
    enum status status = read_again(engine, stamped);
    bindings->stamped = stamped && status == STATUS_OK;
    bindings->stamp = stamp;
    return status;
}

uint32_t bindings_find(struct engine *engine, const char *target)
{
    if (!find_path(engine))
        return NUMBERS_NONE;
    enum status status = look(engine);
    if (status != STATUS_OK && status != STATUS_BUSY)
        tell(&engine->bindings, status); /* what was known still counts */
    const struct binding *found = binding_table_find(&engine->bindings.table, target);
    return found != NULL ? found->place : NUMBERS_NONE;
}

uint32_t bindings_free_place(const struct engine *engine)
{
    return free_place(engine, &engine->bindings.table);
}

/* --- writing --- */

static enum status revise(struct bindings *bindings)
{
    struct os_text before = {bindings->text, bindings->length}, after;
    char *text =
        binding_table_text(&bindings->table, bindings->text, bindings->length, &after.length);
    after.start = text;
    if (text == NULL)
        return STATUS_NO_MEMORY;
    enum status status =
        os_revise_file(bindings->path, bindings->text != NULL ? &before : NULL, &after);
    if (status != STATUS_OK) {
        os_free(text);
        return status;
    }
    os_free(bindings->text);
    bindings->text = text;
    bindings->length = after.length;
    bindings->stamped = false;
    bindings->written = os_now();
    binding_table_written(&bindings->table);
    return STATUS_OK;
}

/* BUSY: somebody else is at it. */
static enum status revise_locked(struct engine *engine)
{
    struct bindings *bindings = &engine->bindings;
    struct os_file_lock lock;
    char path[OS_PATH_ROOM];
    int length = snprintf(path, sizeof path, "%s.lock", bindings->path);
    if (length < 0 || (size_t)length >= sizeof path)
        return STATUS_STORE_FAILED;
    enum status status = os_file_lock(&lock, path);
    if (status != STATUS_OK)
        return status;
    status = look(engine);
    bool quiet = bindings->seen == 0 || os_now() - bindings->seen >= QUIET;
    if (status == STATUS_OK && has_fresh(&bindings->table))
        status = quiet ? revise(bindings) : STATUS_BUSY;
    os_file_unlock(&lock);
    return status;
}

static enum status write_out(struct engine *engine)
{
    const struct bindings *bindings = &engine->bindings;
    enum status status = STATUS_OK;
    if (bindings->text == NULL && bindings->configured[0] == '\0')
        status = os_make_private_directory(engine->directory);
    return status == STATUS_OK ? revise_locked(engine) : status;
}

static void on_timer(struct os_timer *timer)
{
    struct bindings *bindings = LIST_OWNER(timer, struct bindings, timer);
    struct engine *engine = LIST_OWNER(bindings, struct engine, bindings);
    enum status status = write_out(engine);
    bindings->tries = status == STATUS_BUSY ? bindings->tries + 1 : 0;
    if (status != STATUS_BUSY || bindings->tries == BUSY_MOST)
        tell(bindings, status);
    if (status != STATUS_OK)
        os_timer_set(engine->loop, timer,
                     os_now() + (status == STATUS_BUSY ? QUIET : FAILED_PAUSE));
}

/* The first one at once, and those that come soon behind it together. */
void bindings_add(struct engine *engine, const char *target, uint32_t place)
{
    struct bindings *bindings = &engine->bindings;
    if (bindings->path == NULL || !bindings->read || !binding_name_valid(target) ||
        !binding_table_add(&bindings->table, target, place))
        return;
    uint64_t due = bindings->written > 0 ? bindings->written + TOGETHER : 0;
    if (bindings->timer.loop == NULL)
        os_timer_set(engine->loop, &bindings->timer, due);
}

/* --- the start and the end --- */

void bindings_init(struct bindings *bindings)
{
    *bindings = (struct bindings){.timer.fire = on_timer};
}

void bindings_end(struct engine *engine)
{
    struct bindings *bindings = &engine->bindings;
    enum status status = STATUS_OK;
    if (bindings->timer.loop == NULL)
        return;
    os_timer_clear(&bindings->timer);
    for (unsigned tries = 0; tries < END_TRIES; tries++) {
        status = write_out(engine);
        if (status != STATUS_BUSY)
            break;
        os_sleep(END_PAUSE);
    }
    tell(bindings, status);
}

void bindings_clear(struct bindings *bindings)
{
    forget(bindings);
}
