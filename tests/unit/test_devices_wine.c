/* Names of devices in Wine prefixes: made, removed, kept and cleaned up, and nobody else's touched.
 */
#include "os_test.h"

#include "devices/wine.h"
#include "engine/devices.h"
#include "os/memory.h"
#include "os/prefix.h"
#include "os/system.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef _WIN32 /* links in prefixes are the native service's */

static void prefixes_are_for_native_services(void **state)
{
    struct os_prefix prefix;
    char path[OS_PATH_ROOM];
    (void)state;
    assert_int_equal(os_prefix_open(&prefix, "/", false), STATUS_NOT_SUPPORTED);
    assert_true(os_own_prefix(path));
    assert_int_equal(path[0], '/');
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(prefixes_are_for_native_services)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static char base[200], root[260], file[260], prefix[260];
static struct os_loop *loop;
static struct worker *worker;
static struct wine *wine;
static char told[4000];

static void tell(void *context, const char *path, enum status status)
{
    size_t length = strlen(told);
    (void)context;
    const char *shown = strncmp(path, base, strlen(base)) == 0 ? path + strlen(base) : path;
    snprintf(told + length, sizeof told - length, "%s %s;", shown, status_name(status));
}

static void changed(void *context)
{
    (void)context;
    if (loop != NULL)
        os_loop_stop(loop);
}

/* --- a service's life --- */

static void open_wine(const char *named)
{
    const struct wine_settings settings = {
        .worker = worker, .root = root, .file = file, .told = tell, .changed = changed};
    wine = wine_new(&settings);
    assert_non_null(wine);
    wine_name_prefixes(wine, named);
    wine_begin(wine);
}

static void settle(void)
{
    if (!wine_is_current(wine))
        os_loop_run(loop);
    assert_true(wine_is_current(wine));
}

static void begin(const char *named)
{
    loop = os_loop_new();
    worker = worker_new(loop);
    assert_non_null(worker);
    open_wine(named);
    settle();
}

/* As a service that is killed, unless its names have been removed. */
static void end(void)
{
    worker_leave(worker);
    os_loop_free(loop);
    loop = NULL;
    worker_free(worker);
    wine_free(wine);
}

static void use(const char *path, enum status expected)
{
    assert_int_equal(wine_use(wine, path), expected);
    settle();
}

static struct unit unit_of(uint8_t type, uint32_t number)
{
    return (struct unit){.class = unit_class_of(type), .number = number};
}

static void add(uint8_t type, uint32_t number, const char *place)
{
    char directory[400];
    const struct unit unit = unit_of(type, number);
    snprintf(directory, sizeof directory, "%s/%s", root, place);
    wine_add(wine, &unit, directory);
}

static void take(uint8_t type, uint32_t number)
{
    const struct unit unit = unit_of(type, number);
    wine_remove(wine, &unit);
}

/* --- a prefix --- */

static void path_in(char out[600], const char *name)
{
    snprintf(out, 600, "%s/dosdevices/%s", prefix, name);
}

static void put_link(const char *name, const char *text)
{
    char path[600];
    path_in(path, name);
    assert_int_equal(symlink(text, path), 0);
}

/* What it leads to, the root shown as "@"; "-": no link. */
static const char *link_of(const char *name)
{
    static char text[OS_PATH_ROOM];
    char path[600];
    path_in(path, name);
    ssize_t length = readlink(path, text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    if (length > 0 && strncmp(text, root, strlen(root)) == 0) {
        memmove(text + 1, text + strlen(root), strlen(text + strlen(root)) + 1);
        text[0] = '@';
    }
    return length > 0 ? text : "-";
}

static unsigned count_links(void)
{
    char path[600];
    unsigned count = 0;
    path_in(path, "");
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(directory);
    return count;
}

static void make_prefix(const char *path)
{
    char below[400];
    snprintf(below, sizeof below, "%s/dosdevices", path);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(mkdir(below, 0755), 0);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(base, sizeof base, "/tmp/test_wine.XXXXXX");
    assert_non_null(mkdtemp(base));
    snprintf(root, sizeof root, "%s/devices", base);
    snprintf(file, sizeof file, "%s/wine-prefixes", base);
    snprintf(prefix, sizeof prefix, "%s/prefix", base);
    assert_int_equal(mkdir(root, 0700), 0);
    make_prefix(prefix);
    told[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    char command[300];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", base);
    return system(command) == 0 ? 0 : -1;
}

/* --- tests --- */

static void names_come_and_go_with_devices(void **state)
{
    (void)state;
    begin("");
    use(prefix, STATUS_OK);
    assert_string_equal(told, "/prefix OK;");
    add(0x00, 1, "bus0/target0/lun0");
    add(0x05, 1, "bus0/target0/lun1");
    add(0x01, 1, "bus0/target0/lun2"); /* a tape has no blocks to read there */
    settle();
    assert_string_equal(link_of("physicaldrive1"), "@/bus0/target0/lun0/disk");
    assert_string_equal(link_of("iscsidisk1"), "@/bus0/target0/lun0");
    assert_string_equal(link_of("cdrom1"), "@/bus0/target0/lun1/disk");
    assert_int_equal(count_links(), 3);
    take(0x00, 1);
    add(0x00, 1, "bus1/target2/lun3"); /* the number of another one now */
    take(0x05, 1);
    settle();
    assert_string_equal(link_of("physicaldrive1"), "@/bus1/target2/lun3/disk");
    assert_int_equal(count_links(), 2);
    take(0x00, 1);
    end();
    assert_int_equal(count_links(), 0);
    assert_string_equal(told, "/prefix OK;");
}

static void a_prefix_that_is_told_later_gets_all(void **state)
{
    char other[300];
    (void)state;
    snprintf(other, sizeof other, "%s/other", base);
    make_prefix(other);
    begin("");
    add(0x00, 7, "bus0/target0/lun0");
    settle();
    use(other, STATUS_OK);
    use(prefix, STATUS_OK);
    use(prefix, STATUS_OK);
    assert_string_equal(told, "/other OK;/prefix OK;");
    assert_string_equal(link_of("physicaldrive7"), "@/bus0/target0/lun0/disk");
    end();
}

static void a_service_that_was_killed_leaves_nothing_for_long(void **state)
{
    (void)state;
    begin("");
    use(prefix, STATUS_OK);
    add(0x00, 1, "bus0/target0/lun0");
    add(0x00, 2, "bus0/target0/lun1");
    settle();
    end(); /* without telling that they are gone */
    assert_int_equal(count_links(), 4);
    begin("");
    assert_int_equal(count_links(), 0);
    /* It is used again without being told. */
    add(0x00, 3, "bus0/target0/lun0");
    settle();
    assert_string_equal(link_of("physicaldrive3"), "@/bus0/target0/lun0/disk");
    end();
    snprintf(root, sizeof root, "%s/elsewhere", base);
    begin("");
    assert_int_equal(count_links(), 0);
    end();
}

static void what_is_somebody_elses_stays(void **state)
{
    char path[600];
    (void)state;
    put_link("c:", "../drive_c");
    put_link("physicaldrive1", "/dev/null");
    put_link("physicaldrive2x", root);
    put_link("physicaldrive3",
             "/nowhere/bus0/target0/lun0/disk"); /* another service's, left behind */
    put_link("physicaldrive5", "/nowhere/bus0/target0/lun0/disks"); /* nobody knows whose */
    path_in(path, "physicaldrive4");
    assert_int_equal(mkdir(path, 0700), 0);
    begin("");
    use(prefix, STATUS_OK);
    for (uint32_t number = 1; number <= 5; number++)
        add(0x00, number, "bus0/target0/lun0");
    settle();
    assert_string_equal(link_of("physicaldrive1"), "/dev/null");
    assert_string_equal(link_of("physicaldrive2"), "@/bus0/target0/lun0/disk");
    assert_string_equal(link_of("physicaldrive3"), "@/bus0/target0/lun0/disk");
    assert_string_equal(link_of("physicaldrive5"), "/nowhere/bus0/target0/lun0/disks");
    assert_non_null(strstr(told, "/prefix/dosdevices/physicaldrive1 BUSY;"));
    assert_non_null(strstr(told, "/prefix/dosdevices/physicaldrive4 BUSY;"));
    assert_non_null(strstr(told, "/prefix/dosdevices/physicaldrive5 BUSY;"));
    /* Once is enough. */
    told[0] = '\0';
    for (uint32_t number = 1; number <= 5; number++)
        take(0x00, number);
    settle();
    assert_string_equal(told, "");
    end();
    assert_string_equal(link_of("c:"), "../drive_c");
    assert_string_equal(link_of("physicaldrive2x"), "@");
    assert_int_equal(count_links(), 5);
}

static void what_is_no_prefix_is_not_touched(void **state)
{
    char path[600];
    (void)state;
    begin("");
    add(0x00, 1, "bus0/target0/lun0");
    use("relative/prefix", STATUS_INVALID_PARAMETER);
    use("", STATUS_INVALID_PARAMETER);
    use("/two\nlines", STATUS_INVALID_PARAMETER);
    use("/dev/null", STATUS_OK); /* which turns out to be none */
    use(base, STATUS_OK);
    snprintf(path, sizeof path, "%s/linked", base);
    assert_int_equal(mkdir(path, 0755), 0);
    strcat(path, "/dosdevices");
    assert_int_equal(symlink("../prefix/dosdevices", path), 0);
    *strrchr(path, '/') = '\0';
    use(path, STATUS_OK);
    assert_string_equal(
        told, "/dev/null INVALID_PARAMETER; INVALID_PARAMETER;/linked INVALID_PARAMETER;");
    assert_int_equal(count_links(), 0);
    end();
}

static void a_driver_gets_the_names_of_disks(void **state)
{
    char command[700];
    (void)state;
    begin("");
    use(prefix, STATUS_OK);
    add(0x00, 1, "bus0/target0/lun0");
    settle();
    assert_int_equal(count_links(), 2);
    snprintf(command, sizeof command,
             "mkdir -p %s/drive_c/windows/system32/drivers && "
             "touch %s/drive_c/windows/system32/drivers/iscsidisk.sys",
             prefix, prefix);
    assert_int_equal(system(command), 0);
    add(0x00, 2, "bus0/target0/lun1");
    settle();
    assert_string_equal(link_of("physicaldrive1"), "-");
    assert_string_equal(link_of("iscsidisk1"), "@/bus0/target0/lun0");
    assert_string_equal(link_of("iscsidisk2"), "@/bus0/target0/lun1");
    assert_int_equal(count_links(), 2);
    take(0x00, 1);
    take(0x00, 2);
    end();
    assert_int_equal(count_links(), 0);
}

static void others_prefixes_must_be_named(void **state)
{
    char path[600], both[700];
    (void)state;
    path_in(path, "");
    assert_int_equal(chmod(path, 0777), 0); /* whoever wants could have made the links there */
    begin("");
    add(0x00, 1, "bus0/target0/lun0");
    use(prefix, STATUS_OK);
    assert_string_equal(told, "/prefix ACCESS_DENIED;");
    assert_int_equal(count_links(), 0);
    end();
    told[0] = '\0';
    snprintf(both, sizeof both, "%s:/nowhere/at/all:", prefix);
    begin(both);
    add(0x00, 1, "bus0/target0/lun0");
    settle();
    assert_string_equal(told, "/prefix OK;/nowhere/at/all INVALID_PARAMETER;");
    assert_int_equal(count_links(), 2);
    end();
    /* It is named no more. */
    told[0] = '\0';
    begin("");
    assert_int_equal(count_links(), 0);
    add(0x00, 1, "bus0/target0/lun0");
    settle();
    assert_int_equal(count_links(), 0);
    assert_string_equal(told, "");
    end();
}

static void there_are_not_endlessly_many(void **state)
{
    char path[300];
    (void)state;
    begin("");
    for (int i = 0; i <= WINE_PREFIXES_MOST; i++) {
        snprintf(path, sizeof path, "%s/p%d", base, i);
        make_prefix(path);
        use(path, i < WINE_PREFIXES_MOST ? STATUS_OK : STATUS_BUSY);
    }
    /* Those that are gone make room. */
    end();
    snprintf(path, sizeof path, "rm -rf %s/p*", base);
    assert_int_equal(system(path), 0);
    make_prefix(prefix);
    begin("");
    use(prefix, STATUS_OK);
    assert_non_null(strstr(told, "/prefix OK;"));
    end();
}

static void a_damaged_file_does_no_harm(void **state)
{
    (void)state;
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs("prefix\nnamed \nprefix relative\ndevices\n\n\nwhatever /x\nprefix /nowhere\nprefix "
          "/nowhere",
          out);
    fclose(out);
    assert_int_equal(chmod(file, 0600), 0);
    begin("");
    use(prefix, STATUS_OK);
    assert_string_equal(told, "/nowhere INVALID_PARAMETER;/prefix OK;");
    end();
}

static void memory_may_run_out(void **state)
{
    (void)state;
    for (long nth = 1; nth < 40; nth++) {
        os_alloc_fail_at(nth);
        loop = os_loop_new();
        worker = loop != NULL ? worker_new(loop) : NULL;
        const struct wine_settings settings = {
            .worker = worker, .root = root, .file = file, .told = tell, .changed = changed};
        wine = worker != NULL ? wine_new(&settings) : NULL;
        if (wine != NULL) {
            wine_name_prefixes(wine, prefix);
            wine_begin(wine);
            add(0x00, 1, "bus0/target0/lun0");
            wine_use(wine, prefix);
        }
        os_alloc_fail_at(0);
        if (worker != NULL)
            worker_leave(worker);
        os_loop_free(loop);
        loop = NULL;
        worker_free(worker);
        wine_free(wine);
    }
    begin(prefix);
    add(0x00, 1, "bus0/target0/lun0");
    settle();
    assert_int_equal(count_links(), 2);
    end();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(names_come_and_go_with_devices),
        TEST(a_prefix_that_is_told_later_gets_all),
        TEST(a_service_that_was_killed_leaves_nothing_for_long),
        TEST(what_is_somebody_elses_stays),
        TEST(what_is_no_prefix_is_not_touched),
        TEST(a_driver_gets_the_names_of_disks),
        TEST(others_prefixes_must_be_named),
        TEST(there_are_not_endlessly_many),
        TEST(a_damaged_file_does_no_harm),
        TEST(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
