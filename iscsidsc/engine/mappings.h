/*
 * Target mappings: the SCSI bus, target id and LUNs under which this machine has the units of a
 * session. Those that were asked for are given or refused; else the first session to a target gets
 * the place that iscsi.bindings keeps for it, others the smallest one that is free, bus after bus,
 * and their units the target's own LUN where that is a byte and free,
 * else the smallest free one.
 */
#ifndef ENGINE_MAPPINGS_H
#define ENGINE_MAPPINGS_H

#include "engine/units.h"

/* All numbers are bytes in a SCSI_ADDRESS. */
enum {
    MAPPING_BUSES = 256,
    MAPPING_TARGETS = 256,
    MAPPING_LUNS = 256,
    MAPPING_PLACE_LAST = MAPPING_BUSES * MAPPING_TARGETS - 1,
};

/* The place of a mapping that check_mapping has passed: SCSI bus * 256 + target id. */
uint32_t mapping_place(const struct mapping *mapping);

/* The OS LUN for another unit of the session; -1: none is free. */
int mapping_os_lun(const struct units *units, uint64_t lun);

#endif
