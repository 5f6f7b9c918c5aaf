/* NBD exports of volumes of an embedded target, asked by a client that writes its bytes itself. */
#include "engine_test.h"

#include "devices/nbd.h"
#include "devices/nbd_wire.h"
#include "engine/units.h"
#include "target/script.h"

#define NAME "bus0/target0/lun0"

static struct target_host host;
static struct target_script *script;
static struct nbd_export *export;
static enum status opened;
static char path[700];

static void on_added(void *context, struct unit *unit)
{
    const struct nbd_settings settings = {.path = path, .name = NAME, .group = OS_NO_GROUP};
    (void)context;
    struct disk *disk = disk_new(unit->path.volume);
    opened = disk != NULL ? nbd_open(&export, disk, &settings) : STATUS_NO_MEMORY;
    disk_release(disk);
}

static void on_changed(void *context, struct unit *unit)
{
    (void)context;
    (void)unit;
}

static void on_removed(void *context, struct unit *unit)
{
    (void)context;
    (void)unit;
    if (export != NULL)
        nbd_close(export);
    export = NULL;
}

static bool on_in_use(void *context, const struct unit *unit)
{
    (void)context;
    (void)unit;
    return export != NULL && nbd_in_use(export);
}

static struct unit *on_resolve(void *context, const char *of)
{
    (void)context;
    (void)of;
    return NULL;
}

static const struct exposure exposure = {
    .added = on_added,
    .changed = on_changed,
    .removed = on_removed,
    .in_use = on_in_use,
    .resolve = on_resolve,
};

static void expose(struct os_job *job)
{
    (void)job;
    units_expose(engine, &exposure);
}

static struct os_job job = {.run = expose};

static int start_with(const char *rules)
{
    char error[200];
    script = target_script_new(1);
    assert_non_null(script);
    if (!target_script_add(script, rules, error, sizeof error))
        fail_msg("%s", error);
    new_directory();
    snprintf(path, sizeof path, "%s/nbd", directory);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    os_loop_post(engine_loop(engine), &job);
    target_host_new(&host);
    target_entity_settings(host.entity)->fault = target_script_fault(script);
    target_host_add(&host, BASE ":a");
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_OK);
    assert_status(login(BASE ":a"), STATUS_OK);
    settle();
    return 0;
}

/* So that SYNCHRONIZE CACHE (10) is counted. */
static int start(void **state)
{
    (void)state;
    return start_with("on scsi-command with cdb=0x35 delay 1");
}

/* It does not know WRITE SAME (16). */
static int start_old(void **state)
{
    (void)state;
    return start_with("on scsi-command with cdb=0x93 answer check-condition 5 0x20 0");
}

static int stop(void **state)
{
    (void)state;
    engine_stop(engine);
    engine = NULL;
    target_host_stop(&host);
    target_script_free(script);
    assert_null(export);
    return 0;
}

/* False: the platform has no such sockets. */
static bool can(void)
{
    if (opened == STATUS_NOT_SUPPORTED)
        return false;
    assert_status(opened, STATUS_OK);
    return true;
}

#define NEEDS_SOCKETS()                                                                            \
    do {                                                                                           \
        if (!can())                                                                                \
            skip();                                                                                \
    } while (0)

/* --- a client --- */

static void must_send(os_socket socket, const void *data, size_t length)
{
    enum status status;
    const uint8_t *from = data;
    while (length > 0) {
        struct iov piece = {(void *)(uintptr_t)from, length};
        long sent = os_send(socket, &piece, 1, &status);
        if (sent == 0)
            assert_true(os_socket_wait(socket, OS_WRITABLE, os_now() + BOUND));
        assert_true(sent >= 0);
        from += sent;
        length -= (size_t)sent;
    }
}

/* False: the end came first. */
static bool receive(os_socket socket, void *out, size_t length)
{
    enum status status;
    uint8_t *to = out;
    while (length > 0) {
        struct iov piece = {to, length};
        long received = os_receive(socket, &piece, 1, &status);
        if (received < 0)
            return false;
        if (received == 0 && !os_socket_wait(socket, OS_READABLE, os_now() + BOUND))
            fail_msg("%u bytes of the export did not come", (unsigned)length);
        to += received;
        length -= (size_t)received;
    }
    return true;
}

