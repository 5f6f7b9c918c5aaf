/* Devices, where the system has them, and those that are bound. */
#include "matrix.h"

static ISCSI_UNIQUE_SESSION_ID session_id;

/* The device interface class of disks. */
static const GUID disk_class = {
    0x53f56307, 0xb6bf, 0x11d0, {0x94, 0xf2, 0x00, 0xa0, 0xc9, 0x1e, 0xfb, 0x8b}};

static void log_in_for_devices(void)
{
    SUCCEEDS(add_portal(&embedded()->portal, NULL));
    SUCCEEDS(login(TARGET_BASE ":two-luns", NULL, NULL, false, &session_id));
}

static void store_login_for_devices(void)
{
    static char name[] = TARGET_BASE ":two-luns";
    ISCSI_UNIQUE_SESSION_ID id;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    SUCCEEDS(LoginIScsiTargetA(name, FALSE, NULL, ANY_PORT, NULL, 0, NULL, NULL, 0, NULL, TRUE, &id,
                               &connection));
}

static void expect_mappingA(void);
static void expect_mappingW(void);
static void expect_boundA(ULONG expected);
static void expect_boundW(ULONG expected);

#define FORM_FILE "matrix/devices.inc"
#include "../msapi_forms.h"

/* The two names of one thing. */
static void setup_devices(void **state)
{
    (void)state;
    log_in_for_devices();
    SUCCEEDS(SetupPersistentIScsiDevices());
    expect_boundA(0); /* nothing that comes back at the next start */
    store_login_for_devices();
    SUCCEEDS(SetupPersistentIScsiDevices());
    expect_boundW(2);
    NOTE_(SetupPersistentIScsiDevices, SUCCESS);
    NOTE_(SetupPersistentIScsiDevices, READBACK);
    SUCCEEDS(ClearPersistentIScsiDevices());
    expect_boundA(0);
    NOTE_(ClearPersistentIScsiDevices, SUCCESS);
    NOTE_(ClearPersistentIScsiDevices, READBACK);
    SUCCEEDS(SetupPersistentIScsiVolumes());
    expect_boundA(2);
    NOTE_(SetupPersistentIScsiVolumes, SUCCESS);
    NOTE_(SetupPersistentIScsiVolumes, READBACK);
}

static const struct matrix_test tests[] = {
    BOTH_FORMS(device_rows),   BOTH_FORMS(devices),       BOTH_FORMS(mappings),
    BOTH_FORMS(bound_devices), BOTH_FORMS(device_errors), BOTH_FORMS(device_sizes),
    ONE_FORM(setup_devices),
};
AREA(devices);
