/* What is set for the adapter and its targets: login parameters, alias, authentication, ways of
 * discovery; and what that does to the next login. */
#include "engine_test.h"

#include "engine/adapter_settings.h"
#include "engine/login_parameters.h"
#include "engine/options.h"

#include <stdatomic.h>

#define NODE   "iqn.2026-11.org.example:initiator"
#define SECRET "password1234"

static struct target_host host;

/* The text of the latest Login Request that begins a login; the host's thread writes it. */
static struct os_mutex *mutex;
static char login_text[4096];

static void on_incoming(void *context, struct target_connection *connection,
                        struct target_fault_in *in)
{
    (void)context;
    (void)connection;
    if (in->pdu->opcode != PDU_LOGIN_REQUEST || in->length == 0 || in->length > 4000)
        return;
    os_mutex_lock(mutex);
    if (memcmp(in->data, "InitiatorName", 13) == 0) {
        memset(login_text, 0, sizeof login_text);
        for (uint32_t i = 0; i < in->length; i++)
            login_text[i] = in->data[i] != 0 ? (char)in->data[i] : '\n';
    }
    os_mutex_unlock(mutex);
}

static bool said(const char *text)
{
    os_mutex_lock(mutex);
    bool found = strstr(login_text, text) != NULL;
    os_mutex_unlock(mutex);
    return found;
}

static const struct target_fault fault = {.incoming = on_incoming};

static int start(void **state)
{
    (void)state;
    new_directory();
    mutex = os_mutex_new();
    login_text[0] = '\0';
    target_host_new(&host);
    target_entity_settings(host.entity)->fault = &fault;
    target_host_add(&host, BASE ":a");
    target_host_add(&host, BASE ":b");
    struct target *chap = target_host_add(&host, BASE ":chap");
    assert_status(target_access_add(target_access_of(chap), "somebody", SECRET), STATUS_OK);
    target_host_start(&host);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    const struct request_set_node_name name = {.name = NODE};
    assert_status(ask(OPERATION_set_node_name, &name, NULL), STATUS_OK);
    assert_status(add_portal(&host.portal), STATUS_OK);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_stop(engine);
    engine = NULL;
    target_host_stop(&host);
    os_mutex_free(mutex);
    return 0;
}

static void restart(void)
{
    engine_stop(engine);
    assert_status(engine_start(&engine, directory), STATUS_OK);
}

/* --- login parameters --- */

static struct login_parameter listed[32];
static uint32_t listed_count;

static void copy_parameters(const void *reply)
{
    const struct reply_list_login_parameters *list = reply;
    listed_count = list->parameters.count;
    assert_in_range(listed_count, 1, 32);
    memcpy(listed, list->parameters.items, listed_count * sizeof *listed);
}

static struct login_parameter parameter(const char *target, uint32_t number)
{
    const struct request_list_login_parameters request = {.target = target};
    assert_status(ask(OPERATION_list_login_parameters, &request, copy_parameters), STATUS_OK);
    for (uint32_t i = 0; i < listed_count; i++) {
        if (listed[i].number == number)
            return listed[i];
    }
    fail_msg("parameter %u is not listed", (unsigned)number);
    return (struct login_parameter){0};
}

static enum status set(const char *target, uint32_t number, uint32_t value)
{
    const struct request_set_login_parameter request = {
        .target = target, .number = number, .value = value};
    return ask(OPERATION_set_login_parameter, &request, NULL);
}

static void unset(const char *target, uint32_t number)
{
    const struct request_set_login_parameter request = {
        .target = target, .number = number, .unset = 1};
    assert_status(ask(OPERATION_set_login_parameter, &request, NULL), STATUS_OK);
}

static void what_is_set_for_the_target_counts_most(void **state)
{
    (void)state;
    const uint32_t number = LOGIN_PARAMETER_MAX_BURST_LENGTH;
    assert_int_equal(parameter(NULL, number).value, 262144);
    assert_false(parameter(NULL, number).set);
    assert_status(set(NULL, number, 8192), STATUS_OK);
    assert_status(set("IQN.2026-11.org.example:A", number, 4096), STATUS_OK);
    assert_int_equal(parameter(NULL, number).value, 8192);
    assert_int_equal(parameter(NULL, number).standard, 262144);
    assert_true(parameter(NULL, number).set);
    assert_int_equal(parameter(BASE ":a", number).value, 4096);
    assert_int_equal(parameter(BASE ":b", number).value, 8192);
    assert_false(parameter(BASE ":b", number).set);
    restart();
    assert_int_equal(parameter(BASE ":a", number).value, 4096);
    unset(BASE ":a", number);
    assert_int_equal(parameter(BASE ":a", number).value, 8192);
    unset(NULL, number);
    assert_int_equal(parameter(BASE ":a", number).value, 262144);
}

