/* The logical units of sessions: how they are found, what becomes of them, and where they stand. */
#include "unit_shelf.h"

#include "engine/log.h"
#include "engine/options.h"
#include "engine/withdrawal.h"

#include <stdatomic.h>

static struct target_host host;

#define LUN(number)   ((uint64_t)(number) << 48)
#define SECOND_TARGET BASE ":b"

static int start(void **state)
{
    (void)state;
    shelf_clear();
    new_directory();
    assert_status(engine_start(&engine, directory), STATUS_OK);
    target_host_new(&host);
    target_entity_settings(host.entity)->fault = &shelf_fault;
    target_host_add(&host, BASE ":a");
    target_host_add(&host, SECOND_TARGET);
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_OK);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    failing_allocation = 0;
    os_alloc_fail_at(0);
    engine_stop(engine);
    engine = NULL;
    target_host_stop(&host);
    return 0;
}

/* --- the lists --- */

static char text[20000];

static void say(const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, sizeof text - length, format, arguments);
    va_end(arguments);
}

/* type bus:target:lun number/instance legacy path, a line each */
static void copy_devices(const void *reply)
{
    const struct reply_list_devices *list = reply;
    for (uint32_t i = 0; i < list->devices.count; i++) {
        const struct device *device = &list->devices.items[i];
        bool real = device->path != NULL;
        say("%x %u:%u:%u %u/%u %s%s%s\n", device->type, device->scsi_bus, device->scsi_target,
            device->scsi_lun, device->number, device->instance, device->legacy_name,
            real ? " " : "", real ? device->path : "");
    }
}

static enum status devices_of(struct unique_id session)
{
    const struct request_list_devices request = {.session = &session};
    text[0] = '\0';
    return ask(OPERATION_list_devices, &request, copy_devices);
}

static void assert_devices(const char *expected)
{
    assert_status(devices_of(last_session), STATUS_OK);
    assert_string_equal(text, expected);
}

/* What comes soon, for instance because a command was told of it. */
static void await_devices(const char *expected)
{
    uint64_t end = os_now() + BOUND;
    do {
        assert_status(devices_of(last_session), STATUS_OK);
        os_thread_yield();
    } while (strcmp(text, expected) != 0 && os_now() < end);
    assert_string_equal(text, expected);
}

/* target device bus:target os=target ..., a line each */
static void copy_mappings(const void *reply)
{
    const struct reply_list_mappings *list = reply;
    for (uint32_t i = 0; i < list->mappings.count; i++) {
        const struct active_mapping *active = &list->mappings.items[i];
        say("%s %s %u:%u", active->target, active->mapping->os_device, active->mapping->os_bus,
            active->mapping->os_target);
        for (uint32_t j = 0; j < active->mapping->luns.count; j++)
            say(" %u=%llx", active->mapping->luns.items[j].os_lun,
                (unsigned long long)active->mapping->luns.items[j].target_lun);
        say("\n");
    }
}

static void assert_mappings(const char *expected)
{
    const struct request_list_mappings request = {0};
    text[0] = '\0';
    assert_status(ask(OPERATION_list_mappings, &request, copy_mappings), STATUS_OK);
    assert_string_equal(text, expected);
}

static const struct login_options multipath = {.flags = LOGIN_FLAG_MULTIPATH};

static enum status login_at(const char *target, const struct mapping *mapping)
{
    const struct request_login request = {
        .target = target, .initiator_port = ANY_PORT, .options = &multipath, .mapping = mapping};
    return ask(OPERATION_login, &request, copy_login);
}

static uint64_t commands(void)
{
    uint64_t count;
    SHELF(count = shelf.commands);
    return count;
}

static void put_disk(uint64_t lun, const char *name)
{
    shelf_put((struct shelf_unit){.lun = lun, .name = name, .blocks = 100});
}

/* --- what is found --- */

static void units_are_listed_right_after_the_login(void **state)
{
    (void)state;
    put_disk(LUN(1), "second..");
    put_disk(LUN(0), "first...");
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_devices("0 0:0:0 1/1 \\\\.\\PhysicalDrive1\n0 0:0:1 2/2 \\\\.\\PhysicalDrive2\n");
    assert_mappings(BASE ":a \\\\.\\Scsi3: 0:0 0=0 1=1\n");
}

static void each_kind_has_its_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 16; i++)
        shelf_put((struct shelf_unit){.lun = LUN(i), .first = (uint8_t)i, .blocks = 10});
    shelf_put((struct shelf_unit){.lun = LUN(16), .first = 0x20}); /* nothing is connected */
    shelf_put((struct shelf_unit){.lun = LUN(17), .first = 0x60}); /* nothing can be */
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_devices("0 0:0:0 1/1 \\\\.\\PhysicalDrive1\n"
                   "1 0:0:1 1/2 \\\\.\\Tape1\n"
                   "4 0:0:4 2/5 \\\\.\\PhysicalDrive2\n"
                   "5 0:0:5 1/6 \\\\.\\CdRom1\n"
                   "7 0:0:7 3/8 \\\\.\\PhysicalDrive3\n"
                   "8 0:0:8 1/9 \\\\.\\Changer1\n"
                   "e 0:0:14 4/15 \\\\.\\PhysicalDrive4\n");
    /* What no device is made of stands on the bus all the same. */
    assert_mappings(BASE ":a \\\\.\\Scsi3: 0:0 0=0 1=1 2=2 3=3 4=4 5=5 6=6 7=7 8=8 9=9 10=a 11=b"
                         " 12=c 13=d 14=e 15=f\n");
}

