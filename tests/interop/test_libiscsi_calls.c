/* Every call of libiscsi(3), as programs written for NetBSD make them, and what each refuses. */
#include "libiscsi_support.h"

#define IQN "iqn.1994-04.org.netbsd.iscsi-target"

/* --- as in the manual: defaults, variables, start, and so on --- */

static void target_and_initiator(void **state)
{
    struct served served;
    iscsi_initiator_t initiator;
    char host[] = "127.0.0.1";

    (void)state;
    served_prepare(&served, "extent0 ram: 0 1MB\ntarget0 rw extent0 any\n");
    served_start(&served);
    prepare_initiator(&initiator, &served);
    INITIATOR_DOES(0, &initiator, iscsi_initiator_start(&initiator));
    INITIATOR_DOES(0, &initiator, iscsi_initiator_discover(&initiator, host, 0, 0));
    assert_string_equal(iscsi_initiator_getvar(&initiator, "targets"), "1");
    assert_string_equal(iscsi_initiator_getvar(&initiator, "target name 0"), IQN ":target0");
    assert_string_equal(iscsi_initiator_getvar(&initiator, "target address 0"),
                        iscsi_target_getvar(&served.target, "target address"));
    assert_int_equal(iscsi_initiator_shutdown(&initiator), 0);
    served_stop(&served);
}

static void targets_from_a_file(void **state)
{
    struct served served;
    iscsi_initiator_t initiator;
    char text[3000];

    (void)state;
    snprintf(text, sizeof text,
             "extent0 %s 0 64KB\nextent1 %s 0 64KB\ndevice0 RAID1 extent0 extent1\n"
             "extent2 %s 512 2MB\n"
             "target0=iqn.2026-11.org.example:mirror rw device0 127/8\n"
             "target1 ro extent2 any\n",
             test_path("copy0"), test_path("copy1"), test_path("disk"));
    write_file("disk", "");
    FILE *disk = fopen(test_path("disk"), "wb");
    assert_non_null(disk);
    for (unsigned i = 0; i < 512 + (2u << 20); i++)
        fputc(0, disk);
    assert_int_equal(fclose(disk), 0);
    write_file("targets", text);

    served_prepare(&served, "");
    TARGET_DOES(1, &served.target,
                iscsi_target_setvar(&served.target, "configfile", test_path("targets")));
    iscsi_target_shutdown(&served.target);
    assert_int_equal(iscsi_target_set_defaults(&served.target), 1);
    iscsi_target_setvar(&served.target, "configfile", test_path("targets"));
    iscsi_target_setvar(&served.target, "target port", "0");
    iscsi_target_setvar(&served.target, "listen address", "127.0.0.1");
    iscsi_target_setvar(&served.target, "iqn", "iqn.2026-11.org.example");
    served_start(&served);

    prepare_initiator(&initiator, &served);
    INITIATOR_DOES(0, &initiator, iscsi_initiator_start(&initiator));
    INITIATOR_DOES(0, &initiator, iscsi_initiator_discover(&initiator, NULL, 0, 0));
    INITIATOR_DOES(0, &initiator, iscsi_initiator_discover(&initiator, NULL, 1, 0));
    assert_string_equal(iscsi_initiator_getvar(&initiator, "targets"), "2");
    assert_string_equal(iscsi_initiator_getvar(&initiator, "target name 0"),
                        "iqn.2026-11.org.example:mirror");
    assert_string_equal(iscsi_initiator_getvar(&initiator, "target name 1"),
                        "iqn.2026-11.org.example:target1");
    iscsi_initiator_shutdown(&initiator);
    assert_null(iscsi_target_getvar(&served.target, "lost copies"));
    served_stop(&served);
}

