/* Partition tables of a disk that is the input, in blocks of 512 or 4096 bytes. */
#include "devices/partitions.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MOST = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct partitions partitions;
    unsigned rounds = 0;
    if (size < 1)
        return 0;
    uint32_t block = data[0] & 1 ? 4096 : 512;
    data++;
    size--;
    partitions_begin(&partitions, size, block);
    while (partitions.want_length > 0) {
        if (partitions.want + partitions.want_length > size || ++rounds > ROUNDS_MOST)
            abort();
        uint8_t *wanted = malloc(partitions.want_length);
        if (wanted == NULL)
            return 0;
        memcpy(wanted, data + partitions.want, partitions.want_length);
        partitions_give(&partitions, wanted);
        free(wanted);
    }
    for (unsigned i = 0; i < PARTITIONS_MOST; i++) {
        const struct partition *found = &partitions.found[i];
        if (found->length > 0 && (found->start == 0 || found->start + found->length > size ||
                                  found->start % block != 0 || found->length % block != 0))
            abort();
    }
    return 0;
}
