#include "os/program.h"
#include "os/posix/descriptors.h"
#include "os/process.h"
#include "os/thread.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_EVERY = 2 /* milliseconds */ };

/* Runs as whoever calls: it must not be a file that anybody could have put or changed there. */
static bool may_run(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISREG(found.st_mode) && (found.st_mode & S_IWOTH) == 0 &&
           access(path, X_OK) == 0;
}

/* The file that holds this code, with no links in its path. A library loaded by a relative path is
 * not known any more once the program has changed its directory. */
static bool own_file(char out[PATH_MAX])
{
    static const char here;
    Dl_info info;
    struct link_map *map = NULL;
    if (dladdr1(&here, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || map == NULL)
        return false;
    bool of_library = map->l_name[0] != '\0';
    if (of_library && map->l_name[0] != '/')
        return false;
    return realpath(of_library ? map->l_name : "/proc/self/exe", out) != NULL;
}

static bool beside_own_file(char out[OS_PATH_ROOM])
{
    char path[PATH_MAX];
    if (!own_file(path))
        return false;
    *strrchr(path, '/') = '\0';
    int length = snprintf(out, OS_PATH_ROOM, "%s/iscsidscd", path);
    return length > 0 && (size_t)length < OS_PATH_ROOM;
}

size_t os_service_programs(struct os_program *out, size_t room)
{
    size_t count = 0;
    if (room > 0 && beside_own_file(out->path) && may_run(out->path))
        out[count++].kind = OS_PROGRAM;
    if (count < room && may_run(ISCSIDSC_SERVICE_PROGRAM)) {
        strcpy(out[count].path, ISCSIDSC_SERVICE_PROGRAM);
        out[count++].kind = OS_PROGRAM;
    }
    return count;
}

/* From here to start_quietly: only what is safe in a copy of a process that had threads. */
static long copy_process(unsigned long exit_signal)
{
    return syscall(SYS_clone, exit_signal, 0L, 0L, 0L, 0L);
}

static void run_program(const char *path, const char *const *arguments)
{
    sigset_t none;
    sigemptyset(&none);
    int nowhere = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3 && nowhere >= 0; i++)
        dup2(nowhere, i);
    os_close_range(3, ~0u);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(path, (char *const *)(uintptr_t)(const void *)arguments);
    _exit(127);
}

/* An exec makes any child one that sends SIGCHLD, so there is one between that does no exec, and
 * hands the exit code on. */
static void run_between(const char *path, const char *const *arguments)
{
    int how;
    os_close_range(0, ~0u);
    long child = copy_process(SIGCHLD);
    if (child == 0)
        run_program(path, arguments);
    if (child < 0 || waitpid((pid_t)child, &how, 0) != child || !WIFEXITED(how))
        _exit(127);
    _exit(WEXITSTATUS(how));
}

/* A child whose end sends no signal and that wait() does not see: the calling program's own
 * handling of children is not disturbed. */
static pid_t start_quietly(const char *path, const char *const *arguments)
{
    sigset_t all, before;
    sigfillset(&all);
    /* No handler of the program may run in the copy. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    long child = copy_process(0);
    if (child == 0)
        run_between(path, arguments);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return (pid_t)child;
}

/* The program goes to the background by itself, and its first process ends when it is ready. */
static enum status wait_until_ready(pid_t child, uint64_t due)
{
    for (;;) {
        int how;
        pid_t ended = waitpid(child, &how, WNOHANG | __WALL);
        if (ended == child)
            return WIFEXITED(how) && WEXITSTATUS(how) == 0 ? STATUS_OK : STATUS_SERVICE_NOT_RUNNING;
        if (ended < 0 && errno != EINTR)
            return STATUS_SERVICE_NOT_RUNNING;
        if (os_now() >= due) {
            kill(child, SIGKILL);
            waitpid(child, &how, __WALL);
            return STATUS_SERVICE_TIMEOUT;
        }
        os_sleep(LOOK_EVERY);
    }
}

enum status os_program_start(const struct os_program *program, uint64_t due)
{
    const char *const arguments[] = {program->path, "--on-demand", NULL};
    pid_t child = start_quietly(program->path, arguments);
    return child > 0 ? wait_until_ready(child, due) : STATUS_NO_MEMORY;
}
