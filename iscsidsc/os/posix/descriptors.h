/* Descriptors of whoever started us: for this floor's own use. */
#ifndef OS_POSIX_DESCRIPTORS_H
#define OS_POSIX_DESCRIPTORS_H

/* Closes first, first + 1, ... last. Safe in a child of a process with threads. */
void os_close_range(unsigned first, unsigned last);

/* Numbers below 3 that are free belong to standard descriptors that the program was started
 * without: what it prints must not go where we write. The file under another number, close-on-exec;
 * -1 (errno tells) when there is none, or when `file` is -1. */
int os_beyond_standard(int file);

#endif
