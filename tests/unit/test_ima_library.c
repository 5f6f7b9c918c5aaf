/* The library of the management API with a built-in plugin made for the test, and plugins of others
 * that behave and misbehave: loading, owners, lists, the shared node, events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../ima_plugins/example.h"
#include "ima/configuration.h"
#include "ima/library.h"
#include "ima/text.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/system.h"

#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

#define assert_ima(expected, got) assert_int_equal((IMA_STATUS)(expected), (IMA_STATUS)(got))

/* --- the built-in plugin --- */

static IMA_NODE_PROPERTIES our_node;
static IMA_OBJECT_VISIBILITY_FN our_visibility;
static IMA_OBJECT_PROPERTY_FN our_property;

static IMA_STATUS our_lhbas(IMA_OID_LIST **list)
{
    *list = ima_new_list(1);
    (*list)->oids[0] = (IMA_OID){IMA_OBJECT_TYPE_LHBA, IMA_OWNER_BUILTIN, 1};
    return IMA_STATUS_SUCCESS;
}

static IMA_STATUS no_objects(IMA_OID_LIST **list)
{
    *list = ima_new_list(0);
    return IMA_STATUS_SUCCESS;
}

static IMA_STATUS get_our_node(IMA_OID node, IMA_NODE_PROPERTIES *properties)
{
    if (node.ownerId != IMA_LIBRARY_OWNER_ID)
        return IMA_ERROR_OBJECT_NOT_FOUND;
    *properties = our_node;
    return IMA_STATUS_SUCCESS;
}

static IMA_STATUS set_our_name(IMA_OID node, const IMA_NODE_NAME name)
{
    (void)node;
    memcpy(our_node.name, name, sizeof our_node.name);
    our_node.nameValid = IMA_TRUE;
    return IMA_STATUS_SUCCESS;
}

static IMA_STATUS set_our_alias(IMA_OID node, const IMA_NODE_ALIAS alias)
{
    (void)node;
    memcpy(our_node.alias, alias, sizeof our_node.alias);
    our_node.aliasValid = alias[0] != 0;
    return IMA_STATUS_SUCCESS;
}

static IMA_STATUS keep_visibility(IMA_OBJECT_VISIBILITY_FN function)
{
    our_visibility = function;
    return IMA_STATUS_SUCCESS;
}

static IMA_STATUS keep_property(IMA_OBJECT_PROPERTY_FN function)
{
    our_property = function;
    return IMA_STATUS_SUCCESS;
}

const struct ima_plugin_functions ima_builtin = {
    .GetLhbaOidList = our_lhbas,
    .GetNonSharedNodeOidList = no_objects,
    .GetPhbaOidList = no_objects,
    .GetNodeProperties = get_our_node,
    .SetNodeName = set_our_name,
    .SetNodeAlias = set_our_alias,
    .RegisterForObjectVisibilityChanges = keep_visibility,
    .RegisterForObjectPropertyChanges = keep_property,
};

/* --- ima.conf --- */

#ifdef _WIN32
#define PLUGIN_ENDING ".dll"
/* They cannot be told from those that will do before it is too late. */
static const char *const bad[] = {"crashes", "refuses", "lacks_free"};
#else
#define PLUGIN_ENDING ".so"
static const char *const bad[] = {"crashes", "hangs", "exits", "refuses", "lacks_free"};
#endif

enum { EXAMPLE = IMA_OWNER_BUILTIN + 1, NONSENSE, PLUGINS = NONSENSE };

static char plugin_directory[1024];

static void write_line(FILE *file, const char *vendor, const char *plugin)
{
    fprintf(file, "%s\t%s/ima_plugin_%s" PLUGIN_ENDING "\n", vendor, plugin_directory, plugin);
}

