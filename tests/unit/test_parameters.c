/* iscsi.conf: what is understood, what is refused and how the refusal reads. */
#include "os_test.h"

#include "engine/parameters.h"

#include <stdlib.h>

static char problem[256];

static enum status parse(struct parameters *parameters, const char *text)
{
    memset(problem, 0, sizeof problem);
    return parameters_parse(parameters, text, "iscsi.conf", problem, sizeof problem);
}

static void refused(const char *text, const char *expected)
{
    struct parameters parameters, defaults;
    parameters_default(&defaults);
    assert_status(parse(&parameters, text), STATUS_CONFIGURATION);
    assert_string_equal(problem, expected);
    assert_memory_equal(&parameters, &defaults, sizeof parameters);
}

static void defaults_are_those_of_windows(void **state)
{
    struct parameters parameters;
    (void)state;
    assert_status(parse(&parameters, ""), STATUS_OK);
    assert_int_equal(parameters.tcp_connect_time, 15);
    assert_int_equal(parameters.tcp_disconnect_time, 15);
    assert_int_equal(parameters.wmi_request_timeout, 30);
    assert_int_equal(parameters.login_timeout, 30);
    assert_int_equal(parameters.link_down_time, 15);
    assert_int_equal(parameters.max_request_hold_time, 60);
    assert_int_equal(parameters.delay_between_reconnect, 5);
    assert_int_equal(parameters.max_connection_retries, 0xffffffff);
    assert_int_equal(parameters.portal_retry_count, 5);
    assert_int_equal(parameters.max_pending_requests, 255);
    assert_int_equal(parameters.max_transfer_length, 1048576);
    assert_int_equal(parameters.max_burst_length, 262144);
    assert_int_equal(parameters.first_burst_length, 65536);
    assert_int_equal(parameters.max_recv_data_segment_length, 262144);
    assert_int_equal(parameters.initial_r2t, 0);
    assert_int_equal(parameters.immediate_data, 1);
    assert_int_equal(parameters.error_recovery_level, 2);
}

static void settings_are_read(void **state)
{
    struct parameters parameters;
    (void)state;
    assert_status(parse(&parameters, "# comment\n"
                                     "\n"
                                     "TCPConnectTime=3\n"
                                     "  logintimeout =  7 \t # why\r\n"
                                     "MaxConnectionRetries = 0xffffffff\n"
                                     "InitialR2T = Yes\n"
                                     "ImmediateData = no\n"
                                     "FirstBurstLength = 0x200"),
                  STATUS_OK);
    assert_int_equal(parameters.tcp_connect_time, 3);
    assert_int_equal(parameters.login_timeout, 7);
    assert_int_equal(parameters.max_connection_retries, 0xffffffff);
    assert_int_equal(parameters.initial_r2t, 1);
    assert_int_equal(parameters.immediate_data, 0);
    assert_int_equal(parameters.first_burst_length, 512);
    assert_int_equal(parameters.wmi_request_timeout, 30);
}

static void every_parameter_takes_its_limits_and_no_more(void **state)
{
    (void)state;
#define LIMIT(name, member, least, most, standard)                                                 \
    {#name, offsetof(struct parameters, member), least, most},
    static const struct {
        const char *name;
        size_t offset;
        uint64_t least, most;
    } limits[] = {PARAMETERS(LIMIT)};
#undef LIMIT
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const uint64_t tried[] = {limits[i].least, limits[i].most, limits[i].most + 1};
        for (size_t k = 0; k < 3; k++) {
            struct parameters parameters;
            char text[128];
            uint32_t got;
            snprintf(text, sizeof text, "MaxBurstLength = 16777215\n%s = %llu", limits[i].name,
                     (unsigned long long)tried[k]);
            if (strcmp(limits[i].name, "MaxBurstLength") == 0)
                snprintf(text, sizeof text, "FirstBurstLength = 512\nMaxBurstLength = %llu",
                         (unsigned long long)tried[k]);
            enum status status = parse(&parameters, text);
            if ((k < 2) != (status == STATUS_OK))
                fail_msg("\"%s\" gives %s (%s)", text, status_name(status), problem);
            memcpy(&got, (char *)&parameters + limits[i].offset, sizeof got);
            if (k < 2)
                assert_int_equal(got, tried[k]);
        }
    }
}

