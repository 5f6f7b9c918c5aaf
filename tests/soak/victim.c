#include "victim.h"

#include "protocol/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BLOCK = 512,
    FIRST_PORT = 20000, /* below those that systems give to whoever asks for any */
    PORTS = 10000,
    TRIES = 100,
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

/* --- the disk --- */

void victim_prepare(struct victim *victim, const char *program, uint32_t blocks)
{
    const char *directory = getenv("TEST_DIR");
    uint8_t *bytes = malloc((size_t)blocks * BLOCK);
    int file;

    memset(victim, 0, sizeof *victim);
    victim->program = program;
    snprintf(victim->disk, sizeof victim->disk, "%s/disk.XXXXXX",
             directory != NULL ? directory : "/tmp");
    file = mkstemp(victim->disk);
    if (file < 0 || bytes == NULL)
        fail(victim->disk);
    for (uint32_t offset = 0; offset < blocks * BLOCK; offset += 8)
        put_be64(bytes + offset, offset);
    if (write(file, bytes, (size_t)blocks * BLOCK) != (ssize_t)blocks * BLOCK)
        fail(victim->disk);
    close(file);
    free(bytes);
}

void victim_read(const struct victim *victim, uint8_t *out, uint32_t blocks)
{
    int file = open(victim->disk, O_RDONLY | O_CLOEXEC);

    if (file < 0 || read(file, out, (size_t)blocks * BLOCK) != (ssize_t)blocks * BLOCK)
        fail(victim->disk);
    close(file);
}

void victim_remove(struct victim *victim)
{
    unlink(victim->disk);
}

/* --- the process --- */

static _Noreturn void become(const struct victim *victim, uint16_t port, bool cached, int output)
{
    char portal[32], lun[300];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(output, STDOUT_FILENO);
    snprintf(portal, sizeof portal, "127.0.0.1:%u", port);
    snprintf(lun, sizeof lun, "file:%s%s", victim->disk, cached ? ",cached" : "");
    execl(victim->program, victim->program, "--no-stdin", "--time2wait", "0", "--set",
          "ErrorRecoveryLevel=2", "--set", "DefaultTime2Retain=20", "--portal", portal, "--target",
          VICTIM_TARGET, "--lun", lun, (char *)NULL);
    fprintf(stderr, "%s: %s\n", victim->program, strerror(errno));
    _exit(1);
}

/* False: it has ended before, as when the port is taken. */
static bool says_ready(int output)
{
    char text[256];
    size_t length = 0;
    ssize_t got;

    while (length + 1 < sizeof text &&
           (got = read(output, text + length, sizeof text - 1 - length)) > 0) {
        length += (size_t)got;
        text[length] = '\0';
        if (strstr(text, "ready\n") != NULL)
            return true;
    }
    return false;
}

static bool try_start(struct victim *victim, uint16_t port, bool cached)
{
    int output[2];
    bool ready;

    if (pipe2(output, O_CLOEXEC) != 0)
        fail("pipe");
    victim->process = fork();
    if (victim->process < 0)
        fail("fork");
    if (victim->process == 0)
        become(victim, port, cached, output[1]);
    close(output[1]);
    ready = says_ready(output[0]);
    close(output[0]); /* it says nothing more */
    if (!ready)
        victim_kill(victim);
    return ready;
}

void victim_start(struct victim *victim, bool cached)
{
    uint16_t port = victim->port;

    for (unsigned i = 0; i < TRIES; i++) {
        if (victim->port == 0)
            port = (uint16_t)(FIRST_PORT + ((unsigned)getpid() * 7 + i) % PORTS);
        if (try_start(victim, port, cached)) {
            victim->port = port;
            return;
        }
        usleep(50000); /* a port of ours may take a moment to be free */
    }
    fprintf(stderr, "the target does not start at port %u\n", port);
    exit(1);
}

void victim_kill(struct victim *victim)
{
    if (victim->process <= 0)
        return;
    kill(victim->process, SIGKILL);
    waitpid(victim->process, NULL, 0);
    victim->process = 0;
}
