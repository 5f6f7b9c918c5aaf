/* RADIUS: the list of servers and their secret, and logins whose CHAP secrets a real server has
 * (TEST_FREERADIUS_SERVER and the like), against every peer. */
#include "msapi_support.h"
#include "msapi_text.h"

#include <stdio.h>
#include <stdlib.h>

#define CHAP          TARGET_BASE ":chap"
#define MUTUAL        TARGET_BASE ":mutual"
#define USER          "chapuser"
#define SECRET        "chapsecret123"
#define TARGET_USER   "targetuser"
#define TARGET_SECRET "targetsecret1"
#define RESPONSE      ISCSI_LOGIN_FLAG_USE_RADIUS_RESPONSE
#define VERIFICATION  ISCSI_LOGIN_FLAG_USE_RADIUS_VERIFICATION

static PSTR setting(const char *name)
{
    char *value = getenv(name);
    if (value == NULL)
        fail_msg("%s is not set: run this through tests/harness/run.py", name);
    return value;
}

#define SERVER (setting("TEST_FREERADIUS_SERVER"))
#define SILENT (setting("TEST_FREERADIUS_SILENT"))

static ISDSC_STATUS set_secret(const char *secret)
{
    return SetIScsiInitiatorRADIUSSharedSecret((ULONG)strlen(secret), (PUCHAR)(uintptr_t)secret);
}

/* Neither servers nor secret. */
static int start_without_servers(void **state)
{
    char list[4096];
    ULONG size = sizeof list;
    if (ReportRadiusServerListA(&size, list) != ERROR_SUCCESS)
        return -1;
    for (char *entry = list; *entry != '\0'; entry += strlen(entry) + 1) {
        if (RemoveRadiusServerA(entry) != ERROR_SUCCESS)
            return -1;
    }
    return SetIScsiInitiatorRADIUSSharedSecret(0, NULL) == ERROR_SUCCESS ? start_clean(state) : -1;
}

/* ------------------------------------------------- the list and the secret */

static const char *serversA(void), *serversW(void);

#define FORM_FILE "radius_list.inc"
#include "msapi_forms.h"

