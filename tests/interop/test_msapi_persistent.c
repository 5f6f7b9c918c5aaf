/* Persistent logins: stored with everything, reported, removed. */
#include "msapi_support.h"

#include <stdio.h>

#define INSTANCE "Root\\ISCSIPRT\\0000_0"
#define TARGET   "iqn.2026-11.org.Example:Persistent"

static char target[] = TARGET;
static char user[] = "somebody";
static char secret[] = "a secret of 16..";
static char key[] = "an ipsec key";

/* --- calls --- */

static ISDSC_STATUS remove_a(const char *instance, ULONG port, const char *name,
                             PISCSI_TARGET_PORTALA portal)
{
    return RemoveIScsiPersistentTargetA((PSTR)(uintptr_t)instance, port, (PSTR)(uintptr_t)name,
                                        portal);
}

/* The whole list, in static memory. */
static PPERSISTENT_ISCSI_LOGIN_INFOA list_a(ULONG *count)
{
    static union {
        ULONGLONG align;
        char bytes[1 << 20];
    } room;
    ULONG size = sizeof room;
    SUCCEEDS(
        ReportIScsiPersistentLoginsA(count, (PPERSISTENT_ISCSI_LOGIN_INFOA)(void *)&room, &size));
    assert_true(size <= sizeof room);
    return (PPERSISTENT_ISCSI_LOGIN_INFOA)(void *)&room;
}

static ULONG stored(void)
{
    ULONG count;
    list_a(&count);
    return count;
}

static int start_without_logins(void **state)
{
    ULONG count;
    PPERSISTENT_ISCSI_LOGIN_INFOA logins = list_a(&count);
    for (ULONG i = 0; i < count; i++)
        remove_a(NULL, ISCSI_ALL_INITIATOR_PORTS, logins[i].TargetName, NULL);
    return stored() == 0 ? start_clean(state) : -1;
}

static ISCSI_LOGIN_OPTIONS all_options(void)
{
    ISCSI_LOGIN_OPTIONS options = chap_options(ISCSI_CHAP_AUTH_TYPE, user, secret);
    options.InformationSpecified = 0xFF;
    options.LoginFlags = ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED;
    options.HeaderDigest = ISCSI_DIGEST_TYPE_CRC32C;
    options.MaximumConnections = 3;
    options.DefaultTime2Wait = 4;
    options.DefaultTime2Retain = 5;
    return options;
}

/* With everything that can be stored. */
static ISDSC_STATUS keep_a(const char *address, USHORT socket, PISCSI_TARGET_MAPPINGA mapping)
{
    ISCSI_TARGET_PORTALA portal;
    ISCSI_LOGIN_OPTIONS options = all_options();
    ISCSI_UNIQUE_SESSION_ID session = {1, 2};
    ISCSI_UNIQUE_CONNECTION_ID connection = {3, 4};
    memset(&portal, 0xA5, sizeof portal);
    snprintf(portal.SymbolicName, sizeof portal.SymbolicName, "a name");
    snprintf(portal.Address, sizeof portal.Address, "%s", address);
    portal.Socket = socket;
    ISDSC_STATUS status = LoginIScsiTargetA(target, TRUE, NULL, ISCSI_ANY_INITIATOR_PORT, &portal,
                                            ISCSI_SECURITY_FLAG_PFS_ENABLED, mapping, &options,
                                            sizeof key - 1, key, TRUE, &session, &connection);
    if (status == ERROR_SUCCESS) {
        assert_true(session.AdapterUnique == 0 && session.AdapterSpecific == 0);
        assert_true(connection.AdapterUnique == 0 && connection.AdapterSpecific == 0);
    }
    return status;
}

/* --- round trip --- */

static bool holds_secret(const void *bytes, size_t size, const char *wanted)
{
    for (size_t i = 0; i + strlen(wanted) <= size; i++) {
        if (memcmp((const char *)bytes + i, wanted, strlen(wanted)) == 0)
            return true;
    }
    return false;
}

