/*
 * Counts the system calls that move data or wait, of this program and of the libraries that it
 * links: these functions stand before those of the C library.
 */
#include "io.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static uint64_t calls;

uint64_t io_system_calls(void)
{
    return calls;
}

/* Seen by the libraries, too. */
#pragma GCC visibility push(default)

#define COUNTED(...) (calls++, syscall(__VA_ARGS__))

ssize_t read(int fd, void *buffer, size_t length)
{
    return COUNTED(SYS_read, fd, buffer, length);
}

ssize_t write(int fd, const void *buffer, size_t length)
{
    return COUNTED(SYS_write, fd, buffer, length);
}

ssize_t readv(int fd, const struct iovec *pieces, int count)
{
    return COUNTED(SYS_readv, fd, pieces, count);
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    return COUNTED(SYS_writev, fd, pieces, count);
}

ssize_t recv(int fd, void *buffer, size_t length, int flags)
{
    return COUNTED(SYS_recvfrom, fd, buffer, length, flags, NULL, NULL);
}

ssize_t send(int fd, const void *buffer, size_t length, int flags)
{
    return COUNTED(SYS_sendto, fd, buffer, length, flags, NULL, 0);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return COUNTED(SYS_recvmsg, fd, message, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return COUNTED(SYS_sendmsg, fd, message, flags);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    return (int)COUNTED(SYS_poll, fds, count, timeout);
}

int epoll_wait(int fd, struct epoll_event *events, int room, int timeout)
{
    return (int)COUNTED(SYS_epoll_pwait, fd, events, room, timeout, NULL, 0);
}

int epoll_pwait(int fd, struct epoll_event *events, int room, int timeout, const sigset_t *mask)
{
    return (int)COUNTED(SYS_epoll_pwait, fd, events, room, timeout, mask, _NSIG / 8);
}

int epoll_ctl(int fd, int operation, int other, struct epoll_event *event)
{
    return (int)COUNTED(SYS_epoll_ctl, fd, operation, other, event);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    return (int)COUNTED(SYS_setsockopt, fd, level, option, value, length);
}

int sched_yield(void)
{
    return (int)COUNTED(SYS_sched_yield);
}

#pragma GCC visibility pop
