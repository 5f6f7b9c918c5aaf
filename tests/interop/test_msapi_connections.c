/* Sessions of several connections: added, listed, removed, and under load, against every peer. */
#include "msapi_support.h"

#include <stdatomic.h>
#include <stdio.h>

#define OPEN   TARGET_BASE ":open"
#define CHAP   TARGET_BASE ":chap"
#define MUTUAL TARGET_BASE ":mutual"

enum { CONNECTIONS_MOST = 8 /* of every peer */ };

static ISCSI_UNIQUE_SESSION_ID session;
static ISCSI_UNIQUE_CONNECTION_ID leading; /* its first connection */

/* --- shorter forms --- */

static ISCSI_LOGIN_OPTIONS at_most(ULONG connections)
{
    ISCSI_LOGIN_OPTIONS options;
    memset(&options, 0, sizeof options);
    options.InformationSpecified = ISCSI_LOGIN_OPTIONS_MAXIMUM_CONNECTIONS;
    options.MaximumConnections = connections;
    return options;
}

/* Informational: nobody looks at its units meanwhile. istgt loses the commands of other connections
 * when one ends, and then takes no more. */
static void log_in(const struct peer *peer, const char *target, PISCSI_LOGIN_OPTIONS options)
{
    SUCCEEDS(add_portal(&peer->portal, NULL));
    SUCCEEDS(login(target, &peer->portal, options, true, &session));
    PISCSI_SESSION_INFOA listed = find_session(&session);
    assert_non_null(listed);
    assert_int_equal(listed->ConnectionCount, 1);
    leading = listed->Connections[0].ConnectionId;
}

/* `at` NULL: no portal is named. */
static ISDSC_STATUS add_with(const struct endpoint *at, PISCSI_LOGIN_OPTIONS options,
                             ISCSI_UNIQUE_CONNECTION_ID *connection)
{
    ISCSI_TARGET_PORTALA portal;
    if (at != NULL)
        fill_portal_a(&portal, at);
    return AddIScsiConnectionA(&session, NULL, ISCSI_ANY_INITIATOR_PORT,
                               at != NULL ? &portal : NULL, 0, options, 0, NULL, connection);
}

static ISDSC_STATUS add(const struct endpoint *at, ISCSI_UNIQUE_CONNECTION_ID *connection)
{
    return add_with(at, NULL, connection);
}

static ISDSC_STATUS add_wide(const struct endpoint *at, ISCSI_UNIQUE_CONNECTION_ID *connection)
{
    ISCSI_TARGET_PORTALW portal;
    fill_portal_w(&portal, at);
    return AddIScsiConnectionW(&session, NULL, ISCSI_ANY_INITIATOR_PORT, &portal, 0, NULL, 0, NULL,
                               connection);
}

static ISDSC_STATUS drop(ISCSI_UNIQUE_CONNECTION_ID *connection)
{
    return RemoveIScsiConnection(&session, connection);
}

static ULONG connections(void)
{
    PISCSI_SESSION_INFOA listed = find_session(&session);
    assert_non_null(listed);
    return listed->ConnectionCount;
}

static void check_connection(ULONG index, const ISCSI_UNIQUE_CONNECTION_ID *id,
                             const struct endpoint *at, UCHAR cid)
{
    PISCSI_SESSION_INFOA listed = find_session(&session);
    assert_non_null(listed);
    assert_true(index < listed->ConnectionCount);
    const ISCSI_CONNECTION_INFOA *connection = &listed->Connections[index];
    assert_memory_equal(&connection->ConnectionId, id, sizeof *id);
    assert_string_equal(connection->TargetAddress, at->host);
    assert_int_equal(connection->TargetSocket, at->port);
    assert_int_equal(connection->CID[0], cid);
    assert_int_equal(connection->CID[1], 0);
    assert_true(connection->InitiatorAddress[0] != '\0' && connection->InitiatorSocket != 0);
}

/* Does the session answer for its disk? */
static ISDSC_STATUS inquire(ULONG *length)
{
    UCHAR data[256], sense[18], scsi_status;
    ULONG sense_length = sizeof sense;
    *length = sizeof data;
    return SendScsiInquiry(&session, 0, 0, 0, &scsi_status, length, data, &sense_length, sense);
}

