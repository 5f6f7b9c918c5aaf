/* Log pages: which there are, and that nothing is wrong (SPC-4, 6.6, 6.7, 7.3). */
#include "protocol/scsi.h"

#include "target/internal.h"

enum { PAGE_SUPPORTED = 0x00, PAGE_EXCEPTIONS = 0x2f, PAGE_CODE = 0x3f };

static bool has_page(uint8_t page)
{
    return page == PAGE_SUPPORTED || page == PAGE_EXCEPTIONS;
}

void target_scsi_log_sense(struct target_scsi *scsi, struct target_disk *disk)
{
    static const uint8_t pages[] = {PAGE_SUPPORTED, 0, 0, 2, PAGE_SUPPORTED, PAGE_EXCEPTIONS};
    static const uint8_t exceptions[] = {PAGE_EXCEPTIONS, 0, 0, 8, 0, 0, 0x03, 4, 0, 0, 0, 0};
    uint8_t page = scsi->cdb[2] & PAGE_CODE;
    uint32_t allocation = get_be16(scsi->cdb + 7);

    (void)disk;
    if (scsi->cdb[3] != 0 || scsi->cdb[1] != 0 || !has_page(page))
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
    else if (page == PAGE_SUPPORTED)
        target_scsi_answer(scsi, pages, sizeof pages, allocation);
    else
        target_scsi_answer(scsi, exceptions, sizeof exceptions, allocation);
}

/* Nothing is counted, so that any reset of counts is done already; there is nothing that could be
 * set or saved. */
void target_scsi_log_select(struct target_scsi *scsi, struct target_disk *disk)
{
    (void)disk;
    if (get_be16(scsi->cdb + 7) != 0 || scsi->cdb[1] & 1 || scsi->cdb[3] != 0 ||
        !has_page(scsi->cdb[2] & PAGE_CODE))
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
}
