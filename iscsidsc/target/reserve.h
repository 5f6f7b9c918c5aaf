/* Between the files of reservations: reserve.c (who may do what, and changes), reserve_in.c (what
 * there is), reserve_move.c (moving one to another port) and reserve_kept.c (what outlives the
 * target). */
#ifndef TARGET_RESERVE_H
#define TARGET_RESERVE_H

#include "target/internal.h"

enum reservation_type {
    WRITE_EXCLUSIVE = 1,
    EXCLUSIVE_ACCESS = 3,
    WRITE_EXCLUSIVE_REGISTRANTS = 5,
    EXCLUSIVE_ACCESS_REGISTRANTS = 6,
    WRITE_EXCLUSIVE_ALL = 7,
    EXCLUSIVE_ACCESS_ALL = 8,
};

enum reserve_action {
    REGISTER,
    RESERVE,
    RELEASE,
    CLEAR,
    PREEMPT,
    PREEMPT_AND_ABORT,
    REGISTER_IGNORE,
    REGISTER_MOVE,
};

/* One PERSISTENT RESERVE OUT, taken apart. */
struct reserve_out {
    struct target_scsi *scsi;
    struct target_reservations *reservations;
    struct target_registrant *own; /* NULL: not registered */
    unsigned action;
    uint8_t type;
    uint64_t key;
    uint64_t action_key;
    bool persist; /* APTPL */
};

#define MOVE_LIST_MOST 1024u

struct target_registrant *reserve_find(const struct target_reservations *reservations,
                                       const char *initiator, const uint8_t *isid);
/* NULL: out of memory. */
struct target_registrant *reserve_add(struct target_reservations *reservations,
                                      const char *initiator, const uint8_t *isid);
void reserve_remove(struct target_reservations *reservations, struct target_registrant *registrant);
size_t reserve_count(const struct target_reservations *reservations);
bool reserve_type_valid(uint8_t type);
bool reserve_for_all(uint8_t type);
bool reserve_is_holder(const struct target_reservations *reservations,
                       const struct target_registrant *registrant);
void reserve_conflict(const struct reserve_out *out);

/* REGISTER AND MOVE: `list` has its `length` bytes. */
void reserve_move(struct reserve_out *out, const uint8_t *list, size_t length);

/* What of the reservations is to outlive the target is in its file. False: it is not. */
bool reserve_keep(struct target_reservations *reservations);

#endif