static void check_answers(void)
{
    ULONG length;
    SUCCEEDS(inquire(&length));
    assert_true(length >= 36);
}

/* --- adding and removing --- */

static void connections_are_added_and_listed(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_CONNECTION_ID second, third, again;
    log_in(peer, OPEN, NULL);
    SUCCEEDS(add(&peer->portal2, &second));
    SUCCEEDS(add_wide(&peer->portal6, &third));
    assert_int_equal(connections(), 3);
    check_connection(0, &leading, &peer->portal, 1);
    check_connection(1, &second, &peer->portal2, 2);
    check_connection(2, &third, &peer->portal6, 3);
    assert_true(second.AdapterUnique == session.AdapterUnique);
    assert_true(second.AdapterSpecific > leading.AdapterSpecific);
    assert_true(third.AdapterSpecific > second.AdapterSpecific);
    for (int i = 0; i < 20; i++)
        check_answers();

    SUCCEEDS(drop(&second));
    assert_int_equal(connections(), 2);
    check_connection(0, &leading, &peer->portal, 1);
    check_connection(1, &third, &peer->portal6, 3);
    EXPECT(ISDSC_INVALID_CONNECTION_ID, drop(&second));
    check_answers();

    SUCCEEDS(add(&peer->portal6, &again)); /* the lowest CID that is free */
    check_connection(2, &again, &peer->portal6, 2);
    assert_true(again.AdapterSpecific > third.AdapterSpecific);
    SUCCEEDS(LogoutIScsiTarget(&session));
    assert_int_equal(count_sessions(), 0);
}

static void each_connection_tells_what_it_negotiated(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_CONNECTION_ID second;
    ISCSI_LOGIN_OPTIONS options;
    memset(&options, 0, sizeof options);
    options.InformationSpecified =
        ISCSI_LOGIN_OPTIONS_HEADER_DIGEST | ISCSI_LOGIN_OPTIONS_DATA_DIGEST;
    log_in(peer, OPEN, &options);
    options.HeaderDigest = options.DataDigest = ISCSI_DIGEST_TYPE_CRC32C;
    SUCCEEDS(add_with(&peer->portal2, &options, &second));
    PISCSI_SESSION_INFO_EX listed = find_session_ex(&session);
    assert_non_null(listed);
    assert_int_equal(listed->ConnectionCount, 2);
    assert_int_equal(listed->MaximumConnections, CONNECTIONS_MOST);
    assert_memory_equal(&listed->Connections[0].ConnectionId, &leading, sizeof leading);
    assert_memory_equal(&listed->Connections[1].ConnectionId, &second, sizeof second);
    /* tgtd takes them only when it was told to. */
    ISCSI_DIGEST_TYPES digest =
        strcmp(peer->kind, "tgtd") == 0 ? ISCSI_DIGEST_TYPE_NONE : ISCSI_DIGEST_TYPE_CRC32C;
    for (ULONG i = 0; i < 2; i++) {
        const ISCSI_CONNECTION_INFO_EX *connection = &listed->Connections[i];
        assert_int_equal(connection->HeaderDigest, i == 0 ? ISCSI_DIGEST_TYPE_NONE : digest);
        assert_int_equal(connection->DataDigest, i == 0 ? ISCSI_DIGEST_TYPE_NONE : digest);
        assert_int_equal(connection->State, 2);
        assert_int_equal(connection->Protocol, 6);
        assert_true(connection->MaxRecvDataSegmentLength >= 512);
    }
    for (int i = 0; i < 20; i++)
        check_answers();
    SUCCEEDS(LogoutIScsiTarget(&session));
}

/* Then it is the portal that the session uses already. */
static void without_a_portal_the_session_s_is_used(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    ISCSI_TARGET_PORTALA nowhere;
    log_in(peer, OPEN, NULL);
    SUCCEEDS(add(NULL, &connection));
    check_connection(1, &connection, &peer->portal, 2);
    memset(&nowhere, 0, sizeof nowhere);
    SUCCEEDS(AddIScsiConnectionA(&session, NULL, ISCSI_ANY_INITIATOR_PORT, &nowhere, 0, NULL, 0,
                                 NULL, &connection));
    check_connection(2, &connection, &peer->portal, 3);
    SUCCEEDS(LogoutIScsiTarget(&session));
}

