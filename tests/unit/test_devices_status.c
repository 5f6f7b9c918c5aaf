/* The files `status` and `control` of the tree of devices. */
#include "unit_shelf.h"

#include "devices/control.h"
#include "devices/status.h"
#include "engine/options.h"
#include "engine/units.h"

static struct target_host host;

#define LUN(number) ((uint64_t)(number) << 48)
#define HEAD        "#\n# Bus Target  LUN  IP address       Port  TargetName\n"

static const struct login_options again = {.flags = LOGIN_FLAG_MULTIPATH};

static int start(void **state)
{
    (void)state;
    shelf_clear();
    new_directory();
    assert_status(engine_start(&engine, directory), STATUS_OK);
    target_host_new(&host);
    target_entity_settings(host.entity)->fault = &shelf_fault;
    target_host_add(&host, BASE ":a");
    target_host_add(&host, BASE ":b");
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_OK);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_stop(engine);
    engine = NULL;
    target_host_stop(&host);
    return 0;
}

/* --- on the engine's thread --- */

struct task_of_engine {
    struct os_job job;
    struct os_loop_waiter waiter;
    const char *line;
    size_t length;
    enum status status;
    char text[4000];
};

static void run_status(struct os_job *job)
{
    struct task_of_engine *task = LIST_OWNER(job, struct task_of_engine, job);
    struct os_arena arena = {0};
    const char *text = "";
    task->status = devices_status_text(engine, &arena, &text);
    snprintf(task->text, sizeof task->text, "%s", text);
    os_arena_clear(&arena);
    os_loop_finish(engine_loop(engine), &task->waiter);
}

static void run_control(struct os_job *job)
{
    struct task_of_engine *task = LIST_OWNER(job, struct task_of_engine, job);
    task->status = devices_control(engine, task->line, task->length);
    os_loop_finish(engine_loop(engine), &task->waiter);
}

static enum status run(struct task_of_engine *task, void (*what)(struct os_job *job))
{
    task->job.run = what;
    assert_true(os_loop_waiter_init(&task->waiter));
    os_loop_call(engine_loop(engine), &task->job, &task->waiter);
    os_loop_waiter_clear(&task->waiter);
    return task->status;
}

/* Without the line of the version. */
static const char *status_now(void)
{
    static struct task_of_engine task;
    task = (struct task_of_engine){.line = NULL};
    unsigned major, minor, patch;
    assert_status(run(&task, run_status), STATUS_OK);
    assert_int_equal(
        sscanf(task.text, "# iSCSI driver version: %u.%u.%u\n", &major, &minor, &patch), 3);
    return strchr(task.text, '\n') + 1;
}

static enum status control_bytes(const char *line, size_t length)
{
    struct task_of_engine task = {.line = line, .length = length};
    return run(&task, run_control);
}

static enum status control(const char *line)
{
    return control_bytes(line, strlen(line));
}

static void put_disk(unsigned number)
{
    shelf_put((struct shelf_unit){.lun = LUN(number), .blocks = 100});
}

/* `%s`: address and port of the target, as a line has them. */
static const char *expected(const char *format)
{
    static char text[2000];
    char at[300];
    snprintf(at, sizeof at, "%-15s %5u", host.portal.host, host.portal.port);
    snprintf(text, sizeof text, HEAD);
    for (size_t length = strlen(text); *format != '\0'; format++) {
        if (*format == '@')
            length += (size_t)snprintf(text + length, sizeof text - length, "%s", at);
        else
            text[length++] = *format;
        text[length] = '\0';
    }
    return text;
}

/* --- the tests --- */

static void each_unit_has_a_line(void **state)
{
    (void)state;
    assert_string_equal(status_now(), HEAD);
    put_disk(0);
    put_disk(1);
    assert_status(login_with(BASE ":a", &again), STATUS_OK);
    settle();
    assert_status(login_with(BASE ":b", &again), STATUS_OK);
    settle();
    assert_string_equal(status_now(),
                        expected("    0      0    0  @  " BASE ":a\n    0      0    1  @  " BASE
                                 ":a\n    0      1    0  @  " BASE ":b\n    0      1    1  @  " BASE
                                 ":b\n"));
}

