#include "os_test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* --- text --- */

static const struct {
    const char *utf8;
    uint16_t utf16[8];
    long units;
} texts[] = {
    {"", {0}, 0},
    {"A", {'A', 0}, 1},
    {"\x7f", {0x7F, 0}, 1},
    {"\xc2\x80", {0x80, 0}, 1},
    {"\xc3\xbc", {0xFC, 0}, 1},
    {"\xdf\xbf", {0x7FF, 0}, 1},
    {"\xe0\xa0\x80", {0x800, 0}, 1},
    {"\xe2\x82\xac", {0x20AC, 0}, 1},
    {"\xed\x9f\xbf", {0xD7FF, 0}, 1},
    {"\xee\x80\x80", {0xE000, 0}, 1},
    {"\xef\xbf\xbf", {0xFFFF, 0}, 1},
    {"\xf0\x90\x80\x80", {0xD800, 0xDC00, 0}, 2},
    {"\xf0\x9f\x98\x80", {0xD83D, 0xDE00, 0}, 2},
    {"\xf4\x8f\xbf\xbf", {0xDBFF, 0xDFFF, 0}, 2},
    {"a\xf0\x9f\x98\x80z", {'a', 0xD83D, 0xDE00, 'z', 0}, 4},
};

static void utf8_and_utf16_meet(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint16_t wide[8];
        char narrow[16];
        long bytes = (long)strlen(texts[i].utf8);
        assert_int_equal(os_utf8_to_utf16(texts[i].utf8, wide, 8), texts[i].units);
        assert_memory_equal(wide, texts[i].utf16, 2 * ((size_t)texts[i].units + 1));
        assert_int_equal(os_utf16_to_utf8(texts[i].utf16, narrow, sizeof narrow), bytes);
        assert_string_equal(narrow, texts[i].utf8);
    }
}

static void room_is_counted_with_the_nul(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint16_t wide[8];
        char narrow[16];
        long bytes = (long)strlen(texts[i].utf8), units = texts[i].units;
        assert_int_equal(os_utf8_to_utf16(texts[i].utf8, wide, (size_t)units + 1), units);
        assert_int_equal(os_utf16_to_utf8(texts[i].utf16, narrow, (size_t)bytes + 1), bytes);
        assert_int_equal(os_ansi_to_utf8(narrow, narrow, 0), -1);
        for (size_t room = 0; room <= (size_t)units; room++) {
            wide[0] = 'x';
            assert_int_equal(os_utf8_to_utf16(texts[i].utf8, wide, room), -1);
            assert_int_equal(wide[0], room > 0 ? 0 : 'x');
        }
        for (size_t room = 0; room <= (size_t)bytes; room++) {
            narrow[0] = 'x';
            assert_int_equal(os_utf16_to_utf8(texts[i].utf16, narrow, room), -1);
            assert_int_equal(narrow[0], room > 0 ? 0 : 'x');
        }
    }
}

