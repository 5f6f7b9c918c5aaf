/* Wide text of the interface, and UTF-8 behind it. */
#ifndef IMA_TEXT_H
#define IMA_TEXT_H

#include "ima.h"

#include <stdbool.h>
#include <stddef.h>

/* `out` holds `room` characters and is ended, and filled up with zeros. False: not valid UTF-8
 * (then it is empty), or too long: then it has as many whole characters as fit. */
bool ima_from_utf8(const char *utf8, IMA_WCHAR *out, size_t room);

/*
 * The text ends with a nul, or at `most` characters without one, which is too long. Returns the
 * bytes it has as UTF-8, which are in `out` with a nul if they fit; IMA_TEXT_TOO_LONG or
 * IMA_TEXT_INVALID: it is no Unicode.
 */
#define IMA_TEXT_TOO_LONG (-1)
#define IMA_TEXT_INVALID  (-2)
long ima_to_utf8(const IMA_WCHAR *text, size_t most, char *out, size_t room);

#endif
