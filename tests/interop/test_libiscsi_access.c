/* Who may use a target of libiscsi(3), and many of them in one process. */
#include "libiscsi_support.h"

#include "iscsidsc.h"
#include "iscsierr.h"

enum { CROWD = 8, ROUNDS = 3 };

/* Discovers and logs in to target 0. Returns the errno. */
static int visit(iscsi_initiator_t *initiator)
{
    INITIATOR_DOES(0, initiator, iscsi_initiator_start(initiator));
    errno = 0;
    return iscsi_initiator_discover(initiator, NULL, 0, 0) == 0 ? 0 : errno;
}

/* --- networks --- */

static void netmasks(void **state)
{
    struct served served;
    iscsi_initiator_t initiator;

    (void)state;
    served_prepare(&served, "extent0 ram: 0 1MB\nextent1 ram: 0 1MB\nextent2 ram: 0 1MB\n"
                            "target0 rw extent0 10/8\ntarget1 rw extent1 127.0.0.0/8\n"
                            "target2 rw extent2 ::1\n");
    served_start(&served);
    prepare_initiator(&initiator, &served);
    assert_int_equal(visit(&initiator), 0);
    assert_string_equal(iscsi_initiator_getvar(&initiator, "targets"), "1");
    assert_non_null(strstr(iscsi_initiator_getvar(&initiator, "target name 0"), ":target1"));
    iscsi_initiator_shutdown(&initiator);
    served_stop(&served);
}

/* --- accounts --- */

static void prepare_chap(struct served *served, const char *mutual)
{
    write_file("auths", "alice:chap:alicessecret1\nbob:chap:bobssecret123\n");
    served_prepare(served, "extent0 ram: 0 1MB\ntarget0 rw extent0 any\n");
    iscsi_target_setvar(&served->target, "auth type", "chap");
    TARGET_DOES(1, &served->target,
                iscsi_target_setvar(&served->target, "authfile", test_path("auths")));
    if (mutual != NULL)
        iscsi_target_setvar(&served->target, "mutual user", mutual);
    served_start(served);
}

static void prepare_user(iscsi_initiator_t *initiator, const struct served *served,
                         const char *user, const char *auths)
{
    prepare_initiator(initiator, served);
    iscsi_initiator_setvar(initiator, "auth type", "chap");
    iscsi_initiator_setvar(initiator, "user", user);
    INITIATOR_DOES(1, initiator, iscsi_initiator_setvar(initiator, "authfile", test_path(auths)));
}

static void chap(void **state)
{
    struct served served;
    iscsi_initiator_t initiator;

    (void)state;
    prepare_chap(&served, NULL);
    prepare_user(&initiator, &served, "bob", "auths");
    assert_int_equal(visit(&initiator), 0);
    iscsi_initiator_shutdown(&initiator);

    prepare_initiator(&initiator, &served);
    assert_int_equal(visit(&initiator), EACCES);
    iscsi_initiator_shutdown(&initiator);

    write_file("wrong", "bob:chap:bobssecret124\n");
    prepare_user(&initiator, &served, "bob", "wrong");
    assert_int_equal(visit(&initiator), EACCES);
    iscsi_initiator_shutdown(&initiator);
    served_stop(&served);
}

static void set_secret(const char *secret)
{
    UCHAR bytes[16];
    size_t length = strlen(secret);
    memcpy(bytes, secret, length);
    assert_int_equal(SetIScsiInitiatorCHAPSharedSecret((ULONG)length, length > 0 ? bytes : NULL),
                     ERROR_SUCCESS);
}

/* The initiator's secret is the engine's, and not that of any account. */
static void both_prove_themselves(void **state)
{
    static const struct {
        const char *secret;
        int error;
    } rows[] = {
        {"alicessecret1", 0},
        {"alicessecret2", EACCES},
        {"bobssecret123", EINVAL}, /* RFC 7143, 9.2.1: the secrets have to differ */
    };
    struct served served;
    iscsi_initiator_t initiator;

    (void)state;
    prepare_chap(&served, "alice");
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        set_secret(rows[i].secret);
        prepare_user(&initiator, &served, "bob", "auths");
        iscsi_initiator_setvar(&initiator, "mutual auth", "chap");
        assert_int_equal(visit(&initiator), rows[i].error);
        iscsi_initiator_shutdown(&initiator);
    }
    set_secret("");
    served_stop(&served);
}

static void accounts_that_are_not_there(void **state)
{
    struct served served;

    (void)state;
    write_file("auths", "alice:chap:alicessecret1\n");
    served_prepare(&served, "extent0 ram: 0 1MB\ntarget0 rw extent0 any\n");
    iscsi_target_setvar(&served.target, "auth type", "chap");
    iscsi_target_setvar(&served.target, "authfile", test_path("auths"));
    iscsi_target_setvar(&served.target, "mutual user", "bob");
    FAILS(ENOENT, iscsi_target_start(&served.target));
    assert_non_null(strstr(iscsi_target_getvar(&served.target, "error"), "no user bob"));
    iscsi_target_setvar(&served.target, "mutual user", "alice"); /* and nobody else */
    FAILS(ENOENT, iscsi_target_start(&served.target));
    iscsi_target_shutdown(&served.target);
}

/* --- how many --- */

