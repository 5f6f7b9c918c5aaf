#include "ima/about.h"

#include "ima/text.h"

#include <string.h>

/* ISCSIDSC_BUILD_TIME is when the build was configured, in UTC: year, month, day, hour, minute,
 * second. */
static const int built[] = {ISCSIDSC_BUILD_TIME};

static void tell_build_time(IMA_DATETIME *out)
{
    memset(out, 0, sizeof *out);
    out->tm_year = built[0] - 1900;
    out->tm_mon = built[1] - 1;
    out->tm_mday = built[2];
    out->tm_hour = built[3];
    out->tm_min = built[4];
    out->tm_sec = built[5];
}

/* The path, or if that does not fit the name alone. */
static void tell_file_name(os_function code, IMA_WCHAR out[256])
{
    char path[4096];
    memset(out, 0, 256 * sizeof *out);
    if (!os_code_path(code, path, sizeof path) || ima_from_utf8(path, out, 256))
        return;
    const char *name = path;
    for (const char *c = path; *c != '\0'; c++) {
        if (*c == '/' || *c == '\\')
            name = c + 1;
    }
    if (!ima_from_utf8(name, out, 256))
        memset(out, 0, 256 * sizeof *out);
}

void ima_about(os_function code, IMA_WCHAR vendor[256], IMA_WCHAR version[256],
               IMA_WCHAR file_name[256], IMA_DATETIME *build_time)
{
    ima_from_utf8("The iscsidsc authors", vendor, 256);
    ima_from_utf8(ISCSIDSC_VERSION, version, 256);
    tell_file_name(code, file_name);
    tell_build_time(build_time);
}
