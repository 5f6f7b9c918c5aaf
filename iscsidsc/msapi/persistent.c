/* The logins that are stored. Login itself is in sessions.c. */
#include "msapi/call.h"
#include "msapi/mappings.h"
#include "msapi/pack.h"

#include <string.h>

#define FORM_FILE "msapi/persistent.inc"
#include "msapi/both_forms.h"
