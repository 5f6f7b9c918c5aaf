/* AddIScsiStaticTarget and RemoveIScsiStaticTarget, and logins to what they describe. */
#include "msapi_support.h"

#include <stdio.h>
#include <stdlib.h>

#define INSTANCE "Root\\ISCSIPRT\\0000_0"

static char name[] = "iqn.2026-11.org.example:described";
static char open_name[] = TARGET_BASE ":open";
static char chap_name[] = TARGET_BASE ":chap";
static char user[] = "chapuser";
static char secret[] = "chapsecret123";

static bool is_gone(char *target)
{
    ISDSC_STATUS status = RemoveIScsiStaticTargetA(target);
    return status == ERROR_SUCCESS || status == ISDSC_TARGET_NOT_FOUND;
}

static int start_without_targets(void **state)
{
    return start_clean(state) == 0 && is_gone(name) && is_gone(open_name) && is_gone(chap_name)
               ? 0
               : -1;
}

static void fill_group_a(ISCSI_TARGET_PORTAL_GROUPA *group, const struct endpoint *at)
{
    group->Count = 1;
    fill_portal_a(&group->Portals[0], at);
    group->Portals[0].SymbolicName[0] = '\0';
}

/* Nothing but a name, and portals unless `at` is NULL. */
static void add(char *target, const struct endpoint *at, PISCSI_LOGIN_OPTIONS options)
{
    ISCSI_TARGET_PORTAL_GROUPA group;
    if (at != NULL)
        fill_group_a(&group, at);
    SUCCEEDS(AddIScsiStaticTargetA(target, NULL, 0, TRUE, NULL, options, at ? &group : NULL));
}

/* The portals that another function tells of, each as "address port ". */
static const char *portals_of(char *target)
{
    static char text[2048];
    ISCSI_TARGET_PORTALA portals[8];
    ULONG count = 8;
    SUCCEEDS(ReportIScsiTargetPortalsA(NULL, target, NULL, &count, portals));
    text[0] = '\0';
    for (ULONG i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s %u ", portals[i].Address,
                 portals[i].Socket);
    return text;
}

/* --- adding and removing --- */

static void a_target_is_listed_until_it_is_removed(void **state)
{
    static const BOOLEAN persist[] = {FALSE, TRUE, 0x40};
    (void)state;
    for (size_t i = 0; i < sizeof persist / sizeof *persist; i++) {
        assert_false(target_known(name));
        SUCCEEDS(AddIScsiStaticTargetA(name, NULL, 0, persist[i], NULL, NULL, NULL));
        assert_true(target_known(name));
        SUCCEEDS(RemoveIScsiStaticTargetW(wide("IQN.2026-11.org.example:DESCRIBED")));
        assert_false(target_known(name));
        EXPECT(ISDSC_TARGET_NOT_FOUND, RemoveIScsiStaticTargetA(name));
        EXPECT(ISDSC_TARGET_NOT_FOUND, RemoveIScsiStaticTargetW(wide(name)));
        SUCCEEDS(AddIScsiStaticTargetW(wide(name), NULL, 0, persist[i], NULL, NULL, NULL));
        assert_true(target_known(name));
        SUCCEEDS(RemoveIScsiStaticTargetA(name));
    }
}

static void a_hidden_target_is_not_listed(void **state)
{
    (void)state;
    SUCCEEDS(AddIScsiStaticTargetA(name, NULL, ISCSI_TARGET_FLAG_HIDE_STATIC_TARGET, FALSE, NULL,
                                   NULL, NULL));
    assert_false(target_known(name));
    assert_string_equal(portals_of(name), "");
    SUCCEEDS(AddIScsiStaticTargetA(name, NULL, 0, FALSE, NULL, NULL, NULL));
    assert_true(target_known(name));
}