/* With what may be in such a file, and a plugin that is there twice. */
static int write_conf(void **state)
{
    char path[1200];
    const char *directory = getenv("TEST_DIR");
    snprintf(path, sizeof path, "%s/ima.conf", directory != NULL ? directory : ".");
    FILE *file = fopen(path, "wb");
    (void)state;
    if (file == NULL)
        return -1;
    fprintf(file,
            "# plugins\n\n \t \nno-path\ncom.example.none /no/such/plugin" PLUGIN_ENDING "\r\n");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        write_line(file, bad[i], bad[i]);
    write_line(file, "com.example.good", "example");
    write_line(file, "com.example.again", "example");
    write_line(file, "com.example.nonsense", "nonsense");
    fclose(file);
    return os_set_environment("IMA_CONF", path) ? 0 : -1;
}

static void find_plugins(const char *program)
{
    snprintf(plugin_directory, sizeof plugin_directory, "%s", program);
    char *end = plugin_directory;
    for (char *c = plugin_directory; *c != '\0'; c++) {
        if (*c == '/' || *c == '\\')
            end = c;
    }
    if (end == plugin_directory)
        strcpy(plugin_directory, "./");
    else
        end[1] = '\0';
    strcat(plugin_directory, "ima_plugins");
}

/* --- loading --- */

static IMA_OID oid(IMA_OBJECT_TYPE type, IMA_UINT32 owner, IMA_UINT64 number)
{
    return (IMA_OID){type, owner, number};
}

static void assert_oid(IMA_OID got, IMA_OBJECT_TYPE type, IMA_UINT32 owner, IMA_UINT64 number)
{
    assert_int_equal(got.objectType, type);
    assert_int_equal(got.ownerId, owner);
    assert_int_equal(got.objectSequenceNumber, number);
}

static IMA_OID shared_node(void)
{
    IMA_OID node;
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetSharedNodeOid(&node));
    return node;
}

/* The bad ones leave no gap in the numbers. */
static void test_plugins(void **state)
{
    (void)state;
    IMA_OID_LIST *list;
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetPluginOidList(&list));
    assert_int_equal(list->oidCount, PLUGINS);
    for (IMA_UINT i = 0; i < list->oidCount; i++)
        assert_oid(list->oids[i], IMA_OBJECT_TYPE_PLUGIN, i + 1, 0);
    assert_ima(IMA_STATUS_SUCCESS, IMA_FreeMemory(list));

    IMA_PLUGIN_PROPERTIES properties;
    assert_ima(IMA_STATUS_SUCCESS,
               IMA_GetPluginProperties(oid(IMA_OBJECT_TYPE_PLUGIN, EXAMPLE, 0), &properties));
    char vendor[64];
    assert_int_equal(ima_to_utf8(properties.vendor, 256, vendor, sizeof vendor),
                     strlen(EXAMPLE_VENDOR));
    assert_string_equal(vendor, EXAMPLE_VENDOR);
    assert_ima(IMA_ERROR_OBJECT_NOT_FOUND,
               IMA_GetPluginProperties(oid(IMA_OBJECT_TYPE_PLUGIN, EXAMPLE, 1), &properties));
    assert_ima(IMA_ERROR_NOT_SUPPORTED,
               IMA_GetPluginProperties(oid(IMA_OBJECT_TYPE_PLUGIN, NONSENSE, 0), &properties));
}

static void test_merged_lists(void **state)
{
    (void)state;
    IMA_OID_LIST *list;
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetLhbaOidList(&list));
    assert_int_equal(list->oidCount, 2);
    assert_oid(list->oids[0], IMA_OBJECT_TYPE_LHBA, IMA_OWNER_BUILTIN, 1);
    assert_oid(list->oids[1], IMA_OBJECT_TYPE_LHBA, EXAMPLE, 1);
    IMA_FreeMemory(list);
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetNonSharedNodeOidList(&list));
    assert_int_equal(list->oidCount, 1);
    assert_oid(list->oids[0], IMA_OBJECT_TYPE_NODE, EXAMPLE, 1);
    IMA_FreeMemory(list);
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetPhbaOidList(&list));
    assert_int_equal(list->oidCount, 0);
    IMA_FreeMemory(list);
    /* One plugin has the function, and its list is nonsense. */
    assert_ima(IMA_ERROR_NOT_SUPPORTED, IMA_GetLnpOidList(&list));
    assert_null(list);
}

