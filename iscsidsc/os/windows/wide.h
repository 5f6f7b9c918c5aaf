/* UTF-16 for calls into Windows, and what they answer: for this floor's own use. */
#ifndef OS_WINDOWS_WIDE_H
#define OS_WINDOWS_WIDE_H

#include "os/system.h"
#include "os/memory.h"

#include <windows.h>

/* The caller frees. NULL: not valid UTF-8, or out of memory. */
wchar_t *os_wide(const char *utf8);
/* What an error of Windows means of a file. */
enum status os_file_status(DWORD error);

#endif