static void invalid_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80", /* continuation alone */
        "a\xbf",
        "\xc0\x80", /* overlong NUL */
        "\xc1\xbf",
        "\xc3", /* cut off */
        "\xc3(",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xe2\x82",
        "\xe2(\xa1",
        "\xed\xa0\x80", /* surrogates */
        "\xed\xbf\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x9f\x98",
        "\xf4\x90\x80\x80", /* past U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xfe",
        "\xff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint16_t wide[16] = {'x'};
        char narrow[16] = "x";
        if (os_utf8_to_utf16(bad[i], wide, 16) != -1 || wide[0] != 0)
            fail_msg("invalid UTF-8 number %zu was taken", i);
        if (os_utf8_to_ansi(bad[i], narrow, sizeof narrow) != -1 || narrow[0] != '\0')
            fail_msg("invalid UTF-8 number %zu became ANSI", i);
    }
}

static void lone_surrogates_are_refused(void **state)
{
    (void)state;
    static const uint16_t bad[][4] = {
        {0xD800, 0},      {0xDC00, 0},         {'a', 0xDBFF, 'b', 0}, {0xD800, 0xD800, 0xDC00, 0},
        {0xDFFF, 0xD800}, {0xD800, 0xE000, 0},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char narrow[16] = "x";
        assert_int_equal(os_utf16_to_utf8(bad[i], narrow, sizeof narrow), -1);
        assert_string_equal(narrow, "");
    }
}

static void every_code_point_survives(void **state)
{
    (void)state;
    for (uint32_t c = 1; c <= 0x10FFFF; c++) {
        uint16_t wide[3] = {(uint16_t)c, 0, 0}, again[3] = {0};
        char narrow[5];
        if (c >= 0x10000) {
            wide[0] = (uint16_t)(0xD800 + ((c - 0x10000) >> 10));
            wide[1] = (uint16_t)(0xDC00 + ((c - 0x10000) & 0x3FF));
        }
        bool surrogate = c >= 0xD800 && c <= 0xDFFF;
        long bytes = os_utf16_to_utf8(wide, narrow, sizeof narrow);
        if (surrogate ? bytes != -1
                      : os_utf8_to_utf16(narrow, again, 3) < 1 || memcmp(wide, again, sizeof wide))
            fail_msg("U+%04X came back changed", (unsigned)c);
    }
}

static void ascii_is_the_same_in_ansi(void **state)
{
    (void)state;
    char out[32];
    assert_int_equal(os_ansi_to_utf8("iqn.2001-04.example", out, sizeof out), 19);
    assert_string_equal(out, "iqn.2001-04.example");
    assert_int_equal(os_utf8_to_ansi("iqn.2001-04.example", out, sizeof out), 19);
    assert_string_equal(out, "iqn.2001-04.example");
    assert_int_equal(os_utf8_to_ansi("abc", out, 4), 3);
    assert_int_equal(os_utf8_to_ansi("abc", out, 3), -1);
    assert_string_equal(out, "");
    assert_int_equal(os_ansi_to_utf8("abc", out, 3), -1);
    assert_int_equal(os_ansi_to_utf8("", out, 1), 0);
}

/* U+20AC is in code page 1252 (0x80) and in UTF-8; U+6F22 is '?' where the code page lacks it. */
static void ansi_knows_its_code_page(void **state)
{
    (void)state;
    char ansi[16], back[16];
    assert_true(os_utf8_to_ansi("\xe2\x82\xac", ansi, sizeof ansi) > 0);
    if (strcmp(ansi, "?") != 0) {
        assert_int_equal(os_ansi_to_utf8(ansi, back, sizeof back), 3);
        assert_string_equal(back, "\xe2\x82\xac");
    }
    assert_true(os_utf8_to_ansi("\xe6\xbc\xa2", ansi, sizeof ansi) > 0);
    if (strcmp(ansi, "?") != 0)
        assert_true(os_ansi_to_utf8(ansi, back, sizeof back) == 3);
}

/* --- names and places --- */

static void initiator_names_are_found_in_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *name;
    } rows[] = {
        {"InitiatorName=iqn.a:b\n", "iqn.a:b"},
        {"# InitiatorName=iqn.no\n\n  InitiatorName = iqn.yes \r\n", "iqn.yes"},
        {"InitiatorName=iqn.first\nInitiatorName=iqn.second", "iqn.first"},
        {"InitiatorAlias=x\nInitiatorName=\tiqn.tab", "iqn.tab"},
        {"InitiatorName=\nInitiatorName=iqn.after", "iqn.after"},
        {"", NULL},
        {"InitiatorName", NULL},
        {"InitiatorName iqn.a", NULL},
        {"InitiatorNames=iqn.a", NULL},
        {"XInitiatorName=iqn.a", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[32] = "untouched";
        bool found = os_initiator_name_in(rows[i].text, name, sizeof name);
        assert_string_equal(found ? name : "none", rows[i].name != NULL ? rows[i].name : "none");
    }
    char narrow[7];
    assert_false(os_initiator_name_in("InitiatorName=iqn.a:b", narrow, sizeof narrow));
}

static void the_host_has_a_lower_case_name(void **state)
{
    (void)state;
    char name[256], narrow[1];
    assert_true(os_host_name(name, sizeof name));
    assert_true(name[0] != '\0');
    for (const char *p = name; *p != '\0'; p++)
        assert_false(*p >= 'A' && *p <= 'Z');
    assert_false(os_host_name(narrow, sizeof narrow));
}

static void environment_variables_are_read(void **state)
{
    (void)state;
    char value[64];
    char set[] = "ISCSIDSC_TEST_VALUE=some text";
    assert_false(os_environment("ISCSIDSC_TEST_VALUE", value, sizeof value));
    assert_int_equal(putenv(set), 0);
    assert_true(os_environment("ISCSIDSC_TEST_VALUE", value, sizeof value));
    assert_string_equal(value, "some text");
    assert_true(os_environment("ISCSIDSC_TEST_VALUE", value, 10));
    assert_false(os_environment("ISCSIDSC_TEST_VALUE", value, 9));
}

