/* Discovery, login, the session lists and logout, against every peer. */
#include "msapi_support.h"

#include <stdio.h>
#include <stdlib.h>

#define INSTANCE "Root\\ISCSIPRT\\0000_0"
#define OPEN     TARGET_BASE ":open"

static const char *const targets[] = {OPEN, TARGET_BASE ":chap", TARGET_BASE ":mutual",
                                      TARGET_BASE ":two-luns"};

static void discover(const struct peer *peer)
{
    SUCCEEDS(add_portal(&peer->portal, NULL));
}

/* --------------------------------------------------------------- discovery */

static void discovery_finds_the_targets(void **state)
{
    const struct peer *peer = *state;
    static CHAR names[65536], again[65536];
    static WCHAR wide_names[65536];
    ULONG size = 65536, again_size = 65536, wide_size = 65536;
    discover(peer);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        assert_true(target_known(targets[i]));
    SUCCEEDS(ReportIScsiTargetsA(FALSE, &size, names));
    SUCCEEDS(ReportIScsiTargetsA(FALSE, &again_size, again));
    SUCCEEDS(ReportIScsiTargetsW(FALSE, &wide_size, wide_names));
    assert_int_equal(again_size, size);
    assert_memory_equal(again, names, size);
    assert_int_equal(wide_size, size);
    for (ULONG i = 0; i < size; i++)
        assert_int_equal(wide_names[i], names[i]);
    assert_true(names[size - 1] == 0 && names[size - 2] == 0);
}

static ISDSC_STATUS targets_a(void *context, ULONG *size, void *buffer)
{
    (void)context;
    return ReportIScsiTargetsA(FALSE, size, buffer);
}

static ISDSC_STATUS targets_w(void *context, ULONG *size, void *buffer)
{
    (void)context;
    return ReportIScsiTargetsW(FALSE, size, buffer);
}

static void every_size_of_the_target_list(void **state)
{
    discover(*state);
    check_sizes("ReportIScsiTargetsA", targets_a, NULL, sizeof(CHAR));
    check_sizes("ReportIScsiTargetsW", targets_w, NULL, sizeof(WCHAR));
}

/* Off the list, but what it told stays known. */
static void a_removed_portal_leaves_its_targets(void **state)
{
    const struct peer *peer = *state;
    discover(peer);
    SUCCEEDS(remove_portal(&peer->portal));
    assert_true(target_known(OPEN));
}

static void refreshing_does_not_list(void **state)
{
    const struct peer *peer = *state;
    ISCSI_TARGET_PORTALW portal;
    ULONG count;
    fill_portal_w(&portal, &peer->portal2);
    SUCCEEDS(RefreshIScsiSendTargetPortalW(NULL, ISCSI_ALL_INITIATOR_PORTS, &portal));
    list_portals(&count);
    assert_int_equal(count, 0);
    assert_true(target_known(OPEN));
}

/* A dead portal beside a good one does not keep the list from being told. */
static void some_of_the_discovery_fails(void **state)
{
    const struct peer *peer = *state;
    struct endpoint dead = endpoint_of("TEST_REFUSED_PORTAL");
    static CHAR names[65536];
    ULONG size = 0;
    discover(peer);
    EXPECT(ISDSC_CONNECTION_FAILED, add_portal(&dead, NULL));
    EXPECT(ERROR_INSUFFICIENT_BUFFER, ReportIScsiTargetsA(TRUE, &size, NULL));
    size = 65536;
    SUCCEEDS(ReportIScsiTargetsA(TRUE, &size, names));
    assert_true(size > sizeof OPEN && size < 65536);
    assert_true(target_known(OPEN));
}

/* A forced update asks the listed portals anew, and forgets what only others told. */
static void a_forced_update_forgets(void **state)
{
    const struct peer *peer = *state;
    ULONG size = 0;
    discover(peer);
    SUCCEEDS(remove_portal(&peer->portal));
    assert_true(target_known(OPEN));
    EXPECT(ERROR_INSUFFICIENT_BUFFER, ReportIScsiTargetsA(TRUE, &size, NULL));
    assert_int_equal(size, 2);
    assert_false(target_known(OPEN));
}

/* ----------------------------------------------------------- target portals */

static char open_name[] = OPEN;

static ISDSC_STATUS target_portals_a(void *context, ULONG *size, void *buffer)
{
    return ReportIScsiTargetPortalsA(NULL, open_name, context, size, buffer);
}