static void several_units(void **state)
{
    struct served served;
    iscsi_initiator_t initiator;

    (void)state;
    served_prepare(&served, "extent0 ram: 0 1MB\nextent1 ram: 0 1MB\n"
                            "target0 rw extent0 any\ntarget0 rw extent1 any\n");
    served_start(&served);
    prepare_initiator(&initiator, &served);
    INITIATOR_DOES(0, &initiator, iscsi_initiator_start(&initiator));
    INITIATOR_DOES(0, &initiator, iscsi_initiator_discover(&initiator, NULL, 0, 1));
    FAILS(ENXIO, iscsi_initiator_discover(&initiator, NULL, 0, 2));
    FAILS(ENODEV, iscsi_initiator_discover(&initiator, NULL, 1, 0));
    iscsi_initiator_shutdown(&initiator);
    served_stop(&served);
}

/* --- variables --- */

static void defaults(void **state)
{
    static const char *const target_values[][2] = {
        {"iqn", IQN},           {"target port", "3260"},
        {"max sessions", "16"}, {"configfile", "/etc/iscsi/targets"},
        {"blocklen", "512"},    {"address family", "unspec"},
        {"debug", NULL},        {"target address", NULL},
    };
    static const char *const initiator_values[][2] = {
        {"target hostname", "localhost"},
        {"target port", "3260"},
        {"address family", "unspec"},
        {"auth type", "none"},
        {"mutual auth", "none"},
        {"digest type", "none"},
        {"user", NULL},
        {"targets", NULL},
    };
    iscsi_target_t target;
    iscsi_initiator_t initiator;

    (void)state;
    assert_int_equal(iscsi_target_set_defaults(&target), 1);
    for (size_t i = 0; i < sizeof target_values / sizeof target_values[0]; i++) {
        char *value = iscsi_target_getvar(&target, target_values[i][0]);

        assert_int_equal(errno, 0);
        if (target_values[i][1] == NULL)
            assert_null(value);
        else
            assert_string_equal(value, target_values[i][1]);
    }
    assert_int_equal(iscsi_initiator_set_defaults(&initiator), 1);
    for (size_t i = 0; i < sizeof initiator_values / sizeof initiator_values[0]; i++) {
        char *value = iscsi_initiator_getvar(&initiator, initiator_values[i][0]);

        assert_int_equal(errno, 0);
        if (initiator_values[i][1] == NULL)
            assert_null(value);
        else
            assert_string_equal(value, initiator_values[i][1]);
    }
    assert_int_equal(iscsi_target_shutdown(&target), 0);
    assert_int_equal(iscsi_initiator_shutdown(&initiator), 0);
}

/* Values that a variable takes, and such that it does not. */
static const struct {
    bool of_target;
    const char *name;
    const char *good[6];
    const char *bad[6];
} values[] = {
    {true, "iqn", {"iqn.2026-11.org.example:x", "eui.0123456789abcdef"}, {"", "target0", "iqn x"}},
    {true, "target port", {"0", "1", "65535"}, {"", "65536", "-1", "x", "3260x"}},
    {true, "address family", {"unspec", "4", "6", "inet", "inet6"}, {"", "5", "IPv4"}},
    {true, "max sessions", {"1", "127", "65535"}, {"", "0", "-1", "65536", "many"}},
    {true, "configfile", {"/x"}, {""}},
    {true, "blocklen", {"512", "1024", "2048", "4096", "8192"}, {"", "513", "0", "16384", "256"}},
    {true, "debug", {"net", "iscsi", "scsi", "all"}, {"", "none"}},
    {true, "auth type", {"none", "chap"}, {"", "CHAP", "srp", "kerberos"}},
    {false, "target hostname", {"localhost", "::1"}, {""}},
    {false, "target port", {"1", "65535"}, {"", "0", "65536"}},
    {false, "address family", {"unspec", "4", "6"}, {"", "7"}},
    {false, "auth type", {"none", "chap", "kerberos", "srp"}, {"", "md5"}},
    {false, "mutual auth", {"none", "chap"}, {"", "yes"}},
    {false, "digest type", {"none", "header", "data", "both", "all"}, {"", "crc32c"}},
    {false, "user", {"agc"}, {""}},
};

