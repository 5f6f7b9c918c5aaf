/*
 * One call of the interface on its way to the engine: parameters are read into records,
 * the engine is asked, the outcome becomes a code. The first failure sticks; what follows it
 * does nothing, so that a function reads from top to bottom.
 */
#ifndef MSAPI_CALL_H
#define MSAPI_CALL_H

#include "door/door.h"
#include "msapi/text.h"

#include "iscsidsc.h"

struct call {
    enum text_form form;
    enum status status;
    struct os_arena arena; /* what was read and what the engine answered */
};

void call_begin(struct call *call, enum text_form form);
/* The code for the outcome. Frees what was read and answered. */
ISDSC_STATUS call_end(struct call *call);

/* --- parameters --- */
/* NULL is ERROR_INVALID_PARAMETER. Returns whether the call is good so far. */
bool call_require(struct call *call, const void *pointer);
/* NULL stays NULL. */
const char *call_text(struct call *call, const void *text);
const char *call_required_text(struct call *call, const void *text);
/* A string in an array of a caller's struct. What stands behind its NUL is never looked at. */
const char *call_array(struct call *call, const void *array, size_t size);
/* Borrowed bytes; none when the length is 0. ERROR_INVALID_PARAMETER: a length without a pointer.
 */
struct blob call_bytes(struct call *call, const void *data, ULONG length);
/*
 * Address and port of a caller's ISCSI_TARGET_PORTAL. Its SymbolicName is left alone: callers leave
 * it uninitialised wherever it does not count.
 */
void call_portal(struct call *call, struct portal *out, const void *address, USHORT socket);
/* NULL when there are no options. `out` is what the result points to. */
const struct login_options *call_options(struct call *call, struct login_options *out,
                                         const ISCSI_LOGIN_OPTIONS *options);

/* --- the engine --- */
/* Asks it unless the call has failed. Returns whether there is a reply to use. */
bool call_engine(struct call *call, enum operation operation, const void *request, void *reply);

#endif
