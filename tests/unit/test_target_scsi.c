/* The target's full feature phase: commands, data both ways, task management, control PDUs. */
#include "target_client.h"

#define DISK_BYTES 65536u

struct fixture {
    struct target_entity *entity;
    struct target *target;
    struct client client;
    struct client other;
    uint8_t expected[DISK_BYTES]; /* what the disk holds */
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    fixture->entity = target_entity_new(&os_crypto);
    fixture->target = client_target(fixture->entity, TARGET, DISK_BYTES);
    for (unsigned i = 0; i < DISK_BYTES; i++)
        fixture->expected[i] = (uint8_t)(i ^ i >> 8);
    client_open(&fixture->client, fixture->entity, 1);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    client_close(&fixture->client);
    client_close(&fixture->other);
    target_entity_free(fixture->entity);
    free(fixture);
    return 0;
}

/* --- reading --- */

/* Takes Data-In until the status; returns the length. */
static uint32_t take_data(struct client *client, uint8_t *data, uint32_t room)
{
    uint32_t length = 0;
    uint32_t data_sn = 0;

    do {
        client_receive(client, PDU_DATA_IN);
        assert_int_equal(client->pdu.itt, client->itt);
        assert_int_equal(client->pdu.data_in.data_sn, data_sn++);
        assert_int_equal(client->pdu.data_in.offset, length);
        assert_true(client->pdu.data_length <= room - length);
        memcpy(data + length, client->data, client->pdu.data_length);
        length += client->pdu.data_length;
    } while (!client->pdu.data_in.status_present);
    assert_int_equal(client->pdu.data_in.status, SCSI_GOOD);
    assert_true(client->pdu.final);
    return length;
}

static void read_in_segments(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t data[DISK_BYTES];
    struct scsi_cdb cdb;

    client->step = 13;
    client_login(client, NORMAL "MaxRecvDataSegmentLength=1000\nMaxBurstLength=2500\n"
                                "HeaderDigest=CRC32C\nDataDigest=CRC32C\n");
    scsi_read(&cdb, 3, 20);
    client_read_command(client, &cdb, 10240);
    client_receive(client, PDU_DATA_IN);
    assert_int_equal(client->pdu.data_length, 1000);
    assert_false(client->pdu.final);
    client_receive(client, PDU_DATA_IN);
    client_receive(client, PDU_DATA_IN); /* the end of the first burst */
    assert_int_equal(client->pdu.data_length, 500);
    assert_true(client->pdu.final);
    while (!client->pdu.data_in.status_present)
        client_receive(client, PDU_DATA_IN);
    scsi_read(&cdb, 3, 20);
    client_read_command(client, &cdb, 10240);
    assert_int_equal(take_data(client, data, sizeof data), 10240);
    assert_memory_equal(data, fixture->expected + 3 * 512, 10240);
}

static void read_every_way(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    static const struct scsi_cdb cdbs[] = {
        {{SCSI_READ_6, 0, 0, 5, 2}, 6},
        {{SCSI_READ_10, 0, 0, 0, 0, 5, 0, 0, 2}, 10},
        {{SCSI_READ_12, 0, 0, 0, 0, 5, 0, 0, 0, 2}, 12},
        {{SCSI_READ_16, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 2}, 16},
    };
    uint8_t data[1024];

    client_login(client, NORMAL);
    for (size_t i = 0; i < 4; i++) {
        client_read_command(client, &cdbs[i], 1024);
        assert_int_equal(take_data(client, data, sizeof data), 1024);
        assert_memory_equal(data, fixture->expected + 5 * 512, 1024);
    }
}

static void residuals_of_reads(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    uint8_t data[2048];
    struct scsi_cdb cdb;

    client_login(client, NORMAL);
    scsi_read(&cdb, 0, 2);
    client_read_command(client, &cdb, 2000);
    assert_int_equal(take_data(client, data, sizeof data), 1024);
    assert_true(client->pdu.data_in.underflow);
    assert_int_equal(client->pdu.data_in.residual, 976);
    client_read_command(client, &cdb, 1000);
    assert_int_equal(take_data(client, data, sizeof data), 1000);
    assert_true(client->pdu.data_in.overflow);
    assert_int_equal(client->pdu.data_in.residual, 24);
    client_read_command(client, &cdb, 0);
    client_expect_scsi(client, SCSI_GOOD);
    assert_true(client->pdu.scsi_response.overflow);
    assert_int_equal(client->pdu.scsi_response.residual, 1024);
}

