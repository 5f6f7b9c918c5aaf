/* iscsi.conf counts: what logins and discoveries ask for, and who has the last word. */
#include "engine_test.h"

#include "engine/effective_parameters.h"
#include "engine/login_parameters.h"
#include "engine/options.h"
#include "protocol/text.h"

#ifdef __linux__
#include <arpa/inet.h>
#include <sys/socket.h>
#endif

enum { KEYS_ROOM = 4096 };

static struct target_host host;

/* The keys of all login requests since the last look, " Key=Value Key=Value ". */
static struct {
    struct os_mutex *mutex;
    char keys[KEYS_ROOM];
} seen;

static void on_incoming(void *context, struct target_connection *connection,
                        struct target_fault_in *in)
{
    struct text_pair pair;
    size_t offset = 0;
    (void)context;
    (void)connection;
    if (in->pdu->opcode != PDU_LOGIN_REQUEST)
        return;
    os_mutex_lock(seen.mutex);
    size_t used = strlen(seen.keys);
    while (text_next((const char *)in->data, in->length, &offset, &pair) == 1)
        used += (size_t)snprintf(seen.keys + used, used < KEYS_ROOM ? KEYS_ROOM - used : 0,
                                 "%.*s=%.*s ", (int)pair.key_length, pair.key,
                                 (int)pair.value_length, pair.value);
    os_mutex_unlock(seen.mutex);
}

static const struct target_fault fault = {.incoming = on_incoming};

static void forget(void)
{
    os_mutex_lock(seen.mutex);
    strcpy(seen.keys, " ");
    os_mutex_unlock(seen.mutex);
}

static void assert_offered(const char *pair)
{
    char wanted[200], keys[KEYS_ROOM];
    snprintf(wanted, sizeof wanted, " %s ", pair);
    os_mutex_lock(seen.mutex);
    memcpy(keys, seen.keys, sizeof keys);
    os_mutex_unlock(seen.mutex);
    if (strstr(keys, wanted) == NULL)
        fail_msg("not \"%s\" but%swas offered", pair, keys);
}

static void assert_not_offered(const char *text)
{
    os_mutex_lock(seen.mutex);
    assert_null(strstr(seen.keys, text));
    os_mutex_unlock(seen.mutex);
}

/* --- the file --- */

/* `%u` in it is the target's port. */
static void configure(const char *format)
{
    char text[2000];
    const char *mark = strstr(format, "%u");
    if (mark == NULL)
        snprintf(text, sizeof text, "%s", format);
    else
        snprintf(text, sizeof text, "%.*s%u%s", (int)(mark - format), format,
                 (unsigned)host.portal.port, mark + 2);
    write_text("iscsi.conf", text);
}

static void discover(void)
{
    assert_status(add_portal(&host.portal), STATUS_OK);
    forget();
}

static void log_in(const char *target)
{
    forget();
    assert_status(login(target), STATUS_OK);
    settle();
}

static void log_in_and_out(const char *target)
{
    log_in(target);
    assert_status(logout(&last_session), STATUS_OK);
}

static int start(void **state)
{
    (void)state;
    new_directory();
    seen.mutex = os_mutex_new();
    assert_non_null(seen.mutex);
    forget();
    assert_status(engine_start(&engine, directory), STATUS_OK);
    target_host_new(&host);
    target_entity_settings(host.entity)->fault = &fault;
    target_host_add(&host, BASE ":a");
    target_host_add(&host, BASE ":b");
    struct target *chap = target_host_add(&host, BASE ":chap");
    target_access_add(target_access_of(chap), "user", "usersecret12");
    target_access_identity(target_access_of(chap), "target", "targetsecret");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_stop(engine);
    engine = NULL;
    target_host_stop(&host);
    os_mutex_free(seen.mutex);
    return 0;
}

/* --- values reach the login --- */

