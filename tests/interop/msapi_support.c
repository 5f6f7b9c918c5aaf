#include "msapi_support.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef _WIN32
#include <process.h>
#else
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#endif

enum { LIST_ROOM = 4 << 20, TEXT_BUFFERS = 8, TEXT_ROOM = 512, GUARD = 64, FILLER = 0xA5 };

/* ----------------------------------------------------------------- results */

void expect_code(ISDSC_STATUS expected, ISDSC_STATUS got, const char *call, const char *file,
                 int line)
{
    if (got == expected)
        return;
    print_error("%s\n    expected 0x%lx (%lu), got 0x%lx (%lu)\n", call, (unsigned long)expected,
                (unsigned long)expected, (unsigned long)got, (unsigned long)got);
    _fail(file, line);
}

/* ------------------------------------------------------------------- peers */

static bool parse_endpoint(const char *text, struct endpoint *out)
{
    const char *colon = text != NULL ? strrchr(text, ':') : NULL;
    if (colon == NULL)
        return false;
    size_t length = (size_t)(colon - text);
    if (text[0] == '[') {
        text++;
        length -= 2;
    }
    if (length >= sizeof out->host)
        return false;
    memcpy(out->host, text, length);
    out->host[length] = '\0';
    out->port = (USHORT)strtoul(colon + 1, NULL, 10);
    return out->port != 0;
}

struct endpoint endpoint_of(const char *variable)
{
    struct endpoint at;
    memset(&at, 0, sizeof at);
    if (!parse_endpoint(getenv(variable), &at))
        fail_msg("%s is not set: run this through tests/harness/run.py", variable);
    return at;
}

/* TEST_<PEER>_<what>, NULL when it is not set. */
static const char *peer_variable(const char *kind, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "TEST_%s_%s", kind, what);
    for (char *c = name; *c != '\0'; c++) {
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
    return getenv(name);
}

static bool find_peer(const char *kind, struct peer *out)
{
    const char *lun = peer_variable(kind, "LUN");
    memset(out, 0, sizeof *out);
    snprintf(out->kind, sizeof out->kind, "%s", kind);
    out->lun = lun != NULL ? strtoul(lun, NULL, 10) : 0;
    return lun != NULL && parse_endpoint(peer_variable(kind, "PORTAL"), &out->portal) &&
           parse_endpoint(peer_variable(kind, "PORTAL2"), &out->portal2) &&
           parse_endpoint(peer_variable(kind, "PORTAL6"), &out->portal6);
}

size_t find_peers(struct peer peers[PEERS_MAX])
{
    char list[128];
    size_t count = 0;
    const char *kinds = getenv("TEST_PEERS");
    snprintf(list, sizeof list, "%s", kinds != NULL ? kinds : "");
    for (char *kind = strtok(list, ","); kind != NULL; kind = strtok(NULL, ",")) {
        if (count == PEERS_MAX || !find_peer(kind, &peers[count++]))
            return 0;
    }
    return count;
}

int run_peer_cases(const char *suite, const struct peer_case *cases, size_t count)
{
    static struct peer peers[PEERS_MAX];
    static char names[256][96];
    struct CMUnitTest tests[256];
    size_t peer_count = find_peers(peers), total = 0;
    if (peer_count == 0) {
        print_error("no peers: run this through tests/harness/run.py --peers ...\n");
        return 1;
    }
    memset(tests, 0, sizeof tests);
    for (size_t p = 0; p < peer_count; p++) {
        for (size_t i = 0; i < count && total < 256; i++, total++) {
            snprintf(names[total], sizeof names[total], "%.70s (%.15s)", cases[i].name,
                     peers[p].kind);
            tests[total].name = names[total];
            tests[total].test_func = cases[i].run;
            tests[total].setup_func = start_clean;
            tests[total].initial_state = &peers[p];
        }
    }
    return _cmocka_run_group_tests(suite, tests, total, NULL, NULL);
}

static ISDSC_STATUS remove_all_portals(void)
{
    ULONG count;
    PISCSI_TARGET_PORTAL_INFO_EXA portals = list_portals(&count);
    for (ULONG i = 0; i < count; i++) {
        ISCSI_TARGET_PORTALA portal;
        memset(&portal, 0, sizeof portal);
        memcpy(portal.Address, portals[i].Address, sizeof portal.Address);
        portal.Socket = portals[i].Socket;
        ISDSC_STATUS status = RemoveIScsiSendTargetPortalA(portals[i].InitiatorName,
                                                           portals[i].InitiatorPortNumber, &portal);
        if (status != ERROR_SUCCESS)
            return status;
    }
    return ERROR_SUCCESS;
}

