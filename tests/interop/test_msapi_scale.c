/* Many targets, many sessions, many threads. */
#include "msapi_support.h"

#include <stdio.h>
#include <stdlib.h>

#define OPEN TARGET_BASE ":open"

enum { TARGETS = 200, SESSIONS = 64, LISTERS = 4 };

/* ------------------------------------------------------------ many targets */

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

static void all_of_many_targets(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_TGTD_MANY_PORTAL");
    SUCCEEDS(add_portal(&at, NULL));
    for (int i = 0; i < TARGETS; i++) {
        char name[64];
        snprintf(name, sizeof name, TARGET_BASE ":many-%03d", i);
        if (!target_known(name))
            fail_msg("%s is missing", name);
    }
    check_sizes("ReportIScsiTargetsA", targets_a, NULL, sizeof(CHAR));
    check_sizes("ReportIScsiTargetsW", targets_w, NULL, sizeof(WCHAR));
}

static void one_of_many_can_be_used(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_TGTD_MANY_PORTAL");
    ISCSI_UNIQUE_SESSION_ID id;
    SUCCEEDS(add_portal(&at, NULL));
    SUCCEEDS(login(TARGET_BASE ":many-123", NULL, NULL, true, &id));
    PISCSI_SESSION_INFOA session = find_session(&id);
    assert_non_null(session);
    assert_string_equal(session->TargetName, TARGET_BASE ":many-123");
    SUCCEEDS(LogoutIScsiTarget(&id));
}

/* The portal knows other targets than the one asked for. */
static void a_target_that_is_elsewhere(void **state)
{
    (void)state;
    struct peer peers[PEERS_MAX];
    struct endpoint many = endpoint_of("TEST_TGTD_MANY_PORTAL");
    ISCSI_UNIQUE_SESSION_ID id;
    assert_true(find_peers(peers) > 0);
    SUCCEEDS(add_portal(&peers[0].portal, NULL));
    EXPECT(ISDSC_NOT_FOUND, login(OPEN, &many, NULL, false, &id));
    assert_int_equal(count_sessions(), 0);
}

/* ----------------------------------------------------------- many sessions */

struct worker {
    const struct peer *peer;
    ISCSI_UNIQUE_SESSION_ID id;
    ISDSC_STATUS login_status;
    ISDSC_STATUS inquiry_status;
    ISDSC_STATUS logout_status;
};

static void log_in(void *argument)
{
    struct worker *worker = argument;
    UCHAR status, data[255], sense[18];
    ULONG size = sizeof data, sense_size = sizeof sense;
    ISCSI_LOGIN_OPTIONS options;
    memset(&options, 0, sizeof options);
    options.LoginFlags = ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED;
    worker->login_status = login(OPEN, &worker->peer->portal, &options, false, &worker->id);
    worker->inquiry_status = SendScsiInquiry(&worker->id, worker->peer->lun, 0, 0, &status, &size,
                                             data, &sense_size, sense);
}

static void log_out(void *argument)
{
    struct worker *worker = argument;
    worker->logout_status = LogoutIScsiTarget(&worker->id);
}

static void together(struct worker workers[SESSIONS], void (*run)(void *argument))
{
    struct thread *threads[SESSIONS];
    for (int i = 0; i < SESSIONS; i++)
        threads[i] = thread_start(run, &workers[i]);
    for (int i = 0; i < SESSIONS; i++)
        thread_join(threads[i]);
}

/* Every session has its own ids, and an ISID that no other has. */
static void check_unlike(void)
{
    ULONG count;
    PISCSI_SESSION_INFOA sessions = list_sessions(&count);
    assert_int_equal(count, SESSIONS);
    for (ULONG i = 0; i < count; i++) {
        assert_int_equal(sessions[i].ConnectionCount, 1);
        for (ULONG j = 0; j < i; j++) {
            assert_memory_not_equal(&sessions[i].SessionId, &sessions[j].SessionId,
                                    sizeof sessions[i].SessionId);
            assert_memory_not_equal(&sessions[i].Connections[0].ConnectionId,
                                    &sessions[j].Connections[0].ConnectionId,
                                    sizeof(ISCSI_UNIQUE_CONNECTION_ID));
            assert_memory_not_equal(sessions[i].ISID, sessions[j].ISID, sizeof sessions[i].ISID);
        }
    }
}

