/* Reading and writing by the initiators of libiscsi(3). */
#include "libiscsi_support.h"

enum { MEGABYTE = 1 << 20, CROWD = 4 };

struct both {
    struct served served;
    iscsi_initiator_t initiator;
    iscsi_unit_t unit;
};

static void begin(struct both *both, const char *targets, const char *block_length)
{
    served_prepare(&both->served, targets);
    iscsi_target_setvar(&both->served.target, "blocklen", block_length);
    served_start(&both->served);
    prepare_initiator(&both->initiator, &both->served);
    INITIATOR_DOES(0, &both->initiator, iscsi_initiator_start(&both->initiator));
    INITIATOR_DOES(0, &both->initiator, iscsi_initiator_discover(&both->initiator, NULL, 0, 0));
    INITIATOR_DOES(0, &both->initiator, iscsi_initiator_unit(&both->initiator, 0, 0, &both->unit));
}

static void end(struct both *both)
{
    assert_int_equal(iscsi_initiator_shutdown(&both->initiator), 0);
    served_stop(&both->served);
}

static uint8_t *pattern(size_t length, unsigned seed)
{
    uint8_t *bytes = malloc(length);

    assert_non_null(bytes);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)((i * 2654435761u + seed) >> 13);
    return bytes;
}

static void what_a_unit_is(void **state)
{
    struct both both;

    (void)state;
    begin(&both, "extent0 ram: 0 3MB\ntarget0 rw extent0 any\n", "4096");
    assert_int_equal(both.unit.type, 0);
    assert_int_equal(both.unit.blocks, 768);
    assert_int_equal(both.unit.block_length, 4096);
    assert_true(strlen(both.unit.vendor) > 0);
    assert_true(strlen(both.unit.product) > 0);
    end(&both);
}

