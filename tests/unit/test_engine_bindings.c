/* The SCSI ids of targets last: iscsi.bindings as an engine, several engines and people write it.
 */
#include "engine_test.h"

#include "engine/log.h"
#include "engine/mappings.h"
#include "engine/model.h"
#include "engine/options.h"
#include "os/process.h"
#include "os/runtime.h"
#include "os/thread.h"

#include <stdatomic.h>

#define NOWHERE "/proc/nowhere"

enum { TARGETS = 200, TOGETHER = 100 /* milliseconds that cost one write */ };

static struct target_host host;
static char log_text[100000];
static struct os_mutex *log_lock;

static void on_log(enum os_log_level level, const char *event, va_list pairs)
{
    (void)level;
    os_mutex_lock(log_lock);
    size_t length = strlen(log_text);
    length += (size_t)snprintf(log_text + length, 1000, "%s", event);
    for (const char *key; length < sizeof log_text - 5000 && (key = va_arg(pairs, char *)) != NULL;)
        length += (size_t)snprintf(log_text + length, 2000, " %s=%s", key, va_arg(pairs, char *));
    strcpy(log_text + length, "\n");
    os_mutex_unlock(log_lock);
}

static bool logged(const char *text)
{
    os_mutex_lock(log_lock);
    bool found = strstr(log_text, text) != NULL;
    os_mutex_unlock(log_lock);
    return found;
}

static const char *name_of(unsigned number)
{
    static char name[64];
    snprintf(name, sizeof name, BASE ":t%u", number);
    return name;
}

static int begin(void **state)
{
    (void)state;
    log_lock = os_mutex_new();
    engine_log_to(on_log);
    target_host_new(&host);
    for (unsigned i = 0; i < TARGETS; i++)
        target_host_add(&host, name_of(i));
    target_host_start(&host);
    return 0;
}

static int end(void **state)
{
    (void)state;
    target_host_stop(&host);
    engine_log_to(NULL);
    os_mutex_free(log_lock);
    return 0;
}

static void start(void)
{
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_status(add_portal(&host.portal), STATUS_OK);
}

static void stop(void)
{
    engine_stop(engine);
    engine = NULL;
}

static int fresh(void **state)
{
    (void)state;
    log_text[0] = '\0';
    new_directory();
    return 0;
}

static int tidy(void **state)
{
    (void)state;
    if (engine != NULL)
        stop();
    return 0;
}

/* --- the file --- */

