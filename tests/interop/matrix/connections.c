/* Several connections in a session. */
#include "matrix.h"

static ISCSI_UNIQUE_SESSION_ID session_id;

static void log_in_for_connections(ULONG most)
{
    ISCSI_LOGIN_OPTIONS options;
    memset(&options, 0, sizeof options);
    options.InformationSpecified = ISCSI_LOGIN_OPTIONS_MAXIMUM_CONNECTIONS;
    options.MaximumConnections = most;
    SUCCEEDS(add_portal(&embedded()->portal, NULL));
    SUCCEEDS(login(TARGET_BASE ":open", &embedded()->portal, &options, true, &session_id));
}

/* The session has that many, and the one with the id goes to that portal. */
static void expect_connections(ULONG count, const ISCSI_UNIQUE_CONNECTION_ID *id,
                               const struct endpoint *at)
{
    PISCSI_SESSION_INFOA info = find_session(&session_id);
    PISCSI_SESSION_INFO_EX info_ex = find_session_ex(&session_id);
    assert_non_null(info);
    assert_non_null(info_ex);
    assert_int_equal(info->ConnectionCount, count);
    assert_int_equal(info_ex->ConnectionCount, count);
    for (ULONG i = 0; i < count; i++) {
        if (memcmp(&info->Connections[i].ConnectionId, id, sizeof *id) != 0)
            continue;
        assert_string_equal(info->Connections[i].TargetAddress, at->host);
        assert_int_equal(info->Connections[i].TargetSocket, at->port);
        return;
    }
    fail_msg("the connection is not in the list");
}

/* All but the leading one go, for its id may not have been asked for. */
static void remove_added(void)
{
    ISCSI_UNIQUE_CONNECTION_ID id;
    PISCSI_SESSION_INFOA info = find_session(&session_id);
    assert_non_null(info);
    assert_int_equal(info->ConnectionCount, 2);
    id = info->Connections[1].ConnectionId;
    SUCCEEDS(RemoveIScsiConnection(&session_id, &id));
}

static ISDSC_STATUS add_connectionA(const struct endpoint *at, ISCSI_UNIQUE_CONNECTION_ID *id);
static ISDSC_STATUS add_connectionW(const struct endpoint *at, ISCSI_UNIQUE_CONNECTION_ID *id);

#define FORM_FILE "matrix/connections.inc"
#include "../msapi_forms.h"

static void remove_connection(void **state)
{
    (void)state;
    ISCSI_UNIQUE_CONNECTION_ID leading, added, unknown;
    memset(&unknown, 0x42, sizeof unknown);
    log_in_for_connections(4);
    leading = find_session(&session_id)->Connections->ConnectionId;
    REFUSES_(RemoveIScsiConnection, ISDSC_CANT_REMOVE_LAST_CONNECTION,
             RemoveIScsiConnection(&session_id, &leading));
    SUCCEEDS(add_connectionA(&embedded()->portal, &added));
    REFUSES_(RemoveIScsiConnection, ISDSC_CANNOT_REMOVE_LEADING_CONNECTION,
             RemoveIScsiConnection(&session_id, &leading));
    REFUSES_(RemoveIScsiConnection, ISDSC_INVALID_CONNECTION_ID,
             RemoveIScsiConnection(&session_id, &unknown));
    SUCCEEDS(RemoveIScsiConnection(&session_id, &added));
    NOTE_(RemoveIScsiConnection, SUCCESS);
    expect_connections(1, &leading, &embedded()->portal);
    NOTE_(RemoveIScsiConnection, READBACK);
    ROW(RemoveIScsiConnection, NULL, ISDSC_INVALID_CONNECTION_ID, "", RAW_POINTER(&session_id),
        RAW_POINTER(&added));
    SUCCEEDS(LogoutIScsiTarget(&session_id));
    REFUSES_(RemoveIScsiConnection, ISDSC_INVALID_SESSION_ID,
             RemoveIScsiConnection(&session_id, &leading));
}

static void remove_it(void *connection)
{
    RemoveIScsiConnection(&session_id, connection);
}

/* Bounded by what the target takes: a connection that is gone leaves as well. */
static void wait_for_logout(void)
{
    for (;;) {
        PISCSI_SESSION_INFO_EX info = find_session_ex(&session_id);
        assert_non_null(info);
        if (info->ConnectionCount < 2 || info->Connections[1].State == 3)
            return;
    }
}

/* The target takes its time over logouts, so that a second removal finds the first one under way.
 */
static void removal_under_way(void **state)
{
    (void)state;
    struct endpoint slow = endpoint_of("TEST_EMBEDDED_SLOW_PORTAL");
    ISCSI_UNIQUE_CONNECTION_ID added;
    ISCSI_LOGIN_OPTIONS options;
    memset(&options, 0, sizeof options);
    options.InformationSpecified = ISCSI_LOGIN_OPTIONS_MAXIMUM_CONNECTIONS;
    options.MaximumConnections = 2;
    SUCCEEDS(add_portal(&slow, NULL));
    SUCCEEDS(login(TARGET_BASE ":open", &slow, &options, true, &session_id));
    SUCCEEDS(add_connectionA(&slow, &added));
    struct thread *thread = thread_start(remove_it, &added);
    wait_for_logout();
    ISDSC_STATUS status = RemoveIScsiConnection(&session_id, &added);
    thread_join(thread);
    REFUSES_(RemoveIScsiConnection, ISDSC_REMOVE_CONNECTION_IN_PROGRESS, status);
    SUCCEEDS(LogoutIScsiTarget(&session_id));
    SUCCEEDS(remove_portal(&slow));
}

static const struct matrix_test tests[] = {
    BOTH_FORMS(connection_rows), BOTH_FORMS(connections),     BOTH_FORMS(connection_errors),
    ONE_FORM(remove_connection), ONE_FORM(removal_under_way),
};
AREA(connections);
