/* A disk of an embedded target for the tests of input and output, what the target does wrong, and a
 * session to it. */
#ifndef IO_TARGET_H
#define IO_TARGET_H

#include "io_test.h"

#include "target/disk.h"

/* --- a target --- */

static struct target_host host;
static struct target_disk *disk;

/* What it does wrong. Two threads see it. */
static struct {
    struct target_connection *_Atomic connection; /* the latest one */
    atomic_uint connections;
    _Atomic uint8_t opcode; /* of PDUs in place of which */
    _Atomic enum target_end end;
    atomic_uint left;     /* so many times, the connection ends, or nothing is sent */
    _Atomic uint8_t cdb;  /* opcode of commands that are */
    _Atomic uint8_t bits; /* in the second byte of the latest of those */
    atomic_bool swallow;  /* dropped, or */
    atomic_bool refuse;   /* answered like this: */
    _Atomic uint8_t status, key;
    atomic_uint asc;
    atomic_bool deferred;   /* in deferred sense data */
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

static void defer(struct target_fault_out *out)
{
    uint8_t data[64];
    if (out->length < 3 || out->length > sizeof data)
        return;
    memcpy(data, out->data, out->length);
    data[2] |= 1; /* behind the length: 71h, 73h */
    target_fault_data(out, data, out->length);
}

static void on_outgoing(void *context, struct target_connection *connection,
                        struct target_fault_out *out)
{
    (void)context;
    (void)connection;
    if (out->pdu->opcode == PDU_SCSI_RESPONSE && orders.deferred)
        defer(out);
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
    orders.bits = cdb[1];
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

static inline int stop(void **state)
{
    (void)state;
    if (volume != NULL)
        in_engine(run_release, volume);
    engine_stop(engine);
    engine = NULL;
    target_host_stop(&host);
    return 0;
}

#endif