static void portals_are_replaced_or_merged(void **state)
{
    const struct endpoint one = {"192.0.2.1", 3260}, two = {"fe80::1", 3261};
    ISCSI_TARGET_PORTAL_GROUPA group;
    ISCSI_TARGET_PORTAL_GROUPW group_w;
    (void)state;
    fill_group_a(&group, &one);
    SUCCEEDS(AddIScsiStaticTargetA(name, NULL, 0, TRUE, NULL, NULL, &group));
    assert_string_equal(portals_of(name), "192.0.2.1 3260 ");
    group_w.Count = 1;
    fill_portal_w(&group_w.Portals[0], &two);
    SUCCEEDS(AddIScsiStaticTargetW(wide(name), NULL, 0, TRUE, NULL, NULL, &group_w));
    assert_string_equal(portals_of(name), "fe80::1 3261 ");
    SUCCEEDS(AddIScsiStaticTargetA(name, NULL, ISCSI_TARGET_FLAG_MERGE_TARGET_INFORMATION, TRUE,
                                   NULL, NULL, &group));
    assert_string_equal(portals_of(name), "192.0.2.1 3260 fe80::1 3261 ");
    group.Count = 0;
    SUCCEEDS(AddIScsiStaticTargetA(name, NULL, 0, TRUE, NULL, NULL, &group));
    assert_string_equal(portals_of(name), "");
}

/* --- what is wrong --- */

static void wrong_parameters_are_refused(void **state)
{
    const struct endpoint at = {"192.0.2.1", 3260};
    ISCSI_TARGET_PORTAL_GROUPA group;
    ISCSI_TARGET_PORTAL_GROUPW group_w;
    ISCSI_LOGIN_OPTIONS options;
    char bad[] = "a b", nothing[] = "", long_name[225], long_alias[257];
    (void)state;
    memset(long_name, 'a', sizeof long_name);
    memset(long_alias, 'a', sizeof long_alias);
    long_name[224] = long_alias[256] = '\0';
#define REFUSED(code, target, alias, flags, options, group)                                        \
    EXPECT(code, AddIScsiStaticTargetA(target, alias, flags, TRUE, NULL, options, group))
    REFUSED(ERROR_INVALID_PARAMETER, NULL, NULL, 0, NULL, NULL);
    REFUSED(ERROR_INVALID_PARAMETER, nothing, NULL, 0, NULL, NULL);
    REFUSED(ISDSC_INVALID_ISCSI_NAME, bad, NULL, 0, NULL, NULL);
    REFUSED(ISDSC_INVALID_ISCSI_NAME, long_name, NULL, 0, NULL, NULL);
    REFUSED(ERROR_INVALID_PARAMETER, name, long_alias, 0, NULL, NULL);
    REFUSED(ERROR_INVALID_PARAMETER, name, NULL, 1, NULL, NULL);
    EXPECT(ERROR_INVALID_PARAMETER, AddIScsiStaticTargetW(NULL, NULL, 0, TRUE, NULL, NULL, NULL));
    EXPECT(ISDSC_INVALID_ISCSI_NAME,
           AddIScsiStaticTargetW(wide(bad), NULL, 0, TRUE, NULL, NULL, NULL));

    memset(&options, 0, sizeof options);
    options.InformationSpecified = ISCSI_LOGIN_OPTIONS_AUTH_TYPE;
    options.AuthType = (ISCSI_AUTH_TYPES)3;
    REFUSED(ISDSC_INVALID_LOGON_AUTH_TYPE, name, NULL, 0, &options, NULL);
    options.AuthType = ISCSI_CHAP_AUTH_TYPE;
    REFUSED(ISDSC_INVALID_TARGET_CHAP_SECRET, name, NULL, 0, &options, NULL);
    options.InformationSpecified = ISCSI_LOGIN_OPTIONS_MAXIMUM_CONNECTIONS;
    REFUSED(ISDSC_LOGIN_USER_INFO_BAD, name, NULL, 0, &options, NULL);

    fill_group_a(&group, &at);
    group.Count = 0xFFFFFFFF;
    REFUSED(ERROR_INVALID_PARAMETER, name, NULL, 0, NULL, &group);
    group.Count = 1;
    group.Portals[0].Socket = 0;
    REFUSED(ERROR_INVALID_PARAMETER, name, NULL, 0, NULL, &group);
    fill_group_a(&group, &at);
    memset(group.Portals[0].Address, 'a', sizeof group.Portals[0].Address);
    REFUSED(ERROR_INVALID_PARAMETER, name, NULL, 0, NULL, &group);
    group_w.Count = 1;
    fill_portal_w(&group_w.Portals[0], &at);
    memset(group_w.Portals[0].SymbolicName, 'a', sizeof group_w.Portals[0].SymbolicName);
    EXPECT(ERROR_INVALID_PARAMETER,
           AddIScsiStaticTargetW(wide(name), NULL, 0, TRUE, NULL, NULL, &group_w));

    EXPECT(ERROR_INVALID_PARAMETER, RemoveIScsiStaticTargetA(NULL));
    EXPECT(ERROR_INVALID_PARAMETER, RemoveIScsiStaticTargetW(NULL));
    EXPECT(ERROR_INVALID_PARAMETER, RemoveIScsiStaticTargetA(nothing));
    EXPECT(ISDSC_INVALID_ISCSI_NAME, RemoveIScsiStaticTargetA(bad));
    assert_false(target_known(name));
}

