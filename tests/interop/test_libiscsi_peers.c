/* Initiators of libiscsi(3) at other people's targets, and at the project's own. */
#include "libiscsi_support.h"

#define BASE "iqn.2026-11.org.example"

/* Sets host and port from "127.0.0.1:3260" in the environment. False: that peer does not run. */
static bool prepare(iscsi_initiator_t *initiator, const char *variable)
{
    const char *portal = getenv(variable);
    char host[64];

    if (portal == NULL)
        return false;
    snprintf(host, sizeof host, "%.*s", (int)(strrchr(portal, ':') - portal), portal);
    assert_int_equal(iscsi_initiator_set_defaults(initiator), 1);
    INITIATOR_DOES(1, initiator, iscsi_initiator_setvar(initiator, "target hostname", host));
    INITIATOR_DOES(1, initiator,
                   iscsi_initiator_setvar(initiator, "target port", strrchr(portal, ':') + 1));
    return true;
}

static const char *const portals[] = {"TEST_EMBEDDED_PORTAL", "TEST_TGTD_PORTAL",
                                      "TEST_ISTGT_PORTAL"};
static const char *const units[] = {"TEST_EMBEDDED_LUN", "TEST_TGTD_LUN", "TEST_ISTGT_LUN"};

/* The number that a target has for the handle. */
static uint64_t number_of(iscsi_initiator_t *initiator, const char *name)
{
    for (uint64_t i = 0; i < 64; i++) {
        char variable[32];
        const char *value;

        snprintf(variable, sizeof variable, "target name %u", (unsigned)i);
        value = iscsi_initiator_getvar(initiator, variable);
        if (value == NULL)
            break;
        if (strcmp(value, name) == 0)
            return i;
    }
    fail_msg("%s was not found", name);
    return 0;
}

static void discovery_and_login(void **state)
{
    unsigned peers = 0;

    (void)state;
    for (size_t i = 0; i < sizeof portals / sizeof portals[0]; i++) {
        iscsi_initiator_t initiator;
        int lun;

        if (!prepare(&initiator, portals[i]))
            continue;
        peers++;
        lun = atoi(getenv(units[i]));
        INITIATOR_DOES(0, &initiator, iscsi_initiator_start(&initiator));
        INITIATOR_DOES(0, &initiator,
                       iscsi_initiator_discover(&initiator, NULL, ISCSI_NO_TARGET, 0));
        assert_string_equal(iscsi_initiator_getvar(&initiator, "targets"), "4");
        INITIATOR_DOES(0, &initiator,
                       iscsi_initiator_discover(&initiator, NULL,
                                                number_of(&initiator, BASE ":two-luns"), lun + 1));
        INITIATOR_DOES(
            0, &initiator,
            iscsi_initiator_discover(&initiator, NULL, number_of(&initiator, BASE ":open"), lun));
        FAILS(EACCES,
              iscsi_initiator_discover(&initiator, NULL, number_of(&initiator, BASE ":chap"), lun));
        assert_int_equal(iscsi_initiator_shutdown(&initiator), 0);
    }
    assert_int_equal(peers, 3);
}

static void chap_of_targets(void **state)
{
    (void)state;
    write_file("auths", "chapuser:chap:chapsecret123\n");
    write_file("wrong", "chapuser:chap:chapsecret124\n");
    for (size_t i = 0; i < sizeof portals / sizeof portals[0]; i++) {
        for (int right = 0; right < 2; right++) {
            iscsi_initiator_t initiator;
            uint64_t number;

            if (!prepare(&initiator, portals[i]))
                continue;
            iscsi_initiator_setvar(&initiator, "auth type", "chap");
            iscsi_initiator_setvar(&initiator, "user", "chapuser");
            iscsi_initiator_setvar(&initiator, "authfile", test_path(right ? "auths" : "wrong"));
            INITIATOR_DOES(0, &initiator, iscsi_initiator_start(&initiator));
            INITIATOR_DOES(0, &initiator,
                           iscsi_initiator_discover(&initiator, NULL, ISCSI_NO_TARGET, 0));
            number = number_of(&initiator, BASE ":chap");
            if (right)
                INITIATOR_DOES(
                    0, &initiator,
                    iscsi_initiator_discover(&initiator, NULL, number, atoi(getenv(units[i]))));
            else
                FAILS(EACCES, iscsi_initiator_discover(&initiator, NULL, number, 0));
            iscsi_initiator_shutdown(&initiator);
        }
    }
}

static void chap_of_discovery(void **state)
{
    iscsi_initiator_t initiator;

    (void)state;
    assert_true(prepare(&initiator, "TEST_TGTD_CHAPDISCOVERY_PORTAL"));
    INITIATOR_DOES(0, &initiator, iscsi_initiator_start(&initiator));
    FAILS(EACCES, iscsi_initiator_discover(&initiator, NULL, ISCSI_NO_TARGET, 0));
    iscsi_initiator_shutdown(&initiator);

    write_file("auths", "chapuser:chap:chapsecret123\n");
    prepare(&initiator, "TEST_TGTD_CHAPDISCOVERY_PORTAL");
    iscsi_initiator_setvar(&initiator, "auth type", "chap");
    iscsi_initiator_setvar(&initiator, "user", "chapuser");
    iscsi_initiator_setvar(&initiator, "authfile", test_path("auths"));
    INITIATOR_DOES(0, &initiator, iscsi_initiator_start(&initiator));
    INITIATOR_DOES(0, &initiator, iscsi_initiator_discover(&initiator, NULL, ISCSI_NO_TARGET, 0));
    assert_string_equal(iscsi_initiator_getvar(&initiator, "targets"), "1");
    iscsi_initiator_shutdown(&initiator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(discovery_and_login),
        cmocka_unit_test(chap_of_targets),
        cmocka_unit_test(chap_of_discovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