static ISDSC_STATUS target_portals_w(void *context, ULONG *size, void *buffer)
{
    return ReportIScsiTargetPortalsW(wide(""), wide(OPEN), context, size, buffer);
}

static bool has_portal(const ISCSI_TARGET_PORTALA *portals, ULONG count, const struct endpoint *at)
{
    for (ULONG i = 0; i < count; i++) {
        if (strcmp(portals[i].Address, at->host) == 0 && portals[i].Socket == at->port)
            return true;
    }
    return false;
}

static void a_target_has_its_portals(void **state)
{
    const struct peer *peer = *state;
    ISCSI_TARGET_PORTALA portals[64];
    ISCSI_TARGET_PORTALW wide_portals[64];
    char upper[] = "IQN.2026-11.ORG.EXAMPLE:OPEN", instance[] = INSTANCE;
    ULONG count = 64, wide_count = 64;
    discover(peer);
    check_sizes("ReportIScsiTargetPortalsA", target_portals_a, NULL, sizeof *portals);
    check_sizes("ReportIScsiTargetPortalsW", target_portals_w, NULL, sizeof *wide_portals);
    SUCCEEDS(ReportIScsiTargetPortalsA(instance, upper, NULL, &count, portals));
    assert_true(has_portal(portals, count, &peer->portal));
    if (strcmp(peer->kind, "tgtd") != 0) /* tells only the portal it is asked at */
        assert_true(has_portal(portals, count, &peer->portal2));
    SUCCEEDS(ReportIScsiTargetPortalsW(NULL, wide(OPEN), NULL, &wide_count, wide_portals));
    assert_int_equal(wide_count, count);
    for (ULONG i = 0; i < count; i++) {
        assert_string_equal(narrow(wide_portals[i].Address), portals[i].Address);
        assert_int_equal(wide_portals[i].Socket, portals[i].Socket);
        assert_string_equal(portals[i].SymbolicName, "");
    }
}

static void portals_have_a_group(void **state)
{
    const struct peer *peer = *state;
    ISCSI_TARGET_PORTALA portals[64];
    ULONG all = 64, of_groups = 0;
    discover(peer);
    SUCCEEDS(ReportIScsiTargetPortalsA(NULL, open_name, NULL, &all, portals));
    for (USHORT tag = 0; tag < 16; tag++) {
        ULONG count = 64;
        SUCCEEDS(ReportIScsiTargetPortalsA(NULL, open_name, &tag, &count, portals));
        of_groups += count;
    }
    assert_int_equal(of_groups, all);
    USHORT nobodys = 0xFFFE;
    ULONG count = 64;
    SUCCEEDS(ReportIScsiTargetPortalsA(NULL, open_name, &nobodys, &count, portals));
    assert_int_equal(count, 0);
}

/* ------------------------------------------------------------------- login */

static void check_session(const struct peer *peer, const ISCSI_UNIQUE_SESSION_ID *id,
                          const ISCSI_UNIQUE_CONNECTION_ID *connection)
{
    static const UCHAR isid_start[] = {0x40, 0x00, 0x01, 0x37};
    static const UCHAR first_cid[] = {1, 0};
    char node[MAX_ISCSI_NAME_LEN + 1];
    PISCSI_SESSION_INFOA session = find_session(id);
    SUCCEEDS(GetIScsiInitiatorNodeNameA(node));
    assert_non_null(session);
    assert_string_equal(session->InitiatorName, node);
    assert_string_equal(session->TargetName, OPEN);
    assert_string_equal(session->TargetNodeName, OPEN);
    assert_memory_equal(session->ISID, isid_start, sizeof isid_start);
    assert_true(session->TSID[0] != 0 || session->TSID[1] != 0);
    assert_int_equal(session->ConnectionCount, 1);
    assert_memory_equal(&session->Connections[0].ConnectionId, connection, sizeof *connection);
    assert_string_equal(session->Connections[0].TargetAddress, peer->portal.host);
    assert_int_equal(session->Connections[0].TargetSocket, peer->portal.port);
    assert_memory_equal(session->Connections[0].CID, first_cid, 2);
    assert_true(session->Connections[0].InitiatorAddress[0] != '\0');
}