static os_socket open_client(uint32_t flags)
{
    os_socket socket;
    uint8_t greeting[NBD_GREETING_LENGTH];
    uint8_t ours[NBD_CLIENT_FLAGS_LENGTH];
    assert_status(os_local_connect(&socket, path, os_now() + BOUND), STATUS_OK);
    assert_true(receive(socket, greeting, sizeof greeting));
    assert_memory_equal(greeting, "NBDMAGICIHAVEOPT\0\3", sizeof greeting);
    put_be32(ours, flags);
    must_send(socket, ours, sizeof ours);
    return socket;
}

static void send_option(os_socket socket, uint32_t option, const void *data, uint32_t length)
{
    uint8_t head[NBD_OPTION_LENGTH];
    memcpy(head, "IHAVEOPT", 8);
    put_be32(head + 8, option);
    put_be32(head + 12, length);
    must_send(socket, head, sizeof head);
    must_send(socket, data, length);
}

static uint8_t told[8192]; /* the data of the latest reply to an option */

/* Its type. */
static uint32_t option_reply(os_socket socket, uint32_t option, uint32_t *length)
{
    uint8_t head[20];
    assert_true(receive(socket, head, sizeof head));
    assert_true(get_be64(head) == 0x3e889045565a9u);
    assert_int_equal(get_be32(head + 8), option);
    *length = get_be32(head + 16);
    assert_true(*length <= sizeof told);
    assert_true(receive(socket, told, *length));
    return get_be32(head + 12);
}

enum { LIST = 3, INFO = 6, GO = 7 };

static uint32_t size_told_of(os_socket socket, uint32_t option)
{
    uint32_t size = 0;
    uint32_t length;
    for (uint32_t type; (type = option_reply(socket, option, &length)) == 3;) {
        if (get_be16(told) == 0)
            size = (uint32_t)get_be64(told + 2);
    }
    return size;
}

/* One that has negotiated. */
static os_socket client(void)
{
    os_socket socket = open_client(NBD_CLIENT_FIXED_NEWSTYLE | NBD_CLIENT_NO_ZEROES);
    send_option(socket, GO, "\0\0\0\0\0\0", 6);
    assert_int_equal(size_told_of(socket, GO), 1 << 20);
    return socket;
}

static void send_request(os_socket socket, unsigned flags, unsigned command, uint64_t cookie,
                         uint64_t offset, uint32_t length)
{
    uint8_t bytes[NBD_REQUEST_LENGTH];
    put_be32(bytes, 0x25609513);
    put_be16(bytes + 4, (uint16_t)flags);
    put_be16(bytes + 6, (uint16_t)command);
    put_be64(bytes + 8, cookie);
    put_be64(bytes + 16, offset);
    put_be32(bytes + 24, length);
    must_send(socket, bytes, sizeof bytes);
}

static uint32_t reply_error(os_socket socket, uint64_t *cookie)
{
    uint8_t bytes[NBD_REPLY_LENGTH];
    assert_true(receive(socket, bytes, sizeof bytes));
    assert_int_equal(get_be32(bytes), 0x67446698);
    *cookie = get_be64(bytes + 8);
    return get_be32(bytes + 4);
}

static uint32_t request(os_socket socket, unsigned flags, unsigned command, uint64_t offset,
                        uint32_t length)
{
    uint64_t cookie;
    send_request(socket, flags, command, offset + 77, offset, length);
    uint32_t error = reply_error(socket, &cookie);
    assert_true(cookie == offset + 77);
    return error;
}

static uint32_t write_at(os_socket socket, uint64_t offset, const void *data, uint32_t length)
{
    uint64_t cookie;
    send_request(socket, 0, NBD_WRITE, 5, offset, length);
    must_send(socket, data, length);
    return reply_error(socket, &cookie);
}

static void read_at(os_socket socket, uint64_t offset, void *out, uint32_t length)
{
    assert_int_equal(request(socket, 0, NBD_READ, offset, length), NBD_OK);
    assert_true(receive(socket, out, length));
}

/* --- negotiation --- */

