/* Text as UTF-8 in the tests, and in both forms of the interface. */
#ifndef MSAPI_TEXT_H
#define MSAPI_TEXT_H

#include <stdbool.h>

#include "iscsidsc.h"

/* UTF-8 in the form wanted: one of sixteen buffers of the thread, in turn; the rest of each is
 * garbage. */
PSTR textA(const char *utf8);
PWSTR textW(const char *utf8);
/* And back; NULL is "(null)". */
const char *utf8A(const CHAR *text);
const char *utf8W(const WCHAR *text);

#endif