static void luns_of_every_format_get_a_number(void **state)
{
    static const uint64_t raw = UINT64_C(0xd200400000000000);
    (void)state;
    put_disk(raw, NULL);
    put_disk(UINT64_C(0x4100000000000000), NULL); /* flat: 256 */
    put_disk(UINT64_C(0x4001000000000000),
             NULL); /* flat, and the number 1 would be another field */
    put_disk(LUN(1), NULL);
    put_disk(LUN(200), NULL);
    put_disk(3, NULL); /* nobody could name it */
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_int_equal(devices_of(last_session), STATUS_OK);
    assert_mappings(BASE ":a \\\\.\\Scsi3: 0:0 0=100 1=1 2=4001000000000000 3=d200400000000000"
                         " 200=c8\n");
}

static char logged[2000];

static void on_log(enum os_log_level level, const char *event, va_list pairs)
{
    size_t length = strlen(logged);
    (void)level;
    length += (size_t)snprintf(logged + length, 100, "%s", event);
    for (const char *key; length < 1000 && (key = va_arg(pairs, char *)) != NULL;)
        length += (size_t)snprintf(logged + length, 300, " %s=%s", key, va_arg(pairs, char *));
}

static void a_byte_is_enough_for_all_units(void **state)
{
    unsigned lines = 0;
    (void)state;
    engine_log_to(on_log);
    for (unsigned i = 0; i < 600; i++)
        put_disk(scsi_lun_encode(599 - i), NULL);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_status(devices_of(last_session), STATUS_OK);
    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    engine_log_to(NULL);
    assert_int_equal(lines, UNITS_MOST);
    assert_string_equal(logged, "units-left-out target=" BASE
                                ":a count=344 reason=a target has at most 256 units");
    assert_non_null(strstr(text, "\n0 0:0:255 256/256 \\\\.\\PhysicalDrive256\n"));
}

static void a_target_without_report_luns_has_one_unit(void **state)
{
    (void)state;
    put_disk(LUN(0), NULL);
    put_disk(LUN(1), NULL);
    SHELF(shelf.only_zero = true);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_devices("0 0:0:0 1/1 \\\\.\\PhysicalDrive1\n");
}

static void a_target_without_units_has_an_empty_list(void **state)
{
    (void)state;
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_devices("");
    assert_mappings(BASE ":a \\\\.\\Scsi3: 0:0\n");
}

static void lists_of_units_may_lie(void **state)
{
    static const uint8_t lies[][24] = {
        {0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 64}, {0, 0, 0, 7}, {0}, {0, 0, 0, 16, 0, 0, 0, 0, 0, 1},
    };
    static const size_t lengths[] = {24, 16, 16, 3, 24};
    (void)state;
    put_disk(LUN(0), NULL);
    put_disk(LUN(1), NULL);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        SHELF(shelf.luns = lies[i]; shelf.luns_length = lengths[i]);
        assert_status(login(BASE ":a"), STATUS_OK);
        assert_status(devices_of(last_session), STATUS_OK);
        assert_status(logout(&last_session), STATUS_OK);
    }
}

static void pages_may_be_garbage(void **state)
{
    static uint8_t page[300];
    uint32_t random = 1;
    (void)state;
    shelf_put((struct shelf_unit){.lun = LUN(0), .page = page, .blocks = 1});
    for (unsigned round = 0; round < 60; round++) {
        os_mutex_lock(shelf.mutex);
        for (size_t i = 0; i < sizeof page; i++)
            page[i] = (uint8_t)((random = random * 1103515245u + 12345u) >> 16);
        page[1] = round % 4 == 0 ? page[1] : 0x83;
        shelf.units[0].page_length = round * 5;
        os_mutex_unlock(shelf.mutex);
        assert_status(login(BASE ":a"), STATUS_OK);
        assert_status(devices_of(last_session), STATUS_OK);
        assert_non_null(strstr(text, "PhysicalDrive1"));
        assert_status(logout(&last_session), STATUS_OK);
    }
}

static void informational_sessions_have_none(void **state)
{
    const struct request_login request = {
        .target = BASE ":a", .informational = 1, .initiator_port = ANY_PORT};
    (void)state;
    put_disk(LUN(0), NULL);
    assert_status(ask(OPERATION_login, &request, copy_login), STATUS_OK);
    assert_devices("");
    assert_mappings("");
    assert_int_equal(commands(), 0);
}

/* --- what becomes of them --- */

static void tell_attention(uint16_t asc)
{
    struct scsi_cdb cdb;
    scsi_test_unit_ready(&cdb);
    const struct request_scsi request = {.session = &last_session, .cdb = {cdb.bytes, cdb.length}};
    SHELF(shelf.attention = asc);
    assert_status(ask(OPERATION_scsi, &request, NULL), STATUS_SCSI_STATUS);
}

