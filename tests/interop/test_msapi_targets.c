/* GetIScsiTargetInformation: every class in both forms, byte by byte where callers step through it.
 */
#include "msapi_support.h"

#include <stdio.h>
#include <stdlib.h>

#define INSTANCE "Root\\ISCSIPRT\\0000_0"
#define NAME     "iqn.2026-11.org.example:described"

static char name[] = NAME;
static char static_mechanism[] = "Static:*";
static char user[] = "someone";
static char secret[] = "password1234";
static const WCHAR alias[] = {'R', 0xe9, 'g', 'a', 'l', ' ', 0xfc, 0};
static SCSI_LUN_LIST luns[2] = {{0, 0}, {0, 0}};

static int start_without_targets(void **state)
{
    if (start_clean(state) != 0)
        return -1;
    ISDSC_STATUS status = RemoveIScsiStaticTargetA(name);
    return status == ERROR_SUCCESS || status == ISDSC_TARGET_NOT_FOUND ? 0 : -1;
}

/* --- two portals, a mapping, options --- */

/* A group of up to three. */
union group_a {
    ISCSI_TARGET_PORTAL_GROUPA group;
    char room[sizeof(ISCSI_TARGET_PORTAL_GROUPA) + 2 * sizeof(ISCSI_TARGET_PORTALA)];
};

static void fill_group(union group_a *out, ULONG count)
{
    static const char *const addresses[] = {"192.0.2.1", "fe80::1:2", "storage.example"};
    memset(out, 0, sizeof *out);
    out->group.Count = count;
    ISCSI_TARGET_PORTALA *portal = out->group.Portals;
    for (ULONG i = 0; i < count; i++, portal++) {
        snprintf(portal->SymbolicName, sizeof portal->SymbolicName, "portal %lu", (unsigned long)i);
        snprintf(portal->Address, sizeof portal->Address, "%s", addresses[i]);
        portal->Socket = (USHORT)(3260 + i);
    }
}

static void fill_mapping(ISCSI_TARGET_MAPPINGA *mapping)
{
    memset(mapping, 0xDC, sizeof *mapping); /* names and session do not count */
    mapping->OSDeviceName[0] = '\0';
    mapping->OSBusNumber = 1;
    mapping->OSTargetNumber = 2;
    mapping->LUNCount = 2;
    mapping->LUNList = luns;
    luns[0].OSLUN = 5;
    luns[0].TargetLUN = 0;
    luns[1].OSLUN = 6;
    luns[1].TargetLUN = (ULONGLONG)1 << 48;
}

static void describe(ULONG portals)
{
    union group_a group;
    ISCSI_TARGET_MAPPINGA mapping;
    ISCSI_LOGIN_OPTIONS options = chap_options(ISCSI_CHAP_AUTH_TYPE, user, secret);
    fill_group(&group, portals);
    fill_mapping(&mapping);
    SUCCEEDS(AddIScsiStaticTargetA(name, ansi(alias), ISCSI_TARGET_FLAG_HIDE_STATIC_TARGET, FALSE,
                                   &mapping, &options, &group.group));
}

/* --- asking --- */

struct question {
    bool wide;
    TARGET_INFORMATION_CLASS info_class;
};

static ISDSC_STATUS get(void *context, ULONG *size, void *buffer)
{
    const struct question *question = context;
    if (question->wide)
        return GetIScsiTargetInformationW(wide(name), wide(static_mechanism), question->info_class,
                                          size, buffer);
    return GetIScsiTargetInformationA(name, static_mechanism, question->info_class, size, buffer);
}

/* All of it, in static memory. */
static void *information(bool is_wide, TARGET_INFORMATION_CLASS info_class, ULONG *size)
{
    static ULONGLONG room[4096];
    struct question question = {is_wide, info_class};
    *size = sizeof room;
    memset(room, 0x55, sizeof room);
    SUCCEEDS(get(&question, size, room));
    return room;
}

/* --- the classes --- */

