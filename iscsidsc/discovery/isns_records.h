/* The targets that an iSNS server told of, as records. */
#ifndef DISCOVERY_ISNS_RECORDS_H
#define DISCOVERY_ISNS_RECORDS_H

#include "discovery/records.h"
#include "os/memory.h"
#include "protocol/isns_messages.h"

/* Zero-initialise, fill, clear. */
struct isns_records {
    struct os_arena arena;
    struct discovery_records list;
    size_t room;
    size_t targets; /* named so far */
    const char *target;
    const char *alias; /* of that target */
    bool told;         /* it has a record */
};

void isns_records_clear(struct isns_records *records);

/*
 * Adds what a query's answer tells. `*grouped`: see isns_read_targets. NO_MEMORY, PROTOCOL_ERROR
 * (also when there are more targets or portals than can be).
 */
enum status isns_records_add(struct isns_records *records, struct isns_cursor attributes,
                             bool *grouped);

#endif
