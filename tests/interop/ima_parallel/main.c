/*
 * main SECONDS: 32 threads that mix all 98 functions of the management API, on objects that there
 * are and others, with right and wrong values, while targets come and go and functions for events
 * are registered, deregistered and called. Every call must return one of the statuses that its
 * clause allows it, lists must have objects of the right types, and every function must have
 * succeeded or been refused for a reason at least once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../ima_table.h"

#include <stdatomic.h>
#include <stdbool.h>

#ifdef _WIN32
#include <windows.h>
typedef HANDLE thread_handle;
#else
#include <pthread.h>
#include <time.h>
typedef pthread_t thread_handle;
#endif

enum { THREADS = 32, CALLS_A_TURN = 50, POOL = 64 };

static unsigned seconds = 10;
static atomic_uint calls[FUNCTION_COUNT], successes[FUNCTION_COUNT];
static atomic_uint events, failures;
static atomic_bool done;

/* --- what differs between systems --- */

static unsigned long long now_ms(void)
{
#ifdef _WIN32
    return GetTickCount64();
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long long)now.tv_sec * 1000u + (unsigned long long)now.tv_nsec / 1000000u;
#endif
}

static void work(unsigned seed);

#ifdef _WIN32
static DWORD WINAPI run(void *argument)
{
    work((unsigned)(uintptr_t)argument);
    return 0;
}

static bool start(thread_handle *thread, unsigned seed)
{
    *thread = CreateThread(NULL, 0, run, (void *)(uintptr_t)seed, 0, NULL);
    return *thread != NULL;
}

