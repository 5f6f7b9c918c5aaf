/* Input and output on logical units: what is moved, how it is split, and what becomes of it when
 * the target or the connection fails. */
#include "io_target.h"

static uint8_t data[256 << 10];
static uint8_t back[256 << 10];

/* --- what it does --- */

static void what_is_written_is_read(void **state)
{
    (void)state;
    open_volume(NULL);
    assert_true(volume->facts.capacity.blocks == (4 << 20) / BLOCK);
    for (uint32_t blocks = 1; blocks <= 512; blocks *= 8) {
        fill(data, blocks * BLOCK, blocks);
        assert_status(transfer(IO_WRITE, 100 + blocks, blocks, data), STATUS_OK);
        assert_memory_equal(target_disk_memory(disk) + (100 + blocks) * BLOCK, data,
                            blocks * BLOCK);
        memset(back, 0, sizeof back);
        assert_status(transfer(IO_READ, 100 + blocks, blocks, back), STATUS_OK);
        assert_memory_equal(back, data, blocks * BLOCK);
    }
}

/* Pieces of every size, and commands that begin and end within them. */
static void large_ones_are_split_and_pieces_stay(void **state)
{
    struct iov pieces[40], before[40];
    size_t at = 0, count = 0;
    (void)state;
    open_volume("MaxTransferLength = 4096\n");
    for (; at < sizeof data && count < 39; count++) {
        pieces[count] = (struct iov){data + at, 1 + count * count * 7};
        at += pieces[count].length;
    }
    pieces[count++] = (struct iov){data + at, sizeof data - at};
    memcpy(before, pieces, sizeof before);
    fill(data, sizeof data, 5);
    orders.cdb = SCSI_WRITE_10;
    struct io io = io_of(IO_WRITE, 7, sizeof data / BLOCK, pieces);
    io.piece_count = count;
    assert_status(run_io(&io), STATUS_OK);
    assert_int_equal(orders.commands, sizeof data / 4096);
    assert_int_equal(io.finished, sizeof data / BLOCK);
    assert_memory_equal(pieces, before, count * sizeof *pieces);
    assert_memory_equal(target_disk_memory(disk) + 7 * BLOCK, data, sizeof data);
    memcpy(back, data, sizeof data);
    memset(data, 0, sizeof data);
    io.kind = IO_READ;
    assert_status(run_io(&io), STATUS_OK);
    assert_memory_equal(data, back, sizeof data);
}

static struct {
    atomic_uint written, zeroed, flushed;
} changes;

static void on_change(void *context, enum target_disk_change change, uint64_t offset,
                      uint64_t length, const void *bytes)
{
    (void)context, (void)offset, (void)length, (void)bytes;
    changes.written += change == TARGET_DISK_WRITTEN;
    changes.zeroed += change == TARGET_DISK_ZEROED;
    changes.flushed += change == TARGET_DISK_FLUSHED;
}

static void each_kind_does_what_it_says(void **state)
{
    struct iov piece = {data, BLOCK * 2};
    static const uint8_t zeroes[BLOCK * 8];
    (void)state;
    memset(&changes, 0, sizeof changes);
    target_disk_on_change(disk, on_change, NULL);
    open_volume(NULL);
    fill(data, sizeof data, 9);
    assert_status(transfer(IO_WRITE, 0, 16, data), STATUS_OK);
    assert_int_equal(changes.flushed, 0);
    struct io io = io_of(IO_FLUSH, 0, 0, NULL);
    assert_status(run_io(&io), STATUS_OK);
    assert_int_equal(changes.flushed, 1);
    io = io_of(IO_WRITE, 0, 2, &piece);
    io.force_unit_access = true;
    assert_status(run_io(&io), STATUS_OK);
    assert_true(changes.flushed >= 2);
    io = io_of(IO_WRITE_ZEROES, 0, 8, NULL);
    assert_status(run_io(&io), STATUS_OK);
    assert_memory_equal(target_disk_memory(disk), zeroes, sizeof zeroes);
    assert_memory_equal(target_disk_memory(disk) + 8 * BLOCK, data + 8 * BLOCK, 8 * BLOCK);
    io = io_of(IO_DISCARD, 8, 8, NULL);
    assert_status(run_io(&io), STATUS_OK);
    assert_memory_equal(target_disk_memory(disk) + 8 * BLOCK, zeroes, sizeof zeroes);
    memset(data, 0, BLOCK);
    io = io_of(IO_COMPARE_AND_WRITE, 3, 1, &piece);
    assert_status(run_io(&io), STATUS_OK);
    assert_memory_equal(target_disk_memory(disk) + 3 * BLOCK, data + BLOCK, BLOCK);
    assert_status(run_io(&io), STATUS_SCSI_STATUS); /* it is not zero any more */
    struct scsi_sense sense;
    scsi_sense_decode(&sense, io.task.sense, io.task.sense_length);
    assert_int_equal(sense.key, SCSI_MISCOMPARE);
}

