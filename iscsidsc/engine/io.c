#include "engine/disk_timeout.h"
#include "engine/io_internal.h"
#include "os/memory.h"

enum {
    LOSSES_MOST = 16,      /* of one command */
    BUSY_PAUSE = 50,       /* milliseconds, doubled each time, */
    REFUSED_DOUBLINGS = 2, /* but no more often for a command that is not carried out */
};

enum state {
    IO_ENDED,   /* for the submitter, and before the first use */
    IO_ENDING,  /* `done` is still to be called */
    IO_WAITING, /* for a connection */
    IO_PAUSED,  /* for a target that is busy */
    IO_SENT,
};

#define IO(node) LIST_OWNER(node, struct io, link)

/* --- the end --- */

static void end(struct io *io, enum status status)
{
    struct engine *engine = io->engine;
    os_timer_clear(&io->timer);
    list_remove(&io->link);
    io->status = status;
    if (engine->ios.deferring == 0) {
        io->state = IO_ENDED;
        io->done(io);
        return;
    }
    io->state = IO_ENDING;
    list_append(&engine->ios.ended, &io->link);
    if (!engine->ios.posted)
        os_loop_post(engine->loop, &engine->ios.job);
    engine->ios.posted = true;
}

static void on_ended(struct os_job *job)
{
    struct engine *engine = LIST_OWNER(job, struct engine, ios.job);
    struct list *first;
    engine->ios.posted = false;
    while ((first = list_first(&engine->ios.ended)) != NULL)
        end(IO(first), IO(first)->status);
}

void io_defer(struct engine *engine)
{
    engine->ios.deferring++;
}

void io_undefer(struct engine *engine)
{
    engine->ios.deferring--;
}

/* In vain, with the cause that it has. */
static void fail(struct io *io, enum status otherwise)
{
    if (io->cause == STATUS_OK)
        io->cause = otherwise;
    else if (io->cause == STATUS_CANCELLED)
        io->cause = STATUS_NO_CONNECTION; /* it went with its session */
    end(io, io->uncertain && io->volume != NULL ? STATUS_OUTCOME_UNKNOWN : io->cause);
}

/* --- on its way --- */

static void place(struct io *io, enum state state, struct list *list)
{
    io->state = (uint8_t)state;
    list_remove(&io->link);
    list_append(list, &io->link);
}

static uint32_t time_for(const struct io *io, uint64_t now)
{
    uint32_t device = io->volume != NULL ? disk_timeout_of(io->session)
                                         : io->engine->parameters.device_timeout * 1000;
    uint32_t timeout = io->timeout > 0 ? io->timeout : device;
    if (io->deadline == 0)
        return timeout;
    if (io->deadline <= now)
        return 1;
    return io->deadline - now < timeout ? (uint32_t)(io->deadline - now) : timeout;
}

static void send(struct io *io)
{
    struct contact *contact = io->session->contact;
    const struct unit *unit = io->path != NULL ? io->path->unit : NULL;
    io->sent = os_now();
    io_part_begin(io, unit != NULL ? &unit->facts : NULL);
    io->task.lun = unit != NULL ? unit->facts.lun : io->lun;
    io->task.timeout = time_for(io, io->sent);
    io->task.impatient = io->deadline != 0;
    place(io, IO_SENT, &io->session->ios);
    session_submit(contact_session(contact), &io->task, io->sent);
    contact_send_soon(contact);
}

/* --- waiting --- */

static uint64_t session_hope(const struct engine_session *session)
{
    switch (session->state) {
    case ENGINE_SESSION_RECONNECT:
        return session->hold_until;
    case ENGINE_SESSION_LIVE: /* the loss is still to be told of */
        return OS_NEVER;
    default:
        return 0;
    }
}

static void wait(struct io *io)
{
    os_timer_clear(&io->timer);
    if (io->volume != NULL)
        path_ask(io->volume);
    uint64_t until = io->volume != NULL ? path_hope(io->volume) : session_hope(io->session);
    if (io->deadline != 0 && io->deadline < until)
        until = io->deadline;
    place(io, IO_WAITING, io->volume != NULL ? &io->volume->waiting : &io->session->ios);
    if (until <= os_now())
        fail(io, STATUS_NO_CONNECTION);
    else if (until != OS_NEVER && !os_timer_set(io->engine->loop, &io->timer, until))
        end(io, STATUS_NO_MEMORY);
}

static void each_waiting(struct list *waiting, void (*act)(struct io *io))
{
    struct list those;
    struct list *first;
    list_init(&those);
    LIST_EACH_SAFE(node, waiting)
    {
        if (IO(node)->state != IO_WAITING)
            continue;
        list_remove(node);
        list_append(&those, node);
    }
    while ((first = list_first(&those)) != NULL)
        act(IO(first));
}

static void hold_all(struct list *waiting)
{
    each_waiting(waiting, wait);
}

/* Are the blocks of the unit other ones than those that it counts in? */
static bool has_changed(const struct io *io)
{
    bool counts = io->kind != IO_COMMAND && io->kind != IO_FLUSH && !io->flushes;
    return counts && io->path->unit->facts.capacity.block_length != io->block_length;
}

