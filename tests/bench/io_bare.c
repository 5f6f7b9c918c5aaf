/*
 * A bare TCP stream with the same bytes: a child process answers each 48-byte request with 48 bytes
 * and the data, or takes the data and answers 48 bytes. Nothing is parsed, so that no initiator can
 * do with less.
 */
#include "io.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HEAD = 48, ROOM = 4 << 20, PIECES = 256 };

static const struct io_job *job;
static int peer = -1;
static pid_t child;
static uint8_t *room;

static size_t request_size(void)
{
    return HEAD + (job->write ? job->size : 0);
}

static size_t answer_size(void)
{
    return HEAD + (job->write ? 0 : job->size);
}

/* Sends `count` messages of `size` bytes, the payload out of one buffer each. */
static int send_messages(int fd, uint64_t count, size_t size)
{
    static uint8_t head[HEAD];
    struct iovec pieces[PIECES];
    uint64_t left = count * size;

    for (uint64_t done = 0; done < left;) {
        size_t skip = (size_t)(done % size);
        size_t n = 0, total = 0;

        while (n + 2 <= PIECES && done + total < left) {
            if (skip < HEAD) {
                pieces[n++] = (struct iovec){head + skip, HEAD - skip};
                total += HEAD - skip;
                skip = HEAD;
            }
            if (skip < size) {
                pieces[n++] = (struct iovec){room + skip, size - skip};
                total += size - skip;
            }
            skip = 0;
        }
        ssize_t sent = writev(fd, pieces, (int)n);
        if (sent <= 0)
            return -1;
        done += (uint64_t)sent;
    }
    return 0;
}

static void serve(int fd)
{
    uint64_t held = 0;

    for (;;) {
        ssize_t got = recv(fd, room, ROOM, 0);
        if (got <= 0)
            _exit(0);
        held += (uint64_t)got;
        if (send_messages(fd, held / request_size(), answer_size()) != 0)
            _exit(1);
        held %= request_size();
    }
}

static int open_stream(const struct io_job *wanted)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    job = wanted;
    if (room == NULL)
        room = calloc(1, ROOM + HEAD);
    if (room == NULL || bind(listener, (struct sockaddr *)&address, length) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        return -1;
    peer = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(peer, (struct sockaddr *)&address, length) != 0)
        return -1;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        int fd = accept(listener, NULL, NULL);
        close(peer);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        serve(fd);
    }
    close(listener);
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return child > 0 ? 0 : -1;
}

static int pump(uint64_t commands)
{
    uint64_t started = commands < job->depth ? commands : job->depth, done = 0, held = 0;

    if (send_messages(peer, started, request_size()) != 0)
        return -1;
    while (done < commands) {
        ssize_t got = recv(peer, room, ROOM, 0);
        uint64_t now;

        if (got <= 0)
            return -1;
        held += (uint64_t)got;
        now = held / answer_size();
        held %= answer_size();
        done += now;
        if (now > commands - started)
            now = commands - started;
        started += now;
        if (now > 0 && send_messages(peer, now, request_size()) != 0)
            return -1;
    }
    return 0;
}

static int close_stream(void)
{
    close(peer);
    waitpid(child, NULL, 0);
    return 0;
}

const struct io_contender io_bare = {
    .name = "bare TCP stream", .open = open_stream, .pump = pump, .close = close_stream};