int start_clean(void **state)
{
    (void)state;
    ULONG count;
    PISCSI_SESSION_INFOA sessions = list_sessions(&count);
    for (ULONG i = 0; i < count; i++)
        LogoutIScsiTarget(&sessions[i].SessionId);
    bool clean = count_sessions() == 0 && remove_all_portals() == ERROR_SUCCESS &&
                 SetIScsiInitiatorNodeNameA(NULL) == ERROR_SUCCESS &&
                 SetIScsiInitiatorCHAPSharedSecret(0, NULL) == ERROR_SUCCESS;
    if (!clean)
        print_error("what an earlier test left could not be cleaned up\n");
    return clean ? 0 : -1;
}

/* -------------------------------------------------------------------- text */

PWSTR wide(const char *ascii)
{
    static WCHAR buffers[TEXT_BUFFERS][TEXT_ROOM];
    static unsigned next;
    WCHAR *out = buffers[next++ % TEXT_BUFFERS];
    size_t i = 0;
    for (; ascii[i] != '\0' && i + 1 < TEXT_ROOM; i++)
        out[i] = (unsigned char)ascii[i];
    out[i] = 0;
    return out;
}

PSTR narrow(const WCHAR *text)
{
    static char buffers[TEXT_BUFFERS][TEXT_ROOM];
    static unsigned next;
    char *out = buffers[next++ % TEXT_BUFFERS];
    size_t i = 0;
    for (; text[i] != 0 && i + 1 < TEXT_ROOM; i++)
        out[i] = text[i] < 0x80 ? (char)text[i] : '?';
    out[i] = '\0';
    return out;
}

/* Garbage behind the NUL, as real callers have it. */
PSTR ansi(const WCHAR *text)
{
    static char buffers[TEXT_BUFFERS][TEXT_ROOM];
    static unsigned next;
    char *out = buffers[next++ % TEXT_BUFFERS];
#ifdef _WIN32
    int length = WideCharToMultiByte(CP_ACP, 0, text, -1, out, TEXT_ROOM, NULL, NULL);
    assert_true(length > 0);
#else
    size_t i = 0; /* UTF-8, of characters below U+0800 */
    for (; *text != 0 && i + 2 < TEXT_ROOM; text++) {
        if (*text >= 0x80)
            out[i++] = (char)(0xc0 | *text >> 6);
        out[i++] = (char)(*text >= 0x80 ? 0x80 | (*text & 0x3f) : *text);
    }
    out[i] = '\0';
#endif
    return out;
}

void fill_portal_a(ISCSI_TARGET_PORTALA *out, const struct endpoint *at)
{
    memset(out, FILLER, sizeof *out);
    out->SymbolicName[0] = '\0';
    snprintf(out->Address, sizeof out->Address, "%s", at->host);
    out->Socket = at->port;
}

void fill_portal_w(ISCSI_TARGET_PORTALW *out, const struct endpoint *at)
{
    memset(out, FILLER, sizeof *out);
    out->SymbolicName[0] = 0;
    memcpy(out->Address, wide(at->host), (strlen(at->host) + 1) * sizeof(WCHAR));
    out->Socket = at->port;
}

/* ---------------------------------------------------------- shorter calls */

ISDSC_STATUS add_portal(const struct endpoint *at, PISCSI_LOGIN_OPTIONS options)
{
    ISCSI_TARGET_PORTALA portal;
    fill_portal_a(&portal, at);
    return AddIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, options, 0, &portal);
}

ISDSC_STATUS remove_portal(const struct endpoint *at)
{
    ISCSI_TARGET_PORTALA portal;
    fill_portal_a(&portal, at);
    return RemoveIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, &portal);
}