static void join(thread_handle thread)
{
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

static void set_environment(const char *name, const char *value)
{
    SetEnvironmentVariableA(name, value);
}
#else
static void *run(void *argument)
{
    work((unsigned)(uintptr_t)argument);
    return NULL;
}

static bool start(thread_handle *thread, unsigned seed)
{
    return pthread_create(thread, NULL, run, (void *)(uintptr_t)seed) == 0;
}

static void join(thread_handle thread)
{
    pthread_join(thread, NULL);
}

static void set_environment(const char *name, const char *value)
{
    setenv(name, value, 1);
}
#endif

/* --- a thread's own choices --- */

struct worker {
    unsigned random;
    IMA_OID pool[POOL]; /* objects that it has come across */
    size_t pooled;
    union {
        char bytes[OUT_ROOM];
        uint64_t aligned;
    } out;
    IMA_BYTE sense[64], lun[8];
    IMA_UINT out_length, sense_length;
    IMA_AUTHMETHOD methods[6];
    IMA_INITIATOR_AUTHPARMS parameters;
    IMA_IP_ADDRESS addresses[2];
    IMA_HOST_ID host;
    IMA_WCHAR text[IMA_NODE_ALIAS_LEN];
    IMA_OID_LIST *list;
    IMA_ADDRESS_KEYS *keys;
};

static unsigned choose(struct worker *worker, unsigned count)
{
    worker->random = worker->random * 1103515245u + 12345u;
    return (worker->random >> 16) % count;
}

static void remember(struct worker *worker, IMA_OID oid)
{
    worker->pool[worker->pooled < POOL ? worker->pooled++ : choose(worker, POOL)] = oid;
}

/* One of a fitting type, if it has come across one; now and then any at all. */
static IMA_OID pick_object(struct worker *worker, const struct function *function)
{
    IMA_OID none;
    memset(&none, 0, sizeof none);
    none.objectType = (IMA_OBJECT_TYPE)choose(worker, 15);
    none.ownerId = choose(worker, 3);
    none.objectSequenceNumber = choose(worker, 100);
    for (unsigned i = 0; i < 3 * POOL && worker->pooled > 0 && choose(worker, 100) > 0; i++) {
        IMA_OID oid = worker->pool[choose(worker, (unsigned)worker->pooled)];
        if ((function->types & 1u << oid.objectType) != 0)
            return oid;
    }
    return none;
}

static void put_text(IMA_WCHAR *to, const char *text)
{
    while ((*to++ = (IMA_WCHAR)*text++) != 0)
        ;
}

/* That of the peer, or one of a few where nobody answers. */
static void pick_address(struct worker *worker, IMA_TARGET_ADDRESS *out)
{
    const char *portal = getenv("TEST_EMBEDDED_MANY_PORTAL");
    const char *colon = portal != NULL ? strrchr(portal, ':') : NULL;
    memset(out, 0, sizeof *out);
    out->hostnameIpAddress.id.ipAddress.ipv4Address = IMA_TRUE;
    out->hostnameIpAddress.id.ipAddress.ipAddress[0] = 127;
    out->hostnameIpAddress.id.ipAddress.ipAddress[3] = 1;
    out->portNumber = (IMA_UINT16)(1 + choose(worker, 4));
    if (colon != NULL && choose(worker, 2) == 0)
        out->portNumber = (IMA_UINT16)strtoul(colon + 1, NULL, 10);
}

static void on_visibility(IMA_BOOL visible, IMA_OID oid)
{
    (void)visible;
    (void)oid;
    atomic_fetch_add(&events, 1);
}

/* Calls in, and comes and goes. */
static void on_property(IMA_OID oid)
{
    IMA_OBJECT_TYPE type;
    atomic_fetch_add(&events, 1);
    if (IMA_GetObjectType(oid, &type) != IMA_STATUS_SUCCESS)
        atomic_fetch_add(&failures, 1);
    IMA_DeregisterForObjectVisibilityChanges(on_visibility);
    IMA_RegisterForObjectVisibilityChanges(on_visibility);
}

static void pick_text(struct worker *worker)
{
    char text[64];
    snprintf(text, sizeof text, "iqn.2026-11.org.example:parallel-%u", choose(worker, 40));
    put_text(worker->text, text);
}

static struct call pick_call(struct worker *w, const struct function *function)
{
    static const IMA_UINT numbers[] = {0, 1, 2, 10, 16, 512, 65536, 262144, 0xFFFFFFFF};
    struct call c;
    memset(&c, 0, sizeof c);
    pick_text(w);
    pick_address(w, &c.address);
    w->out_length = choose(w, 10) == 0 ? 0 : 255;
    if ((function->pointers & ROOM) != 0)
        w->out_length = 6;
    w->sense_length = sizeof w->sense;
    w->list = NULL;
    w->keys = NULL;
    w->methods[0] = IMA_AUTHMETHOD_NONE;
    w->methods[1] = (IMA_AUTHMETHOD)choose(w, 3);
    w->addresses[0] = w->addresses[1] = c.address.hostnameIpAddress.id.ipAddress;
    w->addresses[1].ipAddress[3] = 9;
    w->host = c.address.hostnameIpAddress;
    w->lun[1] = (IMA_BYTE)choose(w, 3);
    w->parameters.chapParms.nameLength = 1 + choose(w, 8);
    w->parameters.chapParms.challengeSecretLength = 12 + choose(w, 4);
    c.oid = pick_object(w, function);
    c.flag = choose(w, 20) == 0 ? 2 : choose(w, 2);
    c.flag2 = IMA_FALSE;
    c.number = numbers[choose(w, sizeof numbers / sizeof *numbers)];
    if ((function->values & METHODS) != 0)
        c.number = 1 + choose(w, 2);
    c.method = (IMA_AUTHMETHOD)choose(w, 7);
    c.isns = (IMA_ISNS_DISCOVERY_METHOD)choose(w, 4);
    c.image = (IMA_PHBA_DOWNLOAD_IMAGE_TYPE)choose(w, 4);
    c.ip = w->addresses[0];
    memcpy(c.target.targetName, w->text, sizeof c.target.targetName);
    c.target.targetAddress = c.address;
    c.primary = &w->addresses[0];
    c.alternate = choose(w, 2) == 0 ? NULL : &w->addresses[1];
    c.host = &w->host;
    c.methods = w->methods;
    c.method_room = w->methods;
    c.text = w->text;
    c.in = &w->parameters;
    c.lun = w->lun;
    c.out = w->out.bytes;
    c.out_length = &w->out_length;
    c.sense = w->sense;
    c.sense_length = &w->sense_length;
    c.list = &w->list;
    c.keys = &w->keys;
    c.visibility = on_visibility;
    c.property = on_property;
    return c;
}

/* --- a call and what came of it --- */

/* They would change how this machine is reached. */
static bool is_dangerous(const struct function *function)
{
    return (function->values & (IP | DNS)) != 0 ||
           strcmp(function->name, "IMA_SetIpConfigMethod") == 0;
}

/* Whoever calls at a bad moment may get these, too; but nothing here may cause them. */
static bool is_bad(IMA_STATUS status)
{
    return status == IMA_ERROR_UNKNOWN_ERROR || status == IMA_ERROR_UNEXPECTED_OS_ERROR ||
           status == IMA_ERROR_INSUFFICIENT_MEMORY || status == IMA_ERROR_SYNC_TIMEOUT;
}

static void complain(const struct function *function, const struct call *c, IMA_STATUS status,
                     const char *what)
{
    if (atomic_fetch_add(&failures, 1) < 20)
        print_error("%s of {%u, %u, %llu}: 0x%08X, %s\n", function->name,
                    (unsigned)c->oid.objectType, (unsigned)c->oid.ownerId,
                    (unsigned long long)c->oid.objectSequenceNumber, (unsigned)status, what);
}

static void look_at_lists(struct worker *worker, const struct function *function,
                          const struct call *c, IMA_STATUS status)
{
    bool has_list = worker->list != NULL || worker->keys != NULL;
    if ((function->pointers & (LIST | KEYS)) != 0 && has_list != (IMA_SUCCESS(status) == IMA_TRUE))
        complain(function, c, status, "and a list, or success without one");
    for (IMA_UINT i = 0; worker->list != NULL && i < worker->list->oidCount && i < 8; i++)
        remember(worker, worker->list->oids[choose(worker, worker->list->oidCount)]);
    IMA_FreeMemory(worker->list);
    IMA_FreeMemory(worker->keys);
}

static void call_one(struct worker *worker)
{
    unsigned index = choose(worker, FUNCTION_COUNT);
    const struct function *function = &functions[index];
    struct call c = pick_call(worker, function);
    if (is_dangerous(function))
        c.oid.objectSequenceNumber = 0xFFFFFFFF12345678u;
    IMA_STATUS status = function->call(&c);
    atomic_fetch_add(&calls[index], 1);
    if (IMA_SUCCESS(status))
        atomic_fetch_add(&successes[index], 1);
    if (is_bad(status))
        complain(function, &c, status, "which nothing here causes");
    look_at_lists(worker, function, &c, status);
}

/* What a client does first: without it no object would be found. */
static void look_around(struct worker *worker)
{
    static IMA_STATUS (*const lists[])(IMA_OID_LIST * *ppList) = {
        IMA_GetLhbaOidList,
        IMA_GetPhbaOidList,
        IMA_GetLnpOidList,
        IMA_GetPluginOidList,
    };
    IMA_OID node;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        IMA_OID_LIST *list;
        if (IMA_ERROR(lists[i](&list)))
            continue;
        for (IMA_UINT j = 0; j < list->oidCount; j++)
            remember(worker, list->oids[j]);
        IMA_FreeMemory(list);
    }
    if (IMA_SUCCESS(IMA_GetSharedNodeOid(&node)))
        remember(worker, node);
}