static void out_of_range(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    struct scsi_cdb cdb;

    client_login(client, NORMAL);
    scsi_read(&cdb, 127, 2);
    client_read_command(client, &cdb, 1024);
    client_expect_sense(client, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
    assert_int_equal(client->pdu.scsi_response.residual, 1024);
    scsi_read(&cdb, UINT64_MAX - 1, 8);
    client_read_command(client, &cdb, 4096);
    client_expect_sense(client, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
    scsi_read(&cdb, 0, 0xffffffff);
    client_read_command(client, &cdb, 0xffffffff);
    client_expect_sense(client, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
}

static void what_a_unit_says(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    uint8_t data[255];
    struct scsi_inquiry_data inquiry;
    struct scsi_capacity capacity;
    struct scsi_cdb cdb;
    uint32_t length;

    client_login(client, NORMAL);
    scsi_inquiry(&cdb, 0, 0, sizeof data);
    client_read_command(client, &cdb, sizeof data);
    length = take_data(client, data, sizeof data);
    assert_true(scsi_inquiry_decode(&inquiry, data, length));
    assert_string_equal(inquiry.vendor, "ISCSIDSC");
    assert_int_equal(inquiry.device_type, 0);
    scsi_inquiry(&cdb, 1, 0x83, sizeof data);
    client_read_command(client, &cdb, sizeof data);
    length = take_data(client, data, sizeof data);
    assert_int_equal(get_be16(data + 2), length - 4);
    scsi_inquiry(&cdb, 1, 0x99, sizeof data);
    client_read_command(client, &cdb, sizeof data);
    client_expect_sense(client, SCSI_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_CDB);
    scsi_read_capacity_10(&cdb);
    client_read_command(client, &cdb, 8);
    length = take_data(client, data, sizeof data);
    assert_true(scsi_capacity_10_decode(&capacity, data, length));
    assert_int_equal(capacity.blocks, 128);
    scsi_read_capacity_16(&cdb, 32);
    client_read_command(client, &cdb, 32);
    length = take_data(client, data, sizeof data);
    assert_true(scsi_capacity_16_decode(&capacity, data, length));
    assert_int_equal(capacity.blocks, 128);
    assert_int_equal(capacity.block_length, 512);
    scsi_test_unit_ready(&cdb);
    client_read_command(client, &cdb, 0);
    client_expect_scsi(client, SCSI_GOOD);
}

static void units(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct target_disk *disk;
    uint8_t data[64];
    struct scsi_cdb cdb;
    struct pdu pdu;

    assert_int_equal(target_disk_ram(512, 512, &disk), STATUS_OK);
    assert_int_equal(target_add_disk(fixture->target, 7, disk), STATUS_OK);
    assert_int_equal(target_disk_ram(512, 512, &disk), STATUS_OK);
    assert_int_equal(target_add_disk(fixture->target, 7, disk), STATUS_INVALID_PARAMETER);
    client_login(client, NORMAL);
    scsi_report_luns(&cdb, sizeof data);
    client_read_command(client, &cdb, sizeof data);
    assert_int_equal(take_data(client, data, sizeof data), 24);
    assert_int_equal(get_be32(data), 16);
    assert_int_equal(scsi_lun_number(get_be64(data + 16)), 7);
    scsi_test_unit_ready(&cdb);
    pdu = client_command(client, &cdb, 0, 0);
    pdu.lun = scsi_lun_encode(1);
    client_send(client, &pdu, NULL, 0);
    client_expect_sense(client, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LUN_NOT_SUPPORTED);
    scsi_inquiry(&cdb, 0, 0, 36);
    pdu = client_command(client, &cdb, 36, 0);
    pdu.lun = scsi_lun_encode(1);
    client_send(client, &pdu, NULL, 0);
    take_data(client, data, sizeof data);
    assert_int_equal(data[0], 0x7f);
}

/* --- writing --- */

static struct pdu data_out(const struct client *client, uint32_t ttt, uint32_t offset,
                           uint32_t data_sn, bool final)
{
    struct pdu pdu = {.opcode = PDU_DATA_OUT, .final = final, .itt = client->itt};

    pdu.data_out.ttt = ttt;
    pdu.data_out.offset = offset;
    pdu.data_out.data_sn = data_sn;
    return pdu;
}

/* Answers one R2T in pieces of 700 bytes. */
static void answer_r2t(struct client *client, const struct pdu *r2t, const uint8_t *data)
{
    uint32_t sent = 0;

    for (uint32_t data_sn = 0; sent < r2t->r2t.length; data_sn++) {
        uint32_t now = r2t->r2t.length - sent < 700 ? r2t->r2t.length - sent : 700;
        struct pdu pdu = data_out(client, r2t->r2t.ttt, r2t->r2t.offset + sent, data_sn,
                                  sent + now == r2t->r2t.length);

        client_send(client, &pdu, data + r2t->r2t.offset + sent, now);
        sent += now;
    }
}

/* Sends a write with `immediate` and then `unsolicited` bytes, and serves R2Ts to the end. */
static unsigned write_blocks(struct client *client, uint64_t lba, const uint8_t *data,
                             uint32_t length, uint32_t immediate, uint32_t unsolicited)
{
    struct scsi_cdb cdb;
    struct pdu pdu;
    unsigned r2ts = 0;

    scsi_write(&cdb, lba, length / 512, false);
    pdu = client_command(client, &cdb, 0, length);
    pdu.final = unsolicited == 0;
    client_send(client, &pdu, data, immediate);
    if (unsolicited > 0) {
        client_expect_silence(client);
        pdu = data_out(client, PDU_RESERVED_TAG, immediate, 0, false);
        client_send(client, &pdu, data + immediate, unsolicited / 2);
        pdu = data_out(client, PDU_RESERVED_TAG, immediate + unsolicited / 2, 1, true);
        client_send(client, &pdu, data + immediate + unsolicited / 2,
                    unsolicited - unsolicited / 2);
    }
    while (client_try_receive(client) && client->pdu.opcode == PDU_R2T) {
        struct pdu r2t = client->pdu;

        assert_int_equal(r2t.r2t.r2t_sn, r2ts++);
        answer_r2t(client, &r2t, data);
    }
    assert_int_equal(client->pdu.opcode, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.itt, client->itt);
    assert_int_equal(client->pdu.scsi_response.exp_data_sn, r2ts);
    return r2ts;
}

/* A reset is told by the next command. */
static void take_attention(struct client *client)
{
    struct scsi_cdb cdb;

    scsi_test_unit_ready(&cdb);
    client_read_command(client, &cdb, 0);
    client_expect_sense(client, SCSI_UNIT_ATTENTION, SCSI_ASC(0x29, 0x03));
}

static void check_disk(struct fixture *fixture)
{
    struct client *client = &fixture->client;
    uint8_t data[DISK_BYTES];
    struct scsi_cdb cdb;

    scsi_read(&cdb, 0, DISK_BYTES / 512);
    client_read_command(client, &cdb, DISK_BYTES);
    assert_int_equal(take_data(client, data, sizeof data), DISK_BYTES);
    assert_memory_equal(data, fixture->expected, DISK_BYTES);
}

/* All four combinations of ImmediateData and InitialR2T. */
static void write_every_way(void **state)
{
    struct fixture *fixture = *state;
    uint8_t data[10240];

    for (int way = 0; way < 4; way++) {
        struct client *client = &fixture->client;
        char text[512];
        uint32_t immediate = way & 1 ? 512 : 0;
        uint32_t unsolicited = way & 2 ? 1024 : 0;
        unsigned r2ts = ((unsigned)sizeof data - immediate - unsolicited + 2047) / 2048;

        memset(data, 0x30 + way, sizeof data);
        memcpy(fixture->expected + 8 * 512, data, sizeof data);
        client_close(client);
        client_open(client, fixture->entity, 1);
        client->step = way == 1 ? 7 : 0;
        snprintf(text, sizeof text,
                 NORMAL "ImmediateData=%s\nInitialR2T=%s\nMaxBurstLength=2048\n"
                        "FirstBurstLength=2048\nMaxOutstandingR2T=1\n",
                 way & 1 ? "Yes" : "No", way & 2 ? "No" : "Yes");
        client_login(client, text);
        assert_int_equal(write_blocks(client, 8, data, sizeof data, immediate, unsolicited), r2ts);
        assert_int_equal(client->pdu.scsi_response.status, SCSI_GOOD);
        assert_false(client->pdu.scsi_response.overflow || client->pdu.scsi_response.underflow);
        check_disk(fixture);
    }
}

static void several_r2ts_at_a_time(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t data[4096];
    struct pdu r2ts[4];
    struct scsi_cdb cdb;
    struct pdu pdu;

    memset(data, 0x77, sizeof data);
    client_login(client, NORMAL "InitialR2T=Yes\nMaxBurstLength=1024\nMaxOutstandingR2T=3\n");
    scsi_write(&cdb, 0, 8, false);
    pdu = client_command(client, &cdb, 0, sizeof data);
    client_send(client, &pdu, NULL, 0);
    for (int i = 0; i < 3; i++) {
        client_receive(client, PDU_R2T);
        r2ts[i] = client->pdu;
        assert_int_equal(r2ts[i].r2t.offset, i * 1024);
    }
    client_expect_silence(client);
    answer_r2t(client, &r2ts[2], data); /* in any order */
    client_receive(client, PDU_R2T);
    r2ts[3] = client->pdu;
    answer_r2t(client, &r2ts[3], data);
    answer_r2t(client, &r2ts[0], data);
    client_expect_silence(client);
    answer_r2t(client, &r2ts[1], data);
    client_expect_scsi(client, SCSI_GOOD);
    memcpy(fixture->expected, data, sizeof data);
    check_disk(fixture);
}

static void residuals_of_writes(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t data[2048];
    struct scsi_cdb cdb;
    struct pdu pdu;

    memset(data, 0x11, sizeof data);
    client_login(client, NORMAL);
    scsi_write(&cdb, 0, 2, false);
    pdu = client_command(client, &cdb, 0, 2048); /* more than the blocks take */
    client_send(client, &pdu, data, 2048);
    client_expect_scsi(client, SCSI_GOOD);
    assert_true(client->pdu.scsi_response.underflow);
    assert_int_equal(client->pdu.scsi_response.residual, 1024);
    pdu = client_command(client, &cdb, 0, 600); /* less */
    client_send(client, &pdu, data, 600);
    client_expect_scsi(client, SCSI_GOOD);
    assert_true(client->pdu.scsi_response.overflow);
    assert_int_equal(client->pdu.scsi_response.residual, 424);
    memset(fixture->expected, 0x11, 1024);
    check_disk(fixture);
}

/* Data that come unasked, too many of them, or out of sequence: the command fails, the disk is as
 * it was. */
static void data_out_of_order(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    static const uint8_t data[4096];
    struct scsi_cdb cdb;
    struct pdu pdu;
    struct pdu r2t;

    client_login(client, NORMAL "ImmediateData=No\nInitialR2T=Yes\nMaxBurstLength=2048\n");
    scsi_write(&cdb, 0, 4, false);
    pdu = client_command(client, &cdb, 0, 2048);
    client_send(client, &pdu, data, 512);
    client_expect_sense(client, SCSI_ABORTED_COMMAND, 0x0c0c);

    pdu = client_command(client, &cdb, 0, 2048);
    client_send(client, &pdu, NULL, 0);
    client_receive(client, PDU_R2T);
    r2t = client->pdu;
    pdu = data_out(client, r2t.r2t.ttt, 512, 0, true); /* leaves out the first */
    client_send(client, &pdu, data, 512);
    client_expect_sense(client, SCSI_ABORTED_COMMAND, 0x0c0d);

    pdu = client_command(client, &cdb, 0, 2048);
    client_send(client, &pdu, NULL, 0);
    client_receive(client, PDU_R2T);
    r2t = client->pdu;
    pdu = data_out(client, r2t.r2t.ttt, 0, 0, true); /* too little */
    client_send(client, &pdu, data, 512);
    client_expect_sense(client, SCSI_ABORTED_COMMAND, 0x0c0d);

    pdu = client_command(client, &cdb, 0, 2048);
    client_send(client, &pdu, NULL, 0);
    client_receive(client, PDU_R2T);
    r2t = client->pdu;
    pdu = data_out(client, r2t.r2t.ttt, 0, 1, true); /* the second comes first */
    client_send(client, &pdu, data, 2048);
    client_expect_sense(client, SCSI_ABORTED_COMMAND, 0x0c0d);

    pdu = client_command(client, &cdb, 0, 2048);
    client_send(client, &pdu, NULL, 0);
    client_receive(client, PDU_R2T);
    r2t = client->pdu;
    pdu = data_out(client, r2t.r2t.ttt, 0xfffffe00, 0, true); /* far away */
    client_send(client, &pdu, data, 1024);
    client_expect_sense(client, SCSI_ABORTED_COMMAND, 0x0c0d);
    check_disk(fixture);
}

static void data_for_nobody(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    static const uint8_t data[512];
    struct pdu pdu;

    client_login(client, NORMAL);
    pdu = data_out(client, 5, 0, 0, true);
    pdu.itt = 0xbeef;
    client_send(client, &pdu, data, sizeof data);
    client_expect_silence(client);
    check_disk(fixture);
}

static void write_protected(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct target_disk *disk;
    static const uint8_t data[512];
    struct scsi_cdb cdb;
    struct pdu pdu;

    assert_int_equal(target_disk_ram(4096, 512, &disk), STATUS_OK);
    target_disk_set_read_only(disk);
    target_add_disk(fixture->target, 1, disk);
    client_login(client, NORMAL);
    scsi_write(&cdb, 0, 1, false);
    pdu = client_command(client, &cdb, 0, 512);
    pdu.lun = scsi_lun_encode(1);
    client_send(client, &pdu, data, 512);
    client_expect_sense(client, SCSI_DATA_PROTECT, SCSI_ASC_WRITE_PROTECTED);
}

static void file_disk(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct target_disk *disk;
    char path[] = "target-disk-XXXXXX";
    uint8_t data[2048];
    FILE *file;

    snprintf(path, sizeof path, "target-disk-%06u", (unsigned)os_now() % 1000000);
    file = fopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 4096 + 100; i++)
        fputc(i & 0xff, file);
    fclose(file);
    assert_int_equal(target_disk_file(path, 512, false, &disk), STATUS_OK);
    assert_int_equal(target_disk_bytes(disk), 4096);
    client_target(fixture->entity, TARGET "-file", 0);
    target_add_disk(target_find(fixture->entity, TARGET "-file"), 0, disk);
    client_login(client, NAMES "TargetName=" TARGET "-file\n");
    memset(data, 0xab, sizeof data);
    write_blocks(client, 2, data, 1024, 1024, 0);
    assert_int_equal(client->pdu.scsi_response.status, SCSI_GOOD);
    target_remove(target_find(fixture->entity, TARGET "-file"));
    file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(data, 1, sizeof data, file), sizeof data);
    fclose(file);
    remove(path);
    assert_int_equal(data[1023], 0xff);
    assert_int_equal(data[1024], 0xab);
    assert_int_equal(data[2047], 0xab);
    assert_int_not_equal(target_disk_file(path, 512, false, &disk), STATUS_OK);
}

/* --- numbers --- */

static void window(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct scsi_cdb cdb;
    struct pdu pdu;

    target_entity_settings(fixture->entity)->command_window = 2;
    client_login(client, NORMAL "InitialR2T=Yes\n");
    assert_int_equal(client->pdu.login_response.sn.max_cmd_sn, 101);
    scsi_write(&cdb, 0, 1, false);
    for (int i = 0; i < 2; i++) {
        pdu = client_command(client, &cdb, 0, 512);
        client_send(client, &pdu, NULL, 0);
        client_receive(client, PDU_R2T);
        assert_int_equal(client->pdu.r2t.sn.exp_cmd_sn, 101 + i);
        assert_int_equal(client->pdu.r2t.sn.max_cmd_sn, 101);
    }
    pdu = client_command(client, &cdb, 0, 512); /* beyond the window: ignored */
    client_send(client, &pdu, NULL, 0);
    client_expect_silence(client);
    pdu = (struct pdu){.opcode = PDU_NOP_OUT, .immediate = true, .final = true, .itt = 900};
    pdu.nop_out.ttt = PDU_RESERVED_TAG;
    pdu.nop_out.cmd_sn = 102;
    client_send(client, &pdu, "ping", 4); /* immediate: passes */
    client_receive(client, PDU_NOP_IN);
    assert_int_equal(client->pdu.itt, 900);
    assert_memory_equal(client->data, "ping", 4);
}

static void requests_out_of_order(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    struct scsi_cdb cdb;
    struct pdu pdus[3];
    struct pdu twin;

    client_login(client, NORMAL);
    scsi_test_unit_ready(&cdb);
    for (int i = 0; i < 3; i++)
        pdus[i] = client_command(client, &cdb, 0, 0);
    client_send(client, &pdus[2], NULL, 0);
    client_send(client, &pdus[1], NULL, 0);
    twin = pdus[2]; /* another request with its CmdSN */
    twin.itt = 4711;
    client_send(client, &twin, NULL, 0);
    client_expect_silence(client);
    client_send(client, &pdus[0], NULL, 0);
    for (int i = 0; i < 3; i++) {
        client_receive(client, PDU_SCSI_RESPONSE);
        assert_int_equal(client->pdu.itt, pdus[i].itt);
    }
    assert_int_equal(client->pdu.scsi_response.sn.exp_cmd_sn, 103);
    client_expect_silence(client);
    client_send(client, &pdus[1], NULL, 0); /* again: ignored */
    client_expect_silence(client);
}

static void status_numbers(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    struct scsi_cdb cdb;
    uint32_t stat_sn;

    client_login(client, NORMAL);
    stat_sn = client->pdu.login_response.sn.stat_sn;
    scsi_test_unit_ready(&cdb);
    for (uint32_t i = 1; i <= 3; i++) {
        client_read_command(client, &cdb, 0);
        client_receive(client, PDU_SCSI_RESPONSE);
        assert_int_equal(client->pdu.scsi_response.sn.stat_sn, stat_sn + i);
    }
    target_connection_ping(client->connection);
    client_receive(client, PDU_NOP_IN);
    assert_int_equal(client->pdu.nop_in.sn.stat_sn, stat_sn + 4);
    client_read_command(client, &cdb, 0); /* the ping took no number */
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.scsi_response.sn.stat_sn, stat_sn + 4);
}

