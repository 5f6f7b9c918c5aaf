/* Static targets: what is kept of them and how long, who sees them, and what is told of a target.
 */
#include "engine_test.h"

#include "engine/options.h"
#include "engine/static_targets.h"
#include "engine/store.h"

#include <stdatomic.h>

#define INSTANCE "Root\\ISCSIPRT\\0000_0"
#define STATIC   "Static:*"

static struct target_host host;
static atomic_bool tells_alias; /* the target, in its answer to SendTargets */

static void on_outgoing(void *context, struct target_connection *connection,
                        struct target_fault_out *out)
{
    char text[300];
    (void)context;
    (void)connection;
    if (!tells_alias || out->pdu->opcode != PDU_TEXT_RESPONSE)
        return;
    int length = snprintf(text, sizeof text,
                          "TargetName=" BASE ":a%cTargetAddress=127.0.0.1:%u,1%cTargetAlias=on "
                          "the wire%cTargetName=" BASE ":b%c",
                          0, host.portal.port, 0, 0, 0);
    target_fault_data(out, text, (uint32_t)length);
}

static const struct target_fault fault = {.outgoing = on_outgoing};

static int start(void **state)
{
    (void)state;
    tells_alias = false;
    new_directory();
    target_host_new(&host);
    target_entity_settings(host.entity)->fault = &fault;
    assert_status(target_set_alias(target_host_add(&host, BASE ":a"), "says a"), STATUS_OK);
    target_host_add(&host, BASE ":b");
    target_host_start(&host);
    assert_status(engine_start(&engine, directory), STATUS_OK);
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

static void restart(void)
{
    engine_stop(engine);
    assert_status(engine_start(&engine, directory), STATUS_OK);
}

/* --- shorter forms --- */

static enum status add(const struct static_target *target)
{
    const struct request_add_static_target request = {.entry = target};
    return ask(OPERATION_add_static_target, &request, NULL);
}

#define ADD(...) assert_status(add(&(struct static_target){__VA_ARGS__}), STATUS_OK)

static enum status remove_static(const char *name)
{
    const struct request_remove_static_target request = {.target = name};
    return ask(OPERATION_remove_static_target, &request, NULL);
}

static void assert_listed(const char *expected)
{
    assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, expected);
}

/* The latest answer, as text. */
static struct {
    char mechanisms[2000];
    char alias[300];
    char groups[2000];
    char initiator[100];
    uint32_t flags;
    bool has_options;
    struct login_options options;
    char username[300];
    bool mapped;
    struct mapping mapping;
} told;

static void copy_groups(const struct portal_group_list *groups)
{
    char *end = told.groups;
    *end = '\0';
    for (uint32_t g = 0; g < groups->count; g++) {
        end += sprintf(end, "[");
        for (uint32_t i = 0; i < groups->items[g].portals.count; i++) {
            const struct portal *portal = &groups->items[g].portals.items[i];
            end += sprintf(end, "%s%s %u", i > 0 ? ", " : "", portal->address, portal->socket);
            if (portal->symbolic_name != NULL && portal->symbolic_name[0] != '\0')
                end += sprintf(end, " %s", portal->symbolic_name);
        }
        end += sprintf(end, "]");
    }
}

static void copy_told(const void *reply)
{
    const struct reply_get_target *from = reply;
    char *end = told.mechanisms;
    memset(&told, 0, sizeof told);
    for (uint32_t i = 0; i < from->mechanisms.count; i++)
        end += sprintf(end, "%s|", from->mechanisms.items[i]);
    snprintf(told.alias, sizeof told.alias, "%s", from->alias);
    copy_groups(&from->groups);
    snprintf(told.initiator, sizeof told.initiator, "%s", from->initiator);
    told.flags = from->flags;
    told.has_options = from->options != NULL;
    if (from->options != NULL) {
        told.options = *from->options;
        snprintf(told.username, sizeof told.username, "%.*s", (int)from->options->username.length,
                 (const char *)from->options->username.data);
    }
    told.mapped = from->mapping != NULL;
    if (from->mapping != NULL)
        told.mapping = *from->mapping;
}

