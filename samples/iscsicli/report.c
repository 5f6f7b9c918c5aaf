#include <stdlib.h>

#include "report.h"

enum { ATTEMPTS = 10 };

ISDSC_STATUS report_fetch(struct report *report, report_query *query, void *context, size_t unit)
{
    ISDSC_STATUS status;

    *report = (struct report){0};
    status = query(report, context);
    for (int i = 0; status == ERROR_INSUFFICIENT_BUFFER && i < ATTEMPTS; i++) {
        free(report->data);
        report->data = calloc(1, (size_t)report->size * unit + 2);
        if (!report->data)
            return ERROR_NOT_ENOUGH_MEMORY;
        status = query(report, context);
    }
    if (!report_delivered(status))
        report_free(report);
    else if (!report->data)
        report->size = report->count = 0;
    return status;
}

bool report_delivered(ISDSC_STATUS status)
{
    return status == ERROR_SUCCESS || status >> 30 == STATUS_SEVERITY_WARNING;
}

void report_free(struct report *report)
{
    free(report->data);
    *report = (struct report){0};
}