static void check_session_ex(const ISCSI_UNIQUE_SESSION_ID *id,
                             const ISCSI_UNIQUE_CONNECTION_ID *connection, UCHAR type)
{
    PISCSI_SESSION_INFO_EX session = find_session_ex(id);
    assert_non_null(session);
    assert_int_equal(session->Type, type);
    assert_int_equal(session->ErrorRecoveryLevel, 0);
    assert_true(session->InitialR2t <= 1 && session->ImmediateData <= 1);
    assert_int_equal(session->DataPduInOrder, 1);
    assert_int_equal(session->DataSequenceInOrder, 1);
    assert_true(session->MaxOutstandingR2t >= 1);
    assert_true(session->FirstBurstLength >= 512);
    assert_true(session->MaxBurstLength >= session->FirstBurstLength);
    assert_true(session->MaximumConnections >= 1);
    assert_int_equal(session->ConnectionCount, 1);
    assert_memory_equal(&session->Connections[0].ConnectionId, connection, sizeof *connection);
    assert_int_equal(session->Connections[0].Protocol, 6);
    assert_true(session->Connections[0].MaxRecvDataSegmentLength >= 512);
    assert_int_equal(session->Connections[0].AuthType, ISCSI_NO_AUTH_TYPE);
}

static void login_list_logout(void **state)
{
    const struct peer *peer = *state;
    ISCSI_TARGET_PORTALA portal;
    ISCSI_UNIQUE_SESSION_ID id;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    discover(peer);
    fill_portal_a(&portal, &peer->portal);
    SUCCEEDS(LoginIScsiTargetA(open_name, FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, &portal, 0, NULL,
                               NULL, 0, NULL, FALSE, &id, &connection));
    assert_int_equal(count_sessions(), 1);
    check_session(peer, &id, &connection);
    check_session_ex(&id, &connection, 2);
    SUCCEEDS(LogoutIScsiTarget(&id));
    assert_int_equal(count_sessions(), 0);
    EXPECT(ISDSC_INVALID_SESSION_ID, LogoutIScsiTarget(&id));
}

static void informational_sessions_are_told_apart(void **state)
{
    const struct peer *peer = *state;
    ISCSI_TARGET_PORTALW portal;
    ISCSI_UNIQUE_SESSION_ID id;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    discover(peer);
    fill_portal_w(&portal, &peer->portal);
    SUCCEEDS(LoginIScsiTargetW(wide(OPEN), TRUE, wide(INSTANCE), ISCSI_ANY_INITIATOR_PORT, &portal,
                               0, NULL, NULL, 0, NULL, FALSE, &id, &connection));
    check_session(peer, &id, &connection);
    check_session_ex(&id, &connection, 1);
    SUCCEEDS(LogoutIScsiTarget(&id));
}

/* No portal named: any of those that discovery told. */
static void any_portal_will_do(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID id;
    discover(peer);
    SUCCEEDS(login(OPEN, NULL, NULL, false, &id));
    assert_non_null(find_session(&id));
    SUCCEEDS(LogoutIScsiTarget(&id));
}

static void the_portal_named_is_used(void **state)
{
    const struct peer *peer = *state;
    const struct endpoint *portals[] = {&peer->portal2, &peer->portal6};
    ISCSI_UNIQUE_SESSION_ID id;
    SUCCEEDS(add_portal(&peer->portal6, NULL));
    for (int i = 0; i < 2; i++) {
        SUCCEEDS(login(OPEN, portals[i], NULL, false, &id));
        PISCSI_SESSION_INFOA session = find_session(&id);
        assert_non_null(session);
        assert_string_equal(session->Connections[0].TargetAddress, portals[i]->host);
        assert_int_equal(session->Connections[0].TargetSocket, portals[i]->port);
        SUCCEEDS(LogoutIScsiTarget(&id));
    }
}

static void a_host_name_will_do(void **state)
{
    const struct peer *peer = *state;
    struct endpoint at = peer->portal;
    ISCSI_UNIQUE_SESSION_ID id;
    snprintf(at.host, sizeof at.host, "localhost");
    SUCCEEDS(add_portal(&at, NULL));
    SUCCEEDS(login(OPEN, &at, NULL, false, &id));
    PISCSI_SESSION_INFOA session = find_session(&id);
    assert_non_null(session);
    assert_string_equal(session->Connections[0].TargetAddress, "localhost");
    SUCCEEDS(LogoutIScsiTarget(&id));
}

static void the_node_name_is_the_one_set(void **state)
{
    const struct peer *peer = *state;
    char node[] = "iqn.2026-11.org.example:client-7";
    ISCSI_UNIQUE_SESSION_ID id;
    discover(peer);
    SUCCEEDS(SetIScsiInitiatorNodeNameA(node));
    SUCCEEDS(login(OPEN, NULL, NULL, false, &id));
    PISCSI_SESSION_INFOA session = find_session(&id);
    assert_non_null(session);
    assert_string_equal(session->InitiatorName, node);
    SUCCEEDS(LogoutIScsiTarget(&id));
}

