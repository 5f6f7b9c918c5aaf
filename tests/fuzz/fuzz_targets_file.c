/* The targets file and the accounts file: any bytes. */
#include "libiscsi/auths.h"
#include "libiscsi/targets_file.h"

#include <stdlib.h>
#include <string.h>

static void check(const struct targets_file *file)
{
    for (size_t i = 0; i < file->device_count; i++) {
        for (size_t j = 0; j < file->devices[i].count; j++) {
            const struct targets_piece *piece = &file->devices[i].pieces[j];

            if (piece->is_device ? piece->index >= i : piece->index >= file->extent_count)
                abort();
        }
    }
    for (size_t i = 0; i < file->extent_count; i++) {
        const struct targets_extent *extent = &file->extents[i];

        if (strlen(extent->file) == 0 || extent->offset > INT64_MAX)
            abort();
    }
    for (size_t i = 0; i < file->lun_count; i++) {
        const struct targets_piece *piece = &file->luns[i].storage;

        if (piece->index >= (piece->is_device ? file->device_count : file->extent_count))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct targets_file file;
    struct auths auths;
    char error[120];

    if (targets_file_parse(&file, (const char *)data, size, error, sizeof error)) {
        check(&file);
        targets_file_clear(&file);
    } else if (strlen(error) == 0) {
        abort(); /* refused without a word */
    }
    if (auths_parse(&auths, (const char *)data, size, error, sizeof error))
        auths_clear(&auths);
    return 0;
}