static void max_sessions(void **state)
{
    struct served served;
    iscsi_initiator_t first, second;

    (void)state;
    served_prepare(&served, "extent0 ram: 0 1MB\nextent1 ram: 0 1MB\n"
                            "target0 rw extent0 any\ntarget1 rw extent1 any\n");
    iscsi_target_setvar(&served.target, "max sessions", "2");
    served_start(&served);
    prepare_initiator(&first, &served);
    assert_int_equal(visit(&first), 0);
    prepare_initiator(&second, &served);
    INITIATOR_DOES(0, &second, iscsi_initiator_start(&second));
    INITIATOR_DOES(0, &second, iscsi_initiator_discover(&second, NULL, 1, 0));
    /* Both places are taken: there is none for a discovery. */
    FAILS(EAGAIN, iscsi_initiator_discover(&second, NULL, ISCSI_NO_TARGET, 0));
    iscsi_initiator_shutdown(&first);
    INITIATOR_DOES(0, &second, iscsi_initiator_discover(&second, NULL, ISCSI_NO_TARGET, 0));
    iscsi_initiator_shutdown(&second);
    served_stop(&served);
}

static void digests(void **state)
{
    static const char *const types[] = {"none", "header", "data", "both", "all"};
    struct served served;

    (void)state;
    served_prepare(&served, "extent0 ram: 0 1MB\ntarget0 rw extent0 any\n");
    served_start(&served);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        iscsi_initiator_t initiator;

        prepare_initiator(&initiator, &served);
        iscsi_initiator_setvar(&initiator, "digest type", types[i]);
        assert_int_equal(visit(&initiator), 0);
        iscsi_initiator_shutdown(&initiator);
    }
    served_stop(&served);
}

static void address_families(void **state)
{
    struct served served;
    iscsi_initiator_t initiator;

    (void)state;
    served_prepare(&served, "extent0 ram: 0 1MB\ntarget0 rw extent0 any\n");
    served_start(&served);
    prepare_initiator(&initiator, &served);
    iscsi_initiator_setvar(&initiator, "address family", "4");
    assert_int_equal(visit(&initiator), 0);
    iscsi_initiator_shutdown(&initiator);
    prepare_initiator(&initiator, &served);
    iscsi_initiator_setvar(&initiator, "address family", "6");
    assert_int_equal(visit(&initiator), EAFNOSUPPORT); /* 127.0.0.1 is not of that family */
    iscsi_initiator_shutdown(&initiator);
    served_stop(&served);

    served_prepare(&served, "extent0 ram: 0 1MB\ntarget0 rw extent0 any\n");
    iscsi_target_setvar(&served.target, "listen address", "127.0.0.1 ::1");
    if (iscsi_target_start(&served.target) == -1) {
        print_message("no IPv6 here: %s\n", iscsi_target_getvar(&served.target, "error"));
        iscsi_target_shutdown(&served.target);
        return;
    }
    iscsi_target_shutdown(&served.target);
    served_prepare(&served, "extent0 ram: 0 1MB\ntarget0 rw extent0 ::1/128\n");
    iscsi_target_setvar(&served.target, "listen address", "::1");
    served_start(&served);
    prepare_initiator(&initiator, &served);
    iscsi_initiator_setvar(&initiator, "target hostname", "::1");
    iscsi_initiator_setvar(&initiator, "address family", "6");
    assert_int_equal(visit(&initiator), 0);
    assert_non_null(strstr(iscsi_initiator_getvar(&initiator, "target address 0"), "[::1]:"));
    iscsi_initiator_shutdown(&initiator);
    served_stop(&served);
}

/* --- many at once --- */

struct member {
    int number;
    int failures;
};

/* Targets that come and go, each with an initiator, beside those of other threads. */
static void live(void *argument)
{
    struct member *member = argument;

    for (int round = 0; round < ROUNDS; round++) {
        struct served served;
        iscsi_initiator_t initiator;
        char iqn[64];

        served_prepare(&served, "extent0 ram: 0 1MB\ntarget0 rw extent0 any\n");
        snprintf(iqn, sizeof iqn, "iqn.2026-11.org.example:crowd-%d-%d", member->number, round);
        iscsi_target_setvar(&served.target, "iqn", iqn);
        served_start(&served);
        prepare_initiator(&initiator, &served);
        member->failures += iscsi_initiator_start(&initiator) != 0;
        member->failures += iscsi_initiator_discover(&initiator, NULL, 0, 0) != 0;
        member->failures += strcmp(iscsi_initiator_getvar(&initiator, "targets"), "1") != 0;
        member->failures +=
            strncmp(iscsi_initiator_getvar(&initiator, "target name 0"), iqn, strlen(iqn)) != 0;
        member->failures += iscsi_initiator_shutdown(&initiator) != 0;
        served_stop(&served);
    }
}

static void a_crowd(void **state)
{
    struct thread *threads[CROWD];
    struct member members[CROWD];

    (void)state;
    for (int i = 0; i < CROWD; i++) {
        members[i] = (struct member){i, 0};
        threads[i] = thread_start(live, &members[i]);
    }
    for (int i = 0; i < CROWD; i++)
        thread_join(threads[i]);
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(members[i].failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(netmasks),
        cmocka_unit_test(chap),
        cmocka_unit_test(both_prove_themselves),
        cmocka_unit_test(accounts_that_are_not_there),
        cmocka_unit_test(max_sessions),
        cmocka_unit_test(digests),
        cmocka_unit_test(address_families),
        cmocka_unit_test(a_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