static void tag_in_use(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    struct scsi_cdb cdb;
    struct pdu pdu;

    client_login(client, NORMAL "InitialR2T=Yes\n");
    scsi_write(&cdb, 0, 1, false);
    pdu = client_command(client, &cdb, 0, 512);
    client_send(client, &pdu, NULL, 0);
    client_receive(client, PDU_R2T);
    pdu.scsi_command.cmd_sn++;
    client_send(client, &pdu, NULL, 0);
    client_receive(client, PDU_REJECT);
    assert_int_equal(client->pdu.reject.reason, REJECT_TASK_IN_PROGRESS);
}

/* --- digests --- */

static void feed_command(struct client *client, size_t flip)
{
    uint8_t wire[PDU_BHS_LENGTH + 4 + 512 + 4];
    struct iov piece = {wire + 52, 512};
    struct frame_tail tail;
    struct scsi_cdb cdb;
    struct pdu pdu;

    scsi_write(&cdb, 0, 1, false);
    pdu = client_command(client, &cdb, 0, 512);
    pdu.data_length = 512;
    pdu_encode(&pdu, wire);
    frame_header_digest(wire, PDU_BHS_LENGTH);
    memset(wire + 52, 0xee, 512);
    frame_tail(&tail, &piece, 1, true);
    memcpy(wire + 564, tail.bytes, 4);
    wire[flip] ^= 1;
    client_feed(client, wire, sizeof wire);
}

