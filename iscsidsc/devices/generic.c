#include "devices/generic.h"
#include "engine/adapter.h"
#include "engine/connections.h"
#include "engine/model.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A text that grows in an arena. */
struct output {
    struct os_arena *arena;
    char *text;
    size_t length;
    size_t room;
    bool failed;
};

enum { ROOM_FIRST = 128 };

static bool make_room(struct output *output, size_t length)
{
    size_t room = output->room > 0 ? output->room : ROOM_FIRST;
    if (output->length + length + 1 <= output->room)
        return true;
    while (room < output->length + length + 1)
        room *= 2;
    char *text = os_arena_alloc(output->arena, room);
    if (text == NULL)
        return false;
    if (output->length > 0)
        memcpy(text, output->text, output->length);
    output->text = text;
    output->room = room;
    return true;
}

static void put(struct output *output, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0 || !make_room(output, (size_t)length))
        output->failed = true;
    if (!output->failed) {
        vsnprintf(output->text + output->length, (size_t)length + 1, format, again);
        output->length += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

/* --- what the unit says of itself --- */

static void put_vendor(struct output *output, const struct volume *volume)
{
    put(output, "%s\n", volume->facts.inquiry.vendor);
}

static void put_model(struct output *output, const struct volume *volume)
{
    put(output, "%s\n", volume->facts.inquiry.product);
}

static void put_revision(struct output *output, const struct volume *volume)
{
    put(output, "%s\n", volume->facts.inquiry.revision);
}

/* A target can put there what it likes. */
static void put_serial(struct output *output, const struct volume *volume)
{
    for (const char *c = volume->facts.serial; *c != '\0'; c++)
        put(output, "%c", *c >= ' ' && *c < 0x7f ? *c : '?');
    put(output, "\n");
}

static void put_type(struct output *output, const struct volume *volume)
{
    put(output, "%u\n", volume->facts.inquiry.device_type);
}

static void put_capacity(struct output *output, const struct volume *volume)
{
    const struct scsi_capacity *capacity = &volume->facts.capacity;
    put(output, "%" PRIu64 "\n", capacity->blocks * capacity->block_length);
}

static void put_block_size(struct output *output, const struct volume *volume)
{
    put(output, "%" PRIu32 "\n", volume->facts.capacity.block_length);
}

static void put_read_only(struct output *output, const struct volume *volume)
{
    put(output, "%d\n", volume->facts.mode.write_protected);
}

/* SPC-4, 7.8.6.1: types of designators. */
static void put_wwid(struct output *output, const struct volume *volume)
{
    static const char *const kinds[] = {[2] = "eui.", [3] = "naa.", [10] = "uuid."};
    const uint8_t *identity = volume->facts.identity;
    uint8_t kind = identity[0];
    if (volume->facts.identity_length > 0 && kind < sizeof kinds / sizeof *kinds &&
        kinds[kind] != NULL) {
        put(output, "%s", kinds[kind]);
        for (uint8_t i = 1; i < volume->facts.identity_length; i++)
            put(output, "%02x", identity[i]);
    }
    put(output, "\n");
}

/* --- the ways to it: one line each --- */

typedef void put_path(struct output *output, const struct path *path);

static void put_paths(struct output *output, const struct volume *volume, put_path *put_one)
{
    LIST_EACH(node, &volume->paths)
    {
        put_one(output, LIST_OWNER(node, struct path, link));
        put(output, "\n");
    }
}

static void put_path_target(struct output *output, const struct path *path)
{
    put(output, "%s", path->unit->session->target);
}

static void put_target(struct output *output, const struct volume *volume)
{
    put_paths(output, volume, put_path_target);
}

static void put_path_lun(struct output *output, const struct path *path)
{
    put(output, "%" PRIu64, scsi_lun_spelling(path->unit->facts.lun));
}

static void put_lun(struct output *output, const struct volume *volume)
{
    put_paths(output, volume, put_path_lun);
}

/* As in a SCSI_ADDRESS: port, bus, target id, LUN. */
static void put_path_address(struct output *output, const struct path *path)
{
    const struct units *units = path->unit->session->units;
    put(output, "%u:%u:%u:%u", ADAPTER_SCSI_PORT, units_bus(units), units_target(units),
        path->unit->os_lun);
}

static void put_address(struct output *output, const struct volume *volume)
{
    put_paths(output, volume, put_path_address);
}

static void put_path_portal(struct output *output, const struct path *path)
{
    const char *between = "";
    LIST_EACH(node, &path->unit->session->connections)
    {
        const struct engine_connection *connection = ENGINE_CONNECTION(node);
        bool brackets = connection->address != NULL && strchr(connection->address, ':') != NULL;
        if (connection->state != ENGINE_CONNECTION_LIVE || connection->address == NULL)
            continue;
        put(output, brackets ? "%s[%s]:%u" : "%s%s:%u", between, connection->address,
            connection->socket);
        between = " ";
    }
    if (between[0] == '\0')
        put(output, "?");
}

static void put_portal(struct output *output, const struct volume *volume)
{
    put_paths(output, volume, put_path_portal);
}

static void put_path_session(struct output *output, const struct path *path)
{
    const struct unique_id *id = &path->unit->session->id;
    put(output, "0x%" PRIx64 "-0x%" PRIx64, id->adapter, id->specific);
}

static void put_session(struct output *output, const struct volume *volume)
{
    put_paths(output, volume, put_path_session);
}

static void put_path_state(struct output *output, const struct path *path)
{
    static const char *const names[] = {[PATH_ACTIVE] = "active",
                                        [PATH_STANDBY] = "standby",
                                        [PATH_FAILED] = "failed",
                                        [PATH_REMOVED] = "removed"};
    put(output, "%s", names[path_state(path)]);
}

static void put_state(struct output *output, const struct volume *volume)
{
    put_paths(output, volume, put_path_state);
}

static void put_statistics(struct output *output, const struct volume *volume)
{
    const struct io_statistics *io = &volume->statistics;
    put(output, "reads %" PRIu64 "\nwrites %" PRIu64 "\nothers %" PRIu64 "\n", io->reads,
        io->writes, io->others);
    put(output, "bytes_read %" PRIu64 "\nbytes_written %" PRIu64 "\n", io->bytes_read,
        io->bytes_written);
    put(output, "errors %" PRIu64 "\nretries %" PRIu64 "\n", io->errors, io->retries);
}

/* --- the files --- */

static const struct {
    const char *name;
    void (*put)(struct output *output, const struct volume *volume);
} files[] = {
    {"vendor", put_vendor},
    {"model", put_model},
    {"revision", put_revision},
    {"serial", put_serial},
    {"wwid", put_wwid},
    {"type", put_type},
    {"capacity", put_capacity},
    {"block_size", put_block_size},
    {"read_only", put_read_only},
    {"target", put_target},
    {"lun", put_lun},
    {"address", put_address},
    {"portal", put_portal},
    {"session", put_session},
    {"state", put_state},
    {"statistics", put_statistics},
};

const char *generic_name(unsigned index)
{
    return index < sizeof files / sizeof *files ? files[index].name : NULL;
}

enum status generic_text(void *volume, unsigned index, struct os_arena *arena, const char **text)
{
    struct output output = {.arena = arena};
    put(&output, "%s", "");
    files[index].put(&output, volume);
    *text = output.text;
    return output.failed ? STATUS_NO_MEMORY : STATUS_OK;
}
