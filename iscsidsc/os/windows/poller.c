/*
 * WSAPoll over a dense array. Windows before 10 2004 never reports a failed connect through
 * WSAPoll: select's exception set does, so whoever waits to write is asked about there from time to
 * time.
 */
#include "os/net.h"
#include "os/poller.h"
#include "os/memory.h"

#include <string.h>

enum { FAILED_CONNECT_CHECK = 100 /* ms */, FIRST_ROOM = 16 };

struct os_poller {
    SOCKET wake;             /* a datagram socket connected to itself */
    WSAPOLLFD *polls;        /* 0 is `wake` */
    struct os_token *tokens; /* beside polls */
    size_t count;            /* in use of both */
    size_t room;             /* of both: enough for every watch, also those that want nothing now */
    size_t watches;          /* registered */
    uint32_t *place_of;      /* by slot: index into polls, 0 when it is not there */
    size_t slots;            /* of place_of */
    size_t writers;          /* entries that wait to write */
    size_t next;             /* where looking for ready ones goes on, for fairness */
    uint64_t connects_checked;
};

static SOCKET wake_socket(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int length = sizeof at;
    u_long on = 1;
    os_net_start();
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SOCKET wake = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    if (wake == INVALID_SOCKET)
        return wake;
    SetHandleInformation((HANDLE)wake, HANDLE_FLAG_INHERIT, 0);
    /* Connected to itself it hears nobody else. */
    if (bind(wake, (struct sockaddr *)&at, sizeof at) != 0 ||
        getsockname(wake, (struct sockaddr *)&at, &length) != 0 ||
        connect(wake, (struct sockaddr *)&at, length) != 0 ||
        ioctlsocket(wake, (long)FIONBIO, &on) != 0) {
        closesocket(wake);
        return INVALID_SOCKET;
    }
    return wake;
}

static bool make_room(struct os_poller *poller, size_t room)
{
    if (room <= poller->room)
        return true;
    room = room < FIRST_ROOM ? FIRST_ROOM : room * 2;
    WSAPOLLFD *polls = os_grow(poller->polls, room * sizeof *polls);
    if (polls == NULL)
        return false;
    poller->polls = polls;
    struct os_token *tokens = os_grow(poller->tokens, room * sizeof *tokens);
    if (tokens == NULL)
        return false;
    poller->tokens = tokens;
    poller->room = room;
    return true;
}

static bool make_slot(struct os_poller *poller, uint32_t slot)
{
    if (slot < poller->slots)
        return true;
    size_t slots = ((size_t)slot + 1) * 2;
    uint32_t *place_of = os_grow(poller->place_of, slots * sizeof *place_of);
    if (place_of == NULL)
        return false;
    memset(place_of + poller->slots, 0, (slots - poller->slots) * sizeof *place_of);
    poller->place_of = place_of;
    poller->slots = slots;
    return true;
}

struct os_poller *os_poller_new(void)
{
    struct os_poller *poller = os_alloc(sizeof *poller);
    if (poller == NULL)
        return NULL;
    poller->wake = wake_socket();
    if (poller->wake == INVALID_SOCKET || !make_room(poller, 1)) {
        os_poller_free(poller);
        return NULL;
    }
    poller->polls[0] = (WSAPOLLFD){.fd = poller->wake, .events = POLLRDNORM};
    poller->count = 1;
    return poller;
}

void os_poller_free(struct os_poller *poller)
{
    if (poller->wake != INVALID_SOCKET)
        closesocket(poller->wake);
    os_free(poller->polls);
    os_free(poller->tokens);
    os_free(poller->place_of);
    os_free(poller);
}

static short interest(unsigned events)
{
    return (short)((events & OS_READABLE ? POLLRDNORM : 0) |
                   (events & OS_WRITABLE ? POLLWRNORM : 0));
}

static bool waits_to_write(const WSAPOLLFD *poll)
{
    return (poll->events & POLLWRNORM) != 0;
}

static void take_out(struct os_poller *poller, uint32_t place)
{
    size_t last = --poller->count;
    poller->writers -= waits_to_write(&poller->polls[place]);
    poller->place_of[poller->tokens[place].slot] = 0;
    if (place == last)
        return;
    poller->polls[place] = poller->polls[last];
    poller->tokens[place] = poller->tokens[last];
    poller->place_of[poller->tokens[place].slot] = place;
}