static void dispatch(struct io *io)
{
    struct engine_session *session = io->session;
    bool usable;
    os_timer_clear(&io->timer);
    if (io->volume != NULL) {
        io->path = path_choose(io->volume, io->avoid);
        usable = io->path != NULL;
        if (usable && has_changed(io)) {
            io->path = NULL;
            fail(io, STATUS_OUT_OF_RANGE);
            return;
        }
        io->session = usable ? io->path->unit->session : NULL;
    } else {
        usable = engine_session_usable(session);
    }
    if (!usable) {
        wait(io);
        return;
    }
    if (io->path != NULL)
        io->path->outstanding++;
    send(io);
}

void io_redispatch(struct list *waiting)
{
    each_waiting(waiting, dispatch);
}

static void on_timer(struct os_timer *timer)
{
    struct io *io = LIST_OWNER(timer, struct io, timer);
    if (io->state == IO_WAITING)
        fail(io, STATUS_NO_CONNECTION);
    else
        dispatch(io);
}

/* --- after an answer, or a loss --- */

static void count(struct io *io, enum io_verdict verdict, struct io_statistics *statistics)
{
    const struct task *task = &io->task;
    if (verdict == IO_FAILED)
        statistics->errors++;
    else if (verdict != IO_DONE)
        statistics->retries++;
    else if (task->data_in_length > 0 && io->kind == IO_READ)
        statistics->reads++;
    else if (io->kind == IO_WRITE && task->data_out_length > 0)
        statistics->writes++;
    else
        statistics->others++;
    if (verdict != IO_DONE)
        return;
    statistics->bytes_read += task->transferred;
    statistics->bytes_written += task->data_out_length;
}

static void leave_path(struct io *io, enum io_verdict verdict)
{
    struct path *path = io->path;
    io_part_end(io);
    if (io->volume == NULL)
        return;
    count(io, verdict, &io->volume->statistics);
    if (path != NULL) {
        count(io, verdict, &path->statistics);
        path->outstanding--;
    }
    io->avoid = verdict == IO_LOST ? path : NULL;
    io->path = NULL;
}

static void go_on(struct io *io)
{
    io->losses = io->refused = io->busy = io->attentions = 0;
    if (io_part_next(io))
        dispatch(io);
    else
        end(io, STATUS_OK);
}

static void pause(struct io *io, unsigned doublings)
{
    uint64_t due = os_now() + ((uint64_t)BUSY_PAUSE << doublings);
    place(io, IO_PAUSED, io->volume != NULL ? &io->volume->waiting : &io->session->ios);
    if (io->deadline != 0 && due >= io->deadline) {
        io->cause = io->task.status;
        fail(io, io->cause);
    } else if (!os_timer_set(io->engine->loop, &io->timer, due)) {
        end(io, STATUS_NO_MEMORY);
    }
}

/* Where a command may take for ever, so may the connections that it is lost with. */
static bool is_endless(const struct io *io)
{
    return io->volume != NULL && io->timeout == 0 && disk_timeout_of(io->session) == TASK_FOREVER;
}

/* Bound to a session: not worth while to wait for its next connection. */
static bool is_hopeless(const struct io *io)
{
    const struct engine_session *session = io->session;
    if (io->volume != NULL)
        return false;
    if (session->state != ENGINE_SESSION_LIVE && session->state != ENGINE_SESSION_RECONNECT)
        return true;
    uint32_t wait = contact_usable(session->contact) ? 0 : engine_session_time2wait(session);
    return io->deadline != 0 && os_now() + wait >= io->deadline;
}

/* Not lost with its connection: the target has answered, and will maybe do so for ever. */
static bool is_refused(const struct io *io)
{
    switch (io->task.status) {
    case STATUS_SCSI_STATUS:
    case STATUS_PROTOCOL_ERROR:
    case STATUS_HEADER_DIGEST:
    case STATUS_DATA_DIGEST:
        return true;
    default:
        return false;
    }
}

static bool is_lost_too_often(const struct io *io)
{
    return io->refused > LOSSES_MOST || (io->losses > LOSSES_MOST && !is_endless(io));
}

/* The first time at once: a unit that was reset has nothing against it any more. */
static void send_refused(struct io *io)
{
    unsigned doublings = io->refused - 2u;
    if (io->refused < 2)
        dispatch(io);
    else
        pause(io, doublings < REFUSED_DOUBLINGS ? doublings : REFUSED_DOUBLINGS);
}

/* What never left the machine was not carried out, whatever it is. */
static void try_again(struct io *io)
{
    bool may = !io->task.sent || io_repeatable(io);
    bool changes = io->kind != IO_READ && io->kind != IO_FLUSH && !io->flushes;
    io->cause = io->task.status;
    io->uncertain |= io->task.sent && changes && io->task.status != STATUS_SCSI_STATUS;
    if (io->losses < UINT8_MAX)
        io->losses++;
    io->refused += is_refused(io);
    if (!may || is_hopeless(io) || is_lost_too_often(io))
        fail(io, io->cause);
    else if (is_refused(io))
        send_refused(io);
    else
        dispatch(io);
}

