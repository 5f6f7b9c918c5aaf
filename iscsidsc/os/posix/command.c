#include "os/command.h"
#include "os/posix/descriptors.h"
#include "os/process.h"
#include "os/runtime.h"
#include "os/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LOOK_EVERY = 20,     /* milliseconds */
    KILL_PATIENCE = 1000 /* one that the kernel holds ends later, when nobody asks any more */
};

static bool find_program(const char *name, char path[OS_PATH_ROOM])
{
    static const char *const directories[] = {"/usr/sbin", "/usr/bin", "/sbin", "/bin"};
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
        int length = snprintf(path, OS_PATH_ROOM, "%s/%s", directories[i], name);
        if (length > 0 && (size_t)length < OS_PATH_ROOM && access(path, X_OK) == 0)
            return true;
    }
    return false;
}

/* In a group of its own: what it starts is killed with it. */
static bool start(const char *path, const char *const *arguments, int output, pid_t *child)
{
    static char path_variable[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    static char language[] = "LC_ALL=C.UTF-8";
    static char *const environment[] = {path_variable, language, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    int error = posix_spawn(child, path, &actions, &attributes,
                            (char *const *)(uintptr_t)(const void *)arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error == 0;
}

/* What has come; false: the other end is closed. */
static bool take_output(struct os_command *command, int from, size_t *length)
{
    char excess[512];
    for (;;) {
        size_t room = command->room > *length + 1 ? command->room - 1 - *length : 0;
        ssize_t got = read(from, room > 0 ? command->output + *length : excess,
                           room > 0 ? room : sizeof excess);
        if (got == 0)
            return false;
        if (got < 0)
            return errno == EAGAIN || errno == EINTR;
        if (room > 0)
            command->output[ *length += (size_t)got] = '\0';
    }
}

static bool has_ended(pid_t child, int *how)
{
    pid_t ended = waitpid(child, how, WNOHANG);
    return ended == child || (ended < 0 && errno != EINTR);
}

static enum status kill_it(pid_t child, enum status status)
{
    int how;
    uint64_t due = os_now() + KILL_PATIENCE;
    kill(-child, SIGKILL);
    kill(child, SIGKILL);
    while (!has_ended(child, &how) && os_now() < due)
        os_sleep(LOOK_EVERY);
    return status;
}

/* Children of its own that hold the pipe open (mount helpers in the background) are not waited for.
 */
static enum status watch(struct os_command *command, pid_t child, int from)
{
    size_t length = 0;
    int how = 0;
    bool open = true;
    uint64_t due = os_now() + command->patience;
    for (;;) {
        bool ended = has_ended(child, &how);
        if (open)
            open = take_output(command, from, &length);
        if (ended)
            break;
        if (command->stop != NULL && atomic_load(command->stop))
            return kill_it(child, STATUS_CANCELLED);
        if (os_now() >= due)
            return kill_it(child, STATUS_COMMAND_TIMEOUT);
        struct pollfd wait = {.fd = open ? from : -1, .events = POLLIN};
        poll(&wait, 1, LOOK_EVERY);
    }
    command->code = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
    return WIFEXITED(how) ? STATUS_OK : STATUS_INTERNAL;
}

enum status os_command_run(struct os_command *command)
{
    char path[OS_PATH_ROOM];
    int ends[2];
    pid_t child;
    if (command->room > 0)
        command->output[0] = '\0';
    if (!find_program(command->arguments[0], path))
        return STATUS_NOT_SUPPORTED;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return STATUS_NO_RESOURCES;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    bool started = start(path, command->arguments, ends[1], &child);
    close(ends[1]);
    enum status status = started ? watch(command, child, ends[0]) : STATUS_NO_RESOURCES;
    close(ends[0]);
    return status;
}