static void bounds_are_kept(void **state)
{
    (void)state;
    const struct request_list_login_parameters all = {0};
    assert_status(ask(OPERATION_list_login_parameters, &all, copy_parameters), STATUS_OK);
    assert_int_equal(listed_count, 12);
    for (uint32_t i = 0; i < 12; i++) {
        const struct login_parameter limits = listed[i];
        assert_in_range(limits.value, limits.least, limits.most);
        assert_status(set(NULL, limits.number, limits.most), STATUS_OK);
        assert_status(set(NULL, limits.number, limits.least), STATUS_OK);
        assert_status(set(NULL, limits.number, limits.most + 1), STATUS_INVALID_PARAMETER);
        if (limits.least > 0)
            assert_status(set(NULL, limits.number, limits.least - 1), STATUS_INVALID_PARAMETER);
        assert_int_equal(parameter(NULL, limits.number).value, limits.least);
    }
    assert_status(set(NULL, 0, 1), STATUS_INVALID_PARAMETER);
    assert_status(set(NULL, 13, 1), STATUS_INVALID_PARAMETER);
    assert_status(set("", 1, 1), STATUS_INVALID_PARAMETER);
}

static void logins_propose_what_is_set(void **state)
{
    (void)state;
    const struct login_options options = {.specified = OPTION_DEFAULT_TIME2WAIT,
                                          .default_time2wait = 7};
    assert_status(set(NULL, LOGIN_PARAMETER_MAX_BURST_LENGTH, 65536), STATUS_OK);
    assert_status(set(NULL, LOGIN_PARAMETER_FIRST_BURST_LENGTH, 131072), STATUS_OK);
    assert_status(set(NULL, LOGIN_PARAMETER_DEFAULT_TIME2WAIT, 3), STATUS_OK);
    assert_status(set(NULL, LOGIN_PARAMETER_MAX_RECV_DATA_SEGMENT_LENGTH, 5000), STATUS_OK);
    assert_status(set(BASE ":a", LOGIN_PARAMETER_IMMEDIATE_DATA, 0), STATUS_OK);
    assert_status(set(BASE ":a", LOGIN_PARAMETER_MAX_OUTSTANDING_R2T, 3), STATUS_OK);
    assert_status(set(BASE ":a", LOGIN_PARAMETER_ERROR_RECOVERY_LEVEL, 1), STATUS_OK);
    assert_status(set(BASE ":a", LOGIN_PARAMETER_MAX_CONNECTIONS, 2), STATUS_OK);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_true(said("\nMaxBurstLength=65536\n"));
    assert_true(said("\nFirstBurstLength=65536\n")); /* never above MaxBurstLength */
    assert_true(said("\nDefaultTime2Wait=3\n"));
    assert_true(said("\nMaxRecvDataSegmentLength=5000\n"));
    assert_true(said("\nImmediateData=No\n"));
    assert_true(said("\nMaxOutstandingR2T=3\n"));
    assert_true(said("\nErrorRecoveryLevel=1\n"));
    assert_true(said("\nMaxConnections=2\n"));
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_listed.max_burst_length, 65536);
    assert_int_equal(last_listed.immediate_data, 0);
    assert_int_equal(last_listed.max_outstanding_r2t, 3);
    assert_status(logout(&last_session), STATUS_OK);
    /* What is said for a login counts over what is set. */
    assert_status(login_with(BASE ":b", &options), STATUS_OK);
    assert_true(said("\nDefaultTime2Wait=7\n"));
    assert_true(said("\nImmediateData=Yes\n"));
    assert_true(said("\nMaxBurstLength=65536\n"));
}

/* --- alias --- */

static char alias[300];

static void copy_alias(const void *reply)
{
    const struct reply_get_node_alias *got = reply;
    snprintf(alias, sizeof alias, "%s", got->alias != NULL ? got->alias : "-");
}

static enum status set_alias(const char *to)
{
    const struct request_set_node_alias request = {.alias = to};
    return ask(OPERATION_set_node_alias, &request, NULL);
}

static void the_alias_is_told_with_a_login(void **state)
{
    char long_one[300];
    (void)state;
    const struct request_get_node_alias request = {0};
    memset(long_one, 'x', sizeof long_one);
    long_one[256] = '\0';
    assert_status(set_alias(long_one), STATUS_INVALID_NAME);
    assert_status(set_alias("line\nbreak"), STATUS_INVALID_NAME);
    assert_status(ask(OPERATION_get_node_alias, &request, copy_alias), STATUS_OK);
    assert_string_equal(alias, "-");
    assert_status(login(BASE ":b"), STATUS_OK);
    assert_false(said("InitiatorAlias"));
    assert_status(set_alias("Machine room, left"), STATUS_OK);
    restart();
    assert_status(ask(OPERATION_get_node_alias, &request, copy_alias), STATUS_OK);
    assert_string_equal(alias, "Machine room, left");
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_true(said("\nInitiatorAlias=Machine room, left\n"));
    assert_status(set_alias(""), STATUS_OK);
    assert_status(ask(OPERATION_get_node_alias, &request, copy_alias), STATUS_OK);
    assert_string_equal(alias, "-");
}