static void wrong_mappings_are_refused(void **state)
{
    ISCSI_TARGET_MAPPINGA mapping;
    ISCSI_TARGET_MAPPINGW mapping_w;
    SCSI_LUN_LIST luns[2];
    (void)state;
    memset(luns, 0, sizeof luns);
    memset(&mapping, 0, sizeof mapping);
    memset(&mapping_w, 0, sizeof mapping_w);
    mapping.LUNCount = 2;
#define MAPPED(code) EXPECT(code, AddIScsiStaticTargetA(name, NULL, 0, TRUE, &mapping, NULL, NULL))
    MAPPED(ISDSC_INVALID_TARGET_MAPPING); /* no list */
    mapping.LUNList = luns;
    MAPPED(ISDSC_INVALID_TARGET_MAPPING); /* the same unit twice */
    luns[1].OSLUN = 1;
    MAPPED(ISDSC_INVALID_TARGET_MAPPING);
    luns[1].TargetLUN = 1;
    mapping.OSBusNumber = 256;
    MAPPED(ISDSC_TARGET_MAPPING_OUT_OF_RANGE);
    mapping.OSBusNumber = 0;
    mapping.OSTargetNumber = 256;
    MAPPED(ISDSC_TARGET_MAPPING_OUT_OF_RANGE);
    mapping.OSTargetNumber = 0;
    mapping.LUNCount = 0xFFFFFFFF;
    MAPPED(ISDSC_TARGET_MAPPING_OUT_OF_RANGE);
    mapping_w.LUNCount = 1;
    EXPECT(ISDSC_INVALID_TARGET_MAPPING,
           AddIScsiStaticTargetW(wide(name), NULL, 0, TRUE, &mapping_w, NULL, NULL));
    memset(mapping.OSDeviceName, 'a', sizeof mapping.OSDeviceName);
    MAPPED(ERROR_INVALID_PARAMETER);
    assert_false(target_known(name));
    memset(&mapping, 0, sizeof mapping);
    MAPPED(ERROR_SUCCESS); /* of no unit */
}

/* --- logins --- */

/* What comes of CRC32C asked for: tgtd wants none unless it is told to. */
static ISCSI_DIGEST_TYPES digest_of(const struct peer *peer)
{
    return strcmp(peer->kind, "tgtd") == 0 ? ISCSI_DIGEST_TYPE_NONE : ISCSI_DIGEST_TYPE_CRC32C;
}

