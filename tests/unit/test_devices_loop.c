/* Loop devices on files: how they come and go, and what is in their way. The files are a directory
 * of this test; what comes behind them is tested with the whole service (test_devices_loop.py). */
#include "engine_test.h"

#include "devices/loop_devices.h"
#include "engine/sessions.h"
#include "os/block.h"
#include "os/command.h"
#include "os/storage.h"

#include <stdatomic.h>

enum { SIZE = 8 << 20, BLOCK = 512 };

#define PLACE "bus0/target0/lun0"

static struct os_loop *loop;
static struct os_thread *thread;
static struct loop_devices *devices;
static struct loop_device *device;
static char files[700], links[700], file[800], point[700];

/* --- on the loop's thread --- */

struct order {
    struct os_job job;
    void (*run)(void);
    struct os_loop_waiter waiter;
};

static void run_order(struct os_job *job)
{
    struct order *order = LIST_OWNER(job, struct order, job);
    order->run();
    os_loop_finish(loop, &order->waiter);
}

static void on_loop(void (*run)(void))
{
    struct order order = {.job.run = run_order, .run = run};
    assert_true(os_loop_waiter_init(&order.waiter));
    os_loop_call(loop, &order.job, &order.waiter);
    os_loop_waiter_clear(&order.waiter);
}

static void run_loop(void *argument)
{
    os_loop_run(argument);
}

static bool ready;
static bool forced;
static enum withdrawal withdrawal;
static char path[100];

static void look(void)
{
    ready = loop_device_is_ready(device);
    snprintf(path, sizeof path, "%s",
             loop_device_path(device) != NULL ? loop_device_path(device) : "");
}

static void await_ready(void)
{
    uint64_t end = os_now() + BOUND;
    for (on_loop(look); !ready; on_loop(look)) {
        if (os_now() > end)
            fail_msg("the device was not ready within %u ms", BOUND);
        os_thread_yield();
    }
}

static void withdraw(void)
{
    withdrawal = loop_device_withdraw(device, forced);
}

static void readmit(void)
{
    loop_device_readmit(device);
}

static enum withdrawal await_withdrawal(bool by_force)
{
    uint64_t end = os_now() + BOUND;
    forced = by_force;
    for (on_loop(withdraw); withdrawal == WITHDRAWING; on_loop(withdraw)) {
        if (os_now() > end)
            fail_msg("the device was not withdrawn within %u ms", BOUND);
        os_thread_yield();
    }
    return withdrawal;
}

static void open_it(void)
{
    static struct engine_session session = {.target = (char *)(uintptr_t)BASE ":a"};
    static struct unit unit = {.session = &session};
    unit.facts.capacity = (struct scsi_capacity){.blocks = SIZE / BLOCK, .block_length = BLOCK};
    device = loop_device_open(devices, PLACE, &unit);
}

static void close_it(void)
{
    loop_device_close(device);
    device = NULL;
}

static void replace_it(void)
{
    loop_device_close(device);
    open_it();
}

static bool protects;

static void renew_it(void)
{
    loop_device_renew(device, protects);
}

static void leave(void)
{
    loop_devices_leave(devices);
}

static void nothing(void)
{
}

static void on_changed(void *context)
{
    (void)context;
}

/* --- around each test --- */

static void new_devices(bool attach)
{
    const struct loop_devices_settings settings = {
        .loop = loop,
        .files = files,
        .links = links,
        .state = directory,
        .attach = attach,
        .retries = 3,
        .interval = 1,
        .changed = on_changed,
    };
    assert_status(loop_devices_new(&devices, &settings), STATUS_OK);
    on_loop(open_it);
    assert_non_null(device);
}

static int start(void **state)
{
    bool made;
    (void)state;
    new_directory();
    snprintf(files, sizeof files, "%s/files", directory);
    snprintf(links, sizeof links, "%s/links", directory);
    snprintf(point, sizeof point, "%s/mount point", directory);
    snprintf(file, sizeof file, "%s/" PLACE, files);
    assert_status(os_make_private_directory(file), STATUS_OK);
    assert_status(os_make_private_directory(point), STATUS_OK);
    strcat(file, "/disk");
    assert_status(os_storage_make(file, SIZE, &made), STATUS_OK);
    loop = os_loop_new();
    thread = os_thread_start(run_loop, loop);
    return thread != NULL ? 0 : -1;
}

