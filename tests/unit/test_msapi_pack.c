/* Texts and results in callers' buffers, and a code for every status. */
#include "msapi/pack.c"
#include "msapi/status.c"
#include "msapi/text.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void every_status_has_a_code_of_its_meaning(void **state)
{
    (void)state;
    for (int status = 0; status < STATUS_COUNT; status++) {
        ISDSC_STATUS code = msapi_status((enum status)status);
        if ((code == ERROR_SUCCESS) != (status == STATUS_OK))
            fail_msg("%s: code %#x", status_name((enum status)status), (unsigned)code);
        /* A size query goes on for as long as it gets this one: only pack_end may say it. */
        assert_true(code != ERROR_INSUFFICIENT_BUFFER);
        /* Warning severity says that the thing was done. */
        bool warning = (code & 0xF0000000u) == 0xA0000000u;
        if (warning != (status == STATUS_NOT_ALL_SUCCEEDED || status == STATUS_SHORT_SECRET_STORED))
            fail_msg("%s: severity of %#x", status_name((enum status)status), (unsigned)code);
    }
    assert_int_equal(msapi_status(STATUS_COUNT), ISDSC_NON_SPECIFIC_ERROR);
}

static void login_statuses_follow_the_order_of_the_codes(void **state)
{
    (void)state;
    static const enum status order[] = {
        STATUS_TARGET_MOVED_TEMPORARILY,   STATUS_TARGET_MOVED_PERMANENTLY,
        STATUS_LOGIN_INITIATOR_ERROR,      STATUS_LOGIN_AUTHENTICATION_FAILED,
        STATUS_LOGIN_AUTHORIZATION_FAILED, STATUS_LOGIN_NOT_FOUND,
        STATUS_LOGIN_TARGET_REMOVED,       STATUS_LOGIN_UNSUPPORTED_VERSION,
        STATUS_LOGIN_TOO_MANY_CONNECTIONS, STATUS_LOGIN_MISSING_PARAMETER,
        STATUS_LOGIN_CANT_INCLUDE,         STATUS_LOGIN_SESSION_TYPE,
        STATUS_LOGIN_TARGET_ERROR,         STATUS_LOGIN_SERVICE_UNAVAILABLE,
        STATUS_LOGIN_OUT_OF_RESOURCES,
    };
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        assert_int_equal(msapi_status(order[i]), 0xEFFF0006u + i);
}

/* -------------------------------------------------------------------- text */

static void text_is_read_in_both_forms(void **state)
{
    (void)state;
    static const WCHAR wide[] = {'h', 0xe4, 0xd83d, 0xde00, 0};
    static const WCHAR lone[] = {'h', 0xd83d, 0};
    struct os_arena arena = {0};
    const char *utf8;
    assert_int_equal(text_read(&arena, TEXT_WIDE, wide, &utf8), STATUS_OK);
    assert_string_equal(utf8, "h\xc3\xa4\xf0\x9f\x98\x80");
    assert_int_equal(text_read(&arena, TEXT_ANSI, "plain", &utf8), STATUS_OK);
    assert_string_equal(utf8, "plain");
    assert_int_equal(text_read(&arena, TEXT_ANSI, NULL, &utf8), STATUS_OK);
    assert_null(utf8);
    assert_int_equal(text_read(&arena, TEXT_WIDE, lone, &utf8), STATUS_INVALID_PARAMETER);
    assert_null(utf8);
    os_arena_clear(&arena);
}

static void arrays_have_to_end(void **state)
{
    (void)state;
    static const char ansi[4] = {'a', 'b', 0, (char)0xff};
    static const char full[4] = {'a', 'b', 'c', 'd'};
    static const WCHAR wide[3] = {'x', 'y', 'z'};
    struct os_arena arena = {0};
    const char *utf8;
    assert_int_equal(text_read_array(&arena, TEXT_ANSI, ansi, 4, &utf8), STATUS_OK);
    assert_string_equal(utf8, "ab");
    assert_int_equal(text_read_array(&arena, TEXT_ANSI, full, 4, &utf8), STATUS_INVALID_PARAMETER);
    assert_int_equal(text_read_array(&arena, TEXT_WIDE, wide, 3, &utf8), STATUS_INVALID_PARAMETER);
    os_arena_clear(&arena);
}

static void endless_text_is_refused(void **state)
{
    (void)state;
    struct os_arena arena = {0};
    const char *utf8;
    char *text = os_alloc(TEXT_CHARACTERS_MAX + 2);
    assert_non_null(text);
    memset(text, 'a', TEXT_CHARACTERS_MAX + 1);
    assert_int_equal(text_read(&arena, TEXT_ANSI, text, &utf8), STATUS_INVALID_PARAMETER);
    text[TEXT_CHARACTERS_MAX] = '\0';
    assert_int_equal(text_read(&arena, TEXT_ANSI, text, &utf8), STATUS_OK);
    os_free(text);
    os_arena_clear(&arena);
}

static void text_is_cut_between_characters(void **state)
{
    (void)state;
    WCHAR wide[4];
    char ansi[5];
    assert_int_equal(text_write(TEXT_WIDE, "ab\xf0\x9f\x98\x80", wide, 4), 3);
    assert_int_equal(wide[1], 'b');
    assert_int_equal(wide[2], 0);
    assert_int_equal(text_write(TEXT_ANSI, "abcdefg", ansi, sizeof ansi), 5);
    assert_string_equal(ansi, "abcd");
    assert_int_equal(text_write(TEXT_ANSI, NULL, ansi, sizeof ansi), 1);
    assert_string_equal(ansi, "");
    assert_int_equal(text_write(TEXT_WIDE, "abc", wide, 4), 4);
    assert_int_equal(text_write(TEXT_WIDE, "abc", wide, 1), 1);
    assert_int_equal(wide[0], 0);
    assert_int_equal(text_write(TEXT_WIDE, "abc", wide, 0), 0);
}

