/* What can be set for IPsec, and that nobody gets a connection without it who asked for one with
 * it. */
#include "msapi_support.h"

#define INSTANCE  "Root\\ISCSIPRT\\0000_0"
#define INSTANCEW wide("root\\iscsiprt\\0000_0")
#define FLAGS     (ISCSI_SECURITY_FLAG_VALID | ISCSI_SECURITY_FLAG_MAIN_MODE_ENABLED)

static UCHAR address[4] = {192, 0, 2, 1};
static UCHAR address6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
static UCHAR name[] = {'h', 'o', 's', 't', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e'};
static UCHAR psk[] = "a preshared key";

static IKE_AUTHENTICATION_INFORMATION info_of(UCHAR type, UCHAR *id, ULONG length)
{
    IKE_AUTHENTICATION_INFORMATION info;
    memset(&info, 0, sizeof info);
    info.AuthMethod = IKE_AUTHENTICATION_PRESHARED_KEY_METHOD;
    info.PsKey.IdType = type;
    info.PsKey.Id = id;
    info.PsKey.IdLengthInBytes = length;
    return info;
}

static ISDSC_STATUS set_with(IKE_AUTHENTICATION_INFORMATION info, ULONGLONG flags, bool with_key,
                             BOOLEAN persist)
{
    info.PsKey.SecurityFlags = flags;
    info.PsKey.Key = with_key ? psk : NULL;
    info.PsKey.KeyLengthInBytes = with_key ? sizeof psk : 0;
    return SetIScsiIKEInfoA(NULL, ISCSI_ALL_INITIATOR_PORTS, &info, persist);
}

static ISDSC_STATUS get_with(IKE_AUTHENTICATION_INFORMATION info, ULONGLONG *flags)
{
    info.PsKey.SecurityFlags = 0x5555;
    ISDSC_STATUS status = GetIScsiIKEInfoW(NULL, ISCSI_ALL_INITIATOR_PORTS, NULL, &info);
    *flags = info.PsKey.SecurityFlags;
    assert_null(info.PsKey.Key);
    assert_int_equal(info.PsKey.KeyLengthInBytes, 0);
    return status;
}

static void every_type_of_identity_is_kept(void **state)
{
    const IKE_AUTHENTICATION_INFORMATION infos[] = {
        info_of(ID_IPV4_ADDR, address, sizeof address),
        info_of(ID_IPV6_ADDR, address6, sizeof address6),
        info_of(ID_FQDN, name, sizeof name),
        info_of(ID_USER_FQDN, name, sizeof name),
    };
    ULONGLONG flags;
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (BOOLEAN persist = FALSE; persist <= TRUE; persist++) {
            EXPECT(ISDSC_NO_AUTH_INFO_AVAILABLE, get_with(infos[i], &flags));
            SUCCEEDS(set_with(infos[i], FLAGS | ((ULONGLONG)i << 32), true, persist));
            SUCCEEDS(get_with(infos[i], &flags));
            assert_true(flags == (FLAGS | ((ULONGLONG)i << 32)));
            SUCCEEDS(set_with(infos[i], FLAGS, true, persist)); /* in its place */
            SUCCEEDS(get_with(infos[i], &flags));
            assert_true(flags == FLAGS);
            SUCCEEDS(set_with(infos[i], 0, false, persist));
        }
        EXPECT(ISDSC_NO_AUTH_INFO_AVAILABLE, get_with(infos[i], &flags));
    }
}

static void what_is_passing_hides_what_is_stored(void **state)
{
    IKE_AUTHENTICATION_INFORMATION info = info_of(ID_FQDN, name, sizeof name);
    ULONGLONG flags;
    (void)state;
    SUCCEEDS(set_with(info, FLAGS, true, TRUE));
    SUCCEEDS(set_with(info, 0, true, FALSE));
    SUCCEEDS(get_with(info, &flags));
    assert_true(flags == 0);
    SUCCEEDS(set_with(info, 0, false, FALSE));
    EXPECT(ISDSC_NO_AUTH_INFO_AVAILABLE, get_with(info, &flags));
    SUCCEEDS(set_with(info, FLAGS, true, TRUE)); /* the latest counts */
    SUCCEEDS(get_with(info, &flags));
    assert_true(flags == FLAGS);
    SUCCEEDS(set_with(info, 0, false, TRUE));
    EXPECT(ISDSC_NO_AUTH_INFO_AVAILABLE, get_with(info, &flags));
}

