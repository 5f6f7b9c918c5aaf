/* Who may come in to a target: initiator names and networks. */
#include "target_client.h"

enum { SUCCESS = 0, NOT_AUTHORIZED = 0x0202 };

struct visit {
    const char *networks; /* blank between them */
    const char *from;     /* NULL: not known */
    unsigned status;
};

static void come(struct client *client, struct target_entity *entity, const char *from)
{
    client_open(client, entity, 1);
    if (from != NULL) {
        struct os_address address;
        uint8_t ip[OS_IP_LENGTH];

        assert_true(os_address_parse(&address, from, 0));
        os_address_to_ip(&address, ip);
        target_connection_comes_from(client->connection, ip);
    }
}

static void allow_networks(struct target_access *access, const char *networks)
{
    char copy[256];

    snprintf(copy, sizeof copy, "%s", networks);
    for (char *network = strtok(copy, " "); network != NULL; network = strtok(NULL, " "))
        assert_int_equal(target_access_allow_network(access, network), STATUS_OK);
}

static void by_network(void **state)
{
    static const struct visit visits[] = {
        {"", NULL, SUCCESS},
        {"", "192.0.2.1", SUCCESS},
        {"any", NULL, SUCCESS},
        {"all", "2001:db8::1", SUCCESS},
        {"0/0", "192.0.2.1", SUCCESS},
        {"192.0.2.1", "192.0.2.1", SUCCESS},
        {"192.0.2.1", "192.0.2.2", NOT_AUTHORIZED},
        {"192.0.2.1", NULL, NOT_AUTHORIZED},
        {"192.0.2.0/24", "192.0.2.255", SUCCESS},
        {"192.0.2.0/24", "192.0.3.0", NOT_AUTHORIZED},
        {"192.0.2.77/24", "192.0.2.1", SUCCESS},
        {"10.0.0.0/255.0.0.0", "10.255.0.1", SUCCESS},
        {"10.0.0.0/255.0.0.0", "11.0.0.1", NOT_AUTHORIZED},
        {"10.128.0.0/9", "10.127.255.255", NOT_AUTHORIZED},
        {"10.128.0.0/9", "10.128.0.0", SUCCESS},
        {"0.0.0.0/0", "203.0.113.9", SUCCESS},
        {"0.0.0.0/0", "2001:db8::1", NOT_AUTHORIZED},
        {"2001:db8::/33", "2001:db8:7fff::1", SUCCESS},
        {"2001:db8::/33", "2001:db8:8000::1", NOT_AUTHORIZED},
        {"::/0", "192.0.2.1", SUCCESS},
        {"192.0.2.1 2001:db8::1", "2001:db8::1", SUCCESS},
        {"192.0.2.1 2001:db8::1", "2001:db8::2", NOT_AUTHORIZED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof visits / sizeof visits[0]; i++) {
        struct target_entity *entity = target_entity_new(&os_crypto);
        struct target *target = client_target(entity, TARGET, 65536);
        struct client client;

        allow_networks(target_access_of(target), visits[i].networks);
        come(&client, entity, visits[i].from);
        client_login_send(&client, 1, 3, NORMAL);
        print_message("%s from %s\n", visits[i].networks,
                      visits[i].from != NULL ? visits[i].from : "nowhere");
        client_expect_status(&client, visits[i].status);
        client_close(&client);
        target_entity_free(entity);
    }
}

static void networks_that_are_none(void **state)
{
    static const char *const bad[] = {"",
                                      "localhost",
                                      "192.0.2.1/33",
                                      "192.0.2.1/",
                                      "192.0.2.1/-1",
                                      "192.0.2.1/8x",
                                      "2001:db8::/129",
                                      "2001:db8::/255.0.0.0",
                                      "192.0.2.1/ffff::",
                                      "/8"};
    struct target_entity *entity = target_entity_new(&os_crypto);
    struct target *target = client_target(entity, TARGET, 0);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        print_message("\"%s\"\n", bad[i]);
        assert_int_equal(target_access_allow_network(target_access_of(target), bad[i]),
                         STATUS_INVALID_ADDRESS);
    }
    assert_int_equal(target_access_allow_name(target_access_of(target), "not a name"),
                     STATUS_INVALID_NAME);
    target_entity_free(entity);
}