static void text_of_any_length_is_cut(void **state)
{
    (void)state;
    static char long_text[20000];
    WCHAR out[256];
    for (size_t i = 0; i + 1 < sizeof long_text; i += 2)
        memcpy(long_text + i, "\xc3\xa4", 2);
    long_text[sizeof long_text - 2] = '\0';
    assert_int_equal(text_write(TEXT_WIDE, long_text, out, 256), 256);
    assert_int_equal(out[254], 0xe4);
    assert_int_equal(out[255], 0);
}

/* -------------------------------------------------------------------- pack */

static void lists_come_in_characters(void **state)
{
    (void)state;
    static const char *const items[] = {"one", "", "three"};
    const struct text_list list = {items, 3};
    static const char expected[] = "one\0\0three\0";
    struct {
        char list[sizeof expected];
        char guard;
    } ansi;
    WCHAR wide[sizeof expected + 1];
    ULONG size = 99;
    assert_int_equal(pack_text_list(TEXT_ANSI, &list, &size, NULL), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(size, sizeof expected);
    size--;
    memset(&ansi, 0x55, sizeof ansi);
    assert_int_equal(pack_text_list(TEXT_ANSI, &list, &size, ansi.list), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(size, sizeof expected);
    assert_int_equal(ansi.list[0], 0x55);
    assert_int_equal(pack_text_list(TEXT_ANSI, &list, &size, ansi.list), ERROR_SUCCESS);
    assert_memory_equal(ansi.list, expected, sizeof expected);
    assert_int_equal(ansi.guard, 0x55);

    size = sizeof expected + 1;
    wide[sizeof expected] = 0x5555;
    assert_int_equal(pack_text_list(TEXT_WIDE, &list, &size, wide), ERROR_SUCCESS);
    assert_int_equal(size, sizeof expected);
    for (size_t i = 0; i < sizeof expected; i++)
        assert_int_equal(wide[i], expected[i]);
    assert_int_equal(wide[sizeof expected], 0x5555);
}

static void an_empty_list_is_two_nuls(void **state)
{
    (void)state;
    const struct text_list list = {NULL, 0};
    WCHAR wide[3] = {7, 7, 7};
    ULONG size = 0;
    assert_int_equal(pack_text_list(TEXT_WIDE, &list, &size, NULL), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(size, 2);
    assert_int_equal(pack_text_list(TEXT_WIDE, &list, &size, wide), ERROR_SUCCESS);
    assert_true(wide[0] == 0 && wide[1] == 0 && wide[2] == 7);
}

struct pointing {
    const char *text;
    ULONGLONG number;
};

static ISDSC_STATUS pack_pointing(void *buffer, ULONG *size)
{
    struct pack pack;
    struct pointing item = {.number = 7};
    pack_begin(&pack, buffer);
    size_t array = pack_space(&pack, sizeof item, _Alignof(ULONGLONG));
    item.text = pack_text(&pack, TEXT_ANSI, "pointed to");
    pack_store(&pack, array, &item, sizeof item);
    assert_null(pack_bytes(&pack, "x", 0));
    return pack_end(&pack, size, 1);
}

/* Callers hand over byte arrays; the struct inside points into them wherever they lie. */
static void pointers_lead_into_any_buffer(void **state)
{
    (void)state;
    char block[100];
    const ULONG whole = sizeof(struct pointing) + sizeof "pointed to";
    for (size_t shift = 0; shift < 9; shift++) {
        ULONG size = sizeof block - 9;
        struct pointing item;
        memset(block, 0x55, sizeof block);
        assert_int_equal(pack_pointing(block + shift, &size), ERROR_SUCCESS);
        assert_int_equal(size, whole);
        memcpy(&item, block + shift, sizeof item);
        assert_ptr_equal(item.text, block + shift + sizeof item);
        assert_string_equal(item.text, "pointed to");
        assert_int_equal(block[shift + whole], 0x55);
    }
    ULONG size = 0;
    assert_int_equal(pack_pointing(block, &size), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(size, whole);
}

static void nothing_needs_no_buffer(void **state)
{
    (void)state;
    struct pack pack;
    ULONG size = 0xdeadbeef;
    pack_begin(&pack, NULL);
    pack_space(&pack, 0, 8);
    assert_int_equal(pack_end(&pack, &size, 1), ERROR_SUCCESS);
    assert_int_equal(size, 0);
}

static void no_memory_is_told(void **state)
{
    (void)state;
    char buffer[100];
    ULONG size = sizeof buffer;
    memset(buffer, 0x55, sizeof buffer);
    os_alloc_fail_at(1);
    ISDSC_STATUS result = pack_pointing(buffer, &size);
    os_alloc_fail_at(0);
    assert_int_equal(result, ERROR_NOT_ENOUGH_MEMORY);
    assert_int_equal(buffer[0], 0x55);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_code_of_its_meaning),
        cmocka_unit_test(login_statuses_follow_the_order_of_the_codes),
        cmocka_unit_test(text_is_read_in_both_forms),
        cmocka_unit_test(arrays_have_to_end),
        cmocka_unit_test(endless_text_is_refused),
        cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test(text_of_any_length_is_cut),
        cmocka_unit_test(lists_come_in_characters),
        cmocka_unit_test(an_empty_list_is_two_nuls),
        cmocka_unit_test(pointers_lead_into_any_buffer),
        cmocka_unit_test(nothing_needs_no_buffer),
        cmocka_unit_test(no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