/* Only where somebody wants that, and where the unit promises zeros. */
static void zeroes_are_unmapped_where_that_may_be(void **state)
{
    static const uint8_t zeroes[BLOCK * 8];
    (void)state;
    open_volume(NULL);
    assert_true(volume->facts.zeroes_by_unmap);
    fill(data, sizeof data, 9);
    orders.cdb = SCSI_WRITE_SAME_16;
    for (unsigned may = 0; may < 2; may++) {
        for (unsigned can = 0; can < 2; can++) {
            assert_status(transfer(IO_WRITE, 0, 8, data), STATUS_OK);
            struct io io = io_of(IO_WRITE_ZEROES, 0, 8, NULL);
            io.may_unmap = may;
            LIST_OWNER(list_first(&volume->paths), struct path, link)->unit->facts.zeroes_by_unmap =
                can;
            assert_status(run_io(&io), STATUS_OK);
            assert_int_equal(orders.bits, may && can ? 0x08 : 0);
            assert_memory_equal(target_disk_memory(disk), zeroes, sizeof zeroes);
        }
    }
    struct io io = io_of(IO_DISCARD, 0, 8, NULL);
    io.may_unmap = true;
    assert_status(run_io(&io), STATUS_INVALID_PARAMETER);
}

static void callers_have_commands_of_their_own(void **state)
{
    struct iov piece = {back, 36};
    struct io io = {.kind = IO_COMMAND, .pieces = &piece, .piece_count = 1, .in_length = 36};
    (void)state;
    open_volume(NULL);
    io.volume = volume;
    scsi_inquiry(&io.cdb, 0, 0, 36);
    assert_status(run_io(&io), STATUS_OK);
    assert_int_equal(io.task.transferred, 36);
    assert_memory_equal(back + 8, "ISCSIDSC", 8);
    io.cdb.length = 7;
    assert_status(run_io(&io), STATUS_INVALID_PARAMETER);
    io.cdb.length = 6;
    io.in_length = 37;
    assert_status(run_io(&io), STATUS_INVALID_PARAMETER);
}

/* --- what it refuses --- */

static void nonsense_is_refused(void **state)
{
    struct iov piece = {data, BLOCK};
    (void)state;
    open_volume(NULL);
    uint64_t blocks = volume->facts.capacity.blocks;
    struct io io = io_of(IO_WRITE, blocks - 1, 1, &piece);
    assert_status(run_io(&io), STATUS_OK);
    io.lba = blocks;
    assert_status(run_io(&io), STATUS_OUT_OF_RANGE);
    io.lba = UINT64_MAX;
    assert_status(run_io(&io), STATUS_OUT_OF_RANGE);
    io.lba = 1;
    io.blocks = blocks;
    assert_status(run_io(&io), STATUS_OUT_OF_RANGE);
    io.blocks = 0;
    assert_status(run_io(&io), STATUS_INVALID_PARAMETER);
    io.blocks = 2; /* more than there are data */
    assert_status(run_io(&io), STATUS_INVALID_PARAMETER);
    io = io_of(IO_COMPARE_AND_WRITE, 0, 1, &piece);
    assert_status(run_io(&io), STATUS_INVALID_PARAMETER);
    piece.length = 2 * BLOCK;
    io.repeatable = true;
    assert_status(run_io(&io), STATUS_INVALID_PARAMETER);
    io = io_of(IO_READ, 0, 1, &piece);
    io.force_unit_access = true;
    assert_status(run_io(&io), STATUS_INVALID_PARAMETER);
    io = io_of((enum io_kind)99, 0, 1, &piece);
    assert_status(run_io(&io), STATUS_INVALID_PARAMETER);
}

