/* Peers that ask for more than usual, say nothing, or misbehave. */
#include "msapi_support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define OPEN TARGET_BASE ":open"

/* Seconds that login, command and logout may take here; and milliseconds that no call may exceed.
 */
enum { DEADLINE = 2, BOUND = 4 * DEADLINE * 1000 + 4000 };

/* Windows' defaults are tens of seconds: too long to wait for in tests. */
static int set_deadlines(void **state)
{
    (void)state;
    char path[1024];
    const char *directory = getenv("ISCSIDSC_STATE");
    snprintf(path, sizeof path, "%s/iscsi.conf", directory != NULL ? directory : ".");
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return -1;
    fprintf(file,
            "LoginTimeout = %d\nTCPConnectTime = %d\nWMIRequestTimeout = %d\n"
            "TCPDisconnectTime = %d\n",
            DEADLINE, DEADLINE, DEADLINE, DEADLINE);
    return fclose(file);
}

/* ----------------------------------------------------------------- digests */

static void digests_that_are_demanded(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_TGTD_DIGEST_PORTAL");
    ISCSI_LOGIN_OPTIONS options;
    ISCSI_UNIQUE_SESSION_ID id;
    UCHAR status, data[255], sense[18];
    ULONG size = sizeof data, sense_size = sizeof sense;
    memset(&options, 0, sizeof options);
    options.InformationSpecified =
        ISCSI_LOGIN_OPTIONS_HEADER_DIGEST | ISCSI_LOGIN_OPTIONS_DATA_DIGEST;
    options.HeaderDigest = options.DataDigest = ISCSI_DIGEST_TYPE_CRC32C;
    SUCCEEDS(add_portal(&at, NULL));
    SUCCEEDS(login(OPEN, &at, &options, false, &id));
    PISCSI_SESSION_INFO_EX session = find_session_ex(&id);
    assert_non_null(session);
    assert_int_equal(session->Connections[0].HeaderDigest, ISCSI_DIGEST_TYPE_CRC32C);
    assert_int_equal(session->Connections[0].DataDigest, ISCSI_DIGEST_TYPE_CRC32C);
    SUCCEEDS(SendScsiInquiry(&id, 1, 0, 0, &status, &size, data, &sense_size, sense));
    SUCCEEDS(LogoutIScsiTarget(&id));
}

/* ------------------------------------------------------- discovery by CHAP */

static ISDSC_STATUS discover_as(ISCSI_AUTH_TYPES type, const char *user, const char *secret)
{
    struct endpoint at = endpoint_of("TEST_TGTD_CHAPDISCOVERY_PORTAL");
    ISCSI_LOGIN_OPTIONS options = chap_options(type, user, secret);
    return add_portal(&at, &options);
}

static void discovery_that_demands_chap(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_TGTD_CHAPDISCOVERY_PORTAL");
    UCHAR proof[] = "targetsecret1", other_proof[] = "targetsecret2";
    ULONG count, size = 0;
    EXPECT(ERROR_INSUFFICIENT_BUFFER, ReportIScsiTargetsA(TRUE, &size, NULL)); /* forgets */
    EXPECT(ISDSC_AUTHENTICATION_FAILURE, add_portal(&at, NULL));
    EXPECT(ISDSC_AUTHENTICATION_FAILURE,
           discover_as(ISCSI_CHAP_AUTH_TYPE, "chapuser", "chapsecret124"));
    list_portals(&count);
    assert_int_equal(count, 1);
    assert_false(target_known(OPEN));
    SUCCEEDS(discover_as(ISCSI_CHAP_AUTH_TYPE, "chapuser", "chapsecret123"));
    assert_true(target_known(OPEN));
    SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret(13, proof));
    SUCCEEDS(discover_as(ISCSI_MUTUAL_CHAP_AUTH_TYPE, "chapuser", "chapsecret123"));
    SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret(13, other_proof));
    EXPECT(ISDSC_AUTHENTICATION_FAILURE,
           discover_as(ISCSI_MUTUAL_CHAP_AUTH_TYPE, "chapuser", "chapsecret123"));
    list_portals(&count);
    assert_int_equal(count, 1);
}

/* A listed portal is refreshed with the options it was listed with. */
static void refreshing_uses_what_is_stored(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_TGTD_CHAPDISCOVERY_PORTAL");
    ISCSI_TARGET_PORTALA portal;
    fill_portal_a(&portal, &at);
    EXPECT(ISDSC_AUTHENTICATION_FAILURE,
           RefreshIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, &portal));
    SUCCEEDS(discover_as(ISCSI_CHAP_AUTH_TYPE, "chapuser", "chapsecret123"));
    SUCCEEDS(RefreshIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, &portal));
}

/* ------------------------------------------------------------------ silence */

static void silence_ends_at_the_deadline(void **state)
{
    (void)state;
    struct endpoint silent = endpoint_of("TEST_SILENT_PORTAL");
    struct peer peers[PEERS_MAX];
    ISCSI_UNIQUE_SESSION_ID id;
    uint64_t start = milliseconds();
    EXPECT(ERROR_SEM_TIMEOUT, add_portal(&silent, NULL));
    assert_true(milliseconds() - start >= DEADLINE * 1000 - 100);
    assert_true(milliseconds() - start < BOUND);
    assert_true(find_peers(peers) > 0);
    SUCCEEDS(add_portal(&peers[0].portal, NULL));
    start = milliseconds();
    EXPECT(ERROR_SEM_TIMEOUT, login(OPEN, &silent, NULL, false, &id));
    assert_true(milliseconds() - start < BOUND);
    assert_int_equal(count_sessions(), 0);
}