static void numbers_take_four_bytes(void **state)
{
    ULONG size;
    (void)state;
    describe(1);
    for (int is_wide = 0; is_wide < 2; is_wide++) {
        ULONG *number = information(is_wide, ProtocolType, &size);
        assert_int_equal(size, 4);
        assert_int_equal(*number, ISCSI_TCP_PROTOCOL_TYPE);
        number = information(is_wide, TargetFlags, &size);
        assert_int_equal(size, 4);
        assert_int_equal(*number, ISCSI_TARGET_FLAG_HIDE_STATIC_TARGET);
    }
}

static void texts_end_with_nul(void **state)
{
    ULONG size;
    (void)state;
    describe(1);
    assert_string_equal(information(false, TargetAlias, &size), ansi(alias));
    assert_int_equal(size, strlen(ansi(alias)) + 1);
    assert_memory_equal(information(true, TargetAlias, &size), alias, sizeof alias);
    assert_int_equal(size, sizeof alias);
    assert_string_equal(information(false, InitiatorName, &size), INSTANCE);
    assert_int_equal(size, sizeof INSTANCE);
    assert_string_equal(narrow(information(true, InitiatorName, &size)), INSTANCE);
    assert_int_equal(size, sizeof INSTANCE * sizeof(WCHAR));
    /* A target without an alias has an empty one. */
    SUCCEEDS(AddIScsiStaticTargetA(name, NULL, 0, FALSE, NULL, NULL, NULL));
    assert_string_equal(information(false, TargetAlias, &size), "");
    assert_int_equal(size, 1);
    information(true, TargetAlias, &size);
    assert_int_equal(size, sizeof(WCHAR));
}

static void mechanisms_are_a_list_in_bytes(void **state)
{
    static const char expected[] = "Static:*\0";
    ULONG size;
    (void)state;
    describe(1);
    assert_memory_equal(information(false, DiscoveryMechanisms, &size), expected, sizeof expected);
    assert_int_equal(size, sizeof expected);
    const WCHAR *text = information(true, DiscoveryMechanisms, &size);
    assert_int_equal(size, sizeof expected * sizeof(WCHAR));
    for (size_t i = 0; i < sizeof expected; i++)
        assert_int_equal(text[i], expected[i]);
}

static void check_portal_a(const ISCSI_TARGET_PORTALA *got, const ISCSI_TARGET_PORTALA *expected)
{
    assert_string_equal(got->SymbolicName, expected->SymbolicName);
    assert_string_equal(got->Address, expected->Address);
    assert_int_equal(got->Socket, expected->Socket);
}

static void check_portal_w(const ISCSI_TARGET_PORTALW *got, const ISCSI_TARGET_PORTALA *expected)
{
    assert_string_equal(narrow(got->SymbolicName), expected->SymbolicName);
    assert_string_equal(narrow(got->Address), expected->Address);
    assert_int_equal(got->Socket, expected->Socket);
}

/* The sizes are those by which Microsoft's own tool steps from group to group. */
static void groups_follow_their_count(void **state)
{
    static const ULONG sizes_a[] = {4, 520, 1036, 1548}, sizes_w[] = {4, 1032, 2060, 3084};
    union group_a group;
    const ISCSI_TARGET_PORTALA *given = group.group.Portals;
    ULONG size;
    (void)state;
    for (ULONG portals = 0; portals < 4; portals++) {
        describe(portals);
        fill_group(&group, portals);
        char *at = information(false, PortalGroups, &size);
        const ISCSI_TARGET_PORTAL_GROUPA *group_a = (void *)(at + 4);
        assert_int_equal(size, 4 + sizes_a[portals]);
        assert_int_equal(*(ULONG *)(void *)at, 1);
        assert_int_equal(group_a->Count, portals);
        for (ULONG i = 0; i < portals; i++)
            check_portal_a(&group_a->Portals[i], &given[i]);
        at = information(true, PortalGroups, &size);
        const ISCSI_TARGET_PORTAL_GROUPW *group_w = (void *)(at + 4);
        assert_int_equal(size, 4 + sizes_w[portals]);
        assert_int_equal(*(ULONG *)(void *)at, 1);
        assert_int_equal(group_w->Count, portals);
        for (ULONG i = 0; i < portals; i++)
            check_portal_w(&group_w->Portals[i], &given[i]);
    }
    SUCCEEDS(AddIScsiStaticTargetA(name, NULL, 0, FALSE, NULL, NULL, NULL));
    assert_int_equal(*(ULONG *)information(false, PortalGroups, &size), 0);
    assert_int_equal(size, 4);
}

