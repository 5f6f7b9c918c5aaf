/*
 * The initiator side of a connection: login (all kinds of authentication), commands, text and
 * control PDUs. The input is what a target says: either raw bytes, or a script of PDUs that are
 * right in what the fuzzer could not guess (tags, StatSN, stages) unless it chooses otherwise.
 * Every task and exchange must end exactly once.
 */
#include "initiator/initiator.h"
#include "protocol/framer.h"

#include <stdlib.h>
#include <string.h>

#define TASKS 4

struct reader {
    const uint8_t *data;
    size_t left;
};

struct state {
    struct session *session;
    struct connection *connection;
    bool closed;
    uint32_t stat_sn;
    uint32_t itt; /* of the last request */
    uint32_t cmd_sn;
    uint8_t stage;
    uint8_t opcode;
    struct task tasks[TASKS];
    struct iov pieces[TASKS][2];
    uint8_t memory[TASKS][64];
    int ended[TASKS];
    struct text_exchange exchange;
    int exchanges_begun, exchanges_ended;
    struct management management;
    int managements_begun, managements_ended;
    bool reconnected;
    size_t text_length;
};

static bool hash(enum chap_algorithm algorithm, const struct iov *pieces, size_t count,
                 uint8_t digest[CHAP_DIGEST_MAX])
{
    uint8_t sum = (uint8_t)algorithm;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < pieces[i].length; j++)
            sum = (uint8_t)(sum * 31 + ((const uint8_t *)pieces[i].base)[j]);
    memset(digest, sum, CHAP_DIGEST_MAX);
    return true;
}

static bool random_bytes(void *out, size_t length)
{
    memset(out, 0x5a, length);
    return true;
}

static bool has(enum chap_algorithm algorithm)
{
    return algorithm != CHAP_SHA3_256;
}

static const struct chap_crypto crypto = {hash, random_bytes, has};

static uint32_t take(struct reader *reader, size_t bytes)
{
    uint32_t value = 0;

    while (bytes-- > 0) {
        value = value << 8 | (reader->left > 0 ? *reader->data : 0);
        if (reader->left > 0) {
            reader->data++;
            reader->left--;
        }
    }
    return value;
}

static void on_output(void *owner, struct connection *connection)
{
    (void)owner;
    (void)connection;
}

static void task_done(struct task *task)
{
    struct state *state = task->context;

    state->ended[task - state->tasks]++;
}

static enum status on_piece(struct text_exchange *exchange, const char *text, size_t length)
{
    struct state *state = exchange->context;

    for (size_t i = 0; i < length; i++)
        state->text_length += (uint8_t)text[i] != 0; /* touches every byte */
    return STATUS_OK;
}

static void exchange_done(struct text_exchange *exchange, enum status status)
{
    struct state *state = exchange->context;

    (void)status;
    state->exchanges_ended++;
}

static void management_done(struct management *management)
{
    struct state *state = management->context;

    state->managements_ended++;
}

static void submit(struct state *state, int i)
{
    struct task *task = &state->tasks[i];

    state->pieces[i][0] = (struct iov){state->memory[i], 13};
    state->pieces[i][1] = (struct iov){state->memory[i] + 13, 51};
    if (i != 1) { /* a write, a bidirectional command, and reads */
        task->data_in = state->pieces[i];
        task->data_in_count = 2;
        task->data_in_length = 64;
    }
    if (i == 1 || i == 2) {
        task->data_out = state->pieces[i];
        task->data_out_count = 2;
        task->data_out_length = 64;
    }
    task->done = task_done;
    task->context = state;
    scsi_inquiry(&task->cdb, 0, 0, 64);
    session_submit(state->session, task, 0);
}

