/*
 * The built library with plugins of others, and our own engine as a plugin of another library: one
 * that is written against ima_plugin.h alone is loaded, listed and called; those that misbehave,
 * the library itself, and a plugin that is there already are left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../ima_plugins/example.h"
#include "ima.h"

#ifdef _WIN32
#include <windows.h>
#define ENDING ".dll"
#define OURS   "ima_iscsidsc.dll"
#define ITSELF "ima.dll"
typedef HMODULE module;
static module load(const char *path)
{
    return LoadLibraryA(path);
}
static void (*find(module from, const char *name))(void)
{
    return (void (*)(void))GetProcAddress(from, name);
}
static void unload(module loaded)
{
    FreeLibrary(loaded);
}
static void set_environment(const char *name, const char *value)
{
    SetEnvironmentVariableA(name, value);
}
#else
#include <dlfcn.h>
#define ENDING ".so"
#define OURS   "libima_iscsidsc.so"
#define ITSELF "libima.so.0"
typedef void *module;
static module load(const char *path)
{
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}
static void (*find(module from, const char *name))(void)
{
    void (*function)(void);
    void *symbol = dlsym(from, name);
    memcpy(&function, &symbol, sizeof function);
    return function;
}
static void unload(module loaded)
{
    dlclose(loaded);
}
static void set_environment(const char *name, const char *value)
{
    setenv(name, value, 1);
}
#endif

enum { BUILTIN = 1, EXAMPLE = 2, PLUGINS = 2, ANOTHER_OWNER = 7 };

static char directory[1024]; /* where this program lies, with a slash */

static void find_directory(const char *program)
{
    size_t length = 0;
    snprintf(directory, sizeof directory, "%s", program);
    for (size_t i = 0; directory[i] != '\0'; i++) {
        if (directory[i] == '/' || directory[i] == '\\')
            length = i + 1;
    }
    directory[length] = '\0';
    if (length == 0)
        strcpy(directory, "./");
}

static int write_conf(void **state)
{
    static const char *const plugins[] = {"crashes", "refuses", "lacks_free", "example", "example"};
    char path[1200];
    const char *place = getenv("TEST_DIR");
    (void)state;
    snprintf(path, sizeof path, "%s/ima.conf", place != NULL ? place : ".");
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return -1;
    fprintf(file, "# of the test\ncom.example.none /no/such/plugin\n");
    fprintf(file, "com.example.itself %s%s\n", directory, ITSELF);
    for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++)
        fprintf(file, "com.example.%s %sima_plugins/ima_plugin_%s" ENDING "\n", plugins[i],
                directory, plugins[i]);
    set_environment("IMA_CONF", path);
    return fclose(file);
}

static IMA_OID oid_of(IMA_OBJECT_TYPE type, IMA_UINT64 number)
{
    IMA_OID oid;
    memset(&oid, 0, sizeof oid);
    oid.objectType = type;
    oid.ownerId = EXAMPLE;
    oid.objectSequenceNumber = number;
    return oid;
}

static void assert_success(IMA_STATUS status)
{
    assert_int_equal(status, IMA_STATUS_SUCCESS);
}

static void the_good_one_is_loaded(void **state)
{
    IMA_OID_LIST *list;
    IMA_PLUGIN_PROPERTIES properties;
    (void)state;
    assert_success(IMA_GetPluginOidList(&list));
    assert_int_equal(list->oidCount, PLUGINS);
    assert_int_equal(list->oids[0].ownerId, BUILTIN);
    assert_int_equal(list->oids[1].ownerId, EXAMPLE);
    assert_success(IMA_GetPluginProperties(list->oids[0], &properties));
    assert_int_equal(properties.supportedImaVersion, 1);
    assert_success(IMA_GetPluginProperties(list->oids[1], &properties));
    assert_int_equal(properties.vendor[0], EXAMPLE_VENDOR[0]);
    IMA_FreeMemory(list);
}