static void numbers_and_digests_are_offered(void **state)
{
    (void)state;
    configure("MaxRecvDataSegmentLength = 12345\nFirstBurstLength = 23456\n"
              "MaxBurstLength = 34567\nInitialR2T = yes\nImmediateData = no\n"
              "ErrorRecoveryLevel = 1\nHeaderDigest = always\nDataDigest = prefer-on\n");
    target_host_start(&host);
    discover();
    log_in(BASE ":a");
    assert_offered("MaxRecvDataSegmentLength=12345");
    assert_offered("FirstBurstLength=23456");
    assert_offered("MaxBurstLength=34567");
    assert_offered("InitialR2T=Yes");
    assert_offered("ImmediateData=No");
    assert_offered("ErrorRecoveryLevel=1");
    assert_offered("HeaderDigest=CRC32C");
    assert_offered("DataDigest=CRC32C,None");
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_listed_connection.header_digest, 1);
    assert_int_equal(last_listed_connection.data_digest, 1);
}

static void each_target_has_its_own(void **state)
{
    (void)state;
    configure("HeaderDigest = never\n"
              "TargetName = " BASE ":a\n HeaderDigest = always\n MaxBurstLength = 400000\n");
    target_host_start(&host);
    discover();
    log_in_and_out(BASE ":a");
    assert_offered("HeaderDigest=CRC32C");
    assert_offered("MaxBurstLength=400000");
    log_in(BASE ":b");
    assert_offered("HeaderDigest=None");
    assert_offered("MaxBurstLength=262144");
}

static void a_smaller_longest_burst_shortens_the_first(void **state)
{
    (void)state;
    configure("FirstBurstLength = 60000\nTargetName = " BASE ":a\n MaxBurstLength = 5000\n");
    target_host_start(&host);
    discover();
    log_in(BASE ":a");
    assert_offered("MaxBurstLength=5000");
    assert_offered("FirstBurstLength=5000");
}

static void what_found_a_target_counts(void **state)
{
    (void)state;
    configure("DiscoveryAddress = 127.0.0.1:%u\n MaxBurstLength = 300000\n"
              "DiscoveryAddress = 127.0.0.1:1\n MaxBurstLength = 400000\n");
    target_host_start(&host);
    discover();
    log_in(BASE ":a");
    assert_offered("MaxBurstLength=300000");
}

static void describe(const char *name, const struct portal *portals, uint32_t count,
                     const struct login_options *options)
{
    const struct static_target target = {
        .target = name, .options = options, .grouped = 1, .portals = {portals, count}};
    const struct request_add_static_target request = {.entry = &target};
    assert_status(ask(OPERATION_add_static_target, &request, NULL), STATUS_OK);
}

/* The settings are those of the portal that answers, not of the first that is tried. */
static void the_portal_counts_that_is_used(void **state)
{
    struct os_address nobody;
    os_close(listener_new(&nobody));
    (void)state;
    configure("TCPConnectTime = 5\n"
              "Subnet = 127.0.0.0/8\n MaxBurstLength = 300000\n InitialR2T = yes\n"
              "Address = 127.0.0.1\n MaxBurstLength = 400000\n"
              "Subnet = ::1/128\n MaxBurstLength = 500000\n");
    target_host_start(&host);
    const struct portal portals[] = {{NULL, "::1", os_address_port(&nobody)},
                                     {NULL, host.portal.host, host.portal.port}};
    describe(BASE ":a", portals, 2, NULL);
    log_in(BASE ":a");
    assert_offered("MaxBurstLength=400000");
    assert_offered("InitialR2T=Yes");
}

/* A connection works with whatever buffers it gets. */
static void buffers_may_be_small(void **state)
{
    (void)state;
    configure("TCPWindowSize = 4096\n");
    target_host_start(&host);
    discover();
    log_in(BASE ":a");
}

#ifdef __linux__
/* Is it one of ours to the target? The port is where it is in each family. */
static bool leads_to_the_target(int file)
{
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    return getpeername(file, (struct sockaddr *)&peer, &length) == 0 &&
           ntohs(peer.sin_port) == host.portal.port;
}