static void the_portals_described_are_logged_in_to(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID session;
    add(open_name, &peer->portal6, NULL);
    SUCCEEDS(login(open_name, NULL, NULL, false, &session));
    PISCSI_SESSION_INFOA info = find_session(&session);
    assert_non_null(info);
    assert_string_equal(info->TargetName, open_name);
    assert_int_equal(info->ConnectionCount, 1);
    assert_string_equal(info->Connections[0].TargetAddress, peer->portal6.host);
    assert_int_equal(info->Connections[0].TargetSocket, peer->portal6.port);
    /* It goes, and the session stays. */
    SUCCEEDS(RemoveIScsiStaticTargetA(open_name));
    assert_non_null(find_session(&session));
    EXPECT(ISDSC_TARGET_NOT_FOUND, login(open_name, &peer->portal, NULL, false, &session));
}

static void a_target_without_a_portal_needs_one_named(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID session;
    add(open_name, NULL, NULL);
    EXPECT(ISDSC_NO_PORTAL_SPECIFIED, login(open_name, NULL, NULL, false, &session));
    SUCCEEDS(login(open_name, &peer->portal, NULL, false, &session));
}

static void a_hidden_target_can_be_logged_in_to(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID session;
    SUCCEEDS(AddIScsiStaticTargetA(open_name, NULL, ISCSI_TARGET_FLAG_HIDE_STATIC_TARGET, FALSE,
                                   NULL, NULL, NULL));
    assert_false(target_known(open_name));
    SUCCEEDS(login(open_name, &peer->portal, NULL, false, &session));
    SUCCEEDS(add_portal(&peer->portal, NULL));
    assert_true(target_known(open_name));
}

static void the_options_described_are_those_of_the_login(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS options = chap_options(ISCSI_CHAP_AUTH_TYPE, user, secret);
    ISCSI_LOGIN_OPTIONS none;
    ISCSI_UNIQUE_SESSION_ID session;
    options.InformationSpecified |= ISCSI_LOGIN_OPTIONS_DATA_DIGEST;
    options.DataDigest = ISCSI_DIGEST_TYPE_CRC32C;
    SUCCEEDS(add_portal(&peer->portal, NULL));
    EXPECT(ISDSC_AUTHENTICATION_FAILURE, login(chap_name, NULL, NULL, false, &session));
    add(chap_name, NULL, &options);
    SUCCEEDS(login(chap_name, &peer->portal, NULL, false, &session));
    PISCSI_SESSION_INFO_EX info = find_session_ex(&session);
    assert_int_equal(info->Connections[0].AuthType, ISCSI_CHAP_AUTH_TYPE);
    assert_int_equal(info->Connections[0].DataDigest, digest_of(peer));
    SUCCEEDS(LogoutIScsiTarget(&session));
    /* Options that say nothing are none; options that say something are all there are. */
    memset(&none, 0, sizeof none);
    SUCCEEDS(login(chap_name, NULL, &none, false, &session));
    SUCCEEDS(LogoutIScsiTarget(&session));
    none.InformationSpecified = ISCSI_LOGIN_OPTIONS_AUTH_TYPE;
    EXPECT(ISDSC_AUTHENTICATION_FAILURE, login(chap_name, NULL, &none, false, &session));
    SUCCEEDS(RemoveIScsiStaticTargetA(chap_name));
    EXPECT(ISDSC_AUTHENTICATION_FAILURE, login(chap_name, NULL, NULL, false, &session));
}

/* The user name is the node name when none is given. The embedded target takes no such node name.
 */
static void a_password_alone_will_do(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS options = chap_options(ISCSI_CHAP_AUTH_TYPE, NULL, secret);
    ISCSI_UNIQUE_SESSION_ID session;
    if (strcmp(peer->kind, "embedded") == 0)
        return;
    add(chap_name, &peer->portal, &options);
    EXPECT(ISDSC_AUTHENTICATION_FAILURE, login(chap_name, NULL, NULL, false, &session));
    SUCCEEDS(SetIScsiInitiatorNodeNameA(user));
    SUCCEEDS(login(chap_name, NULL, NULL, false, &session));
}

