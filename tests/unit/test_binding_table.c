/* The text of iscsi.bindings: what counts of it, what is told of the rest, and what is added. */
#include "engine/binding_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NAME_10 "iqn.0123.x"
#define NAME_220                                                                                   \
    NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10        \
        NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10 NAME_10

static struct binding_table table;
static char told[20000];

static void on_problem(void *context, unsigned line, const char *why)
{
    size_t length = strlen(told);
    (void)context;
    snprintf(told + length, sizeof told - length, "%u: %s\n", line, why);
}

static void read_text(const char *text, size_t length)
{
    binding_table_clear(&table);
    told[0] = '\0';
    assert_true(binding_table_read(&table, text, length, on_problem, NULL));
}

/* The table in words: "bus target name;" for each. */
static const char *words(void)
{
    static char out[4000];
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; i < table.count; i++)
        length += (size_t)snprintf(out + length, sizeof out - length, "%lu %lu %s;",
                                   (unsigned long)(table.entries[i].place / 256),
                                   (unsigned long)(table.entries[i].place % 256),
                                   table.entries[i].target);
    return out;
}

static int clear(void **state)
{
    (void)state;
    os_alloc_fail_at(0);
    binding_table_clear(&table);
    return 0;
}

#define BAD "not of the form \"BusId TargetId TargetName\"\n"

static const struct {
    const char *text, *words, *told;
} rows[] = {
    {"", "", ""},
    {"\n\n  \t\n", "", ""},
    {"0 0 iqn.a\n", "0 0 iqn.a;", ""},
    {"0 0 iqn.a", "0 0 iqn.a;", ""},
    {"0 0 iqn.a\r\n0 1 iqn.b\r\n", "0 0 iqn.a;0 1 iqn.b;", ""},
    {"  0\t0 \t iqn.a  \n", "0 0 iqn.a;", ""},
    {"255 255 iqn.a", "255 255 iqn.a;", ""},
    {"00 007 iqn.a", "0 7 iqn.a;", ""},
    {"0 3 IQN.A", "0 3 iqn.a;", ""},
    {"\xef\xbb\xbf"
     "0 0 iqn.a",
     "0 0 iqn.a;", ""},
    {"# 0 0 iqn.a\n  # b\n0 1 iqn.b # why\n0 2 iqn.c#d\n", "0 1 iqn.b;0 2 iqn.c#d;", ""},
    {"0 1 eui.02004567A425678D", "0 1 eui.02004567a425678d;", ""},
    /* what does not count */
    {"0", "", "1: " BAD},
    {"0 0", "", "1: " BAD},
    {"0 0 # iqn.a", "", "1: " BAD},
    {"iqn.a", "", "1: " BAD},
    {"0 iqn.a 0", "", "1: " BAD},
    {"-1 0 iqn.a", "", "1: " BAD},
    {"0x1 0 iqn.a", "", "1: " BAD},
    {"0 1.5 iqn.a", "", "1: " BAD},
    {"0 0 iqn.a iqn.b", "", "1: " BAD},
    {"0 0 \"iqn.a\"", "", "1: " BAD},
    {"0 0 iqn\x01", "", "1: " BAD},
    {"0 0 iqn.\xff\xfe", "", "1: " BAD},
    {"0 0 " NAME_220 "abcd", "", "1: " BAD},
    {"256 0 iqn.a", "", "1: the bus id is above 255\n"},
    {"0 256 iqn.a", "", "1: the target id is above 255\n"},
    {"4294967296 0 iqn.a", "", "1: the bus id is above 255\n"},
    {"0 99999999999999999999999999999999999999 iqn.a", "", "1: the target id is above 255\n"},
    /* the first counts, and the rest of the file */
    {"0 0 iqn.a\n0 1 iqn.a\n0 2 iqn.b", "0 0 iqn.a;0 2 iqn.b;",
     "2: iqn.a has its place by line 1\n"},
    {"0 0 iqn.a\n# -\n0 0 iqn.b\n0 1 iqn.b", "0 0 iqn.a;0 1 iqn.b;",
     "3: bus 0 target 0 is of iqn.a by line 1\n"},
    {"x\n0 0 iqn.a\ny\n0 1 iqn.b", "0 0 iqn.a;0 1 iqn.b;", "1: " BAD "3: " BAD},
};

static void each_text_means_what_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        read_text(rows[i].text, strlen(rows[i].text));
        if (strcmp(words(), rows[i].words) != 0 || strcmp(told, rows[i].told) != 0)
            fail_msg("row %u, \"%s\": got %s and %s", (unsigned)i, rows[i].text, words(), told);
    }
}

static void a_nul_is_no_end(void **state)
{
    static const char text[] = "0 0 iqn.a\0b\n0 1 iqn.b\n";
    (void)state;
    read_text(text, sizeof text - 1);
    assert_string_equal(words(), "0 1 iqn.b;");
    assert_string_equal(told, "1: " BAD);
}