static void changes_are_heard_of(void **state)
{
    (void)state;
    put_disk(LUN(0), "first...");
    put_disk(LUN(2), "third...");
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_devices("0 0:0:0 1/1 \\\\.\\PhysicalDrive1\n0 0:0:2 2/2 \\\\.\\PhysicalDrive2\n");
    put_disk(LUN(1), "second..");
    tell_attention(SCSI_ASC_REPORTED_LUNS_CHANGED);
    await_devices("0 0:0:0 1/1 \\\\.\\PhysicalDrive1\n0 0:0:1 3/3 \\\\.\\PhysicalDrive3\n"
                  "0 0:0:2 2/2 \\\\.\\PhysicalDrive2\n");
    shelf_take(LUN(0));
    tell_attention(SCSI_ASC_REPORTED_LUNS_CHANGED);
    await_devices("0 0:0:1 3/3 \\\\.\\PhysicalDrive3\n0 0:0:2 2/2 \\\\.\\PhysicalDrive2\n");
    /* Another unit in the place of one: its number is the smallest free one. */
    SHELF(shelf_find(LUN(1))->name = "another.");
    tell_attention(SCSI_ASC_INQUIRY_CHANGED);
    await_devices("0 0:0:1 1/4 \\\\.\\PhysicalDrive1\n0 0:0:2 2/2 \\\\.\\PhysicalDrive2\n");
}

/* Nobody sends a command that could be told: who asks for the list has it looked at again. */
static void a_list_is_not_older_than_a_second(void **state)
{
    (void)state;
    put_disk(LUN(0), "first...");
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_devices("0 0:0:0 1/1 \\\\.\\PhysicalDrive1\n");
    put_disk(LUN(1), "second..");
    await_devices("0 0:0:0 1/1 \\\\.\\PhysicalDrive1\n0 0:0:1 2/2 \\\\.\\PhysicalDrive2\n");
}

/* A target that says so with each answer is not asked without end. */
static void restless_targets_are_asked_with_pauses(void **state)
{
    (void)state;
    put_disk(LUN(0), "first...");
    assert_status(login(BASE ":a"), STATUS_OK);
    settle();
    uint64_t before = commands(), began = os_now();
    for (unsigned i = 0; i < 200; i++)
        tell_attention(SCSI_ASC_REPORTED_LUNS_CHANGED);
    uint64_t rounds = (os_now() - began) / 1000 + 2;
    assert_true(commands() - before <= 200 + rounds * 8);
}

static void a_unit_that_is_busy_for_a_while_stays(void **state)
{
    (void)state;
    put_disk(LUN(0), "first...");
    put_disk(LUN(1), "second..");
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_devices("0 0:0:0 1/1 \\\\.\\PhysicalDrive1\n0 0:0:1 2/2 \\\\.\\PhysicalDrive2\n");
    SHELF(shelf_find(LUN(0))->refuses_inquiry = true);
    tell_attention(SCSI_ASC_REPORTED_LUNS_CHANGED);
    assert_devices("0 0:0:0 1/1 \\\\.\\PhysicalDrive1\n0 0:0:1 2/2 \\\\.\\PhysicalDrive2\n");
    /* But nothing is made of one that never told what it is. */
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_devices("0 0:0:1 1/3 \\\\.\\PhysicalDrive1\n");
}

/* What passes says nothing of what there is. */
static void a_moment_without_answers_loses_no_unit(void **state)
{
    static const char both[] =
        "0 0:0:0 1/1 \\\\.\\PhysicalDrive1\n0 0:0:1 2/2 \\\\.\\PhysicalDrive2\n";
    (void)state;
    put_disk(LUN(0), "first...");
    put_disk(LUN(1), "second..");
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_devices(both);
    uint64_t blocks;
    SHELF(shelf.aborts_list = true; blocks = shelf_find(LUN(1))->blocks);
    tell_attention(SCSI_ASC_REPORTED_LUNS_CHANGED);
    assert_devices(both);
    SHELF(shelf.aborts_list = false; shelf_find(LUN(1))->blocks = 0);
    tell_attention(SCSI_ASC_CAPACITY_CHANGED);
    assert_devices(both);
    SHELF(shelf_find(LUN(1))->blocks = blocks);
    tell_attention(SCSI_ASC_CAPACITY_CHANGED);
    assert_devices(both);
}

static void a_lost_connection_loses_no_unit(void **state)
{
    const struct login_options patient = {.specified = OPTION_DEFAULT_TIME2WAIT,
                                          .default_time2wait = 1};
    (void)state;
    put_disk(LUN(0), "first...");
    put_disk(LUN(1), "second..");
    assert_status(login_with(BASE ":a", &patient), STATUS_OK);
    settle();
    target_host_stop(&host);
    uint64_t end = os_now() + BOUND;
    while (count_sessions() == 1 && last_listed.connections.count == 1 && os_now() < end)
        os_thread_yield();
    /* Nobody can be asked now: what was known is told at once. */
    uint64_t asked = os_now();
    assert_devices("0 0:0:0 1/1 \\\\.\\PhysicalDrive1\n0 0:0:1 2/2 \\\\.\\PhysicalDrive2\n");
    assert_mappings(BASE ":a \\\\.\\Scsi3: 0:0 0=0 1=1\n");
    assert_true(os_now() - asked < 1000);
}

/* --- waiting --- */

