/* The service's and the client's end of the door, with operations of the test's own behind it. */
#include "os_test.h"

#include "door/remote.h"
#include "door/server.h"
#include "os/crypto.h"
#include "os/process.h"

#include <stdatomic.h>
#include <stdlib.h>

/* ------------------------------------------------------------ operations */

enum { HELD_MAX = 300, TARGETS = 3000 };

/* All of it belongs to the loop's thread, but for what is atomic. */
static struct engine_call *held[HELD_MAX];
static atomic_int held_count, cancelled, executed;
static const char *target_names[TARGETS];

static void run_get_name(struct engine_call *call)
{
    struct reply_get_node_name reply = {.name = "iqn.2026-11.org.example:name"};
    engine_finish(call, STATUS_OK, &reply);
}

static void run_set_name(struct engine_call *call)
{
    const struct request_set_node_name *request = call->request;
    bool good = request->name != NULL && strlen(request->name) > 3;
    atomic_fetch_add(&executed, 1);
    engine_finish(call, good ? STATUS_OK : STATUS_INVALID_NAME, NULL);
}

static void run_list_targets(struct engine_call *call)
{
    struct reply_list_targets reply = {.names = {target_names, TARGETS}};
    engine_finish(call, STATUS_OK, &reply);
}

static void drop_held(const struct engine_call *call)
{
    int count = atomic_load(&held_count);
    for (int i = 0; i < count; i++) {
        if (held[i] == call)
            held[i] = NULL;
    }
}

static void cancel_held(struct engine_call *call)
{
    drop_held(call);
    atomic_fetch_add(&cancelled, 1);
    engine_finish(call, STATUS_CANCELLED, NULL);
}

/* A login is held, and can be cancelled; a logout is held and cannot. */
static void run_held(struct engine_call *call)
{
    if (call->operation->number == OPERATION_login)
        call->cancel = cancel_held;
    int count = atomic_load(&held_count);
    assert_true(count < HELD_MAX);
    held[count] = call;
    atomic_store(&held_count, count + 1);
}

static const struct operation_info *find_fake(unsigned number)
{
    static struct operation_info fake[32];
    static void (*const runs[32])(struct engine_call *) = {
        [OPERATION_get_node_name] = run_get_name,
        [OPERATION_set_node_name] = run_set_name,
        [OPERATION_list_targets] = run_list_targets,
        [OPERATION_login] = run_held,
        [OPERATION_logout] = run_held,
    };
    const struct operation_info *real = operation_find(number);
    if (real == NULL || number >= 32 || runs[number] == NULL)
        return NULL;
    fake[number] = *real;
    fake[number].run = runs[number];
    return &fake[number];
}

/* --------------------------------------------------------------- service */

struct service {
    struct os_loop *loop;
    struct os_thread *thread;
    struct door_server *server;
    struct os_place place;
    uint16_t port;
    bool has_local;
    atomic_int idle_events;
    atomic_int refusals;
    atomic_int last_refusal;
    atomic_bool busy;
};

static struct service service;

static bool is_busy(struct engine *engine)
{
    (void)engine;
    return atomic_load(&service.busy);
}

static void on_event(void *context, enum door_event event, enum status status,
                     const struct os_peer *peer)
{
    struct service *one = context;
    (void)peer;
    atomic_fetch_add(event == DOOR_EVENT_IDLE ? &one->idle_events : &one->refusals, 1);
    if (event == DOOR_EVENT_REFUSED)
        atomic_store(&one->last_refusal, (int)status);
}

static void run_loop(void *argument)
{
    os_loop_run(argument);
}

static void directory_path(char *out, size_t room)
{
    char base[2048];
    uint64_t number;
    if (!os_environment("TEST_DIR", base, sizeof base) &&
        !os_environment("TMPDIR", base, sizeof base))
        strcpy(base, "/tmp");
    assert_true(os_random(&number, sizeof number));
    snprintf(out, room, "%s/door-%016llx", base, (unsigned long long)number);
}

static void make_place(void)
{
    char directory[3000];
    directory_path(directory, sizeof directory);
    assert_status(os_make_private_directory(directory), STATUS_OK);
    memset(&service.place, 0, sizeof service.place);
    service.place.own = true;
    snprintf(service.place.base, sizeof service.place.base, "%s/door", directory);
}

static os_socket listen_local(void)
{
    char path[OS_PATH_ROOM];
    os_socket local;
    assert_true(os_place_path(&service.place, ".sock", path));
    os_remove_file(path);
    enum status status = os_local_listen(&local, path, OS_NO_GROUP, false, 128);
    service.has_local = status == STATUS_OK;
    if (status != STATUS_NOT_SUPPORTED)
        assert_status(status, STATUS_OK);
    return local;
}