static void clients_are_told_of_the_export(void **state)
{
    uint32_t length;
    (void)state;
    NEEDS_SOCKETS();
    os_socket socket = open_client(NBD_CLIENT_FIXED_NEWSTYLE);
    send_option(socket, LIST, NULL, 0);
    assert_int_equal(option_reply(socket, LIST, &length), 2);
    assert_int_equal(length, 4 + strlen(NAME));
    assert_memory_equal(told + 4, NAME, strlen(NAME));
    assert_int_equal(option_reply(socket, LIST, &length), 1);
    send_option(socket, INFO, "\0\0\0\0\0\1\0\3", 8);
    assert_int_equal(option_reply(socket, INFO, &length), 3);
    assert_int_equal(get_be64(told + 2), 1 << 20);
    assert_int_equal(get_be16(told + 10) & 0x47, 0x45); /* flags, flush, zeroes; not read-only */
    assert_int_equal(option_reply(socket, INFO, &length), 3);
    assert_int_equal(get_be16(told), 3);
    assert_int_equal(get_be32(told + 2), 1);
    assert_int_equal(option_reply(socket, INFO, &length), 1);
    os_close(socket);
}

static void the_oldest_way_in_works(void **state)
{
    uint8_t answer[10 + 124];
    uint8_t zero[124] = {0};
    (void)state;
    NEEDS_SOCKETS();
    os_socket socket = open_client(NBD_CLIENT_FIXED_NEWSTYLE);
    send_option(socket, 1, NAME, (uint32_t)strlen(NAME));
    assert_true(receive(socket, answer, sizeof answer));
    assert_int_equal(get_be64(answer), 1 << 20);
    assert_memory_equal(answer + 10, zero, sizeof zero);
    assert_int_equal(request(socket, 0, NBD_FLUSH, 0, 0), NBD_OK);
    os_close(socket);
}

static void what_is_not_understood_is_refused(void **state)
{
    static const struct {
        uint32_t option;
        const char *data;
        uint32_t length;
        uint32_t reply;
    } cases[] = {
        {8, "", 0, 0x80000001},                      /* structured replies */
        {99, "abc", 3, 0x80000001},                  /* no such option */
        {LIST, "x", 1, 0x80000003},                  /* data where none belong */
        {GO, "", 0, 0x80000003},                     /* too short */
        {GO, "\0\0\0\377\0\0", 6, 0x80000003},       /* a name longer than all data */
        {GO, "\377\377\377\377\0\0", 6, 0x80000003}, /* one that wraps around */
        {GO, "\0\0\0\0\0\2\0\3", 8, 0x80000003},     /* fewer requests than said */
        {GO, "\0\0\0\3foo\0\0", 9, 0x80000006},      /* no such export */
        {INFO, "\0\0\0\3foo\0\0", 9, 0x80000006},
    };
    uint32_t length;
    (void)state;
    NEEDS_SOCKETS();
    os_socket socket = open_client(NBD_CLIENT_FIXED_NEWSTYLE | NBD_CLIENT_NO_ZEROES);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        send_option(socket, cases[i].option, cases[i].data, cases[i].length);
        assert_int_equal(option_reply(socket, cases[i].option, &length), cases[i].reply);
    }
    send_option(socket, GO, "\0\0\0\0\0\0", 6);
    assert_int_equal(size_told_of(socket, GO), 1 << 20);
    os_close(socket);
}

static void nonsense_ends_the_connection(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        {"IHAVENOT\0\0\0\3\0\0\0\0", 16},
        {"IHAVEOPT\0\0\0\7\377\377\377\377", 16},
        {"IHAVEOPT\0\0\0\1\0\0\0\3foo", 19}, /* the oldest way has no word for it */
        {"IHAVEOPT\0\0\0\2\0\0\0\0", 16},    /* abort: answered, and then the end */
    };
    uint8_t rest[64];
    (void)state;
    NEEDS_SOCKETS();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        os_socket socket = open_client(NBD_CLIENT_FIXED_NEWSTYLE);
        must_send(socket, cases[i].bytes, cases[i].length);
        assert_false(receive(socket, rest, sizeof rest));
        os_close(socket);
    }
    os_socket socket = open_client(1u << 7);
    assert_false(receive(socket, rest, sizeof rest));
    os_close(socket);
    socket = client();
    must_send(socket, "not a request by any means..", NBD_REQUEST_LENGTH);
    assert_false(receive(socket, rest, sizeof rest));
    os_close(socket);
}

/* --- requests --- */

static uint8_t shadow[1 << 20];
static uint8_t bytes[1 << 20];

static void fill(uint8_t *at, size_t length, unsigned seed)
{
    for (size_t i = 0; i < length; i++)
        at[i] = (uint8_t)(seed + i * 7 + i / 251);
}