/* The options that are stored with a discovery portal serve its targets too. */
static void the_options_of_the_portal_are_those_of_the_login(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS digest;
    ISCSI_UNIQUE_SESSION_ID session;
    memset(&digest, 0, sizeof digest);
    digest.InformationSpecified = ISCSI_LOGIN_OPTIONS_DATA_DIGEST;
    digest.DataDigest = ISCSI_DIGEST_TYPE_CRC32C;
    SUCCEEDS(add_portal(&peer->portal, &digest));
    SUCCEEDS(login(open_name, NULL, NULL, false, &session));
    assert_int_equal(find_session_ex(&session)->Connections[0].DataDigest, digest_of(peer));
    SUCCEEDS(LogoutIScsiTarget(&session));
    /* What is described counts more. */
    digest.DataDigest = ISCSI_DIGEST_TYPE_NONE;
    add(open_name, NULL, &digest);
    SUCCEEDS(login(open_name, NULL, NULL, false, &session));
    assert_int_equal(find_session_ex(&session)->Connections[0].DataDigest, ISCSI_DIGEST_TYPE_NONE);
}

static void a_portal_that_fails_may_be_hopped_from(void **state)
{
    const struct peer *peer = *state;
    const struct endpoint closed = endpoint_of("TEST_REFUSED_PORTAL");
    ISCSI_LOGIN_OPTIONS options;
    ISCSI_UNIQUE_SESSION_ID session;
    memset(&options, 0, sizeof options);
    SUCCEEDS(add_portal(&peer->portal, NULL));
    EXPECT(ISDSC_CONNECTION_FAILED, login(open_name, &closed, NULL, false, &session));
    EXPECT(ISDSC_CONNECTION_FAILED, login(open_name, &closed, &options, false, &session));
    options.LoginFlags = ISCSI_LOGIN_FLAG_ALLOW_PORTAL_HOPPING;
    SUCCEEDS(login(open_name, &closed, &options, false, &session));
    assert_int_equal(find_session(&session)->Connections[0].TargetSocket, peer->portal.port);
}

static void multipath_allows_a_second_session(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS options;
    ISCSI_UNIQUE_SESSION_ID first, second;
    memset(&options, 0, sizeof options);
    options.LoginFlags = ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED;
    SUCCEEDS(add_portal(&peer->portal, NULL));
    SUCCEEDS(login(open_name, NULL, NULL, false, &first));
    EXPECT(ISDSC_TARGET_ALREADY_LOGGED_IN, login(open_name, NULL, NULL, false, &second));
    add(open_name, NULL, &options);
    SUCCEEDS(login(open_name, NULL, NULL, false, &second));
    assert_int_equal(count_sessions(), 2);
    assert_memory_not_equal(&first, &second, sizeof first);
}

/* --- where a login comes from --- */

/* Logs in from one port after the other, until so many have reached the portal or there are no
 * more. How many did. */
static unsigned log_in_from(const struct endpoint *at, unsigned most)
{
    char instance[] = INSTANCE, addresses[2][64];
    bool is_ipv6 = strchr(at->host, ':') != NULL;
    unsigned reached = 0;
    for (ULONG port = 0; reached < most; port++) {
        ISCSI_TARGET_PORTALW portal;
        ISCSI_UNIQUE_SESSION_ID session;
        ISCSI_UNIQUE_CONNECTION_ID connection;
        fill_portal_w(&portal, at);
        ISDSC_STATUS status =
            LoginIScsiTargetW(wide(open_name), FALSE, wide(instance), port, &portal, 0, NULL, NULL,
                              0, NULL, FALSE, &session, &connection);
        if (status == ISDSC_INVALID_PORT_NUMBER)
            break;
        if (status != ERROR_SUCCESS) /* of the other family, or without a way to the portal */
            continue;
        const char *from = find_session(&session)->Connections[0].InitiatorAddress;
        assert_true((strchr(from, ':') != NULL) == is_ipv6);
        for (unsigned i = 0; i < reached; i++)
            assert_string_not_equal(addresses[i], from);
        snprintf(addresses[reached++], sizeof addresses[0], "%s", from);
        SUCCEEDS(LogoutIScsiTarget(&session));
    }
    return reached;
}

