/* Files: for this floor's own use. */
#ifndef OS_POSIX_FILE_H
#define OS_POSIX_FILE_H

#include "protocol/status.h"

#include <stddef.h>

/* What an errno of a file means. */
enum status os_file_status(int error);
/* All of it; 0 or an errno. */
int os_write_all(int file, const char *text, size_t length);

#endif