#define DIGESTS NORMAL "HeaderDigest=CRC32C\nDataDigest=CRC32C\n"

static void wrong_header_digest(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;

    client_login(client, DIGESTS);
    feed_command(client, 20);
    client_expect_silence(client);
    assert_true(client_ended(client));
}

static void wrong_data_digest(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;

    client_login(client, DIGESTS);
    feed_command(client, 100);
    client_receive(client, PDU_REJECT);
    assert_int_equal(client->pdu.reject.reason, REJECT_DATA_DIGEST);
    assert_int_equal(get_be32(client->data + 16), client->itt);
    client->cmd_sn--; /* it was not taken */
    check_disk(fixture);
}

static void wrong_data_digest_of_data_out(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t wire[PDU_BHS_LENGTH + 4 + 512 + 4] = {0};
    struct scsi_cdb cdb;
    struct pdu pdu;

    client_login(client, DIGESTS "InitialR2T=Yes\n");
    scsi_write(&cdb, 0, 1, false);
    pdu = client_command(client, &cdb, 0, 512);
    client_send(client, &pdu, NULL, 0);
    client_receive(client, PDU_R2T);
    pdu = data_out(client, client->pdu.r2t.ttt, 0, 0, true);
    pdu.data_length = 512;
    pdu_encode(&pdu, wire);
    frame_header_digest(wire, PDU_BHS_LENGTH);
    client_feed(client, wire, sizeof wire);
    client_receive(client, PDU_REJECT);
    assert_int_equal(client->pdu.reject.reason, REJECT_DATA_DIGEST);
    client_expect_sense(client, SCSI_ABORTED_COMMAND, 0x4705);
    check_disk(fixture);
}