static void every_alignment_is_served(void **state)
{
    static const struct {
        uint32_t offset;
        uint32_t length;
    } ranges[] = {{0, 512},     {512, 4096},    {1, 1},        {511, 2},       {100, 300},
                  {700, 5000},  {4096, 100},    {4196, 3996},  {10000, 65536}, {(1 << 20) - 1, 1},
                  {0, 1 << 20}, {513, 1 << 19}, {99999, 12345}};
    (void)state;
    NEEDS_SOCKETS();
    os_socket socket = client();
    memset(shadow, 0, sizeof shadow);
    for (unsigned i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        fill(shadow + ranges[i].offset, ranges[i].length, i);
        assert_int_equal(
            write_at(socket, ranges[i].offset, shadow + ranges[i].offset, ranges[i].length),
            NBD_OK);
        read_at(socket, ranges[i].offset, bytes, ranges[i].length);
        assert_memory_equal(bytes, shadow + ranges[i].offset, ranges[i].length);
    }
    read_at(socket, 0, bytes, sizeof bytes);
    assert_memory_equal(bytes, shadow, sizeof bytes);
    assert_int_equal(request(socket, 0, NBD_WRITE_ZEROES, 700, 2000), NBD_OK);
    memset(shadow + 700, 0, 2000);
    assert_int_equal(request(socket, NBD_FLAG_FUA, NBD_WRITE_ZEROES, 4096, 8192), NBD_OK);
    memset(shadow + 4096, 0, 8192);
    assert_int_equal(request(socket, 0, NBD_FLUSH, 0, 0), NBD_OK);
    read_at(socket, 0, bytes, sizeof bytes);
    assert_memory_equal(bytes, shadow, sizeof bytes);
    os_close(socket);
}

static void what_cannot_be_done_is_answered(void **state)
{
    (void)state;
    NEEDS_SOCKETS();
    os_socket socket = client();
    assert_int_equal(request(socket, 0, NBD_READ, 1 << 20, 1), NBD_EINVAL);
    assert_int_equal(request(socket, 0, NBD_READ, UINT64_MAX - 1, 512), NBD_EINVAL);
    assert_int_equal(request(socket, 0, NBD_READ, 0, (1 << 20) + 1), NBD_EINVAL);
    assert_int_equal(request(socket, 0, NBD_READ, 0, UINT32_MAX), NBD_EINVAL);
    assert_int_equal(request(socket, 0, NBD_READ, 0, 0), NBD_EINVAL);
    assert_int_equal(write_at(socket, (1 << 20) - 1, "ab", 2), NBD_ENOSPC);
    assert_int_equal(request(socket, 0, NBD_WRITE_ZEROES, 1, 1 << 20), NBD_ENOSPC);
    assert_int_equal(request(socket, 0, 99, 0, 0), NBD_EINVAL);
    assert_int_equal(request(socket, 1 << 9, NBD_READ, 0, 512), NBD_EINVAL);
    assert_int_equal(request(socket, 0, NBD_FLUSH, 0, 0), NBD_OK);
    os_close(socket);
}

static void what_is_to_last_is_flushed(void **state)
{
    (void)state;
    NEEDS_SOCKETS();
    os_socket socket = client();
    assert_int_equal(request(socket, 0, NBD_WRITE_ZEROES, 0, 8192), NBD_OK);
    assert_int_equal(target_script_hits(script, 0), 0);
    assert_int_equal(request(socket, NBD_FLAG_FUA, NBD_WRITE_ZEROES, 0, 8192), NBD_OK);
    assert_int_equal(target_script_hits(script, 0), 1);
    assert_int_equal(request(socket, 0, NBD_FLUSH, 0, 0), NBD_OK);
    assert_int_equal(target_script_hits(script, 0), 2);
    os_close(socket);
}

/* Clients write zeroes themselves then. */
static void what_the_unit_does_not_know_is_not_supported(void **state)
{
    (void)state;
    NEEDS_SOCKETS();
    os_socket socket = client();
    assert_int_equal(request(socket, 0, NBD_WRITE_ZEROES, 0, 8192), NBD_ENOTSUP);
    assert_int_equal(write_at(socket, 0, shadow, 8192), NBD_OK);
    os_close(socket);
}