static void an_initiator_of_its_own_comes_first(void **state)
{
    IKE_AUTHENTICATION_INFORMATION info = info_of(ID_IPV4_ADDR, address, sizeof address);
    (void)state;
    SUCCEEDS(set_with(info, FLAGS, true, TRUE));
    SUCCEEDS(GetIScsiIKEInfoA(INSTANCE, ISCSI_ALL_INITIATOR_PORTS, NULL, &info));
    assert_true(info.PsKey.SecurityFlags == FLAGS);
    info.PsKey.SecurityFlags = 0;
    info.PsKey.Key = psk;
    info.PsKey.KeyLengthInBytes = sizeof psk;
    SUCCEEDS(SetIScsiIKEInfoW(INSTANCEW, ISCSI_ALL_INITIATOR_PORTS, &info, FALSE));
    info.PsKey.SecurityFlags = 77;
    SUCCEEDS(GetIScsiIKEInfoA(INSTANCE, ISCSI_ALL_INITIATOR_PORTS, NULL, &info));
    assert_true(info.PsKey.SecurityFlags == 0);
    SUCCEEDS(GetIScsiIKEInfoA(NULL, ISCSI_ALL_INITIATOR_PORTS, NULL, &info));
    assert_true(info.PsKey.SecurityFlags == FLAGS);
    info.PsKey.KeyLengthInBytes = 0;
    SUCCEEDS(SetIScsiIKEInfoA(INSTANCE, ISCSI_ALL_INITIATOR_PORTS, &info, TRUE));
    SUCCEEDS(SetIScsiIKEInfoA(NULL, ISCSI_ALL_INITIATOR_PORTS, &info, TRUE));
}

