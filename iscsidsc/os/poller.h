/* What the event loop needs of a platform: epoll on Linux, WSAPoll on Windows. */
#ifndef OS_POLLER_H
#define OS_POLLER_H

#include "os/loop.h"

struct os_poller;

/* Names a watch by its slot in the loop's table; the generation tells a watch from the one that had
 * the slot before it. */
struct os_token {
    uint32_t slot;
    uint32_t generation;
};

struct os_ready {
    struct os_token token;
    unsigned events; /* OS_READABLE, OS_WRITABLE; both for an error or hang-up */
};

struct os_poller *os_poller_new(void);
void os_poller_free(struct os_poller *poller);

bool os_poller_add(struct os_poller *poller, os_socket socket, struct os_token token,
                   unsigned events);
/* No events at all: not even errors are reported. */
void os_poller_change(struct os_poller *poller, os_socket socket, struct os_token token,
                      unsigned events);
void os_poller_remove(struct os_poller *poller, os_socket socket, struct os_token token);

/* Waits until something is ready, os_poller_wake is called or `milliseconds` (-1: for ever) have
 * passed. Returns how many of `ready` were filled in; may be 0 early. */
size_t os_poller_wait(struct os_poller *poller, int milliseconds, struct os_ready *ready,
                      size_t room);
/* From any thread. Ends the wait under way, or the next one. */
void os_poller_wake(struct os_poller *poller);

#endif