static int buffer_of(int file, int direction)
{
    int size = 0;
    socklen_t length = sizeof size;
    assert_int_equal(getsockopt(file, SOL_SOCKET, direction, &size, &length), 0);
    return size;
}

/* Of the one connection that there is, as the system has them: twice what was asked for. */
static void assert_buffers(int size)
{
    unsigned count = 0;
    for (int file = 0; file < 1024; file++) {
        if (!leads_to_the_target(file))
            continue;
        assert_int_equal(buffer_of(file, SO_RCVBUF), 2 * size);
        assert_int_equal(buffer_of(file, SO_SNDBUF), 2 * size);
        count++;
    }
    assert_int_equal(count, 1);
}

static void the_window_is_as_large_as_is_said(void **state)
{
    (void)state;
    configure("TCPWindowSize = 40000\nTargetName = " BASE ":b\n TCPWindowSize = 70000\n");
    target_host_start(&host);
    discover();
    log_in(BASE ":a");
    assert_buffers(40000);
    assert_status(logout(&last_session), STATUS_OK);
    log_in(BASE ":b");
    assert_buffers(70000);
}
#endif

static void a_stored_login_takes_them_too(void **state)
{
    const struct portal portal = {NULL, host.portal.host, host.portal.port};
    const struct request_login request = {
        .target = BASE ":chap", .initiator_port = ANY_PORT, .portal = &portal, .persistent = 1};
    uint64_t end = os_now() + BOUND;
    (void)state;
    configure("TargetName = " BASE ":chap\n Username = user\n Password = usersecret12\n"
              " MaxBurstLength = 300000\n");
    target_host_start(&host);
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_OK);
    engine_stop(engine);
    assert_status(engine_start_service(&engine, directory), STATUS_OK);
    while (count_sessions() != 1) {
        if (os_now() > end)
            fail_msg("no session %u ms after the start of the service", BOUND);
        os_thread_yield();
    }
    assert_offered("MaxBurstLength=300000");
    assert_offered("CHAP_N=user");
}

/* --- CHAP --- */

static void the_file_has_names_and_passwords(void **state)
{
    (void)state;
    configure("TargetName = " BASE ":chap\n Username = user\n Password = usersecret12\n");
    target_host_start(&host);
    discover();
    log_in(BASE ":chap");
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_listed_connection.auth_type, 1);
    log_in(BASE ":b");
    assert_int_equal(count_sessions(), 2);
    assert_int_equal(last_listed_connection.auth_type, 0);
}

static void a_wrong_password_is_no_login(void **state)
{
    (void)state;
    configure("Username = user\nPassword = wrongsecret1\n");
    target_host_start(&host);
    discover();
    assert_status(login(BASE ":chap"), STATUS_LOGIN_AUTHENTICATION_FAILED);
}

static void the_node_name_is_the_user_of_a_password(void **state)
{
    (void)state;
    configure("Password = usersecret12\n");
    target_host_start(&host);
    discover();
    assert_status(login(BASE ":chap"), STATUS_LOGIN_AUTHENTICATION_FAILED);
    os_mutex_lock(seen.mutex);
    assert_non_null(strstr(seen.keys, " CHAP_N=iqn."));
    os_mutex_unlock(seen.mutex);
}

/* A password for all is none for those that ask for nothing; but who is to prove itself must. */
static void a_password_for_all_shuts_out_nobody(void **state)
{
    (void)state;
    configure("Username = user\nPassword = usersecret12\n"
              "TargetName = " BASE ":b\n IncomingPassword = targetsecret\n");
    target_host_start(&host);
    discover();
    log_in(BASE ":chap");
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_listed_connection.auth_type, 1);
    log_in(BASE ":a");
    assert_int_equal(count_sessions(), 2);
    assert_int_equal(last_listed_connection.auth_type, 0);
    assert_status(login(BASE ":b"), STATUS_LOGIN_AUTHENTICATION_FAILED);
}