ISDSC_STATUS login(const char *target, const struct endpoint *at, PISCSI_LOGIN_OPTIONS options,
                   bool informational, ISCSI_UNIQUE_SESSION_ID *session)
{
    char name[256];
    ISCSI_TARGET_PORTALA portal;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    snprintf(name, sizeof name, "%s", target);
    if (at != NULL)
        fill_portal_a(&portal, at);
    return LoginIScsiTargetA(name, informational, NULL, ISCSI_ANY_INITIATOR_PORT,
                             at != NULL ? &portal : NULL, 0, NULL, options, 0, NULL, FALSE, session,
                             &connection);
}

ISCSI_LOGIN_OPTIONS chap_options(ISCSI_AUTH_TYPES type, const char *user, const char *secret)
{
    ISCSI_LOGIN_OPTIONS options;
    memset(&options, 0, sizeof options);
    options.InformationSpecified = ISCSI_LOGIN_OPTIONS_AUTH_TYPE | ISCSI_LOGIN_OPTIONS_PASSWORD;
    options.AuthType = type;
    options.Password = (PUCHAR)(uintptr_t)secret;
    options.PasswordLength = (ULONG)strlen(secret);
    if (user != NULL) {
        options.InformationSpecified |= ISCSI_LOGIN_OPTIONS_USERNAME;
        options.Username = (PUCHAR)(uintptr_t)user;
        options.UsernameLength = (ULONG)strlen(user);
    }
    return options;
}

static void *list_room(void **room)
{
    if (*room == NULL)
        *room = malloc(LIST_ROOM);
    if (*room == NULL)
        abort();
    return *room;
}

PISCSI_SESSION_INFOA list_sessions(ULONG *count)
{
    static void *room;
    ULONG size = LIST_ROOM;
    if (GetIScsiSessionListA(&size, count, list_room(&room)) != ERROR_SUCCESS)
        *count = 0xffffffff; /* no test expects as many */
    return room;
}

PISCSI_SESSION_INFO_EX list_sessions_ex(ULONG *count)
{
    static void *room;
    ULONG size = LIST_ROOM;
    if (GetIScsiSessionListEx(&size, count, list_room(&room)) != ERROR_SUCCESS)
        *count = 0xffffffff;
    return room;
}

PISCSI_TARGET_PORTAL_INFO_EXA list_portals(ULONG *count)
{
    static void *room;
    ULONG size = LIST_ROOM;
    if (ReportIScsiSendTargetPortalsExA(count, &size, list_room(&room)) != ERROR_SUCCESS)
        *count = 0;
    return room;
}

ULONG count_sessions(void)
{
    ULONG count;
    list_sessions(&count);
    return count;
}

PISCSI_SESSION_INFOA find_session(const ISCSI_UNIQUE_SESSION_ID *id)
{
    ULONG count;
    PISCSI_SESSION_INFOA sessions = list_sessions(&count);
    for (ULONG i = 0; i < count; i++) {
        if (memcmp(&sessions[i].SessionId, id, sizeof *id) == 0)
            return &sessions[i];
    }
    return NULL;
}

PISCSI_SESSION_INFO_EX find_session_ex(const ISCSI_UNIQUE_SESSION_ID *id)
{
    ULONG count;
    PISCSI_SESSION_INFO_EX sessions = list_sessions_ex(&count);
    for (ULONG i = 0; i < count; i++) {
        if (memcmp(&sessions[i].SessionId, id, sizeof *id) == 0)
            return &sessions[i];
    }
    return NULL;
}

void forget_targets(void)
{
    static void *room;
    ULONG size = LIST_ROOM;
    SUCCEEDS(ReportIScsiTargetsA(TRUE, &size, list_room(&room)));
}

bool target_known(const char *name)
{
    static void *room;
    ULONG size = LIST_ROOM;
    SUCCEEDS(ReportIScsiTargetsA(FALSE, &size, list_room(&room)));
    for (const char *item = room; *item != '\0'; item += strlen(item) + 1) {
        if (strcmp(item, name) == 0)
            return true;
    }
    return false;
}

/* ----------------------------------------------------------------- buffers */

static void check_filler(const char *what, const unsigned char *bytes, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (bytes[i] != FILLER)
            fail_msg("%s: byte %lu was written, %lu were delivered", what, (unsigned long)i,
                     (unsigned long)from);
    }
}

