/* Sessions with the disk that is the worker's own. */
#include "parallel.h"

static unsigned live_sessions(const struct worker *worker)
{
    unsigned live = 0;
    for (unsigned i = 0; i < SESSIONS; i++)
        live += worker->sessions[i].live;
    return live;
}

static struct owned_session *free_session(struct worker *worker)
{
    for (unsigned i = 0; i < SESSIONS; i++) {
        if (!worker->sessions[i].live)
            return &worker->sessions[i];
    }
    return NULL;
}

/* One of those there are, NULL when there are none. */
static struct owned_session *some_session(struct worker *worker)
{
    unsigned live = live_sessions(worker);
    if (live == 0)
        return NULL;
    unsigned wanted = draw(worker, live);
    for (unsigned i = 0; i < SESSIONS; i++) {
        if (worker->sessions[i].live && wanted-- == 0)
            return &worker->sessions[i];
    }
    return NULL;
}

static const struct owned_session *find_owned(const struct worker *worker,
                                              const ISCSI_UNIQUE_SESSION_ID *id)
{
    for (unsigned i = 0; i < SESSIONS; i++) {
        if (worker->sessions[i].live && memcmp(&worker->sessions[i].id, id, sizeof *id) == 0)
            return &worker->sessions[i];
    }
    return NULL;
}

static bool was_ended(const struct worker *worker, const ISCSI_UNIQUE_SESSION_ID *id)
{
    for (unsigned i = 0; i < worker->ended_count; i++) {
        if (memcmp(&worker->ended[i], id, sizeof *id) == 0)
            return true;
    }
    return false;
}

static bool has_connection(const struct owned_session *session,
                           const ISCSI_UNIQUE_CONNECTION_ID *id)
{
    for (ULONG i = 0; i < session->connection_count; i++) {
        if (memcmp(&session->connections[i], id, sizeof *id) == 0)
            return true;
    }
    return false;
}

#define FORM_FILE "parallel/sessions.inc"
#include "../msapi_forms.h"

static void log_out(struct worker *worker)
{
    struct owned_session *session = some_session(worker);
    if (worker->ended_count > 0)
        GIVES(worker, ISDSC_INVALID_SESSION_ID,
              USE(LogoutIScsiTarget)(&worker->ended[draw(worker, worker->ended_count)]));
    if (session == NULL || !GIVES(worker, ERROR_SUCCESS, USE(LogoutIScsiTarget)(&session->id)))
        return;
    session->live = false;
    unsigned at = worker->ended_count < ENDED ? worker->ended_count++ : draw(worker, ENDED);
    worker->ended[at] = session->id;
}

static void remove_connection(struct worker *worker)
{
    struct owned_session *session = some_session(worker);
    ISCSI_UNIQUE_CONNECTION_ID unknown = {1, 2};
    if (session == NULL)
        return;
    ULONG at = draw(worker, session->connection_count);
    ISDSC_STATUS expected = session->connection_count == 1 ? ISDSC_CANT_REMOVE_LAST_CONNECTION
                            : at == 0                      ? ISDSC_CANNOT_REMOVE_LEADING_CONNECTION
                                                           : ERROR_SUCCESS;
    GIVES(worker, ISDSC_INVALID_CONNECTION_ID, USE(RemoveIScsiConnection)(&session->id, &unknown));
    if (!GIVES(worker, expected,
               USE(RemoveIScsiConnection)(&session->id, &session->connections[at])))
        return;
    if (expected == ERROR_SUCCESS)
        session->connections[at] = session->connections[--session->connection_count];
}

static ISDSC_STATUS ask_sessions_ex(struct report *report, void *context)
{
    (void)context;
    return USE(GetIScsiSessionListEx)(&report->size, &report->count, report->data);
}

static void list_sessions_negotiated(struct worker *worker)
{
    struct report report;
    unsigned own = 0;
    if (!fetch(worker, ask_sessions_ex, NULL, 1, &report))
        return;
    const ISCSI_SESSION_INFO_EX *info = report.data;
    for (ULONG i = 0; i < report.count; i++) {
        const struct owned_session *session = find_owned(worker, &info[i].SessionId);
        if (session == NULL)
            continue;
        own++;
        if (info[i].Type != (session->informational ? 1 : 2) ||
            info[i].MaximumConnections != session->most ||
            info[i].ConnectionCount != session->connection_count)
            wrong(worker, "my session has type %u, %lu of %lu connections", info[i].Type,
                  (unsigned long)info[i].ConnectionCount,
                  (unsigned long)info[i].MaximumConnections);
    }
    if (own != live_sessions(worker))
        wrong(worker, "%u of my %u sessions are in the longer list", own, live_sessions(worker));
}

