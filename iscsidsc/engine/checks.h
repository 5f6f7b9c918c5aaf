/* What every operation asks of the names, portals and mappings that a caller gives. */
#ifndef ENGINE_CHECKS_H
#define ENGINE_CHECKS_H

#include "engine/model.h"

/* Was a portal named? One with an empty address stands for any. */
bool portal_given(const struct portal *portal);

/* Has the UTF-8 at most so many characters? NULL has none. */
bool text_fits(const char *text, size_t most);

/* INVALID_PARAMETER: NULL or empty; INVALID_NAME: its length or characters. */
enum status check_target_name(const char *name);
/* One that must be given. INVALID_PARAMETER: none, too long, port 0; INVALID_ADDRESS. */
enum status check_portal(const struct portal *portal);
/* NULL is none. MAPPING_OUT_OF_RANGE: a bus, target or LUN beyond what a SCSI address can hold;
 * INVALID_MAPPING: a unit that is there twice, here or at the target. */
enum status check_mapping(const struct mapping *mapping);

#endif
