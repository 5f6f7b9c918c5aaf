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

/* Of which nobody knows the units for a while. */
static void log_in_to_lazy_units(void)
{
    struct endpoint at = endpoint_of("TEST_EMBEDDED_LAZY_PORTAL");
    SUCCEEDS(add_portal(&at, NULL));
    SUCCEEDS(login(TARGET_BASE ":open", &at, NULL, false, &session_id));
}

static void leave_lazy_units(void)
{
    struct endpoint at = endpoint_of("TEST_EMBEDDED_LAZY_PORTAL");
    SUCCEEDS(LogoutIScsiTarget(&session_id));
    SUCCEEDS(remove_portal(&at));
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

/* The units of a stored login that do not turn up in time. */
static void setup_timeout(void **state)
{
    (void)state;
    static char name[] = TARGET_BASE ":open";
    struct endpoint at = endpoint_of("TEST_EMBEDDED_LAZY_PORTAL");
    ISCSI_TARGET_PORTALA portal;
    ISCSI_UNIQUE_SESSION_ID id;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    fill_portal_a(&portal, &at);
    SUCCEEDS(LoginIScsiTargetA(name, FALSE, NULL, ANY_PORT, &portal, 0, NULL, NULL, 0, NULL, TRUE,
                               &id, &connection));
    log_in_to_lazy_units();
    REFUSES_(SetupPersistentIScsiDevices, ISDSC_PERSISTENT_LOGIN_TIMEOUT,
             SetupPersistentIScsiDevices());
    leave_lazy_units();
    log_in_to_lazy_units();
    REFUSES_(SetupPersistentIScsiVolumes, ISDSC_PERSISTENT_LOGIN_TIMEOUT,
             SetupPersistentIScsiVolumes());
    leave_lazy_units();
}

static const struct matrix_test tests[] = {
    BOTH_FORMS(device_rows),     BOTH_FORMS(devices),       BOTH_FORMS(mappings),
    BOTH_FORMS(bound_devices),   BOTH_FORMS(device_errors), BOTH_FORMS(device_sizes),
    BOTH_FORMS(devices_unknown), ONE_FORM(setup_devices),   ONE_FORM(setup_timeout),
};
AREA(devices);