static void put_in(struct os_poller *poller, os_socket socket, struct os_token token,
                   unsigned events)
{
    size_t place = poller->count++;
    poller->polls[place] = (WSAPOLLFD){.fd = (SOCKET)socket, .events = interest(events)};
    poller->tokens[place] = token;
    poller->place_of[token.slot] = (uint32_t)place;
    poller->writers += waits_to_write(&poller->polls[place]);
}

bool os_poller_add(struct os_poller *poller, os_socket socket, struct os_token token,
                   unsigned events)
{
    if (!make_room(poller, poller->watches + 2) || !make_slot(poller, token.slot))
        return false;
    poller->watches++;
    os_poller_change(poller, socket, token, events);
    return true;
}

void os_poller_change(struct os_poller *poller, os_socket socket, struct os_token token,
                      unsigned events)
{
    uint32_t place = poller->place_of[token.slot];
    if (place != 0)
        take_out(poller, place);
    if (events != 0)
        put_in(poller, socket, token, events);
}

void os_poller_remove(struct os_poller *poller, os_socket socket, struct os_token token)
{
    os_poller_change(poller, socket, token, 0);
    poller->watches--;
}

/* --- waiting --- */

static unsigned events_of(short found)
{
    if (found & (POLLERR | POLLHUP | POLLNVAL))
        return OS_READABLE | OS_WRITABLE;
    return (found & POLLRDNORM ? OS_READABLE : 0u) | (found & POLLWRNORM ? OS_WRITABLE : 0u);
}

/* Marks those among `places` whose connect failed. */
static void mark_failed(struct os_poller *poller, const size_t *places, size_t count)
{
    struct timeval at_once = {0, 0};
    fd_set failed;
    FD_ZERO(&failed);
    for (size_t i = 0; i < count; i++)
        failed.fd_array[failed.fd_count++] = poller->polls[places[i]].fd;
    if (select(0, NULL, NULL, &failed, &at_once) <= 0)
        return;
    for (size_t i = 0; i < count; i++) {
        if (FD_ISSET(poller->polls[places[i]].fd, &failed))
            poller->polls[places[i]].revents = POLLERR;
    }
}

static void check_connects(struct os_poller *poller)
{
    size_t places[FD_SETSIZE];
    size_t count = 0;
    uint64_t now = os_now();
    if (poller->writers == 0 || now - poller->connects_checked < FAILED_CONNECT_CHECK)
        return;
    poller->connects_checked = now;
    for (size_t i = 1; i < poller->count; i++) {
        if (!waits_to_write(&poller->polls[i]) || poller->polls[i].revents != 0)
            continue;
        places[count++] = i;
        if (count == FD_SETSIZE) {
            mark_failed(poller, places, count);
            count = 0;
        }
    }
    if (count > 0)
        mark_failed(poller, places, count);
}

static size_t collect(struct os_poller *poller, struct os_ready *ready, size_t room)
{
    size_t filled = 0;
    size_t others = poller->count - 1;
    for (size_t i = 0; i < others && filled < room; i++) {
        size_t place = 1 + (poller->next + i) % others;
        unsigned events = events_of(poller->polls[place].revents);
        if (events != 0)
            ready[filled++] = (struct os_ready){poller->tokens[place], events};
        if (filled == room)
            poller->next = place; /* the one after it comes first next time */
    }
    return filled;
}

/* One wake-up is one datagram, and there is seldom a second: that one would end the next wait. */
static void take_wake(SOCKET wake)
{
    char byte;
    recv(wake, &byte, sizeof byte, 0);
}

size_t os_poller_wait(struct os_poller *poller, int milliseconds, struct os_ready *ready,
                      size_t room)
{
    if (poller->writers > 0 && (milliseconds < 0 || milliseconds > FAILED_CONNECT_CHECK))
        milliseconds = FAILED_CONNECT_CHECK;
    if (WSAPoll(poller->polls, (ULONG)poller->count, milliseconds) < 0) {
        Sleep(1); /* out of kernel memory: the next round may fare better */
        return 0;
    }
    if (poller->polls[0].revents != 0)
        take_wake(poller->wake);
    check_connects(poller);
    return collect(poller, ready, room);
}

void os_poller_wake(struct os_poller *poller)
{
    send(poller->wake, "", 1, 0);
}
