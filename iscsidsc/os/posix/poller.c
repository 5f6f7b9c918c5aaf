#include "os/poller.h"
#include "os/memory.h"
#include "os/posix/descriptors.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WAKE_KEY UINT64_MAX

enum { BATCH = 256 };

struct os_poller {
    int epoll;
    int wake;
};

static uint64_t key_of(struct os_token token)
{
    return (uint64_t)token.generation << 32 | token.slot;
}

/* epoll reports errors and hang-ups even to who asked for nothing. One-shot keeps that to a single
 * report, which the loop drops, instead of one per round. */
static struct epoll_event interest(struct os_token token, unsigned events)
{
    uint32_t wanted =
        (events & OS_READABLE ? EPOLLIN : 0u) | (events & OS_WRITABLE ? EPOLLOUT : 0u);
    return (struct epoll_event){.events = wanted != 0 ? wanted : EPOLLONESHOT,
                                .data.u64 = key_of(token)};
}

struct os_poller *os_poller_new(void)
{
    struct os_poller *poller = os_alloc(sizeof *poller);
    if (poller == NULL)
        return NULL;
    poller->epoll = os_beyond_standard(epoll_create1(EPOLL_CLOEXEC));
    poller->wake = os_beyond_standard(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    /* Edge-triggered: each write is reported once, so the counter is never read back. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = WAKE_KEY};
    if (poller->epoll < 0 || poller->wake < 0 ||
        epoll_ctl(poller->epoll, EPOLL_CTL_ADD, poller->wake, &event) != 0) {
        os_poller_free(poller);
        return NULL;
    }
    return poller;
}

void os_poller_free(struct os_poller *poller)
{
    if (poller->wake >= 0)
        close(poller->wake);
    if (poller->epoll >= 0)
        close(poller->epoll);
    os_free(poller);
}

bool os_poller_add(struct os_poller *poller, os_socket socket, struct os_token token,
                   unsigned events)
{
    struct epoll_event event = interest(token, events);
    return epoll_ctl(poller->epoll, EPOLL_CTL_ADD, (int)socket, &event) == 0;
}

void os_poller_change(struct os_poller *poller, os_socket socket, struct os_token token,
                      unsigned events)
{
    struct epoll_event event = interest(token, events);
    epoll_ctl(poller->epoll, EPOLL_CTL_MOD, (int)socket, &event);
}

void os_poller_remove(struct os_poller *poller, os_socket socket, struct os_token token)
{
    (void)token;
    epoll_ctl(poller->epoll, EPOLL_CTL_DEL, (int)socket, NULL);
}

static unsigned events_of(uint32_t found)
{
    if (found & (EPOLLERR | EPOLLHUP))
        return OS_READABLE | OS_WRITABLE;
    return (found & EPOLLIN ? OS_READABLE : 0u) | (found & EPOLLOUT ? OS_WRITABLE : 0u);
}

size_t os_poller_wait(struct os_poller *poller, int milliseconds, struct os_ready *ready,
                      size_t room)
{
    struct epoll_event found[BATCH];
    size_t filled = 0;
    int count = epoll_wait(poller->epoll, found, room < BATCH ? (int)room : BATCH, milliseconds);
    for (int i = 0; i < count; i++) {
        uint64_t key = found[i].data.u64;
        if (key == WAKE_KEY)
            continue;
        ready[filled++] = (struct os_ready){
            .token = {.slot = (uint32_t)key, .generation = (uint32_t)(key >> 32)},
            .events = events_of(found[i].events),
        };
    }
    return filled;
}

void os_poller_wake(struct os_poller *poller)
{
    uint64_t one = 1;
    while (write(poller->wake, &one, sizeof one) < 0 && errno == EINTR)
        ;
}