/* --- authentication --- */

static char authentication[600]; /* methods name has_secret */

static void copy_authentication(const void *reply)
{
    const struct reply_get_authentication *got = reply;
    size_t length = 0;
    for (uint32_t i = 0; i < got->methods.length; i++)
        length += (size_t)snprintf(authentication + length, sizeof authentication - length, "%u",
                                   got->methods.data[i]);
    snprintf(authentication + length, sizeof authentication - length, " %.*s %u",
             (int)got->chap_name.length,
             got->chap_name.data != NULL ? (const char *)got->chap_name.data : "", got->has_secret);
}

static const char *get_authentication(void)
{
    const struct request_get_authentication request = {0};
    assert_status(ask(OPERATION_get_authentication, &request, copy_authentication), STATUS_OK);
    return authentication;
}

static struct blob blob(const char *text)
{
    return (struct blob){(const uint8_t *)text, (uint32_t)strlen(text)};
}

static enum status set_chap(const char *name, const char *secret)
{
    const struct request_set_chap_parameters request = {.name = blob(name), .secret = blob(secret)};
    return ask(OPERATION_set_chap_parameters, &request, NULL);
}

static enum status set_methods(const char *methods, uint32_t count)
{
    const struct request_set_auth_methods request = {.methods = {(const uint8_t *)methods, count}};
    return ask(OPERATION_set_auth_methods, &request, NULL);
}

static void logins_authenticate_as_the_adapter_does(void **state)
{
    (void)state;
    const struct login_options none = {.specified = OPTION_AUTH_TYPE, .auth_type = AUTH_NONE};
    assert_string_equal(get_authentication(), "0  0");
    assert_status(login(BASE ":chap"), STATUS_LOGIN_AUTHENTICATION_FAILED);
    assert_status(set_methods("\1", 1), STATUS_INVALID_TARGET_SECRET);
    assert_status(set_chap("somebody", SECRET), STATUS_OK);
    assert_status(set_methods("\1", 1), STATUS_OK);
    assert_string_equal(get_authentication(), "1 somebody 1");
    assert_status(login(BASE ":chap"), STATUS_OK);
    assert_true(said("\nAuthMethod=CHAP\n"));
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_listed_connection.auth_type, AUTH_CHAP);
    assert_status(logout(&last_session), STATUS_OK);
    /* A caller's own word counts more, and a new name keeps the secret. */
    assert_status(login_with(BASE ":chap", &none), STATUS_LOGIN_AUTHENTICATION_FAILED);
    assert_status(set_chap("nobody", ""), STATUS_OK);
    assert_status(login(BASE ":chap"), STATUS_LOGIN_AUTHENTICATION_FAILED);
    assert_status(set_chap("somebody", ""), STATUS_OK);
    assert_status(login(BASE ":chap"), STATUS_OK);
    restart();
    assert_string_equal(get_authentication(), "1 somebody 1");
}

static void with_both_methods_the_target_chooses(void **state)
{
    (void)state;
    assert_status(set_chap("somebody", SECRET), STATUS_OK);
    assert_status(set_methods("\1\0", 2), STATUS_OK);
    assert_string_equal(get_authentication(), "10 somebody 1");
    assert_status(login(BASE ":chap"), STATUS_OK);
    assert_true(said("\nAuthMethod=CHAP,None\n"));
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_listed_connection.auth_type, AUTH_CHAP);
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_int_equal(count_sessions(), 1);
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(set_methods("\0\1", 2), STATUS_OK);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_true(said("\nAuthMethod=None,CHAP\n"));
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_listed_connection.auth_type, AUTH_NONE);
    assert_status(login(BASE ":chap"), STATUS_OK);
}

static void odd_authentication_is_refused(void **state)
{
    char long_one[300];
    (void)state;
    memset(long_one, 'x', sizeof long_one);
    long_one[256] = '\0';
    assert_status(set_chap("", SECRET), STATUS_INVALID_CHAP_NAME);
    assert_status(set_chap(long_one, SECRET), STATUS_INVALID_CHAP_NAME);
    assert_status(set_chap("a\nb", SECRET), STATUS_INVALID_CHAP_NAME);
    assert_status(set_chap("a", "elevenbytes"), STATUS_INVALID_TARGET_SECRET);
    assert_status(set_chap("a", long_one), STATUS_INVALID_TARGET_SECRET);
    assert_status(set_chap("a", SECRET), STATUS_OK);
    assert_status(set_methods("", 0), STATUS_INVALID_PARAMETER);
    assert_status(set_methods("\2", 1), STATUS_INVALID_PARAMETER);
    assert_status(set_methods("\1\1", 2), STATUS_INVALID_PARAMETER);
    assert_status(set_methods("\0\1\0", 3), STATUS_INVALID_PARAMETER);
}