static void test_owner_is_asked(void **state)
{
    (void)state;
    IMA_OID lhba = oid(IMA_OBJECT_TYPE_LHBA, EXAMPLE, 1), lu, made;
    IMA_OID_LIST *list;
    IMA_BYTE lun[8] = {0, 5};
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetTargetOidList(lhba, &list));
    assert_int_equal(list->oidCount, EXAMPLE_TARGETS);
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetLuOid(list->oids[1], lun, &lu));
    assert_oid(lu, IMA_OBJECT_TYPE_LU, EXAMPLE, 2 * 256 + 5);
    IMA_TARGET_PROPERTIES properties;
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetTargetProperties(list->oids[0], &properties));
    assert_oid(properties.associatedLhbaOid, IMA_OBJECT_TYPE_LHBA, EXAMPLE, 1);
    IMA_ADDRESS_KEYS *keys;
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetAddressKeys(list->oids[0], &keys));
    assert_int_equal(keys->addressKeyCount, 1);
    assert_int_equal(keys->addressKeys[0].portNumber, 3260);
    IMA_FreeMemory(keys);
    IMA_FreeMemory(list);

    IMA_TARGET_ADDRESS address = {{IMA_FALSE, {{0}}}, 3261};
    address.hostnameIpAddress.id.ipAddress = (IMA_IP_ADDRESS){IMA_TRUE, {192, 0, 2, 7}};
    assert_ima(IMA_STATUS_REBOOT_NECESSARY, IMA_AddDiscoveryAddress(lhba, address, &made));
    assert_oid(made, IMA_OBJECT_TYPE_DISCOVERY_ADDRESS, EXAMPLE, 3261);
    assert_ima(IMA_STATUS_REBOOT_NECESSARY, IMA_AddDiscoveryAddress(lhba, address, NULL));

    IMA_MIN_MAX_VALUE value;
    assert_ima(IMA_STATUS_SUCCESS, IMA_SetMaxBurstLength(lhba, 1024));
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetMaxBurstLengthProperties(lhba, &value));
    assert_int_equal(value.currentValue, 1024);
    assert_ima(IMA_ERROR_INVALID_PARAMETER, IMA_SetMaxBurstLength(lhba, 7));
    /* It does not export these. */
    assert_ima(IMA_ERROR_NOT_SUPPORTED, IMA_GetFirstBurstLengthProperties(lhba, &value));
    assert_ima(IMA_ERROR_NOT_SUPPORTED, IMA_RemoveStaleData(lhba));
    assert_ima(IMA_ERROR_OBJECT_NOT_FOUND,
               IMA_RemoveStaleData(oid(IMA_OBJECT_TYPE_LHBA, PLUGINS + 1, 1)));
    assert_ima(IMA_ERROR_OBJECT_NOT_FOUND, IMA_RemoveStaleData(oid(IMA_OBJECT_TYPE_LHBA, 0, 1)));
}

static void test_types_and_owners(void **state)
{
    (void)state;
    IMA_OBJECT_TYPE type;
    IMA_OID plugin;
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetObjectType(shared_node(), &type));
    assert_int_equal(type, IMA_OBJECT_TYPE_NODE);
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetObjectType(oid(IMA_OBJECT_TYPE_LU, EXAMPLE, 999), &type));
    assert_int_equal(type, IMA_OBJECT_TYPE_LU);
    assert_ima(IMA_ERROR_INVALID_OBJECT_TYPE,
               IMA_GetObjectType(oid(IMA_OBJECT_TYPE_UNKNOWN, EXAMPLE, 1), &type));
    assert_ima(IMA_ERROR_INVALID_OBJECT_TYPE,
               IMA_GetObjectType(oid((IMA_OBJECT_TYPE)13, EXAMPLE, 1), &type));
    assert_ima(IMA_ERROR_OBJECT_NOT_FOUND,
               IMA_GetObjectType(oid(IMA_OBJECT_TYPE_LU, PLUGINS + 1, 1), &type));
    assert_ima(IMA_STATUS_SUCCESS,
               IMA_GetAssociatedPluginOid(oid(IMA_OBJECT_TYPE_LU, EXAMPLE, 1), &plugin));
    assert_oid(plugin, IMA_OBJECT_TYPE_PLUGIN, EXAMPLE, 0);
    assert_ima(IMA_ERROR_INVALID_PARAMETER, IMA_GetAssociatedPluginOid(shared_node(), &plugin));
    assert_ima(IMA_ERROR_OBJECT_NOT_FOUND,
               IMA_GetAssociatedPluginOid(oid(IMA_OBJECT_TYPE_LU, 99, 1), &plugin));
    assert_ima(IMA_STATUS_SUCCESS, IMA_FreeMemory(NULL));
}

