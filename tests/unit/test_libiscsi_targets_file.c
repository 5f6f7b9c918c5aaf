/* The targets file of NetBSD's iscsi-target: what its lines become, and what is said of bad ones.
 */
#include "libiscsi/targets_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Parses a copy of exactly that length, so that a sanitizer sees any read beyond. */
static bool parse(struct targets_file *file, const char *text, size_t length, char error[200])
{
    char *copy = malloc(length > 0 ? length : 1);
    bool good;

    assert_non_null(copy);
    memcpy(copy, text, length);
    good = targets_file_parse(file, copy, length, error, 200);
    free(copy);
    return good;
}

static void accept(struct targets_file *file, const char *text)
{
    char error[200];

    if (!parse(file, text, strlen(text), error))
        fail_msg("\"%s\" was refused: %s", text, error);
}

static void netbsd_s_example(void **state)
{
    struct targets_file file;

    (void)state;
    accept(&file, "# extents\tfile\t\tstart\tlength\n"
                  "extent0\t\t/tmp/iscsi-target0\t0\t100MB\n"
                  "\n"
                  "# target\tflags\tstorage\tnetmask\n"
                  "target0\t\trw\textent0\t\t10.4.0.0/16\n");
    assert_int_equal(file.extent_count, 1);
    assert_string_equal(file.extents[0].name, "extent0");
    assert_string_equal(file.extents[0].file, "/tmp/iscsi-target0");
    assert_int_equal(file.extents[0].offset, 0);
    assert_int_equal(file.extents[0].size, 100u << 20);
    assert_int_equal(file.device_count, 0);
    assert_int_equal(file.lun_count, 1);
    assert_string_equal(file.luns[0].name, "target0");
    assert_null(file.luns[0].iqn);
    assert_false(file.luns[0].read_only);
    assert_false(file.luns[0].storage.is_device);
    assert_string_equal(file.luns[0].network, "10.4.0.0/16");
    assert_int_equal(file.luns[0].line, 5);
    targets_file_clear(&file);
}

static void devices_of_devices(void **state)
{
    struct targets_file file;

    (void)state;
    accept(&file, "extent0 /a 0 1MB\nextent1 /b 0 1MB\nextent2 /c 1KB size\nextent3 /d 0 7\n"
                  "device0 RAID0 extent0 extent1\n"
                  "device1 RAID1 device0 extent2\n"
                  "device2 RAID0 device1 extent3\n"
                  "target7=iqn.2026-11.org.example:x ro device2 any\n");
    assert_int_equal(file.device_count, 3);
    assert_int_equal(file.devices[0].level, 0);
    assert_int_equal(file.devices[1].level, 1);
    assert_int_equal(file.devices[2].depth, 3);
    assert_true(file.devices[2].pieces[0].is_device);
    assert_int_equal(file.devices[2].pieces[0].index, 1);
    assert_false(file.devices[2].pieces[1].is_device);
    assert_int_equal(file.devices[2].pieces[1].index, 3);
    assert_int_equal(file.extents[2].offset, 1024);
    assert_true(file.extents[2].size == TARGETS_WHOLE);
    assert_string_equal(file.luns[0].iqn, "iqn.2026-11.org.example:x");
    assert_true(file.luns[0].read_only);
    assert_string_equal(file.luns[0].network, "any");
    targets_file_clear(&file);
}

static void units_of_one_target(void **state)
{
    struct targets_file file;

    (void)state;
    accept(&file, "extent0 ram: 0 1MB\nextent1 ram: 0 1MB\nextent2 ram: 0 1MB\n"
                  "target0 rw extent0 10/8\ntarget0 ro extent1 10.0.0.0/8\nlun1 rw extent2 all\n");
    assert_int_equal(file.lun_count, 3);
    assert_string_equal(file.luns[1].name, "target0");
    assert_string_equal(file.luns[2].name, "lun1");
    targets_file_clear(&file);
}