static void check_luns(ULONG count, const SCSI_LUN_LIST *list, const void *buffer, ULONG size)
{
    assert_int_equal(count, 2);
    check_inside(list, 2 * sizeof *list, sizeof(ULONGLONG), buffer, size);
    assert_int_equal(list[0].OSLUN, 5);
    assert_true(list[0].TargetLUN == 0);
    assert_int_equal(list[1].OSLUN, 6);
    assert_true(list[1].TargetLUN == (ULONGLONG)1 << 48);
}

static void a_mapping_is_there_with_its_units(void **state)
{
    ULONG size;
    (void)state;
    describe(0);
    const ISCSI_TARGET_MAPPINGA *mapping = information(false, PersistentTargetMappings, &size);
    assert_int_equal(size, sizeof *mapping + 2 * sizeof(SCSI_LUN_LIST));
    assert_string_equal(mapping->InitiatorName, INSTANCE);
    assert_string_equal(mapping->TargetName, name);
    assert_string_equal(mapping->OSDeviceName, "");
    assert_true(mapping->SessionId.AdapterUnique == 0 && mapping->SessionId.AdapterSpecific == 0);
    assert_int_equal(mapping->OSBusNumber, 1);
    assert_int_equal(mapping->OSTargetNumber, 2);
    check_luns(mapping->LUNCount, mapping->LUNList, mapping, size);
    const ISCSI_TARGET_MAPPINGW *mapping_w = information(true, PersistentTargetMappings, &size);
    assert_int_equal(size, sizeof *mapping_w + 2 * sizeof(SCSI_LUN_LIST));
    assert_string_equal(narrow(mapping_w->InitiatorName), INSTANCE);
    assert_string_equal(narrow(mapping_w->TargetName), name);
    check_luns(mapping_w->LUNCount, mapping_w->LUNList, mapping_w, size);
    SUCCEEDS(AddIScsiStaticTargetA(name, NULL, 0, FALSE, NULL, NULL, NULL));
    mapping = information(false, PersistentTargetMappings, &size);
    assert_int_equal(size, sizeof *mapping);
    assert_int_equal(mapping->LUNCount, 0);
    assert_null(mapping->LUNList);
}

static void options_come_with_the_user_but_without_the_secret(void **state)
{
    ULONG size;
    (void)state;
    describe(0);
    for (int is_wide = 0; is_wide < 2; is_wide++) {
        const ISCSI_LOGIN_OPTIONS *options = information(is_wide, LoginOptions, &size);
        assert_int_equal(size, sizeof *options + strlen(user));
        assert_int_equal(options->AuthType, ISCSI_CHAP_AUTH_TYPE);
        assert_true((options->InformationSpecified & ISCSI_LOGIN_OPTIONS_PASSWORD) != 0);
        assert_int_equal(options->UsernameLength, strlen(user));
        check_inside(options->Username, strlen(user), 1, options, size);
        assert_memory_equal(options->Username, user, strlen(user));
        assert_int_equal(options->PasswordLength, 0);
        assert_null(options->Password);
        for (size_t i = 0; i + strlen(secret) <= size; i++)
            assert_memory_not_equal((const char *)options + i, secret, strlen(secret));
    }
    SUCCEEDS(AddIScsiStaticTargetA(name, NULL, 0, FALSE, NULL, NULL, NULL));
    const ISCSI_LOGIN_OPTIONS *options = information(false, LoginOptions, &size);
    assert_int_equal(size, sizeof *options);
    assert_int_equal(options->InformationSpecified, 0);
    assert_null(options->Username);
}

