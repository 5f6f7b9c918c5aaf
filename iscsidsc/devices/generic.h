/* What the files of a device's directory `generic` say of it. */
#ifndef DEVICES_GENERIC_H
#define DEVICES_GENERIC_H

#include "engine/volume.h"

/* The name of the file; NULL: there is none of that index. */
const char *generic_name(unsigned index);
/* Its text as it is now, of a struct volume. NO_MEMORY. */
enum status generic_text(void *volume, unsigned index, struct os_arena *arena, const char **text);

#endif