static void what_is_not_known_is_a_question_mark(void **state)
{
    (void)state;
    assert_status(login_with(BASE ":a", &again), STATUS_OK);
    settle();
    assert_string_equal(status_now(), expected("    0      0    ?  @  " BASE ":a\n"));
    struct os_thread *thread = host.thread;
    os_loop_stop(host.loop);
    os_thread_join(thread);
    host.thread = NULL;
    target_host_stop(&host);
    const char *lost = HEAD "    0      0    ?  ?                   ?  " BASE ":a\n";
    uint64_t bound = os_now() + BOUND;
    while (strcmp(status_now(), lost) != 0 && os_now() < bound)
        os_thread_yield();
    assert_string_equal(status_now(), lost);
}

static void sessions_without_units_have_no_line(void **state)
{
    const struct request_login request = {
        .target = BASE ":a", .initiator_port = ANY_PORT, .informational = true};
    (void)state;
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_OK);
    assert_string_equal(status_now(), HEAD);
}

static void lines_that_control_does_not_take(void **state)
{
    static const char *const lines[] = {
        "",
        "\n",
        "target",
        "target 0 0 address",
        "target 0 0 adress 1.2.3.4",
        "target 0 0 address 1.2.3.4 more",
        "target 0 256 address 1.2.3.4",
        "target -1 0 address 1.2.3.4",
        "target 0 x address 1.2.3.4",
        "target 0 0 address 1.2.3.4\ntarget 0 0 address 1.2.3.4\n",
        "Target 0 0 address 1.2.3.4",
        "scsi",
        "scsi add-single-device 3 0 0",
        "scsi add-single-device 3 0 0 256",
        "scsi add-single-device 3 0 0 0 0",
        "scsi remove-single-device 3 0 0 0",
    };
    static char longest[CONTROL_MOST + 2];
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (control(lines[i]) != STATUS_INVALID_PARAMETER)
            fail_msg("\"%s\" was taken", lines[i]);
    }
    memset(longest, ' ', sizeof longest);
    assert_status(control_bytes(longest, sizeof longest), STATUS_INVALID_PARAMETER);
    assert_status(control_bytes("target 0 0\0address 1.2.3.4", 26), STATUS_INVALID_PARAMETER);
    assert_status(control("target 0 0 address 1.2.3.4\n"), STATUS_SESSION_NOT_FOUND);
    assert_status(control("scsi add-single-device 3 0 0 0\n"), STATUS_SESSION_NOT_FOUND);
}

static void control_finds_new_units(void **state)
{
    (void)state;
    put_disk(0);
    assert_status(login_with(BASE ":a", &again), STATUS_OK);
    settle();
    put_disk(1);
    assert_status(control("scsi add-single-device 4 0 0 1"), STATUS_SESSION_NOT_FOUND);
    assert_status(control("scsi add-single-device 3 0 0 1\n"), STATUS_OK);
    const char *both =
        expected("    0      0    0  @  " BASE ":a\n    0      0    1  @  " BASE ":a\n");
    uint64_t bound = os_now() + BOUND;
    while (strcmp(status_now(), both) != 0 && os_now() < bound)
        os_thread_yield();
    assert_string_equal(status_now(), both);
}

static void control_names_a_portal_of_the_target(void **state)
{
    char line[400];
    (void)state;
    put_disk(0);
    assert_status(login_with(BASE ":a", &again), STATUS_OK);
    settle();
    assert_status(control("target 0 0 address nowhere!"), STATUS_INVALID_ADDRESS);
    assert_status(control("target 0 0 address 192.0.2.77"), STATUS_NO_PORTAL);
    assert_status(control("target 0 1 address 192.0.2.77"), STATUS_SESSION_NOT_FOUND);
    snprintf(line, sizeof line, " target  0\t0 address %s:%u \n", host.portal.host,
             host.portal.port);
    assert_status(control(line), STATUS_OK); /* it is there already */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_unit_has_a_line, start, stop),
        cmocka_unit_test_setup_teardown(what_is_not_known_is_a_question_mark, start, stop),
        cmocka_unit_test_setup_teardown(sessions_without_units_have_no_line, start, stop),
        cmocka_unit_test_setup_teardown(lines_that_control_does_not_take, start, stop),
        cmocka_unit_test_setup_teardown(control_finds_new_units, start, stop),
        cmocka_unit_test_setup_teardown(control_names_a_portal_of_the_target, start, stop),
    };
    return cmocka_run_group_tests_name("devices_status", tests, NULL, NULL);
}