static void texts_are_taken_as_they_are(void **state)
{
    (void)state;
    struct parameters parameters;
    char line[256] = "ServiceGroup = ";
    assert_status(parse(&parameters, "servicegroup =  disk users # comment"), STATUS_OK);
    assert_string_equal(parameters.service_group, "disk users");
    assert_string_equal(parameters.service_read_group, "");
    assert_status(parse(&parameters, "ServiceReadGroup = 1000\nServiceLoopback = No"), STATUS_OK);
    assert_string_equal(parameters.service_group, "");
    assert_string_equal(parameters.service_read_group, "1000");
    assert_int_equal(parameters.service_loopback, 0);
    size_t used = strlen(line);
    memset(line + used, 'g', PARAMETER_TEXT_ROOM - 1);
    line[used + PARAMETER_TEXT_ROOM - 1] = '\0';
    assert_status(parse(&parameters, line), STATUS_OK);
    assert_int_equal(strlen(parameters.service_group), PARAMETER_TEXT_ROOM - 1);
    strcat(line, "g");
    refused(line, "iscsi.conf:1: not of the form \"Name = value\"");
    refused("ServiceGroup = a\nServiceGroup = b", "iscsi.conf:2: \"ServiceGroup\" is set twice");
    refused("ServiceGroup =", "iscsi.conf:1: not of the form \"Name = value\"");
}

static void mistakes_are_named_with_their_line(void **state)
{
    (void)state;
    refused("TCPConnectTime = 3\nTypo = 1\n", "iscsi.conf:2: \"Typo\" is no known parameter");
    refused("LoginTimeout = 0", "iscsi.conf:1: LoginTimeout is \"0\", not a number from 1 to 3600");
    refused("\n\nLoginTimeout = soon",
            "iscsi.conf:3: LoginTimeout is \"soon\", not a number from 1 to 3600");
    refused("LoginTimeout = -1",
            "iscsi.conf:1: LoginTimeout is \"-1\", not a number from 1 to 3600");
    refused("LoginTimeout = 99999999999999999999",
            "iscsi.conf:1: LoginTimeout is \"99999999999999999999\", not a number from 1 to 3600");
    refused("LoginTimeout = 5 s",
            "iscsi.conf:1: LoginTimeout is \"5 s\", not a number from 1 to 3600");
    refused("InitialR2T = 2", "iscsi.conf:1: InitialR2T is \"2\", not a number from 0 to 1");
    refused("LoginTimeout = Yes",
            "iscsi.conf:1: LoginTimeout is \"Yes\", not a number from 1 to 3600");
    refused("ErrorRecoveryLevel = 3",
            "iscsi.conf:1: ErrorRecoveryLevel is \"3\", not a number from 0 to 2");
    refused("LoginTimeout = 5\nlogintimeout = 6", "iscsi.conf:2: \"logintimeout\" is set twice");
    refused("LoginTimeout", "iscsi.conf:1: not of the form \"Name = value\"");
    refused("= 5", "iscsi.conf:1: not of the form \"Name = value\"");
    refused("LoginTimeout =", "iscsi.conf:1: not of the form \"Name = value\"");
    refused("LoginTimeout = # 5", "iscsi.conf:1: not of the form \"Name = value\"");
    refused("Login\x01Timeout = 5", "iscsi.conf:1: not of the form \"Name = value\"");
    refused("MaxBurstLength = 1024\nFirstBurstLength = 2048",
            "iscsi.conf: FirstBurstLength is larger than MaxBurstLength");
}

static void a_long_line_is_refused_and_the_message_fits(void **state)
{
    struct parameters parameters;
    char text[5000], small[16];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[2500] = '=';
    assert_status(parse(&parameters, text), STATUS_CONFIGURATION);
    assert_status(parameters_parse(&parameters, "Typo=1", "iscsi.conf", small, sizeof small),
                  STATUS_CONFIGURATION);
    assert_string_equal(small, "iscsi.conf:1: \"");
}

static void write_file(const char *path, const void *data, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void the_state_directory_has_the_first_say(void **state)
{
    struct parameters parameters;
    char path[600];
    const char *directory = getenv("TEST_DIR");
    (void)state;
    if (directory == NULL)
        skip();
    snprintf(path, sizeof path, "%s/iscsi.conf", directory);
    write_file(path, "LoginTimeout = 4\n", 17);
    assert_status(parameters_load(&parameters, directory, problem, sizeof problem), STATUS_OK);
    assert_int_equal(parameters.login_timeout, 4);
    write_file(path, "LoginTimeout = x\n", 17);
    assert_status(parameters_load(&parameters, directory, problem, sizeof problem),
                  STATUS_CONFIGURATION);
    assert_non_null(strstr(problem, "iscsi.conf:1: LoginTimeout"));
    write_file(path, "A\0B", 3);
    assert_status(parameters_load(&parameters, directory, problem, sizeof problem),
                  STATUS_CONFIGURATION);
    assert_non_null(strstr(problem, "not a text file"));
    remove(path);
    assert_status(parameters_load(&parameters, NULL, problem, sizeof problem), STATUS_OK);
    assert_int_equal(parameters.login_timeout, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_windows),
        cmocka_unit_test(settings_are_read),
        cmocka_unit_test(every_parameter_takes_its_limits_and_no_more),
        cmocka_unit_test(texts_are_taken_as_they_are),
        cmocka_unit_test(mistakes_are_named_with_their_line),
        cmocka_unit_test(a_long_line_is_refused_and_the_message_fits),
        cmocka_unit_test(the_state_directory_has_the_first_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