static void many_sessions(const struct peer *peer)
{
    static struct worker workers[SESSIONS];
    for (int i = 0; i < SESSIONS; i++)
        workers[i] = (struct worker){.peer = peer, .login_status = 1, .logout_status = 1};
    SUCCEEDS(add_portal(&peer->portal, NULL));
    together(workers, log_in);
    for (int i = 0; i < SESSIONS; i++) {
        EXPECT(ERROR_SUCCESS, workers[i].login_status);
        EXPECT(ERROR_SUCCESS, workers[i].inquiry_status);
    }
    check_unlike();
    together(workers, log_out);
    for (int i = 0; i < SESSIONS; i++)
        EXPECT(ERROR_SUCCESS, workers[i].logout_status);
    assert_int_equal(count_sessions(), 0);
}

static void many_sessions_at_once(void **state)
{
    (void)state;
    struct peer peers[PEERS_MAX];
    size_t count = find_peers(peers), tried = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(peers[i].kind, "istgt") == 0)
            continue; /* a second for each login, one after the other */
        print_message("    %s\n", peers[i].kind);
        many_sessions(&peers[i]);
        tried++;
    }
    assert_true(tried > 0);
}

/* Without multipath only one of many that try at once gets in. */
static void log_in_alone(void *argument)
{
    struct worker *worker = argument;
    worker->login_status = login(OPEN, &worker->peer->portal, NULL, false, &worker->id);
}

static void one_of_many_gets_in(void **state)
{
    (void)state;
    struct peer peers[PEERS_MAX];
    static struct worker workers[SESSIONS];
    int in = 0;
    assert_true(find_peers(peers) > 0);
    SUCCEEDS(add_portal(&peers[0].portal, NULL));
    for (int i = 0; i < SESSIONS; i++)
        workers[i] = (struct worker){.peer = &peers[0]};
    together(workers, log_in_alone);
    for (int i = 0; i < SESSIONS; i++) {
        if (workers[i].login_status == ERROR_SUCCESS)
            in++;
        else
            EXPECT(ISDSC_TARGET_ALREADY_LOGGED_IN, workers[i].login_status);
    }
    assert_int_equal(in, 1);
    assert_int_equal(count_sessions(), 1);
}

/* ---------------------------------------- lists while everything is changing */

struct lister {
    const struct peer *peer;
    int failures;
    int rounds;
};

/* As callers do it: ask for the size, take the list, again while it grows. */
static void list_often(void *argument)
{
    struct lister *lister = argument;
    for (int round = 0; round < lister->rounds; round++) {
        ULONG size = 0, count = 0;
        void *buffer = NULL;
        ISDSC_STATUS status;
        do {
            ULONG given = size;
            free(buffer);
            buffer = size > 0 ? malloc(size) : NULL;
            status = GetIScsiSessionListW(&size, &count, buffer);
            if (status == ERROR_INSUFFICIENT_BUFFER && size <= given)
                lister->failures++;
        } while (status == ERROR_INSUFFICIENT_BUFFER);
        if (status != ERROR_SUCCESS)
            lister->failures++;
        free(buffer);
    }
}

static void come_and_go(void *argument)
{
    struct lister *lister = argument;
    ISCSI_LOGIN_OPTIONS options;
    memset(&options, 0, sizeof options);
    options.LoginFlags = ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED;
    for (int round = 0; round < lister->rounds; round++) {
        ISCSI_UNIQUE_SESSION_ID id;
        if (login(OPEN, &lister->peer->portal, &options, false, &id) != ERROR_SUCCESS ||
            LogoutIScsiTarget(&id) != ERROR_SUCCESS)
            lister->failures++;
    }
}

static void lists_while_sessions_come_and_go(void **state)
{
    (void)state;
    struct peer peers[PEERS_MAX];
    struct lister listers[LISTERS + 2];
    struct thread *threads[LISTERS + 2];
    assert_true(find_peers(peers) > 0);
    SUCCEEDS(add_portal(&peers[0].portal, NULL));
    for (int i = 0; i < LISTERS + 2; i++) {
        listers[i] = (struct lister){.peer = &peers[0], .rounds = i < LISTERS ? 200 : 40};
        threads[i] = thread_start(i < LISTERS ? list_often : come_and_go, &listers[i]);
    }
    for (int i = 0; i < LISTERS + 2; i++) {
        thread_join(threads[i]);
        assert_int_equal(listers[i].failures, 0);
    }
    assert_int_equal(count_sessions(), 0);
}

#define CLEAN(test) cmocka_unit_test_setup(test, start_clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLEAN(all_of_many_targets),        CLEAN(one_of_many_can_be_used),
        CLEAN(a_target_that_is_elsewhere), CLEAN(many_sessions_at_once),
        CLEAN(one_of_many_gets_in),        CLEAN(lists_while_sessions_come_and_go),
    };
    return cmocka_run_group_tests_name("msapi scale", tests, NULL, NULL);
}