/* Each port is another address; those of the other family, and some of its own, do not reach it. */
static void an_initiator_port_is_where_a_login_comes_from(void **state)
{
    const struct peer *peer = *state;
    add(open_name, &peer->portal, NULL);
    assert_true(log_in_from(&peer->portal, 2) > 0);
    assert_true(log_in_from(&peer->portal6, 1) > 0);
}

/* A mapping that places no unit asks for nothing, and a version of the options is not looked at. */
static void what_asks_for_nothing_is_no_hindrance(void **state)
{
    const struct peer *peer = *state;
    ISCSI_TARGET_MAPPINGA mapping;
    ISCSI_LOGIN_OPTIONS options;
    ISCSI_UNIQUE_SESSION_ID session;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    memset(&mapping, 0, sizeof mapping);
    add(open_name, &peer->portal, NULL);
    for (ULONG version = 0; version < 2; version++) {
        memset(&options, 0, sizeof options);
        options.Version = version;
        SUCCEEDS(LoginIScsiTargetA(open_name, FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, NULL, 0,
                                   &mapping, &options, 0, NULL, FALSE, &session, &connection));
        SUCCEEDS(LogoutIScsiTarget(&session));
    }
}

#define STATIC_TEST(test) cmocka_unit_test_setup(test, start_without_targets)

/* run_peer_cases starts each case clean of everything but static targets and what was found. */
#define CLEAN_CASE(test)                                                                           \
    static void clean_##test(void **state)                                                         \
    {                                                                                              \
        assert_true(is_gone(name) && is_gone(open_name) && is_gone(chap_name));                    \
        forget_targets();                                                                          \
        test(state);                                                                               \
    }

CLEAN_CASE(the_portals_described_are_logged_in_to)
CLEAN_CASE(a_target_without_a_portal_needs_one_named)
CLEAN_CASE(a_hidden_target_can_be_logged_in_to)
CLEAN_CASE(the_options_described_are_those_of_the_login)
CLEAN_CASE(a_password_alone_will_do)
CLEAN_CASE(the_options_of_the_portal_are_those_of_the_login)
CLEAN_CASE(a_portal_that_fails_may_be_hopped_from)
CLEAN_CASE(multipath_allows_a_second_session)
CLEAN_CASE(an_initiator_port_is_where_a_login_comes_from)
CLEAN_CASE(what_asks_for_nothing_is_no_hindrance)

int main(void)
{
    static const struct peer_case cases[] = {
        PEER_CASE(clean_the_portals_described_are_logged_in_to),
        PEER_CASE(clean_a_target_without_a_portal_needs_one_named),
        PEER_CASE(clean_a_hidden_target_can_be_logged_in_to),
        PEER_CASE(clean_the_options_described_are_those_of_the_login),
        PEER_CASE(clean_a_password_alone_will_do),
        PEER_CASE(clean_the_options_of_the_portal_are_those_of_the_login),
        PEER_CASE(clean_a_portal_that_fails_may_be_hopped_from),
        PEER_CASE(clean_multipath_allows_a_second_session),
        PEER_CASE(clean_an_initiator_port_is_where_a_login_comes_from),
        PEER_CASE(clean_what_asks_for_nothing_is_no_hindrance),
    };
    const struct CMUnitTest tests[] = {
        STATIC_TEST(a_target_is_listed_until_it_is_removed),
        STATIC_TEST(a_hidden_target_is_not_listed),
        STATIC_TEST(portals_are_replaced_or_merged),
        STATIC_TEST(wrong_parameters_are_refused),
        STATIC_TEST(wrong_mappings_are_refused),
    };
    int failed = cmocka_run_group_tests_name("msapi static", tests, NULL, start_without_targets);
    return failed + run_peer_cases("msapi static at peers", cases, sizeof cases / sizeof *cases);
}
