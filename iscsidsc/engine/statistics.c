#include "engine/statistics.h"
#include "engine/connections.h"
#include "os/memory.h"

#include <string.h>

/* In the order of the reply of get_statistics. */
enum counter {
    COUNT_BYTES_SENT,
    COUNT_BYTES_RECEIVED,
    COUNT_PDUS_SENT,
    COUNT_PDUS_RECEIVED,
    COUNT_COMMANDS,
    COUNT_DATA_IN_BYTES,
    COUNT_DATA_OUT_BYTES,
    COUNT_DIGEST_ERRORS,
    COUNT_LOGIN_FAILURES,
    COUNT_SESSION_FAILURES,
    COUNT_TIME_FAILURES,
    COUNT_FORMAT_FAILURES,
    COUNT_CONNECTION_TIMEOUTS,
    COUNTERS,
};

/* An address of this machine, as text: what interfaces' counters are made of. */
enum { COUNTED_ADDRESS = 4 };

struct entry {
    struct list link;
    uint32_t kind;
    uint64_t lun;
    uint64_t kept[COUNTERS]; /* without the sessions that there are */
    uint64_t base[COUNTERS]; /* what there was when counting was enabled */
    uint64_t last_failure;
    char name[];
};

/* --- entries --- */

static struct list *bucket_of(struct statistics_base *base, const char *name)
{
    return &base->buckets[catalogue_hash(name) % STATISTICS_BUCKETS];
}

static struct entry *find(struct statistics_base *base, uint32_t kind, const char *name,
                          uint64_t lun)
{
    LIST_EACH(node, bucket_of(base, name))
    {
        struct entry *entry = LIST_OWNER(node, struct entry, link);
        if (entry->kind == kind && entry->lun == lun && name_equal(entry->name, name))
            return entry;
    }
    return NULL;
}

/* NULL: out of memory, and that much is not counted. */
static struct entry *make(struct statistics_base *base, uint32_t kind, const char *name,
                          uint64_t lun)
{
    struct entry *entry = find(base, kind, name, lun);
    size_t size = strlen(name) + 1;
    if (entry != NULL)
        return entry;
    entry = os_alloc(sizeof *entry + size);
    if (entry == NULL)
        return NULL;
    entry->kind = kind;
    entry->lun = lun;
    memcpy(entry->name, name, size);
    list_append(bucket_of(base, name), &entry->link);
    return entry;
}

static struct entry *of_target(const struct engine_session *session)
{
    return make(&session->engine->statistics, COUNTED_TARGET, session->target, 0);
}

void statistics_init(struct statistics_base *base)
{
    for (size_t i = 0; i < STATISTICS_BUCKETS; i++)
        list_init(&base->buckets[i]);
}

void statistics_clear(struct statistics_base *base)
{
    struct list *first;
    for (size_t i = 0; i < STATISTICS_BUCKETS; i++) {
        while ((first = list_first(&base->buckets[i])) != NULL) {
            list_remove(first);
            os_free(LIST_OWNER(first, struct entry, link));
        }
    }
}

/* --- counting --- */

static void add(uint64_t counts[COUNTERS], const struct statistics *from)
{
    counts[COUNT_BYTES_SENT] += from->bytes_sent;
    counts[COUNT_BYTES_RECEIVED] += from->bytes_received;
    counts[COUNT_PDUS_SENT] += from->pdus_sent;
    counts[COUNT_PDUS_RECEIVED] += from->pdus_received;
    counts[COUNT_COMMANDS] += from->commands;
    counts[COUNT_DATA_IN_BYTES] += from->data_in_bytes;
    counts[COUNT_DATA_OUT_BYTES] += from->data_out_bytes;
    counts[COUNT_DIGEST_ERRORS] += from->header_digest_errors + from->data_digest_errors;
}

static void add_session(uint64_t counts[COUNTERS], const struct engine_session *session)
{
    struct statistics all;
    if (session->contact == NULL)
        return;
    session_statistics(contact_session(session->contact), &all);
    add(counts, &all);
}

/* The core's connection; NULL: there is none, or its TCP connection never stood. */
static const struct connection *core_of(const struct engine_connection *connection)
{
    return connection->contact != NULL && connection->has_local
               ? contact_connection(connection->contact)
               : NULL;
}

void statistics_keep_session(const struct engine_session *session)
{
    struct entry *entry = session->contact != NULL ? of_target(session) : NULL;
    if (entry != NULL)
        add_session(entry->kept, session);
}

