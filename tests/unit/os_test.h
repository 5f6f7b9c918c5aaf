/* What the tests of os/ share. */
#ifndef OS_TEST_H
#define OS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "os/loop.h"
#include "os/memory.h"
#include "os/system.h"

/* Longest any test waits for what must happen. */
#define BOUND 20000u

#define assert_status(got, expected) assert_string_equal(status_name(got), status_name(expected))

static inline struct os_address loopback(uint16_t port)
{
    struct os_address address;
    assert_true(os_address_parse(&address, "127.0.0.1", port));
    return address;
}

/* A listener on an ephemeral port, and where it is. */
static inline os_socket listener_new(struct os_address *at)
{
    os_socket listener;
    struct os_address any = loopback(0);
    assert_status(os_listen(&listener, &any, 512), STATUS_OK);
    assert_true(os_local_address(listener, at));
    assert_true(os_address_port(at) != 0);
    return listener;
}

static inline os_socket accept_within_bound(os_socket listener)
{
    os_socket accepted = OS_NO_SOCKET;
    uint64_t end = os_now() + BOUND;
    while (!os_accept(listener, &accepted, NULL)) {
        if (os_now() > end)
            fail_msg("no connection to accept within %u ms", BOUND);
        os_thread_yield();
    }
    return accepted;
}

struct pair {
    os_socket client;
    os_socket server;
};

static inline struct pair pair_new(os_socket listener, const struct os_address *at)
{
    struct pair pair;
    assert_status(os_connect(&pair.client, at, NULL), STATUS_OK);
    pair.server = accept_within_bound(listener);
    return pair;
}

static inline void pair_close(struct pair pair)
{
    os_close(pair.client);
    os_close(pair.server);
}

static inline long send_text(os_socket socket, const char *text, enum status *status)
{
    struct iov piece = {(void *)(uintptr_t)text, strlen(text)};
    return os_send(socket, &piece, 1, status);
}

/* What one receive gives, waiting for it. */
static inline long receive_within_bound(os_socket socket, void *out, size_t room,
                                        enum status *status)
{
    uint64_t end = os_now() + BOUND;
    struct iov piece = {out, room};
    long got;
    while ((got = os_receive(socket, &piece, 1, status)) == 0) {
        if (os_now() > end)
            fail_msg("nothing received within %u ms", BOUND);
        os_thread_yield();
    }
    return got;
}

#endif