static void a_slow_target_delays_the_list_and_not_the_login(void **state)
{
    (void)state;
    put_disk(LUN(0), "first...");
    SHELF(shelf.delay = 300);
    uint64_t asked = os_now();
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_true(os_now() - asked < 250);
    assert_devices("0 0:0:0 1/1 \\\\.\\PhysicalDrive1\n");
}

static void a_silent_target_has_bounds(void **state)
{
    (void)state;
    put_disk(LUN(0), "first...");
    SHELF(shelf.silent = true);
    assert_status(login(BASE ":a"), STATUS_OK);
    uint64_t asked = os_now();
    assert_status(devices_of(last_session), STATUS_SESSION_BUSY);
    uint64_t waited = os_now() - asked;
    assert_true(waited >= UNITS_PATIENCE && waited < UNITS_PATIENCE + 2000);
    /* A logout waits a moment for the scan, and no longer. */
    asked = os_now();
    assert_status(logout(&last_session), STATUS_OK);
    assert_true(os_now() - asked < 3000);
    assert_mappings("");
}

static void a_list_that_waits_can_be_given_up(void **state)
{
    struct ask waiting;
    const struct request_list_devices request = {.session = &last_session};
    (void)state;
    SHELF(shelf.silent = true);
    assert_status(login(BASE ":a"), STATUS_OK);
    ask_start(&waiting, OPERATION_list_devices, &request, NULL);
    ask_give_up(&waiting);
    assert_status(ask_wait(&waiting), STATUS_CANCELLED);
    ask_start(&waiting, OPERATION_list_devices, &request, NULL);
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(ask_wait(&waiting), STATUS_SESSION_NOT_FOUND);
}

static void a_stop_ends_who_waits(void **state)
{
    struct ask waiting;
    const struct request_list_devices request = {.session = &last_session};
    (void)state;
    SHELF(shelf.silent = true);
    assert_status(login(BASE ":a"), STATUS_OK);
    ask_start(&waiting, OPERATION_list_devices, &request, NULL);
    engine_stop(engine);
    assert_status(ask_wait(&waiting), STATUS_CANCELLED);
    assert_status(engine_start(&engine, directory), STATUS_OK);
}

static void callers_commands_stand_behind_the_first_scan(void **state)
{
    struct scsi_cdb cdb;
    scsi_inquiry(&cdb, 0, 0, 36);
    (void)state;
    put_disk(LUN(0), "first...");
    assert_status(login(BASE ":a"), STATUS_OK);
    const struct request_scsi request = {
        .session = &last_session, .cdb = {cdb.bytes, cdb.length}, .length = 36};
    assert_status(ask(OPERATION_scsi, &request, NULL), STATUS_OK);
    assert_int_equal(commands(), 8); /* seven for the scan came first */
    /* And not for ever behind one that does not end. */
    SHELF(shelf.silent = true);
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(login(BASE ":a"), STATUS_OK);
    struct ask asked;
    uint64_t end = os_now() + BOUND;
    ask_start(&asked, OPERATION_scsi, &request, NULL);
    while (commands() < 10 && os_now() < end)
        os_thread_yield();
    assert_int_equal(commands(), 10);
    ask_give_up(&asked);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
}

static void sessions_that_are_not_there(void **state)
{
    const struct request_list_devices none = {0};
    const struct unique_id wrong = {1, 2};
    (void)state;
    assert_status(ask(OPERATION_list_devices, &none, NULL), STATUS_SESSION_NOT_FOUND);
    assert_status(devices_of(wrong), STATUS_SESSION_NOT_FOUND);
    assert_mappings("");
}

/* --- places --- */

static void target_ids_rise_and_are_used_again(void **state)
{
    struct unique_id ids[3];
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_status(login_at(BASE ":a", NULL), STATUS_OK);
        ids[i] = last_session;
    }
    assert_mappings(BASE ":a \\\\.\\Scsi3: 0:0\n" BASE ":a \\\\.\\Scsi3: 0:1\n" BASE
                         ":a \\\\.\\Scsi3: 0:2\n");
    assert_status(logout(&ids[1]), STATUS_OK);
    assert_status(login_at(SECOND_TARGET, NULL), STATUS_OK);
    assert_mappings(BASE ":a \\\\.\\Scsi3: 0:0\n" BASE ":a \\\\.\\Scsi3: 0:2\n" SECOND_TARGET
                         " \\\\.\\Scsi3: 0:1\n");
}

static void a_mapping_is_given(void **state)
{
    static const struct mapped_lun luns[] = {{7, 0}, {0, 1}, {9, UINT64_C(0xd200400000000000)}};
    const struct mapping mapping = {"whatever", 3, 200, {luns, 3}};
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        put_disk(LUN(i), NULL);
    put_disk(LUN(7), NULL);
    assert_status(login_at(BASE ":a", &mapping), STATUS_OK);
    settle();
    /* 7 is given away: the unit of that number takes what is free. */
    assert_mappings(BASE ":a \\\\.\\Scsi3: 3:200 0=1 1=7 2=2 3=3 7=0\n");
    assert_devices("0 3:200:0 2/2 \\\\.\\PhysicalDrive2\n"
                   "0 3:200:1 5/5 \\\\.\\PhysicalDrive5\n"
                   "0 3:200:2 3/3 \\\\.\\PhysicalDrive3\n"
                   "0 3:200:3 4/4 \\\\.\\PhysicalDrive4\n"
                   "0 3:200:7 1/1 \\\\.\\PhysicalDrive1\n");
}