static void start_listening(const struct door_server_options *options)
{
    struct os_address at;
    struct door_credentials credentials;
    assert_status(door_credentials_make(&credentials, &service.place), STATUS_OK);
    os_socket loopback = listener_new(&at);
    os_socket local = listen_local();
    service.port = credentials.port = os_address_port(&at);
    assert_status(door_server_new(&service.server, options), STATUS_OK);
    assert_status(door_server_listen(service.server, local, loopback, &credentials), STATUS_OK);
    assert_status(door_credentials_publish(&credentials, &service.place, OS_NO_GROUP), STATUS_OK);
}

static void start_service(uint64_t idle_time)
{
    struct door_server_options options = {.group = OS_NO_GROUP,
                                          .read_group = OS_NO_GROUP,
                                          .idle_time = idle_time,
                                          .busy = is_busy,
                                          .event = on_event,
                                          .context = &service,
                                          .find = find_fake};
    service.loop = options.loop = os_loop_new();
    assert_non_null(service.loop);
    service.thread = os_thread_start(run_loop, service.loop);
    assert_non_null(service.thread);
    start_listening(&options);
}

static void stop_service(void)
{
    os_loop_stop(service.loop);
    os_thread_join(service.thread);
    os_loop_free(service.loop);
    door_server_free(service.server);
    service.server = NULL;
}

static void reset(void)
{
    memset(held, 0, sizeof held);
    atomic_store(&held_count, 0);
    atomic_store(&cancelled, 0);
    atomic_store(&executed, 0);
    atomic_store(&service.idle_events, 0);
    atomic_store(&service.refusals, 0);
    atomic_store(&service.busy, false);
    for (size_t i = 0; i < TARGETS; i++)
        target_names[i] = "iqn.2026-11.org.example:one-of-many-targets-with-a-name-of-some-length";
}

