/* Each side proves that it knows the key, and nothing recorded or passed on is a proof. */
#include "os_test.h"

#include "door/handshake.h"
#include "os/crypto.h"

#include <stdlib.h>

/* --- a directory to meet in --- */

static struct os_place place;

static void directory_path(char *out, size_t room)
{
    char base[2048];
    uint64_t number;
    if (!os_environment("TEST_DIR", base, sizeof base) &&
        !os_environment("TMPDIR", base, sizeof base))
        strcpy(base, "/tmp");
    assert_true(os_random(&number, sizeof number));
    snprintf(out, room, "%s/handshake-%016llx", base, (unsigned long long)number);
}

static int place_setup(void **state)
{
    (void)state;
    char directory[3000];
    directory_path(directory, sizeof directory);
    assert_status(os_make_private_directory(directory), STATUS_OK);
    memset(&place, 0, sizeof place);
    snprintf(place.base, sizeof place.base, "%s/door", directory);
    return 0;
}

static void file_path(const char *ending, char out[OS_PATH_ROOM])
{
    assert_true(os_place_path(&place, ending, out));
}

/* --- the exchange --- */

struct exchange {
    struct handshake client;
    struct handshake service;
    uint8_t hello[HANDSHAKE_HELLO];
    uint8_t answer[HANDSHAKE_ANSWER];
    uint8_t proof[HANDSHAKE_PROOF];
};

static struct exchange exchange_new(void)
{
    struct exchange exchange;
    memset(&exchange, 0, sizeof exchange);
    exchange.client.credentials.port = 40000;
    memset(exchange.client.credentials.key, 0x5a, HANDSHAKE_KEY);
    memset(exchange.client.credentials.instance, 0x17, HANDSHAKE_INSTANCE);
    exchange.service.credentials = exchange.client.credentials;
    return exchange;
}

static enum status exchange_run(struct exchange *exchange)
{
    enum status status = handshake_client_hello(&exchange->client, exchange->hello);
    if (status == STATUS_OK)
        status = handshake_service_answer(&exchange->service, exchange->hello, exchange->answer);
    if (status == STATUS_OK)
        status = handshake_client_proof(&exchange->client, exchange->answer, exchange->proof);
    if (status == STATUS_OK)
        status = handshake_service_check(&exchange->service, exchange->proof);
    return status;
}

static void test_both_know_the_key(void **state)
{
    (void)state;
    struct exchange exchange = exchange_new();
    assert_status(exchange_run(&exchange), STATUS_OK);
}

/* The client is to say nothing that depends on the key to who does not know it. */
static void test_a_service_without_the_key_gets_no_proof(void **state)
{
    (void)state;
    struct exchange exchange = exchange_new();
    exchange.service.credentials.key[31] ^= 1;
    memset(exchange.proof, 0xee, sizeof exchange.proof);
    assert_status(exchange_run(&exchange), STATUS_ACCESS_DENIED);
    for (size_t i = 0; i < sizeof exchange.proof; i++)
        assert_int_equal(exchange.proof[i], 0xee);
}

static void test_a_client_without_the_key_is_refused(void **state)
{
    (void)state;
    struct exchange exchange = exchange_new();
    assert_status(handshake_client_hello(&exchange.client, exchange.hello), STATUS_OK);
    assert_status(handshake_service_answer(&exchange.service, exchange.hello, exchange.answer),
                  STATUS_OK);
    struct exchange other = exchange_new();
    memset(other.service.credentials.key, 1, HANDSHAKE_KEY);
    other.client.credentials = other.service.credentials;
    assert_status(exchange_run(&other), STATUS_OK);
    assert_status(handshake_service_check(&exchange.service, other.proof), STATUS_ACCESS_DENIED);
}

static void test_instance_and_port_count(void **state)
{
    (void)state;
    struct exchange instance = exchange_new(), port = exchange_new();
    instance.client.credentials.instance[0] ^= 0x80;
    assert_status(exchange_run(&instance), STATUS_ACCESS_DENIED);
    port.client.credentials.port++;
    assert_status(exchange_run(&port), STATUS_ACCESS_DENIED);
}

