/*
 * Each way in which tests/support's peer misbehaves, and what the caller is told of it: the right
 * code within the deadlines, the right data where the odd is allowed, and no session left behind.
 */
#include "msapi_support.h"

#include "../support/misbehaviours.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CALL_TIME_MOST = 10000, /* milliseconds: five times the longest deadline that is set below */
    GONE_TIME_MOST = 5000,
    INQUIRY_ROOM = 255,
    ROW_MOST = 512,
};

static const char settings[] = "TCPConnectTime = 2\n"
                               "LoginTimeout = 2\n"
                               "WMIRequestTimeout = 2\n"
                               "TCPDisconnectTime = 2\n";

static struct misbehaviour_row rows[] = {MISBEHAVIOURS(MISBEHAVIOUR_ROW)};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };
static USHORT ports[ROW_COUNT];

/* --- the peer --- */

static void note_port(const char *name, unsigned port)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0)
            ports[i] = (USHORT)port;
    }
}

static bool read_ports(void)
{
    const char *path = getenv("TEST_PEER_PORTS");
    FILE *file = path != NULL ? fopen(path, "r") : NULL;
    char name[128];
    unsigned port;

    if (file == NULL)
        return false;
    while (fscanf(file, "%127s %u", name, &port) == 2)
        note_port(name, port);
    fclose(file);
    return true;
}

/* Before the first call of the library. */
static bool write_settings(void)
{
    const char *directory = getenv("ISCSIDSC_STATE");
    char path[1024];
    FILE *file;

    if (directory == NULL)
        return false;
    snprintf(path, sizeof path, "%s/iscsi.conf", directory);
    file = fopen(path, "w");
    if (file == NULL)
        return false;
    fputs(settings, file);
    return fclose(file) == 0;
}

/* --- calls with a clock --- */

static uint64_t call_began;

static void begin_call(void)
{
    call_began = milliseconds();
}

static void end_call(const struct misbehaviour_row *row, const char *call, ISDSC_STATUS got,
                     ISDSC_STATUS expected)
{
    uint64_t time = milliseconds() - call_began;

    if (got != expected)
        fail_msg("%s (%s): %s returned 0x%lx, expected 0x%lx", row->name, row->what, call,
                 (unsigned long)got, (unsigned long)expected);
    if (time > CALL_TIME_MOST)
        fail_msg("%s (%s): %s took %lu ms", row->name, row->what, call, (unsigned long)time);
}

/* --- discovery --- */

static bool is_of_case(const char *name, const char *base)
{
    size_t length = strlen(base);

    return strncmp(name, base, length) == 0 &&
           (name[length] == '\0' ||
            (name[length] == '-' && name[length + 1] >= '0' && name[length + 1] <= '9'));
}

/* Names that a caller could stumble over never get this far. */
static void check_name(const struct misbehaviour_row *row, const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-.:";

    if (strlen(name) > 223 || name[strspn(name, allowed)] != '\0' || strncmp(name, "iqn.", 4) != 0)
        fail_msg("%s: the target \"%s\" was reported", row->name, name);
}

static void check_targets(const struct misbehaviour_row *row)
{
    static char list[8 << 20];
    ULONG size = sizeof list;
    unsigned count = 0;
    char base[128];

    snprintf(base, sizeof base, "%s%s", MISBEHAVIOUR_TARGET, row->name);
    assert_int_equal(ReportIScsiTargetsA(FALSE, &size, list), ERROR_SUCCESS);
    for (const char *name = list; *name != '\0'; name += strlen(name) + 1) {
        check_name(row, name);
        count += is_of_case(name, base);
    }
    if (count != row->targets)
        fail_msg("%s (%s): %u targets are known, expected %u", row->name, row->what, count,
                 row->targets);
}

static void discover(const struct misbehaviour_row *row, const struct endpoint *at,
                     ISDSC_STATUS expected)
{
    ISDSC_STATUS status;

    begin_call();
    status = add_portal(at, NULL);
    end_call(row, "AddIScsiSendTargetPortal", status, expected);
    check_targets(row);
    SUCCEEDS(remove_portal(at));
}

/* --- sessions --- */

static ISCSI_LOGIN_OPTIONS options_of(const struct misbehaviour_row *row)
{
    ISCSI_LOGIN_OPTIONS options;

    memset(&options, 0, sizeof options);
    if (row->phase == PHASE_CHAP)
        options = chap_options(ISCSI_CHAP_AUTH_TYPE, "chapuser", "chapsecret123");
    if (row->phase == PHASE_MUTUAL) {
        options = chap_options(ISCSI_MUTUAL_CHAP_AUTH_TYPE, "chapuser", "chapsecret123");
        SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret(13, (PUCHAR) "targetsecret1"));
    }
    options.InformationSpecified |=
        ISCSI_LOGIN_OPTIONS_HEADER_DIGEST | ISCSI_LOGIN_OPTIONS_DATA_DIGEST;
    options.HeaderDigest = options.DataDigest =
        row->phase == PHASE_DIGEST ? ISCSI_DIGEST_TYPE_CRC32C : ISCSI_DIGEST_TYPE_NONE;
    return options;
}

