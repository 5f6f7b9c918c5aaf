/* Lines of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
#ifndef OS_MOUNTINFO_H
#define OS_MOUNTINFO_H

#include <stdbool.h>

struct os_mount_line {
    unsigned id;
    unsigned high, low; /* the device's number; high 0: the file system has one of its own */
    const char *point;
    const char *type;
    const char *source; /* whatever who mounted it has written there, unless the type checks it */
};

/* Cuts the line into pieces; false: it is none. */
bool os_mount_line_parse(struct os_mount_line *out, char *line);
/* Does the source name the device? Else its number tells, and nothing else: of most types users
 * choose the source as they like. */
bool os_mount_line_has_source(const struct os_mount_line *line);

#endif
