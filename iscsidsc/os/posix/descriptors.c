#include "os/posix/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LIKELY_MOST = 65536 };

void os_close_range(unsigned first, unsigned last)
{
    struct rlimit files;
    if (first > last || close_range(first, last, 0) == 0)
        return;
    /* Kernels before 5.9, and containers that refuse what they do not know. */
    unsigned most = LIKELY_MOST;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < most)
        most = (unsigned)files.rlim_cur;
    for (unsigned i = first; i < most && i <= last; i++)
        close((int)i);
}

int os_beyond_standard(int file)
{
    if (file < 0 || file > STDERR_FILENO)
        return file;
    int moved = fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = errno;
    close(file);
    errno = error;
    return moved;
}