static void a_mapping_is_refused(void **state)
{
    static const struct mapped_lun far[] = {{256, 0}}, twice[] = {{1, 0}, {1, 1}},
                                   same[] = {{1, 5}, {2, UINT64_C(0x0005000000000000)}};
    static struct mapped_lun many[257];
    const struct {
        struct mapping mapping;
        enum status status;
    } rows[] = {
        {{"", 256, 0, {NULL, 0}}, STATUS_MAPPING_OUT_OF_RANGE},
        {{"", 0, 256, {NULL, 0}}, STATUS_MAPPING_OUT_OF_RANGE},
        {{"", UINT32_MAX, UINT32_MAX, {NULL, 0}}, STATUS_MAPPING_OUT_OF_RANGE},
        {{"", 0, 0, {far, 1}}, STATUS_MAPPING_OUT_OF_RANGE},
        {{"", 0, 0, {many, 257}}, STATUS_MAPPING_OUT_OF_RANGE},
        {{"", 0, 0, {twice, 2}}, STATUS_INVALID_MAPPING},
        {{"", 0, 0, {same, 2}}, STATUS_INVALID_MAPPING},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_status(login_at(BASE ":a", &rows[i].mapping), rows[i].status);
        assert_int_equal(count_sessions(), 0);
    }
}

static void a_place_is_given_once(void **state)
{
    const struct mapping mapping = {.os_bus = 0, .os_target = 1};
    (void)state;
    assert_status(login_at(BASE ":a", &mapping), STATUS_OK);
    struct unique_id first = last_session;
    assert_status(login_at(SECOND_TARGET, &mapping), STATUS_MAPPING_EXISTS);
    assert_status(login_at(BASE ":a", &mapping), STATUS_MAPPING_EXISTS);
    assert_int_equal(count_sessions(), 1);
    assert_status(login_at(SECOND_TARGET, NULL), STATUS_OK);
    assert_status(login_at(SECOND_TARGET, NULL), STATUS_OK);
    assert_mappings(BASE ":a \\\\.\\Scsi3: 0:1\n" SECOND_TARGET " \\\\.\\Scsi3: 0:0\n" SECOND_TARGET
                         " \\\\.\\Scsi3: 0:2\n");
    assert_status(logout(&first), STATUS_OK);
    assert_status(login_at(SECOND_TARGET, &mapping), STATUS_OK);
}

/* A login that fails has no place. */
static void a_failed_login_leaves_its_place(void **state)
{
    const struct mapping mapping = {.os_bus = 9, .os_target = 9};
    const struct portal nowhere = {NULL, "127.0.0.1", 1};
    struct request_login request = {
        .target = BASE ":a", .initiator_port = ANY_PORT, .portal = &nowhere, .mapping = &mapping};
    (void)state;
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_CONNECT_REFUSED);
    assert_status(login_at(BASE ":a", &mapping), STATUS_OK);
}

static void the_next_bus_follows(void **state)
{
    const struct mapping mapping = {.os_bus = 0, .os_target = 255};
    (void)state;
    /* Few sessions, many places: all but the last of bus 0 are taken otherwise. */
    assert_status(login_at(BASE ":a", &mapping), STATUS_OK);
    for (unsigned i = 0; i < 256; i++)
        assert_status(login_at(BASE ":a", NULL), STATUS_OK);
    const struct request_list_mappings request = {0};
    text[0] = '\0';
    assert_status(ask(OPERATION_list_mappings, &request, copy_mappings), STATUS_OK);
    assert_non_null(strstr(text, " 0:254\n"));
    assert_null(strstr(strstr(text, " 0:255\n") + 1, " 0:255\n"));
    assert_non_null(strstr(text, " 1:0\n"));
    assert_null(strstr(text, " 1:1\n"));
}

/* --- real devices --- */

static char told[2000];
static bool in_use;

static void tell(const char *what, const struct unit *unit)
{
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s%u:%llu ", what, unit->os_lun,
             (unsigned long long)unit->facts.capacity.blocks);
}

static void on_added(void *context, struct unit *unit)
{
    (void)context;
    assert_null(unit->exposed);
    unit->exposed = told;
    tell("+", unit);
}

static void on_changed(void *context, struct unit *unit)
{
    (void)context;
    assert_ptr_equal(unit->exposed, told);
    tell("=", unit);
}

static void on_removed(void *context, struct unit *unit)
{
    (void)context;
    assert_ptr_equal(unit->exposed, told);
    unit->exposed = NULL;
    tell("-", unit);
}

static bool on_in_use(void *context, const struct unit *unit)
{
    (void)context;
    return in_use && unit->os_lun == 1;
}

static struct unit *on_resolve(void *context, const char *path)
{
    (void)context;
    (void)path;
    return NULL;
}

/* The second one has no device (yet). */
static const char *on_path(void *context, const struct unit *unit)
{
    (void)context;
    return unit->os_lun == 0 ? "/dev/none/bus0/target0/lun0/disk" : NULL;
}