/* --- ways of discovery --- */

static uint32_t enabled;
static char server[300];

static void copy_discovery(const void *reply)
{
    const struct reply_get_discovery *got = reply;
    enabled = got->enabled;
    snprintf(server, sizeof server, "%s", got->isns_server != NULL ? got->isns_server : "-");
}

static uint32_t get_discovery(void)
{
    const struct request_get_discovery request = {0};
    assert_status(ask(OPERATION_get_discovery, &request, copy_discovery), STATUS_OK);
    return enabled;
}

static enum status set_discovery(uint32_t method, bool on, const char *isns_server)
{
    const struct request_set_discovery request = {
        .method = method, .enabled = on, .isns_server = isns_server};
    return ask(OPERATION_set_discovery, &request, NULL);
}

static enum status describe_static(const char *name)
{
    const struct portal portal = {NULL, host.portal.host, host.portal.port};
    const struct static_target target = {
        .target = name, .persistent = 1, .grouped = 1, .portals = {&portal, 1}};
    const struct request_add_static_target request = {.entry = &target};
    return ask(OPERATION_add_static_target, &request, NULL);
}

static void a_closed_way_finds_nothing(void **state)
{
    (void)state;
    assert_status(describe_static(BASE ":static"), STATUS_OK);
    assert_int_equal(get_discovery(), DISCOVERY_ALL);
    assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, BASE ":a " BASE ":b " BASE ":chap " BASE ":static");
    assert_status(set_discovery(DISCOVERY_SENDTARGETS, false, NULL), STATUS_OK);
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, BASE ":static");
    assert_status(add_portal(&host.portal), STATUS_OK);
    assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, BASE ":static");
    restart();
    assert_int_equal(get_discovery(), DISCOVERY_STATIC | DISCOVERY_ISNS);
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, BASE ":static");
    assert_status(set_discovery(DISCOVERY_STATIC, false, NULL), STATUS_OK);
    assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, "");
    assert_status(set_discovery(DISCOVERY_SENDTARGETS, true, NULL), STATUS_OK);
    assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, BASE ":a " BASE ":b " BASE ":chap");
    assert_status(set_discovery(DISCOVERY_STATIC, true, NULL), STATUS_OK);
    assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, BASE ":a " BASE ":b " BASE ":chap " BASE ":static");
}

static void one_primary_way_stays_open(void **state)
{
    (void)state;
    assert_status(set_discovery(DISCOVERY_ISNS, false, NULL), STATUS_OK);
    assert_status(set_discovery(DISCOVERY_STATIC, false, NULL), STATUS_LAST_DISCOVERY_METHOD);
    assert_int_equal(get_discovery(), DISCOVERY_STATIC | DISCOVERY_SENDTARGETS);
    assert_status(set_discovery(2, true, NULL), STATUS_INVALID_PARAMETER);
    assert_status(set_discovery(5, true, NULL), STATUS_INVALID_PARAMETER);
    assert_status(set_discovery(DISCOVERY_STATIC, true, "a"), STATUS_INVALID_PARAMETER);
    assert_status(set_discovery(DISCOVERY_ISNS, true, "a b"), STATUS_INVALID_ADDRESS);
    /* The server that this names takes the place of the one named before. */
    assert_status(set_discovery(DISCOVERY_ISNS, true, "192.0.2.1"), STATUS_OK);
    assert_int_equal(get_discovery(), DISCOVERY_ALL);
    assert_string_equal(server, "192.0.2.1");
    assert_status(set_discovery(DISCOVERY_ISNS, true, "192.0.2.2"), STATUS_OK);
    get_discovery();
    assert_string_equal(server, "192.0.2.2");
    const struct request_list_isns_servers request = {0};
    assert_status(ask(OPERATION_list_isns_servers, &request, copy_names), STATUS_OK);
    assert_string_equal(names, "192.0.2.2");
}

#define ADAPTER_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADAPTER_TEST(what_is_set_for_the_target_counts_most),
        ADAPTER_TEST(bounds_are_kept),
        ADAPTER_TEST(logins_propose_what_is_set),
        ADAPTER_TEST(the_alias_is_told_with_a_login),
        ADAPTER_TEST(logins_authenticate_as_the_adapter_does),
        ADAPTER_TEST(with_both_methods_the_target_chooses),
        ADAPTER_TEST(odd_authentication_is_refused),
        ADAPTER_TEST(a_closed_way_finds_nothing),
        ADAPTER_TEST(one_primary_way_stays_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
