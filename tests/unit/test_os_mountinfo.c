/* What is mounted where: lines of the system's, and of those who would like to be taken for it. */
#include "os_test.h"

#include "os/mountinfo.h"

#include <stdio.h>
#include <string.h>

static char text[400];

static bool parse(struct os_mount_line *out, const char *line)
{
    snprintf(text, sizeof text, "%s", line);
    return os_mount_line_parse(out, text);
}

static void lines_are_understood(void **state)
{
    struct os_mount_line line;
    (void)state;
    assert_true(parse(&line, "36 35 7:3 /sub /mnt/a\\040b\\134 rw,noatime master:1 shared:2 - "
                             "ext4 /dev/loop3 rw,errors=continue\n"));
    assert_int_equal(line.id, 36);
    assert_int_equal(line.high, 7);
    assert_int_equal(line.low, 3);
    assert_string_equal(line.point, "/mnt/a b\\");
    assert_string_equal(line.type, "ext4");
    assert_string_equal(line.source, "/dev/loop3");
    assert_true(parse(&line, "40 35 0:44 / /mnt rw - btrfs /dev/loop3p1 rw"));
    assert_int_equal(line.high, 0);
    assert_string_equal(line.source, "/dev/loop3p1");
}

static void what_is_none_is_refused(void **state)
{
    static const char *const lines[] = {
        "",
        "\n",
        "36",
        "36 35 7:3",
        "36 35 7:3 /",
        "36 35 7:3 / /mnt",
        "36 35 7:3 / /mnt rw shared:2",
        "36 35 7:3 / /mnt rw -",
        "36 35 7:3 / /mnt rw - ext4",
        "36 35 7 / /mnt rw - ext4 /dev/loop3 rw",
    };
    struct os_mount_line line;
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (parse(&line, lines[i]))
            fail_msg("taken: %s", lines[i]);
    }
}

/* sshfs -o fsname=/dev/loop3 needs no privilege. */
static void only_a_source_that_was_checked_counts(void **state)
{
    static const struct {
        const char *line;
        bool counts;
    } cases[] = {
        {"40 35 0:44 / /mnt rw - btrfs /dev/loop3 rw", true},
        {"40 35 0:44 / /home/u/m rw - fuse.sshfs /dev/loop3 rw", false},
        {"40 35 0:44 / /home/u/m rw - fuse /dev/loop3 rw", false},
        {"40 35 0:44 / /home/u/m rw - fuse.btrfs /dev/loop3 rw", false},
        {"40 35 0:44 / /home/u/m rw - tmpfs /dev/loop3 rw", false},
        {"40 35 7:3 / /mnt rw - btrfs /dev/loop3 rw", false},
        {"40 35 7:3 / /mnt rw - ext4 /dev/loop3 rw", false},
    };
    struct os_mount_line line;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(parse(&line, cases[i].line));
        if (os_mount_line_has_source(&line) != cases[i].counts)
            fail_msg("%s: expected %d", cases[i].line, cases[i].counts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_understood),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(only_a_source_that_was_checked_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
