/* Task management, late tasks, signs of life. */
#include "initiator/internal.h"
#include "initiator_peer.h"

#define TASKS 8

struct reading {
    struct task task;
    struct iov piece;
    uint8_t data[64];
    unsigned ended;
    unsigned order; /* of the ends */
};

struct fixture {
    struct peer peer;
    struct session_settings settings;
    struct reading readings[TASKS]; /* outlive the session */
    struct management management;
    unsigned managed;
    unsigned ends;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    fixture->settings = peer_settings;
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    session_free(fixture->peer.session);
    free(fixture);
    return 0;
}

static void start(struct fixture *fixture)
{
    session_free(fixture->peer.session);
    peer_start(&fixture->peer, &fixture->settings);
    peer_log_in(&fixture->peer);
}

static struct fixture *fixture_of(struct reading *reading)
{
    return reading->task.context;
}

static void reading_done(struct task *task)
{
    struct reading *reading = LIST_OWNER(task, struct reading, task);

    reading->ended++;
    reading->order = ++fixture_of(reading)->ends;
}

static struct reading *read_on(struct fixture *fixture, size_t i, uint64_t lun, uint32_t timeout)
{
    struct reading *reading = &fixture->readings[i];

    memset(reading, 0, sizeof *reading);
    reading->piece = (struct iov){reading->data, 8};
    reading->task.lun = lun;
    reading->task.data_in = &reading->piece;
    reading->task.data_in_count = 1;
    reading->task.data_in_length = 8;
    reading->task.timeout = timeout;
    reading->task.done = reading_done;
    reading->task.context = fixture;
    scsi_inquiry(&reading->task.cdb, 0, 0, 8);
    session_submit(fixture->peer.session, &reading->task, fixture->peer.now);
    return reading;
}

static struct reading *read_some(struct fixture *fixture, size_t i)
{
    return read_on(fixture, i, 0, 0);
}

static void answer(struct fixture *fixture, uint32_t itt)
{
    struct pdu pdu = {.opcode = PDU_SCSI_RESPONSE, .final = true, .itt = itt};

    pdu.scsi_response.sn = peer_sn(&fixture->peer, true);
    peer_say(&fixture->peer, &pdu, NULL, 0);
}

static void managed(struct management *management)
{
    struct fixture *fixture = management->context;

    fixture->managed++;
}

static enum status manage(struct fixture *fixture, enum task_function function, uint64_t lun,
                          struct task *task)
{
    fixture->managed = 0;
    fixture->management = (struct management){.function = (uint8_t)function,
                                              .lun = lun,
                                              .task = task,
                                              .done = managed,
                                              .context = fixture};
    return session_manage(fixture->peer.session, &fixture->management, fixture->peer.now);
}

static const struct pdu *take_request(struct fixture *fixture, enum task_function function)
{
    const struct pdu *pdu = peer_take(&fixture->peer, PDU_TASK_REQUEST);

    assert_true(pdu->immediate);
    assert_int_equal(pdu->task_request.function, function);
    return pdu;
}

/* To the request just taken. */
static void respond(struct fixture *fixture, enum task_response response)
{
    struct pdu pdu = {
        .opcode = PDU_TASK_RESPONSE, .final = true, .itt = fixture->peer.framer.pdu.itt};

    pdu.task_response.response = (uint8_t)response;
    pdu.task_response.sn = peer_sn(&fixture->peer, true);
    peer_say(&fixture->peer, &pdu, NULL, 0);
}

static void tick(struct fixture *fixture, uint64_t after)
{
    fixture->peer.now += after;
    connection_tick(fixture->peer.connection, fixture->peer.now);
}

/* --- one task --- */