static void test_nonsense(void **state)
{
    (void)state;
    IMA_OID_LIST *list = (IMA_OID_LIST *)(uintptr_t)1;
    IMA_ADDRESS_KEYS *keys = (IMA_ADDRESS_KEYS *)(uintptr_t)1;
    IMA_OID lhba = oid(IMA_OBJECT_TYPE_LHBA, NONSENSE, 1),
            target = oid(IMA_OBJECT_TYPE_TARGET, NONSENSE, 1);
    IMA_OID lnp = oid(IMA_OBJECT_TYPE_LNP, NONSENSE, 1), made = {0};
    IMA_BYTE lun[8] = {0};
    assert_ima(IMA_ERROR_UNKNOWN_ERROR, IMA_GetTargetOidList(lhba, &list));
    assert_null(list);
    assert_ima(IMA_ERROR_UNKNOWN_ERROR, IMA_GetLuOidList(lhba, &list));
    assert_null(list);
    assert_ima(IMA_ERROR_UNKNOWN_ERROR, IMA_GetPnpOidList(lnp, &list));
    assert_null(list);
    assert_ima(IMA_ERROR_LU_IN_USE, IMA_GetNetworkPortalOidList(lnp, &list));
    assert_null(list);
    assert_ima(IMA_ERROR_UNKNOWN_ERROR, IMA_GetAddressKeys(target, &keys));
    assert_null(keys);
    assert_ima(IMA_ERROR_UNKNOWN_ERROR, IMA_GetLuOid(target, lun, &made));
    IMA_TARGET_ADDRESS address = {{IMA_FALSE, {{0}}}, 3260};
    address.hostnameIpAddress.id.ipAddress = (IMA_IP_ADDRESS){IMA_TRUE, {192, 0, 2, 7}};
    assert_ima(IMA_ERROR_UNKNOWN_ERROR, IMA_AddDiscoveryAddress(lhba, address, &made));
    assert_oid(made, IMA_OBJECT_TYPE_UNKNOWN, 0, 0);
}

static void test_ioctl(void **state)
{
    (void)state;
    IMA_OID plugin = oid(IMA_OBJECT_TYPE_PLUGIN, EXAMPLE, 0);
    char out[8];
    IMA_UINT length = sizeof out;
    assert_ima(IMA_STATUS_SUCCESS, IMA_PluginIOctl(plugin, EXAMPLE_ECHO, "abc", 4, out, &length));
    assert_int_equal(length, 4);
    assert_string_equal(out, "abc");
    assert_ima(IMA_STATUS_SUCCESS, IMA_PluginIOCtl(plugin, EXAMPLE_ACCEPT, NULL, 0, NULL, NULL));
    assert_ima(IMA_ERROR_INVALID_PARAMETER, IMA_PluginIOctl(plugin, 4711, NULL, 0, NULL, NULL));
    assert_ima(IMA_ERROR_INVALID_PARAMETER,
               IMA_PluginIOctl(plugin, EXAMPLE_ECHO, "abc", 4, NULL, NULL));
    assert_ima(IMA_ERROR_INVALID_PARAMETER,
               IMA_PluginIOctl(plugin, EXAMPLE_ECHO, NULL, 4, out, &length));
}

/* --- the shared node --- */

static void command(IMA_UINT number)
{
    assert_ima(IMA_STATUS_SUCCESS, IMA_PluginIOctl(oid(IMA_OBJECT_TYPE_PLUGIN, EXAMPLE, 0), number,
                                                   NULL, 0, NULL, NULL));
}