static void on_done(struct task *task)
{
    struct io *io = task->context;
    enum io_verdict verdict = io_judge(io);
    io_heed(io);
    portal_move_look(io->session);
    leave_path(io, verdict);
    switch (verdict) {
    case IO_DONE:
        go_on(io);
        break;
    case IO_AGAIN:
        dispatch(io);
        break;
    case IO_LATER:
        pause(io, io->busy - 1u);
        break;
    case IO_LOST:
        try_again(io);
        break;
    default:
        end(io, io->cancelled ? STATUS_CANCELLED : task->status);
        break;
    }
}

/* --- the submitter --- */

static void prepare(struct io *io)
{
    if (io->volume != NULL)
        io->session = NULL; /* of an earlier use */
    io->status = io->cause = STATUS_OK;
    io->finished = 0;
    io->path = io->avoid = NULL;
    io->cut = NULL;
    io->losses = io->refused = io->busy = io->attentions = 0;
    io->flushes = io->uncertain = io->cancelled = io->unforced = false;
    io->block_length = io->volume != NULL ? io->volume->facts.capacity.block_length : 0;
    io->timer.fire = on_timer;
    io->task.attribute = TASK_ATTRIBUTE_SIMPLE;
    io->task.done = on_done;
    io->task.context = io;
    list_init(&io->link);
}

void io_submit(struct io *io)
{
    struct engine *engine = io->volume != NULL ? io->volume->engine : io->session->engine;
    io->engine = engine;
    prepare(io);
    io_defer(engine);
    enum status status = io_check(io);
    if (status != STATUS_OK)
        end(io, status);
    else
        dispatch(io);
    io_undefer(engine);
}

void io_cancel(struct io *io)
{
    io->cancelled = true;
    if (io->state == IO_SENT) {
        struct contact *contact = io->session->contact;
        session_cancel(contact_session(contact), &io->task); /* ends in on_done */
        contact_send_soon(contact);
    } else if (io->state != IO_ENDED) {
        end(io, STATUS_CANCELLED);
    }
}

/* --- what becomes of sessions and paths --- */

typedef bool choice(const struct io *io, const struct path *path);

static bool is_on(const struct io *io, const struct path *path)
{
    return io->path == path;
}

static bool is_sent(const struct io *io, const struct path *path)
{
    (void)path;
    return io->state == IO_SENT;
}

static bool may_move(const struct io *io, const struct path *path)
{
    (void)path;
    return io->state == IO_SENT && io->volume != NULL && io_repeatable(io) &&
           path_choose(io->volume, NULL) != NULL;
}

static struct io *first_of(const struct engine_session *session, choice *chosen,
                           const struct path *path)
{
    LIST_EACH(node, &session->ios)
    {
        if (chosen(IO(node), path))
            return IO(node);
    }
    return NULL;
}

/* Nobody wanted that they end: on_done takes them for lost. */
static void lose(struct engine_session *session, choice *chosen, const struct path *path)
{
    struct io *io;
    io_defer(session->engine);
    while ((io = first_of(session, chosen, path)) != NULL)
        session_cancel(contact_session(session->contact), &io->task);
    io_undefer(session->engine);
    if (session->contact != NULL)
        contact_send_soon(session->contact);
}

void io_leave_path(struct path *path)
{
    lose(path->unit->session, is_on, path);
}

void engine_ios_move(struct engine_session *session)
{
    lose(session, may_move, NULL);
}

void engine_ios_abandon(struct engine_session *session)
{
    lose(session, is_sent, NULL);
}

void engine_ios_over(struct engine_session *session)
{
    struct list *first;
    io_defer(session->engine);
    while ((first = list_first(&session->ios)) != NULL)
        fail(IO(first), STATUS_NO_CONNECTION);
    io_undefer(session->engine);
}

static void each_volume(struct engine_session *session, void (*act)(struct list *waiting))
{
    if (session->units == NULL)
        return;
    LIST_EACH_SAFE(node, &session->units->all)
    {
        struct volume *volume = LIST_OWNER(node, struct unit, link)->path.volume;
        if (volume != NULL)
            act(&volume->waiting);
    }
}

void engine_ios_hold(struct engine_session *session)
{
    io_defer(session->engine);
    hold_all(&session->ios);
    each_volume(session, hold_all);
    io_undefer(session->engine);
    units_look(session->engine); /* who waited for answers need not any more */
}

void engine_ios_resume(struct engine_session *session)
{
    io_defer(session->engine);
    io_redispatch(&session->ios);
    each_volume(session, io_redispatch);
    io_undefer(session->engine);
}

void io_base_init(struct engine *engine)
{
    list_init(&engine->ios.ended);
    engine->ios.job.run = on_ended;
    io_thread_init(engine);
    list_init(&engine->volumes);
}