static void every_size_of_every_class(void **state)
{
    (void)state;
    describe(2);
    for (int info_class = ProtocolType; info_class <= LoginOptions; info_class++) {
        for (int is_wide = 0; is_wide < 2; is_wide++) {
            char what[64];
            struct question question = {is_wide, (TARGET_INFORMATION_CLASS)info_class};
            snprintf(what, sizeof what, "class %d, %s", info_class, is_wide ? "W" : "A");
            check_sizes(what, get, &question, 1);
        }
    }
}

/* Nothing at all is known of it, and yet the size query never succeeds. */
static void every_size_of_what_is_empty(void **state)
{
    (void)state;
    SUCCEEDS(AddIScsiStaticTargetW(wide(name), NULL, 0, FALSE, NULL, NULL, NULL));
    for (int info_class = ProtocolType; info_class <= LoginOptions; info_class++) {
        struct question question = {info_class % 2 == 0, (TARGET_INFORMATION_CLASS)info_class};
        check_sizes("an empty class", get, &question, 1);
    }
}

/* --- what is wrong --- */

static void wrong_questions_are_refused(void **state)
{
    char unknown[] = "iqn.2026-11.org.example:unknown", bad[] = "a b", nothing[] = "";
    char mechanism[] = "SendTargets:*192.0.2.1 0003260 " INSTANCE " ";
    ULONG size = 0, number;
    (void)state;
    describe(1);
    EXPECT(ERROR_INVALID_PARAMETER,
           GetIScsiTargetInformationA(NULL, NULL, ProtocolType, &size, NULL));
    EXPECT(ERROR_INVALID_PARAMETER,
           GetIScsiTargetInformationA(nothing, NULL, ProtocolType, &size, NULL));
    EXPECT(ERROR_INVALID_PARAMETER,
           GetIScsiTargetInformationA(name, NULL, ProtocolType, NULL, &number));
    EXPECT(ERROR_INVALID_PARAMETER,
           GetIScsiTargetInformationA(name, NULL, (TARGET_INFORMATION_CLASS)8, &size, NULL));
    EXPECT(ERROR_INVALID_PARAMETER,
           GetIScsiTargetInformationW(wide(name), NULL, (TARGET_INFORMATION_CLASS)-1, &size, NULL));
    EXPECT(ISDSC_INVALID_ISCSI_NAME,
           GetIScsiTargetInformationA(bad, NULL, ProtocolType, &size, NULL));
    for (int info_class = ProtocolType; info_class <= LoginOptions; info_class++) {
        TARGET_INFORMATION_CLASS asked = (TARGET_INFORMATION_CLASS)info_class;
        EXPECT(ISDSC_TARGET_NOT_FOUND,
               GetIScsiTargetInformationA(unknown, NULL, asked, &size, NULL));
        EXPECT(
            ISDSC_TARGET_NOT_FOUND,
            GetIScsiTargetInformationW(wide(unknown), wide(static_mechanism), asked, &size, NULL));
        EXPECT(ISDSC_DISCOVERY_MECHANISM_NOT_FOUND,
               GetIScsiTargetInformationA(name, mechanism, asked, &size, NULL));
        EXPECT(ISDSC_DISCOVERY_MECHANISM_NOT_FOUND,
               GetIScsiTargetInformationW(wide(name), wide(mechanism), asked, &size, NULL));
    }
    assert_int_equal(size, 0);
}

/* --- what is discovered --- */

/* The strings of the list, each followed by '|'. */
static const char *mechanisms_of(const char *target)
{
    static char text[8192];
    static char room[4096];
    ULONG size = sizeof room;
    char asked[256];
    snprintf(asked, sizeof asked, "%s", target);
    SUCCEEDS(GetIScsiTargetInformationA(asked, NULL, DiscoveryMechanisms, &size, room));
    text[0] = '\0';
    for (const char *item = room; *item != '\0'; item += strlen(item) + 1)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s|", item);
    return text;
}