static const struct exposure exposure = {
    .path = on_path,
    .added = on_added,
    .changed = on_changed,
    .removed = on_removed,
    .in_use = on_in_use,
    .resolve = on_resolve,
};

static const struct exposure *exposing;

static void run_expose(struct os_job *job)
{
    (void)job;
    units_expose(engine, exposing);
}

static void expose(const struct exposure *by)
{
    static struct os_job job = {.run = run_expose};
    exposing = by;
    os_loop_post(engine_loop(engine), &job);
    count_sessions(); /* behind it */
}

static void who_makes_devices_is_told(void **state)
{
    (void)state;
    told[0] = '\0';
    in_use = false;
    put_disk(LUN(0), "first...");
    assert_status(login(BASE ":a"), STATUS_OK);
    settle();
    expose(&exposure);
    assert_string_equal(told, "+0:100 ");
    put_disk(LUN(1), "second..");
    await_devices("0 0:0:0 1/1 \\\\.\\PhysicalDrive1 /dev/none/bus0/target0/lun0/disk\n"
                  "0 0:0:1 2/2 \\\\.\\PhysicalDrive2\n");
    assert_string_equal(told, "+0:100 +1:100 ");
    SHELF(shelf_find(LUN(0))->blocks = UINT64_C(0x100000001));
    tell_attention(SCSI_ASC_CAPACITY_CHANGED);
    settle();
    assert_string_equal(told, "+0:100 +1:100 =0:4294967297 ");
    shelf_take(LUN(0));
    await_devices("0 0:0:1 2/2 \\\\.\\PhysicalDrive2\n");
    assert_string_equal(told, "+0:100 +1:100 =0:4294967297 -0:4294967297 ");
    in_use = true;
    assert_status(logout(&last_session), STATUS_DEVICE_BUSY);
    assert_int_equal(count_sessions(), 1);
    in_use = false;
    told[0] = '\0';
    expose(NULL);
    assert_string_equal(told, "-1:100 ");
    expose(&exposure);
    assert_status(logout(&last_session), STATUS_OK);
    count_sessions(); /* behind whatever the logout still does */
    assert_string_equal(told, "-1:100 +1:100 -1:100 ");
    expose(NULL);
}

static void devices_follow_write_protection(void **state)
{
    (void)state;
    told[0] = '\0';
    put_disk(LUN(0), "first...");
    assert_status(login(BASE ":a"), STATUS_OK);
    settle();
    expose(&exposure);
    SHELF(shelf_find(LUN(0))->write_protected = true);
    tell_attention(SCSI_ASC_MODE_CHANGED);
    settle();
    assert_string_equal(told, "+0:100 =0:100 ");
    SHELF(shelf_find(LUN(0))->write_protected = false);
    tell_attention(SCSI_ASC_MODE_CHANGED);
    settle();
    assert_string_equal(told, "+0:100 =0:100 =0:100 ");
    expose(NULL);
}

/* --- devices that take their time to go --- */

static atomic_uint asked;               /* whether a device is gone */
static _Atomic enum withdrawal answers; /* what is said of LUN 1 */
static _Atomic enum withdrawal others;  /* of the others */
static atomic_bool one_stays;           /* a unit that was asked, or is still to be, stays */

static void look_who_stays(const struct engine *asking)
{
    LIST_EACH(node, &asking->sessions)
    {
        LIST_EACH(inner, &LIST_OWNER(node, struct engine_session, link)->units->all)
        {
            if (!LIST_OWNER(inner, struct unit, link)->leaving)
                one_stays = true;
        }
    }
}

static enum withdrawal on_withdraw(void *context, struct unit *unit, bool forced)
{
    (void)context;
    look_who_stays(unit->session->engine);
    if (unit->os_lun != 1)
        return forced ? WITHDRAWN : others;
    if (asked++ == 0)
        tell(forced ? "!" : "?", unit);
    return forced && answers == DEVICE_IN_USE ? WITHDRAWN : answers;
}

static void on_readmit(void *context, struct unit *unit)
{
    (void)context;
    tell("<", unit);
}

static const struct exposure slow_exposure = {
    .added = on_added,
    .changed = on_changed,
    .removed = on_removed,
    .in_use = on_in_use,
    .resolve = on_resolve,
    .withdraw = on_withdraw,
    .readmit = on_readmit,
};

static void run_look(struct os_job *job)
{
    (void)job;
    units_look(engine);
}

static void answer_with(enum withdrawal answer)
{
    static struct os_job job = {.run = run_look};
    answers = answer;
    os_loop_post(engine_loop(engine), &job);
}

static void await_asking(void)
{
    uint64_t end = os_now() + BOUND;
    while (asked == 0) {
        if (os_now() >= end)
            fail_msg("nobody asked within %u ms whether the device is gone", BOUND);
        os_thread_yield();
    }
}

static void log_in_with_two_devices(void)
{
    told[0] = '\0';
    in_use = false;
    asked = 0;
    answers = WITHDRAWING;
    put_disk(LUN(0), "first...");
    put_disk(LUN(1), "second..");
    assert_status(login(BASE ":a"), STATUS_OK);
    settle();
    expose(&slow_exposure);
    told[0] = '\0';
}