static void an_abort_names_its_task_and_ends_it(void **state)
{
    struct fixture *fixture = *state;

    for (int response = TASK_RESPONSE_COMPLETE; response <= TASK_RESPONSE_NO_TASK; response++) {
        struct reading *reading, *other;
        const struct pdu *pdu;
        uint32_t itt;

        start(fixture);
        reading = read_on(fixture, 0, 0x0003000000000000, 0);
        other = read_some(fixture, 1);
        itt = peer_take(&fixture->peer, PDU_SCSI_COMMAND)->itt;
        peer_take(&fixture->peer, PDU_SCSI_COMMAND);
        assert_int_equal(manage(fixture, TASK_ABORT_TASK, 0, &reading->task), STATUS_OK);
        pdu = take_request(fixture, TASK_ABORT_TASK);
        assert_int_equal(pdu->task_request.referenced_itt, itt);
        assert_int_equal(pdu->task_request.ref_cmd_sn, 1);
        assert_int_equal(pdu->task_request.cmd_sn, 3);
        assert_true(pdu->lun == 0x0003000000000000);
        assert_int_equal(reading->ended, 0);
        respond(fixture, (enum task_response)response);
        assert_int_equal(fixture->managed, 1);
        assert_int_equal(fixture->management.status, STATUS_OK);
        assert_int_equal(fixture->management.response, response);
        assert_int_equal(reading->ended, 1);
        assert_int_equal(reading->task.status, STATUS_CANCELLED);
        assert_int_equal(other->ended, 0);
        answer(fixture, itt); /* nothing may come any more */
        assert_true(fixture->peer.closed);
    }
}

static void the_answer_that_comes_first_counts(void **state)
{
    struct fixture *fixture = *state;
    struct reading *reading;

    start(fixture);
    reading = read_some(fixture, 0);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    manage(fixture, TASK_ABORT_TASK, 0, &reading->task);
    answer(fixture, reading->task.itt);
    assert_int_equal(reading->task.status, STATUS_OK);
    take_request(fixture, TASK_ABORT_TASK);
    respond(fixture, TASK_RESPONSE_NO_TASK);
    assert_int_equal(fixture->managed, 1);
    assert_int_equal(reading->ended, 1);
    assert_false(fixture->peer.closed);
}

static void a_refused_abort_leaves_the_task(void **state)
{
    struct fixture *fixture = *state;
    struct reading *reading;

    start(fixture);
    reading = read_some(fixture, 0);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    manage(fixture, TASK_ABORT_TASK, 0, &reading->task);
    take_request(fixture, TASK_ABORT_TASK);
    respond(fixture, TASK_RESPONSE_NOT_SUPPORTED);
    assert_int_equal(fixture->management.response, TASK_RESPONSE_NOT_SUPPORTED);
    assert_int_equal(reading->ended, 0);
    answer(fixture, reading->task.itt);
    assert_int_equal(reading->task.status, STATUS_OK);
}