static void test_shared_node(void **state)
{
    (void)state;
    IMA_OID node = shared_node();
    IMA_NODE_PROPERTIES properties;
    IMA_NODE_NAME name;
    IMA_NODE_ALIAS alias;
    assert_oid(node, IMA_OBJECT_TYPE_NODE, IMA_LIBRARY_OWNER_ID, 0);
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetNodeProperties(node, &properties));
    ima_from_utf8("iqn.2026-11.org.example:shared", name, IMA_NODE_NAME_LEN);
    ima_from_utf8("an alias", alias, IMA_NODE_ALIAS_LEN);
    assert_ima(IMA_STATUS_SUCCESS, IMA_SetNodeName(node, name));
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetNodeProperties(node, &properties));
    assert_memory_equal(properties.name, name, sizeof name);
    command(EXAMPLE_DISAGREE);
    assert_ima(IMA_STATUS_INCONSISTENT_NODE_PROPERTIES, IMA_GetNodeProperties(node, &properties));
    assert_ima(IMA_STATUS_SUCCESS, IMA_SetNodeName(node, name));
    assert_ima(IMA_STATUS_SUCCESS, IMA_SetNodeAlias(node, alias));
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetNodeProperties(node, &properties));
    assert_int_equal(properties.aliasValid, IMA_TRUE);
    command(EXAMPLE_REFUSE);
    assert_ima(IMA_STATUS_INCONSISTENT_NODE_PROPERTIES, IMA_SetNodeAlias(node, NULL));
    assert_ima(IMA_STATUS_INCONSISTENT_NODE_PROPERTIES, IMA_GetNodeProperties(node, &properties));
    assert_int_equal(properties.aliasValid, IMA_FALSE);
    command(EXAMPLE_ACCEPT);
    assert_ima(IMA_STATUS_SUCCESS, IMA_SetNodeAlias(node, NULL));
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetNodeProperties(node, &properties));
}

static void test_other_nodes(void **state)
{
    (void)state;
    IMA_NODE_PROPERTIES properties;
    IMA_NODE_NAME name;
    IMA_OID theirs = oid(IMA_OBJECT_TYPE_NODE, EXAMPLE, 1);
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetNodeProperties(theirs, &properties));
    assert_int_equal(properties.nameValid, IMA_TRUE);
    ima_from_utf8("iqn.2026-11.org.example:own", name, IMA_NODE_NAME_LEN);
    assert_ima(IMA_ERROR_NOT_SUPPORTED, IMA_SetNodeName(theirs, name));
    assert_ima(IMA_ERROR_OBJECT_NOT_FOUND,
               IMA_GetNodeProperties(oid(IMA_OBJECT_TYPE_NODE, 0, 1), &properties));
    assert_ima(IMA_ERROR_OBJECT_NOT_FOUND, IMA_SetNodeName(oid(IMA_OBJECT_TYPE_NODE, 0, 1), name));
    assert_ima(IMA_ERROR_INCORRECT_OBJECT_TYPE,
               IMA_SetNodeName(oid(IMA_OBJECT_TYPE_LHBA, 0, 0), name));
}

/* 223 bytes of UTF-8 and no more, however many characters they are. */
static void test_name_lengths(void **state)
{
    (void)state;
    static IMA_WCHAR text[300];
    IMA_OID node = shared_node();
    for (size_t i = 0; i < 299; i++)
        text[i] = L'a';
    assert_ima(IMA_ERROR_NAME_TOO_LONG, IMA_SetNodeName(node, text));
    assert_ima(IMA_ERROR_NAME_TOO_LONG, IMA_SetNodeAlias(node, text));
    text[255] = 0;
    assert_ima(IMA_STATUS_SUCCESS, IMA_SetNodeAlias(node, text));
    text[254] = 0xE4; /* two bytes */
    assert_ima(IMA_ERROR_NAME_TOO_LONG, IMA_SetNodeAlias(node, text));
    text[223] = 0;
    assert_ima(IMA_STATUS_SUCCESS, IMA_SetNodeName(node, text));
    text[222] = 0xE4;
    assert_ima(IMA_ERROR_NAME_TOO_LONG, IMA_SetNodeName(node, text));
    text[222] = 0;
    text[0] = (IMA_WCHAR)0xD800; /* half a character */
    assert_ima(IMA_ERROR_INVALID_PARAMETER, IMA_SetNodeName(node, text));
    assert_ima(IMA_ERROR_INVALID_PARAMETER, IMA_SetNodeAlias(node, text));
    text[0] = 0;
    assert_ima(IMA_ERROR_INVALID_PARAMETER, IMA_SetNodeName(node, text));
    assert_ima(IMA_STATUS_SUCCESS, IMA_SetNodeAlias(node, text));
}

