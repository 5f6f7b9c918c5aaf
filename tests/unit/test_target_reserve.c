/* Reservations, old and persistent, between two initiator ports (SPC-2, SPC-4, 5.13). */
#include "target_reserving.h"

/* --- RESERVE and RELEASE --- */

static void reserved(void **state)
{
    (void)state;
    command(one, SCSI_RESERVE_6, 0, 0);
    client_expect_scsi(one, SCSI_GOOD);
    command(one, SCSI_RESERVE_6, 0, 0); /* again */
    client_expect_scsi(one, SCSI_GOOD);
    command(two, SCSI_RESERVE_6, 0, 0);
    client_expect_scsi(two, SCSI_RESERVATION_CONFLICT);
    expect_read(two, SCSI_RESERVATION_CONFLICT);
    expect_write(two, SCSI_RESERVATION_CONFLICT);
    reserve_out(two, REGISTER, 0, 0, 1, SCSI_RESERVATION_CONFLICT);
    expect_write(one, SCSI_GOOD);
    command(two, SCSI_RELEASE_6, 0, 0); /* which is not theirs */
    client_expect_scsi(two, SCSI_GOOD);
    expect_read(two, SCSI_RESERVATION_CONFLICT);
    command(one, SCSI_RELEASE_6, 0, 0);
    client_expect_scsi(one, SCSI_GOOD);
    expect_write(two, SCSI_GOOD);
    command(one, SCSI_RESERVE_6, 1, 0); /* extents */
    client_expect_sense(one, SCSI_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_CDB);
}

static void session_takes_its_reservation_along(void **state)
{
    (void)state;
    command(one, SCSI_RESERVE_6, 0, 0);
    client_expect_scsi(one, SCSI_GOOD);
    expect_read(two, SCSI_RESERVATION_CONFLICT);
    client_close(one);
    expect_read(two, SCSI_GOOD);
}

static void reset_releases(void **state)
{
    (void)state;
    command(one, SCSI_RESERVE_6, 0, 0);
    client_expect_scsi(one, SCSI_GOOD);
    two->acknowledge = true;
    calm(one);
    expect_read(two, SCSI_RESERVATION_CONFLICT);
    client_manage(two, TASK_LUN_RESET, PDU_RESERVED_TAG, 0);
    client_expect_managed(two, TASK_RESPONSE_COMPLETE);
    attention(two, SCSI_ASC(0x29, 0x03));
    expect_read(two, SCSI_GOOD);
}

/* --- persistent --- */

static void registered(void **state)
{
    (void)state;
    reserve_out(one, REGISTER, 0, 5, 1, SCSI_RESERVATION_CONFLICT); /* there is no key to match */
    reserve_out(one, REGISTER, 0, 0, 0xabc, SCSI_GOOD);
    reserve_out(two, REGISTER_IGNORE, 0, 99, 0xdef, SCSI_GOOD);
    assert_int_equal(reserve_in(two, 0), 24);
    assert_int_equal(get_be32(two->data), 2); /* the generation */
    assert_int_equal(get_be64(two->data + 8), 0xabc);
    assert_int_equal(get_be64(two->data + 16), 0xdef);
    reserve_out(one, REGISTER, 0, 0xabc, 0x111, SCSI_GOOD); /* another key */
    reserve_out(two, REGISTER, 0, 0xdef, 0, SCSI_GOOD);     /* no longer */
    assert_int_equal(reserve_in(two, 0), 16);
    assert_int_equal(get_be64(two->data + 8), 0x111);
    command(two, SCSI_RESERVE_6, 0, 0); /* not beside registrations */
    client_expect_scsi(two, SCSI_RESERVATION_CONFLICT);
    assert_int_equal(reserve_in(one, 2), 8);
    assert_int_equal(get_be16(one->data + 4), 0xea01);
}

/* Who may read and write: a holder, a registrant, a stranger. */
static void types(void **state)
{
    static const struct {
        uint8_t type;
        bool registrant_reads, registrant_writes, stranger_reads;
    } cases[] = {{WE, true, false, true},    {EA, false, false, false}, {WE_RO, true, true, true},
                 {EA_RO, true, true, false}, {WE_AR, true, true, true}, {EA_AR, true, true, false}};
    struct fixture *fixture = *state;
    struct client stranger;

    client_open(&stranger, fixture->entity, 1);
    stranger.isid[5] = 3;
    client_login(&stranger, NORMAL);
    reserve_out(one, REGISTER, 0, 0, 1, SCSI_GOOD);
    reserve_out(two, REGISTER, 0, 0, 2, SCSI_GOOD);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool all = cases[i].type >= WE_AR;

        reserve_out(one, RESERVE, cases[i].type, 1, 0, SCSI_GOOD);
        reserve_out(one, RESERVE, cases[i].type, 1, 0, SCSI_GOOD);
        reserve_out(one, RESERVE, cases[i].type == WE ? EA : WE, 1, 0, SCSI_RESERVATION_CONFLICT);
        reserve_out(two, RESERVE, cases[i].type, 2, 0, all ? SCSI_GOOD : SCSI_RESERVATION_CONFLICT);
        expect_reservation(all ? 0 : 1, cases[i].type);
        expect_read(one, SCSI_GOOD);
        expect_write(one, SCSI_GOOD);
        expect_read(two, cases[i].registrant_reads ? SCSI_GOOD : SCSI_RESERVATION_CONFLICT);
        expect_write(two, cases[i].registrant_writes ? SCSI_GOOD : SCSI_RESERVATION_CONFLICT);
        expect_read(&stranger, cases[i].stranger_reads ? SCSI_GOOD : SCSI_RESERVATION_CONFLICT);
        expect_write(&stranger, SCSI_RESERVATION_CONFLICT);
        calm(&stranger); /* TEST UNIT READY is always allowed */
        reserve_out(one, RELEASE, cases[i].type, 1, 0, SCSI_GOOD);
        if (cases[i].type >= WE_RO)
            attention(two, SCSI_ASC(0x2a, 0x04));
        calm(two);
        expect_reservation(0, 0);
    }
    client_close(&stranger);
}