static void the_state_directory_can_be_told(void **state)
{
    (void)state;
    char path[512], narrow[4];
    assert_true(os_state_directory(path, sizeof path));
    assert_non_null(strstr(path, "iscsidsc"));
    assert_false(os_state_directory(narrow, sizeof narrow));
    static char set[] = "ISCSIDSC_STATE=some/where";
    assert_int_equal(putenv(set), 0);
    assert_true(os_state_directory(path, sizeof path));
#ifdef _WIN32
    assert_non_null(strstr(path, "some\\where"));
    assert_string_equal(strstr(path, "some\\where"), "some\\where");
#else
    assert_non_null(strstr(path, "some/where"));
    assert_string_equal(strstr(path, "some/where"), "some/where");
    char here[256];
    assert_non_null(getcwd(here, sizeof here));
    assert_memory_equal(path, here, strlen(here));
    /* What cannot be used is refused, and no other place taken. */
    static char bad[] = "ISCSIDSC_STATE=/tmp/lat\xe9";
    assert_int_equal(putenv(bad), 0);
    assert_false(os_state_directory(path, sizeof path));
#endif
}

static void the_machine_has_addresses(void **state)
{
    (void)state;
    struct os_address all[64], one;
    size_t count = os_local_addresses(all, 64);
    struct os_address here = loopback(0);
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(os_address_port(&all[i]), 0);
        found = found || os_address_same_host(&all[i], &here);
    }
    assert_true(found);
    assert_int_equal(os_local_addresses(&one, 1), 1);
    assert_int_equal(os_local_addresses(&one, 0), 0);
}

static void versions_are_plausible(void **state)
{
    (void)state;
    uint32_t major, minor, build;
    os_version(&major, &minor, &build);
    assert_true(major >= 6 && major <= 11);
    assert_true(build >= 6000);
    assert_true(os_process_id() == (uint32_t)getpid());
}

/* --- files --- */

static char root[400];

static int make_root(void **state)
{
    char base[256];
    (void)state;
    if (!os_environment("TMPDIR", base, sizeof base) && !os_environment("TEMP", base, sizeof base))
        strcpy(base, "/tmp");
    snprintf(root, sizeof root, "%s/os-test-%u-%llu", base, os_process_id(),
             (unsigned long long)os_now_us());
    return os_make_private_directory(root) != STATUS_OK;
}

static const char *under_root(const char *name)
{
    static char paths[4][600];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s%s%s", root, name[0] != '\0' ? "/" : "", name);
    return path;
}

static int remove_root(void **state)
{
    static const char *const files[] = {"file", "fifo", "a/file"};
    static const char *const directories[] = {"wide", "a/b/c", "a/b/d", "a/b", "a", ""};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        remove(under_root(files[i]));
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
        rmdir(under_root(directories[i]));
    return 0;
}

static void write_file(const char *path, const void *data, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* Windows' C library shows no access rights. */
static void assert_mode(const char *path, unsigned mode)
{
#ifdef _WIN32
    (void)path;
    (void)mode;
#else
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, mode);
#endif
}

static void private_directories_are_made_with_their_parents(void **state)
{
    (void)state;
    const char *path = under_root("a/b/c");
    assert_status(os_make_private_directory(path), STATUS_OK);
    assert_status(os_make_private_directory(path), STATUS_OK);
    assert_status(os_make_private_directory(under_root("a/b/d/")), STATUS_OK);
    assert_mode(path, 0700);
    assert_mode(under_root("a"), 0700);
    assert_status(os_make_private_directory(""), STATUS_INVALID_PARAMETER);
    write_file(under_root("a/file"), "x", 1);
    assert_status(os_make_private_directory(under_root("a/file")), STATUS_STORE_FAILED);
    assert_status(os_make_private_directory(under_root("a/file/b")), STATUS_STORE_FAILED);
}

static void open_directories_and_files_are_made_private(void **state)
{
    (void)state;
    const char *directory = under_root("wide"), *file = under_root("file");
    write_file(file, "secret", 6);
#ifdef _WIN32
    assert_int_equal(mkdir(directory), 0);
#else
    assert_int_equal(mkdir(directory, 0777), 0);
    assert_int_equal(chmod(directory, 0777), 0);
    assert_int_equal(chmod(file, 0666), 0);
#endif
    assert_status(os_make_private_directory(directory), STATUS_OK);
    assert_status(os_make_private_file(file), STATUS_OK);
    assert_mode(directory, 0700);
    assert_mode(file, 0600);
    write_file(file, "still ours", 10);
    assert_status(os_make_private_file(directory), STATUS_STORE_FAILED);
    assert_status(os_make_private_file(under_root("missing")), STATUS_STORE_FAILED);
}