static const char *path_of(const char *name)
{
    static char path[700];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static char content[65536];

static const char *read_bindings(void)
{
    char *text;
    size_t length;
    assert_status(os_read_file(path_of("iscsi.bindings"), &text, &length), STATUS_OK);
    snprintf(content, sizeof content, "%s", text != NULL ? text : "");
    os_free(text);
    return content;
}

static void await_bindings(const char *expected)
{
    uint64_t bound = os_now() + BOUND;
    while (strcmp(read_bindings(), expected) != 0 && os_now() < bound)
        os_sleep(5);
    assert_string_equal(content, expected);
}

/* --- the places --- */

static char places[32768]; /* of the latest list: "name bus:target;" for each session */

static void copy_places(const void *reply)
{
    const struct reply_list_mappings *list = reply;
    size_t length = 0;
    places[0] = '\0';
    for (uint32_t i = 0; i < list->mappings.count; i++) {
        const struct active_mapping *active = &list->mappings.items[i];
        length += (size_t)snprintf(places + length, sizeof places - length, "%s %u:%u;",
                                   strrchr(active->target, ':') + 1, active->mapping->os_bus,
                                   active->mapping->os_target);
    }
}

static const char *list_places(void)
{
    const struct request_list_mappings request = {0};
    assert_status(ask(OPERATION_list_mappings, &request, copy_places), STATUS_OK);
    return places;
}

static const struct login_options again = {.flags = LOGIN_FLAG_MULTIPATH};

static void log_in(unsigned number)
{
    assert_status(login_with(name_of(number), &again), STATUS_OK);
}

static void log_in_at(unsigned number, uint32_t bus, uint32_t target)
{
    const struct mapping mapping = {.os_bus = bus, .os_target = target};
    const struct request_login request = {.target = name_of(number),
                                          .initiator_port = ANY_PORT,
                                          .options = &again,
                                          .mapping = &mapping};
    assert_status(ask(OPERATION_login, &request, copy_login), STATUS_OK);
}

static void a_target_has_its_place_in_each_run(void **state)
{
    (void)state;
    start();
    log_in(0);
    log_in(1);
    struct unique_id second = last_session;
    log_in(2);
    assert_string_equal(list_places(), "t0 0:0;t1 0:1;t2 0:2;");
    /* One that is gone keeps its place. */
    assert_status(logout(&second), STATUS_OK);
    log_in(3);
    log_in(1);
    assert_string_equal(list_places(), "t0 0:0;t2 0:2;t3 0:3;t1 0:1;");
    stop();
    assert_string_equal(read_bindings(),
                        "0 0 " BASE ":t0\n0 1 " BASE ":t1\n0 2 " BASE ":t2\n0 3 " BASE ":t3\n");
    start();
    log_in(3);
    log_in(4);
    log_in(1);
    assert_string_equal(list_places(), "t3 0:3;t4 0:4;t1 0:1;");
    assert_string_equal(log_text, "");
}

static void what_people_write_counts(void **state)
{
    (void)state;
    write_text("iscsi.bindings", "# mine\n7 9 " BASE ":t0\n0 0 iqn.elsewhere\nnonsense\n");
    start();
    log_in(0);
    log_in(1);
    assert_string_equal(list_places(), "t0 7:9;t1 0:1;");
    const char *expected =
        "# mine\n7 9 " BASE ":t0\n0 0 iqn.elsewhere\nnonsense\n0 1 " BASE ":t1\n";
    await_bindings(expected);
    char at[800];
    snprintf(at, sizeof at, "bad-binding at=%s:4 reason=not of the form",
             path_of("iscsi.bindings"));
    assert_true(logged(at));
    /* Also while the engine runs. */
    write_text("iscsi.bindings", "3 3 " BASE ":t2\n");
    log_in(2);
    log_in(3);
    assert_string_equal(list_places(), "t0 7:9;t1 0:1;t2 3:3;t3 0:0;");
    await_bindings("3 3 " BASE ":t2\n0 0 " BASE ":t3\n");
}

static void further_sessions_and_mappings_leave_the_file_alone(void **state)
{
    (void)state;
    start();
    log_in_at(0, 0, 0);
    log_in(1);
    log_in(1);
    log_in_at(1, 5, 5);
    log_in(0); /* its first without a mapping */
    assert_string_equal(list_places(), "t0 0:0;t1 0:1;t1 0:2;t1 5:5;t0 0:3;");
    stop();
    assert_string_equal(read_bindings(), "0 1 " BASE ":t1\n0 3 " BASE ":t0\n");
    /* A mapping wins over the file, for as long as its session lasts. */
    start();
    log_in_at(2, 0, 1);
    struct unique_id mapped = last_session;
    log_in(1);
    assert_string_equal(list_places(), "t2 0:1;t1 0:0;");
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(logout(&mapped), STATUS_OK);
    log_in(1);
    assert_string_equal(list_places(), "t1 0:1;");
}

static void the_file_may_be_elsewhere(void **state)
{
    char text[800];
    (void)state;
    snprintf(text, sizeof text, "BindingsFile = %s\n", path_of("mine"));
    write_text("iscsi.conf", text);
    write_text("iscsi.bindings", "9 9 " BASE ":t0\n");
    write_text("mine", "0 5 " BASE ":t0\n");
    start();
    log_in(0);
    assert_string_equal(list_places(), "t0 0:5;");
    stop();
    assert_string_equal(read_bindings(), "9 9 " BASE ":t0\n");
}

/* Told, once, and the sessions are made all the same. */
static void a_file_that_cannot_be_written_is_told(void **state)
{
    (void)state;
    write_text("iscsi.conf", "BindingsFile = " NOWHERE "/iscsi.bindings\n");
    start();
    log_in(0);
    log_in(1);
    assert_string_equal(list_places(), "t0 0:0;t1 0:1;");
    stop();
    assert_true(logged("bindings-not-kept file=" NOWHERE "/iscsi.bindings status="));
    assert_null(strstr(strstr(log_text, "bindings-not-kept") + 1, "bindings-not-kept"));
}

static void what_is_no_file_is_told(void **state)
{
    (void)state;
    assert_status(os_make_private_directory(path_of("iscsi.bindings")), STATUS_OK);
    start();
    log_in(0);
    log_in(0);
    assert_string_equal(list_places(), "t0 0:0;t0 0:1;");
    assert_true(logged("bindings-not-kept"));
}

static void nothing_is_beyond_the_last_place(void **state)
{
    enum { ROOM = 65536 * 24 };
    char *text = os_alloc(ROOM);
    size_t length = 0;
    (void)state;
    for (unsigned i = 0; i < 65535; i++)
        length +=
            (size_t)snprintf(text + length, ROOM - length, "%u %u iqn.o%u\n", i / 256, i % 256, i);
    write_text("iscsi.bindings", text);
    os_free(text);
    start();
    log_in(0);
    assert_string_equal(list_places(), "t0 255:255;");
    assert_status(login_with(name_of(1), &again), STATUS_TOO_MANY_SESSIONS);
    assert_true(logged("no-place target=" BASE ":t1 reason="));
    assert_string_equal(list_places(), "t0 255:255;");
    log_in_at(1, 0, 0); /* who asks for one gets it */
}

/* --- many at once --- */

/* Each target once, each place once. */
static void assert_all_bound(unsigned count)
{
    static bool target_seen[TARGETS], place_seen[TARGETS];
    unsigned lines = 0, bus, place, number;
    memset(target_seen, 0, sizeof target_seen);
    memset(place_seen, 0, sizeof place_seen);
    for (const char *line = read_bindings(); *line != '\0';
         line = strchr(line, '\n') + 1, lines++) {
        assert_int_equal(sscanf(line, "%u %u " BASE ":t%u", &bus, &place, &number), 3);
        assert_int_equal(bus, 0);
        assert_true(place < count && number < count);
        assert_false(place_seen[place]);
        assert_false(target_seen[number]);
        place_seen[place] = target_seen[number] = true;
    }
    assert_int_equal(lines, count);
}

/* Run on the engine's thread: places for all, in one turn of its loop. */
struct storm {
    struct os_job job;
    struct engine *engine;
    unsigned from, count;
    uint32_t places[TARGETS];
};

static void on_storm(struct os_job *job)
{
    struct storm *storm = LIST_OWNER(job, struct storm, job);
    for (unsigned i = 0; i < storm->count; i++) {
        char name[64];
        snprintf(name, sizeof name, BASE ":t%u", storm->from + i);
        uint32_t place = bindings_find(storm->engine, name);
        if (place == NUMBERS_NONE) {
            place = bindings_free_place(storm->engine);
            bindings_add(storm->engine, name, place);
        }
        storm->places[storm->from + i] = place;
    }
}

static void two_hundred_at_once_cost_one_write(void **state)
{
    static struct storm storm;
    (void)state;
    start();
    storm = (struct storm){.job.run = on_storm, .engine = engine, .count = TARGETS};
    os_loop_post(engine_loop(engine), &storm.job);
    uint64_t bound = os_now() + BOUND;
    while (*read_bindings() == '\0' && os_now() < bound)
        os_thread_yield();
    assert_all_bound(TARGETS); /* all of them, or none, is there at any time */
}

/* Real logins, and the same places in the next run whatever the order. */
static void two_hundred_logins_come_back(void **state)
{
    char first[TARGETS][16];
    unsigned writes = 0;
    size_t length = 0;
    (void)state;
    start();
    uint64_t began = os_now();
    for (unsigned i = 0; i < TARGETS; i++) {
        log_in(i);
        writes += strlen(read_bindings()) != length;
        length = strlen(content);
    }
    assert_in_range(writes, 1, (os_now() - began) / TOGETHER + 2);
    list_places();
    for (unsigned i = 0; i < TARGETS; i++) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, "t%u 0:", i);
        const char *found = strstr(places, wanted);
        assert_non_null(found);
        snprintf(first[i], sizeof first[i], "%.*s", (int)strcspn(found, ";"), found);
    }
    stop();
    assert_all_bound(TARGETS);
    start();
    for (unsigned i = TARGETS; i-- > 0;)
        log_in(i);
    list_places();
    for (unsigned i = 0; i < TARGETS; i++)
        assert_non_null(strstr(places, first[i]));
}

