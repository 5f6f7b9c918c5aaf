#include "protocol/status.h"

static const struct {
    const char *name;
    const char *text;
} rows[] = {
#define STATUS_ROW(name, text) {#name, text},
    STATUS_LIST(STATUS_ROW)
#undef STATUS_ROW
};

const char *status_name(enum status status)
{
    return (unsigned)status < STATUS_COUNT ? rows[status].name : "UNKNOWN";
}

const char *status_text(enum status status)
{
    return (unsigned)status < STATUS_COUNT ? rows[status].text : "unknown status";
}
