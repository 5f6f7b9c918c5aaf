/* SCSI commands through a session, against every peer. */
#include "msapi_support.h"

#define OPEN     TARGET_BASE ":open"
#define TWO_LUNS TARGET_BASE ":two-luns"

enum { FILLER = 0xA5 };

static ISCSI_UNIQUE_SESSION_ID enter(const struct peer *peer, const char *target,
                                     bool informational)
{
    ISCSI_UNIQUE_SESSION_ID id;
    SUCCEEDS(add_portal(&peer->portal, NULL));
    SUCCEEDS(login(target, &peer->portal, NULL, informational, &id));
    return id;
}

/* A command with its parameters, for check_sizes. */
struct command {
    ISCSI_UNIQUE_SESSION_ID session;
    ULONGLONG lun;
    UCHAR flags;
    UCHAR page;
};

static ISDSC_STATUS inquiry(void *context, ULONG *size, void *buffer)
{
    struct command *command = context;
    UCHAR status = 0xff, sense[18];
    ULONG sense_size = sizeof sense;
    ISDSC_STATUS result = SendScsiInquiry(&command->session, command->lun, command->flags,
                                          command->page, &status, size, buffer, &sense_size, sense);
    assert_int_equal(status, 0);
    assert_int_equal(sense_size, 18);
    return result;
}

static ISDSC_STATUS read_capacity(void *context, ULONG *size, void *buffer)
{
    struct command *command = context;
    UCHAR status = 0xff, sense[18];
    ULONG sense_size = sizeof sense;
    ISDSC_STATUS result = SendScsiReadCapacity(&command->session, command->lun, &status, size,
                                               buffer, &sense_size, sense);
    assert_int_equal(status, 0);
    assert_int_equal(sense_size, 18);
    return result;
}

static ISDSC_STATUS report_luns(void *context, ULONG *size, void *buffer)
{
    struct command *command = context;
    UCHAR status = 0xff, sense[18];
    ULONG sense_size = sizeof sense;
    ISDSC_STATUS result =
        SendScsiReportLuns(&command->session, &status, size, buffer, &sense_size, sense);
    assert_int_equal(status, 0);
    assert_int_equal(sense_size, 18);
    return result;
}

/* ----------------------------------------------------------------- INQUIRY */

static void standard_inquiry(void **state)
{
    const struct peer *peer = *state;
    struct command command = {enter(peer, OPEN, false), peer->lun, 0, 0};
    UCHAR data[255];
    ULONG size = sizeof data;
    SUCCEEDS(inquiry(&command, &size, data));
    assert_true(size >= 36 && size <= sizeof data);
    assert_int_equal(data[0], 0); /* a disk, present */
    assert_int_equal(data[4] + 5u, size);
    assert_true(data[8] > ' ');
    check_sizes("SendScsiInquiry", inquiry, &command, 1);
}

/* The list of pages, the serial number, the identification: each says its own length. */
static void vital_product_data(void **state)
{
    const struct peer *peer = *state;
    static const UCHAR pages[] = {0x00, 0x80, 0x83};
    ISCSI_UNIQUE_SESSION_ID id = enter(peer, OPEN, false);
    for (size_t i = 0; i < sizeof pages; i++) {
        struct command command = {id, peer->lun, 1, pages[i]};
        UCHAR data[1024];
        ULONG size = sizeof data;
        SUCCEEDS(inquiry(&command, &size, data));
        assert_int_equal(data[1], pages[i]);
        assert_int_equal((ULONG)(data[2] << 8 | data[3]) + 4, size);
        check_sizes("SendScsiInquiry (EVPD)", inquiry, &command, 1);
    }
}