void statistics_keep_connection(const struct engine_connection *connection)
{
    const struct connection *core = core_of(connection);
    char host[OS_HOST_TEXT];
    uint16_t port;
    if (core == NULL)
        return;
    os_address_format(&connection->local, host, &port);
    struct entry *entry = make(&connection->session->engine->statistics, COUNTED_ADDRESS, host, 0);
    if (entry != NULL)
        add(entry->kept, connection_statistics(core));
}

void statistics_count_task(const struct engine_session *session, const struct task *task)
{
    struct entry *entry =
        make(&session->engine->statistics, COUNTED_UNIT, session->target, task->lun);
    if (entry == NULL || task->pdus_sent == 0)
        return;
    entry->kept[COUNT_COMMANDS]++;
    entry->kept[COUNT_BYTES_SENT] += task->bytes_sent;
    entry->kept[COUNT_BYTES_RECEIVED] += task->bytes_received;
    entry->kept[COUNT_PDUS_SENT] += task->pdus_sent;
    entry->kept[COUNT_PDUS_RECEIVED] += task->pdus_received;
    entry->kept[COUNT_DATA_IN_BYTES] += task->transferred;
    if (task->status == STATUS_OK)
        entry->kept[COUNT_DATA_OUT_BYTES] += task->data_out_length;
}

void statistics_login_failed(const struct engine_session *session)
{
    struct entry *entry = of_target(session);
    if (entry == NULL)
        return;
    entry->kept[COUNT_LOGIN_FAILURES]++;
    entry->last_failure = os_time();
}

static bool is_late(enum status status)
{
    return status == STATUS_COMMAND_TIMEOUT || status == STATUS_LOGOUT_TIMEOUT ||
           status == STATUS_LOGIN_TIMEOUT;
}

static bool is_malformed(enum status status)
{
    return status == STATUS_PROTOCOL_ERROR || status == STATUS_INVALID_TEXT ||
           status == STATUS_NEGOTIATION_FAILED;
}

void statistics_connection_over(const struct engine_session *session, enum status status, bool last)
{
    struct entry *entry = status != STATUS_OK ? of_target(session) : NULL;
    if (entry == NULL)
        return;
    entry->kept[COUNT_CONNECTION_TIMEOUTS] += is_late(status);
    entry->kept[COUNT_SESSION_FAILURES] += last;
    entry->kept[COUNT_TIME_FAILURES] += last && is_late(status);
    entry->kept[COUNT_FORMAT_FAILURES] += last && is_malformed(status);
}

/* --- sums --- */

static void sum_kept(struct statistics_base *base, uint32_t kind, const char *name, uint64_t lun,
                     uint64_t out[COUNTERS])
{
    const struct entry *entry = find(base, kind, name, lun);
    for (size_t i = 0; entry != NULL && i < COUNTERS; i++)
        out[i] += entry->kept[i];
}

static void sum_target(struct engine *engine, const char *name, uint64_t out[COUNTERS])
{
    sum_kept(&engine->statistics, COUNTED_TARGET, name, 0, out);
    LIST_EACH(node, &engine->sessions)
    {
        const struct engine_session *session = LIST_OWNER(node, struct engine_session, link);
        if (name_equal(session->target, name))
            add_session(out, session);
    }
}

static void sum_live_connections(const struct engine *engine, const char *address,
                                 uint64_t out[COUNTERS])
{
    char host[OS_HOST_TEXT];
    uint16_t port;
    LIST_EACH(node, &engine->sessions)
    {
        LIST_EACH(inner, &LIST_OWNER(node, struct engine_session, link)->connections)
        {
            const struct engine_connection *connection = ENGINE_CONNECTION(inner);
            const struct connection *core = core_of(connection);
            if (core == NULL)
                continue;
            os_address_format(&connection->local, host, &port);
            if (strcmp(host, address) == 0)
                add(out, connection_statistics(core));
        }
    }
}

static void sum(struct engine *engine, const struct request_get_statistics *request,
                uint64_t out[COUNTERS])
{
    memset(out, 0, COUNTERS * sizeof *out);
    if (request->kind == COUNTED_TARGET)
        sum_target(engine, request->name, out);
    else if (request->kind == COUNTED_UNIT)
        sum_kept(&engine->statistics, COUNTED_UNIT, request->name, request->lun, out);
    for (uint32_t i = 0; request->kind == COUNTED_INTERFACE && i < request->addresses.count; i++) {
        sum_kept(&engine->statistics, COUNTED_ADDRESS, request->addresses.items[i], 0, out);
        sum_live_connections(engine, request->addresses.items[i], out);
    }
}