static void a_write_protected_unit_is_known_as_such(void **state)
{
    (void)state;
    target_disk_set_read_only(disk);
    open_volume(NULL);
    assert_true(volume->facts.mode.write_protected);
    assert_status(transfer(IO_WRITE, 0, 1, data), STATUS_WRITE_PROTECTED);
    assert_status(transfer(IO_DISCARD, 0, 1, data), STATUS_WRITE_PROTECTED);
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK);
}

/* --- answers --- */

static void a_busy_target_is_asked_again(void **state)
{
    (void)state;
    open_volume(NULL);
    refuse(SCSI_READ_10, SCSI_BUSY, 0, 0, 2);
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK);
    assert_int_equal(orders.commands, 3);
    refuse(SCSI_WRITE_10, SCSI_TASK_SET_FULL, 0, 0, 1);
    assert_status(transfer(IO_WRITE, 0, 1, data), STATUS_OK);
    assert_int_equal(orders.commands, 2);
    assert_int_equal(volume->statistics.retries, 3);
}

static void what_a_target_says_of_itself_does_not_fail_an_io(void **state)
{
    static const uint16_t attentions[] = {SCSI_ASC_POWER_ON_RESET, SCSI_ASC_CAPACITY_CHANGED,
                                          SCSI_ASC_REPORTED_LUNS_CHANGED};
    (void)state;
    open_volume(NULL);
    for (size_t i = 0; i < sizeof attentions / sizeof *attentions; i++) {
        refuse(SCSI_WRITE_10, SCSI_CHECK_CONDITION, SCSI_UNIT_ATTENTION, attentions[i], 1);
        assert_status(transfer(IO_WRITE, 0, 1, data), STATUS_OK);
        assert_int_equal(orders.commands, 2);
        orders.deferred = !orders.deferred;
    }
    /* What failed earlier is another matter. */
    orders.deferred = true;
    refuse(SCSI_WRITE_10, SCSI_CHECK_CONDITION, SCSI_ABORTED_COMMAND, 0, 1);
    assert_status(transfer(IO_WRITE, 0, 1, data), STATUS_SCSI_STATUS);
    assert_int_equal(orders.commands, 1);
}

static void an_error_is_the_callers(void **state)
{
    struct iov piece = {back, BLOCK};
    struct scsi_sense sense;
    (void)state;
    open_volume("MaxTransferLength = 4096\n");
    struct io io = io_of(IO_READ, 0, 1, &piece);
    refuse(SCSI_READ_10, SCSI_CHECK_CONDITION, SCSI_MEDIUM_ERROR, SCSI_ASC(0x11, 0), 1);
    assert_status(run_io(&io), STATUS_SCSI_STATUS);
    assert_int_equal(orders.commands, 1);
    assert_int_equal(io.task.scsi_status, SCSI_CHECK_CONDITION);
    scsi_sense_decode(&sense, io.task.sense, io.task.sense_length);
    assert_int_equal(sense.key, SCSI_MEDIUM_ERROR);
    assert_int_equal(sense.asc, SCSI_ASC(0x11, 0));
    refuse(SCSI_WRITE_10, SCSI_RESERVATION_CONFLICT, 0, 0, 1);
    assert_status(transfer(IO_WRITE, 0, 1, data), STATUS_SCSI_STATUS);
    assert_int_equal(volume->statistics.errors, 2);
}