static void fill_mapping(ISCSI_TARGET_MAPPINGA *mapping, SCSI_LUN_LIST luns[2])
{
    memset(mapping, 0xA5, sizeof *mapping);
    mapping->InitiatorName[0] = mapping->TargetName[0] = '\0';
    snprintf(mapping->OSDeviceName, sizeof mapping->OSDeviceName, "\\\\.\\Scsi5:");
    mapping->OSBusNumber = 1;
    mapping->OSTargetNumber = 2;
    mapping->LUNCount = 2;
    mapping->LUNList = luns;
    luns[0].OSLUN = 3;
    luns[0].TargetLUN = 4;
    luns[1].OSLUN = 5;
    luns[1].TargetLUN = (ULONGLONG)1 << 63;
}

static void check_options(const ISCSI_LOGIN_OPTIONS *options, const void *buffer, ULONG size)
{
    assert_int_equal(options->InformationSpecified, 0xFF);
    assert_int_equal(options->LoginFlags, ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED);
    assert_int_equal(options->AuthType, ISCSI_CHAP_AUTH_TYPE);
    assert_int_equal(options->HeaderDigest, ISCSI_DIGEST_TYPE_CRC32C);
    assert_int_equal(options->MaximumConnections, 3);
    assert_int_equal(options->DefaultTime2Wait, 4);
    assert_int_equal(options->DefaultTime2Retain, 5);
    assert_int_equal(options->UsernameLength, strlen(user));
    check_inside(options->Username, options->UsernameLength, 1, buffer, size);
    assert_memory_equal(options->Username, user, strlen(user));
    assert_int_equal(options->PasswordLength, 0);
    assert_null(options->Password);
}

static void check_luns(ULONG count, const SCSI_LUN_LIST *luns, const void *buffer, ULONG size)
{
    assert_int_equal(count, 2);
    check_inside(luns, 2 * sizeof *luns, sizeof(ULONGLONG), buffer, size);
    assert_int_equal(luns[0].OSLUN, 3);
    assert_int_equal(luns[0].TargetLUN, 4);
    assert_int_equal(luns[1].OSLUN, 5);
    assert_true(luns[1].TargetLUN == (ULONGLONG)1 << 63);
}

static void a_login_comes_back_as_it_was_given(void **state)
{
    static union {
        ULONGLONG align;
        PERSISTENT_ISCSI_LOGIN_INFOA info[8];
    } room;
    ISCSI_TARGET_MAPPINGA mapping;
    SCSI_LUN_LIST luns[2];
    ULONG count = 0xcccccccc, size = sizeof room;
    (void)state;
    fill_mapping(&mapping, luns);
    SUCCEEDS(keep_a("Storage.Example", 3261, &mapping));
    assert_int_equal(count_sessions(), 0);
    SUCCEEDS(ReportIScsiPersistentLoginsA(&count, room.info, &size));
    assert_int_equal(count, 1);
    assert_true(size <= sizeof room);
    assert_string_equal(room.info[0].TargetName, TARGET);
    assert_int_equal(room.info[0].IsInformationalSession, TRUE);
    assert_string_equal(room.info[0].InitiatorInstance, INSTANCE);
    assert_true(room.info[0].InitiatorPortNumber == 0xFFFFFFFF);
    assert_string_equal(room.info[0].TargetPortal.Address, "Storage.Example");
    assert_string_equal(room.info[0].TargetPortal.SymbolicName, "a name");
    assert_int_equal(room.info[0].TargetPortal.Socket, 3261);
    assert_true(room.info[0].SecurityFlags == ISCSI_SECURITY_FLAG_PFS_ENABLED);
    check_options(&room.info[0].LoginOptions, &room, size);
    const ISCSI_TARGET_MAPPINGA *back = room.info[0].Mappings;
    check_inside(back, sizeof *back, sizeof(ULONGLONG), &room, size);
    assert_true((const void *)back >= (const void *)&room.info[1]);
    assert_string_equal(back->TargetName, TARGET);
    assert_string_equal(back->InitiatorName, INSTANCE);
    assert_string_equal(back->OSDeviceName, "\\\\.\\Scsi5:");
    assert_true(back->SessionId.AdapterUnique == 0 && back->SessionId.AdapterSpecific == 0);
    assert_int_equal(back->OSBusNumber, 1);
    assert_int_equal(back->OSTargetNumber, 2);
    check_luns(back->LUNCount, back->LUNList, &room, size);
    assert_false(holds_secret(&room, size, secret));
    assert_false(holds_secret(&room, size, key));
}

