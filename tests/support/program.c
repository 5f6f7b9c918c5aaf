#include "program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

_Noreturn void die(int code, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s: ", program_invocation_short_name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(code);
}

static void awaited_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void program_block_signals(void)
{
    sigset_t set;

    awaited_signals(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Somebody at the other end of standard input whose end can be noticed? */
static bool input_has_an_end(void)
{
    struct stat input;

    return fstat(STDIN_FILENO, &input) == 0 && (S_ISFIFO(input.st_mode) || S_ISSOCK(input.st_mode));
}

/* True: it was a hangup. */
static bool read_hangup(int signals)
{
    struct signalfd_siginfo info;

    return read(signals, &info, sizeof info) == sizeof info && info.ssi_signo == SIGHUP;
}

static void wait_for_end(struct os_loop *loop, bool watch_input, struct os_job *hangup)
{
    struct pollfd waits[2] = {{.events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    nfds_t count = watch_input && input_has_an_end() ? 2 : 1;
    sigset_t set;
    char byte;

    awaited_signals(&set);
    waits[0].fd = signalfd(-1, &set, SFD_CLOEXEC);
    for (;;) {
        if (poll(waits, count, -1) < 0 && errno != EINTR)
            return;
        if (waits[0].revents != 0 && (!read_hangup(waits[0].fd) || hangup == NULL))
            return;
        if (waits[0].revents != 0)
            os_loop_post(loop, hangup);
        if (count == 2 && waits[1].revents != 0 && read(STDIN_FILENO, &byte, 1) <= 0)
            return;
    }
}

static void run_loop(void *loop)
{
    os_loop_run(loop);
}

void program_run(struct os_loop *loop, bool watch_input, struct os_job *goodbye,
                 struct os_job *hangup)
{
    struct os_thread *thread = os_thread_start(run_loop, loop);

    if (thread == NULL)
        die(EXIT_NOT_HAD, "no thread");
    wait_for_end(loop, watch_input, hangup);
    if (goodbye != NULL)
        os_loop_post(loop, goodbye);
    else
        os_loop_stop(loop);
    os_thread_join(thread);
}

void fill_with_offsets(struct target_disk *disk)
{
    uint8_t *memory = target_disk_memory(disk);

    for (uint64_t offset = 0; offset < target_disk_bytes(disk); offset += 8)
        put_be64(memory + offset, offset);
}

struct target_disk *pattern_disk(uint64_t bytes, uint32_t block_length)
{
    struct target_disk *disk;
    enum status status = target_disk_ram(bytes, block_length, &disk);

    if (status != STATUS_OK)
        die(EXIT_NOT_HAD, "no RAM disk of %llu bytes: %s", (unsigned long long)bytes,
            status_text(status));
    fill_with_offsets(disk);
    return disk;
}