/* A page that no device has: the SCSI status and the sense data say so. */
static void a_bad_page_is_a_scsi_failure(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID id = enter(peer, OPEN, false);
    UCHAR status = 0, data[255], sense[64];
    ULONG size = sizeof data, sense_size = 18;
    memset(sense, FILLER, sizeof sense);
    EXPECT(ISDSC_SCSI_REQUEST_FAILED,
           SendScsiInquiry(&id, peer->lun, 1, 0x9E, &status, &size, data, &sense_size, sense));
    assert_int_equal(status, 2);
    assert_true(sense_size >= 18);
    const bool silent = strcmp(peer->kind, "istgt") == 0; /* sends no sense data for this */
    assert_int_equal(sense[0] & 0x7f, silent ? 0 : 0x70);
    assert_int_equal(sense[2] & 0x0f, silent ? 0 : 5);
    assert_int_equal(sense[12], silent ? 0 : 0x24);
    for (size_t i = 18; i < sizeof sense; i++)
        assert_int_equal(sense[i], FILLER);
}

static void sense_never_overflows(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID id = enter(peer, OPEN, false);
    for (ULONG given = 0; given <= 20; given++) {
        UCHAR status = 0, data[255], sense[64];
        ULONG size = sizeof data, sense_size = given;
        memset(sense, FILLER, sizeof sense);
        EXPECT(ISDSC_SCSI_REQUEST_FAILED,
               SendScsiReadCapacity(&id, 77, &status, &size, data, &sense_size, sense));
        assert_true(sense_size >= 18);
        for (size_t i = given; i < sizeof sense; i++)
            assert_int_equal(sense[i], FILLER);
        if (given > 2)
            assert_int_equal(sense[2] & 0x0f, 5);
    }
    UCHAR status = 0, data[255];
    ULONG size = sizeof data, sense_size = 0xFFFFFFFF;
    EXPECT(ISDSC_SCSI_REQUEST_FAILED,
           SendScsiReadCapacity(&id, 77, &status, &size, data, &sense_size, NULL));
    assert_true(sense_size >= 18 && sense_size < 300);
}

/* ----------------------------------------------------------- READ CAPACITY */

static void capacity_is_that_of_the_disk(void **state)
{
    static const UCHAR expected[] = {0, 0, 0x3f, 0xff, 0, 0, 2, 0};
    const struct peer *peer = *state;
    struct command command = {enter(peer, OPEN, false), peer->lun, 0, 0};
    UCHAR data[16];
    ULONG size = sizeof data;
    SUCCEEDS(read_capacity(&command, &size, data));
    assert_int_equal(size, sizeof expected);
    assert_memory_equal(data, expected, sizeof expected);
    check_sizes("SendScsiReadCapacity", read_capacity, &command, 1);
}

static void a_missing_lun_is_a_scsi_failure(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID id = enter(peer, OPEN, false);
    UCHAR status = 0, data[8], sense[18];
    ULONG size = sizeof data, sense_size = sizeof sense;
    EXPECT(ISDSC_SCSI_REQUEST_FAILED,
           SendScsiReadCapacity(&id, 77, &status, &size, data, &sense_size, sense));
    assert_true(status != 0);
    assert_int_equal(size, 0);
    assert_non_null(find_session(&id));
}

/* ------------------------------------------------------------- REPORT LUNS */

static bool lists_lun(const UCHAR *data, ULONG size, ULONGLONG lun)
{
    for (ULONG at = 8; at + 8 <= size; at += 8) {
        if ((data[at] & 0xC0) == 0 && data[at + 1] == lun)
            return true;
    }
    return false;
}

static void luns_are_listed(void **state)
{
    const struct peer *peer = *state;
    struct command command = {enter(peer, TWO_LUNS, true), 0, 0, 0};
    UCHAR data[4096];
    ULONG size = sizeof data;
    SUCCEEDS(report_luns(&command, &size, data));
    ULONG length = (ULONG)data[0] << 24 | (ULONG)data[1] << 16 | (ULONG)data[2] << 8 | data[3];
    assert_int_equal(size, length + 8);
    assert_true(lists_lun(data, size, peer->lun));
    assert_true(lists_lun(data, size, peer->lun + 1));
    check_sizes("SendScsiReportLuns", report_luns, &command, 1);
}