static void on_logged_in(void *owner, struct connection *connection)
{
    struct state *state = owner;

    (void)connection;
    if (state->reconnected)
        return;
    for (int i = 0; i < TASKS; i++)
        submit(state, i);
    state->management.function = TASK_ABORT_TASK;
    state->management.task = &state->tasks[2];
    state->management.done = management_done;
    state->management.context = state;
    if (session_manage(state->session, &state->management, 0) == STATUS_OK)
        state->managements_begun++;
    state->exchange.request = "SendTargets=All";
    state->exchange.request_length = 16;
    state->exchange.piece = on_piece;
    state->exchange.done = exchange_done;
    state->exchange.context = state;
    state->exchange.limit = 100000;
    if (session_text(state->session, &state->exchange, 0) == STATUS_OK)
        state->exchanges_begun++;
}

static void on_closed(void *owner, struct connection *connection, enum status status)
{
    struct state *state = owner;

    (void)connection;
    (void)status;
    if (state->closed)
        abort();
    state->closed = true;
}

static const struct session_callbacks callbacks = {on_output, on_logged_in, on_closed, NULL, NULL};

/* Looks at what the initiator says, for the tags. */
static void listen(struct state *state)
{
    struct iov pieces[8];
    size_t count;
    struct pdu pdu;

    while ((count = connection_write_pieces(state->connection, pieces, 8)) > 0) {
        size_t total = 0;

        for (size_t i = 0; i < count; i++) {
            /* A head is 48 or 52 bytes and decodes; data may look the same: only a hint. */
            if ((pieces[i].length == PDU_BHS_LENGTH || pieces[i].length == PDU_BHS_LENGTH + 4) &&
                pdu_decode(&pdu, pieces[i].base) == STATUS_OK) {
                state->itt = pdu.itt;
                state->opcode = pdu.opcode;
                if (pdu.opcode == PDU_LOGIN_REQUEST) {
                    state->stage = pdu.login_request.current_stage;
                    state->cmd_sn = pdu.login_request.cmd_sn;
                }
            }
            total += pieces[i].length;
        }
        connection_written(state->connection, total);
    }
}

static void hear(struct state *state, const uint8_t *bytes, size_t length, size_t step)
{
    static uint8_t look_ahead[8192];
    struct iov pieces[4];

    while (length > 0 && !state->closed) {
        size_t count, taken = 0;

        connection_read_begin(state->connection, look_ahead, sizeof look_ahead);
        count = connection_read_pieces(state->connection, pieces, 4);
        for (size_t i = 0; i < count && taken < length && taken < step; i++) {
            size_t now = pieces[i].length;

            if (now > length - taken)
                now = length - taken;
            if (now > step - taken)
                now = step - taken;
            memcpy(pieces[i].base, bytes + taken, now);
            taken += now;
        }
        connection_read(state->connection, taken, 0);
        connection_read_end(state->connection);
        listen(state);
        bytes += taken;
        length -= taken;
    }
}

static void sequence(struct state *state, struct pdu_sequence *sn, bool counts, uint32_t twist)
{
    sn->stat_sn = state->stat_sn + twist;
    sn->exp_cmd_sn = state->cmd_sn;
    sn->max_cmd_sn = state->cmd_sn + 2;
    state->stat_sn += counts;
}