/* Microsoft's own tool passes a name in Reserved; the id is not wanted by everybody. */
static void reserved_and_the_id_may_be_anything(void **state)
{
    const struct peer *peer = *state;
    char garbage[] = "Root\\ISCSIPRT\\0000_0", key[] = "a preshared key";
    ISCSI_TARGET_PORTALA portal;
    log_in(peer, OPEN, NULL);
    fill_portal_a(&portal, &peer->portal2);
    SUCCEEDS(AddIScsiConnectionA(&session, garbage, ISCSI_ANY_INITIATOR_PORT, &portal, 0, NULL,
                                 sizeof key, key, NULL));
    assert_int_equal(connections(), 2);
    SUCCEEDS(LogoutIScsiTarget(&session));
}

/* Each port is one of the machine's addresses; some reach a loopback target. */
static void a_port_chooses_the_source(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    ISCSI_TARGET_PORTALA portal;
    ULONG port = 0, good = 0;
    ISDSC_STATUS status;
    log_in(peer, OPEN, NULL);
    fill_portal_a(&portal, &peer->portal2);
    for (;; port++) {
        status = AddIScsiConnectionA(&session, NULL, port, &portal, 0, NULL, 0, NULL, &connection);
        if (status == ISDSC_INVALID_PORT_NUMBER || port == 1024)
            break;
        if (status != ERROR_SUCCESS)
            continue;
        assert_int_equal(connections(), 2);
        SUCCEEDS(drop(&connection));
        good++;
    }
    assert_int_equal(status, ISDSC_INVALID_PORT_NUMBER);
    assert_true(good >= 1);
    SUCCEEDS(LogoutIScsiTarget(&session));
}

/* --- authentication --- */

static void who_we_are_is_as_at_the_login(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    ISCSI_LOGIN_OPTIONS right = chap_options(ISCSI_CHAP_AUTH_TYPE, "chapuser", "chapsecret123");
    ISCSI_LOGIN_OPTIONS wrong = chap_options(ISCSI_CHAP_AUTH_TYPE, "chapuser", "wrongsecret12");
    ISCSI_LOGIN_OPTIONS none;
    memset(&none, 0, sizeof none);
    log_in(peer, CHAP, &right);
    SUCCEEDS(add(&peer->portal2, &connection));             /* as the session did */
    SUCCEEDS(add_with(&peer->portal2, &none, &connection)); /* options that leave it open */
    SUCCEEDS(add_with(&peer->portal2, &right, &connection));
    assert_int_equal(connections(), 4);
    check_answers();
    EXPECT(ISDSC_AUTHENTICATION_FAILURE, add_with(&peer->portal2, &wrong, &connection));
    none.InformationSpecified = ISCSI_LOGIN_OPTIONS_AUTH_TYPE;
    EXPECT(ISDSC_AUTHENTICATION_FAILURE, add_with(&peer->portal2, &none, &connection));
    assert_int_equal(connections(), 4);
    PISCSI_SESSION_INFO_EX listed = find_session_ex(&session);
    assert_non_null(listed);
    for (ULONG i = 0; i < listed->ConnectionCount; i++)
        assert_int_equal(listed->Connections[i].AuthType, ISCSI_CHAP_AUTH_TYPE);
    if (strcmp(peer->kind, "istgt") != 0) /* it may forget a command when a connection is refused */
        check_answers();
    SUCCEEDS(LogoutIScsiTarget(&session));
}

static void both_sides_prove_themselves_on_each_connection(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    UCHAR secret[] = "targetsecret1", other[] = "othersecret12";
    ISCSI_LOGIN_OPTIONS options =
        chap_options(ISCSI_MUTUAL_CHAP_AUTH_TYPE, "chapuser", "chapsecret123");
    SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret(sizeof secret - 1, secret));
    log_in(peer, MUTUAL, &options);
    SUCCEEDS(add(&peer->portal2, &connection));
    SUCCEEDS(add_with(&peer->portal2, &options, &connection));
    SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret(sizeof other - 1, other));
    EXPECT(ISDSC_AUTHENTICATION_FAILURE, add_with(&peer->portal2, &options, &connection));
    SUCCEEDS(add(&peer->portal2, &connection)); /* the session's login knew the right one */
    assert_int_equal(connections(), 4);
    SUCCEEDS(LogoutIScsiTarget(&session));
}