/* A directory of somebody else could be read by them later, whatever its mode is now. */
static void a_strangers_directory_is_refused(void **state)
{
    (void)state;
#ifdef _WIN32
    skip();
#else
    const char *path = under_root("stranger");
    if (geteuid() != 0)
        skip(); /* only root can make one */
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chown(path, 12345, 12345), 0);
    enum status status = os_make_private_directory(path);
    rmdir(path);
    assert_status(status, STATUS_ACCESS_DENIED);
#endif
}

static void names_beyond_ascii_work(void **state)
{
    (void)state;
    const char *path = under_root("m\xc3\xbcller");
    char ansi[600], *text;
    size_t length;
    assert_status(os_make_private_directory(path), STATUS_OK);
    assert_status(os_read_file(path, &text, &length), STATUS_STORE_FAILED);
    assert_null(text);
    assert_true(os_utf8_to_ansi(path, ansi, sizeof ansi) > 0);
    assert_int_equal(rmdir(ansi), 0);
}

static void files_are_read_whole(void **state)
{
    (void)state;
    static char large[200001];
    const char *path = under_root("file");
    char *text;
    size_t length;
    memset(large, 'x', sizeof large);
    large[0] = '\0';
    write_file(path, large, sizeof large);
    assert_status(os_read_file(path, &text, &length), STATUS_OK);
    assert_int_equal(length, sizeof large);
    assert_memory_equal(text, large, sizeof large);
    assert_int_equal(text[length], 0);
    os_free(text);
    write_file(path, "", 0);
    assert_status(os_read_file(path, &text, &length), STATUS_OK);
    assert_int_equal(length, 0);
    assert_string_equal(text, "");
    os_free(text);
    os_alloc_fail_at(1);
    enum status status = os_read_file(path, &text, &length);
    os_alloc_fail_at(0);
    assert_status(status, STATUS_NO_MEMORY);
    assert_null(text);
}

static void missing_and_odd_files_are_told_apart(void **state)
{
    (void)state;
    char *text = root;
    size_t length = 7;
    assert_status(os_read_file(under_root("missing"), &text, &length), STATUS_OK);
    assert_null(text);
    assert_status(os_read_file(under_root("missing/too"), &text, &length), STATUS_OK);
    assert_null(text);
    assert_status(os_read_file(root, &text, &length), STATUS_STORE_FAILED);
    assert_null(text);
#ifndef _WIN32
    assert_int_equal(mkfifo(under_root("fifo"), 0600), 0);
    assert_status(os_read_file(under_root("fifo"), &text, &length), STATUS_STORE_FAILED);
#endif
}

static void a_file_too_large_is_refused(void **state)
{
    (void)state;
    char *text;
    size_t length;
    const char *path = under_root("file");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 16 << 20, SEEK_SET), 0);
    assert_int_equal(fputc('x', file), 'x');
    assert_int_equal(fclose(file), 0);
    assert_status(os_read_file(path, &text, &length), STATUS_STORE_FAILED);
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_and_utf16_meet),
        cmocka_unit_test(room_is_counted_with_the_nul),
        cmocka_unit_test(invalid_utf8_is_refused),
        cmocka_unit_test(lone_surrogates_are_refused),
        cmocka_unit_test(every_code_point_survives),
        cmocka_unit_test(ascii_is_the_same_in_ansi),
        cmocka_unit_test(ansi_knows_its_code_page),
        cmocka_unit_test(initiator_names_are_found_in_text),
        cmocka_unit_test(the_host_has_a_lower_case_name),
        cmocka_unit_test(environment_variables_are_read),
        cmocka_unit_test(the_state_directory_can_be_told),
        cmocka_unit_test(the_machine_has_addresses),
        cmocka_unit_test(versions_are_plausible),
        cmocka_unit_test(private_directories_are_made_with_their_parents),
        cmocka_unit_test(open_directories_and_files_are_made_private),
        cmocka_unit_test(a_strangers_directory_is_refused),
        cmocka_unit_test(names_beyond_ascii_work),
        cmocka_unit_test(files_are_read_whole),
        cmocka_unit_test(missing_and_odd_files_are_told_apart),
        cmocka_unit_test(a_file_too_large_is_refused),
    };
    return cmocka_run_group_tests_name("os_system", tests, make_root, remove_root);
}
