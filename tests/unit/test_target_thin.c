/* Disks in files that give back the space of unmapped blocks, and tell which those are. */
#include "os/storage.h"
#include "target_cdbs.h"

enum { FILE_BYTES = 1 << 20 };

static char path[64];

static bool make_file(void)
{
    uint8_t chunk[4096];
    struct os_storage *storage;
    uint64_t size;
    FILE *file;
    bool thin;

    snprintf(path, sizeof path, "thin-%u.disk", (unsigned)os_now());
    file = fopen(path, "wb");
    assert_non_null(file);
    memset(chunk, 0x77, sizeof chunk);
    for (int i = 0; i < FILE_BYTES / (int)sizeof chunk; i++)
        assert_int_equal(fwrite(chunk, 1, sizeof chunk, file), sizeof chunk);
    fclose(file);
    /* The last piece tells whether this file system is one that gives space back. */
    assert_int_equal(os_storage_open(path, false, &storage, &size), STATUS_OK);
    thin = os_storage_free(storage, FILE_BYTES - 65536, 65536) &&
           !os_storage_allocated(storage, FILE_BYTES - 65536, &size);
    os_storage_close(storage);
    if (!thin)
        print_message("this file system gives no space back\n");
    return thin;
}

static struct client *with_file(struct fixture *fixture, uint32_t block_length)
{
    struct target_disk *disk;

    assert_int_equal(target_disk_file(path, block_length, false, &disk), STATUS_OK);
    target_remove(fixture->target);
    assert_int_equal(target_add(fixture->entity, TARGET, &fixture->target), STATUS_OK);
    assert_int_equal(target_add_disk(fixture->target, 0, disk), STATUS_OK);
    return log_in(fixture);
}

static void unmap(struct client *client, uint64_t lba, uint32_t blocks)
{
    uint8_t list[24] = {0};

    put_be16(list, sizeof list - 2);
    put_be16(list + 2, sizeof list - 8);
    put_be64(list + 8, lba);
    put_be32(list + 16, blocks);
    SEND_DATA(client, list, sizeof list, SCSI_UNMAP, 0, 0, 0, 0, 0, 0, 0, sizeof list, 0);
    good(client);
}

/* The blocks behind `lba` are `count` of that kind. */
static void expect_run(struct client *client, uint8_t lba, uint32_t count, bool mapped)
{
    SEND(client, 24, 0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, lba, 0, 0, 0, 24, 0, 0);
    take(client);
    assert_int_equal(get_be64(client->data + 8), lba);
    assert_int_equal(get_be32(client->data + 16), count);
    assert_int_equal(client->data[20], mapped ? 0 : 1);
}

static void expect_block(struct client *client, uint8_t lba, uint8_t byte)
{
    SEND(client, 4096, SCSI_READ_10, 0, 0, 0, 0, lba, 0, 0, 1, 0);
    take(client);
    for (unsigned i = 0; i < client->pdu.data_length; i++)
        assert_int_equal(client->data[i], byte);
}

static void unmapped_blocks_take_no_space(void **state)
{
    bool thin = make_file();
    struct client *client = with_file(*state, 4096);
    uint8_t block[4096];

    expect_run(client, 0, thin ? 240 : 256, true);
    expect_run(client, 240, 16, !thin);
    unmap(client, 10, 20);
    expect_run(client, 0, thin ? 10 : 256, true);
    expect_run(client, 10, thin ? 20 : 246, !thin);
    expect_run(client, 12, thin ? 18 : 244, !thin);
    expect_block(client, 9, 0x77);
    expect_block(client, 10, 0);
    expect_block(client, 29, 0);
    expect_block(client, 30, 0x77);
    memset(block, 0x11, sizeof block);
    SEND_DATA(client, block, sizeof block, SCSI_WRITE_10, 0, 0, 0, 0, 15, 0, 0, 1, 0);
    good(client);
    expect_run(client, 10, thin ? 5 : 246, !thin);
    expect_run(client, 15, thin ? 1 : 241, true);
    memset(block, 0, sizeof block); /* WRITE SAME with UNMAP */
    SEND_DATA(client, block, sizeof block, SCSI_WRITE_SAME_10, 8, 0, 0, 0, 15, 0, 0, 1, 0);
    good(client);
    expect_run(client, 10, thin ? 20 : 246, !thin);
    remove(path);
}

static void several_descriptors(void **state)
{
    struct client *client;

    if (!make_file()) {
        remove(path);
        skip();
    }
    client = with_file(*state, 4096);
    unmap(client, 1, 1);
    unmap(client, 3, 1);
    SEND(client, 255, 0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0);
    assert_int_equal(take(client), 8 + 6 * 16);
    assert_int_equal(get_be32(client->data), 8 + 6 * 16 - 4);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(client->data[8 + 16 * i + 12], i & 1);
    SEND(client, 50, 0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 0, 0); /* cut */
    assert_int_equal(take(client), 50);
    remove(path);
}

/* Half a block of the file system is space all the same. */
static void parts_of_blocks(void **state)
{
    bool thin = make_file();
    struct client *client = with_file(*state, 512);

    unmap(client, 8, 4);
    unmap(client, 16, 12);
    expect_run(client, 8, thin ? 8 : 2040, true);
    expect_run(client, 16, thin ? 8 : 2032, !thin);
    expect_block(client, 8, 0);
    expect_block(client, 12, 0x77);
    expect_block(client, 27, 0);
    expect_block(client, 28, 0x77);
    SEND(client, 255, SCSI_INQUIRY, 1, 0xb0, 0, 255, 0);
    take(client);
    assert_int_equal(get_be32(client->data + 28), 8); /* optimal unmap granularity */
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(unmapped_blocks_take_no_space),
        T(several_descriptors),
        T(parts_of_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
