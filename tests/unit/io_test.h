/* What the tests of input and output share: a disk of an embedded target, what the target does
 * wrong, and ios from the test's thread. */
#ifndef IO_TEST_H
#define IO_TEST_H

#include "engine_test.h"

#include "engine/io.h"
#include "engine/options.h"
#include "target/disk.h"

#include <stdatomic.h>

enum { BLOCK = 512 };

/* --- a target --- */

static struct target_host host;
static struct target_disk *disk;

/* What it does wrong. Two threads see it. */
static struct {
    struct target_connection *_Atomic connection; /* the latest one */
    atomic_uint connections;
    _Atomic uint8_t opcode; /* of PDUs in place of which */
    _Atomic enum target_end end;
    atomic_uint left;    /* so many times, the connection ends, or nothing is sent */
    _Atomic uint8_t cdb; /* opcode of commands that are */
    atomic_bool swallow; /* dropped, or */
    atomic_bool refuse;  /* answered like this: */
    _Atomic uint8_t status, key;
    atomic_uint asc;
    atomic_uint refusals;   /* so many times */
    atomic_uint commands;   /* with that CDB that came */
    atomic_bool another;    /* the unit is another one */
    atomic_uint swallows;   /* so many of them are dropped */
    atomic_bool no_session; /* logins with a TSIH are refused */
    atomic_bool no_logins;  /* behind those that are left */
    atomic_bool with_tsih;  /* the latest login has one */
    atomic_uint refused_logins;
    void (*managed)(uint8_t function); /* told of task management, if not NULL */
    _Atomic uint8_t deaf_to;           /* such functions are not heard */
} orders;

enum { DEAF_TO_ALL = 0xff };

static void on_connected(void *context, struct target_connection *connection)
{
    (void)context;
    orders.connection = connection;
    orders.connections++;
}

static void on_outgoing(void *context, struct target_connection *connection,
                        struct target_fault_out *out)
{
    (void)context;
    (void)connection;
    if (out->pdu->opcode == PDU_LOGIN_RESPONSE && orders.no_session && orders.with_tsih) {
        out->pdu->login_response.status_class = 2;
        out->pdu->login_response.status_detail = 0x0a;
        orders.refused_logins++;
    }
    if (out->pdu->opcode == PDU_LOGIN_RESPONSE && orders.no_logins && orders.left == 0) {
        out->copies = 0;
        out->end = TARGET_END_CLOSE;
        out->end_at = 0;
    }
    if (orders.left == 0 || out->pdu->opcode != orders.opcode)
        return;
    orders.left--;
    out->copies = 0;
    out->end = orders.end;
    out->end_at = 0;
}

static void tell_other_identity(struct target_connection *connection, const struct pdu *command)
{
    uint8_t page[16] = {0, 0x83, 0, 12, 1, 3, 0, 8, 'a', 'n', 'o', 't', 'h', 'e', 'r', '!'};
    struct pdu pdu = {.opcode = PDU_DATA_IN, .final = true, .itt = command->itt};
    pdu.data_in.ttt = PDU_RESERVED_TAG;
    pdu.data_in.status_present = pdu.data_in.underflow = true;
    pdu.data_in.residual = command->scsi_command.expected_length - (uint32_t)sizeof page;
    target_fault_send(connection, &pdu, page, sizeof page, true);
}

static void hear_management(struct target_fault_in *in)
{
    uint8_t function = in->pdu->task_request.function;
    if (orders.managed != NULL)
        orders.managed(function);
    in->swallow = orders.deaf_to == function || orders.deaf_to == DEAF_TO_ALL;
}

static void on_incoming(void *context, struct target_connection *connection,
                        struct target_fault_in *in)
{
    const uint8_t *cdb = in->pdu->scsi_command.cdb;
    (void)context;
    if (in->pdu->opcode == PDU_LOGIN_REQUEST)
        orders.with_tsih = in->pdu->login_request.tsih != 0;
    if (in->pdu->opcode == PDU_TASK_REQUEST)
        hear_management(in);
    if (in->pdu->opcode != PDU_SCSI_COMMAND)
        return;
    if (cdb[0] == SCSI_INQUIRY && cdb[2] == 0x83 && orders.another) {
        in->answered = true;
        tell_other_identity(connection, in->pdu);
    }
    if (cdb[0] != orders.cdb)
        return;
    orders.commands++;
    if (orders.swallow || orders.swallows > 0)
        in->answered = true; /* but it is not */
    if (orders.swallows > 0)
        orders.swallows--;
    if (!orders.refuse || orders.refusals == 0)
        return;
    orders.refusals--;
    in->refuse = true;
    in->status = orders.status;
    in->sense_key = orders.key;
    in->asc = (uint16_t)orders.asc;
}

static const struct target_fault fault = {
    .connected = on_connected, .incoming = on_incoming, .outgoing = on_outgoing};

static inline void refuse(uint8_t cdb, uint8_t status, uint8_t key, uint16_t asc, unsigned times)
{
    orders.cdb = cdb;
    orders.commands = 0;
    orders.status = status;
    orders.key = key;
    orders.asc = asc;
    orders.refusals = times;
    orders.refuse = true;
}

