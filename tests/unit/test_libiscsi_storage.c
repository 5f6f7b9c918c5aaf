/* Compositions of extents: where bytes go, and what becomes of copies that fail. */
#include "libiscsi/auths.h"
#include "libiscsi/errors.h"
#include "libiscsi/storage_internal.h"
#include "os/memory.h"
#include "os/system.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 4096 };

static char directory[900];

/* One of four buffers. */
static const char *path_of(const char *name)
{
    static char paths[4][1024];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static void make_file(const char *name, size_t size, int value)
{
    FILE *file = fopen(path_of(name), "wb");

    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        fputc(value, file);
    assert_int_equal(fclose(file), 0);
}

static int byte_of(const char *name, long offset)
{
    FILE *file = fopen(path_of(name), "rb");
    int value;

    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    value = fgetc(file);
    fclose(file);
    return value;
}

static struct storage *open_file(const char *name, uint64_t offset, uint64_t size)
{
    struct storage *storage;

    assert_int_equal(storage_file(name, path_of(name), offset, size, false, &storage), STATUS_OK);
    return storage;
}

static int setup(void **state)
{
    static const char *const names[] = {"a", "b", "c", "a.lost", "b.lost", "c.lost"};
    const char *base = getenv("TEST_DIR");

    (void)state;
    assert_non_null(base);
    snprintf(directory, sizeof directory, "%s", base);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        remove(path_of(names[i]));
    return 0;
}

/* --- extents --- */

static void extent_is_part_of_a_file(void **state)
{
    uint8_t data[4] = {1, 2, 3, 4};
    struct storage *extent;

    (void)state;
    make_file("a", 3 * SIZE, 7);
    extent = open_file("a", SIZE, SIZE);
    assert_true(storage_write(extent, SIZE - 4, data, 4));
    assert_false(storage_write(extent, SIZE - 3, data, 4));
    assert_false(storage_read(extent, SIZE, data, 1));
    assert_false(storage_read(extent, UINT64_MAX, data, 4));
    assert_true(storage_flush(extent));
    storage_free(extent);
    assert_int_equal(byte_of("a", 2 * SIZE - 5), 7);
    assert_int_equal(byte_of("a", 2 * SIZE - 1), 4);
    assert_int_equal(byte_of("a", 2 * SIZE), 7);

    extent = open_file("a", SIZE, UINT64_MAX);
    assert_int_equal(storage_size(extent), 2 * SIZE);
    storage_free(extent);
}

static void files_are_made_and_made_longer(void **state)
{
    struct storage *extent = open_file("a", SIZE, SIZE);
    uint8_t data = 1;

    (void)state;
    assert_true(extent->fresh);
    assert_true(storage_read(extent, SIZE - 1, &data, 1));
    assert_int_equal(data, 0);
    storage_free(extent);
    assert_int_equal(byte_of("a", 2 * SIZE - 1), 0);
    assert_int_equal(byte_of("a", 2 * SIZE), EOF);
    extent = open_file("a", SIZE, SIZE);
    assert_false(extent->fresh);
    storage_free(extent);
}

static void what_cannot_be_opened(void **state)
{
    struct storage *extent;

    (void)state;
    assert_int_equal(storage_file("x", path_of("a"), 0, SIZE, true, &extent), STATUS_STORE_FAILED);
    assert_null(extent);
    assert_int_equal(storage_file("x", path_of("a"), 0, UINT64_MAX, false, &extent),
                     STATUS_STORE_FAILED);
    assert_int_not_equal(storage_file("x", path_of("no/such/directory"), 0, SIZE, false, &extent),
                         STATUS_OK);
    make_file("a", SIZE, 0);
    assert_int_equal(storage_file("x", path_of("a"), SIZE, UINT64_MAX, false, &extent),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(storage_file("x", path_of("a"), 0, SIZE + 1, true, &extent),
                     STATUS_INVALID_PARAMETER);
}

/* --- one behind the other --- */

static void concatenation(void **state)
{
    uint8_t data[3 * SIZE], back[3 * SIZE];
    struct storage *pieces[3];
    struct storage *all;

    (void)state;
    pieces[0] = open_file("a", 0, SIZE);
    assert_int_equal(storage_memory("m", 512, &pieces[1]), STATUS_OK);
    pieces[2] = open_file("b", 512, SIZE);
    assert_int_equal(storage_concatenate("all", pieces, 3, &all), STATUS_OK);
    assert_int_equal(storage_size(all), 2 * SIZE + 512);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i % 251);
    assert_true(storage_write(all, 0, data, 2 * SIZE + 512));
    assert_true(storage_read(all, SIZE - 10, back, 600));
    assert_memory_equal(back, data + SIZE - 10, 600);
    assert_false(storage_write(all, 1, data, 2 * SIZE + 512));
    assert_true(storage_flush(all));
    assert_int_equal(byte_of("a", SIZE - 1), (SIZE - 1) % 251);
    assert_int_equal(byte_of("b", 512), (SIZE + 512) % 251);
    storage_free(all);
}

/* --- copies --- */

static char told[200];

static void note_loss(void *context, const char *name)
{
    (void)context;
    strcat(told, name);
    strcat(told, " ");
}

/* Of files "a" and "b", which are there. */
static struct storage *mirror_of_two(enum status expected)
{
    struct storage *pieces[2] = {open_file("a", 0, SIZE), open_file("b", 0, SIZE)};
    struct storage *mirror;

    told[0] = '\0';
    assert_int_equal(storage_mirror("m", pieces, 2, note_loss, NULL, &mirror), expected);
    return mirror;
}

/* The medium is gone. */
static void break_copy(struct storage *mirror, size_t copy)
{
    os_storage_close(mirror->pieces[copy]->file);
    assert_int_equal(os_storage_open(path_of("a"), true, &mirror->pieces[copy]->file,
                                     &mirror->pieces[copy]->offset),
                     STATUS_OK);
    mirror->pieces[copy]->offset = 1u << 30; /* reading there fails, and so does writing */
}

static void writes_go_to_all_copies(void **state)
{
    struct storage *mirror;
    uint8_t data[2] = {9, 9};

    (void)state;
    make_file("a", SIZE, 1);
    make_file("b", SIZE, 1);
    mirror = mirror_of_two(STATUS_OK);
    assert_true(storage_write(mirror, 10, data, 2));
    assert_true(storage_flush(mirror));
    assert_int_equal(byte_of("a", 11), 9);
    assert_int_equal(byte_of("b", 11), 9);
    assert_string_equal(told, "");
    storage_free(mirror);
}

static void reads_use_every_copy(void **state)
{
    struct storage *mirror;
    uint8_t data;
    bool seen[3] = {false};

    (void)state;
    make_file("a", SIZE, 1);
    make_file("b", SIZE, 2); /* different, to tell them apart */
    mirror = mirror_of_two(STATUS_OK);
    for (int i = 0; i < 4; i++) {
        assert_true(storage_read(mirror, 5, &data, 1));
        seen[data] = true;
    }
    assert_true(seen[1] && seen[2]);
    storage_free(mirror);
}

static void a_copy_that_fails_is_left_out(void **state)
{
    struct storage *mirror;
    uint8_t data = 8;

    (void)state;
    make_file("a", SIZE, 1);
    make_file("b", SIZE, 1);
    mirror = mirror_of_two(STATUS_OK);
    break_copy(mirror, 0);
    assert_true(storage_write(mirror, 3, &data, 1));
    assert_string_equal(told, "a ");
    for (int i = 0; i < 4; i++) {
        data = 0;
        assert_true(storage_read(mirror, 3, &data, 1));
        assert_int_equal(data, 8);
    }
    break_copy(mirror, 1); /* the last one stays, and its errors are told */
    assert_false(storage_write(mirror, 3, &data, 1));
    assert_false(storage_read(mirror, 3, &data, 1));
    assert_string_equal(told, "a ");
    storage_free(mirror);
}

static void a_copy_that_cannot_be_read_is_left_out(void **state)
{
    struct storage *mirror;
    uint8_t data = 0;

    (void)state;
    make_file("a", SIZE, 1);
    make_file("b", SIZE, 1);
    mirror = mirror_of_two(STATUS_OK);
    break_copy(mirror, 1);
    for (int i = 0; i < 4; i++)
        assert_true(storage_read(mirror, 3, &data, 1));
    assert_int_equal(data, 1);
    assert_string_equal(told, "b ");
    storage_free(mirror);
}

static void a_lost_copy_stays_lost(void **state)
{
    struct storage *mirror;
    uint8_t data = 8;

    (void)state;
    make_file("a", SIZE, 1);
    make_file("b", SIZE, 1);
    mirror = mirror_of_two(STATUS_OK);
    break_copy(mirror, 0);
    assert_true(storage_write(mirror, 3, &data, 1));
    storage_free(mirror);

    mirror = mirror_of_two(STATUS_OK);
    assert_string_equal(told, "a ");
    for (int i = 0; i < 4; i++) {
        assert_true(storage_read(mirror, 3, &data, 1));
        assert_int_equal(data, 8); /* what is in "a" is old */
    }
    assert_true(storage_write(mirror, 4, &data, 1));
    assert_int_equal(byte_of("a", 4), 1);
    storage_free(mirror);

    /* Copied again by hand, and the note removed. */
    make_file("a", SIZE, 8);
    make_file("b", SIZE, 8);
    assert_int_equal(remove(path_of("b.lost")), 0);
    mirror = mirror_of_two(STATUS_OK);
    assert_string_equal(told, "");
    storage_free(mirror);
}

static void a_copy_that_was_not_there_is_left_out(void **state)
{
    struct storage *mirror;
    uint8_t data = 0;

    (void)state;
    make_file("b", SIZE, 5);
    mirror = mirror_of_two(STATUS_OK);
    assert_string_equal(told, "a ");
    assert_true(storage_read(mirror, 0, &data, 1));
    assert_int_equal(data, 5);
    storage_free(mirror);
    mirror = mirror_of_two(STATUS_OK); /* and next time it is still empty */
    assert_string_equal(told, "a ");
    storage_free(mirror);
}

static void copies_that_are_all_new_are_equal(void **state)
{
    struct storage *mirror = mirror_of_two(STATUS_OK);

    (void)state;
    assert_string_equal(told, "");
    storage_free(mirror);
}

static void copies_that_deny_each_other(void **state)
{
    FILE *note;

    (void)state;
    make_file("a", SIZE, 1);
    make_file("b", SIZE, 1);
    note = fopen(path_of("a.lost"), "w");
    fputs("b\n", note);
    fclose(note);
    note = fopen(path_of("b.lost"), "w");
    fputs("a\n", note);
    fclose(note);
    assert_null(mirror_of_two(STATUS_BUSY));
}

static void copies_of_different_sizes(void **state)
{
    struct storage *pieces[2];
    struct storage *mirror;

    (void)state;
    assert_int_equal(storage_memory("x", 512, &pieces[0]), STATUS_OK);
    assert_int_equal(storage_memory("y", 1024, &pieces[1]), STATUS_OK);
    assert_int_equal(storage_mirror("m", pieces, 2, NULL, NULL, &mirror), STATUS_INVALID_PARAMETER);
    assert_null(mirror);
}

static void nested(void **state)
{
    struct storage *pieces[2], *halves[2];
    struct storage *mirror;
    uint8_t data[SIZE], back[SIZE];

    (void)state;
    make_file("a", SIZE / 2, 0);
    make_file("b", SIZE / 2, 0);
    make_file("c", SIZE, 0);
    halves[0] = open_file("a", 0, SIZE / 2);
    halves[1] = open_file("b", 0, SIZE / 2);
    assert_int_equal(storage_concatenate("ab", halves, 2, &pieces[0]), STATUS_OK);
    pieces[1] = open_file("c", 0, SIZE);
    assert_int_equal(storage_mirror("m", pieces, 2, note_loss, NULL, &mirror), STATUS_OK);
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (uint8_t)(i % 253);
    assert_true(storage_write(mirror, 0, data, SIZE));
    for (int i = 0; i < 2; i++) {
        assert_true(storage_read(mirror, 0, back, SIZE));
        assert_memory_equal(back, data, SIZE);
    }
    assert_int_equal(byte_of("b", 5), (SIZE / 2 + 5) % 253);
    storage_free(mirror);
}

static void out_of_memory(void **state)
{
    (void)state;
    for (long nth = 1; nth < 12; nth++) {
        struct storage *pieces[2] = {NULL, NULL};
        struct storage *mirror = NULL;
        enum status status;

        assert_int_equal(storage_memory("x", 512, &pieces[0]), STATUS_OK);
        assert_int_equal(storage_memory("y", 512, &pieces[1]), STATUS_OK);
        os_alloc_fail_at(nth);
        status = storage_mirror("m", pieces, 2, NULL, NULL, &mirror);
        os_alloc_fail_at(0);
        assert_true(status == STATUS_OK || (status == STATUS_NO_MEMORY && mirror == NULL));
        storage_free(mirror);
    }
}

/* --- accounts and errors --- */

static void accounts(void **state)
{
    static const char text[] = "# comment\n\nnulltest:none:\nalice:chap:alicePass\r\n"
                               "iqn.1991-05.com.microsoft\\:ws2:CHAP:12:34\\\\56\n"
                               "bob:chap:Rhode Island Red";
    struct auths auths;
    char error[100];

    (void)state;
    assert_true(auths_parse(&auths, text, sizeof text - 1, error, sizeof error));
    assert_int_equal(auths.count, 3);
    assert_string_equal(auths_find(&auths, "alice")->secret, "alicePass");
    assert_string_equal(auths_find(&auths, "iqn.1991-05.com.microsoft:ws2")->secret, "12:34\\56");
    assert_string_equal(auths_find(&auths, "bob")->secret, "Rhode Island Red");
    assert_null(auths_find(&auths, "nulltest"));
    auths_clear(&auths);
}

static void bad_accounts(void **state)
{
    static const char *const table[][2] = {
        {"alice", "1: not user:chap:secret, or too long"},
        {"alice:chap", "1: not user:chap:secret, or too long"},
        {"#\nalice:chap:", "2: the secret is empty or too long"},
        {":chap:secret", "1: the name of the user is empty or too long"},
        {"alice:kerberos:secret", "1: neither chap nor none"},
        {"alice:cha:secret", "1: neither chap nor none"},
        {"alice:chaps:secret", "1: neither chap nor none"},
        {"alice:chap:a\nalice:chap:b", "2: the user is there already"},
    };
    struct auths auths;
    char error[100];

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_false(auths_parse(&auths, table[i][0], strlen(table[i][0]), error, sizeof error));
        assert_string_equal(error, table[i][1]);
        assert_null(auths.accounts);
    }
}

static void every_status_has_an_errno(void **state)
{
    (void)state;
    for (int status = 0; status < STATUS_COUNT; status++) {
        if (!error_has_row((enum status)status))
            fail_msg("%s has no row in errors.c", status_name((enum status)status));
    }
    assert_int_equal(error_of_status(STATUS_OK), 0);
    assert_int_equal(error_of_status(STATUS_NO_MEMORY), ENOMEM);
}

#define T(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(extent_is_part_of_a_file),
        T(files_are_made_and_made_longer),
        T(what_cannot_be_opened),
        T(concatenation),
        T(writes_go_to_all_copies),
        T(reads_use_every_copy),
        T(a_copy_that_fails_is_left_out),
        T(a_copy_that_cannot_be_read_is_left_out),
        T(a_lost_copy_stays_lost),
        T(a_copy_that_was_not_there_is_left_out),
        T(copies_that_are_all_new_are_equal),
        T(copies_that_deny_each_other),
        T(copies_of_different_sizes),
        T(nested),
        T(out_of_memory),
        cmocka_unit_test(accounts),
        cmocka_unit_test(bad_accounts),
        cmocka_unit_test(every_status_has_an_errno),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