static void wrong_release(void **state)
{
    (void)state;
    reserve_out(one, REGISTER, 0, 0, 1, SCSI_GOOD);
    reserve_out(two, REGISTER, 0, 0, 2, SCSI_GOOD);
    reserve_out(one, RELEASE, WE, 1, 0, SCSI_GOOD); /* of nothing */
    reserve_out(one, RESERVE, WE, 1, 0, SCSI_GOOD);
    reserve_out(two, RELEASE, WE, 2, 0, SCSI_GOOD); /* not theirs: nothing happens */
    reserve_out(one, RELEASE, WE, 9, 0, SCSI_RESERVATION_CONFLICT);
    out_of(one, RELEASE, EA, 1, 0);
    client_expect_sense(one, SCSI_ILLEGAL_REQUEST, SCSI_ASC(0x26, 0x04));
    expect_reservation(1, WE);
}

/* The holder unregisters: the reservation is gone; with all registrants, when the last one does. */
static void unregistered(void **state)
{
    (void)state;
    reserve_out(one, REGISTER, 0, 0, 1, SCSI_GOOD);
    reserve_out(two, REGISTER, 0, 0, 2, SCSI_GOOD);
    reserve_out(one, RESERVE, WE_RO, 1, 0, SCSI_GOOD);
    reserve_out(one, REGISTER, 0, 1, 0, SCSI_GOOD);
    attention(two, SCSI_ASC(0x2a, 0x04));
    expect_reservation(0, 0);
    reserve_out(one, REGISTER, 0, 0, 1, SCSI_GOOD);
    reserve_out(one, RESERVE, EA_AR, 1, 0, SCSI_GOOD);
    reserve_out(one, REGISTER, 0, 1, 0, SCSI_GOOD);
    expect_read(one, SCSI_RESERVATION_CONFLICT);
    expect_read(two, SCSI_GOOD);
    reserve_out(two, REGISTER, 0, 2, 0, SCSI_GOOD);
    expect_read(one, SCSI_GOOD);
}

static void cleared(void **state)
{
    (void)state;
    reserve_out(one, REGISTER, 0, 0, 1, SCSI_GOOD);
    reserve_out(two, REGISTER, 0, 0, 2, SCSI_GOOD);
    reserve_out(one, RESERVE, EA, 1, 0, SCSI_GOOD);
    reserve_out(two, CLEAR, 0, 1, 0, SCSI_RESERVATION_CONFLICT); /* not their key */
    reserve_out(two, CLEAR, 0, 2, 0, SCSI_GOOD);
    attention(one, SCSI_ASC(0x2a, 0x03));
    assert_int_equal(reserve_in(one, 0), 8);
    expect_write(two, SCSI_GOOD);
}

static void preempted(void **state)
{
    (void)state;
    reserve_out(one, REGISTER, 0, 0, 1, SCSI_GOOD);
    reserve_out(two, REGISTER, 0, 0, 2, SCSI_GOOD);
    reserve_out(one, RESERVE, WE, 1, 0, SCSI_GOOD);
    reserve_out(two, PREEMPT, EA, 2, 77, SCSI_RESERVATION_CONFLICT); /* nobody's key */
    out_of(two, PREEMPT, EA, 2, 0);
    client_expect_sense(two, SCSI_ILLEGAL_REQUEST, SCSI_ASC_INVALID_PARAMETER);
    reserve_out(two, PREEMPT, EA, 2, 1, SCSI_GOOD);
    attention(one, SCSI_ASC(0x2a, 0x05));
    expect_reservation(2, EA);
    assert_int_equal(reserve_in(one, 0), 16);
    expect_read(one, SCSI_RESERVATION_CONFLICT);
    expect_write(two, SCSI_GOOD);
    /* A registration alone can be preempted too; the reservation stays. */
    reserve_out(one, REGISTER, 0, 0, 5, SCSI_GOOD);
    reserve_out(two, PREEMPT, EA, 2, 5, SCSI_GOOD);
    attention(one, SCSI_ASC(0x2a, 0x05));
    expect_reservation(2, EA);
}