static void test_a_recorded_handshake_is_worthless(void **state)
{
    (void)state;
    struct exchange first = exchange_new(), second = exchange_new();
    assert_status(exchange_run(&first), STATUS_OK);
    /* The same hello and the same proof again, to the same service. */
    assert_status(handshake_service_answer(&second.service, first.hello, second.answer), STATUS_OK);
    assert_memory_not_equal(first.answer, second.answer, HANDSHAKE_NONCE);
    assert_status(handshake_service_check(&second.service, first.proof), STATUS_ACCESS_DENIED);
    /* The same answer again, to a client that begins anew. */
    struct exchange third = exchange_new();
    assert_status(handshake_client_hello(&third.client, third.hello), STATUS_OK);
    assert_memory_not_equal(first.hello, third.hello, HANDSHAKE_HELLO);
    assert_status(handshake_client_proof(&third.client, first.answer, third.proof),
                  STATUS_ACCESS_DENIED);
}

/* The service's proof, which anybody can get from it, is not the client's. */
static void test_the_services_own_proof_is_refused(void **state)
{
    (void)state;
    struct exchange exchange = exchange_new();
    assert_status(handshake_client_hello(&exchange.client, exchange.hello), STATUS_OK);
    assert_status(handshake_service_answer(&exchange.service, exchange.hello, exchange.answer),
                  STATUS_OK);
    assert_status(handshake_service_check(&exchange.service, exchange.answer + HANDSHAKE_NONCE),
                  STATUS_ACCESS_DENIED);
}

