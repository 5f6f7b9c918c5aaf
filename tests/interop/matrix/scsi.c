/* SCSI commands on a session. */
#include "matrix.h"

static ISCSI_UNIQUE_SESSION_ID id;

static void begin(void)
{
    SUCCEEDS(add_portal(&embedded()->portal, NULL));
    SUCCEEDS(login(TARGET_BASE ":two-luns", NULL, NULL, true, &id));
    scene_size = SCENE_ROOM;
    scene_reset();
}

static void scsi_rows(void **state)
{
    (void)state;
    begin();
    ROW(SendScsiInquiry, NULL, ERROR_SUCCESS, "ResponseBuffer=122 SenseBuffer", RAW_POINTER(&id), 0,
        0, 0, RAW_POINTER(&scene.scsi_status), RAW_POINTER(&scene.size), RAW_POINTER(scene.buffer),
        RAW_POINTER(&scene.sense_size), RAW_POINTER(scene.sense));
    ROW(SendScsiReadCapacity, NULL, ERROR_SUCCESS, "ResponseBuffer=122 SenseBuffer",
        RAW_POINTER(&id), 1, RAW_POINTER(&scene.scsi_status), RAW_POINTER(&scene.size),
        RAW_POINTER(scene.buffer), RAW_POINTER(&scene.sense_size), RAW_POINTER(scene.sense));
    ROW(SendScsiReportLuns, NULL, ERROR_SUCCESS, "ResponseBuffer=122 SenseBuffer", RAW_POINTER(&id),
        RAW_POINTER(&scene.scsi_status), RAW_POINTER(&scene.size), RAW_POINTER(scene.buffer),
        RAW_POINTER(&scene.sense_size), RAW_POINTER(scene.sense));
}

static ISDSC_STATUS inquiry(void *context, ULONG *size, void *buffer)
{
    scene_reset();
    return SendScsiInquiry(&id, *(ULONGLONG *)context, 0, 0, &scene.scsi_status, size, buffer,
                           &scene.sense_size.value, scene.sense);
}

static ISDSC_STATUS read_capacity(void *context, ULONG *size, void *buffer)
{
    scene_reset();
    return SendScsiReadCapacity(&id, *(ULONGLONG *)context, &scene.scsi_status, size, buffer,
                                &scene.sense_size.value, scene.sense);
}

static ISDSC_STATUS report_luns(void *context, ULONG *size, void *buffer)
{
    (void)context;
    scene_reset();
    return SendScsiReportLuns(&id, &scene.scsi_status, size, buffer, &scene.sense_size.value,
                              scene.sense);
}

