/* Logical units as devices of this machine: what kinds there are, and how they are called. */
#ifndef ENGINE_DEVICES_H
#define ENGINE_DEVICES_H

#include "engine/units.h"

/* 0 is the machine's own disk. */
enum { UNIT_NUMBER_FIRST = 1 };

/* Peripheral device types of which a device can be made. */
struct unit_class {
    uint8_t type; /* SPC-4, table 138 */
    enum unit_family family;
    const char *enumerator; /* in interface names */
    uint32_t guid;          /* first part of the interface class's GUID; the rest is the same */
};

/* NULL: Windows would not make a device of it either. */
const struct unit_class *unit_class_of(uint8_t type);

enum { UNIT_NAME_ROOM = 160 };
/* Of a unit with a class: "\\?\scsi#disk&ven_...", and "\\.\PhysicalDrive1". */
void unit_interface_name(const struct unit *unit, char out[UNIT_NAME_ROOM]);
void unit_legacy_name(const struct unit *unit, char out[UNIT_NAME_ROOM]);
/* What programs of this machine open of it. False: out of memory. `*out` NULL: no real device. */
bool unit_path(const struct unit *unit, struct os_arena *arena, const char **out);

/* The unit that a caller's path means; without case. NULL: none of ours. */
struct unit *unit_by_path(struct engine *engine, const char *path);

#endif
