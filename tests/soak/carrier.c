#include "carrier.h"

#include "os/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_TIME = 5000, /* milliseconds */
    PAUSE = 20,          /* between two tries, and between two looks at kept commands */
    FIRST_NEW_CID = 100,
};

struct path {
    struct carrier *carrier;
    struct contact_connection *connection; /* NULL: none */
    bool up;
};

struct carrier {
    struct carrier_settings settings;
    struct os_loop *loop;
    struct link_base base;
    struct os_timer timer;
    struct dice dice;
    struct contact *contact; /* NULL: no session */
    struct path paths[CARRIER_CONNECTIONS_MOST];
    uint16_t last_cid;
    bool closing;
    struct carrier_counts counts;
};

bool carrier_repeats(const struct carrier_settings *settings)
{
    (void)settings;
    return false;
}

static void tend(struct carrier *carrier);

static void tend_later(struct carrier *carrier)
{
    if (carrier->timer.loop == NULL &&
        !os_timer_set(carrier->loop, &carrier->timer, os_now() + PAUSE))
        exit(1);
}

/* --- sessions --- */

static void add(struct statistics *sum, const struct statistics *more)
{
    sum->bytes_sent += more->bytes_sent;
    sum->bytes_received += more->bytes_received;
    sum->pdus_sent += more->pdus_sent;
    sum->pdus_received += more->pdus_received;
    sum->commands += more->commands;
    sum->timeouts += more->timeouts;
    sum->header_digest_errors += more->header_digest_errors;
    sum->data_digest_errors += more->data_digest_errors;
    sum->retries += more->retries;
    sum->rejects += more->rejects;
}

static void drop_session(struct carrier *carrier)
{
    struct contact *contact = carrier->contact;
    struct statistics statistics;

    if (contact == NULL)
        return;
    carrier->contact = NULL;
    session_statistics(contact_session(contact), &statistics);
    add(&carrier->counts.statistics, &statistics);
    for (unsigned i = 0; i < CARRIER_CONNECTIONS_MOST; i++) {
        carrier->paths[i].connection = NULL;
        carrier->paths[i].up = false;
    }
    contact_close(contact);
}

static bool any_path(const struct carrier *carrier)
{
    for (unsigned i = 0; i < CARRIER_CONNECTIONS_MOST; i++) {
        if (carrier->paths[i].connection != NULL)
            return true;
    }
    return false;
}

/* Before the connection is left. */
static void note(struct path *path, enum status status)
{
    const struct connection *core = contact_connection(path->connection);
    struct carrier_counts *counts = &path->carrier->counts;

    snprintf(counts->last, sizeof counts->last, "%s: %s", status_text(status),
             core != NULL ? connection_detail(core) : "");
    if (path->carrier->settings.verbose || status == STATUS_PROTOCOL_ERROR)
        printf("%llu: CID %d: %s\n", (unsigned long long)os_now(),
               core != NULL ? (int)connection_cid(core) : -1, counts->last);
}

static void on_ready(void *context, enum status status)
{
    struct path *path = context;
    struct carrier *carrier = path->carrier;

    if (status == STATUS_OK) {
        path->up = true;
        carrier->counts.logins++;
        tend(carrier);
        carrier->settings.changed(carrier->settings.context);
        return;
    }
    carrier->counts.refusals++;
    note(path, status);
    contact_leave(path->connection);
    path->connection = NULL;
    /* The target knows the session no more: its commands will not be recovered. */
    if (status == STATUS_LOGIN_NO_SESSION && !contact_usable(carrier->contact))
        drop_session(carrier);
    tend_later(carrier);
}

static void on_over(void *context, enum status status)
{
    struct path *path = context;
    struct carrier *carrier = path->carrier;

    path->up = false;
    carrier->counts.losses++;
    note(path, status);
    contact_leave(path->connection);
    path->connection = NULL;
    tend(carrier);
}

static const struct contact_events events = {.ready = on_ready, .over = on_over};

