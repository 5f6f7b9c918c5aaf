/* What the engine says, as this interface says it. */
#ifndef MSAPI_STATUS_H
#define MSAPI_STATUS_H

#include "protocol/status.h"

#include "iscsierr.h"

/* An ISDSC or system error code; a code for every status (msapi/status.c). */
ISDSC_STATUS msapi_status(enum status status);

#endif
