/*
 * Any bytes from a client to the service, and from a service to the client. The first byte picks
 * who may do what, the second where the bytes are cut in two. Whatever comes, the connection ends
 * when the bytes do, and with it every call.
 */
#include "door/remote.h"
#include "door/server.h"
#include "os/loop.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- operations that are decoded and then end at once, or never --- */

static void run_at_once(struct engine_call *call)
{
    void *reply = os_arena_alloc(&call->arena, call->operation->reply->size);
    engine_finish(call, reply != NULL ? STATUS_OK : STATUS_NO_MEMORY, reply);
}

static void cancel(struct engine_call *call)
{
    engine_finish(call, STATUS_CANCELLED, NULL);
}

static void run_never(struct engine_call *call)
{
    call->cancel = cancel;
}

static const struct operation_info *find(unsigned number)
{
    static struct operation_info found[256];
    const struct operation_info *real = operation_find(number);
    if (real == NULL || number >= sizeof found / sizeof *found)
        return NULL;
    found[number] = *real;
    found[number].run = number % 3 == 0 ? run_never : run_at_once;
    return &found[number];
}

/* --- one loop and one service for all inputs --- */

static struct os_loop *loop;
static struct door_server *server;
static struct os_timer look;
static int rounds;

/* Until the client is gone, or a few rounds are over. */
static void on_look(struct os_timer *timer)
{
    if (door_server_connections(server) == 0 || rounds-- == 0)
        os_loop_stop(loop);
    else
        os_timer_set(loop, timer, os_now());
}

static void run_loop(int most)
{
    rounds = most;
    os_timer_set(loop, &look, os_now());
    os_loop_run(loop);
    os_timer_clear(&look);
}

static void start(void)
{
    struct door_server_options options = {
        .group = OS_NO_GROUP, .read_group = OS_NO_GROUP, .find = find};
    options.loop = loop = os_loop_new();
    look.fire = on_look;
    if (loop == NULL || door_server_new(&server, &options) != STATUS_OK)
        abort();
}

static void from_client(enum door_access access, const uint8_t *data, size_t size, size_t cut)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0)
        abort();
    door_server_adopt(server, ends[1], access);
    if (send(ends[0], data, cut, MSG_NOSIGNAL) >= 0)
        run_loop(3);
    send(ends[0], data + cut, size - cut, MSG_NOSIGNAL);
    shutdown(ends[0], SHUT_WR);
    run_loop(1000);
    if (door_server_connections(server) != 0)
        abort();
    close(ends[0]);
}

static void from_service(const uint8_t *data, size_t size, bool patient)
{
    int ends[2];
    struct door_buffer reply = {0};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0)
        abort();
    send(ends[1], data, size, MSG_NOSIGNAL);
    shutdown(ends[1], SHUT_WR);
    while (remote_receive(ends[0], &reply, patient ? REMOTE_PATIENT : 0) == STATUS_OK)
        ;
    if (reply.length > size)
        abort();
    door_buffer_clear(&reply);
    close(ends[0]);
    close(ends[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 60000)
        return 0;
    if (loop == NULL)
        start();
    size_t cut = data[1] % (size - 1);
    switch (data[0] % 5) {
    case 3:
    case 4:
        from_service(data + 2, size - 2, data[0] % 5 == 3);
        break;
    default:
        from_client((enum door_access)(data[0] % 5), data + 2, size - 2, cut < size - 2 ? cut : 0);
    }
    return 0;
}