/* However long a command may take: it does not come to an end by being sent again. */
static void a_command_that_is_never_carried_out_fails(void **state)
{
    (void)state;
    open_volume("MinDiskCommandTimeout = 0\n");
    refuse(SCSI_READ_10, SCSI_CHECK_CONDITION, SCSI_ABORTED_COMMAND, 0, 3);
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK);
    assert_int_equal(orders.commands, 4);
    refuse(SCSI_READ_10, SCSI_TASK_ABORTED, 0, 0, 1000);
    uint64_t began = os_now();
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_SCSI_STATUS);
    assert_int_equal(orders.commands, 17);
    assert_in_range(os_now() - began, 1000, 20000); /* with pauses */
}

/* --- lost connections --- */

static void reads_are_sent_again(void **state)
{
    (void)state;
    open_volume("ErrorRecoveryLevel = 0\n");
    fill(data, sizeof data, 3);
    assert_status(transfer(IO_WRITE, 0, 128, data), STATUS_OK);
    lose(PDU_DATA_IN, TARGET_END_RESET, 3);
    memset(back, 0, sizeof back);
    assert_status(transfer(IO_READ, 0, 128, back), STATUS_OK);
    assert_memory_equal(back, data, 128 * BLOCK);
    assert_int_equal(orders.left, 0);
}

static void writes_are_not_unless_the_caller_says_so(void **state)
{
    struct iov piece = {data, 2 * BLOCK};
    (void)state;
    open_volume("ErrorRecoveryLevel = 0\n");
    fill(data, sizeof data, 4);
    orders.cdb = SCSI_WRITE_10;
    struct io io = io_of(IO_WRITE, 0, 2, &piece);
    lose(PDU_SCSI_RESPONSE, TARGET_END_RESET, 1);
    assert_status(run_io(&io), STATUS_OUTCOME_UNKNOWN);
    assert_true(io.cause == STATUS_CONNECTION_RESET || io.cause == STATUS_CONNECTION_CLOSED);
    assert_int_equal(orders.commands, 1);
    io.repeatable = true;
    lose(PDU_SCSI_RESPONSE, TARGET_END_RESET, 2);
    assert_status(run_io(&io), STATUS_OK);
    assert_int_equal(orders.commands, 4);
    assert_memory_equal(target_disk_memory(disk), data, 2 * BLOCK);
    orders.cdb = SCSI_COMPARE_AND_WRITE;
    orders.commands = 0;
    memcpy(back, data, BLOCK);
    piece.base = back;
    io = io_of(IO_COMPARE_AND_WRITE, 0, 1, &piece);
    lose(PDU_SCSI_RESPONSE, TARGET_END_CLOSE, 1);
    assert_status(run_io(&io), STATUS_OUTCOME_UNKNOWN);
    assert_int_equal(orders.commands, 1);
}

static void what_waits_for_a_connection_was_never_sent(void **state)
{
    struct later later;
    (void)state;
    write_text("iscsi.conf", "ErrorRecoveryLevel = 0\n");
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_OK);
    open_session(1); /* a second without any */
    in_engine(find_volume, &last_session);
    unsigned before = orders.connections;
    cut();
    wait_until(count_sessions() == 1 && last_listed.connections.count == 0);
    fill(data, BLOCK, 1);
    begin_io(&later, IO_WRITE, 5, 1, data);
    io_post(engine, &later.io);
    assert_status(await_io(&later), STATUS_OK);
    assert_int_equal(orders.connections, before + 1);
    assert_memory_equal(target_disk_memory(disk) + 5 * BLOCK, data, BLOCK);
}