static void preempted_and_aborted(void **state)
{
    struct fixture *fixture = *state;
    struct pdu r2t;

    client_close(one);
    client_open(one, fixture->entity, 1);
    client_login(one, NORMAL "InitialR2T=Yes\nImmediateData=No\n");
    {
        struct scsi_cdb cdb = {{SCSI_PERSISTENT_RESERVE_OUT, REGISTER, 0, 0, 0, 0, 0, 0, 24}, 10};
        uint8_t list[24] = {[15] = 1};
        struct pdu pdu = client_command(one, &cdb, 0, 24);

        client_send(one, &pdu, NULL, 0);
        client_receive(one, PDU_R2T);
        r2t = one->pdu;
        client_answer_r2t(one, &r2t, list, 24);
        client_expect_scsi(one, SCSI_GOOD);
    }
    reserve_out(two, REGISTER, 0, 0, 2, SCSI_GOOD);
    client_write_command(one, 0, 1);
    client_receive(one, PDU_R2T);
    r2t = one->pdu;
    reserve_out(two, PREEMPT_AND_ABORT, WE, 2, 1, SCSI_GOOD);
    client_answer_r2t(one, &r2t, fixture->expected, 512);
    client_expect_silence(one);
    attention(one, SCSI_ASC(0x2a, 0x05));
}

static void all_registrants_preempted(void **state)
{
    (void)state;
    reserve_out(one, REGISTER, 0, 0, 1, SCSI_GOOD);
    reserve_out(two, REGISTER, 0, 0, 2, SCSI_GOOD);
    reserve_out(one, RESERVE, WE_AR, 1, 0, SCSI_GOOD);
    reserve_out(two, PREEMPT, WE, 2, 0, SCSI_GOOD);
    attention(one, SCSI_ASC(0x2a, 0x05));
    expect_reservation(2, WE);
    expect_write(one, SCSI_RESERVATION_CONFLICT);
}

/* A registration outlives its session. */
static void kept_over_a_session(void **state)
{
    struct fixture *fixture = *state;

    reserve_out(one, REGISTER, 0, 0, 1, SCSI_GOOD);
    reserve_out(one, RESERVE, EA, 1, 0, SCSI_GOOD);
    client_close(one);
    expect_read(two, SCSI_RESERVATION_CONFLICT);
    client_open(one, fixture->entity, 1);
    client_login(one, NORMAL);
    expect_read(one, SCSI_GOOD);
    reserve_out(one, RELEASE, EA, 1, 0, SCSI_GOOD);
    expect_read(two, SCSI_GOOD);
}

static void full_status(void **state)
{
    uint32_t length;

    (void)state;
    reserve_out(one, REGISTER, 0, 0, 1, SCSI_GOOD);
    reserve_out(two, REGISTER, 0, 0, 2, SCSI_GOOD);
    reserve_out(one, RESERVE, WE, 1, 0, SCSI_GOOD);
    length = reserve_in(one, 3);
    assert_int_equal(get_be32(one->data + 4), length - 8);
    assert_int_equal(get_be64(one->data + 8), 1);
    assert_int_equal(one->data[8 + 12], 1); /* the holder */
    assert_int_equal(one->data[8 + 13], WE);
    assert_int_equal(one->data[8 + 24], 0x45);
    assert_string_equal((const char *)one->data + 8 + 28, INITIATOR ",i,0x400000000000");
}

static void wrong_lists(void **state)
{
    struct scsi_cdb cdb = {{SCSI_PERSISTENT_RESERVE_OUT, REGISTER, 0, 0, 0, 0, 0, 0, 20}, 10};
    uint8_t list[24] = {0};
    struct pdu pdu;

    (void)state;
    pdu = client_command(one, &cdb, 0, 20);
    client_send(one, &pdu, list, 20);
    client_expect_sense(one, SCSI_ILLEGAL_REQUEST, SCSI_ASC_PARAMETER_LENGTH);
    cdb.bytes[8] = 24;
    list[20] = 1; /* APTPL */
    pdu = client_command(one, &cdb, 0, 24);
    client_send(one, &pdu, list, 24);
    client_expect_sense(one, SCSI_ILLEGAL_REQUEST, SCSI_ASC_INVALID_PARAMETER);
    reserve_out(one, REGISTER, 0, 0, 1, SCSI_GOOD);
    out_of(one, RESERVE, 2, 1, 0); /* no such type */
    client_expect_sense(one, SCSI_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_CDB);
    out_of(one, RESERVE, 0x21, 1, 0); /* no such scope */
    client_expect_sense(one, SCSI_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_CDB);
    out_of(one, 8, WE, 1, 0); /* REPLACE LOST RESERVATION is not had */
    client_expect_sense(one, SCSI_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_CDB);
}

#define R(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        R(reserved),
        R(session_takes_its_reservation_along),
        R(reset_releases),
        R(registered),
        R(types),
        R(wrong_release),
        R(unregistered),
        R(cleared),
        R(preempted),
        R(preempted_and_aborted),
        R(all_registrants_preempted),
        R(kept_over_a_session),
        R(full_status),
        R(wrong_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