static void end_devices(void)
{
    if (device != NULL)
        on_loop(close_it);
    on_loop(leave);
    on_loop(nothing); /* behind what was posted before */
    loop_devices_free(devices);
    devices = NULL;
}

static unsigned left;

static void count_left(void *context, const struct os_loopback *found, const char *mark)
{
    (void)context;
    (void)mark;
    left += os_loopback_owns(found, path);
}

static int stop(void **state)
{
    (void)state;
    if (devices != NULL)
        end_devices();
    os_loop_stop(loop);
    os_thread_join(thread);
    os_loop_free(loop);
    left = 0;
    os_loopback_each(count_left, NULL);
    return left == 0 ? 0 : -1;
}

static void need_loop_devices(void)
{
    if (!os_loopback_allowed()) {
        print_message("loop devices: not allowed, or not here\n");
        skip();
    }
}

static int command(const char *name, const char *first, const char *second)
{
    char output[300];
    const char *const arguments[] = {name, first, second, NULL};
    struct os_command running = {
        .arguments = arguments, .patience = BOUND, .output = output, .room = sizeof output};
    enum status status = os_command_run(&running);
    if (status == STATUS_NOT_SUPPORTED)
        return -1;
    assert_status(status, STATUS_OK);
    if (running.code != 0)
        print_message("%s: %s\n", name, output);
    return running.code;
}

static void need_file_system(void)
{
    if (command("mkfs.ext4", "-q", path) == 0)
        return;
    print_message("mkfs.ext4: not here\n");
    skip();
}

static void assert_link(const char *name, const char *expected)
{
    char whole[1600], text[OS_PATH_ROOM];
    snprintf(whole, sizeof whole, "%s/%s", links, name);
    if (expected == NULL) {
        assert_false(os_link_text(whole, text));
        return;
    }
    assert_true(os_link_text(whole, text));
    assert_string_equal(text, expected);
}

/* --- the tests --- */

static void a_device_comes_and_goes(void **state)
{
    (void)state;
    need_loop_devices();
    new_devices(true);
    await_ready();
    assert_true(strncmp(path, "/dev/loop", 9) == 0);
    assert_link(PLACE "/disk", path);
    assert_link("by-name/" BASE ":a-lun-0", path);
    struct os_storage *storage;
    uint64_t size;
    char byte = 'x';
    assert_status(os_storage_open(path, false, &storage, &size), STATUS_OK);
    assert_int_equal(size, SIZE);
    assert_true(os_storage_write(storage, 1000, &byte, 1));
    /* Somebody has it open. */
    assert_int_equal(await_withdrawal(false), DEVICE_IN_USE);
    on_loop(readmit);
    await_ready();
    os_storage_close(storage);
    assert_int_equal(await_withdrawal(false), WITHDRAWN);
    assert_link(PLACE "/disk", NULL);
    assert_status(os_storage_open(file, true, &storage, &size), STATUS_OK);
    byte = 0;
    assert_true(os_storage_read(storage, 1000, &byte, 1));
    assert_int_equal(byte, 'x');
    os_storage_close(storage);
    /* The session was not logged out after all. */
    on_loop(readmit);
    await_ready();
    assert_link(PLACE "/disk", path);
    end_devices();
    assert_link(PLACE "/disk", NULL);
}

/* Going and coming at the same time: links are not taken from each other. */
static void a_successor_has_the_links(void **state)
{
    char number[100];
    (void)state;
    need_loop_devices();
    new_devices(true);
    await_ready();
    for (int i = 0; i < 10; i++) {
        on_loop(replace_it);
        await_ready();
        snprintf(number, sizeof number, "%.80sp3", path);
        assert_link(PLACE "/disk", path);
        assert_link("by-name/" BASE ":a-lun-0", path);
        assert_link("by-name/" BASE ":a-lun-0-part3", number);
    }
    end_devices();
    assert_link("by-name/" BASE ":a-lun-0", NULL);
}

static bool can_be_written(void)
{
    struct os_storage *storage;
    uint64_t size;
    if (os_storage_open(path, false, &storage, &size) != STATUS_OK)
        return false;
    bool written = os_storage_write(storage, 0, "x", 1) && os_storage_flush(storage);
    os_storage_close(storage);
    return written;
}

static void await_writable(bool wanted)
{
    uint64_t end = os_now() + BOUND;
    do {
        await_ready();
        if (os_now() > end)
            fail_msg("%s can%s be written", path, wanted ? "not" : "");
    } while (path[0] == '\0' || can_be_written() != wanted);
}