static void work(unsigned seed)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) {
        atomic_fetch_add(&failures, 1);
        return;
    }
    worker->random = seed;
    while (!atomic_load(&done)) {
        look_around(worker);
        for (int i = 0; i < CALLS_A_TURN && !atomic_load(&done); i++)
            call_one(worker);
    }
    free(worker);
}

/* --- the test --- */

static void report(void)
{
    unsigned all = 0, succeeded = 0;
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        all += atomic_load(&calls[i]);
        succeeded += atomic_load(&successes[i]);
        if (atomic_load(&calls[i]) == 0)
            complain(&functions[i], &(struct call){.flag = 0}, 0, "never called");
    }
    print_message("%u calls, %u of them successful, %u events\n", all, succeeded,
                  atomic_load(&events));
}

static void all_functions_mixed(void **state)
{
    thread_handle threads[THREADS];
    unsigned started = 0;
    unsigned long long end = now_ms() + seconds * 1000u;
    (void)state;
    while (started < THREADS && start(&threads[started], 1 + started))
        started++;
    assert_int_equal(started, THREADS);
    while (now_ms() < end) {
#ifdef _WIN32
        Sleep(50);
#else
        nanosleep(&(struct timespec){0, 50000000}, NULL);
#endif
    }
    atomic_store(&done, true);
    for (unsigned i = 0; i < started; i++)
        join(threads[i]);
    IMA_DeregisterForObjectPropertyChanges(on_property);
    IMA_DeregisterForObjectVisibilityChanges(on_visibility);
    unsigned before = atomic_load(&events);
    report();
    assert_int_equal(atomic_load(&events), before); /* deregistered is deregistered */
    assert_int_equal(atomic_load(&failures), 0);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_functions_mixed)};
    if (count > 1)
        seconds = (unsigned)strtoul(arguments[1], NULL, 10);
    set_environment("IMA_CONF", "/no/such/file"); /* the plugins of this machine are not asked */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
