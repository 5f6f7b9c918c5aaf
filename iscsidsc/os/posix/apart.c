#include "os/apart.h"
#include "os/posix/descriptors.h"
#include "os/process.h"
#include "os/runtime.h"
#include "os/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

enum {
    LEFT_MOST = 64,
    LOOK_MOST = 20 /* milliseconds */
};

/* --- those that were waited for no longer --- */

static _Atomic pid_t left[LEFT_MOST];

static void leave(pid_t child)
{
    for (size_t i = 0; i < LEFT_MOST; i++) {
        pid_t none = 0;
        if (atomic_compare_exchange_strong(&left[i], &none, child))
            return;
    }
}

static void reap(void)
{
    for (size_t i = 0; i < LEFT_MOST; i++) {
        pid_t child = atomic_exchange(&left[i], 0);
        if (child > 0 && waitpid(child, NULL, WNOHANG) == 0)
            leave(child);
    }
}

/* --- one --- */

struct shared {
    atomic_bool done;
    _Alignas(max_align_t) unsigned char argument[];
};

/* Signals stay blocked: handlers are the other process'. */
static void run_child(struct shared *shared, void (*work)(void *argument), pid_t parent)
{
    os_close_range(0, ~0u);
#ifdef __linux__
    /* What nobody waits for any more must not begin to change anything. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() == parent) {
        work(shared->argument);
        atomic_store(&shared->done, true);
    }
    _exit(0);
}

static pid_t start(struct shared *shared, void (*work)(void *argument))
{
    sigset_t all, before;
    pid_t parent = getpid();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child == 0)
        run_child(shared, work, parent);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return child;
}

/* False: it still runs. */
static bool wait_for(pid_t child, uint64_t patience)
{
    uint64_t begun = os_now();
    for (unsigned pause = 1;; pause = pause < LOOK_MOST ? pause * 2 : LOOK_MOST) {
        pid_t ended = waitpid(child, NULL, WNOHANG);
        if (ended == child || (ended < 0 && errno != EINTR))
            return true;
        if (patience != OS_NEVER && os_now() - begun >= patience)
            return false;
        os_sleep(pause);
    }
}

static enum status run(struct shared *shared, void (*work)(void *argument), uint64_t patience)
{
    pid_t child = start(shared, work);
    if (child < 0)
        return STATUS_NO_MEMORY;
    if (wait_for(child, patience))
        return atomic_load(&shared->done) ? STATUS_OK : STATUS_INTERNAL;
    kill(child, SIGKILL);
    leave(child);
    return STATUS_COMMAND_TIMEOUT;
}

enum status os_apart(void (*work)(void *argument), void *argument, size_t size, uint64_t patience)
{
    struct shared *shared = mmap(NULL, sizeof *shared + size, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    reap();
    if (shared == MAP_FAILED)
        return STATUS_NO_MEMORY;
    memcpy(shared->argument, argument, size);
    enum status status = run(shared, work, patience);
    if (status == STATUS_OK)
        memcpy(argument, shared->argument, size);
    munmap(shared, sizeof *shared + size);
    return status;
}