/* While one caller waits for a silent portal others are served. */
static void wait_for_silence(void *argument)
{
    ISCSI_TARGET_PORTALA portal;
    struct endpoint silent = endpoint_of("TEST_SILENT_PORTAL");
    fill_portal_a(&portal, &silent);
    *(ISDSC_STATUS *)argument =
        RefreshIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, &portal);
}

static void others_do_not_wait(void **state)
{
    (void)state;
    ISDSC_STATUS status = 0;
    struct thread *waiting = thread_start(wait_for_silence, &status);
    uint64_t start = milliseconds();
    for (int i = 0; i < 100; i++)
        assert_int_equal(count_sessions(), 0);
    assert_true(milliseconds() - start < DEADLINE * 1000);
    thread_join(waiting);
    EXPECT(ERROR_SEM_TIMEOUT, status);
}

/* --------------------------------------------------------------- misbehaviour */

enum { CASES_MOST = 1024, VISITORS = 32 };

struct visit {
    char name[128];
    struct endpoint at;
    const char *late; /* what took too long, NULL if nothing did */
};

static struct visit visits[CASES_MOST];
static int visit_count;
static atomic_int next_visit, sessions_made;

static void check_time(struct visit *visit, const char *what, uint64_t start)
{
    if (milliseconds() - start > BOUND && visit->late == NULL)
        visit->late = what;
}

static void use_session(struct visit *visit, ISCSI_UNIQUE_SESSION_ID *id)
{
    UCHAR status, data[255], sense[18];
    ULONG size = sizeof data, sense_size = sizeof sense;
    uint64_t start = milliseconds();
    SendScsiInquiry(id, 0, 0, 0, &status, &size, data, &sense_size, sense);
    check_time(visit, "INQUIRY", start);
    start = milliseconds();
    LogoutIScsiTarget(id);
    check_time(visit, "logout", start);
}

/* What a caller would do with any target, as far as it gets. */
static void visit_one(struct visit *visit)
{
    ISCSI_UNIQUE_SESSION_ID id;
    char target[200];
    snprintf(target, sizeof target, TARGET_BASE ":%s", visit->name);
    uint64_t start = milliseconds();
    add_portal(&visit->at, NULL);
    check_time(visit, "discovery", start);
    start = milliseconds();
    ISDSC_STATUS in = login(target, &visit->at, NULL, false, &id);
    check_time(visit, "login", start);
    if (in == ERROR_SUCCESS) {
        atomic_fetch_add(&sessions_made, 1);
        use_session(visit, &id);
    }
    remove_portal(&visit->at);
}

/* Assertions belong to the test's own thread: here what is wrong is only noted. */
static void visit_some(void *argument)
{
    (void)argument;
    for (int i; (i = atomic_fetch_add(&next_visit, 1)) < visit_count;)
        visit_one(&visits[i]);
}

static void read_cases(void)
{
    const char *path = getenv("TEST_PEER_PORTS");
    if (path == NULL)
        fail_msg("TEST_PEER_PORTS is not set: run this through tests/harness/run.py");
    FILE *file = fopen(path, "r");
    unsigned port;
    assert_non_null(file);
    while (visit_count < CASES_MOST &&
           fscanf(file, "%127s %u", visits[visit_count].name, &port) == 2) {
        snprintf(visits[visit_count].at.host, sizeof visits->at.host, "127.0.0.1");
        visits[visit_count++].at.port = (USHORT)port;
    }
    fclose(file);
    assert_true(visit_count >= 60);
}

/* Whatever the peer does: no crash, no call without an end, nothing left behind. */
static void no_misbehaviour_lasts(void **state)
{
    (void)state;
    struct thread *threads[VISITORS];
    int late = 0;
    read_cases();
    for (int i = 0; i < VISITORS; i++)
        threads[i] = thread_start(visit_some, NULL);
    for (int i = 0; i < VISITORS; i++)
        thread_join(threads[i]);
    for (int i = 0; i < visit_count; i++) {
        if (visits[i].late != NULL) {
            print_error("%s: %s took too long\n", visits[i].name, visits[i].late);
            late++;
        }
    }
    assert_int_equal(late, 0);
    assert_true(atomic_load(&sessions_made) >= 10); /* some misbehave only after the login */
    assert_int_equal(count_sessions(), 0);
}

#define CLEAN(test) cmocka_unit_test_setup(test, start_clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLEAN(digests_that_are_demanded),
        CLEAN(discovery_that_demands_chap),
        CLEAN(refreshing_uses_what_is_stored),
        CLEAN(silence_ends_at_the_deadline),
        CLEAN(others_do_not_wait),
        CLEAN(no_misbehaviour_lasts),
    };
    return cmocka_run_group_tests_name("msapi special", tests, set_deadlines, NULL);
}