static void try_values(iscsi_target_t *target, iscsi_initiator_t *initiator, size_t row)
{
    for (size_t i = 0; i < 6; i++) {
        const char *good = values[row].good[i], *bad = values[row].bad[i];
        const char *name = values[row].name;

        if (good != NULL && values[row].of_target) {
            TARGET_DOES(1, target, iscsi_target_setvar(target, name, good));
            assert_string_equal(iscsi_target_getvar(target, name), good);
        } else if (good != NULL) {
            INITIATOR_DOES(1, initiator, iscsi_initiator_setvar(initiator, name, good));
            assert_string_equal(iscsi_initiator_getvar(initiator, name), good);
        }
        if (bad != NULL && values[row].of_target)
            FAILS(EINVAL, iscsi_target_setvar(target, name, bad));
        else if (bad != NULL)
            FAILS(EINVAL, iscsi_initiator_setvar(initiator, name, bad));
    }
}

static void good_and_bad_values(void **state)
{
    iscsi_target_t target;
    iscsi_initiator_t initiator;

    (void)state;
    iscsi_target_set_defaults(&target);
    iscsi_initiator_set_defaults(&initiator);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        try_values(&target, &initiator, i);
    FAILS(EINVAL, iscsi_target_setvar(&target, "blocklen", "513"));
    assert_string_equal(iscsi_target_getvar(&target, "error"),
                        "\"513\" is not a value for \"blocklen\"");
    iscsi_target_shutdown(&target);
    iscsi_initiator_shutdown(&initiator);
}

static void unknown_names(void **state)
{
    iscsi_target_t target;
    iscsi_initiator_t initiator;

    (void)state;
    iscsi_target_set_defaults(&target);
    iscsi_initiator_set_defaults(&initiator);
    FAILS(ENOENT, iscsi_target_setvar(&target, "target  port", "1"));
    assert_string_equal(iscsi_target_getvar(&target, "error"),
                        "there is no variable \"target  port\"");
    FAILS(ENOENT, iscsi_initiator_setvar(&initiator, "iqn", "iqn.x"));
    FAILS(EPERM, iscsi_target_setvar(&target, "target address", "x"));
    FAILS(EPERM, iscsi_initiator_setvar(&initiator, "targets", "1"));
    assert_null(iscsi_target_getvar(&target, "nothing"));
    assert_int_equal(errno, ENOENT);
    assert_null(iscsi_initiator_getvar(&initiator, "target name 0"));
    assert_int_equal(errno, ENOENT);
    assert_null(iscsi_initiator_getvar(&initiator, "target name x"));
    assert_int_equal(errno, ENOENT);
    iscsi_target_shutdown(&target);
    iscsi_initiator_shutdown(&initiator);
}

static void null_and_handles_that_are_not_set_up(void **state)
{
    iscsi_target_t target = {0};
    iscsi_initiator_t initiator = {0};

    (void)state;
    FAILS(EINVAL, iscsi_target_set_defaults(NULL));
    FAILS(EINVAL, iscsi_target_start(NULL));
    FAILS(EINVAL, iscsi_target_start(&target));
    FAILS(EINVAL, iscsi_target_listen(NULL));
    FAILS(EINVAL, iscsi_target_listen(&target));
    FAILS(EINVAL, iscsi_target_shutdown(NULL));
    FAILS(EINVAL, iscsi_target_shutdown(&target));
    FAILS(EINVAL, iscsi_target_setvar(&target, "iqn", "iqn.2026-11.x"));
    assert_null(iscsi_target_getvar(&target, "iqn"));
    assert_int_equal(errno, EINVAL);
    FAILS(EINVAL, iscsi_initiator_set_defaults(NULL));
    FAILS(EINVAL, iscsi_initiator_start(&initiator));
    FAILS(EINVAL, iscsi_initiator_discover(&initiator, NULL, 0, 0));
    FAILS(EINVAL, iscsi_initiator_shutdown(&initiator));
    FAILS(EINVAL, iscsi_initiator_setvar(&initiator, "user", "x"));
    assert_null(iscsi_initiator_getvar(&initiator, "user"));

    iscsi_target_set_defaults(&target);
    FAILS(EINVAL, iscsi_target_setvar(&target, NULL, "x"));
    FAILS(EINVAL, iscsi_target_setvar(&target, "iqn", NULL));
    assert_null(iscsi_target_getvar(&target, NULL));
    FAILS(EINVAL, iscsi_target_listen(&target)); /* not started */
    assert_int_equal(iscsi_target_shutdown(&target), 0);
    FAILS(EINVAL, iscsi_target_shutdown(&target));
    iscsi_initiator_set_defaults(&initiator);
    FAILS(EINVAL, iscsi_initiator_discover(&initiator, NULL, 0, 0)); /* not started */
    iscsi_initiator_shutdown(&initiator);
}

