/* What sessions there are, and what has changed since the last look. */
#ifndef ISCSICLI_SNAPSHOT_H
#define ISCSICLI_SNAPSHOT_H

#include "platform.h"

struct snapshot {
    struct snapshot_session *sessions;
    ULONG count;
    BOOLEAN taken; /* the first look tells of nothing */
};

/* Tells of the differences and keeps what is there now. */
ISDSC_STATUS snapshot_update(struct snapshot *snapshot,
                             void (*tell)(const struct platform_event *event));
void snapshot_free(struct snapshot *snapshot);

#endif