static void the_secret_has_a_length(void **state)
{
    UCHAR secret[] = "abcdefghijklmnopqrstuvwxyz0";
    (void)state;
    SUCCEEDS(SetIScsiInitiatorRADIUSSharedSecret(22, secret));
    SUCCEEDS(SetIScsiInitiatorRADIUSSharedSecret(26, secret));
    EXPECT(ERROR_INVALID_PARAMETER, SetIScsiInitiatorRADIUSSharedSecret(27, secret));
    EXPECT(ERROR_INVALID_PARAMETER, SetIScsiInitiatorRADIUSSharedSecret(21, secret));
    EXPECT(ERROR_INVALID_PARAMETER, SetIScsiInitiatorRADIUSSharedSecret(1, secret));
    EXPECT(ERROR_INVALID_PARAMETER, SetIScsiInitiatorRADIUSSharedSecret(22, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, SetIScsiInitiatorRADIUSSharedSecret(0xFFFFFFFF, secret));
    SUCCEEDS(SetIScsiInitiatorRADIUSSharedSecret(0, secret));
    SUCCEEDS(SetIScsiInitiatorRADIUSSharedSecret(0, NULL));
}

/* ------------------------------------------------------------------ logins */

static void configure(const struct peer *peer)
{
    SUCCEEDS(add_portal(&peer->portal, NULL));
    SUCCEEDS(AddRadiusServerA(SERVER));
    SUCCEEDS(set_secret(setting("TEST_FREERADIUS_SECRET")));
}

/* With the password only where the initiator has to know it. */
static ISCSI_LOGIN_OPTIONS options_with(ISCSI_AUTH_TYPES type, ISCSI_LOGIN_FLAGS flags,
                                        const char *user)
{
    ISCSI_LOGIN_OPTIONS options = chap_options(type, user, SECRET);
    options.LoginFlags = flags;
    if (flags & RESPONSE) {
        options.InformationSpecified &= ~(ULONG)ISCSI_LOGIN_OPTIONS_PASSWORD;
        options.Password = NULL;
        options.PasswordLength = 0;
    }
    return options;
}

static void lets_in(const struct peer *peer, const char *target, ISCSI_LOGIN_OPTIONS options)
{
    ISCSI_UNIQUE_SESSION_ID id;
    UCHAR status = 0xff, data[255], sense[18];
    ULONG size = sizeof data, sense_size = sizeof sense;
    SUCCEEDS(login(target, &peer->portal, &options, false, &id));
    PISCSI_SESSION_INFO_EX info = find_session_ex(&id);
    assert_non_null(info);
    assert_int_equal(info->Connections[0].AuthType, options.AuthType);
    SUCCEEDS(SendScsiInquiry(&id, peer->lun, 0, 0, &status, &size, data, &sense_size, sense));
    SUCCEEDS(LogoutIScsiTarget(&id));
}

static void refused(ISDSC_STATUS code, const struct peer *peer, const char *target,
                    ISCSI_LOGIN_OPTIONS options)
{
    ISCSI_UNIQUE_SESSION_ID id;
    EXPECT(code, login(target, &peer->portal, &options, false, &id));
    assert_int_equal(count_sessions(), 0);
}

static void the_server_makes_the_response(void **state)
{
    const struct peer *peer = *state;
    configure(peer);
    lets_in(peer, CHAP, options_with(ISCSI_CHAP_AUTH_TYPE, RESPONSE, USER));
    /* An account that there is not, and one that it makes no responses for. */
    refused(ISDSC_AUTHENTICATION_FAILURE, peer, CHAP,
            options_with(ISCSI_CHAP_AUTH_TYPE, RESPONSE, "nobody"));
    refused(ISDSC_AUTHENTICATION_FAILURE, peer, CHAP,
            options_with(ISCSI_CHAP_AUTH_TYPE, RESPONSE, TARGET_USER));
}

static void a_server_with_another_secret_does_not_get_us_in(void **state)
{
    const struct peer *peer = *state;
    configure(peer);
    SUCCEEDS(RemoveRadiusServerA(SERVER));
    SUCCEEDS(AddRadiusServerA(setting("TEST_FREERADIUS_WRONG")));
    refused(ISDSC_AUTHENTICATION_FAILURE, peer, CHAP,
            options_with(ISCSI_CHAP_AUTH_TYPE, RESPONSE, USER));
    refused(ISDSC_AUTHENTICATION_FAILURE, peer, MUTUAL,
            options_with(ISCSI_MUTUAL_CHAP_AUTH_TYPE, VERIFICATION, USER));
}

static void the_server_judges_the_target(void **state)
{
    const struct peer *peer = *state;
    configure(peer);
    lets_in(peer, MUTUAL, options_with(ISCSI_MUTUAL_CHAP_AUTH_TYPE, VERIFICATION, USER));
    ISCSI_LOGIN_OPTIONS wrong = options_with(ISCSI_MUTUAL_CHAP_AUTH_TYPE, VERIFICATION, USER);
    wrong.Password = (PUCHAR)(uintptr_t) "chapsecret124";
    refused(ISDSC_AUTHENTICATION_FAILURE, peer, MUTUAL, wrong);
    /* It cannot prove itself. */
    refused(ISDSC_AUTHENTICATION_FAILURE, peer, CHAP,
            options_with(ISCSI_MUTUAL_CHAP_AUTH_TYPE, VERIFICATION, USER));
}

static void the_server_does_both(void **state)
{
    const struct peer *peer = *state;
    configure(peer);
    lets_in(peer, MUTUAL, options_with(ISCSI_MUTUAL_CHAP_AUTH_TYPE, RESPONSE | VERIFICATION, USER));
}

/* The response by RADIUS, and the target judged by the initiator's own secret. */
static void each_secret_has_its_keeper(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS options = options_with(ISCSI_MUTUAL_CHAP_AUTH_TYPE, RESPONSE, USER);
    UCHAR right[] = TARGET_SECRET, wrong[] = "targetsecret2";
    configure(peer);
    refused(ISDSC_INVALID_INITIATOR_CHAP_SECRET, peer, MUTUAL, options);
    SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret(sizeof right - 1, right));
    lets_in(peer, MUTUAL, options);
    SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret(sizeof wrong - 1, wrong));
    refused(ISDSC_AUTHENTICATION_FAILURE, peer, MUTUAL, options);
}

static void the_next_server_is_asked(void **state)
{
    const struct peer *peer = *state;
    configure(peer);
    SUCCEEDS(RemoveRadiusServerA(SERVER));
    SUCCEEDS(AddRadiusServerA(setting("TEST_REFUSED_PORTAL"))); /* nobody, by UDP neither */
    SUCCEEDS(AddRadiusServerA(SILENT));
    SUCCEEDS(AddRadiusServerW(wide(SERVER)));
    uint64_t began = milliseconds();
    lets_in(peer, MUTUAL, options_with(ISCSI_MUTUAL_CHAP_AUTH_TYPE, RESPONSE | VERIFICATION, USER));
    assert_true(milliseconds() - began < 9000);
}