static void scsi_success(void **state)
{
    (void)state;
    static const UCHAR capacity[8] = {0, 0, 0x3f, 0xff, 0, 0, 2, 0};
    static const UCHAR luns[24] = {0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    ULONGLONG second = 1;
    ULONG size = 255;
    begin();
    scene.scsi_status = 0x55;
    SUCCEEDS(inquiry(&second, &size, scene.buffer));
    assert_true(size >= 36 && size <= 255);
    assert_int_equal(scene.scsi_status, 0);
    assert_int_equal(scene.buffer[0], 0);
    size = 255;
    SUCCEEDS(SendScsiInquiry(&id, 1, 1, 0x83, &scene.scsi_status, &size, scene.buffer,
                             &scene.sense_size.value, scene.sense));
    assert_int_equal(scene.buffer[1], 0x83);
    NOTE_(SendScsiInquiry, SUCCESS);
    size = sizeof capacity;
    SUCCEEDS(read_capacity(&second, &size, scene.buffer));
    assert_int_equal(size, sizeof capacity);
    assert_memory_equal(scene.buffer, capacity, sizeof capacity);
    NOTE_(SendScsiReadCapacity, SUCCESS);
    size = SCENE_ROOM;
    SUCCEEDS(report_luns(NULL, &size, scene.buffer));
    assert_int_equal(size, sizeof luns);
    assert_memory_equal(scene.buffer, luns, sizeof luns);
    NOTE_(SendScsiReportLuns, SUCCESS);
}

static void scsi_sizes(void **state)
{
    (void)state;
    ULONGLONG first = 0;
    begin();
    check_sizes("SendScsiInquiry", inquiry, &first, 1);
    NOTE_(SendScsiInquiry, SIZES);
    check_sizes("SendScsiReadCapacity", read_capacity, &first, 1);
    NOTE_(SendScsiReadCapacity, SIZES);
    check_sizes("SendScsiReportLuns", report_luns, NULL, 1);
    NOTE_(SendScsiReportLuns, SIZES);
}

/* ILLEGAL REQUEST: the status and the sense data say why, and fit even the smallest sense buffer.
 */
static void expect_check_condition(void)
{
    assert_int_equal(scene.scsi_status, 2);
    assert_true(scene.sense_size.value >= 18);
    assert_int_equal(scene.sense[2] & 0xf, 5);
}

static void scsi_errors(void **state)
{
    (void)state;
    ULONGLONG nobody = 77, first = 0;
    ULONG size = SCENE_ROOM;
    begin();
    memset(scene.sense, 0, sizeof scene.sense);
    REFUSES_(SendScsiReadCapacity, ISDSC_SCSI_REQUEST_FAILED,
             read_capacity(&nobody, &size, scene.buffer));
    expect_check_condition();
    memset(scene.sense, 0, sizeof scene.sense);
    size = 255;
    REFUSES_(SendScsiInquiry, ISDSC_SCSI_REQUEST_FAILED,
             SendScsiInquiry(&id, 0, 1, 0x7e, &scene.scsi_status, &size, scene.buffer,
                             &scene.sense_size.value, scene.sense));
    expect_check_condition();
    size = 7;
    REFUSES_(SendScsiInquiry, ERROR_INSUFFICIENT_BUFFER, inquiry(&first, &size, scene.buffer));
    size = 7;
    REFUSES_(SendScsiReadCapacity, ERROR_INSUFFICIENT_BUFFER,
             read_capacity(&first, &size, scene.buffer));
    size = 7;
    REFUSES_(SendScsiReportLuns, ERROR_INSUFFICIENT_BUFFER, report_luns(NULL, &size, scene.buffer));
    SUCCEEDS(LogoutIScsiTarget(&id));
    size = SCENE_ROOM;
    REFUSES_(SendScsiInquiry, ISDSC_INVALID_SESSION_ID, inquiry(&first, &size, scene.buffer));
    REFUSES_(SendScsiReadCapacity, ISDSC_INVALID_SESSION_ID,
             read_capacity(&first, &size, scene.buffer));
    REFUSES_(SendScsiReportLuns, ISDSC_INVALID_SESSION_ID, report_luns(NULL, &size, scene.buffer));
}

/* A REPORT LUNS that fails needs a target that wants it so. */
static void report_luns_fails(void **state)
{
    (void)state;
    struct endpoint slow = endpoint_of("TEST_EMBEDDED_SLOW_PORTAL");
    ULONG size = SCENE_ROOM;
    SUCCEEDS(add_portal(&slow, NULL));
    SUCCEEDS(login(TARGET_BASE ":two-luns", &slow, NULL, true, &id));
    memset(scene.sense, 0, sizeof scene.sense);
    REFUSES_(SendScsiReportLuns, ISDSC_SCSI_REQUEST_FAILED, report_luns(NULL, &size, scene.buffer));
    expect_check_condition();
    SUCCEEDS(LogoutIScsiTarget(&id));
    SUCCEEDS(remove_portal(&slow));
}

/* The target has hung up, and the session may not be connected again for a minute. */
static void scsi_without_connection(void **state)
{
    (void)state;
    struct endpoint slow = endpoint_of("TEST_EMBEDDED_SLOW_PORTAL");
    ULONGLONG first = 0;
    ULONG size = SCENE_ROOM;
    SUCCEEDS(add_portal(&slow, NULL));
    SUCCEEDS(login(TARGET_BASE ":open", &slow, NULL, true, &id));
    scene_reset();
    EXPECT(ISDSC_TRANSPORT_ERROR, read_capacity(&first, &size, scene.buffer));
    size = SCENE_ROOM;
    REFUSES_(SendScsiReadCapacity, ISDSC_NO_CONNECTION_AVAILABLE,
             read_capacity(&first, &size, scene.buffer));
    REFUSES_(SendScsiInquiry, ISDSC_NO_CONNECTION_AVAILABLE, inquiry(&first, &size, scene.buffer));
    REFUSES_(SendScsiReportLuns, ISDSC_NO_CONNECTION_AVAILABLE,
             report_luns(NULL, &size, scene.buffer));
    SUCCEEDS(LogoutIScsiTarget(&id));
    SUCCEEDS(remove_portal(&slow));
}

static const struct matrix_test tests[] = {
    ONE_FORM(scsi_rows),   ONE_FORM(scsi_success),      ONE_FORM(scsi_sizes),
    ONE_FORM(scsi_errors), ONE_FORM(report_luns_fails), ONE_FORM(scsi_without_connection),
};
AREA(scsi);