/* One PDU of the script. `twist` is usually 0: everything is right. */
static void say(struct state *state, struct reader *script)
{
    static const uint8_t opcodes[] = {
        PDU_LOGIN_RESPONSE, PDU_LOGIN_RESPONSE, PDU_DATA_IN, PDU_SCSI_RESPONSE,   PDU_TEXT_RESPONSE,
        PDU_NOP_IN,         PDU_ASYNC_MESSAGE,  PDU_REJECT,  PDU_LOGOUT_RESPONSE, PDU_R2T,
        PDU_TASK_RESPONSE};
    static const char recovering[] = "ErrorRecoveryLevel=2\0DefaultTime2Retain=20\0InitialR2T=No\0"
                                     "MaxOutstandingR2T=2\0ImmediateData=Yes";
    uint8_t wire[PDU_BHS_LENGTH + 1024 + 4] = {0};
    uint8_t choice = (uint8_t)take(script, 1);
    uint8_t flags = (uint8_t)take(script, 1);
    uint32_t twist = flags & 0x80 ? take(script, 1) : 0;
    size_t length = take(script, 2) % 1024;
    struct pdu pdu = {.opcode = opcodes[choice % sizeof opcodes]};

    pdu.final = !(flags & 1);
    /* One of the tasks: their tags are taken in order. */
    pdu.itt =
        flags & 0x40 ? state->tasks[choice / sizeof opcodes % TASKS].itt : state->itt + (twist & 3);
    switch (pdu.opcode) {
    case PDU_LOGIN_RESPONSE:
        pdu.login_response.transit = flags & 2;
        pdu.login_response.more = flags & 4;
        pdu.login_response.current_stage = state->stage;
        pdu.login_response.next_stage = (uint8_t)(state->stage ? 3 : 1);
        pdu.login_response.tsih = 1;
        pdu.login_response.isid[0] = 0x40;
        pdu.login_response.status_class = flags & 0x40 ? (uint8_t)take(script, 1) : 0;
        pdu.login_response.status_detail = flags & 0x40 ? (uint8_t)take(script, 1) : 0;
        sequence(state, &pdu.login_response.sn, true, twist >> 2);
        break;
    case PDU_DATA_IN:
        pdu.data_in.status_present = flags & 8;
        pdu.data_in.offset = flags & 0x10 ? take(script, 4) : 0;
        pdu.data_in.data_sn = flags & 0x20 ? take(script, 1) : 0;
        pdu.data_in.residual = take(script, 1);
        pdu.data_in.underflow = flags & 2;
        pdu.data_in.acknowledge = flags & 4;
        sequence(state, &pdu.data_in.sn, pdu.data_in.status_present, twist >> 2);
        break;
    case PDU_SCSI_RESPONSE:
        pdu.scsi_response.status = (uint8_t)take(script, 1);
        pdu.scsi_response.response = flags & 2;
        sequence(state, &pdu.scsi_response.sn, true, twist >> 2);
        break;
    case PDU_TEXT_RESPONSE:
        pdu.text_response.more = flags & 1;
        pdu.text_response.ttt = flags & 1 ? 5 : PDU_RESERVED_TAG;
        sequence(state, &pdu.text_response.sn, true, twist >> 2);
        break;
    case PDU_R2T:
        pdu.r2t.ttt = flags & 2 ? PDU_RESERVED_TAG : 7;
        pdu.r2t.r2t_sn = take(script, 1) & 7;
        pdu.r2t.offset = flags & 0x10 ? take(script, 4) : take(script, 1) & 63;
        pdu.r2t.length = flags & 0x10 ? take(script, 4) : take(script, 1) & 63;
        sequence(state, &pdu.r2t.sn, false, twist >> 2);
        length = 0;
        break;
    case PDU_TASK_RESPONSE:
        pdu.task_response.response = flags & 6;
        sequence(state, &pdu.task_response.sn, true, twist >> 2);
        break;
    case PDU_NOP_IN:
        pdu.itt = PDU_RESERVED_TAG - (twist & 1);
        pdu.nop_in.ttt = flags & 2 ? PDU_RESERVED_TAG : 9;
        sequence(state, &pdu.nop_in.sn, false, twist >> 2);
        break;
    case PDU_ASYNC_MESSAGE:
        pdu.async_message.event = (uint8_t)take(script, 1);
        pdu.async_message.parameter1 = (uint16_t)take(script, 1);
        sequence(state, &pdu.async_message.sn, true, twist >> 2);
        break;
    case PDU_REJECT:
        sequence(state, &pdu.reject.sn, true, twist >> 2);
        break;
    case PDU_LOGOUT_RESPONSE:
        pdu.logout_response.response = flags & 6;
        sequence(state, &pdu.logout_response.sn, true, twist >> 2);
        break;
    default:
        break;
    }
    if (pdu.opcode == PDU_LOGIN_RESPONSE && state->stage == 1 && choice < 0x80) {
        length = sizeof recovering; /* what hardly any input would say */
        memcpy(wire + PDU_BHS_LENGTH, recovering, length);
    } else {
        for (size_t i = 0; i < length; i++)
            wire[PDU_BHS_LENGTH + i] = (uint8_t)take(script, 1);
    }
    pdu.data_length = (uint32_t)length;
    pdu_encode(&pdu, wire);
    hear(state, wire, PDU_BHS_LENGTH + length + padding_of((uint32_t)length),
         flags & 0x20 ? 11 : sizeof wire);
}