static void start_logout(struct ask *asking, enum operation operation)
{
    static struct request_logout request;
    request = (struct request_logout){.session = &last_session};
    ask_start(asking, operation, &request, NULL);
    await_asking();
}

static void a_logout_waits_until_devices_are_gone(void **state)
{
    struct ask asking;
    (void)state;
    log_in_with_two_devices();
    start_logout(&asking, OPERATION_logout);
    assert_int_equal(count_sessions(), 1);
    answer_with(WITHDRAWING);
    assert_int_equal(count_sessions(), 1);
    assert_string_equal(told, "?1:100 ");
    answer_with(WITHDRAWN);
    assert_status(ask_wait(&asking), STATUS_OK);
    count_sessions();
    assert_string_equal(told, "?1:100 -0:100 -1:100 ");
    expose(NULL);
}

static void a_logout_is_refused_when_a_device_does_not_go(void **state)
{
    struct ask asking;
    (void)state;
    log_in_with_two_devices();
    start_logout(&asking, OPERATION_logout);
    answer_with(DEVICE_IN_USE);
    assert_status(ask_wait(&asking), STATUS_DEVICE_BUSY);
    assert_string_equal(told, "?1:100 <0:100 <1:100 ");
    /* Who is gone does not want it any more, either. */
    told[0] = '\0';
    asked = 0;
    answers = WITHDRAWING;
    start_logout(&asking, OPERATION_logout);
    ask_give_up(&asking);
    assert_status(ask_wait(&asking), STATUS_CANCELLED);
    assert_string_equal(told, "?1:100 <0:100 <1:100 ");
    assert_int_equal(count_sessions(), 1);
    /* By force it goes all the same. */
    told[0] = '\0';
    asked = 0;
    answers = DEVICE_IN_USE;
    in_use = true;
    start_logout(&asking, OPERATION_force_logout);
    assert_status(ask_wait(&asking), STATUS_OK);
    assert_int_equal(count_sessions(), 0);
    assert_string_equal(told, "!1:100 -0:100 -1:100 ");
    expose(NULL);
}

static void start_unexposing(struct ask *asking)
{
    static const struct request_unexpose_unit request = {.target = BASE ":a", .lun = LUN(1)};
    asked = 0;
    told[0] = '\0';
    ask_start(asking, OPERATION_unexpose_unit, &request, NULL);
    await_asking();
}

static void a_unit_is_unexposed_when_its_device_is_gone(void **state)
{
    static const struct request_expose_unit request = {.target = BASE ":a", .lun = LUN(1)};
    struct ask asking;
    (void)state;
    log_in_with_two_devices();
    start_unexposing(&asking);
    answer_with(DEVICE_IN_USE);
    assert_status(ask_wait(&asking), STATUS_DEVICE_BUSY);
    assert_string_equal(told, "?1:100 <1:100 ");
    answers = WITHDRAWING;
    start_unexposing(&asking);
    ask_give_up(&asking);
    assert_status(ask_wait(&asking), STATUS_CANCELLED);
    assert_string_equal(told, "?1:100 <1:100 ");
    assert_status(ask(OPERATION_expose_unit, &request, NULL), STATUS_UNIT_EXPOSED);
    start_unexposing(&asking);
    answer_with(WITHDRAWING);
    count_sessions();
    assert_string_equal(told, "?1:100 ");
    answer_with(WITHDRAWN);
    assert_status(ask_wait(&asking), STATUS_OK);
    assert_string_equal(told, "?1:100 -1:100 ");
    assert_status(ask(OPERATION_expose_unit, &request, NULL), STATUS_OK);
    assert_string_equal(told, "?1:100 -1:100 +1:100 ");
    expose(NULL);
    assert_status(logout(&last_session), STATUS_OK);
}

static atomic_bool all_gone;

static void on_all_gone(void *context)
{
    assert_ptr_equal(context, told);
    all_gone = true;
}

static void run_withdrawal(struct os_job *job)
{
    (void)job;
    withdrawal_of_all(engine, on_all_gone, told);
}

static void start_withdrawal(void)
{
    static struct os_job job = {.run = run_withdrawal};
    all_gone = false;
    os_loop_post(engine_loop(engine), &job);
    await_asking();
}

static void await_all_gone(void)
{
    uint64_t end = os_now() + BOUND;
    while (!all_gone) {
        if (os_now() >= end)
            fail_msg("not all devices were gone within %u ms", BOUND);
        os_thread_yield();
    }
}

static void all_devices_are_withdrawn(void **state)
{
    (void)state;
    log_in_with_two_devices();
    start_withdrawal();
    count_sessions();
    assert_false(all_gone);
    answer_with(WITHDRAWN);
    await_all_gone();
    assert_string_equal(told, "?1:100 ");
    /* Those in use are taken from whoever uses them. */
    asked = 0;
    answers = DEVICE_IN_USE;
    start_withdrawal();
    await_all_gone();
    assert_true(asked > 1);
    assert_string_equal(told, "?1:100 ?1:100 ");
    expose(NULL);
}