static void without_server_or_secret_nothing_is_tried(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS response = options_with(ISCSI_CHAP_AUTH_TYPE, RESPONSE, USER);
    ISCSI_LOGIN_OPTIONS verdict = options_with(ISCSI_MUTUAL_CHAP_AUTH_TYPE, VERIFICATION, USER);
    SUCCEEDS(add_portal(&peer->portal, NULL));
    refused(ISDSC_NO_AUTH_INFO_AVAILABLE, peer, CHAP, response);
    SUCCEEDS(AddRadiusServerA(SERVER));
    refused(ISDSC_NO_AUTH_INFO_AVAILABLE, peer, MUTUAL, verdict);
    SUCCEEDS(RemoveRadiusServerA(SERVER));
    SUCCEEDS(set_secret(setting("TEST_FREERADIUS_SECRET")));
    refused(ISDSC_NO_AUTH_INFO_AVAILABLE, peer, MUTUAL, verdict);
    SUCCEEDS(AddRadiusServerA(SERVER));
    lets_in(peer, CHAP, response);
}

static void a_flag_needs_its_authentication(void **state)
{
    const struct peer *peer = *state;
    configure(peer);
    refused(ISDSC_INVALID_LOGON_AUTH_TYPE, peer, CHAP,
            options_with(ISCSI_CHAP_AUTH_TYPE, VERIFICATION, USER));
    refused(ISDSC_INVALID_LOGON_AUTH_TYPE, peer, CHAP,
            options_with(ISCSI_NO_AUTH_TYPE, VERIFICATION, USER));
    refused(ISDSC_INVALID_LOGON_AUTH_TYPE, peer, CHAP,
            options_with(ISCSI_NO_AUTH_TYPE, RESPONSE, USER));
    refused(ISDSC_INVALID_CHAP_USER_NAME, peer, CHAP,
            options_with(ISCSI_CHAP_AUTH_TYPE, RESPONSE, "chap\nuser"));
}

/* ------------------------------------------- what needs one peer, or none */

static const struct peer *any_peer(void)
{
    static struct peer peers[PEERS_MAX];
    assert_true(find_peers(peers) > 0);
    return &peers[0];
}

static void servers_by_name_and_over_ipv6(void **state)
{
    char name[80];
    const struct peer *peer = any_peer();
    ISCSI_LOGIN_OPTIONS options =
        options_with(ISCSI_MUTUAL_CHAP_AUTH_TYPE, RESPONSE | VERIFICATION, USER);
    (void)state;
    configure(peer);
    SUCCEEDS(RemoveRadiusServerA(SERVER));
    SUCCEEDS(AddRadiusServerA(setting("TEST_FREERADIUS_SERVER6")));
    lets_in(peer, MUTUAL, options);
    SUCCEEDS(RemoveRadiusServerA(setting("TEST_FREERADIUS_SERVER6")));
    snprintf(name, sizeof name, "localhost%s", strrchr(SERVER, ':'));
    SUCCEEDS(AddRadiusServerA(name));
    lets_in(peer, MUTUAL, options);
}

static void silence_and_a_wrong_shared_secret_have_an_end(void **state)
{
    const struct peer *peer = any_peer();
    ISCSI_LOGIN_OPTIONS options = options_with(ISCSI_MUTUAL_CHAP_AUTH_TYPE, VERIFICATION, USER);
    (void)state;
    configure(peer);
    SUCCEEDS(AddRadiusServerA(SILENT));
    SUCCEEDS(set_secret("this is not their secret"));
    uint64_t began = milliseconds();
    refused(ISDSC_AUTHENTICATION_FAILURE, peer, MUTUAL, options);
    uint64_t took = milliseconds() - began;
    if (took < 9000 || took > 25000)
        fail_msg("it took %u ms, about 10 s expected", (unsigned)took);
    SUCCEEDS(set_secret(setting("TEST_FREERADIUS_SECRET")));
    lets_in(peer, MUTUAL, options);
}

