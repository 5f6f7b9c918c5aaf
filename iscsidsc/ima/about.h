/* What the library and the built-in plugin say of themselves. */
#ifndef IMA_ABOUT_H
#define IMA_ABOUT_H

#include "ima.h"

#include "os/module.h"

enum { IMA_VERSION = 1 };

/* `code`: a function of the file whose name is wanted. */
void ima_about(os_function code, IMA_WCHAR vendor[256], IMA_WCHAR version[256],
               IMA_WCHAR file_name[256], IMA_DATETIME *build_time);

#endif