static void wrong_identities_are_refused(void **state)
{
    IKE_AUTHENTICATION_INFORMATION info = info_of(ID_IPV4_ADDR, address, sizeof address);
    ULONGLONG flags;
    (void)state;
    EXPECT(ERROR_INVALID_PARAMETER, SetIScsiIKEInfoA(NULL, ISCSI_ALL_INITIATOR_PORTS, NULL, TRUE));
    EXPECT(ERROR_INVALID_PARAMETER, GetIScsiIKEInfoA(NULL, ISCSI_ALL_INITIATOR_PORTS, NULL, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, SetIScsiIKEInfoA(NULL, 0, &info, TRUE));
    EXPECT(ISDSC_INITIATOR_INSTANCE_NOT_FOUND,
           SetIScsiIKEInfoA("nobody", ISCSI_ALL_INITIATOR_PORTS, &info, TRUE));
    EXPECT(ISDSC_INVALID_PORT_NUMBER, SetIScsiIKEInfoA(INSTANCE, 4000, &info, TRUE));
    static const UCHAR types[] = {0, 4, 6, 9, 255};
    for (size_t i = 0; i < sizeof types; i++) {
        EXPECT(ISDSC_IKE_ID_PAYLOAD_TYPE_NOT_SUPPORTED,
               set_with(info_of(types[i], address, sizeof address), FLAGS, true, TRUE));
        EXPECT(ISDSC_IKE_ID_PAYLOAD_TYPE_NOT_SUPPORTED,
               get_with(info_of(types[i], address, sizeof address), &flags));
    }
    EXPECT(ISDSC_IKE_ID_PAYLOAD_INCORRECT_SIZE,
           set_with(info_of(ID_IPV4_ADDR, address6, 16), FLAGS, true, TRUE));
    EXPECT(ISDSC_IKE_ID_PAYLOAD_INCORRECT_SIZE,
           set_with(info_of(ID_IPV6_ADDR, address6, 15), FLAGS, true, FALSE));
    EXPECT(ISDSC_IKE_ID_PAYLOAD_INCORRECT_SIZE, get_with(info_of(ID_FQDN, name, 0), &flags));
    info.AuthMethod = (IKE_AUTHENTICATION_METHOD)2;
    EXPECT(ERROR_INVALID_PARAMETER, set_with(info, FLAGS, true, TRUE));
    EXPECT(ERROR_INVALID_PARAMETER, get_with(info, &flags));
    info = info_of(ID_IPV4_ADDR, NULL, 4);
    EXPECT(ERROR_INVALID_PARAMETER, set_with(info, FLAGS, true, TRUE));
    info = info_of(ID_IPV4_ADDR, address, sizeof address);
    EXPECT(ERROR_INVALID_PARAMETER,
           set_with(info, FLAGS | ISCSI_SECURITY_FLAG_AGGRESSIVE_MODE_ENABLED, true, TRUE));
    EXPECT(ERROR_INVALID_PARAMETER, set_with(info,
                                             ISCSI_SECURITY_FLAG_TUNNEL_MODE_PREFERRED |
                                                 ISCSI_SECURITY_FLAG_TRANSPORT_MODE_PREFERRED,
                                             true, TRUE));
    EXPECT(ISDSC_NO_AUTH_INFO_AVAILABLE, get_with(info, &flags));
}

static void the_group_key_is_set_and_removed(void **state)
{
    (void)state;
    EXPECT(ERROR_INVALID_PARAMETER, SetIScsiGroupPresharedKey(5, NULL, TRUE));
    SUCCEEDS(SetIScsiGroupPresharedKey(sizeof psk, psk, TRUE));
    SUCCEEDS(SetIScsiGroupPresharedKey(sizeof psk, psk, FALSE));
    SUCCEEDS(SetIScsiGroupPresharedKey(0, NULL, FALSE));
    SUCCEEDS(SetIScsiGroupPresharedKey(0, psk, TRUE));
}

static void tunnel_addresses_are_checked(void **state)
{
    const ULONG all = ISCSI_ALL_INITIATOR_PORTS;
    (void)state;
    SUCCEEDS(SetIScsiTunnelModeOuterAddressA(NULL, all, "192.0.2.1", "198.51.100.1", TRUE));
    SUCCEEDS(SetIScsiTunnelModeOuterAddressW(NULL, all, wide("2001:db8::1"), wide("2001:db8::2"),
                                             FALSE));
    SUCCEEDS(SetIScsiTunnelModeOuterAddressW(INSTANCEW, all, NULL, wide("198.51.100.1"), TRUE));
    SUCCEEDS(SetIScsiTunnelModeOuterAddressA(NULL, all, "192.0.2.1", NULL, TRUE));
    SUCCEEDS(SetIScsiTunnelModeOuterAddressA(INSTANCE, all, NULL, "", FALSE));
    SUCCEEDS(SetIScsiTunnelModeOuterAddressA(INSTANCE, all, NULL, NULL, TRUE));
    EXPECT(ERROR_INVALID_PARAMETER,
           SetIScsiTunnelModeOuterAddressA(NULL, all, "not an address", "192.0.2.9", TRUE));
    EXPECT(ERROR_INVALID_PARAMETER,
           SetIScsiTunnelModeOuterAddressW(NULL, all, wide("192.0.2.1"), wide("300.1.1.1"), FALSE));
    EXPECT(ERROR_INVALID_PARAMETER,
           SetIScsiTunnelModeOuterAddressA(NULL, 3, "192.0.2.1", "192.0.2.9", TRUE));
    EXPECT(ISDSC_INITIATOR_INSTANCE_NOT_FOUND,
           SetIScsiTunnelModeOuterAddressW(wide("nobody"), all, NULL, wide("192.0.2.9"), TRUE));
}

/* --- against a target --- */

static ISCSI_TARGET_PORTALA portal_of(const struct peer *peer)
{
    ISCSI_TARGET_PORTALA portal;
    memset(&portal, 0, sizeof portal);
    strcpy(portal.Address, peer->portal.host);
    portal.Socket = peer->portal.port;
    return portal;
}

static ISDSC_STATUS log_in(const struct peer *peer, ULONGLONG flags, ULONG login_flags)
{
    ISCSI_TARGET_PORTALA portal = portal_of(peer);
    ISCSI_UNIQUE_SESSION_ID session;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    ISCSI_LOGIN_OPTIONS options;
    memset(&options, 0, sizeof options);
    options.LoginFlags = login_flags;
    ISDSC_STATUS status = LoginIScsiTargetA(
        TARGET_BASE ":open", FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, &portal, flags, NULL, &options,
        sizeof psk, (PCHAR)psk, FALSE, &session, &connection);
    if (status == ERROR_SUCCESS)
        SUCCEEDS(LogoutIScsiTarget(&session));
    return status;
}

static void no_login_goes_without_ipsec_unnoticed(void **state)
{
    const struct peer *peer = *state;
    const ULONGLONG ipsec = ISCSI_SECURITY_FLAG_VALID | ISCSI_SECURITY_FLAG_IKE_IPSEC_ENABLED;
    ISCSI_TARGET_PORTALA portal = portal_of(peer);
    UCHAR loopback[4] = {127, 0, 0, 1};
    IKE_AUTHENTICATION_INFORMATION info = info_of(ID_IPV4_ADDR, loopback, sizeof loopback);
    SUCCEEDS(AddIScsiSendTargetPortalA(NULL, ISCSI_ANY_INITIATOR_PORT, NULL, 0, &portal));
    SUCCEEDS(log_in(peer, 0, 0));
    EXPECT(ISDSC_IPSEC_NOT_SUPPORTED_ON_OS, log_in(peer, ipsec, 0));
    EXPECT(ISDSC_IPSEC_NOT_SUPPORTED_ON_OS, log_in(peer, 0, ISCSI_LOGIN_FLAG_REQUIRE_IPSEC));
    EXPECT(ERROR_INVALID_PARAMETER, log_in(peer,
                                           FLAGS | ISCSI_SECURITY_FLAG_TUNNEL_MODE_PREFERRED |
                                               ISCSI_SECURITY_FLAG_TRANSPORT_MODE_PREFERRED,
                                           0));
    SUCCEEDS(log_in(peer, FLAGS, 0)); /* modes of what is not asked for */
    SUCCEEDS(log_in(peer, ISCSI_SECURITY_FLAG_IKE_IPSEC_ENABLED, 0)); /* not VALID */

    /* An address of which it was said that it is to be reached by IPsec only. */
    for (BOOLEAN persist = FALSE; persist <= TRUE; persist++) {
        SUCCEEDS(set_with(info, ipsec, true, persist));
        EXPECT(ISDSC_IPSEC_NOT_SUPPORTED_ON_OS, log_in(peer, 0, 0));
        EXPECT(ISDSC_IPSEC_NOT_SUPPORTED_ON_OS,
               RefreshIScsiSendTargetPortalA(NULL, ISCSI_ANY_INITIATOR_PORT, &portal));
        SUCCEEDS(set_with(info, 0, true, persist));
        SUCCEEDS(log_in(peer, 0, 0));
        SUCCEEDS(set_with(info, 0, false, persist));
    }
    SUCCEEDS(RemoveIScsiSendTargetPortalA(NULL, ISCSI_ANY_INITIATOR_PORT, &portal));

    EXPECT(ISDSC_IPSEC_NOT_SUPPORTED_ON_OS,
           AddIScsiSendTargetPortalA(NULL, ISCSI_ANY_INITIATOR_PORT, NULL, ipsec, &portal));
    SUCCEEDS(RemoveIScsiSendTargetPortalA(NULL, ISCSI_ANY_INITIATOR_PORT, &portal));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_type_of_identity_is_kept, start_clean),
        cmocka_unit_test_setup(what_is_passing_hides_what_is_stored, start_clean),
        cmocka_unit_test_setup(an_initiator_of_its_own_comes_first, start_clean),
        cmocka_unit_test_setup(wrong_identities_are_refused, start_clean),
        cmocka_unit_test_setup(the_group_key_is_set_and_removed, start_clean),
        cmocka_unit_test_setup(tunnel_addresses_are_checked, start_clean),
    };
    static const struct peer_case cases[] = {PEER_CASE(no_login_goes_without_ipsec_unnoticed)};
    int failed = cmocka_run_group_tests_name("ipsec", tests, NULL, NULL);
    return failed + run_peer_cases("ipsec", cases, sizeof cases / sizeof *cases);
}