static void the_target_proves_itself_when_told_to(void **state)
{
    (void)state;
    configure("TargetName = " BASE ":chap\n Username = user\n Password = usersecret12\n"
              " IncomingUsername = target\n IncomingPassword = targetsecret\n");
    target_host_start(&host);
    discover();
    log_in(BASE ":chap");
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_listed_connection.auth_type, 2);
}

static void a_target_that_cannot_is_refused(const char *incoming)
{
    char text[400];
    snprintf(text, sizeof text,
             "TargetName = " BASE ":chap\n Username = user\n Password = usersecret12\n%s",
             incoming);
    configure(text);
    target_host_start(&host);
    discover();
    assert_status(login(BASE ":chap"), STATUS_TARGET_AUTHENTICATION_FAILED);
    assert_int_equal(count_sessions(), 0);
}

static void a_target_with_another_password_is_refused(void **state)
{
    (void)state;
    a_target_that_cannot_is_refused(
        " IncomingUsername = target\n IncomingPassword = othersecret1\n");
}

static void a_target_with_another_name_is_refused(void **state)
{
    (void)state;
    a_target_that_cannot_is_refused(
        " IncomingUsername = another\n IncomingPassword = targetsecret\n");
}

/* Who wants authentication must not get a login without. */
static void half_of_it_is_no_login(void **state)
{
    (void)state;
    configure("TargetName = " BASE ":a\n Username = user\n"
              "TargetName = " BASE ":b\n IncomingPassword = targetsecret\n"
              "TargetName = " BASE ":chap\n Username = user\n Password = usersecret12\n"
              " IncomingUsername = target\n");
    target_host_start(&host);
    discover();
    assert_status(login(BASE ":a"), STATUS_INVALID_TARGET_SECRET);
    assert_status(login(BASE ":b"), STATUS_INVALID_TARGET_SECRET);
    assert_status(login(BASE ":chap"), STATUS_INVALID_INITIATOR_SECRET);
    assert_int_equal(count_sessions(), 0);
}

static void a_discovery_authenticates_by_its_address(void **state)
{
    (void)state;
    target_access_add(target_access_of_discovery(host.entity), "finder", "findersecret");
    configure("DiscoveryAddress = 127.0.0.1:%u\n Username = finder\n Password = findersecret\n"
              "TargetName = " BASE ":chap\n Username = user\n Password = usersecret12\n");
    target_host_start(&host);
    discover();
    log_in(BASE ":chap");
    assert_offered("CHAP_N=user");
}

static void a_discovery_without_its_password_fails(void **state)
{
    (void)state;
    target_access_add(target_access_of_discovery(host.entity), "finder", "findersecret");
    configure("DiscoveryAddress = 127.0.0.1:1\n Username = finder\n Password = findersecret\n");
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_LOGIN_AUTHENTICATION_FAILED);
}

/* --- who has the last word --- */

static void set_parameter(const char *target, uint32_t number, uint32_t value)
{
    const struct request_set_login_parameter request = {
        .target = target, .number = number, .value = value};
    assert_status(ask(OPERATION_set_login_parameter, &request, NULL), STATUS_OK);
}

/* From the least to the most: default, global file, adapter, section, target. */
static void each_level_beats_the_one_below(void **state)
{
    (void)state;
    configure("MaxBurstLength = 300000\nMaxRecvDataSegmentLength = 30000\n"
              "TargetName = " BASE ":b\n MaxBurstLength = 500000\n");
    target_host_start(&host);
    discover();
    log_in_and_out(BASE ":a");
    assert_offered("FirstBurstLength=65536");
    assert_offered("MaxBurstLength=300000");
    set_parameter(NULL, LOGIN_PARAMETER_MAX_BURST_LENGTH, 400000);
    log_in_and_out(BASE ":a");
    assert_offered("MaxBurstLength=400000");
    assert_offered("MaxRecvDataSegmentLength=30000");
    log_in_and_out(BASE ":b");
    assert_offered("MaxBurstLength=500000");
    set_parameter(BASE ":b", LOGIN_PARAMETER_MAX_BURST_LENGTH, 600000);
    log_in_and_out(BASE ":b");
    assert_offered("MaxBurstLength=600000");
}