/* Each port of the instance is one of the machine's addresses; some reach a loopback target. */
static void a_port_chooses_the_source(void **state)
{
    const struct peer *peer = *state;
    ISCSI_TARGET_PORTALA portal;
    char instance[] = INSTANCE;
    ULONG port = 0, good = 0;
    ISDSC_STATUS status;
    discover(peer);
    fill_portal_a(&portal, &peer->portal);
    for (;; port++) {
        ISCSI_UNIQUE_SESSION_ID id;
        ISCSI_UNIQUE_CONNECTION_ID connection;
        status = LoginIScsiTargetA(open_name, FALSE, instance, port, &portal, 0, NULL, NULL, 0,
                                   NULL, FALSE, &id, &connection);
        if (status == ISDSC_INVALID_PORT_NUMBER || port == 1024)
            break;
        if (status != ERROR_SUCCESS)
            continue;
        PISCSI_SESSION_INFOA session = find_session(&id);
        assert_non_null(session);
        assert_string_not_equal(session->Connections[0].InitiatorAddress, "0.0.0.0");
        SUCCEEDS(LogoutIScsiTarget(&id));
        good++;
    }
    assert_int_equal(status, ISDSC_INVALID_PORT_NUMBER);
    assert_true(good >= 1);
    assert_int_equal(count_sessions(), 0);
}

/* ------------------------------------------------------- more than one session */

static void a_second_session_needs_multipath(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS options;
    ISCSI_UNIQUE_SESSION_ID first, second, third;
    memset(&options, 0, sizeof options);
    discover(peer);
    SUCCEEDS(login(OPEN, &peer->portal, NULL, false, &first));
    EXPECT(ISDSC_TARGET_ALREADY_LOGGED_IN, login(OPEN, &peer->portal, NULL, false, &second));
    EXPECT(ISDSC_TARGET_ALREADY_LOGGED_IN, login(OPEN, &peer->portal2, &options, false, &second));
    assert_int_equal(count_sessions(), 1);
    options.LoginFlags = ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED;
    SUCCEEDS(login(OPEN, &peer->portal2, &options, false, &second));
    assert_int_equal(count_sessions(), 2);
    assert_memory_not_equal(&first, &second, sizeof first);
    assert_true(first.AdapterUnique == second.AdapterUnique);
    UCHAR isid[6];
    memcpy(isid, find_session(&first)->ISID, sizeof isid);
    assert_memory_not_equal(isid, find_session(&second)->ISID, sizeof isid);
    SUCCEEDS(LogoutIScsiTarget(&first));
    assert_null(find_session(&first));
    assert_non_null(find_session(&second));
    SUCCEEDS(LogoutIScsiTarget(&second));
    SUCCEEDS(login(OPEN, &peer->portal, NULL, false, &third));
    assert_memory_not_equal(&third, &first, sizeof first);
    assert_memory_not_equal(&third, &second, sizeof first);
    SUCCEEDS(LogoutIScsiTarget(&third));
}

/* ---------------------------------------------------------- the session lists */

static ISDSC_STATUS sessions_a(void *context, ULONG *size, void *buffer)
{
    ULONG count = 0;
    ISDSC_STATUS status = GetIScsiSessionListA(size, &count, buffer);
    assert_int_equal(count, *(ULONG *)context);
    return status;
}

static ISDSC_STATUS sessions_w(void *context, ULONG *size, void *buffer)
{
    ULONG count = 0;
    ISDSC_STATUS status = GetIScsiSessionListW(size, &count, buffer);
    assert_int_equal(count, *(ULONG *)context);
    return status;
}

static ISDSC_STATUS sessions_ex(void *context, ULONG *size, void *buffer)
{
    ULONG count = 0;
    ISDSC_STATUS status = GetIScsiSessionListEx(size, &count, buffer);
    assert_int_equal(count, *(ULONG *)context);
    return status;
}

static void check_string(const char *text, const void *buffer, ULONG size)
{
    check_inside(text, 1, 1, buffer, size);
    check_inside(text, strlen(text) + 1, 1, buffer, size);
}

static void check_wide_string(const WCHAR *text, const char *expected, const void *buffer,
                              ULONG size)
{
    check_inside(text, (strlen(expected) + 1) * sizeof *text, sizeof *text, buffer, size);
    assert_string_equal(narrow(text), expected);
}