static void the_wide_form_tells_the_same(void **state)
{
    static union {
        ULONGLONG align;
        PERSISTENT_ISCSI_LOGIN_INFOW info[8];
    } room;
    ISCSI_TARGET_PORTALW portal;
    ISCSI_TARGET_MAPPINGW mapping;
    SCSI_LUN_LIST luns[2];
    ISCSI_LOGIN_OPTIONS options = all_options();
    ISCSI_UNIQUE_SESSION_ID session;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    struct endpoint at = {"192.0.2.1", 3260};
    ULONG count, size = sizeof room;
    (void)state;
    fill_portal_w(&portal, &at);
    portal.SymbolicName[0] = 0xE4; /* more than ASCII */
    portal.SymbolicName[1] = 0;
    memset(&mapping, 0, sizeof mapping);
    fill_mapping(&(ISCSI_TARGET_MAPPINGA){.LUNCount = 0}, luns);
    mapping.LUNCount = 2;
    mapping.LUNList = luns;
    SUCCEEDS(LoginIScsiTargetW(wide(TARGET), FALSE, wide("root\\iscsiprt\\0000_0"),
                               ISCSI_ANY_INITIATOR_PORT, &portal, 0, &mapping, &options, 0, NULL,
                               TRUE, &session, &connection));
    SUCCEEDS(ReportIScsiPersistentLoginsW(&count, room.info, &size));
    assert_int_equal(count, 1);
    assert_string_equal(narrow(room.info[0].TargetName), TARGET);
    assert_int_equal(room.info[0].IsInformationalSession, FALSE);
    assert_string_equal(narrow(room.info[0].InitiatorInstance), INSTANCE);
    assert_string_equal(narrow(room.info[0].TargetPortal.Address), "192.0.2.1");
    assert_int_equal(room.info[0].TargetPortal.SymbolicName[0], 0xE4);
    assert_int_equal(room.info[0].TargetPortal.SymbolicName[1], 0);
    check_options(&room.info[0].LoginOptions, &room, size);
    check_inside(room.info[0].Mappings, sizeof mapping, sizeof(ULONGLONG), &room, size);
    assert_string_equal(narrow(room.info[0].Mappings->TargetName), TARGET);
    check_luns(room.info[0].Mappings->LUNCount, room.info[0].Mappings->LUNList, &room, size);
    SUCCEEDS(RemoveIScsiPersistentTargetW(room.info[0].InitiatorInstance,
                                          room.info[0].InitiatorPortNumber, room.info[0].TargetName,
                                          &room.info[0].TargetPortal));
    assert_int_equal(stored(), 0);
}

/* --- buffers --- */

static ISDSC_STATUS sized_a(void *context, ULONG *size, void *buffer)
{
    ULONG count = 0xcccccccc;
    ISDSC_STATUS status = ReportIScsiPersistentLoginsA(&count, buffer, size);
    assert_int_equal(count, 3);
    (void)context;
    return status;
}

static ISDSC_STATUS sized_w(void *context, ULONG *size, void *buffer)
{
    ULONG count = 0xcccccccc;
    ISDSC_STATUS status = ReportIScsiPersistentLoginsW(&count, buffer, size);
    assert_int_equal(count, 3);
    (void)context;
    return status;
}