/* Parts of the same blocks, all at once: none is lost. */
static void changes_of_one_block_do_not_meet(void **state)
{
    enum { PARTS = 64, PART = 100 };
    bool answered[PARTS] = {false};
    (void)state;
    NEEDS_SOCKETS();
    os_socket socket = client();
    fill(shadow, sizeof shadow, 3);
    for (uint32_t i = 0; i < PARTS; i++) {
        uint32_t part = (i * 37) % PARTS;
        send_request(socket, 0, NBD_WRITE, part, (uint64_t)part * PART, PART);
        must_send(socket, shadow + (size_t)part * PART, PART);
    }
    for (unsigned i = 0; i < PARTS; i++) {
        uint64_t cookie;
        assert_int_equal(reply_error(socket, &cookie), NBD_OK);
        assert_true(cookie < PARTS && !answered[cookie]);
        answered[cookie] = true;
    }
    read_at(socket, 0, bytes, PARTS * PART);
    assert_memory_equal(bytes, shadow, PARTS * PART);
    os_close(socket);
}

static void expect_piece(os_socket socket)
{
    uint64_t cookie;
    assert_int_equal(reply_error(socket, &cookie), NBD_OK);
    assert_true(receive(socket, bytes, 100));
    assert_memory_equal(bytes, shadow + cookie * 1000, 100);
}

/* More than are taken at a time. */
static void many_requests_are_under_way(void **state)
{
    enum { REQUESTS = 1000, UNDER_WAY = 300 };
    (void)state;
    NEEDS_SOCKETS();
    os_socket socket = client();
    fill(shadow, sizeof shadow, 9);
    assert_int_equal(write_at(socket, 0, shadow, sizeof shadow), NBD_OK);
    for (unsigned i = 0; i < REQUESTS; i++) {
        send_request(socket, 0, NBD_READ, i, (uint64_t)i * 1000, 100);
        if (i >= UNDER_WAY)
            expect_piece(socket);
    }
    for (unsigned i = 0; i < UNDER_WAY; i++)
        expect_piece(socket);
    os_close(socket);
}

/* --- ends --- */

static void a_client_may_vanish_at_any_time(void **state)
{
    (void)state;
    NEEDS_SOCKETS();
    for (size_t cut = 0; cut < NBD_REQUEST_LENGTH + 64; cut += 3) {
        uint8_t stream[NBD_REQUEST_LENGTH + 64] = {0x25, 0x60, 0x95, 0x13, 0, 0, 0, NBD_WRITE};
        put_be32(stream + 24, 64);
        os_socket socket = client();
        send_request(socket, 0, NBD_READ, 1, 0, 1 << 20);
        must_send(socket, stream, cut);
        os_close(socket);
    }
    os_socket socket = client();
    assert_int_equal(request(socket, 0, NBD_FLUSH, 0, 0), NBD_OK);
    os_close(socket);
}

static void a_disconnecting_client_is_answered_first(void **state)
{
    uint64_t cookie;
    uint8_t byte;
    (void)state;
    NEEDS_SOCKETS();
    os_socket socket = client();
    send_request(socket, 0, NBD_READ, 12, 0, 4096);
    send_request(socket, 0, NBD_DISCONNECT, 13, 0, 0);
    assert_int_equal(reply_error(socket, &cookie), NBD_OK);
    assert_true(receive(socket, bytes, 4096));
    assert_false(receive(socket, &byte, 1));
    os_close(socket);
}

static void a_logout_is_refused_while_it_is_used(void **state)
{
    (void)state;
    NEEDS_SOCKETS();
    os_socket socket = client();
    assert_status(logout(&last_session), STATUS_DEVICE_BUSY);
    send_request(socket, 0, NBD_DISCONNECT, 1, 0, 0);
    uint8_t byte;
    assert_false(receive(socket, &byte, 1));
    os_close(socket);
    assert_status(logout(&last_session), STATUS_OK);
    uint64_t end = os_now() + BOUND;
    while (os_local_connect(&socket, path, end) == STATUS_OK && os_now() < end)
        os_close(socket);
    assert_status(os_local_connect(&socket, path, end), STATUS_SERVICE_NOT_RUNNING);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(clients_are_told_of_the_export),
        TEST(the_oldest_way_in_works),
        TEST(what_is_not_understood_is_refused),
        TEST(nonsense_ends_the_connection),
        TEST(every_alignment_is_served),
        TEST(what_cannot_be_done_is_answered),
        TEST(what_is_to_last_is_flushed),
        cmocka_unit_test_setup_teardown(what_the_unit_does_not_know_is_not_supported, start_old,
                                        stop),
        TEST(changes_of_one_block_do_not_meet),
        TEST(many_requests_are_under_way),
        TEST(a_client_may_vanish_at_any_time),
        TEST(a_disconnecting_client_is_answered_first),
        TEST(a_logout_is_refused_while_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