static void the_longest_name_fits(void **state)
{
    static const char text[] = "1 2 " NAME_220 "abc\n";
    size_t length;
    (void)state;
    read_text(text, sizeof text - 1);
    assert_string_equal(told, "");
    assert_non_null(binding_table_find(&table, NAME_220 "abc"));
    assert_true(binding_table_add(&table, NAME_220 "ABD", 65535));
    char *out = binding_table_text(&table, text, sizeof text - 1, &length);
    assert_string_equal(out, "1 2 " NAME_220 "abc\n255 255 " NAME_220 "abd\n");
    os_free(out);
}

static void many_bad_lines_are_counted(void **state)
{
    static char text[200000];
    (void)state;
    for (unsigned i = 0; i < 50000; i++)
        strcpy(text + 2 * (size_t)i, "x\n");
    read_text(text, strlen(text));
    assert_non_null(strstr(told, "\n20: " BAD));
    assert_null(strstr(told, "\n21: "));
    assert_non_null(strstr(told, "0: 49980 more lines do not count\n"));
}

/* What people wrote stays, whatever it is. */
static void new_lines_go_behind_the_text(void **state)
{
    static const char *const texts[][2] = {
        {"", "0 1 iqn.b\n"},
        {"# ours\n0 0 iqn.a", "# ours\n0 0 iqn.a\n0 1 iqn.b\n"},
        {"nonsense\n\n0 0 iqn.a # x\n", "nonsense\n\n0 0 iqn.a # x\n0 1 iqn.b\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t length = strlen(texts[i][0]);
        read_text(texts[i][0], length);
        assert_true(binding_table_add(&table, "IQN.B", 1));
        char *out = binding_table_text(&table, texts[i][0], length, &length);
        assert_string_equal(out, texts[i][1]);
        assert_int_equal(length, strlen(texts[i][1]));
        binding_table_written(&table);
        char *again = binding_table_text(&table, out, length, &length);
        assert_string_equal(again, out);
        unsigned line = binding_table_find(&table, "iqn.b")->line;
        os_free(again);
        read_text(out, length);
        assert_int_equal(binding_table_find(&table, "iqn.b")->line, line);
        os_free(out);
    }
}

static void names_that_no_line_can_have(void **state)
{
    (void)state;
    assert_true(binding_name_valid("iqn.a#b"));
    assert_false(binding_name_valid("#iqn.a"));
    assert_false(binding_name_valid(""));
    assert_false(binding_name_valid("iqn. a"));
    assert_false(binding_name_valid("iqn.a\n0 0 iqn.b"));
    read_text("0 0 iqn.a", 9);
    assert_null(binding_table_find(&table, "iqn.a\n"));
    assert_non_null(binding_table_find(&table, "iqn.A"));
}

/* All places there are, found again in any order. */
static void a_full_file_is_read(void **state)
{
    enum { ROOM = 65536 * 24 };
    char *text = os_alloc(ROOM);
    size_t length = 0;
    char name[24];
    (void)state;
    for (unsigned i = 0; i < 65536; i++)
        length +=
            (size_t)snprintf(text + length, ROOM - length, "%u %u iqn.t%u\n", i / 256, i % 256, i);
    read_text(text, length);
    os_free(text);
    assert_string_equal(told, "");
    assert_int_equal(table.count, 65536);
    for (unsigned i = 65536; i-- > 0;) {
        snprintf(name, sizeof name, "iqn.t%u", i);
        assert_int_equal(binding_table_find(&table, name)->place, i);
    }
}

static void without_memory_it_says_so(void **state)
{
    (void)state;
    for (long nth = 1;; nth++) {
        binding_table_clear(&table);
        os_alloc_fail_at(nth);
        bool read = binding_table_read(&table, "0 0 iqn.a\n0 1 iqn.b", 19, on_problem, NULL);
        os_alloc_fail_at(0);
        if (read)
            break;
        assert_true(nth < 20);
    }
    assert_string_equal(words(), "0 0 iqn.a;0 1 iqn.b;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_text_means_what_it_says, clear),
        cmocka_unit_test_teardown(a_nul_is_no_end, clear),
        cmocka_unit_test_teardown(the_longest_name_fits, clear),
        cmocka_unit_test_teardown(many_bad_lines_are_counted, clear),
        cmocka_unit_test_teardown(new_lines_go_behind_the_text, clear),
        cmocka_unit_test_teardown(names_that_no_line_can_have, clear),
        cmocka_unit_test_teardown(a_full_file_is_read, clear),
        cmocka_unit_test_teardown(without_memory_it_says_so, clear),
    };
    return cmocka_run_group_tests_name("binding_table", tests, NULL, NULL);
}