static void test_generated_name(void **state)
{
    (void)state;
    IMA_NODE_NAME name;
    IMA_NODE_PROPERTIES before, after;
    char text[IMA_NODE_NAME_LEN];
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetNodeProperties(shared_node(), &before));
    assert_ima(IMA_STATUS_SUCCESS, IMA_GenerateNodeName(name));
    assert_in_range(ima_to_utf8(name, IMA_NODE_NAME_LEN, text, sizeof text), 20, 223);
    assert_memory_equal(text, "iqn.", 4);
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetNodeProperties(shared_node(), &after));
    assert_memory_equal(before.name, after.name, sizeof before.name);
}

static void test_library_properties(void **state)
{
    (void)state;
    IMA_LIBRARY_PROPERTIES properties;
    char text[1024];
    memset(&properties, 0x55, sizeof properties);
    assert_ima(IMA_STATUS_SUCCESS, IMA_GetLibraryProperties(&properties));
    assert_int_equal(properties.supportedImaVersion, 1);
    assert_true(ima_to_utf8(properties.vendor, 256, text, sizeof text) > 0);
    assert_true(ima_to_utf8(properties.implementationVersion, 256, text, sizeof text) > 0);
    assert_true(ima_to_utf8(properties.fileName, 256, text, sizeof text) > 0);
    assert_non_null(strstr(text, "test_ima_library"));
    assert_in_range(properties.buildTime.tm_year, 126, 300);
    assert_in_range(properties.buildTime.tm_mday, 1, 31);
    for (size_t i = 0; i < sizeof properties.reserved; i++)
        assert_int_equal(properties.reserved[i], 0);
}

/* --- events --- */

static int called[3];
static IMA_OID last_oid;
static IMA_BOOL last_visible;

static void on_first(IMA_BOOL visible, IMA_OID what)
{
    called[0]++;
    last_visible = visible;
    last_oid = what;
}

static void on_second(IMA_BOOL visible, IMA_OID what)
{
    (void)visible;
    (void)what;
    called[1]++;
    assert_ima(IMA_STATUS_SUCCESS, IMA_DeregisterForObjectVisibilityChanges(on_second));
    assert_ima(IMA_STATUS_SUCCESS, IMA_DeregisterForObjectVisibilityChanges(on_first));
}

static void on_third(IMA_OID what)
{
    called[2]++;
    last_oid = what;
}

/* Registers while it is being called. */
static void on_outer(IMA_BOOL visible, IMA_OID what)
{
    (void)visible;
    (void)what;
    assert_ima(IMA_STATUS_SUCCESS, IMA_DeregisterForObjectVisibilityChanges(on_outer));
    assert_ima(IMA_STATUS_SUCCESS, IMA_RegisterForObjectVisibilityChanges(on_first));
    assert_ima(IMA_STATUS_SUCCESS, IMA_RegisterForObjectVisibilityChanges(on_first));
}

static void expect_calls(int first, int second, int third)
{
    assert_int_equal(called[0], first);
    assert_int_equal(called[1], second);
    assert_int_equal(called[2], third);
    memset(called, 0, sizeof called);
}

