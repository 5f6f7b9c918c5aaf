/* The target's text exchanges: SendTargets and renegotiation. */
#include "target_client.h"

#include "protocol/sendtargets.h"

struct fixture {
    struct target_entity *entity;
    struct target *target;
    struct client client;
    char *text; /* of a whole answer */
    size_t length;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct portal_address portals[] = {
        {"127.0.0.1", 3260, 1}, {"::1", 3261, 2}, {"0.0.0.0", 3262, 1}};

    fixture->entity = target_entity_new(&os_crypto);
    fixture->target = client_target(fixture->entity, TARGET, 0);
    client_target(fixture->entity, TARGET "-2", 0);
    for (size_t i = 0; i < 3; i++)
        target_add_portal(fixture->entity, &portals[i]);
    client_open(&fixture->client, fixture->entity, 1);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    client_close(&fixture->client);
    target_entity_free(fixture->entity);
    free(fixture->text);
    free(fixture);
    return 0;
}

static void send_text(struct client *client, const char *form, uint32_t ttt, bool more, bool final)
{
    char text[4096];
    size_t length = client_text(text, form);
    struct pdu pdu = {
        .opcode = PDU_TEXT_REQUEST, .final = final, .itt = client->itt, .immediate = true};

    pdu.text_request.ttt = ttt;
    pdu.text_request.more = more;
    pdu.text_request.cmd_sn = client->cmd_sn;
    client_send(client, &pdu, text, length);
}

static void ask(struct client *client, const char *form)
{
    client->itt++;
    send_text(client, form, PDU_RESERVED_TAG, false, true);
}

/* The whole answer, over as many PDUs as it takes. Returns their number. */
static unsigned whole_answer(struct fixture *fixture)
{
    struct client *client = &fixture->client;
    unsigned count = 0;

    fixture->length = 0;
    for (;;) {
        client_receive(client, PDU_TEXT_RESPONSE);
        assert_int_equal(client->pdu.itt, client->itt);
        fixture->text = realloc(fixture->text, fixture->length + client->pdu.data_length + 1);
        memcpy(fixture->text + fixture->length, client->data, client->pdu.data_length);
        fixture->length += client->pdu.data_length;
        count++;
        if (client->pdu.final)
            break;
        assert_true(client->pdu.text_response.more);
        assert_int_not_equal(client->pdu.text_response.ttt, PDU_RESERVED_TAG);
        send_text(client, "", client->pdu.text_response.ttt, false, true);
    }
    assert_false(client->pdu.text_response.more);
    assert_int_equal(client->pdu.text_response.ttt, PDU_RESERVED_TAG);
    return count;
}

static void expect_answer(struct fixture *fixture, const char *form)
{
    char text[4096];
    size_t length = client_text(text, form);

    whole_answer(fixture);
    if (fixture->length != length || memcmp(fixture->text, text, length) != 0)
        fail_msg("%zu bytes starting with %.60s", fixture->length, fixture->text);
}

#define ADDRESSES "TargetAddress=127.0.0.1:3260,1\nTargetAddress=[::1]:3261,2\n"

static void all(void **state)
{
    struct fixture *fixture = *state;

    client_login(&fixture->client, DISCOVERY);
    ask(&fixture->client, "SendTargets=All\n");
    expect_answer(fixture,
                  "TargetName=" TARGET "\n" ADDRESSES "TargetName=" TARGET "-2\n" ADDRESSES);
}

static void one(void **state)
{
    struct fixture *fixture = *state;

    target_add_group(fixture->target, 2);
    client_login(&fixture->client, DISCOVERY);
    ask(&fixture->client, "SendTargets=" TARGET "\n");
    expect_answer(fixture, "TargetName=" TARGET "\nTargetAddress=[::1]:3261,2\n");
    ask(&fixture->client, "SendTargets=iqn.2026-11.org.example:other\n");
    expect_answer(fixture, "");
    ask(&fixture->client, "SendTargets=\n");
    expect_answer(fixture, "SendTargets=Reject\n");
}