static void nobody_waits_longer_than_requests_are_held(void **state)
{
    (void)state;
    write_text("iscsi.conf", "MaxRequestHoldTime = 1\n");
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_OK);
    open_session(30);
    in_engine(find_volume, &last_session);
    cut();
    wait_until(count_sessions() == 1 && last_listed.connections.count == 0);
    uint64_t began = os_now();
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_NO_CONNECTION);
    assert_in_range(os_now() - began, 0, 5000);
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_NO_CONNECTION); /* at once */
}

static void with_its_session_the_volume_has_no_path(void **state)
{
    struct later later;
    (void)state;
    open_volume(NULL);
    orders.cdb = SCSI_READ_10;
    orders.swallow = true;
    begin_io(&later, IO_READ, 0, 1, back);
    io_post(engine, &later.io);
    wait_until(orders.commands > 0);
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(await_io(&later), STATUS_NO_CONNECTION);
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_NO_CONNECTION);
    orders.swallow = false;
    struct volume *same = volume;
    open_session(0);
    in_engine(find_volume, &last_session);
    assert_ptr_equal(volume, same);
    in_engine(run_release, volume);
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK);
}

/* Protocol checklist, items 45 and S10: the write that waited must not reach another disk. */
static void another_unit_behind_the_same_number_fails_its_io(void **state)
{
    static uint8_t before[BLOCK];
    struct later later;
    (void)state;
    write_text("iscsi.conf", "ErrorRecoveryLevel = 0\n");
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_OK);
    open_session(1);
    in_engine(find_volume, &last_session);
    memcpy(before, target_disk_memory(disk), BLOCK);
    cut();
    wait_until(count_sessions() == 1 && last_listed.connections.count == 0);
    orders.another = true;
    orders.cdb = SCSI_WRITE_10;
    memset(data, 0x5a, BLOCK);
    begin_io(&later, IO_WRITE, 0, 1, data);
    io_post(engine, &later.io);
    assert_status(await_io(&later), STATUS_NO_CONNECTION);
    assert_int_equal(orders.commands, 0);
    assert_memory_equal(target_disk_memory(disk), before, BLOCK);
    assert_status(transfer(IO_WRITE, 0, 1, data), STATUS_NO_CONNECTION);
    struct volume *old = volume;
    in_engine(find_volume, &last_session);
    assert_ptr_not_equal(volume, old);
    assert_status(transfer(IO_WRITE, 0, 1, data), STATUS_OK); /* the new one does well */
    in_engine(run_release, old);
}

/* The same without a loss: the target says so. */
static void nor_does_a_unit_that_is_swapped_under_a_session(void **state)
{
    (void)state;
    open_volume(NULL);
    orders.another = true;
    refuse(SCSI_WRITE_10, SCSI_CHECK_CONDITION, SCSI_UNIT_ATTENTION, SCSI_ASC_INQUIRY_CHANGED, 1);
    assert_status(transfer(IO_WRITE, 0, 1, data), STATUS_NO_CONNECTION);
    assert_int_equal(orders.commands, 1);
}

/* --- submission --- */

static struct later early;

static void submit_inside(void *context)
{
    struct later *later = context;
    io_submit(&later->io);
    if (later->ended)
        fail_msg("it ended from inside");
}

static void nothing_ends_from_inside(void **state)
{
    (void)state;
    open_volume(NULL);
    begin_io(&early, IO_WRITE, UINT64_MAX, 1, data);
    in_engine(submit_inside, &early);
    assert_status(await_io(&early), STATUS_OUT_OF_RANGE);
    assert_status(logout(&last_session), STATUS_OK);
    begin_io(&early, IO_READ, 0, 1, data);
    in_engine(submit_inside, &early);
    assert_status(await_io(&early), STATUS_NO_CONNECTION);
}

static void cancel_inside(void *context)
{
    struct later *later = context;
    io_cancel(&later->io);
    if (!later->ended)
        fail_msg("it did not end from inside");
    io_cancel(&later->io); /* does no harm */
}