static void several_engines_share_it(void **state)
{
    enum { ENGINES = 4, EACH = TARGETS / ENGINES };
    static struct storm storms[ENGINES];
    struct engine *engines[ENGINES];
    (void)state;
    for (unsigned i = 0; i < ENGINES; i++)
        assert_status(engine_start(&engines[i], directory), STATUS_OK);
    for (unsigned i = 0; i < ENGINES; i++) {
        storms[i] = (struct storm){
            .job.run = on_storm, .engine = engines[i], .from = i * EACH, .count = EACH};
        os_loop_post(engine_loop(engines[i]), &storms[i].job);
    }
    /* Written by all before the first one ends: none of them has to wait for that. */
    uint64_t bound = os_now() + BOUND;
    for (unsigned i = 0; i < TARGETS && os_now() < bound;) {
        char line[80];
        snprintf(line, sizeof line, " " BASE ":t%u\n", i);
        if (strstr(read_bindings(), line) != NULL)
            i++;
        else
            os_sleep(5);
    }
    for (unsigned i = 0; i < ENGINES; i++)
        engine_stop(engines[i]);
    assert_all_bound(TARGETS);
}

/* An editor that saves all the time, as some do (another file in its place) and as others do (the
 * file itself). Nothing that it wrote is lost, whoever wrote in between. */