/* Both forms say the same, and every pointer stays in its buffer. */
static void check_both_forms(const ISCSI_SESSION_INFOA *ansi, ULONG size,
                             const ISCSI_SESSION_INFOW *other, ULONG wide_size, ULONG count)
{
    for (ULONG i = 0; i < count; i++) {
        const ISCSI_SESSION_INFOA *a = &ansi[i];
        const ISCSI_SESSION_INFOW *w = &other[i];
        check_string(a->InitiatorName, ansi, size);
        check_string(a->TargetName, ansi, size);
        check_string(a->TargetNodeName, ansi, size);
        check_wide_string(w->InitiatorName, a->InitiatorName, other, wide_size);
        check_wide_string(w->TargetName, a->TargetName, other, wide_size);
        check_wide_string(w->TargetNodeName, a->TargetNodeName, other, wide_size);
        assert_memory_equal(&w->SessionId, &a->SessionId, sizeof a->SessionId);
        assert_memory_equal(w->ISID, a->ISID, sizeof a->ISID);
        assert_memory_equal(w->TSID, a->TSID, sizeof a->TSID);
        assert_int_equal(w->ConnectionCount, a->ConnectionCount);
        check_inside(a->Connections, sizeof *a->Connections, 8, ansi, size);
        check_inside(w->Connections, sizeof *w->Connections, 8, other, wide_size);
        check_string(a->Connections->TargetAddress, ansi, size);
        check_string(a->Connections->InitiatorAddress, ansi, size);
        check_wide_string(w->Connections->TargetAddress, a->Connections->TargetAddress, other,
                          wide_size);
        check_wide_string(w->Connections->InitiatorAddress, a->Connections->InitiatorAddress, other,
                          wide_size);
        assert_int_equal(w->Connections->TargetSocket, a->Connections->TargetSocket);
        assert_int_equal(w->Connections->InitiatorSocket, a->Connections->InitiatorSocket);
    }
}

static void the_lists_keep_to_their_buffers(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID ids[3];
    ISCSI_LOGIN_OPTIONS options;
    ULONG expected = 3, size, wide_size, ex_size, count;
    memset(&options, 0, sizeof options);
    options.LoginFlags = ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED;
    discover(peer);
    for (int i = 0; i < 3; i++)
        SUCCEEDS(login(OPEN, &peer->portal, &options, i == 1, &ids[i]));
    check_sizes("GetIScsiSessionListA", sessions_a, &expected, 1);
    check_sizes("GetIScsiSessionListW", sessions_w, &expected, 1);
    check_sizes("GetIScsiSessionListEx", sessions_ex, &expected, 1);

    size = wide_size = ex_size = 65536;
    PISCSI_SESSION_INFOA ansi = malloc(size);
    PISCSI_SESSION_INFOW other = malloc(wide_size);
    PISCSI_SESSION_INFO_EX ex = malloc(ex_size);
    SUCCEEDS(GetIScsiSessionListA(&size, &count, ansi));
    SUCCEEDS(GetIScsiSessionListW(&wide_size, &count, other));
    SUCCEEDS(GetIScsiSessionListEx(&ex_size, &count, ex));
    check_both_forms(ansi, size, other, wide_size, count);
    for (ULONG i = 0; i < count; i++) {
        assert_memory_equal(&ex[i].SessionId, &ansi[i].SessionId, sizeof ansi[i].SessionId);
        check_inside(ex[i].Connections, sizeof *ex[i].Connections, 8, ex, ex_size);
    }
    free(ansi);
    free(other);
    free(ex);
    for (int i = 0; i < 3; i++)
        SUCCEEDS(LogoutIScsiTarget(&ids[i]));
}

/* ------------------------------------------------------------ what is refused */

static void a_closed_portal_is_told(void **state)
{
    const struct peer *peer = *state;
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    ISCSI_UNIQUE_SESSION_ID id;
    discover(peer);
    EXPECT(ISDSC_CONNECTION_FAILED, login(OPEN, &at, NULL, false, &id));
    snprintf(at.host, sizeof at.host, "no-such-host.invalid");
    EXPECT(ISDSC_DNS_NAME_UNRESOLVED, login(OPEN, &at, NULL, false, &id));
    assert_int_equal(count_sessions(), 0);
}