static void log_in(const struct misbehaviour_row *row, const struct endpoint *at,
                   ISDSC_STATUS expected, ISCSI_UNIQUE_SESSION_ID *session)
{
    ISCSI_LOGIN_OPTIONS options = options_of(row);
    char target[128];
    ISDSC_STATUS status;

    snprintf(target, sizeof target, "%s%s", MISBEHAVIOUR_TARGET, row->name);
    begin_call();
    status = login(target, at, &options, true, session);
    end_call(row, "LoginIScsiTarget", status, expected);
    if (expected != ERROR_SUCCESS && count_sessions() != 0)
        fail_msg("%s (%s): the failed login left a session", row->name, row->what);
}

static void expect_no_session(const struct misbehaviour_row *row)
{
    uint64_t began = milliseconds();

    while (count_sessions() != 0) {
        if (milliseconds() - began > GONE_TIME_MOST)
            fail_msg("%s (%s): the session is still listed", row->name, row->what);
    }
}

/* After whatever happened to it; it may be gone already. */
static void log_out(const struct misbehaviour_row *row, ISCSI_UNIQUE_SESSION_ID *session)
{
    ISDSC_STATUS status;

    begin_call();
    status = LogoutIScsiTarget(session);
    if (row->phase == PHASE_LOGOUT)
        end_call(row, "LogoutIScsiTarget", status, (ISDSC_STATUS)row->code);
    else if (status != ERROR_SUCCESS && status != (ISDSC_STATUS)ISDSC_INVALID_SESSION_ID &&
             status != (ISDSC_STATUS)ISDSC_SESSION_BUSY)
        end_call(row, "LogoutIScsiTarget", status, ERROR_SUCCESS);
    expect_no_session(row);
}

/* --- commands --- */

struct inquiry {
    UCHAR status;
    ULONG length;
    UCHAR data[INQUIRY_ROOM];
    ULONG sense_length;
    UCHAR sense[32];
};

static void check_data(const struct misbehaviour_row *row, const struct inquiry *inquiry)
{
    ULONG least = strcmp(row->name, "command-underflow") == 0 ? 20 : 36;

    if (inquiry->length < least || inquiry->length > INQUIRY_ROOM ||
        memcmp(inquiry->data + 8, "ISCSIDSC", 8) != 0)
        fail_msg("%s (%s): %lu bytes of INQUIRY data that are not the target's", row->name,
                 row->what, (unsigned long)inquiry->length);
    if (least == 20)
        assert_int_equal(inquiry->length, 20);
}

static void check_refusal(const struct misbehaviour_row *row, const struct inquiry *inquiry)
{
    bool failure = strcmp(row->name, "command-target-failure") == 0;

    if ((inquiry->status == 0) != failure)
        fail_msg("%s (%s): SCSI status %02x", row->name, row->what, inquiry->status);
    if (strcmp(row->name, "command-check-condition") != 0)
        return;
    assert_int_equal(inquiry->sense_length, 18);
    assert_int_equal(inquiry->sense[2], 0x05);
    assert_int_equal(inquiry->sense[12], 0x24);
}

static void inquire(const struct misbehaviour_row *row, ISCSI_UNIQUE_SESSION_ID *session)
{
    struct inquiry inquiry;
    ISDSC_STATUS status;

    memset(&inquiry, 0, sizeof inquiry);
    inquiry.length = sizeof inquiry.data;
    inquiry.sense_length = sizeof inquiry.sense;
    begin_call();
    status = SendScsiInquiry(session, 0, 0, 0, &inquiry.status, &inquiry.length, inquiry.data,
                             &inquiry.sense_length, inquiry.sense);
    end_call(row, "SendScsiInquiry", status, (ISDSC_STATUS)row->code);
    if (row->code == ERROR_SUCCESS)
        check_data(row, &inquiry);
    else if (status == (ISDSC_STATUS)ISDSC_SCSI_REQUEST_FAILED)
        check_refusal(row, &inquiry);
}

/* --- the cases --- */

static void play(void **state)
{
    const struct misbehaviour_row *row = *state;
    bool in_login =
        row->phase == PHASE_LOGIN || row->phase == PHASE_CHAP || row->phase == PHASE_MUTUAL;
    struct endpoint at = {"127.0.0.1", ports[row - rows]};
    ISCSI_UNIQUE_SESSION_ID session;

    if (at.port == 0)
        fail_msg("%s: the peer does not play this case", row->name);
    if (row->phase == PHASE_DISCOVERY) {
        discover(row, &at, (ISDSC_STATUS)row->code);
        expect_no_session(row);
        return;
    }
    discover(row, &at, ERROR_SUCCESS);
    log_in(row, &at, in_login ? (ISDSC_STATUS)row->code : ERROR_SUCCESS, &session);
    if (in_login && row->code != ERROR_SUCCESS)
        return;
    if (row->phase == PHASE_COMMAND || row->phase == PHASE_DIGEST)
        inquire(row, &session);
    log_out(row, &session);
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[ROW_MOST];
    size_t count = 0;

    if (!read_ports() || !write_settings()) {
        print_error("run this through tests/harness/run.py --peers misbehaving\n");
        return 1;
    }
    for (size_t i = 0; i < ROW_COUNT && count < ROW_MOST; i++) {
        if (argc > 1 && strstr(rows[i].name, argv[1]) == NULL)
            continue;
        tests[count].name = rows[i].name;
        tests[count].test_func = play;
        tests[count].setup_func = start_clean;
        tests[count++].initial_state = &rows[i];
    }
    return _cmocka_run_group_tests("misbehaviour", tests, count, NULL, NULL);
}
