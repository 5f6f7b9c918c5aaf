/* Partition tables: those that people have, and those that nobody should have. */
#include "os_test.h"

#include "devices/partitions.h"
#include "os/memory.h"
#include "protocol/bytes.h"

enum { BLOCKS = 2048, BLOCK_MOST = 4096 };

static uint8_t disk[BLOCKS * BLOCK_MOST];
static uint32_t block;
static struct partitions partitions;

static void start_with(uint32_t length)
{
    block = length;
    memset(disk, 0, sizeof disk);
}

static void put_entry(uint64_t at, unsigned index, uint8_t type, uint32_t start, uint32_t count)
{
    uint8_t *sector = disk + at * block;
    uint8_t *entry = sector + 446 + 16 * index;
    sector[510] = 0x55;
    sector[511] = 0xaa;
    entry[4] = type;
    put_le32(entry + 8, start);
    put_le32(entry + 12, count);
}

static void put_le64(uint8_t *at, uint64_t value)
{
    put_le32(at, (uint32_t)value);
    put_le32(at + 4, (uint32_t)(value >> 32));
}

enum { GPT_ENTRIES = 128, GPT_ENTRY = 128 };

static void put_gpt_entry(uint64_t entries, unsigned index, uint64_t first, uint64_t last)
{
    uint8_t *entry = disk + entries * block + (size_t)index * GPT_ENTRY;
    entry[0] = 1;
    put_le64(entry + 32, first);
    put_le64(entry + 40, last);
}

static void put_gpt_header(uint64_t at, uint64_t entries)
{
    uint8_t *header = disk + at * block;
    memset(header, 0, block);
    memcpy(header, "EFI PART", 8);
    put_le32(header + 8, 0x10000);
    put_le32(header + 12, 92);
    put_le64(header + 24, at);
    put_le64(header + 72, entries);
    put_le32(header + 80, GPT_ENTRIES);
    put_le32(header + 84, GPT_ENTRY);
    put_le32(header + 88, partitions_crc(0, disk + entries * block, GPT_ENTRIES * GPT_ENTRY));
    put_le32(header + 16, partitions_crc(0, header, 92));
}

static void scan(void)
{
    unsigned rounds = 0;
    partitions_begin(&partitions, (uint64_t)BLOCKS * block, block);
    while (partitions.want_length > 0) {
        assert_true(partitions.want_length <= PARTITIONS_WANT_MOST);
        assert_true(partitions.want + partitions.want_length <= (uint64_t)BLOCKS * block);
        uint8_t *data = os_copy(disk + partitions.want, partitions.want_length);
        assert_non_null(data);
        partitions_give(&partitions, data);
        os_free(data);
        assert_true(++rounds < 200);
    }
}

/* In blocks; 0, 0: there is none. */
static void expect(unsigned number, uint64_t start, uint64_t count)
{
    assert_int_equal(partitions.found[number - 1].start, start * block);
    assert_int_equal(partitions.found[number - 1].length, count * block);
}

static void expect_none(void)
{
    for (unsigned number = 1; number <= PARTITIONS_MOST; number++)
        expect(number, 0, 0);
}

static void no_table(void **state)
{
    (void)state;
    start_with(512);
    scan();
    expect_none();
    put_entry(0, 0, 0x83, 1, 10);
    disk[510] = 0;
    scan();
    expect_none();
    partitions_begin(&partitions, 0, 512);
    assert_int_equal(partitions.want_length, 0);
    partitions_begin(&partitions, 100, 512);
    assert_int_equal(partitions.want_length, 0);
}

static void a_boot_sector_of_a_file_system(void **state)
{
    (void)state;
    start_with(512);
    put_entry(0, 1, 0x83, 1, 10);
    disk[446] = 'N';
    scan();
    expect_none();
}

static void primary_partitions(void **state)
{
    (void)state;
    static const uint32_t blocks[] = {512, 4096};
    for (size_t i = 0; i < 2; i++) {
        start_with(blocks[i]);
        put_entry(0, 0, 0x83, 8, 100);
        put_entry(0, 2, 0x07, 108, 200);
        put_entry(0, 3, 0x83, BLOCKS - 5, 100); /* reaches over the end */
        disk[446] = 0x80;
        scan();
        expect(1, 8, 100);
        expect(2, 0, 0);
        expect(3, 108, 200);
        expect(4, BLOCKS - 5, 5);
    }
}

static void partitions_that_are_none(void **state)
{
    (void)state;
    start_with(512);
    put_entry(0, 0, 0x83, 0, 100);
    put_entry(0, 1, 0x83, BLOCKS, 100);
    put_entry(0, 2, 0x83, UINT32_MAX, UINT32_MAX);
    put_entry(0, 3, 0x83, 10, 0);
    scan();
    expect_none();
}

