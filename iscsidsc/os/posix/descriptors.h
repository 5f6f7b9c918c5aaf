/* Descriptors of whoever started us: for this floor's own use. */
#ifndef OS_POSIX_DESCRIPTORS_H
#define OS_POSIX_DESCRIPTORS_H

/* Closes first, first + 1, ... last. Safe in a child of a process with threads. */
void os_close_range(unsigned first, unsigned last);

#endif
