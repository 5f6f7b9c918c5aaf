#include "discovery/link.h"
#include "discovery/pace.h"
#include "os/list.h"
#include "os/memory.h"

enum {
    LOOK_AHEAD = 256 << 10,
    /* One busy connection must not starve the others of the thread. */
    READ_MOST = 2 << 20,
    /* Large payloads go straight to their place: what comes behind one is copied, so little of it
     * is taken. */
    LARGE_PAYLOAD = 32 << 10,
    LOOK_AHEAD_LARGE = 16 << 10,
    OTHERS_MOST = 7, /* connections of a session that are looked at together */
};

struct link {
    struct link_base *base;
    struct connection *connection;
    struct os_watch watch;
    struct os_timer timer;
    struct os_job job;
    struct chap_inquiry *inquiry; /* under way */
    struct os_timer patience_timer;
    struct patience patience;
    struct list patient; /* among those of the base, while `least` is more than 1 */
    struct eagerness eagerness;
    unsigned least; /* bytes that make the socket readable */
    uint64_t round; /* of the loop, in which another link has had this one read */
    uint64_t heard;
    unsigned depth; /* calls into the core under way */
    bool posted;
    bool closed; /* by its owner: freed as soon as nobody is inside */
};

bool link_base_open(struct link_base *base, struct os_loop *loop)
{
    base->loop = loop;
    base->authority = NULL;
    list_init(&base->patient);
    base->look_ahead = os_alloc(LOOK_AHEAD);
    return base->look_ahead != NULL;
}

void link_base_close(struct link_base *base)
{
    os_free(base->look_ahead);
    base->look_ahead = NULL;
}

static void shut(struct link *link)
{
    if (link->inquiry != NULL)
        link->base->authority->cancel(link->base->authority, link->inquiry);
    link->inquiry = NULL;
    os_watch_stop(&link->watch);
    os_timer_clear(&link->timer);
    os_timer_clear(&link->patience_timer);
    list_remove(&link->patient);
    if (link->watch.socket != OS_NO_SOCKET)
        os_close(link->watch.socket);
    link->watch.socket = OS_NO_SOCKET;
}

static bool is_open(const struct link *link)
{
    return !link->closed && link->watch.socket != OS_NO_SOCKET &&
           connection_state(link->connection) != CONNECTION_CLOSED;
}

static void flush(struct link *link)
{
    struct iov pieces[OS_IOV_MAX];
    size_t count;
    unsigned events = OS_READABLE;
    while (is_open(link) &&
           (count = connection_write_pieces(link->connection, pieces, OS_IOV_MAX)) > 0) {
        enum status status = STATUS_OK;
        long sent = os_send(link->watch.socket, pieces, count, &status);
        if (sent < 0) {
            connection_lost(link->connection, status);
            return;
        }
        if (sent == 0) {
            events |= OS_WRITABLE;
            break;
        }
        connection_written(link->connection, (size_t)sent);
    }
    if (is_open(link))
        os_watch_events(&link->watch, events);
}

static void set_timer(struct link *link)
{
    uint64_t due = connection_due(link->connection);
    if (due == INITIATOR_NEVER) {
        os_timer_clear(&link->timer);
        return;
    }
    if (link->timer.loop != NULL && link->timer.due == due)
        return;
    if (!os_timer_set(link->base->loop, &link->timer, due))
        connection_lost(link->connection, STATUS_NO_MEMORY);
}

/* Bytes that must come, at least. */
static uint64_t answer_bytes(const struct link *link, size_t *tasks)
{
    uint64_t bytes;
    *tasks = connection_awaited(link->connection, &bytes);
    return connection_solicited(link->connection) > 0 ? 0
                                                      : bytes + (uint64_t)*tasks * PDU_BHS_LENGTH;
}

static void set_pace(struct link *link)
{
    uint64_t now = os_now_us();
    size_t tasks;
    uint64_t bytes = answer_bytes(link, &tasks);
    unsigned least = patience_begin(&link->patience, tasks, bytes, now);
    if (eagerness_begin(&link->eagerness, tasks, now))
        os_loop_expect(link->base->loop, EAGERNESS_LIMIT);
    if (least > 1 && !os_timer_set(link->base->loop, &link->patience_timer,
                                   (link->patience.since + PATIENCE_LIMIT) / 1000))
        least = 1;
    if (least == link->least)
        return;
    link->least = least;
    os_receive_least(link->watch.socket, least);
    list_remove(&link->patient);
    if (least > 1)
        list_append(&link->base->patient, &link->patient);
    else
        os_timer_clear(&link->patience_timer);
}

static void end_pace(struct link *link)
{
    uint64_t now = os_now_us();
    patience_end(&link->patience, now);
    if (eagerness_end(&link->eagerness, now))
        eagerness_judge(&link->eagerness, os_thread_time_us(), os_thread_id());
}

static void enter(struct link *link)
{
    link->depth++;
}

/* Every way into the core ends here: sends, sets the timer, and lets go of what is over. */
static void leave(struct link *link)
{
    if (link->depth == 1) {
        flush(link);
        if (is_open(link))
            set_timer(link);
        if (is_open(link))
            set_pace(link);
        if (!is_open(link))
            shut(link);
    }
    link->depth--;
    if (link->depth == 0 && link->closed && !link->posted)
        os_free(link);
}

static size_t room_of(const struct iov *pieces, size_t count)
{
    size_t room = 0;
    for (size_t i = 0; i < count; i++)
        room += pieces[i].length;
    return room;
}

