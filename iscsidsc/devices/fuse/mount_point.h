/* The directory that a file system in user space is mounted on. */
#ifndef DEVICES_FUSE_MOUNT_POINT_H
#define DEVICES_FUSE_MOUNT_POINT_H

/* Takes file systems away whose process has ended. 0, also when nothing is mounted there or there
 * is no such directory; EBUSY: a file system in user space that somebody serves; an errno. */
int mount_point_clear(const char *directory);
/* Takes nothing away: EBUSY as above, else 0. */
int mount_point_check(const char *directory);

#endif