/* --- task management --- */

static void manage(struct client *client, uint8_t function, uint32_t itt, uint8_t response)
{
    struct pdu pdu = {.opcode = PDU_TASK_REQUEST, .immediate = true, .final = true, .itt = 7777};

    pdu.task_request.function = function;
    pdu.task_request.referenced_itt = itt;
    pdu.task_request.cmd_sn = client->cmd_sn;
    client_send(client, &pdu, NULL, 0);
    client_receive(client, PDU_TASK_RESPONSE);
    assert_int_equal(client->pdu.itt, 7777);
    assert_int_equal(client->pdu.task_response.response, response);
}

static struct pdu begin_write(struct client *client)
{
    struct scsi_cdb cdb;
    struct pdu pdu;

    scsi_write(&cdb, 0, 1, false);
    pdu = client_command(client, &cdb, 0, 512);
    client_send(client, &pdu, NULL, 0);
    client_receive(client, PDU_R2T);
    return client->pdu;
}

static void aborted(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    static const uint8_t data[512];
    struct pdu r2t;

    client_login(client, NORMAL "InitialR2T=Yes\n");
    r2t = begin_write(client);
    manage(client, TASK_ABORT_TASK, r2t.itt, TASK_RESPONSE_COMPLETE);
    answer_r2t(client, &r2t, data);
    client_expect_silence(client);
    manage(client, TASK_ABORT_TASK, r2t.itt, TASK_RESPONSE_NO_TASK);
    assert_int_equal(client->pdu.task_response.sn.max_cmd_sn, 101 + 127); /* its place is free */
    check_disk(fixture);
}