static void in_a_normal_session(void **state)
{
    struct fixture *fixture = *state;

    client_login(&fixture->client, NORMAL);
    ask(&fixture->client, "SendTargets=\n");
    expect_answer(fixture, "TargetName=" TARGET "\n" ADDRESSES);
    ask(&fixture->client, "SendTargets=All\n");
    expect_answer(fixture, "SendTargets=Reject\n");
}

static bool count_target(void *context, const char *target, const struct portal_address *address)
{
    (void)target;
    *(unsigned *)context += address == NULL;
    return true;
}

static void megabytes(void **state)
{
    struct fixture *fixture = *state;
    struct sendtargets reader;
    unsigned targets = 0;

    for (unsigned i = 0; i < 10000; i++) {
        char name[96];

        snprintf(name, sizeof name, TARGET "-many-%05u", i);
        client_target(fixture->entity, name, 0);
    }
    client_login(&fixture->client, DISCOVERY "MaxRecvDataSegmentLength=4096\n");
    ask(&fixture->client, "SendTargets=All\n");
    assert_true(whole_answer(fixture) > 250);
    assert_true(fixture->length > 1 << 20);
    sendtargets_start(&reader, count_target, &targets);
    assert_int_equal(sendtargets_feed(&reader, fixture->text, fixture->length), STATUS_OK);
    assert_int_equal(sendtargets_end(&reader), STATUS_OK);
    assert_int_equal(targets, 10002);
    assert_int_equal(reader.skipped, 0);
}

static void request_over_c_bits(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;

    client_login(client, DISCOVERY);
    client->itt++;
    send_text(client, "SendTar", PDU_RESERVED_TAG, true, false);
    client_receive(client, PDU_TEXT_RESPONSE);
    assert_false(client->pdu.final);
    assert_int_equal(client->pdu.data_length, 0);
    send_text(client, "gets=" TARGET "\n", client->pdu.text_response.ttt, false, true);
    expect_answer(fixture, "TargetName=" TARGET "\n" ADDRESSES);
}

static void wrong_continuation(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;

    client_login(client, DISCOVERY "MaxRecvDataSegmentLength=512\n");
    for (unsigned i = 0; i < 20; i++) {
        char name[96];

        snprintf(name, sizeof name, TARGET "-more-%u", i);
        client_target(fixture->entity, name, 0);
    }
    ask(client, "SendTargets=All\n");
    client_receive(client, PDU_TEXT_RESPONSE);
    assert_false(client->pdu.final);
    send_text(client, "", client->pdu.text_response.ttt + 1, false, true);
    client_receive(client, PDU_REJECT);
    assert_int_equal(client->pdu.data_length, PDU_BHS_LENGTH);
    assert_int_equal(client->data[0], 0x40 | PDU_TEXT_REQUEST);
    ask(client, "SendTargets=All\n"); /* anew */
    assert_true(whole_answer(fixture) > 2);
}

static void not_text(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;

    client_login(client, DISCOVERY);
    ask(client, "SendTargets\n");
    client_receive(client, PDU_REJECT);
    assert_int_equal(client->pdu.reject.reason, REJECT_PROTOCOL_ERROR);
}

static void renegotiated(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;

    client_login(client, NORMAL);
    ask(client, "MaxRecvDataSegmentLength=1024\nX-unknown=1\n");
    expect_answer(fixture, "X-unknown=NotUnderstood\n");
    assert_int_equal(target_connection_values(client->connection)->max_send_data_segment_length,
                     1024);
    ask(client, "MaxBurstLength=1024\n"); /* in a login only */
    client_receive(client, PDU_REJECT);
}

static void without_the_f_bit(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;

    client_login(client, NORMAL);
    client->itt++;
    send_text(client, "SendTargets=\n", PDU_RESERVED_TAG, false, false);
    client_receive(client, PDU_TEXT_RESPONSE);
    assert_false(client->pdu.final);
    assert_true(client->pdu.data_length > 0);
    send_text(client, "", client->pdu.text_response.ttt, false, true);
    expect_answer(fixture, "");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(all),
        T(one),
        T(in_a_normal_session),
        T(megabytes),
        T(request_over_c_bits),
        T(wrong_continuation),
        T(not_text),
        T(renegotiated),
        T(without_the_f_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
