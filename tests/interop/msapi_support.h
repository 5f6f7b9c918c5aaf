/* What the suites of the discovery library share. They see only its public headers. */
#ifndef MSAPI_SUPPORT_H
#define MSAPI_SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "iscsidsc.h"

#include <cmocka.h>

/* --- results --- */
/* Fails with the call's text, what it should have returned and what it did. */
#define EXPECT(code, call) expect_code((ISDSC_STATUS)(code), (call), #call, __FILE__, __LINE__)
#define SUCCEEDS(call)     EXPECT(ERROR_SUCCESS, call)
void expect_code(ISDSC_STATUS expected, ISDSC_STATUS got, const char *call, const char *file,
                 int line);

/* --- peers: tests/harness/README.md --- */
struct endpoint {
    char host[64];
    USHORT port;
};

struct peer {
    char kind[16]; /* "embedded", "tgtd", "istgt" */
    struct endpoint portal;
    struct endpoint portal2;
    struct endpoint portal6;
    ULONGLONG lun; /* the first disk's */
};

#define PEERS_MAX   3
#define TARGET_BASE "iqn.2026-11.org.example"
/* Those that run. */
size_t find_peers(struct peer peers[PEERS_MAX]);
/* The address in an environment variable; fails the test when it is not set. */
struct endpoint endpoint_of(const char *variable);

/*
 * Runs each case against each peer, which it finds in *state. Each case starts without sessions,
 * portals and CHAP secret, and with the default node name.
 */
struct peer_case {
    const char *name;
    void (*run)(void **state);
};
#define PEER_CASE(function)                                                                        \
    {                                                                                              \
#function, function                                                                        \
    }
int run_peer_cases(const char *suite, const struct peer_case *cases, size_t count);

/* The same before any other test: a cmocka setup function. */
int start_clean(void **state);

/* --- text --- */
/* The ASCII text as UTF-16; one of eight buffers, used in turn. */
PWSTR wide(const char *ascii);
/* UTF-16 that holds nothing but ASCII, as such; '?' for the rest. One of eight buffers. */
PSTR narrow(const WCHAR *text);
/* UTF-16 of characters that the ANSI code page has, in that code page. One of eight buffers. */
PSTR ansi(const WCHAR *text);
void fill_portal_a(ISCSI_TARGET_PORTALA *out, const struct endpoint *at);
void fill_portal_w(ISCSI_TARGET_PORTALW *out, const struct endpoint *at);

/* --- shorter forms of calls --- */
ISDSC_STATUS add_portal(const struct endpoint *at, PISCSI_LOGIN_OPTIONS options);
ISDSC_STATUS remove_portal(const struct endpoint *at);
/* Any initiator and port, no flags, options or key, not persistent. `at` NULL: any portal. */
ISDSC_STATUS login(const char *target, const struct endpoint *at, PISCSI_LOGIN_OPTIONS options,
                   bool informational, ISCSI_UNIQUE_SESSION_ID *session);
/* One-way or mutual CHAP; user NULL leaves the name out. The strings have to outlive the options.
 */
ISCSI_LOGIN_OPTIONS chap_options(ISCSI_AUTH_TYPES type, const char *user, const char *secret);
/* The whole lists, in static memory that the next call of the same function changes. */
PISCSI_SESSION_INFOA list_sessions(ULONG *count);
PISCSI_SESSION_INFO_EX list_sessions_ex(ULONG *count);
PISCSI_TARGET_PORTAL_INFO_EXA list_portals(ULONG *count);
ULONG count_sessions(void);
/* NULL when the session is not in the list. */
PISCSI_SESSION_INFOA find_session(const ISCSI_UNIQUE_SESSION_ID *id);
PISCSI_SESSION_INFO_EX find_session_ex(const ISCSI_UNIQUE_SESSION_ID *id);
/* Forgets all that was found through portals that are on the list no longer. */
void forget_targets(void);
/* Is the name among the targets, as a cached answer tells? */
bool target_known(const char *name);

/* --- buffers --- */
/*
 * Asks with every size around the needed one: NULL, 0, one short, exact, more. `call` gets the size
 * and a buffer whose end is guarded, and returns what the function did. `unit` is bytes of the
 * size's unit. Checks the codes, the sizes and that nothing behind the delivered size is written.
 */
typedef ISDSC_STATUS sized_call(void *context, ULONG *size, void *buffer);
void check_sizes(const char *what, sized_call *call, void *context, size_t unit);
/* Is the pointer to `size` bytes within the buffer, and aligned? */
void check_inside(const void *pointer, size_t size, size_t align, const void *buffer,
                  size_t length);

/* --- processes and threads --- */
struct thread;
struct thread *thread_start(void (*run)(void *argument), void *argument);
void thread_join(struct thread *thread);
uint64_t milliseconds(void);
void set_environment(const char *name, const char *value);
/* This program again with one argument; its exit code. */
int run_self(const char *program, const char *argument);

#endif