static void reset_by_another(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t data[512];
    struct pdu r2t;

    client_login(&fixture->client, NORMAL "InitialR2T=Yes\n");
    r2t = begin_write(&fixture->client);
    client_open(&fixture->other, fixture->entity, 1);
    fixture->other.isid[5] = 7;
    fixture->other.acknowledge = true;
    client_login(&fixture->other, NORMAL);
    manage(&fixture->other, TASK_LUN_RESET, PDU_RESERVED_TAG, TASK_RESPONSE_COMPLETE);
    answer_r2t(&fixture->client, &r2t, data);
    client_expect_silence(&fixture->client);
    take_attention(&fixture->client);
    check_disk(fixture);
}

/* A task goes away while the data of one of its PDUs are coming in. */
static void aborted_within_data(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t wire[PDU_BHS_LENGTH + 512] = {0};
    struct pdu r2t;
    struct pdu pdu;

    client_login(client, NORMAL "InitialR2T=Yes\n");
    r2t = begin_write(client);
    pdu = data_out(client, r2t.r2t.ttt, 0, 0, true);
    pdu.data_length = 512;
    pdu_encode(&pdu, wire);
    client_feed(client, wire, 100);
    client_open(&fixture->other, fixture->entity, 1);
    fixture->other.isid[5] = 7;
    fixture->other.acknowledge = true;
    client_login(&fixture->other, NORMAL);
    manage(&fixture->other, TASK_TARGET_WARM_RESET, PDU_RESERVED_TAG, TASK_RESPONSE_COMPLETE);
    client_feed(client, wire + 100, sizeof wire - 100);
    client_expect_silence(client);
    take_attention(client);
    check_disk(fixture);
}