static void test_events(void **state)
{
    (void)state;
    command(EXAMPLE_REPORT_APPEARANCE); /* nobody hears it */
    assert_ima(IMA_STATUS_SUCCESS, IMA_RegisterForObjectVisibilityChanges(on_first));
    assert_ima(IMA_STATUS_SUCCESS, IMA_RegisterForObjectVisibilityChanges(on_first));
    expect_calls(0, 0, 0); /* none of the nonsense */
    command(EXAMPLE_REPORT_APPEARANCE);
    assert_oid(last_oid, IMA_OBJECT_TYPE_TARGET, EXAMPLE, 1);
    assert_int_equal(last_visible, IMA_TRUE);
    command(EXAMPLE_REPORT_DISAPPEARANCE);
    assert_int_equal(last_visible, IMA_FALSE);
    our_visibility(IMA_TRUE, oid(IMA_OBJECT_TYPE_TARGET, IMA_OWNER_BUILTIN, 7));
    assert_oid(last_oid, IMA_OBJECT_TYPE_TARGET, IMA_OWNER_BUILTIN, 7);
    command(EXAMPLE_REPORT_PROPERTY);
    expect_calls(3, 0, 0);

    assert_ima(IMA_STATUS_SUCCESS, IMA_RegisterForObjectPropertyChanges(on_third));
    command(EXAMPLE_REPORT_PROPERTY);
    our_property(shared_node());
    assert_oid(last_oid, IMA_OBJECT_TYPE_NODE, 0, 0);
    expect_calls(0, 0, 2);
    assert_ima(IMA_STATUS_SUCCESS, IMA_DeregisterForObjectPropertyChanges(on_third));
    assert_ima(IMA_STATUS_SUCCESS, IMA_DeregisterForObjectPropertyChanges(on_third));
    command(EXAMPLE_REPORT_PROPERTY);
    expect_calls(0, 0, 0);
    /* One deregistration, however many registrations. */
    assert_ima(IMA_STATUS_SUCCESS, IMA_DeregisterForObjectVisibilityChanges(on_first));
    command(EXAMPLE_REPORT_APPEARANCE);
    expect_calls(0, 0, 0);
}

static void test_registration_in_callbacks(void **state)
{
    (void)state;
    /* The second is called first, and takes the first away, too. */
    assert_ima(IMA_STATUS_SUCCESS, IMA_RegisterForObjectVisibilityChanges(on_second));
    assert_ima(IMA_STATUS_SUCCESS, IMA_RegisterForObjectVisibilityChanges(on_first));
    command(EXAMPLE_REPORT_APPEARANCE);
    expect_calls(0, 1, 0);
    command(EXAMPLE_REPORT_APPEARANCE);
    expect_calls(0, 0, 0);
    /* One that comes during an event hears of the next. */
    assert_ima(IMA_STATUS_SUCCESS, IMA_RegisterForObjectVisibilityChanges(on_outer));
    command(EXAMPLE_REPORT_APPEARANCE);
    expect_calls(0, 0, 0);
    command(EXAMPLE_REPORT_APPEARANCE);
    expect_calls(1, 0, 0);
    assert_ima(IMA_STATUS_SUCCESS, IMA_DeregisterForObjectVisibilityChanges(on_first));
}

/* --- deregistration waits --- */

static struct os_mutex *mutex;
static struct os_condition *changed;
static bool entered, may_return, returned;

static void on_slow(IMA_BOOL visible, IMA_OID what)
{
    (void)visible;
    (void)what;
    os_mutex_lock(mutex);
    entered = true;
    os_condition_broadcast(changed);
    while (!may_return)
        os_condition_wait(changed, mutex);
    os_mutex_unlock(mutex);
    os_sleep(20); /* long enough for a deregistration that does not wait to be seen */
    os_mutex_lock(mutex);
    returned = true;
    os_mutex_unlock(mutex);
}

static void report(void *argument)
{
    (void)argument;
    our_visibility(IMA_TRUE, oid(IMA_OBJECT_TYPE_TARGET, IMA_OWNER_BUILTIN, 7));
}