/* --- starts that fail, and what is said --- */

static const struct {
    const char *text;
    int error;
    const char *message;
} starts[] = {
    {"", EINVAL, "targets: there is no target in it"},
    {"extent0 ram: 0 1MB\n", EINVAL, "targets: there is no target in it"},
    {"extent0 ram: 0 1MB\ntarget0 xx extent0 any\n", EINVAL, "targets:2: xx is neither ro nor rw"},
    {"extent0 /no/such/file 0 size\ntarget0 rw extent0 any\n", EIO, "targets:1: /no/such/file: "},
    {"extent0 ram: 0 100\ntarget0 rw extent0 any\n", EINVAL,
     "targets:2: target0 is smaller than a block"},
    {"extent0 ram: 0 1MB\nextent1 ram: 0 2MB\ndevice0 RAID1 extent0 extent1\n"
     "target0 rw device0 any\n",
     EINVAL, "targets:3: device0: the copies are not of the same size"},
    {"extent0 ram: 0 1MB\ntarget0=nonsense rw extent0 any\n", EINVAL, "targets:2: target0: "},
    {"extent0 ram: 0 1MB\nextent1 ram: 0 1MB\ntarget0=iqn.2026-11.x rw extent0 any\n"
     "target1=iqn.2026-11.x rw extent1 any\n",
     EEXIST, "targets:4: target1: "},
};

static void starts_that_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct served served;
        const char *message;

        served_prepare(&served, starts[i].text);
        errno = 0;
        assert_int_equal(iscsi_target_start(&served.target), -1);
        message = iscsi_target_getvar(&served.target, "error");
        assert_non_null(message);
        if (strncmp(message, starts[i].message, strlen(starts[i].message)) != 0)
            fail_msg("expected \"%s\", got \"%s\"", starts[i].message, message);
        /* What was wrong can be mended. */
        TARGET_DOES(1, &served.target,
                    iscsi_target_setvar(&served.target, "targets",
                                        "extent0 ram: 0 1MB\ntarget0 rw extent0 any\n"));
        TARGET_DOES(0, &served.target, iscsi_target_start(&served.target));
        FAILS(EBUSY, iscsi_target_start(&served.target));
        FAILS(EBUSY, iscsi_target_setvar(&served.target, "iqn", "iqn.2026-11.x"));
        iscsi_target_shutdown(&served.target);
    }
}

static void no_such_file(void **state)
{
    iscsi_target_t target;

    (void)state;
    iscsi_target_set_defaults(&target);
    iscsi_target_setvar(&target, "configfile", test_path("nothing"));
    FAILS(ENOENT, iscsi_target_start(&target));
    assert_non_null(strstr(iscsi_target_getvar(&target, "error"), "there is no such file"));
    iscsi_target_shutdown(&target);
}