static inline void lose(uint8_t opcode, enum target_end end, unsigned times)
{
    orders.opcode = opcode;
    orders.end = end;
    orders.left = times;
}

static void run_cut(struct os_job *job)
{
    (void)job;
    target_fault_end(orders.connection, TARGET_END_RESET);
}

static inline void cut(void)
{
    host.job.run = run_cut;
    os_loop_post(host.loop, &host.job);
}

static void open_host(void)
{
    memset(&orders, 0, sizeof orders);
    target_host_new(&host);
    target_entity_settings(host.entity)->fault = &fault;
    target_entity_settings(host.entity)->offers.default_time2wait = 0;
    struct target *target;
    assert_status(target_add(host.entity, BASE ":a", &target), STATUS_OK);
    assert_status(target_disk_ram(4 << 20, BLOCK, &disk), STATUS_OK);
    assert_status(target_add_disk(target, 0, disk), STATUS_OK);
}

/* --- on the engine's thread --- */

struct errand {
    struct os_job job;
    struct os_loop_waiter waiter;
    void (*run)(void *context);
    void *context;
};

static void run_errand(struct os_job *job)
{
    struct errand *errand = LIST_OWNER(job, struct errand, job);
    errand->run(errand->context);
    os_loop_finish(engine_loop(engine), &errand->waiter);
}

static void in_engine(void (*run)(void *context), void *context)
{
    struct errand errand = {.job.run = run_errand, .run = run, .context = context};
    assert_true(os_loop_waiter_init(&errand.waiter));
    os_loop_call(engine_loop(engine), &errand.job, &errand.waiter);
    os_loop_waiter_clear(&errand.waiter);
}

static struct volume *volume;

static void find_volume(void *context)
{
    const struct engine_session *session = engine_session_find(engine, context);
    volume = NULL;
    if (session == NULL || list_empty(&session->units->all))
        return;
    volume = LIST_OWNER(session->units->all.next, struct unit, link)->path.volume;
    volume_hold(volume);
}

static void run_release(void *context)
{
    volume_release(context);
}

/* --- a session --- */

static void open_session(uint32_t wait)
{
    const struct login_options options = {.specified = OPTION_DEFAULT_TIME2WAIT,
                                          .default_time2wait = wait,
                                          .flags = LOGIN_FLAG_MULTIPATH};
    assert_status(login_with(BASE ":a", &options), STATUS_OK);
    settle();
}

static inline void open_volume(const char *settings)
{
    if (settings != NULL)
        write_text("iscsi.conf", settings);
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_OK);
    open_session(0);
    in_engine(find_volume, &last_session);
    assert_non_null(volume);
}

static inline int start(void **state)
{
    (void)state;
    new_directory();
    assert_status(engine_start(&engine, directory), STATUS_OK);
    volume = NULL;
    open_host();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    if (volume != NULL)
        in_engine(run_release, volume);
    engine_stop(engine);
    engine = NULL;
    target_host_stop(&host);
    return 0;
}

/* --- ios --- */

static inline struct io io_of(enum io_kind kind, uint64_t lba, uint64_t blocks, struct iov *pieces)
{
    return (struct io){.volume = volume,
                       .kind = kind,
                       .lba = lba,
                       .blocks = blocks,
                       .pieces = pieces,
                       .piece_count = pieces != NULL ? 1 : 0};
}

static inline enum status run_io(struct io *io)
{
    assert_true(io_run(engine, io, 1));
    return io->status;
}

static inline enum status transfer(enum io_kind kind, uint64_t lba, uint32_t blocks, void *data)
{
    struct iov piece = {data, blocks * BLOCK};
    struct io io = io_of(kind, lba, blocks, &piece);
    return run_io(&io);
}

/* One that ends some time. */
struct later {
    struct io io;
    struct iov piece;
    atomic_bool ended;
};

static void on_later(struct io *io)
{
    ((struct later *)io->context)->ended = true;
}

static inline void begin_io(struct later *later, enum io_kind kind, uint64_t lba, uint32_t blocks,
                            void *data)
{
    *later = (struct later){.piece = {data, blocks * BLOCK}};
    later->io = io_of(kind, lba, blocks, &later->piece);
    later->io.done = on_later;
    later->io.context = later;
}

static inline enum status await_io(struct later *later)
{
    uint64_t end = os_now() + BOUND;
    while (!later->ended) {
        if (os_now() > end)
            abort(); /* the engine still uses what is on our stack */
        os_thread_yield();
    }
    return later->io.status;
}

static inline void fill(uint8_t *data, size_t length, uint32_t seed)
{
    for (size_t i = 0; i < length; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (uint8_t)(seed >> 24);
    }
}

#define wait_until(condition)                                                                      \
    do {                                                                                           \
        uint64_t bound = os_now() + BOUND;                                                         \
        while (!(condition)) {                                                                     \
            if (os_now() > bound)                                                                  \
                fail_msg("%s: not within %u ms", #condition, BOUND);                               \
            os_thread_yield();                                                                     \
        }                                                                                          \
    } while (0)

#endif
