#include "ima/about.h"

#include "ima/text.h"
#include "os/system.h"

#include <string.h>

/* ISCSIDSC_BUILD_TIME is when the build was configured, in UTC: year, month, day, hour, minute,
 * second. */
static const int built[] = {ISCSIDSC_BUILD_TIME};

/* Seconds since 1970, counting years from March on. */
static int64_t built_at(void)
{
    int64_t year = built[0] - (built[1] <= 2);
    int64_t month = built[1] + (built[1] > 2 ? -3 : 9);
    int64_t days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 +
                   built[2] - 1 - 719468;
    return ((days * 24 + built[3]) * 60 + built[4]) * 60 + built[5];
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
    os_local_time((uint64_t)built_at() * 1000, build_time);
}