static enum status get(const char *target, const char *mechanism)
{
    const struct request_get_target request = {.target = target, .mechanism = mechanism};
    return ask(OPERATION_get_target, &request, copy_told);
}

static void assert_told(const char *target, const char *mechanism)
{
    assert_status(get(target, mechanism), STATUS_OK);
}

static const char *portal_mechanism(void)
{
    static char name[400];
    snprintf(name, sizeof name, "SendTargets:*%s %07u %s ", host.portal.host, host.portal.port,
             INSTANCE);
    return name;
}

static const struct portal portals[] = {{"left", "192.0.2.1", 3260}, {"", "fe80::1", 3261}};
static const struct mapped_lun luns[] = {{3, 0}, {4, 1}};
static const struct mapping mapping = {"", 1, 2, {luns, 2}};
static const struct login_options options = {
    .specified = OPTION_AUTH_TYPE | OPTION_USERNAME | OPTION_PASSWORD,
    .auth_type = 1,
    .username = {(const uint8_t *)"someone", 7},
    .password = {(const uint8_t *)"password1234", 12},
};

/* --- adding and removing --- */

static void a_static_target_is_listed_until_it_is_removed(void **state)
{
    (void)state;
    assert_listed("");
    ADD(.target = "iqn.2026-11.org.example:Store", .persistent = 1);
    ADD(.target = "anything-goes");
    assert_listed("iqn.2026-11.org.example:store anything-goes");
    assert_status(remove_static("IQN.2026-11.org.example:STORE"), STATUS_OK);
    assert_listed("anything-goes");
    assert_status(remove_static("iqn.2026-11.org.example:store"), STATUS_TARGET_NOT_FOUND);
    assert_status(remove_static("anything-goes"), STATUS_OK);
    assert_status(remove_static("anything-goes"), STATUS_TARGET_NOT_FOUND);
    assert_listed("");
}

static void only_a_persistent_one_outlasts_the_engine(void **state)
{
    (void)state;
    ADD(.target = "iqn.stays", .persistent = 1, .alias = "for good", .mapping = &mapping,
        .options = &options, .grouped = 1, .portals = {portals, 2});
    ADD(.target = "iqn.goes", .alias = "passing");
    restart();
    assert_listed("iqn.stays");
    assert_told("iqn.stays", STATIC);
    assert_string_equal(told.alias, "for good");
    assert_string_equal(told.groups, "[192.0.2.1 3260 left, fe80::1 3261]");
    assert_true(told.mapped);
    assert_int_equal(told.mapping.luns.count, 2);
    assert_string_equal(told.username, "someone");
    assert_status(remove_static("iqn.stays"), STATUS_OK);
    restart();
    assert_listed("");
}

static void what_is_added_again_is_replaced(void **state)
{
    (void)state;
    for (uint8_t persistent = 0; persistent < 2; persistent++) {
        ADD(.target = "iqn.a", .persistent = persistent, .alias = "one", .flags = TARGET_FLAG_HIDE,
            .mapping = &mapping, .options = &options, .grouped = 1, .portals = {portals, 2});
        ADD(.target = "IQN.A", .persistent = persistent, .alias = "two", .portals = {portals, 1});
        assert_listed("iqn.a");
        assert_told("iqn.a", NULL);
        assert_string_equal(told.alias, "two");
        assert_string_equal(told.groups, "[192.0.2.1 3260 left]");
        assert_int_equal(told.flags, 0);
        assert_false(told.has_options);
        assert_false(told.mapped);
        assert_status(remove_static("iqn.a"), STATUS_OK);
    }
}

