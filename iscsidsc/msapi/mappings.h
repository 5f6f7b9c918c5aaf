/* ISCSI_TARGET_MAPPING in both forms, inwards and outwards. */
#ifndef MSAPI_MAPPINGS_H
#define MSAPI_MAPPINGS_H

#include "msapi/call.h"
#include "msapi/pack.h"

/* A caller's mapping; its names and its session do not count. NULL when there is none. `out` is
 * what the result points to. */
const struct mapping *mapping_readA(struct call *call, struct mapping *out,
                                    const ISCSI_TARGET_MAPPINGA *mapping);
const struct mapping *mapping_readW(struct call *call, struct mapping *out,
                                    const ISCSI_TARGET_MAPPINGW *mapping);

/* Fills in all but the session; the units go into the image. */
void mapping_fillA(struct pack *pack, ISCSI_TARGET_MAPPINGA *out, const char *initiator,
                   const char *target, const struct mapping *from);
void mapping_fillW(struct pack *pack, ISCSI_TARGET_MAPPINGW *out, const char *initiator,
                   const char *target, const struct mapping *from);

#endif