struct editor {
    atomic_bool stop;
    unsigned saved;
    bool whole; /* another file in its place */
    bool lost;
};

static void save(struct editor *editor, const char *text)
{
    if (editor->whole) {
        os_publish_file(path_of("iscsi.bindings"), text, OS_NO_GROUP);
        return;
    }
    FILE *file = fopen(path_of("iscsi.bindings"), "wb");
    if (file != NULL) {
        fputs(text, file);
        fclose(file);
    }
}

/* With what was saved last; not at once, for a swap may be taken back. NULL: it is lost. */
static char *open_again(const struct editor *editor)
{
    uint64_t bound = os_now() + BOUND;
    char line[40];
    snprintf(line, sizeof line, "# %u\n", editor->saved);
    while (os_now() < bound) {
        char *found;
        size_t length;
        if (os_read_file(path_of("iscsi.bindings"), &found, &length) == STATUS_OK &&
            found != NULL && strstr(found, line) != NULL)
            return found;
        os_free(found);
    }
    return NULL;
}

static void edit(void *argument)
{
    struct editor *editor = argument;
    static char text[200000];
    while (!atomic_load(&editor->stop) && editor->saved < 200) {
        char *found = open_again(editor);
        if (found == NULL) {
            editor->lost = true;
            return;
        }
        snprintf(text, sizeof text, "# %u\n%s", ++editor->saved, found);
        os_free(found);
        save(editor, text);
        os_sleep(1);
    }
}

static void edit_beside(bool whole)
{
    static struct storm storms[TARGETS];
    struct editor editor = {.whole = whole};
    if (directory[0] != '/')
        skip(); /* Windows cannot swap files */
    write_text("iscsi.bindings", "# 0\n");
    start();
    struct os_thread *thread = os_thread_start(edit, &editor);
    for (unsigned i = 0; i < TARGETS; i++) {
        storms[i] = (struct storm){.job.run = on_storm, .engine = engine, .from = i, .count = 1};
        os_loop_post(engine_loop(engine), &storms[i].job);
        os_sleep(1);
    }
    atomic_store(&editor.stop, true);
    os_thread_join(thread);
    uint64_t bound = os_now() + BOUND;
    while (os_now() < bound && engine->bindings.timer.loop != NULL)
        count_sessions();
    stop();
    assert_false(editor.lost);
    assert_true(editor.saved > 10);
    char line[40];
    for (unsigned i = 0; i <= editor.saved; i++) {
        snprintf(line, sizeof line, "# %u\n", i);
        if (strstr(read_bindings(), line) == NULL)
            fail_msg("\"# %u\" of %u is lost", i, editor.saved);
    }
}

static void an_editor_that_replaces_it_loses_nothing(void **state)
{
    (void)state;
    edit_beside(true);
}

static void an_editor_that_writes_into_it_loses_nothing(void **state)
{
    (void)state;
    edit_beside(false);
}

#define BINDINGS_TEST(name) cmocka_unit_test_setup_teardown(name, fresh, tidy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BINDINGS_TEST(a_target_has_its_place_in_each_run),
        BINDINGS_TEST(what_people_write_counts),
        BINDINGS_TEST(further_sessions_and_mappings_leave_the_file_alone),
        BINDINGS_TEST(the_file_may_be_elsewhere),
        BINDINGS_TEST(a_file_that_cannot_be_written_is_told),
        BINDINGS_TEST(what_is_no_file_is_told),
        BINDINGS_TEST(nothing_is_beyond_the_last_place),
        BINDINGS_TEST(two_hundred_at_once_cost_one_write),
        BINDINGS_TEST(two_hundred_logins_come_back),
        BINDINGS_TEST(several_engines_share_it),
        BINDINGS_TEST(an_editor_that_replaces_it_loses_nothing),
        BINDINGS_TEST(an_editor_that_writes_into_it_loses_nothing),
    };
    return cmocka_run_group_tests_name("engine_bindings", tests, begin, end);
}