static void other_functions(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;

    client->acknowledge = true;
    client_login(client, NORMAL);
    manage(client, TASK_ABORT_TASK_SET, PDU_RESERVED_TAG, TASK_RESPONSE_COMPLETE);
    manage(client, TASK_REASSIGN, 1, TASK_RESPONSE_NO_REASSIGN);
    manage(client, TASK_CLEAR_ACA, 1, TASK_RESPONSE_NOT_SUPPORTED);
    manage(client, 77, 1, TASK_RESPONSE_REJECTED);
    manage(client, TASK_TARGET_COLD_RESET, PDU_RESERVED_TAG, TASK_RESPONSE_COMPLETE);
    assert_true(client_ended(client));
}

/* --- control --- */

static void pinged(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct pdu pdu = {.opcode = PDU_NOP_OUT, .immediate = true, .final = true};

    target_entity_settings(fixture->entity)->nop_interval = 1000;
    target_entity_settings(fixture->entity)->nop_timeout = 500;
    client_login(client, NORMAL);
    assert_int_equal(target_connection_due(client->connection), 1000);
    target_connection_tick(client->connection, 1000);
    client->now = 1100;
    client_receive(client, PDU_NOP_IN);
    assert_int_equal(client->pdu.itt, PDU_RESERVED_TAG);
    pdu.itt = PDU_RESERVED_TAG;
    pdu.nop_out.ttt = client->pdu.nop_in.ttt;
    client_send(client, &pdu, NULL, 0);
    client_expect_silence(client);
    assert_int_equal(target_connection_due(client->connection), 2100);
    target_connection_tick(client->connection, 2100);
    client->now = 2100;
    client_receive(client, PDU_NOP_IN);
    target_connection_tick(client->connection, 2600); /* no sign of life */
    assert_int_equal(target_connection_ending(client->connection), TARGET_END_RESET);
}

