/*
 * All 98 functions of the management API against everything that can be wrong with a call whatever
 * the objects are: NULL pointers, object types that there are not or that do not fit, owners and
 * objects that there are not, values out of range, names that are too long. Each must return its
 * error, in the order that ima.h promises, and leave what it would return untouched (lists: NULL).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ima_table.h"

/* --- a call in which everything is right but the object --- */

static void on_visibility(IMA_BOOL visible, IMA_OID oid)
{
    (void)visible;
    (void)oid;
}

static void on_property(IMA_OID oid)
{
    (void)oid;
}

static const IMA_IP_ADDRESS some_ip = {IMA_TRUE, {192, 0, 2, 1}};
static const IMA_IP_ADDRESS other_ip = {IMA_FALSE,
                                        {0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
static const IMA_AUTHMETHOD some_methods[] = {IMA_AUTHMETHOD_CHAP, IMA_AUTHMETHOD_NONE};
static IMA_INITIATOR_AUTHPARMS some_parameters;
static IMA_WCHAR some_text[IMA_NODE_ALIAS_LEN];
static IMA_HOST_ID some_host;

static union {
    char bytes[OUT_ROOM];
    uint64_t aligned;
} out;
static IMA_UINT out_length, sense_length;
static IMA_BYTE sense[32], lun[8];
static IMA_AUTHMETHOD method_room[8];
static IMA_OID_LIST *list;
static IMA_ADDRESS_KEYS *keys;

static void put_text(IMA_WCHAR *to, const char *text)
{
    while ((*to++ = (IMA_WCHAR)*text++) != 0)
        ;
}

static struct call good_call(const struct function *function)
{
    struct call c;
    memset(&c, 0, sizeof c);
    memset(&out, MARK, sizeof out);
    put_text(some_text, "iqn.2026-11.org.example:errors");
    some_host.hostnameInUse = IMA_TRUE;
    put_text(some_host.id.hostname, "host.example");
    out_length = 4;
    sense_length = sizeof sense;
    list = (IMA_OID_LIST *)(uintptr_t)1;
    keys = (IMA_ADDRESS_KEYS *)(uintptr_t)1;
    c.number = (function->values & CDB) != 0 ? 16 : (function->values & METHODS) != 0 ? 2 : 4;
    c.flag = c.flag2 = IMA_TRUE;
    c.method = IMA_AUTHMETHOD_CHAP;
    c.ip = some_ip;
    c.address.hostnameIpAddress = some_host;
    c.address.portNumber = 3260;
    memcpy(c.target.targetName, some_text, sizeof c.target.targetName);
    c.target.targetAddress = c.address;
    c.primary = &some_ip;
    c.alternate = &other_ip;
    c.host = &some_host;
    c.methods = some_methods;
    c.method_room = method_room;
    c.text = some_text;
    c.in = &some_parameters;
    c.lun = lun;
    c.out = out.bytes;
    c.out_length = &out_length;
    c.sense = sense;
    c.sense_length = &sense_length;
    c.list = &list;
    c.keys = &keys;
    c.visibility = on_visibility;
    c.property = on_property;
    return c;
}

static IMA_OID oid_of(IMA_OBJECT_TYPE type, IMA_UINT32 owner, IMA_UINT64 number)
{
    IMA_OID oid;
    memset(&oid, 0, sizeof oid);
    oid.objectType = type;
    oid.ownerId = owner;
    oid.objectSequenceNumber = number;
    return oid;
}

enum { BUILTIN = 1, NOBODY = 99 };
#define NO_SUCH_OBJECT 0xFFFFFFFF12345678u

/* --- what came --- */

static unsigned calls, failures;

static void begin(void)
{
    calls = failures = 0;
}

static void complain(const struct function *function, const char *what, IMA_STATUS expected,
                     IMA_STATUS got)
{
    failures++;
    print_error("%s, %s: expected 0x%08X, got 0x%08X\n", function->name, what, (unsigned)expected,
                (unsigned)got);
}

static int is_untouched(const struct function *function)
{
    for (size_t i = 0; i < sizeof out; i++) {
        if (out.bytes[i] != MARK)
            return 0;
    }
    if ((function->pointers & LIST) != 0 && list != NULL && list != (IMA_OID_LIST *)(uintptr_t)1)
        return 0;
    return out_length == 4 || out_length == 0;
}

static void expect(const struct function *function, const struct call *c, const char *what,
                   IMA_STATUS expected)
{
    IMA_STATUS got = function->call(c);
    calls++;
    if (got != expected)
        complain(function, what, expected, got);
    else if (IMA_ERROR(got) && !is_untouched(function))
        complain(function, "output changed in spite of an error", expected, got);
}

static void end(unsigned least)
{
    print_message("%u calls\n", calls);
    assert_int_equal(failures, 0);
    assert_true(calls >= least);
}

/* --- the tests --- */

static void all_functions_are_there(void **state)
{
    (void)state;
    assert_int_equal(FUNCTION_COUNT, 98);
    for (size_t i = 1; i < FUNCTION_COUNT; i++)
        assert_string_not_equal(functions[i - 1].name, functions[i].name);
}

static void types_that_there_are_not(void **state)
{
    static const unsigned none[] = {0, 13, 14, 77, 0x7FFFFFFF, 0xFFFFFFFF};
    (void)state;
    begin();
    for (const struct function *f = functions; f < functions + FUNCTION_COUNT; f++) {
        for (size_t i = 0; f->types != NO_OBJECT && i < sizeof none / sizeof *none; i++) {
            struct call c = good_call(f);
            c.oid = oid_of((IMA_OBJECT_TYPE)none[i], BUILTIN, 1);
            expect(f, &c, "no such type", IMA_ERROR_INVALID_OBJECT_TYPE);
        }
    }
    end(80 * 6);
}

static void types_that_do_not_fit(void **state)
{
    (void)state;
    begin();
    for (const struct function *f = functions; f < functions + FUNCTION_COUNT; f++) {
        for (unsigned type = 1; f->types != NO_OBJECT && type <= 12; type++) {
            struct call c = good_call(f);
            c.oid = oid_of((IMA_OBJECT_TYPE)type, BUILTIN, 1);
            if ((f->types & 1u << type) == 0)
                expect(f, &c, "type does not fit", IMA_ERROR_INCORRECT_OBJECT_TYPE);
        }
    }
    end(80 * 8);
}

static void owners_that_there_are_not(void **state)
{
    (void)state;
    begin();
    for (const struct function *f = functions; f < functions + FUNCTION_COUNT; f++) {
        for (unsigned type = 1; type <= 12; type++) {
            struct call c = good_call(f);
            c.oid = oid_of((IMA_OBJECT_TYPE)type, NOBODY, 1);
            if ((f->types & 1u << type) != 0)
                expect(f, &c, "no such owner", IMA_ERROR_OBJECT_NOT_FOUND);
        }
    }
    end(100);
}

static void objects_that_there_are_not(void **state)
{
    (void)state;
    begin();
    for (const struct function *f = functions; f < functions + FUNCTION_COUNT; f++) {
        for (unsigned type = 1; f->types != ANY_OBJECT && type <= 12; type++) {
            struct call c = good_call(f);
            c.oid = oid_of((IMA_OBJECT_TYPE)type, BUILTIN, NO_SUCH_OBJECT);
            if ((f->types & 1u << type) != 0)
                expect(f, &c, "no such object", IMA_ERROR_OBJECT_NOT_FOUND);
            c.oid.ownerId = 0;
            if ((f->types & 1u << type) != 0)
                expect(f, &c, "no such object of the library", IMA_ERROR_OBJECT_NOT_FOUND);
        }
    }
    end(200);
}

static void expect_invalid(const struct function *f, const struct call *c, const char *what)
{
    expect(f, c, what, IMA_ERROR_INVALID_PARAMETER);
}

/* NULL is seen before the object is. */
static void null_pointers(void **state)
{
    (void)state;
    begin();
    for (const struct function *f = functions; f < functions + FUNCTION_COUNT; f++) {
        for (unsigned bit = 1; bit <= FUNCTION; bit <<= 1) {
            struct call c = good_call(f);
            if ((f->pointers & bit) == 0)
                continue;
            c.out = bit == OUT ? NULL : c.out;
            c.list = bit == LIST ? NULL : c.list;
            c.keys = bit == KEYS ? NULL : c.keys;
            c.in = bit == IN ? NULL : c.in;
            c.text = bit == TEXT ? NULL : c.text;
            c.lun = bit == LUN ? NULL : c.lun;
            c.out_length = bit == COUNT ? NULL : c.out_length;
            c.method_room = bit == ROOM ? NULL : c.method_room; /* with a count of 4 */
            c.visibility = bit == FUNCTION ? NULL : c.visibility;
            c.property = bit == FUNCTION ? NULL : c.property;
            expect_invalid(f, &c, "NULL");
        }
    }
    end(65);
}

static void flags_out_of_range(const struct function *f)
{
    static const IMA_BOOL bad[] = {2, IMA_UNKNOWN};
    for (size_t i = 0; i < 2; i++) {
        struct call c = good_call(f);
        c.flag = bad[i];
        if ((f->values & FLAG) != 0)
            expect_invalid(f, &c, "flag out of range");
        c.flag = IMA_FALSE;
        c.flag2 = bad[i];
        if ((f->values & FLAG2) != 0)
            expect_invalid(f, &c, "second flag out of range");
    }
}

static void bad_addresses(const struct function *f)
{
    struct call c = good_call(f);
    memset(&c.ip, 0, sizeof c.ip);
    memset(&c.address, 0, sizeof c.address);
    memset(&c.target, 0, sizeof c.target);
    expect_invalid(f, &c, "empty structure");
    c = good_call(f);
    c.ip.ipv4Address = 2;
    c.address.hostnameIpAddress.hostnameInUse = 2;
    c.target.targetAddress.hostnameIpAddress.hostnameInUse = 2;
    expect_invalid(f, &c, "which address is meant");
    if ((f->values & IP) != 0)
        return;
    c = good_call(f);
    for (size_t i = 0; i < IMA_HOST_NAME_LEN; i++)
        c.address.hostnameIpAddress.id.hostname[i] = L'a';
    c.target.targetAddress = c.address;
    expect_invalid(f, &c, "host name without an end");
    c.address.hostnameIpAddress.id.hostname[0] = 0;
    c.target.targetAddress = c.address;
    expect_invalid(f, &c, "empty host name");
}

static void bad_targets(const struct function *f)
{
    struct call c = good_call(f);
    c.target.targetName[0] = 0;
    expect_invalid(f, &c, "empty name");
    c = good_call(f);
    for (size_t i = 0; i < IMA_NODE_NAME_LEN; i++)
        c.target.targetName[i] = L'a';
    expect_invalid(f, &c, "name without an end");
    c = good_call(f);
    c.target.portalGroupTagValid = 2;
    expect_invalid(f, &c, "is there a tag");
}

static void bad_methods(const struct function *f)
{
    static const unsigned none[] = {IMA_AUTHMETHOD_NONE, IMA_AUTHMETHOD_SPKM2 + 1, 0xFFFFFFFF};
    for (size_t i = 0; i < 3; i++) {
        struct call c = good_call(f);
        c.method = (IMA_AUTHMETHOD)none[i];
        expect_invalid(f, &c, "method out of range");
    }
}

static void bad_method_lists(const struct function *f)
{
    static const IMA_AUTHMETHOD twice[] = {IMA_AUTHMETHOD_NONE, IMA_AUTHMETHOD_NONE};
    static const IMA_AUTHMETHOD unknown[] = {IMA_AUTHMETHOD_NONE, (IMA_AUTHMETHOD)6};
    struct call c = good_call(f);
    c.number = 0;
    expect_invalid(f, &c, "no methods");
    c = good_call(f);
    c.methods = NULL;
    expect_invalid(f, &c, "no list");
    c = good_call(f);
    c.methods = twice;
    expect_invalid(f, &c, "a method twice");
    c.methods = unknown;
    expect_invalid(f, &c, "an unknown method");
    c.number = 0xFFFFFFFF;
    expect_invalid(f, &c, "more methods than there are");
}

static void bad_isns(const struct function *f)
{
    IMA_HOST_ID host;
    struct call c = good_call(f);
    c.isns = (IMA_ISNS_DISCOVERY_METHOD)3;
    expect_invalid(f, &c, "no such method");
    c = good_call(f);
    c.host = NULL;
    expect_invalid(f, &c, "no host");
    c = good_call(f);
    host = some_host;
    host.hostnameInUse = 2;
    c.host = &host;
    expect_invalid(f, &c, "which address is meant");
}

static void bad_dns(const struct function *f)
{
    IMA_IP_ADDRESS bad = some_ip;
    struct call c = good_call(f);
    c.primary = NULL;
    expect_invalid(f, &c, "only an alternate");
    c = good_call(f);
    c.alternate = c.primary;
    expect_invalid(f, &c, "the same twice");
    bad.ipv4Address = 2;
    c = good_call(f);
    c.primary = &bad;
    expect_invalid(f, &c, "bad primary");
    c = good_call(f);
    c.alternate = &bad;
    expect_invalid(f, &c, "bad alternate");
}

static void bad_buffers(const struct function *f)
{
    struct call c = good_call(f);
    out_length = 0;
    expect_invalid(f, &c, "no room");
    c = good_call(f);
    c.sense = NULL;
    expect_invalid(f, &c, "room for sense data that is not there");
    c = good_call(f);
    c.sense_length = NULL;
    expect_invalid(f, &c, "sense data without a length");
}

static void bad_ioctls(const struct function *f)
{
    struct call c = good_call(f);
    c.in = NULL;
    expect_invalid(f, &c, "length without input");
    c = good_call(f);
    c.out = NULL;
    expect_invalid(f, &c, "room without output");
    c = good_call(f);
    out_length = 0;
    expect_invalid(f, &c, "output without room");
    c = good_call(f);
    c.out_length = NULL;
    expect_invalid(f, &c, "output without length");
    c.out = NULL;
    expect_invalid(f, &c, "input without output length");
}

static void bad_numbers(const struct function *f)
{
    static const IMA_UINT lengths[] = {0, 6, 12, 32, 0xFFFFFFFF};
    struct call c = good_call(f);
    for (size_t i = 0; (f->values & CDB) != 0 && i < 5; i++) {
        c.number = lengths[i];
        expect_invalid(f, &c, "length of the CDB");
    }
    c.image = (IMA_PHBA_DOWNLOAD_IMAGE_TYPE)3;
    if ((f->values & IMAGE) != 0)
        expect_invalid(f, &c, "no such image type");
}

/* Each of them is seen before the object is: there is none. */
static void values_out_of_range(void **state)
{
    static const struct {
        unsigned values;
        void (*check)(const struct function *f);
    } checks[] = {
        {FLAG | FLAG2, flags_out_of_range},
        {IP | ADDRESS | TARGET, bad_addresses},
        {TARGET, bad_targets},
        {METHOD, bad_methods},
        {METHODS, bad_method_lists},
        {ISNS, bad_isns},
        {DNS, bad_dns},
        {BUFFERS, bad_buffers},
        {IOCTL, bad_ioctls},
        {CDB | IMAGE, bad_numbers},
    };
    (void)state;
    begin();
    for (const struct function *f = functions; f < functions + FUNCTION_COUNT; f++) {
        for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
            if ((f->values & checks[i].values) != 0)
                checks[i].check(f);
        }
    }
    end(83);
}

/* What is wrong first is reported first. */
static void order_of_checks(void **state)
{
    (void)state;
    begin();
    for (const struct function *f = functions; f < functions + FUNCTION_COUNT; f++) {
        struct call c = good_call(f);
        if (f->types == NO_OBJECT || f->types == ANY_OBJECT)
            continue;
        c.oid = oid_of(IMA_OBJECT_TYPE_PORTAL_GROUP, NOBODY, NO_SUCH_OBJECT);
        expect(f, &c, "type before owner", IMA_ERROR_INCORRECT_OBJECT_TYPE);
        c.out = NULL;
        c.oid = oid_of(IMA_OBJECT_TYPE_UNKNOWN, NOBODY, NO_SUCH_OBJECT);
        if ((f->pointers & OUT) != 0)
            expect_invalid(f, &c, "NULL before type");
        c = good_call(f);
        c.oid = oid_of(IMA_OBJECT_TYPE_UNKNOWN, NOBODY, NO_SUCH_OBJECT);
        c.flag = 2;
        if ((f->values & FLAG) != 0)
            expect_invalid(f, &c, "flag before type");
    }
    end(80);
}

static void names_that_are_too_long(void **state)
{
    static IMA_WCHAR text[IMA_NODE_ALIAS_LEN + 8];
    IMA_OID node = oid_of(IMA_OBJECT_TYPE_LHBA, NOBODY, 0);
    (void)state;
    for (size_t i = 0; i < IMA_NODE_NAME_LEN; i++)
        text[i] = L'a';
    assert_int_equal(IMA_SetNodeName(node, text), IMA_ERROR_NAME_TOO_LONG);
    assert_int_equal(IMA_SetNodeAlias(node, text), IMA_ERROR_INCORRECT_OBJECT_TYPE);
    for (size_t i = 0; i < IMA_NODE_ALIAS_LEN; i++)
        text[i] = L'a';
    assert_int_equal(IMA_SetNodeAlias(node, text), IMA_ERROR_NAME_TOO_LONG);
    text[112] = 0;
    for (size_t i = 0; i < 112; i++)
        text[i] = 0xE4; /* 224 bytes */
    assert_int_equal(IMA_SetNodeName(node, text), IMA_ERROR_NAME_TOO_LONG);
    text[111] = 0;
    assert_int_equal(IMA_SetNodeName(node, text), IMA_ERROR_INCORRECT_OBJECT_TYPE);
    text[0] = 0;
    assert_int_equal(IMA_SetNodeName(node, text), IMA_ERROR_INVALID_PARAMETER);
    assert_int_equal(IMA_SetNodeAlias(node, NULL), IMA_ERROR_INCORRECT_OBJECT_TYPE);
}

/* The shared node belongs to no plugin. */
static void objects_of_the_library(void **state)
{
    IMA_OID node, plugin;
    IMA_OBJECT_TYPE type;
    (void)state;
    assert_int_equal(IMA_GetSharedNodeOid(&node), IMA_STATUS_SUCCESS);
    assert_int_equal(IMA_GetObjectType(node, &type), IMA_STATUS_SUCCESS);
    assert_int_equal(type, IMA_OBJECT_TYPE_NODE);
    assert_int_equal(IMA_GetAssociatedPluginOid(node, &plugin), IMA_ERROR_INVALID_PARAMETER);
    assert_int_equal(IMA_FreeMemory(NULL), IMA_STATUS_SUCCESS);
}

/* What needs no object of its own succeeds. */
static void calls_without_objects(void **state)
{
    (void)state;
    for (const struct function *f = functions; f < functions + FUNCTION_COUNT; f++) {
        struct call c = good_call(f);
        if (f->types != NO_OBJECT)
            continue;
        IMA_STATUS status = f->call(&c);
        if (status != IMA_STATUS_SUCCESS)
            fail_msg("%s: expected success, got 0x%08X", f->name, (unsigned)status);
        if ((f->pointers & LIST) != 0) {
            assert_non_null(list);
            assert_int_equal(IMA_FreeMemory(list), IMA_STATUS_SUCCESS);
        }
    }
    assert_int_equal(IMA_DeregisterForObjectVisibilityChanges(on_visibility), IMA_STATUS_SUCCESS);
    assert_int_equal(IMA_DeregisterForObjectPropertyChanges(on_property), IMA_STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_functions_are_there),    cmocka_unit_test(types_that_there_are_not),
        cmocka_unit_test(types_that_do_not_fit),      cmocka_unit_test(owners_that_there_are_not),
        cmocka_unit_test(objects_that_there_are_not), cmocka_unit_test(null_pointers),
        cmocka_unit_test(values_out_of_range),        cmocka_unit_test(order_of_checks),
        cmocka_unit_test(names_that_are_too_long),    cmocka_unit_test(objects_of_the_library),
        cmocka_unit_test(calls_without_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
