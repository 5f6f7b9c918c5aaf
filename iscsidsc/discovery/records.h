/* What every kind of discovery yields: targets and their portals. */
#ifndef DISCOVERY_RECORDS_H
#define DISCOVERY_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A portal of a target. Records of one target follow one another. */
struct discovery_record {
    const char *target; /* normalised name */
    const char *host;   /* NULL: the target has no portal that is known */
    uint16_t port;
    uint16_t group;            /* portal group tag; 0 when it is not known */
    const char *alias;         /* of the target; NULL when it is not known */
    const char *symbolic_name; /* of the portal; NULL when it has none */
    bool hidden;               /* a target that is not to be reported on this record's account */
};

struct discovery_records {
    struct discovery_record *items;
    size_t count;
};

#endif