static void test_deregistration_waits(void **state)
{
    (void)state;
    mutex = os_mutex_new();
    changed = os_condition_new();
    assert_ima(IMA_STATUS_SUCCESS, IMA_RegisterForObjectVisibilityChanges(on_slow));
    struct os_thread *thread = os_thread_start(report, NULL);
    assert_non_null(thread);
    os_mutex_lock(mutex);
    while (!entered)
        os_condition_wait(changed, mutex);
    may_return = true;
    os_condition_broadcast(changed);
    os_mutex_unlock(mutex);
    assert_ima(IMA_STATUS_SUCCESS, IMA_DeregisterForObjectVisibilityChanges(on_slow));
    os_mutex_lock(mutex);
    assert_true(returned);
    os_mutex_unlock(mutex);
    os_thread_join(thread);
    os_condition_free(changed);
    os_mutex_free(mutex);
}

/* --- fork --- */

#ifndef _WIN32
static int child_looks(void)
{
    IMA_OID_LIST *list;
    if (IMA_GetPluginOidList(&list) != IMA_STATUS_SUCCESS || list->oidCount != PLUGINS)
        return 1;
    IMA_FreeMemory(list);
    if (IMA_GetTargetOidList(oid(IMA_OBJECT_TYPE_LHBA, EXAMPLE, 1), &list) != IMA_STATUS_SUCCESS)
        return 2;
    IMA_FreeMemory(list);
    our_visibility(IMA_TRUE, oid(IMA_OBJECT_TYPE_TARGET, IMA_OWNER_BUILTIN, 7));
    if (called[0] != 0) /* the registration is the parent's */
        return 3;
    if (IMA_RegisterForObjectVisibilityChanges(on_first) != IMA_STATUS_SUCCESS)
        return 4;
    our_visibility(IMA_TRUE, oid(IMA_OBJECT_TYPE_TARGET, IMA_OWNER_BUILTIN, 7));
    return called[0] == 1 ? 0 : 5;
}

static void test_fork(void **state)
{
    (void)state;
    int status = -1;
    assert_ima(IMA_STATUS_SUCCESS, IMA_RegisterForObjectVisibilityChanges(on_first));
    pid_t child = fork();
    if (child == 0)
        _exit(child_looks());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    expect_calls(0, 0, 0);
    assert_ima(IMA_STATUS_SUCCESS, IMA_DeregisterForObjectVisibilityChanges(on_first));
}
#endif

/* --- the file --- */

static void test_configuration(void **state)
{
    (void)state;
    static char text[2000];
    struct ima_conf_line line;
    char long_path[400];
    memset(long_path, 'p', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    snprintf(text, sizeof text,
             "# com.example /not/this\n\r\n  \nonly-a-name\ncom.a /a b/c\r\n  com.b\t \t/b\t\n"
             "com.long %s\n\tcom.c  /c\n%0600d /d\ncom.e /e",
             long_path, 1);
    const char *rest = text;
    assert_true(ima_conf_next(&rest, &line));
    assert_string_equal(line.name, "com.a");
    assert_string_equal(line.path, "/a b/c");
    assert_true(ima_conf_next(&rest, &line));
    assert_string_equal(line.name, "com.b");
    assert_string_equal(line.path, "/b\t");
    assert_true(ima_conf_next(&rest, &line));
    assert_string_equal(line.name, "com.c");
    assert_string_equal(line.path, "/c");
    assert_true(ima_conf_next(&rest, &line));
    assert_string_equal(line.path, "/e");
    assert_false(ima_conf_next(&rest, &line));
    assert_false(ima_conf_next(&rest, &line));
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_plugins),
        cmocka_unit_test(test_merged_lists),
        cmocka_unit_test(test_owner_is_asked),
        cmocka_unit_test(test_types_and_owners),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_ioctl),
        cmocka_unit_test(test_shared_node),
        cmocka_unit_test(test_other_nodes),
        cmocka_unit_test(test_name_lengths),
        cmocka_unit_test(test_generated_name),
        cmocka_unit_test(test_library_properties),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_registration_in_callbacks),
        cmocka_unit_test(test_deregistration_waits),
#ifndef _WIN32
        cmocka_unit_test(test_fork),
#endif
    };
    find_plugins(count > 0 ? arguments[0] : "");
    return cmocka_run_group_tests(tests, write_conf, NULL);
}