/* More than a command holds, and what was written is what is read, in the file as well. */
static void there_and_back(void **state)
{
    struct both both;
    char targets[1200];
    uint8_t *data = pattern(MEGABYTE, 1), *back = malloc(MEGABYTE);
    FILE *file;

    (void)state;
    snprintf(targets, sizeof targets, "extent0 %s 0 2MB\ntarget0 rw extent0 any\n",
             test_path("io"));
    begin(&both, targets, "512");
    INITIATOR_DOES(0, &both.initiator,
                   iscsi_initiator_write(&both.initiator, 0, 0, &both.unit, 512, data, MEGABYTE));
    INITIATOR_DOES(0, &both.initiator, iscsi_initiator_flush(&both.initiator, 0, 0));
    INITIATOR_DOES(0, &both.initiator,
                   iscsi_initiator_read(&both.initiator, 0, 0, &both.unit, 512, back, MEGABYTE));
    assert_memory_equal(back, data, MEGABYTE);
    INITIATOR_DOES(0, &both.initiator,
                   iscsi_initiator_read(&both.initiator, 0, 0, &both.unit, 0, back, 512));
    for (int i = 0; i < 512; i++)
        assert_int_equal(back[i], 0);
    end(&both);
    file = fopen(test_path("io"), "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 512, SEEK_SET), 0);
    assert_int_equal(fread(back, 1, MEGABYTE, file), MEGABYTE);
    fclose(file);
    assert_memory_equal(back, data, MEGABYTE);
    free(data);
    free(back);
}

static void what_is_refused(void **state)
{
    struct both both;
    uint8_t block[1024] = {0};

    (void)state;
    begin(&both,
          "extent0 ram: 0 1MB\nextent1 ram: 0 1MB\ntarget0 ro extent0 any\n"
          "target1 rw extent1 any\n",
          "512");
    iscsi_initiator_t *initiator = &both.initiator;
    FAILS(EROFS, iscsi_initiator_write(initiator, 0, 0, &both.unit, 0, block, 512));
    INITIATOR_DOES(0, initiator, iscsi_initiator_read(initiator, 0, 0, &both.unit, 0, block, 512));
    FAILS(EINVAL, iscsi_initiator_read(initiator, 0, 0, &both.unit, 0, block, 513));
    FAILS(EINVAL, iscsi_initiator_read(initiator, 0, 0, &both.unit, 1, block, 512));
    FAILS(EINVAL, iscsi_initiator_read(initiator, 0, 0, &both.unit, MEGABYTE, block, 512));
    FAILS(EINVAL, iscsi_initiator_read(initiator, 0, 0, &both.unit, MEGABYTE - 512, block, 1024));
    FAILS(EINVAL, iscsi_initiator_read(initiator, 0, 0, NULL, 0, block, 512));
    FAILS(EINVAL, iscsi_initiator_read(initiator, 0, 0, &both.unit, 0, NULL, 512));
    FAILS(EINVAL, iscsi_initiator_unit(initiator, 0, -1, &both.unit));
    FAILS(EINVAL, iscsi_initiator_unit(initiator, 0, 0, NULL));
    FAILS(EINVAL, iscsi_initiator_flush(NULL, 0, 0));
    FAILS(ENXIO, iscsi_initiator_read(initiator, 0, 7, &both.unit, 0, block, 512));
    FAILS(ENOTCONN, iscsi_initiator_read(initiator, 1, 0, &both.unit, 0, block, 512));
    FAILS(ENODEV, iscsi_initiator_read(initiator, 2, 0, &both.unit, 0, block, 512));
    end(&both);
}

/* A copy that fails under way does no harm to who reads and writes. */
static void copies(void **state)
{
    struct both both;
    char targets[2400];
    uint8_t *data = pattern(65536, 2), *back = malloc(65536);
    FILE *file;

    (void)state;
    snprintf(targets, sizeof targets,
             "extent0 %s 0 64KB\nextent1 %s 0 64KB\ndevice0 RAID1 extent0 extent1\n"
             "target0 rw device0 any\n",
             test_path("first"), test_path("second"));
    begin(&both, targets, "512");
    INITIATOR_DOES(0, &both.initiator,
                   iscsi_initiator_write(&both.initiator, 0, 0, &both.unit, 0, data, 65536));
    file = fopen(test_path("first"), "wb"); /* it is empty now: nothing of it can be read */
    if (file != NULL)
        fclose(file);
    for (int i = 0; i < 2; i++) {
        INITIATOR_DOES(0, &both.initiator,
                       iscsi_initiator_read(&both.initiator, 0, 0, &both.unit, 0, back, 65536));
        assert_memory_equal(back, data, 65536);
    }
    if (file != NULL)
        assert_string_equal(iscsi_target_getvar(&both.served.target, "lost copies"), "extent0");
    end(&both);
    free(data);
    free(back);
}

/* --- several threads on one handle --- */

struct writer {
    struct both *both;
    unsigned number;
    int failures;
};

static void write_and_read(void *argument)
{
    struct writer *writer = argument;
    iscsi_initiator_t *initiator = &writer->both->initiator;
    const iscsi_unit_t *unit = &writer->both->unit;
    size_t part = MEGABYTE / CROWD;
    uint64_t offset = writer->number * part;
    uint8_t *data = pattern(part, writer->number), *back = malloc(part);

    for (int i = 0; i < 8; i++) {
        writer->failures += iscsi_initiator_write(initiator, 0, 0, unit, offset, data, part) != 0;
        writer->failures += iscsi_initiator_read(initiator, 0, 0, unit, offset, back, part) != 0;
        writer->failures += memcmp(data, back, part) != 0;
    }
    free(data);
    free(back);
}

static void threads_on_one_handle(void **state)
{
    struct both both;
    struct writer writers[CROWD];
    struct thread *threads[CROWD];

    (void)state;
    begin(&both, "extent0 ram: 0 1MB\ntarget0 rw extent0 any\n", "512");
    for (unsigned i = 0; i < CROWD; i++) {
        writers[i] = (struct writer){&both, i, 0};
        threads[i] = thread_start(write_and_read, &writers[i]);
    }
    for (unsigned i = 0; i < CROWD; i++)
        thread_join(threads[i]);
    for (unsigned i = 0; i < CROWD; i++)
        assert_int_equal(writers[i].failures, 0);
    end(&both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_unit_is),        cmocka_unit_test(there_and_back),
        cmocka_unit_test(what_is_refused),       cmocka_unit_test(copies),
        cmocka_unit_test(threads_on_one_handle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
