/* ima.conf: which plugins there are. */
#ifndef IMA_CONFIGURATION_H
#define IMA_CONFIGURATION_H

#include <stdbool.h>
#include <stddef.h>

enum { IMA_CONF_NAME_ROOM = 64, IMA_CONF_PATH_ROOM = 256, IMA_CONF_LINE_MOST = 512 };

struct ima_conf_line {
    char name[IMA_CONF_NAME_ROOM]; /* of the vendor, such as com.example.ima: for people */
    char path[IMA_CONF_PATH_ROOM];
};

/* The next line of `*text` that names a plugin; *text moves behind it. False: there is none. */
bool ima_conf_next(const char **text, struct ima_conf_line *out);

/* The whole file; the caller frees with os_free. NULL: there is none, or it cannot be read. */
char *ima_conf_read(void);

#endif
