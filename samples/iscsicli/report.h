/* Asking the library for data whose size it decides. */
#ifndef ISCSICLI_REPORT_H
#define ISCSICLI_REPORT_H

#include <stdbool.h>
#include "platform.h"

struct report {
    void *data;  /* owned; NULL if there is nothing */
    ULONG size;  /* in the function's unit: bytes, characters or elements */
    ULONG count; /* elements, for functions that count them apart */
};

/* One call of an API function. `context` is what its other parameters are made from. */
typedef ISDSC_STATUS report_query(struct report *report, void *context);

/*
 * Ask for the size, then for the data; again, a few times, if it grew in between.
 * `unit` is the size in bytes of what report->size counts. The data end with two NUL bytes.
 */
ISDSC_STATUS report_fetch(struct report *report, report_query *query, void *context, size_t unit);

/* Whether a status comes with data: success, and the warnings. */
bool report_delivered(ISDSC_STATUS status);

void report_free(struct report *report);

#endif
