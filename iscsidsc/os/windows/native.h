/* Wine and the native system below it: for this floor's own use. */
#ifndef OS_WINDOWS_NATIVE_H
#define OS_WINDOWS_NATIVE_H

#include "os/windows/wide.h"

bool os_under_wine(void);
/* Under Wine a path that begins with "/" is a Unix one, and becomes "\\?\unix\..."; others are
 * copied. */
bool os_from_unix_path(const char *path, char *out, size_t room);
/* The Unix path of a Windows one. False: not under Wine, or there is none. */
bool os_to_unix_path(const char *path, char *out, size_t room);

#endif