static void an_io_can_be_given_up(void **state)
{
    static struct later later;
    (void)state;
    open_volume(NULL);
    orders.cdb = SCSI_READ_10;
    orders.swallow = true;
    begin_io(&later, IO_READ, 0, 1, back);
    io_post(engine, &later.io);
    wait_until(orders.commands > 0);
    in_engine(cancel_inside, &later);
    assert_status(later.io.status, STATUS_CANCELLED);
    orders.swallow = false;
    refuse(SCSI_READ_10, SCSI_BUSY, 0, 0, 1000);
    begin_io(&later, IO_READ, 0, 1, back);
    io_post(engine, &later.io);
    wait_until(orders.commands > 0);
    in_engine(cancel_inside, &later);
    assert_status(later.io.status, STATUS_CANCELLED);
    orders.refuse = false;
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK);
}

enum { POSTED = 4000, WAITED = 64 };

static void thousands_from_another_thread_all_end(void **state)
{
    static struct later laters[POSTED];
    static struct io ios[WAITED];
    static struct iov pieces[WAITED];
    (void)state;
    open_volume(NULL);
    fill(target_disk_memory(disk), sizeof back, 77);
    for (unsigned i = 0; i < POSTED; i++) {
        begin_io(&laters[i], IO_READ, i % 512, 1, back + i % 512 * BLOCK);
        io_post(engine, &laters[i].io);
    }
    for (unsigned i = 0; i < POSTED; i++)
        assert_status(await_io(&laters[i]), STATUS_OK);
    assert_memory_equal(back, target_disk_memory(disk), sizeof back);
    memset(back, 0, sizeof back);
    for (unsigned i = 0; i < WAITED; i++) {
        pieces[i] = (struct iov){back + i * BLOCK, BLOCK};
        ios[i] = io_of(IO_READ, i, 1, &pieces[i]);
    }
    assert_true(io_run(engine, ios, WAITED));
    assert_memory_equal(back, target_disk_memory(disk), WAITED * BLOCK);
    assert_true(volume->statistics.reads == POSTED + WAITED);
    assert_true(volume->statistics.bytes_read == (POSTED + WAITED) * BLOCK);
}

static void an_engine_that_stops_ends_all(void **state)
{
    static struct later later;
    (void)state;
    open_volume(NULL);
    orders.cdb = SCSI_READ_10;
    orders.swallow = true;
    begin_io(&later, IO_READ, 0, 1, back);
    io_post(engine, &later.io);
    wait_until(orders.commands > 0);
    in_engine(run_release, volume);
    volume = NULL;
    engine_stop(engine);
    assert_status(await_io(&later), STATUS_NO_CONNECTION);
    assert_status(engine_start(&engine, directory), STATUS_OK);
}

#define IO_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IO_TEST(what_is_written_is_read),
        IO_TEST(large_ones_are_split_and_pieces_stay),
        IO_TEST(each_kind_does_what_it_says),
        IO_TEST(zeroes_are_unmapped_where_that_may_be),
        IO_TEST(callers_have_commands_of_their_own),
        IO_TEST(nonsense_is_refused),
        IO_TEST(a_write_protected_unit_is_known_as_such),
        IO_TEST(a_busy_target_is_asked_again),
        IO_TEST(what_a_target_says_of_itself_does_not_fail_an_io),
        IO_TEST(an_error_is_the_callers),
        IO_TEST(a_command_that_is_never_carried_out_fails),
        IO_TEST(reads_are_sent_again),
        IO_TEST(writes_are_not_unless_the_caller_says_so),
        IO_TEST(what_waits_for_a_connection_was_never_sent),
        IO_TEST(nobody_waits_longer_than_requests_are_held),
        IO_TEST(with_its_session_the_volume_has_no_path),
        IO_TEST(another_unit_behind_the_same_number_fails_its_io),
        IO_TEST(nor_does_a_unit_that_is_swapped_under_a_session),
        IO_TEST(nothing_ends_from_inside),
        IO_TEST(an_io_can_be_given_up),
        IO_TEST(thousands_from_another_thread_all_end),
        IO_TEST(an_engine_that_stops_ends_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
