#include "os/process.h"
#include "os/posix/descriptors.h"
#include "os/system.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

/* Exported, and not bound to this library's own: the dynamic linker makes one of all. The number is
 * that of what the words mean. */
extern struct os_commons iscsidsc_commons_1;
__attribute__((visibility("default"))) struct os_commons iscsidsc_commons_1;

_Atomic(uintptr_t) *os_common(enum os_common which)
{
    return &iscsidsc_commons_1.words[which];
}

void os_sleep(uint64_t milliseconds)
{
    struct timespec left = {.tv_sec = (time_t)(milliseconds / 1000),
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000L};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

bool os_set_environment(const char *name, const char *value)
{
    return (value != NULL ? setenv(name, value, 1) : unsetenv(name)) == 0;
}

/* --- notices --- */

static sigset_t notice_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    return set;
}

/* Whoever started the program may have left signals ignored or blocked. They are waited for and not
 * handled, so no code runs at a bad moment. */
bool os_notices_begin(void)
{
    static const int all[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD};
    sigset_t set = notice_signals();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        signal(all[i], SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    return sigprocmask(SIG_SETMASK, &set, NULL) == 0;
}

enum os_notice os_notice_wait(void)
{
    sigset_t set = notice_signals();
    for (;;) {
        switch (sigwaitinfo(&set, NULL)) {
        case SIGTERM:
        case SIGINT:
            return OS_NOTICE_STOP;
        case SIGHUP:
            return OS_NOTICE_RELOAD;
        case SIGUSR1:
            return OS_NOTICE_IDLE;
        case SIGUSR2:
            return OS_NOTICE_READY;
        default:
            break;
        }
    }
}

void os_notice_post(enum os_notice notice)
{
    static const int signals[] = {[OS_NOTICE_STOP] = SIGTERM,
                                  [OS_NOTICE_RELOAD] = SIGHUP,
                                  [OS_NOTICE_IDLE] = SIGUSR1,
                                  [OS_NOTICE_READY] = SIGUSR2};
    kill(getpid(), signals[notice]);
}

/* --- in the background --- */

static int starter = -1; /* the process that waits for the exit code */

/* A child that dies without a word is told by the end of the pipe. */
static void wait_for_code(int from)
{
    unsigned char code = 1;
    while (read(from, &code, 1) < 0 && errno == EINTR)
        ;
    _exit(code);
}

/* What the starter had open must not stay open with us: Wine leaves pipes behind. */
static void close_others(int keep)
{
    os_close_range(3, (unsigned)keep - 1);
    os_close_range((unsigned)keep + 1, ~0u);
}

/* A relative path is relative to where the program was started. */
static bool keep_state_directory(void)
{
    char directory[4096];
    if (getenv("ISCSIDSC_STATE") == NULL)
        return true;
    return os_state_directory(directory, sizeof directory) &&
           setenv("ISCSIDSC_STATE", directory, 1) == 0;
}

bool os_background_begin(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    int end = os_beyond_standard(ends[1]);
    pid_t child = end >= 0 ? fork() : -1;
    if (child < 0) {
        close(ends[0]);
        if (end >= 0)
            close(end);
        return false;
    }
    if (child > 0) {
        close(end);
        wait_for_code(ends[0]);
    }
    close_others(end);
    setsid();
    starter = end;
    return keep_state_directory() && chdir("/") == 0;
}

static void close_standard(void)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere < 0)
        return;
    for (int i = 0; i < 3; i++)
        dup2(nowhere, i);
    if (nowhere > 2)
        close(nowhere);
}

void os_background_ready(int code)
{
    unsigned char byte = (unsigned char)code;
    if (starter < 0)
        return;
    close_standard();
    while (write(starter, &byte, 1) < 0 && errno == EINTR)
        ;
    close(starter);
    starter = -1;
}

void os_raise_limits(void)
{
    struct rlimit files;
    umask(077);
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

/* Who writes back a page of such a disk while he looks for memory may wait for the very thread that
 * looks: it must not begin that. */
void os_serve_own_storage(void)
{
#if defined(PR_SET_IO_FLUSHER) && defined(MCL_ONFAULT)
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
    /* With a limit there would be no more memory once it is reached. */
    if (setrlimit(RLIMIT_MEMLOCK, &all) == 0)
        mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
#endif
}

/* --- logging --- */

void os_system_log(const char *name, enum os_log_level level, const char *line)
{
    static const int priorities[] = {
        [OS_LOG_ERROR] = LOG_ERR, [OS_LOG_WARNING] = LOG_WARNING, [OS_LOG_INFO] = LOG_INFO};
    static atomic_bool opened;
    if (!atomic_exchange(&opened, true))
        openlog(name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
    syslog(priorities[level], "%s", line);
}

void os_time_text(char out[OS_TIME_ROOM])
{
    struct tm parts;
    time_t now = time(NULL);
    if (gmtime_r(&now, &parts) == NULL ||
        strftime(out, OS_TIME_ROOM, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        out[0] = '\0';
}