/* --- what is refused --- */

static void no_more_than_were_negotiated(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_CONNECTION_ID second, third;
    ISCSI_LOGIN_OPTIONS options = at_most(2);
    log_in(peer, OPEN, &options);
    SUCCEEDS(add(&peer->portal2, &second));
    EXPECT(ISDSC_TOO_MANY_CONNECTIONS, add(&peer->portal2, &third));
    SUCCEEDS(drop(&second));
    SUCCEEDS(add(&peer->portal2, &third));
    EXPECT(ISDSC_TOO_MANY_CONNECTIONS, add(&peer->portal2, &second));
    SUCCEEDS(LogoutIScsiTarget(&session));
    options = at_most(1);
    log_in(peer, OPEN, &options);
    EXPECT(ISDSC_TOO_MANY_CONNECTIONS, add(&peer->portal2, &second));
    SUCCEEDS(LogoutIScsiTarget(&session));
}

static void sessions_that_are_not_there(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_CONNECTION_ID connection = {0};
    ISCSI_UNIQUE_SESSION_ID good;
    log_in(peer, OPEN, NULL);
    good = session;
    session.AdapterSpecific += 1000;
    EXPECT(ISDSC_INVALID_SESSION_ID, add(&peer->portal2, &connection));
    EXPECT(ISDSC_INVALID_SESSION_ID, drop(&leading));
    session = good;
    session.AdapterUnique++;
    EXPECT(ISDSC_INVALID_SESSION_ID, add(&peer->portal2, &connection));
    session = good;
    SUCCEEDS(LogoutIScsiTarget(&session));
    EXPECT(ISDSC_INVALID_SESSION_ID, add(&peer->portal2, &connection));
    EXPECT(ISDSC_INVALID_SESSION_ID, drop(&leading));
}

static void what_may_not_be_removed(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_CONNECTION_ID second, unknown = {0};
    log_in(peer, OPEN, NULL);
    EXPECT(ISDSC_CANT_REMOVE_LAST_CONNECTION, drop(&leading));
    EXPECT(ISDSC_INVALID_CONNECTION_ID, drop(&unknown));
    SUCCEEDS(add(&peer->portal2, &second));
    EXPECT(ISDSC_CANNOT_REMOVE_LEADING_CONNECTION, drop(&leading));
    unknown = second;
    unknown.AdapterSpecific++;
    EXPECT(ISDSC_INVALID_CONNECTION_ID, drop(&unknown));
    EXPECT(ERROR_INVALID_PARAMETER, RemoveIScsiConnection(NULL, &second));
    EXPECT(ERROR_INVALID_PARAMETER, RemoveIScsiConnection(&session, NULL));
    assert_int_equal(connections(), 2);
    SUCCEEDS(drop(&second));
    EXPECT(ISDSC_CANT_REMOVE_LAST_CONNECTION, drop(&leading));
    SUCCEEDS(LogoutIScsiTarget(&session));
}

static void wrong_portals_are_told(void **state)
{
    const struct peer *peer = *state;
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    ISCSI_UNIQUE_CONNECTION_ID connection;
    ISCSI_TARGET_PORTALA portal;
    log_in(peer, OPEN, NULL);
    EXPECT(ISDSC_CONNECTION_FAILED, add(&at, &connection));
    snprintf(at.host, sizeof at.host, "no-such-host.invalid");
    EXPECT(ISDSC_DNS_NAME_UNRESOLVED, add(&at, &connection));
    snprintf(at.host, sizeof at.host, "not a host");
    EXPECT(ERROR_INVALID_PARAMETER, add(&at, &connection));
    at = peer->portal2;
    at.port = 0;
    EXPECT(ERROR_INVALID_PARAMETER, add_wide(&at, &connection));
    memset(&portal, 'a', sizeof portal); /* does not end */
    EXPECT(ERROR_INVALID_PARAMETER, AddIScsiConnectionA(&session, NULL, ISCSI_ANY_INITIATOR_PORT,
                                                        &portal, 0, NULL, 0, NULL, &connection));
    assert_int_equal(connections(), 1);
    check_answers();
    SUCCEEDS(LogoutIScsiTarget(&session));
}