static void what_is_merged_keeps_what_is_not_given(void **state)
{
    static const struct portal more[] = {{"again", "192.0.2.1", 3260}, {"", "192.0.2.9", 3260}};
    (void)state;
    for (unsigned round = 0; round < 4; round++) {
        uint8_t before = round & 1, after = round >> 1 & 1;
        ADD(.target = "iqn.a", .persistent = before, .alias = "one", .mapping = &mapping,
            .options = &options, .grouped = 1, .portals = {portals, 2});
        ADD(.target = "IQN.A", .persistent = after, .flags = TARGET_FLAG_MERGE, .grouped = 1,
            .portals = {more, 2});
        assert_told("iqn.a", STATIC);
        assert_string_equal(told.alias, "one");
        assert_true(told.mapped);
        assert_string_equal(told.username, "someone");
        assert_int_equal(told.flags, 0);
        assert_string_equal(told.groups, "[192.0.2.1 3260 again, 192.0.2.9 3260, fe80::1 3261]");
        ADD(.target = "iqn.a", .persistent = after, .alias = "",
            .flags = TARGET_FLAG_MERGE | TARGET_FLAG_HIDE);
        assert_told("iqn.a", STATIC);
        assert_string_equal(told.alias, "");
        assert_int_equal(told.flags, TARGET_FLAG_HIDE);
        assert_string_equal(told.username, "someone");
        restart();
        assert_status(get("iqn.a", STATIC), before || after ? STATUS_OK : STATUS_TARGET_NOT_FOUND);
        assert_status(remove_static("iqn.a"),
                      before || after ? STATUS_OK : STATUS_TARGET_NOT_FOUND);
    }
    ADD(.target = "iqn.new", .flags = TARGET_FLAG_MERGE, .alias = "nothing to merge with");
    assert_told("iqn.new", STATIC);
    assert_string_equal(told.alias, "nothing to merge with");
}

/* What lasts until the engine stops lies over what is stored, and does not harm it. */
static void a_temporary_one_hides_the_stored_one(void **state)
{
    (void)state;
    ADD(.target = "iqn.a", .persistent = 1, .alias = "stored");
    ADD(.target = "iqn.a", .alias = "temporary");
    assert_listed("iqn.a");
    assert_told("iqn.a", STATIC);
    assert_string_equal(told.alias, "temporary");
    restart();
    assert_told("iqn.a", STATIC);
    assert_string_equal(told.alias, "stored");
    ADD(.target = "iqn.a", .alias = "temporary");
    ADD(.target = "iqn.a", .persistent = 1, .alias = "stored anew");
    assert_told("iqn.a", STATIC);
    assert_string_equal(told.alias, "stored anew");
    ADD(.target = "iqn.a", .alias = "temporary");
    assert_status(remove_static("iqn.a"), STATUS_OK);
    assert_listed("");
    restart();
    assert_listed("");
}

/* As another process would. */
static void another_engine(void (*change)(void))
{
    struct engine *mine = engine;
    assert_status(engine_start(&engine, directory), STATUS_OK);
    change();
    engine_stop(engine);
    engine = mine;
}

static void add_elsewhere(void)
{
    ADD(.target = "iqn.elsewhere", .persistent = 1, .portals = {portals, 1});
}

static void remove_elsewhere(void)
{
    assert_listed("iqn.elsewhere");
    assert_status(remove_static("iqn.elsewhere"), STATUS_OK);
}

static void what_another_process_does_is_seen_at_once(void **state)
{
    (void)state;
    assert_listed("");
    another_engine(add_elsewhere);
    assert_told("iqn.elsewhere", STATIC);
    assert_listed("iqn.elsewhere");
    another_engine(remove_elsewhere);
    assert_status(get("iqn.elsewhere", NULL), STATUS_TARGET_NOT_FOUND);
    assert_listed("");
}

static void a_hidden_target_is_listed_once_it_is_discovered(void **state)
{
    (void)state;
    ADD(.target = BASE ":b", .flags = TARGET_FLAG_HIDE, .persistent = 1);
    assert_listed("");
    assert_told(BASE ":b", NULL);
    assert_int_equal(told.flags, TARGET_FLAG_HIDE);
    assert_status(add_portal(&host.portal), STATUS_OK);
    assert_listed(BASE ":b " BASE ":a");
    assert_status(remove_static(BASE ":b"), STATUS_OK);
    assert_listed(BASE ":b " BASE ":a");
}