static void options_beat_the_file(void **state)
{
    const struct login_options none = {.specified = OPTION_HEADER_DIGEST | OPTION_AUTH_TYPE,
                                       .header_digest = 0,
                                       .auth_type = AUTH_NONE};
    const struct login_options described = {.specified = OPTION_HEADER_DIGEST, .header_digest = 0};
    const struct portal portal = {NULL, host.portal.host, host.portal.port};
    (void)state;
    configure("TargetName = " BASE ":a\n HeaderDigest = always\n Username = user\n"
              " Password = usersecret12\n");
    target_host_start(&host);
    discover();
    assert_status(login_with(BASE ":a", &none), STATUS_OK);
    settle();
    assert_offered("HeaderDigest=None");
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_listed_connection.auth_type, 0);
    assert_status(logout(&last_session), STATUS_OK);
    /* Those of a static target do, too; what they leave open is the file's. */
    describe(BASE ":a", &portal, 1, &described);
    log_in(BASE ":a");
    assert_offered("HeaderDigest=None");
    assert_offered("AuthMethod=CHAP,None");
}

static void options_of_a_portal_beat_the_file(void **state)
{
    const struct login_options digests = {.specified = OPTION_HEADER_DIGEST, .header_digest = 0};
    (void)state;
    configure("HeaderDigest = always\nDataDigest = always\n");
    target_host_start(&host);
    assert_status(add_portal_with(&host.portal, &digests), STATUS_OK);
    log_in(BASE ":a");
    assert_offered("HeaderDigest=None");
    assert_offered("DataDigest=CRC32C");
}

static void set_adapter_chap(const char *methods, uint32_t count)
{
    const struct request_set_chap_parameters chap = {
        .name = {(const uint8_t *)"user", 4}, .secret = {(const uint8_t *)"usersecret12", 12}};
    const struct request_set_auth_methods request = {.methods = {(const uint8_t *)methods, count}};
    assert_status(ask(OPERATION_set_chap_parameters, &chap, NULL), STATUS_OK);
    assert_status(ask(OPERATION_set_auth_methods, &request, NULL), STATUS_OK);
}

static void the_adapters_authentication_beats_the_files_for_all(void **state)
{
    (void)state;
    configure("Username = nobody\nPassword = nobodysecret\n"
              "TargetName = " BASE ":b\n Username = section\n");
    target_host_start(&host);
    discover();
    assert_status(login(BASE ":chap"), STATUS_LOGIN_AUTHENTICATION_FAILED);
    assert_offered("CHAP_N=nobody");
    set_adapter_chap("\x01", 1);
    log_in_and_out(BASE ":chap");
    assert_offered("CHAP_N=user");
    forget();
    login(BASE ":b"); /* whatever comes of it: the target asks for nothing */
    assert_offered("AuthMethod=CHAP,None");
    set_adapter_chap("\x00", 1);
    forget();
    assert_status(login(BASE ":chap"), STATUS_LOGIN_AUTHENTICATION_FAILED);
    assert_not_offered("AuthMethod=");
}

/* --- what it has become --- */

static char report[16384]; /* "Name=value source scope line section" lines of the latest */

static void copy_report(const void *reply)
{
    const struct reply_effective_parameters *got = reply;
    size_t used = 0;
    report[0] = '\0';
    for (uint32_t i = 0; i < got->parameters.count && used < sizeof report; i++) {
        const struct effective_parameter *row = &got->parameters.items[i];
        used +=
            (size_t)snprintf(report + used, sizeof report - used, "%s=%s %u %s %u %u\n", row->name,
                             row->value, row->source, row->scope != NULL ? row->scope : "-",
                             (unsigned)row->line, (unsigned)row->section);
    }
}

static void assert_reported(const char *line)
{
    char wanted[300];
    snprintf(wanted, sizeof wanted, "\n%s\n", line);
    if (strstr(report, wanted) == NULL)
        fail_msg("not \"%s\" but\n%swas reported", line, report);
}