static ISDSC_STATUS add_secured(const struct peer *peer, ISCSI_SECURITY_FLAGS flags)
{
    ISCSI_TARGET_PORTALW portal;
    fill_portal_w(&portal, &peer->portal2);
    return AddIScsiConnectionW(&session, NULL, ISCSI_ANY_INITIATOR_PORT, &portal, flags, NULL, 0,
                               NULL, NULL);
}

static void wrong_options_are_told(void **state)
{
    const struct peer *peer = *state;
    const struct endpoint *at = &peer->portal2;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    ISCSI_LOGIN_OPTIONS options;
    log_in(peer, OPEN, NULL);
    memset(&options, 0, sizeof options);
    options.LoginFlags = ISCSI_LOGIN_FLAG_REQUIRE_IPSEC;
    EXPECT(ISDSC_IPSEC_NOT_SUPPORTED_ON_OS, add_with(at, &options, &connection));
    EXPECT(ISDSC_IPSEC_NOT_SUPPORTED_ON_OS,
           add_secured(peer, ISCSI_SECURITY_FLAG_VALID | ISCSI_SECURITY_FLAG_IKE_IPSEC_ENABLED));
    options.LoginFlags = 0;
    options.InformationSpecified = ISCSI_LOGIN_OPTIONS_DATA_DIGEST;
    options.DataDigest = (ISCSI_DIGEST_TYPES)7;
    EXPECT(ISDSC_LOGIN_USER_INFO_BAD, add_with(at, &options, &connection));
    options = at_most(0);
    EXPECT(ISDSC_LOGIN_USER_INFO_BAD, add_with(at, &options, &connection));
    options = chap_options((ISCSI_AUTH_TYPES)3, "chapuser", "chapsecret123");
    EXPECT(ISDSC_INVALID_LOGON_AUTH_TYPE, add_with(at, &options, &connection));
    options = chap_options(ISCSI_CHAP_AUTH_TYPE, "chapuser", "short");
    EXPECT(ISDSC_INVALID_TARGET_CHAP_SECRET, add_with(at, &options, &connection));
    options = chap_options(ISCSI_CHAP_AUTH_TYPE, "", "chapsecret123");
    EXPECT(ISDSC_INVALID_CHAP_USER_NAME, add_with(at, &options, &connection));
    options = chap_options(ISCSI_MUTUAL_CHAP_AUTH_TYPE, "chapuser", "chapsecret123");
    EXPECT(ISDSC_INVALID_INITIATOR_CHAP_SECRET, add_with(at, &options, &connection));
    EXPECT(ERROR_INVALID_PARAMETER, AddIScsiConnectionA(&session, NULL, ISCSI_ANY_INITIATOR_PORT,
                                                        NULL, 0, NULL, 5, NULL, &connection));
    EXPECT(ERROR_INVALID_PARAMETER, AddIScsiConnectionA(NULL, NULL, ISCSI_ANY_INITIATOR_PORT, NULL,
                                                        0, NULL, 0, NULL, &connection));
    EXPECT(ERROR_INVALID_PARAMETER, AddIScsiConnectionW(NULL, NULL, ISCSI_ANY_INITIATOR_PORT, NULL,
                                                        0, NULL, 0, NULL, &connection));
    assert_int_equal(connections(), 1);
    check_answers();
    SUCCEEDS(LogoutIScsiTarget(&session));
}

/* --- the lists --- */

static ISDSC_STATUS sessions_w(void *context, ULONG *size, void *buffer)
{
    ULONG count = 0;
    (void)context;
    return GetIScsiSessionListW(size, &count, buffer);
}

static ISDSC_STATUS sessions_ex(void *context, ULONG *size, void *buffer)
{
    ULONG count = 0;
    (void)context;
    return GetIScsiSessionListEx(size, &count, buffer);
}

static void the_lists_keep_to_their_buffers(void **state)
{
    const struct peer *peer = *state;
    ULONG count;
    log_in(peer, OPEN, NULL);
    for (int i = 1; i < CONNECTIONS_MOST; i++)
        SUCCEEDS(add(&peer->portal2, NULL));
    EXPECT(ISDSC_TOO_MANY_CONNECTIONS, add(&peer->portal2, NULL));
    check_sizes("GetIScsiSessionListW", sessions_w, NULL, 1);
    check_sizes("GetIScsiSessionListEx", sessions_ex, NULL, 1);
    PISCSI_SESSION_INFOA listed = list_sessions(&count);
    assert_int_equal(count, 1);
    assert_int_equal(listed->ConnectionCount, CONNECTIONS_MOST);
    for (UCHAR i = 0; i < CONNECTIONS_MOST; i++)
        assert_int_equal(listed->Connections[i].CID[0], i + 1);
    SUCCEEDS(LogoutIScsiTarget(&session));
    assert_int_equal(count_sessions(), 0);
}