/* The target is known and in reach: the parameters are all that is wrong. */
static void wrong_parameters_are_told_before_anything_is_sent(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID id;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    ISCSI_TARGET_MAPPINGA mapping;
    ISCSI_TARGET_PORTALA portal;
    ISCSI_LOGIN_OPTIONS options;
    char instance[] = INSTANCE, nobody[] = "Root\\NOBODY\\0000_0";
    const ULONG any = ISCSI_ANY_INITIATOR_PORT;
    memset(&mapping, 0, sizeof mapping);
    memset(&options, 0, sizeof options);
    discover(peer);
    fill_portal_a(&portal, &peer->portal);
    EXPECT(ERROR_INVALID_PARAMETER, LoginIScsiTargetA(open_name, FALSE, NULL, 0, NULL, 0, NULL,
                                                      NULL, 0, NULL, FALSE, &id, &connection));
    EXPECT(ISDSC_INVALID_PORT_NUMBER,
           LoginIScsiTargetA(open_name, FALSE, instance, 100000, NULL, 0, NULL, NULL, 0, NULL,
                             FALSE, &id, &connection));
    EXPECT(ISDSC_INITIATOR_INSTANCE_NOT_FOUND,
           LoginIScsiTargetA(open_name, FALSE, nobody, any, NULL, 0, NULL, NULL, 0, NULL, FALSE,
                             &id, &connection));
    mapping.OSBusNumber = 256;
    EXPECT(ISDSC_TARGET_MAPPING_OUT_OF_RANGE,
           LoginIScsiTargetA(open_name, FALSE, NULL, any, NULL, 0, &mapping, NULL, 0, NULL, FALSE,
                             &id, &connection));
    options.LoginFlags = ISCSI_LOGIN_FLAG_REQUIRE_IPSEC;
    EXPECT(ISDSC_IPSEC_NOT_SUPPORTED_ON_OS, login(OPEN, NULL, &options, false, &id));
    options.LoginFlags = 0;
    options.InformationSpecified = ISCSI_LOGIN_OPTIONS_HEADER_DIGEST;
    options.HeaderDigest = (ISCSI_DIGEST_TYPES)7;
    EXPECT(ISDSC_LOGIN_USER_INFO_BAD, login(OPEN, NULL, &options, false, &id));
    memset(portal.Address, 'a', sizeof portal.Address);
    EXPECT(ERROR_INVALID_PARAMETER, LoginIScsiTargetA(open_name, FALSE, NULL, any, &portal, 0, NULL,
                                                      NULL, 0, NULL, FALSE, &id, &connection));
    assert_int_equal(count_sessions(), 0);
}

/* Nothing of a portal counts but address and port. */
static void symbolic_names_are_not_looked_at(void **state)
{
    const struct peer *peer = *state;
    ISCSI_TARGET_PORTALA portal;
    ISCSI_UNIQUE_SESSION_ID id;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    discover(peer);
    fill_portal_a(&portal, &peer->portal);
    memset(portal.SymbolicName, 0xFF, sizeof portal.SymbolicName);
    SUCCEEDS(LoginIScsiTargetA(open_name, FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, &portal, 0, NULL,
                               NULL, 0, NULL, FALSE, &id, &connection));
    SUCCEEDS(LogoutIScsiTarget(&id));
}

int main(void)
{
    static const struct peer_case cases[] = {
        PEER_CASE(discovery_finds_the_targets),
        PEER_CASE(every_size_of_the_target_list),
        PEER_CASE(a_removed_portal_leaves_its_targets),
        PEER_CASE(refreshing_does_not_list),
        PEER_CASE(some_of_the_discovery_fails),
        PEER_CASE(a_forced_update_forgets),
        PEER_CASE(a_target_has_its_portals),
        PEER_CASE(portals_have_a_group),
        PEER_CASE(login_list_logout),
        PEER_CASE(informational_sessions_are_told_apart),
        PEER_CASE(any_portal_will_do),
        PEER_CASE(the_portal_named_is_used),
        PEER_CASE(a_host_name_will_do),
        PEER_CASE(the_node_name_is_the_one_set),
        PEER_CASE(a_port_chooses_the_source),
        PEER_CASE(a_second_session_needs_multipath),
        PEER_CASE(the_lists_keep_to_their_buffers),
        PEER_CASE(a_closed_portal_is_told),
        PEER_CASE(wrong_parameters_are_told_before_anything_is_sent),
        PEER_CASE(symbolic_names_are_not_looked_at),
    };
    return run_peer_cases("msapi session", cases, sizeof cases / sizeof *cases);
}