static struct contact_settings approach(const struct carrier *carrier)
{
    return (struct contact_settings){
        .portal = &carrier->settings.portal,
        .connect_timeout = CONNECT_TIME,
    };
}

static void open_session(struct carrier *carrier)
{
    struct contact_settings settings = approach(carrier);

    settings.session = &carrier->settings.session;
    carrier->contact =
        contact_open(&carrier->base, &settings, CONTACT_FIRST_CID, &events, &carrier->paths[0]);
    if (carrier->contact == NULL)
        exit(1);
    carrier->counts.sessions++;
    carrier->paths[0].connection = contact_first(carrier->contact);
}

/* That of the one that was here before, which is its logout, or one that was never used. */
static uint16_t choose_cid(struct carrier *carrier, unsigned number)
{
    uint16_t cid = (uint16_t)(CONTACT_FIRST_CID + number);

    if (dice_one_in(&carrier->dice, 2) &&
        session_connection(contact_session(carrier->contact), cid) == NULL)
        return cid;
    if (carrier->last_cid < FIRST_NEW_CID || carrier->last_cid == UINT16_MAX)
        carrier->last_cid = FIRST_NEW_CID;
    return carrier->last_cid++;
}

static void join(struct carrier *carrier)
{
    struct session *session = contact_session(carrier->contact);
    struct contact_settings settings = approach(carrier);

    for (unsigned i = 0; i < carrier->settings.connections; i++) {
        struct path *path = &carrier->paths[i];

        if (path->connection != NULL || session_may_connect(session) != STATUS_OK)
            continue;
        path->connection =
            contact_join(carrier->contact, &settings, choose_cid(carrier, i), &events, path);
        if (path->connection == NULL)
            exit(1);
    }
}

/* Sees to it that there is what can be. */
static void tend(struct carrier *carrier)
{
    struct session *session;

    if (carrier->closing)
        return;
    session = carrier->contact != NULL ? contact_session(carrier->contact) : NULL;
    if (session != NULL && !any_path(carrier)) {
        contact_hold(carrier->contact);
        session_tick(session, os_now());
        contact_release(carrier->contact);
        if (session_kept(session) == 0)
            drop_session(carrier);
        else
            tend_later(carrier);
    }
    if (carrier->contact == NULL)
        open_session(carrier);
    else if (session_tsih(contact_session(carrier->contact)) != 0)
        join(carrier);
}

static void on_timer(struct os_timer *timer)
{
    tend(LIST_OWNER(timer, struct carrier, timer));
}

struct carrier *carrier_open(struct os_loop *loop, const struct carrier_settings *settings)
{
    struct carrier *carrier = calloc(1, sizeof *carrier);

    if (carrier == NULL || !link_base_open(&carrier->base, loop))
        exit(1);
    carrier->settings = *settings;
    carrier->loop = loop;
    carrier->dice.state = settings->seed;
    carrier->timer.fire = on_timer;
    for (unsigned i = 0; i < CARRIER_CONNECTIONS_MOST; i++)
        carrier->paths[i].carrier = carrier;
    tend(carrier);
    return carrier;
}

void carrier_close(struct carrier *carrier)
{
    carrier->closing = true;
    os_timer_clear(&carrier->timer);
    drop_session(carrier);
    link_base_close(&carrier->base);
    free(carrier);
}

/* --- requests --- */

/* Was it refused in a way that says that nothing was done? */
static bool is_refusal(const struct task *task)
{
    struct scsi_sense sense;

    scsi_sense_decode(&sense, task->sense, task->sense_length);
    switch (task->scsi_status) {
    case SCSI_CHECK_CONDITION:
        return sense.valid && !sense.deferred && sense.key == SCSI_UNIT_ATTENTION;
    case SCSI_BUSY:
    case SCSI_TASK_SET_FULL:
        return true;
    default:
        return false;
    }
}