/* False: the socket holds nothing more. */
static bool receive_once(struct link *link, size_t *total)
{
    struct iov pieces[OS_IOV_MAX];
    enum status status = STATUS_OK;
    size_t count = connection_read_pieces(link->connection, pieces, OS_IOV_MAX);
    long got = os_receive(link->watch.socket, pieces, count, &status);
    if (got < 0)
        connection_lost(link->connection, status);
    if (got <= 0)
        return false;
    *total += (size_t)got;
    link->heard = os_now();
    /* A receive that did not fill the room has emptied the socket. */
    bool more = (size_t)got == room_of(pieces, count) && *total < READ_MOST;
    return connection_read(link->connection, (size_t)got, link->heard) && more;
}

static size_t look_ahead(const struct link *link)
{
    uint64_t bytes;
    size_t tasks = connection_awaited(link->connection, &bytes);
    return bytes >= tasks * UINT64_C(1) * LARGE_PAYLOAD && tasks > 0 ? LOOK_AHEAD_LARGE
                                                                     : LOOK_AHEAD;
}

static size_t receive(struct link *link)
{
    size_t total = 0;
    connection_read_begin(link->connection, link->base->look_ahead, look_ahead(link));
    while (is_open(link) && receive_once(link, &total))
        ;
    /* What a closed connection has not read is lost with it. */
    if (is_open(link))
        connection_read_end(link->connection);
    return total;
}

/* Too little has come in time. What has come is taken. */
static void on_patience_over(struct os_timer *timer)
{
    struct link *link = LIST_OWNER(timer, struct link, patience_timer);
    enter(link);
    end_pace(link);
    receive(link);
    leave(link);
}

/* The other links of the session that wait for much: something has come there, too. */
static size_t enter_others(const struct link *link, struct link **others, size_t room)
{
    const struct session *session = connection_session(link->connection);
    const uint64_t round = os_loop_round(link->base->loop);
    size_t count = 0;
    LIST_EACH(node, &link->base->patient)
    {
        struct link *other = LIST_OWNER(node, struct link, patient);
        if (other == link || other->round == round || count == room ||
            connection_session(other->connection) != session)
            continue;
        enter(other);
        other->round = round;
        others[count++] = other;
    }
    return count;
}

/* One wake-up is enough for all connections of a session. */
static void receive_on_others(struct link **others, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_open(others[i]) && receive(others[i]) > 0)
            patience_restart(&others[i]->patience);
    }
    for (size_t i = 0; i < count; i++)
        leave(others[i]);
}

static void on_ready(struct os_watch *watch, unsigned events)
{
    struct link *link = LIST_OWNER(watch, struct link, watch);
    struct link *others[OTHERS_MOST];
    size_t count = 0;
    if (link->least > 1 && link->round == os_loop_round(link->base->loop))
        events &= ~(unsigned)OS_READABLE; /* should more have come since, it will be told again */
    enter(link);
    if (events & OS_READABLE) {
        count = link->least > 1 ? enter_others(link, others, OTHERS_MOST) : 0;
        end_pace(link);
        receive(link);
        receive_on_others(others, count);
    }
    leave(link);
}

static void on_timer(struct os_timer *timer)
{
    struct link *link = LIST_OWNER(timer, struct link, timer);
    enter(link);
    connection_tick(link->connection, os_now());
    leave(link);
}

static void on_job(struct os_job *job)
{
    struct link *link = LIST_OWNER(job, struct link, job);
    link->posted = false;
    enter(link);
    leave(link);
}

struct link *link_open(struct link_base *base, os_socket socket, struct connection *connection)
{
    struct link *link = os_alloc(sizeof *link);
    if (link == NULL) {
        os_close(socket);
        return NULL;
    }
    link->base = base;
    link->connection = connection;
    link->heard = os_now();
    link->watch.socket = socket;
    link->watch.ready = on_ready;
    link->timer.fire = on_timer;
    link->patience_timer.fire = on_patience_over;
    patience_init(&link->patience);
    list_init(&link->patient);
    eagerness_init(&link->eagerness);
    link->least = 1;
    link->job.run = on_job;
    if (!os_watch_start(base->loop, &link->watch, OS_READABLE)) {
        link_close(link);
        return NULL;
    }
    return link;
}

void link_start(struct link *link)
{
    enter(link);
    connection_start(link->connection, os_now());
    leave(link);
}

void link_close(struct link *link)
{
    if (link == NULL)
        return;
    shut(link);
    link->closed = true;
    if (link->depth == 0 && !link->posted)
        os_free(link);
}

void link_output(struct link *link)
{
    if (link->depth > 0 || link->posted || link->closed)
        return;
    link->posted = true;
    os_loop_post(link->base->loop, &link->job);
}

static void on_answer(void *context, enum status status, const uint8_t response[CHAP_MD5_LENGTH])
{
    struct link *link = context;
    link->inquiry = NULL;
    enter(link);
    connection_answer(link->connection, status, response, os_now());
    leave(link);
}

void link_ask(struct link *link, const struct chap_question *question)
{
    struct chap_authority *authority = link->base->authority;
    if (authority != NULL)
        link->inquiry = authority->ask(authority, link->connection, question, on_answer, link);
    if (link->inquiry == NULL)
        connection_answer(link->connection,
                          authority != NULL ? STATUS_NO_MEMORY : STATUS_RADIUS_UNAVAILABLE, NULL,
                          os_now());
}

void link_hold(struct link *link)
{
    enter(link);
}

void link_release(struct link *link)
{
    leave(link);
}

uint64_t link_heard(const struct link *link)
{
    return link->heard;
}

bool link_local_address(const struct link *link, struct os_address *out)
{
    return link->watch.socket != OS_NO_SOCKET && os_local_address(link->watch.socket, out);
}