static void port_that_is_taken(void **state)
{
    struct served one, other;

    (void)state;
    served_prepare(&one, "extent0 ram: 0 1MB\ntarget0 rw extent0 any\n");
    served_start(&one);
    served_prepare(&other, "extent0 ram: 0 1MB\ntarget0 rw extent0 any\n");
    iscsi_target_setvar(&other.target, "target port", one.port);
    FAILS(EADDRINUSE, iscsi_target_start(&other.target));
    assert_non_null(strstr(iscsi_target_getvar(&other.target, "error"), "the port is taken"));
    iscsi_target_setvar(&other.target, "target port", "0");
    iscsi_target_setvar(&other.target, "listen address", "nonsense");
    FAILS(EADDRNOTAVAIL, iscsi_target_start(&other.target));
    iscsi_target_shutdown(&other.target);
    served_stop(&one);
}

static void initiator_starts_that_fail(void **state)
{
    iscsi_initiator_t initiator;

    (void)state;
    iscsi_initiator_set_defaults(&initiator);
    iscsi_initiator_setvar(&initiator, "auth type", "kerberos");
    FAILS(ENOTSUP, iscsi_initiator_start(&initiator));
    assert_string_equal(iscsi_initiator_getvar(&initiator, "error"),
                        "auth type kerberos is not offered");
    iscsi_initiator_setvar(&initiator, "auth type", "chap");
    FAILS(EINVAL, iscsi_initiator_start(&initiator));
    iscsi_initiator_setvar(&initiator, "user", "alice");
    iscsi_initiator_setvar(&initiator, "authfile", test_path("nothing"));
    FAILS(ENOENT, iscsi_initiator_start(&initiator));
    write_file("auths", "alice:chap\n");
    iscsi_initiator_setvar(&initiator, "authfile", test_path("auths"));
    FAILS(EINVAL, iscsi_initiator_start(&initiator));
    write_file("auths", "bob:chap:bobssecret123\n");
    FAILS(ENOENT, iscsi_initiator_start(&initiator));
    iscsi_initiator_setvar(&initiator, "auth type", "none");
    iscsi_initiator_setvar(&initiator, "mutual auth", "chap");
    FAILS(EINVAL, iscsi_initiator_start(&initiator));
    iscsi_initiator_setvar(&initiator, "mutual auth", "none");
    INITIATOR_DOES(0, &initiator, iscsi_initiator_start(&initiator));
    FAILS(EBUSY, iscsi_initiator_start(&initiator));
    FAILS(EBUSY, iscsi_initiator_setvar(&initiator, "user", "x"));
    iscsi_initiator_shutdown(&initiator);
}

static void nobody_answers(void **state)
{
    iscsi_initiator_t initiator;
    const char *refused = getenv("TEST_REFUSED_PORTAL");

    (void)state;
    assert_non_null(refused);
    iscsi_initiator_set_defaults(&initiator);
    iscsi_initiator_setvar(&initiator, "target hostname", "127.0.0.1");
    INITIATOR_DOES(1, &initiator,
                   iscsi_initiator_setvar(&initiator, "target port", strrchr(refused, ':') + 1));
    INITIATOR_DOES(0, &initiator, iscsi_initiator_start(&initiator));
    FAILS(ECONNREFUSED, iscsi_initiator_discover(&initiator, NULL, 0, 0));
    FAILS(EINVAL, iscsi_initiator_discover(&initiator, NULL, 0, -1));
    iscsi_initiator_shutdown(&initiator);
}

static void pidfile(void **state)
{
    char line[64] = "";
    FILE *file;

    (void)state;
    iscsi_target_write_pidfile(test_path("pid"));
    file = fopen(test_path("pid"), "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    assert_true(atol(line) > 0);
    errno = 0;
    iscsi_target_write_pidfile(test_path("no/such/place"));
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(target_and_initiator),
        cmocka_unit_test(targets_from_a_file),
        cmocka_unit_test(several_units),
        cmocka_unit_test(defaults),
        cmocka_unit_test(good_and_bad_values),
        cmocka_unit_test(unknown_names),
        cmocka_unit_test(null_and_handles_that_are_not_set_up),
        cmocka_unit_test(starts_that_fail),
        cmocka_unit_test(no_such_file),
        cmocka_unit_test(port_that_is_taken),
        cmocka_unit_test(initiator_starts_that_fail),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(pidfile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