static void wrong_parameters_are_refused(void **state)
{
    static const struct mapped_lun twice[] = {{1, 0}, {2, 0}};
    static const struct mapped_lun same_here[] = {{1, 0}, {1, 1}};
    static const struct mapping bad_luns[] = {{.luns = {twice, 2}}, {.luns = {same_here, 2}}};
    static const struct mapping far[] = {{.os_bus = 256}, {.os_target = 256}};
    static const struct portal bad_portals[] = {
        {"", "", 3260}, {"", "192.0.2.1", 0}, {"", "a b", 3260}};
    static const enum status bad_portal[] = {STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER,
                                             STATUS_INVALID_ADDRESS};
    static const struct login_options no_secret = {.specified = OPTION_AUTH_TYPE, .auth_type = 1};
    char long_name[226], alias[257];
    (void)state;
    memset(long_name, 'a', sizeof long_name - 1);
    memset(alias, 'a', sizeof alias - 1);
    alias[256] = long_name[224] = '\0';
#define REFUSED(status, ...)                                                                       \
    assert_status(add(&(struct static_target){__VA_ARGS__}), STATUS_##status)
    assert_status(add(NULL), STATUS_INVALID_PARAMETER);
    REFUSED(INVALID_PARAMETER, .target = NULL);
    REFUSED(INVALID_PARAMETER, .target = "");
    REFUSED(INVALID_NAME, .target = "a b");
    REFUSED(INVALID_NAME, .target = long_name);
    REFUSED(INVALID_PARAMETER, .target = "iqn.a", .flags = 1);
    REFUSED(INVALID_PARAMETER, .target = "iqn.a", .flags = 0x80000000);
    REFUSED(INVALID_PARAMETER, .target = "iqn.a", .alias = alias);
    REFUSED(INVALID_MAPPING, .target = "iqn.a", .mapping = &bad_luns[0]);
    REFUSED(INVALID_MAPPING, .target = "iqn.a", .mapping = &bad_luns[1]);
    REFUSED(MAPPING_OUT_OF_RANGE, .target = "iqn.a", .mapping = &far[0]);
    REFUSED(MAPPING_OUT_OF_RANGE, .target = "iqn.a", .mapping = &far[1]);
    REFUSED(INVALID_TARGET_SECRET, .target = "iqn.a", .options = &no_secret);
    for (size_t i = 0; i < 3; i++)
        assert_status(
            add(&(struct static_target){.target = "iqn.a", .portals = {&bad_portals[i], 1}}),
            bad_portal[i]);
    assert_status(remove_static(NULL), STATUS_INVALID_PARAMETER);
    assert_status(remove_static(""), STATUS_INVALID_PARAMETER);
    assert_status(remove_static("a b"), STATUS_INVALID_NAME);
    assert_status(get(NULL, NULL), STATUS_INVALID_PARAMETER);
    assert_status(get("a b", NULL), STATUS_INVALID_NAME);
    assert_listed("");
    alias[255] = long_name[223] = '\0';
    ADD(.target = long_name, .alias = alias);
    assert_told(long_name, STATIC);
    assert_string_equal(told.alias, alias);
}

static void want_of_memory_keeps_what_there_was(void **state)
{
    (void)state;
    for (uint8_t persistent = 0; persistent < 2; persistent++) {
        unsigned failures = 0;
        ADD(.target = "iqn.a", .persistent = persistent, .alias = "before");
        for (long nth = 1;; nth++) {
            failing_allocation = nth;
            enum status status = add(&(struct static_target){.target = "iqn.a",
                                                             .persistent = persistent,
                                                             .alias = "after",
                                                             .flags = TARGET_FLAG_MERGE,
                                                             .mapping = &mapping,
                                                             .options = &options,
                                                             .portals = {portals, 2}});
            failing_allocation = 0;
            assert_told("iqn.a", STATIC);
            if (status == STATUS_OK)
                break;
            assert_status(status, STATUS_NO_MEMORY);
            assert_string_equal(told.alias, "before");
            failures++;
        }
        assert_true(failures > 1);
        /* What the catalogue could not take at once it takes at the next look. */
        assert_string_equal(told.alias, "after");
        assert_string_equal(told.groups, "[192.0.2.1 3260 left, fe80::1 3261]");
        for (long nth = 1;; nth++) {
            failing_allocation = nth;
            enum status status = get("iqn.a", STATIC);
            failing_allocation = 0;
            if (status == STATUS_OK)
                break;
            assert_status(status, STATUS_NO_MEMORY);
        }
        assert_string_equal(told.username, "someone");
        assert_status(remove_static("iqn.a"), STATUS_OK);
    }
}

/* --- what is told --- */

static void every_mechanism_tells_its_own(void **state)
{
    char expected[500];
    (void)state;
    assert_status(add_portal(&host.portal), STATUS_OK);
    ADD(.target = BASE ":a", .alias = "my own", .options = &options, .grouped = 1,
        .portals = {portals, 2});
    assert_told(BASE ":A", NULL);
    snprintf(expected, sizeof expected, "%s|" STATIC "|", portal_mechanism());
    assert_string_equal(told.mechanisms, expected);
    assert_string_equal(told.initiator, INSTANCE);

    assert_told(BASE ":a", portal_mechanism());
    snprintf(expected, sizeof expected, "[%s %u]", host.portal.host, host.portal.port);
    assert_string_equal(told.groups, expected);
    assert_string_equal(told.alias, "my own");
    assert_string_equal(told.username, "");
    assert_int_equal(told.flags, 0);

    assert_told(BASE ":a", "static:*");
    assert_string_equal(told.groups, "[192.0.2.1 3260 left, fe80::1 3261]");
    assert_string_equal(told.username, "someone");
    assert_true(told.options.specified & OPTION_PASSWORD);
    assert_null(told.options.password.data);

    assert_status(get(BASE ":a", "Static:"), STATUS_MECHANISM_NOT_FOUND);
    assert_status(get(BASE ":b", STATIC), STATUS_MECHANISM_NOT_FOUND);
    assert_status(get(BASE ":c", NULL), STATUS_TARGET_NOT_FOUND);
}

static void a_mechanism_is_recognised_however_it_is_spelt(void **state)
{
    char name[400];
    (void)state;
    assert_status(add_portal(&host.portal), STATUS_OK);
    snprintf(name, sizeof name, "%s", portal_mechanism());
    assert_told(BASE ":a", name);
    name[strlen(name) - 1] = '\0'; /* without the blank at the end */
    assert_told(BASE ":a", name);
    memcpy(name, "SENDTARGETS", 11);
    memcpy(strstr(name, "Root"), "ROOT", 4);
    assert_told(BASE ":a", name);
    name[strlen(name) - 1] = '\0';
    assert_status(get(BASE ":a", name), STATUS_MECHANISM_NOT_FOUND);
    assert_told(BASE ":a", "");
}

static void the_first_mechanism_answers_for_none(void **state)
{
    (void)state;
    ADD(.target = BASE ":a", .grouped = 1);
    assert_status(add_portal(&host.portal), STATUS_OK);
    assert_told(BASE ":a", NULL);
    assert_string_equal(told.groups, "[]"); /* one group, of no portal */
    ADD(.target = BASE ":a");
    assert_told(BASE ":a", NULL);
    assert_string_equal(told.groups, "");
    assert_status(remove_static(BASE ":a"), STATUS_OK);
    assert_told(BASE ":a", NULL);
    assert_string_not_equal(told.groups, "");
}

static void the_alias_of_a_session_is_told_when_there_is_no_other(void **state)
{
    (void)state;
    assert_status(add_portal(&host.portal), STATUS_OK);
    assert_told(BASE ":a", NULL);
    assert_string_equal(told.alias, "");
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_told(BASE ":a", NULL);
    assert_string_equal(told.alias, "says a");
    ADD(.target = BASE ":a", .alias = "my own");
    assert_told(BASE ":a", portal_mechanism());
    assert_string_equal(told.alias, "my own");
}

static void the_alias_of_discovery_is_told(void **state)
{
    (void)state;
    tells_alias = true;
    assert_status(add_portal(&host.portal), STATUS_OK);
    assert_told(BASE ":a", NULL);
    assert_string_equal(told.alias, "on the wire");
    assert_told(BASE ":b", NULL);
    assert_string_equal(told.alias, "");
    ADD(.target = BASE ":a", .alias = "my own");
    assert_told(BASE ":a", NULL);
    assert_string_equal(told.alias, "my own");
}

static void the_options_stored_with_a_portal_are_told(void **state)
{
    const struct login_options digests = {
        .specified = OPTION_HEADER_DIGEST, .header_digest = 1, .flags = LOGIN_FLAG_MULTIPATH};
    (void)state;
    assert_status(add_portal_with(&host.portal, &digests), STATUS_OK);
    assert_told(BASE ":a", portal_mechanism());
    assert_int_equal(told.options.specified, OPTION_HEADER_DIGEST);
    assert_int_equal(told.options.header_digest, 1);
    assert_int_equal(told.options.flags, LOGIN_FLAG_MULTIPATH);
}

static void the_mapping_of_a_stored_login_is_told(void **state)
{
    const struct mapping other = {"", 5, 6, {luns, 1}};
    const struct portal at = {NULL, "192.0.2.1", 3260};
    const struct request_login request = {.target = BASE ":A",
                                          .initiator_port = ANY_PORT,
                                          .portal = &at,
                                          .persistent = 1,
                                          .mapping = &mapping};
    (void)state;
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_OK);
    ADD(.target = BASE ":a");
    assert_told(BASE ":a", NULL);
    assert_true(told.mapped);
    assert_int_equal(told.mapping.os_bus, 1);
    ADD(.target = BASE ":a", .mapping = &other);
    assert_told(BASE ":a", NULL);
    assert_int_equal(told.mapping.os_bus, 5);
}