static void what_cannot_be_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct reading *reading;

    start(fixture);
    assert_int_equal(manage(fixture, TASK_ABORT_TASK, 0, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(manage(fixture, TASK_REASSIGN, 0, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(manage(fixture, (enum task_function)0, 0, NULL), STATUS_INVALID_PARAMETER);
    fixture->peer.max_cmd_sn = 0;
    start(fixture);
    fixture->peer.session->max_cmd_sn = 0; /* the window is closed: it waits */
    reading = read_some(fixture, 0);
    assert_int_equal(manage(fixture, TASK_ABORT_TASK, 0, &reading->task), STATUS_INVALID_PARAMETER);
    connection_lost(fixture->peer.connection, STATUS_CONNECTION_RESET);
    assert_int_equal(manage(fixture, TASK_LUN_RESET, 0, NULL), STATUS_NO_CONNECTION);
}

static void a_cancelled_task_is_aborted_behind_its_back(void **state)
{
    struct fixture *fixture = *state;
    uint32_t itt;

    start(fixture);
    read_some(fixture, 0);
    itt = peer_take(&fixture->peer, PDU_SCSI_COMMAND)->itt;
    session_cancel(fixture->peer.session, &fixture->readings[0].task);
    assert_int_equal(fixture->readings[0].ended, 1);
    assert_int_equal(take_request(fixture, TASK_ABORT_TASK)->task_request.referenced_itt, itt);
    assert_non_null(tag_find(&fixture->peer.session->tags, itt));
    respond(fixture, TASK_RESPONSE_COMPLETE);
    assert_null(tag_find(&fixture->peer.session->tags, itt));
    assert_false(fixture->peer.closed);
}

/* --- many tasks --- */

static void a_reset_ends_the_units_tasks_and_holds_new_ones(void **state)
{
    struct fixture *fixture = *state;
    struct reading *on_unit, *elsewhere, *held, *passing;
    uint64_t unit = 0x0001000000000000;
    struct pdu request;

    start(fixture);
    on_unit = read_on(fixture, 0, unit, 0);
    elsewhere = read_some(fixture, 1);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    assert_int_equal(manage(fixture, TASK_LUN_RESET, unit, NULL), STATUS_OK);
    request = *take_request(fixture, TASK_LUN_RESET);
    assert_true(request.lun == unit);
    assert_int_equal(request.task_request.referenced_itt, PDU_RESERVED_TAG);
    held = read_on(fixture, 2, unit, 0);
    assert_true(peer_silent(&fixture->peer));
    passing = read_some(fixture, 3);
    assert_int_equal(peer_take(&fixture->peer, PDU_SCSI_COMMAND)->itt, passing->task.itt);
    fixture->peer.framer.pdu.itt = request.itt;
    respond(fixture, TASK_RESPONSE_COMPLETE);
    assert_int_equal(on_unit->task.status, STATUS_SCSI_STATUS);
    assert_int_equal(on_unit->task.scsi_status, SCSI_TASK_ABORTED);
    assert_int_equal(elsewhere->ended + passing->ended + held->ended, 0);
    assert_int_equal(fixture->managed, 1);
    assert_int_equal(peer_take(&fixture->peer, PDU_SCSI_COMMAND)->itt, held->task.itt);
    answer(fixture, held->task.itt);
    assert_int_equal(held->task.status, STATUS_OK);
}

static void every_function_ends_what_it_covers(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        enum task_function function;
        unsigned ends[2]; /* on the unit, on another */
    } rows[] = {
        {TASK_ABORT_TASK_SET, {1, 0}},    {TASK_CLEAR_TASK_SET, {1, 0}},
        {TASK_LUN_RESET, {1, 0}},         {TASK_TARGET_WARM_RESET, {1, 1}},
        {TASK_TARGET_COLD_RESET, {1, 1}}, {TASK_CLEAR_ACA, {0, 0}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start(fixture);
        read_on(fixture, 0, 0, 0);
        read_on(fixture, 1, 0x0001000000000000, 0);
        peer_take(&fixture->peer, PDU_SCSI_COMMAND);
        peer_take(&fixture->peer, PDU_SCSI_COMMAND);
        assert_int_equal(manage(fixture, rows[i].function, 0, NULL), STATUS_OK);
        take_request(fixture, rows[i].function);
        respond(fixture, TASK_RESPONSE_COMPLETE);
        assert_int_equal(fixture->readings[0].ended, rows[i].ends[0]);
        assert_int_equal(fixture->readings[1].ended, rows[i].ends[1]);
        /* Refused, it ends nothing. */
        start(fixture);
        read_on(fixture, 0, 0, 0);
        peer_take(&fixture->peer, PDU_SCSI_COMMAND);
        manage(fixture, rows[i].function, 0, NULL);
        take_request(fixture, rows[i].function);
        respond(fixture, TASK_RESPONSE_AUTHORIZATION);
        assert_int_equal(fixture->managed, 1);
        assert_int_equal(fixture->readings[0].ended, 0);
    }
}

/* --- no answer --- */

static void a_function_has_its_time(void **state)
{
    struct fixture *fixture = *state;

    start(fixture);
    manage(fixture, TASK_LUN_RESET, 0, NULL);
    take_request(fixture, TASK_LUN_RESET);
    tick(fixture, 1999);
    assert_int_equal(fixture->managed, 0);
    tick(fixture, 1);
    assert_int_equal(fixture->managed, 1);
    assert_int_equal(fixture->management.status, STATUS_COMMAND_TIMEOUT);
    respond(fixture, TASK_RESPONSE_COMPLETE); /* late: no harm, but once only */
    assert_false(fixture->peer.closed);
    respond(fixture, TASK_RESPONSE_COMPLETE);
    assert_true(fixture->peer.closed);
    assert_int_equal(fixture->managed, 1);
}

static void a_function_ends_with_its_connection_or_when_cancelled(void **state)
{
    struct fixture *fixture = *state;

    start(fixture);
    manage(fixture, TASK_LUN_RESET, 0, NULL);
    connection_lost(fixture->peer.connection, STATUS_CONNECTION_RESET);
    assert_int_equal(fixture->managed, 1);
    assert_int_equal(fixture->management.status, STATUS_CONNECTION_RESET);

    start(fixture);
    manage(fixture, TASK_LUN_RESET, 0, NULL);
    take_request(fixture, TASK_LUN_RESET);
    session_manage_cancel(fixture->peer.session, &fixture->management);
    assert_int_equal(fixture->management.status, STATUS_CANCELLED);
    respond(fixture, TASK_RESPONSE_COMPLETE);
    assert_int_equal(fixture->managed, 1);
    assert_false(fixture->peer.closed);
}

static void a_rejected_function_ends(void **state)
{
    struct fixture *fixture = *state;
    struct pdu pdu = {.opcode = PDU_REJECT, .final = true, .itt = PDU_RESERVED_TAG};
    uint8_t header[PDU_BHS_LENGTH];

    start(fixture);
    manage(fixture, TASK_LUN_RESET, 0, NULL);
    pdu_encode(take_request(fixture, TASK_LUN_RESET), header);
    pdu.reject.reason = REJECT_NOT_SUPPORTED;
    pdu.reject.sn = peer_sn(&fixture->peer, true);
    peer_say(&fixture->peer, &pdu, header, sizeof header);
    assert_int_equal(fixture->managed, 1);
    assert_int_equal(fixture->management.status, STATUS_REJECTED);
}

static void strangers_answers_end_the_connection(void **state)
{
    struct fixture *fixture = *state;

    start(fixture);
    fixture->peer.framer.pdu.itt = 0x00770003;
    respond(fixture, TASK_RESPONSE_COMPLETE);
    assert_true(fixture->peer.closed);

    start(fixture); /* a task's own tag */
    read_some(fixture, 0);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    respond(fixture, TASK_RESPONSE_COMPLETE);
    assert_true(fixture->peer.closed);
    assert_int_equal(fixture->readings[0].task.status, STATUS_PROTOCOL_ERROR);
}

/* --- late tasks --- */

static void rescue(struct fixture *fixture)
{
    fixture->settings.timeouts.abort = 300;
    fixture->settings.timeouts.reset = 400;
    start(fixture);
    read_on(fixture, 0, 0, 1000);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
}

static void a_late_task_ends_when_it_is_aborted(void **state)
{
    struct fixture *fixture = *state;

    rescue(fixture);
    tick(fixture, 1000);
    assert_int_equal(fixture->readings[0].ended, 0);
    take_request(fixture, TASK_ABORT_TASK);
    respond(fixture, TASK_RESPONSE_COMPLETE);
    assert_int_equal(fixture->readings[0].ended, 1);
    assert_int_equal(fixture->readings[0].task.status, STATUS_COMMAND_TIMEOUT);
    assert_false(fixture->peer.closed);
}

static void a_late_task_may_still_succeed(void **state)
{
    struct fixture *fixture = *state;

    rescue(fixture);
    tick(fixture, 1000);
    take_request(fixture, TASK_ABORT_TASK);
    answer(fixture, fixture->readings[0].task.itt);
    assert_int_equal(fixture->readings[0].task.status, STATUS_OK);
    respond(fixture, TASK_RESPONSE_NO_TASK);
    tick(fixture, 5000);
    assert_int_equal(fixture->readings[0].ended, 1);
    assert_false(fixture->peer.closed);
}

static void an_abort_without_effect_leads_to_a_reset(void **state)
{
    struct fixture *fixture = *state;

    for (int refused = 0; refused < 2; refused++) {
        rescue(fixture);
        read_on(fixture, 1, 0, 100000);
        read_on(fixture, 2, 0x0001000000000000, 100000);
        peer_take(&fixture->peer, PDU_SCSI_COMMAND);
        peer_take(&fixture->peer, PDU_SCSI_COMMAND);
        tick(fixture, 1000);
        take_request(fixture, TASK_ABORT_TASK);
        if (refused)
            respond(fixture, TASK_RESPONSE_REJECTED);
        else
            tick(fixture, 300);
        take_request(fixture, TASK_LUN_RESET);
        respond(fixture, TASK_RESPONSE_COMPLETE);
        assert_int_equal(fixture->readings[0].task.status, STATUS_COMMAND_TIMEOUT);
        assert_int_equal(fixture->readings[1].task.status, STATUS_SCSI_STATUS);
        assert_int_equal(fixture->readings[1].task.scsi_status, SCSI_TASK_ABORTED);
        assert_int_equal(fixture->readings[2].ended, 0);
        assert_false(fixture->peer.closed);
    }
}

static void two_late_tasks_share_a_reset(void **state)
{
    struct fixture *fixture = *state;

    rescue(fixture);
    read_on(fixture, 1, 0, 1000);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    tick(fixture, 1000);
    take_request(fixture, TASK_ABORT_TASK);
    take_request(fixture, TASK_ABORT_TASK);
    tick(fixture, 300);
    take_request(fixture, TASK_LUN_RESET);
    assert_true(peer_silent(&fixture->peer));
    respond(fixture, TASK_RESPONSE_COMPLETE);
    assert_int_equal(fixture->readings[0].task.status, STATUS_COMMAND_TIMEOUT);
    assert_int_equal(fixture->readings[1].task.status, STATUS_COMMAND_TIMEOUT);
}

static void a_reset_without_effect_ends_the_session(void **state)
{
    struct fixture *fixture = *state;

    for (int refused = 0; refused < 2; refused++) {
        rescue(fixture);
        tick(fixture, 1000);
        take_request(fixture, TASK_ABORT_TASK);
        tick(fixture, 300);
        take_request(fixture, TASK_LUN_RESET);
        assert_false(fixture->peer.closed);
        if (refused)
            respond(fixture, TASK_RESPONSE_NOT_SUPPORTED);
        else
            tick(fixture, 400);
        assert_true(fixture->peer.closed);
        assert_int_equal(fixture->peer.status, STATUS_COMMAND_TIMEOUT);
        assert_int_equal(fixture->readings[0].ended, 1);
        assert_int_equal(fixture->readings[0].task.status, STATUS_COMMAND_TIMEOUT);
    }
}

static void a_late_task_that_waits_is_simply_over(void **state)
{
    struct fixture *fixture = *state;

    fixture->settings.timeouts.abort = 300;
    start(fixture);
    fixture->peer.session->max_cmd_sn = 0;
    read_on(fixture, 0, 0, 1000);
    tick(fixture, 1000);
    assert_int_equal(fixture->readings[0].task.status, STATUS_COMMAND_TIMEOUT);
    assert_false(fixture->readings[0].task.sent);
    assert_true(peer_silent(&fixture->peer));
    assert_int_equal(fixture->peer.session->cmd_sn, 1);
}

static void tasks_end_in_the_order_of_their_times(void **state)
{
    struct fixture *fixture = *state;
    static const uint32_t times[TASKS] = {500, 100, 900, 300, 300, 800, 50, 700};

    start(fixture);
    for (size_t i = 0; i < TASKS; i++)
        read_on(fixture, i, 0, times[i]);
    assert_int_equal(connection_due(fixture->peer.connection), fixture->peer.now + 50);
    tick(fixture, 310);
    for (size_t i = 0; i < TASKS; i++)
        assert_int_equal(fixture->readings[i].ended, times[i] <= 310);
    assert_int_equal(connection_due(fixture->peer.connection), fixture->peer.now + 190);
    tick(fixture, 1000);
    for (size_t i = 0; i < TASKS; i++)
        for (size_t j = 0; j < TASKS; j++)
            if (times[i] < times[j] || (times[i] == times[j] && i < j))
                assert_true(fixture->readings[i].order < fixture->readings[j].order);
}

/* --- signs of life --- */

static void a_silent_target_is_asked_and_then_dropped(void **state)
{
    struct fixture *fixture = *state;

    fixture->settings.timeouts.idle = 1000;
    fixture->settings.timeouts.ping = 300;
    start(fixture);
    assert_int_equal(connection_due(fixture->peer.connection), fixture->peer.now + 1000);
    tick(fixture, 1000);
    peer_take(&fixture->peer, PDU_NOP_OUT);
    assert_true(fixture->peer.framer.pdu.immediate);
    assert_int_not_equal(fixture->peer.framer.pdu.itt, PDU_RESERVED_TAG);
    assert_int_equal(fixture->peer.framer.pdu.nop_out.ttt, PDU_RESERVED_TAG);
    tick(fixture, 299);
    assert_false(fixture->peer.closed);
    tick(fixture, 1);
    assert_true(fixture->peer.closed);
    assert_int_equal(fixture->peer.status, STATUS_TRANSPORT_ERROR);
}

static void whatever_comes_is_a_sign_of_life(void **state)
{
    struct fixture *fixture = *state;
    struct pdu pdu = {.opcode = PDU_NOP_IN, .final = true};

    fixture->settings.timeouts.idle = 1000;
    fixture->settings.timeouts.ping = 300;
    fixture->settings.timeouts.command = 100000;
    start(fixture);
    read_some(fixture, 0);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    tick(fixture, 900);
    answer(fixture, fixture->readings[0].task.itt);
    tick(fixture, 100);
    assert_true(peer_silent(&fixture->peer));
    tick(fixture, 900);
    pdu.itt = peer_take(&fixture->peer, PDU_NOP_OUT)->itt;
    pdu.nop_in.ttt = PDU_RESERVED_TAG;
    pdu.nop_in.sn = peer_sn(&fixture->peer, true);
    fixture->peer.now += 299;
    peer_say(&fixture->peer, &pdu, NULL, 0);
    tick(fixture, 1);
    assert_false(fixture->peer.closed);
    assert_true(peer_silent(&fixture->peer));
    tick(fixture, 999); /* a thousand after the pong */
    pdu.itt = peer_take(&fixture->peer, PDU_NOP_OUT)->itt;
    answer(fixture, pdu.itt); /* not what answers a NOP-Out, but a copy of nothing either */
    assert_false(fixture->peer.closed);
}

static void say_pong(struct fixture *fixture, uint32_t itt)
{
    struct pdu pdu = {.opcode = PDU_NOP_IN, .final = true, .itt = itt};

    pdu.nop_in.ttt = PDU_RESERVED_TAG;
    pdu.nop_in.sn = peer_sn(&fixture->peer, true);
    peer_say(&fixture->peer, &pdu, NULL, 0);
}

static void wait_for_ping(struct fixture *fixture)
{
    tick(fixture, (uint32_t)(connection_due(fixture->peer.connection) - fixture->peer.now));
}

/* Also when it has as long for that as the silence lasted, and takes no time over it. */
static void a_target_that_answers_each_ping_is_kept(void **state)
{
    struct fixture *fixture = *state;

    fixture->settings.timeouts.idle = 1000;
    fixture->settings.timeouts.ping = 1000;
    start(fixture);
    for (unsigned i = 0; i < 5; i++) {
        wait_for_ping(fixture);
        assert_false(fixture->peer.closed);
        say_pong(fixture, peer_take(&fixture->peer, PDU_NOP_OUT)->itt);
    }
    wait_for_ping(fixture);
    peer_take(&fixture->peer, PDU_NOP_OUT);
    tick(fixture, 1000);
    assert_true(fixture->peer.closed);
}

/* --- tags --- */

static void tags_wrap_without_a_mistake(void **state)
{
    struct tag_table table = {0};
    uint32_t old[3] = {0};
    int object;

    (void)state;
    for (uint32_t i = 0; i < 300000; i++) {
        uint32_t itt = tag_take(&table, SLOT_TASK, &object, NULL);

        assert_int_not_equal(itt, PDU_RESERVED_TAG);
        assert_non_null(tag_find(&table, itt));
        for (size_t j = 0; j < 3 && i >= 3; j++)
            assert_true(old[j] != itt && tag_find(&table, old[j]) == NULL);
        tag_release(&table, itt);
        old[i % 3] = itt;
    }
    tag_table_clear(&table);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_abort_names_its_task_and_ends_it),
        TEST(the_answer_that_comes_first_counts),
        TEST(a_refused_abort_leaves_the_task),
        TEST(what_cannot_be_is_refused),
        TEST(a_cancelled_task_is_aborted_behind_its_back),
        TEST(a_reset_ends_the_units_tasks_and_holds_new_ones),
        TEST(every_function_ends_what_it_covers),
        TEST(a_function_has_its_time),
        TEST(a_function_ends_with_its_connection_or_when_cancelled),
        TEST(a_rejected_function_ends),
        TEST(strangers_answers_end_the_connection),
        TEST(a_late_task_ends_when_it_is_aborted),
        TEST(a_late_task_may_still_succeed),
        TEST(an_abort_without_effect_leads_to_a_reset),
        TEST(two_late_tasks_share_a_reset),
        TEST(a_reset_without_effect_ends_the_session),
        TEST(a_late_task_that_waits_is_simply_over),
        TEST(tasks_end_in_the_order_of_their_times),
        TEST(a_silent_target_is_asked_and_then_dropped),
        TEST(whatever_comes_is_a_sign_of_life),
        TEST(a_target_that_answers_each_ping_is_kept),
        cmocka_unit_test(tags_wrap_without_a_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