/* Text that is accepted. */
static const char *const good[] = {
    "",
    "\n\n",
    "#",
    "   # with blanks before it\n",
    "extent0 /a 0 1",
    "extent0 /a 0 1 # and a comment behind it\n",
    "extent0 /a 0 1\r\ntarget0 rw extent0 any\r\n",
    "\textent00 /a\t0\t1  \n",
    "extent0 /a 4KB 18014398509481983",
    "extent1 relative/file 0 size",
    "extent0 ram: 0 64MB\ndevice0 RAID0 extent0",
    "extent0 /a 0 1\ntarget0 rw extent0 0/0",
    "extent0 /a 0 1\ntarget0 rw extent0 192.0.2.1",
    "extent0 /a 0 1\ntarget0 rw extent0 2001:db8::/32",
    "extent0 /a 0 1\ntarget0 rw extent0 ::1",
    "extent0 /a 0 1\nlun5=eui.0123456789abcdef rw extent0 all",
};

static void good_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct targets_file file;

        accept(&file, good[i]);
        targets_file_clear(&file);
    }
}

/* Text that is refused, and what is said. */
static const struct {
    const char *text;
    const char *error;
} bad[] = {
    {"nonsense", "1: nonsense is not extent, device, target or lun and a number"},
    {"extent /a 0 1", "1: extent is not extent, device, target or lun and a number"},
    {"extentx /a 0 1", "1: extentx is not extent, device, target or lun and a number"},
    {"extent0x /a 0 1", "1: extent0x is not extent, device, target or lun and a number"},
    {"Extent0 /a 0 1", "1: Extent0 is not extent, device, target or lun and a number"},
    {"\n\nextent0", "3: an extent has 4 fields (name, file, offset, size), not 1"},
    {"extent0 /a", "1: an extent has 4 fields (name, file, offset, size), not 2"},
    {"extent0 /a 0", "1: an extent has 4 fields (name, file, offset, size), not 3"},
    {"extent0 /a 0 1 2", "1: an extent has 4 fields (name, file, offset, size), not 5"},
    {"extent0 /a x 1", "1: x is not an offset"},
    {"extent0 /a -1 1", "1: -1 is not an offset"},
    {"extent0 /a 0 -1", "1: -1 is neither a size nor \"size\""},
    {"extent0 /a 0 1PB", "1: 1PB is neither a size nor \"size\""},
    {"extent0 /a 0 1MBs", "1: 1MBs is neither a size nor \"size\""},
    {"extent0 /a 0 1MiB", "1: 1MiB is neither a size nor \"size\""},
    {"extent0 /a 0 1 MB", "1: an extent has 4 fields (name, file, offset, size), not 5"},
    {"extent0 /a 0 MB", "1: MB is neither a size nor \"size\""},
    {"extent0 /a 0 0x10", "1: 0x10 is neither a size nor \"size\""},
    {"extent0 /a 0 SIZE", "1: SIZE is neither a size nor \"size\""},
    {"extent0 /a size 1", "1: size is not an offset"},
    {"extent0 /a 0 0", "1: 0 is no size that a file can have"},
    {"extent0 /a 0 0GB", "1: 0GB is no size that a file can have"},
    {"extent0 /a 0 9223372036854775808", "1: 9223372036854775808 is no size that a file can have"},
    {"extent0 /a 0 18446744073709551616", "1: 18446744073709551616 is neither a size nor \"size\""},
    {"extent0 /a 0 18446744073709551616TB",
     "1: 18446744073709551616TB is neither a size nor \"size\""},
    {"extent0 /a 0 16777216TB", "1: 16777216TB is neither a size nor \"size\""},
    {"extent0 /a 9223372036854775807 1", "1: 1 is no size that a file can have"},
    {"extent0 /a 9223372036854775808 size",
     "1: 9223372036854775808 is no offset that a file can have"},
    {"extent0 ram: 1 1", "1: memory begins at 0 and has a size"},
    {"extent0 ram: 0 size", "1: memory begins at 0 and has a size"},
    {"extent0 /a 0 1\nextent0 /b 0 1", "2: extent0 is defined already"},
    {"device0", "1: a device has at least 3 fields (name, RAID level, extents or devices)"},
    {"device0 RAID0", "1: a device has at least 3 fields (name, RAID level, extents or devices)"},
    {"device0 RAID5 extent0", "1: RAID5 is neither RAID0 nor RAID1"},
    {"device0 raid0 extent0", "1: raid0 is neither RAID0 nor RAID1"},
    {"device0 RAID0 extent0", "1: extent0 is not defined above"},
    {"device0 RAID0 extent0\nextent0 /a 0 1", "1: extent0 is not defined above"},
    {"device0 RAID0 device0", "1: device0 is not defined above"},
    {"extent0 /a 0 1\ndevice0 RAID0 extent0 extent0", "2: extent0 is used already"},
    {"extent0 /a 0 1\ndevice0 RAID0 extent0\ndevice1 RAID0 extent0", "3: extent0 is used already"},
    {"extent0 /a 0 1\nextent1 /b 0 1\ndevice0 RAID0 extent0\ndevice0 RAID0 extent1",
     "4: device0 is defined already"},
    {"extent0 /a 0 1\ndevice0 RAID0 /a", "2: /a is neither an extent nor a device"},
    {"extent0 /a 0 1\ntarget0 rw extent0 any\ndevice0 RAID0 target0",
     "3: target0 is neither an extent nor a device"},
    {"target0", "1: a target has 4 fields (name, ro or rw, storage, netmask), not 1"},
    {"target0 rw", "1: a target has 4 fields (name, ro or rw, storage, netmask), not 2"},
    {"target0 rw extent0", "1: a target has 4 fields (name, ro or rw, storage, netmask), not 3"},
    {"target0 rw extent0 any all",
     "1: a target has 4 fields (name, ro or rw, storage, netmask), not 5"},
    {"extent0 /a 0 1\ntarget0 wo extent0 any", "2: wo is neither ro nor rw"},
    {"extent0 /a 0 1\ntarget0 RW extent0 any", "2: RW is neither ro nor rw"},
    {"extent0 /a 0 1\ntarget0 rw extent1 any", "2: extent1 is not defined above"},
    {"extent0 /a 0 1\ntarget0 rw device0 any", "2: device0 is not defined above"},
    {"extent0 /a 0 1\ntarget0= rw extent0 any", "2: no name behind the = sign"},
    {"extent0 /a 0 1\ntarget=iqn.x rw extent0 any",
     "2: target is not extent, device, target or lun and a number"},
    {"extent0 /a 0 1\ntarget0 rw extent0 everybody",
     "2: everybody is not a netmask, \"any\" or \"all\""},
    {"extent0 /a 0 1\ntarget0 rw extent0 10.0.0.0/33",
     "2: 10.0.0.0/33 is not a netmask, \"any\" or \"all\""},
    {"extent0 /a 0 1\ntarget0 rw extent0 10.0.0.0/",
     "2: 10.0.0.0/ is not a netmask, \"any\" or \"all\""},
    {"extent0 /a 0 1\ntarget0 rw extent0 10.0.0.0/8/8",
     "2: 10.0.0.0/8/8 is not a netmask, \"any\" or \"all\""},
    {"extent0 /a 0 1\ntarget0 rw extent0 10.0.0.256/8",
     "2: 10.0.0.256/8 is not a netmask, \"any\" or \"all\""},
    {"extent0 /a 0 1\ntarget0 rw extent0 1.2.3.4.5/8",
     "2: 1.2.3.4.5/8 is not a netmask, \"any\" or \"all\""},
    {"extent0 /a 0 1\ntarget0 rw extent0 ::/129", "2: ::/129 is not a netmask, \"any\" or \"all\""},
    {"extent0 /a 0 1\ntarget0 rw extent0 fe80::1%1",
     "2: fe80::1%1 is not a netmask, \"any\" or \"all\""},
    {"extent0 /a 0 1\ntarget0 rw extent0 /8", "2: /8 is not a netmask, \"any\" or \"all\""},
    {"extent0 /a 0 1\nextent1 /b 0 1\ntarget0 rw extent0 any\ntarget0 rw extent0 any",
     "4: extent0 is used already"},
    {"extent0 /a 0 1\nextent1 /b 0 1\ntarget0 rw extent0 any\ntarget0=iqn.x rw extent1 any",
     "4: target0 has another name in line 3"},
    {"extent0 /a 0 1\nextent1 /b 0 1\ntarget0 rw extent0 any\ntarget0 rw extent1 10/8",
     "4: target0 has another netmask in line 3"},
};