/* A discovery session whose CHAP secrets the RADIUS server has, both of them. */
static void discovery_asks_the_server(void **state)
{
    struct endpoint at = endpoint_of("TEST_TGTD_CHAPDISCOVERY_PORTAL");
    ISCSI_LOGIN_OPTIONS options =
        options_with(ISCSI_MUTUAL_CHAP_AUTH_TYPE, RESPONSE | VERIFICATION, USER);
    ISCSI_LOGIN_OPTIONS nobody =
        options_with(ISCSI_MUTUAL_CHAP_AUTH_TYPE, RESPONSE | VERIFICATION, "nobody");
    ULONG count;
    (void)state;
    EXPECT(ISDSC_NO_AUTH_INFO_AVAILABLE, add_portal(&at, &options));
    SUCCEEDS(AddRadiusServerA(SERVER));
    SUCCEEDS(set_secret(setting("TEST_FREERADIUS_SECRET")));
    EXPECT(ISDSC_AUTHENTICATION_FAILURE, add_portal(&at, &nobody));
    SUCCEEDS(add_portal(&at, &options));
    assert_true(target_known(TARGET_BASE ":open"));
    PISCSI_TARGET_PORTAL_INFO_EXA portals = list_portals(&count);
    assert_int_equal(count, 1);
    assert_int_equal(portals[0].LoginOptions.LoginFlags, RESPONSE | VERIFICATION);
}

static void what_could_never_log_in_is_not_stored(void **state)
{
    const struct peer *peer = any_peer();
    ISCSI_LOGIN_OPTIONS options = options_with(ISCSI_CHAP_AUTH_TYPE, RESPONSE, USER);
    ISCSI_TARGET_PORTALA portal;
    ISCSI_UNIQUE_SESSION_ID session;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    char target[] = CHAP;
    (void)state;
    fill_portal_a(&portal, &peer->portal);
    EXPECT(ISDSC_NO_AUTH_INFO_AVAILABLE,
           LoginIScsiTargetA(target, FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, &portal, 0, NULL,
                             &options, 0, NULL, TRUE, &session, &connection));
    configure(peer);
    SUCCEEDS(LoginIScsiTargetA(target, FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, &portal, 0, NULL,
                               &options, 0, NULL, TRUE, &session, &connection));
    SUCCEEDS(RemoveIScsiPersistentTargetA(NULL, ISCSI_ALL_INITIATOR_PORTS, target, &portal));
}

#define ALONE(function) cmocka_unit_test_setup(function, start_without_servers)

static int run_alone(void)
{
    const struct CMUnitTest tests[] = {
        ALONE(a_list_is_keptA),
        ALONE(a_list_is_keptW),
        ALONE(an_address_has_a_formA),
        ALONE(an_address_has_a_formW),
        ALONE(the_secret_has_a_length),
        ALONE(servers_by_name_and_over_ipv6),
        ALONE(silence_and_a_wrong_shared_secret_have_an_end),
        ALONE(discovery_asks_the_server),
        ALONE(what_could_never_log_in_is_not_stored),
    };
    return cmocka_run_group_tests_name("msapi radius", tests, NULL, NULL);
}

/* Each case begins without servers and secret. */
#define CASE(function)                                                                             \
    static void clean_##function(void **state)                                                     \
    {                                                                                              \
        assert_int_equal(start_without_servers(state), 0);                                         \
        function(state);                                                                           \
    }
CASE(the_server_makes_the_response)
CASE(a_server_with_another_secret_does_not_get_us_in)
CASE(the_server_judges_the_target)
CASE(the_server_does_both)
CASE(each_secret_has_its_keeper)
CASE(the_next_server_is_asked)
CASE(without_server_or_secret_nothing_is_tried)
CASE(a_flag_needs_its_authentication)

int main(void)
{
    static const struct peer_case cases[] = {
        {"the_server_makes_the_response", clean_the_server_makes_the_response},
        {"a_server_with_another_secret_does_not_get_us_in",
         clean_a_server_with_another_secret_does_not_get_us_in},
        {"the_server_judges_the_target", clean_the_server_judges_the_target},
        {"the_server_does_both", clean_the_server_does_both},
        {"each_secret_has_its_keeper", clean_each_secret_has_its_keeper},
        {"the_next_server_is_asked", clean_the_next_server_is_asked},
        {"without_server_or_secret_nothing_is_tried",
         clean_without_server_or_secret_nothing_is_tried},
        {"a_flag_needs_its_authentication", clean_a_flag_needs_its_authentication},
    };
    return run_alone() + run_peer_cases("msapi radius", cases, sizeof cases / sizeof *cases);
}