/* --- under load --- */

enum { WORKERS = 4, ROUNDS = 16, PER_ROUND = 40 /* answers */ };

static struct {
    atomic_bool stop;
    atomic_uint answers;
    atomic_uint failure; /* the first code that is none of success */
} load;

static void work(void *argument)
{
    (void)argument;
    while (!load.stop) {
        ULONG length;
        ISDSC_STATUS status = inquire(&length);
        unsigned good = 0;
        if (status == ERROR_SUCCESS && length < 36)
            status = ERROR_INVALID_DATA;
        if (status != ERROR_SUCCESS)
            atomic_compare_exchange_strong(&load.failure, &good, status);
        load.answers++;
    }
}

static void wait_for_answers(unsigned more)
{
    unsigned wanted = load.answers + more;
    uint64_t end = milliseconds() + 20000;
    while (load.answers < wanted && load.failure == 0) {
        if (milliseconds() > end)
            fail_msg("the commands hang: %u answers, %u expected", (unsigned)load.answers, wanted);
    }
    if (load.failure != 0)
        fail_msg("a command ended with 0x%08x", (unsigned)load.failure);
}

static struct thread *workers[WORKERS];

static void start_load(void)
{
    load.stop = false;
    load.answers = load.failure = 0;
    for (int i = 0; i < WORKERS; i++)
        workers[i] = thread_start(work, NULL);
}

static void stop_load(void)
{
    load.stop = true;
    for (int i = 0; i < WORKERS; i++)
        thread_join(workers[i]);
    assert_int_equal(load.failure, 0);
}

/* No command may be lost, wherever it runs when its connection goes. istgt forgets commands of
 * other connections when one goes: it has none then. */
static void connections_come_and_go_under_load(void **state)
{
    const struct peer *peer = *state;
    bool forgetful = strcmp(peer->kind, "istgt") == 0;
    ISCSI_UNIQUE_CONNECTION_ID added[3];
    log_in(peer, OPEN, NULL);
    start_load();
    for (int round = 0; round < (forgetful ? ROUNDS / 4 : ROUNDS); round++) {
        for (int i = 0; i < 3; i++) {
            SUCCEEDS(add(i == 0 ? &peer->portal : &peer->portal2, &added[i]));
            wait_for_answers(PER_ROUND);
        }
        assert_int_equal(connections(), 4);
        if (forgetful)
            stop_load();
        for (int i = 0; i < 3; i++) {
            SUCCEEDS(drop(&added[(i + round) % 3]));
            if (!forgetful)
                wait_for_answers(PER_ROUND);
        }
        assert_int_equal(connections(), 1);
        if (forgetful)
            start_load();
    }
    stop_load();
    SUCCEEDS(LogoutIScsiTarget(&session));
}

int main(void)
{
    static const struct peer_case cases[] = {
        PEER_CASE(connections_are_added_and_listed),
        PEER_CASE(each_connection_tells_what_it_negotiated),
        PEER_CASE(without_a_portal_the_session_s_is_used),
        PEER_CASE(reserved_and_the_id_may_be_anything),
        PEER_CASE(a_port_chooses_the_source),
        PEER_CASE(who_we_are_is_as_at_the_login),
        PEER_CASE(both_sides_prove_themselves_on_each_connection),
        PEER_CASE(no_more_than_were_negotiated),
        PEER_CASE(sessions_that_are_not_there),
        PEER_CASE(what_may_not_be_removed),
        PEER_CASE(wrong_portals_are_told),
        PEER_CASE(wrong_options_are_told),
        PEER_CASE(the_lists_keep_to_their_buffers),
        PEER_CASE(connections_come_and_go_under_load),
    };
    return run_peer_cases("msapi connections", cases, sizeof cases / sizeof *cases);
}