static void every_size_of_buffer(void **state)
{
    ISCSI_TARGET_MAPPINGA mapping;
    SCSI_LUN_LIST luns[2];
    (void)state;
    fill_mapping(&mapping, luns);
    SUCCEEDS(keep_a("192.0.2.1", 3260, NULL));
    SUCCEEDS(keep_a("192.0.2.1", 3260, &mapping));
    SUCCEEDS(keep_a("192.0.2.2", 3260, NULL));
    check_sizes("ReportIScsiPersistentLoginsA", sized_a, NULL, 1);
    check_sizes("ReportIScsiPersistentLoginsW", sized_w, NULL, 1);
}

static void none_need_no_buffer(void **state)
{
    ULONG count = 0xcccccccc, size = 0xcccccccc;
    (void)state;
    SUCCEEDS(ReportIScsiPersistentLoginsA(&count, NULL, &size));
    assert_true(count == 0 && size == 0);
    count = size = 0xcccccccc;
    SUCCEEDS(ReportIScsiPersistentLoginsW(&count, NULL, &size));
    assert_true(count == 0 && size == 0);
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiPersistentLoginsA(NULL, NULL, &size));
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiPersistentLoginsA(&count, NULL, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiPersistentLoginsW(NULL, NULL, &size));
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiPersistentLoginsW(&count, NULL, NULL));
}

/* --- removal --- */

/* As callers do that remove what they were told of, one by one. */
static void what_was_reported_can_be_removed(void **state)
{
    PERSISTENT_ISCSI_LOGIN_INFOA kept[3];
    ULONG count;
    (void)state;
    SUCCEEDS(keep_a("192.0.2.1", 3260, NULL));
    SUCCEEDS(keep_a("192.0.2.1", 3260, NULL));
    SUCCEEDS(keep_a("192.0.2.2", 3260, NULL));
    memcpy(kept, list_a(&count), sizeof kept);
    assert_int_equal(count, 3);
    for (ULONG i = 0; i < 3; i++) {
        SUCCEEDS(remove_a(kept[i].InitiatorInstance, kept[i].InitiatorPortNumber,
                          kept[i].TargetName, &kept[i].TargetPortal));
        assert_int_equal(stored(), 2 - i);
    }
    EXPECT(ISDSC_TARGET_NOT_FOUND, remove_a(kept[0].InitiatorInstance, 0xFFFFFFFF,
                                            kept[0].TargetName, &kept[0].TargetPortal));
}