static void test_every_bit_of_a_proof_counts(void **state)
{
    (void)state;
    struct exchange exchange = exchange_new();
    assert_status(exchange_run(&exchange), STATUS_OK);
    for (size_t i = 0; i < 8 * sizeof exchange.proof; i++) {
        exchange.proof[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_status(handshake_service_check(&exchange.service, exchange.proof),
                      STATUS_ACCESS_DENIED);
        exchange.proof[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_status(handshake_service_check(&exchange.service, exchange.proof), STATUS_OK);
}

static void test_what_is_cleared_is_gone(void **state)
{
    (void)state;
    struct exchange exchange = exchange_new();
    assert_status(exchange_run(&exchange), STATUS_OK);
    handshake_clear(&exchange.client);
    static const struct handshake none;
    assert_memory_equal(&exchange.client, &none, sizeof none);
}

/* --- the files --- */

static void publish(struct door_credentials *made)
{
    assert_status(door_credentials_make(made, &place), STATUS_OK);
    made->port = 54321;
    assert_status(door_credentials_publish(made, &place, OS_NO_GROUP), STATUS_OK);
}

static void test_clients_read_what_the_service_published(void **state)
{
    (void)state;
    struct door_credentials made, read;
    publish(&made);
    assert_status(door_credentials_read(&read, &place), STATUS_OK);
    assert_int_equal(read.port, 54321);
    assert_memory_equal(read.instance, made.instance, HANDSHAKE_INSTANCE);
    assert_memory_equal(read.key, made.key, HANDSHAKE_KEY);
}

static void test_the_key_stays_and_the_instance_changes(void **state)
{
    (void)state;
    struct door_credentials first, second;
    publish(&first);
    publish(&second);
    assert_memory_equal(first.key, second.key, HANDSHAKE_KEY);
    assert_memory_not_equal(first.instance, second.instance, HANDSHAKE_INSTANCE);
}

static void test_keys_differ(void **state)
{
    struct door_credentials first, second;
    publish(&first);
    place_setup(state);
    publish(&second);
    assert_memory_not_equal(first.key, second.key, HANDSHAKE_KEY);
}

static void test_without_files_there_is_no_service(void **state)
{
    (void)state;
    char path[OS_PATH_ROOM];
    struct door_credentials made, read;
    assert_status(door_credentials_read(&read, &place), STATUS_SERVICE_NOT_RUNNING);
    publish(&made);
    door_credentials_withdraw(&place);
    assert_status(door_credentials_read(&read, &place), STATUS_SERVICE_NOT_RUNNING);
    publish(&made);
    file_path(".key", path);
    os_remove_file(path);
    assert_status(door_credentials_read(&read, &place), STATUS_SERVICE_NOT_RUNNING);
}

static void test_damaged_files_are_no_service(void **state)
{
    (void)state;
    static const char *const ports[] = {"",
                                        "port",
                                        "port 1",
                                        "port 0\ninstance 00112233445566778899aabbccddeeff\n",
                                        "port 65536\ninstance 00112233445566778899aabbccddeeff\n",
                                        "port 123456\ninstance 00112233445566778899aabbccddeeff\n",
                                        "port 1\ninstance 00112233445566778899aabbccddeef\n",
                                        "port 1\ninstance 00112233445566778899aabbccddeeff",
                                        "port 1\ninstance 00112233445566778899AABBCCDDEEFF\n",
                                        "port 1\ninstance 00112233445566778899aabbccddeeff\nmore\n",
                                        "port -1\ninstance 00112233445566778899aabbccddeeff\n"};
    char path[OS_PATH_ROOM];
    struct door_credentials made, read;
    publish(&made);
    file_path(".port", path);
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        assert_status(os_publish_file(path, ports[i], OS_NO_GROUP), STATUS_OK);
        if (door_credentials_read(&read, &place) != STATUS_SERVICE_NOT_RUNNING)
            fail_msg("a port file was accepted: \"%s\"", ports[i]);
    }
    assert_status(door_credentials_publish(&made, &place, OS_NO_GROUP), STATUS_OK);
    assert_status(door_credentials_read(&read, &place), STATUS_OK);
    file_path(".key", path);
    assert_status(os_publish_file(path, "00\n", OS_NO_GROUP), STATUS_OK);
    assert_status(door_credentials_read(&read, &place), STATUS_SERVICE_NOT_RUNNING);
    /* The service makes a new one in its place. */
    publish(&made);
    assert_status(door_credentials_read(&read, &place), STATUS_OK);
}

/* --- one at a time --- */

static void test_a_lock_is_had_once(void **state)
{
    (void)state;
    char path[OS_PATH_ROOM];
    struct os_file_lock first, second;
    file_path(".lock", path);
    assert_status(os_file_lock(&first, path), STATUS_OK);
    assert_status(os_file_lock(&second, path), STATUS_BUSY);
    os_file_unlock(&second);
    os_file_unlock(&first);
    assert_status(os_file_lock(&second, path), STATUS_OK);
    os_file_unlock(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_know_the_key),
        cmocka_unit_test(test_a_service_without_the_key_gets_no_proof),
        cmocka_unit_test(test_a_client_without_the_key_is_refused),
        cmocka_unit_test(test_instance_and_port_count),
        cmocka_unit_test(test_a_recorded_handshake_is_worthless),
        cmocka_unit_test(test_the_services_own_proof_is_refused),
        cmocka_unit_test(test_every_bit_of_a_proof_counts),
        cmocka_unit_test(test_what_is_cleared_is_gone),
        cmocka_unit_test_setup(test_clients_read_what_the_service_published, place_setup),
        cmocka_unit_test_setup(test_the_key_stays_and_the_instance_changes, place_setup),
        cmocka_unit_test_setup(test_keys_differ, place_setup),
        cmocka_unit_test_setup(test_without_files_there_is_no_service, place_setup),
        cmocka_unit_test_setup(test_damaged_files_are_no_service, place_setup),
        cmocka_unit_test_setup(test_a_lock_is_had_once, place_setup),
    };
    return cmocka_run_group_tests_name("handshake", tests, NULL, NULL);
}