static void what_each_became_is_told_and_from_where(void **state)
{
    const struct login_options none = {.specified = OPTION_HEADER_DIGEST, .header_digest = 0};
    const struct request_effective_parameters everything = {0};
    const struct request_effective_parameters of_target = {.target = BASE ":a",
                                                           .address = "127.0.0.1"};
    const struct request_effective_parameters bad = {.target = "no name"};
    (void)state;
    configure("TCPConnectTime = 7\nHeaderDigest = always\nMaxBurstLength = 300000\n"
              "TargetName = " BASE ":a\n Username = user\n Password = usersecret12\n"
              "Address = 127.0.0.1\n LoginTimeout = 9\n");
    target_host_start(&host);
    assert_status(add_portal_with(&host.portal, &none), STATUS_OK);
    assert_status(ask(OPERATION_effective_parameters, &everything, copy_report), STATUS_OK);
    assert_non_null(strstr(report, "TCPConnectTime=7 1 global 1 0\n"));
    assert_reported("WMIRequestTimeout=30 0 default 0 0");
    assert_reported("HeaderDigest=always 1 global 2 0");
    assert_reported("LoginTimeout=30 0 default 0 0");
    assert_reported("Password= 0 default 0 0");
    set_parameter(NULL, LOGIN_PARAMETER_MAX_BURST_LENGTH, 400000);
    set_parameter(BASE ":a", LOGIN_PARAMETER_ERROR_RECOVERY_LEVEL, 1);
    assert_status(ask(OPERATION_effective_parameters, &of_target, copy_report), STATUS_OK);
    assert_reported("LoginTimeout=9 1 Address 8 7");
    assert_reported("Username=user 1 TargetName 5 4");
    assert_reported("Password=(set) 1 TargetName 6 4");
    assert_reported("MaxBurstLength=400000 2 - 0 0");
    assert_reported("ErrorRecoveryLevel=1 3 - 0 0");
    assert_reported("HeaderDigest=never 4 - 0 0");
    assert_null(strstr(report, "usersecret12"));
    assert_status(ask(OPERATION_effective_parameters, &bad, NULL), STATUS_INVALID_NAME);
}

#define CONFIGURATION_TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIGURATION_TEST(numbers_and_digests_are_offered),
        CONFIGURATION_TEST(each_target_has_its_own),
        CONFIGURATION_TEST(a_smaller_longest_burst_shortens_the_first),
        CONFIGURATION_TEST(what_found_a_target_counts),
        CONFIGURATION_TEST(the_portal_counts_that_is_used),
        CONFIGURATION_TEST(buffers_may_be_small),
#ifdef __linux__
        CONFIGURATION_TEST(the_window_is_as_large_as_is_said),
#endif
        CONFIGURATION_TEST(a_stored_login_takes_them_too),
        CONFIGURATION_TEST(the_file_has_names_and_passwords),
        CONFIGURATION_TEST(a_wrong_password_is_no_login),
        CONFIGURATION_TEST(the_node_name_is_the_user_of_a_password),
        CONFIGURATION_TEST(a_password_for_all_shuts_out_nobody),
        CONFIGURATION_TEST(the_target_proves_itself_when_told_to),
        CONFIGURATION_TEST(a_target_with_another_password_is_refused),
        CONFIGURATION_TEST(a_target_with_another_name_is_refused),
        CONFIGURATION_TEST(half_of_it_is_no_login),
        CONFIGURATION_TEST(a_discovery_authenticates_by_its_address),
        CONFIGURATION_TEST(a_discovery_without_its_password_fails),
        CONFIGURATION_TEST(each_level_beats_the_one_below),
        CONFIGURATION_TEST(options_beat_the_file),
        CONFIGURATION_TEST(options_of_a_portal_beat_the_file),
        CONFIGURATION_TEST(the_adapters_authentication_beats_the_files_for_all),
        CONFIGURATION_TEST(what_each_became_is_told_and_from_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