static void wildcards_remove_all_that_fit(void **state)
{
    ISCSI_TARGET_PORTALA portal;
    struct endpoint elsewhere = {"192.0.2.9", 3260};
    (void)state;
    SUCCEEDS(keep_a("192.0.2.1", 3260, NULL));
    SUCCEEDS(keep_a("192.0.2.1", 3260, NULL));
    SUCCEEDS(keep_a("192.0.2.2", 3260, NULL));
    fill_portal_a(&portal, &elsewhere);
    EXPECT(ISDSC_COULD_NOT_REMOVE_PERSISTENT_LOGIN_DATA,
           remove_a(INSTANCE, ISCSI_ALL_INITIATOR_PORTS, TARGET, &portal));
    EXPECT(ISDSC_COULD_NOT_REMOVE_PERSISTENT_LOGIN_DATA, remove_a(INSTANCE, 3, TARGET, NULL));
    EXPECT(ISDSC_TARGET_NOT_FOUND, remove_a(NULL, 0xFFFFFFFF, TARGET_BASE ":other", NULL));
    EXPECT(ISDSC_INITIATOR_INSTANCE_NOT_FOUND, remove_a("other", 0xFFFFFFFF, TARGET, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, remove_a(NULL, 0xFFFFFFFF, NULL, NULL));
    EXPECT(ISDSC_INVALID_ISCSI_NAME, remove_a(NULL, 0xFFFFFFFF, "a b", NULL));
    assert_int_equal(stored(), 3);
    SUCCEEDS(remove_a("", ISCSI_ALL_INITIATOR_PORTS, "IQN.2026-11.ORG.EXAMPLE:persistent", NULL));
    assert_int_equal(stored(), 0);
    SUCCEEDS(keep_a("192.0.2.1", 3260, NULL));
    portal.Address[0] = '\0'; /* what is behind it does not matter */
    SUCCEEDS(remove_a(NULL, ISCSI_ALL_INITIATOR_PORTS, TARGET, &portal));
    assert_int_equal(stored(), 0);
}

/* --- with a target --- */

static void a_known_target_needs_no_portal(void **state)
{
    const struct endpoint at = endpoint_of("TEST_EMBEDDED_PORTAL");
    char name[] = TARGET_BASE ":open", unknown[] = TARGET_BASE ":unknown";
    ISCSI_UNIQUE_SESSION_ID session;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    ULONG count;
    (void)state;
    SUCCEEDS(add_portal(&at, NULL));
    EXPECT(ISDSC_TARGET_NOT_FOUND,
           LoginIScsiTargetA(unknown, FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, NULL, 0, NULL, NULL, 0,
                             NULL, TRUE, &session, &connection));
    assert_int_equal(stored(), 0);
    SUCCEEDS(LoginIScsiTargetA(name, FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, NULL, 0, NULL, NULL, 0,
                               NULL, TRUE, &session, &connection));
    PPERSISTENT_ISCSI_LOGIN_INFOA logins = list_a(&count);
    assert_int_equal(count, 1);
    assert_string_equal(logins[0].TargetName, name);
    assert_string_equal(logins[0].TargetPortal.Address, "");
    assert_int_equal(logins[0].TargetPortal.Socket, 0);
    assert_null(logins[0].Mappings);
    assert_int_equal(logins[0].LoginOptions.InformationSpecified, 0);
    /* Then the second call that makes the session, whose logout leaves the record alone. */
    SUCCEEDS(login(name, NULL, NULL, false, &session));
    SUCCEEDS(LogoutIScsiTarget(&session));
    assert_int_equal(stored(), 1);
}

static void mappings_that_make_no_sense(void **state)
{
    ISCSI_TARGET_MAPPINGA mapping;
    SCSI_LUN_LIST luns[2];
    (void)state;
    fill_mapping(&mapping, luns);
    mapping.LUNList = NULL;
    EXPECT(ISDSC_INVALID_TARGET_MAPPING, keep_a("192.0.2.1", 3260, &mapping));
    mapping.LUNList = luns;
    mapping.LUNCount = 0xFFFFFFFF;
    EXPECT(ISDSC_TARGET_MAPPING_OUT_OF_RANGE, keep_a("192.0.2.1", 3260, &mapping));
    mapping.LUNCount = 0;
    mapping.LUNList = NULL;
    SUCCEEDS(keep_a("192.0.2.1", 3260, &mapping));
    assert_int_equal(stored(), 1);
}

#define PERSISTENT_TEST(name) cmocka_unit_test_setup(name, start_without_logins)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PERSISTENT_TEST(none_need_no_buffer),
        PERSISTENT_TEST(a_login_comes_back_as_it_was_given),
        PERSISTENT_TEST(the_wide_form_tells_the_same),
        PERSISTENT_TEST(every_size_of_buffer),
        PERSISTENT_TEST(what_was_reported_can_be_removed),
        PERSISTENT_TEST(wildcards_remove_all_that_fit),
        PERSISTENT_TEST(a_known_target_needs_no_portal),
        PERSISTENT_TEST(mappings_that_make_no_sense),
    };
    return cmocka_run_group_tests_name("msapi persistent", tests, NULL, start_without_logins);
}
