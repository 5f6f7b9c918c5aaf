/*
 * Preloaded into a program, it disturbs what the program asks of the system. DISTURB=clock: the
 * clock of the day is set back at each look. DISTURB=calls: every third call that a signal can
 * interrupt is interrupted. DISTURB_REPORT names a file that gets the number of disturbances at the
 * end: a test can see that there were any.
 */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { EACH = 3, STEP = 977 /* seconds */ };

static bool clock_too, calls_too;
static atomic_uint calls, disturbances;

static bool wanted(const char *what)
{
    const char *disturb = getenv("DISTURB");
    return disturb != NULL && strcmp(disturb, what) == 0;
}

__attribute__((constructor)) static void begin(void)
{
    clock_too = wanted("clock");
    calls_too = wanted("calls");
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("DISTURB_REPORT");
    FILE *file = path != NULL ? fopen(path, "w") : NULL;
    if (file == NULL)
        return;
    fprintf(file, "%u\n", atomic_load(&disturbances));
    fclose(file);
}

/* --- the clock of the day --- */

static time_t set_back(time_t seconds)
{
    return clock_too ? seconds - (time_t)(STEP * (1 + atomic_fetch_add(&disturbances, 1) % 1000))
                     : seconds;
}

#define REAL(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

int clock_gettime(clockid_t id, struct timespec *out)
{
    int result = REAL(clock_gettime)(id, out);
    if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        out->tv_sec = set_back(out->tv_sec);
    return result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    int result = REAL(gettimeofday)(out, zone);
    if (result == 0)
        out->tv_sec = set_back(out->tv_sec);
    return result;
}

time_t time(time_t *out)
{
    time_t now = set_back(REAL(time)(NULL));
    if (out != NULL)
        *out = now;
    return now;
}

/* --- calls that are interrupted --- */

static bool interrupted(void)
{
    if (!calls_too || atomic_fetch_add(&calls, 1) % EACH != 0)
        return false;
    atomic_fetch_add(&disturbances, 1);
    errno = EINTR;
    return true;
}

#define CALL(name, ...) (interrupted() ? -1 : REAL(name)(__VA_ARGS__))

int epoll_wait(int file, struct epoll_event *events, int most, int timeout)
{
    return CALL(epoll_wait, file, events, most, timeout);
}

int poll(struct pollfd *files, nfds_t count, int timeout)
{
    return CALL(poll, files, count, timeout);
}

ssize_t read(int file, void *out, size_t room)
{
    return CALL(read, file, out, room);
}

ssize_t write(int file, const void *data, size_t length)
{
    return CALL(write, file, data, length);
}

ssize_t readv(int file, const struct iovec *pieces, int count)
{
    return CALL(readv, file, pieces, count);
}

ssize_t writev(int file, const struct iovec *pieces, int count)
{
    return CALL(writev, file, pieces, count);
}

ssize_t recv(int file, void *out, size_t room, int flags)
{
    return CALL(recv, file, out, room, flags);
}

ssize_t send(int file, const void *data, size_t length, int flags)
{
    return CALL(send, file, data, length, flags);
}

ssize_t recvmsg(int file, struct msghdr *message, int flags)
{
    return CALL(recvmsg, file, message, flags);
}

ssize_t sendmsg(int file, const struct msghdr *message, int flags)
{
    return CALL(sendmsg, file, message, flags);
}

ssize_t sendto(int file, const void *data, size_t length, int flags, const struct sockaddr *to,
               socklen_t to_length)
{
    return CALL(sendto, file, data, length, flags, to, to_length);
}

int accept4(int file, struct sockaddr *peer, socklen_t *length, int flags)
{
    return CALL(accept4, file, peer, length, flags);
}

int nanosleep(const struct timespec *wanted_time, struct timespec *left)
{
    if (left == NULL || !interrupted())
        return REAL(nanosleep)(wanted_time, left);
    *left = *wanted_time;
    return -1;
}

/* What was begun goes on (connect(2)). */
int connect(int file, const struct sockaddr *to, socklen_t length)
{
    int result = REAL(connect)(file, to, length);
    if (result != 0 && errno == EINPROGRESS)
        interrupted();
    return result;
}
