/* What the suites of libiscsi(3) share: threads, files, and a target that listens in one. */
#ifndef LIBISCSI_SUPPORT_H
#define LIBISCSI_SUPPORT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iscsi.h"

#include <cmocka.h>

/* Fails with what the call was, what it returned and the handle's own message. */
#define TARGET_DOES(expected, handle, call)                                                        \
    do {                                                                                           \
        int result = (call);                                                                       \
        expect_result(expected, result, #call, errno, iscsi_target_getvar(handle, "error"),        \
                      __LINE__);                                                                   \
    } while (0)
#define INITIATOR_DOES(expected, handle, call)                                                     \
    do {                                                                                           \
        int result = (call);                                                                       \
        expect_result(expected, result, #call, errno, iscsi_initiator_getvar(handle, "error"),     \
                      __LINE__);                                                                   \
    } while (0)
void expect_result(int expected, int got, const char *call, int code, const char *error, int line);
/* The call fails with that errno. */
#define FAILS(code, call)                                                                          \
    do {                                                                                           \
        errno = 0;                                                                                 \
        assert_int_equal(call, -1);                                                                \
        assert_int_equal(errno, code);                                                             \
    } while (0)

struct thread;
struct thread *thread_start(void (*run)(void *argument), void *argument);
void thread_join(struct thread *thread);

/* In the test's own directory; one of four buffers. */
const char *test_path(const char *name);
void write_file(const char *name, const char *text);

/* A target at a port of its own of 127.0.0.1, that listens in a thread. */
struct served {
    iscsi_target_t target;
    struct thread *thread;
    char port[16];
};
/* The handle with defaults, to be given its variables. */
void served_prepare(struct served *served, const char *targets);
void served_start(struct served *served);
void served_stop(struct served *served);

/* An initiator that is to ask that target, not started. */
void prepare_initiator(iscsi_initiator_t *initiator, const struct served *served);

#endif
