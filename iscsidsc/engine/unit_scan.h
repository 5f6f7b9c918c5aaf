/* Asking a target what logical units it has, and what they are. */
#ifndef ENGINE_UNIT_SCAN_H
#define ENGINE_UNIT_SCAN_H

#include "engine/units.h"

/* What came of one unit. Not `certain`: it is there, but something it should have told has not
 * come; who knows it already knows better. */
struct unit_finding {
    struct unit_facts facts;
    bool certain;
};

/* Once; the scan is gone then. `status` other than OK: the target could not be asked, and nothing
 * is known of its units. At most UNITS_MOST, in the order of their LUNs' numbers. */
typedef void scan_done(struct engine_session *session, enum status status,
                       const struct unit_finding *findings, size_t count);

/* `*slot` is the scan for as long as it runs, then NULL. `done` may be called from inside. */
void scan_start(struct engine_session *session, scan_done *done, struct scan **slot);
/* It ends with CANCELLED when the command under way has been answered. */
void scan_stop(struct scan *scan);
/* `done` will not be called. NULL does nothing. */
void scan_cancel(struct scan *scan);

#endif