static void bad_texts(void **state)
{
    (void)state;
    assert_true(sizeof good / sizeof good[0] + sizeof bad / sizeof bad[0] >= 60);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct targets_file file;
        char error[200];

        if (parse(&file, bad[i].text, strlen(bad[i].text), error))
            fail_msg("\"%s\" was accepted, and not refused with \"%s\"", bad[i].text, bad[i].error);
        if (strcmp(error, bad[i].error) != 0)
            fail_msg("\"%s\": expected \"%s\", got \"%s\"", bad[i].text, bad[i].error, error);
        assert_null(file.text);
    }
}

static void nul_character(void **state)
{
    struct targets_file file;
    char error[200];

    (void)state;
    assert_false(parse(&file, "extent0 /a 0 1\n\0", 16, error));
    assert_string_equal(error, "1: a NUL character is somewhere in the text");
}

static void limits(void **state)
{
    enum { ROOM = 400000 };
    char *text = malloc(ROOM);
    size_t length = 0;
    struct targets_file file;
    char error[200];

    (void)state;
    assert_non_null(text);
    length = (size_t)sprintf(text, "extent0 /a 0 1\ndevice0 RAID0 extent0\n");
    for (unsigned i = 1; i <= TARGETS_DEPTH_MAX; i++)
        length += (size_t)sprintf(text + length, "device%u RAID0 device%u\n", i, i - 1);
    assert_false(parse(&file, text, length, error));
    assert_string_equal(error, "18: devices in each other more than 16 deep");

    length = 0;
    for (unsigned i = 0; i <= TARGETS_DEFINITIONS_MAX; i++)
        length += (size_t)sprintf(text + length, "extent%u /a 0 1\n", i);
    assert_false(parse(&file, text, length, error));
    assert_string_equal(error, "4097: more than 4096 definitions");

    length = (size_t)sprintf(text, "device0 RAID0");
    for (unsigned i = 0; i < 100; i++)
        length += (size_t)sprintf(text + length, " extent%u", i);
    assert_false(parse(&file, text, length, error));
    assert_string_equal(error, "1: more than 64 fields");
    free(text);
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t size;
    } table[] = {
        {"0", 0},
        {"7", 7},
        {"1KB", 1024},
        {"2k", 2048},
        {"3MB", 3 << 20},
        {"3m", 3 << 20},
        {"1GB", 1u << 30},
        {"4TB", UINT64_C(4) << 40},
        {"1mb", 1 << 20},
        {"1Kb", 1024},
        {"16777215TB", UINT64_C(16777215) << 40},
    };
    uint64_t size;

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_true(targets_size(table[i].text, &size));
        assert_true(size == table[i].size);
    }
    assert_false(targets_size("", &size));
    assert_false(targets_size(" 1", &size));
}

static void netmasks(void **state)
{
    static const char *const table[][2] = {
        {"any", "any"},
        {"all", "any"},
        {"0/0", "any"},
        {"::/0", "any"},
        {"10/8", "10.0.0.0/8"},
        {"10.4/16", "10.4.0.0/16"},
        {"10.4.77.9/16", "10.4.0.0/16"},
        {"192.0.2.1", "192.0.2.1/32"},
        {"192.0.2.255/30", "192.0.2.252/30"},
        {"2001:DB8:1::5/48", "2001:db8:1::/48"},
        {"::1", "::1/128"},
        {"fe80::/10", "fe80::/10"},
    };
    char out[NETMASK_ROOM];

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_true(netmask_normal(table[i][0], out));
        assert_string_equal(out, table[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(netbsd_s_example),
        cmocka_unit_test(devices_of_devices),
        cmocka_unit_test(units_of_one_target),
        cmocka_unit_test(good_texts),
        cmocka_unit_test(bad_texts),
        cmocka_unit_test(nul_character),
        cmocka_unit_test(limits),
        cmocka_unit_test(sizes),
        cmocka_unit_test(netmasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