static void none_is_another_way_when_all_are_withdrawn(void **state)
{
    (void)state;
    log_in_with_two_devices();
    assert_status(login_at(BASE ":a", NULL), STATUS_OK);
    settle();
    told[0] = '\0';
    one_stays = false;
    start_withdrawal();
    answer_with(WITHDRAWN);
    await_all_gone();
    assert_false(one_stays);
    /* The next one to make devices finds them as ever. */
    expose(&slow_exposure);
    asked = 0;
    answers = WITHDRAWN;
    assert_status(logout(&last_session), STATUS_OK);
    assert_true(one_stays);
    expose(NULL);
}

static void force_waits_for_what_is_being_written(void **state)
{
    (void)state;
    log_in_with_two_devices();
    others = DEVICE_IN_USE;
    start_withdrawal();
    answer_with(WITHDRAWING);
    count_sessions();
    assert_string_equal(told, "?1:100 ");
    assert_false(all_gone);
    asked = 0; /* whether by force is told once more */
    answer_with(WITHDRAWN);
    await_all_gone();
    assert_string_equal(told, "?1:100 ?1:100 ");
    others = WITHDRAWN;
    expose(NULL);
}

/* --- memory --- */

static void lists_need_memory(void **state)
{
    const struct request_list_mappings mappings = {0};
    (void)state;
    put_disk(LUN(0), "first...");
    put_disk(LUN(1), "second..");
    assert_status(login(BASE ":a"), STATUS_OK);
    settle();
    const struct request_list_devices devices = {.session = &last_session};
    for (long nth = 1; nth < 30; nth++) {
        enum status status;
        failing_allocation = nth;
        status = ask(OPERATION_list_devices, &devices, NULL);
        failing_allocation = 0;
        os_alloc_fail_at(0);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
        failing_allocation = nth;
        status = ask(OPERATION_list_mappings, &mappings, NULL);
        failing_allocation = 0;
        os_alloc_fail_at(0);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
    }
    assert_devices("0 0:0:0 1/1 \\\\.\\PhysicalDrive1\n0 0:0:1 2/2 \\\\.\\PhysicalDrive2\n");
}

/* Whatever fails, here or at the target: somebody who asks again gets them in the end. */
static void scans_need_memory(void **state)
{
    (void)state;
    engine_stop(engine);
    write_text("iscsi.conf", "WMIRequestTimeout = 1\n");
    assert_status(engine_start(&engine, directory), STATUS_OK);
    put_disk(LUN(0), "first...");
    for (long nth = 1; nth < 60; nth++) {
        failing_allocation = nth;
        enum status status = login(BASE ":a");
        failing_allocation = 0;
        if (status != STATUS_OK)
            continue;
        uint64_t end = os_now() + BOUND;
        while ((devices_of(last_session) != STATUS_OK || text[0] == '\0') && os_now() < end)
            os_thread_yield();
        os_alloc_fail_at(0);
        assert_non_null(strstr(text, "PhysicalDrive1"));
        assert_status(logout(&last_session), STATUS_OK);
    }
}

#define UNITS_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNITS_TEST(units_are_listed_right_after_the_login),
        UNITS_TEST(each_kind_has_its_names),
        UNITS_TEST(luns_of_every_format_get_a_number),
        UNITS_TEST(a_byte_is_enough_for_all_units),
        UNITS_TEST(a_target_without_report_luns_has_one_unit),
        UNITS_TEST(a_target_without_units_has_an_empty_list),
        UNITS_TEST(lists_of_units_may_lie),
        UNITS_TEST(pages_may_be_garbage),
        UNITS_TEST(informational_sessions_have_none),
        UNITS_TEST(changes_are_heard_of),
        UNITS_TEST(a_list_is_not_older_than_a_second),
        UNITS_TEST(restless_targets_are_asked_with_pauses),
        UNITS_TEST(a_unit_that_is_busy_for_a_while_stays),
        UNITS_TEST(a_moment_without_answers_loses_no_unit),
        UNITS_TEST(a_lost_connection_loses_no_unit),
        UNITS_TEST(a_slow_target_delays_the_list_and_not_the_login),
        UNITS_TEST(a_silent_target_has_bounds),
        UNITS_TEST(a_list_that_waits_can_be_given_up),
        UNITS_TEST(a_stop_ends_who_waits),
        UNITS_TEST(callers_commands_stand_behind_the_first_scan),
        UNITS_TEST(sessions_that_are_not_there),
        UNITS_TEST(target_ids_rise_and_are_used_again),
        UNITS_TEST(a_mapping_is_given),
        UNITS_TEST(a_mapping_is_refused),
        UNITS_TEST(a_place_is_given_once),
        UNITS_TEST(a_failed_login_leaves_its_place),
        UNITS_TEST(the_next_bus_follows),
        UNITS_TEST(who_makes_devices_is_told),
        UNITS_TEST(devices_follow_write_protection),
        UNITS_TEST(a_logout_waits_until_devices_are_gone),
        UNITS_TEST(a_logout_is_refused_when_a_device_does_not_go),
        UNITS_TEST(a_unit_is_unexposed_when_its_device_is_gone),
        UNITS_TEST(all_devices_are_withdrawn),
        UNITS_TEST(none_is_another_way_when_all_are_withdrawn),
        UNITS_TEST(force_waits_for_what_is_being_written),
        UNITS_TEST(lists_need_memory),
        UNITS_TEST(scans_need_memory),
    };
    return cmocka_run_group_tests_name("engine_units", tests, NULL, NULL);
}