/* --- the operations --- */

static enum status check(uint32_t kind, const char *name)
{
    if (name == NULL || name[0] == '\0' || kind < COUNTED_TARGET || kind > COUNTED_INTERFACE)
        return STATUS_INVALID_PARAMETER;
    return STATUS_OK;
}

static enum status is_counted(struct engine *engine, uint32_t kind, const char *name, uint64_t lun,
                              bool *counted)
{
    struct store *store;
    bool uncounted = false;
    enum status status = check(kind, name);
    if (status == STATUS_OK)
        status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = store_uncounted(store, kind, name, lun, &uncounted);
    *counted = !uncounted;
    return status;
}

static void describe(const struct entry *entry, uint64_t counts[COUNTERS],
                     struct reply_get_statistics *out)
{
    for (size_t i = 0; entry != NULL && i < COUNTERS; i++)
        counts[i] -= counts[i] < entry->base[i] ? counts[i] : entry->base[i];
    *out = (struct reply_get_statistics){
        .bytes_sent = counts[COUNT_BYTES_SENT],
        .bytes_received = counts[COUNT_BYTES_RECEIVED],
        .pdus_sent = counts[COUNT_PDUS_SENT],
        .pdus_received = counts[COUNT_PDUS_RECEIVED],
        .commands = counts[COUNT_COMMANDS],
        .data_in_bytes = counts[COUNT_DATA_IN_BYTES],
        .data_out_bytes = counts[COUNT_DATA_OUT_BYTES],
        .digest_errors = counts[COUNT_DIGEST_ERRORS],
        .login_failures = counts[COUNT_LOGIN_FAILURES],
        .session_failures = counts[COUNT_SESSION_FAILURES],
        .time_failures = counts[COUNT_TIME_FAILURES],
        .format_failures = counts[COUNT_FORMAT_FAILURES],
        .connection_timeouts = counts[COUNT_CONNECTION_TIMEOUTS],
    };
    if (out->login_failures > 0)
        out->last_failure = entry->last_failure;
}

void engine_get_statistics(struct engine_call *call)
{
    const struct request_get_statistics *request = call->request;
    struct engine *engine = call->engine;
    struct reply_get_statistics reply = {0};
    uint64_t counts[COUNTERS];
    bool counted;
    enum status status = is_counted(engine, request->kind, request->name, request->lun, &counted);
    if (status == STATUS_OK && !counted)
        status = STATUS_NOT_COUNTED;
    if (status == STATUS_OK) {
        sum(engine, request, counts);
        describe(find(&engine->statistics, request->kind, request->name, request->lun), counts,
                 &reply);
    }
    engine_finish(call, status, &reply);
}

void engine_get_counting(struct engine_call *call)
{
    const struct request_get_counting *request = call->request;
    struct reply_get_counting reply = {0};
    bool counted;
    enum status status =
        is_counted(call->engine, request->kind, request->name, request->lun, &counted);
    reply.enabled = counted;
    engine_finish(call, status, &reply);
}

/* What happened while nothing was to be counted does not count later either. */
static enum status begin_anew(struct engine *engine, const struct request_set_counting *request)
{
    const struct request_get_statistics all = {.kind = request->kind,
                                               .name = request->name,
                                               .lun = request->lun,
                                               .addresses = request->addresses};
    struct entry *entry = make(&engine->statistics, request->kind, request->name, request->lun);
    if (entry == NULL)
        return STATUS_NO_MEMORY;
    sum(engine, &all, entry->base);
    return STATUS_OK;
}

void engine_set_counting(struct engine_call *call)
{
    const struct request_set_counting *request = call->request;
    struct engine *engine = call->engine;
    struct store *store;
    bool counted;
    enum status status = is_counted(engine, request->kind, request->name, request->lun, &counted);
    if (status == STATUS_OK && request->enabled && !counted)
        status = begin_anew(engine, request);
    if (status == STATUS_OK && (request->enabled != 0) != counted) {
        status = engine_store(engine, &store);
        if (status == STATUS_OK)
            status = store_set_uncounted(store, request->kind, request->name, request->lun,
                                         !request->enabled);
    }
    engine_finish(call, status, NULL);
}