static void log_out(struct client *client, uint8_t reason, uint16_t cid, uint8_t response)
{
    struct pdu pdu = {.opcode = PDU_LOGOUT_REQUEST, .immediate = true, .final = true, .itt = 55};

    pdu.logout_request.reason = reason;
    pdu.logout_request.cid = cid;
    pdu.logout_request.cmd_sn = client->cmd_sn;
    client_send(client, &pdu, NULL, 0);
    client_receive(client, PDU_LOGOUT_RESPONSE);
    assert_int_equal(client->pdu.itt, 55);
    assert_int_equal(client->pdu.logout_response.response, response);
}

static void logged_out(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;

    client_login(client, NORMAL "MaxConnections=2\n");
    client_open(&fixture->other, fixture->entity, 1);
    fixture->other.tsih = client->tsih;
    fixture->other.cid = 2;
    client_login(&fixture->other, NORMAL);
    log_out(client, LOGOUT_CLOSE_CONNECTION, 9, LOGOUT_NO_CID);
    log_out(client, LOGOUT_RECOVERY, 2, LOGOUT_NO_RECOVERY);
    assert_false(client_ended(client));
    log_out(client, LOGOUT_CLOSE_CONNECTION, 2, LOGOUT_DONE);
    assert_true(client_ended(&fixture->other));
    assert_false(client_ended(client));
    log_out(client, LOGOUT_CLOSE_SESSION, 0, LOGOUT_DONE);
    assert_true(client_ended(client));
    client_close(client);
    client_close(&fixture->other);
    assert_int_equal(target_sessions(fixture->target), 0);
}

static void rejected(void **state)
{
    static const struct {
        uint8_t opcode, reason;
    } cases[] = {
        {PDU_SNACK, REJECT_SNACK},
        {0x1f, REJECT_NOT_SUPPORTED},
        {PDU_SCSI_RESPONSE, REJECT_NOT_SUPPORTED},
        {PDU_LOGIN_REQUEST, REJECT_PROTOCOL_ERROR}, /* the last: it ends the connection */
    };
    struct client *client = &((struct fixture *)*state)->client;

    client_login(client, NORMAL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t wire[PDU_BHS_LENGTH] = {cases[i].opcode};

        put_be32(wire + 16, 4242);
        client_feed(client, wire, sizeof wire);
        client_receive(client, PDU_REJECT);
        assert_int_equal(client->pdu.reject.reason, cases[i].reason);
        assert_int_equal(get_be32(client->data + 16), 4242);
    }
    assert_true(client_ended(client));
}

static void discovery_session(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    struct scsi_cdb cdb;
    struct pdu pdu = {.opcode = PDU_TASK_REQUEST, .immediate = true, .final = true, .itt = 5};

    client_login(client, DISCOVERY);
    scsi_test_unit_ready(&cdb);
    client_read_command(client, &cdb, 0);
    client_receive(client, PDU_REJECT);
    client_send(client, &pdu, NULL, 0);
    client_receive(client, PDU_REJECT);
    pdu = data_out(client, 1, 0, 0, true);
    client_send(client, &pdu, "data", 4);
    client_expect_silence(client);
    log_out(client, LOGOUT_CLOSE_SESSION, 0, LOGOUT_DONE);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(read_in_segments),
        T(read_every_way),
        T(residuals_of_reads),
        T(out_of_range),
        T(what_a_unit_says),
        T(units),
        T(write_every_way),
        T(several_r2ts_at_a_time),
        T(residuals_of_writes),
        T(data_out_of_order),
        T(data_for_nobody),
        T(write_protected),
        T(file_disk),
        T(window),
        T(requests_out_of_order),
        T(status_numbers),
        T(tag_in_use),
        T(wrong_header_digest),
        T(wrong_data_digest),
        T(wrong_data_digest_of_data_out),
        T(aborted),
        T(reset_by_another),
        T(aborted_within_data),
        T(other_functions),
        T(pinged),
        T(logged_out),
        T(rejected),
        T(discovery_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
