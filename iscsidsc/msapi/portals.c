/* The list of SendTargets portals. */
#include "msapi/call.h"
#include "msapi/pack.h"

#include <stddef.h>
#include <string.h>

#define FORM_FILE "msapi/portals.inc"
#include "msapi/both_forms.h"