/* A LUN may be given as a number or as the eight bytes that REPORT LUNS tells. */
static void both_ways_to_name_a_lun(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID id = enter(peer, TWO_LUNS, false);
    const ULONGLONG number = peer->lun + 1;
    struct command by_number = {id, number, 1, 0x83}, by_field = {id, number << 48, 1, 0x83};
    struct command other = {id, peer->lun, 1, 0x83};
    UCHAR first[255], second[255], third[255];
    ULONG first_size = 255, second_size = 255, third_size = 255;
    SUCCEEDS(inquiry(&by_number, &first_size, first));
    SUCCEEDS(inquiry(&by_field, &second_size, second));
    SUCCEEDS(inquiry(&other, &third_size, third));
    assert_int_equal(first_size, second_size);
    assert_memory_equal(first, second, first_size);
    assert_true(third_size != first_size || memcmp(third, first, first_size) != 0);
}

/* ----------------------------------------------------------------- sessions */

static void informational_sessions_carry_commands(void **state)
{
    const struct peer *peer = *state;
    struct command command = {enter(peer, OPEN, true), peer->lun, 0, 0};
    UCHAR data[255];
    ULONG size = sizeof data;
    SUCCEEDS(inquiry(&command, &size, data));
    size = sizeof data;
    SUCCEEDS(read_capacity(&command, &size, data));
    assert_int_equal(size, 8);
}

static void a_session_that_is_gone(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID id = enter(peer, OPEN, false);
    UCHAR status, data[255], sense[18];
    ULONG size = sizeof data, sense_size = sizeof sense;
    SUCCEEDS(LogoutIScsiTarget(&id));
    EXPECT(ISDSC_INVALID_SESSION_ID,
           SendScsiInquiry(&id, peer->lun, 0, 0, &status, &size, data, &sense_size, sense));
    EXPECT(ISDSC_INVALID_SESSION_ID,
           SendScsiReadCapacity(&id, peer->lun, &status, &size, data, &sense_size, sense));
    EXPECT(ISDSC_INVALID_SESSION_ID,
           SendScsiReportLuns(&id, &status, &size, data, &sense_size, sense));
}

/* ------------------------------------------------------------ many at once */

enum { THREADS = 8, ROUNDS = 50 };

struct worker {
    struct command command;
    int failures;
};

static void inquire_often(void *argument)
{
    struct worker *worker = argument;
    for (int i = 0; i < ROUNDS; i++) {
        UCHAR status = 0xff, data[255], sense[18];
        ULONG size = sizeof data, sense_size = sizeof sense;
        ISDSC_STATUS result = SendScsiInquiry(&worker->command.session, worker->command.lun, 0, 0,
                                              &status, &size, data, &sense_size, sense);
        if (result != ERROR_SUCCESS || status != 0 || size < 36)
            worker->failures++;
    }
}

static void threads_share_a_session(void **state)
{
    const struct peer *peer = *state;
    struct command command = {enter(peer, OPEN, false), peer->lun, 0, 0};
    struct worker workers[THREADS];
    struct thread *threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.command = command};
        threads[i] = thread_start(inquire_often, &workers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        thread_join(threads[i]);
        assert_int_equal(workers[i].failures, 0);
    }
}

int main(void)
{
    static const struct peer_case cases[] = {
        PEER_CASE(standard_inquiry),
        PEER_CASE(vital_product_data),
        PEER_CASE(a_bad_page_is_a_scsi_failure),
        PEER_CASE(sense_never_overflows),
        PEER_CASE(capacity_is_that_of_the_disk),
        PEER_CASE(a_missing_lun_is_a_scsi_failure),
        PEER_CASE(luns_are_listed),
        PEER_CASE(both_ways_to_name_a_lun),
        PEER_CASE(informational_sessions_carry_commands),
        PEER_CASE(a_session_that_is_gone),
        PEER_CASE(threads_share_a_session),
    };
    return run_peer_cases("msapi scsi", cases, sizeof cases / sizeof *cases);
}
