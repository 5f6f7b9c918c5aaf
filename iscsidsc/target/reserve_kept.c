/*
 * Registrations that outlive the target (APTPL; SPC-4, 5.13.3), in a file of two slots that are
 * written in turn: the one that was whole last counts, so that an end in the middle of a change
 * leaves what was before it.
 *
 * A slot: magic, number of the change, length and CRC32C of the rest (big-endian); type of the
 * reservation, place of its holder from 1 on (0: none), then for each registration key, ISID,
 * length of the name, name.
 */
#include "os/storage.h"
#include "protocol/crc32c.h"

#include "target/reserve.h"

enum { SLOT = 65536, HEADER = 24, FIXED = 8 + PDU_ISID_LENGTH + 1 };

static const char magic[8] = {'i', 's', 'c', 's', 'i', 'P', 'R', '1'};

/* Returns the length of a slot, 0: there is no room for so many. */
static size_t encode(const struct target_reservations *reservations, uint8_t *slot)
{
    size_t length = HEADER + 4;
    uint16_t place = 0;

    memset(slot, 0, HEADER + 4);
    if (!reservations->persist)
        return length;
    LIST_EACH(node, &reservations->registrants)
    {
        const struct target_registrant *one = LIST_OWNER(node, struct target_registrant, link);
        size_t name = strlen(one->initiator);

        if (length + FIXED + name > SLOT)
            return 0;
        place++;
        if (reservations->holder == one) {
            slot[HEADER] = reservations->type;
            put_be16(slot + HEADER + 2, place);
        }
        put_be64(slot + length, one->key);
        memcpy(slot + length + 8, one->isid, PDU_ISID_LENGTH);
        slot[length + FIXED - 1] = (uint8_t)name;
        memcpy(slot + length + FIXED, one->initiator, name);
        length += FIXED + name;
    }
    return length;
}

bool reserve_keep(struct target_reservations *reservations)
{
    uint64_t change = reservations->change + 1;
    uint8_t *slot;
    size_t length;
    bool done;

    if (reservations->file == NULL || (!reservations->persist && !reservations->kept))
        return true;
    slot = os_alloc(SLOT);
    if (slot == NULL)
        return false;
    length = encode(reservations, slot);
    memcpy(slot, magic, sizeof magic);
    put_be64(slot + 8, change);
    put_be32(slot + 16, (uint32_t)(length - HEADER));
    put_be32(slot + 20, crc32c(0, slot + HEADER, length > 0 ? length - HEADER : 0));
    done = length > 0 && os_storage_write(reservations->file, change % 2 * SLOT, slot, length) &&
           os_storage_flush(reservations->file);
    os_free(slot);
    if (done) {
        reservations->change = change;
        reservations->kept = reservations->persist;
    }
    return done;
}

/* --- at the start --- */

static bool slot_is_whole(const uint8_t *slot)
{
    uint32_t length = get_be32(slot + 16);

    return memcmp(slot, magic, sizeof magic) == 0 && length >= 4 && length <= SLOT - HEADER &&
           get_be32(slot + 20) == crc32c(0, slot + HEADER, length);
}

static enum status decode(struct target_reservations *reservations, const uint8_t *slot)
{
    size_t end = HEADER + get_be32(slot + 16);
    uint16_t holder = get_be16(slot + HEADER + 2);
    uint16_t place = 0;

    for (size_t at = HEADER + 4; at + FIXED <= end; at += FIXED + slot[at + FIXED - 1]) {
        char name[256] = "";
        struct target_registrant *one;

        if (at + FIXED + slot[at + FIXED - 1] > end)
            return STATUS_STORE_FAILED;
        memcpy(name, slot + at + FIXED, slot[at + FIXED - 1]);
        one = reserve_add(reservations, name, slot + at + 8);
        if (one == NULL)
            return STATUS_NO_MEMORY;
        one->key = get_be64(slot + at);
        if (++place == holder) {
            reservations->holder = one;
            reservations->type = slot[HEADER];
        }
    }
    reservations->kept = reservations->persist = place > 0;
    return holder > place || (holder > 0 && !reserve_type_valid(slot[HEADER])) ? STATUS_STORE_FAILED
                                                                               : STATUS_OK;
}

static enum status load(struct target_reservations *reservations)
{
    uint8_t *slots = os_alloc(2 * SLOT);
    const uint8_t *newest = NULL;
    enum status status = STATUS_OK;

    if (slots == NULL)
        return STATUS_NO_MEMORY;
    if (!os_storage_read(reservations->file, 0, slots, 2 * SLOT))
        status = STATUS_STORE_FAILED;
    for (int i = 0; status == STATUS_OK && i < 2; i++) {
        const uint8_t *slot = slots + i * SLOT;

        if (slot_is_whole(slot) && (newest == NULL || get_be64(slot + 8) > get_be64(newest + 8)))
            newest = slot;
    }
    if (newest != NULL) {
        reservations->change = get_be64(newest + 8);
        status = decode(reservations, newest);
    }
    os_free(slots);
    return status;
}

static enum status open_file(struct target_reservations *reservations, const char *path)
{
    uint64_t size;
    bool made;
    enum status status = os_storage_make(path, 2 * SLOT, &made);

    return status != STATUS_OK ? status : os_storage_open(path, false, &reservations->file, &size);
}

enum status target_disk_keep_reservations(struct target_disk *disk, const char *path)
{
    struct target_reservations *reservations = &disk->reservations;
    enum status status = open_file(reservations, path);

    if (status == STATUS_OK)
        status = load(reservations);
    if (status != STATUS_OK) {
        target_reservations_clear(reservations);
        os_storage_close(reservations->file);
        reservations->file = NULL;
    }
    return status;
}