static void by_name(void **state)
{
    struct target_entity *entity = target_entity_new(&os_crypto);
    struct target_access *access = target_access_of(client_target(entity, TARGET, 65536));
    struct client client;

    (void)state;
    assert_int_equal(target_access_allow_name(access, "iqn.2026-11.org.example:other"), STATUS_OK);
    client_open(&client, entity, 1);
    client_login_send(&client, 1, 3, NORMAL);
    client_expect_status(&client, NOT_AUTHORIZED);
    assert_true(client_ended(&client));
    client_close(&client);
    /* Names are compared without case. */
    assert_int_equal(target_access_allow_name(access, "IQN.2026-11.org.EXAMPLE:initiator"),
                     STATUS_OK);
    client_open(&client, entity, 1);
    client_login(&client, NORMAL);
    client_close(&client);
    target_entity_free(entity);
}

/* Name and network both have to fit, and no proof is asked of who may not come in. */
static void by_both(void **state)
{
    struct target_entity *entity = target_entity_new(&os_crypto);
    struct target_access *access = target_access_of(client_target(entity, TARGET, 65536));
    struct client client;

    (void)state;
    target_access_allow_name(access, INITIATOR);
    target_access_allow_network(access, "192.0.2.0/24");
    target_access_add(access, "user", "secret of user");
    come(&client, entity, "198.51.100.1");
    client_login_send(&client, 0, 1, NORMAL "AuthMethod=CHAP\n");
    client_expect_status(&client, NOT_AUTHORIZED);
    client_close(&client);
    come(&client, entity, "192.0.2.9");
    client_login_send(&client, 0, 1, NORMAL "AuthMethod=CHAP\n");
    client_expect_status(&client, SUCCESS);
    client_expect_key(&client, "AuthMethod", "CHAP");
    client_close(&client);
    target_entity_free(entity);
}

static void discovery_tells_what_is_for_the_initiator(void **state)
{
    struct target_entity *entity = target_entity_new(&os_crypto);
    struct pdu pdu = {.opcode = PDU_TEXT_REQUEST, .final = true, .itt = 5, .immediate = true};
    static const char question[] = "SendTargets=All";
    struct client client;
    static const char expected[] = "TargetName=" TARGET;

    (void)state;
    target_access_allow_network(target_access_of(client_target(entity, TARGET "-2", 0)),
                                "192.0.2.1");
    target_access_allow_network(target_access_of(client_target(entity, TARGET, 0)), "198.51.100.1");
    target_access_allow_name(target_access_of(client_target(entity, TARGET "-3", 0)),
                             "iqn.2026-11.org.example:other");
    come(&client, entity, "198.51.100.1");
    client_login(&client, DISCOVERY);
    pdu.text_request.ttt = PDU_RESERVED_TAG;
    pdu.text_request.cmd_sn = client.cmd_sn;
    client_send(&client, &pdu, question, sizeof question);
    client_receive(&client, PDU_TEXT_RESPONSE);
    assert_int_equal(client.pdu.data_length, sizeof expected);
    assert_memory_equal(client.data, expected, sizeof expected);
    client_close(&client);
    target_entity_free(entity);
}

static void discovery_itself(void **state)
{
    struct target_entity *entity = target_entity_new(&os_crypto);
    struct client client;

    (void)state;
    target_access_allow_network(target_access_of_discovery(entity), "192.0.2.0/24");
    come(&client, entity, "198.51.100.1");
    client_login_send(&client, 1, 3, DISCOVERY);
    client_expect_status(&client, NOT_AUTHORIZED);
    client_close(&client);
    target_entity_free(entity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_network),
        cmocka_unit_test(networks_that_are_none),
        cmocka_unit_test(by_name),
        cmocka_unit_test(by_both),
        cmocka_unit_test(discovery_tells_what_is_for_the_initiator),
        cmocka_unit_test(discovery_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