struct scsi {
    UCHAR status;
    UCHAR data[255];
    UCHAR sense[18];
    ULONG size;
    ULONG sense_size;
};

static void inquire(struct worker *worker)
{
    struct owned_session *session = some_session(worker);
    struct scsi scsi = {.size = 255, .sense_size = 18};
    if (session == NULL)
        return;
    if (GIVES(worker, ERROR_SUCCESS,
              USE(SendScsiInquiry)(&session->id, 0, 0, 0, &scsi.status, &scsi.size, scsi.data,
                                   &scsi.sense_size, scsi.sense)) &&
        (scsi.size < 36 || scsi.data[0] != 0))
        wrong(worker, "my disk says that it is something else");
    scsi.size = 255;
    GIVES(worker, ISDSC_SCSI_REQUEST_FAILED,
          USE(SendScsiInquiry)(&session->id, 0, 1, 0x7E, &scsi.status, &scsi.size, scsi.data,
                               &scsi.sense_size, scsi.sense));
}

/* Each disk has a size of its own. */
static void measure(struct worker *worker)
{
    struct owned_session *session = some_session(worker);
    struct scsi scsi = {.size = 8, .sense_size = 18};
    if (session == NULL)
        return;
    if (GIVES(worker, ERROR_SUCCESS,
              USE(SendScsiReadCapacity)(&session->id, 0, &scsi.status, &scsi.size, scsi.data,
                                        &scsi.sense_size, scsi.sense)) &&
        (unsigned)(scsi.data[2] << 8 | scsi.data[3]) + 1 != 128 + 2 * worker->number)
        wrong(worker, "my disk has %u blocks", (unsigned)(scsi.data[2] << 8 | scsi.data[3]) + 1);
}

static void count_units(struct worker *worker)
{
    struct owned_session *session = some_session(worker);
    struct scsi scsi = {.size = 255, .sense_size = 18};
    if (worker->ended_count > 0)
        GIVES(worker, ISDSC_INVALID_SESSION_ID,
              USE(SendScsiReportLuns)(&worker->ended[0], &scsi.status, &scsi.size, scsi.data,
                                      &scsi.sense_size, scsi.sense));
    if (session == NULL)
        return;
    scsi.size = 255;
    if (GIVES(worker, ERROR_SUCCESS,
              USE(SendScsiReportLuns)(&session->id, &scsi.status, &scsi.size, scsi.data,
                                      &scsi.sense_size, scsi.sense)) &&
        scsi.size != 16)
        wrong(worker, "%lu bytes about one unit", (unsigned long)scsi.size);
}

#define BOTH(function)                                                                             \
    {#function "A", function##A},                                                                  \
    {                                                                                              \
#function "W", function##W                                                                 \
    }

const struct action session_actions[] = {BOTH(log_in),
                                         BOTH(list_all_sessions),
                                         BOTH(add_connection),
                                         BOTH(list_mappings),
                                         BOTH(list_devices),
                                         {"log_out", log_out},
                                         {"remove_connection", remove_connection},
                                         {"list_sessions_negotiated", list_sessions_negotiated},
                                         {"inquire", inquire},
                                         {"measure", measure},
                                         {"count_units", count_units},
                                         {NULL, NULL}};

bool final_sessions(struct worker *workers)
{
    struct report report;
    unsigned expected = 0;
    for (unsigned i = 0; i < WORKERS; i++) {
        list_all_sessionsA(&workers[i]);
        list_sessions_negotiated(&workers[i]);
        if (workers[i].problem[0] != '\0')
            return false;
        expected += live_sessions(&workers[i]);
    }
    if (!fetch(workers, ask_sessionsA, NULL, 1, &report))
        return false;
    if (report.count != expected)
        return wrong(workers, "%lu sessions at the end instead of %u", (unsigned long)report.count,
                     expected);
    for (unsigned i = 0; i < WORKERS; i++) {
        while (live_sessions(&workers[i]) > 0 && workers[i].problem[0] == '\0')
            log_out(&workers[i]);
    }
    return true;
}