static void what_was_found_stays_when_its_portal_is_removed(void **state)
{
    const struct portal portal = {NULL, host.portal.host, host.portal.port};
    const struct request_remove_portal request = {.initiator_port = ANY_PORT, .portal = &portal};
    (void)state;
    assert_status(add_portal(&host.portal), STATUS_OK);
    assert_status(ask(OPERATION_remove_portal, &request, NULL), STATUS_OK);
    assert_told(BASE ":a", portal_mechanism());
    assert_false(told.has_options);
    assert_status(list_targets(true), STATUS_OK);
    assert_status(get(BASE ":a", NULL), STATUS_TARGET_NOT_FOUND);
}

#define ENGINE_TEST_CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST_CASE(a_static_target_is_listed_until_it_is_removed),
        ENGINE_TEST_CASE(only_a_persistent_one_outlasts_the_engine),
        ENGINE_TEST_CASE(what_is_added_again_is_replaced),
        ENGINE_TEST_CASE(what_is_merged_keeps_what_is_not_given),
        ENGINE_TEST_CASE(a_temporary_one_hides_the_stored_one),
        ENGINE_TEST_CASE(what_another_process_does_is_seen_at_once),
        ENGINE_TEST_CASE(a_hidden_target_is_listed_once_it_is_discovered),
        ENGINE_TEST_CASE(wrong_parameters_are_refused),
        ENGINE_TEST_CASE(want_of_memory_keeps_what_there_was),
        ENGINE_TEST_CASE(every_mechanism_tells_its_own),
        ENGINE_TEST_CASE(a_mechanism_is_recognised_however_it_is_spelt),
        ENGINE_TEST_CASE(the_first_mechanism_answers_for_none),
        ENGINE_TEST_CASE(the_alias_of_a_session_is_told_when_there_is_no_other),
        ENGINE_TEST_CASE(the_alias_of_discovery_is_told),
        ENGINE_TEST_CASE(the_options_stored_with_a_portal_are_told),
        ENGINE_TEST_CASE(the_mapping_of_a_stored_login_is_told),
        ENGINE_TEST_CASE(what_was_found_stays_when_its_portal_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
