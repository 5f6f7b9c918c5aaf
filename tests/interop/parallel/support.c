/* What the workers share: counts of calls, ids that were seen, names, reports. */
#include "parallel.h"

#include <stdarg.h>
#include <stdatomic.h>

static atomic_bool something_wrong;

bool wrong(struct worker *worker, const char *format, ...)
{
    va_list arguments;
    if (worker->problem[0] == '\0') {
        va_start(arguments, format);
        vsnprintf(worker->problem, sizeof worker->problem, format, arguments);
        va_end(arguments);
    }
    atomic_store(&something_wrong, true);
    return false;
}

bool failed(void)
{
    return atomic_load(&something_wrong);
}

bool stopped(const struct worker *worker)
{
    return failed() || milliseconds() >= worker->deadline;
}

/* xorshift64* */
uint32_t draw(struct worker *worker, uint32_t below)
{
    uint64_t x = worker->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    worker->random = x;
    return (uint32_t)((x * 0x2545F4914F6CDD1Dull) >> 32) % below;
}

/* ------------------------------------------------------------------- calls */

static struct {
    const char *name;
    atomic_uint calls;
} exports[] = {
#define PROTOTYPE(name, parameters) {#name, 0},
#include "prototypes.inc"
#undef PROTOTYPE
};

void count_call(const char *export_name)
{
    for (size_t i = 0; i < sizeof exports / sizeof *exports; i++) {
        if (strcmp(exports[i].name, export_name) == 0) {
            atomic_fetch_add(&exports[i].calls, 1);
            return;
        }
    }
    abort();
}

unsigned long total_calls(void);
unsigned long total_calls(void)
{
    unsigned long total = 0;
    for (size_t i = 0; i < sizeof exports / sizeof *exports; i++)
        total += atomic_load(&exports[i].calls);
    return total;
}

const char *never_called(void);
const char *never_called(void)
{
    for (size_t i = 0; i < sizeof exports / sizeof *exports; i++) {
        if (atomic_load(&exports[i].calls) == 0)
            return exports[i].name;
    }
    return NULL;
}

bool gives(struct worker *worker, ISDSC_STATUS expected, ISDSC_STATUS got, const char *call,
           const char *file, int line)
{
    if (got == expected)
        return true;
    return wrong(worker, "%s:%d: %s\n    expected 0x%lx, got 0x%lx", file, line, call,
                 (unsigned long)expected, (unsigned long)got);
}

bool fetch(struct worker *worker, report_call *call, void *context, size_t unit,
           struct report *report)
{
    for (int tries = 0; tries < 100; tries++) {
        ULONG given = (ULONG)(worker->room_size / unit);
        *report = (struct report){.size = given, .data = worker->room};
        ISDSC_STATUS status = call(report, context);
        if (status == ERROR_SUCCESS && report->size > given)
            return wrong(worker, "%lu delivered where there was room for %lu",
                         (unsigned long)report->size, (unsigned long)given);
        if (status != ERROR_INSUFFICIENT_BUFFER)
            return gives(worker, ERROR_SUCCESS, status, "a report", __FILE__, __LINE__);
        if (report->size <= given)
            return wrong(worker, "%lu asked for where there was room for %lu",
                         (unsigned long)report->size, (unsigned long)given);
        free(worker->room);
        worker->room_size = (size_t)report->size * unit + draw(worker, 2) * 4096;
        worker->room = malloc(worker->room_size);
        if (worker->room == NULL)
            abort();
    }
    return wrong(worker, "a report that never fits");
}

bool inside(const struct report *report, size_t unit, const void *pointer, size_t size)
{
    uintptr_t start = (uintptr_t)report->data, at = (uintptr_t)pointer;
    return at >= start && size <= report->size * unit && at - start <= report->size * unit - size;
}

/* ------------------------------------------------------------------- names */

static char *text_room(void)
{
    static _Thread_local char rooms[8][NAME_ROOM];
    static _Thread_local unsigned next;
    return rooms[next++ % 8];
}

const char *name_of(const char *kind, unsigned worker, unsigned index)
{
    char *out = text_room();
    snprintf(out, NAME_ROOM, "%s:%s-%02u-%u", TARGET_BASE, kind, worker, index);
    return out;
}

bool name_parse(const char *name, const char *kind, unsigned *worker, unsigned *index)
{
    size_t length = strlen(TARGET_BASE) + 1 + strlen(kind);
    char *end;
    if (strlen(name) < length + 2 || strncmp(name, name_of(kind, 0, 0), length + 1) != 0)
        return false;
    *worker = (unsigned)strtoul(name + length + 1, &end, 10);
    *index = *end == '-' ? (unsigned)strtoul(end + 1, &end, 10) : OWNED;
    return *end == '\0' && *worker < WORKERS && *index < OWNED;
}

/* Loopback addresses at which nobody listens. */
const char *address_of(unsigned worker, unsigned index)
{
    char *out = text_room();
    snprintf(out, NAME_ROOM, "127.77.%u.%u", worker + 1, index + 1);
    return out;
}

bool address_parse(const char *address, unsigned *worker, unsigned *index)
{
    if (sscanf(address, "127.77.%u.%u", worker, index) != 2)
        return false;
    *worker -= 1;
    *index -= 1;
    return *worker < WORKERS && *index < OWNED;
}

struct endpoint main_portal(void)
{
    return endpoint_of("TEST_EMBEDDED_MANY_PORTAL");
}

struct endpoint shared_portal(void)
{
    return endpoint_of("TEST_EMBEDDED_MANY_PORTAL2");
}

struct endpoint refused_portal(void)
{
    return endpoint_of("TEST_REFUSED_PORTAL");
}

const char *own_target(unsigned worker)
{
    char *out = text_room();
    snprintf(out, NAME_ROOM, "%s:disk-%02u", TARGET_BASE, worker);
    return out;
}

/* --------------------------------------------------------------------- ids */

enum { IDS = 1 << 18 };

static _Atomic ULONGLONG session_ids[IDS], connection_ids[IDS];

/* A hash table that only grows: whoever puts an id in was the first to see it. */
bool id_is_new(ULONGLONG adapter, ULONGLONG specific, bool connection)
{
    _Atomic ULONGLONG *table = connection ? connection_ids : session_ids;
    ULONGLONG key = adapter ^ (specific * 0x9E3779B97F4A7C15ull);
    for (size_t i = 0; i < IDS; i++) {
        ULONGLONG empty = 0;
        if (atomic_compare_exchange_strong(&table[(key + i) % IDS], &empty, specific))
            return true;
        if (empty == specific)
            return false;
    }
    abort();
}