static void logical_partitions(void **state)
{
    (void)state;
    start_with(512);
    put_entry(0, 0, 0x83, 8, 92);
    put_entry(0, 1, 0x0f, 100, 900);
    put_entry(100, 0, 0x83, 8, 92);
    put_entry(100, 1, 0x05, 200, 100); /* counted from 100 */
    put_entry(300, 0, 0x83, 8, 92);
    put_entry(300, 1, 0x05, 400, 100);
    put_entry(500, 0, 0x83, 8, 12);
    scan();
    expect(1, 8, 92);
    expect(2, 0, 0);
    expect(5, 108, 92);
    expect(6, 308, 92);
    expect(7, 508, 12);
    expect(8, 0, 0);
}

static void a_chain_without_end(void **state)
{
    (void)state;
    start_with(512);
    put_entry(0, 0, 0x05, 100, 900);
    put_entry(100, 0, 0x83, 1, 1);
    put_entry(100, 1, 0x05, 0, 100); /* itself */
    scan();
    expect(5, 101, 1);
    expect(6, 0, 0);
    for (unsigned i = 0; i < 500; i++) {
        put_entry(100 + i, 0, 0, 0, 0);
        put_entry(100 + i, 1, 0x05, i + 1, 100);
    }
    scan();
    for (unsigned i = 0; i < 20; i++)
        put_entry(100 + i, 0, 0x83, 1, 1);
    scan();
    expect(15, 111, 1);
    put_entry(100, 1, 0x05, UINT32_MAX, 100);
    scan();
    expect(5, 101, 1);
    expect(6, 0, 0);
}

static void make_gpt(uint32_t length)
{
    uint64_t tables = (GPT_ENTRIES * GPT_ENTRY + length - 1) / length;
    start_with(length);
    put_entry(0, 0, 0xee, 1, BLOCKS - 1);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t entries = i == 0 ? 2 : BLOCKS - 1 - tables;
        put_gpt_entry(entries, 0, 100, 199);
        put_gpt_entry(entries, 14, 200, 200);
        put_gpt_entry(entries, 15, 201, 202);
        put_gpt_entry(entries, 2, 500, 499);
        put_gpt_entry(entries, 3, 0, UINT64_MAX);
        put_gpt_entry(entries, 4, 10, UINT64_MAX);
        put_gpt_header(i == 0 ? 1 : BLOCKS - 1, entries);
    }
}

static void expect_gpt(void)
{
    expect(1, 100, 100);
    expect(2, 0, 0);
    expect(3, 0, 0);
    expect(4, 0, 0);
    expect(5, 10, BLOCKS - 10);
    expect(15, 200, 1);
}

static void gpt(void **state)
{
    (void)state;
    static const uint32_t blocks[] = {512, 4096};
    for (size_t i = 0; i < 2; i++) {
        make_gpt(blocks[i]);
        scan();
        expect_gpt();
    }
}

static void the_backup_of_gpt(void **state)
{
    (void)state;
    static const unsigned bytes[] = {0, 12, 16, 24, 72, 80, 84, 88};
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        make_gpt(512);
        disk[512 + bytes[i]] ^= 0x41;
        scan();
        expect_gpt();
    }
    make_gpt(512);
    disk[2 * 512 + 60] ^= 1; /* an entry */
    scan();
    expect_gpt();
    disk[(BLOCKS - 1) * 512 + 30] ^= 1;
    scan();
    expect_none();
}

/* With a CRC that is right. */
static void headers_that_ask_for_too_much(void **state)
{
    (void)state;
    static const struct {
        unsigned at;
        uint32_t value;
    } bad[] = {{12, 91},         {12, 513},        {12, UINT32_MAX}, {72, BLOCKS},
               {76, UINT32_MAX}, {80, UINT32_MAX}, {80, 4096},       {80, 0},
               {84, 127},        {84, UINT32_MAX}, {84, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        make_gpt(512);
        memset(disk + (size_t)(BLOCKS - 1) * 512, 0, 512);
        put_le32(disk + 512 + bad[i].at, bad[i].value);
        memset(disk + 512 + 16, 0, 4);
        put_le32(disk + 512 + 16, partitions_crc(0, disk + 512, 92));
        scan();
        expect_none();
    }
}

static void the_crc(void **state)
{
    (void)state;
    assert_int_equal(partitions_crc(0, (const uint8_t *)"123456789", 9), 0xcbf43926);
    assert_int_equal(
        partitions_crc(partitions_crc(0, (const uint8_t *)"1234", 4), (const uint8_t *)"56789", 5),
        0xcbf43926);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_table),
        cmocka_unit_test(a_boot_sector_of_a_file_system),
        cmocka_unit_test(primary_partitions),
        cmocka_unit_test(partitions_that_are_none),
        cmocka_unit_test(logical_partitions),
        cmocka_unit_test(a_chain_without_end),
        cmocka_unit_test(gpt),
        cmocka_unit_test(the_backup_of_gpt),
        cmocka_unit_test(headers_that_ask_for_too_much),
        cmocka_unit_test(the_crc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