/* With room for `given` units: the code that has to come, and the size that is needed. */
static void check_size(const char *what, sized_call *call, void *context, size_t unit, ULONG given,
                       ULONG needed)
{
    size_t room = given * unit;
    unsigned char *buffer = malloc(room + GUARD);
    ULONG size = given;
    assert_non_null(buffer);
    memset(buffer, FILLER, room + GUARD);
    ISDSC_STATUS status = call(context, &size, buffer);
    ISDSC_STATUS expected = given < needed ? ERROR_INSUFFICIENT_BUFFER : ERROR_SUCCESS;
    if (status != expected || size != needed)
        fail_msg("%s with %lu of %lu: got 0x%lx and size %lu", what, (unsigned long)given,
                 (unsigned long)needed, (unsigned long)status, (unsigned long)size);
    check_filler(what, buffer, given < needed ? room : needed * unit, room + GUARD);
    free(buffer);
}

void check_sizes(const char *what, sized_call *call, void *context, size_t unit)
{
    ULONG size = 0xdeadbeef; /* of no meaning beside a NULL buffer */
    ISDSC_STATUS status = call(context, &size, NULL);
    ULONG needed = size;
    if (status != ERROR_INSUFFICIENT_BUFFER || needed == 0 || needed > LIST_ROOM)
        fail_msg("%s, size query: got 0x%lx and size %lu", what, (unsigned long)status,
                 (unsigned long)size);
    check_size(what, call, context, unit, 0, needed);
    check_size(what, call, context, unit, 1 < needed ? 1 : 0, needed);
    check_size(what, call, context, unit, needed - 1, needed);
    check_size(what, call, context, unit, needed, needed);
    check_size(what, call, context, unit, needed + 1, needed);
    check_size(what, call, context, unit, needed + 1000, needed);
}

void check_inside(const void *pointer, size_t size, size_t align, const void *buffer, size_t length)
{
    uintptr_t at = (uintptr_t)pointer, start = (uintptr_t)buffer;
    if (at < start || at - start > length || size > length - (at - start))
        fail_msg("a pointer leads out of the buffer");
    if ((at - start) % align != 0)
        fail_msg("a pointer is not aligned to %lu", (unsigned long)align);
}

/* --------------------------------------------------- processes and threads */

struct thread {
    void (*run)(void *argument);
    void *argument;
#ifdef _WIN32
    HANDLE handle;
#else
    pthread_t handle;
#endif
};

#ifdef _WIN32

static DWORD WINAPI thread_main(LPVOID argument)
{
    struct thread *thread = argument;
    thread->run(thread->argument);
    return 0;
}

static bool thread_begin(struct thread *thread)
{
    thread->handle = CreateThread(NULL, 0, thread_main, thread, 0, NULL);
    return thread->handle != NULL;
}

void thread_join(struct thread *thread)
{
    WaitForSingleObject(thread->handle, INFINITE);
    CloseHandle(thread->handle);
    free(thread);
}

uint64_t milliseconds(void)
{
    return GetTickCount64();
}

void set_environment(const char *name, const char *value)
{
    char text[1024];
    snprintf(text, sizeof text, "%s=%s", name, value);
    _putenv(text);
    SetEnvironmentVariableA(name, value);
}

int run_self(const char *program, const char *argument)
{
    char quoted[1024];
    snprintf(quoted, sizeof quoted, "\"%s\"", program);
    return (int)_spawnl(_P_WAIT, program, quoted, argument, NULL);
}

#else

static void *thread_main(void *argument)
{
    struct thread *thread = argument;
    thread->run(thread->argument);
    return NULL;
}

static bool thread_begin(struct thread *thread)
{
    return pthread_create(&thread->handle, NULL, thread_main, thread) == 0;
}

void thread_join(struct thread *thread)
{
    pthread_join(thread->handle, NULL);
    free(thread);
}

uint64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void set_environment(const char *name, const char *value)
{
    setenv(name, value, 1);
}

extern char **environ;

int run_self(const char *program, const char *argument)
{
    pid_t child;
    int status;
    char *arguments[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)argument, NULL};
    if (posix_spawn(&child, program, NULL, NULL, arguments, environ) != 0)
        return -1;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

#endif

struct thread *thread_start(void (*run)(void *argument), void *argument)
{
    struct thread *thread = calloc(1, sizeof *thread);
    assert_non_null(thread);
    thread->run = run;
    thread->argument = argument;
    if (!thread_begin(thread))
        fail_msg("a thread could not be started");
    return thread;
}
