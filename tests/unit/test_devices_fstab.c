/* fstab.iscsi, line by line. */
#include "os_test.h"

#include "devices/fstab.h"

#include <stdio.h>

static char problems[4000];

static void on_problem(void *context, unsigned line, const char *what)
{
    size_t length = strlen(problems);
    assert_ptr_equal(context, problems);
    snprintf(problems + length, sizeof problems - length, "%u: %s\n", line, what);
}

static struct os_arena arena;

static enum status parse(struct fstab *fstab, const char *text)
{
    problems[0] = '\0';
    os_arena_clear(&arena);
    return fstab_parse(fstab, &arena, text, on_problem, problems);
}

static void lines_are_understood(void **state)
{
    static const struct {
        const char *line;
        const char *device, *point, *type, *options;
        unsigned pass;
        bool automatic;
    } cases[] = {
        {"/dev/iscsi/bus0/target0/lun0/disk /mnt ext4", "/dev/iscsi/bus0/target0/lun0/disk", "/mnt",
         "ext4", "defaults", 0, true},
        {"\t/dev/x  /mnt/a\text4 rw,noatime 0 2  ", "/dev/x", "/mnt/a", "ext4", "rw,noatime", 2,
         true},
        {"LABEL=data /a\\040b auto ro 1 0\r", "LABEL=data", "/a b", "auto", "ro", 0, true},
        {"UUID=\"0a34-07\" /a xfs noauto", "UUID=0a34-07", "/a", "xfs", "noauto", 0, false},
        {"PARTUUID=1-2 /a xfs rw,noauto,ro", "PARTUUID=1-2", "/a", "xfs", "rw,noauto,ro", 0, false},
        {"PARTLABEL=p /a xfs noautomatic 0 1", "PARTLABEL=p", "/a", "xfs", "noautomatic", 1, true},
        {"/dev/x none swap sw", "/dev/x", "none", "swap", "sw", 0, false},
        {"/dev/x /a ext4 defaults # a comment", "/dev/x", "/a", "ext4", "defaults", 0, true},
        {"/dev/\\134x\\8 /a ext4", "/dev/\\x\\8", "/a", "ext4", "defaults", 0, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fstab fstab;
        enum status status = parse(&fstab, cases[i].line);
        if (status != STATUS_OK || fstab.count != 1)
            fail_msg("\"%s\": %s, %u entries\n%s", cases[i].line, status_name(status),
                     (unsigned)fstab.count, problems);
        const struct fstab_entry *entry = &fstab.entries[0];
        assert_string_equal(entry->device, cases[i].device);
        assert_string_equal(entry->point, cases[i].point);
        assert_string_equal(entry->type, cases[i].type);
        assert_string_equal(entry->options, cases[i].options);
        assert_int_equal(entry->pass, cases[i].pass);
        assert_int_equal(fstab_is_automatic(entry), cases[i].automatic);
    }
}

static void bad_lines_are_named_and_left_out(void **state)
{
    static const char form[] =
        "not of the form \"device mount-point type [options [dump [pass]]]\"";
    static const char device[] =
        "the device is no absolute path, LABEL=, UUID=, PARTLABEL= or PARTUUID=";
    static const char number[] =
        "the dump frequency and the pass of the check are numbers from 0 to 9";
    const struct {
        const char *line;
        const char *problem;
    } cases[] = {
        {"/dev/x", form},
        {"/dev/x /mnt", form},
        {"/dev/x /mnt # ext4", form},
        {"/dev/x /mnt ext4 rw 0 0 0", form},
        {"/dev/x /mnt ext4 rw 0 0 0 0 0 0", form},
        {"sda /mnt ext4", device},
        {"LABEL= /mnt ext4", device},
        {"label=x /mnt ext4", device},
        {"../x /mnt ext4", device},
        {"/dev/x mnt ext4", "the mount point is no absolute path"},
        {"/dev/x none ext4", "the mount point is no absolute path"},
        {"/dev/x /mnt ext4 rw x", number},
        {"/dev/x /mnt ext4 rw 0 -1", number},
        {"/dev/x /mnt ext4 rw 0 10", number},
        {"/dev/x /mnt ext4 rw 99999999999999999999 0", number},
        {"/dev/x /mnt\\012 ext4", "there is a control character"},
        {"/dev/\001 /mnt ext4", "there is a control character"},
        {"/dev/y /first ext4", "the mount point is that of another line"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fstab fstab;
        char text[400], expected[200];
        snprintf(text, sizeof text, "# fstab\n/dev/a /first ext4\n\n%s\n/dev/b /last ext4",
                 cases[i].line);
        snprintf(expected, sizeof expected, "4: %s\n", cases[i].problem);
        assert_status(parse(&fstab, text), STATUS_CONFIGURATION);
        if (strcmp(problems, expected) != 0)
            fail_msg("\"%s\": \"%s\" instead of \"%s\"", cases[i].line, problems, expected);
        assert_int_equal(fstab.count, 2);
        assert_string_equal(fstab.entries[1].point, "/last");
        assert_int_equal(fstab.entries[1].line, 5);
    }
}

static void there_may_be_nothing_in_it(void **state)
{
    static const char *const texts[] = {"", "\n", " \t \n#\n", "# /dev/x /mnt ext4", "\r\n\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct fstab fstab;
        assert_status(parse(&fstab, texts[i]), STATUS_OK);
        assert_int_equal(fstab.count, 0);
        assert_string_equal(problems, "");
    }
}

static void there_may_be_too_much(void **state)
{
    enum { LINES = FSTAB_ENTRIES_MOST + 2, LINE = 32 };
    struct fstab fstab;
    char *text = os_alloc(LINES * LINE + 1), *at = text;
    (void)state;
    assert_non_null(text);
    for (unsigned i = 0; i < LINES; i++)
        at += snprintf(at, LINE, "/dev/x /mnt/%u ext4\n", i);
    assert_status(parse(&fstab, text), STATUS_CONFIGURATION);
    assert_int_equal(fstab.count, FSTAB_ENTRIES_MOST);
    assert_string_equal(problems,
                        "1025: there are too many lines\n1026: there are too many lines\n");
    os_free(text);
    os_alloc_fail_at(1);
    assert_status(parse(&fstab, "/dev/x /mnt ext4"), STATUS_NO_MEMORY);
    os_alloc_fail_at(0);
}

static int clear(void **state)
{
    (void)state;
    os_arena_clear(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_understood),
        cmocka_unit_test(bad_lines_are_named_and_left_out),
        cmocka_unit_test(there_may_be_nothing_in_it),
        cmocka_unit_test(there_may_be_too_much),
    };
    return cmocka_run_group_tests_name("fstab", tests, NULL, clear);
}