static struct session_settings settings_of(uint8_t flags)
{
    static const uint8_t secret[] = "secretsecret1", target_secret[] = "targetsecret";
    struct session_settings settings = {
        .initiator_name = "iqn.2026-11.test:i",
        .target_name = "iqn.2026-11.test:t",
        .isid = {0x40},
        .offers = {.header_digest = "None,CRC32C",
                   .data_digest = "None,CRC32C",
                   .max_recv_data_segment_length = 4096,
                   .max_connections = 1,
                   .max_burst_length = 262144,
                   .first_burst_length = 65536,
                   .immediate_data = true,
                   .initial_r2t = false,
                   .default_time2retain = 20,
                   .max_outstanding_r2t = 2,
                   .error_recovery_level = 2,
                   .data_pdu_in_order = true,
                   .data_sequence_in_order = true},
        .timeouts = {.login = 1000,
                     .command = 1000,
                     .logout = 1000,
                     .abort = flags & 0x40 ? 500 : 0,
                     .reset = 500,
                     .idle = 400},
        .keep_tasks = flags & 0x80,
    };

    settings.auth = (enum session_auth)((flags >> 1) % 3);
    settings.discovery = flags & 8;
    if (settings.discovery)
        settings.target_name = NULL;
    settings.chap = (struct chap_credentials){.name = "user",
                                              .secret = secret,
                                              .secret_length = sizeof secret - 1,
                                              .peer_secret = target_secret,
                                              .peer_secret_length = sizeof target_secret - 1};
    return settings;
}

/* The owner of a session that keeps tasks makes another connection, once. */
static void reconnect(struct state *state)
{
    if (!state->closed || state->reconnected || session_kept(state->session) == 0)
        return;
    state->reconnected = true;
    state->closed = false;
    session_tick(state->session, 100);
    state->connection = connection_new(state->session, 1 + (state->opcode & 1), state);
    connection_start(state->connection, 3000);
    if (!state->closed)
        listen(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct state state;
    struct reader script = {data, size};
    uint8_t flags = (uint8_t)take(&script, 1);
    struct session_settings settings = settings_of(flags);

    memset(&state, 0, sizeof state);
    state.session = session_new(&settings, &crypto, &callbacks, &state);
    state.connection = connection_new(state.session, 1, &state);
    connection_start(state.connection, 0);
    listen(&state);
    if (flags & 1)
        hear(&state, script.data, script.left, 1 + (flags >> 4));
    else
        while (script.left > 0 && !state.closed) {
            say(&state, &script);
            if (script.left > 0 && *script.data == 0xee)
                connection_lost(state.connection, STATUS_CONNECTION_RESET);
            reconnect(&state);
        }
    if (flags & 0x10)
        session_cancel(state.session, &state.tasks[1]);
    for (uint64_t now = 200; now < 4000; now += 300)
        if (state.closed)
            session_tick(state.session, now);
        else
            connection_tick(state.connection, now);
    if (flags & 0x20)
        connection_logout(state.connection, LOGOUT_CLOSE_SESSION, 4000);
    connection_tick(state.connection, 6000);
    session_free(state.session);
    for (int i = 0; i < TASKS; i++)
        if (state.ended[i] > 1 || (state.tasks[i].session && state.ended[i] != 1))
            abort();
    if (state.exchanges_begun != state.exchanges_ended ||
        state.managements_begun != state.managements_ended)
        abort();
    return 0;
}