static void a_device_follows_write_protection(void **state)
{
    (void)state;
    need_loop_devices();
    new_devices(true);
    await_writable(true);
    protects = true;
    on_loop(renew_it);
    await_writable(false);
    assert_link(PLACE "/disk", path);
    protects = false;
    on_loop(renew_it);
    await_writable(true);
}

static void a_killed_process_is_cleaned_up_after(void **state)
{
    (void)state;
    need_loop_devices();
    new_devices(true);
    await_ready();
    struct loop_devices *first = devices;
    struct loop_device *killed = device;
    new_devices(true); /* as if the first were no more */
    await_ready();
    assert_link(PLACE "/disk", path);
    end_devices();
    device = killed;
    devices = first;
    left = 0;
    os_loopback_each(count_left, NULL);
    assert_int_equal(left, 0);
}

static void file_systems_are_mounted(void **state)
{
    char text[1600], inside[800];
    bool made;
    (void)state;
    need_loop_devices();
    new_devices(true);
    await_ready();
    need_file_system();
    assert_int_equal(await_withdrawal(false), WITHDRAWN);
    snprintf(text, sizeof text, "%s/" PLACE "/disk %s/mount\\040point ext4 noatime 0 2\nbad\n",
             links, directory);
    write_text("fstab.iscsi", text);
    on_loop(readmit);
    await_ready();
    assert_int_equal(command("mountpoint", "-q", point), 0);
    snprintf(inside, sizeof inside, "%s/file", point);
    assert_status(os_storage_make(inside, 100, &made), STATUS_OK);
    /* An open file. */
    struct os_storage *storage;
    uint64_t size;
    assert_status(os_storage_open(inside, false, &storage, &size), STATUS_OK);
    assert_int_equal(await_withdrawal(false), DEVICE_IN_USE);
    assert_int_equal(command("mountpoint", "-q", point), 0);
    assert_int_equal(await_withdrawal(true), WITHDRAWN);
    assert_int_not_equal(command("mountpoint", "-q", point), 0);
    os_storage_close(storage);
    on_loop(readmit);
    await_ready();
    assert_int_equal(command("mountpoint", "-q", point), 0);
    assert_int_equal(command("test", "-e", inside), 0);
    /* Somebody else's mount. */
    char other[700];
    snprintf(other, sizeof other, "%s/other", directory);
    assert_status(os_make_private_directory(other), STATUS_OK);
    assert_int_equal(command("mount", path, other), 0);
    assert_int_equal(await_withdrawal(false), DEVICE_IN_USE);
    on_loop(readmit);
    assert_int_equal(command("umount", other, NULL), 0);
    assert_int_equal(await_withdrawal(false), WITHDRAWN);
    assert_int_not_equal(command("mountpoint", "-q", point), 0);
}

static void mounts_that_cannot_be_are_given_up(void **state)
{
    char text[1600];
    (void)state;
    need_loop_devices();
    snprintf(text, sizeof text, "%s/by-name/" BASE ":a-lun-0-part1 %s/mount\\040point auto\n",
             links, directory);
    write_text("fstab.iscsi", text);
    new_devices(true);
    await_ready(); /* after as many tries as there are to be */
    assert_true(strncmp(path, "/dev/loop", 9) == 0);
    assert_int_not_equal(command("mountpoint", "-q", point), 0);
}

static void without_loop_devices_there_are_links(void **state)
{
    (void)state;
    need_loop_devices();
    new_devices(false);
    await_ready();
    assert_string_equal(path, "");
    assert_link(PLACE "/disk", file);
    assert_int_equal(await_withdrawal(false), WITHDRAWN);
    assert_link(PLACE "/disk", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_device_comes_and_goes, start, stop),
        cmocka_unit_test_setup_teardown(a_successor_has_the_links, start, stop),
        cmocka_unit_test_setup_teardown(a_device_follows_write_protection, start, stop),
        cmocka_unit_test_setup_teardown(a_killed_process_is_cleaned_up_after, start, stop),
        cmocka_unit_test_setup_teardown(file_systems_are_mounted, start, stop),
        cmocka_unit_test_setup_teardown(mounts_that_cannot_be_are_given_up, start, stop),
        cmocka_unit_test_setup_teardown(without_loop_devices_there_are_links, start, stop),
    };
    return cmocka_run_group_tests_name("devices_loop", tests, NULL, NULL);
}