static void mechanism_name(char out[256], const struct endpoint *at)
{
    snprintf(out, 256, "SendTargets:*%s %07u " INSTANCE " ", at->host, at->port);
}

static void each_portal_is_a_mechanism(void **state)
{
    const struct peer *peer = *state;
    const struct endpoint *const portals[] = {&peer->portal, &peer->portal6};
    char target[] = TARGET_BASE ":open", expected[1024] = "", mechanism[2][256], room[4096];
    forget_targets();
    for (int i = 0; i < 2; i++) {
        SUCCEEDS(add_portal(portals[i], NULL));
        mechanism_name(mechanism[i], portals[i]);
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%s|",
                 mechanism[i]);
    }
    assert_string_equal(mechanisms_of(target), expected);
    SUCCEEDS(AddIScsiStaticTargetA(target, ansi(alias), 0, FALSE, NULL, NULL, NULL));
    strcat(expected, "Static:*|");
    assert_string_equal(mechanisms_of(target), expected);
    for (int i = 0; i < 2; i++) {
        ULONG size = sizeof room;
        SUCCEEDS(GetIScsiTargetInformationA(target, mechanism[i], PortalGroups, &size, room));
        const ISCSI_TARGET_PORTAL_GROUPA *group = (void *)(room + 4);
        assert_true(group->Count > 0);
        /* tgtd tells only of the portal that was asked, the others of all. */
        bool found = false;
        for (ULONG p = 0; p < group->Count; p++)
            found = found || (strcmp(group->Portals[p].Address, portals[i]->host) == 0 &&
                              group->Portals[p].Socket == portals[i]->port);
        assert_true(found);
        size = sizeof room;
        SUCCEEDS(GetIScsiTargetInformationW(wide(target), wide(mechanism[i]), TargetAlias, &size,
                                            (PVOID)room));
        assert_memory_equal(room, alias, sizeof alias);
    }
    SUCCEEDS(RemoveIScsiStaticTargetA(target));
    *strstr(expected, "Static") = '\0';
    assert_string_equal(mechanisms_of(target), expected);
}

static void the_alias_is_what_the_target_says_in_a_session(void **state)
{
    const struct peer *peer = *state;
    char target[] = TARGET_BASE ":open", text[512];
    ISCSI_UNIQUE_SESSION_ID session;
    SUCCEEDS(add_portal(&peer->portal, NULL));
    SUCCEEDS(login(target, NULL, NULL, false, &session));
    ULONG size = sizeof text;
    SUCCEEDS(GetIScsiTargetInformationA(target, NULL, TargetAlias, &size, text));
    assert_int_equal(size, strlen(text) + 1);
    /* Only istgt gives its targets an alias here. */
    assert_string_equal(text, strcmp(peer->kind, "istgt") == 0 ? "disk of open" : "");
}

#define TARGET_TEST(test) cmocka_unit_test_setup(test, start_without_targets)

int main(void)
{
    static const struct peer_case cases[] = {
        PEER_CASE(each_portal_is_a_mechanism),
        PEER_CASE(the_alias_is_what_the_target_says_in_a_session),
    };
    const struct CMUnitTest tests[] = {
        TARGET_TEST(numbers_take_four_bytes),
        TARGET_TEST(texts_end_with_nul),
        TARGET_TEST(mechanisms_are_a_list_in_bytes),
        TARGET_TEST(groups_follow_their_count),
        TARGET_TEST(a_mapping_is_there_with_its_units),
        TARGET_TEST(options_come_with_the_user_but_without_the_secret),
        TARGET_TEST(every_size_of_every_class),
        TARGET_TEST(every_size_of_what_is_empty),
        TARGET_TEST(wrong_questions_are_refused),
    };
    int failed = cmocka_run_group_tests_name("msapi targets", tests, NULL, start_without_targets);
    return failed + run_peer_cases("msapi targets of peers", cases, sizeof cases / sizeof *cases);
}