static int setup(void **state)
{
    (void)state;
    reset();
    make_place();
    start_service(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (service.server != NULL)
        stop_service();
    return 0;
}

#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        uint64_t end_of_wait = os_now() + BOUND;                                                   \
        while (!(condition)) {                                                                     \
            if (os_now() > end_of_wait)                                                            \
                fail_msg("not within %u ms: %s", BOUND, #condition);                               \
            os_sleep(1);                                                                           \
        }                                                                                          \
    } while (0)

/* --- errands on the loop's thread --- */

struct release {
    struct os_job job;
    int index;
    atomic_bool done;
};

static void run_release(struct os_job *job)
{
    struct release *release = LIST_OWNER(job, struct release, job);
    struct engine_call *call = held[release->index];
    held[release->index] = NULL;
    if (call != NULL)
        engine_finish(call, STATUS_SESSION_NOT_FOUND, NULL);
    atomic_store(&release->done, true);
}

static void release_held(int index)
{
    struct release release = {.job = {.run = run_release}, .index = index};
    os_loop_post(service.loop, &release.job);
    WAIT_FOR(atomic_load(&release.done));
}

struct counting {
    struct os_job job;
    atomic_int count;
};

static void run_counting(struct os_job *job)
{
    struct counting *counting = LIST_OWNER(job, struct counting, job);
    atomic_store(&counting->count, (int)door_server_connections(service.server));
}

static int connections(void)
{
    struct counting counting = {.job = {.run = run_counting}, .count = -1};
    os_loop_post(service.loop, &counting.job);
    WAIT_FOR(atomic_load(&counting.count) >= 0);
    return atomic_load(&counting.count);
}

/* ----------------------------------------------------------- the client's side */

static enum status find_local(os_socket *out)
{
    return remote_connect(out, &service.place, os_now() + BOUND);
}

static struct door_transport *client_new(void)
{
    struct door_transport *transport;
    assert_status(remote_new(&transport, find_local, OS_NO_SOCKET), STATUS_OK);
    return transport;
}

static void encode(struct door_buffer *message, enum operation operation, uint32_t call,
                   const void *request)
{
    struct door_header header = {.operation = (uint16_t)operation, .call = call};
    assert_status(
        door_message_encode(message, &header, operation_find(operation)->request, request),
        STATUS_OK);
}

static enum status outcome(const struct door_buffer *reply)
{
    struct door_header header;
    const uint8_t *record;
    size_t length;
    assert_status(door_message_decode(&header, reply->data, reply->length, &record, &length),
                  STATUS_OK);
    return (enum status)header.status;
}

/* The transport's outcome, or else the operation's. */
static enum status call(struct door_transport *transport, enum operation operation,
                        const void *request)
{
    struct door_buffer message = {0}, reply = {0};
    encode(&message, operation, 1, request);
    enum status status = transport->call(transport, message.data, message.length, &reply);
    if (status == STATUS_OK)
        status = outcome(&reply);
    door_buffer_clear(&message);
    door_buffer_clear(&reply);
    return status;
}

static const struct request_get_node_name get_name = {0};
static const struct request_set_node_name set_name = {.name = "iqn.2026-11.org.example:other"};

static struct unique_id some_id = {.adapter = 1, .specific = 2};
static const struct request_logout held_logout = {.session = &some_id};
static const struct request_login held_login = {.target = "iqn.2026-11.org.example:t"};

static void test_calls_and_replies(void **state)
{
    (void)state;
    struct door_transport *client = client_new();
    const struct request_set_node_name bad = {.name = "x"};
    for (int i = 0; i < 20; i++) {
        assert_status(call(client, OPERATION_get_node_name, &get_name), STATUS_OK);
        assert_status(call(client, OPERATION_set_node_name, &set_name), STATUS_OK);
        assert_status(call(client, OPERATION_set_node_name, &bad), STATUS_INVALID_NAME);
    }
    assert_int_equal(atomic_load(&executed), 40);
    /* All on one connection. */
    assert_int_equal(connections(), 1);
    client->free(client);
    WAIT_FOR(connections() == 0);
}

static void test_what_the_service_lacks_is_said(void **state)
{
    (void)state;
    struct door_transport *client = client_new();
    static const struct request_list_initiators none = {0};
    assert_status(call(client, OPERATION_list_initiators, &none), STATUS_NOT_IMPLEMENTED);
    assert_status(call(client, OPERATION_get_node_name, &get_name), STATUS_OK);
    client->free(client);
}

static void test_large_replies(void **state)
{
    (void)state;
    struct door_transport *client = client_new();
    static const struct request_list_targets list = {0};
    struct door_buffer message = {0}, reply = {0};
    encode(&message, OPERATION_list_targets, 1, &list);
    assert_status(client->call(client, message.data, message.length, &reply), STATUS_OK);
    assert_true(reply.length > TARGETS * strlen(target_names[0]));
    struct reply_list_targets decoded;
    struct os_arena arena = {0};
    assert_status(door_decode(operation_find(OPERATION_list_targets)->reply,
                              reply.data + DOOR_HEADER, reply.length - DOOR_HEADER, &decoded,
                              &arena),
                  STATUS_OK);
    assert_int_equal(decoded.names.count, TARGETS);
    assert_string_equal(decoded.names.items[TARGETS - 1], target_names[0]);
    os_arena_clear(&arena);
    door_buffer_clear(&message);
    door_buffer_clear(&reply);
    client->free(client);
}

/* --- many threads --- */

enum { CALLERS = 8, CALLS_EACH = 50 };

static atomic_int failures;

static void run_caller(void *argument)
{
    for (int i = 0; i < CALLS_EACH; i++) {
        if (call(argument, OPERATION_set_node_name, &set_name) != STATUS_OK)
            atomic_fetch_add(&failures, 1);
    }
}

static void test_many_threads_call_at_once(void **state)
{
    (void)state;
    struct door_transport *client = client_new();
    struct os_thread *threads[CALLERS];
    atomic_store(&failures, 0);
    for (int i = 0; i < CALLERS; i++)
        threads[i] = os_thread_start(run_caller, client);
    for (int i = 0; i < CALLERS; i++)
        os_thread_join(threads[i]);
    assert_int_equal(atomic_load(&failures), 0);
    assert_int_equal(atomic_load(&executed), CALLERS * CALLS_EACH);
    client->free(client);
    WAIT_FOR(connections() == 0);
}

/* -------------------------------------------------------------- raw clients */

static os_socket open_connection(void)
{
    os_socket socket;
    assert_status(find_local(&socket), STATUS_OK);
    return socket;
}

static void send_call(os_socket socket, enum operation operation, uint32_t id, const void *request)
{
    struct door_buffer message = {0};
    encode(&message, operation, id, request);
    assert_status(remote_send(socket, message.data, message.length), STATUS_OK);
    door_buffer_clear(&message);
}

static struct door_header receive_header(os_socket socket)
{
    struct door_buffer reply = {0};
    struct door_header header;
    assert_status(remote_receive(socket, &reply, REMOTE_PATIENT), STATUS_OK);
    assert_status(door_header_decode(&header, reply.data), STATUS_OK);
    door_buffer_clear(&reply);
    return header;
}

static void assert_refused(os_socket socket, enum status expected)
{
    struct door_buffer reply = {0};
    assert_status(remote_receive(socket, &reply, REMOTE_PATIENT), expected);
    enum status status = remote_receive(socket, &reply, os_now() + BOUND);
    if (status != STATUS_CONNECTION_CLOSED && status != STATUS_CONNECTION_RESET)
        fail_msg("after the refusal: %s", status_name(status));
    door_buffer_clear(&reply);
    os_close(socket);
}

static void test_replies_come_as_calls_finish(void **state)
{
    (void)state;
    os_socket socket = open_connection();
    send_call(socket, OPERATION_logout, 7, &held_logout);
    send_call(socket, OPERATION_login, 8, &held_login);
    send_call(socket, OPERATION_get_node_name, 9, &get_name);
    assert_int_equal(receive_header(socket).call, 9);
    WAIT_FOR(atomic_load(&held_count) == 2);
    release_held(1);
    struct door_header header = receive_header(socket);
    assert_int_equal(header.call, 8);
    assert_int_equal(header.operation, OPERATION_login);
    assert_int_equal(header.status, STATUS_SESSION_NOT_FOUND);
    release_held(0);
    assert_int_equal(receive_header(socket).call, 7);
    os_close(socket);
}

static void test_who_vanishes_cancels_what_only_it_waited_for(void **state)
{
    (void)state;
    os_socket stays = open_connection(), goes = open_connection();
    send_call(stays, OPERATION_login, 1, &held_login);
    WAIT_FOR(atomic_load(&held_count) == 1);
    send_call(goes, OPERATION_login, 1, &held_login);
    send_call(goes, OPERATION_login, 2, &held_login);
    send_call(goes, OPERATION_logout, 3, &held_logout);
    WAIT_FOR(atomic_load(&held_count) == 4);
    os_abort(goes);
    WAIT_FOR(connections() == 1);
    assert_int_equal(atomic_load(&cancelled), 2);
    /* The one that could not be cancelled ends later, and nobody is told. */
    release_held(3);
    release_held(0);
    assert_int_equal(receive_header(stays).status, STATUS_SESSION_NOT_FOUND);
    os_close(stays);
}

static void test_the_end_of_the_service_frees_held_calls(void **state)
{
    (void)state;
    os_socket socket = open_connection();
    send_call(socket, OPERATION_login, 1, &held_login);
    WAIT_FOR(atomic_load(&held_count) == 1);
    stop_service();
    assert_int_equal(atomic_load(&cancelled), 1);
    os_close(socket);
}

static void test_pings_are_answered_while_calls_are_held(void **state)
{
    (void)state;
    struct door_buffer message = {0};
    os_socket socket = open_connection();
    send_call(socket, OPERATION_login, 1, &held_login);
    assert_status(door_control_encode(&message, DOOR_PING, 77, STATUS_OK, NULL, 0), STATUS_OK);
    assert_status(remote_send(socket, message.data, message.length), STATUS_OK);
    struct door_header header = receive_header(socket);
    assert_int_equal(header.operation, DOOR_PING);
    assert_int_equal(header.call, 77);
    door_buffer_clear(&message);
    os_close(socket);
}

/* A client that does not read is not read from either; nothing is lost when it does at last. */
static void test_replies_wait_for_a_slow_reader(void **state)
{
    (void)state;
    enum { REQUESTS = 200 };
    static const struct request_list_targets list = {0};
    os_socket socket = open_connection();
    for (uint32_t i = 1; i <= REQUESTS; i++)
        send_call(socket, OPERATION_list_targets, i, &list);
    for (uint32_t i = 1; i <= REQUESTS; i++)
        assert_int_equal(receive_header(socket).call, i);
    os_close(socket);
}

static void test_many_calls_are_held_back_and_all_answered(void **state)
{
    (void)state;
    enum { REQUESTS = 200, CALLS_AT_ONCE = 64 };
    os_socket socket = open_connection();
    for (uint32_t i = 1; i <= REQUESTS; i++)
        send_call(socket, OPERATION_login, i, &held_login);
    WAIT_FOR(atomic_load(&held_count) == CALLS_AT_ONCE);
    connections(); /* the loop has been round once more */
    assert_int_equal(atomic_load(&held_count), CALLS_AT_ONCE);
    for (int i = 0; i < REQUESTS; i++) {
        WAIT_FOR(atomic_load(&held_count) > i);
        release_held(i);
        assert_int_equal(receive_header(socket).call, i + 1);
    }
    os_close(socket);
}

/* ---------------------------------------------------------- what is not valid */

static void store(uint8_t *out, uint32_t value, size_t width)
{
    for (size_t i = 0; i < width; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static void send_header(os_socket socket, uint32_t length, uint32_t version, uint32_t operation)
{
    uint8_t header[DOOR_HEADER] = {0};
    store(header, length, 4);
    store(header + 4, version, 2);
    store(header + 6, operation, 2);
    assert_status(remote_send(socket, header, sizeof header), STATUS_OK);
}

static void test_another_version_is_told_so(void **state)
{
    (void)state;
    os_socket socket = open_connection();
    send_header(socket, DOOR_HEADER - 4, DOOR_VERSION + 1, OPERATION_get_node_name);
    assert_refused(socket, STATUS_SERVICE_VERSION);
    socket = open_connection();
    send_header(socket, DOOR_HEADER - 4, 0, OPERATION_get_node_name);
    assert_refused(socket, STATUS_SERVICE_VERSION);
}

static void test_lengths_are_bounded(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {0, DOOR_HEADER - 5, DOOR_MESSAGE_MAX - 3, UINT32_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        os_socket socket = open_connection();
        send_header(socket, lengths[i], DOOR_VERSION, OPERATION_get_node_name);
        assert_refused(socket, STATUS_MESSAGE_INVALID);
    }
}

static void test_a_malformed_record_is_refused_and_the_connection_goes_on(void **state)
{
    (void)state;
    os_socket socket = open_connection();
    uint8_t message[DOOR_HEADER + 3] = {0};
    store(message, sizeof message - 4, 4);
    store(message + 4, DOOR_VERSION, 2);
    store(message + 6, OPERATION_set_node_name, 2);
    assert_status(remote_send(socket, message, sizeof message), STATUS_OK);
    assert_int_equal(receive_header(socket).status, STATUS_MESSAGE_INVALID);
    send_call(socket, OPERATION_get_node_name, 2, &get_name);
    assert_int_equal(receive_header(socket).status, STATUS_OK);
    os_close(socket);
}

static void test_messages_may_come_in_pieces(void **state)
{
    (void)state;
    struct door_buffer message = {0};
    os_socket socket = open_connection();
    encode(&message, OPERATION_set_node_name, 3, &set_name);
    for (size_t i = 0; i < message.length; i++) {
        assert_status(remote_send(socket, message.data + i, 1), STATUS_OK);
        if (i % 8 == 0)
            connections(); /* the loop has been round */
    }
    assert_int_equal(receive_header(socket).call, 3);
    door_buffer_clear(&message);
    os_close(socket);
}

/* Announcing much and sending nothing costs the service little; the client can go. */
static void test_an_unfinished_message_is_forgotten(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        os_socket socket = open_connection();
        send_header(socket, DOOR_MESSAGE_MAX - 4, DOOR_VERSION, OPERATION_set_node_name);
        os_close(socket);
    }
    WAIT_FOR(connections() == 0);
}

/* ------------------------------------------------------------- who may only read */

struct adoption {
    struct os_job job;
    os_socket socket;
    enum door_access access;
    atomic_bool done;
};

static void run_adoption(struct os_job *job)
{
    struct adoption *adoption = LIST_OWNER(job, struct adoption, job);
    door_server_adopt(service.server, adoption->socket, adoption->access);
    atomic_store(&adoption->done, true);
}

static os_socket adopted(enum door_access access)
{
    struct os_address at;
    os_socket listener = listener_new(&at);
    struct pair pair = pair_new(listener, &at);
    os_close(listener);
    struct adoption adoption = {
        .job = {.run = run_adoption}, .socket = pair.server, .access = access};
    os_loop_post(service.loop, &adoption.job);
    WAIT_FOR(atomic_load(&adoption.done));
    return pair.client;
}

static void test_readers_change_nothing(void **state)
{
    (void)state;
    os_socket socket = adopted(DOOR_READS);
    send_call(socket, OPERATION_get_node_name, 1, &get_name);
    assert_int_equal(receive_header(socket).status, STATUS_OK);
    send_call(socket, OPERATION_set_node_name, 2, &set_name);
    assert_int_equal(receive_header(socket).status, STATUS_ACCESS_DENIED);
    send_call(socket, OPERATION_login, 3, &held_login);
    assert_int_equal(receive_header(socket).status, STATUS_ACCESS_DENIED);
    assert_int_equal(atomic_load(&executed), 0);
    assert_int_equal(atomic_load(&held_count), 0);
    os_close(socket);
}

static void test_readers_send_little(void **state)
{
    (void)state;
    os_socket socket = adopted(DOOR_READS);
    send_header(socket, DOOR_READER_MESSAGE_MAX - 3, DOOR_VERSION, OPERATION_get_node_name);
    assert_refused(socket, STATUS_MESSAGE_INVALID);
}

/* ----------------------------------------------------------------- loopback */

static os_socket dial(void)
{
    os_socket socket;
    struct os_address at = loopback(service.port);
    assert_status(os_connect(&socket, &at, NULL), STATUS_OK);
    assert_true(os_socket_wait(socket, OS_WRITABLE, os_now() + BOUND));
    assert_status(os_connect_result(socket), STATUS_OK);
    return socket;
}

static void send_control(os_socket socket, enum door_control control, const void *body,
                         size_t length)
{
    struct door_buffer message = {0};
    assert_status(door_control_encode(&message, control, 0, STATUS_OK, body, length), STATUS_OK);
    assert_status(remote_send(socket, message.data, message.length), STATUS_OK);
    door_buffer_clear(&message);
}

/* The body of the next control message. */
static void receive_control(os_socket socket, enum door_control control, void *body, size_t length)
{
    struct door_buffer reply = {0};
    struct door_header header;
    assert_status(remote_receive(socket, &reply, os_now() + BOUND), STATUS_OK);
    assert_status(door_header_decode(&header, reply.data), STATUS_OK);
    assert_int_equal(header.operation, control);
    assert_int_equal(reply.length, DOOR_HEADER + length);
    if (length > 0)
        memcpy(body, reply.data + DOOR_HEADER, length);
    door_buffer_clear(&reply);
}

/* Up to the client's proof, with what it sent. */
static os_socket prove(struct handshake *handshake, uint8_t proof[HANDSHAKE_PROOF])
{
    uint8_t hello[HANDSHAKE_HELLO], answer[HANDSHAKE_ANSWER];
    os_socket socket = dial();
    assert_status(handshake_client_hello(handshake, hello), STATUS_OK);
    send_control(socket, DOOR_HELLO, hello, sizeof hello);
    receive_control(socket, DOOR_HELLO, answer, sizeof answer);
    assert_status(handshake_client_proof(handshake, answer, proof), STATUS_OK);
    return socket;
}

static void test_who_knows_the_key_comes_in(void **state)
{
    (void)state;
    struct handshake handshake;
    uint8_t proof[HANDSHAKE_PROOF];
    assert_status(door_credentials_read(&handshake.credentials, &service.place), STATUS_OK);
    os_socket socket = prove(&handshake, proof);
    send_control(socket, DOOR_PROOF, proof, sizeof proof);
    receive_control(socket, DOOR_PROOF, NULL, 0);
    send_call(socket, OPERATION_set_node_name, 5, &set_name);
    assert_int_equal(receive_header(socket).status, STATUS_OK);
    os_close(socket);
}

static void test_a_replayed_proof_is_refused(void **state)
{
    (void)state;
    struct handshake handshake;
    uint8_t proof[HANDSHAKE_PROOF], other[HANDSHAKE_PROOF];
    assert_status(door_credentials_read(&handshake.credentials, &service.place), STATUS_OK);
    os_socket first = prove(&handshake, proof);
    send_control(first, DOOR_PROOF, proof, sizeof proof);
    receive_control(first, DOOR_PROOF, NULL, 0);
    /* The same nonce and the same proof as one who listened would send. */
    os_socket second = dial();
    uint8_t answer[HANDSHAKE_ANSWER];
    send_control(second, DOOR_HELLO, handshake.client_nonce, HANDSHAKE_NONCE);
    receive_control(second, DOOR_HELLO, answer, sizeof answer);
    send_control(second, DOOR_PROOF, proof, sizeof proof);
    assert_refused(second, STATUS_ACCESS_DENIED);
    /* A good proof on another connection than its own. */
    os_socket third = prove(&handshake, proof), fourth = prove(&handshake, other);
    send_control(fourth, DOOR_PROOF, proof, sizeof proof);
    assert_refused(fourth, STATUS_ACCESS_DENIED);
    os_close(third);
    os_close(first);
}

static void test_without_the_key_nothing_is_to_be_had(void **state)
{
    (void)state;
    uint8_t hello[HANDSHAKE_HELLO] = {1}, answer[HANDSHAKE_ANSWER], proof[HANDSHAKE_PROOF] = {2};
    os_socket socket = dial();
    send_control(socket, DOOR_HELLO, hello, sizeof hello);
    receive_control(socket, DOOR_HELLO, answer, sizeof answer);
    send_control(socket, DOOR_PROOF, proof, sizeof proof);
    assert_refused(socket, STATUS_ACCESS_DENIED);
    /* A call instead of a proof, a proof before the hello, a ping. */
    socket = dial();
    send_call(socket, OPERATION_set_node_name, 1, &set_name);
    assert_refused(socket, STATUS_ACCESS_DENIED);
    socket = dial();
    send_control(socket, DOOR_PROOF, proof, sizeof proof);
    assert_refused(socket, STATUS_ACCESS_DENIED);
    socket = dial();
    send_control(socket, DOOR_PING, NULL, 0);
    assert_refused(socket, STATUS_ACCESS_DENIED);
    /* A call behind the hello. */
    socket = dial();
    send_control(socket, DOOR_HELLO, hello, sizeof hello);
    receive_control(socket, DOOR_HELLO, answer, sizeof answer);
    send_call(socket, OPERATION_set_node_name, 1, &set_name);
    assert_refused(socket, STATUS_ACCESS_DENIED);
    assert_int_equal(atomic_load(&executed), 0);
    assert_int_equal(atomic_load(&service.refusals), 5);
}

static void test_strangers_are_short_of_words(void **state)
{
    (void)state;
    os_socket socket = dial();
    send_header(socket, HANDSHAKE_MESSAGE_MAX - 3, DOOR_VERSION, DOOR_HELLO);
    assert_refused(socket, STATUS_MESSAGE_INVALID);
    socket = dial();
    send_header(socket, DOOR_HEADER - 4, DOOR_VERSION, DOOR_HELLO);
    assert_refused(socket, STATUS_MESSAGE_INVALID);
    socket = dial();
    send_header(socket, DOOR_HEADER - 4, DOOR_VERSION + 7, DOOR_HELLO);
    assert_refused(socket, STATUS_SERVICE_VERSION);
}

static void test_strangers_are_short_of_time(void **state)
{
    (void)state;
    uint64_t begin = os_now();
    enum status status = STATUS_OK;
    uint8_t byte;
    os_socket silent = dial();
    assert_int_equal(receive_within_bound(silent, &byte, 1, &status), -1);
    assert_true(os_now() - begin >= DOOR_UNPROVED_TIME - 100);
    assert_true(os_now() - begin < DOOR_UNPROVED_TIME + 5000);
    os_close(silent);
}

static void test_strangers_are_few(void **state)
{
    (void)state;
    enum { STRANGERS = 300 };
    os_socket sockets[STRANGERS];
    for (int i = 0; i < STRANGERS; i++) {
        sockets[i] = dial();
        if (i % 50 == 0)
            assert_true(connections() <= (int)DOOR_UNPROVED_MAX);
    }
    assert_true(connections() <= (int)DOOR_UNPROVED_MAX);
    /* Those who know the key come in all the same. */
    struct handshake handshake;
    uint8_t proof[HANDSHAKE_PROOF];
    assert_status(door_credentials_read(&handshake.credentials, &service.place), STATUS_OK);
    os_socket socket = prove(&handshake, proof);
    send_control(socket, DOOR_PROOF, proof, sizeof proof);
    receive_control(socket, DOOR_PROOF, NULL, 0);
    for (int i = 0; i < STRANGERS; i++)
        os_close(sockets[i]);
    os_close(socket);
    WAIT_FOR(connections() == 0);
}

/* Somebody who listens at the port of a service that is gone, and answers with a proof made with a
 * key of its own. */
struct squatter {
    os_socket listener;
    struct handshake handshake;
    atomic_int more; /* bytes that came after that */
};

static void run_squatter(void *argument)
{
    struct squatter *squatter = argument;
    uint8_t hello[HANDSHAKE_HELLO], answer[HANDSHAKE_ANSWER], byte;
    enum status status;
    os_socket socket = accept_within_bound(squatter->listener);
    receive_control(socket, DOOR_HELLO, hello, sizeof hello);
    assert_status(handshake_service_answer(&squatter->handshake, hello, answer), STATUS_OK);
    send_control(socket, DOOR_HELLO, answer, sizeof answer);
    while (receive_within_bound(socket, &byte, 1, &status) > 0)
        atomic_fetch_add(&squatter->more, 1);
    os_close(socket);
}

static void test_a_squatter_gets_no_proof_and_no_call(void **state)
{
    (void)state;
    struct os_address at;
    struct squatter squatter = {.listener = listener_new(&at)};
    struct door_credentials *credentials = &squatter.handshake.credentials;
    os_socket socket;
    assert_status(door_credentials_read(credentials, &service.place), STATUS_OK);
    credentials->port = os_address_port(&at);
    assert_status(door_credentials_publish(credentials, &service.place, OS_NO_GROUP), STATUS_OK);
    credentials->key[0] ^= 1;
    struct os_thread *thread = os_thread_start(run_squatter, &squatter);
    assert_status(remote_connect_loopback(&socket, &service.place, os_now() + BOUND),
                  STATUS_SERVICE_NOT_RUNNING);
    os_thread_join(thread);
    assert_int_equal(atomic_load(&squatter.more), 0);
    os_close(squatter.listener);
}

static void test_the_client_comes_in_by_loopback(void **state)
{
    (void)state;
    os_socket socket;
    assert_status(remote_connect_loopback(&socket, &service.place, os_now() + BOUND), STATUS_OK);
    send_call(socket, OPERATION_set_node_name, 1, &set_name);
    assert_int_equal(receive_header(socket).status, STATUS_OK);
    os_close(socket);
}

/* A port that says nothing holds a client up no longer than it wants to wait. */
static void test_a_silent_port_is_given_up(void **state)
{
    (void)state;
    struct os_address at;
    os_socket listener = listener_new(&at), socket;
    struct door_credentials credentials;
    assert_status(door_credentials_read(&credentials, &service.place), STATUS_OK);
    credentials.port = os_address_port(&at);
    assert_status(door_credentials_publish(&credentials, &service.place, OS_NO_GROUP), STATUS_OK);
    uint64_t begin = os_now();
    assert_status(remote_connect_loopback(&socket, &service.place, begin + 300),
                  STATUS_SERVICE_TIMEOUT);
    assert_true(os_now() - begin < BOUND);
    os_close(listener);
}

/* ------------------------------------------------------------------ restart */

static void test_a_restarted_service_is_found_again(void **state)
{
    (void)state;
    struct door_transport *client = client_new();
    assert_status(call(client, OPERATION_set_node_name, &set_name), STATUS_OK);
    stop_service();
    door_credentials_withdraw(&service.place);
    assert_status(call(client, OPERATION_get_node_name, &get_name), STATUS_SERVICE_NOT_RUNNING);
    start_service(0);
    assert_status(call(client, OPERATION_set_node_name, &set_name), STATUS_OK);
    stop_service();
    start_service(0);
    /* The idle connection is dead: nothing was sent on it, so even a change is tried again. */
    assert_status(call(client, OPERATION_set_node_name, &set_name), STATUS_OK);
    assert_status(call(client, OPERATION_get_node_name, &get_name), STATUS_OK);
    assert_int_equal(atomic_load(&executed), 3);
    client->free(client);
}

static atomic_int lost_outcome;

static void run_lost_call(void *argument)
{
    atomic_store(&lost_outcome, (int)call(argument, OPERATION_logout, &held_logout));
}

static void test_a_change_under_way_is_not_sent_again(void **state)
{
    (void)state;
    struct door_transport *client = client_new();
    atomic_store(&lost_outcome, -1);
    struct os_thread *thread = os_thread_start(run_lost_call, client);
    WAIT_FOR(atomic_load(&held_count) == 1);
    os_loop_stop(service.loop);
    os_thread_join(service.thread);
    /* The call is not finished by anybody: the service has died. */
    struct engine_call *lost = held[0];
    os_loop_free(service.loop);
    door_server_free(service.server);
    start_service(0);
    os_thread_join(thread);
    assert_string_equal(status_name((enum status)atomic_load(&lost_outcome)),
                        "SERVICE_NOT_RUNNING");
    assert_int_equal(atomic_load(&held_count), 1);
    engine_finish(lost, STATUS_OK, NULL);
    client->free(client);
}

/* --------------------------------------------------------------------- idle */

static int setup_idle(void **state)
{
    (void)state;
    reset();
    make_place();
    start_service(30);
    return 0;
}

static void test_idleness_is_told(void **state)
{
    (void)state;
    WAIT_FOR(atomic_load(&service.idle_events) > 0);
    os_socket socket = open_connection();
    int before = atomic_load(&service.idle_events);
    os_sleep(150); /* five times the idle time */
    assert_int_equal(atomic_load(&service.idle_events), before);
    atomic_store(&service.busy, true);
    os_close(socket);
    WAIT_FOR(connections() == 0);
    os_sleep(150);
    assert_int_equal(atomic_load(&service.idle_events), before);
    atomic_store(&service.busy, false);
    WAIT_FOR(atomic_load(&service.idle_events) > before);
}

static void test_who_waits_is_taken_before_the_door_closes(void **state)
{
    (void)state;
    os_socket socket = dial();
    assert_int_equal(door_server_unlisten(service.server), 1);
    os_socket other;
    struct os_address at = loopback(service.port);
    if (os_connect(&other, &at, NULL) == STATUS_OK) {
        os_socket_wait(other, OS_WRITABLE, os_now() + BOUND);
        assert_status(os_connect_result(other), STATUS_CONNECT_REFUSED);
        os_close(other);
    }
    os_close(socket);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        SERVED(test_calls_and_replies),
        SERVED(test_what_the_service_lacks_is_said),
        SERVED(test_large_replies),
        SERVED(test_many_threads_call_at_once),
        SERVED(test_replies_come_as_calls_finish),
        SERVED(test_who_vanishes_cancels_what_only_it_waited_for),
        SERVED(test_the_end_of_the_service_frees_held_calls),
        SERVED(test_pings_are_answered_while_calls_are_held),
        SERVED(test_replies_wait_for_a_slow_reader),
        SERVED(test_many_calls_are_held_back_and_all_answered),
        SERVED(test_another_version_is_told_so),
        SERVED(test_lengths_are_bounded),
        SERVED(test_a_malformed_record_is_refused_and_the_connection_goes_on),
        SERVED(test_messages_may_come_in_pieces),
        SERVED(test_an_unfinished_message_is_forgotten),
        SERVED(test_readers_change_nothing),
        SERVED(test_readers_send_little),
        SERVED(test_who_knows_the_key_comes_in),
        SERVED(test_a_replayed_proof_is_refused),
        SERVED(test_without_the_key_nothing_is_to_be_had),
        SERVED(test_strangers_are_short_of_words),
        SERVED(test_strangers_are_short_of_time),
        SERVED(test_strangers_are_few),
        SERVED(test_a_squatter_gets_no_proof_and_no_call),
        SERVED(test_the_client_comes_in_by_loopback),
        SERVED(test_a_silent_port_is_given_up),
        SERVED(test_a_restarted_service_is_found_again),
        SERVED(test_a_change_under_way_is_not_sent_again),
        cmocka_unit_test_setup_teardown(test_idleness_is_told, setup_idle, teardown),
        SERVED(test_who_waits_is_taken_before_the_door_closes),
    };
    return cmocka_run_group_tests_name("door, remote", tests, NULL, NULL);
}