static void its_objects_are_listed(void **state)
{
    IMA_OID_LIST *list;
    unsigned ours = 0, theirs = 0;
    (void)state;
    assert_success(IMA_GetLhbaOidList(&list));
    for (IMA_UINT i = 0; i < list->oidCount; i++) {
        assert_int_equal(list->oids[i].objectType, IMA_OBJECT_TYPE_LHBA);
        ours += list->oids[i].ownerId == BUILTIN;
        theirs += list->oids[i].ownerId == EXAMPLE;
    }
    assert_int_equal(ours, 1);
    assert_int_equal(theirs, EXAMPLE_LHBAS);
    assert_int_equal(list->oidCount, ours + theirs);
    IMA_FreeMemory(list);
    assert_success(IMA_GetTargetOidList(oid_of(IMA_OBJECT_TYPE_LHBA, 1), &list));
    assert_int_equal(list->oidCount, EXAMPLE_TARGETS);
    IMA_FreeMemory(list);
}

static void it_is_called(void **state)
{
    IMA_MIN_MAX_VALUE value;
    IMA_OID lhba = oid_of(IMA_OBJECT_TYPE_LHBA, 1);
    char out[8] = "";
    IMA_UINT length = sizeof out;
    (void)state;
    assert_success(IMA_SetMaxBurstLength(lhba, 4096));
    assert_success(IMA_GetMaxBurstLengthProperties(lhba, &value));
    assert_int_equal(value.currentValue, 4096);
    assert_success(
        IMA_PluginIOctl(oid_of(IMA_OBJECT_TYPE_PLUGIN, 0), EXAMPLE_ECHO, "abc", 4, out, &length));
    assert_string_equal(out, "abc");
    assert_int_equal(IMA_RemoveStaleData(lhba), IMA_ERROR_NOT_SUPPORTED);
}

static unsigned heard;

static void on_visibility(IMA_BOOL visible, IMA_OID oid)
{
    heard += visible == IMA_TRUE && oid.ownerId == EXAMPLE;
}

static void its_events_come(void **state)
{
    IMA_OID plugin = oid_of(IMA_OBJECT_TYPE_PLUGIN, 0);
    (void)state;
    assert_success(IMA_RegisterForObjectVisibilityChanges(on_visibility));
    assert_success(IMA_PluginIOctl(plugin, EXAMPLE_REPORT_APPEARANCE, NULL, 0, NULL, NULL));
    assert_int_equal(heard, 1);
    assert_success(IMA_DeregisterForObjectVisibilityChanges(on_visibility));
    assert_success(IMA_PluginIOctl(plugin, EXAMPLE_REPORT_APPEARANCE, NULL, 0, NULL, NULL));
    assert_int_equal(heard, 1);
}

typedef IMA_STATUS (*initialize_function)(IMA_UINT32 owner);
typedef IMA_STATUS (*list_function)(IMA_OID_LIST **list);
typedef IMA_STATUS (*free_function)(void *memory);

/* Another vendor's library would do this. */
static void use_our_plugin(module plugin)
{
    initialize_function initialize = (initialize_function)find(plugin, "Initialize");
    list_function lhbas = (list_function)find(plugin, "IMA_GetLhbaOidList");
    free_function release = (free_function)find(plugin, "IMA_FreeMemory");
    void (*terminate)(void) = find(plugin, "Terminate");
    IMA_OID_LIST *list;
    assert_true(initialize != NULL);
    assert_true(lhbas != NULL);
    assert_true(release != NULL);
    assert_true(terminate != NULL);
    assert_true(find(plugin, "IMA_GetPluginOidList") == NULL);
    assert_success(initialize(ANOTHER_OWNER));
    assert_success(lhbas(&list));
    assert_int_equal(list->oidCount, 1);
    assert_int_equal(list->oids[0].ownerId, ANOTHER_OWNER);
    assert_success(release(list));
    terminate();
}

static void our_engine_is_a_plugin_too(void **state)
{
    char path[1200];
    (void)state;
    snprintf(path, sizeof path, "%s%s", directory, OURS);
    for (int i = 0; i < 3; i++) {
        module plugin = load(path);
        assert_non_null(plugin);
        use_our_plugin(plugin);
        unload(plugin);
    }
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_good_one_is_loaded),
        cmocka_unit_test(its_objects_are_listed),
        cmocka_unit_test(it_is_called),
        cmocka_unit_test(its_events_come),
        cmocka_unit_test(our_engine_is_a_plugin_too),
    };
    find_directory(count > 0 ? arguments[0] : "");
    return cmocka_run_group_tests(tests, write_conf, NULL);
}
