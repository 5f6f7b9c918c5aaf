/* UTF-8 by code points: for this floor's own use. */
#ifndef OS_UNICODE_H
#define OS_UNICODE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes taken from the NUL-terminated text (1 for the NUL itself), 0 when it is not valid there. */
size_t os_utf8_decode(const char *text, uint32_t *code_point);

#endif