static void describe(struct request *request)
{
    static const char *const kinds[] = {"read", "write", "flush"};
    const struct task *task = &request->task;
    struct scsi_sense sense;

    scsi_sense_decode(&sense, task->sense, task->sense_length);
    if (task->status == STATUS_SCSI_STATUS)
        snprintf(request->error, sizeof request->error, "%s: SCSI status %02x, sense %x/%04x",
                 kinds[request->kind], task->scsi_status, sense.valid ? sense.key : 0u,
                 sense.valid ? sense.asc : 0u);
    else if (task->status == STATUS_OK)
        snprintf(request->error, sizeof request->error, "%s: %u bytes too few",
                 kinds[request->kind], task->residual);
    else
        snprintf(request->error, sizeof request->error, "%s: %s", kinds[request->kind],
                 status_text(task->status));
}

static void on_done(struct task *task)
{
    struct request *request = LIST_OWNER(task, struct request, task);

    request->result = REQUEST_UNKNOWN;
    if (task->status == STATUS_OK && !task->underflow && !task->overflow)
        request->result = REQUEST_GOOD;
    else if (!task->sent || (task->status == STATUS_SCSI_STATUS && is_refusal(task)))
        request->result = REQUEST_NOT_DONE;
    if (request->result != REQUEST_GOOD)
        describe(request);
    request->done(request);
}

static void set_data(struct request *request)
{
    struct task *task = &request->task;
    uint32_t length = request->count * SHADOW_BLOCK;
    uint32_t part = length / 3; /* not at a limit of words or blocks */

    request->pieces[0] = (struct iov){request->data, part};
    request->pieces[1] = (struct iov){request->data + part, length - part};
    if (request->kind == REQUEST_READ) {
        task->data_in = request->pieces;
        task->data_in_count = 2;
        task->data_in_length = length;
    } else {
        task->data_out = request->pieces;
        task->data_out_count = 2;
        task->data_out_length = length;
    }
}

bool carrier_submit(struct carrier *carrier, struct request *request)
{
    struct task *task = &request->task;

    if (carrier->contact == NULL || !contact_usable(carrier->contact))
        return false;
    *task = (struct task){.lun = carrier->settings.lun, .done = on_done};
    if (request->kind == REQUEST_READ)
        scsi_read(&task->cdb, request->first, request->count);
    else if (request->kind == REQUEST_WRITE)
        scsi_write(&task->cdb, request->first, request->count, request->force);
    else
        scsi_synchronize_cache(&task->cdb, request->first, request->count);
    if (request->kind != REQUEST_FLUSH)
        set_data(request);
    session_submit(contact_session(carrier->contact), task, os_now());
    return true;
}

void carrier_hold(struct carrier *carrier)
{
    if (carrier->contact != NULL)
        contact_hold(carrier->contact);
}

void carrier_release(struct carrier *carrier)
{
    if (carrier->contact != NULL)
        contact_release(carrier->contact);
}

/* --- questions --- */

void carrier_counts(struct carrier *carrier, struct carrier_counts *out)
{
    struct statistics statistics;

    *out = carrier->counts;
    if (carrier->contact == NULL)
        return;
    session_statistics(contact_session(carrier->contact), &statistics);
    add(&out->statistics, &statistics);
}

void carrier_describe(const struct carrier *carrier, char *out, size_t room)
{
    const struct session *session =
        carrier->contact != NULL ? contact_session(carrier->contact) : NULL;
    size_t length = 0;

    if (session == NULL) {
        snprintf(out, room, "no session");
        return;
    }
    length =
        (size_t)snprintf(out, room, "%u commands under way, %u kept, %u connections",
                         (unsigned)session_outstanding(session), (unsigned)session_kept(session),
                         (unsigned)session_connections(session));
    for (unsigned i = 0; i < CARRIER_CONNECTIONS_MOST && length < room; i++) {
        const struct path *path = &carrier->paths[i];
        const struct connection *core =
            path->connection != NULL ? contact_connection(path->connection) : NULL;

        if (core != NULL)
            length += (size_t)snprintf(out + length, room - length, "; CID %u in state %d",
                                       connection_cid(core), connection_state(core));
    }
}
